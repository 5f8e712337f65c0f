// What D1 knows of closed Days: one row per (Day, partition). The row is the truth about the seal; a message only says
// "look at this one", so losing or repeating it changes nothing. Every change is one statement whose condition is what
// the writer has seen, and whoever comes second finds it gone.

import { FOLDERS_APART_MAX, REPLAY_PART_STALE_MS, SEAL_RETRY_MAX_MS, SEAL_RETRY_MS } from "../../core/limits.ts";
import { type Bound, select } from "../statement.ts";
import type { Ledger } from "./ledgers.ts";
import type { ShownDifference } from "./schema.ts";

/** A (Day, partition). Its JSON is the message of the seal queue. */
export interface SealPlace {
  /** Number of the local date. */
  readonly day: number;
  readonly partition: string;
}

export interface SealRow extends SealPlace {
  readonly generation: number;
  readonly folder: string;
  readonly rows: number;
  readonly merchants: number;
  readonly bytes: number;
  readonly duplicates: number;
  readonly differences: number;
  readonly shown: readonly ShownDifference[];
  readonly sealedAt: number | null;
  readonly lateSince: number | null;
  readonly lateMarks: number;
  readonly dueAt: number | null;
  readonly attempts: number;
  readonly error: string;
  readonly cleanAt: number | null;
  /** 0 once all its numbers are packed. */
  readonly unpacked: number;
  /** 1 where the archive may lack events that its numbers count (doubt.ts). */
  readonly doubted: number;
  /** Merchants whose events of it are lost at least in part. */
  readonly lost: number;
}

const COLUMNS = `day, "partition", generation, folder, rows, merchants, bytes, duplicates, differences, shown,
  sealed_at AS sealedAt, late_since AS lateSince, late_marks AS lateMarks, due_at AS dueAt,
  attempts, error, clean_at AS cleanAt, unpacked, doubted, lost`;
const IS_PLACE = 'day = ?1 AND "partition" = ?2';
const EXISTS_PLACE = 'EXISTS (SELECT 1 FROM archive_days WHERE day = ? AND "partition" = ?';
/** What a new row's columns hold, after day and partition. */
const INSERT = `INSERT INTO archive_days (day, "partition", generation, folder, rows, merchants, bytes, duplicates,
  differences, shown, sealed_at, late_since, late_marks, due_at, attempts, error, clean_at)`;
const UNSEALED = "0, '', 0, 0, 0, 0, 0, '[]', NULL";

/** Bytes of the files of all sealed Days. Reads a row for each. */
export async function sealedBytes(db: Ledger): Promise<number> {
  const [row] = await select<{ readonly bytes: number }>(db, ["SELECT total(bytes) AS bytes FROM archive_days"]);
  return row?.bytes ?? 0;
}

/** Nothing waits any more, unless it came after the row was read: the cron then finds it due. */
const DONE = "attempts = 0, error = '', late_since = CASE WHEN";
const DONE_END = "THEN NULL ELSE late_since END";

export async function findSeal(db: Ledger, place: SealPlace): Promise<SealRow | undefined> {
  const text = `SELECT ${COLUMNS} FROM archive_days WHERE ${IS_PLACE}`;
  return (await selectRows(db, [text, place.day, place.partition]))[0];
}

/** Where a (Day, partition) is sealed. */
export interface SealFolder extends SealPlace {
  readonly folder: string;
  /** How often events came late. */
  readonly lateMarks: number;
  /** How many merchants its manifest names. */
  readonly merchants: number;
}

/** Those of some (Day, partition)s that are sealed, by "day partition". */
export type SealFolders = ReadonlyMap<string, SealFolder>;

export async function findFolders(db: Ledger, places: readonly SealPlace[]): Promise<SealFolders> {
  const sealed = await findSealed(db, places);
  return new Map(sealed.map((seal) => [`${seal.day} ${seal.partition}`, seal]));
}

/** Those of some (Day, partition)s that are sealed. */
export async function findSealed(db: Ledger, places: readonly SealPlace[]): Promise<readonly SealFolder[]> {
  if (places.length === 0) return [];
  const text = `SELECT a.day, a."partition", a.folder, a.late_marks AS lateMarks, a.merchants FROM json_each(?1) AS j
    JOIN archive_days AS a ON a.day = j.value ->> 0 AND a."partition" = j.value ->> 1 WHERE a.folder <> ''`;
  const wanted = JSON.stringify(places.map(({ day, partition }) => [day, partition]));
  return select(db, [text, wanted]);
}

