// Rollups in a ledger, as whoever counts a Day again reads them, and which Days, merchants and partitions have any.
// Open Days are rows of two tables with the same columns, which come from core's lists. Closed Days are packed into
// blocks. A Day is either in rows or packed. One transaction reads both, so callers need not know which it was. Nor
// need they know whether a block's bytes lie in the ledger or in a month file. Questions read ranges (`range.ts`);
// `rollup-write.ts` writes.

import { Buffer } from "node:buffer";
import type { DimensionName } from "../../core/counting/dimension.ts";
import { ALL_DIMENSIONS, COUNTERS, type Counts, zeroCounts } from "../../core/counting/rollup.ts";
import type { Grain, RollupRow } from "../../core/counting/rollup-row.ts";
import { fromMoneyText } from "../../core/counting/takings.ts";
import { BLOCK_DAYS, COUNTED_PAGE, FOLDERS_APART_MAX } from "../../core/limits.ts";
import { DAY_MS } from "../../core/time.ts";
import { select } from "../statement.ts";
import { type BlockRow, blockColumns, blocksBetween, rowsOf } from "./blocks.ts";
import type { Ledger } from "./ledgers.ts";
import { withParts } from "./month-file.ts";
import { isPacked } from "./packed.ts";

/** Which columns of rollups to read beside the totals. */
export interface RollupColumns {
  readonly grain: Grain;
  /** They are most of a row's bytes, so a question reads only what it needs. */
  readonly sketch: boolean;
  readonly presence?: boolean;
  readonly breakdowns: readonly DimensionName[];
}

/** A row as D1 returns it: columns by name. */
export type StoredRow = Readonly<Record<string, unknown>>;

export interface DayRollupsRead {
  readonly merchants: readonly number[];
  readonly day: number;
  readonly partition: string;
  /**
   * Whether to read also Hours of this Day that are stored under other Days, as after a zone of the past has moved
   * Hours from Day to Day.
   */
  readonly isMoved?: boolean;
}

/**
 * Everything that D1 has of a Day of some merchants in one partition: its Hours and the Day itself, with every column,
 * in rows or packed.
 */
export async function readDayRollups(db: Ledger, read: DayRollupsRead): Promise<readonly RollupRow[]> {
  const { merchants, day, partition, isMoved = false } = read;
  const near = isMoved ? FOLDERS_APART_MAX : 0;
  const text = `SELECT ${blockColumns(ALL_DIMENSIONS)} FROM blocks WHERE merchant IN (SELECT value FROM json_each(?1))
    AND first_day IN (SELECT value FROM json_each(?2)) AND "partition" = ?3`;
  const firsts = JSON.stringify(blocksBetween(day - near, day + near + 1));
  const [hours, days, packed] = (await db.batch<StoredRow>([
    dayRowsStatement(db, "hour", read),
    dayRowsStatement(db, "day", read),
    db.prepare(text).bind(JSON.stringify(merchants), firsts, partition),
  ])) as [D1Result<StoredRow>, D1Result<StoredRow>, D1Result<BlockRow & StoredRow>];
  const isOfDay = (row: RollupRow) =>
    row.grain === "day" ? row.bucket === day : isMoved ? isNear(row.bucket, day) : row.day === day;
  return [
    ...toDayRows(hours, "hour"),
    ...toDayRows(days, "day"),
    ...(await withParts(db, packed.results, ALL_DIMENSIONS)).flatMap(rowsOfBoth).filter(isOfDay),
  ];
}

/** Everything of a Day of some merchants that lies in rows. */
export async function readUnpacked(db: Ledger, read: Omit<DayRollupsRead, "isMoved">): Promise<readonly RollupRow[]> {
  const [hours, days] = (await db.batch<StoredRow>([
    dayRowsStatement(db, "hour", read),
    dayRowsStatement(db, "day", read),
  ])) as [D1Result<StoredRow>, D1Result<StoredRow>];
  return [...toDayRows(hours, "hour"), ...toDayRows(days, "day")];
}

/** Whether an Hour may belong to a Day: no zone is more than a Day away from UTC. */
function isNear(bucket: number, day: number): boolean {
  return bucket >= (day - 1) * DAY_MS && bucket < (day + 2) * DAY_MS;
}

