// When the partition wants to be woken next: pure arithmetic over where it stands, and the one call that asks the host.
// An alarm costs a row write, so it is only moved when it has to come earlier.

import { hash32 } from "../core/hash.ts";
import {
  BUNDLE_BYTES,
  BUNDLE_STUCK_SENDS,
  BUNDLES_KEPT_MAX,
  BUNDLES_UNCONFIRMED_MAX,
  CHECKPOINT_AFTER_MS,
  CHECKPOINT_EVENTS,
  CHECKPOINT_EVENTS_MAX,
  CHECKPOINT_QUIET_EVENTS,
  CHECKPOINT_STATE_EVENTS,
  FORGET_EVERY_MS,
  LATE_CHANGES_MAX,
  PUBLISH_SPREAD_MS,
  RESEND_MAX_MS,
} from "../core/limits.ts";
import { type Duty, type Partition, type SentBundle, unarchivedFrom } from "./state.ts";
import { FIRST_POSITION } from "./store.ts";

/** Any number: turns to publish have nothing to do with where merchants are placed. */
const PUBLISH_TURN_SEED = 0x7075626c;

const OUTGOING = ["drain", "publish", "tell"] as const;

/** Whether others learn something by a duty. */
export function isOutgoing(duty: Duty): boolean {
  return OUTGOING.some((one) => one === duty);
}

/** UTC ms at which each duty is due, Infinity where it has nothing to do. A failed duty waits for its retry. */
export function dutiesDue(partition: Partition, now: number): Readonly<Record<Duty, number>> {
  const mayGoOut =
    partition.standing === "own" || (partition.standing === "unclaimed" && partition.next > FIRST_POSITION);
  const due: Record<Duty, number> = {
    claim: Infinity,
    drain: Math.min(cutDue(partition, now), resendDue(partition)),
    publish: publishDue(partition, now),
    tell: tellDue(partition, now),
    checkpoint: checkpointDue(partition, now),
    forget: forgetDue(partition),
  };
  if (!mayGoOut) for (const duty of OUTGOING) due[duty] = Infinity;
  // The ledger is asked when something is to go out for the first time since the start (claim.ts).
  if (!partition.isChecked) {
    due.claim = Math.min(...OUTGOING.map((duty) => due[duty]));
    const retryAt = partition.retries.get("claim")?.at ?? 0;
    for (const duty of OUTGOING) due[duty] = Math.max(due[duty], retryAt);
  }
  for (const [duty, retry] of partition.retries) {
    if (due[duty] < retry.at) due[duty] = retry.at;
  }
  return due;
}

/** Asks the host for the next alarm unless one comes early enough already. */
export function scheduleAlarm(partition: Partition): void {
  const now = partition.deps.now();
  const at = Math.max(now, Math.min(...Object.values(dutiesDue(partition, now))));
  if (!Number.isFinite(at)) return;
  if (partition.alarmAt !== undefined && partition.alarmAt <= at) return;
  partition.alarmAt = at;
  partition.deps.background(partition.deps.setAlarm(at));
}

/** The first instant after `last` at which a publish is due: so long after each quarter hour. */
export function nextPublish(last: number, everyMs: number, afterMs: number): number {
  return (Math.floor((last - afterMs) / everyMs) + 1) * everyMs + afterMs;
}

/**
 * How long after the grace a partition has its turn to publish: always the same for one name, spread evenly over names.
 * Where publishing is more frequent than in production, the turns lie within two thirds of the pace.
 */
export function publishTurn(name: string, everyMs: number): number {
  const spreadMs = Math.min(PUBLISH_SPREAD_MS, (everyMs * 2) / 3);
  return Math.floor((hash32(name, PUBLISH_TURN_SEED) / 2 ** 32) * spreadMs);
}

function cutDue(partition: Partition, now: number): number {
  if (partition.unbundledSince === undefined || !mayCut(partition)) return Infinity;
  return partition.unbundledBytes >= BUNDLE_BYTES ? now : partition.unbundledSince + partition.deps.timing.drainAfterMs;
}

/** Whether the archive has room for another bundle. Stuck ones, dead letters mostly, do not hold up the others. */
export function mayCut({ bundles }: Partition): boolean {
  const underWay = bundles.filter((bundle) => bundle.sends < BUNDLE_STUCK_SENDS).length;
  return underWay < BUNDLES_UNCONFIRMED_MAX && bundles.length < BUNDLES_KEPT_MAX;
}

function resendDue(partition: Partition): number {
  return Math.min(Infinity, ...partition.bundles.map((bundle) => sendDueAt(partition, bundle)));
}

/** When a bundle is to be sent (again). A bundle that is never confirmed waits twice as long each time. */
export function sendDueAt(partition: Partition, { sentAt, sends }: SentBundle): number {
  if (sentAt === 0) return 0;
  return sentAt + Math.min(partition.deps.timing.resendAfterMs * 2 ** (sends - 1), RESEND_MAX_MS);
}

function publishDue(partition: Partition, now: number): number {
  if (partition.lateChanges >= LATE_CHANGES_MAX) return now;
  if (!hasUnpublished(partition)) return Infinity;
  const { publishEveryMs, publishGraceMs } = partition.deps.timing;
  const turnMs = publishTurn(partition.name, publishEveryMs);
  return nextPublish(partition.publishedAt, publishEveryMs, publishGraceMs + turnMs);
}

/**
 * After each publish; and once the archive has all of what was told to wait for it, lest that be believed for hours.
 */
function tellDue(partition: Partition, now: number): number {
  const hasArchived = partition.toldWaiting && unarchivedFrom(partition) === partition.next;
  return partition.toldAt < partition.publishedAt || hasArchived ? now : Infinity;
}

function checkpointDue(partition: Partition, now: number): number {
  const events = partition.next - partition.checkpointed;
  const size = Math.max(1, (partition.loadedAtCheckpoint + events) / CHECKPOINT_STATE_EVENTS);
  if (events >= Math.min(CHECKPOINT_EVENTS * size, CHECKPOINT_EVENTS_MAX)) return now;
  // Who is slowed waits for it: visitors who have gone are packed then.
  if (partition.slowed.size > 0) return partition.checkpointedAt + CHECKPOINT_AFTER_MS;
  const hasPublished = partition.publishedAt > partition.checkpointedAt;
  if (hasPublished && events < CHECKPOINT_QUIET_EVENTS && hasDirty(partition)) return now;
  return events > 0 || hasDirty(partition) ? partition.checkpointedAt + CHECKPOINT_AFTER_MS * size : Infinity;
}

/** Salts go at their hour; an hourly look is enough, and only while there is one. */
function forgetDue(partition: Partition): number {
  return partition.salts.size === 0 ? Infinity : partition.forgotAt + FORGET_EVERY_MS;
}

function hasUnpublished(partition: Partition): boolean {
  for (const shelf of partition.shelves.values()) {
    for (const state of shelf.days.values()) if (state.changed.size > 0) return true;
  }
  for (const [key, unpublished] of partition.stored) if (unpublished && !partition.shelves.has(key)) return true;
  return false;
}

function hasDirty(partition: Partition): boolean {
  for (const shelf of partition.shelves.values()) if (shelf.dirty !== undefined) return true;
  return false;
}
