// A hot merchant's partitions: what belongs to another is not taken, what may have been counted by another is asked
// for, and more partitions are asked for in time.

import { expect, test } from "vitest";
import { partitionOf } from "../../core/counting/placement.ts";
import type { Event } from "../../core/event.ts";
import {
  ADMISSION_WINDOW_MS,
  SPREAD_ASK_EVERY_MS,
  SPREAD_DAY_EVENTS,
  SPREAD_VISITORS_MIN,
  SPREAD_WINDOWS,
} from "../../core/limits.ts";
import type { SpreadTimeline } from "../../core/merchant.ts";
import { DAY_MS, HOUR_MS } from "../../core/time.ts";
import { counted, noteDay, noteRate } from "../../durable-objects/spread.ts";
import { statusOf } from "../../durable-objects/status.ts";
import { eventOf, settingsOf, TUESDAY } from "../support/events.ts";
import { TestPartition } from "../support/partition.ts";

const MIDNIGHT = Math.ceil(TUESDAY / DAY_MS) * DAY_MS;
const VISITOR = "00000000000000aa";
const OWN = "merchant-1-0";
const SPREAD = [{ from: MIDNIGHT, partitions: 1 }];
/** As many visitors as there must be, a thousand at a time. */
const crowdOf = (part: number): Partial<Event>[] =>
  Array.from({ length: SPREAD_VISITORS_MIN }, (_, at) => {
    const number = part * SPREAD_VISITORS_MIN + at;
    return { id: `crowd-${number}`, visitor: number.toString(16).padStart(16, "0") };
  });
const CROWD = crowdOf(1);

test("[SPR-3] a partition takes what it counts, and says of the rest how its merchant is spread", async () => {
  const [pool, own] = [partition("pool-0"), partition(OWN)];
  const events = [{ timestamp: MIDNIGHT - 1 }, { timestamp: MIDNIGHT }];
  const moved = { moved: { merchant: 1, version: 2, spread: SPREAD } };
  expect(await pool.send(events)).toEqual(["accepted", moved]);
  expect(await own.send(events)).toEqual([moved, "accepted"]);
  expect(await own.send([{ timestamp: MIDNIGHT - 1 }])).toEqual([moved]);
  expect([pool, own].map((it) => it.partition.next)).toEqual([2, 2]);
});

test("[SPR-3] a late event of a closed Day goes by the same rule", async () => {
  const own = partition(OWN);
  own.now = MIDNIGHT + 10 * DAY_MS;
  expect(await own.send([{ timestamp: MIDNIGHT + HOUR_MS }])).toEqual(["accepted"]);
  expect(await own.send([{ timestamp: MIDNIGHT - HOUR_MS }])).toMatchObject([{ moved: { spread: SPREAD } }]);
});

test("[SPR-4] a resend whose time is ours is one event, whichever side of midnight it comes to first", async () => {
  for (const [first, second] of [
    [MIDNIGHT - 5_000, MIDNIGHT + 5_000],
    [MIDNIGHT + 5_000, MIDNIGHT - 5_000], // an earlier copy came later, by the overflow queue
    [MIDNIGHT - 20 * HOUR_MS, MIDNIGHT + 20 * HOUR_MS],
  ] as const) {
    const it = pair();
    expect(await it.send({ id: "x", timestamp: first }, { floating: true })).toEqual(["accepted"]);
    expect(await it.send({ id: "x", timestamp: second }, { floating: true })).toEqual(["duplicate"]);
    expect(await it.send({ id: "y", timestamp: second }, { floating: true })).toEqual(["accepted"]);
  }
});

test("[SPR-4] so is one of a clock that was set across midnight; others are not asked for", async () => {
  const it = pair();
  await it.send({ id: "x", timestamp: MIDNIGHT - HOUR_MS / 2 });
  expect(await it.send({ id: "x", timestamp: MIDNIGHT + HOUR_MS / 4 })).toEqual(["duplicate"]);
  const { asked } = it;
  await it.send({ id: "z", timestamp: MIDNIGHT + 2 * HOUR_MS });
  expect(it.asked).toBe(asked);
});