function rowsOfBoth(block: BlockRow): readonly RollupRow[] {
  return [...rowsOf(block, "hour", []), ...rowsOf(block, "day", ALL_DIMENSIONS)];
}

function toDayRows({ results }: D1Result<StoredRow>, grain: Grain): readonly RollupRow[] {
  return results.map((row) => toRow(row, { grain, breakdowns: ALL_DIMENSIONS, merchant: row["merchant"] as number }));
}

function dayRowsStatement(
  db: Ledger,
  grain: Grain,
  { merchants, day, partition, isMoved = false }: DayRollupsRead,
): D1PreparedStatement {
  const columns = columnsOf({ grain, sketch: true, presence: true, breakdowns: ALL_DIMENSIONS });
  // By the bounds the primary key finds the rows; `day` chooses the right ones among them.
  const [from, to] = grain === "day" ? [day, day + 1] : [(day - 1) * DAY_MS, (day + 2) * DAY_MS];
  const text = `SELECT merchant, bucket, "partition", ${columns.map(({ name, read }) => `${read} AS "${name}"`).join(", ")}
    FROM ${tableOf(grain)} WHERE merchant IN (SELECT value FROM json_each(?1)) AND bucket >= ?2 AND bucket < ?3
      AND "partition" = ?4 AND (?5 OR day = ?6)`;
  return db.prepare(text).bind(JSON.stringify(merchants), from, to, partition, isMoved ? 1 : 0, day);
}

/**
 * All merchants that have anything of a Day in one partition of this ledger. The primary keys begin with the merchant,
 * so within D1 this goes from each merchant to the next. An index by Day would cost a row write for every rollup, and
 * only replays of all merchants would use it.
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
        AND h."partition" = ?3 AND h.day = ?2) OR
      ${isPacked({ merchant: "known.merchant", day: "?2", partition: "?3" })}) AS counted
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
  const next = (table: string) =>
    `coalesce((SELECT min(merchant) FROM ${table} WHERE merchant > ${after}), ${Number.MAX_SAFE_INTEGER})`;
  return `nullif(min(${["daily", "hourly", "blocks"].map(next).join(", ")}), ${Number.MAX_SAFE_INTEGER})`;
}

/** The merchants whose Day in one partition lies in rows: among those of a list, or among all. */
export async function listUnpacked(
  ledger: Ledger,
  { day, partition, merchants }: { day: number; partition: string; merchants?: readonly number[] | undefined },
): Promise<readonly number[]> {
  const is = 'd.bucket = ?1 AND d."partition" = ?2';
  const found = new Set<number>();
  const next = (after: string) => `(SELECT min(merchant) FROM daily WHERE merchant > ${after})`;
  const text =
    merchants === undefined
      ? `WITH RECURSIVE known (merchant) AS (SELECT ${next("?3")} UNION ALL SELECT ${next("known.merchant")} FROM known
           WHERE known.merchant IS NOT NULL LIMIT ${COUNTED_PAGE})
         SELECT merchant, EXISTS (SELECT 1 FROM daily AS d WHERE d.merchant = known.merchant AND ${is}) AS counted
         FROM known WHERE merchant IS NOT NULL AND (counted OR merchant = (SELECT max(merchant) FROM known))`
      : `SELECT j.value AS merchant, 1 AS counted FROM json_each(?3) AS j
         WHERE EXISTS (SELECT 1 FROM daily AS d WHERE d.merchant = j.value AND ${is})`;
  for (let after = -1; ; ) {
    const third = merchants === undefined ? after : JSON.stringify(merchants);
    const rows = await select<{ readonly merchant: number; readonly counted: number }>(ledger, [
      text,
      day,
      partition,
      third,
    ]);
    for (const { merchant, counted } of rows) if (counted === 1) found.add(merchant);
    const last = rows.at(-1)?.merchant;
    if (last === undefined || merchants !== undefined) return [...found];
    after = last;
  }
}

/**
 * The partitions that ever archived or counted anything of a merchant, including those that today's placement does not
 * give it.
 */
