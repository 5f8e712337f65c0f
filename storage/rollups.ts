// Rollups in D1: partitions write closed Hours and Days here as absolute values, questions read them. A write carries the
// log position it was made at as its version and never replaces a later one, so it may be repeated, and may arrive late.
// Both tables have one shape; their columns come from core's lists through the schema.

import { and, asc, eq, gt, gte, lt, min, or, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { DIMENSIONS, type DimensionName } from "../core/counting/dimension.ts";
import { COUNTERS, type Counts, zeroCounts } from "../core/counting/rollup.ts";
import type { Grain, RollupRow } from "../core/counting/rollup-row.ts";
import { D1_PARAMETERS_MAX } from "../core/limits.ts";
import type { Metered } from "../core/meter.ts";
import { assert } from "../core/outcome.ts";
import { type BreakdownColumn, daily, hourly } from "./schema.ts";

export interface RollupRead {
  readonly merchant: number;
  readonly grain: Grain;
  /** Buckets in [from, to). */
  readonly from: number;
  readonly to: number;
  /** The last row of the page before; rows come in the order of bucket and partition. */
  readonly after?: { readonly bucket: number; readonly partition: string } | undefined;
  readonly rowsMax: number;
  /** Columns beside the totals. They are most of a row's bytes, so only what a question needs is read. */
  readonly sketch: boolean;
  readonly breakdowns: readonly DimensionName[];
}

/** One page of a merchant's rollups. Fewer rows than `rowsMax` means there are no more. */
export async function readRollups(db: D1Database, read: RollupRead, meter: Metered): Promise<readonly RollupRow[]> {
  const table = tableOf(read.grain);
  const query = drizzle(db)
    .select(columnsOf(read))
    .from(table)
    .where(
      and(
        eq(table.merchant, read.merchant),
        gte(table.bucket, read.from),
        lt(table.bucket, read.to),
        read.after && isAfter(table, read.after),
      ),
    )
    .orderBy(asc(table.bucket), asc(table.partition))
    .limit(read.rowsMax);
  // Drizzle gives rows without D1's own account of them; so it makes the statement and D1 is asked directly.
  const { sql: text, params } = query.toSQL();
  const { results, meta } = await db
    .prepare(text)
    .bind(...params)
    .all<StoredRow>();
  meter.d1_rows_read += meta.rows_read;
  return results.map((row) => toRow(row, read));
}

/** The first Day of which a merchant has a stored rollup. One row is read: the primary key is in this order. */
export async function readFirstDay(db: D1Database, merchant: number, meter: Metered): Promise<number | undefined> {
  const query = drizzle(db)
    .select({ day: min(daily.bucket) })
    .from(daily)
    .where(eq(daily.merchant, merchant));
  const [first] = await query;
  meter.d1_rows_read += 1;
  return first?.day ?? undefined;
}

/**
 * Writes rollups in one transaction. Running it again, whole or in part, is harmless: values are absolute, and where the
 * stored version is higher the row is left alone.
 */
export async function writeRollups(db: D1Database, rows: readonly RollupRow[], meter: Metered): Promise<void> {
  if (rows.length === 0) return;
  const orm = drizzle(db);
  const statements = rows.map((row) => {
    const table = tableOf(row.grain);
    const insert = orm.insert(table).values(toStored(row));
    const target = [table.merchant, table.bucket, table.partition];
    const { sql: text, params } = insert
      .onConflictDoUpdate({ target, set: REPLACED, setWhere: sql`excluded.version >= ${table.version}` })
      .toSQL();
    assert(params.length <= D1_PARAMETERS_MAX, "a rollup fits one statement");
    return db.prepare(text).bind(...params);
  });
  for (const { meta } of await db.batch(statements)) {
    meter.d1_rows_read += meta.rows_read;
    meter.d1_rows_written += meta.rows_written;
  }
}

type RollupTable = typeof hourly | typeof daily;
type Stored = typeof hourly.$inferInsert;
/** What D1 gives: columns by name, as SQLite has them. */
type StoredRow = Readonly<Record<string, unknown>>;

/** Every column that a newer rollup replaces, each by its new value. */
const REPLACED = Object.fromEntries(
  ["day", "version", ...COUNTERS, "drops", "sketch", ...DIMENSIONS.map(({ name }) => breakdownColumn(name))].map(
    (column) => [column, sql.raw(`excluded."${column}"`)],
  ),
) as Record<keyof Stored, SQL>;

function tableOf(grain: Grain): RollupTable {
  return grain === "hour" ? hourly : daily;
}

function isAfter(table: RollupTable, { bucket, partition }: { bucket: number; partition: string }) {
  return or(gt(table.bucket, bucket), and(eq(table.bucket, bucket), gt(table.partition, partition)));
}

function columnsOf({ grain, sketch, breakdowns }: RollupRead) {
  const table = tableOf(grain);
  const names = [
    ...(["bucket", "partition", "day", "version", "drops"] as const),
    ...COUNTERS,
    ...(sketch ? (["sketch"] as const) : []),
    ...breakdowns.map(breakdownColumn),
  ];
  return Object.fromEntries(names.map((name) => [name, table[name]]));
}

function breakdownColumn(name: DimensionName): BreakdownColumn {
  return `by_${name}`;
}

function toRow(stored: StoredRow, { merchant, grain, breakdowns }: RollupRead): RollupRow {
  const counts: Counts = zeroCounts();
  for (const counter of COUNTERS) counts[counter] = stored[counter] as number;
  const wanted = breakdowns.flatMap((name) => {
    const bytes = stored[breakdownColumn(name)];
    return bytes === null ? [] : [[name, toBytes(bytes)] as const];
  });
  return {
    merchant,
    grain,
    bucket: stored["bucket"] as number,
    day: stored["day"] as number,
    partition: stored["partition"] as string,
    version: stored["version"] as number,
    counts,
    drops: JSON.parse(stored["drops"] as string) as RollupRow["drops"],
    sketch: toBytes(stored["sketch"] ?? []),
    breakdowns: Object.fromEntries(wanted),
  };
}

function toStored(row: RollupRow): Stored {
  const breakdowns = Object.entries(row.breakdowns).map(([name, bytes]) => [
    breakdownColumn(name as DimensionName),
    bytes,
  ]);
  return {
    merchant: row.merchant,
    bucket: row.bucket,
    partition: row.partition,
    day: row.day,
    version: row.version,
    ...row.counts,
    drops: row.drops,
    sketch: row.sketch,
    ...Object.fromEntries(breakdowns),
  };
}

/** D1 gives a blob as an array of numbers. */
function toBytes(value: unknown): Uint8Array {
  return new Uint8Array(value as ArrayBuffer | readonly number[]);
}
