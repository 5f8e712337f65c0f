// The Worker of docs/connectors.md for the webhooks of shops, in workerd, between signed deliveries as Shopify and
// WooCommerce send them and the running collector.

import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Runtime } from "../../scripts/runtime.ts";
import {
  blocksOfPage,
  CONNECTORS,
  SHOP_SECRET,
  shopifyOrder,
  startWebhookWorker,
  type WebhookWorker,
} from "../support/connectors.ts";
import { CHROME } from "../support/events.ts";
import { type Client, type Merchant, startServices, until } from "../support/services.ts";

let services: { runtime: Runtime; client: Client; stop: () => Promise<void> };
let client: Client;
const workers: WebhookWorker[] = [];
beforeAll(async () => {
  services = await startServices({ POOL_SIZE: "1", LATE_COALESCE_MS: "100" });
  client = services.client;
});
afterAll(async () => {
  for (const worker of workers) await worker.stop();
  await services?.stop();
});

test("[CON-1] each block of code of docs/connectors.md is one that tests run", () => {
  expect(blocksOfPage().map(({ heading, language }) => [heading, language])).toEqual(
    CONNECTORS.map(([, heading, language]) => [heading, language]),
  );
});

const PHP = spawnSync("php", ["--version"]).status === 0;
test.skipIf(!PHP)("[CON-1] PHP, where there is one, finds each block of PHP well-formed", () => {
  for (const { heading, code } of blocksOfPage().filter(({ language }) => language === "php")) {
    const input = code.startsWith("<") ? code : `<?php\n${code}`;
    const { status, stdout } = spawnSync("php", ["-l"], { input, encoding: "utf8" });
    expect([heading, status, stdout]).toEqual([heading, 0, expect.any(String)]);
  }
});

describe("Shopify", () => {
  test("[CON-4] an order counts once however often it is delivered, with its money and products", async () => {
    const { shop, worker } = await createShop();
    const client_details = { browser_ip: "203.0.113.7", user_agent: CHROME };
    for (let times = 0; times < 3; times++)
      expect(await worker.shopify("orders/create", shopifyOrder({ client_details }))).toMatchObject({ status: 200 });
    expect(await countsOf(shop)).toEqual({ events: 1, visitors: 1, orders: 1, refunds: 0, gross: 59.8, total: 59.8 });
    expect(await rowsOf(shop, "event:product", ["product_revenue", "units"])).toEqual([["Mat", 59.8, 2]]);
    expect(await rowsOf(shop, "visit:utm_source", ["orders"])).toEqual([["landing", 1]]);
  });

  test("[CON-4] a refund takes off its money; one of goods without money takes off nothing", async () => {
    const { shop, worker } = await createShop();
    await worker.shopify("orders/create", shopifyOrder());
    const refund = {
      id: 801,
      order_id: 5210499102,
      created_at: new Date().toISOString(),
      refund_line_items: [
        { quantity: 1, line_item: { product_id: 632910392, sku: "MAT-1", title: "Mat", price: "29.90" } },
      ],
      transactions: [
        { kind: "refund", status: "success", amount: "20.00", currency: "EUR" },
        { kind: "refund", status: "pending", amount: "9.90", currency: "EUR" },
        { kind: "refund", status: "failure", amount: "29.90", currency: "EUR" },
        { kind: "void", status: "success", amount: "59.80", currency: "EUR" },
      ],
    };
    expect(await worker.shopify("refunds/create", refund)).toMatchObject({ status: 200 });
    await worker.shopify("refunds/create", refund);
    const restocked = await worker.shopify("refunds/create", { ...refund, id: 802, transactions: [] });
    expect(restocked).toEqual({ status: 200, text: "nothing to count" });
    expect(await countsOf(shop)).toMatchObject({ events: 2, orders: 1, refunds: 1, gross: 59.8, total: 29.9 });
    expect(await rowsOf(shop, "event:product", ["units"])).toEqual([["Mat", 1]]);
  });

  test("[CON-4] an order that is cancelled on its Day earns nothing, and its refund takes nothing", async () => {
    const { shop, worker } = await createShop();
    const cancelled = shopifyOrder({ cancelled_at: new Date().toISOString(), financial_status: "refunded" });
    await worker.shopify("orders/cancelled", cancelled); // before the order itself
    await worker.shopify("orders/create", shopifyOrder());
    await worker.shopify("refunds/create", {
      id: 801,
      order_id: 5210499102,
      created_at: new Date().toISOString(),
      refund_line_items: [],
      transactions: [{ kind: "refund", status: "success", amount: "59.80", currency: "EUR" }],
    });
    expect(await countsOf(shop)).toMatchObject({ events: 3, orders: 0, total: 0 });
  });

  test("[CON-4] cancelled on a later Day: what was paid is taken off by its refund, what was not by itself", async () => {
    const { shop, worker } = await createShop();
    const created_at = new Date(Date.now() - 30 * 3_600_000).toISOString();
    const cancelled_at = new Date().toISOString();
    for (const [id, financial_status] of [
      [1, "paid"],
      [2, "voided"],
    ] as const) {
      await worker.shopify("orders/create", shopifyOrder({ id, created_at }));
      await worker.shopify("orders/cancelled", shopifyOrder({ id, created_at, cancelled_at, financial_status }));
    }
    await worker.shopify("refunds/create", {
      id: 801,
      order_id: 1,
      created_at: cancelled_at,
      refund_line_items: [],
      transactions: [{ kind: "refund", status: "success", amount: "59.80", currency: "EUR" }],
    });
    const found = await until(
      () => countsOf(shop),
      ({ events }) => events === 5,
    );
    expect(found).toMatchObject({ orders: 2, refunds: 2, gross: 119.6, total: 0 });
  });

  test("[CON-4] orders of a till, test orders and other topics", async () => {
    const { shop, worker } = await createShop();
    const till = { landing_site: null, referring_site: null, client_details: { browser_ip: null, user_agent: null } };
    for (const id of [1, 2]) await worker.shopify("orders/create", shopifyOrder({ ...till, id }));
    expect((await worker.shopify("orders/create", shopifyOrder({ id: 3, test: true }))).text).toBe("nothing to count");
    expect((await worker.shopify("orders/updated", shopifyOrder({ id: 4 }))).text).toBe("nothing to count");
    expect(await countsOf(shop)).toMatchObject({ events: 2, visitors: 2, orders: 2, total: 119.6 });
  });
});

