// A question's steps do not tell what reading its events takes, which is most of it: 50 µs an event. Six questions at
// once through a link of a part, over 60,000 events of one Day, made its neighbours wait for 20 to 40 s instead of
// 0.02. So what is read is paid for too.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { encodeLogged } from "../../core/archive/bundle.ts";
import { partitionsOf } from "../../core/counting/placement.ts";
import {
  ASKER_READS_MAX,
  ASKER_READS_PER_SECOND,
  LINK_STEPS_SHARE,
  NOW_LOOKED_OF_READ,
  ROLLUP_READS,
  SCAN_EVENTS_MAX,
} from "../../core/limits.ts";
import { DAY_MS, dateOf, dayAt } from "../../core/time.ts";
import { writeRollups } from "../../storage/ledger/rollup-write.ts";
import { OF_READS, PurseMemory } from "../../workers/query/purse-memory.ts";
import { Reading } from "../../workers/query/reading.ts";
import { eventOf } from "../support/events.ts";
import { ADMIN_TOKEN, startQueryWorker } from "../support/query-worker.ts";
import { rowOf } from "../support/rollup-rows.ts";

const NOW = Date.UTC(2027, 0, 10);
const TODAY = dayAt("UTC", Date.now());
/** Of a Day that takes 5 s to read. */
const EVENTS = SCAN_EVENTS_MAX;
const ASKED = { metrics: ["visitors"], date_range: "day" };
/** As many as one asker may send in 10 s. */
const ALL = 300;

