// One merchant floods a pool partition with twenty times what all its neighbours send together. Their acknowledgements
// may get slower by a stated factor and no more, nobody is refused, and every event of everybody is counted once.

import { afterAll, beforeAll, expect, test } from "vitest";
import { FLOOD_SLOWDOWN_MAX, LARGE_REQUEST_EVENTS } from "../../core/limits.ts";
import type { Runtime } from "../../scripts/runtime.ts";
import { measureFlood, percentile } from "../support/flood.ts";
import { type Client, type Merchant, startServices, until } from "../support/services.ts";

const QUIET = 5;
const FLOOD_TIMES = 20;
/** What a quiet merchant sends in this test: a hit every 50 ms, its pause and its answer together. */
const QUIET_EVENTS_PER_SECOND = 20;
/** Below this a wait is the noise of a machine that does something else as well. */
const NOISE_MS = 10;

let services: { runtime: Runtime; client: Client; stop: () => Promise<void> };
beforeAll(async () => {
  services = await startServices({ POOL_SIZE: "1" });
});
afterAll(() => services?.stop());

test(`[BCK-1] a flood of ${FLOOD_TIMES} times the pool's load slows its neighbours by a bounded factor`, async () => {
  const { client } = services;
  const merchants = await Promise.all(Array.from({ length: QUIET + 1 }, () => client.createMerchant()));
  const [flooder, ...quiet] = merchants as [Merchant, ...Merchant[]];
  const floodEventsPerSecond = FLOOD_TIMES * QUIET * QUIET_EVENTS_PER_SECOND;
  const plan = { quiet, flooder, rounds: 3, phaseMs: 1_200, floodEventsPerSecond, batchEvents: 100 };
  const { calmMs, floodedMs, floodEvents, quietEvents, refused } = await measureFlood(client, plan);
  const [calm, flooded] = [percentile(calmMs, 0.5), percentile(floodedMs, 0.5)];
  console.log(
    `flood: ${floodEventsPerSecond} events/s beside ${QUIET} quiet merchants; their median wait ` +
      `${calm.toFixed(1)} ms calm, ${flooded.toFixed(1)} ms flooded (${calmMs.length} and ${floodedMs.length} hits)`,
  );
  expect(refused).toEqual([]);
  expect(flooded).toBeLessThan(FLOOD_SLOWDOWN_MAX * Math.max(calm, NOISE_MS));
  const expected = new Map([...quietEvents, [flooder, floodEvents]]);
  for (const [merchant, events] of expected) await untilCounted(client, merchant, events);
});

test("[BCK-2] what one merchant sends beyond its share overflows, is answered 2xx, and is counted once", async () => {
  const { client } = services;
  const [greedy, neighbour] = [await client.createMerchant(), await client.createMerchant()];
  await client.send({ tracking_id: greedy.tracking_id, id: "first", url: "https://shop.example/" });
  const batches = Array.from({ length: 300 }, (_, batch) => batchOf(greedy, batch));
  const [hit, ...answers] = await Promise.all([
    client.send({ tracking_id: neighbour.tracking_id, url: "https://shop.example/" }),
    ...batches.map((batch) => client.send(batch)),
    ...batches.slice(0, 50).map((batch) => client.send(batch)), // a client that did not wait long enough
  ]);
  expect(hit).toMatchObject({ status: 202, body: { accepted: 1 } });
  for (const { status, body } of answers) expect([status, body.rejected]).toEqual([202, []]);
  await untilCounted(client, greedy, 1 + 30_000);
  await untilCounted(client, neighbour, 1);
});

/** As many events as a request has that is no large one: those take turns before they come to a partition (BCK-5). */
function batchOf(merchant: Merchant, batch: number): string {
  const events = Array.from({ length: LARGE_REQUEST_EVENTS }, (_, index) => ({
    id: `greedy ${batch} ${index}`,
    url: "https://shop.example/",
    visitor_id: `visitor ${index}`,
  }));
  return JSON.stringify({ tracking_id: merchant.tracking_id, events });
}

async function untilCounted(client: Client, merchant: Merchant, events: number): Promise<void> {
  const question = { metrics: ["events"], date_range: "all" };
  await until(
    async () => (await client.ask(merchant, question)).results[0]?.metrics[0],
    (counted) => counted === events,
    30_000,
  );
  await new Promise((settle) => setTimeout(settle, 300)); // nothing may come after it
  expect((await client.ask(merchant, question)).results[0]?.metrics[0]).toBe(events);
}
