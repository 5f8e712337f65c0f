// Parts of replay jobs in the ledger that has their partition's numbers, and the fence of each job: its state as far as
// this ledger knows. What a job writes looks at the fence in the same transaction (replay-write.ts), so the header in
// the directory may change at any moment, and nothing is written any more once the fence has followed. A fence only
// follows to a higher epoch, so writing one late or twice changes nothing. All that is left to do lies in these rows: a
// message only says "look at this part", and losing or repeating one changes nothing.

import type { ReplayPart } from "../../core/counting/replay-part.ts";
import { FOLDERS_APART_MAX, REPLAY_LIST_MAX, REPLAY_PART_STALE_MS, REPLAY_PARTS_PRUNED } from "../../core/limits.ts";
import type { JobHeader, ReplayJob } from "../directory/replay-job.ts";
import type { ReplayState } from "../directory/schema.ts";
import { type Bound, select } from "../statement.ts";
import type { Ledger } from "./ledgers.ts";
import type { PartState, PartTotal, ShownDifference } from "./schema.ts";
import { fenceStatement, type ScopeVersion } from "./settings-fence.ts";

/** What one part came to. */
export interface PartResult {
  readonly events: number;
  readonly buckets: number;
  readonly differences: number;
  readonly inDoubt: number;
  readonly unpublished: number;
  /** Buckets that were written and that no undo puts back. */
  readonly written?: number;
  readonly durationMs: number;
  readonly shown: readonly ShownDifference[];
  readonly totals: readonly PartTotal[];
}

/** The sums over a job's parts. */
export interface ReplayProgress extends Omit<PartResult, "shown" | "totals" | "written"> {
  readonly parts: number;
  readonly done: number;
  readonly failed: number;
  readonly undone: number;
  readonly replaced: number;
}

/**
 * Some Days of a job's merchants are being erased while it puts a zone on them: an erasure names Days as they were
 * shown when it was asked for.
 */
const ERASES_THERE = `(?4 IS NOT NULL AND EXISTS (SELECT 1 FROM erasures AS e, json_each(?3) AS ours
  WHERE e.merchant = ours.value AND e.state = 'running' AND e.from_day > 0
    AND e.from_day < ?2 + ${FOLDERS_APART_MAX} AND e.to_day > ?1 - ${FOLDERS_APART_MAX}))`;
const HAS_ENDED = `EXISTS (SELECT 1 FROM settings_fences AS f, json_each(?3) AS ours
  WHERE f.merchant = ours.value AND f.ended = 1)`;

export interface LaidJob {
  readonly job: ReplayJob;
  /** Those of this ledger. */
  readonly parts: readonly ReplayPart[];
  /** The versions of settings that the job is about to write. */
  readonly settings: readonly ScopeVersion[];
}

/**
 * Lays a job's parts into a ledger, with its fence and those of the settings it will change: all or nothing.
 * Doing it again changes nothing; nor does it once the start was given up, however late it comes: then there
 * is a fence of a later epoch.
 */
