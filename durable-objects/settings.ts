// How merchants' settings reach a partition without a database read for each hit or merchant. They are read when a
// merchant is first seen, and kept on disk. Once a minute the partition asks, in one statement, whose settings were
// changed since it last asked, and reads those of its own merchants. (The admin API pushes changes too, which is
// sooner.) What it knows is good for a lease from that moment on. The lease is shorter than the notice of a zone
// change. When it is over nothing is counted before the database has answered. So an event's Day is never taken from a
// zone that no longer holds. The lease is kept on disk, so a restart needs no question. New settings start after a
// checkpoint, so that the log before it is never counted by them.

import { RETRY_MIN_MS, SETTINGS_FRESH_MS, SETTINGS_LEASE_MS } from "../core/limits.ts";
import type { Settings } from "../core/merchant.ts";
import { causeOf } from "../core/outcome.ts";
import { GLOBAL_MERCHANT } from "../core/rules.ts";
import { checkpoint, writePositions } from "./checkpoint.ts";
import type { Partition } from "./state.ts";

/** For so long a merchant that the database does not know is not asked for again. */
const UNKNOWN_KEPT_MS = 10 * RETRY_MIN_MS;

const NOBODY: ReadonlySet<number> = new Set();

/** The last change that a partition's settings include, and UTC ms at which that was read. */
export interface SettingsLease {
  readonly change: number;
  readonly readAt: number;
}

/**
 * Makes sure that the settings in force are known for each merchant that exists. Returns the merchants that are new
 * here and whose settings could not be read; the others do not wait for them. Throws when the lease is over and the
 * database does not answer.
 */
export async function ensureSettings(
  partition: Partition,
  merchants: ReadonlySet<number>,
): Promise<ReadonlySet<number>> {
  const now = partition.deps.now();
  const age = now - (partition.lease?.readAt ?? Number.NEGATIVE_INFINITY);
  if (age > SETTINGS_LEASE_MS) await renewLease(partition);
  else if (age > SETTINGS_FRESH_MS && now - partition.leaseAskedAt > SETTINGS_FRESH_MS) {
    partition.deps.background(renewOrLog(partition));
  }
  const isWaiting = (merchant: number) => (partition.unknown.get(merchant) ?? 0) > now;
  const strangers = [...merchants].filter((merchant) => !partition.settings.has(merchant));
  if (strangers.length === 0) return NOBODY;
  const unread = await lookUp(
    partition,
    strangers.filter((merchant) => !isWaiting(merchant) && !isUnread(partition, merchant)),
  );
  return new Set([...unread, ...strangers.filter((merchant) => isUnread(partition, merchant))]);
}

function isUnread(partition: Partition, merchant: number): boolean {
  return (partition.unread.get(merchant) ?? 0) > partition.deps.now();
}

/**
 * Reads the settings of merchants that are new here, in one statement. Where that fails they are not asked for again
 * for a moment.
 */
async function lookUp(partition: Partition, merchants: readonly number[]): Promise<readonly number[]> {
  if (merchants.length === 0) return [];
  try {
    const silent = await readAgain(partition, merchants);
    if (silent.length > 0)
      partition.deps.log({ event: "merchants_unknown", partition: partition.name, merchants: silent.length });
    return silent;
  } catch (error) {
    // Without the deployment's rules nobody's events can be judged.
    if (merchants.includes(GLOBAL_MERCHANT)) throw error;
    const until = partition.deps.now() + RETRY_MIN_MS;
    for (const merchant of merchants) partition.unread.set(merchant, until);
    log(partition, "settings_unread", error);
    return merchants;
  }
}

/** Reads a merchant's settings and adopts them when they are newer. The admin API calls it after a change. */
export async function refreshSettings(partition: Partition, merchant: number): Promise<void> {
  await readAgain(partition, [merchant]);
}

/**
 * Asks whose settings have changed and adopts those of its own merchants. Calls that come meanwhile wait for the same
 * answer.
 */
function renewLease(partition: Partition): Promise<void> {
  partition.leaseAskedAt = partition.deps.now();
  partition.leaseRenewal ??= renew(partition).finally(() => {
    partition.leaseRenewal = undefined;
  });
  return partition.leaseRenewal;
}

async function renew(partition: Partition): Promise<void> {
  const readAt = partition.deps.now(); // the lease begins before the read: a change made during it may be missed
  const since = partition.lease?.change;
  const { last, merchants } = await partition.deps.readChanges(since);
  // This is the first time, or the directory was restored to an earlier instant. What is known may be of any age, so
  // all of it is read.
  const all = since === undefined || last < since;
  const known = all ? [...partition.settings.keys()] : merchants.filter((merchant) => partition.settings.has(merchant));
  await readAgain(partition, known, last);
  // After a restore the higher change is kept. As long as the directory is behind it, a merchant that it does not know
  // may still exist.
  const lease = { change: Math.max(last, since ?? 0), readAt };
  writePositions(partition, { lease });
  partition.lease = lease;
}

/**
 * Reads the settings of some merchants and adopts what is newer. Returns the merchants that the directory cannot tell
 * about: it has no such merchant, and its last change is before one that this partition knows of. So it was restored to
 * an earlier instant, and the merchant may have been made after that. Hits of such merchants wait in the overflow
 * queue, and settings that are known stay known.
 */
async function readAgain(
  partition: Partition,
  merchants: readonly number[],
  lastChange?: number,
): Promise<readonly number[]> {
  if (merchants.length === 0) return [];
  const found = new Map((await partition.deps.readSettings(merchants)).map((one) => [one.merchant, one]));
  const newer = [...found.values()].filter((one) => isNewer(partition, one));
  const missing = merchants.filter((merchant) => !found.has(merchant));
  const isBehind = missing.length > 0 && (await isDirectoryBehind(partition, lastChange));
  if (newer.some(({ merchant }) => partition.settings.has(merchant))) checkpoint(partition);
  for (const settings of newer) {
    partition.deps.store.writeSettings(settings);
    partition.settings.set(settings.merchant, { settings, gone: false });
  }
  for (const merchant of merchants) {
    partition.unread.delete(merchant);
    const known = partition.settings.get(merchant);
    if (found.has(merchant)) {
      if (known !== undefined) known.gone = false;
      partition.unknown.delete(merchant);
    } else if (isBehind) partition.unread.set(merchant, partition.deps.now() + RETRY_MIN_MS);
    else {
      if (known !== undefined) known.gone = true;
      partition.unknown.set(merchant, partition.deps.now() + UNKNOWN_KEPT_MS);
    }
  }
  return isBehind ? missing : [];
}

/** Whether the directory's last change is before one that this partition knows of. */
async function isDirectoryBehind(partition: Partition, lastChange: number | undefined): Promise<boolean> {
  const since = partition.lease?.change ?? 0;
  return (lastChange ?? (await partition.deps.readChanges(since)).last) < since;
}

function isNewer(partition: Partition, { merchant, version }: Settings): boolean {
  const known = partition.settings.get(merchant);
  return known === undefined || known.settings.version < version;
}

/** A failed renewal is no reason to refuse hits while the lease lasts. */
async function renewOrLog(partition: Partition): Promise<void> {
  try {
    await renewLease(partition);
  } catch (error) {
    log(partition, "settings_refresh_failed", error);
  }
}

function log(partition: Partition, event: "settings_unread" | "settings_refresh_failed", error: unknown): void {
  partition.deps.log({ event, partition: partition.name, error: causeOf(error) });
}
