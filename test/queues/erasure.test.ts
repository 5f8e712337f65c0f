// Erasure and retention from the request to the receipt, over a real partition, archive and D1: what goes,
// what stays, and what says so.

import { expect, test } from "vitest";
import { rowsOf } from "../../core/archive/event-columns.ts";
import { replay } from "../../core/counting/replay.ts";
import { ERASURES_DRIVEN_MAX, RETENTION_DAYS, SEAL_AFTER_MS, SEAL_GRACE_MS } from "../../core/limits.ts";
import { DAY_MS, HOUR_MS } from "../../core/time.ts";
import { tick } from "../../durable-objects/duties.ts";
import { erase } from "../../durable-objects/erase.ts";
import { live } from "../../durable-objects/live.ts";
import { findDay as findState } from "../../durable-objects/state.ts";
import { driveErasures } from "../../queues/erasure.ts";
import { sealDays } from "../../queues/seal.ts";
import { findDay, readDay } from "../../storage/archive/archive-day.ts";
import { driveErasure, type ErasureDeps } from "../../storage/erasure-drive.ts";
import { createErasure, type Erasure, findErasure, readReceipt } from "../../storage/ledger/erasure.ts";
import { readDayRollups } from "../../storage/ledger/rollups.ts";
import { batchOf, deliver } from "../support/delivery.ts";
import { settingsOf, TUESDAY } from "../support/events.ts";
import { ReplayedWorld } from "../support/replayed-world.ts";
import { putSettings, SealedWorld } from "../support/sealed-world.ts";

const DAY = Math.floor(TUESDAY / DAY_MS);
const CLOSED_MS = DAY * DAY_MS + SEAL_AFTER_MS;
const [ANNA, BEN] = ["00000000000000aa", "00000000000000bb"];
const MERCHANTS = [1, 2].map((merchant) => settingsOf("UTC", { merchant }));

function erasureDeps(world: SealedWorld): ErasureDeps {
  const { directory, ledgers, now, pace, log, bucket } = world.deps();
  const partition = () => ({
    erase: async (request: Parameters<typeof erase>[1]) => erase(world.it.partition, request),
  });
  return { directory, ledgers, now, pace, log, bucket, partition };
}

async function begin(world: SealedWorld, scope: Partial<Erasure>): Promise<Erasure> {
  const id = `ers_${world.it.now}`;
  const asked = {
    id,
    merchant: 1,
    kind: "visitor" as const,
    visitor: ANNA,
    fromDay: 0,
    toDay: 1e6,
    createdAt: world.it.now,
  };
  const open = Math.floor((world.it.now - SEAL_AFTER_MS) / DAY_MS) + 1;
  const erasure = await createErasure(world.d1, {
    erasure: { ...asked, ...scope },
    partitions: ["pool-0"],
    openDays: [open, open + 1, open + 2, open + 3],
  });
  await driveErasure(erasure, erasureDeps(world));
  return erasure;
}

/** Two visitors of merchant 1, and one of merchant 2. */
async function send(world: SealedWorld): Promise<void> {
  await world.send([
    { id: "a1", visitor: ANNA },
    { id: "b1", visitor: BEN },
    { id: "a2", visitor: ANNA, timestamp: TUESDAY + 60_000 },
    { id: "other", merchant: 2, visitor: ANNA },
  ]);
  await world.settle();
}

async function rows(world: SealedWorld) {
  const folder = (await world.row(DAY))?.folder ?? "";
  const found = [];
  const archived = await findDay(world.deps(), { date: "2026-03-10", partition: "pool-0" }, folder);
  for await (const slice of readDay(world.deps(), archived, { after: 0, isWanted: () => true }))
    found.push(...rowsOf(slice));
  return found;
}

async function dayRow(world: SealedWorld, merchant: number) {
  const stored = await readDayRollups(world.d1, { merchants: [merchant], day: DAY, partition: "pool-0" });
  return stored.find(({ grain }) => grain === "day");
}

