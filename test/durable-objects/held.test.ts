// What merchants' Days may hold in a partition's memory: who is slowed when that is used up, who is not, and when it
// ends. Events with many long product names fill it with few of them.

import { expect, test } from "vitest";
import type { Arrival, Event } from "../../core/event.ts";
import {
  CHECKPOINT_AFTER_MS,
  HELD_BYTES_MAX,
  HELD_KEYED_BYTES_MAX,
  HELD_MERCHANT_KEYED_BYTES_MAX,
  HELD_RETRY_SECONDS_MAX,
  HELD_RETRY_SECONDS_MIN,
  HELD_SMALL_BYTES,
  MERCHANT_EVENTS_PER_WINDOW_MAX,
  PRODUCTS_COUNT_MAX,
} from "../../core/limits.ts";
import { DAY_MS, MINUTE_MS } from "../../core/time.ts";
import { dutiesDue } from "../../durable-objects/alarm.ts";
import { append } from "../../durable-objects/append.ts";
import { checkpoint } from "../../durable-objects/checkpoint.ts";
import { findShelf } from "../../durable-objects/state.ts";
import { statusOf } from "../../durable-objects/status.ts";
import { eventOf, settingsOf } from "../support/events.ts";
import { TestPartition } from "../support/partition.ts";

/** No event of `heavy` takes more. */
const HEAVY_BYTES = 60_000;

test("[HLD-2] one merchant holds half of what pages may hold, a second one half of what is left, a small one is not slowed", async () => {
  const it = newPartition();
  await fill(it, { merchant: 1 });
  expect(near(HELD_BYTES_MAX / 2, it.partition.heldBytes)).toBe(true);
  await fill(it, { merchant: 2 });
  expect(near((HELD_BYTES_MAX * 3) / 4, it.partition.heldBytes)).toBe(true);
  for (const merchant of [3, 4, 5]) await fill(it, { merchant });
  expect(it.partition.heldBytes).toBeLessThan(HELD_BYTES_MAX);
  expect(await ask(it, [{ merchant: 6 }])).toEqual(["accepted"]);
  const before = it.partition.heldBytes;
  await fill(it, { merchant: 6 });
  expect(it.partition.heldBytes - before).toBeGreaterThan(HELD_SMALL_BYTES);
  expect(it.logged.flatMap((line) => (line.event === "merchant_slowed" ? line.merchant : []))).toEqual([
    1, 2, 3, 4, 5, 6,
  ]);
  expect(statusOf(it.partition)).toMatchObject({ slowedAt: it.now, hotAt: null });
});

test("[HLD-3] what came with a key has room that pages cannot take, and ends before the isolate does", async () => {
  const it = newPartition();
  for (const merchant of [1, 2, 3, 4]) await fill(it, { merchant });
  const before = it.partition.heldBytes;
  await fill(it, { merchant: 1, keyed: 1 });
  const own = HELD_MERCHANT_KEYED_BYTES_MAX - HELD_BYTES_MAX / 2;
  expect(near(own - HEAVY_BYTES, it.partition.heldBytes - before)).toBe(true);
  await fill(it, { merchant: 2, keyed: 1 });
  expect(near(HELD_KEYED_BYTES_MAX, it.partition.heldBytes)).toBe(true);
  expect(await ask(it, [{ merchant: 9 }])).toEqual([{ fullForSeconds: expect.any(Number) }]);
});

test("[HLD-4] what was acknowledged is not refused: it waits in the queue, and once its Day is closed it needs no room", async () => {
  const it = newPartition();
  await fill(it, { merchant: 1 });
  expect(await append(it.partition, arrivals(it, [{ merchant: 1 }]))).toEqual(["accepted"]);
  for (const merchant of [1, 2]) await fill(it, { merchant, keyed: 1 });
  const waiting = arrivals(it, [{ merchant: 1 }]);
  expect(await append(it.partition, waiting)).toBe("overloaded");
  it.now += 4 * DAY_MS;
  expect(await append(it.partition, waiting)).toEqual(["accepted"]);
});

