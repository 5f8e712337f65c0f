// Blocks that leave the ledger for month files: readers find the same wherever they lie, whoever dies in between leaves
// nothing that is forgotten, and a file goes when nobody needs it.

import fc from "fast-check";
import { expect, test } from "vitest";
import { ALL_DIMENSIONS } from "../../../core/counting/rollup.ts";
import { type RollupRow, thinned } from "../../../core/counting/rollup-row.ts";
import { MONTH_FILE_ERASED_MS, MONTH_FILE_KEPT_MS } from "../../../core/limits.ts";
import { zeroMeter } from "../../../core/meter.ts";
import { DAY_MS } from "../../../core/time.ts";
import { ageBlocks, groupsOf } from "../../../queues/age.ts";
import { listOld, lookAt, lookAtFiles, moveMonths } from "../../../storage/ledger/age.ts";
import { packDay, unpackDay } from "../../../storage/ledger/pack.ts";
import { listPlaces, notePlaces } from "../../../storage/ledger/places.ts";
import { type RangeRead, readRollups } from "../../../storage/ledger/range.ts";
import { writeRollups } from "../../../storage/ledger/rollup-write.ts";
import {
  listCounted,
  listPartitionsOf,
  listPlacesOf,
  readDayRollups,
  readFirstDay,
} from "../../../storage/ledger/rollups.ts";
import { monthsAfterDaysOf } from "../../../storage/months-after.ts";
import { DAYS, FIRST, inOrder, PARTITIONS, readAll, storyRows } from "../../support/closed-days.ts";
import { dyingStorage, makeDatabases } from "../../support/databases.ts";
import { memoryArchive, meteredArchive } from "../../support/memory-bucket.ts";

/** A Day on which every month of the story has ended. */
const LATER = FIRST + 200;
const NOW = LATER * DAY_MS;
const PLACES = PARTITIONS.flatMap((partition) =>
  Array.from({ length: DAYS }, (_, at) => ({ day: FIRST + at, partition })),
);

function world(merchants = [1]) {
  const objects = new Map<string, Uint8Array>();
  const meter = zeroMeter();
  const bucket = meteredArchive(memoryArchive(objects), meter);
  const databases = makeDatabases(1, bucket);
  const db = databases.ledgers.all[0] as (typeof databases.ledgers.all)[number];
  const rows = merchants.flatMap(storyRows);
  const query = (text: string) => databases.database.prepare(text).all();
  return { databases, db, bucket, objects, meter, rows, query };
}

type World = ReturnType<typeof world>;

async function packedWorld(merchants = [1]): Promise<World> {
  const made = world(merchants);
  await writeRollups(made.db, made.rows);
  for (const place of PLACES) await packDay(made.db, place);
  return made;
}

async function moveAll({ db, bucket }: Pick<World, "db" | "bucket">, now = NOW): Promise<number> {
  let files = 0;
  for (const months of groupsOf(await listOld(db, { before: LATER, rowsMax: 1_000 })))
    files += await moveMonths(db, { months, now }, { bucket });
  return files;
}

const inLedger = ({ query }: World) =>
  Number(query("SELECT count(*) AS n FROM blocks WHERE length(head) > 0")[0]?.["n"]);

test("[BLK-11] whichever Days are packed, moved and taken out again, every page has the rows of all, each once", async () => {
  const steps = fc.array(
    fc.record({ place: fc.constantFrom(...PLACES), does: fc.constantFrom("pack", "pack", "unpack", "move") }),
    { maxLength: 16 },
  );
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1, max: 40 }), async (moves, page) => {
      const made = world();
      const { db, rows } = made;
      await writeRollups(db, rows);
      const wasPacked = new Set<string>();
      for (const { place, does } of moves) {
        if (does === "move") await moveAll(made);
        else if (does === "pack") {
          await packDay(db, place);
          wasPacked.add(`${place.day} ${place.partition}`);
        } else await unpackDay(db, { ...place, merchants: [1] });
      }
      const left = (row: RollupRow) => (wasPacked.has(`${row.day} ${row.partition}`) ? thinned(row) : row);
      expect(await readAll(db, { grain: "day", pageRows: page, pageBytes: 50 * page })).toEqual(inOrder(rows, "day"));
      const hours = (await readAll(db, { grain: "hour", pageRows: page, pageBytes: 50 * page })).map(
        ({ within: _, ...row }) => row,
      );
      expect(hours).toEqual(inOrder(rows, "hour").map(left));
      for (const { day, partition } of PLACES.slice(0, 3)) {
        const read = await readDayRollups(db, { merchants: [1], day, partition });
        const own = (row: RollupRow) => row.day === day && row.partition === partition;
        expect(inOrder(read, "day")).toEqual(inOrder(rows, "day").filter(own));
      }
    }),
    { numRuns: 25 },
  );
});

