// The index of where events lie, and what is noted beside it: what repeats, what comes late, and what a recount may
// forget.

import { expect, test } from "vitest";
import { zeroMeter } from "../../../core/meter.ts";
import { ledgersOf } from "../../../storage/ledger/ledgers.ts";
import {
  forgetOverflow,
  noteOverflow,
  readOverflowSince,
  settleOverflow,
} from "../../../storage/ledger/overflow-note.ts";
import {
  listBehind,
  listPlaces,
  listUncounted,
  noteArchived,
  notePlaces,
  readFirstPlace,
} from "../../../storage/ledger/places.ts";
import { commitLate, findSeal, type SealRow } from "../../../storage/ledger/sealed-day.ts";
import { meteredD1 } from "../../../storage/metered.ts";
import { migratedDatabase } from "../../support/query-worker.ts";

const PLACE = { day: 20_000, partition: "pool-0" };
const ALL = { merchant: 1, from: 0, to: 1e6, rowsMax: 100 };

const bundle = (uncounted: readonly (readonly [number, number])[] = []) => ({
  partition: "pool-0",
  places: [...uncounted, [1, 20_001] as const],
  uncounted,
  lateDays: [...new Set(uncounted.map(([, day]) => day))],
});

test("[GAP-1] [GAP-5] a bundle noted twice writes its places once, and wakes one recount", async () => {
  const db = migratedDatabase();
  const late = bundle([
    [1, 20_000],
    [2, 20_000],
  ]);
  const meter = zeroMeter();
  expect(await noteArchived(meteredD1(db, meter), { bundle: late, now: 5 })).toEqual([PLACE]);
  expect(meter.d1_rows_written).toBe(3 + 1 + 2); // places, the Day, and whose late events it has
  expect(await noteArchived(db, { bundle: late, now: 6 })).toEqual([]);
  expect(await listPlaces(db, ALL)).toEqual([
    { ...PLACE, events: 0 },
    { ...PLACE, day: 20_001, events: 0 },
  ]);
  expect(await listUncounted(db, ALL)).toEqual([PLACE]);
  expect(await readFirstPlace(db, 2)).toBe(20_000);
  expect(await readFirstPlace(db, 3)).toBeUndefined();
  const again = zeroMeter();
  await noteArchived(meteredD1(db, again), { bundle: bundle(), now: 7 });
  expect(again.d1_rows_written).toBe(0);
});

test("[GAP-5] where nothing is late, looking for it reads no row", async () => {
  const db = migratedDatabase();
  await noteArchived(db, { bundle: bundle(), now: 5 });
  const meter = zeroMeter();
  expect(await listUncounted(meteredD1(db, meter), ALL)).toEqual([]);
  expect(meter.d1_rows_read).toBe(0);
});

test("[ZON-9] Days that a zone of the past has yet to reach are behind, until the last part of it has ended", async () => {
  const db = migratedDatabase();
  await noteArchived(db, { bundle: bundle([[1, 20_000]]), now: 5 });
  const meter = zeroMeter();
  const folders = [PLACE];
  expect(await listBehind(meteredD1(db, meter), ALL)).toEqual({ folders, days: [] });
  expect(meter.d1_rows_read).toBe(1);
  const fence = (job: string, state: string, zoned: number) =>
    db.prepare("INSERT OR REPLACE INTO job_fences VALUES (?, 'rebuild', 1, ?, 1, ?)").bind(job, state, zoned).run();
  const part = (job: string, day: number, state: string) =>
    db
      .prepare("INSERT OR REPLACE INTO replay_parts VALUES (?, ?, 'pool-0', ?, 0, 0, 0, 0, 0, 0, 0, 0, '[]', '[]', '')")
      .bind(job, day, state)
      .run();
  const days = async () => (await listBehind(db, ALL)).days.map(({ day }) => day);
  for (const job of ["of a zone", "of rules"]) {
    await part(job, 20_000, "done");
    await part(job, 20_001, "waiting");
    await part(job, 20_002, "failed");
  }
  await fence("of rules", "running", 0); // its Days are each right by old rules or by new ones
  await fence("of a zone", "starting", 1); // the zone does not hold yet
  expect(await days()).toEqual([]);
  for (const state of ["running", "paused", "done"]) {
    await fence("of a zone", state, 1);
    expect(await days()).toEqual([20_001, 20_002]);
  }
  await fence("of a zone", "undoing", 1);
  await part("of a zone", 20_002, "undone");
  expect(await days()).toEqual([20_000, 20_001]);
  await fence("of a zone", "undone", 1);
  expect(await days()).toEqual([]);
});

