// The headers of replay jobs in the directory: what was asked for, and in which state it is. Here it is decided which
// jobs may write at once. What a job's parts come to, and whether they may write at this moment, is in the ledgers
// (storage/ledger/replay-part.ts); `storage/replay.ts` does what changes both. Each change of state is one conditional
// statement that raises `epoch`; until all ledgers know it, `fenced` is behind, and the job counts as one that writes.

import type { DimensionName } from "../../core/counting/dimension.ts";
import { REPLAY_KEPT_MS, REPLAY_START_STALE_MS } from "../../core/limits.ts";
import type { PastZone } from "../../core/merchant.ts";
import type { Rules } from "../../core/rules.ts";
import { select } from "../statement.ts";
import type { Directory } from "./directory.ts";
import { areUnchanged, putTimeline, seenVersions, type TimelineChange } from "./rules.ts";
import type { AppliedRules, ReplayKind, ReplayRules, ReplayState } from "./schema.ts";

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
  /** The import that a rebuild lets count no more on its Days. */
  readonly importNumber?: number | undefined;
}

/** A job as it is stored: with what ties it to its ledgers. */
export interface JobHeader extends ReplayJob {
  /** Positions of the ledgers that have parts of it, or fences of settings it changes. */
  readonly ledgers: readonly number[];
  readonly epoch: number;
  readonly fenced: number;
}

/** Jobs of goals, in a statement. */
const OF_GOALS = "('goals', 'goals_due')";
/** Jobs that have begun: a start that has not come to its end is nobody's job yet. */
const IS_SHOWN = "state NOT IN ('starting', 'abandoned')";

/** Whether the job put rules on timelines, or a zone on past Days, or undid an import, which its undo takes back. */
export function hasApplied({ kind, rules, pastZone }: ReplayJob): boolean {
  return kind !== "verify" && (rules === "current" || rules === "without_import" || pastZone !== undefined);
}

/** Whether the job puts goals on past Days and nothing else: that changes no answer, and is not taken back. */
export function isOfGoals({ rules }: Pick<ReplayJob, "rules">): boolean {
  return rules === "goals" || rules === "goals_due";
}

/** A job that has begun. */
export async function findJob(directory: Directory, id: string): Promise<JobHeader | undefined> {
  const rows = await select<StoredJob>(directory, [`SELECT * FROM replay_jobs WHERE id = ? AND ${IS_SHOWN}`, id]);
  return rows[0] && toJob(rows[0]);
}

/** The same, also one that is only being started, or whose start was given up. */
export async function findHeader(directory: Directory, id: string): Promise<JobHeader | undefined> {
  const rows = await select<StoredJob>(directory, ["SELECT * FROM replay_jobs WHERE id = ?", id]);
  return rows[0] && toJob(rows[0]);
}

/** The latest jobs, newest first: all, or those of one merchant alone. */
export async function listJobs(
  directory: Directory,
  { merchant, rowsMax }: { merchant: number | undefined; rowsMax: number },
): Promise<readonly JobHeader[]> {
  const text = `SELECT id, kind, state, from_day, to_day, merchants, created_at, finished_at, rules, NULL AS draft, applied,
    dimensions, past_zone, import, ledgers, epoch, fenced FROM replay_jobs
    WHERE (?1 IS NULL OR merchants = ?1) AND ${IS_SHOWN} ORDER BY created_at DESC, id LIMIT ?2`;
  return (await select<StoredJob>(directory, [text, aloneOf(merchant), rowsMax])).map(toJob);
}

/** Jobs of one merchant alone: those that have not ended, and those asked for since `since` (UTC ms). */
export async function countJobs(
  directory: Directory,
  { merchant, since }: { merchant: number; since: number },
): Promise<{ readonly active: number; readonly recent: number }> {
  const text = `SELECT total(state IN ('starting', 'running', 'paused', 'undoing')) AS active, total(created_at > ?2) AS recent
    FROM replay_jobs WHERE merchants = ?1 AND rules != 'goals_due'`;
  const [counts] = await select<{ active: number; recent: number }>(directory, [text, aloneOf(merchant), since]);
  return counts ?? { active: 0, recent: 0 };
}

