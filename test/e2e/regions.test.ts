// Partitions in several regions on the real runtime: a machine has one region, but the names, and everything that adds
// up what they count, are those of a deployment.

import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Runtime } from "../../scripts/runtime.ts";
import { CHROME } from "../support/events.ts";
import { type Client, NEVER_CLOSED, startServices, untilArchived } from "../support/services.ts";

let services: { runtime: Runtime; client: Client; stop: () => Promise<void> };
beforeAll(async () => {
  const REGIONS = "2026-01-01T00:00:00Z EU=weur AS=apac *=enam";
  services = await startServices({ ...NEVER_CLOSED, POOL_SIZE: "1", REGIONS });
});
afterAll(() => services?.stop());

test("[REG-3] hits are counted in the region of who sends them, once, and answers add up", async () => {
  const { client } = services;
  const merchant = await client.createMerchant("UTC");
  const hits = ["EU", "EU", "EU", "AS", "AS", "SA"].map((continent, index) => ({
    headers: { "user-agent": CHROME, "x-footfall-place": JSON.stringify({ continent, country: "AT" }) },
    body: {
      tracking_id: merchant.tracking_id,
      id: randomUUID(),
      visitor_id: `visitor ${index}`,
      timestamp: new Date().toISOString(),
      url: "https://shop.example/p",
    },
  }));
  for (const { body, headers } of hits) expect((await client.send(body, headers)).body).toMatchObject({ accepted: 1 });
  for (const { body, headers } of hits)
    expect((await client.send(body, headers)).body).toMatchObject({ accepted: 0, duplicates: 1 });
  const old = { ...hits[0]?.body, id: randomUUID(), timestamp: "2025-12-31T23:59:59Z" };
  expect((await client.send(old, hits[0]?.headers)).body).toMatchObject({ accepted: 1 });
  const { partitions } = (await client.admin("GET", "/api/v1/partitions")) as {
    readonly partitions: readonly { readonly partition: string; readonly next_position: number }[];
  };
  expect(partitions.map(({ partition, next_position }) => [partition, next_position - 1])).toEqual([
    ["pool-0", 1],
    ["pool-0-weur", 3],
    ["pool-0-apac", 2],
    ["pool-0-enam", 1],
  ]);
  const question = { metrics: ["visitors", "pageviews"], date_range: "day" };
  expect((await client.ask(merchant, question)).results).toEqual([{ metrics: [6, 6], dimensions: [] }]);
  await untilArchived(client);
  const filtered = { ...question, filters: [["is", "event:page", ["/p"]]] };
  expect((await client.ask(merchant, filtered)).results).toEqual([{ metrics: [6, 6], dimensions: [] }]);
});