test("[GAP-4] a recount forgets the late events it knew of, and not those that came while it counted", async () => {
  const db = migratedDatabase();
  await noteArchived(db, { bundle: bundle([[1, 20_000]]), now: 5 });
  const row = (await findSeal(db, PLACE)) as SealRow;
  await noteArchived(db, { bundle: bundle([[2, 20_000]]), now: 6 });
  await commitLate(db, { row: { ...row, generation: row.generation + 1 }, now: 7 }); // of another seal
  expect(await listUncounted(db, ALL)).toEqual([PLACE]);
  await commitLate(db, { row, now: 7 });
  expect(await listUncounted(db, ALL)).toEqual([]);
  expect(await listUncounted(db, { ...ALL, merchant: 2 })).toEqual([PLACE]);
  const again = (await findSeal(db, PLACE)) as SealRow;
  expect(again.lateSince).not.toBeNull();
  await noteArchived(db, { bundle: bundle([[2, 20_000]]), now: 8 });
  await commitLate(db, { row: again, now: 9 });
  expect(await listUncounted(db, { ...ALL, merchant: 2 })).toEqual([PLACE]);
});

test("[GAP-1] a recount puts back places that the index lacks", async () => {
  const db = migratedDatabase();
  const merchants = Array.from({ length: 2_500 }, (_, index) => index + 1);
  await notePlaces(db, { ...PLACE, merchants });
  for (const merchant of [1, 1_000, 1_001, 2_500]) expect(await readFirstPlace(db, merchant)).toBe(20_000);
});

test("[OVF-8] a message waits from its note to its delivery, in whatever order D1 hears of the two", async () => {
  const db = migratedDatabase();
  const since = (merchant: number) => readOverflowSince(db, merchant);
  const [first, second] = [
    { id: "a", merchants: [1, 2], since: 100 },
    { id: "b", merchants: [1], since: 50 },
  ];
  await noteOverflow(ledgersOf([db]), first);
  await noteOverflow(ledgersOf([db]), second);
  expect([await since(1), await since(2), await since(3)]).toEqual([50, 100, undefined]);
  await settleOverflow(ledgersOf([db]), { ...second, now: 200 });
  await settleOverflow(ledgersOf([db]), { ...first, now: 200 });
  await settleOverflow(ledgersOf([db]), { ...first, now: 300 }); // delivered once more
  expect([await since(1), await since(2)]).toEqual([undefined, undefined]);
  const third = { id: "c", merchants: [1], since: 400 };
  await settleOverflow(ledgersOf([db]), { ...third, now: 500 });
  await noteOverflow(ledgersOf([db]), third); // D1 was slow
  expect(await since(1)).toBeUndefined();
  await noteOverflow(ledgersOf([db]), { id: "d", merchants: [1], since: 4_000_000 });
  await forgetOverflow(db, 4_000_000);
  expect(await since(1)).toBe(4_000_000);
  expect((await db.prepare("SELECT count(*) AS n FROM overflow_notes").all()).results).toEqual([{ n: 1 }]);
  await forgetOverflow(db, 4_000_000 + 15 * 86_400_000);
  expect(await since(1)).toBeUndefined();
});
