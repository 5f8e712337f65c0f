// Replay jobs and their parts in D1. All that a job is lies in these rows: a message only says "look at this part", so
// losing or repeating one changes nothing. Each change of state is one conditional statement, and whoever comes second
// finds the condition gone. `replay-start.ts` makes them; `replay-write.ts` has the rows a rebuild replaces.

import type { DimensionName } from "../../core/counting/dimension.ts";
import type { ReplayPart } from "../../core/counting/replay-part.ts";
import {
  REPLAY_KEPT_MS,
  REPLAY_LIST_MAX,
  REPLAY_PART_STALE_MS,
  REPLAY_PARTS_PRUNED,
  REPLAY_PARTS_SENT_MAX,
} from "../../core/limits.ts";
import type { PastZone } from "../../core/merchant.ts";
import type { Rules } from "../../core/rules.ts";
import { areUnchanged, putTimeline, seenVersions, type TimelineChange } from "../directory/rules.ts";
import type {
  AppliedRules,
  PartState,
  PartTotal,
  ReplayKind,
  ReplayRules,
  ReplayState,
  ShownDifference,
} from "../schema.ts";
import { type Bound, select } from "../statement.ts";
import { endGoalsInTheWay, sharesMerchant } from "./replay-start.ts";

export interface ReplayJob {
  readonly id: string;
  readonly kind: ReplayKind;
  readonly state: ReplayState;
  /** Numbers of Days in [fromDay, toDay). */
  readonly fromDay: number;
  readonly toDay: number;
  /** Undefined for all. */
  readonly merchants: readonly number[] | undefined;
  readonly createdAt: number;
  readonly finishedAt: number | null;
  readonly rules: ReplayRules;
  /** The rules of a draft. Not in lists of jobs. */
  readonly draft: Rules | undefined;
  readonly applied: readonly AppliedRules[] | undefined;
  readonly dimensions: readonly DimensionName[] | undefined;
  /** A zone that a verify tries out on its Days, or that a rebuild puts on them. */
  readonly pastZone?: PastZone | undefined;
}

/** Jobs of goals, in a statement. */
const OF_GOALS = "('goals', 'goals_due')";

/** Whether the job put rules on timelines, or a zone on past Days, which its undo takes back. */
export function hasApplied({ kind, rules, pastZone }: ReplayJob): boolean {
  return kind !== "verify" && (rules === "current" || pastZone !== undefined);
}

/** Whether the job puts goals on past Days and nothing else: that changes no answer, and is not taken back. */
export function isOfGoals({ rules }: Pick<ReplayJob, "rules">): boolean {
  return rules === "goals" || rules === "goals_due";
}

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

export async function findJob(db: D1Database, id: string): Promise<ReplayJob | undefined> {
  const rows = await select<StoredJob>(db, ["SELECT * FROM replay_jobs WHERE id = ?", id]);
  return rows[0] && toJob(rows[0]);
}

/** The latest jobs, newest first: all, or those of one merchant alone. */
export async function listJobs(
  db: D1Database,
  { merchant, rowsMax }: { merchant: number | undefined; rowsMax: number },
): Promise<readonly ReplayJob[]> {
  const text = `SELECT id, kind, state, from_day, to_day, merchants, created_at, finished_at, rules, NULL AS draft, applied,
    dimensions, past_zone FROM replay_jobs WHERE ?1 IS NULL OR merchants = ?1 ORDER BY created_at DESC, id LIMIT ?2`;
  return (await select<StoredJob>(db, [text, aloneOf(merchant), rowsMax])).map(toJob);
}

/** Jobs of one merchant alone: those that have not ended, and those asked for since `since` (UTC ms). */
export async function countJobs(
  db: D1Database,
  { merchant, since }: { merchant: number; since: number },
): Promise<{ readonly active: number; readonly recent: number }> {
  const text = `SELECT total(state IN ('running', 'paused', 'undoing')) AS active, total(created_at > ?2) AS recent
    FROM replay_jobs WHERE merchants = ?1 AND rules != 'goals_due'`;
  const [counts] = await select<{ active: number; recent: number }>(db, [text, aloneOf(merchant), since]);
  return counts ?? { active: 0, recent: 0 };
}