describe("WooCommerce", () => {
  test("[CON-4] an order counts when it is paid, once for all its updates, less its refunds", async () => {
    const { shop, worker } = await createShop();
    expect(await worker.deliver("webhook_id=7")).toEqual({ status: 200, text: "ready" });
    expect((await worker.woo(wooOrder({ status: "pending" }))).text).toBe("nothing to count");
    expect(await worker.woo(wooOrder({ status: "processing" }))).toMatchObject({ status: 200 });
    await worker.woo(wooOrder({ status: "completed" }));
    expect(await countsOf(shop)).toMatchObject({ events: 1, orders: 1, refunds: 0, total: 37 });
    expect(await rowsOf(shop, "visit:utm_source", ["orders"])).toEqual([["woo", 1]]);
    const refunds = [{ id: 18, reason: "", total: "-12.00" }];
    await worker.woo(wooOrder({ status: "completed", refunds }));
    await worker.woo(wooOrder({ status: "completed", refunds }));
    expect(await countsOf(shop)).toMatchObject({ events: 2, orders: 1, refunds: 1, gross: 37, total: 25 });
    expect(await rowsOf(shop, "event:product", ["product_revenue"])).toEqual([["Tea", 37]]);
  });

  test("[CON-4] a cancelled order earns nothing, whatever came before", async () => {
    const { shop, worker } = await createShop();
    for (const status of ["processing", "cancelled"]) await worker.woo(wooOrder({ status }));
    expect(await countsOf(shop)).toMatchObject({ events: 2, orders: 0, total: 0 });
  });
});