/** Closed Days in [from, to), by Day and partition, after a row of the page before. */
export async function listSeals(
  db: Ledger,
  { from, to, after, rowsMax }: { from: number; to: number; after?: SealPlace | undefined; rowsMax: number },
): Promise<readonly SealRow[]> {
  const text = `SELECT ${COLUMNS} FROM archive_days WHERE day >= ?1 AND day < ?2
    AND (day, "partition") > (?3, ?4) ORDER BY day, "partition" LIMIT ?5`;
  return selectRows(db, [text, from, to, after?.day ?? -1, after?.partition ?? "", rowsMax]);
}

/** The first of some (Day, partition)s that has never been sealed. */
export async function findUnsealed(db: Ledger, places: readonly SealPlace[]): Promise<SealPlace | undefined> {
  const text = `SELECT value ->> 0 AS day, value ->> 1 AS "partition" FROM json_each(?1) AS asked WHERE NOT EXISTS (
      SELECT 1 FROM archive_days AS known WHERE known.day = asked.value ->> 0 AND known."partition" = asked.value ->> 1
      AND generation > 0) ORDER BY 1 LIMIT 1`;
  const asked = JSON.stringify(places.map(({ day, partition }) => [day, partition]));
  const { results } = await db.prepare(text).bind(asked).all<SealPlace>();
  return results[0];
}

/** Which of some (Day, partition)s of Days in [from, to) have been sealed, as "day partition". */
export async function listSealedOf(
  db: Ledger,
  { places, from, to }: { readonly places: readonly SealPlace[]; readonly from: number; readonly to: number },
): Promise<ReadonlySet<string>> {
  const partitions = JSON.stringify([...new Set(places.map(({ partition }) => partition))]);
  const text = `SELECT day, "partition" FROM archive_days WHERE day >= ?1 AND day < ?2 AND generation > 0
    AND "partition" IN (SELECT value FROM json_each(?3))`;
  const { results } = await db.prepare(text).bind(from, to, partitions).all<SealPlace>();
  return new Set(results.map(({ day, partition }) => `${day} ${partition}`));
}

/** Notes closed Days that have something in the archive; those that are known are left alone. */
export async function noteClosed(
  db: Ledger,
  { places, now }: { places: readonly SealPlace[]; now: number },
): Promise<void> {
  if (places.length === 0) return;
  const text = `${INSERT} SELECT value ->> 0, value ->> 1, ${UNSEALED}, NULL, 0, ?2, 0, '', NULL FROM json_each(?1)
    WHERE true ON CONFLICT DO NOTHING`;
  await select(db, [text, JSON.stringify(places.map(({ day, partition }) => [day, partition])), now]);
}

/**
 * Notes that late events lie in the archive, and that their Days have to be looked at again. A message is to be sent,
 * delayed by `coalesceMs`, for those of its rows that `wokenOf` gives: for the others one is under way. Should it be
 * lost, the cron finds the row due a little later.
 */
export function lateStatement(
  db: Ledger,
  { places, now, coalesceMs }: { places: readonly WaitingPlace[]; now: number; coalesceMs: number },
): D1PreparedStatement {
  const text = `${INSERT} SELECT value ->> 0, value ->> 1, ${UNSEALED}, ?2, 1, ?3 + (value ->> 2), 0, '', NULL FROM json_each(?1)
    WHERE true ON CONFLICT DO UPDATE SET late_since = coalesce(late_since, excluded.late_since), late_at = ?2,
      late_marks = late_marks + 1, due_at = CASE WHEN late_since IS NULL THEN excluded.due_at ELSE due_at END
    RETURNING day, "partition", late_marks, late_since`;
  const values = JSON.stringify(places.map(({ day, partition, waitMs = 0 }) => [day, partition, waitMs]));
  return db.prepare(text).bind(values, now, now + coalesceMs + REPLAY_PART_STALE_MS);
}

/** A place, and how long it waits beyond the others' wait for company. */
interface WaitingPlace extends SealPlace {
  readonly waitMs?: number;
}

/** The Days that nothing was under way for. */
export function wokenOf(rows: readonly LateRow[], now: number): readonly SealPlace[] {
  return rows.filter(({ late_since }) => late_since === now).map(({ day, partition }) => ({ day, partition }));
}

type LateRow = SealPlace & { readonly late_since: number };

/** Takes the Days whose work is due, and puts them off while their messages are under way. */
export async function takeDue(
  db: Ledger,
  { now, rowsMax }: { now: number; rowsMax: number },
): Promise<readonly SealPlace[]> {
  const text = `UPDATE archive_days SET due_at = ?2 WHERE (day, "partition") IN (
      SELECT day, "partition" FROM archive_days WHERE due_at <= ?1 ORDER BY due_at LIMIT ?3)
    RETURNING day, "partition"`;
  const { results } = await db
    .prepare(text)
    .bind(now, now + REPLAY_PART_STALE_MS, rowsMax)
    .all<SealPlace>();
  return results.map(({ day, partition }) => ({ day, partition }));
}

