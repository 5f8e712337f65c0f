// A (Day, partition) read back from the archive: every row once, by merchant, whether it lies in bundles, in runs
// sorted from them, in sealed files, or in both; and no more of it than is wanted.

import { expect, test } from "vitest";
import { blockOf, rowsOf } from "../../../core/archive/event-columns.ts";
import type { ArchivedEvent } from "../../../core/archive/file.ts";
import type { Manifest } from "../../../core/archive/manifest.ts";
import { encodeManifest } from "../../../core/archive/manifest.ts";
import { bundleKey, manifestKey, runsPrefix, sealedFolder } from "../../../core/archive/object-key.ts";
import { ROW_GROUP_ROWS, RUN_BYTES, SEAL_AFTER_MS } from "../../../core/limits.ts";
import { type Metered, zeroMeter } from "../../../core/meter.ts";
import { makeRuns } from "../../../queues/run.ts";
import { type DayRead, findDay, listPartitions, readDay } from "../../../storage/archive/archive-day.ts";
import { type Archive, putObject } from "../../../storage/archive/bucket.ts";
import { encodeParquet } from "../../../storage/archive/parquet.ts";
import { SealedFileWriter } from "../../../storage/archive/sealed-file.ts";
import { duckdb, traffic } from "../../support/archive-fixture.ts";
import { memoryArchive, meteredArchive } from "../../support/memory-bucket.ts";

const PLACE = { date: "2026-11-21", partition: "pool-1" };
const FOLDER = sealedFolder(PLACE, "1-1000");
const ALL: DayRead = { after: 0, isWanted: () => true };

function rowsFrom(position: number, count: number, seed = 1): readonly ArchivedEvent[] {
  return traffic({ count, seed }).map(({ event }, index) => ({
    partition: "pool-1",
    position: position + index,
    event,
  }));
}

/** By merchant, and then in the order of the log. */
function sortRows(rows: readonly ArchivedEvent[]): readonly ArchivedEvent[] {
  return rows.toSorted((a, b) => a.event.merchant - b.event.merchant || a.position - b.position);
}

function archiveOf(objects: Map<string, Uint8Array>): Archive & { readonly meter: Metered } {
  const meter = zeroMeter();
  return { bucket: meteredArchive(memoryArchive(objects, 2), meter), meter };
}

async function putBundle(archive: Archive, rows: readonly ArchivedEvent[]): Promise<void> {
  const file = { ...PLACE, first: rows[0]?.position ?? 0, rows };
  await putObject(archive, bundleKey(file), encodeParquet(file));
}

async function putSealed(archive: Archive, rows: readonly ArchivedEvent[], before: number): Promise<Manifest> {
  const writer = new SealedFileWriter(PLACE, FOLDER, 0);
  for (const [merchant, theirs] of Map.groupBy(sortRows(rows), ({ event }) => event.merchant)) {
    writer.add(blockOf(theirs));
    writer.endMerchant(merchant);
  }
  const files = [await writer.finish(archive)];
  const manifest: Manifest = { ...PLACE, generation: 1, rows: rows.length, duplicates: 0, before, files };
  await putObject(archive, manifestKey(FOLDER), encodeManifest(manifest));
  return manifest;
}

async function read(archive: Archive, folder: string, wanted: DayRead = ALL): Promise<readonly ArchivedEvent[]> {
  const slices: (readonly ArchivedEvent[])[] = [];
  for await (const slice of readDay(archive, await findDay(archive, PLACE, folder), wanted)) slices.push(rowsOf(slice));
  for (const slice of slices) expect(new Set(slice.map(({ event }) => event.merchant)).size).toBe(1);
  return slices.flat();
}

test("[RPL-6] bundles are read once each, by merchant and then in the order of the log", async () => {
  const archive = archiveOf(
    new Map([["events/date=2026-11-21/partition=pool-10/0000000000001.parquet", new Uint8Array()]]),
  );
  const bundles = [rowsFrom(0, 300, 1), rowsFrom(300, 200, 2), rowsFrom(500, 100, 3)];
  for (const bundle of bundles) await putBundle(archive, bundle);
  expect(await read(archive, "")).toEqual(sortRows(bundles.flat()));
  expect(await listPartitions(archive, PLACE.date)).toEqual(["pool-1", "pool-10"]);
});

