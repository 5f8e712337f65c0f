// Other people's readers against the running Workers: Umami's own API client unmodified, and the Grafana query of
// docs/grafana.md as it stands. What they read is what our own API says.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { UmamiApiError, UmamiClient } from "@umami/api-client";
import { parse } from "csv-parse/sync";
import { afterAll, beforeAll, expect, test } from "vitest";
import { HOUR_MS } from "../../core/time.ts";
import type { Runtime } from "../../scripts/runtime.ts";
import { CHROME } from "../support/events.ts";
import { type Client, type Merchant, NEVER_CLOSED, startServices } from "../support/services.ts";

let services: { runtime: Runtime; client: Client; stop: () => Promise<void> };
let shop: Merchant;
let umami: UmamiClient;
/** Two Days that are over, at Kolkata's half past. */
const ZONE = "Asia/Kolkata";
const START = Date.parse("2026-03-10T00:00:00+05:30");
const range = { startAt: START, endAt: START + 48 * HOUR_MS - 1 };

beforeAll(async () => {
  services = await startServices(NEVER_CLOSED);
  const { client } = services;
  shop = await client.createMerchant(ZONE);
  umami = new UmamiClient({ baseUrl: `${client.queryUrl}/api`, token: shop.api_key });
  const visit = (day: number, visitor: number) => {
    const base = {
      tracking_id: shop.tracking_id,
      visitor_id: `v${visitor}`,
      user_agent: CHROME,
      referrer: visitor % 2 === 0 ? "https://www.google.com/" : "",
    };
    const at = START + day * 24 * HOUR_MS + (9 + visitor) * HOUR_MS;
    const page = { ...base, url: "https://shop.example/", timestamp: at };
    if (visitor % 3 === 0) return [page];
    return [
      page,
      { ...base, url: "https://shop.example/cart", timestamp: at + 60_000 },
      { ...base, name: "Signup", url: "https://shop.example/cart", timestamp: at + 90_000 },
    ];
  };
  const events = [-1, 0, 1].flatMap((day) =>
    [0, 1, 2, 3, 4, 5].slice(0, 4 + day).flatMap((visitor) => visit(day, visitor)),
  );
  expect((await client.send(events)).body.accepted).toBe(events.length);
});
afterAll(() => services?.stop());

async function asked(question: Record<string, unknown>) {
  const date_range = ["2026-03-10", "2026-03-11"];
  return (await services.client.ask(shop, { date_range, ...question })).results;
}

test("[UMR-1] stats are the totals of our own API, with those of the period before", async () => {
  const stats = await umami.getWebsiteStats({ websiteId: shop.tracking_id, ...range });
  const [all] = await asked({ metrics: ["pageviews", "visitors", "visits", "bounces", "total_duration"] });
  const { comparison, ...totals } = stats;
  expect(Object.values(totals)).toEqual(all?.metrics);
  expect(totals).toEqual({ pageviews: 14, visitors: 5, visits: 9, bounces: 4, totaltime: 450 });
  expect(comparison).toEqual({ pageviews: 5, visitors: 3, visits: 3, bounces: 1, totaltime: 180 });
  const yearBefore = await umami.getWebsiteStats({ websiteId: shop.tracking_id, ...range, compare: "yoy" });
  expect(yearBefore.comparison.pageviews).toBe(0);
});

test("[UMR-1] page views by time, in the merchant's Days and Hours", async () => {
  const series = await umami.getWebsitePageviews({ websiteId: shop.id, ...range, unit: "day", timezone: ZONE });
  expect(series).toEqual({
    pageviews: [
      { x: "2026-03-10 00:00:00", y: 6 },
      { x: "2026-03-11 00:00:00", y: 8 },
    ],
    sessions: [
      { x: "2026-03-10 00:00:00", y: 4 },
      { x: "2026-03-11 00:00:00", y: 5 },
    ],
  });
  const hours = await umami.getWebsitePageviews({
    websiteId: shop.id,
    startAt: START,
    endAt: START + 10 * HOUR_MS,
    unit: "hour",
  });
  expect(hours.pageviews).toEqual([{ x: "2026-03-10 09:00:00", y: 1 }]);
  const month = await umami.getWebsitePageviews({ websiteId: shop.id, ...range, unit: "month", compare: "prev" });
  expect(month.pageviews).toEqual([{ x: "2026-03-01 00:00:00", y: 14 }]);
  expect(month.compare?.pageviews[0]?.y).toBe(5);
});

test("[UMR-1] metrics rank by visitors, in pages, and with filters", async () => {
  const read = (parameters: object) =>
    umami.getWebsiteMetrics({ websiteId: shop.id, ...range, type: "path", ...parameters });
  expect(await read({})).toEqual([
    { x: "/", y: 5 },
    { x: "/cart", y: 3 },
  ]);
  expect(await read({ limit: 1, offset: 1 })).toEqual([{ x: "/cart", y: 3 }]);
  expect(await read({ type: "event" })).toEqual([{ x: "Signup", y: 3 }]);
  expect(await read({ type: "browser" })).toEqual([{ x: "Chrome", y: 5 }]);
  expect(await read({ type: "path", referrer: "https://www.google.com/" })).toEqual(
    (
      await asked({
        metrics: ["visitors"],
        dimensions: ["event:page"],
        filters: [["is", "visit:referrer", ["https://www.google.com/"]]],
      })
    ).map(({ dimensions: [x], metrics: [y] }) => ({ x, y })),
  );
});

