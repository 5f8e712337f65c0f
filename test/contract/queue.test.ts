// What consumers rely on of a queue, tried on workerd's queues and on the simulation's.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { SimulatedQueue } from "../simulation/queue.ts";
import { World } from "../simulation/world.ts";
import type { BundledWorker } from "../support/bundled-worker.ts";
import { until } from "../support/services.ts";
import { startPlatform } from "./platform.ts";
import { type Delivery, deliver, isDelivered, type PlannedMessage } from "./queue-plan.ts";

const MESSAGES: readonly PlannedMessage[] = [
  { name: "at once", retries: [] },
  { name: "once more", retries: [1] },
  { name: "neighbour", retries: [] },
  { name: "twice more", retries: [0, 1] },
  { name: "last", retries: [] },
];

let platform: BundledWorker;
beforeAll(async () => {
  platform = await startPlatform();
}, 60_000);
afterAll(() => platform?.stop());

async function simulate(): Promise<readonly Delivery[]> {
  const world = new World(7, Date.UTC(2026, 2, 10), { failure: 0, crash: 0, repeat: 0 });
  const deliveries: Delivery[] = [];
  const queue = new SimulatedQueue("contract", world, async (batch) => deliver(batch, world.now, deliveries));
  for (const message of MESSAGES) queue.send(new TextEncoder().encode(JSON.stringify(message)));
  await world.runUntil(world.now + 3_600_000);
  expect(queue.size).toBe(0);
  return deliveries;
}

async function run(): Promise<readonly Delivery[]> {
  await fetch(new URL("/send", platform.address), { method: "POST", body: JSON.stringify(MESSAGES) });
  const deliveries = async (): Promise<readonly Delivery[]> =>
    await (await fetch(new URL("/deliveries", platform.address))).json();
  return await until(deliveries, (so) => isDelivered(MESSAGES, so));
}

describe.each([
  ["the simulation's queue in its place", simulate],
  ["a queue of workerd", run],
])("%s", (_, deliveriesOf) => {
  let deliveries: readonly Delivery[] = [];
  const of = (name: string) => deliveries.filter((delivery) => delivery.name === name);
  beforeEach(async () => {
    if (deliveries.length === 0) deliveries = await deliveriesOf();
  });

  test("[CTR-12] a message comes until it is acknowledged, whole each time, under one id", () => {
    for (const { name, retries } of MESSAGES) {
      expect(of(name)).toHaveLength(retries.length + 1);
      expect(new Set(of(name).map(({ id }) => id)).size).toBe(1);
    }
  });

  test("[CTR-12] attempts count deliveries, this one included", () => {
    expect(of("twice more").map(({ attempts }) => attempts)).toEqual([1, 2, 3]);
  });

  test("[CTR-12] one that asked for time comes after it, and not before", () => {
    const [first, second] = of("once more");
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(1_000);
  });

  test("[CTR-12] a batch has several messages where several wait, and no more than are there", () => {
    for (const { together } of deliveries) expect(together).toBeLessThanOrEqual(MESSAGES.length);
  });
});
