// The snippets of docs/connectors.md in a real Chromium, on pages that behave as shop systems, Tag Manager and routers
// of frameworks do; what they sent is asked of the API.

import { build, type Plugin, transform } from "esbuild";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CHROMIUM } from "../../scripts/browsers.ts";
import { Stage } from "../support/browser.ts";
import { connector, printedBy, SHOP_SECRET, shopifyOrder, startWebhookWorker } from "../support/connectors.ts";
import { CHROME } from "../support/events.ts";
import { type Merchant, until } from "../support/services.ts";
import type { Site } from "../support/shop-site.ts";

describe.skipIf(CHROMIUM === undefined)("connectors", () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterAll(() => stage?.close());

  const settingOf = ({ tracking_id }: Merchant) => {
    return { collectorUrl: stage.client.collectorUrl, trackingId: tracking_id };
  };

  describe("frameworks", () => {
    const FRAMEWORKS: readonly (readonly [
      name: string,
      markupOf: (setting: Setting) => string | Promise<string>,
      router: string,
    ])[] = [
      ["Next.js", nextMarkup, NEXT_ROUTER],
      ["Nuxt", nuxtMarkup, VUE_ROUTER],
      ["Astro", (setting) => connector("astro", setting), ASTRO_ROUTER],
      ["SvelteKit", (setting) => connector("sveltekit", setting), SVELTEKIT_ROUTER],
    ];

    test.each(FRAMEWORKS)(
      "[CON-2] %s: each address of its router is one page view",
      async (_name, markupOf, router) => {
        const merchant = await stage.client.createMerchant();
        const tracker = `${await markupOf(settingOf(merchant))}<script>${router}</script>`;
        const site = await stage.site({ tracker }, merchant);
        const { page, errors } = await stage.visitor();
        await page.goto(`${site.url}/?utm_source=newsletter`);
        await page.waitForFunction("window.footfall && window.footfall.q === 1");
        const steps = ["/list", "/item?colour=red", "/list"].map((path) => `go(${JSON.stringify(path)})`);
        for (const [at, step] of [...steps, "history.back()"].entries()) {
          await untilSeen(site, at + 1); // a page that is left within 99 ms for another is none
          await page.evaluate(step);
        }
        await untilSeen(site, 5);
        await page.waitForTimeout(300); // what would be counted twice has come by now
        await stage.expectCounts(site, "event:page", { "/": 1, "/list": 2, "/item": 2 });
        expect([await stage.total(site, "visits"), await stage.total(site, "visitors")]).toEqual([1, 1]);
        expect(await rowsOf(site, "visit:utm_source", ["visits"])).toEqual([["newsletter", 1]]);
        expect(errors).toEqual([]);
      },
    );
  });

  describe("pages that are loaded one by one", () => {
    const SITES = [
      ["Shopify's theme", (setting: Setting) => connector("shopify theme", setting)],
      ["WordPress", (setting: Setting) => printedBy(connector("wordpress", setting))],
      ["Magento", (setting: Setting) => connector("magento head", setting)],
    ] as const;

    test.each(SITES)("[CON-2] %s: each page is one page view", async (_name, markupOf) => {
      const merchant = await stage.client.createMerchant();
      const site = await stage.site({ tracker: markupOf(settingOf(merchant)) }, merchant);
      const { page, errors } = await stage.visitor();
      await page.goto(`${site.url}/`);
      await page.click("#product");
      await page.waitForURL("**/product*");
      await stage.expectCounts(site, "event:page", { "/": 1, "/product": 1 });
      expect(errors).toEqual([]);
    });
  });

  test("[CON-6] WooCommerce: the thank-you page tells its order once, however often it is loaded", async () => {
    const merchant = await stage.client.createMerchant();
    const setting = settingOf(merchant);
    const order = printedBy(connector("woocommerce order", setting), phpJson(ORDER));
    const site = await stage.site({ tracker: printedBy(connector("wordpress", setting)) + order }, merchant);
    const { page, errors } = await stage.visitor();
    await page.goto(`${site.url}/checkout/order-received/17/?key=wc_order_1`);
    await untilTold(site, 1);
    await page.reload();
    await untilTold(site, 2);
    expect(await ordersOf(site)).toEqual([1, 37]);
    expect(await rowsOf(site, "event:product", ["units"])).toEqual([[ORDER.products[0].name, 2]]);
    expect(errors).toEqual([]);
  });

  test("[CON-6] Magento: the success page tells the last order once, and nothing where there is none", async () => {
    const merchant = await stage.client.createMerchant();
    const setting = settingOf(merchant);
    const pageOf = (json: string) => {
      const script = `<script defer src="data:text/javascript,${encodeURIComponent(connector("magento order", setting))}"></script>`;
      return (
        connector("magento head", setting) + script + printedBy(connector("magento template"), escapedAttribute(json))
      );
    };
    expect(connector("magento layout")).toContain('<script src="Shop_Footfall::js/order.js" defer="true"/>');
    const empty = await stage.site({ tracker: pageOf("") }, merchant);
    const { page, errors } = await stage.visitor();
    await page.goto(`${empty.url}/checkout/onepage/success/`);
    const site = await stage.site({ tracker: pageOf(JSON.stringify(ORDER)) }, merchant);
    await page.goto(`${site.url}/checkout/onepage/success/`);
    await page.reload();
    await untilTold(site, 3);
    expect(await ordersOf(site)).toEqual([1, 37]);
    expect(errors).toEqual([]);
  });

  test("[CON-6] Tag Manager: the purchase of GA4's data layer is an order, once", async () => {
    const merchant = await stage.client.createMerchant();
    const tags = { pages: connector("gtm pages", settingOf(merchant)), order: connector("gtm order") };
    for (const html of Object.values(tags)) await expectES5(html);
    const site = await stage.site({ tracker: `<script>${tagManager(tags)}</script>` }, merchant);
    const { page, errors } = await stage.visitor();
    const ecommerce = {
      transaction_id: "T-1001",
      value: 37,
      currency: "EUR",
      items: [{ item_id: "TEA", item_name: "Tea", item_brand: "Leaf", price: 18.5, quantity: 2 }],
    };
    const buy = `dataLayer.push({ ecommerce: null }, { event: "purchase", ecommerce: ${JSON.stringify(ecommerce)} })`;
    await page.goto(`${site.url}/thanks`);
    await page.evaluate("dataLayer.push({ event: 'add_to_cart', ecommerce: { items: [] } })");
    await page.evaluate(buy);
    await untilTold(site, 1);
    await page.reload();
    await page.evaluate(buy);
    await untilTold(site, 2);
    expect(await ordersOf(site)).toEqual([1, 37]);
    expect(await rowsOf(site, "event:product_brand", ["units"])).toEqual([["Leaf", 2]]);
    expect(errors).toEqual([]);
  });

  describe("Shopify", () => {
    test("[CON-3] the pixel in its frame is the visitor of the theme, and says no token of the checkout", async () => {
      const { site, page, buy, errors } = await visitShop();
      await buy();
      await stage.expectCounts(site, "event:name", {
        pageview: 1,
        product_added_to_cart: 1,
        checkout_started: 1,
        payment_info_submitted: 1,
        purchase: 1,
      });
      expect([await stage.total(site, "visitors"), ...(await ordersOf(site))]).toEqual([1, 1, 49.9]);
      expect(await rowsOf(site, "visit:utm_source", ["orders"])).toEqual([["newsletter", 1]]);
      expect(await rowsOf(site, "visit:exit_page", ["visits"])).toEqual([["/", 1]]);
      expect(await page.evaluate("window.sent.join()")).not.toContain("SECRET-TOKEN");
      expect(await page.evaluate("window.sent.length")).toBe(4);
      expect(errors).toEqual([]);
    });

    test.each([
      ["the pixel and then the webhook", ["pixel", "webhook"]],
      ["the webhook and then the pixel", ["webhook", "pixel"]],
    ] as const)("[CON-3] %s: one order, the webhook's money, the page's source", async (_name, parts) => {
      const { site, merchant, buy } = await visitShop();
      await stage.expectCounts(site, "event:name", { pageview: 1 });
      const apiKey = await stage.client.createWriteKey(merchant);
      const worker = await startWebhookWorker({ ...settingOf(merchant), apiKey, secret: SHOP_SECRET });
      const client_details = { browser_ip: "127.0.0.1", user_agent: CHROME };
      for (const part of parts) {
        const order = shopifyOrder({ client_details });
        if (part === "pixel") await buy();
        else
          for (let times = 0; times < 2; times++)
            expect((await worker.shopify("orders/create", order)).status).toBe(200);
        await until(
          () => ordersOf(site),
          ([orders]) => orders === 1,
        );
      }
      await worker.stop();
      await until(
        () => stage.total(site, "events"),
        (events) => events === 6,
      );
      expect([await stage.total(site, "visitors"), ...(await ordersOf(site))]).toEqual([1, 1, 59.8]);
      expect(await rowsOf(site, "visit:utm_source", ["orders", "total_revenue"])).toEqual([["newsletter", 1, 59.8]]);
    });
  });

  /** A visitor who came by a newsletter to a shop of Shopify's kind; `buy` is the checkout, with the pixel's frame. */
  async function visitShop() {
    const merchant = await stage.client.createMerchant();
    const setting = settingOf(merchant);
    const site = await stage.site({ tracker: connector("shopify theme", setting) }, merchant);
    const { page, errors } = await stage.visitor();
    await page.goto(`${site.url}/?utm_source=newsletter`);
    await page.waitForFunction("window.footfall.q === 1");
    const buy = () => openPixel(page, connector("shopify pixel", setting), site.url);
    return { merchant, site, page, buy, errors };
  }

  async function untilSeen(site: Site, pageviews: number): Promise<void> {
    await until(
      () => stage.total(site, "pageviews"),
      (seen) => seen === pageviews,
    );
  }

  /** Waits until the pages were counted, and one purchase: no more than one either. */
  async function untilTold(site: Site, pageviews: number): Promise<void> {
    await untilSeen(site, pageviews);
    await until(
      () => rowsOf(site, "event:name", ["events"]),
      (rows) => JSON.stringify(rows.filter(([name]) => name === "purchase")) === '[["purchase",1]]',
    );
  }

  async function ordersOf(site: Site): Promise<readonly [orders: unknown, revenue: unknown]> {
    return [await stage.total(site, "orders"), numberOf(await stage.total(site, "total_revenue"))];
  }

  async function rowsOf(
    site: Site,
    dimension: string,
    metrics: readonly string[],
  ): Promise<readonly (readonly unknown[])[]> {
    const question = { metrics, date_range: "all", dimensions: [dimension] };
    const { results } = await stage.client.ask(site.merchant, question);
    return results
      .map((row) => [...row.dimensions, ...row.metrics.map(numberOf)])
      .filter(([, ...numbers]) => numbers.some((number) => number !== 0));
  }
});