test("[ERS-1] a visitor of a sealed Day goes from files and numbers, and the receipt says what went", async () => {
  const world = new SealedWorld(MERCHANTS);
  await send(world);
  await world.sealAt(CLOSED_MS);
  const before = (await world.row(DAY))?.folder;
  world.it.now += 60_000;
  const erasure = await begin(world, {});
  await world.seal();
  expect((await rows(world)).map(({ event }) => event.id)).toEqual(["b1", "other"]);
  expect(world.keys("events/date=2026-03-10/")).toEqual([]);
  expect(world.keys("sealed/date=2026-03-10/").every((key) => !key.startsWith(before ?? ""))).toBe(true);
  expect((await dayRow(world, 1))?.counts).toMatchObject({ pageviews: 1, visits: 1 });
  expect((await dayRow(world, 2))?.counts).toMatchObject({ pageviews: 1 });
  world.it.now += 5 * DAY_MS; // the Days that were open are closed now
  await driveErasures(erasureDeps(world));
  await world.seal();
  await driveErasures(erasureDeps(world));
  expect(await findErasure(world.d1, erasure.id)).toMatchObject({ state: "done" });
  const receipt = await readReceipt(world.d1, erasure, 100);
  expect(receipt.removals).toMatchObject([
    { day: DAY, partition: "pool-0", rowsBefore: 3, rowsAfter: 1, replaced: before },
  ]);
});

test.each([
  ["before its files are looked for once more", HOUR_MS],
  ["after its files were looked for once more", 3 * DAY_MS],
  ["when the erasure is done", 6 * DAY_MS],
])("[ERS-1] a bundle that the queue delivers again %s brings nobody back into the bucket", async (_, after) => {
  const world = new SealedWorld(MERCHANTS);
  await send(world);
  await world.sealAt(CLOSED_MS);
  world.it.now += 60_000;
  await begin(world, {});
  await world.seal();
  world.it.now += after;
  await driveErasures(erasureDeps(world));
  await world.seal();
  await driveErasures(erasureDeps(world));
  const before = await dayRow(world, 1);
  for (const { text } of world.it.sent) await world.archive(text);
  expect((await rows(world)).map(({ event }) => event.id)).toEqual(["b1", "other"]);
  for (let turn = 0; turn < 3; turn++) {
    world.it.now += DAY_MS;
    await world.seal();
  }
  expect(world.keys("events/date=2026-03-10/")).toEqual([]);
  expect((await rows(world)).map(({ event }) => event.id)).toEqual(["b1", "other"]);
  expect(await dayRow(world, 1)).toEqual(before);
  expect(await world.row(DAY)).toMatchObject({ error: "", dueAt: null });
});

test("[ERS-2] a visitor of an open Day leaves the numbers at once, a restart included, and the archive when it is sealed", async () => {
  const world = new SealedWorld(MERCHANTS);
  await send(world);
  await begin(world, {});
  const day = { merchant: 1, grain: "day", from: DAY, to: DAY + 1, dimensions: [] } as const;
  expect(live(world.it.partition, day).rows[0]?.counts).toMatchObject({ pageviews: 1, visits: 1 });
  world.it.restart();
  expect(live(world.it.partition, day).rows[0]?.counts).toMatchObject({ pageviews: 1, visits: 1 });
  await world.send([{ id: "a1", visitor: ANNA }]); // a resend is no new event
  expect(live(world.it.partition, day).rows[0]?.counts.pageviews).toBe(1);
  world.it.now = CLOSED_MS;
  await world.settle();
  await driveErasures(erasureDeps(world));
  await world.seal();
  expect((await rows(world)).map(({ event }) => event.id)).toEqual(["b1", "other"]);
  expect(await world.row(DAY)).toMatchObject({ generation: 1, error: "" });
  expect((await dayRow(world, 1))?.counts).toMatchObject({ pageviews: 1 });
});

test("[ERS-3] what comes after the request is not meant", async () => {
  const world = new SealedWorld(MERCHANTS);
  await send(world);
  await begin(world, {});
  world.it.now += 1_000;
  await world.send([{ id: "a3", visitor: ANNA, timestamp: TUESDAY + 120_000 }]);
  await world.settle();
  world.it.now = CLOSED_MS;
  await world.settle();
  await driveErasures(erasureDeps(world));
  await world.seal();
  expect((await rows(world)).map(({ event }) => event.id)).toEqual(["b1", "a3", "other"]);
});