/** The latest job of one merchant's goals. */
export async function findGoalsJob(db: D1Database, merchant: number): Promise<ReplayJob | undefined> {
  const text = `SELECT * FROM replay_jobs WHERE merchants = ? AND rules IN ${OF_GOALS} ORDER BY created_at DESC LIMIT 1`;
  const [row] = await select<StoredJob>(db, [text, aloneOf(merchant)]);
  return row && toJob(row);
}

/** The backfill of one merchant's goals that is under way. */
export async function findGoalsUnderWay(db: D1Database, merchant: number): Promise<string | undefined> {
  const text = `SELECT id FROM replay_jobs WHERE state IN ('running', 'paused') AND merchants = ? AND rules IN ${OF_GOALS} LIMIT 1`;
  const [row] = await select<{ readonly id: string }>(db, [text, aloneOf(merchant)]);
  return row?.id;
}

/** How the merchants of a job of one merchant alone are stored. */
function aloneOf(merchant: number | undefined): string | null {
  return merchant === undefined ? null : JSON.stringify([merchant]);
}

/** Jobs that something is still to be done for. */
export async function listActiveJobs(db: D1Database): Promise<readonly string[]> {
  const text = "SELECT id FROM replay_jobs WHERE state IN ('running', 'undoing')";
  return (await select<{ id: string }>(db, [text])).map(({ id }) => id);
}

export async function findPart(db: D1Database, part: ReplayPart): Promise<PartState | undefined> {
  const text = `SELECT state FROM replay_parts WHERE job = ? AND day = ? AND "partition" = ?`;
  const rows = await select<{ state: PartState }>(db, [text, part.job, part.day, part.partition]);
  return rows[0]?.state;
}

/** What a part came to. Of two runs of the same part the first to end is recorded; both have seen or written the same. */
export async function finishPart(
  db: D1Database,
  { part, result }: { part: ReplayPart; result: PartResult },
): Promise<void> {
  const { events, buckets, differences, inDoubt, unpublished, written = 0, durationMs, shown, totals } = result;
  // What was replaced is counted from what is kept: a run that died half way has its share in it.
  const text = `UPDATE replay_parts SET state = 'done', error = '', events = ?, buckets = ?, differences = ?, in_doubt = ?,
    unpublished = ?, duration_ms = ?, shown = ?, totals = ?, replaced = ? + (SELECT count(*) FROM replay_undo
      WHERE job = replay_parts.job AND day = replay_parts.day AND "partition" = replay_parts."partition")
    WHERE job = ? AND day = ? AND "partition" = ? AND state = 'waiting'`;
  const values = [events, buckets, differences, inDoubt, unpublished, durationMs];
  const lists = [JSON.stringify(shown), JSON.stringify(totals)];
  await write(db, [text, ...values, ...lists, written, part.job, part.day, part.partition]);
}

/** Notes why a part failed; with `gaveUp` it waits for somebody to resume the job. */
export async function failPart(
  db: D1Database,
  { part, error, gaveUp }: { part: ReplayPart; error: string; gaveUp: boolean },
): Promise<void> {
  const text = `UPDATE replay_parts SET error = ?, state = CASE WHEN ? AND state = 'waiting' THEN 'failed' ELSE state END
    WHERE job = ? AND day = ? AND "partition" = ?`;
  await write(db, [text, error, gaveUp ? 1 : 0, part.job, part.day, part.partition]);
}

export async function markUndone(db: D1Database, part: ReplayPart): Promise<void> {
  const text = `UPDATE replay_parts SET state = 'undone' WHERE job = ? AND day = ? AND "partition" = ?
    AND EXISTS (SELECT 1 FROM replay_jobs WHERE id = job AND state = 'undoing')`;
  await write(db, [text, part.job, part.day, part.partition]);
}

/** What is left to do of a job ?1, in its state. */
const LEFT = `job = ?1 AND state != 'undone' AND (state = 'waiting' OR 'undoing' = (SELECT state FROM replay_jobs WHERE id = ?1))
  AND (SELECT state FROM replay_jobs WHERE id = ?1) IN ('running', 'undoing')`;

/**
 * Takes the next parts whose messages are to be sent, and notes that they were. A message that is lost, with its sender or
 * later, is sent again when it has been away longer than any consumer runs.
 */
