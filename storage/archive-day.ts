// Reads a (Day, partition) back out of the archive: lists its objects, then gives their events, object by object, for a
// slice of its merchants at a time. Today these are the bundles as they were archived; a Day's sealed files will join in
// `listDay`, and nothing behind it has to know. What is read is counted in `core/counting/replay.ts`.

import type { ArchivedEvent } from "../core/archive/file.ts";
import { dayPrefix, parseBundleKey } from "../core/archive/object-key.ts";
import { REPLAY_SLICE_BYTES, REPLAY_SLICES_MAX } from "../core/limits.ts";
import type { Metered } from "../core/meter.ts";
import { readParquet } from "./archive.ts";

/** The part of an R2 bucket that a replay reads. */
export interface DayBucket {
  list(options: { prefix: string; cursor?: string; delimiter?: string }): Promise<DayListing>;
  get(key: string): Promise<{ arrayBuffer(): Promise<ArrayBuffer> } | null>;
}

export interface DayListing {
  readonly objects: readonly { readonly key: string; readonly size: number }[];
  readonly delimitedPrefixes?: readonly string[];
  readonly truncated: boolean;
  readonly cursor?: string;
}

export interface DayPlace {
  /** Such as "2026-11-21". */
  readonly date: string;
  readonly partition: string;
}

/** What of a (Day, partition) lies in the archive. */
export interface ArchivedDay extends DayPlace {
  /** In the order of positions. */
  readonly keys: readonly string[];
  readonly bytes: number;
  /** How many slices its merchants are cut into: a merchant is in the slice of its number modulo this. */
  readonly slices: number;
}

/** Lists a (Day, partition). Throws where it is too large to be read slice by slice. */
export async function listDay(bucket: DayBucket, place: DayPlace, meter: Metered): Promise<ArchivedDay> {
  const keys: string[] = [];
  let bytes = 0;
  for await (const page of pagesOf(bucket, { prefix: dayPrefix(place) }, meter)) {
    for (const { key, size } of page.objects) {
      if (parseBundleKey(key) === undefined) continue;
      keys.push(key);
      bytes += size;
    }
  }
  const slices = Math.max(1, Math.ceil(bytes / REPLAY_SLICE_BYTES));
  if (slices > REPLAY_SLICES_MAX)
    throw new Error(`${place.date} of ${place.partition} has ${bytes} bytes of bundles, more than a replay reads`);
  return { ...place, keys, bytes, slices };
}

/** The partitions that have anything of a date in the archive. */
export async function listPartitions(bucket: DayBucket, date: string, meter: Metered): Promise<readonly string[]> {
  const prefix = dayPrefix({ date });
  const partitions: string[] = [];
  for await (const page of pagesOf(bucket, { prefix, delimiter: "/" }, meter)) {
    for (const folder of page.delimitedPrefixes ?? []) {
      const [, partition] = /\/partition=([^/]+)\/$/.exec(folder) ?? [];
      if (partition !== undefined) partitions.push(partition);
    }
  }
  return partitions;
}

/** The events of one slice of merchants, a bundle's at a time, so that memory holds one bundle beside what is counted. */
export async function* readSlice(
  bucket: DayBucket,
  { keys, slices }: ArchivedDay,
  { slice, isWanted, meter }: { slice: number; isWanted: (merchant: number) => boolean; meter: Metered },
): AsyncGenerator<readonly ArchivedEvent[]> {
  for (const key of keys) {
    meter.r2_class_b += 1;
    const object = await bucket.get(key);
    // Only sealing and erasure delete objects, and both are followed by a replay of their own.
    if (object === null) throw new Error(`${key} went away while it was read`);
    const { rows } = await readParquet(new Uint8Array(await object.arrayBuffer()));
    yield rows.filter(({ event: { merchant } }) => merchant % slices === slice && isWanted(merchant));
  }
}

async function* pagesOf(
  bucket: DayBucket,
  options: { prefix: string; delimiter?: string },
  meter: Metered,
): AsyncGenerator<DayListing> {
  let cursor: string | undefined;
  do {
    meter.r2_class_a += 1;
    const page = await bucket.list({ ...options, ...(cursor === undefined ? {} : { cursor }) });
    yield page;
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
}