test("[HLD-5] a refusal says when to come again, and does not go to the queue; a resend of what was counted is a duplicate", async () => {
  const it = newPartition();
  expect(await ask(it, [{ id: "counted" }])).toEqual(["accepted"]);
  await fill(it, { merchant: 1 });
  // More than a partition takes of one merchant in a second.
  const flood = Array.from({ length: MERCHANT_EVENTS_PER_WINDOW_MAX + 1 }, () => ({}));
  expect(new Set((await ask(it, flood)).map((fate) => typeof fate))).toEqual(new Set(["object"]));
  const [again, more] = await ask(it, [{ id: "counted" }, {}]);
  expect(again).toBe("duplicate");
  const { fullForSeconds } = more as { fullForSeconds: number };
  const { checkpoint: due } = dutiesDue(it.partition, it.now);
  expect(due - it.now).toBeLessThanOrEqual(CHECKPOINT_AFTER_MS);
  expect(fullForSeconds).toBeGreaterThanOrEqual(HELD_RETRY_SECONDS_MIN);
  expect(fullForSeconds).toBeLessThanOrEqual(HELD_RETRY_SECONDS_MAX);
  expect(await ask(it, [{ merchant: 2 }])).toEqual(["accepted"]);
});

test("[HLD-6] visitors who have gone are packed by the next checkpoint, and there is room again", async () => {
  const it = newPartition();
  let visitors = 0;
  const people = () => Array.from({ length: 1_000 }, () => ({ visitor: (visitors++).toString(16).padStart(16, "0") }));
  while ((await ask(it, people())).at(-1) === "accepted") it.now += 100;
  const full = it.partition.heldBytes;
  it.now += 10 * MINUTE_MS;
  checkpoint(it.partition);
  expect(it.partition.heldBytes).toBeLessThan(full / 2);
  expect(await ask(it, [{}])).toEqual(["accepted"]);
});

test("[HLD-6] a restart begins with the estimate of what is stored, and refuses at the same bound", async () => {
  const it = newPartition();
  await fill(it, { merchant: 1 });
  it.now += 10 * MINUTE_MS;
  checkpoint(it.partition);
  const { heldBytes } = statusOf(it.partition);
  it.restart();
  expect(it.partition.heldBytes).toBe(0);
  for (const key of it.partition.deps.store.listShelves()) findShelf(it.partition, key);
  expect(statusOf(it.partition).heldBytes).toBe(heldBytes);
  it.restart();
  await fill(it, { merchant: 1 });
  // What has left memory counts towards what its merchant may hold (HLD-9).
  const days = [...it.partition.shelves.values()].flatMap((shelf) => [...shelf.days.values()]);
  const rested = days.reduce((sum, day) => sum + day.rested.bytes, 0);
  expect(rested).toBeGreaterThan(0);
  expect(near(HELD_BYTES_MAX / 2, it.partition.heldBytes + rested)).toBe(true);
});

function newPartition(): TestPartition {
  const it = new TestPartition();
  for (let merchant = 1; merchant < 10; merchant++) it.settings.set(merchant, settingsOf("UTC", { merchant }));
  return it;
}

/** Sends a merchant's new values until one is refused. */
async function fill(it: TestPartition, { merchant, keyed = 0 }: { merchant: number; keyed?: 0 | 1 }): Promise<void> {
  for (;;) {
    const fates = await ask(
      it,
      Array.from({ length: 20 }, () => heavy({ merchant, keyed })),
    );
    if (fates.some((fate) => fate !== "accepted")) return;
  }
}

let products = 0;

function heavy(changes: Partial<Event>): Partial<Event> {
  const names = Array.from({ length: PRODUCTS_COUNT_MAX }, () => ({ name: `${products++} `.padEnd(200, "x") }));
  return { name: "purchase", products: JSON.stringify(names), ...changes };
}

/** As the collector asks. */
async function ask(it: TestPartition, changes: readonly Partial<Event>[]) {
  it.partition.lease = { change: it.partition.lease?.change ?? 0, readAt: it.now };
  const reply = await append(it.partition, arrivals(it, changes), { isRefusable: true });
  if (reply === "overloaded") throw new Error("overloaded");
  return reply;
}

function arrivals(it: TestPartition, changes: readonly Partial<Event>[]): readonly Arrival[] {
  return changes.map((change) => {
    const event = eventOf({ timestamp: it.now, receivedAt: it.now, ...change });
    return { event, address: "203.0.113.1", floating: false };
  });
}

/** Beyond a bound by one event at most. */
function near(bound: number, bytes: number): boolean {
  return bytes > bound && bytes <= bound + HEAVY_BYTES;
}
