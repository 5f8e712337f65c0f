// What a partition relies on of the object that it is: its SQLite and its alarm. The same checks run inside a Durable
// Object of workerd, through the adapter that the product uses, and on what stands in for it in tests.

import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SimulatedAlarm } from "../simulation/alarm.ts";
import { World } from "../simulation/world.ts";
import type { BundledWorker } from "../support/bundled-worker.ts";
import { sqliteSql } from "../support/sqlite.ts";
import { type AlarmPlan, type Firing, isDone } from "./alarm-plan.ts";
import { startPlatform } from "./platform.ts";
import { SQL_CHECKS } from "./sql-checks.ts";

let platform: BundledWorker;
beforeAll(async () => {
  platform = await startPlatform();
}, 60_000);
afterAll(() => platform?.stop());

test.each(Object.entries(SQL_CHECKS))("[CTR-10] %s: node:sqlite in its place", (_, check) => {
  check(sqliteSql(new DatabaseSync(":memory:")));
});

test.each(Object.keys(SQL_CHECKS))("[CTR-10] %s: SQLite of an object of workerd", async (name) => {
  const answer = await fetch(new URL(`/check?name=${encodeURIComponent(name)}`, platform.address));
  expect(await answer.json()).toBeNull();
});

async function simulate(plan: AlarmPlan): Promise<readonly Firing[]> {
  const start = Date.UTC(2026, 2, 10);
  const world = new World(1, start, { failure: 0, crash: 0, repeat: 0 });
  const firings: Firing[] = [];
  const alarm = new SimulatedAlarm(
    world,
    async () => {
      firings.push({ atMs: world.now - start, isSet: alarm.isSet });
      if (firings.length <= plan.failures) throw new Error("as planned");
    },
    () => {}, // the plan's own failures
  );
  for (const inMs of plan.set) alarm.set(start + inMs);
  for (let ms = 0; !isDone(plan, firings, ms); ms += 20) await world.runUntil(start + ms);
  return firings;
}

async function run(plan: AlarmPlan): Promise<readonly Firing[]> {
  const answer = await fetch(new URL("/alarm", platform.address), { method: "POST", body: JSON.stringify(plan) });
  return await answer.json();
}

describe.each([
  ["the simulation's alarm in its place", simulate],
  ["the alarm of an object of workerd", run],
])("%s", (_, firingsOf) => {
  test("[CTR-11] it fires once, not before its time, and is not set while it fires", async () => {
    const [firing, ...more] = await firingsOf({ set: [200], failures: 0 });
    expect([firing?.isSet, more]).toEqual([false, []]);
    expect(firing?.atMs).toBeGreaterThanOrEqual(200);
  });

  test.each([[[1_000, 200]], [[200, 1_000]]])("[CTR-11] of %j ms only what was set last counts", async (set) => {
    const firings = await firingsOf({ set, failures: 0 });
    expect(firings).toHaveLength(1);
    expect(firings[0]?.atMs).toBeGreaterThanOrEqual(set[1] ?? 0);
    if (set[1] === 200) expect(firings[0]?.atMs).toBeLessThan(1_000);
  });

  test("[CTR-11] one that is set for the past fires", async () => {
    expect(await firingsOf({ set: [-60_000], failures: 0 })).toHaveLength(1);
  });

  test("[CTR-11] one that throws is fired again after a while, until it does not throw", async () => {
    const [first, second, ...more] = await firingsOf({ set: [0], failures: 1 });
    expect(more).toEqual([]);
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(1_000);
  });
});