interface Setting {
  readonly collectorUrl: string;
  readonly trackingId: string;
}

/** An order as the PHP blocks make it; its product has a name that would end a script. */
const ORDER = {
  id: "order-17",
  order_id: "17",
  revenue: { amount: 37, currency: "EUR" },
  products: [{ id: "TEA", name: 'Tea "black" </script>', price: 18.5, quantity: 2 }],
} as const;

/** As PHP's json_encode with JSON_HEX_TAG. */
function phpJson(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003C").replaceAll(">", "\\u003E").replaceAll("/", "\\/");
}

/** As Magento's escapeHtmlAttr. */
function escapedAttribute(text: string): string {
  return text.replace(/[^\w.,-]/g, (character) => `&#x${character.charCodeAt(0).toString(16)};`);
}

function numberOf(metric: unknown): unknown {
  return typeof metric === "object" && metric !== null ? (metric as { value: unknown }).value : metric;
}

/** next/script puts its element into the document once the page is hydrated, attribute by attribute. */
async function nextMarkup(setting: Setting): Promise<string> {
  const files: Readonly<Record<string, string>> = {
    layout: connector("next", setting),
    "next/script": `export default ({ strategy, ...attributes }) => {
      if (strategy !== "afterInteractive") throw new Error("not a strategy of this test: " + strategy);
      addEventListener("load", () => setTimeout(() => {
        const script = document.createElement("script");
        for (const [name, value] of Object.entries(attributes)) script.setAttribute(name, value);
        document.body.appendChild(script);
      }, 50));
    }`,
    "react/jsx-runtime": `export const jsx = (type, props) => typeof type === "function" && type(props);
      export const jsxs = jsx;`,
  };
  const virtual: Plugin = {
    name: "virtual",
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /./ }, ({ path }) => ({ path, namespace: "virtual" }));
      onLoad({ filter: /./, namespace: "virtual" }, ({ path }) => ({
        contents:
          path === "entry" ? 'import Layout from "layout"; Layout({ children: null });' : (files[path] as string),
        loader: "tsx",
      }));
    },
  };
  const { outputFiles } = await build({
    entryPoints: ["entry"],
    bundle: true,
    write: false,
    format: "iife",
    jsx: "automatic",
    plugins: [virtual],
    logLevel: "error",
  });
  return `<script>${outputFiles[0]?.text}</script>`;
}

