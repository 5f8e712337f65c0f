// A share link may stand on a public page. Its guests shared its limit of requests and its purses, so that one reader
// of the page closed it for all others: 300 requests in ten seconds, or a few of the dearest questions. Now each guest,
// by address, has a part of what the link may ask, and all guests together have no more than the link had.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { encodeLogged } from "../../core/archive/bundle.ts";
import { partitionsOf } from "../../core/counting/placement.ts";
import {
  ASKER_READS_MAX,
  ASKER_READS_PER_SECOND,
  GUEST_AT_ONCE_SHARE,
  GUEST_PER_SECOND_SHARE,
  LINK_STEPS_SHARE,
  PLACE_READS,
  PURSES_KEPT_MAX,
} from "../../core/limits.ts";
import { DAY_MS, dayAt } from "../../core/time.ts";
import { memoryOf } from "../../workers/query/deps.ts";
import { OF_READS, PurseMemory } from "../../workers/query/purse-memory.ts";
import { eventOf } from "../support/events.ts";
import { ADMIN_TOKEN, startQueryWorker } from "../support/query-worker.ts";
import { rowOf } from "../support/rollup-rows.ts";

const NOW = Date.UTC(2027, 0, 10);
const TODAY = dayAt("UTC", Date.now());
/** What wrangler.toml says: of a guest, and of a link. */
const [OF_GUEST, OF_LINK] = [100, 300];
const LINK_READS = ASKER_READS_MAX / LINK_STEPS_SHARE;
/** One question reads so many, as it is told. */
const EVENTS = LINK_READS / 20;
/** It looks into the Day's place in the archive, and at what the partition has of it. */
const DEAR = EVENTS + PLACE_READS + 1;