test("[ERS-4] a range of Days goes, its numbers too, and no other Day", async () => {
  const world = new SealedWorld(MERCHANTS);
  await send(world);
  world.it.now += DAY_MS;
  await world.send([{ id: "next day", visitor: BEN }]);
  await world.settle();
  world.it.now = CLOSED_MS + 2 * DAY_MS;
  await world.settle();
  await world.seal();
  world.it.now += 60_000;
  await begin(world, { kind: "days", visitor: "", fromDay: DAY, toDay: DAY + 1 });
  await world.seal();
  expect((await rows(world)).map(({ event }) => event.id)).toEqual(["other"]);
  expect((await dayRow(world, 1))?.counts).toMatchObject({ pageviews: 0, visits: 0 });
  const next = await readDayRollups(world.d1, { merchants: [1], day: DAY + 1, partition: "pool-0" });
  expect(next.find(({ grain }) => grain === "day")?.counts.pageviews).toBe(1);
});

test("[ERS-5] of a whole merchant nothing is left: not in D1, not in the partition, not in the archive", async () => {
  const world = new SealedWorld(MERCHANTS);
  await send(world);
  const erasure = await begin(world, { kind: "merchant", visitor: "" });
  expect(findState(world.it.partition, 1, DAY)).toBeUndefined();
  expect(world.it.partition.settings.has(1)).toBe(false);
  world.it.settings.delete(1);
  expect(await world.it.send([{ id: "a9", visitor: ANNA }])).toEqual(["unknown"]);
  expect(world.database.prepare("SELECT * FROM merchants WHERE number = 1").all()).toEqual([]);
  world.it.restart();
  world.it.now = CLOSED_MS;
  await world.settle();
  for (let days = 0; days < 6; days++) {
    await driveErasures(erasureDeps(world));
    await world.seal();
    world.it.now += DAY_MS;
  }
  await driveErasures(erasureDeps(world));
  expect((await rows(world)).map(({ event }) => event.id)).toEqual(["other"]);
  for (const table of ["hourly", "daily", "blocks", "replay_undo"]) {
    expect(world.database.prepare(`SELECT count(*) AS n FROM ${table} WHERE merchant = 1`).get()).toEqual({ n: 0 });
  }
  expect(await findErasure(world.d1, erasure.id)).toMatchObject({ state: "done" });
  const receipt = await readReceipt(world.d1, erasure, 100);
  expect(receipt.removals).toMatchObject([{ rowsBefore: 3, rowsAfter: 0 }]);
});

test("[ERS-6] when retention ends a Day's events go and its numbers stay, whoever counts again", async () => {
  const world = new SealedWorld([
    settingsOf("UTC", { merchant: 1, retentionDays: 30 }),
    settingsOf("UTC", { merchant: 2 }),
  ]);
  putSettings(world.database, settingsOf("UTC", { merchant: 1, retentionDays: 30 }));
  await send(world);
  await world.sealAt(CLOSED_MS);
  world.it.now += 25 * DAY_MS;
  await driveErasures(erasureDeps(world));
  await world.seal();
  expect(await rows(world)).toHaveLength(4);
  world.it.now += 10 * DAY_MS;
  await driveErasures(erasureDeps(world));
  await world.seal();
  expect((await rows(world)).map(({ event }) => event.id)).toEqual(["other"]);
  expect((await dayRow(world, 1))?.counts).toMatchObject({ pageviews: 3, visits: 2 });
  const receipts = world.database.prepare("SELECT erasure, rows_before, rows_after FROM removals").all();
  expect(receipts).toEqual([{ erasure: "retention", rows_before: 3, rows_after: 0 }]);
  await world.send([{ id: "very late", visitor: BEN, timestamp: TUESDAY }]);
  await world.settle();
  await world.consume();
  expect((await dayRow(world, 1))?.counts).toMatchObject({ pageviews: 3, visits: 2 });
  expect(RETENTION_DAYS).toContain(30);
});

