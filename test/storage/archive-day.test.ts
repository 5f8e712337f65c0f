// A (Day, partition) read back from the archive: all of it, once, in slices of merchants, over pages of the listing.

import { expect, test } from "vitest";
import type { ArchivedEvent } from "../../core/archive/file.ts";
import { bundleKey } from "../../core/archive/object-key.ts";
import { REPLAY_SLICE_BYTES, REPLAY_SLICES_MAX } from "../../core/limits.ts";
import { zeroMeter } from "../../core/meter.ts";
import { encodeParquet } from "../../storage/archive.ts";
import { type DayBucket, type DayListing, listDay, listPartitions, readSlice } from "../../storage/archive-day.ts";
import { eventOf } from "../support/events.ts";

const PLACE = { date: "2026-03-10", partition: "pool-1" };
const events: readonly ArchivedEvent[] = Array.from({ length: 30 }, (_, index) => ({
  partition: "pool-1",
  position: index,
  event: eventOf({ merchant: 1 + (index % 7) }),
}));

/** A bucket that lists two objects a page and claims each to be `size` bytes. */
function bucketOf(size?: number): DayBucket {
  const files = [0, 10, 20].map((first) => ({ ...PLACE, first, rows: events.slice(first, first + 10) }));
  const objects = new Map(files.map((file) => [bundleKey(file), encodeParquet(file)]));
  objects.set("events/date=2026-03-10/partition=pool-10/0000000000000.parquet", new Uint8Array([1]));
  return {
    list: async ({ prefix, cursor, delimiter }) => {
      const keys = [...objects.keys()].filter((key) => key.startsWith(prefix)).sort();
      if (delimiter !== undefined) {
        const folders = [...new Set(keys.map((key) => key.slice(0, key.indexOf("/", prefix.length) + 1)))];
        return { objects: [], delimitedPrefixes: folders, truncated: false };
      }
      const from = Number(cursor ?? 0);
      const page = keys.slice(from, from + 2).map((key) => ({ key, size: size ?? objects.get(key)?.length ?? 0 }));
      const listing: DayListing = { objects: page, truncated: from + 2 < keys.length, cursor: String(from + 2) };
      return listing;
    },
    get: async (key) => {
      const bytes = objects.get(key);
      return bytes === undefined ? null : { arrayBuffer: async () => bytes.slice().buffer };
    },
  };
}

test("[RPL-6] the slices of a Day hold each of its events once, and a merchant is in one of them", async () => {
  const bucket = bucketOf(REPLAY_SLICE_BYTES);
  const archived = await listDay(bucket, PLACE, zeroMeter());
  expect(archived).toMatchObject({ slices: 3, keys: [0, 10, 20].map((first) => bundleKey({ ...PLACE, first })) });
  const read: ArchivedEvent[] = [];
  const slicesOf = new Map<number, Set<number>>();
  for (let slice = 0; slice < archived.slices; slice++) {
    for await (const rows of readSlice(bucket, archived, { slice, isWanted: (id) => id !== 3, meter: zeroMeter() })) {
      read.push(...rows);
      for (const { event } of rows)
        slicesOf.set(event.merchant, (slicesOf.get(event.merchant) ?? new Set()).add(slice));
    }
  }
  expect(read.sort((a, b) => a.position - b.position)).toEqual(events.filter(({ event }) => event.merchant !== 3));
  expect([...slicesOf.values()].every(({ size }) => size === 1)).toBe(true);
});

test("[RPL-6] a Day larger than a replay can read is refused, not read in part", async () => {
  const bucket = bucketOf((REPLAY_SLICE_BYTES * REPLAY_SLICES_MAX) / 2);
  await expect(listDay(bucket, PLACE, zeroMeter())).rejects.toThrow("more than a replay reads");
});

test("[RPL-6] the partitions of a date are its folders, and the reads are metered", async () => {
  const meter = zeroMeter();
  expect(await listPartitions(bucketOf(), "2026-03-10", meter)).toEqual(["pool-1", "pool-10"]);
  await listDay(bucketOf(), PLACE, meter);
  expect(meter.r2_class_a).toBe(3);
});
