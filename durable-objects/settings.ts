// How merchants' settings reach a partition without a database read per hit: read once when a merchant is first seen,
// kept on disk, pushed by the admin API when they change, and read again in the background when they grow old. New
// settings start after a checkpoint: the log after it is then counted again under the settings it was counted with.

import { RETRY_MIN_MS, SETTINGS_FRESH_MS } from "../core/limits.ts";
import { checkpoint } from "./checkpoint.ts";
import type { Partition } from "./state.ts";

/** A merchant the database does not know is not asked for again within this time. */
const UNKNOWN_KEPT_MS = 10 * RETRY_MIN_MS;

/** Makes sure settings are there for each merchant that exists; throws when the database does not answer. */
export async function ensureSettings(partition: Partition, merchants: ReadonlySet<number>): Promise<void> {
  const now = partition.deps.now();
  const missing: number[] = [];
  for (const merchant of merchants) {
    const known = partition.settings.get(merchant);
    if (known === undefined) {
      if ((partition.unknown.get(merchant) ?? 0) <= now) missing.push(merchant);
    } else if (now - known.readAt > SETTINGS_FRESH_MS) {
      known.readAt = now;
      partition.deps.background(refreshOrLog(partition, merchant));
    }
  }
  if (missing.length > 0) await Promise.all(missing.map((merchant) => refreshSettings(partition, merchant)));
}

/** Reads a merchant's settings and adopts them when they are newer. */
export async function refreshSettings(partition: Partition, merchant: number): Promise<void> {
  const settings = await partition.deps.readSettings(merchant);
  const now = partition.deps.now();
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
  partition.settings.set(merchant, { settings, readAt: now, gone: false });
}

/** A failed refresh is no reason to refuse hits: the old settings hold, and the next stale use tries again. */
async function refreshOrLog(partition: Partition, merchant: number): Promise<void> {
  try {
    await refreshSettings(partition, merchant);
  } catch (error) {
    const known = partition.settings.get(merchant);
    if (known !== undefined) known.readAt = 0;
    partition.deps.log({ event: "settings_refresh_failed", partition: partition.name, merchant, error: String(error) });
  }
}