export async function layParts(
  ledger: Ledger,
  { job, parts, settings }: LaidJob,
): Promise<"laid" | "erasing" | "ended"> {
  const { id, kind, fromDay, toDay, merchants, pastZone } = job;
  const named = merchants === undefined ? null : JSON.stringify(merchants);
  const asked = [fromDay, toDay, named, pastZone === undefined ? null : JSON.stringify(pastZone)] as const;
  const places = JSON.stringify(parts.map(({ day, partition }) => [day, partition]));
  const isStarting = "EXISTS (SELECT 1 FROM job_fences WHERE job = ? AND state = 'starting')";
  const results = await ledger.batch<{ readonly erasing: number; readonly ended: number; readonly state: string }>([
    ledger.prepare(`SELECT ${ERASES_THERE} AS erasing, ${HAS_ENDED} AS ended`).bind(...asked),
    ledger
      .prepare(
        `INSERT INTO job_fences (job, kind, merchant, state, epoch, zoned) SELECT ?5, ?6, ?7, 'starting', 1, ?8
         WHERE NOT ${ERASES_THERE} AND NOT ${HAS_ENDED} ON CONFLICT DO NOTHING`,
      )
      .bind(...asked, id, kind, aloneOf(merchants), kind === "rebuild" && pastZone !== undefined ? 1 : 0),
    ledger
      .prepare(
        `INSERT INTO replay_parts (job, day, "partition", state, sent_at, events, buckets, differences, in_doubt,
           unpublished, replaced, duration_ms, shown, totals, error)
         SELECT ?1, value ->> 0, value ->> 1, 'waiting', 0, 0, 0, 0, 0, 0, 0, 0, '[]', '[]', '' FROM json_each(?2)
         WHERE ${isStarting.replace("?", "?1")} ON CONFLICT DO NOTHING`,
      )
      .bind(id, places),
    ...settings.map((one) => fenceStatement(ledger, one, { where: isStarting, values: [id] })),
    ledger.prepare("SELECT state FROM job_fences WHERE job = ?").bind(id),
  ]);
  if (results.at(-1)?.results[0]?.state === "starting") return "laid";
  return results[0]?.results[0]?.erasing === 1 ? "erasing" : "ended";
}

/** The one merchant a job is of; null for jobs of several or all. */
function aloneOf(merchants: readonly number[] | undefined): number | null {
  return merchants?.length === 1 ? (merchants[0] as number) : null;
}

/**
 * Says in a ledger which state a job has, with what that means for its parts: those of a job that goes on, or is
 * undone, are to be sent again. A state of an earlier epoch changes nothing.
 */
export async function putFence(
  ledger: Ledger,
  { id, kind, merchants, state, epoch }: Pick<JobHeader, "id" | "kind" | "merchants" | "state" | "epoch">,
): Promise<void> {
  const isNews = "coalesce((SELECT epoch FROM job_fences WHERE job = ?1), 0) < ?2";
  const sends =
    state === "running"
      ? `UPDATE replay_parts SET state = 'waiting', sent_at = 0 WHERE job = ?1 AND state IN ('waiting', 'failed') AND ${isNews}`
      : `UPDATE replay_parts SET sent_at = 0 WHERE job = ?1 AND ${isNews}`;
  await ledger.batch([
    ...(state === "running" || state === "undoing" ? [ledger.prepare(sends).bind(id, epoch)] : []),
    ...(state === "abandoned" ? [ledger.prepare("DELETE FROM replay_parts WHERE job = ?").bind(id)] : []),
    ledger
      .prepare(
        `INSERT INTO job_fences (job, kind, merchant, state, epoch) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (job) DO UPDATE SET state = excluded.state, epoch = excluded.epoch WHERE excluded.epoch > epoch`,
      )
      .bind(id, kind, aloneOf(merchants), state, epoch),
  ]);
}

export interface FoundPart {
  readonly state: PartState;
  /** The job's, as this ledger knows it. */
  readonly job: ReplayState;
  readonly epoch: number;
}

export async function findPart(ledger: Ledger, part: ReplayPart): Promise<FoundPart | undefined> {
  const text = `SELECT p.state, f.state AS job, f.epoch FROM replay_parts AS p JOIN job_fences AS f ON f.job = p.job
    WHERE p.job = ? AND p.day = ? AND p."partition" = ?`;
  return (await select<FoundPart>(ledger, [text, part.job, part.day, part.partition]))[0];
}

/**
 * What a part came to, where its job has run all the time since the part began: in the epoch it was begun in. Otherwise
 * some of its rows may have been refused, and it is counted once more. Of two runs of the same part the first to end is
 * recorded; both have seen or written the same.
 */