test("[BLK-11] a moved block takes its bytes out of the ledger; Days, places, merchants and versions are known as before", async () => {
  const made = await packedWorld([1, 2]);
  const { db, query, objects } = made;
  for (const place of PLACES) await notePlaces(db, { ...place, merchants: [1] });
  const asked = async () => ({
    first: await readFirstDay(db, 1),
    partitions: await listPartitionsOf(db, 1),
    places: await listPlacesOf(db, { merchant: 1, from: FIRST + 1, to: FIRST + 5 }),
    counted: await listCounted(db, { day: FIRST, partition: "pool-0" }),
    events: await listPlaces(db, { merchant: 1, from: 0, to: FIRST + 100, rowsMax: 100 }),
    versions: query("SELECT merchant, first_day, partition, versions FROM blocks ORDER BY 1, 2, 3"),
  });
  const before = await asked();
  const stored = query("SELECT sum(length(head) + length(page)) AS bytes FROM blocks")[0]?.["bytes"];
  expect(await moveAll(made)).toBe(4); // two merchants in two partitions
  expect(await asked()).toEqual(before);
  expect(query("SELECT sum(length(head) + length(page)) AS bytes FROM blocks")).toEqual([{ bytes: 0 }]);
  expect(Number(stored)).toBeGreaterThan(0);
  expect([...objects.keys()].every((key) => key.startsWith("rollups/partition="))).toBe(true);
  expect(query("SELECT DISTINCT due_at, erased, deleting, blocks FROM month_files")).toEqual([
    { due_at: null, erased: 0, deleting: 0, blocks: 2 },
  ]);
  expect(await moveAll(made)).toBe(0); // there is nothing left to move
});

test("[BLK-11] a month stays in the ledger until the last of its Days is old enough, a job writes on it no more and nothing of it lies in rows", async () => {
  const { db, query, databases } = await packedWorld();
  const found = async (before: number) => (await listOld(db, { before, rowsMax: 100 })).length;
  const end = Math.floor(FIRST / 30) * 30 + 30;
  expect([await found(end - 1), await found(end)]).toEqual([0, 2]);
  query(`INSERT INTO job_fences (job, kind, state, epoch) VALUES ('j', 'rebuild', 'running', 1)`);
  query(`INSERT INTO replay_parts (job, day, "partition", state, sent_at, events, buckets, differences, in_doubt, unpublished,
    replaced, duration_ms, shown, error) VALUES ('j', ${FIRST + 5}, 'pool-0', 'waiting', 0, 0, 0, 0, 0, 0, 0, 0, '[]', '')`);
  expect((await listOld(db, { before: end, rowsMax: 100 })).map(({ partition }) => partition)).toEqual([
    "merchant-1-0",
  ]);
  query(`UPDATE replay_parts SET state = 'done'`);
  const insert =
    databases.database.prepare(`INSERT INTO archive_days (day, "partition", generation, folder, rows, merchants,
    bytes, duplicates, differences, shown, late_marks, attempts, error, unpacked) VALUES (?, 'merchant-1-0', 1, '', 0, 0, 0,
    0, 0, '[]', 0, 0, '', ?)`);
  insert.run(FIRST, 1);
  expect((await listOld(db, { before: end, rowsMax: 100 })).map(({ partition }) => partition)).toEqual(["pool-0"]);
});

test("[BLK-12] a question reads one range of a file that its parts lie close together in, and of no file twice", async () => {
  const made = await packedWorld();
  const { db, meter } = made;
  await moveAll(made);
  const reads = async (read: Pick<RangeRead, "grain" | "breakdowns">) => {
    meter.r2_class_b = 0;
    const [from, to] = read.grain === "day" ? [0, FIRST + 100] : [0, (FIRST + 100) * DAY_MS];
    await readRollups(db, { merchant: 1, from, to, sketch: true, ...read });
    return meter.r2_class_b;
  };
  expect(await reads({ grain: "day", breakdowns: ["page"] })).toBe(PARTITIONS.length);
  expect(await reads({ grain: "day", breakdowns: [...ALL_DIMENSIONS] })).toBe(PARTITIONS.length);
  expect(await reads({ grain: "hour", breakdowns: [] })).toBe(PARTITIONS.length);
  meter.r2_class_b = 0;
  await listPlacesOf(db, { merchant: 1, from: 0, to: FIRST + 100 });
  expect(meter.r2_class_b).toBe(0);
});

