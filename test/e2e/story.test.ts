// One story of 1,000 events (test/support/story.ts) told through every wire format, on the real runtime: the numbers
// that come out are the story's own, whoever tells it. docs/compatibility.md shows them.

import { afterAll, beforeAll, expect, test } from "vitest";
import { isObject } from "../../core/formats/field.ts";
import { isTimeZone } from "../../core/time.ts";
import type { Runtime } from "../../scripts/runtime.ts";
import { expectSection } from "../support/compatibility.ts";
import { queryArchive } from "../support/duckdb.ts";
import { type Client, type Merchant, startServices, untilArchived } from "../support/services.ts";
import { type StoryEvent, story } from "../support/story.ts";
import { type StoryRequest, TELLERS, type Teller } from "../support/teller.ts";

const SENDERS = 16;
const HOUR_MS = 3_600_000;
const NOW = Date.now();
const STORY = story(NOW);

let services: { runtime: Runtime; client: Client; stop: () => Promise<void> };
const rows: string[][] = [];
const shops = new Map<string, Merchant>();

beforeAll(async () => {
  services = await startServices();
});
afterAll(() => services?.stop());

test("[FMT-3] the story is what it says: 1,000 events of 200 visitors", () => {
  expect(STORY.length).toBe(1_000);
  expect(STORY.filter(({ kind }) => kind === "order").length).toBeGreaterThan(100);
});

test.each(TELLERS.map((teller) => [teller.format, teller] as const))(
  "[FMT-3] told through %s it gives the same totals",
  { timeout: 120_000 },
  async (format, teller) => {
    const { client } = services;
    const shop = await client.createMerchant(zoneOfDaytime());
    shops.set(format, shop);
    const told = teller.tells.events ? STORY : STORY.filter(({ kind }) => kind === "page");
    const requests = teller.tell(STORY, { ...shop, write_key: await client.createWriteKey(shop) });
    await sendAll(requests, client.collectorUrl);
    const metrics = ["visitors", "visits", "pageviews", "events", "total_revenue"];
    const { results } = await client.ask(shop, { metrics, date_range: "all" });
    const expected = expectedOf(told, teller);
    const counted = results[0]?.metrics.map((metric) => (isObject(metric) ? metric["value"] : metric));
    expect(counted).toEqual(expected);
    const pages = await client.ask(shop, { metrics: ["pageviews"], date_range: "all", dimensions: ["event:page"] });
    const viewed = pages.results.filter(({ metrics }) => metrics[0] !== 0);
    expect(Object.fromEntries(viewed.map(({ dimensions, metrics }) => [dimensions[0], metrics[0]]))).toEqual(
      pagesOf(told),
    );
    rows.push([format, String(requests.length), ...expected.map(String)]);
  },
);

test("[FMT-3] orders and products are in the archive alike, and the table of the documentation says all of it", async () => {
  const { client, runtime } = services;
  await untilArchived(client);
  const orders = STORY.flatMap(({ order }) => order ?? []);
  const sold = orders.flatMap(({ products }) => products).reduce((sum, { quantity }) => sum + quantity, 0);
  for (const [index, { format, tells }] of TELLERS.entries()) {
    const merchant = Number.parseInt(shops.get(format)?.tracking_id.slice(0, 8) ?? "", 16);
    const [row] = await queryArchive(
      runtime,
      `SELECT count(DISTINCT order_id) FILTER (order_id <> '') AS orders,
         coalesce(sum(list_sum(list_transform(from_json(nullif(products, ''), '[{"quantity":"BIGINT"}]'), p -> p.quantity))), 0) AS sold
       FROM events WHERE merchant = ${merchant} AND dropped IS NULL`,
    );
    const expected = [tells.orders ? orders.length : 0, tells.products ? sold : 0];
    expect([format, Number(row?.["orders"]), Number(row?.["sold"])]).toEqual([format, ...expected]);
    rows[index]?.push(...expected.map((count) => (count === 0 ? "–" : String(count))));
  }
  expectSection({
    title: "One story through every format",
    columns: [
      "format",
      "requests",
      "visitors",
      "visits",
      "page views",
      "events",
      "revenue, EUR",
      "orders",
      "products sold",
    ],
    rows: rows.map((row) => row.map((cell) => (cell === "0" ? "–" : cell))),
    isComplete: rows.length === TELLERS.length,
  });
});

function expectedOf(told: readonly StoryEvent[], { tells }: Teller): readonly number[] {
  const visitors = new Set(told.map(({ visitor }) => visitor.id)).size;
  const pageviews = told.filter(({ kind }) => kind === "page").length;
  const revenue = told.reduce((sum, { order }) => sum + (order?.amount ?? 0), 0);
  return [visitors, visitors, pageviews, told.length, tells.revenue ? revenue : 0];
}

function pagesOf(told: readonly StoryEvent[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind, path } of told) {
    const [page = ""] = path.split("?");
    if (kind === "page") counts[page] = (counts[page] ?? 0) + 1;
  }
  return counts;
}

/** All requests, some at a time; each must be answered as taken. */
async function sendAll(requests: readonly StoryRequest[], url: string): Promise<void> {
  let next = 0;
  const sender = async () => {
    for (let request = requests[next++]; request !== undefined; request = requests[next++]) {
      const { method, path, headers = {}, body } = request;
      const response = await fetch(url + path, { method, headers, ...(body === undefined ? {} : { body }) });
      const text = await response.text();
      expect(response.status, `${path.slice(0, 200)}: ${text.slice(0, 300)}`).toBeLessThan(300);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
}

/** A zone in which the story lies far from midnight: formats without times of their own are counted now. */
function zoneOfDaytime(): string {
  const zones = ["UTC", "Asia/Kolkata", "Asia/Tokyo", "Pacific/Auckland", "America/New_York", "America/Los_Angeles"];
  const hourIn = (zone: string) =>
    Number(new Intl.DateTimeFormat("en", { timeZone: zone, hour: "numeric", hourCycle: "h23" }).format(NOW));
  const found = zones.find((zone) => isTimeZone(zone) && hourIn(zone) >= 2 && hourIn(zone) <= 20);
  if (found === undefined) throw new Error(`no zone has daytime at ${new Date(NOW + HOUR_MS).toISOString()}`);
  return found;
}