/** Nuxt writes the scripts of its configuration into the head of what the server sends. */
async function nuxtMarkup(setting: Setting): Promise<string> {
  const { code } = await transform(connector("nuxt", setting), { loader: "ts", format: "cjs" });
  const module = { exports: {} as { default?: NuxtConfig } };
  new Function("module", "exports", "defineNuxtConfig", code)(module, module.exports, (config: NuxtConfig) => config);
  const scripts = module.exports.default?.app.head.script ?? [];
  expect(scripts).toHaveLength(1);
  return scripts
    .map((script) => {
      const attributes = Object.entries(script).map(([name, value]) => (value === true ? name : `${name}="${value}"`));
      return `<script ${attributes.join(" ")}></script>`;
    })
    .join("");
}

interface NuxtConfig {
  readonly app: { readonly head: { readonly script: readonly Readonly<Record<string, string | true>>[] } };
}

/** The App Router: wraps History, replaces its state when it hydrates and after each change; titles come late. */
const NEXT_ROUTER = `
  addEventListener("load", () => {
    const [push, replace] = [history.pushState.bind(history), history.replaceState.bind(history)];
    history.pushState = (state, unused, url) => push({ ...state, __NA: true }, unused, url);
    history.replaceState = (state, unused, url) => replace({ ...state, __NA: true }, unused, url);
    history.replaceState({}, "", location.href);
  });
  window.go = async (path) => {
    history.pushState({}, "", path);
    await new Promise((wait) => setTimeout(wait, 20));
    history.replaceState({}, "", path);
    document.title = "Page " + path;
  };`;

