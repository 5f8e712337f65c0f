// Rollups as questions read them from D1: page by page, and only the columns a question needs. Both tables have one shape;
// their columns come from core's lists through the schema. `rollup-write.ts` is the other side.

import { Buffer } from "node:buffer";
import { and, asc, eq, gte, inArray, lt, min, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { DimensionName } from "../../core/counting/dimension.ts";
import { ALL_DIMENSIONS, COUNTERS, type Counts, zeroCounts } from "../../core/counting/rollup.ts";
import type { Grain, RollupRow } from "../../core/counting/rollup-row.ts";
import { fromMoneyText } from "../../core/counting/takings.ts";
import { COUNTED_PAGE } from "../../core/limits.ts";
import { DAY_MS } from "../../core/time.ts";
import { select } from "../statement.ts";
import type { Ledger } from "./ledgers.ts";
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
  readonly presence?: boolean;
  readonly breakdowns: readonly DimensionName[];
}

/** One page of a merchant's rollups. Fewer rows than `rowsMax` means there are no more. */
export async function readRollups(db: Ledger, read: RollupRead): Promise<readonly RollupRow[]> {
  const table = tableOf(read.grain);
  const query = drizzle(db)
    .select(columnsOf(read))
    .from(table)
    .where(
      and(
        eq(table.merchant, read.merchant),
        // The primary key finds where a page begins by this; what follows leaves out rows of that one bucket.
        gte(table.bucket, read.after?.bucket ?? read.from),
        lt(table.bucket, read.to),
        read.after && isAfter(table, read.after),
      ),
    )
    .orderBy(asc(table.bucket), asc(table.partition))
    .limit(read.rowsMax);
  // Drizzle gives rows without D1's own account of them; so it makes the statement and D1 is asked directly.
  const { sql: text, params } = query.toSQL();
  const { results } = await db
    .prepare(text)
    .bind(...params)
    .all<StoredRow>();
  return results.map((row) => toRow(row, read));
}

export type RollupVersion = Pick<RollupRow, "bucket" | "partition" | "version">;

/** Which rows a merchant's buckets in [from, to) have now, and of which version; pages as above. */
export async function readRollupVersions(
  db: Ledger,
  { merchant, grain, from, to, after, rowsMax }: Omit<RollupRead, "sketch" | "presence" | "breakdowns">,
): Promise<readonly RollupVersion[]> {
  const text = `SELECT bucket, "partition", version FROM ${grain === "hour" ? "hourly" : "daily"}
    WHERE merchant = ?1 AND bucket >= ?2 AND bucket < ?3 AND (bucket, "partition") > (?4, ?5)
    ORDER BY bucket, "partition" LIMIT ?6`;
  const values = [merchant, after?.bucket ?? from, to, after?.bucket ?? from - 1, after?.partition ?? "", rowsMax];
  const { results } = await db
    .prepare(text)
    .bind(...values)
    .all<RollupVersion>();
  return results;
}

export interface DayRollupsRead {
  readonly merchants: readonly number[];
  readonly day: number;
  readonly partition: string;
  /** Also the Hours in it that other Days say are theirs: a zone of the past moves Hours from Day to Day. */
  readonly isMoved?: boolean;
}

/** All that D1 has of some merchants' Day in one partition: its Hours and the Day itself, every column. */
export async function readDayRollups(
  db: Ledger,
  { merchants, day, partition, isMoved = false }: DayRollupsRead,
): Promise<readonly RollupRow[]> {
  const rows: RollupRow[] = [];
  for (const grain of ["hour", "day"] as const) {
    const table = tableOf(grain);
    const read = { grain, sketch: true, presence: true, breakdowns: ALL_DIMENSIONS };
    // Zones are within a Day of UTC; the bounds let the primary key find the rows, `day` picks the right ones.
    const [from, to] = grain === "day" ? [day, day + 1] : [(day - 1) * DAY_MS, (day + 2) * DAY_MS];
    const query = drizzle(db)
      .select({ merchant: table.merchant, ...columnsOf(read) })
      .from(table)
      .where(
        and(
          inArray(table.merchant, [...merchants]),
          gte(table.bucket, from),
          lt(table.bucket, to),
          eq(table.partition, partition),
          isMoved ? undefined : eq(table.day, day),
        ),
      );
    const { sql: text, params } = query.toSQL();
    const statement = db.prepare(text).bind(...params);
    const { results } = await statement.all<StoredRow>();
    rows.push(...results.map((row) => toRow(row, { ...read, merchant: row["merchant"] as number })));
  }
  return rows;
}

/**
 * All merchants of which the ledger has anything of a Day in one partition. The primary keys begin with the merchant, so this
 * goes from each merchant there is to the next, inside D1: an index by Day would cost a row write with every rollup, and only
 * replays of all merchants would use it.
 */
