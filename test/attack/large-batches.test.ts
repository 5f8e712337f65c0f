// Requests of 1,000 events, as many as one address may send at once. Each took its partition 30 ms in one piece, in
// which no neighbour was answered. And 200 requests of 93 bytes, packed, each of 1,000 events that are none: all were
// let in, since each waited for one part only, and a neighbour's request of 1,000 events took 25 s beside them.

import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { REQUEST_PART_EVENTS } from "../../core/limits.ts";
import type { Fate } from "../../durable-objects/rpc.ts";
import { globalSettings, settingsOf } from "../support/events.ts";
import { TestPartition } from "../support/partition.ts";
import { startServices } from "../support/services.ts";

/** Events of one merchant, of so many visitors. */
const batch = (count: number, merchant = 1) =>
  Array.from({ length: count }, (_, at) => ({ merchant, id: `${merchant}-${at}`, visitor: `visitor ${at % 7}` }));

function opened(): TestPartition {
  const it = new TestPartition();
  it.pause = (ms) => {
    it.now += ms;
    return new Promise((resolve) => setImmediate(resolve));
  };
  it.settings.set(0, globalSettings());
  for (const merchant of [1, 2]) it.settings.set(merchant, settingsOf("UTC", { merchant }));
  return it;
}

const all = (fate: Fate, count: number) => new Array(count).fill(fate);

test("[BCK-4] a neighbour's event is taken between the parts of large requests, and answered before them", async () => {
  const it = opened();
  await it.send([{ merchant: 2, id: "first" }]);
  const answered: string[] = [];
  const large = ["a", "b", "c"].map(async (mark) => {
    const fates = await it.send(batch(1_000).map((event) => ({ ...event, id: `${mark}${event.id}` })));
    answered.push(mark);
    return fates;
  });
  await new Promise((resolve) => setImmediate(resolve));
  const before = it.partition.next - 1;
  const neighbour = it.send([{ merchant: 2, id: "second" }]);
  expect(await neighbour).toEqual(["accepted"]);
  answered.push("neighbour");
  expect(before).toBeLessThan(1 + 5 * REQUEST_PART_EVENTS);
  expect(await Promise.all(large)).toEqual([all("accepted", 1_000), all("accepted", 1_000), all("accepted", 1_000)]);
  expect(answered).toEqual(["neighbour", "a", "b", "c"]);
  expect(it.partition.next - 1).toBe(3_002);
});

test("[BCK-4] a large request that ends in the middle is sent again, and counted once", async () => {
  const it = opened();
  let turns = 0;
  it.pause = async (ms) => {
    turns += 1;
    it.now += ms;
    if (turns === 4) throw new Error("the object is gone");
  };
  await expect(it.send(batch(1_000))).rejects.toThrow("the object is gone");
  const counted = it.partition.next - 1;
  expect(counted).toBe(4 * REQUEST_PART_EVENTS);
  it.pause = async (ms) => {
    it.now += ms;
  };
  const fates = await it.send(batch(1_000));
  expect(fates).toEqual([...all("duplicate", counted), ...all("accepted", 1_000 - counted)]);
  expect(it.partition.next - 1).toBe(1_000);
  it.restart();
  expect(await it.send(batch(1_000))).toEqual(all("duplicate", 1_000));
});

test("[BCK-5] a partition takes no more large requests without keys at once than it has room for, and a keyed one", async () => {
  const it = opened();
  await it.send([
    { merchant: 1, id: "first" },
    { merchant: 2, id: "first" },
  ]);
  const outcomes = { taken: 0, overloaded: 0 };
  const strangers = Array.from({ length: 12 }, async (_, mark) => {
    const sent = it.send(batch(1_000).map((event) => ({ ...event, id: `${mark} ${event.id}` })));
    await sent.then(
      () => outcomes.taken++,
      () => outcomes.overloaded++,
    );
  });
  const keyed = it.send(batch(1_000, 2).map((event) => ({ ...event, keyed: 1 })));
  await Promise.all(strangers);
  expect(outcomes.taken).toBeGreaterThan(4);
  expect(outcomes.overloaded).toBeGreaterThan(2);
  expect(await keyed).toEqual(all("accepted", 1_000));
});

test("[BCK-5] an isolate lets in no more large requests than it can work on, and a neighbour's with a key", async () => {
  const { client, stop } = await startServices();
  try {
    const shop = await client.createMerchant();
    const neighbour = await client.createMerchant();
    const authorization = `Bearer ${await client.createWriteKey(neighbour)}`;
    const events = Array.from({ length: 1_000 }, () => 1);
    const body = new Uint8Array(gzipSync(JSON.stringify({ tracking_id: shop.tracking_id, events })));
    const statuses: number[] = [];
    const strangers = Array.from({ length: 100 }, async () => {
      const answer = await fetch(`${client.collectorUrl}/v1/events`, { method: "POST", body });
      await answer.arrayBuffer();
      statuses.push(answer.status);
      if (answer.status === 429) expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    });
    const own = Array.from({ length: 1_000 }, (_, at) => ({ id: `own ${at}`, url: "https://shop.example/" }));
    const answered = await client.send(own, { authorization });
    expect([answered.status, answered.body.accepted]).toEqual([202, 1_000]);
    await Promise.all(strangers);
    expect(statuses.filter((status) => status === 400).length).toBeGreaterThan(4);
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(20);
  } finally {
    await stop();
  }
});
