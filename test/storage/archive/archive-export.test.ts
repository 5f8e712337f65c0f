// Exports read from an archive that production code has written: sealed Days, late events beside them, neighbours in
// the same files and bundles, and erasures that are under way.

import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { blockOf } from "../../../core/archive/event-columns.ts";
import type { ExportedEvent } from "../../../core/archive/export.ts";
import { encodeManifest } from "../../../core/archive/manifest.ts";
import { bundleKey, manifestKey, sealedFolder } from "../../../core/archive/object-key.ts";
import type { Event } from "../../../core/event.ts";
import { EXPORT_BYTES_MAX, EXPORT_UNSEALED_BYTES_MAX, ROW_GROUP_ROWS, SEAL_AFTER_MS } from "../../../core/limits.ts";
import { DAY_MS } from "../../../core/time.ts";
import { recentEvents } from "../../../durable-objects/recent.ts";
import { findExport, findTooOpen, readExport } from "../../../storage/archive/archive-export.ts";
import type { ArchiveBucket } from "../../../storage/archive/bucket.ts";
import { type RecentEvents, recentOf } from "../../../storage/archive/merchant-events.ts";
import { encodeParquet } from "../../../storage/archive/parquet.ts";
import { SealedFileWriter } from "../../../storage/archive/sealed-file.ts";
import { eventOf, settingsOf, TUESDAY } from "../../support/events.ts";
import { memoryArchive } from "../../support/memory-bucket.ts";
import { SealedWorld } from "../../support/sealed-world.ts";

const DAY = Math.floor(TUESDAY / DAY_MS);
const MERCHANTS = [1, 2, 3];

function world(): SealedWorld {
  const made = new SealedWorld(MERCHANTS.map((merchant) => settingsOf("UTC", { merchant })));
  made.it.now = TUESDAY;
  return made;
}

/** What an export of a merchant's Days has, in its order. */
async function exported(
  { objects, d1 }: SealedWorld,
  merchant: number,
  recent: RecentEvents = new Map(),
): Promise<readonly ExportedEvent[]> {
  const source = { archive: { bucket: memoryArchive(objects) }, ledger: d1 };
  const settings = settingsOf("UTC", { merchant });
  const days = [DAY - 1, DAY, DAY + 1].map((day) => ({ day, partition: "pool-0" }));
  const places = await findExport(source, { settings, places: days, recent });
  const rows: ExportedEvent[] = [];
  for await (const block of readExport(source, { settings, places })) rows.push(...block);
  return rows;
}

/** What the partition may not have archived of merchant 1. */
function unarchived({ it }: SealedWorld): RecentEvents {
  const reply = recentEvents(it.partition, { merchant: 1, from: 0, to: 1e6 });
  return recentOf([{ partition: "pool-0", reply }]) as RecentEvents;
}

async function seal(it: SealedWorld): Promise<void> {
  await it.settle();
  it.it.now = TUESDAY + 2 * DAY_MS + SEAL_AFTER_MS;
  await it.settle();
  await it.seal();
}

test("[EXP-2] [EXP-3] an open Day's archived events, the sealed ones and late ones beside them: each id once", async () => {
  const it = world();
  const event = (id: string, extra: Partial<Event> = {}) => ({ merchant: 1, id, timestamp: TUESDAY, ...extra });
  await it.send([event("a"), event("b"), event("other", { merchant: 2 })]);
  await it.settle();
  expect((await exported(it, 1)).map((row) => [row.date, row.event.id])).toEqual([
    ["2026-03-10", "a"],
    ["2026-03-10", "b"],
  ]);
  await seal(it);
  await it.send([event("b"), event("late"), event("late other", { merchant: 2 })]);
  await it.settle();
  expect(it.keys("events/").length).toBeGreaterThan(0);
  expect((await exported(it, 1)).map(({ event: { id } }) => id)).toEqual(["a", "b", "late"]);
  expect((await exported(it, 2)).map(({ event: { id } }) => id)).toEqual(["other", "late other"]);
  expect(await exported(it, 3)).toEqual([]);
});

