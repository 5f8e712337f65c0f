// What lies packed, for tests that look at rollups or spoil them behind everybody's back: they see rows, wherever those
// lie.

import type { DatabaseSync } from "node:sqlite";
import { ALL_DIMENSIONS } from "../../core/counting/rollup.ts";
import type { RollupRow } from "../../core/counting/rollup-row.ts";
import { BLOCK_DAYS } from "../../core/limits.ts";
import { type BlockRow, blockColumns, rowsOf } from "../../storage/ledger/blocks.ts";
import { unpackDay } from "../../storage/ledger/pack.ts";
import { ROLLUP_KEY, ROLLUP_REPLACED, rollupValues } from "../../storage/ledger/rollup-write.ts";
import { sqliteD1 } from "./sqlite.ts";

type StoredRow = Readonly<Record<string, unknown>>;

/** All rows of a table and those that lie packed, with the columns of the table, in the order of its key. */
export function allRows(database: DatabaseSync, table: "hourly" | "daily"): readonly StoredRow[] {
  const blocks = database.prepare(`SELECT ${blockColumns(ALL_DIMENSIONS)} FROM blocks`).all() as unknown as BlockRow[];
  const grain = table === "hourly" ? "hour" : "day";
  const packed = blocks.flatMap((block) => rowsOf(block, grain, ALL_DIMENSIONS)).map(toStored);
  return [...(database.prepare(`SELECT * FROM ${table}`).all() as StoredRow[]), ...packed].sort(byKey);
}

/** Takes all Days out of their blocks. */
export async function unpackAll(database: DatabaseSync): Promise<void> {
  for (const row of database.prepare(`SELECT merchant, first_day, "partition" FROM blocks`).all()) {
    const [first, partition, merchants] = [
      Number(row["first_day"]),
      String(row["partition"]),
      [Number(row["merchant"])],
    ];
    for (let at = 0; at < BLOCK_DAYS; at++)
      await unpackDay(sqliteD1(database), { day: first + at, partition, merchants });
  }
}

function toStored(row: RollupRow): StoredRow {
  const values = rollupValues(row).map((value) => (value instanceof ArrayBuffer ? new Uint8Array(value) : value));
  return Object.fromEntries([...ROLLUP_KEY, ...ROLLUP_REPLACED].map((name, at) => [name, values[at]]));
}

function byKey(a: StoredRow, b: StoredRow): number {
  const keyOf = (row: StoredRow) => [Number(row["merchant"]), Number(row["bucket"])] as const;
  const [own, other] = [keyOf(a), keyOf(b)];
  return own[0] - other[0] || own[1] - other[1] || (String(a["partition"]) < String(b["partition"]) ? -1 : 1);
}