test("[BLK-12] where a file is missing the answer is refused, and it says what mends it", async () => {
  const made = await packedWorld();
  await moveAll(made);
  made.objects.clear();
  await expect(readAll(made.db, { grain: "day", pageRows: 10, pageBytes: 500 })).rejects.toThrow(
    /month file .* missing.*recover ledger/,
  );
  expect(await listPlacesOf(made.db, { merchant: 1, from: 0, to: FIRST + 9 })).toHaveLength(12);
});

test("[BLK-13] a Day that is written to takes its block back into the ledger; the next move writes another file", async () => {
  const made = await packedWorld();
  const { db, query, objects } = made;
  await moveAll(made);
  const first = [...objects.keys()];
  await unpackDay(db, { day: FIRST, partition: "pool-0", merchants: [1] });
  expect([inLedger(made), query("SELECT count(*) AS n FROM daily")]).toEqual([1, [{ n: 1 }]]);
  await packDay(db, { day: FIRST, partition: "pool-0" });
  expect(await readAll(db, { grain: "day", pageRows: 10, pageBytes: 500 })).toEqual(inOrder(made.rows, "day"));
  expect(await moveAll(made)).toBe(1);
  expect(inLedger(made)).toBe(0);
  expect(await readAll(db, { grain: "day", pageRows: 10, pageBytes: 500 })).toEqual(inOrder(made.rows, "day"));
  // The first file of that month is kept as long as Time Travel may restore a ledger that names it.
  await lookAtFiles(db, NOW, made);
  await lookAtFiles(db, NOW + MONTH_FILE_KEPT_MS - 1, made);
  expect([objects.size, first.filter((key) => objects.has(key)).length]).toEqual([3, 2]);
  await lookAtFiles(db, NOW + MONTH_FILE_KEPT_MS, made);
  expect([objects.size, first.filter((key) => objects.has(key)).length]).toEqual([2, 1]);
  expect(query("SELECT count(*) AS n FROM month_files")).toEqual([{ n: 2 }]);
});

test("[BLK-14] whoever dies at any call while months are moved changes no number, and leaves no file that nothing notes", async () => {
  const run = async ({ databases, bucket }: World, fatal: number, isAfter: boolean) => {
    const dying = dyingStorage({ ...databases, bucket }, { fatal, isAfter });
    const log: unknown[] = [];
    const deps = { ...dying, monthsAfterDays: 92, now: () => NOW, log: (line: unknown) => void log.push(line) };
    await ageBlocks(deps);
    return { log, calls: dying.calls() };
  };
  const { calls } = await run(await packedWorld(), Number.POSITIVE_INFINITY, false);
  expect(calls).toBeGreaterThan(6);
  for (let fatal = 0; fatal < calls; fatal++)
    for (const isAfter of [false, true]) {
      const made = await packedWorld();
      const { log } = await run(made, fatal, isAfter);
      expect(log).toContainEqual(expect.objectContaining({ event: "ledger_failed" }));
      const noted = made.query(`SELECT file FROM month_files`).map(({ file }) => String(file));
      expect([...made.objects.keys()].every((key) => noted.some((file) => key.endsWith(`/${file}.month`)))).toBe(true);
      expect(await readAll(made.db, { grain: "day", pageRows: 10, pageBytes: 500 })).toEqual(inOrder(made.rows, "day"));
      await run(made, Number.POSITIVE_INFINITY, false);
      expect(inLedger(made)).toBe(0);
      expect(await readAll(made.db, { grain: "day", pageRows: 10, pageBytes: 500 })).toEqual(inOrder(made.rows, "day"));
      await lookAtFiles(made.db, NOW + MONTH_FILE_ERASED_MS, made);
      expect(made.objects.size).toBe(2);
      expect(made.query("SELECT due_at, erased FROM month_files")).toEqual([
        { due_at: null, erased: 0 },
        { due_at: null, erased: 0 },
      ]);
    }
});