/** The jobs that undo imports of a merchant, redone ones too, the latest first. */
export async function listImportJobs(
  directory: Directory,
  merchant: number,
): Promise<readonly (JobHeader & { readonly importNumber: number })[]> {
  const text = `SELECT * FROM replay_jobs WHERE merchants = ? AND import IS NOT NULL AND ${IS_SHOWN} ORDER BY created_at DESC, id`;
  const rows = await select<StoredJob & { readonly import: number }>(directory, [text, aloneOf(merchant)]);
  return rows.map((row) => ({ ...toJob(row), importNumber: row.import }));
}

/**
 * Jobs of one merchant alone that are at work, the oldest first. Backfills of goals that started by themselves are not
 * among them.
 */
export async function listAtWork(directory: Directory, merchant: number): Promise<readonly string[]> {
  const text = `SELECT id FROM replay_jobs WHERE merchants = ? AND state IN ('running', 'undoing') AND rules != 'goals_due'
    ORDER BY created_at, id`;
  return (await select<{ id: string }>(directory, [text, aloneOf(merchant)])).map(({ id }) => id);
}

/** The latest job of one merchant's goals. */
export async function findGoalsJob(directory: Directory, merchant: number): Promise<JobHeader | undefined> {
  const text = `SELECT * FROM replay_jobs WHERE merchants = ? AND rules IN ${OF_GOALS} ORDER BY created_at DESC LIMIT 1`;
  const [row] = await select<StoredJob>(directory, [text, aloneOf(merchant)]);
  return row && toJob(row);
}

/** The backfill of one merchant's goals that is under way. */
export async function findGoalsUnderWay(directory: Directory, merchant: number): Promise<string | undefined> {
  const text = `SELECT id FROM replay_jobs WHERE state IN ('running', 'paused') AND merchants = ? AND rules IN ${OF_GOALS} LIMIT 1`;
  const [row] = await select<{ readonly id: string }>(directory, [text, aloneOf(merchant)]);
  return row?.id;
}

/** How the merchants of a job of one merchant alone are stored. */
function aloneOf(merchant: number | undefined): string | null {
  return merchant === undefined ? null : JSON.stringify([merchant]);
}

/** Jobs that something is still to be done for. */
export async function listActiveJobs(directory: Directory): Promise<readonly string[]> {
  const text = "SELECT id FROM replay_jobs WHERE state IN ('running', 'undoing')";
  return (await select<{ id: string }>(directory, [text])).map(({ id }) => id);
}

/**
 * Whether the job `other` and one of these merchants (JSON; null for all) have a merchant in common. Tenants are apart:
 * one merchant's rebuild holds up no other's, and rows of different merchants are never the same.
 */
function sharesMerchant(merchants: string): string {
  return `(other.merchants IS NULL OR ${merchants} IS NULL OR EXISTS (SELECT 1 FROM json_each(other.merchants) AS theirs,
    json_each(${merchants}) AS ours WHERE theirs.value = ours.value))`;
}

/** Whether a job may still write: it has not ended, or some ledger may not know yet that it has. */
const MAY_WRITE = "kind != 'verify' AND (state IN ('starting', 'running', 'paused', 'undoing') OR fenced < epoch)";
/** Such a job, with a Day in common with the numbered parameters ?1 and ?2. */
const WRITES_THERE = `${MAY_WRITE} AND from_day < ?2 AND to_day > ?1`;

/**
 * Cancels backfills of goals that started by themselves and are in the way of a job that somebody asks for, and names
 * them.
 */
