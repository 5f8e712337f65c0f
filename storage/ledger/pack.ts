// Moves a closed Day of a merchant from rows into its block, and back into rows where somebody is about to write to it.
// No number changes: readers look at both in one transaction (rollups.ts) and find a Day in one of the two. Whoever
// writes to a closed Day (a seal, a replay, an undo) takes it out of its block first, writes rows as usual, and packs
// it when done. A writer that dies in between leaves rows, which the next one packs. Every statement checks that rows
// and block are still what was read. So any two of these may run at once, and each may be repeated.

import { type BlockDay, blockOf, encodeBlock, toDayRow, toHourRow } from "../../core/block/block.ts";
import { toBlockDay } from "../../core/block/closed-day.ts";
import { monthOf } from "../../core/block/month.ts";
import { ALL_DIMENSIONS } from "../../core/counting/rollup.ts";
import type { RollupRow } from "../../core/counting/rollup-row.ts";
import {
  BLOCK_BYTES_MAX,
  BLOCK_DAYS,
  FOLDERS_APART_MAX,
  REBUILD_VERSION_STEP,
  REPLAY_MERCHANTS_READ,
} from "../../core/limits.ts";
import { DAY_MS } from "../../core/time.ts";
import { deflate } from "../deflate.ts";
import { type BlockRow, blockColumns, daysOf, PART_COLUMNS } from "./blocks.ts";
import type { Ledger } from "./ledgers.ts";
import { leaveStatement, withParts } from "./month-file.ts";
import { isPacked } from "./packed.ts";
import { ROLLUP_KEY, ROLLUP_REPLACED, ROLLUP_SET, rollupValues } from "./rollup-write.ts";
import { listUnpacked, readUnpacked } from "./rollups.ts";
import { noteUnpacked, type SealPlace } from "./sealed-day.ts";

/** A Day in one partition, of some merchants or of all. */
export interface PackedPlace extends SealPlace {
  readonly merchants?: readonly number[] | undefined;
  /** A part of a job that has written everything and ends with this. */
  readonly ending?: EndingPart | undefined;
  /** Called after every few merchants. True leaves the rest for another time. */
  readonly isOver?: (() => boolean) | undefined;
}

/** A part of a job, in the partition of the Day. */
export interface EndingPart {
  readonly job: string;
  readonly day: number;
}

/** Merchant and partition of a block, and its first Day. */
interface BlockKey {
  readonly merchant: number;
  readonly firstDay: number;
  readonly partition: string;
}

/** A block as it is now: version 0 where there is none. */
interface SeenBlock extends BlockKey {
  readonly version: number;
  /** The month file that it lies in; empty where it lies in the ledger. */
  readonly file: string;
  readonly days: readonly BlockDay[];
}

type Value = string | number | null | ArrayBuffer;

/** Finds a block by its key. In every statement below the first three parameters are that key. */
const IS_BLOCK = 'merchant = ?1 AND first_day = ?2 AND "partition" = ?3';
const SEEN_VERSION = `coalesce((SELECT version FROM blocks WHERE ${IS_BLOCK}), 0)`;
const HOURS = 'merchant = ?1 AND bucket >= ?5 AND bucket < ?6 AND "partition" = ?3 AND day = ?4';
const DAY_ROW = 'merchant = ?1 AND bucket = ?4 AND "partition" = ?3';
const IS_PACKED = isPacked({ merchant: "?1", day: "?4", partition: "?3" });
const BLOCK_COLUMNS = ["merchant", "first_day", "partition", "version", "events", "versions", ...PART_COLUMNS];
/** Brings a block that lay in a month file back into the ledger. Not set otherwise: the index by it stays as it is. */
const IS_HERE = `file = '', spans = ''`;
/** Versions are compared as whole numbers of steps, since they reach SQLite as JSON. */
const STEPS = 1 / REBUILD_VERSION_STEP;

/**
 * A condition: no job is at work on the Day ?4 in the partition ?3, or on a Day near it. Such a job must find the rows
 * that it is about to write or put back. When its part ends, it packs the Day.
 */
const IS_LEFT_ALONE = `NOT EXISTS (SELECT 1 FROM job_fences AS f JOIN replay_parts AS p ON p.job = f.job AND p."partition" = ?3
    AND p.day IN (${Array.from({ length: 2 * FOLDERS_APART_MAX + 1 }, (_, at) => `CAST(?4 AS INTEGER) + ${at - FOLDERS_APART_MAX}`).join(", ")})
  WHERE f.kind != 'verify' AND NOT (p.job = ?11 AND p.day = ?12) AND ((f.state = 'running' AND p.state = 'waiting') OR (f.state = 'undoing' AND p.state != 'undone')))`;

/**
 * Packs the rows of a Day whose partitions have nothing left to publish. Running it again finds the rows that are left.
 * True when none is left, but those that no block takes.
 */
