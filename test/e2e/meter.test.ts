// What a run costs, counted by the code that does it: the meters of all three Workers against what can be counted from
// outside. Multiply the printed counts by the platform's list prices to have money.

import { afterAll, beforeAll, expect, test } from "vitest";
import { type ObjectName, parseBundleKey } from "../../core/archive/object-key.ts";
import { type Metered, OPERATIONS, sumMeters } from "../../core/meter.ts";
import { parseDate } from "../../core/time.ts";
import { daysToSort } from "../../queues/run.ts";
import type { Runtime } from "../../scripts/runtime.ts";
import { type Client, NEVER_CLOSED, SECRETS, startServices, until, untilArchived } from "../support/services.ts";

let services: { runtime: Runtime; client: Client; stop: () => Promise<void> };
beforeAll(async () => {
  services = await startServices({ ...NEVER_CLOSED, POOL_SIZE: "1", DRAIN_AFTER_MS: "1500" });
});
afterAll(() => services?.stop());

const REQUESTS = 40;
const EVENTS = 50;

test("[COST-1] every billable operation of a run is counted: requests, rows, messages, objects", async () => {
  const { client, runtime } = services;
  const merchant = await client.createMerchant();
  const before = await readMeter(client);
  for (let request = 0; request < REQUESTS; request++) {
    const events = Array.from({ length: EVENTS }, (_, index) => ({
      id: `event ${request} ${index}`,
      url: `https://shop.example/${index % 9}`,
      visitor_id: `visitor ${index}`,
      timestamp: Date.UTC(2026, 5, 1 + (request % 2), 12, index),
    }));
    const { status } = await client.send({ tracking_id: merchant.tracking_id, events });
    expect(status).toBe(202);
  }
  await untilArchived(client);
  await until(
    () => unpublished(client),
    (rollups) => rollups === 0,
  );
  const bucket = await runtime.miniflare.getR2Bucket("BUCKET", "footfall-query");
  const { objects } = await bucket.list({ prefix: "events/" });
  // A Day that is to be sorted is listed twice, its bundles and its runs, and a run is a file and its index.
  const sortings = objects.filter(({ key }) => isSortedAfter(key)).length;
  const writtenAndListed = async () => {
    const runs = await bucket.list({ prefix: "runs/" });
    return objects.length + 2 * sortings + runs.objects.length;
  };
  const { spent } = await until(
    async () => ({ spent: difference(await readMeter(client), before), expected: await writtenAndListed() }),
    ({ spent: { r2_class_a }, expected }) => r2_class_a === expected,
  );
  expect(spent.worker_requests).toBeGreaterThanOrEqual(REQUESTS);
  expect(spent.partition_requests).toBeGreaterThanOrEqual(REQUESTS);
  // At least a log row for each request sent one after the other, and far from a row for each event.
  expect(spent.partition_rows_written).toBeGreaterThanOrEqual(REQUESTS);
  expect(spent.partition_rows_written).toBeLessThan((REQUESTS * EVENTS) / 5);
  // Each bundle is written, read and deleted once; each has at most two Days here, and each Day of it is an object.
  expect(spent.queue_operations % 3).toBe(0);
  expect(spent.queue_operations / 3).toBeGreaterThanOrEqual(objects.length / 2);
  // Two Days and the hours of each: absolute rows, however many events they hold.
  expect(spent.d1_rows_written).toBeGreaterThanOrEqual(2 + 2);
  expect(spent.d1_rows_written).toBeLessThan(REQUESTS);
  const perMillion = OPERATIONS.map((name) => `${name} ${Math.round((spent[name] / (REQUESTS * EVENTS)) * 1e6)}`);
  console.log(`meter: per million events in batches of ${EVENTS}, drained every 1.5 s: ${perMillion.join(", ")}`);
});

/** Whether the Day of a bundle is asked to be sorted into runs when it lies in the archive. */
function isSortedAfter(key: string): boolean {
  const { date, partition, first } = parseBundleKey(key) as ObjectName;
  const events = [{ day: parseDate(date) as number }];
  return daysToSort({ partition, first, events }, 0).length > 0;
}

async function readMeter({ collectorUrl, queryUrl }: Client): Promise<Metered> {
  const headers = { authorization: `Bearer ${SECRETS.ADMIN_TOKEN}` };
  const urls = [`${collectorUrl}/v1/meter`, `${queryUrl}/api/v1/meter`];
  return sumMeters(
    await Promise.all(urls.map(async (url) => (await fetch(url, { headers })).json() as Promise<Metered>)),
  );
}

async function unpublished(client: Client): Promise<number> {
  const { partitions } = (await client.admin("GET", "/api/v1/partitions")) as {
    partitions: { unpublished_rollups: number }[];
  };
  return partitions.reduce((sum, row) => sum + row.unpublished_rollups, 0);
}

function difference(after: Metered, before: Metered): Metered {
  const spent = { ...after };
  for (const name of OPERATIONS) spent[name] -= before[name];
  return spent;
}