test("[ERS-1] what is left is what the remaining events give", async () => {
  const world = new SealedWorld(MERCHANTS);
  await send(world);
  world.it.now = CLOSED_MS;
  await world.settle();
  await begin(world, {});
  await world.seal();
  const [again] = replay(await rows(world), (merchant) => MERCHANTS.find((one) => one.merchant === merchant)).filter(
    ({ merchant, grain }) => merchant === 1 && grain === "day",
  );
  const held = await dayRow(world, 1);
  expect(held?.counts).toEqual(again?.counts);
  expect(held?.breakdowns).toEqual(again?.breakdowns);
  expect(held?.sketch).toEqual(again?.sketch);
});

test("[ERS-7] a cookieless visitor's salt is gone 48 hours after it was made, and the visitor is one of that Day", async () => {
  const world = new SealedWorld(MERCHANTS);
  await world.it.send([{ id: "a", visitor: "" }]);
  await world.settle();
  world.it.now = CLOSED_MS + 11 * 3_600_000;
  await tick(world.it.partition);
  expect(world.it.rows("salt")).toBe(0);
  await world.settle();
  await world.seal();
  const [{ event } = { event: { visitor: "" } }] = await rows(world);
  await begin(world, { visitor: event.visitor });
  await world.seal();
  expect(await rows(world)).toEqual([]);
});

test("[ERS-2] neither a dashboard that asked before nor a publish under way keeps a visitor in the numbers", async () => {
  const world = new SealedWorld(MERCHANTS);
  await world.send([
    { id: "b1", visitor: BEN },
    { id: "a1", visitor: ANNA },
  ]);
  const { partition } = world.it;
  const day = { merchant: 1, grain: "day", from: DAY, to: DAY + 1, dimensions: [] } as const;
  expect(live(partition, day).rows[0]?.counts.pageviews).toBe(2);
  await begin(world, { id: "ers_anna" });
  expect(live(partition, day).rows[0]?.counts.pageviews).toBe(1);
  world.it.now += DAY_MS;
  const { publishRollups } = partition.deps;
  const during = async (rows: Parameters<typeof publishRollups>[0]) => {
    Object.assign(partition.deps, { publishRollups });
    await begin(world, { id: "ers_ben", visitor: BEN });
    await publishRollups(rows);
  };
  Object.assign(partition.deps, { publishRollups: during });
  await world.settle();
  await world.settle();
  expect((await dayRow(world, 1))?.counts.pageviews).toBe(0);
});

/** A point that somebody comes to and waits at. */
function gate() {
  let arrive = () => {};
  let open = () => {};
  const reached = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const pass = () => {
    arrive();
    return opened;
  };
  return { reached, open: () => open(), pass };
}

test("[ERS-1] a seal that began before an erasure and ends after it brings nothing back, neither numbers nor files", async () => {
  const world = new SealedWorld(MERCHANTS);
  await send(world);
  await world.sealAt(CLOSED_MS);
  world.it.now += 60_000;
  await begin(world, { id: "ers_ben", visitor: BEN });
  const [reads, writes, otherWrites] = [gate(), gate(), gate()];
  const gated = (before: { reads?: typeof reads; writes: typeof writes }) => {
    const deps = world.deps();
    const { get, put } = deps.bucket;
    const bucket: typeof deps.bucket = {
      ...deps.bucket,
      get: async (key, options) => {
        if (options !== undefined) await before.reads?.pass();
        return get(key, options);
      },
      put: async (key, value) => {
        if (key.endsWith(".parquet")) await before.writes.pass();
        return put(key, value);
      },
    };
    return { ...deps, bucket, now: () => world.it.now++ };
  };
  const message = () => batchOf("footfall-seal", deliver("s", { day: DAY, partition: "pool-0" }));
  const slow = sealDays(message(), gated({ reads, writes }));
  await reads.reached;
  const erasure = await begin(world, { id: "ers_anna" });
  const quick = sealDays(message(), gated({ writes: otherWrites }));
  await otherWrites.reached;
  reads.open();
  await Promise.race([writes.reached, slow]);
  otherWrites.open();
  await quick;
  writes.open();
  await slow;
  expect((await dayRow(world, 1))?.counts.pageviews).toBe(0);
  world.it.now += SEAL_GRACE_MS + 60_000;
  await world.seal();
  const folder = (await world.row(DAY))?.folder ?? "none";
  expect(world.keys("sealed/date=2026-03-10/").filter((key) => !key.startsWith(folder))).toEqual([]);
  expect((await readReceipt(world.d1, erasure, 9)).removals).toHaveLength(1);
});