export async function packDay(
  db: Ledger,
  { day, partition, merchants, ending, isOver = () => false }: PackedPlace,
): Promise<boolean> {
  const listed = await listUnpacked(db, { day, partition, merchants });
  let isDone = true;
  for (let start = 0; start < listed.length; start += REPLAY_MERCHANTS_READ) {
    const some = listed.slice(start, start + REPLAY_MERCHANTS_READ);
    const blocks = await readBlocks(db, { day, partition, merchants: some });
    const rows = Map.groupBy(await readUnpacked(db, { day, partition, merchants: some }), ({ merchant }) => merchant);
    const statements = blocks.flatMap((block) =>
      packStatements(db, { block, day, ending, rows: rows.get(block.merchant) ?? [] }),
    );
    if (statements.length > 0) {
      const left = blocks.filter(isFiled).map((block) => leaveFile(db, block));
      const results = await db.batch([...statements, ...left]);
      const puts = results.slice(0, statements.length).filter((_, at) => at % STATEMENTS_EACH === 0);
      isDone &&= puts.every(({ meta }) => meta.changes > 0);
    }
    if (isOver() && start + REPLAY_MERCHANTS_READ < listed.length) return false;
  }
  return isDone;
}

/** How many statements each merchant has. The first of them writes the block. */
const STATEMENTS_EACH = 3;

/**
 * Takes a Day of some merchants out of its blocks. It becomes rows again; its Hours have only totals. Where the Day is
 * not packed nothing happens.
 */
export async function unpackDay(
  db: Ledger,
  { day, partition, merchants }: SealPlace & { readonly merchants: readonly number[] },
): Promise<void> {
  for (let start = 0; start < merchants.length; start += REPLAY_MERCHANTS_READ) {
    const some = merchants.slice(start, start + REPLAY_MERCHANTS_READ);
    for (let tries = UNPACK_TRIES; ; tries--) {
      const blocks = await readBlocks(db, { day, partition, merchants: some });
      const packed = blocks.filter(({ days }) => days.some((one) => one.day === day));
      if (packed.length === 0) break;
      if (tries === 0) throw new Error("a block is changed all the time");
      const statements = packed.flatMap((block) => unpackStatements(db, block, day));
      const left = packed.filter(isFiled).map((block) => leaveFile(db, block));
      await db.batch([...statements, ...left, noteUnpacked(db, { days: [day], partition })]);
    }
  }
}

/** How often a block is read again, because another Day of it was packed meanwhile. */
const UNPACK_TRIES = 10;

/** Reads one block for each merchant. A merchant without a block gets an empty one of version 0. */
async function readBlocks(
  db: Ledger,
  { day, partition, merchants }: SealPlace & { readonly merchants: readonly number[] },
): Promise<readonly SeenBlock[]> {
  const firstDay = blockOf(day);
  const text = `SELECT ${blockColumns(ALL_DIMENSIONS)} FROM blocks
    WHERE merchant IN (SELECT value FROM json_each(?1)) AND first_day = ?2 AND "partition" = ?3`;
  const { results } = await db
    .prepare(text)
    .bind(JSON.stringify(merchants), firstDay, partition)
    .all<BlockRow & { readonly version: number }>();
  const known = new Map((await withParts(db, results, ALL_DIMENSIONS)).map((row) => [row.merchant, row]));
  return merchants.map((merchant) => {
    const row = known.get(merchant);
    const days = row === undefined ? [] : daysOf(row, ALL_DIMENSIONS);
    return { merchant, firstDay, partition, version: row?.version ?? 0, file: row?.file ?? "", days };
  });
}

function isFiled({ file }: SeenBlock): boolean {
  return file !== "";
}

/** The statement that has the cron look at the month file of a block that does not name it any more. */
function leaveFile(db: Ledger, { merchant, firstDay, partition }: BlockKey): D1PreparedStatement {
  return leaveStatement(db, { merchant, month: monthOf(firstDay), partition });
}

interface Packing {
  readonly block: SeenBlock;
  readonly day: number;
  readonly rows: readonly RollupRow[];
  readonly ending: EndingPart | undefined;
}

/**
 * Writes the block with the Day in it, if rows and block still are what was read. Then deletes the rows, if the block
 * has the Day.
 */
