// The blocks of code of docs/connectors.md, as tests run them: read from the page, with real addresses and IDs in place
// of its examples. PHP is not run: what a block prints is taken out of it, and its values are put in by the test.

import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { SHARED_OPTIONS } from "../../scripts/runtime.ts";
import { type Setting, settle } from "./snippet.ts";

/** A block of code of the page, under a heading of the second level. */
export interface Block {
  readonly heading: string;
  readonly language: string;
  readonly code: string;
}

export function blocksOfPage(): readonly Block[] {
  const text = readFileSync(join(import.meta.dirname, "../../docs/connectors.md"), "utf8");
  return text.split(/^## /m).flatMap((section) => {
    const heading = section.split("\n", 1)[0] as string;
    return [...section.matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(([, language = "", code = ""]) => {
      return { heading, language, code };
    });
  });
}

/** The blocks that tests run, in the page's order. */
export const CONNECTORS = [
  ["order webhooks", "Order webhooks", "js"],
  ["shopify theme", "Shopify", "html"],
  ["shopify pixel", "Shopify", "js"],
  ["woocommerce order", "WooCommerce", "php"],
  ["wordpress", "WordPress", "php"],
  ["magento head", "Magento", "html"],
  ["magento view model", "Magento", "php"],
  ["magento layout", "Magento", "xml"],
  ["magento template", "Magento", "php"],
  ["magento order", "Magento", "js"],
  ["gtm pages", "Google Tag Manager", "html"],
  ["gtm order", "Google Tag Manager", "html"],
  ["next", "Next.js", "tsx"],
  ["nuxt", "Nuxt", "ts"],
  ["astro", "Astro", "html"],
  ["sveltekit", "SvelteKit", "html"],
] as const;

type ConnectorName = (typeof CONNECTORS)[number][0];

/** A block by its name, settled; or as it stands in the page. */
export function connector(name: ConnectorName, setting?: Omit<Setting, "hostname" | "apiKey">): string {
  const block = blocksOfPage()[CONNECTORS.findIndex(([known]) => known === name)];
  if (block === undefined) throw new Error(`docs/connectors.md has no block for "${name}"`);
  return setting === undefined ? block.code : settle(block.code, { hostname: "shop.example", apiKey: "", ...setting });
}

/** What a block of PHP prints: its text outside of PHP, with `value` for what it echoes. */
export function printedBy(php: string, value = ""): string {
  const printed = php.replace(/<\?(?:php echo|=)[\s\S]*?\?>/g, () => value);
  const [template] = printed.split("?>").length === 1 ? [printed] : [/\?>([\s\S]*)<\?php/.exec(printed)?.[1]];
  if (template === undefined) throw new Error(`this block prints nothing: ${php}`);
  return template;
}

/** The Worker for webhooks, in a workerd of its own. */
export interface WebhookWorker {
  /** Signs a webhook as Shopify does, and delivers it. */
  readonly shopify: (topic: string, told: unknown, headers?: Record<string, string>) => Promise<Answer>;
  /** The same as WooCommerce. */
  readonly woo: (told: unknown, headers?: Record<string, string>) => Promise<Answer>;
  /** Delivers a body as it is. */
  readonly deliver: (body: string, headers?: Record<string, string>) => Promise<Answer>;
  readonly stop: () => Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

export const SHOP_SECRET = "the secret of the shop's webhooks";

/** Starts the Worker of the page; a secret that is undefined is not set. */
export async function startWebhookWorker(given: {
  readonly collectorUrl: string;
  readonly apiKey: string;
  readonly secret?: string;
}): Promise<WebhookWorker> {
  const script = connector("order webhooks", { collectorUrl: given.collectorUrl, trackingId: "" });
  const bindings = { FOOTFALL_KEY: given.apiKey, ...(given.secret !== undefined && { SHOP_SECRET: given.secret }) };
  const worker = { name: "webhooks", compatibilityDate: "2026-10-20", modules: true, script, bindings };
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({ ...SHARED_OPTIONS, handleStructuredLogs: () => undefined, workers: [worker] }),
  );
  const url = await miniflare.ready;
  const deliver = async (body: string, headers: Record<string, string> = {}) => {
    const response = await fetch(url, { method: "POST", body, headers });
    return { status: response.status, text: await response.text() };
  };
  const signed = (body: string) => createHmac("sha256", SHOP_SECRET).update(body).digest("base64");
  return {
    deliver,
    shopify: (topic, told, headers) => {
      const body = JSON.stringify(told);
      return deliver(body, { "x-shopify-topic": topic, "x-shopify-hmac-sha256": signed(body), ...headers });
    },
    woo: (told, headers) => {
      const body = JSON.stringify(told);
      return deliver(body, {
        "x-wc-webhook-topic": "order.updated",
        "x-wc-webhook-signature": signed(body),
        ...headers,
      });
    },
    stop: () => miniflare.dispose(),
  };
}

/** An order as Shopify's webhook `orders/create` tells it, as far as anybody reads it. */
export function shopifyOrder(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    id: 5210499102,
    test: false,
    created_at: new Date().toISOString().replace("Z", "+00:00"),
    cancelled_at: null,
    currency: "EUR",
    total_price: "59.80",
    financial_status: "paid",
    email: "anna@customer.example",
    landing_site: "/products/mat?utm_source=landing",
    referring_site: "",
    client_details: null,
    line_items: [{ product_id: 632910392, sku: "MAT-1", title: "Mat", vendor: "Rug Ltd", price: "29.90", quantity: 2 }],
    ...changes,
  };
}