export async function listPartitionsOf(db: Ledger, merchant: number): Promise<readonly string[]> {
  const text = ["places", "daily", "hourly", "blocks"]
    .map((table) => `SELECT "partition" FROM ${table} WHERE merchant = ?1`)
    .join(" UNION ");
  const { results } = await db.prepare(text).bind(merchant).all<{ readonly partition: string }>();
  return results.map(({ partition }) => partition);
}

/** The (Day, partition)s in [from, to) that a merchant has a rollup of. */
export async function listPlacesOf(
  db: Ledger,
  { merchant, from, to }: { readonly merchant: number; readonly from: number; readonly to: number },
): Promise<readonly { readonly day: number; readonly partition: string }[]> {
  const text = `SELECT bucket AS day, "partition" FROM daily WHERE merchant = ?1 AND bucket >= ?2 AND bucket < ?3
    UNION SELECT first_day + key, "partition" FROM blocks, json_each(events)
    WHERE merchant = ?1 AND first_day > ?2 - ${BLOCK_DAYS} AND first_day < ?3 AND value IS NOT NULL
      AND first_day + key >= ?2 AND first_day + key < ?3`;
  const statement = db.prepare(text).bind(merchant, from, to);
  const { results } = await statement.all<{ readonly day: number; readonly partition: string }>();
  return results;
}

/**
 * The first Day of which anything of a merchant lies in the archive, or in rollups. The primary keys have this order,
 * so only a row or two of each are read.
 */
export async function readFirstDay(db: Ledger, merchant: number): Promise<number | undefined> {
  const text = `SELECT min(day) AS day FROM places WHERE merchant = ?1 UNION ALL
    SELECT min(bucket) FROM daily WHERE merchant = ?1 UNION ALL
    SELECT min(first_day + key) FROM blocks, json_each(events) WHERE merchant = ?1 AND value IS NOT NULL AND first_day = (
      SELECT first_day FROM blocks, json_each(events) WHERE merchant = ?1 AND value IS NOT NULL ORDER BY first_day LIMIT 1)`;
  const found = await select<{ readonly day: number | null }>(db, [text, merchant]);
  const days = found.flatMap(({ day }) => (day === null ? [] : [day]));
  return days.length === 0 ? undefined : Math.min(...days);
}

const TABLES: Readonly<Record<Grain, string>> = { hour: "hourly", day: "daily" };

/** The table of a grain's rows. */
export function tableOf(grain: Grain): string {
  return TABLES[grain];
}

/** What a statement selects of a row: each column's name, and how it is read. */
export function columnsOf({ sketch, presence = false, breakdowns }: RollupColumns): readonly RowColumn[] {
  const plain = ["day", "version", "money", "drops", ...COUNTERS].map((name) => ({ name, read: `"${name}"` }));
  const ofVisitors = [...(sketch ? ["sketch"] : []), ...(presence ? ["presence"] : [])];
  // Blobs are read as hex, which is two characters a byte. D1 would return a blob as an array of numbers: 3.6
  // characters of JSON a byte, and a value to make of each.
  const packed = [...ofVisitors, ...breakdowns.map(breakdownColumn)].map((name) => ({ name, read: `hex("${name}")` }));
  return [...plain, ...packed];
}

export interface RowColumn {
  readonly name: string;
  /** SQL. */
  readonly read: string;
}

function breakdownColumn(name: DimensionName): string {
  return `by_${name}`;
}

/** The rollup that a row with `columnsOf`, its bucket and its partition is. */
export function toRow(
  stored: StoredRow,
  { merchant, grain, breakdowns }: Pick<RollupColumns, "grain" | "breakdowns"> & { readonly merchant: number },
): RollupRow {
  const counts: Counts = zeroCounts();
  for (const counter of COUNTERS) counts[counter] = stored[counter] as number;
  counts.money = fromMoneyText(stored["money"] as string);
  const wanted = breakdowns.flatMap((name) => {
    // A stored breakdown is never empty. Here it is NULL, because the dimension is younger than the row.
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

/** Returns a copy, because a Buffer may be part of a pool that others share. */
function toBytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}