/** The newest sealed Days, without those that are in doubt already. */
export async function listNewest(
  db: Ledger,
  rowsMax: number,
): Promise<readonly (SealPlace & { readonly folder: string })[]> {
  const text = `SELECT day, "partition", folder FROM archive_days WHERE folder <> '' AND doubted = 0 ORDER BY day DESC LIMIT ?`;
  return select(db, [text, rowsMax]);
}

/** Lets the cron look at all sealed places of a Day again: their ledger was restored to an earlier instant. */
export async function wakeSealed(db: Ledger, { day, now }: { day: number; now: number }): Promise<void> {
  const text = `UPDATE archive_days SET late_since = coalesce(late_since, ?2), late_marks = late_marks + 1, due_at = ?2
    WHERE day = ?1 AND generation > 0`;
  await select(db, [text, day, now]);
}

/**
 * Takes sealed Days that have nothing to do but to be packed: whoever was to do it died, or was not allowed to. From
 * then on they are due like others, until they are packed.
 */
export async function takeUnpacked(
  db: Ledger,
  { now, rowsMax }: { now: number; rowsMax: number },
): Promise<readonly SealPlace[]> {
  const text = `UPDATE archive_days SET due_at = ?1 WHERE (day, "partition") IN (
      SELECT day, "partition" FROM archive_days WHERE unpacked > 0 AND due_at IS NULL AND generation > 0 ORDER BY day LIMIT ?2)
    RETURNING day, "partition"`;
  return select(db, [text, now + REPLAY_PART_STALE_MS, rowsMax]);
}

/** All numbers of a Day are packed, unless somebody has left some in rows since its row was read. */
export async function commitPacked(db: Ledger, { day, partition, unpacked }: SealRow): Promise<void> {
  if (unpacked === 0) return;
  const isRest = "late_since IS NULL AND generation > 0"; // nothing else of it is to be tried again
  const text = `UPDATE archive_days SET unpacked = 0, due_at = CASE WHEN ${isRest} THEN clean_at ELSE due_at END,
      attempts = CASE WHEN ${isRest} THEN 0 ELSE attempts END, error = CASE WHEN ${isRest} THEN '' ELSE error END
    WHERE ${IS_PLACE} AND unpacked = ?3`;
  await select(db, [text, day, partition, unpacked]);
}

/** Not all of it could be packed: it is tried again a little later. */
export async function postponePacking(db: Ledger, { row, now }: { row: SealRow; now: number }): Promise<void> {
  const text = `UPDATE archive_days SET due_at = ?3 WHERE ${IS_PLACE} AND late_since IS NULL AND generation > 0`;
  await select(db, [text, row.day, row.partition, now + SEAL_RETRY_MS]);
}

/**
 * Notes, with a write that leaves numbers of some Days in rows, that they are to be packed. One that has no folder (a
 * zone of the past shows there what lies in others) is packed with those near it.
 */
export function noteUnpacked(
  db: Ledger,
  { days, partition }: { readonly days: readonly number[]; readonly partition: string },
): D1PreparedStatement {
  const near = `a.day BETWEEN j.value - ${FOLDERS_APART_MAX} AND j.value + ${FOLDERS_APART_MAX}`;
  const hasNone = `NOT EXISTS (SELECT 1 FROM archive_days AS own WHERE own.day = j.value AND own."partition" = ?1)`;
  const text = `UPDATE archive_days AS a SET unpacked = unpacked + 1 WHERE a."partition" = ?1
    AND a.day BETWEEN ?3 AND ?4 AND EXISTS (SELECT 1 FROM json_each(?2) AS j WHERE a.day = j.value OR (${near} AND ${hasNone}))`;
  const span = [Math.min(...days) - FOLDERS_APART_MAX, Math.max(...days) + FOLDERS_APART_MAX] as const;
  return db.prepare(text).bind(partition, JSON.stringify([...new Set(days)]), ...span);
}

/** Takes closed Days of a range that have anything to do, whenever it was due. */
export async function hurryClosed(
  db: Ledger,
  { from, to, now }: { from: number; to: number; now: number },
): Promise<readonly SealPlace[]> {
  const text = `UPDATE archive_days SET due_at = ?3 WHERE day >= ?1 AND day < ?2 AND (generation = 0 OR late_since IS NOT NULL)
    RETURNING day, "partition"`;
  const { results } = await db
    .prepare(text)
    .bind(from, to, now + REPLAY_PART_STALE_MS)
    .all<SealPlace>();
  return results.map(({ day, partition }) => ({ day, partition }));
}

/** What a seal came to. */
export interface Sealed {
  readonly generation: number;
  readonly folder: string;
  readonly rows: number;
  readonly merchants: number;
  readonly bytes: number;
  readonly duplicates: number;
}

