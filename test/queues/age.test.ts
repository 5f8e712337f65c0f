// What happens to Days whose blocks lie in month files: late events, rebuilds and their undo, erasures and retentions
// find them as those in the ledger, and what was erased is in no file.

import { expect, test } from "vitest";
import { readHead } from "../../core/block/block.ts";
import { readMonthIndex } from "../../core/block/month.ts";
import { BLOCK_PART_BYTES_MAX, MONTH_FILE_ERASED_MS, MONTH_FILE_KEPT_MS, SEAL_AFTER_MS } from "../../core/limits.ts";
import { DAY_MS } from "../../core/time.ts";
import { erase } from "../../durable-objects/erase.ts";
import { ageBlocks } from "../../queues/age.ts";
import { driveErasures } from "../../queues/erasure.ts";
import { inflate } from "../../storage/deflate.ts";
import type { ErasureDeps } from "../../storage/erasure-drive.ts";
import { createErasure, type Erasure, findErasure } from "../../storage/ledger/erasure.ts";
import { listFiledPartitions, recoverFiles } from "../../storage/ledger/month-recovery.ts";
import { unpackDay } from "../../storage/ledger/pack.ts";
import { readDayRollups } from "../../storage/ledger/rollups.ts";
import { noteDay } from "../../storage/seal-due.ts";
import { settingsOf, TUESDAY } from "../support/events.ts";
import { ReplayedWorld } from "../support/replayed-world.ts";

const DAY = Math.floor(TUESDAY / DAY_MS);
/** In another block of the same month file. */
const LATER_DAY = DAY + 11;
const LATER = TUESDAY + 11 * DAY_MS;
const [ANNA, BEN] = ["00000000000000aa", "00000000000000bb"];

/** Two Days of two merchants, sealed long ago and moved. */
async function movedWorld(retentionDays?: number): Promise<ReplayedWorld> {
  const world = new ReplayedWorld([
    settingsOf("UTC", { merchant: 1, ...(retentionDays !== undefined && { retentionDays }) }),
    settingsOf("UTC", { merchant: 2 }),
  ]);
  await world.send([
    { id: "a1", visitor: ANNA },
    { id: "b1", visitor: BEN },
    { id: "a2", visitor: ANNA, timestamp: TUESDAY + 60_000 },
    { id: "other", merchant: 2, visitor: ANNA },
  ]);
  await world.settle();
  world.it.now = LATER;
  await world.send([{ id: "b2", visitor: BEN, timestamp: LATER }]);
  await world.settle();
  for (const day of [DAY, LATER_DAY]) await world.sealAt(day * DAY_MS + SEAL_AFTER_MS, 2);
  world.it.now = (DAY + 150) * DAY_MS;
  await age(world);
  expect(left(world)).toEqual([0, 0, 0]);
  return world;
}

async function age(world: ReplayedWorld, monthsAfterDays: number | undefined = 92): Promise<void> {
  await ageBlocks({ ...world.deps(), monthsAfterDays });
}

/** Rows of Hours and Days, and blocks that lie in the ledger. */
function left({ database }: ReplayedWorld): readonly number[] {
  const count = (from: string) => Number(database.prepare(`SELECT count(*) AS n FROM ${from}`).get()?.["n"]);
  return ["hourly", "daily", "blocks WHERE length(head) > 0"].map(count);
}

async function pageviews(world: ReplayedWorld, day = DAY, merchant = 1): Promise<number | undefined> {
  const stored = await readDayRollups(world.d1, { merchants: [merchant], day, partition: "pool-0" });
  return stored.find(({ grain }) => grain === "day")?.counts.pageviews;
}

/** The page views of every Day in every month file of a merchant that lies in the bucket, in use or not. */
function inFiles(world: ReplayedWorld, merchant = 1): readonly string[] {
  return world.keys("rollups/").flatMap((key) => {
    const bytes = world.objects.get(key) as Uint8Array;
    const index = readMonthIndex(bytes);
    if (index.merchant !== merchant) return [];
    return index.blocks.flatMap(({ spans }) => {
      const [offset, length] = spans[0] as readonly [number, number];
      const head = inflate(bytes.slice(offset, offset + length), BLOCK_PART_BYTES_MAX);
      return readHead(head).map(({ day, counts }) => `${day - DAY}: ${counts.pageviews}`);
    });
  });
}