export async function takeParts(
  db: D1Database,
  { job, now }: { job: string; now: number },
): Promise<readonly ReplayPart[]> {
  const text = `UPDATE replay_parts SET sent_at = ?2 WHERE job = ?1 AND (day, "partition") IN (
      SELECT day, "partition" FROM replay_parts WHERE ${LEFT} AND sent_at < ?3 ORDER BY day, "partition"
      LIMIT max(0, ${REPLAY_PARTS_SENT_MAX} - (SELECT count(*) FROM replay_parts WHERE ${LEFT} AND sent_at >= ?3)))
    RETURNING job, day, "partition"`;
  return select<ReplayPart>(db, [text, job, now, now - REPLAY_PART_STALE_MS]);
}

/** Ends a job that has nothing left to do; whether it did. Parts that failed are left for somebody to see. */
export async function finishJob(db: D1Database, { job, now }: { job: string; now: number }): Promise<boolean> {
  const text = `UPDATE replay_jobs SET state = CASE state WHEN 'running' THEN 'done' ELSE 'undone' END, finished_at = ?2
    WHERE id = ?1 AND state IN ('running', 'undoing') AND NOT EXISTS (SELECT 1 FROM replay_parts WHERE ${LEFT}) RETURNING id`;
  return (await select(db, [text, job, now])).length > 0;
}

/** A change of state that somebody asks for: from which states, with what consequences for the parts. */
export type ReplayVerb = "pause" | "resume" | "cancel" | "undo";

export interface JobChange {
  readonly job: ReplayJob;
  readonly verb: ReplayVerb;
  /** UTC ms. */
  readonly now: number;
  /** Timelines without what the job applied, for the verbs that take it back. */
  readonly taken?: readonly TimelineChange[];
}

/**
 * Does what the verb says, where the job's state allows it; false where it does not. What runs at the moment goes on to the
 * end of its merchant and then finds that it may not write any more.
 */
export async function changeJob(db: D1Database, { job, verb, now, taken = [] }: JobChange): Promise<boolean> {
  if (verb !== "pause" && !isOfGoals(job)) await endGoalsInTheWay(db, { ...job, createdAt: now });
  const isTakenBack = hasApplied(job) && (verb === "undo" || verb === "cancel");
  const change = isTakenBack && verb === "cancel" ? CANCEL_APPLIED : CHANGES[verb];
  const seen = seenVersions(taken);
  const bound = (text: string) => db.prepare(text).bind(job.fromDay, job.toDay, job.id, now, seen);
  // Every statement names all parameters: D1 refuses some that are bound and not named.
  const named = "?1 IS NOT NULL AND ?2 IS NOT NULL AND ?4 IS NOT NULL AND ?5 IS NOT NULL";
  const results = await db.batch([
    bound(`UPDATE replay_jobs SET ${change.sets} WHERE id = ?3 AND ${named} AND ${areUnchanged("?5")}
      AND ${change.where}`),
    ...change.parts.map((text) => bound(`${text} AND ${named}`)),
    // A second undo finds nothing applied any more, and takes nothing back.
    ...taken.map((one) => putTimeline(db, one, { job: job.id, where: `state = 'undoing' AND ${IS_APPLIED}` })),
    ...(isTakenBack
      ? [db.prepare("UPDATE replay_jobs SET applied = NULL WHERE id = ? AND state = 'undoing'").bind(job.id)]
      : []),
  ]);
  return (results[0]?.meta.changes ?? 0) > 0;
}

/** A rebuild of the same Days that came later and stands: what it kept is what this one wrote. */
const REBUILT_SINCE = `EXISTS (SELECT 1 FROM replay_jobs AS other WHERE other.kind != 'verify' AND other.state != 'undone'
  AND other.rules NOT IN ${OF_GOALS} AND other.created_at > replay_jobs.created_at AND other.from_day < ?2 AND other.to_day > ?1
  AND ${sharesMerchant("replay_jobs.merchants")})`;