export async function cancelGoalsInTheWay(
  directory: Directory,
  { fromDay, toDay, merchants, createdAt }: Pick<ReplayJob, "fromDay" | "toDay" | "merchants" | "createdAt">,
): Promise<readonly string[]> {
  const text = `UPDATE replay_jobs AS other SET state = 'cancelled', finished_at = ?4, epoch = epoch + 1
    WHERE rules = 'goals_due' AND state IN ('running', 'paused', 'undoing') AND from_day < ?2 AND to_day > ?1
    AND ${sharesMerchant("?3")} RETURNING id`;
  const rows = await select<{ id: string }>(directory, [text, fromDay, toDay, jsonOf(merchants), createdAt]);
  return rows.map(({ id }) => id);
}

export interface NewHeader {
  readonly job: ReplayJob;
  readonly ledgers: readonly number[];
  /** Timelines with the rules that the job applies to its Days. */
  readonly applies: readonly TimelineChange[];
}

/**
 * Makes a header that starts. "overlaps": another job that may write has a Day and a merchant in common with it.
 * "stale": settings were changed since they were read.
 */
export async function putHeader(
  directory: Directory,
  { job, ledgers, applies }: NewHeader,
): Promise<"made" | "overlaps" | "stale"> {
  const { id, kind, fromDay, toDay, createdAt, rules } = job;
  const seen = seenVersions(applies);
  const lists = [job.merchants, job.draft, job.applied, job.dimensions, job.pastZone].map(jsonOf);
  const results = await directory.batch<{ readonly fresh: number }>([
    directory.prepare(`SELECT ${areUnchanged("?1")} AS fresh`).bind(seen),
    directory
      .prepare(
        `INSERT INTO replay_jobs (from_day, to_day, id, kind, state, merchants, created_at, rules, draft, applied, dimensions,
           past_zone, ledgers, import, epoch, fenced)
         SELECT ?1, ?2, ?3, ?4, 'starting', ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?14, 1, 0
         WHERE ${areUnchanged("?13")} AND (?4 = 'verify' OR NOT EXISTS
           (SELECT 1 FROM replay_jobs AS other WHERE ${WRITES_THERE} AND ${sharesMerchant("?5")}))`,
      )
      .bind(
        fromDay,
        toDay,
        id,
        kind,
        lists[0] ?? null,
        createdAt,
        rules,
        ...lists.slice(1),
        JSON.stringify(ledgers),
        seen,
        job.importNumber ?? null,
      ),
  ]);
  if ((results[1]?.meta.changes ?? 0) > 0) return "made";
  return results[0]?.results[0]?.fresh === 1 ? "overlaps" : "stale";
}

/**
 * Lets a job run whose parts lie in all its ledgers, and applies its rules or zone in the same
 * transaction: so there are no rules without the job that takes them back. False where settings were
 * changed meanwhile, or the start was given up.
 */
export async function startHeader(
  directory: Directory,
  { job: { id }, applies }: Pick<NewHeader, "job" | "applies">,
): Promise<boolean> {
  const [started] = await directory.batch([
    directory
      .prepare(
        `UPDATE replay_jobs SET state = 'running', epoch = epoch + 1
         WHERE id = ?1 AND state = 'starting' AND ${areUnchanged("?2")}`,
      )
      .bind(id, seenVersions(applies)),
    ...applies.map((one) => putTimeline(directory, one, { job: id, where: "state = 'running'" })),
  ]);
  return (started?.meta.changes ?? 0) > 0;
}

/** Gives up a start; false where the job runs, or is gone. */
export async function abandonHeader(directory: Directory, id: string): Promise<boolean> {
  const text = `UPDATE replay_jobs SET epoch = epoch + (state = 'starting'), state = 'abandoned'
    WHERE id = ? AND state IN ('starting', 'abandoned') RETURNING id`;
  return (await select(directory, [text, id])).length > 0;
}

/** Deletes the header of a start that was given up, once all ledgers know. */
export async function dropHeader(directory: Directory, id: string): Promise<void> {
  await select(directory, ["DELETE FROM replay_jobs WHERE id = ? AND state = 'abandoned' AND fenced = epoch", id]);
}

/** A change of state that somebody asks for: from which states. */
export type ReplayVerb = "pause" | "resume" | "cancel" | "undo";