test("[BLK-13] a late event of a Day in a month file is counted, and the Day goes back to a file", async () => {
  const world = await movedWorld();
  await world.send([{ id: "late", visitor: BEN, timestamp: TUESDAY }]);
  await world.settle();
  await world.consume();
  expect([await pageviews(world), left(world)]).toEqual([4, [0, 0, 1]]);
  await age(world);
  expect([await pageviews(world), await pageviews(world, LATER_DAY), left(world)]).toEqual([4, 1, [0, 0, 0]]);
});

test("[BLK-13] a rebuild of Days in month files corrects them, and its undo puts back what was there", async () => {
  const world = await movedWorld();
  const place = { day: DAY, partition: "pool-0" };
  await unpackDay(world.d1, { ...place, merchants: [1] });
  world.database.exec(`UPDATE daily SET pageviews = 99 WHERE merchant = 1`);
  await world.seal();
  await age(world);
  expect([await pageviews(world), left(world)]).toEqual([99, [0, 0, 0]]);
  const range = { fromDay: DAY, toDay: LATER_DAY + 1 };
  expect(await world.run({ kind: "verify", ...range })).toMatchObject({ differences: 1 });
  const { id, replaced } = await world.run({ kind: "rebuild", ...range });
  expect([replaced, await pageviews(world)]).toEqual([1, 3]);
  await age(world);
  expect([await pageviews(world), left(world)]).toEqual([3, [0, 0, 0]]);
  await world.change(id, "undo");
  await world.work();
  expect([(await world.look(id)).state, await pageviews(world)]).toEqual(["undone", 99]);
  await world.seal();
  await age(world);
  expect([await pageviews(world), await pageviews(world, LATER_DAY), left(world)]).toEqual([99, 1, [0, 0, 0]]);
});

/** Both Days are beyond the retention now, and within the cron's look back. */
async function expired(): Promise<ReplayedWorld> {
  const world = await movedWorld(180);
  world.it.now = (DAY + 194) * DAY_MS;
  await driveErasures(erasureDeps(world));
  await world.seal();
  return world;
}

test("[BLK-13] when a retention ends for events, the numbers in month files stay", async () => {
  const world = await expired();
  expect(world.database.prepare("SELECT erasure, rows_after FROM removals WHERE merchant = 1").all()).toEqual([
    { erasure: "retention", rows_after: 0 },
    { erasure: "retention", rows_after: 0 },
  ]);
  expect([await pageviews(world), await pageviews(world, LATER_DAY), left(world)]).toEqual([3, 1, [0, 0, 0]]);
});

function erasureDeps(world: ReplayedWorld): ErasureDeps {
  const partition = () => ({
    erase: async (request: Parameters<typeof erase>[1]) => erase(world.it.partition, request),
  });
  return { ...world.deps(), partition };
}

async function askErasure(world: ReplayedWorld, scope: Partial<Erasure>): Promise<Erasure> {
  const whole = { id: "ers_1", merchant: 1, kind: "visitor" as const, visitor: ANNA, fromDay: 0, toDay: LATER_DAY + 1 };
  const erasure = await createErasure(world.d1, {
    erasure: { ...whole, createdAt: world.it.now, ...scope },
    partitions: ["pool-0"],
    openDays: [],
  });
  await driveErasures(erasureDeps(world));
  await world.seal();
  return erasure;
}

/** Hour by hour, as the cron does. */
async function hours(world: ReplayedWorld, count: number, monthsAfterDays?: number): Promise<void> {
  for (let hour = 0; hour < count; hour++) {
    world.it.now += MONTH_FILE_ERASED_MS;
    await age(world, monthsAfterDays);
    await driveErasures(erasureDeps(world));
    await world.seal();
  }
}