export async function finishPart(
  ledger: Ledger,
  { part, result, epoch }: { part: ReplayPart; result: PartResult; epoch: number },
): Promise<void> {
  const { events, buckets, differences, inDoubt, unpublished, written = 0, durationMs, shown, totals } = result;
  // What was replaced is counted from what is kept: a run that died half way has its share in it.
  const text = `UPDATE replay_parts SET state = 'done', error = '', events = ?, buckets = ?, differences = ?, in_doubt = ?,
    unpublished = ?, duration_ms = ?, shown = ?, totals = ?, replaced = ? + (SELECT count(*) FROM replay_undo
      WHERE job = replay_parts.job AND day = replay_parts.day AND "partition" = replay_parts."partition")
    WHERE job = ? AND day = ? AND "partition" = ? AND state = 'waiting'
      AND EXISTS (SELECT 1 FROM job_fences WHERE job = replay_parts.job AND state = 'running' AND epoch = ?)`;
  const values = [events, buckets, differences, inDoubt, unpublished, durationMs];
  const lists = [JSON.stringify(shown), JSON.stringify(totals)];
  await write(ledger, [text, ...values, ...lists, written, part.job, part.day, part.partition, epoch]);
}

/** Notes why a part failed; with `gaveUp` it waits for somebody to resume the job. */
export async function failPart(
  ledger: Ledger,
  { part, error, gaveUp }: { part: ReplayPart; error: string; gaveUp: boolean },
): Promise<void> {
  const text = `UPDATE replay_parts SET error = ?, state = CASE WHEN ? AND state = 'waiting' THEN 'failed' ELSE state END
    WHERE job = ? AND day = ? AND "partition" = ?`;
  await write(ledger, [text, error, gaveUp ? 1 : 0, part.job, part.day, part.partition]);
}

export async function markUndone(ledger: Ledger, part: ReplayPart): Promise<void> {
  const text = `UPDATE replay_parts SET state = 'undone' WHERE job = ? AND day = ? AND "partition" = ?
    AND EXISTS (SELECT 1 FROM job_fences WHERE job_fences.job = replay_parts.job AND job_fences.state = 'undoing')`;
  await write(ledger, [text, part.job, part.day, part.partition]);
}

/** What is left to do of a job ?1, in its state. */
const LEFT = `job = ?1 AND state != 'undone' AND (state = 'waiting' OR 'undoing' = (SELECT state FROM job_fences WHERE job = ?1))
  AND (SELECT state FROM job_fences WHERE job = ?1) IN ('running', 'undoing')`;

/**
 * Takes the next parts whose messages are to be sent, and notes that they were. A message that is lost, with its sender
 * or later, is sent again when it has been away longer than any consumer runs.
 */
export async function takeParts(
  ledger: Ledger,
  { job, now, sentMax }: { readonly job: string; readonly now: number; readonly sentMax: number },
): Promise<readonly ReplayPart[]> {
  const text = `UPDATE replay_parts SET sent_at = ?2 WHERE job = ?1 AND (day, "partition") IN (
      SELECT day, "partition" FROM replay_parts WHERE ${LEFT} AND sent_at < ?3 ORDER BY day, "partition"
      LIMIT max(0, ?4 - (SELECT count(*) FROM replay_parts WHERE ${LEFT} AND sent_at >= ?3)))
    RETURNING job, day, "partition"`;
  return select<ReplayPart>(ledger, [text, job, now, now - REPLAY_PART_STALE_MS, sentMax]);
}

/**
 * Whether a ledger knows a job's epoch and has nothing left to do for it. Parts that failed are left for somebody to
 * see.
 */
export async function hasEnded(
  ledger: Ledger,
  { id, epoch }: { readonly id: string; readonly epoch: number },
): Promise<boolean> {
  const text = `SELECT (SELECT epoch FROM job_fences WHERE job = ?1) IS ?2
    AND NOT EXISTS (SELECT 1 FROM replay_parts WHERE ${LEFT}) AS ended`;
  return (await select<{ readonly ended: number }>(ledger, [text, id, epoch]))[0]?.ended === 1;
}

export async function hasFailedParts(ledger: Ledger, job: string): Promise<boolean> {
  const text = "SELECT 1 FROM replay_parts WHERE job = ? AND state = 'failed' LIMIT 1";
  return (await select(ledger, [text, job])).length > 0;
}