test("[EXP-3] [GAP-2] what a partition has not archived is exported too: each id once, of an open Day and of a sealed one", async () => {
  const it = world();
  const event = (id: string, extra: Partial<Event> = {}) => ({ merchant: 1, id, timestamp: TUESDAY, ...extra });
  const ids = async () => (await exported(it, 1, unarchived(it))).map(({ event: { id } }) => id).sort();
  await it.send([event("a"), event("other", { merchant: 2 })]);
  expect(await ids()).toEqual(["a"]);
  const before = unarchived(it);
  await it.settle();
  // It was asked before its bundle was confirmed: the same rows are in the archive by now.
  expect((await exported(it, 1, before)).map(({ event: { id } }) => id)).toEqual(["a"]);
  await it.send([event("b")]);
  expect(await ids()).toEqual(["a", "b"]);
  await seal(it);
  await it.send([event("b"), event("late"), event("late")]);
  expect(await ids()).toEqual(["a", "b", "late"]);
  await it.settle();
  expect(await ids()).toEqual(["a", "b", "late"]);
});

test("[EXP-2] whatever lies in the same files, a merchant's export has its own rows, all of them and no others", async () => {
  const sent = fc.array(
    fc.record({
      merchant: fc.constantFrom(...MERCHANTS),
      id: fc.nat({ max: 40 }).map(String),
      // Away from midnight, around which one id counts once on two Days (PAR-3).
      timestamp: fc
        .record({ day: fc.nat({ max: 1 }), ms: fc.nat({ max: DAY_MS / 4 }) })
        .map(({ day, ms }) => TUESDAY - day * DAY_MS - ms),
    }),
    { maxLength: 60 },
  );
  await fc.assert(
    fc.asyncProperty(sent, sent, fc.boolean(), async (first, second, isSealed) => {
      const it = world();
      if (first.length > 0) await it.send(first);
      if (isSealed) await seal(it);
      if (second.length > 0) await it.send(second);
      await it.settle();
      for (const merchant of MERCHANTS) {
        const rows = await exported(it, merchant);
        expect(rows.every(({ event }) => event.merchant === merchant)).toBe(true);
        const dayAndId = ({ timestamp, id }: Pick<Event, "timestamp" | "id">) =>
          `${Math.floor(timestamp / DAY_MS)} ${id}`;
        const own = [...first, ...second].filter((one) => one.merchant === merchant).map(dayAndId);
        expect(rows.map(({ event }) => dayAndId(event)).sort()).toEqual([...new Set(own)].sort());
      }
    }),
    { numRuns: 40 },
  );
});

test("[EXP-2] rows of an erasure under way are gone already", async () => {
  const it = world();
  const visitors = ["1111111111111111", "2222222222222222"];
  await it.send(visitors.map((visitor) => ({ merchant: 1, id: visitor, visitor, timestamp: TUESDAY })));
  await it.settle();
  it.database.exec(`INSERT INTO erasures (number, id, merchant, kind, visitor, from_day, to_day, state, created_at)
      VALUES (1, 'ers_1', 1, 'visitor', '${visitors[0]}', 0, 99999, 'running', 0);
    INSERT INTO erasure_parts (day, "partition", erasure, told, state) VALUES (${DAY}, 'pool-0', 1, 1000, 'waiting')`);
  expect((await exported(it, 1)).map(({ event }) => event.visitor)).toEqual([visitors[1]]);
});

test("[EXP-5] objects are read as their rows are taken, one after the other", async () => {
  const it = world();
  for (const id of ["a", "b", "c"]) {
    await it.send([{ merchant: 1, id, timestamp: TUESDAY }]);
    await it.settle();
  }
  const read: string[] = [];
  const { get, ...rest } = memoryArchive(it.objects);
  const bucket: ArchiveBucket = {
    ...rest,
    get: (key, options) => {
      read.push(key);
      return get(key, options);
    },
  };
  const source = { archive: { bucket }, ledger: it.d1 };
  const places = await findExport(source, {
    settings: settingsOf("UTC"),
    places: [{ day: DAY, partition: "pool-0" }],
    recent: new Map(),
  });
  expect(places.map(({ folders }) => folders.map(({ cost }) => cost.objects))).toEqual([[3]]);
  expect(read).toEqual([]);
  const blocks = readExport(source, { settings: settingsOf("UTC"), places });
  for (const count of [1, 2, 3]) {
    expect((await blocks.next()).value).toHaveLength(1);
    expect(read).toHaveLength(count);
  }
});