const HAS_FAILED = "EXISTS (SELECT 1 FROM replay_parts WHERE job = ?3 AND state = 'failed')";
const NOBODY_WRITES = `NOT EXISTS (SELECT 1 FROM replay_jobs AS other WHERE other.id != ?3 AND other.kind != 'verify'
  AND other.state IN ('running', 'paused', 'undoing') AND other.from_day < ?2 AND other.to_day > ?1
  AND ${sharesMerchant("replay_jobs.merchants")})`;

/**
 * Whether a job ended so long ago that what it kept is deleted. A zone of the past stays until it is taken back, however
 * late: that needs the job's parts.
 */
function whetherOver(now: string): string {
  return `(finished_at IS NOT NULL AND finished_at <= ${now} - ${REPLAY_KEPT_MS}
    AND (past_zone IS NULL OR kind = 'verify' OR state = 'undone'))`;
}

const CHANGES: Record<ReplayVerb, { sets: string; where: string; parts: readonly string[] }> = {
  pause: { sets: "state = 'paused'", where: "state = 'running'", parts: [] },
  resume: {
    sets: "state = 'running', finished_at = NULL",
    where: `NOT ${whetherOver("?4")} AND (state = 'paused' OR (state IN ('running', 'done') AND ${HAS_FAILED}
      AND (kind = 'verify' OR (${NOBODY_WRITES} AND NOT ${REBUILT_SINCE}))))`,
    parts: [
      `UPDATE replay_parts SET state = 'waiting', sent_at = 0 WHERE job = ?3 AND state IN ('waiting', 'failed')
        AND EXISTS (SELECT 1 FROM replay_jobs WHERE id = ?3 AND state = 'running')`,
    ],
  },
  cancel: { sets: "state = 'cancelled', finished_at = ?4", where: "state IN ('running', 'paused')", parts: [] },
  undo: {
    sets: "state = 'undoing', finished_at = NULL",
    where: `NOT ${whetherOver("?4")} AND kind != 'verify' AND rules NOT IN ${OF_GOALS} AND state IN ('done', 'cancelled', 'paused') AND ${NOBODY_WRITES} AND NOT ${REBUILT_SINCE}`,
    parts: [
      `UPDATE replay_parts SET sent_at = 0 WHERE job = ?3
        AND EXISTS (SELECT 1 FROM replay_jobs WHERE id = ?3 AND state = 'undoing')`,
    ],
  },
};

/** What rules changed must not stay half changed: to cancel a job that has applied some is to undo it. */
const CANCEL_APPLIED = { ...CHANGES.undo, where: CHANGES.cancel.where };

/** What a job has put on timelines is on them still: rules are noted in `applied`, which its undo empties; a zone is looked for. */
const IS_APPLIED = "(applied IS NOT NULL OR past_zone IS NOT NULL)";

/** The same of a job at hand. */
export function isOver({ finishedAt, pastZone, kind, state }: ReplayJob, now: number): boolean {
  const stands = pastZone !== undefined && kind !== "verify" && state !== "undone";
  return finishedAt !== null && finishedAt <= now - REPLAY_KEPT_MS && !stands;
}

/**
 * Deletes some parts of jobs that are long over, with what they kept for an undo; false where there were none. The jobs
 * themselves stay. Running it again finds the next ones.
 */
export async function pruneJobs(db: D1Database, now: number): Promise<boolean> {
  const text = `SELECT job, day, "partition" FROM replay_parts WHERE job IN (SELECT id FROM replay_jobs
      WHERE state IN ('done', 'cancelled', 'undone') AND ${whetherOver("?1")}) LIMIT ${REPLAY_PARTS_PRUNED}`;
  const parts = await select<ReplayPart>(db, [text, now]);
  if (parts.length === 0) return false;
  const jobs = [...new Set(parts.map(({ job }) => job))];
  const inPart = `job = ? AND day = ? AND "partition" = ?`;
  await db.batch([
    ...parts.flatMap(({ job, day, partition }) =>
      ["replay_undo", "replay_parts"].map((table) =>
        db.prepare(`DELETE FROM ${table} WHERE ${inPart}`).bind(job, day, partition),
      ),
    ),
    // Of a zone that was taken back some rows may lie under Days that no part is of.
    ...jobs.map((job) =>
      db
        .prepare("DELETE FROM replay_undo WHERE job = ?1 AND NOT EXISTS (SELECT 1 FROM replay_parts WHERE job = ?1)")
        .bind(job),
    ),
  ]);
  return true;
}

