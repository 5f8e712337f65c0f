// Rollups with breakdowns take 0.2 to 0.4 ms each, and no purse of a merchant's own askers pays for them: a year of 24
// breakdowns is an honest question. A key of scope read that asked 2.3 batches a second, each of 24 breakdowns of 60
// Days, had a neighbour's answers of the same isolate take 1.2 s instead of 0.035. Now a merchant's requests of that
// kind go on two at a time, by turns of its askers, and their parts by turns of merchants.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  LIGHT_ROLLUPS_MAX,
  LINE_OF_ASKER_MAX,
  LINE_OF_MERCHANT_MAX,
  ROLLUP_READINGS_AT_ONCE_MAX,
  ROLLUP_WAIT_MS_MAX,
  SLICE_ROLLUPS,
  TURN_LEASE_MS,
} from "../../core/limits.ts";
import { DAY_MS, dateOf, dayAt } from "../../core/time.ts";
import { writeRollups } from "../../storage/ledger/rollup-write.ts";
import { Lines, OF_ROLLUPS } from "../../workers/query/line.ts";
import { type RollupAsker, RollupTurn, TurnMemory } from "../../workers/query/turn.ts";
import { ADMIN_TOKEN, startQueryWorker } from "../support/query-worker.ts";
import { rowOf } from "../support/rollup-rows.ts";

const TODAY = dayAt("UTC", Date.now());
const NOW = TODAY * DAY_MS + DAY_MS / 2;
const MANY = 365;

const asker = (name: string, merchant = 1): RollupAsker => ({ line: `${merchant}`, asker: name, lane: merchant });

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date", "setTimeout"], now: NOW }));
afterEach(() => void vi.useRealTimers());

/** Requests of an isolate that read many rollups: how many go on at once, and in which order they began. */
function isolate() {
  const turns = new TurnMemory();
  const [begun, refused]: [string[], string[]] = [[], []];
  let [going, most] = [0, 0];
  const ask = async (who: RollupAsker, takesMs = 300, rollups = MANY) => {
    const read = await new RollupTurn({ turns, now: () => Date.now() }, who).reading(rollups, async () => {
      begun.push(who.asker);
      going += 1;
      most = Math.max(most, going);
      await new Promise((settle) => setTimeout(settle, takesMs));
      going -= 1;
      return "read";
    });
    if (read === undefined) refused.push(who.asker);
  };
  return { turns, begun, refused, ask, most: () => most };
}

test("[LIM-14] 24 panels over a year that one person asks for at once go on two at a time, and all are read", async () => {
  const { begun, refused, ask, most } = isolate();
  const all = Promise.all(Array.from({ length: 24 }, () => ask(asker("key"))));
  await vi.advanceTimersByTimeAsync(24 * 400);
  await all;
  expect([begun.length, refused, most()]).toEqual([24, [], ROLLUP_READINGS_AT_ONCE_MAX]);
});

test("[LIM-14] few rollups wait for nobody, and neither does another merchant", async () => {
  const { begun, ask } = isolate();
  const all = [...Array.from({ length: 10 }, () => ask(asker("flood")))];
  all.push(ask(asker("small"), 0, LIGHT_ROLLUPS_MAX), ask(asker("neighbour", 2), 0));
  await vi.advanceTimersByTimeAsync(0);
  expect([...begun].sort()).toEqual(["flood", "flood", "neighbour", "small"]);
  await vi.advanceTimersByTimeAsync(10_000);
  await Promise.all(all);
});

test("[LIM-14] who asks for one thing comes before the many of another asker of the merchant", async () => {
  const { begun, ask } = isolate();
  const all = [...Array.from({ length: 20 }, () => ask(asker("flood"))), ask(asker("owner"))];
  await vi.advanceTimersByTimeAsync(20 * 400);
  await Promise.all(all);
  expect(begun.indexOf("owner")).toBe(ROLLUP_READINGS_AT_ONCE_MAX);
});

test("[LIM-14] a line takes so many of an asker, and so many of a merchant; the others are refused at once", async () => {
  const { refused, ask } = isolate();
  const names = ["a", "b", "c"];
  const all = names.flatMap((name) => Array.from({ length: LINE_OF_ASKER_MAX + 1 }, () => ask(asker(name), 1)));
  await vi.advanceTimersByTimeAsync(0);
  expect(refused.filter((name) => name === "a")).toHaveLength(1);
  expect(refused).toHaveLength(names.length * (LINE_OF_ASKER_MAX + 1) - LINE_OF_MERCHANT_MAX);
  await vi.advanceTimersByTimeAsync(LINE_OF_MERCHANT_MAX * 50);
  await Promise.all(all);
});