/**
 * Deletes some parts of a job that is long over, with what they kept for an undo; false where there were none. The
 * fence stays: jobs that were undone are counted by it.
 */
export async function pruneParts(ledger: Ledger, job: string): Promise<boolean> {
  const text = `SELECT day, "partition" FROM replay_parts WHERE job = ? LIMIT ${REPLAY_PARTS_PRUNED}`;
  const parts = await select<Omit<ReplayPart, "job">>(ledger, [text, job]);
  await ledger.batch([
    ...parts.flatMap(({ day, partition }) =>
      ["replay_undo", "replay_parts"].map((table) =>
        ledger.prepare(`DELETE FROM ${table} WHERE job = ? AND day = ? AND "partition" = ?`).bind(job, day, partition),
      ),
    ),
    // Of a zone that was taken back some rows may lie under Days that no part is of.
    ledger
      .prepare("DELETE FROM replay_undo WHERE job = ?1 AND NOT EXISTS (SELECT 1 FROM replay_parts WHERE job = ?1)")
      .bind(job),
  ]);
  return parts.length > 0;
}

/** How far a job is in one ledger. */
export async function sumParts(ledger: Ledger, job: string): Promise<ReplayProgress> {
  const text = `SELECT count(*) AS parts, total(state = 'done') AS done, total(state = 'failed') AS failed,
    total(state = 'undone') AS undone, total(events) AS events, total(buckets) AS buckets,
    total(differences) AS differences, total(in_doubt) AS inDoubt, total(unpublished) AS unpublished,
    total(replaced) AS replaced, total(duration_ms) AS durationMs FROM replay_parts WHERE job = ?`;
  return (await select<ReplayProgress>(ledger, [text, job]))[0] as ReplayProgress;
}

export interface JobTotal {
  readonly merchant: number;
  readonly what: string;
  readonly before: number;
  readonly after: number;
}

/** The sums of what a verify's parts kept, of the first merchants of this ledger that have a number that differs. */
export async function sumTotals(ledger: Ledger, job: string): Promise<readonly JobTotal[]> {
  const text = `WITH sums AS (SELECT value ->> 0 AS merchant, value ->> 1 AS what, sum(value ->> 2) AS before,
      sum(value ->> 3) AS after FROM replay_parts, json_each(totals) WHERE job = ? GROUP BY 1, 2)
    SELECT * FROM sums WHERE merchant IN (SELECT DISTINCT merchant FROM sums WHERE before != after ORDER BY merchant LIMIT ?)
    ORDER BY merchant, what`;
  return select<JobTotal>(ledger, [text, job, REPLAY_LIST_MAX]);
}

export interface PartOutcome {
  readonly day: number;
  readonly partition: string;
  readonly state: PartState;
  readonly shown: readonly ShownDifference[];
  readonly error: string;
}

/** The first parts of this ledger that differ, and those that failed. */
export async function firstOutcomes(ledger: Ledger, job: string): Promise<readonly PartOutcome[]> {
  const text = `SELECT day, "partition", state, shown, error FROM replay_parts
    WHERE job = ? AND (shown != '[]' OR error != '') ORDER BY state = 'failed' DESC, day, "partition" LIMIT ?`;
  const rows = await select<Omit<PartOutcome, "shown"> & { shown: string }>(ledger, [text, job, REPLAY_LIST_MAX]);
  return rows.map((row) => ({ ...row, shown: JSON.parse(row.shown) as PartOutcome["shown"] }));
}

/**
 * Selects how many jobs have been undone in a ledger; null while one is being undone. An undo is the only writer that
 * gives a row a lower version, after which a version may come again with other numbers.
 */
export const UNDONE = `SELECT CASE WHEN total(state = 'undoing') = 0 THEN CAST(total(state = 'undone') AS INTEGER) END
  FROM job_fences WHERE state IN ('undone', 'undoing')`;

async function write(ledger: Ledger, bound: Bound): Promise<void> {
  await select(ledger, bound);
}