test("[ERS-1] two seals of one Day at once give one receipt", async () => {
  const world = new SealedWorld(MERCHANTS);
  await send(world);
  await world.sealAt(CLOSED_MS);
  const erasure = await begin(world, {});
  const writes = gate();
  const once = (pass: () => Promise<void>) => {
    const deps = world.deps();
    const put: typeof deps.bucket.put = async (key, value) => {
      if (key.endsWith(".parquet")) await pass();
      return deps.bucket.put(key, value);
    };
    const message = batchOf("footfall-seal", deliver("s", { day: DAY, partition: "pool-0" }));
    return sealDays(message, { ...deps, bucket: { ...deps.bucket, put }, now: () => world.it.now++ });
  };
  const slow = once(writes.pass);
  await writes.reached;
  await once(async () => {});
  writes.open();
  await slow;
  expect((await readReceipt(world.d1, erasure, 9)).removals).toHaveLength(1);
});

test("[ERS-1] late events of others, and their Days in doubt, hold up nobody's erasure", async () => {
  const world = new SealedWorld(MERCHANTS);
  await send(world);
  await world.sealAt(CLOSED_MS);
  const erasure = await begin(world, {});
  await world.seal();
  world.it.now += 5 * DAY_MS;
  await driveErasures(erasureDeps(world));
  await world.seal();
  // Somebody imports the past, one bundle after the other: there is always a Day that waits.
  await world.send([{ id: "import", merchant: 2, timestamp: TUESDAY }]);
  await world.settle();
  expect((await world.row(DAY))?.lateSince).not.toBeNull();
  await driveErasures(erasureDeps(world));
  expect(await findErasure(world.d1, erasure.id)).toMatchObject({ state: "done" });
});

test("[ERS-1] the cron comes to every erasure, however many wait for their Days", async () => {
  const world = new SealedWorld(MERCHANTS);
  await send(world);
  for (let number = 0; number < 3 * ERASURES_DRIVEN_MAX; number++) await begin(world, { id: `ers_${number}` });
  const number = 3 * ERASURES_DRIVEN_MAX;
  world.database.exec(`UPDATE erasure_parts SET told = 0 WHERE erasure = ${number}`);
  for (let runs = 0; runs < 60; runs++) {
    world.it.now += 5 * 60_000;
    await driveErasures(erasureDeps(world));
  }
  const untold = world.database.prepare("SELECT count(*) AS n FROM erasure_parts WHERE told = 0").get();
  expect(untold).toEqual({ n: 0 });
});

test("[ERS-1] what a rebuild has kept for its undo goes as well", async () => {
  const world = new ReplayedWorld(MERCHANTS);
  await send(world);
  await world.sealAt(CLOSED_MS);
  await world.spoil("UPDATE daily SET pageviews = 9 WHERE merchant < 3");
  const { id } = await world.run({ kind: "rebuild", fromDay: DAY, toDay: DAY + 1 });
  const kept = () => world.database.prepare("SELECT merchant FROM replay_undo").all();
  expect(kept()).toEqual([{ merchant: 1 }, { merchant: 2 }]);
  await begin(world, {});
  await world.seal();
  expect(kept()).toEqual([{ merchant: 2 }]);
  expect(await world.change(id, "undo")).toBe(true);
  await world.work();
  expect((await dayRow(world, 1))?.counts).toMatchObject({ pageviews: 1, visits: 1 });
  expect((await dayRow(world, 2))?.counts).toMatchObject({ pageviews: 9 });
});

test("[SEA-5] dropped hits of a visitor who was erased from an open Day are no difference that live counting made", async () => {
  const world = new SealedWorld(MERCHANTS);
  await world.send([
    { id: "b1", visitor: BEN },
    { id: "a1", visitor: ANNA, userAgent: "Googlebot/2.1 (+http://www.google.com/bot.html)" },
  ]);
  await begin(world, {});
  world.it.now = CLOSED_MS;
  await world.settle();
  await driveErasures(erasureDeps(world));
  await world.seal();
  expect((await dayRow(world, 1))?.drops).toEqual({});
  expect(await world.row(DAY)).toMatchObject({ generation: 1, differences: 0, shown: [] });
});
