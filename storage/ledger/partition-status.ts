// Where partitions stand, as each told its ledger last, and where a ledger stands as a whole. Plain SQL: the partition
// is part of the collector's script, which stays small without an ORM.

import { SEAL_ATTEMPTS_DOUBTFUL } from "../../core/limits.ts";
import { DAY_MS } from "../../core/time.ts";
import { monthOf } from "../../core/watch/cost.ts";
import type { LedgerStanding } from "../../core/watch/standing.ts";
import { select } from "../statement.ts";
import type { Ledger } from "./ledgers.ts";
import { readMonth } from "./month-meter.ts";

/** A row of the table `partition_status`; the schema says what each means. */
export interface ToldStatus {
  readonly partition: string;
  readonly toldAt: number;
  readonly publishDue: number | null;
  readonly events: number;
  readonly archivedEvents: number;
  readonly unarchivedSince: number | null;
  readonly unconfirmedBundles: number;
  readonly heldBytes: number;
  readonly merchants: number;
  readonly failing: string;
  readonly slowedAt: number | null;
  readonly hotAt: number | null;
}

/**
 * Replaces what a partition told before; what it told later stays. When it last slowed a merchant, or found one too
 * hot, it forgets when it starts anew, and what it told of that before stays too.
 */
export async function writeStatus(db: Ledger, status: ToldStatus): Promise<void> {
  await select(db, [
    `INSERT INTO partition_status ("partition", told_at, publish_due, events, archived_events, unarchived_since,
        unconfirmed_bundles, held_bytes, merchants, failing, slowed_at, hot_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT ("partition") DO UPDATE SET told_at = excluded.told_at, publish_due = excluded.publish_due,
        events = excluded.events, archived_events = excluded.archived_events,
        unarchived_since = excluded.unarchived_since, unconfirmed_bundles = excluded.unconfirmed_bundles,
        held_bytes = excluded.held_bytes, merchants = excluded.merchants, failing = excluded.failing,
        slowed_at = coalesce(excluded.slowed_at, slowed_at), hot_at = coalesce(excluded.hot_at, hot_at)
      WHERE excluded.told_at >= partition_status.told_at`,
    status.partition,
    status.toldAt,
    status.publishDue,
    status.events,
    status.archivedEvents,
    status.unarchivedSince,
    status.unconfirmedBundles,
    status.heldBytes,
    status.merchants,
    status.failing,
    status.slowedAt,
    status.hotAt,
  ]);
}

/** The partitions that have told of themselves, by name. */
export async function readTold(db: Ledger): Promise<readonly string[]> {
  const rows = await select<{ readonly partition: string }>(db, [
    'SELECT "partition" FROM partition_status ORDER BY "partition"',
  ]);
  return rows.map(({ partition }) => partition);
}

/** Where a ledger stands: one row for each partition, each job that goes on and each Day that is not sealed is read. */
export async function readLedgerStanding(
  db: Ledger,
  { now, sealAfterMs }: { readonly now: number; readonly sealAfterMs: number },
): Promise<LedgerStanding> {
  const { results, meta } = await db
    .prepare(STANDING)
    .bind(now, SEAL_ATTEMPTS_DOUBTFUL, sealAfterMs, DAY_MS)
    .all<Omit<LedgerStanding, "bytes" | "metered">>();
  const [row] = results;
  if (row === undefined) throw new Error("a statement of sums gave no row");
  return { ...row, bytes: meta.size_after, metered: await readMonth(db, monthOf(now)) };
}

/**
 * ?1 now, ?2 attempts after which a Day is in doubt, ?3 how long after its midnight a Day is closed, ?4 a Day, all in
 * ms.
 */
const STANDING = `SELECT * FROM
  (SELECT count(*) AS partitions, total(events) AS events, total(archived_events) AS archivedEvents,
     min(unarchived_since) AS unarchivedSince, total(unconfirmed_bundles) AS unconfirmedBundles,
     min(CASE WHEN publish_due < ?1 THEN publish_due END) AS publishDueSince,
     coalesce(max(held_bytes), 0) AS heldBytesMax, total(failing <> '') AS failingPartitions,
     max(slowed_at) AS slowedAt, max(hot_at) AS hotAt FROM partition_status),
  (SELECT total(attempts >= ?2) AS daysInDoubt,
     min(CASE WHEN generation = 0 AND attempts < ?2 THEN day * ?4 + ?3 END) AS unsealedSince,
     min(CASE WHEN attempts < ?2 THEN late_since END) AS lateSince FROM archive_days WHERE due_at IS NOT NULL),
  (SELECT count(*) AS failedReplayParts FROM replay_parts AS p JOIN job_fences AS f ON f.job = p.job
     WHERE f.state = 'running' AND p.state = 'failed'),
  (SELECT min(created_at) AS erasureSince FROM erasures WHERE state = 'running'),
  (SELECT count(DISTINCT id) AS overflowed, min(since) AS overflowSince FROM overflow_notes WHERE done_at IS NULL)`;