// The clock stands: purses fill by the second.
beforeEach(() => void vi.useFakeTimers({ now: Date.now(), toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

/** A counter of the platform: so many of a key, for ever. */
function counter(max: number) {
  const seen = new Map<string, number>();
  const limit = async ({ key }: { readonly key: string }) => {
    seen.set(key, (seen.get(key) ?? 0) + 1);
    return { success: (seen.get(key) ?? 0) <= max };
  };
  return { limit };
}

/** A shop with one event to read, of a Day that is said to have many, and a link of the page that it is of. */
async function startShop() {
  const worker = startQueryWorker({
    LIMIT_KEY: counter(OF_LINK),
    LIMIT_GUEST: counter(OF_GUEST),
    LIMIT_SIGN_IN: counter(1_000),
    KEY_REQUESTS_MAX: `${OF_LINK}`,
  });
  const admin = async (path: string, body: object) =>
    (await worker.ask("POST", `/api/v1/merchants${path}`, { token: ADMIN_TOKEN, body })).body;
  const { id, api_key: key } = await admin("", { name: "Shop", time_zone: "UTC", currency: "EUR" });
  const filters = [["contains", "event:page", ["/blog/"]]];
  const { token: link } = await admin(`/${id}/shares`, { name: "public page", filters });
  const partition = partitionsOf({ merchant: 1 }, { poolSize: 4, regions: [] })[0] as string;
  worker.live.push(rowOf({ bucket: TODAY, partition, seen: { events: EVENTS, visitors: 1, known: 1 } }));
  const event = eventOf({ id: "1", url: "https://shop.example/blog/a", timestamp: TODAY * DAY_MS });
  worker.recent.set(partition, [{ position: 0, row: encodeLogged({ day: TODAY, late: false, event }) }]);
  const ask = async (address: string, token = link as string) => {
    const body = { site_id: id, metrics: ["visitors"], date_range: "day" };
    const headers = { "cf-connecting-ip": address };
    return (await worker.ask("POST", "/api/v2/query", { token, body, headers })).status;
  };
  const look = async (address: string) => {
    const headers = { "cf-connecting-ip": address };
    return (await worker.ask("GET", "/api/v1/shared", { token: link, headers })).status;
  };
  return { worker, key: key as string, ask, look };
}

test("[LIM-15] a guest who asks too often is refused, other guests of the link are answered", async () => {
  const { look } = await startShop();
  const flood: number[] = [];
  for (let asked = 0; asked < 3 * OF_LINK; asked++) flood.push(await look("203.0.113.7"));
  expect(flood.filter((status) => status === 200)).toHaveLength(OF_GUEST);
  expect(await look("198.51.100.1")).toBe(200);
  // An IPv6 /48 is one guest.
  for (let asked = 0; asked < OF_GUEST; asked++) expect(await look(`2001:db8:1:${asked.toString(16)}::1`)).toBe(200);
  expect([await look("2001:db8:1:ffff::1"), await look("2001:db8:2::1")]).toEqual([429, 200]);
});

test("[LIM-15] many guests together ask no more than the link may", async () => {
  const { look } = await startShop();
  const statuses: number[] = [];
  for (let asked = 0; asked < 2 * OF_LINK; asked++) statuses.push(await look(`203.0.113.${asked % 200}`));
  expect(statuses.filter((status) => status === 200)).toHaveLength(OF_LINK);
});

test("[LIM-15] a guest who asks for the dearest is refused at half of the link's purse, other guests are answered", async () => {
  const { key, ask } = await startShop();
  const flood: number[] = [];
  for (let asked = 0; asked < 40; asked++) flood.push(await ask("203.0.113.7"));
  const good = flood.filter((status) => status === 200).length;
  expect(good).toBe(Math.floor((LINK_READS * GUEST_AT_ONCE_SHARE) / DEAR));
  expect([await ask("198.51.100.1"), await ask("198.51.100.2"), await ask("203.0.113.7")]).toEqual([200, 200, 429]);
  expect(await ask("203.0.113.7", key)).toBe(200);
});

test("[LIM-15] many guests together spend no more than the link may, whatever each of them has", async () => {
  const { worker, ask } = await startShop();
  const { readingPurses } = memoryOf(worker.directory);
  let good = 0;
  for (let asked = 0; asked < 60; asked++) if ((await ask(`203.0.113.${asked}`)) === 200) good += 1;
  expect(good).toBe(Math.floor(LINK_READS / DEAR));
  const [, all] = readingPurses.of({ asker: "another", merchant: 1, isShared: true }, Date.now());
  // Those that are refused have looked at least.
  expect(all?.left).toBe((all?.size ?? 0) - good * DEAR - (60 - good) * (PLACE_READS + 1));
});

test("[LIM-15] of what comes by the second a guest gets a quarter", () => {
  const purses = new PurseMemory(OF_READS);
  const of = (guest: string, now: number) => purses.of({ asker: "link", merchant: 1, isShared: true, guest }, now);
  for (const purse of of("a", NOW)) purse.left = 0;
  const left = (guest: string) => Math.min(...of(guest, NOW + 1_000).map((purse) => purse.left));
  const perSecond = ASKER_READS_PER_SECOND / LINK_STEPS_SHARE;
  expect([left("a"), left("b")]).toEqual([perSecond * GUEST_PER_SECOND_SHARE, perSecond]);
});

test("[LIM-15] an isolate keeps a bounded number of guests' purses, which push out no others", () => {
  const purses = new PurseMemory(OF_READS);
  const own = purses.of({ asker: "key", merchant: 1 }, NOW);
  const linked = purses.of({ asker: "link", merchant: 1, isShared: true, guest: "first" }, NOW);
  for (const purse of [...own, ...linked]) purse.left = 7;
  for (let guest = 0; guest <= PURSES_KEPT_MAX; guest++)
    purses.of({ asker: "other link", merchant: 2, isShared: true, guest: `${guest}` }, NOW);
  expect(purses.of({ asker: "key", merchant: 1 }, NOW).map(({ left }) => left)).toEqual([7, 7]);
  const again = purses.of({ asker: "link", merchant: 1, isShared: true, guest: "first" }, NOW);
  expect(again.map(({ left }) => left)).toEqual([7, 7, LINK_READS * GUEST_AT_ONCE_SHARE]);
});
