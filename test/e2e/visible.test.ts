// What a newcomer checks first: a hit that was just acknowledged is in the API, and the archive follows.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { Runtime } from "../../scripts/runtime.ts";
import { CHROME } from "../support/events.ts";
import { type Client, NEVER_CLOSED, startServices, until, untilArchived } from "../support/services.ts";

let services: { runtime: Runtime; client: Client; stop: () => Promise<void> };
beforeAll(async () => {
  services = await startServices(NEVER_CLOSED);
});
afterAll(() => services?.stop());

test("[E2E-4] a hit is visible in the API within 5 s", async () => {
  const { client } = services;
  const merchant = await client.createMerchant("Asia/Kolkata");
  const { status } = await client.send({ tracking_id: merchant.tracking_id, url: "https://shop.example/first" });
  expect(status).toBe(202);
  const answer = await until(
    () => client.ask(merchant, { metrics: ["pageviews", "visitors"], date_range: "day", dimensions: ["event:page"] }),
    ({ results }) => results.length > 0,
    5_000,
  );
  expect(answer.results).toEqual([{ metrics: [1, 1], dimensions: ["/first"] }]);
});

test("[E2E-5] place, agent, campaign and revenue of a hit come out as dimensions and metrics", async () => {
  const { client } = services;
  const merchant = await client.createMerchant("UTC", "USD");
  const headers = {
    "user-agent": CHROME,
    "x-footfall-address": "203.0.113.7",
    "x-footfall-place": JSON.stringify({ country: "AT", region: "Vienna", city: "Vienna" }),
  };
  const url = "https://shop.example/thanks?utm_source=newsletter&utm_medium=email";
  const revenue = { amount: 19.99, currency: "USD" };
  const { body } = await client.send({ tracking_id: merchant.tracking_id, name: "purchase", url, revenue }, headers);
  expect(body).toEqual({ accepted: 1, duplicates: 0, dropped: [], rejected: [] });
  const expected = {
    "visit:country": "AT",
    "visit:city": "Vienna",
    "visit:browser": "Chrome",
    "visit:os": "Windows",
    "visit:device": "Desktop",
    "visit:source": "newsletter",
    "visit:channel": "Email",
    "event:name": "purchase",
  };
  for (const [dimension, value] of Object.entries(expected)) {
    const answer = await client.ask(merchant, {
      metrics: ["visitors", "total_revenue"],
      date_range: "day",
      dimensions: [dimension],
    });
    expect(answer.results).toMatchObject([{ dimensions: [value], metrics: [1, { value: 19.99, currency: "USD" }] }]);
  }
});

test("[E2E-6] the pixel counts a page view and answers with an image", async () => {
  const { client } = services;
  const merchant = await client.createMerchant();
  const page = encodeURIComponent("https://shop.example/no-script");
  const path = `/v1/pixel.gif?tracking_id=${merchant.tracking_id}&url=${page}`;
  const headers = { "user-agent": CHROME };
  expect((await fetch(client.collectorUrl + path, { method: "HEAD", headers })).status).toBe(200); // counts nothing
  const response = await fetch(client.collectorUrl + path, { headers });
  expect(response.headers.get("content-type")).toBe("image/gif");
  expect((await response.arrayBuffer()).byteLength).toBe(43);
  const { results } = await client.ask(merchant, {
    metrics: ["pageviews"],
    date_range: "day",
    dimensions: ["event:page"],
  });
  expect(results).toEqual([{ metrics: [1], dimensions: ["/no-script"] }]);
  const refused = await fetch(`${client.collectorUrl}/v1/pixel.gif?tracking_id=nonsense`);
  expect([refused.status, ((await refused.json()) as { rejected: unknown[] }).rejected.length]).toEqual([400, 1]);
});

test("[E2E-7] any page may send: CORS answers name the origin, beacons need no preflight", async () => {
  const { client } = services;
  const merchant = await client.createMerchant();
  const preflight = await fetch(`${client.collectorUrl}/v1/events`, {
    method: "OPTIONS",
    headers: {
      origin: "https://shop.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": "content-type",
    },
  });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get("access-control-allow-origin")).toBe("https://shop.example");
  expect(preflight.headers.get("access-control-allow-headers")).toBe("content-type");
  const beacon = await fetch(`${client.collectorUrl}/v1/events`, {
    method: "POST",
    headers: { origin: "https://shop.example", "content-type": "text/plain;charset=UTF-8" },
    body: JSON.stringify({ tracking_id: merchant.tracking_id, url: "https://shop.example/" }),
  });
  expect([beacon.status, beacon.headers.get("access-control-allow-origin")]).toEqual([202, "https://shop.example"]);
});

test("[E2E-8] closed hours reach D1 and the same numbers come out before, while and after they do", async () => {
  const { client } = services;
  const merchant = await client.createMerchant("Europe/London");
  const start = Date.UTC(2026, 9, 24, 22);
  const events = Array.from({ length: 200 }, (_, index) => ({
    id: `old ${index}`,
    visitor_id: `visitor ${index % 7}`,
    url: `https://shop.example/${index % 3}`,
    timestamp: start + index * 400_000,
  }));
  await client.send({ tracking_id: merchant.tracking_id, events });
  const question = { metrics: ["visitors", "visits", "pageviews"], date_range: ["2026-10-24", "2026-10-26"] };
  const hours = { ...question, dimensions: ["time:hour"] };
  const before = [(await client.ask(merchant, question)).results, (await client.ask(merchant, hours)).results];
  await until(
    async () => {
      const { partitions } = (await client.admin("GET", "/api/v1/partitions")) as {
        partitions: { unpublished_rollups: number }[];
      };
      expect([(await client.ask(merchant, question)).results, (await client.ask(merchant, hours)).results]).toEqual(
        before,
      );
      return partitions.reduce((sum, row) => sum + row.unpublished_rollups, 0);
    },
    (unpublished) => unpublished <= 8, // the open Day and Hour of the merchants of the tests above
  );
  expect([(await client.ask(merchant, question)).results, (await client.ask(merchant, hours)).results]).toEqual(before);
  await untilArchived(client);
});
