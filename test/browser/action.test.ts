// What readers do, counted without the page's help and with it: links out, files, forms, events with all they carry,
// what was said before the script was there, web vitals, and the ES module in a site's own bundle.

import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CHROMIUM } from "../../scripts/browsers.ts";
import { Stage, sentBy, untilSent } from "../support/browser.ts";

describe.skipIf(CHROMIUM === undefined)("actions", () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterAll(() => stage?.close());

  test("[TRK-17] links to other sites, files and forms are events, also where the page is left for them", async () => {
    const site = await stage.site();
    const { page, errors } = await stage.visitor();
    await page.goto(`${site.url}/`);
    await page.click("#elsewhere");
    await page.waitForURL("https://elsewhere.example/**");
    await page.goto(`${site.url}/`);
    await page.click("#elsewhere", { button: "middle" });
    await page.click("#catalogue", { modifiers: ["Alt"] });
    await page.click("#newsletter button");
    await page.waitForURL("**/thanks*");
    await untilSent(site, "form");
    await stage.expectCounts(site, "event:name", { pageview: 3, outbound: 2, download: 1, form: 1, web_vitals: 2 });
    expect(sentBy(site, "outbound")[0]?.["props"]).toEqual({ url: "https://elsewhere.example/deal?id=1" });
    expect(sentBy(site, "download")[0]?.["props"]).toEqual({ url: `${site.url}/catalogue.pdf` });
    expect(sentBy(site, "form")[0]?.["props"]).toEqual({ form: "newsletter" });
    for (const event of sentBy(site, "form")) expect(JSON.stringify(event)).not.toContain("anna"); // what was typed
    expect(errors).toEqual([]);
  });

  test("[TRK-17] what data-off names is not counted, and /p.js watches nothing", async () => {
    const off = await stage.site({ attributes: 'data-off="outbound form web_vitals engagement 404"' });
    const plain = await stage.site({ script: "p.js" });
    const { page } = await stage.visitor();
    for (const [site, counts] of [
      [off, { pageview: 3, download: 1 }],
      [plain, { pageview: 3 }],
    ] as const) {
      await page.goto(`${site.url}/missing`);
      await page.click("#catalogue", { modifiers: ["Alt"] });
      await page.click("#elsewhere");
      await page.waitForURL("https://elsewhere.example/**");
      await page.goto(`${site.url}/`);
      await page.waitForTimeout(1_200);
      await page.click("#newsletter button");
      await page.waitForURL("**/thanks*");
      await stage.expectCounts(site, "event:name", counts);
      expect(sentBy(site, "engagement")).toEqual([]);
    }
  });

  const STUB =
    "<script>window.footfall=window.footfall||function(){(footfall.q=footfall.q||[]).push(arguments)}</script>";

  test("[TRK-18] what the page says before the script is there is counted after the page view", async () => {
    const early = "<script>footfall('event', 'first', { props: { n: 1 } }); footfall('event', 'second')</script>";
    const site = await stage.site({ head: STUB + early });
    const { page } = await stage.visitor();
    await page.goto(`${site.url}/?utm_source=ad`);
    await stage.expectCounts(site, "event:name", { pageview: 1, first: 1, second: 1 });
    expect(site.bodies).toHaveLength(1); // one moment, one request
    const times = (JSON.parse(site.bodies[0] as string) as { timestamp: number }[]).map(({ timestamp }) => timestamp);
    expect(times).toEqual([...times].sort());
    expect(new Set(times).size).toBe(3);
  });

  test("[TRK-18] a browser that measures nothing counts all the same", async () => {
    const old = "<script>performance.getEntriesByType = () => []; delete window.PerformanceObserver</script>";
    const site = await stage.site({ head: `${STUB}<script>footfall('event', 'first')</script>${old}` });
    const { page } = await stage.visitor();
    await page.goto(`${site.url}/`);
    await page.click("#catalogue", { modifiers: ["Alt"] });
    await stage.expectCounts(site, "event:name", { pageview: 1, first: 1, download: 1 });
  });

  test("[TRK-18] an event carries properties, revenue, order and products; nonsense is no exception", async () => {
    const site = await stage.site();
    const { page, errors } = await stage.visitor();
    await page.goto(`${site.url}/thanks`);
    const order = {
      revenue: { amount: 42.5, currency: "EUR" },
      order_id: "A-1001",
      products: [{ id: "mug", name: "Mug", price: 21.25, quantity: 2 }],
      props: { coupon: "spring", gift: true },
    };
    await page.evaluate(`footfall('event', 'purchase', ${JSON.stringify(order)})`);
    await page.evaluate(
      "footfall(); footfall('nothing'); footfall('event'); footfall('event', 'x', null); footfall('toString')",
    );
    await page.evaluate("const round = {}; round.round = round; footfall('event', 'x', { props: round })");
    expect((await untilSent(site, "purchase"))[0]).toMatchObject(order);
    await stage.expectCounts(site, "event:name", { pageview: 1, purchase: 1 });
    expect(await stage.total(site, "total_revenue")).toMatchObject({ value: 42.5, currency: "EUR" });
    expect(errors).toEqual([]);
  });

  test("[TRK-19] web vitals are measured and sent once, when the page is left", async () => {
    const head = `<script>
      addEventListener("load", () => setTimeout(() => document.body.prepend(Object.assign(document.createElement("p"),
        { textContent: "late", style: "height:300px" })), 700));
      addEventListener("click", () => { const end = performance.now() + 120; while (performance.now() < end); });
    </script>`;
    const site = await stage.site({ head });
    const { page } = await stage.visitor();
    await page.goto(`${site.url}/`);
    await page.waitForTimeout(1_500);
    await page.mouse.click(600, 500);
    await page.waitForTimeout(300);
    await page.goto(`${site.url}/cart`);
    const [event] = await untilSent(site, "web_vitals");
    const vitals = event?.["props"] as Record<string, number>;
    expect(Object.keys(vitals).sort()).toEqual(["cls", "fcp", "inp", "lcp", "ttfb"]);
    expect(vitals["inp"]).toBeGreaterThanOrEqual(120);
    expect(vitals["cls"]).toBeGreaterThan(0.01);
    expect(vitals["fcp"]).toBeGreaterThan(0);
    expect(vitals["lcp"]).toBeGreaterThanOrEqual(vitals["fcp"] as number);
    expect(event?.url).toBe(`${site.url}/`);
    expect(sentBy(site, "web_vitals")).toHaveLength(1);
  });

  test("[TRK-20] the ES module, bundled with a site's own script, counts as the script does", async () => {
    const { outputFiles } = await build({
      entryPoints: [join(import.meta.dirname, "page/shop.ts")],
      bundle: true,
      write: false,
      minify: true,
      format: "iife",
      globalName: "shop",
      logLevel: "error",
    });
    const merchant = await stage.client.createMerchant();
    const tracker = `<script>${outputFiles[0]?.text}</script>`;
    const site = await stage.site({ tracker }, merchant);
    const { page, errors } = await stage.visitor();
    await page.goto(`${site.url}/`);
    await page.evaluate(`shop.early(); shop.open(${JSON.stringify(merchant.tracking_id)}); shop.buy()`);
    await stage.expectCounts(site, "event:name", { pageview: 1, early: 1, purchase: 1 });
    expect(await stage.total(site, "total_revenue")).toMatchObject({ value: 19.99, currency: "EUR" });
    await page.evaluate("shop.leave()");
    const before = site.bodies.length;
    await page.evaluate("shop.buy()");
    await page.waitForTimeout(300);
    expect(site.bodies).toHaveLength(before);
    expect(errors).toEqual([]);
  });
});
