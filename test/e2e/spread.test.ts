// A merchant is given partitions of its own while hits come in: on the real runtime, nothing is restarted, and every
// hit is counted once, also the ones that are sent again.

import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Runtime } from "../../scripts/runtime.ts";
import { CHROME } from "../support/events.ts";
import { type Client, type Merchant, NEVER_CLOSED, startServices, until, untilArchived } from "../support/services.ts";

let services: { runtime: Runtime; client: Client; stop: () => Promise<void> };
beforeAll(async () => {
  services = await startServices({ ...NEVER_CLOSED, POOL_SIZE: "1", RULES_NOTICE_MS: "1500" });
});
afterAll(() => services?.stop());

interface Placed {
  readonly partitions: readonly { readonly partition: string; readonly next_position: number }[];
}

test("[SPR-6] the collector learns where a merchant's events go without being told, and questions add up both sides", async () => {
  const { client } = services;
  const merchant = await client.createMerchant("UTC");
  const before = await send(merchant, 30);
  const path = `/api/v1/merchants/${merchant.id}/spread`;
  const spread = (await client.admin("POST", path, { partitions: 3, from: "soon" })) as {
    readonly timeline: readonly { readonly from: string; readonly partitions: number }[];
  };
  expect(spread).toMatchObject({ partitions: 0, timeline: [{ partitions: 3 }] });
  const from = Date.parse(spread.timeline[0]?.from as string);
  const meanwhile = await send(merchant, 10);
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, from - Date.now()) + 20));
  const after = await send(merchant, 60);
  const { partitions } = (await client.admin("GET", "/api/v1/partitions")) as Placed;
  const counted = new Map(partitions.map(({ partition, next_position }) => [partition, next_position - 1]));
  expect([...counted.keys()].slice(-3).map((name) => name.replace(/\d+(?=-\d$)/, "m"))).toEqual(
    [0, 1, 2].map((index) => `merchant-m-${index}`),
  );
  const own = [...counted].filter(([name]) => name.startsWith("merchant-")).map(([, count]) => count);
  expect(own.reduce((sum, count) => sum + count, 0)).toBe(60);
  expect(Math.min(...own)).toBeGreaterThan(5);
  expect(counted.get("pool-0")).toBe(40);

  // Everybody resends what they sent: it goes to where it was counted.
  for (const body of [...before, ...meanwhile, ...after]) {
    const { body: report } = await client.send(body, { "user-agent": CHROME });
    expect(report).toMatchObject({ accepted: 0, duplicates: 1 });
  }
  const question = { metrics: ["pageviews", "visitors", "visits"], date_range: "all" };
  const answer = await client.ask(merchant, question);
  expect(answer.results).toEqual([{ metrics: [100, 100, 100], dimensions: [] }]);
  await untilArchived(client);
  const { results } = await client.ask(merchant, { ...question, filters: [["contains", "event:page", ["/p"]]] });
  expect(results).toEqual(answer.results);
  await until(
    () => client.admin("GET", path) as Promise<{ partitions: number }>,
    (shown) => shown.partitions === 3,
    5_000,
  );
});

/** Hits of so many visitors, each accepted. */
async function send(merchant: Merchant, visitors: number): Promise<readonly Record<string, unknown>[]> {
  const hits: Record<string, unknown>[] = [];
  for (let visitor = 0; visitor < visitors; visitor++) {
    const id = randomUUID();
    const hit = {
      tracking_id: merchant.tracking_id,
      id,
      visitor_id: id,
      timestamp: new Date().toISOString(),
      url: `https://shop.example/p${visitor % 3}`,
    };
    const { body } = await services.client.send(hit, { "user-agent": CHROME });
    expect(body).toEqual({ accepted: 1, duplicates: 0, dropped: [], rejected: [] });
    hits.push(hit);
  }
  return hits;
}