test("[BLK-14] of a block that is changed between the note and the move the ledger keeps the change", async () => {
  const made = await packedWorld();
  const { db, bucket } = made;
  let isChanged = false;
  const put: typeof bucket.put = async (...given) => {
    if (!isChanged) await unpackDay(db, { day: FIRST, partition: "pool-0", merchants: [1] });
    isChanged = true;
    return bucket.put(...given);
  };
  await moveAll({ db, bucket: { ...bucket, put } });
  expect(made.query(`SELECT first_day FROM blocks WHERE file = '' AND length(head) > 0`)).toHaveLength(1);
  expect(await readAll(db, { grain: "day", pageRows: 10, pageBytes: 500 })).toEqual(inOrder(made.rows, "day"));
  await packDay(db, { day: FIRST, partition: "pool-0" });
  await lookAtFiles(db, NOW + MONTH_FILE_ERASED_MS, made);
  await moveAll(made);
  expect(await readAll(db, { grain: "day", pageRows: 10, pageBytes: 500 })).toEqual(inOrder(made.rows, "day"));
});

test("[BLK-14] a file that is being deleted is named by no block any more", async () => {
  const made = await packedWorld();
  const { db, bucket, query } = made;
  const put: typeof bucket.put = async (...given) => {
    query("UPDATE month_files SET deleting = 1");
    return bucket.put(...given);
  };
  await moveAll({ db, bucket: { ...bucket, put } });
  expect(inLedger(made)).toBe(4);
  expect(await moveAll(made)).toBe(0); // as long as it is there
  await lookAtFiles(db, NOW + MONTH_FILE_ERASED_MS, made);
  expect([made.objects.size, query("SELECT count(*) AS n FROM month_files")]).toEqual([0, [{ n: 0 }]]);
  expect(await moveAll(made)).toBe(2);
  expect(await readAll(db, { grain: "day", pageRows: 10, pageBytes: 500 })).toEqual(inOrder(made.rows, "day"));
});

const HOUR = MONTH_FILE_ERASED_MS;
const FILE = { blocks: 3, named: 0, dueAt: 0, unusedSince: null, erased: 0, deleting: 0 };
test.each([
  ["all blocks name it", { named: 3, erased: 1 }, { dueAt: null, erased: 0, unusedSince: null, deleting: 0 }],
  ["some name it, so it is looked at again", { named: 2 }, { dueAt: 50 + HOUR, deleting: 0 }],
  ["some name it, and it has what was erased", { named: 2, erased: 1 }, { dueAt: 50 + HOUR, erased: 1, deleting: 0 }],
  ["nobody names it from now on", {}, { dueAt: 50 + MONTH_FILE_KEPT_MS, unusedSince: 50, deleting: 0 }],
  [
    "nobody has named it for an hour, and it has what was erased",
    { erased: 1, unusedSince: 50 - HOUR },
    { deleting: 1 },
  ],
  [
    "nobody has named it for an hour",
    { unusedSince: 50 - HOUR },
    { dueAt: 50 - HOUR + MONTH_FILE_KEPT_MS, deleting: 0 },
  ],
  ["nobody has named it for long", { unusedSince: 50 - MONTH_FILE_KEPT_MS }, { deleting: 1 }],
])("[BLK-15] what becomes of a month file: %s", (_, row, look) => {
  expect(lookAt({ ...FILE, ...row }, 50)).toMatchObject(look);
});

test.each([
  [undefined, undefined],
  ["", undefined],
  ["92", 92],
])("[BLK-16] the setting %s is %s Days", (text, days) => {
  expect(monthsAfterDaysOf(text)).toBe(days);
});

test.each(["9", "-1", "1.5", "ninety"])('[BLK-16] "%s" is refused, and it says what the setting is', (text) => {
  expect(() => monthsAfterDaysOf(text)).toThrow(`MONTH_FILES_AFTER_DAYS is "${text}": it is a whole number of Days`);
});

test("[BLK-16] months are moved a few at a time, and few bytes", () => {
  const month = (merchant: number, bytes: number) => ({ merchant, month: 0, partition: "pool-0", bytes });
  expect(groupsOf([])).toEqual([]);
  expect(groupsOf([month(1, 5e6), month(2, 3e6), month(3, 6e6)]).map((group) => group.length)).toEqual([2, 1]);
  expect(groupsOf(Array.from({ length: 45 }, (_, at) => month(at, 1))).map((group) => group.length)).toEqual([
    20, 20, 5,
  ]);
});
