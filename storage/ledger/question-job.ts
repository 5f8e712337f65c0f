// Jobs of large questions in D1: one row for a job, one for each part. The rows are the truth; a message only
// says "look at this one", so losing or repeating it changes nothing. What parts have counted, and the answer,
// lie in R2 under the job's id.

import { LINK_JOB_PLACES_MAX, LINK_JOB_WINDOW_MS, LINKS_JOB_PLACES_MAX } from "../../core/limits.ts";
import type { JobQuestion, QuestionPart } from "../../core/query/job.ts";
import type { Ledger } from "./ledgers.ts";
import type { QuestionJobState } from "./schema.ts";
import type { SealPlace } from "./sealed-day.ts";

export interface QuestionJob {
  readonly id: string;
  readonly merchant: number;
  readonly question: JobQuestion;
  readonly state: QuestionJobState;
  readonly error: string;
  /** UTC ms. */
  readonly createdAt: number;
  readonly parts: number;
  readonly partsDone: number;
}

export interface NewQuestionJob {
  readonly id: string;
  readonly merchant: number;
  readonly question: JobQuestion;
  readonly parts: readonly (readonly SealPlace[])[];
  readonly runningMax: number;
}

/** "answers/qry_…/": all that a job leaves in R2. */
export function answersPrefix(job: string): string {
  return `answers/${job}/`;
}

export function partKey({ job, part }: Pick<QuestionPart, "job" | "part">): string {
  return `${answersPrefix(job)}part-${part}.json`;
}

export function answerKey(job: string): string {
  return `${answersPrefix(job)}answer.json`;
}

/**
 * Why no job was made: as many are under way as may be, or links have asked for as much as they may within
 * LINK_JOB_WINDOW_MS, and when (UTC ms) they may again.
 */
export type JobRefusal = "under way" | { readonly againAt: number };

/** Makes a job with its parts, all or nothing. */
export async function createQuestionJob(db: Ledger, job: NewQuestionJob): Promise<JobRefusal | undefined> {
  const { id, merchant, question, parts, runningMax } = job;
  const againAt = question.guest && (await guestsMayAt(db, { merchant, asOf: question.asOf, ...question.guest }));
  if (againAt !== undefined) return { againAt };
  const places = JSON.stringify(parts.map((part) => part.map(({ day, partition }) => [day, partition])));
  const results = await db.batch([
    db
      .prepare(
        `INSERT INTO question_jobs (id, merchant, question, state, error, created_at, sent_at, finished_at)
         SELECT ?1, ?2, ?3, 'running', '', ?4, ?4, NULL
         WHERE (SELECT count(*) FROM question_jobs WHERE merchant = ?2 AND state = 'running') < ?5`,
      )
      .bind(id, merchant, JSON.stringify(question), question.asOf, runningMax),
    db
      .prepare(
        `INSERT INTO question_parts (job, part, places, done) SELECT ?1, key, value, 0 FROM json_each(?2)
         WHERE EXISTS (SELECT 1 FROM question_jobs WHERE id = ?1)`,
      )
      .bind(id, places),
  ]);
  return (results[0]?.meta.changes ?? 0) > 0 ? undefined : "under way";
}

interface GuestJob extends NonNullable<JobQuestion["guest"]> {
  readonly merchant: number;
  readonly asOf: number;
}

/** When so many more (Day, partition)s may be read through a link; undefined where they may be now. */
async function guestsMayAt(db: Ledger, { merchant, link, places, asOf }: GuestJob): Promise<number | undefined> {
  const text = `SELECT created_at AS at, json_extract(question, '$.guest.link') AS link,
      json_extract(question, '$.guest.places') AS places
    FROM question_jobs WHERE merchant = ? AND created_at > ? AND json_extract(question, '$.guest') IS NOT NULL
    ORDER BY created_at DESC`;
  const { results } = await db
    .prepare(text)
    .bind(merchant, asOf - LINK_JOB_WINDOW_MS)
    .all<{ readonly at: number; readonly link: string; readonly places: number }>();
  let [own, all] = [places, places];
  // From the youngest on: all that is younger than the one that no longer fits may stay.
  for (const job of results) {
    all += job.places;
    own += job.link === link ? job.places : 0;
    if (own > LINK_JOB_PLACES_MAX || all > LINKS_JOB_PLACES_MAX) return job.at + LINK_JOB_WINDOW_MS;
  }
  return undefined;
}

/** Whether a job of a merchant's own is under way in this ledger. */
export async function hasOwnQuestionJob(db: Ledger): Promise<boolean> {
  const text =
    "SELECT 1 FROM question_jobs WHERE state = 'running' AND json_extract(question, '$.guest') IS NULL LIMIT 1";
  return (await db.prepare(text).all()).results.length > 0;
}

