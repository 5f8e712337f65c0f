// A merchant's events of a (Day, partition) that does not fit into memory: read in passes, each row in one of them,
// each visitor's rows together.

import { expect, test } from "vitest";
import { rowsOf } from "../../../core/archive/event-columns.ts";
import type { ArchivedEvent } from "../../../core/archive/file.ts";
import { bundleKey } from "../../../core/archive/object-key.ts";
import { findEvents } from "../../../storage/archive/merchant-events.ts";
import { encodeParquet } from "../../../storage/archive/parquet.ts";
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
