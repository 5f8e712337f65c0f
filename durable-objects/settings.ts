// How merchants' settings reach a partition without a database read per hit or per merchant. They are read when a
// merchant is first seen and kept on disk. Once a minute the partition asks, in one statement, whose settings were
// changed since it last asked, and reads those of its own merchants (the admin API pushes changes too, which is
// sooner). What it knows is good for a lease from that moment on, shorter than the notice of a zone change: past it
// nothing is counted before the database has answered, so that an event's Day is never taken from a zone that no longer
// holds. The lease is on disk: a restart asks nothing. New settings start after a checkpoint: the log after it is then
// counted again under those it was counted with.

import { RETRY_MIN_MS, SETTINGS_FRESH_MS, SETTINGS_LEASE_MS } from "../core/limits.ts";
import type { Settings } from "../core/merchant.ts";
import { causeOf } from "../core/outcome.ts";
import { GLOBAL_MERCHANT } from "../core/rules.ts";
import { checkpoint, writePositions } from "./checkpoint.ts";
import type { Partition } from "./state.ts";

/** A merchant the database does not know is not asked for again within this time. */
const UNKNOWN_KEPT_MS = 10 * RETRY_MIN_MS;

const NOBODY: ReadonlySet<number> = new Set();

/** Up to which change a partition's settings are known, and UTC ms at which that was read. */
export interface SettingsLease {
  readonly change: number;
  readonly readAt: number;
}

/**
 * Makes sure settings in force are there for each merchant that exists. Gives the merchants that are new here and whose
 * settings could not be read; what is known of the others does not wait for them. Throws when the lease is over and the
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

/** Reads merchants that are new here, in one statement. Those it cannot read are not asked for again for a moment. */
async function lookUp(partition: Partition, merchants: readonly number[]): Promise<readonly number[]> {
  if (merchants.length === 0) return [];
  try {
    const silent = await readAgain(partition, merchants);
    if (silent.length > 0) log(partition, "directory_behind", `it does not speak of ${silent.length} merchants`);
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

/** Reads a merchant's settings and adopts them when they are newer: the admin API has changed them. */
export async function refreshSettings(partition: Partition, merchant: number): Promise<void> {
  await readAgain(partition, [merchant]);
}

/**
 * Asks whose settings have changed and adopts those of its own merchants. Whoever comes meanwhile waits for the same
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
  // Never asked, or a directory that was restored to an earlier instant: what is known may be of any age.
  const all = since === undefined || last < since;
  const known = all ? [...partition.settings.keys()] : merchants.filter((merchant) => partition.settings.has(merchant));
  await readAgain(partition, known, last);
  // Of a restored one the change that it had come to is kept: as long as it is behind that, it does not say who is
  // unknown.
  const lease = { change: Math.max(last, since ?? 0), readAt };
  writePositions(partition, { lease });
  partition.lease = lease;
}

/**
 * Reads the settings of some merchants and adopts what is newer. Gives those of which the directory does not speak: it
 * has no such merchant, and its last change is before one that it has told of, so it was restored to an earlier instant
 * and the merchant may have been made after that. Their hits wait in the overflow queue, and who is known stays known.
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

/** Whether the directory's last change is before one that it has told this partition of. */
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

function log(partition: Partition, event: string, error: unknown): void {
  partition.deps.log({ event, partition: partition.name, error: causeOf(error) });
}