/** vue-router: notes the place on the page that is left before it goes on. */
const VUE_ROUTER = `
  addEventListener("DOMContentLoaded", () => history.replaceState({ current: location.pathname, position: 0 }, "", location.href));
  window.go = async (path) => {
    await Promise.resolve();
    history.replaceState({ ...history.state, forward: path, scroll: { left: 0, top: scrollY } }, "", location.href);
    history.pushState({ current: path, back: location.pathname, position: 1 }, "", path);
    setTimeout(() => { document.title = "Page " + path; }, 40);
  };`;

/** SvelteKit: notes its index at the start, changes the address when what is to be shown is there. */
const SVELTEKIT_ROUTER = `
  let index = Date.now();
  addEventListener("load", () => history.replaceState({ "sveltekit:history": index }, "", location.href));
  window.go = async (path) => {
    await fetch(path);
    history.pushState({ "sveltekit:history": ++index }, "", path);
    await Promise.resolve();
    document.title = "Page " + path;
  };`;

/** <ClientRouter />: fetches the next page and exchanges head and body; runs scripts that it has not seen. */
const ASTRO_ROUTER = `
  addEventListener("DOMContentLoaded", () => {
    history.replaceState({ index: 0, scrollX: 0, scrollY: 0 }, "");
    for (const script of document.scripts) script.dataset.astroExec = "";
  });
  window.go = async (path) => {
    const next = new DOMParser().parseFromString(await (await fetch(path)).text(), "text/html");
    for (const element of next.querySelectorAll("noscript")) element.remove(); // what is in them would be shown
    for (const old of document.scripts)
      for (const script of next.scripts)
        if (script.src === old.src && script.textContent === old.textContent) script.dataset.astroExec = "";
    history.pushState({ index: 1, scrollX: 0, scrollY: 0 }, "", path);
    document.head.replaceChildren(...next.head.children);
    document.body.replaceWith(next.body);
    for (const script of [...document.scripts]) {
      if (script.dataset.astroExec === "") continue;
      const fresh = document.createElement("script");
      for (const { name, value } of script.attributes) fresh.setAttribute(name, value);
      fresh.textContent = script.textContent;
      script.replaceWith(fresh);
    }
  };`;

/**
 * Tag Manager: a model of the data layer, and tags of Custom HTML, of whose script elements it takes `src` and text but
 * no `data-` attributes.
 */