/** How far a job is. */
export async function readProgress(db: D1Database, job: string): Promise<ReplayProgress> {
  const text = `SELECT count(*) AS parts, total(state = 'done') AS done, total(state = 'failed') AS failed,
    total(state = 'undone') AS undone, total(events) AS events, total(buckets) AS buckets,
    total(differences) AS differences, total(in_doubt) AS inDoubt, total(unpublished) AS unpublished,
    total(replaced) AS replaced, total(duration_ms) AS durationMs FROM replay_parts WHERE job = ?`;
  const [progress] = await select<ReplayProgress>(db, [text, job]);
  return progress as ReplayProgress;
}

/** The sums of what a verify's parts kept, of the first merchants that have a number that differs. */
export async function listTotals(db: D1Database, job: string): Promise<readonly JobTotal[]> {
  const text = `WITH sums AS (SELECT value ->> 0 AS merchant, value ->> 1 AS what, sum(value ->> 2) AS before,
      sum(value ->> 3) AS after FROM replay_parts, json_each(totals) WHERE job = ? GROUP BY 1, 2)
    SELECT * FROM sums WHERE merchant IN (SELECT DISTINCT merchant FROM sums WHERE before != after ORDER BY merchant LIMIT ?)
    ORDER BY merchant, what`;
  return select<JobTotal>(db, [text, job, REPLAY_LIST_MAX]);
}

export interface JobTotal {
  readonly merchant: number;
  readonly what: string;
  readonly before: number;
  readonly after: number;
}

export interface PartOutcome {
  readonly day: number;
  readonly partition: string;
  readonly state: PartState;
  readonly shown: readonly ShownDifference[];
  readonly error: string;
}

/** The first parts that differ, and those that failed. */
export async function listOutcomes(db: D1Database, job: string): Promise<readonly PartOutcome[]> {
  const text = `SELECT day, "partition", state, shown, error FROM replay_parts
    WHERE job = ? AND (shown != '[]' OR error != '') ORDER BY state = 'failed' DESC, day, "partition" LIMIT ?`;
  const rows = await select<Omit<PartOutcome, "shown"> & { shown: string }>(db, [text, job, REPLAY_LIST_MAX]);
  return rows.map((row) => ({ ...row, shown: JSON.parse(row.shown) as PartOutcome["shown"] }));
}

interface StoredJob {
  readonly id: string;
  readonly kind: ReplayKind;
  readonly state: ReplayState;
  readonly from_day: number;
  readonly to_day: number;
  readonly merchants: string | null;
  readonly created_at: number;
  readonly finished_at: number | null;
  readonly rules: ReplayRules;
  readonly draft: string | null;
  readonly applied: string | null;
  readonly dimensions: string | null;
  readonly past_zone: string | null;
}

function toJob(row: StoredJob): ReplayJob {
  return {
    id: row.id,
    kind: row.kind,
    state: row.state,
    fromDay: row.from_day,
    toDay: row.to_day,
    merchants: parsed<readonly number[]>(row.merchants),
    createdAt: row.created_at,
    finishedAt: row.finished_at,
    rules: row.rules,
    draft: parsed<Rules>(row.draft),
    applied: parsed<readonly AppliedRules[]>(row.applied),
    dimensions: parsed<readonly DimensionName[]>(row.dimensions),
    pastZone: parsed<PastZone>(row.past_zone),
  };
}

function parsed<T>(json: string | null): T | undefined {
  return json === null ? undefined : (JSON.parse(json) as T);
}

async function write(db: D1Database, bound: Bound): Promise<void> {
  await select(db, bound);
}

/**
 * How many jobs have been undone; undefined while one is being undone. An undo is the only writer that gives a row a lower
 * version, after which a version may come again with other numbers.
 */
export async function countUndone(db: D1Database): Promise<number | undefined> {
  const text = `SELECT total(state = 'undone') AS undone, total(state = 'undoing') AS undoing FROM replay_jobs
    WHERE state IN ('undone', 'undoing')`;
  const { results } = await db.prepare(text).all<{ readonly undone: number; readonly undoing: number }>();
  const [found] = results;
  return found === undefined || found.undoing > 0 ? undefined : found.undone;
}
