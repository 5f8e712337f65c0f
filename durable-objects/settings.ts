// How merchants' settings reach a partition without a database read per hit: read when a merchant is first seen, kept on
// disk, pushed by the admin API when they change, and read again in the background when they grow old. A copy is only good
// for a lease shorter than the notice of a zone change: past it nothing is counted before the database has answered, so
// that an event's Day is never taken from a zone that no longer holds (the collector overflows meanwhile). New settings
// start after a checkpoint: the log after it is then counted again under the settings it was counted with.

import { RETRY_MIN_MS, SETTINGS_FRESH_MS, SETTINGS_LEASE_MS } from "../core/limits.ts";
import { causeOf } from "../core/outcome.ts";
import { checkpoint } from "./checkpoint.ts";
import type { Partition } from "./state.ts";

/** A merchant the database does not know is not asked for again within this time. */
const UNKNOWN_KEPT_MS = 10 * RETRY_MIN_MS;

/** Makes sure settings in force are there for each merchant that exists; throws when the database does not answer. */
export async function ensureSettings(partition: Partition, merchants: ReadonlySet<number>): Promise<void> {
  const now = partition.deps.now();
  const needed: number[] = [];
  for (const merchant of merchants) {
    const known = partition.settings.get(merchant);
    if (known === undefined) {
      if ((partition.unknown.get(merchant) ?? 0) <= now) needed.push(merchant);
    } else if (now - known.readAt > SETTINGS_LEASE_MS) needed.push(merchant);
    else if (now - known.readAt > SETTINGS_FRESH_MS && now - known.askedAt > SETTINGS_FRESH_MS) {
      known.askedAt = now;
      partition.deps.background(refreshOrLog(partition, merchant));
    }
  }
  if (needed.length > 0) await Promise.all(needed.map((merchant) => refreshSettings(partition, merchant)));
}

/** Reads a merchant's settings and adopts them when they are newer. */
export async function refreshSettings(partition: Partition, merchant: number): Promise<void> {
  const now = partition.deps.now(); // the lease begins before the read: a change made during it may be missed
  const settings = await partition.deps.readSettings(merchant);
  const known = partition.settings.get(merchant);
  if (settings === undefined) {
    partition.unknown.set(merchant, now + UNKNOWN_KEPT_MS);
    if (known !== undefined) known.gone = true;
    return;
  }
  partition.unknown.delete(merchant);
  if (known !== undefined && known.settings.version >= settings.version) {
    known.readAt = now;
    known.gone = false;
    return;
  }
  if (known !== undefined) checkpoint(partition);
  partition.deps.store.writeSettings(settings);
  partition.settings.set(merchant, { settings, readAt: now, askedAt: now, gone: false });
}

/** A failed refresh is no reason to refuse hits while the lease lasts. */
async function refreshOrLog(partition: Partition, merchant: number): Promise<void> {
  try {
    await refreshSettings(partition, merchant);
  } catch (error) {
    partition.deps.log({
      event: "settings_refresh_failed",
      partition: partition.name,
      merchant,
      error: causeOf(error),
    });
  }
}