export interface HeaderChange {
  readonly job: ReplayJob;
  readonly verb: ReplayVerb;
  /** UTC ms. */
  readonly now: number;
  /** Timelines without what the job applied, for the verbs that take it back. */
  readonly taken: readonly TimelineChange[];
  /** Whether some part has failed for good. */
  readonly hasFailed: boolean;
}

/** Does what the verb says, where the job's state allows it; false where it does not. */
export async function changeHeader(
  directory: Directory,
  { job, verb, now, taken, hasFailed }: HeaderChange,
): Promise<boolean> {
  const isTakenBack = hasApplied(job) && (verb === "undo" || verb === "cancel");
  const { sets, where } = isTakenBack && verb === "cancel" ? CANCEL_APPLIED : CHANGES[verb];
  // The statement names all parameters: D1 refuses some that are bound and not named.
  const named = "?1 IS NOT NULL AND ?2 IS NOT NULL AND ?4 IS NOT NULL AND ?5 IS NOT NULL AND ?6 IS NOT NULL";
  const [changed] = await directory.batch([
    directory
      .prepare(
        `UPDATE replay_jobs SET ${sets}, epoch = epoch + 1
         WHERE id = ?3 AND ${named} AND ${areUnchanged("?5")} AND ${where}`,
      )
      .bind(job.fromDay, job.toDay, job.id, now, seenVersions(taken), hasFailed ? 1 : 0),
    // A second undo finds nothing applied any more, and takes nothing back.
    ...taken.map((one) => putTimeline(directory, one, { job: job.id, where: `state = 'undoing' AND ${IS_APPLIED}` })),
    ...(isTakenBack
      ? [directory.prepare("UPDATE replay_jobs SET applied = NULL WHERE id = ? AND state = 'undoing'").bind(job.id)]
      : []),
  ]);
  return (changed?.meta.changes ?? 0) > 0;
}

/**
 * A rebuild of the same Days that came later and stands: what it kept is what this one wrote. Imports that are undone
 * hold up one another no more than that: to redo one counts again what it could not put back, by what holds then.
 */
const REBUILT_SINCE = `EXISTS (SELECT 1 FROM replay_jobs AS other WHERE other.kind != 'verify' AND other.state NOT IN ('undone', 'abandoned')
  AND other.rules NOT IN ${OF_GOALS} AND (other.import IS NULL OR replay_jobs.import IS NULL) AND other.created_at > replay_jobs.created_at AND other.from_day < ?2 AND other.to_day > ?1
  AND ${sharesMerchant("replay_jobs.merchants")})`;
const NOBODY_WRITES = `NOT EXISTS (SELECT 1 FROM replay_jobs AS other WHERE other.id != ?3 AND ${WRITES_THERE.replaceAll(
  /\b(kind|state|fenced|epoch|from_day|to_day)\b/g,
  "other.$1",
)}
  AND ${sharesMerchant("replay_jobs.merchants")})`;

/**
 * Whether a job ended so long ago that what it kept is deleted. A zone of the past and the undoing of an import stay
 * until they are taken back, however late: that needs the job's parts.
 */
function whetherOver(now: string): string {
  return `(finished_at IS NOT NULL AND finished_at <= ${now} - ${REPLAY_KEPT_MS}
    AND ((past_zone IS NULL AND import IS NULL) OR kind = 'verify' OR state = 'undone'))`;
}

const CHANGES: Record<ReplayVerb, { sets: string; where: string }> = {
  pause: { sets: "state = 'paused'", where: "state = 'running'" },
  resume: {
    sets: "state = 'running', finished_at = NULL",
    where: `NOT ${whetherOver("?4")} AND (state = 'paused' OR (state IN ('running', 'done') AND ?6 = 1
      AND (kind = 'verify' OR (${NOBODY_WRITES} AND NOT ${REBUILT_SINCE}))))`,
  },
  cancel: { sets: "state = 'cancelled', finished_at = ?4", where: "state IN ('running', 'paused')" },
  undo: {
    sets: "state = 'undoing', finished_at = NULL",
    where: `NOT ${whetherOver("?4")} AND kind != 'verify' AND rules NOT IN ${OF_GOALS}
      AND state IN ('done', 'cancelled', 'paused') AND ${NOBODY_WRITES} AND NOT ${REBUILT_SINCE}`,
  },
};

