// Retention over time: settings that become shorter, longer and none again, beside late events, replays and erasures.
// What a retention has taken stays taken, and the numbers it left stay as they are until somebody erases them by name.

import { expect, test } from "vitest";
import { rowsOf } from "../../core/archive/event-columns.ts";
import { hash64Hex } from "../../core/hash.ts";
import { SEAL_AFTER_MS } from "../../core/limits.ts";
import type { Settings } from "../../core/merchant.ts";
import { DAY_MS } from "../../core/time.ts";
import { erase } from "../../durable-objects/erase.ts";
import { driveErasures } from "../../queues/erasure.ts";
import { findDay, readDay } from "../../storage/archive/archive-day.ts";
import { driveErasure, type ErasureDeps } from "../../storage/erasure-drive.ts";
import { createErasure } from "../../storage/ledger/erasure.ts";
import { readDayRollups } from "../../storage/ledger/rollups.ts";
import { settingsOf, TUESDAY } from "../support/events.ts";
import { ReplayedWorld } from "../support/replayed-world.ts";
import { putSettings } from "../support/sealed-world.ts";

const DAY = Math.floor(TUESDAY / DAY_MS);
const CLOSED_MS = DAY * DAY_MS + SEAL_AFTER_MS;

function erasureDeps(world: ReplayedWorld): ErasureDeps {
  const { directory, ledgers, now, pace, log, bucket } = world.deps();
  const partition = () => ({
    erase: async (request: Parameters<typeof erase>[1]) => erase(world.it.partition, request),
  });
  return { directory, ledgers, now, pace, log, bucket, partition };
}

function set(world: ReplayedWorld, settings: Settings): void {
  world.it.settings.set(settings.merchant, settings);
  putSettings(world.database, settings);
}

const merchantOne = (version: number, retentionDays?: number) =>
  settingsOf("UTC", { merchant: 1, version, ...(retentionDays !== undefined && { retentionDays }) });

/** A Day with three events of merchant 1, whose retention of 30 days has just ended, and one of merchant 2. */
async function expired(more = 0): Promise<ReplayedWorld> {
  const world = new ReplayedWorld([merchantOne(1, 30), settingsOf("UTC", { merchant: 2 })]);
  const title = (index: number) => [1, 2, 3].map((part) => hash64Hex(`${part} ${index}`)).join("");
  await world.send(Array.from({ length: more }, (_, index) => ({ merchant: 2, id: `${index}`, title: title(index) })));
  await world.send([{ id: "a" }, { id: "b" }, { id: "c" }, { id: "other", merchant: 2 }]);
  await world.settle();
  world.it.now = CLOSED_MS;
  await world.settle();
  await world.seal();
  world.it.now += 35 * DAY_MS;
  await driveErasures(erasureDeps(world));
  await world.seal();
  expect((await ids(world)).slice(more)).toEqual(["other"]);
  return world;
}

async function ids(world: ReplayedWorld): Promise<readonly string[]> {
  const folder = (await world.row(DAY))?.folder ?? "";
  const found: string[] = [];
  const archived = await findDay(world.deps(), { date: "2026-03-10", partition: "pool-0" }, folder);
  for await (const rows of readDay(world.deps(), archived, { after: 0, isWanted: () => true }))
    found.push(...rowsOf(rows).map(({ event }) => event.id));
  return found;
}

async function pageviews(world: ReplayedWorld): Promise<number | undefined> {
  const stored = await readDayRollups(world.d1, { merchants: [1], day: DAY, partition: "pool-0" });
  return stored.find(({ grain }) => grain === "day")?.counts.pageviews;
}

test("[ERS-6] a retention that becomes longer, or none, leaves the numbers of what it took", async () => {
  const world = await expired();
  set(world, merchantOne(2));
  const range = { fromDay: DAY, toDay: DAY + 1 };
  expect(await world.run({ kind: "verify", ...range })).toMatchObject({ state: "done", differences: 0 });
  expect(await world.run({ kind: "rebuild", ...range })).toMatchObject({ state: "done", replaced: 0 });
  expect(await world.run({ kind: "rebuild", ...range, merchants: [1] })).toMatchObject({ replaced: 0 });
  expect(await pageviews(world)).toBe(3);
  await world.send([{ id: "late", timestamp: TUESDAY }]);
  await world.settle();
  await world.consume();
  expect(await world.row(DAY)).toMatchObject({ lateSince: null, error: "" });
  expect(await pageviews(world)).toBe(3);
});

test("[ERS-6] a late event of a merchant whose retention is over does not stay in the archive", async () => {
  const world = await expired(5_000); // few late bytes: their bundle would stay beside the sealed files
  await world.send([{ id: "late", timestamp: TUESDAY }]);
  await world.settle();
  await world.consume();
  await world.seal();
  expect(await ids(world)).not.toContain("late");
  expect(world.keys("events/date=2026-03-10/")).toEqual([]);
  expect(await pageviews(world)).toBe(3);
});

test("[ERS-4] an erasure of Days takes the numbers that a retention has left", async () => {
  const world = await expired();
  const erasure = await createErasure(world.d1, {
    erasure: { id: "ers_1", merchant: 1, kind: "days", visitor: "", fromDay: DAY, toDay: DAY + 1, createdAt: 1 },
    partitions: ["pool-0"],
    openDays: [],
  });
  await driveErasure(erasure, erasureDeps(world));
  await world.seal();
  expect(await pageviews(world)).toBe(0);
});
