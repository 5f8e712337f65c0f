// Writes rollups of a seal or a rebuild to D1, and takes a rebuild back. A merchant's Day is one transaction: a reader
// sees the Day either before it or after it. Every statement checks two things in that transaction: that the ledger's
// fence says that the job still runs, and that the row is still the one that was compared. So nothing wrong is written
// by a late or second consumer or by a cancelled job, nor while a partition publishes. It is plain SQL, made of the
// lists of rollup-write.ts, so that rows are moved within the database.

import { blockOf } from "../../core/block/block.ts";
import type { Difference } from "../../core/counting/difference.ts";
import type { ReplayPart } from "../../core/counting/replay-part.ts";
import { COUNTERS } from "../../core/counting/rollup.ts";
import type { Grain, RollupRow } from "../../core/counting/rollup-row.ts";
import { FOLDERS_APART_MAX, REBUILD_VERSION_STEP, REPLAY_UNDO_MERCHANTS } from "../../core/limits.ts";
import { GLOBAL_MERCHANT } from "../../core/rules.ts";
import { select } from "../statement.ts";
import { type BlockRow, blockColumns, rowsOf } from "./blocks.ts";
import { ALL_ARE_KNOWN, type KnownRemovals, knownValues } from "./erasure.ts";
import type { Ledger } from "./ledgers.ts";
import { withParts } from "./month-file.ts";
import { unpackDay } from "./pack.ts";
import { IS_ROW_PACKED } from "./packed.ts";
import { ROLLUP_KEY, ROLLUP_REPLACED, ROLLUP_SET, rollupValues } from "./rollup-write.ts";
import type { ShownDifference } from "./schema.ts";
import { noteUnpacked, type SealPlace } from "./sealed-day.ts";
import { IS_NOT_PAST } from "./settings-fence.ts";

const TABLE: Record<Grain, string> = { hour: "hourly", day: "daily" };
const COLUMNS = [...ROLLUP_KEY, ...ROLLUP_REPLACED].map((column) => `"${column}"`).join(", ");
const IS_ROW = `merchant = ? AND bucket = ? AND "partition" = ?`;
const IS_GENERATION = 'EXISTS (SELECT 1 FROM archive_days WHERE day = ? AND "partition" = ? AND generation = ?)';
/**
 * A condition: nobody has changed, or begun to change, the settings that rows were counted by. With null as the first
 * parameter it is always true.
 */
const IS_COUNTED_BY = `(? IS NULL OR (${IS_NOT_PAST} AND ${IS_NOT_PAST}))`;
/**
 * A condition on the Day of a row. The row was kept under the Day that it had before, and a zone of the past may since
 * have given it a Day nearby.
 */
const IS_NEAR = `day IN (${nearDays(0)
  .map(() => "?")
  .join(", ")})`;
const RUNS = "EXISTS (SELECT 1 FROM job_fences WHERE job_fences.job = ? AND job_fences.state = 'running')";
const UNDOES = "EXISTS (SELECT 1 FROM job_fences WHERE job_fences.job = ? AND job_fences.state = 'undoing')";

/**
 * Replaces a merchant's rows that differ by the replayed ones, as long as the Day's generation is the one that was
 * looked up. Running it again is harmless, as for `replaceRollups`.
 */
export async function sealRollups(
  db: Ledger,
  { seal, differences, corrected, shown, countedBy, known }: Sealing,
): Promise<void> {
  const [first] = differences;
  if (first === undefined) return;
  const { own, global } = countedBy ?? { own: null, global: null };
  const guard: Guard = {
    sql: `${IS_GENERATION} AND ${IS_COUNTED_BY} AND ${ALL_ARE_KNOWN}`,
    values: [
      ...[seal.day, seal.partition, seal.generation, own, first.merchant, own, GLOBAL_MERCHANT, global],
      ...knownValues(first.merchant, known),
    ],
  };
  const { isFree, noted } = await makeRoom(db, differences);
  const statements = differences.map((difference) => put(db, changeOf(difference), and(guard, isFree)));
  // The differences are counted in the same transaction, since no later count can find them again.
  if (corrected > 0) statements.push(noteDifferences(db, seal, { corrected, shown }, guard));
  // Meanwhile a rebuild may have written one of these rows, or applied rules that they were not counted by.
  mustHaveWritten((await run(db, [...statements, noted])).slice(0, differences.length));
}

