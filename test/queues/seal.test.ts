// The seal, one behaviour at a time: what it writes, what it corrects, what it deletes and when, and what it does with
// late events. That it survives anything in between is the simulation's part.

import { expect, test } from "vitest";
import { rowsOf } from "../../core/archive/event-columns.ts";
import { sealedFileKey, sealedFolder, sealedPartKey } from "../../core/archive/object-key.ts";
import { hash64Hex } from "../../core/hash.ts";
import {
  LATE_COALESCE_MS,
  SEAL_AFTER_MS,
  SEAL_ATTEMPTS_DOUBTFUL,
  SEAL_GRACE_MS,
  SEALED_FILE_ROWS,
} from "../../core/limits.ts";
import { DAY_MS } from "../../core/time.ts";
import { findDay, readDay } from "../../storage/archive/archive-day.ts";
import { noteArchived } from "../../storage/ledger/places.ts";
import { readDayRollups } from "../../storage/ledger/rollups.ts";
import { stateOf } from "../../workers/query/archive-days.ts";
import { settingsOf, TUESDAY } from "../support/events.ts";
import { SealedWorld } from "../support/sealed-world.ts";

const DAY = Math.floor(TUESDAY / DAY_MS);
/** A bundle with late events of it, of nobody in particular. */
const LATE = { partition: "pool-0", places: [], uncounted: [], lateDays: [DAY] };
const CLOSED_MS = DAY * DAY_MS + SEAL_AFTER_MS;
const PLACE = { date: "2026-03-10", partition: "pool-0" };
const MERCHANTS = [1, 2, 3].map((merchant) => settingsOf("UTC", { merchant }));

async function pageviews(world: SealedWorld, merchant: number): Promise<number | undefined> {
  const rows = await readDayRollups(world.d1, { merchants: [merchant], day: DAY, partition: "pool-0" });
  return rows.find(({ grain }) => grain === "day")?.counts.pageviews;
}

async function ids(world: SealedWorld): Promise<readonly string[]> {
  const folder = (await world.row(DAY))?.folder ?? "";
  const found: string[] = [];
  const archived = await findDay(world.deps(), PLACE, folder);
  for await (const rows of readDay(world.deps(), archived, { after: 0, isWanted: () => true })) {
    found.push(...rowsOf(rows).map(({ event }) => event.id));
  }
  return found;
}

/** Three merchants' events, counted live while the Day was open; now it is closed. */
async function closedDay(more = 0): Promise<SealedWorld> {
  const world = new SealedWorld(MERCHANTS);
  await world.send(
    Array.from({ length: more }, (_, index) => ({
      merchant: 3,
      id: `more ${index}`,
      title: hash64Hex(`a${index}`) + hash64Hex(`b${index}`) + hash64Hex(`c${index}`),
    })),
  );
  await world.send([1, 2, 1, 3, 1].map((merchant, index) => ({ merchant, id: `e${index}` })));
  await world.settle();
  world.it.now = CLOSED_MS;
  await world.settle();
  return world;
}

/** Keys without the hashes that names of derived rows have. */
function shown(keys: readonly string[]): readonly string[] {
  return keys.map((key) => key.replace(/-[0-9a-f]{16}\.derived$/, "-.derived")).sort();
}

test("[SEA-5] a closed Day is written once more, sorted by merchant, and found without a difference", async () => {
  const world = await closedDay();
  await world.seal();
  const row = await world.row(DAY);
  expect(row).toMatchObject({ generation: 1, rows: 5, merchants: 3, differences: 0, duplicates: 0, lateSince: null });
  expect(row && stateOf(row)).toBe("sealed");
  expect(shown(world.keys("sealed/"))).toEqual([
    `${row?.folder}00000-.derived`,
    `${row?.folder}00000.parquet`,
    `${row?.folder}00000.part.json`,
    `${row?.folder}derived.table`,
    `${row?.folder}manifest.json`,
  ]);
  expect(await ids(world)).toEqual(["e0", "e2", "e4", "e1", "e3"]);
  expect(world.it.rows("shelf")).toBe(0);
});

test("[SEA-5] a rollup that is not what the archive says is replaced, and the difference is recorded", async () => {
  const world = await closedDay();
  world.database.exec(`UPDATE daily SET pageviews = 99 WHERE merchant = 2`);
  world.database.exec(`DELETE FROM hourly WHERE merchant = 3`);
  await world.seal();
  expect(await pageviews(world, 2)).toBe(1);
  const row = await world.row(DAY);
  expect(row?.differences).toBe(2);
  expect(row?.shown).toMatchObject([{ merchant: 2, mismatches: [{ what: "pageviews", held: 99, replayed: 1 }] }]);
});

