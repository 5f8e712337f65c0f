// The consumer of footfall-archive: a bundle becomes one Parquet object per Day it touches, and when all of them lie in
// R2, and D1 says where they lie, the partition that cut it is told so and forgets it. Each message ends on its
// own: a bundle that fails waits longer each time and never takes its neighbours with it. Messages are handled
// one after the other, so that memory holds one bundle; throughput comes from the platform, which runs more
// consumers when the queue grows.

import type { Bundle } from "../core/archive/bundle.ts";
import { noteMerchants } from "../core/archive/bundle-merchants.ts";
import { type ArchiveFile, filesOf } from "../core/archive/file.ts";
import { bundleKey } from "../core/archive/object-key.ts";
import { firstOpenDay } from "../core/counting/closed.ts";
import { CONNECTIONS_MAX } from "../core/limits.ts";
import type { Log } from "../core/log.ts";
import type { Metered } from "../core/meter.ts";
import { unpackBundle } from "../storage/archive/bundle-message.ts";
import type { ArchivedBundle, MerchantDay } from "../storage/ledger/places.ts";
import { handleEach, type QueueBatch } from "./message.ts";

/** The part of an R2 bucket that the archive writes with. */
export interface ArchiveBucket {
  put(
    key: string,
    value: Uint8Array<ArrayBuffer>,
    options: { readonly customMetadata: Record<string, string> },
  ): Promise<unknown>;
}

export interface ArchiveDeps {
  /** A file's bytes: the same for the same file. */
  readonly encode: (file: ArchiveFile) => Uint8Array<ArrayBuffer>;
  /**
   * Notes where a bundle's events lie, and sees to it that closed Days which have just got events are counted again.
   */
  readonly note: (bundle: ArchivedBundle) => Promise<void>;
  /** UTC ms. */
  readonly now: () => number;
  /** How long after its midnight in UTC a Day is closed. */
  readonly pace: { readonly sealAfterMs: number };
  readonly bucket: ArchiveBucket;
  /** Tells a partition that its bundle starting at `first` lies in R2. */
  readonly confirm: (partition: string, first: number) => Promise<void>;
  /** Counts every operation that was tried: a failed one is billed too. */
  readonly meter: Metered;
  readonly log: Log;
}

/**
 * Archives a batch. A body that cannot be decoded is retried like any other, although most such bodies never can be: a
 * collector that was deployed first may send a version this consumer knows only minutes later.
 */
export async function archive(batch: QueueBatch, deps: ArchiveDeps): Promise<void> {
  await handleEach(batch, { ...deps, failure: "archive_failed", handle: ({ body }) => archiveBody(body, deps) });
}

/**
 * What becomes of one message's body, fresh from the queue or out of the dead letters. Throws when it is not archived.
 */
export async function archiveBody(body: unknown, deps: ArchiveDeps): Promise<void> {
  await archiveBundle(unpackBundle(body), deps);
}

/**
 * A second run is harmless, whatever the first one left behind: keys and bytes are functions of the bundle, whose
 * boundaries were fixed before it was first sent, so puts overwrite themselves, and noting or confirming twice says the
 * same thing twice. What lies in R2 is noted before the partition hears of it and forgets its bundle: so at any moment
 * whoever asks first the partition and then D1 finds the events with one of the two (L8).
 */
async function archiveBundle(bundle: Bundle, deps: ArchiveDeps): Promise<void> {
  const files = filesOf(bundle);
  for (let start = 0; start < files.length; start += CONNECTIONS_MAX) {
    await putAll(files.slice(start, start + CONNECTIONS_MAX), deps);
  }
  await deps.note(archivedBundle(bundle, deps));
  await deps.confirm(bundle.partition, bundle.first);
}

/** What is known of a bundle once it lies in the archive. */
function archivedBundle({ partition, events }: Bundle, { now, pace }: ArchiveDeps): ArchivedBundle {
  const uncounted = merchantDays(events.filter(({ late }) => late));
  // An event that was counted, and whose bundle was stuck until long after its Day was closed: nobody
  // else would look there again.
  const longClosed = firstOpenDay(now(), pace.sealAfterMs) - 1;
  const stuck = events.filter(({ day }) => day < longClosed);
  const lateDays = new Set([...uncounted.map(([, day]) => day), ...stuck.map(({ day }) => day)]);
  return { partition, places: merchantDays(events), uncounted, lateDays: [...lateDays] };
}

/** Each once. */
function merchantDays(events: Bundle["events"]): readonly MerchantDay[] {
  const found = events.map(({ day, event: { merchant } }) => [`${merchant} ${day}`, [merchant, day]] as const);
  return [...new Map(found).values()];
}

/** Waits for every put, the failed ones' neighbours too, so that nothing of a message is still running when it ends. */
async function putAll(files: readonly ArchiveFile[], { bucket, encode }: ArchiveDeps): Promise<void> {
  const puts = await Promise.allSettled(
    files.map(async (file) => {
      const bytes = encode(file);
      await bucket.put(bundleKey(file), bytes, { customMetadata: noteMerchants(file.rows) });
    }),
  );
  for (const put of puts) if (put.status === "rejected") throw put.reason;
}