export async function listCounted(
  ledger: Ledger,
  { day, partition }: { day: number; partition: string },
): Promise<readonly number[]> {
  const text = `WITH RECURSIVE known (merchant) AS (
      SELECT ${nextMerchant("?1")} UNION ALL SELECT ${nextMerchant("known.merchant")} FROM known
      WHERE known.merchant IS NOT NULL LIMIT ${COUNTED_PAGE})
    SELECT merchant, (
      EXISTS (SELECT 1 FROM daily AS d WHERE d.merchant = known.merchant AND d.bucket = ?2 AND d."partition" = ?3) OR
      EXISTS (SELECT 1 FROM hourly AS h WHERE h.merchant = known.merchant AND h.bucket >= ?4 AND h.bucket < ?5
        AND h."partition" = ?3 AND h.day = ?2)) AS counted
    FROM known WHERE merchant IS NOT NULL AND (counted OR merchant = (SELECT max(merchant) FROM known))`;
  const found: number[] = [];
  for (let after = -1; ; ) {
    const values = [after, day, partition, (day - 1) * DAY_MS, (day + 2) * DAY_MS] as const;
    const rows = await select<{ readonly merchant: number; readonly counted: number }>(ledger, [text, ...values]);
    found.push(...rows.filter(({ counted }) => counted === 1).map(({ merchant }) => merchant));
    const last = rows.at(-1)?.merchant;
    if (last === undefined) return found;
    after = last;
  }
}

/** The first merchant after another one that has any rollup; null for none. */
function nextMerchant(after: string): string {
  const next = (table: string) => `(SELECT min(merchant) FROM ${table} WHERE merchant > ${after})`;
  return `coalesce(min(${next("daily")}, ${next("hourly")}), ${next("daily")}, ${next("hourly")})`;
}

/** The partitions in which anything of a merchant ever was, archived or counted, also those that today's placement does not
 *  give it. */
export async function listPartitionsOf(db: Ledger, merchant: number): Promise<readonly string[]> {
  const text = ["places", "daily", "hourly"]
    .map((table) => `SELECT "partition" FROM ${table} WHERE merchant = ?1`)
    .join(" UNION ");
  const { results } = await db.prepare(text).bind(merchant).all<{ readonly partition: string }>();
  return results.map(({ partition }) => partition);
}

/** The (Day, partition)s of which a merchant has a rollup, of Days in [from, to). */
export async function listPlacesOf(
  db: Ledger,
  { merchant, from, to }: Pick<RollupRead, "merchant" | "from" | "to">,
): Promise<readonly { readonly day: number; readonly partition: string }[]> {
  const text = `SELECT bucket AS day, "partition" FROM daily WHERE merchant = ?1 AND bucket >= ?2 AND bucket < ?3`;
  const statement = db.prepare(text).bind(merchant, from, to);
  const { results } = await statement.all<{ readonly day: number; readonly partition: string }>();
  return results;
}

/** The first Day of which a merchant has a stored rollup. One row is read: the primary key is in this order. */
export async function readFirstDay(db: Ledger, merchant: number): Promise<number | undefined> {
  const query = drizzle(db)
    .select({ day: min(daily.bucket) })
    .from(daily)
    .where(eq(daily.merchant, merchant));
  const [first] = await query;
  return first?.day ?? undefined;
}

type RollupTable = typeof hourly | typeof daily;
/** What D1 gives: columns by name, as SQLite has them. */
type StoredRow = Readonly<Record<string, unknown>>;

function tableOf(grain: Grain): RollupTable {
  return grain === "hour" ? hourly : daily;
}

type Columns = Pick<RollupRead, "grain" | "sketch" | "presence" | "breakdowns">;

/** As one comparison of both columns: an OR would be two searches. */
function isAfter(table: RollupTable, { bucket, partition }: { bucket: number; partition: string }) {
  return sql`(${table.bucket}, ${table.partition}) > (${bucket}, ${partition})`;
}

function columnsOf({ grain, sketch, presence = false, breakdowns }: Columns) {
  const table = tableOf(grain);
  const plain = [...(["bucket", "partition", "day", "version", "money", "drops"] as const), ...COUNTERS];
  const ofVisitors = [...(sketch ? (["sketch"] as const) : []), ...(presence ? (["presence"] as const) : [])];
  const packed = [...ofVisitors, ...breakdowns.map(breakdownColumn)];
  return {
    ...Object.fromEntries(plain.map((name) => [name, table[name]])),
    // D1 would give a blob as an array of numbers: 3.6 characters of JSON a byte, each parsed and made a value. This is two.
    ...Object.fromEntries(packed.map((name) => [name, sql<string>`hex(${table[name]})`.as(name)])),
  };
}

function breakdownColumn(name: DimensionName): BreakdownColumn {
  return `by_${name}`;
}

function toRow(
  stored: StoredRow,
  { merchant, grain, breakdowns }: Pick<RollupRead, "merchant" | "grain" | "breakdowns">,
): RollupRow {
  const counts: Counts = zeroCounts();
  for (const counter of COUNTERS) counts[counter] = stored[counter] as number;
  counts.money = fromMoneyText(stored["money"] as string);
  const wanted = breakdowns.flatMap((name) => {
    // No breakdown is of no bytes: this one is NULL, of a dimension younger than the row.
    const hex = stored[breakdownColumn(name)] as string;
    return hex === "" ? [] : [[name, toBytes(hex)] as const];
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
    sketch: toBytes((stored["sketch"] as string | undefined) ?? ""),
    presence: toBytes((stored["presence"] as string | undefined) ?? ""),
    breakdowns: Object.fromEntries(wanted),
  };
}

/** A copy: a Buffer may be a window on a pool that others share. */
function toBytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}
