// The consumer of footfall-archive: a bundle becomes one Parquet object per Day it touches, and when all of them lie in
// R2 the partition that cut it is told so and forgets it. Each message ends on its own: a bundle that fails waits longer
// each time and never takes its neighbours with it. Messages are handled one after the other, so that memory holds one
// bundle; throughput comes from the platform, which runs more consumers when the queue grows.

import type { Bundle } from "../core/archive/bundle.ts";
import { type ArchiveFile, filesOf } from "../core/archive/file.ts";
import { bundleKey } from "../core/archive/object-key.ts";
import { firstOpenDay } from "../core/counting/closed.ts";
import type { MerchantDay } from "../core/counting/late-turn.ts";
import { CONNECTIONS_MAX } from "../core/limits.ts";
import type { Metered } from "../core/meter.ts";
import { encodeParquet } from "../storage/archive.ts";
import { unpackBundle } from "../storage/bundle-message.ts";
import { handleEach, type Log, type QueueBatch } from "./message.ts";

/** The part of an R2 bucket that the archive writes with. */
export interface ArchiveBucket {
  put(key: string, value: Uint8Array<ArrayBuffer>): Promise<unknown>;
}

export interface ArchiveDeps {
  /** Sees to it that closed Days which have just got events are counted again, by turns of the merchants that sent them. */
  readonly noteLate: (
    places: readonly { readonly day: number; readonly partition: string }[],
    sent: readonly MerchantDay[],
  ) => Promise<void>;
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

/** What becomes of one message's body, fresh from the queue or out of the dead letters. Throws when it is not archived. */
export async function archiveBody(body: unknown, deps: ArchiveDeps): Promise<void> {
  await archiveBundle(unpackBundle(body), deps);
}

/**
 * A second run is harmless, whatever the first one left behind: keys and bytes are functions of the bundle, whose
 * boundaries were fixed before it was first sent, so puts overwrite themselves, and confirming twice says the same thing
 * twice. The confirmation comes last: the partition forgets its bundle on hearing it.
 */
async function archiveBundle(bundle: Bundle, deps: ArchiveDeps): Promise<void> {
  const files = filesOf(bundle);
  for (let start = 0; start < files.length; start += CONNECTIONS_MAX) {
    await putAll(files.slice(start, start + CONNECTIONS_MAX), deps);
  }
  await noteLateDays(bundle, deps);
  await deps.confirm(bundle.partition, bundle.first);
}

/**
 * Days of which the partition counts nothing any more. An event it did count, and whose bundle was stuck until long after
 * its Day was closed, is one as well: nobody else would look there again.
 */
async function noteLateDays({ partition, events }: Bundle, deps: ArchiveDeps): Promise<void> {
  const longClosed = firstOpenDay(deps.now(), deps.pace.sealAfterMs) - 1;
  const closed = events.filter(({ day, late }) => late || day < longClosed);
  const days = new Set(closed.map(({ day }) => day));
  const sent = new Map(closed.map(({ day, event: { merchant } }) => [`${merchant} ${day}`, [merchant, day] as const]));
  if (days.size > 0)
    await deps.noteLate(
      [...days].map((day) => ({ day, partition })),
      [...sent.values()],
    );
}

/** Waits for every put, the failed ones' neighbours too, so that nothing of a message is still running when it ends. */
async function putAll(files: readonly ArchiveFile[], { bucket, meter }: ArchiveDeps): Promise<void> {
  const puts = await Promise.allSettled(
    files.map(async (file) => {
      const bytes = encodeParquet(file);
      meter.r2_class_a += 1;
      await bucket.put(bundleKey(file), bytes);
    }),
  );
  for (const put of puts) if (put.status === "rejected") throw put.reason;
}
