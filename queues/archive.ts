// The consumer of footfall-archive. A bundle becomes one Parquet object for each Day that it has events of. When all of
// them lie in R2, and D1 says where, the partition that cut the bundle is told and forgets it. Each message succeeds or
// fails by itself: a bundle that fails waits longer each time, and its neighbours in the batch are archived. Messages
// are handled one after the other, so that memory holds one bundle. Throughput comes from the platform, which runs more
// consumers when the queue grows.

import type { Bundle } from "../core/archive/bundle.ts";
import { noteMerchants } from "../core/archive/bundle-merchants.ts";
import { type ArchiveFile, filesOf } from "../core/archive/file.ts";
import { bundleKey } from "../core/archive/object-key.ts";
import { firstOpenDay } from "../core/counting/closed.ts";
import type { Confirmation } from "../core/counting/recovered.ts";
import { CONNECTIONS_MAX } from "../core/limits.ts";
import type { Log } from "../core/log.ts";
import type { Metered } from "../core/meter.ts";
import { unpackBundle } from "../storage/archive/bundle-message.ts";
import { readParquet } from "../storage/archive/parquet.ts";
import type { ArchivedBundle, MerchantDay } from "../storage/ledger/places.ts";
import type { SealPlace } from "../storage/ledger/sealed-day.ts";
import { handleEach, type QueueBatch } from "./message.ts";
import { daysToSort } from "./run.ts";

/** The part of an R2 bucket that the archive writes with. */
export interface ArchiveBucket {
  /** null where there is an object of the key. */
  put(
    key: string,
    value: Uint8Array<ArrayBuffer>,
    options: { readonly customMetadata: Record<string, string>; readonly onlyIf: { readonly etagDoesNotMatch: "*" } },
  ): Promise<unknown>;
  get(key: string): Promise<{ arrayBuffer(): Promise<ArrayBuffer> } | null>;
}

export interface ArchiveDeps {
  /** A file's bytes. The same file always has the same bytes. */
  readonly encode: (file: ArchiveFile) => Uint8Array<ArrayBuffer>;
  /** Notes where a bundle's events lie, and wakes closed Days that got events, so that they are counted again. */
  readonly note: (bundle: ArchivedBundle) => Promise<void>;
  /** Asks for runs to be made of the bundles of open Days. */
  readonly sendRuns: (places: readonly SealPlace[]) => Promise<void>;
  /** UTC ms. */
  readonly now: () => number;
  /** How long after its midnight in UTC a Day is closed. */
  readonly pace: { readonly sealAfterMs: number };
  readonly bucket: ArchiveBucket;
  /** Tells a partition that its bundle starting at `first` lies in R2. */
  readonly confirm: (partition: string, first: number) => Promise<Confirmation>;
  /** Brings it the events of a bundle that came too late for its recovery. */
  readonly takeMissed: (partition: string, events: Bundle["events"]) => Promise<void>;
  /** Counts every operation that was tried: a failed one is billed too. */
  readonly meter: Metered;
  readonly log: Log;
}

/**
 * Archives a batch. A body that cannot be decoded is retried like any other failure. Most such bodies never can be, but
 * a collector that was deployed first may send a version that this consumer will know minutes later.
 */
export async function archive(batch: QueueBatch, deps: ArchiveDeps): Promise<void> {
  await handleEach(batch, { ...deps, handle: ({ body }) => archiveBody(body, deps) });
}

/**
 * Archives one message's body, whether it comes from the queue or from the dead letters. Throws when it is not
 * archived.
 */
export async function archiveBody(body: unknown, deps: ArchiveDeps): Promise<void> {
  await archiveBundle(unpackBundle(body), deps);
}

/**
 * A second run is harmless, whatever the first one left behind. Keys and bytes are functions of the bundle, whose
 * boundaries were fixed before it was first sent. So a second put writes the same object, and a second note or
 * confirmation says the same again. What lies in R2 is noted before the partition is told of it and forgets its bundle.
 * So whoever asks the partition first and D1 afterwards finds the events in one of the two, at any moment (L8).
 */
async function archiveBundle(bundle: Bundle, deps: ArchiveDeps): Promise<void> {
  const files = filesOf(bundle);
  for (let start = 0; start < files.length; start += CONNECTIONS_MAX) {
    await putAll(files.slice(start, start + CONNECTIONS_MAX), deps);
  }
  await deps.note(archivedBundle(bundle, deps));
  const confirmation = await deps.confirm(bundle.partition, bundle.first);
  if (confirmation === "missed") await deps.takeMissed(bundle.partition, bundle.events);
  const unsorted = daysToSort(bundle, firstOpenDay(deps.now(), deps.pace.sealAfterMs));
  if (unsorted.length > 0) await deps.sendRuns(unsorted);
}

/** The note about a bundle that lies in the archive. */
function archivedBundle({ partition, events }: Bundle, { now, pace }: ArchiveDeps): ArchivedBundle {
  const uncounted = merchantDays(events.filter(({ late }) => late));
  // Events that were counted, but whose bundle was stuck until long after their Day was closed. Without this note
  // nobody would look at that Day again.
  const longClosed = firstOpenDay(now(), pace.sealAfterMs) - 1;
  const stuck = events.filter(({ day }) => day < longClosed);
  const lateDays = new Set([...uncounted.map(([, day]) => day), ...stuck.map(({ day }) => day)]);
  return { partition, places: merchantDays(events), uncounted, lateDays: [...lateDays] };
}

/** The merchants and Days of events, each pair once. */
function merchantDays(events: Bundle["events"]): readonly MerchantDay[] {
  const found = events.map(({ day, event: { merchant } }) => [`${merchant} ${day}`, [merchant, day]] as const);
  return [...new Map(found).values()];
}

/** Waits for every put, even when one fails, so that nothing of a message is still running when it ends. */
async function putAll(files: readonly ArchiveFile[], deps: ArchiveDeps): Promise<void> {
  const puts = await Promise.allSettled(files.map((file) => putFile(file, deps)));
  for (const put of puts) if (put.status === "rejected") throw put.reason;
}

/**
 * Puts a file where there is none. One that is there has the same events, from an earlier delivery; or its partition
 * was put back to an earlier instant and has given positions again. What lies there then is not replaced.
 */
async function putFile(file: ArchiveFile, { bucket, encode }: ArchiveDeps): Promise<void> {
  const key = bundleKey(file);
  const bytes = encode(file);
  const options = { customMetadata: noteMerchants(file.rows), onlyIf: { etagDoesNotMatch: "*" } } as const;
  if ((await bucket.put(key, bytes, options)) !== null) return;
  const known = await bucket.get(key);
  if (known === null) throw new Error(`${key} was there and is gone; it is put when the bundle comes again`);
  const there = new Uint8Array(await known.arrayBuffer());
  if (isEqual(there, bytes) || isSame(await readParquet(there), file)) return;
  throw new Error(
    `${key} has other events: the storage of ${file.partition} was put back to an earlier instant; ` +
      `run footfall recover partition ${file.partition}`,
  );
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** Whether two files have the same events at the same positions: an earlier release may have written other bytes. */
function isSame(a: ArchiveFile, b: ArchiveFile): boolean {
  const idsOf = ({ rows }: ArchiveFile) =>
    rows.map(({ position, event: { merchant, id, name, timestamp } }) => [
      position,
      merchant,
      id.toWellFormed(),
      name.toWellFormed(),
      timestamp,
    ]);
  return JSON.stringify(idsOf(a)) === JSON.stringify(idsOf(b));
}