export interface CommittedSeal {
  readonly row: SealRow;
  readonly sealed: Sealed;
  /** UTC ms. */
  readonly now: number;
  readonly cleanAt: number;
  /** What else is to be written with it; each looks whether the folder has become the Day's own. */
  readonly also?: readonly D1PreparedStatement[];
}

/** Makes a folder the Day's sealed files, unless another seal came first. Readers see them from here on. */
export async function commitSeal(db: Ledger, { row, sealed, now, cleanAt, also = [] }: CommittedSeal): Promise<void> {
  const { generation, folder, rows, merchants, bytes, duplicates } = sealed;
  const text = `UPDATE archive_days SET generation = ?12, folder = ?4, rows = ?5, merchants = ?6, bytes = ?7,
      duplicates = duplicates + ?8, sealed_at = ?9, clean_at = ?10,
      due_at = CASE WHEN late_marks = ?11 THEN ?10 ELSE ?9 END, ${DONE} late_marks = ?11 ${DONE_END}
    WHERE ${IS_PLACE} AND generation = ?3`;
  const values = [row.day, row.partition, row.generation, folder, rows, merchants, bytes, duplicates];
  const commit = db.prepare(text).bind(...values, now, cleanAt, row.lateMarks, generation);
  const isDone = { sql: `${EXISTS_PLACE} AND folder = ?)`, values: [row.day, row.partition, folder] };
  await db.batch([commit, settleUncounted(db, row, isDone), ...also]);
}

/** Late events were counted and stay beside the sealed files. Those that came meanwhile keep waiting. */
export async function commitLate(db: Ledger, { row, now }: { row: SealRow; now: number }): Promise<void> {
  const text = `UPDATE archive_days SET due_at = CASE WHEN late_marks = ?4 THEN clean_at ELSE ?5 END,
      ${DONE} late_marks = ?4 ${DONE_END} WHERE ${IS_PLACE} AND generation = ?3`;
  const commit = db.prepare(text).bind(row.day, row.partition, row.generation, row.lateMarks, now);
  const isDone = { sql: `${EXISTS_PLACE} AND generation = ?)`, values: [row.day, row.partition, row.generation] };
  await db.batch([commit, settleUncounted(db, row, isDone)]);
}

/**
 * In the transaction in which a recount ends: from here on readers find what it has counted in rollups (places.ts).
 * Events that came after its row was read have grown the marks, and stay.
 */
function settleUncounted(
  db: Ledger,
  { day, partition, lateMarks }: Pick<SealRow, "day" | "partition" | "lateMarks">,
  isDone: { readonly sql: string; readonly values: readonly (string | number)[] },
): D1PreparedStatement {
  return db
    .prepare(`DELETE FROM uncounted WHERE day = ? AND "partition" = ? AND marks <= ? AND ${isDone.sql}`)
    .bind(day, partition, lateMarks, ...isDone.values);
}

/** What the last seal stood on is deleted; `again` (UTC ms) is when it is looked for once more, null for never. */
export async function commitClean(db: Ledger, { row, again }: { row: SealRow; again: number | null }): Promise<void> {
  const text = `UPDATE archive_days SET clean_at = ?4, due_at = CASE WHEN late_since IS NULL THEN ?4 ELSE due_at END
    WHERE ${IS_PLACE} AND generation = ?3`;
  await select(db, [text, row.day, row.partition, row.generation, again]);
}

/** Nothing was sealed, because something is still on its way: what, and that it is looked for again soon. */
export async function waitSeal(
  db: Ledger,
  { row, why, now }: { row: SealRow; why: string; now: number },
): Promise<void> {
  const text = `UPDATE archive_days SET error = ?3, due_at = ?4 WHERE ${IS_PLACE}`;
  await select(db, [text, row.day, row.partition, why, now + SEAL_RETRY_MS]);
}

/** Sealing failed: why, and when it is tried again. */
export async function postponeSeal(
  db: Ledger,
  { row, why, now }: { row: SealRow; why: string; now: number },
): Promise<void> {
  const waitMs = Math.min(SEAL_RETRY_MS * 2 ** Math.min(row.attempts, 20), SEAL_RETRY_MAX_MS);
  const text = `UPDATE archive_days SET attempts = attempts + 1, error = ?3, due_at = ?4
    WHERE ${IS_PLACE} AND generation = ?5 AND attempts = ?6 AND (due_at IS NOT NULL OR unpacked > 0)`;
  const values = [why, now + waitMs, row.generation, row.attempts];
  await select(db, [text, row.day, row.partition, ...values]);
}

async function selectRows(db: Ledger, bound: Bound): Promise<readonly SealRow[]> {
  const rows = await select<Omit<SealRow, "shown"> & { readonly shown: string }>(db, bound);
  return rows.map((row) => ({ ...row, shown: JSON.parse(row.shown) as SealRow["shown"] }));
}
