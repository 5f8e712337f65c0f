// The tracking ID stands in the page. Somebody sends events with the ids that the shop's server will give its next
// orders, so that the server's own would be duplicates; or purchases and refunds with the numbers of real orders, so
// that they outbid or take back what was sold. In every wire format that carries an id, or an order's number, what the
// shop's server says with its key holds.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { Runtime } from "../../scripts/runtime.ts";
import { CHROME } from "../support/events.ts";
import { type Client, type Merchant, startServices } from "../support/services.ts";

let services: { runtime: Runtime; client: Client; stop: () => Promise<void> };
let client: Client;
beforeAll(async () => {
  services = await startServices({ POOL_SIZE: "1" });
  client = services.client;
});
afterAll(() => services?.stop());

/** A hit as a protocol has it, of a page that knows nothing but the tracking ID. */
interface Hit {
  readonly path: string;
  /** Sent as JSON; without one the hit is a GET. */
  readonly body?: unknown;
}

/** Formats whose events carry an id of the sender's. */
const WITH_ID: Readonly<Record<string, (tracking: string, id: string) => Hit>> = {
  native: (tracking_id, id) => ({ path: "/v1/events", body: { tracking_id, id, url: "https://shop.test/" } }),
  pixel: (tracking, id) => ({ path: `/v1/pixel.gif?${new URLSearchParams({ tracking_id: tracking, id })}` }),
  segment: (writeKey, messageId) => ({
    path: "/v1/t",
    body: { type: "track", event: "Viewed", anonymousId: "a", messageId, writeKey, timestamp: new Date() },
  }),
  posthog: (api_key, uuid) => ({
    path: "/batch/",
    body: { api_key, batch: [{ uuid, event: "viewed", distinct_id: "a", properties: {}, timestamp: new Date() }] },
  }),
  snowplow: (aid, eid) => ({
    path: "/com.snowplowanalytics.snowplow/tp2",
    body: { schema: SNOWPLOW, data: [{ eid, aid, e: "pv", p: "web", url: "https://shop.test/", duid: "a" }] },
  }),
  "snowplow pixel": (aid, eid) => ({
    path: `/i?${new URLSearchParams({ aid, eid, e: "pv", p: "web", url: "https://shop.test/", duid: "a" })}`,
  }),
};
const SNOWPLOW = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4";

interface Sale {
  readonly order: string;
  readonly amount: number;
}

/** Formats that tell of an order's number and money. */
const WITH_ORDER: Readonly<Record<string, (tracking: string, sale: Sale) => Hit>> = {
  native: (tracking_id, { order, amount }) => ({
    path: "/v1/events",
    body: {
      tracking_id,
      name: "purchase",
      url: "https://shop.test/",
      order_id: order,
      revenue: { amount, currency: "EUR" },
    },
  }),
  plausible: (domain, { order, amount }) => ({
    path: "/api/event",
    body: { n: "Purchase", u: "https://shop.test/", d: domain, p: { order_id: order }, $: { amount, currency: "EUR" } },
  }),
  umami: (website, { order, amount }) => ({
    path: "/api/send",
    body: {
      type: "event",
      payload: {
        website,
        hostname: "shop.test",
        url: "/",
        name: "purchase",
        data: { revenue: amount, currency: "EUR", order_id: order },
      },
    },
  }),
  ga4: (tracking, { order, amount }) => ({
    path: `/g/collect?${new URLSearchParams({
      v: "2",
      tid: `G-${tracking}`,
      en: "purchase",
      cid: "1.2",
      dl: "https://shop.test/",
      cu: "EUR",
      "ep.transaction_id": order,
      "epn.value": String(amount),
    })}`,
    body: "",
  }),
  segment: (writeKey, { order, amount }) => ({
    path: "/v1/t",
    body: {
      type: "track",
      event: "Order Completed",
      anonymousId: "a",
      writeKey,
      timestamp: new Date(),
      properties: { order_id: order, total: amount, revenue: amount, currency: "EUR" },
    },
  }),
  posthog: (api_key, { order, amount }) => ({
    path: "/batch/",
    body: {
      api_key,
      batch: [
        {
          event: "Order Completed",
          distinct_id: "a",
          timestamp: new Date(),
          properties: { order_id: order, revenue: amount, currency: "EUR" },
        },
      ],
    },
  }),
  snowplow: (aid, { order, amount }) => ({
    path: "/com.snowplowanalytics.snowplow/tp2",
    body: {
      schema: SNOWPLOW,
      data: [{ aid, e: "tr", p: "web", duid: "a", tr_id: order, tr_tt: String(amount), tr_cu: "EUR" }],
    },
  }),
};

