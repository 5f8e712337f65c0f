// Every event arrives, and counts once, whatever stands between the page and the collector: no network, a server in
// trouble, a log-in page, a reader who is gone at once, a second tab, storage that is blocked or full, a wrong clock.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CHROMIUM } from "../../scripts/browsers.ts";
import { keptIn, Stage, sentBy, untilSent } from "../support/browser.ts";
import { until } from "../support/services.ts";
import type { Way } from "../support/shop-site.ts";

describe.skipIf(CHROMIUM === undefined)("delivery", () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterAll(() => stage?.close());

  const TROUBLES: readonly Way[] = [
    "unavailable",
    "503",
    "429",
    "log-in page",
    "cut before the answer",
    "cut after the collector",
  ];

  test.each(TROUBLES)(
    "[TRK-7] %s: events are kept, sent again with the same id and time, counted once",
    async (way) => {
      const site = await stage.site();
      const { page, errors } = await stage.visitor();
      site.way = way;
      await page.goto(`${site.url}/`);
      await untilSent(site, "pageview");
      await page.waitForTimeout(1_000); // one request at a time: what comes while one fails waits for the next occasion
      await page.evaluate("footfall('event', 'signup')");
      await untilSent(site, "signup");
      await page.reload();
      await untilSent(site, "pageview", 2);
      expect(Object.keys(await keptIn(page)).length).toBeGreaterThanOrEqual(3);
      site.way = "open";
      const before = site.bodies.length;
      await page.click("#product");
      await page.waitForURL("**/product*");
      await stage.expectCounts(site, "event:page", { "/": 2, "/product": 1 });
      await until(
        async () => Object.keys(await keptIn(page)).length,
        (kept) => kept === 0,
      );
      const times = new Map<string, Set<unknown>>();
      for (const body of site.bodies) {
        for (const event of JSON.parse(body) as { id: string; timestamp: unknown }[]) {
          times.set(event.id, (times.get(event.id) ?? new Set()).add(event.timestamp));
        }
      }
      expect([...times.values()].every((seen) => seen.size === 1)).toBe(true);
      expect(site.bodies.length).toBeGreaterThan(before);
      expect(await stage.total(site, "visits")).toBe(1);
      expect(errors).toEqual([]);
    },
  );

  test("[TRK-7] offline events outlive the page and go out when the network is back", async () => {
    const site = await stage.site();
    const { page, context } = await stage.visitor();
    await page.goto(`${site.url}/`);
    await untilSent(site, "pageview");
    await context.setOffline(true);
    for (const path of ["/app/a", "/app/b"]) {
      await page.evaluate(`history.pushState({}, '', '${path}')`);
      await page.waitForTimeout(200);
    }
    expect(sentBy(site)).toHaveLength(1);
    await context.setOffline(false); // "online" fires
    await stage.expectCounts(site, "event:page", { "/": 1, "/app/a": 1, "/app/b": 1 });
    await context.setOffline(true);
    await page.evaluate("footfall('event', 'read offline')");
    await page.waitForTimeout(200);
    await page.goto("about:blank");
    await context.setOffline(false);
    await page.goto(`${site.url}/cart`);
    const [read] = await untilSent(site, "read offline");
    expect(read?.url).toBe(`${site.url}/app/b`);
    expect(Number(read?.timestamp)).toBeLessThan(Number((await untilSent(site, "pageview", 4))[3]?.timestamp));
    await stage.expectCounts(site, "event:name", { pageview: 4, "read offline": 1, web_vitals: 1 });
  });

  test("[TRK-7] what the collector refuses is not sent again, and does not hold up what it takes", async () => {
    const site = await stage.site();
    const { page } = await stage.visitor();
    await page.goto(`${site.url}/`);
    await page.evaluate("footfall('event', 'x'.repeat(200)); footfall('event', 'good')");
    await stage.expectCounts(site, "event:name", { pageview: 1, good: 1 });
    await until(
      async () => Object.keys(await keptIn(page)).length,
      (kept) => kept === 0,
    );
  });

  test("[TRK-7] at most 100 events wait; the oldest are given up", async () => {
    const site = await stage.site();
    const { page } = await stage.visitor();
    site.way = "503";
    await page.goto(`${site.url}/`);
    await page.evaluate("for (let i = 0; i < 150; i++) footfall('event', 'event ' + i)");
    expect(Object.keys(await keptIn(page))).toHaveLength(100);
    site.way = "open";
    await page.evaluate("dispatchEvent(new Event('online'))");
    await until(
      () => stage.total(site, "events") as Promise<number>,
      (events) => events === 100,
    );
    expect(Math.max(...site.bodies.map((body) => (JSON.parse(body) as unknown[]).length))).toBe(20);
  });

  test("[TRK-8] a reader who leaves at once is counted on every page", async () => {
    const site = await stage.site();
    const { page } = await stage.visitor();
    const paths = Array.from({ length: 10 }, (_, index) => `/page-${index}`);
    for (const path of paths) await page.goto(site.url + path, { waitUntil: "domcontentloaded" });
    await page.goto("about:blank");
    await stage.expectCounts(site, "event:page", Object.fromEntries(paths.map((path) => [path, 1])));
    expect(await stage.total(site, "visits")).toBe(1);
  });

  test("[TRK-8] two tabs at once lose nothing to each other and count nothing twice", async () => {
    const site = await stage.site();
    const { context } = await stage.visitor();
    const tabs = await Promise.all([context.newPage(), context.newPage()]);
    site.way = "503";
    await Promise.all(tabs.map((tab, index) => tab.goto(`${site.url}/tab-${index}`)));
    const events = "for (let i = 0; i < 20; i++) setTimeout(() => footfall('event', 'step'), i * 10)";
    await Promise.all(tabs.map((tab) => tab.evaluate(events)));
    await tabs[0]?.waitForTimeout(600);
    site.way = "open";
    await Promise.all(tabs.map((tab) => tab.evaluate("dispatchEvent(new Event('online'))")));
    await stage.expectCounts(site, "event:name", { pageview: 2, step: 40 });
  });

  const STORAGES = [
    [
      "blocked",
      "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } })",
    ],
    ["absent", "Object.defineProperty(window, 'localStorage', { value: null })"],
    [
      "full",
      "for (let i = 4e6; i >= 1; i /= 2) try { for (;;) localStorage['f' + i] = (localStorage['f' + i] || '') + 'x'.repeat(i) } catch { continue }",
    ],
  ] as const;

  test.each(STORAGES)("[TRK-8] with storage that is %s a page counts as ever", async (_kind, script) => {
    const site = await stage.site({ head: `<script>${script}</script>`, attributes: 'data-visitor="storage"' });
    const { page, errors } = await stage.visitor();
    site.way = "503";
    await page.goto(`${site.url}/`);
    await untilSent(site, "pageview");
    site.way = "open";
    await page.evaluate("footfall('event', 'signup')");
    await stage.expectCounts(site, "event:name", { pageview: 1, signup: 1 });
    expect(sentBy(site)[0]).not.toHaveProperty("visitor_id");
    expect(errors).toEqual([]);
  });

  test("[TRK-9] a clock that is ahead is corrected by the collector's, once and for all sends", async () => {
    const site = await stage.site();
    const { page } = await stage.visitor();
    await page.clock.install({ time: Date.now() + 3 * 86_400_000 });
    await page.clock.resume();
    await page.goto(`${site.url}/`);
    await stage.expectCounts(site, "event:page", { "/": 1 });
    expect(site.bodies).toHaveLength(2);
    const [sent] = JSON.parse(site.bodies[1] as string) as [{ timestamp: string }];
    expect(Math.abs(Date.parse(sent.timestamp) - Date.now())).toBeLessThan(30_000);
  });

  test("[TRK-9] a clock that is hours behind gives every send the same wrong hour, so it counts once", async () => {
    const site = await stage.site();
    const { page } = await stage.visitor();
    await page.clock.install({ time: Date.now() - 26 * 3_600_000 });
    await page.clock.resume();
    site.way = "cut after the collector";
    await page.goto(`${site.url}/`);
    await untilSent(site, "pageview");
    site.way = "open";
    await page.evaluate("dispatchEvent(new Event('online'))");
    await until(
      async () => Object.keys(await keptIn(page)).length,
      (kept) => kept === 0,
    );
    expect(site.bodies.length).toBeGreaterThan(1);
    expect(await stage.total(site, "pageviews")).toBe(1);
  });
});