test("[SPR-4] a batch asks each partition once", async () => {
  const it = pair();
  const resent = Array.from({ length: 50 }, (_, index) => ({ id: `e${index}` }));
  for (const { id } of resent.slice(0, 20)) await it.send({ id, timestamp: MIDNIGHT - 1 });
  it.asked = 0;
  const events = resent.map(({ id }) => ({ id, timestamp: MIDNIGHT + 1, visitor: VISITOR }));
  const fates = await it.own.send(events, { floating: true });
  expect(fates.map((fate) => fate === "duplicate")).toEqual(resent.map((_, index) => index < 20));
  expect(it.asked).toBe(1);
});

test("[SPR-4] two that ask each other for one event take it neither: it is sent again", async () => {
  const it = pair();
  const keys = new Set(["1 px"]);
  it.own.partition.asking.add(keys);
  await expect(it.send({ id: "x", timestamp: MIDNIGHT - 1 }, { floating: true })).rejects.toThrow("same event");
  it.own.partition.asking.delete(keys);
  expect(await it.send({ id: "x", timestamp: MIDNIGHT - 1 }, { floating: true })).toEqual(["accepted"]);
  expect(it.pool.partition.asking.size).toBe(0);
});

test("[SPR-5] a merchant with too many events of a Day is to be spread from its next Day on, and is asked for once", async () => {
  const it = new TestPartition();
  await it.send(CROWD);
  noteDay(it.partition, eventOf(), SPREAD_DAY_EVENTS - 1);
  await settled();
  expect(it.settings.get(1)?.spread).toBeUndefined();
  noteDay(it.partition, eventOf(), SPREAD_DAY_EVENTS);
  noteDay(it.partition, eventOf(), SPREAD_DAY_EVENTS + 1);
  await settled();
  expect(it.settings.get(1)).toMatchObject({ version: 2, spread: [{ from: MIDNIGHT, partitions: 4 }] });
  expect(it.partition.settings.get(1)?.settings.version).toBe(2);
  expect(it.logged).toEqual([
    {
      event: "merchant_spread",
      partition: "pool-0",
      merchant: 1,
      partitions: 4,
      from: new Date(MIDNIGHT).toISOString(),
    },
  ]);
  it.now += SPREAD_ASK_EVERY_MS;
  noteDay(it.partition, eventOf(), SPREAD_DAY_EVENTS + 2);
  await settled();
  expect(it.settings.get(1)?.version).toBe(2); // it is to begin yet
});

test("[SPR-5] late events of a Day from before, and its backlog, ask for no more: what there is now has not been tried", async () => {
  const it = new TestPartition(OWN);
  it.settings.set(1, settingsOf("UTC", { version: 2, spread: [{ from: MIDNIGHT, partitions: 4 }] }));
  it.now = MIDNIGHT + HOUR_MS;
  for (let part = 0; part < 8; part++) await it.send(crowdOf(part)); // a quarter of them are counted here
  noteDay(it.partition, eventOf({ timestamp: MIDNIGHT - 1 }), SPREAD_DAY_EVENTS);
  // What has overflowed on the day before is delivered as fast as it is taken.
  for (let window = 0; window < SPREAD_WINDOWS; window++) {
    it.now += ADMISSION_WINDOW_MS;
    noteRate(it.partition, eventOf({ timestamp: MIDNIGHT - 1 }), 0, 12_000);
  }
  await settled();
  expect(it.settings.get(1)?.version).toBe(2);
  noteDay(it.partition, eventOf({ timestamp: MIDNIGHT }), SPREAD_DAY_EVENTS);
  await settled();
  expect(it.settings.get(1)?.spread?.at(-1)).toEqual({ from: MIDNIGHT + DAY_MS, partitions: 8 });
});