test("[SEA-11] events that were counted and are not in the archive keep a Day from being sealed", async () => {
  const world = await closedDay();
  const [bundle] = world.keys("events/date=2026-03-10/");
  world.objects.delete(bundle ?? "");
  await world.seal();
  expect(await world.row(DAY)).toBeUndefined(); // nothing of the Day is there at all
  await noteArchived(world.d1, { bundle: LATE, now: world.it.now });
  world.it.now += 3_600_000;
  await world.seal();
  expect((await world.row(DAY))?.error).toContain("the archive has 0 of the 3 events counted of merchant 1");
  expect(await pageviews(world, 1)).toBe(3);
});

test("[SEA-2] a Day that is not complete is left alone and tried again later", async () => {
  const world = new SealedWorld(MERCHANTS);
  await world.send([{ merchant: 1, id: "a" }]);
  await world.settle();
  await world.send([{ merchant: 1, id: "b" }]);
  world.it.now = CLOSED_MS;
  await world.seal();
  expect(await world.row(DAY)).toMatchObject({ generation: 0, attempts: 0, error: "rollups wait to be published" });
  await world.settle();
  world.it.now = CLOSED_MS + 60_000;
  await world.seal(); // not due yet
  expect(await world.row(DAY)).toMatchObject({ generation: 0 });
  world.it.now += 3_600_000;
  await world.seal();
  expect(await world.row(DAY)).toMatchObject({ generation: 1, attempts: 0, error: "", rows: 2 });
});

test("[SEA-11] a Day that cannot be sealed is in doubt, says why, and raises an alert", async () => {
  const world = await closedDay();
  for (const key of world.keys("events/")) world.objects.set(key, new Uint8Array(10));
  for (let attempt = 0; attempt < SEAL_ATTEMPTS_DOUBTFUL; attempt++) {
    world.it.now += 3_600_000;
    await world.seal();
  }
  const row = await world.row(DAY);
  expect(row && stateOf(row)).toBe("in_doubt");
  expect(row?.error).not.toBe("");
  expect(world.log).toMatchObject([{ event: "seal_in_doubt", day: "2026-03-10", partition: "pool-0" }]);
});

test("[SEA-11] a Day that waits for its events is in doubt after hours only, however often it is asked for", async () => {
  const world = new SealedWorld(MERCHANTS);
  await world.send([{ merchant: 1, id: "a" }]);
  await world.settle();
  await world.send([{ merchant: 1, id: "stuck" }]);
  world.it.now = CLOSED_MS;
  for (let attempt = 0; attempt < 20; attempt++) {
    await world.seal();
    world.it.now += 300_000;
  }
  const row = await world.row(DAY);
  expect([row && stateOf(row), row?.error, world.log]).toEqual(["closed", "rollups wait to be published", []]);
  for (let attempt = 0; attempt < 30; attempt++) {
    await world.seal();
    world.it.now += 3_600_000;
  }
  const stuck = await world.row(DAY);
  expect(stuck && stateOf(stuck)).toBe("in_doubt");
});

test("[SEA-9] late events of a sealed Day are counted together, each id once, and stay beside its files", async () => {
  const world = await closedDay(4_000);
  await world.seal();
  await world.send([
    { merchant: 2, id: "late", timestamp: TUESDAY },
    { merchant: 2, id: "e1", timestamp: TUESDAY },
  ]);
  await world.settle();
  const noted = await world.row(DAY);
  expect(noted && stateOf(noted)).toBe("late");
  expect(world.queue).toEqual([{ day: DAY, partition: "pool-0" }]);
  await world.consume();
  expect(await pageviews(world, 2)).toBe(2);
  expect(await pageviews(world, 1)).toBe(3);
  expect(await world.row(DAY)).toMatchObject({ generation: 1, rows: 4_005, lateSince: null, differences: 0 });
  expect(world.keys("events/date=2026-03-10/").length).toBeGreaterThan(1);
});

test("[SEA-9] so many late events that they weigh against the files make a new generation", async () => {
  const world = await closedDay();
  await world.seal();
  const first = (await world.row(DAY))?.folder;
  await world.send(
    Array.from({ length: 50 }, (_, index) => ({ merchant: 2, id: `late ${index}`, timestamp: TUESDAY })),
  );
  await world.settle();
  await world.consume();
  const row = await world.row(DAY);
  expect(row).toMatchObject({ generation: 2, rows: 55, differences: 0 });
  expect(row?.folder).not.toBe(first);
  expect(await pageviews(world, 2)).toBe(51);
});

test("[SEA-9] a late event that comes while late events are counted is not forgotten", async () => {
  const world = await closedDay();
  await world.seal();
  await world.send([{ merchant: 2, id: "late", timestamp: TUESDAY }]);
  await world.settle();
  const deps = world.deps();
  const { list } = deps.bucket;
  let isFirst = true;
  const bucket = {
    ...deps.bucket,
    list: async (options: Parameters<typeof list>[0]) => {
      const listed = await list(options);
      if (isFirst) await noteArchived(world.d1, { bundle: LATE, now: world.it.now });
      isFirst = false;
      return listed;
    },
  };
  world.deps = () => ({ ...deps, bucket });
  await world.consume();
  expect((await world.row(DAY))?.lateSince).not.toBeNull();
});