test("[LIM-14] who has waited too long is refused, and gives the place in line back", async () => {
  const { refused, begun, ask } = isolate();
  const all = Array.from({ length: 14 }, () => ask(asker("key"), TURN_LEASE_MS - 1));
  await vi.advanceTimersByTimeAsync(ROLLUP_WAIT_MS_MAX + 3 * TURN_LEASE_MS);
  await Promise.all(all);
  expect(begun.length).toBeGreaterThanOrEqual((ROLLUP_READINGS_AT_ONCE_MAX * ROLLUP_WAIT_MS_MAX) / TURN_LEASE_MS);
  expect([refused.length > 0, begun.length + refused.length]).toEqual([true, 14]);
  const later = ask(asker("key"), 0);
  await vi.advanceTimersByTimeAsync(0);
  await later;
  expect(begun.length + refused.length).toBe(15);
});

test("[LIM-14] who leaves keeps a place for a while and no longer", () => {
  const lines = new Lines(OF_ROLLUPS);
  const gone = Array.from({ length: LINE_OF_ASKER_MAX }, () => ({}));
  for (const who of gone) lines.stand(who, asker("gone"), NOW);
  const next = {};
  expect(lines.stand(next, asker("next"), NOW + 1)).toBe("waiting");
  expect(lines.stand(next, asker("next"), NOW + TURN_LEASE_MS)).toBe("going");
});

test("[LIM-14] parts of merchants come by turns, however many requests each of them has", async () => {
  const turns = new TurnMemory();
  const order: string[] = [];
  const work = async (name: string, merchant: number) => {
    const turn = new RollupTurn({ turns, now: () => Date.now() }, asker(name, merchant));
    for (let part = 0; part < 4; part++) {
      await turn.after(SLICE_ROLLUPS);
      order.push(name);
    }
  };
  const all = Promise.all([...["a1", "a2", "a3", "a4"].map((name) => work(name, 1)), work("b", 2)]);
  await vi.advanceTimersByTimeAsync(1_000);
  await all;
  // Of merchant 1 about as many parts come as of merchant 2, as long as both have some.
  const before = order.slice(0, order.lastIndexOf("b"));
  expect(before.filter((name) => name !== "b").length).toBeLessThanOrEqual(8);
  expect(order).toHaveLength(20);
});

test("[LIM-14] a flood of batches is answered two at a time or refused, and nobody else is refused", async () => {
  vi.useRealTimers();
  const limit = async () => ({ success: true });
  const worker = startQueryWorker({
    LIMIT_KEY: { limit },
    LIMIT_GUEST: { limit },
    LIMIT_SIGN_IN: { limit },
    KEY_REQUESTS_MAX: "300",
  });
  const admin = async (path: string, body: object) =>
    (await worker.ask("POST", `/api/v1/merchants${path}`, { token: ADMIN_TOKEN, body })).body;
  const shop = await admin("", { name: "Shop", time_zone: "UTC", currency: "EUR" });
  const owner = await admin(`/${shop.id}/keys`, { name: "owner" });
  const neighbour = await admin("", { name: "Neighbour", time_zone: "UTC", currency: "EUR" });
  const days = 60;
  const stored = Array.from({ length: days }, (_, ago) =>
    rowOf({
      bucket: TODAY - 5 - ago,
      partition: "pool-0",
      seen: { visitors: 1 },
      by: { page: { "/": { pageviews: 1 } } },
    }),
  );
  await writeRollups(worker.ledgers.all[0] as never, stored);
  const date_range = [dateOf(TODAY - 4 - days), dateOf(TODAY - 5)];
  const batch = (limit: number) => ({
    site_id: shop.id,
    date_range,
    questions: Object.fromEntries(
      ["event:page", "visit:source", "visit:country"].map((dimension) => [
        dimension.slice(6),
        { metrics: ["pageviews"], dimensions: [dimension], pagination: { limit } },
      ]),
    ),
  });
  const ask = (path: string, token: string, body: object) => worker.ask("POST", path, { token, body });
  const flood = Array.from({ length: LINE_OF_ASKER_MAX + 12 }, (_, at) =>
    ask("/api/v2/batch", shop.api_key, batch(at + 1)),
  );
  const year = ask("/api/v2/query", owner.api_key, {
    site_id: shop.id,
    metrics: ["pageviews"],
    date_range: [dateOf(TODAY - 370), dateOf(TODAY - 5)],
    dimensions: ["event:page"],
  });
  const small = ask("/api/v2/query", shop.api_key, {
    site_id: shop.id,
    metrics: ["pageviews"],
    date_range: [dateOf(TODAY - 6), dateOf(TODAY - 5)],
    dimensions: ["event:page"],
  });
  const other = ask("/api/v2/query", neighbour.api_key, { site_id: neighbour.id, metrics: ["visitors"], date_range });
  const [own, few, theirs] = await Promise.all([year, small, other]);
  expect([own.status, few.status, theirs.status]).toEqual([200, 200, 200]);
  expect(own.body.results).toEqual([{ dimensions: ["/"], metrics: [days] }]);
  const answers = await Promise.all(flood);
  const refused = answers.filter(({ status }) => status === 429);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(LINE_OF_ASKER_MAX);
  expect(refused).toHaveLength(12);
  for (const { body, headers } of refused)
    expect([body.code, body.error, headers.get("retry-after")]).toEqual([
      "rate_limited",
      expect.stringContaining("over many Days"),
      "10",
    ]);
});