test("[SPR-5] what few visitors send is not spread: each of them stays in one partition, whatever there are; somebody is told", async () => {
  const it = new TestPartition();
  await it.send(CROWD.slice(0, SPREAD_VISITORS_MIN - 1));
  noteDay(it.partition, eventOf(), SPREAD_DAY_EVENTS);
  for (let window = 0; window < SPREAD_WINDOWS; window++) {
    it.now += ADMISSION_WINDOW_MS;
    noteRate(it.partition, eventOf(), 0, 12_000);
  }
  await settled();
  expect(it.settings.get(1)?.spread).toBeUndefined();
  const reason = "too few visitors to spread";
  expect(it.logged).toEqual([{ event: "merchant_too_hot", partition: "pool-0", merchant: 1, reason }]);
  expect(statusOf(it.partition)).toMatchObject({ hotAt: it.partition.hotAt, slowedAt: null });
  expect(it.partition.hotAt).toBeGreaterThan(MIDNIGHT - DAY_MS);
  await it.send(CROWD);
  it.now += SPREAD_ASK_EVERY_MS;
  noteDay(it.partition, eventOf(), SPREAD_DAY_EVENTS);
  await settled();
  expect(it.settings.get(1)?.spread).toHaveLength(1);
});

test("[SPR-5] so is one that goes on sending half of what is taken; a burst is not", async () => {
  const it = new TestPartition();
  await it.send(CROWD);
  for (let burst = 0; burst < 5; burst++) {
    for (let window = 1; window < SPREAD_WINDOWS; window++) {
      it.now += ADMISSION_WINDOW_MS;
      for (const taken of [0, 6_000, 12_000]) noteRate(it.partition, eventOf(), taken, 6_000);
    }
    it.now += 2 * 60_000;
  }
  await settled();
  expect(it.settings.get(1)?.spread).toBeUndefined();
  for (let window = 0; window < SPREAD_WINDOWS; window++) {
    it.now += ADMISSION_WINDOW_MS;
    noteRate(it.partition, eventOf(), 0, 12_000);
  }
  await settled();
  expect(it.settings.get(1)?.spread).toHaveLength(1);
});

test.each(["d1", "answer"] as const)(
  "[SPR-5] a partition that dies before or after the change is stored (%s) asks again, and it is stored once",
  async (party) => {
    const it = new TestPartition();
    await it.send(CROWD);
    it.broken.add(party);
    noteDay(it.partition, eventOf(), SPREAD_DAY_EVENTS);
    await settled();
    expect(it.logged).toMatchObject([{ event: "spread_failed" }]);
    expect(it.settings.get(1)?.version).toBe(party === "d1" ? 1 : 2);
    it.broken.delete(party);
    it.restart();
    await it.send(CROWD);
    noteDay(it.partition, eventOf(), SPREAD_DAY_EVENTS);
    await settled();
    expect(it.settings.get(1)).toMatchObject({ version: 2, spread: [{ from: MIDNIGHT, partitions: 4 }] });
    expect(it.partition.settings.get(1)?.settings.version).toBe(2);
  },
);

test("[SPR-5] where there are no more partitions to have, somebody is told", async () => {
  const it = new TestPartition("merchant-1-0");
  it.settings.set(1, settingsOf("UTC", { version: 2, spread: [{ from: 0, partitions: 64 }] }));
  for (let part = 0; part < 80; part++) await it.send(crowdOf(part));
  noteDay(it.partition, eventOf(), SPREAD_DAY_EVENTS);
  await settled();
  expect(it.logged).toEqual([
    { event: "merchant_too_hot", partition: "merchant-1-0", merchant: 1, reason: "no more partitions" },
  ]);
});

function partition(name: string): TestPartition {
  const it = new TestPartition(name);
  it.settings.set(1, settingsOf("UTC", { version: 2, spread: SPREAD }));
  return it;
}

/** The pool's partition before midnight and the merchant's own after it, each hearing the other. */
function pair() {
  const partitions = new Map(["pool-0", OWN].map((name) => [name, partition(name)]));
  const named = (name: string) => partitions.get(name) as TestPartition;
  const them = {
    pool: named("pool-0"),
    own: named(OWN),
    asked: 0,
    send: (change: Partial<Event>, way: { floating?: boolean } = {}) => {
      const event = eventOf({ visitor: VISITOR, ...change });
      const name = partitionOf({ event, address: "" }, SPREAD as SpreadTimeline, 1);
      return named(name).send([event], way);
    },
  };
  for (const it of partitions.values()) {
    it.counted = async (name, request) => {
      them.asked += 1;
      return counted(named(name).partition, request);
    };
  }
  return them;
}

/** Work in the background is done. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