function packStatements(db: Ledger, { block, day, rows, ending }: Packing): readonly D1PreparedStatement[] {
  const whole = rows.find(({ grain }) => grain === "day");
  if (whole === undefined) return []; // packed, or gone, since it was listed
  const hours = rows.filter(({ grain }) => grain === "hour");
  const others = block.days.filter((one) => one.day !== day);
  const days = [...others, toBlockDay(whole, hours)].sort((a, b) => a.day - b.day);
  const written = blockValues(block, days);
  if (written === undefined) return [];
  const about = [block.merchant, block.firstDay, block.partition, day, ...hoursOf(day)] as const;
  const names = JSON.stringify(hours.map(({ bucket, version }) => [bucket, version * STEPS]));
  const marks = [1, 2, 3, ...written.slice(3).map((_, at) => at + 13)].map((place) => `?${place}`).join(", ");
  const put = `INSERT INTO blocks (${quoted(BLOCK_COLUMNS)}) SELECT ${marks} WHERE ${SEEN_VERSION} = ?7 AND ${IS_LEFT_ALONE}
      AND (SELECT version FROM daily WHERE ${DAY_ROW}) = ?8
      AND (SELECT count(*) FROM hourly WHERE ${HOURS}) = ?9
      AND (SELECT count(*) FROM json_each(?10) AS j JOIN hourly AS h ON h.merchant = ?1 AND h.bucket = j.value ->> 0
        AND h."partition" = ?3 WHERE h.day = ?4 AND h.version * ${STEPS} = j.value ->> 1) = ?9
    ON CONFLICT (${quoted(BLOCK_COLUMNS.slice(0, 3))}) DO UPDATE SET ${setting(BLOCK_COLUMNS.slice(3))}${isFiled(block) ? `, ${IS_HERE}` : ""}`;
  const seen = [block.version, whole.version, hours.length, names, ending?.job ?? "", ending?.day ?? -1];
  return [
    db.prepare(put).bind(...about, ...seen, ...written.slice(3)),
    db.prepare(`DELETE FROM hourly WHERE ${HOURS} AND ${IS_PACKED} AND ?2 = ?2`).bind(...about),
    db.prepare(`DELETE FROM daily WHERE ${DAY_ROW} AND ${IS_PACKED} AND ?2 = ?2`).bind(...about.slice(0, 4)),
  ];
}

/** Writes the Day's rows, and then the block without the Day, both only if the block still is what was read. */
function unpackStatements(db: Ledger, block: SeenBlock, day: number): readonly D1PreparedStatement[] {
  const packed = block.days.find((one) => one.day === day) as BlockDay;
  const rows = [toDayRow(block, packed), ...packed.hours.map((hour) => toHourRow(block, packed, hour))];
  const written = blockValues(
    block,
    block.days.filter((one) => one.day !== day),
  ) as readonly Value[];
  const key = [block.merchant, block.firstDay, block.partition] as const;
  const sets = BLOCK_COLUMNS.slice(3).map((name, at) => `"${name}" = ?${at + 5}`);
  if (isFiled(block)) sets.push(IS_HERE);
  return [
    ...rows.map((row) => insertRow(db, row, block)),
    db
      .prepare(`UPDATE blocks SET ${sets.join(", ")} WHERE ${IS_BLOCK} AND version = ?4`)
      .bind(...key, block.version, ...written.slice(3)),
  ];
}

/** Inserts a row. Where another Day has a row of the same Hour by now, the later one of the two stays. */
function insertRow(db: Ledger, row: RollupRow, { firstDay, version }: SeenBlock): D1PreparedStatement {
  const table = row.grain === "day" ? "daily" : "hourly";
  const columns = [...ROLLUP_KEY, ...ROLLUP_REPLACED];
  const values = rollupValues(row);
  const text = `INSERT INTO ${table} (${quoted(columns)}) SELECT ${values.map(() => "?").join(", ")}
    WHERE EXISTS (SELECT 1 FROM blocks WHERE merchant = ?1 AND first_day = ? AND "partition" = ?3 AND version = ?)
    ON CONFLICT (${ROLLUP_KEY.join(", ")}) DO UPDATE SET ${ROLLUP_SET} WHERE excluded.version > ${table}.version`;
  return db.prepare(text).bind(...values, firstDay, version);
}

/**
 * The values of a block's next version with these Days, in the order of BLOCK_COLUMNS; undefined where they are too
 * large for D1.
 */
function blockValues(
  { merchant, firstDay, partition, version }: SeenBlock,
  days: readonly BlockDay[],
): readonly Value[] | undefined {
  const byDay = new Map(days.map((one) => [one.day, one]));
  const listed = <T>(of: (one: BlockDay) => T) =>
    JSON.stringify(
      Array.from({ length: BLOCK_DAYS }, (_, at) => {
        const one = byDay.get(firstDay + at);
        return one === undefined ? null : of(one);
      }),
    );
  const parts = days.length === 0 ? PART_COLUMNS.map(() => new Uint8Array()) : encodeBlock(days).map(deflate);
  if (parts.reduce((sum, { length }) => sum + length, 0) > BLOCK_BYTES_MAX) return undefined;
  return [
    merchant,
    firstDay,
    partition,
    version + 1,
    listed(({ counts }) => counts.events),
    listed((one) => one.version),
    ...parts.map((part) => part.slice().buffer as ArrayBuffer),
  ];
}

/** The range in which Hours of a Day may begin: no zone is more than a Day away from UTC. */
function hoursOf(day: number): readonly [from: number, to: number] {
  return [(day - 1) * DAY_MS, (day + 2) * DAY_MS];
}

function quoted(columns: readonly string[]): string {
  return columns.map((column) => `"${column}"`).join(", ");
}

function setting(columns: readonly string[]): string {
  return columns.map((column) => `"${column}" = excluded."${column}"`).join(", ");
}