for (const [setting, monthsAfterDays] of [
  ["moves blocks", 92],
  ["moves none any more", undefined],
] as const)
  test(`[BLK-15] who is erased is in no month file an hour later, and the erasure is not done before: a deployment that ${setting}`, async () => {
    const world = await movedWorld();
    expect(inFiles(world)).toEqual(["0: 3", "11: 1"]);
    const { id } = await askErasure(world, {});
    expect([await pageviews(world), await pageviews(world, LATER_DAY)]).toEqual([1, 1]);
    expect(await findErasure(world.d1, id)).toMatchObject({ state: "running" });
    expect(inFiles(world)).toContain("0: 3");
    await hours(world, 5, monthsAfterDays);
    expect(await findErasure(world.d1, id)).toMatchObject({ state: "done" });
    expect(inFiles(world)).toEqual(["0: 1", "11: 1"]);
    expect([await pageviews(world), await pageviews(world, LATER_DAY)]).toEqual([1, 1]);
    expect(inFiles(world, 2)).toEqual(["0: 1"]);
    expect(world.database.prepare("SELECT DISTINCT due_at, erased FROM month_files").all()).toEqual([
      { due_at: null, erased: 0 },
    ]);
  });

test("[BLK-15] an erasure of Days takes the numbers that a retention has left in a month file", async () => {
  const world = await expired();
  const { id } = await askErasure(world, { kind: "days", visitor: "", fromDay: DAY, toDay: DAY + 1 });
  await hours(world, 5, 92);
  expect(await findErasure(world.d1, id)).toMatchObject({ state: "done" });
  expect([await pageviews(world), inFiles(world)]).toEqual([0, ["0: 0", "11: 1"]]);
});

test("[BLK-15] of an erased merchant no month file is left when its erasure is done, and others keep theirs", async () => {
  const world = await movedWorld();
  const { id } = await askErasure(world, { kind: "merchant", visitor: "" });
  expect(await findErasure(world.d1, id)).toMatchObject({ state: "running" });
  await hours(world, 5);
  expect(await findErasure(world.d1, id)).toMatchObject({ state: "done" });
  expect([inFiles(world), inFiles(world, 2)]).toEqual([[], ["0: 1"]]);
  expect(world.database.prepare("SELECT DISTINCT merchant FROM month_files").all()).toEqual([{ merchant: 2 }]);
});

/** Recovery's part in month files; what else it does is tested with the drill. */
async function recoverMonths(world: ReplayedWorld) {
  expect(await listFiledPartitions(world.deps(), world.d1)).toEqual(["pool-0"]);
  return recoverFiles(world.d1, { partition: "pool-0", now: world.it.now }, world.deps());
}

test("[BLK-17] an emptied ledger notes the month files that lie there, so that they go, and counts from events", async () => {
  const world = await movedWorld();
  for (const table of ["archive_days", "places", "blocks", "month_files"]) world.database.exec(`DELETE FROM ${table}`);
  expect(await recoverMonths(world)).toEqual({ noted: 2, lost: 0 });
  expect(await recoverMonths(world)).toEqual({ noted: 0, lost: 0 });
  for (const day of [DAY, LATER_DAY]) await noteDay(day, world.deps());
  await world.seal();
  expect([await pageviews(world), await pageviews(world, LATER_DAY)]).toEqual([3, 1]);
  await age(world);
  expect([await pageviews(world), left(world), world.keys("rollups/").length]).toEqual([3, [0, 0, 0], 4]);
  world.it.now += MONTH_FILE_KEPT_MS;
  await age(world);
  expect([await pageviews(world), world.keys("rollups/").length]).toEqual([3, 2]);
});

test("[BLK-17] a restored ledger that names a file which is gone counts the Days of its blocks again", async () => {
  const world = await movedWorld();
  const [gone] = world.keys("rollups/").filter((key) => key.includes("/merchant=1/"));
  world.objects.delete(gone as string);
  await expect(pageviews(world)).rejects.toThrow("recover ledger");
  expect(await recoverMonths(world)).toEqual({ noted: 0, lost: 1 });
  expect(await pageviews(world)).toBeUndefined();
  await world.seal();
  expect([await pageviews(world), await pageviews(world, LATER_DAY), await pageviews(world, DAY, 2)]).toEqual([
    3, 1, 1,
  ]);
  await age(world);
  expect([await pageviews(world), left(world)]).toEqual([3, [0, 0, 0]]);
  expect(await recoverMonths(world)).toEqual({ noted: 0, lost: 0 });
});