/** Bytes that a request could read before, and of which one Day alone may have more. */
const LARGE_BYTES = 40_000_000;

test("[EXP-5] a Day of more than 40 MB is read a row group at a time; what came late once more is still there once", async () => {
  const it = world();
  const place = { date: "2026-03-10", partition: "pool-0" };
  const folder = sealedFolder(place, "1-100000");
  const archive = { bucket: memoryArchive(it.objects) };
  const rowsCount = 34_000;
  const rowOf = (position: number, url: string) => ({
    partition: place.partition,
    position,
    event: eventOf({ merchant: 1, id: `event ${position}`, timestamp: TUESDAY + position, url }),
  });
  const LATE_URL = "https://shop.example/late";
  const writer = new SealedFileWriter(place, folder, 0);
  const random = () => `https://shop.example/${randomBytes(1_400).toString("hex")}`;
  for (let start = 0; start < rowsCount; start += 1_000) {
    const count = Math.min(1_000, rowsCount - start);
    const positions = Array.from({ length: count }, (_, at) => start + at);
    writer.add(blockOf(positions.map((position) => rowOf(position, position === 20_000 ? LATE_URL : random()))));
  }
  writer.endMerchant(1);
  const file = await writer.finish(archive);
  expect(file.bytes).toBeGreaterThan(LARGE_BYTES);
  const manifest = { ...place, generation: 1, rows: rowsCount, duplicates: 0, before: 100_000, files: [file] };
  it.objects.set(manifestKey(folder), new TextEncoder().encode(encodeManifest(manifest)));
  it.database.exec(`INSERT INTO archive_days (day, "partition", generation, folder, rows, merchants, bytes, duplicates,
    differences, shown, late_marks, attempts, error) VALUES (${DAY}, 'pool-0', 1, '${folder}', 1, 1, 1, 0, 0, '[]', 0, 0, '')`);
  const late = [20_000, rowsCount, rowsCount + 1, rowsCount].map((position, index) => ({
    ...rowOf(position, LATE_URL),
    position: 100_000 + index,
  }));
  it.objects.set(bundleKey({ ...place, first: 100_000 }), encodeParquet({ ...place, first: 100_000, rows: late }));
  const settings = settingsOf("UTC", { merchant: 1 });
  const source = { archive, ledger: it.d1 };
  const places = await findExport(source, { settings, places: [{ day: DAY, partition: "pool-0" }], recent: new Map() });
  expect(places[0]?.folders[0]?.cost.bytes).toBeGreaterThan(LARGE_BYTES);
  expect(places[0]?.folders[0]?.cost.bytes).toBeLessThan(EXPORT_BYTES_MAX);
  let at = 0;
  for await (const block of readExport(source, { settings, places })) {
    expect(block.length).toBeLessThanOrEqual(ROW_GROUP_ROWS);
    for (const { event } of block) expect(event.id).toBe(`event ${at++}`);
  }
  expect(at).toBe(rowsCount + 2);
});

test("[EXP-5] a Day of which more is not sealed than can be kept in mind is refused until it is", async () => {
  const it = world();
  await it.send([{ merchant: 1, id: "a", timestamp: TUESDAY }]);
  await it.settle();
  const settings = settingsOf("UTC", { merchant: 1 });
  const source = { archive: { bucket: memoryArchive(it.objects) }, ledger: it.d1 };
  const found = await findExport(source, { settings, places: [{ day: DAY, partition: "pool-0" }], recent: new Map() });
  expect(findTooOpen({ settings }, found)).toBeUndefined();
  const large = found.map((place) => ({
    ...place,
    folders: place.folders.map((folder) => ({ ...folder, cost: { objects: 1, bytes: EXPORT_UNSEALED_BYTES_MAX + 1 } })),
  }));
  expect(findTooOpen({ settings }, [...found, ...large])).toBe(large[0]);
});
