// The partition's side of a closed Day: what it counts no more, when it says that the Day is complete, and that a Day
// it let go of does not come back.

import { expect, test } from "vitest";
import { decodeBundle } from "../../core/archive/bundle.ts";
import { firstOpenDay } from "../../core/counting/closed.ts";
import { SEAL_AFTER_MS } from "../../core/limits.ts";
import { DAY_MS } from "../../core/time.ts";
import { checkpoint } from "../../durable-objects/checkpoint.ts";
import { confirm, drain } from "../../durable-objects/drain.ts";
import { publish } from "../../durable-objects/publish.ts";
import { completeness, dropDay } from "../../durable-objects/seal.ts";
import { findDay } from "../../durable-objects/state.ts";
import { TUESDAY } from "../support/events.ts";
import { TestPartition } from "../support/partition.ts";

const DAY = Math.floor(TUESDAY / DAY_MS);
const CLOSED_MS = DAY * DAY_MS + SEAL_AFTER_MS;

/** Archives and publishes all there is. */
async function settle(it: TestPartition): Promise<void> {
  it.now += 10 * 60_000;
  await drain(it.partition);
  for (const { first } of it.sent) confirm(it.partition, first);
  await publish(it.partition);
}

test("[SEA-1] a Day is closed 48 hours after its midnight in UTC; its events are then logged, not counted", async () => {
  expect(firstOpenDay(CLOSED_MS - 1)).toBe(DAY);
  expect(firstOpenDay(CLOSED_MS)).toBe(DAY + 1);
  const it = new TestPartition();
  it.now = CLOSED_MS - 1;
  expect(await it.send([{ id: "a", timestamp: TUESDAY }])).toEqual(["accepted"]);
  it.now = CLOSED_MS;
  expect(await it.send([{ id: "b", timestamp: TUESDAY }])).toEqual(["accepted"]);
  expect(findDay(it.partition, 1, DAY)?.ids.size).toBe(1);
  it.restart();
  expect(findDay(it.partition, 1, DAY)?.ids.size).toBe(1);
  it.now += 10 * 60_000;
  await drain(it.partition);
  const late = it.sent.flatMap(({ text }) => decodeBundle(text).events).map((logged) => [logged.event.id, logged.late]);
  expect(late).toEqual([
    ["a", false],
    ["b", true],
  ]);
});

test("[SEA-1] dropped hits of a closed Day are answered with their reason", async () => {
  const it = new TestPartition();
  it.now = CLOSED_MS;
  expect(await it.send([{ timestamp: TUESDAY, userAgent: "Googlebot/2.1" }])).toEqual([{ dropped: "bot" }]);
});

test("[SEA-2] a Day is complete when all of it lies in the archive and in D1", async () => {
  const it = new TestPartition();
  await it.send([{ id: "a" }]);
  expect(completeness(it.partition, DAY)).toEqual({ complete: false, why: "the Day is open" });
  it.now = CLOSED_MS;
  expect(completeness(it.partition, DAY)).toEqual({ complete: false, why: "rollups wait to be published" });
  await publish(it.partition);
  expect(completeness(it.partition, DAY)).toEqual({ complete: false, why: "events wait to be archived" });
  await drain(it.partition);
  expect(completeness(it.partition, DAY)).toMatchObject({ complete: false });
  for (const { first } of it.sent) confirm(it.partition, first);
  expect(completeness(it.partition, DAY)).toEqual({ complete: true, position: 2, counted: [[1, 1]] });
  await it.send([{ id: "late", timestamp: TUESDAY }]);
  expect(completeness(it.partition, DAY)).toEqual({ complete: false, why: "events wait to be archived" });
  await it.send([{ id: "of another Day" }]);
  await settle(it);
  await it.send([{ id: "of another Day again" }]);
  expect(completeness(it.partition, DAY)).toMatchObject({ complete: true });
});

test("[SEA-2] what was closed stays closed when the clock goes back or the object restarts", async () => {
  const it = new TestPartition();
  await it.send([{ id: "a" }]);
  it.now = CLOSED_MS;
  completeness(it.partition, DAY);
  it.now -= 3_600_000;
  it.restart();
  await it.send([{ id: "b", timestamp: TUESDAY }]);
  expect(findDay(it.partition, 1, DAY)?.ids.size).toBe(1);
});

test("[SEA-3] a sealed Day's state goes, and no restart brings it back", async () => {
  const it = new TestPartition();
  await it.send([{ id: "a" }]);
  it.now = CLOSED_MS;
  expect(dropDay(it.partition, DAY)).toBe(false); // D1 does not have it yet
  await settle(it);
  expect(dropDay(it.partition, DAY)).toBe(true);
  expect(it.rows("shelf")).toBe(0);
  it.restart(); // the log after the last checkpoint is counted again
  expect(findDay(it.partition, 1, DAY)).toBeUndefined();
  expect(dropDay(it.partition, DAY)).toBe(true);
  expect(dropDay(it.partition, DAY + 1)).toBe(false);
});

test("[SEA-3] a Day is let go of although its events still stand in a log that was never checkpointed", async () => {
  const it = new TestPartition();
  await it.send([{ id: "a" }]);
  it.now = CLOSED_MS;
  await it.send([{ id: "of today" }]);
  await settle(it);
  expect(dropDay(it.partition, DAY)).toBe(true);
  await it.send([{ id: "of today again" }]);
  it.restart();
  checkpoint(it.partition);
  expect(it.database.prepare("SELECT DISTINCT day FROM shelf").all()).toEqual([{ day: DAY + 2 }]);
});