test("[RPL-6] a Day too large for memory is cut into runs, once, and read by merging them", async () => {
  const objects = new Map<string, Uint8Array>();
  const archive = archiveOf(objects);
  const rows = rowsFrom(0, 1_200);
  for (let start = 0; start < rows.length; start += 100) await putBundle(archive, rows.slice(start, start + 100));
  // Bundles that claim a fifth of a run each: twelve of them are three runs.
  const claiming: Archive = {
    ...archive,
    bucket: {
      ...archive.bucket,
      list: async (options) => {
        const page = await archive.bucket.list(options);
        return { ...page, objects: page.objects.map(({ key }) => ({ key, size: RUN_BYTES / 5 })) };
      },
    },
  };
  expect(await read(claiming, "")).toEqual(sortRows(rows));
  const runs = () => [...objects.keys()].filter((key) => key.startsWith(runsPrefix(PLACE)));
  expect(runs()).toHaveLength(6); // and an index each
  const written = archive.meter.r2_class_a;
  expect(await read(claiming, "", { after: 7, isWanted: (merchant) => merchant % 2 === 0 })).toEqual(
    sortRows(rows).filter(({ event: { merchant } }) => merchant > 7 && merchant % 2 === 0),
  );
  expect(archive.meter.r2_class_a - written).toBeLessThan(10); // listed again, not sorted again
});

test("[RUN-3] a large Day is sealed by the runs that it has, and by new ones of what is in none", async () => {
  const objects = new Map<string, Uint8Array>();
  const archive = archiveOf(objects);
  const rows = rowsFrom(0, 1_900);
  for (let start = 0; start < 1_600; start += 100) await putBundle(archive, rows.slice(start, start + 100));
  const now = Date.UTC(2026, 10, 21, 12);
  const day = Math.floor(now / 86_400_000);
  await makeRuns(
    { day, partition: PLACE.partition },
    { ...archive, now: () => now, pace: { sealAfterMs: SEAL_AFTER_MS } },
  );
  const runs = () => [...objects.keys()].filter((key) => key.startsWith(runsPrefix(PLACE)) && key.endsWith(".run"));
  expect(runs().map((key) => key.slice(-8))).toEqual(["00-4.run", "00-4.run", "00-4.run", "00-4.run", "0-16.run"]);
  for (let start = 1_600; start < 1_900; start += 100) await putBundle(archive, rows.slice(start, start + 100));
  const list: Archive["bucket"]["list"] = async (options) => {
    const page = await archive.bucket.list(options);
    return { ...page, objects: page.objects.map(({ key }) => ({ key, size: RUN_BYTES / 5 })) };
  };
  const claiming: Archive = { bucket: { ...archive.bucket, list } };
  expect(await read(claiming, "")).toEqual(sortRows(rows));
  expect(runs()).toHaveLength(6); // the last three bundles are one more
  await makeRuns(
    { day, partition: PLACE.partition },
    { ...archive, now: () => now + 5 * 86_400_000, pace: { sealAfterMs: SEAL_AFTER_MS } },
  );
  expect(runs()).toHaveLength(6); // of a Day that is closed none are made
});

test("[SEA-7] sealed files and later bundles are read as one", async () => {
  const archive = archiveOf(new Map());
  const sealed = rowsFrom(0, 700);
  await putSealed(archive, sealed, 1_000);
  await putBundle(archive, sealed.slice(0, 100)); // of before the seal, not yet deleted
  const late = rowsFrom(1_000, 50, 9);
  await putBundle(archive, late);
  expect(await read(archive, FOLDER)).toEqual(sortRows([...sealed, ...late]));
});

test("[SEA-7] one merchant of a sealed Day costs the footer and the row groups it lies in", async () => {
  const archive = archiveOf(new Map());
  const rows = rowsFrom(0, ROW_GROUP_ROWS * 4);
  await putSealed(archive, rows, 1);
  const before = archive.meter.r2_class_b;
  const theirs = await read(archive, FOLDER, { after: 0, isWanted: (merchant) => merchant === 20 });
  expect(theirs).toEqual(sortRows(rows).filter(({ event }) => event.merchant === 20));
  expect(theirs.length).toBeGreaterThan(0);
  expect(archive.meter.r2_class_b - before).toBeLessThanOrEqual(4); // manifest, footer, one or two row groups
});

test("[SEA-8] the manifest's rows and checksums are what DuckDB finds in the file", async () => {
  const objects = new Map<string, Uint8Array>();
  const { files } = await putSealed(archiveOf(objects), rowsFrom(0, 3_000), 1);
  const { mkdtempSync, rmSync, writeFileSync } = await import("node:fs");
  const { join } = await import("node:path");
  const { tmpdir } = await import("node:os");
  const folder = mkdtempSync(join(tmpdir(), "footfall-sealed-"));
  try {
    writeFileSync(join(folder, "file.parquet"), objects.get(files[0]?.key ?? "") ?? "");
    const rows = await duckdb(
      `select merchant, count(*)::int as rows, sha256(string_agg(concat_ws('|', position, event_id, epoch_ms(timestamp), name,
         coalesce(visitor, ''), coalesce(url, ''), revenue, coalesce(dropped, '')) || chr(10), '' order by position)) as checksum
       from read_parquet('${join(folder, "file.parquet")}') group by merchant order by merchant`,
    );
    const expected = files[0]?.merchants.map(({ merchant, rows, checksum }) => ({
      merchant: String(merchant),
      rows,
      checksum,
    }));
    expect(rows).toEqual(expected);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
