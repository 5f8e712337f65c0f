// How a replay job begins: its row, its parts and, where rules are applied to its Days, the timelines that say so, all in one
// transaction. So there is no job without its rules and no rules without the job that takes them back. Jobs that write
// never share a Day and a merchant: their writes cannot interleave.

import type { ReplayPart } from "../../core/counting/replay-part.ts";
import { FOLDERS_APART_MAX } from "../../core/limits.ts";
import { areUnchanged, putTimeline, seenVersions, type TimelineChange } from "../directory/rules.ts";
import type { ReplayJob } from "./replay-job.ts";

/** Whether the job `other` and one of these merchants (JSON; null for all) have a merchant in common. Tenants are apart: one
 *  merchant's rebuild holds up no other's, and rows of different merchants are never the same. */
export function sharesMerchant(merchants: string): string {
  return `(other.merchants IS NULL OR ${merchants} IS NULL OR EXISTS (SELECT 1 FROM json_each(other.merchants) AS theirs,
    json_each(${merchants}) AS ours WHERE theirs.value = ours.value))`;
}

/** A job that writes, has not ended, and has a Day in common with the numbered parameters ?1 and ?2. */
const WRITES_THERE = `kind != 'verify' AND state IN ('running', 'paused', 'undoing') AND from_day < ?2 AND to_day > ?1`;

/** Whether a job has a zone (null for none) and some of its merchants' Days are being erased: an erasure names Days as they were
 *  shown when it was asked for. */
function erasesThere({ days, merchants, zone }: { days: readonly [string, string]; merchants: string; zone: string }) {
  const [from, to] = days;
  return `(${zone} IS NOT NULL AND EXISTS (SELECT 1 FROM erasures AS e, json_each(${merchants}) AS ours
    WHERE e.merchant = ours.value AND e.state = 'running' AND e.from_day > 0
      AND e.from_day < ${to} + ${FOLDERS_APART_MAX} AND e.to_day > ${from} - ${FOLDERS_APART_MAX}))`;
}

export interface NewJob {
  readonly job: ReplayJob;
  readonly parts: readonly ReplayPart[];
  /** Timelines with the rules that the job applies to its Days. */
  readonly applies: readonly TimelineChange[];
}

/** Ends backfills of goals that started by themselves and are in the way of a job that somebody asks for: their Days are read from events
 *  until the next one. */
export async function endGoalsInTheWay(
  db: D1Database,
  { fromDay, toDay, merchants, createdAt }: Pick<ReplayJob, "fromDay" | "toDay" | "merchants" | "createdAt">,
): Promise<void> {
  const text = `UPDATE replay_jobs AS other SET state = 'cancelled', finished_at = ?4 WHERE rules = 'goals_due' AND ${WRITES_THERE}
    AND ${sharesMerchant("?3")}`;
  await db.prepare(text).bind(fromDay, toDay, jsonOf(merchants), createdAt).run();
}

/** Makes a job with its parts, all or nothing. "overlaps": another one that writes has a Day and a merchant in
 *  common with it. "stale": settings were changed since they were read. "erasing": it moves Days that are being erased. */
export async function createJob(
  db: D1Database,
  { job, parts, applies }: NewJob,
): Promise<"created" | "overlaps" | "stale" | "erasing"> {
  const { id, kind, state, fromDay, toDay, createdAt, rules } = job;
  const places = JSON.stringify(parts.map(({ day, partition }) => [day, partition]));
  const seen = seenVersions(applies);
  const lists = [job.merchants, job.draft, job.applied, job.dimensions, job.pastZone].map(jsonOf);
  const results = await db.batch([
    db
      .prepare(
        `SELECT ${areUnchanged("?1")} AS fresh, ${erasesThere({ days: ["?2", "?3"], merchants: "?4", zone: "?5" })} AS erasing`,
      )
      .bind(seen, fromDay, toDay, lists[0], lists[4]),
    db
      .prepare(
        `INSERT INTO replay_jobs (from_day, to_day, id, kind, state, merchants, created_at, rules, draft, applied, dimensions, past_zone)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12
         WHERE ${areUnchanged("?13")} AND NOT ${erasesThere({ days: ["?1", "?2"], merchants: "?6", zone: "?12" })} AND (?4 = 'verify' OR NOT EXISTS
           (SELECT 1 FROM replay_jobs AS other WHERE ${WRITES_THERE} AND ${sharesMerchant("?6")}))`,
      )
      .bind(fromDay, toDay, id, kind, state, lists[0], createdAt, rules, ...lists.slice(1), seen),
    db
      .prepare(
        `INSERT INTO replay_parts (job, day, "partition", state, sent_at, events, buckets, differences, in_doubt,
           unpublished, replaced, duration_ms, shown, totals, error)
         SELECT ?1, value ->> 0, value ->> 1, 'waiting', 0, 0, 0, 0, 0, 0, 0, 0, '[]', '[]', '' FROM json_each(?2)
         WHERE EXISTS (SELECT 1 FROM replay_jobs WHERE id = ?1)`,
      )
      .bind(id, places),
    ...applies.map((one) => putTimeline(db, one, { job: id, where: "state = 'running'" })),
  ]);
  if ((results[1]?.meta.changes ?? 0) > 0) return "created";
  const [found] = (results[0]?.results ?? []) as { fresh: number; erasing: number }[];
  if (found?.erasing === 1) return "erasing";
  return found?.fresh === 1 ? "overlaps" : "stale";
}

function jsonOf(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