/** Throws where a row was not written, so that the Day is counted again. */
function mustHaveWritten(results: readonly D1Result<unknown>[]): void {
  if (results.some(({ meta: { changes } }) => changes === 0)) throw new Error(WAS_CHANGED);
}

const WAS_CHANGED = "rows or rules were changed while the Day was counted";

/** Versions of a merchant's settings and of the deployment's. */
export interface SettingsVersions {
  readonly own: number;
  readonly global: number;
}

/** Differences of one merchant. */
interface Sealing {
  readonly seal: SealedState;
  readonly differences: readonly Difference[];
  /** How many of the differences correct what was counted live. The others add what only the archive has. */
  readonly corrected: number;
  /** The first of the differences that correct something. */
  readonly shown: readonly ShownDifference[];
  /** The versions of settings that the rows were counted by; undefined where there was nothing to count. */
  readonly countedBy: SettingsVersions | undefined;
  readonly known: KnownRemovals;
}

/** Differences of one merchant that a job writes. */
interface Replacing {
  readonly job: string;
  readonly differences: readonly Difference[];
  readonly known: KnownRemovals;
}

function noteDifferences(
  db: Ledger,
  { day, partition }: SealedState,
  { corrected, shown }: Pick<Sealing, "corrected" | "shown">,
  guard: Guard,
): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE archive_days SET differences = differences + ?, shown = CASE shown WHEN '[]' THEN ? ELSE shown END
       WHERE day = ? AND "partition" = ? AND ${guard.sql}`,
    )
    .bind(corrected, JSON.stringify(shown), day, partition, ...guard.values);
}

/** A (Day, partition) and how often it has been sealed. */
export interface SealedState {
  readonly day: number;
  readonly partition: string;
  readonly generation: number;
}

/** What must hold in the transaction of a write. */
interface Guard {
  readonly sql: string;
  readonly values: readonly (string | number | null)[];
}

/**
 * Replaces a merchant's rows that differ by the replayed ones. The replaced rows are kept for an undo, unless the job
 * has none. Running it again is harmless: a row that was replaced has another version than the one that was compared,
 * and is left as it is.
 */
export async function replaceRollups(
  db: Ledger,
  { job, differences, known, isKept = true }: Replacing & { readonly isKept?: boolean },
): Promise<void> {
  const [first] = differences;
  if (first === undefined) return;
  const guard: Guard = { sql: `${RUNS} AND ${ALL_ARE_KNOWN}`, values: [job, ...knownValues(first.merchant, known)] };
  const { isFree, noted } = await makeRoom(db, differences);
  const statements = differences.flatMap((difference) => {
    const change = { ...changeOf(difference), job };
    if (!isKept) return [put(db, change, and(guard, isFree))];
    return [
      renumber(db, change),
      change.replaced === null ? keepNothing(db, change) : keep(db, change),
      put(db, change, and(guard, isFree)),
    ];
  });
  const results = await run(db, [...statements, noted]);
  const each = statements.length / differences.length; // the last of each puts its row
  const isRefused = (one: Difference, at: number) =>
    isNewHour(one) && results[at * each + each - 1]?.meta.changes === 0;
  // A job that was cancelled writes nothing more, and is not tried again for that.
  if (differences.some(isRefused) && !(await isStill(db, isFree))) throw new Error(WAS_CHANGED);
}

/**
 * Corrects what an undo of rules or of a zone could not put back: rows that others have written since. Running it again
 * is harmless. Throws where a row is no longer the one that was compared. That happens when an Hour belongs to two
 * Days, and the undo of the other Day has changed it meanwhile.
 */
export async function correctRollups(db: Ledger, { job, differences, known }: Replacing): Promise<void> {
  const [first] = differences;
  if (first === undefined) return;
  const guard: Guard = { sql: `${UNDOES} AND ${ALL_ARE_KNOWN}`, values: [job, ...knownValues(first.merchant, known)] };
  const { isFree, noted } = await makeRoom(db, differences);
  const statements = differences.map((difference) => put(db, changeOf(difference), and(guard, isFree)));
  mustHaveWritten((await run(db, [...statements, noted])).slice(0, differences.length));
}

/** What has to be checked and noted in the transaction that writes a merchant's differences. */
interface Room {
  /**
   * A condition: the merchant's blocks near these Days have not changed since none of them held an Hour that is about
   * to be inserted.
   */
  readonly isFree: Guard;
  /** The statement that notes that these Days have rows. */
  readonly noted: D1PreparedStatement;
}

/**
 * Takes the rows that will be replaced out of their blocks. Then checks that no Hour that will be inserted lies in a
 * block of a Day nearby. A zone of the past moves Hours from Day to Day, so another writer may have written and packed
 * this Hour since it was compared.
 */
async function makeRoom(db: Ledger, differences: readonly Difference[]): Promise<Room> {
  await unpackTouched(db, differences);
  const { merchant, partition } = (differences[0] as Difference).replayed;
  const days = differences.map(({ replayed }) => replayed.day);
  const noted = noteUnpacked(db, { days, partition });
  const added = new Set(differences.filter(isNewHour).map(({ bucket }) => bucket));
  if (added.size === 0) return { isFree: { sql: "1", values: [] }, noted };
  const firsts = JSON.stringify([...new Set(days.flatMap(nearDays).map(blockOf))]);
  const about = [merchant, partition, firsts] as const;
  const ofThese = 'merchant = ? AND "partition" = ? AND first_day IN (SELECT value FROM json_each(?))';
  const found = await select<BlockRow & { readonly version: number }>(db, [
    `SELECT ${blockColumns([])} FROM blocks WHERE ${ofThese}`,
    ...about,
  ]);
  const blocks = await withParts(db, found, []);
  if (blocks.some((block) => rowsOf(block, "hour", []).some(({ bucket }) => added.has(bucket))))
    throw new Error(WAS_CHANGED);
  const versions = found.reduce((sum, { version }) => sum + version, 0);
  const sql = `(SELECT coalesce(sum(version), 0) FROM blocks WHERE ${ofThese}) = ?`; // versions only grow
  return { isFree: { sql, values: [...about, versions] }, noted };
}

function isNewHour({ held, grain }: Difference): boolean {
  return held === undefined && grain === "hour";
}

async function isStill(db: Ledger, { sql, values }: Guard): Promise<boolean> {
  const [found] = await select<{ readonly still: number }>(db, [`SELECT ${sql} AS still`, ...values]);
  return found?.still === 1;
}

function and(guard: Guard, other: Guard): Guard {
  return { sql: `${guard.sql} AND ${other.sql}`, values: [...guard.values, ...other.values] };
}

/** Takes the Days that are written to, and the Days of the rows that are replaced, out of their blocks. */
async function unpackTouched(db: Ledger, differences: readonly Difference[]): Promise<void> {
  const touched = new Map<string, SealPlace & { readonly merchants: readonly number[] }>();
  for (const { held, replayed } of differences) {
    const { merchant, partition } = replayed;
    for (const day of [held?.row.day ?? replayed.day, replayed.day])
      touched.set(`${day} ${partition} ${merchant}`, { day, partition, merchants: [merchant] });
  }
  for (const place of touched.values()) await unpackDay(db, place);
}

/** A new row with its version, which is above that of the row it replaces and above the events it was counted from. */
function changeOf({ held, replayed }: Difference): Change {
  const version = Math.max(held?.row.version ?? 0, replayed.version) + REBUILD_VERSION_STEP;
  return { row: { ...replayed, version }, replaced: held?.row.version ?? null };
}

interface Change {
  readonly row: RollupRow;
  /** The version of the row that it replaces; null where it replaces none. */
  readonly replaced: number | null;
}

interface JobChange extends Change {
  readonly job: string;
}

/**
 * For a row that this job has written before, under rules that have changed since: the row from before the job stays
 * the one that is kept.
 */
function renumber(db: Ledger, { job, row, replaced }: JobChange): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE replay_undo SET written_version = ?
       WHERE job = ? AND ${IS_NEAR} AND grain = ? AND ${IS_ROW} AND written_version = ? AND ${RUNS}`,
    )
    .bind(row.version, job, ...nearDays(row.day), row.grain, row.merchant, row.bucket, row.partition, replaced, job);
}

