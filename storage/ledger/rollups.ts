// Rollups as questions read them from D1: page by page, and only the columns a question needs. Open Days are rows. Both
// tables of rows have the same columns, which come from core's lists through the schema. Closed Days are packed into
// blocks. A Day is either in rows or packed. One transaction reads both, so callers need not know which it was.
// `rollup-write.ts` writes them.

import { Buffer } from "node:buffer";
import { and, asc, eq, gte, inArray, lt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { blockOf } from "../../core/block/block.ts";
import type { DimensionName } from "../../core/counting/dimension.ts";
import { ALL_DIMENSIONS, COUNTERS, type Counts, zeroCounts } from "../../core/counting/rollup.ts";
import type { Grain, RollupRow } from "../../core/counting/rollup-row.ts";
import { fromMoneyText } from "../../core/counting/takings.ts";
import { BLOCK_DAYS, BLOCKS_READ_ONCE, COUNTED_PAGE, FOLDERS_APART_MAX } from "../../core/limits.ts";
import { DAY_MS } from "../../core/time.ts";
import { select } from "../statement.ts";
import { type BlockRow, blockColumns, blocksBetween, dimensionsRead, rowsOf } from "./blocks.ts";
import type { Ledger } from "./ledgers.ts";
import { isPacked } from "./packed.ts";
import { type BreakdownColumn, daily, hourly } from "./schema.ts";

export interface RollupRead {
  readonly merchant: number;
  readonly grain: Grain;
  /** Buckets in [from, to). */
  readonly from: number;
  readonly to: number;
  /** The last row of the page before. Rows come in the order of bucket and partition. */
  readonly after?: { readonly bucket: number; readonly partition: string } | undefined;
  readonly rowsMax: number;
  /** Columns to read beside the totals. They are most of a row's bytes, so a question reads only what it needs. */
  readonly sketch: boolean;
  readonly presence?: boolean;
  readonly breakdowns: readonly DimensionName[];
}

/**
 * One page of a merchant's rollups, whether their Days are in rows or packed. Fewer rows than `rowsMax` means there are
 * no more. A Day that is packed or unpacked meanwhile is read once, because one transaction reads both.
 */
export async function readRollups(db: Ledger, read: RollupRead): Promise<readonly RollupRow[]> {
  const { grain, breakdowns } = read;
  return readPage(db, read, {
    select: (asked) => pageOfRows(db, { ...read, ...asked }),
    ofRow: (row: StoredRow) => toRow(row, read),
    blockColumns: blockColumns(dimensionsRead(grain, breakdowns)),
    ofBlock: (block) => rowsOf(block, grain, breakdowns),
  });
}

/**
 * The key and version of a row. A packed Hour has no version here: reading its totals is as fast as reading its
 * version.
 */
export type RollupVersion = Pick<RollupRow, "bucket" | "partition"> & { readonly version: number | undefined };

/** The keys and versions of a merchant's rows in [from, to), page by page like `readRollups`. */
export async function readRollupVersions(
  db: Ledger,
  read: Omit<RollupRead, "sketch" | "presence" | "breakdowns">,
): Promise<readonly RollupVersion[]> {
  const { grain } = read;
  const isOfHours = grain === "hour";
  return readPage(db, read, {
    select: ({ from, after, rowsMax }) => {
      const text = `SELECT bucket, "partition", version FROM ${isOfHours ? "hourly" : "daily"}
        WHERE merchant = ?1 AND bucket >= ?2 AND bucket < ?3 AND (bucket, "partition") > (?4, ?5)
        ORDER BY bucket, "partition" LIMIT ?6`;
      const behind = [after?.bucket ?? from - 1, after?.partition ?? ""] as const;
      return db.prepare(text).bind(read.merchant, from, read.to, ...behind, rowsMax);
    },
    ofRow: (row: StoredRow) => row as unknown as RollupVersion,
    blockColumns: isOfHours ? blockColumns([]) : 'merchant, first_day AS "firstDay", "partition", versions',
    ofBlock: (block) => (isOfHours ? hoursNamed(block) : daysNamed(block)),
  });
}

function hoursNamed(block: BlockRow): readonly RollupVersion[] {
  return rowsOf(block, "hour", []).map(({ bucket, partition }) => ({ bucket, partition, version: undefined }));
}

function daysNamed({ firstDay, partition, ...block }: BlockRow): readonly RollupVersion[] {
  const versions = JSON.parse(block["versions"] as string) as readonly (number | null)[];
  return versions.flatMap((version, at) => (version === null ? [] : [{ bucket: firstDay + at, partition, version }]));
}

/** How one kind of page is read. */
interface PageKind<Item> {
  readonly select: (asked: Pick<RollupRead, "from" | "after" | "rowsMax">) => D1PreparedStatement;
  readonly ofRow: (row: StoredRow) => Item;
  readonly blockColumns: string;
  /** All items of a block, in order. */
  readonly ofBlock: (block: BlockRow) => readonly Item[];
}

type PageRead = Pick<RollupRead, "merchant" | "grain" | "from" | "to" | "after" | "rowsMax">;
type Named = Pick<RollupRow, "bucket" | "partition">;

/** Reads rows and blocks and merges them, until a page is full. Nearly always one round trip is enough. */
async function readPage<Item extends Named>(
  db: Ledger,
  read: PageRead,
  kind: PageKind<Item>,
): Promise<readonly Item[]> {
  const { merchant, grain, to, rowsMax } = read;
  const found: Item[] = [];
  let { from, after }: Pick<PageRead, "from" | "after"> = read;
  let blocksMax = BLOCKS_READ_ONCE;
  while (found.length < rowsMax) {
    const begin = after?.bucket ?? from;
    // An Hour may belong to the Day before or after the UTC day that it begins in.
    const [firstDay, lastDay] = grain === "day" ? [begin, to] : [dayNumber(begin) - 1, dayNumber(to) + 2];
    const text = `SELECT ${kind.blockColumns} FROM blocks WHERE merchant = ?1 AND first_day >= ?2 AND first_day < ?3
      AND length(head) > 0
      ORDER BY first_day, "partition" LIMIT ?4`;
    const rowsLeft = rowsMax - found.length;
    const [stored, packed] = (await db.batch<StoredRow>([
      kind.select({ from, after, rowsMax: rowsLeft }),
      db.prepare(text).bind(merchant, blockOf(firstDay), lastDay, blocksMax),
    ])) as [D1Result<StoredRow>, D1Result<BlockRow & StoredRow>];
    const blocks = packed.results;
    // Where as many blocks came as were asked for, there may be more behind the last of them.
    const end = blocks.length < blocksMax ? to : endBefore((blocks.at(-1) as BlockRow).firstDay, grain, to);
    if (end <= begin) {
      blocksMax *= 2;
      continue;
    }
    const rows = stored.results.map(kind.ofRow);
    const lastRow = rows.length < rowsLeft ? undefined : rows.at(-1);
    const isRead = (one: Named) =>
      one.bucket >= from &&
      one.bucket < end &&
      (after === undefined || compareNames(one, after) > 0) &&
      (lastRow === undefined || compareNames(one, lastRow) <= 0);
    const items = [...rows, ...blocks.flatMap(kind.ofBlock)].filter(isRead).sort(compareNames);
    found.push(...items.slice(0, rowsLeft));
    if (items.length >= rowsLeft || (lastRow === undefined && end >= to)) break;
    [from, after] = [end, undefined];
  }
  return found;
}

/** The bucket before which everything lies in blocks that begin earlier than this one. */
function endBefore(firstDay: number, grain: Grain, to: number): number {
  return Math.min(to, grain === "day" ? firstDay : (firstDay - 1) * DAY_MS);
}

function dayNumber(instant: number): number {
  return Math.floor(instant / DAY_MS);
}

function compareNames(a: Named, b: Named): number {
  return a.bucket - b.bucket || (a.partition < b.partition ? -1 : a.partition > b.partition ? 1 : 0);
}

/**
 * The statement that reads a page of rows. Drizzle only makes the statement, because it would return rows without what
 * D1 says it has read for them.
 */
function pageOfRows(db: Ledger, read: RollupRead): D1PreparedStatement {
  const table = tableOf(read.grain);
  const query = drizzle(db)
    .select(columnsOf(read))
    .from(table)
    .where(
      and(
        eq(table.merchant, read.merchant),
        // By this the primary key finds where the page begins. The condition after the next leaves out the rows of that
        // bucket that came before.
        gte(table.bucket, read.after?.bucket ?? read.from),
        lt(table.bucket, read.to),
        read.after && isAfter(table, read.after),
      ),
    )
    .orderBy(asc(table.bucket), asc(table.partition))
    .limit(read.rowsMax);
  const { sql: text, params } = query.toSQL();
  return db.prepare(text).bind(...params);
}

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
    ...packed.results.flatMap(rowsOfBoth).filter(isOfDay),
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
  const table = tableOf(grain);
  const read = { grain, sketch: true, presence: true, breakdowns: ALL_DIMENSIONS };
  // By the bounds the primary key finds the rows; `day` chooses the right ones among them.
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
  return db.prepare(text).bind(...params);
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
  { merchant, from, to }: Pick<RollupRead, "merchant" | "from" | "to">,
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
 * The first Day of which a merchant has a stored rollup. The primary keys have this order, so only a row or two are
 * read.
 */
export async function readFirstDay(db: Ledger, merchant: number): Promise<number | undefined> {
  const text = `SELECT min(bucket) AS day FROM daily WHERE merchant = ?1 UNION ALL
    SELECT min(first_day + key) FROM blocks, json_each(events) WHERE merchant = ?1 AND value IS NOT NULL AND first_day = (
      SELECT first_day FROM blocks, json_each(events) WHERE merchant = ?1 AND value IS NOT NULL ORDER BY first_day LIMIT 1)`;
  const found = await select<{ readonly day: number | null }>(db, [text, merchant]);
  const days = found.flatMap(({ day }) => (day === null ? [] : [day]));
  return days.length === 0 ? undefined : Math.min(...days);
}

type RollupTable = typeof hourly | typeof daily;
/** A row as D1 returns it: columns by name. */
type StoredRow = Readonly<Record<string, unknown>>;

function tableOf(grain: Grain): RollupTable {
  return grain === "hour" ? hourly : daily;
}

type Columns = Pick<RollupRead, "grain" | "sketch" | "presence" | "breakdowns">;

/** A condition on both columns as one comparison. An OR would be two searches. */
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
    // Blobs are read as hex, which is two characters a byte. D1 would return a blob as an array of numbers: 3.6
    // characters of JSON a byte, and a value to make of each.
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