test("[SEA-4] an import of a closed Day is archived and counted by its seal alone", async () => {
  const world = new SealedWorld(MERCHANTS);
  world.it.now = CLOSED_MS + 200 * DAY_MS;
  await world.send([
    { merchant: 1, id: "a", timestamp: TUESDAY },
    { merchant: 1, id: "b", timestamp: TUESDAY },
  ]);
  expect(world.it.partition.shelves.size).toBe(0);
  await world.settle();
  expect(await pageviews(world, 1)).toBeUndefined();
  await world.consume();
  expect(await pageviews(world, 1)).toBe(2);
  expect(await world.row(DAY)).toMatchObject({ generation: 1, differences: 0 });
});

test("[SEA-10] bundles, runs and older generations are deleted after a while, and nothing that readers need", async () => {
  const world = await closedDay();
  await world.seal();
  await world.send([{ merchant: 2, id: "late", timestamp: TUESDAY }]);
  await world.settle();
  await world.consume();
  await world.send([{ merchant: 3, id: "later", timestamp: TUESDAY }]);
  await world.settle();
  await world.consume();
  const before = await ids(world);
  expect(before).toHaveLength(7);
  world.it.now += SEAL_GRACE_MS + LATE_COALESCE_MS;
  await world.seal();
  expect(await ids(world)).toEqual(before);
  const { folder } = (await world.row(DAY)) ?? { folder: "" };
  const kept = ["00000-.derived", "00000.parquet", "derived.table", "manifest.json"].map((name) => `${folder}${name}`);
  expect(shown(world.keys("sealed/date=2026-03-10/"))).toEqual(kept.sort());
  expect(world.keys("events/date=2026-03-10/")).toEqual([]);
  expect((await world.row(DAY))?.cleanAt).toBeNull();
});

test("[SEA-10] what a later seal has begun to write is left alone", async () => {
  const world = await closedDay();
  await world.seal();
  const begun = sealedFolder(PLACE, "2-9-0");
  world.objects.set(sealedPartKey(begun, 0), new Uint8Array([1]));
  world.objects.set(sealedFileKey(sealedFolder(PLACE, "1-9-0"), 0), new Uint8Array([1])); // of a seal that lost
  world.it.now += SEAL_GRACE_MS;
  await world.seal();
  const { folder } = (await world.row(DAY)) ?? { folder: "" };
  const kept = ["00000-.derived", "00000.parquet", "derived.table", "manifest.json"].map((name) => `${folder}${name}`);
  expect(shown(world.keys("sealed/date=2026-03-10/"))).toEqual([...kept, sealedPartKey(begun, 0)].sort());
});

test("[SEA-12] a seal that was interrupted goes on behind its last file, with the inputs it began with", async () => {
  const world = new SealedWorld(MERCHANTS);
  const size = Math.ceil(SEALED_FILE_ROWS / 2) + 1;
  for (const merchant of [1, 2, 3]) {
    for (let sent = 0; sent < size; sent += 10_000) {
      const count = Math.min(10_000, size - sent);
      await world.send(Array.from({ length: count }, (_, index) => ({ merchant, id: `${merchant} ${sent + index}` })));
      await world.settle();
    }
  }
  for (let more = 0; more < 200; more++) await world.settle();
  world.it.now = CLOSED_MS;
  await world.settle();
  const deps = world.deps();
  const put = deps.bucket.put;
  let failing = true;
  world.deps = () => ({
    ...deps,
    bucket: {
      ...deps.bucket,
      put: async (key, value) => {
        if (failing && key.includes("00001.parquet")) throw new Error("R2 is down");
        return put(key, value);
      },
    },
  });
  await world.seal();
  const [part] = world.keys("sealed/").filter((key) => key.endsWith(".part.json"));
  expect(part).toBe(sealedPartKey(part?.slice(0, part.lastIndexOf("/") + 1) ?? "", 0));
  const written = world.objects.get(part ?? "");
  failing = false;
  world.it.now += 3_600_000;
  await world.send([{ merchant: 1, id: "late", timestamp: TUESDAY }]);
  await world.settle();
  await world.consume();
  await world.seal();
  expect(world.objects.get(part ?? "")).toBe(written);
  expect(await world.row(DAY)).toMatchObject({ generation: 1, rows: 3 * size, differences: 0, merchants: 3 });
  expect(await pageviews(world, 1)).toBe(size + 1); // the late one was noted all the while, and counted next
}, 120_000);