/** What rules changed must not stay half changed: to cancel a job that has applied some is to undo it. */
const CANCEL_APPLIED = { ...CHANGES.undo, where: CHANGES.cancel.where };

/**
 * What a job has put on timelines is on them still: rules are noted in `applied`, which its undo
 * empties; a zone is looked for.
 */
const IS_APPLIED = "(applied IS NOT NULL OR past_zone IS NOT NULL)";

/** The same of a job at hand. */
export function isOver({ finishedAt, pastZone, importNumber, kind, state }: ReplayJob, now: number): boolean {
  const stands = (pastZone !== undefined || importNumber !== undefined) && kind !== "verify" && state !== "undone";
  return finishedAt !== null && finishedAt <= now - REPLAY_KEPT_MS && !stands;
}

/** Ends a job of which nothing is left to do in the epoch that was seen; whether it did. */
export async function endHeader(
  directory: Directory,
  { id, epoch, now }: { readonly id: string; readonly epoch: number; readonly now: number },
): Promise<boolean> {
  const text = `UPDATE replay_jobs SET state = CASE state WHEN 'running' THEN 'done' ELSE 'undone' END, finished_at = ?3,
    epoch = epoch + 1 WHERE id = ?1 AND epoch = ?2 AND state IN ('running', 'undoing') RETURNING id`;
  return (await select(directory, [text, id, epoch, now])).length > 0;
}

/** Notes that all ledgers of a job know an epoch of it. */
export async function noteFenced(directory: Directory, { id, epoch }: Pick<JobHeader, "id" | "epoch">): Promise<void> {
  await select(directory, ["UPDATE replay_jobs SET fenced = ?2 WHERE id = ?1 AND fenced < ?2", id, epoch]);
}

/** Jobs that somebody has left half way: of a state that not all ledgers know, or of a start that came to nothing. */
export async function listHalfWay(
  directory: Directory,
  now: number,
): Promise<readonly Pick<JobHeader, "id" | "state">[]> {
  const text = `SELECT id, state FROM replay_jobs WHERE (fenced < epoch OR state = 'abandoned')
    AND (state != 'starting' OR created_at < ?)`;
  return select(directory, [text, now - REPLAY_START_STALE_MS]);
}

/** Jobs that are long over and whose parts are still there, with the ledgers they lie in. */
export async function listOver(
  directory: Directory,
  { now, rowsMax }: { readonly now: number; readonly rowsMax: number },
): Promise<readonly Pick<JobHeader, "id" | "ledgers">[]> {
  const text = `SELECT id, ledgers FROM replay_jobs WHERE state IN ('done', 'cancelled', 'undone') AND pruned = 0
    AND ${whetherOver("?1")} LIMIT ?2`;
  const rows = await select<{ id: string; ledgers: string }>(directory, [text, now, rowsMax]);
  return rows.map(({ id, ledgers }) => ({ id, ledgers: JSON.parse(ledgers) as readonly number[] }));
}

export async function markPruned(directory: Directory, id: string): Promise<void> {
  await select(directory, ["UPDATE replay_jobs SET pruned = 1 WHERE id = ?", id]);
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
  readonly import: number | null;
  readonly ledgers: string;
  readonly epoch: number;
  readonly fenced: number;
}

function toJob(row: StoredJob): JobHeader {
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
    importNumber: row.import ?? undefined,
    ledgers: JSON.parse(row.ledgers) as readonly number[],
    epoch: row.epoch,
    fenced: row.fenced,
  };
}

function jsonOf(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

function parsed<T>(json: string | null): T | undefined {
  return json === null ? undefined : (JSON.parse(json) as T);
}