/**
 * The Days that a row may have belonged to before. They are listed one by one, so that the primary key finds the row.
 */
function nearDays(day: number): readonly number[] {
  return Array.from({ length: 2 * FOLDERS_APART_MAX + 1 }, (_, at) => day - FOLDERS_APART_MAX + at);
}

function keep(db: Ledger, { job, row, replaced }: JobChange): D1PreparedStatement {
  const key = [row.merchant, row.bucket, row.partition];
  return db
    .prepare(
      `INSERT OR REPLACE INTO replay_undo (job, grain, written_version, ${COLUMNS})
       SELECT ?, ?, ?, ${COLUMNS} FROM ${TABLE[row.grain]} WHERE ${IS_ROW} AND version = ? AND ${RUNS} AND NOT EXISTS (
         SELECT 1 FROM replay_undo WHERE job = ? AND ${IS_NEAR} AND grain = ? AND ${IS_ROW} AND written_version = ?)`,
    )
    .bind(
      job,
      row.grain,
      row.version,
      ...key,
      replaced,
      job,
      job,
      ...nearDays(row.day),
      row.grain,
      ...key,
      row.version,
    );
}

/** Keeps the fact that there was no row, as a version of -1. */
function keepNothing(db: Ledger, { job, row }: JobChange): D1PreparedStatement {
  const key = [row.merchant, row.bucket, row.partition];
  const counters = COUNTERS.map((name) => `"${name}"`).join(", ");
  return db
    .prepare(
      `INSERT OR REPLACE INTO replay_undo
         (job, grain, written_version, merchant, bucket, "partition", day, version, ${counters}, drops, sketch, presence)
       SELECT ?, ?, ?, ?, ?, ?, ?, -1, ${COUNTERS.map(() => "0").join(", ")}, '{}', x'', x''
       WHERE ${RUNS} AND NOT EXISTS (SELECT 1 FROM ${TABLE[row.grain]} WHERE ${IS_ROW})`,
    )
    .bind(job, row.grain, row.version, ...key, row.day, job, ...key);
}