// The clock stands: purses fill by the second, and a busy machine takes seconds.
beforeEach(() => void vi.useFakeTimers({ now: Date.now(), toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

/** A shop with two links, one of a part, and one event to read, of a Day that is said to have many. */
async function startShop() {
  const limit = async () => ({ success: true });
  const worker = startQueryWorker({ LIMIT_KEY: { limit }, LIMIT_SIGN_IN: { limit }, KEY_REQUESTS_MAX: "300" });
  const admin = async (path: string, body: object) =>
    (await worker.ask("POST", `/api/v1/merchants${path}`, { token: ADMIN_TOKEN, body })).body;
  const { id, api_key: key } = await admin("", { name: "Shop", time_zone: "UTC", currency: "EUR" });
  const filters = [["contains", "event:page", ["/blog/"]]];
  const part = (await admin(`/${id}/shares`, { name: "part", filters })).token as string;
  const whole = (await admin(`/${id}/shares`, { name: "whole" })).token as string;
  const partition = partitionsOf({ merchant: 1 }, { poolSize: 4, regions: [] })[0] as string;
  worker.live.push(rowOf({ bucket: TODAY, partition, seen: { events: EVENTS, visitors: 1, known: 1 } }));
  const event = eventOf({ id: "1", url: "https://shop.example/blog/a", timestamp: TODAY * DAY_MS });
  worker.recent.set(partition, [{ position: 0, row: encodeLogged({ day: TODAY, late: false, event }) }]);
  const now = (token: string) => worker.ask("GET", `/api/v2/now?site_id=${id}`, { token });
  const ask = (token: string, body: object, path = "/api/v2/query") =>
    worker.ask("POST", path, { token, body: { site_id: id, ...body } });
  /** How many of so many questions, one after the other, are answered before the first 429. */
  const answered = async (token: string, body: object, path?: string) => {
    for (let asked = 0; asked < ALL; asked++) {
      const { status } = await ask(token, body, path);
      if (status === 429) return asked;
      expect(status).toBe(200);
    }
    return ALL;
  };
  return { worker, id, key, part, whole, partition, now, ask, answered };
}

test("[LIM-8] who asks through a link of a part, one question after the other, is refused once its events cost too much", async () => {
  const { worker, id, key, part, whole, ask, answered } = await startShop();
  expect(await answered(part, ASKED)).toBe(ASKER_READS_MAX / LINK_STEPS_SHARE / EVENTS);
  const { status, body, headers } = await ask(part, { ...ASKED, dimensions: ["visit:source"] });
  expect([status, body.code, headers.get("retry-after")]).toEqual([429, "rate_limited", "10"]);
  expect(body.error).toContain("has read too many events");
  // Every kind of question, and what Umami's client reads, draws on it.
  for (const path of ["paths", "retention", "realtime"])
    expect((await ask(part, {}, `/api/v2/${path}`)).status).toBe(429);
  const read = `/api/websites/${id}/stats?startAt=${TODAY * DAY_MS}&endAt=${(TODAY + 1) * DAY_MS - 1}`;
  const umami = await worker.ask("GET", read, { token: part });
  expect([umami.status, umami.body.error.code, umami.headers.get("retry-after")]).toEqual([
    429,
    "too-many-requests",
    "10",
  ]);
  // Neither the shop's other link nor the shop itself is turned away.
  expect((await ask(whole, ASKED)).status).toBe(200);
  expect((await ask(key, { ...ASKED, dimensions: ["event:page", "visit:source"] })).status).toBe(200);
});

test("[LIM-8] who asks all at once is refused as well: what is read is paid for before it is read", async () => {
  const { part, ask } = await startShop();
  const answers = await Promise.all(Array.from({ length: 12 }, () => ask(part, ASKED)));
  const good = answers.filter(({ status }) => status === 200).length;
  expect(good).toBe(ASKER_READS_MAX / LINK_STEPS_SHARE / EVENTS);
  expect(answers.filter(({ status }) => status === 429).length).toBe(12 - good);
});

test("[LIM-8] a key may read eight times as much as a link", async () => {
  const { key, answered } = await startShop();
  const dear = { ...ASKED, dimensions: ["event:page", "visit:source"] };
  expect(await answered(key, dear)).toBe(ASKER_READS_MAX / EVENTS);
});

test("[LIM-8] who is there now is paid for, too: by the events that a link of a part reads, and by what a partition goes through", async () => {
  const { worker, key, part, whole, partition, now, answered } = await startShop();
  await answered(part, ASKED);
  const { status, body, headers } = await now(part);
  expect([status, body.code, headers.get("retry-after")]).toEqual([429, "rate_limited", "10"]);
  // Order numbers of strangers fill a Day, and each look goes through all of them.
  const looked = 400_000;
  worker.present.set(partition, { visitors: [], orders: [], looked });
  const answers = [];
  for (let times = 0; times < ALL; times++) answers.push((await now(whole)).status);
  const free = answers.indexOf(429);
  expect(free).toBeGreaterThan(0);
  expect(free).toBeLessThanOrEqual(Math.ceil(ASKER_READS_MAX / LINK_STEPS_SHARE / (looked / NOW_LOOKED_OF_READ)) + 1);
  expect((await now(key)).status).toBe(200);
});

test("[LIM-8] [PRF-3] so is what a proof counts once more", async () => {
  const { worker, id, key, answered } = await startShop();
  const proof = () =>
    worker.ask("GET", `/api/v1/merchants/${id}/proof?from=${dateOf(TODAY)}&to=${dateOf(TODAY)}`, { token: key });
  expect((await proof()).status).toBe(200);
  await answered(key, { ...ASKED, dimensions: ["event:page", "visit:source"] });
  const { status, body, headers } = await proof();
  expect([status, body.error.code, headers.get("retry-after")]).toEqual([429, "rate_limited", "10"]);
});

test("[LIM-8] breakdowns of rollups cost a link as much as the events that take as long, and a key nothing", async () => {
  const { key, whole, worker, ask, answered } = await startShop();
  const days = 400;
  const page = { "/a": { events: 1, visitors: 1, known: 1 } };
  const rows = Array.from({ length: days }, (_, at) => rowOf({ bucket: TODAY - days + at, by: { page } }));
  await writeRollups(worker.ledgers.ofMerchant(1), rows);
  const year = { ...ASKED, date_range: [dateOf(TODAY - days), dateOf(TODAY - 1)], dimensions: ["event:page"] };
  expect(await answered(whole, year)).toBe(Math.floor(ASKER_READS_MAX / LINK_STEPS_SHARE / (days * ROLLUP_READS)));
  expect((await ask(key, year)).status).toBe(200);
});

test("[LIM-8] two questions of more than half a purse do not both begin, though neither empties it", async () => {
  const { worker, part, whole, partition, ask } = await startShop();
  worker.live.splice(0);
  worker.live.push(rowOf({ bucket: TODAY, partition, seen: { events: 0.6 * EVENTS, visitors: 1, known: 1 } }));
  const answers = await Promise.all(Array.from({ length: 6 }, () => ask(part, ASKED)));
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 429, 429, 429, 429, 429]);
  // What is left is enough for less, and another link has its own.
  expect((await ask(part, { ...ASKED, date_range: [dateOf(TODAY - 2), dateOf(TODAY - 1)] })).status).toBe(200);
  expect((await ask(whole, { ...ASKED, dimensions: ["event:page", "visit:source"] })).status).toBe(200);
});

test("[LIM-8] a purse of reading owes what is more than it can hold, and fills by the second", () => {
  const purses = new PurseMemory(OF_READS);
  const of = (asker: string, at: number, isShared = false) =>
    new Reading(purses.of({ asker, merchant: 1, isShared }, at), isShared);
  expect(of("a", NOW).ofEvents(ASKER_READS_MAX + ASKER_READS_PER_SECOND)).toBe(true);
  expect([of("a", NOW).isRefused(), of("a", NOW).ofEvents(1), of("b", NOW).isRefused()]).toEqual([true, false, false]);
  expect([of("a", NOW + 1_000).isRefused(), of("a", NOW + 1_001).isRefused()]).toEqual([true, false]);
  expect(of("e", NOW).ofEvents(1)).toBe(true);
  expect(of("e", NOW).ofEvents(ASKER_READS_MAX)).toBe(false); // not full any more
  expect(of("c", NOW, true).ofRollups(ASKER_READS_MAX)).toBe(true);
  expect([of("c", NOW, true).isRefused(), of("d", NOW).isRefused()]).toEqual([true, false]);
});