test("[UMR-1] who is there now", async () => {
  const { client } = services;
  expect(await umami.getWebsiteActive({ websiteId: shop.id })).toEqual({ visitors: 0 });
  await client.send({ tracking_id: shop.tracking_id, visitor_id: "now", user_agent: CHROME });
  expect(await umami.getWebsiteActive({ websiteId: shop.id })).toEqual({ visitors: 1 });
});

test("[UMR-2] what is not available is refused by name, and a wrong key in Umami's shape", async () => {
  const refused = async (client: UmamiClient, parameters: object) => {
    const error = await client
      .getWebsiteStats({ websiteId: shop.id, ...range, ...parameters })
      .catch((reason) => reason);
    expect(error).toBeInstanceOf(UmamiApiError);
    return [error.status, error.code, error.message];
  };
  expect(await refused(umami, { title: "x" })).toEqual([
    400,
    "bad-request",
    expect.stringContaining("title is not available"),
  ]);
  expect(await refused(umami, { endAt: 5 })).toEqual([400, "bad-request", "endAt must not be before startAt"]);
  expect(await refused(umami, { startAt: undefined })).toEqual([
    400,
    "bad-request",
    expect.stringContaining("startAt"),
  ]);
  const neighbour = await services.client.createMerchant();
  const wrong = umami.withToken(neighbour.api_key);
  expect(await refused(wrong, {})).toEqual([
    401,
    "unauthorized",
    expect.stringContaining("Invalid API key or site ID"),
  ]);
  expect(await refused(umami.withToken("nonsense"), {})).toEqual([401, "unauthorized", expect.any(String)]);
});

test("[UMR-3] the Grafana query of docs/grafana.md, sent as the plugin sends it", async () => {
  const doc = readFileSync(join(import.meta.dirname, "../../docs/grafana.md"), "utf8");
  const query = JSON.parse(/```json\n(\{.*?\n\})\n```/s.exec(doc)?.[1] ?? "") as {
    url: string;
    url_options: { method: string; data: string; body_content_type: string };
    root_selector: string;
    columns: readonly { selector: string; text: string }[];
  };
  const { client } = services;
  const url = query.url.replace("https://footfall-query.example.workers.dev", client.queryUrl);
  const data = query.url_options.data.replace("shop.example", shop.tracking_id);
  const send = (body: string, suffix = "") =>
    fetch(url + suffix, {
      method: query.url_options.method,
      headers: { authorization: `Bearer ${shop.api_key}`, "content-type": query.url_options.body_content_type },
      body,
    });
  const select = (value: unknown, selector: string) =>
    selector.split(".").reduce((inner, key) => (inner as Record<string, unknown>)[key], value);
  const table = async (body: string) => {
    const rows = select(await (await send(body)).json(), query.root_selector) as readonly unknown[];
    return rows.map((row) => query.columns.map(({ selector }) => select(row, selector)));
  };
  expect(await table(data)).toEqual([]); // the last thirty Days: what is here is older
  const asked = data.replace('"30d"', '["2026-03-10","2026-03-11"]');
  expect(await table(asked)).toEqual([
    ["2026-03-10", 4, 6],
    ["2026-03-11", 5, 8],
  ]);
  const csv = await send(asked, "?format=csv");
  expect(csv.headers.get("content-type")).toContain("text/csv");
  expect(parse(await csv.text(), { columns: true })).toEqual([
    { "time:day": "2026-03-10", visitors: "4", pageviews: "6" },
    { "time:day": "2026-03-11", visitors: "5", pageviews: "8" },
  ]);
});

test("[EXP-7] Accept: text/csv asks for CSV of questions and reports; a refusal stays JSON", async () => {
  const ask = async (path: string, body: object) => {
    const response = await fetch(services.client.queryUrl + path, {
      method: "POST",
      headers: { authorization: `Bearer ${shop.api_key}`, accept: "text/csv" },
      body: JSON.stringify({ site_id: shop.id, ...body }),
    });
    return [response.status, response.headers.get("content-type")?.split(";")[0], await response.text()];
  };
  const date_range = ["2026-03-10", "2026-03-11"];
  expect(await ask("/api/v2/query", { metrics: ["pageviews"], date_range })).toEqual([
    200,
    "text/csv",
    "pageviews\r\n14\r\n",
  ]);
  expect((await ask("/api/v2/paths", { date_range, limit: 1 }))[2]).toMatch(/^pages,visits\r\n.* > .*\r\n$/);
  expect((await ask("/api/v2/query", { metrics: ["nonsense"], date_range })).slice(0, 2)).toEqual([
    400,
    "application/json",
  ]);
});