function put(db: Ledger, { row, replaced }: Change, guard: Guard): D1PreparedStatement {
  const table = TABLE[row.grain];
  const values = rollupValues(row);
  return db
    .prepare(
      `INSERT INTO ${table} (${COLUMNS}) SELECT ${values.map(() => "?").join(", ")}
       WHERE ${guard.sql} AND (SELECT version FROM ${table} WHERE ${IS_ROW}) IS ? AND NOT ${IS_ROW_PACKED}
       ON CONFLICT (${ROLLUP_KEY.join(", ")}) DO UPDATE SET ${ROLLUP_SET}`,
    )
    .bind(...values, ...guard.values, row.merchant, row.bucket, row.partition, replaced);
}

/**
 * A condition that finds the kept rows of the next merchants of a part. Its parameters are the same five in every
 * statement.
 */
const NEXT_KEPT = `job = ?1 AND day = ?2 AND "partition" = ?3 AND merchant IN (
  SELECT DISTINCT merchant FROM replay_undo WHERE job = ?1 AND day = ?2 AND "partition" = ?3
  ORDER BY merchant LIMIT ${REPLAY_UNDO_MERCHANTS})
  AND EXISTS (SELECT 1 FROM job_fences WHERE job_fences.job = ?1 AND job_fences.state = 'undoing')`;

