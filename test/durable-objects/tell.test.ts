// When a partition tells where it stands: as often as somebody needs to know it, and not more.

import { expect, test } from "vitest";
import { dutiesDue } from "../../durable-objects/alarm.ts";
import { confirm } from "../../durable-objects/drain.ts";
import { tick } from "../../durable-objects/duties.ts";
import { tell } from "../../durable-objects/tell.ts";
import { TestPartition } from "../support/partition.ts";

const HOUR = 3_600_000;

/** Runs its duties every five minutes for some hours. */
async function live(it: TestPartition, hours = 2): Promise<void> {
  const end = it.now + hours * HOUR;
  while (it.now < end) {
    await tick(it.partition);
    it.now += 300_000;
  }
}

/** Longer than its Day is open. */
const OVER = 30;

test("[WCH-1] a partition tells after a publish, and once more when the archive has what was told to wait", async () => {
  const it = new TestPartition();
  await it.send([{ id: "a" }, { id: "b" }]);
  await live(it, OVER);
  expect(it.published).not.toEqual([]);
  const waiting = it.told.at(-1);
  expect(waiting).toMatchObject({ partition: "pool-0", events: 2, archivedEvents: 0, merchants: 1, failing: "" });
  expect(waiting?.unarchivedSince).toBeGreaterThan(0);
  for (const { first } of it.sent) confirm(it.partition, first);
  const before = it.told.length;
  await live(it);
  expect(it.told.slice(before)).toMatchObject([
    { events: 2, archivedEvents: 2, unarchivedSince: null, publishDue: null },
  ]);
  await live(it);
  expect(it.told).toHaveLength(before + 1);
});

test("[WCH-1] it goes on telling after a restart, and one that nothing waits in stays silent", async () => {
  const it = new TestPartition();
  await it.send([{ id: "a" }]);
  await live(it, OVER);
  it.restart();
  for (const { first } of it.sent) confirm(it.partition, first);
  await live(it);
  expect(it.told.at(-1)).toMatchObject({ archivedEvents: 1, unarchivedSince: null });
  const told = it.told.length;
  it.restart();
  expect(dutiesDue(it.partition, it.now).tell).toBe(Infinity);
  await live(it);
  expect(it.told).toHaveLength(told);
});

test("[WCH-1] what fails is told when it can be, and keeps no other duty from being done", async () => {
  const it = new TestPartition();
  await it.send([{ id: "a" }]);
  it.broken.add("d1");
  await live(it);
  expect([it.told, it.published]).toEqual([[], []]);
  it.broken.clear();
  it.broken.add("queue");
  await live(it);
  expect(it.told.at(-1)).toMatchObject({ failing: "drain" });
});

test("[WCH-1] [RCV-13] what is told is on the disk: a crash before a commit makes no storage that was put back", async () => {
  const it = new TestPartition();
  await it.send([{ id: "a" }]);
  it.pause = () => new Promise(() => {}); // what comes now waits for company, and is not yet written
  void it.send([{ id: "b" }]);
  await new Promise((settle) => setImmediate(settle));
  await tell(it.partition);
  expect(it.told.at(-1)).toMatchObject({ events: 2 });
  it.pause = () => Promise.resolve();
  it.restart();
  expect(await it.send([{ id: "b" }, { id: "c" }])).toEqual(["duplicate", "accepted"]);
  expect([it.partition.standing, it.lost]).toEqual(["own", []]);
});