function tagManager(tags: { readonly pages: string; readonly order: string }): string {
  const json = (html: string) => JSON.stringify(html).replaceAll("<", "\\u003C");
  return `
    window.dataLayer = [];
    const model = {};
    window.variable = (name) => model[name];
    const insert = (html) => {
      const holder = document.createElement("div");
      holder.innerHTML = html;
      for (const script of holder.querySelectorAll("script")) {
        const fresh = document.createElement("script");
        if (script.src) fresh.src = script.src;
        fresh.text = script.text;
        document.body.appendChild(fresh);
      }
    };
    dataLayer.push = (...messages) => {
      for (const message of messages) {
        Array.prototype.push.call(dataLayer, message);
        Object.assign(model, message);
        if (message.event === "gtm.js") insert(${json(tags.pages)});
        if (message.event === "purchase") insert(${json(tags.order.replace("{{Ecommerce}}", 'variable("ecommerce")'))});
      }
    };
    addEventListener("DOMContentLoaded", () => dataLayer.push({ event: "gtm.js" }));`;
}

/** Throws where a tag's script is more than ES5: then there is something to bring down to it. */
async function expectES5(html: string): Promise<void> {
  const [, code = ""] = /<script>([\s\S]*)<\/script>/.exec(html) ?? [];
  const script = code.replace(/\{\{\w+\}\}/, "null");
  const [old, latest] = await Promise.all(
    (["es5", "esnext"] as const).map(async (target) => (await transform(script, { target })).code),
  );
  expect(old).not.toBe("");
  expect(old).toBe(latest);
}

/** Runs a custom pixel as Shopify does: in a frame without the page's origin, which is told of events by messages. */
async function openPixel(page: Page, pixel: string, origin: string): Promise<void> {
  const context = (pathname: string, search = "") => ({
    document: {
      location: { href: origin + pathname + search, origin, pathname, search },
      referrer: `${origin}/`,
      title: "A page",
    },
    navigator: { userAgent: CHROME, language: "en-GB" },
  });
  const variant = { id: "45737128657113", sku: "MAT-1", price: { amount: 24.95, currencyCode: "EUR" } };
  const mat = { ...variant, title: "Red", product: { id: "895", title: "Mat", vendor: "Rug Ltd" } };
  const checkout = {
    order: { id: "gid://shopify/OrderIdentity/5210499102" },
    totalPrice: { amount: 49.9, currencyCode: "EUR" },
    lineItems: [{ title: "Mat", quantity: 2, variant: mat }],
  };
  const events = [
    ["product_added_to_cart", context("/products/mat"), { cartLine: { merchandise: mat, quantity: 2 } }],
    ["checkout_started", context("/checkouts/cn/SECRET-TOKEN"), { checkout: { ...checkout, order: null } }],
    ["payment_info_submitted", context("/checkouts/cn/SECRET-TOKEN"), { checkout: { ...checkout, order: null } }],
    ["checkout_completed", context("/checkouts/cn/SECRET-TOKEN/thank-you", "?key=SECRET-TOKEN"), { checkout }],
  ].map(([name, context, data], at) => ({ id: `sh-${at}-5c21`, name, context, data, type: "standard" }));
  const frame = `<!doctype html><script>
      const handlers = new Map();
      const analytics = { subscribe: (name, handler) => handlers.set(name, handler) };
      const post = window.fetch;
      window.fetch = (url, init) => { parent.postMessage(init.body, "*"); return post(url, init); };
    </script><script>${pixel}</script><script>
      for (const event of ${JSON.stringify(events)}) handlers.get(event.name)(event);
    </script>`;
  await page.evaluate((html) => {
    const host = globalThis as unknown as PageHost;
    host.sent = [];
    host.addEventListener("message", ({ data }) => host.sent.push(data));
    const element = host.document.createElement("iframe");
    element.setAttribute("sandbox", "allow-scripts allow-forms");
    element.setAttribute("srcdoc", html);
    host.document.body.appendChild(element);
  }, frame);
  await page.waitForFunction(`window.sent.length === ${events.length}`);
}

/** What of a page's globals is used here: tests have no types of a browser. */
interface PageHost {
  sent: unknown[];
  addEventListener(name: "message", hear: (message: { readonly data: unknown }) => void): void;
  readonly document: {
    createElement(name: string): { setAttribute(name: string, value: string): void };
    readonly body: { appendChild(element: unknown): void };
  };
}
