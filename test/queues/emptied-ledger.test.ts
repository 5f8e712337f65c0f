// A ledger that was lost: an empty database, or one of an earlier instant, stands in its place. What the archive has is
// found again, and nothing of it is deleted.

import { expect, test } from "vitest";
import { SEAL_AFTER_MS, SEAL_GRACE_MS } from "../../core/limits.ts";
import { DAY_MS } from "../../core/time.ts";
import { newestSealed } from "../../storage/archive/archive-day.ts";
import { dyingStorage, storageOf } from "../support/databases.ts";
import { settingsOf, TUESDAY } from "../support/events.ts";
import { SealedWorld } from "../support/sealed-world.ts";

const DAY = Math.floor(TUESDAY / DAY_MS);
const CLOSED_MS = DAY * DAY_MS + SEAL_AFTER_MS;
const SEALED = "sealed/date=2026-03-10/";
/** All of a ledger that seals and answers read. */
const TABLES = ["archive_days", "daily", "hourly", "places", "uncounted"];

/** A Day of three merchants, sealed; with `isClean` what it was sealed from is deleted. */
async function sealedDay({ isClean }: { readonly isClean: boolean }): Promise<SealedWorld> {
  const world = new SealedWorld([1, 2, 3].map((merchant) => settingsOf("UTC", { merchant })));
  await world.send([1, 2, 1, 3, 1].map((merchant, index) => ({ merchant, id: `e${index}` })));
  await world.settle();
  await world.sealAt(CLOSED_MS);
  if (isClean) await later(world);
  return world;
}

/** Every clean-up that is due by now has run. */
async function later(world: SealedWorld): Promise<void> {
  for (let time = 0; time < 3; time++) {
    world.it.now += SEAL_GRACE_MS;
    await world.seal();
  }
}

const rowsOf = (world: SealedWorld, table: string) =>
  world.database.prepare(`SELECT * FROM ${table} ORDER BY 1, 2, 3`).all();
/** Numbers as readers see them: by which log position a row was written is none of them. */
const numbersOf = (world: SealedWorld) =>
  ["daily", "hourly", "places"].map((table) => rowsOf(world, table).map(({ version: _, ...row }) => row));
const empty = (world: SealedWorld) => world.database.exec(TABLES.map((table) => `DELETE FROM ${table};`).join(""));

for (const isClean of [true, false])
  test(`[SEA-18] an emptied ledger takes the sealed files of a Day for its own and counts them: ${isClean ? "after" : "before"} the clean-up`, async () => {
    const world = await sealedDay({ isClean });
    const numbers = numbersOf(world);
    const files = world.keys(SEALED).filter((key) => !key.endsWith(".part.json"));
    empty(world);
    await world.seal();
    const filled = { row: await world.row(DAY), numbers: numbersOf(world) };
    await later(world);
    expect(world.keys(SEALED)).toEqual(files);
    expect(filled.numbers).toEqual(numbers);
    expect(filled.row).toMatchObject({ generation: 1, rows: 5, merchants: 3, differences: 0, lateSince: null });
    expect(world.log).toMatchObject([{ event: "seal_adopted", day: "2026-03-10", generation: 1 }]);
  });

test("[SEA-18] whoever dies while files are taken for the Day's own leaves what the next goes on with", async () => {
  const world = await sealedDay({ isClean: true });
  const [numbers, files, now] = [numbersOf(world), world.keys(SEALED), world.it.now];
  const dieAt = async (fatal: number, isAfter: boolean) => {
    empty(world);
    world.it.now = now;
    const dying = dyingStorage(storageOf(world.d1), { fatal, isAfter });
    world.sealsSee = dying.directory;
    await world.seal().catch(() => undefined);
    world.sealsSee = undefined;
    return dying.calls();
  };
  const calls = await dieAt(Number.POSITIVE_INFINITY, false);
  expect(calls).toBeGreaterThan(15);
  for (let fatal = 0; fatal < calls; fatal++)
    for (const isAfter of [false, true]) {
      await dieAt(fatal, isAfter);
      world.queue.length = 0;
      await later(world);
      expect([fatal, isAfter, numbersOf(world)]).toEqual([fatal, isAfter, numbers]);
      expect(world.keys(SEALED)).toEqual(files);
      expect(await world.row(DAY)).toMatchObject({ generation: 1, lateSince: null, error: "" });
    }
});

test("[SEA-18] a ledger of an earlier instant, whose files of a Day are gone, goes on with those of the newest generation", async () => {
  const world = await sealedDay({ isClean: true });
  const rows = rowsOf(world, "archive_days");
  const late = Array.from({ length: 50 }, (_, index) => ({ merchant: 2, id: `late${index}`, timestamp: TUESDAY }));
  await world.send(late);
  await world.settle();
  await world.consume();
  await later(world);
  const numbers = numbersOf(world);
  const files = world.keys(SEALED).filter((key) => !key.endsWith(".part.json"));
  const before = await world.row(DAY);
  expect(before?.generation).toBe(2);
  empty(world);
  const columns = Object.keys(rows[0] ?? {});
  world.database
    .prepare(`INSERT INTO archive_days ("${columns.join('", "')}") VALUES (${columns.map(() => "?").join()})`)
    .run(...(Object.values(rows[0] ?? {}) as string[]));
  world.database.exec("UPDATE archive_days SET due_at = 1, late_since = 1");
  await world.seal();
  expect(numbersOf(world)).toEqual(numbers);
  expect(await world.row(DAY)).toMatchObject({ generation: 2, folder: before?.folder, error: "" });
  await later(world);
  expect(world.keys(SEALED)).toEqual(files);
});

test("[SEA-18] the newest sealed files: by generation, then by what they stand for, then by what was removed; none without a manifest", () => {
  const folder = (name: string) => `sealed/date=2026-03-10/partition=pool-0/generation=${name}/`;
  const newest = (...names: string[]) => newestSealed(names.map((name) => `${folder(name)}manifest.json`));
  expect(newest("1-1001-0", "10-1-0", "2-5000-0")).toBe(folder("10-1-0"));
  expect(newest("1-1001-0", "1-0-0")).toBe(folder("1-1001-0"));
  expect(newest("2-1001-0", "2-1001-7")).toBe(folder("2-1001-7"));
  expect(newest("2-1001-3-9-2", "2-1001-7")).toBe(folder("2-1001-3-9-2"));
  expect(newestSealed([`${folder("3-1-0")}00000.parquet`, `${folder("2-1-0")}manifest.json`])).toBe(folder("2-1-0"));
  expect(newestSealed([`${folder("3-1-0")}00000.part.json`])).toBeUndefined();
});
