// Rollups written to and read from D1: versions, pages, and only the columns that were asked for.

import { expect, test } from "vitest";
import { breakdownOf } from "../../../core/counting/rollup-row.ts";
import { type RangeRead, readRollups } from "../../../storage/ledger/range.ts";
import { writeRollups } from "../../../storage/ledger/rollup-write.ts";
import { readFirstDay } from "../../../storage/ledger/rollups.ts";
import { migratedDatabase } from "../../support/query-worker.ts";
import { moneyOf, rowOf } from "../../support/rollup-rows.ts";

const READ: RangeRead = {
  merchant: 1,
  grain: "day",
  from: 0,
  to: 100,
  sketch: true,
  breakdowns: ["page"],
};

test("[MER-7] what is written is read back, in the order of bucket and partition", async () => {
  const db = migratedDatabase();
  const rows = [1, 2, 3].flatMap((bucket) =>
    ["merchant-1-0", "pool-0"].map((partition) =>
      rowOf({
        bucket,
        partition,
        seen: { who: [1, 2], money: moneyOf("EUR", -5) },
        by: { page: { "/é": { who: [1] } } },
      }),
    ),
  );
  await writeRollups(db, rows.toReversed());
  expect(await readRollups(db, READ)).toEqual(rows);
  expect(await readRollups(db, READ, 3)).toEqual(rows.slice(0, 3));
  expect(await readRollups(db, { ...READ, from: 2, to: 3 })).toEqual(rows.slice(2, 4));
  expect(await readFirstDay(db, 1)).toBe(1);
  expect(await readFirstDay(db, 2)).toBeUndefined();
});

test("[QRY-9] columns that were not asked for are not read", async () => {
  const db = migratedDatabase();
  await writeRollups(db, [rowOf({ bucket: 1, seen: { who: [1] }, by: { page: { "/": { who: [1] } } } })]);
  const [row] = await readRollups(db, { ...READ, sketch: false, breakdowns: [] });
  expect(row).toMatchObject({ sketch: new Uint8Array(), breakdowns: {}, counts: { visitors: 1 } });
  const [broken] = await readRollups(db, { ...READ, breakdowns: ["city"] });
  expect(broken && breakdownOf(broken, "city")).toEqual({ entries: [], cut: false });
});

const WRITES: readonly (readonly [what: string, versions: readonly number[], kept: number])[] = [
  ["a newer write replaces", [4, 5], 5],
  ["the same write again changes nothing", [5, 5], 5],
  ["an old write that arrives late is ignored", [5, 4], 5],
];

test.each(WRITES)("[MER-7] %s", async (_, versions, kept) => {
  const db = migratedDatabase();
  for (const version of versions) {
    const seen = { pageviews: version * 10 };
    await writeRollups(db, [rowOf({ bucket: 1, version, seen, by: { page: { [`/${version}`]: {} } } })]);
  }
  const [row, ...others] = await readRollups(db, READ);
  expect(others).toEqual([]);
  expect(row).toMatchObject({ version: kept, counts: { pageviews: kept * 10 } });
  expect(row && breakdownOf(row, "page").entries.map(({ value }) => value)).toEqual([`/${kept}`]);
});

test("[MER-7] Hours and Days, merchants and partitions do not touch each other", async () => {
  const db = migratedDatabase();
  const rows = [
    rowOf({ bucket: 1, grain: "hour", seen: { events: 1 } }),
    rowOf({ bucket: 1, grain: "day", seen: { events: 2 } }),
    { ...rowOf({ bucket: 1, seen: { events: 3 } }), merchant: 2 },
  ];
  await writeRollups(db, rows);
  const read = { ...READ, breakdowns: [] };
  expect(await readRollups(db, { ...read, grain: "hour" })).toEqual([rows[0]]);
  expect(await readRollups(db, read)).toEqual([rows[1]]);
  expect(await readRollups(db, { ...read, merchant: 2 })).toEqual([rows[2]]);
});