/** The merchants of whom a part has kept rows that an undo has still to put back. */
export async function listKept(db: Ledger, { job, day, partition }: ReplayPart): Promise<readonly number[]> {
  const text = `SELECT DISTINCT merchant FROM replay_undo WHERE job = ?1 AND day = ?2 AND "partition" = ?3`;
  const found = await select<{ readonly merchant: number }>(db, [text, job, day, partition]);
  return found.map(({ merchant }) => merchant);
}

/**
 * Puts back what a rebuild replaced in one part, some merchants at a time, and deletes what was kept. A row is put back
 * only where the rebuild's row still stands, since a row that a partition has published later holds later events.
 * Running it again finds the rows that are left.
 */
export async function restoreRollups(db: Ledger, part: ReplayPart): Promise<void> {
  const sql = (["hour", "day"] as const).flatMap((grain) => [restoreInto(grain), removeFrom(grain)]);
  sql.push(`DELETE FROM replay_undo WHERE ${NEXT_KEPT}`);
  for (;;) {
    await unpackKept(db, part);
    const statements = sql.map((text) => db.prepare(text).bind(part.job, part.day, part.partition));
    const noted = noteUnpacked(db, { days: nearDays(part.day), partition: part.partition });
    const results = await run(db, [noted, ...statements]);
    if ((results.at(-1)?.meta.changes ?? 0) === 0) return;
  }
}

/**
 * Takes the Days of the rows that are put back next out of their blocks. A row was kept under the Day that it had
 * before. Because of a zone of the past, the row that replaced it may belong to a Day nearby. Nobody packs these Days
 * until the part is undone (pack.ts).
 */
async function unpackKept(db: Ledger, { job, day, partition }: ReplayPart): Promise<void> {
  const kept = `SELECT DISTINCT merchant FROM replay_undo WHERE ${NEXT_KEPT}`;
  const merchantsOf = async (text: string) =>
    (await select<{ readonly merchant: number }>(db, [text, job, day, partition])).map(({ merchant }) => merchant);
  await unpackDay(db, { day, partition, merchants: await merchantsOf(kept) });
  const missing = await merchantsOf(`${kept} AND NOT EXISTS (SELECT 1 FROM hourly AS h WHERE grain = 'hour'
      AND h.merchant = replay_undo.merchant AND h.bucket = replay_undo.bucket AND h."partition" = replay_undo."partition")
    AND grain = 'hour'`);
  if (missing.length === 0) return;
  for (const near of nearDays(day)) await unpackDay(db, { day: near, partition, merchants: missing });
}

function restoreInto(grain: Grain): string {
  return `INSERT INTO ${TABLE[grain]} (${COLUMNS}) SELECT ${COLUMNS} FROM replay_undo
    WHERE grain = '${grain}' AND version >= 0 AND ${NEXT_KEPT} AND written_version = (
      SELECT now.version FROM ${TABLE[grain]} AS now WHERE now.merchant = replay_undo.merchant
      AND now.bucket = replay_undo.bucket AND now."partition" = replay_undo."partition")
    ON CONFLICT (${ROLLUP_KEY.join(", ")}) DO UPDATE SET ${ROLLUP_SET}`;
}

function removeFrom(grain: Grain): string {
  return `DELETE FROM ${TABLE[grain]} WHERE (merchant, bucket, "partition", version) IN (
    SELECT merchant, bucket, "partition", written_version FROM replay_undo
    WHERE grain = '${grain}' AND version < 0 AND ${NEXT_KEPT})`;
}

async function run(db: Ledger, statements: D1PreparedStatement[]): Promise<readonly D1Result<unknown>[]> {
  const results = await db.batch(statements);
  return results;
}
