// A spread is taken back by the cron: 200,000 events of made-up visitors a Day had a merchant on up to 64 partitions,
// for good.

import { expect, test } from "vitest";
import {
  SPREAD_DAY_EVENTS,
  SPREAD_NARROW_DAYS,
  SPREAD_NARROW_KEPT_MAX,
  SPREAD_NARROW_SLOT_MS,
} from "../../core/limits.ts";
import { narrowerSpread, type SpreadPeriod } from "../../core/merchant.ts";
import { DAY_MS } from "../../core/time.ts";
import { readSettings, writeSpread } from "../../storage/directory/settings.ts";
import { writeRollups } from "../../storage/ledger/rollup-write.ts";
import { narrowSpreads } from "../../workers/background/spread-narrow.ts";
import { memoryLog } from "../support/delivery.ts";
import { ADMIN_TOKEN, type QueryWorker, startQueryWorker } from "../support/query-worker.ts";
import { rowOf } from "../support/rollup-rows.ts";

const TODAY = 20_900;
const LAST_CHANGE = TODAY - SPREAD_NARROW_DAYS - 1;
/** Of merchant 1, in its turn of the day. */
const TURN = TODAY * DAY_MS + SPREAD_NARROW_SLOT_MS;

test.each([
  [64, 0, 0],
  [64, SPREAD_DAY_EVENTS / 2, 0],
  [64, SPREAD_DAY_EVENTS / 2 + 1, 4],
  [8, 2 * SPREAD_DAY_EVENTS, 4],
  [8, 2 * SPREAD_DAY_EVENTS + 1, undefined],
  [4, SPREAD_DAY_EVENTS, undefined],
  [64, Number.POSITIVE_INFINITY, undefined],
  [0, 0, undefined],
])("[SPR-7] on %d partitions with %d events on the busiest Day: %s are enough", (partitions, events, enough) => {
  expect(narrowerSpread([{ from: 0, partitions }], events)).toBe(enough);
  expect(narrowerSpread([{ from: 0, partitions, byHand: true }], events)).toBeUndefined();
});

test("[SPR-7] while many changes are remembered, there is to be room for growth", () => {
  const many = Array.from({ length: SPREAD_NARROW_KEPT_MAX + 1 }, (_, from): SpreadPeriod => ({ from, partitions: 4 }));
  expect([narrowerSpread(many, 0), narrowerSpread(many.slice(1), 0)]).toEqual([undefined, 0]);
});

async function spreadShop(events: readonly number[], period: Partial<SpreadPeriod> = {}) {
  const worker: QueryWorker = startQueryWorker();
  const shop = { name: "Shop", time_zone: "UTC", currency: "EUR" };
  const { id } = (await worker.ask("POST", "/api/v1/merchants", { token: ADMIN_TOKEN, body: shop })).body;
  const settings = async () => await readSettings(worker.directory as never, 1);
  const before = await settings();
  if (before === undefined) throw new Error("there is no merchant");
  const spread = [{ from: LAST_CHANGE * DAY_MS, partitions: 64, ...period }];
  expect(await writeSpread(worker.directory as never, { ...before, spread })).toBe(true);
  // A Day's events lie in two of its partitions.
  const rows = events.flatMap((count, at) =>
    ["merchant-1-0", "merchant-1-1"].map((partition) =>
      rowOf({ bucket: TODAY - 1 - at, partition, seen: { events: count / 2, visitors: 1, known: 1 } }),
    ),
  );
  if (rows.length > 0) await writeRollups(worker.ledgers.ofMerchant(1), rows);
  const { lines, log } = memoryLog();
  const run = (now: number) =>
    narrowSpreads({ directory: worker.directory as never, ledgers: worker.ledgers, now: () => now, log });
  return { worker, id, settings, spread, lines, run };
}

test("[SPR-7] a merchant whose traffic is gone is put back from its next Day on, in its turn of the day and once", async () => {
  const { settings, spread, lines, run } = await spreadShop([300, 90_000]);
  await run(TURN - SPREAD_NARROW_SLOT_MS);
  expect((await settings())?.spread).toEqual(spread);
  await run(TURN);
  const from = (TODAY + 1) * DAY_MS;
  expect((await settings())?.spread).toEqual([...spread, { from, partitions: 0 }]);
  await run(TURN);
  await run(TURN + DAY_MS);
  expect((await settings())?.spread).toHaveLength(2);
  expect(lines).toEqual([
    { event: "merchant_narrowed", merchant: 1, partitions: 0, from: new Date(from).toISOString() },
  ]);
});

test("[SPR-7] what one Day needed is kept for a week, and so is what was only just asked for", async () => {
  const busy = await spreadShop([0, 0, 0, 0, 0, 0, 3 * SPREAD_DAY_EVENTS]);
  await busy.run(TURN);
  expect((await busy.settings())?.spread?.at(-1)?.partitions).toBe(8);
  const young = await spreadShop([], { from: (LAST_CHANGE + 2) * DAY_MS });
  await young.run(TURN);
  expect((await young.settings())?.spread).toEqual(young.spread);
});

test("[SPR-7] [SPR-6] what was set by hand stays", async () => {
  const { worker, id, settings, run } = await spreadShop([]);
  const body = { partitions: 16 };
  const set = await worker.ask("POST", `/api/v1/merchants/${id}/spread`, { token: ADMIN_TOKEN, body });
  expect([set.status, set.body.timeline.at(-1)]).toEqual([200, { from: expect.any(String), partitions: 16 }]);
  const from = (await settings())?.spread?.at(-1)?.from ?? 0;
  await run(Math.ceil(from / DAY_MS + 30) * DAY_MS + SPREAD_NARROW_SLOT_MS);
  expect((await settings())?.spread?.at(-1)).toEqual({ from, partitions: 16, byHand: true });
});