interface Shop extends Merchant {
  readonly write_key: string;
}

async function createShop(): Promise<Shop> {
  const merchant = await client.createMerchant();
  return { ...merchant, write_key: await client.createWriteKey(merchant) };
}

async function sendAsPage({ path, body }: Hit): Promise<void> {
  const init =
    body === undefined ? {} : { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) };
  const headers = { "user-agent": CHROME, "x-footfall-address": "198.51.100.9" };
  const response = await fetch(client.collectorUrl + path, { ...init, headers });
  await response.arrayBuffer();
  expect(response.status, path.slice(0, 60)).toBeLessThan(300);
}

function sendAsServer({ tracking_id, write_key }: Shop, event: object) {
  return client.send({ tracking_id, ...event }, { authorization: `Bearer ${write_key}` });
}

async function booksOf(shop: Shop): Promise<readonly unknown[]> {
  const { results } = await client.ask(shop, { metrics: ["events", "total_revenue"], date_range: "day" });
  const [events, revenue] = results[0]?.metrics ?? [];
  return [events, (revenue as { readonly value: number } | null)?.value ?? revenue];
}

test.each(Object.entries(WITH_ID))(
  "[DUP-1] %s: an id that a page has used before makes no order a duplicate",
  async (_, hitOf) => {
    const shop = await createShop();
    const id = "order-1000";
    await sendAsPage(hitOf(shop.tracking_id, id));
    const order = { id, name: "purchase", order_id: "1000", revenue: { amount: 250, currency: "EUR" } };
    expect((await sendAsServer(shop, order)).body).toMatchObject({ accepted: 1, duplicates: 0 });
    expect((await sendAsServer(shop, order)).body).toMatchObject({ accepted: 0, duplicates: 1 });
    expect(await booksOf(shop)).toEqual([2, 250]); // the page's event is one as well, and earns nothing
  },
);

test.each(Object.entries(WITH_ORDER))(
  "[ORD-3] %s: a page's purchase of a real order's number earns nothing, before it or after",
  async (_, hitOf) => {
    const shop = await createShop();
    await sendAsPage(hitOf(shop.tracking_id, { order: "1000", amount: 9_999 }));
    const order = { id: "a", name: "purchase", order_id: "1000", revenue: { amount: 250, currency: "EUR" } };
    expect((await sendAsServer(shop, order)).body).toMatchObject({ accepted: 1 });
    await sendAsPage(hitOf(shop.tracking_id, { order: "1000", amount: 8_888 }));
    expect(await booksOf(shop)).toEqual([3, 250]);
  },
);

test("[ORD-3] no page takes back what the shop has sold: refunds and cancellations without a key", async () => {
  const shop = await createShop();
  const order = { id: "a", name: "purchase", order_id: "1000", revenue: { amount: 250, currency: "EUR" } };
  expect((await sendAsServer(shop, order)).body).toMatchObject({ accepted: 1 });
  for (const [name, amount] of [
    ["refund", 250],
    ["refund", -250],
    ["Order Cancelled", 250],
    ["purchase", -250],
  ] as const) {
    const { tracking_id } = shop;
    const event = { tracking_id, name, url: "https://shop.test/", order_id: "1000" };
    await sendAsPage({ path: "/v1/events", body: { ...event, revenue: { amount, currency: "EUR" } } });
  }
  expect(await booksOf(shop)).toEqual([5, 250]);
});