/** The first part of a job that is not done. */
export async function nextQuestionPart(db: Ledger, { job, part }: QuestionPart): Promise<number | undefined> {
  const text = "SELECT min(part) AS part FROM question_parts WHERE job = ? AND done = 0 AND part > ?";
  const { results } = await db.prepare(text).bind(job, part).all<{ readonly part: number | null }>();
  return results[0]?.part ?? undefined;
}

export async function findQuestionJob(db: Ledger, id: string): Promise<QuestionJob | undefined> {
  const text = `SELECT id, merchant, question, state, error, created_at AS createdAt,
      (SELECT count(*) FROM question_parts WHERE job = id) AS parts,
      (SELECT count(*) FROM question_parts WHERE job = id AND done = 1) AS partsDone
    FROM question_jobs WHERE id = ?`;
  const { results } = await db
    .prepare(text)
    .bind(id)
    .all<Omit<QuestionJob, "question"> & { readonly question: string }>();
  const [row] = results;
  return row && { ...row, question: JSON.parse(row.question) as JobQuestion };
}

/** What a part reads; undefined where it is done, or there is none. */
export async function findQuestionPart(
  db: Ledger,
  { job, part }: QuestionPart,
): Promise<readonly SealPlace[] | undefined> {
  const text = "SELECT places FROM question_parts WHERE job = ? AND part = ? AND done = 0";
  const { results } = await db.prepare(text).bind(job, part).all<{ readonly places: string }>();
  const [row] = results;
  if (row === undefined) return undefined;
  const places = JSON.parse(row.places) as readonly (readonly [number, string])[];
  return places.map(([day, partition]) => ({ day, partition }));
}

export async function markQuestionPart(db: Ledger, { job, part }: QuestionPart): Promise<void> {
  await write(db, ["UPDATE question_parts SET done = 1 WHERE job = ? AND part = ?", job, part]);
}

/** Ends a job that runs; one that has ended stays as it is. */
export async function endQuestionJob(
  db: Ledger,
  { id, state, error, now }: { id: string; state: "done" | "failed"; error: string; now: number },
): Promise<void> {
  const text = "UPDATE question_jobs SET state = ?2, error = ?3, finished_at = ?4 WHERE id = ?1 AND state = 'running'";
  await write(db, [text, id, state, error, now]);
}

/**
 * Parts of jobs whose messages may be lost; their jobs are put off while these are under way. A job that is only
 * to be put together gives its first part; one that was asked through a link its first part that is not done,
 * after which the others come.
 */
export async function takeStaleParts(
  db: Ledger,
  { now, before, jobsMax }: { now: number; before: number; jobsMax: number },
): Promise<readonly QuestionPart[]> {
  const stale = "SELECT id FROM question_jobs WHERE state = 'running' AND sent_at <= ? ORDER BY sent_at LIMIT ?";
  const { results } = await db.prepare(stale).bind(before, jobsMax).all<{ readonly id: string }>();
  if (results.length === 0) return [];
  const ids = JSON.stringify(results.map(({ id }) => id));
  const text = `SELECT p.job, p.part, j.merchant FROM question_parts AS p JOIN question_jobs AS j ON j.id = p.job
    WHERE p.job IN (SELECT value FROM json_each(?)) AND (p.done = 0 OR p.part = 0)
      AND (json_extract(j.question, '$.guest') IS NULL OR p.part = coalesce(
        (SELECT min(part) FROM question_parts WHERE job = p.job AND done = 0), 0))
    ORDER BY p.job, p.part`;
  const { results: parts } = await db.prepare(text).bind(ids).all<QuestionPart>();
  const sent = "UPDATE question_jobs SET sent_at = ? WHERE id IN (SELECT value FROM json_each(?))";
  await write(db, [sent, now, ids]);
  return parts;
}

/** Forgets jobs that were asked before an instant, and names them. */
export async function forgetQuestionJobs(
  db: Ledger,
  { before, jobsMax }: { before: number; jobsMax: number },
): Promise<readonly string[]> {
  const old = "SELECT id FROM question_jobs WHERE created_at < ? ORDER BY created_at LIMIT ?";
  const { results } = await db.prepare(old).bind(before, jobsMax).all<{ readonly id: string }>();
  const ids = results.map(({ id }) => id);
  if (ids.length === 0) return ids;
  const named = JSON.stringify(ids);
  await write(db, ["DELETE FROM question_parts WHERE job IN (SELECT value FROM json_each(?))", named]);
  await write(db, ["DELETE FROM question_jobs WHERE id IN (SELECT value FROM json_each(?))", named]);
  return ids;
}

async function write(
  db: Ledger,
  [text, ...values]: readonly [text: string, ...values: (string | number)[]],
): Promise<void> {
  await db
    .prepare(text)
    .bind(...values)
    .run();
}
