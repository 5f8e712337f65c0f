// A merchant's events of a (Day, partition) that does not fit into memory: read in passes, each row in one of them,
// each visitor's rows together.

import { expect, test } from "vitest";
import { blockOf, rowsOf } from "../../../core/archive/event-columns.ts";
import type { ArchivedEvent } from "../../../core/archive/file.ts";
import { encodeManifest } from "../../../core/archive/manifest.ts";
import { bundleKey, manifestKey, sealedFolder } from "../../../core/archive/object-key.ts";
import { findDay } from "../../../storage/archive/archive-day.ts";
import type { Archive } from "../../../storage/archive/bucket.ts";
import { findEvents, readTogether } from "../../../storage/archive/merchant-events.ts";
import { encodeParquet } from "../../../storage/archive/parquet.ts";
import { SealedFileWriter } from "../../../storage/archive/sealed-file.ts";
import { DAY, traffic } from "../../support/archive-fixture.ts";
import { makeDatabases } from "../../support/databases.ts";
import { memoryArchive } from "../../support/memory-bucket.ts";

const PARTITION = "pool-0";
/** As if memory held no more. */
const ROWS_MAX = 20_000;

test("[SCN-6] a large Day is read in passes: every row once, and a visitor's in one pass", async () => {
  const rows: readonly ArchivedEvent[] = traffic({ count: Math.ceil(ROWS_MAX * 1.6) }).map(({ event }, position) => ({
    partition: PARTITION,
    position,
    event: { ...event, merchant: 1 },
  }));
  const objects = new Map<string, Uint8Array>();
  for (let first = 0; first < rows.length - 100; first += 8_000) {
    const file = { date: "2026-11-21", partition: PARTITION, first, rows: rows.slice(first, first + 8_000) };
    objects.set(bundleKey(file), encodeParquet(file));
  }
  // The last rows lie in the log as well.
  const recent = new Map([[`${DAY} ${PARTITION}`, { day: DAY, partition: PARTITION, rows: rows.slice(-500) }]]);
  const settings = { merchant: 1, zones: [{ from: 0, zone: "UTC" }] };
  const places = [{ day: DAY, partition: PARTITION }];
  const search = { settings, places, recent, columns: [], together: "partition", rowsMax: ROWS_MAX } as const;
  const found = await findEvents(search, {
    ledgers: makeDatabases().ledgers,
    bucket: memoryArchive(objects),
  });
  const passOf = new Map<string, number>();
  const positions: number[] = [];
  let passes = 0;
  for await (const { partitions } of found.days()) {
    for (const { event, position } of partitions.flatMap(rowsOf)) {
      expect(passOf.get(event.visitor) ?? passes).toBe(passes);
      passOf.set(event.visitor, passes);
      positions.push(position);
    }
    passes += 1;
  }
  expect(passes).toBe(2);
  expect(positions.sort((a, b) => a - b)).toEqual(rows.map(({ position }) => position));
});

test("[RPT-6] all partitions of a large Day are read together in passes: a visitor's rows of each in the same one", async () => {
  const names = ["pool-0", "merchant-1-0"];
  const rows: readonly ArchivedEvent[] = traffic({ count: Math.ceil(ROWS_MAX * 1.2) }).map(({ event }, position) => ({
    partition: names[position % 2] as string,
    position,
    event: { ...event, merchant: 1 },
  }));
  const objects = new Map<string, Uint8Array>();
  for (const partition of names) {
    const own = rows.filter((row) => row.partition === partition);
    const file = { date: "2026-11-21", partition, first: 0, rows: own };
    objects.set(bundleKey(file), encodeParquet(file));
  }
  const places = names.map((partition) => ({ day: DAY, partition }));
  const settings = { merchant: 1, zones: [{ from: 0, zone: "UTC" }] };
  const search = { settings, places, recent: new Map(), columns: [], together: "day", rowsMax: ROWS_MAX } as const;
  const found = await findEvents(search, {
    ledgers: makeDatabases().ledgers,
    bucket: memoryArchive(objects),
  });
  const passes: string[][] = [];
  let read = 0;
  for await (const { partitions } of found.days()) {
    expect(partitions).toHaveLength(2);
    passes.push([...new Set(partitions.flatMap(rowsOf).map(({ event }) => event.visitor))]);
    read += partitions.flatMap(rowsOf).length;
  }
  expect([passes.length, read]).toEqual([2, rows.length]);
  expect(new Set(passes.flat()).size).toBe(passes.flat().length);
});

test("[SCN-6] a sealed Day is read in as many passes as its manifest makes needed, and in none that does not fit", async () => {
  const place = { date: "2026-11-21", partition: PARTITION };
  const folder = sealedFolder(place, "1-3200-0");
  const objects = new Map<string, Uint8Array>();
  const stored = memoryArchive(objects);
  let gets = 0;
  const bucket = { ...stored, get: (...given: Parameters<typeof stored.get>) => [stored.get(...given), gets++][0] };
  const archive = { bucket } as Archive;
  const writer = new SealedFileWriter(place, folder, 0);
  const rows = traffic({ count: 3_200 }).map(({ event }, position) => ({
    partition: PARTITION,
    position,
    event: { ...event, merchant: 1 },
  }));
  writer.add(blockOf(rows));
  writer.endMerchant(0);
  const manifest = { ...place, generation: 1, before: 3_200, rows: 3_200, duplicates: 0 };
  const files = [await writer.finish(archive)];
  objects.set(manifestKey(folder), new TextEncoder().encode(encodeManifest({ ...manifest, files })));
  const archived = await findDay(archive, place, folder);
  const at = { day: DAY, partition: PARTITION };
  const folders = new Map([[`${DAY} ${PARTITION}`, { ...at, archived, pieces: [], cost: { objects: 0, bytes: 0 } }]]);
  const settings = { merchant: 1, zones: [{ from: 0, zone: "UTC" }] };
  const read = { settings, folders, recent: new Map(), removals: [], columns: [], together: "partition" } as const;
  const passesOf = async (rowsMax: number) => {
    gets = 0;
    let [passes, found] = [0, 0];
    for await (const { partitions } of readTogether(archive, [at], { ...read, rowsMax })) {
      passes += 1;
      found += partitions.reduce((sum, { count }) => sum + count, 0);
    }
    return { passes, found, gets };
  };
  // Footer and row group once for each pass; before several, once for the order numbers that visitors share.
  expect(await passesOf(3_200)).toEqual({ passes: 1, found: 3_200, gets: 2 });
  expect(await passesOf(2_000)).toEqual({ passes: 2, found: 3_200, gets: 6 });
  expect(await passesOf(1_400)).toEqual({ passes: 3, found: 3_200, gets: 8 });
});
