// An import tells when its events were received, perhaps years ago, and whoever has a key of scope write may tell that.
// Nobody is to be paged for it, and no neighbour's answers are to be called old.

import { expect, test } from "vitest";
import { noteOf } from "../../core/overflow.ts";
import { DAY_MS } from "../../core/time.ts";
import { tick } from "../../durable-objects/duties.ts";
import { statusOf } from "../../durable-objects/status.ts";
import { eventOf } from "../support/events.ts";
import { TestPartition } from "../support/partition.ts";

const OLD = Date.UTC(2001, 0, 1);
const imported = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ id: `old ${at}`, importNumber: 777, receivedAt: OLD }));

test("[WCH-1] an event that says it was received in 2001 waits since it came", async () => {
  const it = new TestPartition();
  const came = it.now;
  await it.send(imported(1));
  expect(statusOf(it.partition).unarchivedSince).toBe(came);
  it.now += 10 * 60_000;
  await tick(it.partition); // cuts a bundle, which nobody confirms
  const cut = it.now;
  expect(it.sent).toHaveLength(1);
  it.now += DAY_MS;
  expect(statusOf(it.partition).unarchivedSince).toBe(cut);
  it.restart();
  expect(statusOf(it.partition).unarchivedSince).toBe(it.now);
});

test("[WCH-1] an event beside an import's waits since it was received, whatever the import says", async () => {
  const it = new TestPartition();
  const came = it.now;
  await it.send([...imported(3), { id: "own" }]);
  it.now += DAY_MS;
  expect(statusOf(it.partition).unarchivedSince).toBe(came);
});

test("[OVF-8] a message with an import's event waits since it is sent, and a live event's since that was received", () => {
  const now = Date.UTC(2026, 10, 29);
  const arrivalOf = (changes: Parameters<typeof eventOf>[0]) => {
    return { event: eventOf(changes), address: "203.0.113.1", floating: false };
  };
  const old = arrivalOf({ merchant: 1, importNumber: 777, receivedAt: OLD });
  const own = arrivalOf({ merchant: 2, receivedAt: now - 40 });
  const noteFor = (...arrivals: (typeof old)[]) =>
    noteOf({ id: "one", parts: [{ partition: "pool-0", arrivals }] }, now);
  expect(noteFor(old)).toEqual({ id: "one", merchants: [1], since: now });
  expect(noteFor(old, own)).toEqual({ id: "one", merchants: [1, 2], since: now - 40 });
});