describe("whom the Worker believes", () => {
  const WRONG: readonly (readonly [what: string, headers: Record<string, string>])[] = [
    ["no signature", { "x-shopify-hmac-sha256": "" }],
    ["the signature of another body", { "x-shopify-hmac-sha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" }],
    ["what is no signature", { "x-shopify-hmac-sha256": "%%%" }],
    ["what is nearly Base64", { "x-shopify-hmac-sha256": `${"_".repeat(43)}=` }],
    ["one that is cut", { "x-shopify-hmac-sha256": "47DEQpj8HBSa" }],
  ];
  test.each(WRONG)("[CON-5] with %s nothing is passed on", async (_what, headers) => {
    const { shop, worker } = await createShop();
    expect(await worker.shopify("orders/create", shopifyOrder(), headers)).toMatchObject({ status: 401 });
    expect(await countsOf(shop)).toMatchObject({ events: 0 });
  });

  test("[CON-5] without a secret nothing is passed on, whoever signs with an empty one", async () => {
    const { shop, worker } = await createShop({ secret: "" });
    expect(await worker.shopify("orders/create", shopifyOrder())).toMatchObject({ status: 503 });
    expect(await countsOf(shop)).toMatchObject({ events: 0 });
  });

  test("[CON-5] what Footfall did not take is to be sent again; what it never will take is not", async () => {
    const { shop, worker } = await createShop();
    const endless = await worker.shopify("orders/create", shopifyOrder({ currency: "none" }));
    expect([endless.status, endless.text]).toEqual([200, expect.stringContaining("revenue.currency must be")]);
    const revoked = await createShop({ apiKey: "sk_no_such_key" });
    expect(await revoked.worker.shopify("orders/create", shopifyOrder())).toMatchObject({ status: 503 });
    const nowhere = await createShop({ collectorUrl: "http://127.0.0.1:1" });
    expect((await nowhere.worker.shopify("orders/create", shopifyOrder())).status).toBeGreaterThanOrEqual(500);
    expect(await countsOf(shop)).toMatchObject({ events: 0 });
  });

  test("[CON-5] nothing that names a person leaves the Worker", () => {
    const { code } = blocksOfPage()[0] as { code: string };
    for (const personal of ["email", "billing", "shipping", "customer.", "phone", "first_name"])
      expect(code).not.toContain(personal);
  });

  test("[CON-5] no block of the page holds a key", () => {
    for (const { code } of blocksOfPage()) expect(code).not.toMatch(/API_KEY|Bearer (?!\$\{FOOTFALL_KEY\})/);
  });
});

interface Shop {
  readonly shop: Merchant;
  readonly worker: WebhookWorker;
}

async function createShop(given: { secret?: string; apiKey?: string; collectorUrl?: string } = {}): Promise<Shop> {
  const shop = await client.createMerchant();
  const apiKey = given.apiKey ?? (await client.createWriteKey(shop));
  const { secret = SHOP_SECRET, collectorUrl = client.collectorUrl } = given;
  const worker = await startWebhookWorker({ collectorUrl, apiKey, secret });
  workers.push(worker);
  return { shop, worker };
}

/** An order as WooCommerce's webhooks tell it, as far as anybody reads it. */
function wooOrder(changes: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return {
    id: 17,
    number: "17",
    currency: "EUR",
    total: "37.00",
    date_created_gmt: ORDERED_AT,
    customer_ip_address: "2001:db8::7",
    customer_user_agent: CHROME,
    billing: { email: "anna@customer.example" },
    line_items: [{ product_id: 93, sku: "", name: "Tea", price: 18.5, quantity: 2 }],
    meta_data: [
      { id: 1, key: "_wc_order_attribution_session_entry", value: "https://shop.example/?utm_source=woo" },
      { id: 2, key: "_wc_order_attribution_referrer", value: "" },
    ],
    refunds: [],
    ...changes,
  };
}

/** One instant for all deliveries of a run, in UTC without saying so. */
const ORDERED_AT = new Date(Date.now() - 1_000).toISOString().slice(0, 19);

interface Counts {
  readonly events: number;
  readonly visitors: number;
  readonly orders: number;
  readonly refunds: number;
  readonly gross: number;
  readonly total: number;
}

async function countsOf(shop: Merchant): Promise<Counts> {
  const metrics = ["events", "visitors", "orders", "refunds", "gross_revenue", "total_revenue"];
  const { results } = await client.ask(shop, { metrics, date_range: "all" });
  const [events, visitors, orders, refunds, gross, total] = (results[0]?.metrics ?? []).map(numberOf);
  return { events, visitors, orders, refunds, gross, total } as Counts;
}

async function rowsOf(shop: Merchant, dimension: string, metrics: readonly string[]): Promise<readonly unknown[]> {
  const { results } = await client.ask(shop, { metrics, date_range: "all", dimensions: [dimension] });
  return results.map((row) => [...row.dimensions, ...row.metrics.map(numberOf)]);
}

function numberOf(metric: unknown): number {
  return typeof metric === "object" && metric !== null
    ? (metric as { value: number }).value
    : ((metric as number) ?? 0);
}
