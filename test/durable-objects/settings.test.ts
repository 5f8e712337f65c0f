// How settings reach a partition: what it asks the database, when, and what becomes of hits while that is silent.

import { expect, test } from "vitest";
import { SETTINGS_FRESH_MS, SETTINGS_LEASE_MS } from "../../core/limits.ts";
import { HOUR_MS } from "../../core/time.ts";
import { live } from "../../durable-objects/live.ts";
import { always, settingsOf } from "../support/events.ts";
import { TestPartition } from "../support/partition.ts";

const OTHERS = { rules: always({ hostnames: ["other.example"] }) };
/** Hits a second in the outage below. */
const { OUTAGE_HITS = "20" } = process.env;

async function partitionOf(merchants: number): Promise<TestPartition> {
  const it = new TestPartition();
  for (let merchant = 2; merchant <= merchants; merchant++) it.settings.set(merchant, settingsOf("UTC", { merchant }));
  for (let merchant = 1; merchant <= merchants; merchant++) await it.send([{ merchant }]);
  return it;
}

/** What it asks from now on, while it is sent something. */
async function askedDuring(it: TestPartition, work: () => Promise<unknown>) {
  it.asked.length = 0;
  await work();
  await new Promise((resolve) => setImmediate(resolve));
  return [...it.asked];
}

test("[PAR-17] one statement a minute for all merchants of a partition, and those that changed", async () => {
  const it = await partitionOf(50);
  it.now += SETTINGS_FRESH_MS;
  expect(await askedDuring(it, () => it.send([{ merchant: 7 }]))).toEqual([]);
  it.now += 1;
  expect(await askedDuring(it, () => Promise.all([7, 8, 9].map((merchant) => it.send([{ merchant }]))))).toEqual([
    "changes",
  ]);
  it.settings.set(8, settingsOf("UTC", { merchant: 8, version: 2, ...OTHERS }));
  it.now += SETTINGS_FRESH_MS + 1;
  expect(await askedDuring(it, () => it.send([{ merchant: 7 }]))).toEqual(["changes", [8]]);
  expect(await it.send([{ merchant: 8 }, { merchant: 9 }])).toEqual([{ dropped: "hostname" }, "accepted"]);
});

test("[PAR-17] a restart asks nothing within the lease, and one statement after it", async () => {
  const it = await partitionOf(50);
  it.restart();
  expect(await askedDuring(it, () => it.send([{ merchant: 7 }]))).toEqual([]);
  it.restart();
  it.now += SETTINGS_LEASE_MS + 1;
  expect(await askedDuring(it, () => it.send([{ merchant: 7 }]))).toEqual(["changes"]);
});

test("[PAR-17] past the lease nothing is counted before the database has answered", async () => {
  const it = await partitionOf(1);
  it.broken.add("settings");
  it.now += SETTINGS_LEASE_MS;
  expect(await it.send([{}])).toEqual(["accepted"]);
  it.now += 1;
  await expect(it.send([{}])).rejects.toThrow("settings is down");
});

test("[PAR-17] a database that was restored to an earlier instant is asked for all that is known", async () => {
  const it = await partitionOf(3);
  it.partition.lease = { change: 1_000, readAt: it.now };
  it.now += SETTINGS_FRESH_MS + 1;
  expect(await askedDuring(it, () => it.send([{}]))).toEqual(["changes", [0, 1, 2, 3]]);
});

test("[PAR-17] a merchant that has gone is told so by the next minute", async () => {
  const it = await partitionOf(2);
  it.settings.delete(2);
  it.now += SETTINGS_FRESH_MS + 1;
  await askedDuring(it, () => it.send([{}]));
  expect(await it.send([{ merchant: 2 }, { merchant: 1 }])).toEqual(["unknown", "accepted"]);
});

test("[PAR-24] a directory that was restored does not say who is unknown: known merchants stay, hits of others wait", async () => {
  const it = await partitionOf(2);
  it.settings.set(9, settingsOf("UTC", { merchant: 9 }));
  expect(await it.send([{ merchant: 9 }])).toEqual(["accepted"]);
  it.settings.delete(9);
  it.partition.lease = { change: 1_000, readAt: it.now };
  it.now += SETTINGS_FRESH_MS + 1;
  await askedDuring(it, () => it.send([{}])); // it hears of an earlier last change
  expect(await it.send([{ merchant: 9, id: "a" }, { merchant: 8 }, { merchant: 1, id: "b" }])).toEqual([
    "accepted",
    "unread",
    "accepted",
  ]);
  it.restart();
  expect(await it.send([{ merchant: 9, id: "c" }, { merchant: 8 }])).toEqual(["accepted", "unread"]);
  // Recovering the directory raises its last change: from then on it says who is there.
  it.raiseChanges(2_000);
  it.now += SETTINGS_FRESH_MS + 1;
  await askedDuring(it, () => it.send([{ id: "d" }]));
  it.now += 1_000;
  expect(await it.send([{ merchant: 8 }, { merchant: 1, id: "e" }])).toEqual(["unknown", "accepted"]);
});

test("[PAR-23] a merchant whose settings cannot be read holds up no other, and is not asked for again at once", async () => {
  const it = await partitionOf(1);
  it.settings.set(9, settingsOf("UTC", { merchant: 9 }));
  it.broken.add("settings");
  expect(await it.send([{ merchant: 9 }, { merchant: 1 }])).toEqual(["unread", "accepted"]);
  it.broken.clear();
  expect(await askedDuring(it, () => it.send([{ merchant: 9 }]))).toEqual([]);
  it.now += 1_000;
  expect(await it.send([{ merchant: 9 }])).toEqual(["accepted"]);
});

test("[PAR-23] while the database is away for ten minutes, every hit of a known merchant is counted in its Hour", async () => {
  const it = await partitionOf(20);
  const before = 20;
  it.now += HOUR_MS - 300_000; // the outage goes over the end of an Hour
  await askedDuring(it, () => it.send([{ id: "before" }]));
  it.broken.add("settings");
  const everyMs = 1_000 / Number(OUTAGE_HITS);
  const hits = 600_000 / everyMs;
  for (let hit = 0; hit < hits; hit++) {
    it.now += everyMs;
    if (hit === hits / 3) it.restart();
    const at = Math.floor(it.now);
    const fates = await it.send([{ id: `outage-${hit}`, merchant: 1 + (hit % 20), timestamp: at, receivedAt: at }]);
    if (fates[0] !== "accepted") expect.fail(`hit ${hit}: ${JSON.stringify(fates)}`);
  }
  const hours = [0, 0];
  for (let merchant = 1; merchant <= 20; merchant++) {
    const request = { merchant, grain: "hour" as const, from: 0, to: it.now + HOUR_MS, dimensions: [] };
    const rows = live(it.partition, request).rows;
    rows.forEach((row, index) => {
      hours[index] = (hours[index] ?? 0) + row.counts.pageviews;
    });
  }
  expect(hours).toEqual([before + 1 + hits / 2 - 1, hits / 2 + 1]);
});
