// Who is counted, and as whom: nobody is known without being asked for, signals and opt-out are honoured, a strict
// policy of the page is kept, and pages without script have the pixel.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CHROMIUM } from "../../scripts/browsers.ts";
import { keptIn, Stage, sentBy, untilSent } from "../support/browser.ts";
import { until } from "../support/services.ts";

describe.skipIf(CHROMIUM === undefined)("privacy", () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterAll(() => stage?.close());

  test("[TRK-11] as it comes it knows nobody: no cookie, no id, and no storage but for what is not sent yet", async () => {
    const site = await stage.site();
    const { page, context } = await stage.visitor();
    await page.goto(`${site.url}/`);
    await page.goto(`${site.url}/cart`);
    await untilSent(site, "pageview", 2);
    await until(
      async () => JSON.stringify(await keptIn(page)),
      (kept) => kept === "{}",
    );
    expect(await context.cookies()).toEqual([]);
    for (const view of sentBy(site)) expect(view).not.toHaveProperty("visitor_id");
    expect(await stage.total(site, "visitors")).toBe(1);
  });

  test.each(["cookie", "cookie;domain=127.0.0.1;max-age=60", "storage"])(
    "[TRK-12] data-visitor=%s: an id of the first party, made once, the same on every page",
    async (mode) => {
      const site = await stage.site({ attributes: `data-visitor="${mode}"` });
      const people = [await stage.visitor(), await stage.visitor()];
      for (const { page } of people) {
        await page.goto(`${site.url}/`);
        await page.goto(`${site.url}/cart`);
      }
      const views = await untilSent(site, "pageview", 4);
      expect(new Set(views.map((view) => view["visitor_id"])).size).toBe(2);
      expect(views[0]?.["visitor_id"]).toMatch(/^[a-z0-9]{15,}$/);
      await stage.expectCounts(site, "event:page", { "/": 2, "/cart": 2 });
      expect(await stage.total(site, "visitors")).toBe(2); // of one address and agent
      const [cookie] = (await people[0]?.context.cookies()) ?? [];
      if (mode === "storage") expect(cookie).toBeUndefined();
      else expect(cookie).toMatchObject({ name: "_ff", sameSite: "Lax", path: "/" });
    },
  );

  test("[TRK-12] an id that the site has set is taken; where cookies are blocked there is none", async () => {
    const site = await stage.site({ attributes: 'data-visitor="cookie"' });
    const { page, context } = await stage.visitor();
    await context.addCookies([{ name: "_ff", value: "customer17", url: site.url }]);
    await page.goto(`${site.url}/`);
    expect((await untilSent(site, "pageview"))[0]?.["visitor_id"]).toBe("customer17");
    const head = "<script>Object.defineProperty(document, 'cookie', { get: () => '', set() {} })</script>";
    const blocked = await stage.site({ attributes: 'data-visitor="cookie"', head });
    await page.goto(`${blocked.url}/`);
    expect((await untilSent(blocked, "pageview"))[0]).not.toHaveProperty("visitor_id");
  });

  const SIGNALS = [
    ["data-dnt", "doNotTrack", "'1'"],
    ["data-gpc", "globalPrivacyControl", "true"],
  ] as const;

  test.each(SIGNALS)(
    "[TRK-13] %s: who sends the signal is not counted; without the option they are",
    async (option, name, value) => {
      const head = `<script>Object.defineProperty(navigator, '${name}', { value: ${value} })</script>`;
      const honouring = await stage.site({ attributes: `${option} data-visitor="storage"`, head });
      const deaf = await stage.site({ head });
      const quiet = await stage.site({ attributes: option });
      const { page } = await stage.visitor();
      for (const site of [honouring, deaf, quiet]) await page.goto(`${site.url}/`);
      await untilSent(deaf, "pageview");
      await untilSent(quiet, "pageview");
      expect(honouring.bodies).toEqual([]);
      await page.goto(`${honouring.url}/`);
      await page.evaluate("footfall('event', 'signup')");
      await page.waitForTimeout(300);
      expect(honouring.bodies).toEqual([]);
      expect(await keptIn(page)).toEqual({});
    },
  );

  test("[TRK-14] who opts out is not counted any more, and nothing of them is kept; they may come back", async () => {
    const site = await stage.site({ attributes: 'data-visitor="cookie"' });
    const { page, context } = await stage.visitor();
    await page.goto(`${site.url}/`);
    await untilSent(site, "pageview");
    site.way = "503";
    await page.evaluate("footfall('event', 'unsent'); footfall('optout')");
    expect(await keptIn(page)).toEqual({ _ff_off: "1" });
    expect(await context.cookies()).toEqual([]);
    site.way = "open";
    await page.waitForTimeout(300);
    const before = site.bodies.length;
    await page.goto(`${site.url}/cart`);
    await page.click("#catalogue");
    await page.goto(`${site.url}/thanks`);
    await page.waitForTimeout(300);
    expect(site.bodies).toHaveLength(before);
    await page.evaluate("footfall('optout', true)");
    await page.reload();
    await stage.expectCounts(site, "event:page", { "/": 1, "/thanks": 1 });
  });

  test.each(["t.js", "p.js"] as const)("[TRK-15] /%s works under a strict policy, with integrity", async (script) => {
    const { collectorUrl } = stage.client;
    const policy = `default-src 'none'; script-src ${collectorUrl}; connect-src ${collectorUrl}; require-trusted-types-for 'script'`;
    const merchant = await stage.client.createMerchant();
    const { file, integrity } = (await stage.scripts()).find(({ name }) => `${name}.js` === script) ?? {};
    const tracker = `<script defer src="${collectorUrl}/${file}" integrity="${integrity}" crossorigin="anonymous" data-tracking-id="${merchant.tracking_id}"></script>`;
    const site = await stage.site({ tracker, headers: { "Content-Security-Policy": policy } }, merchant);
    const { page, errors } = await stage.visitor();
    const complaints: string[] = [];
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    await page.goto(`${site.url}/`);
    await stage.expectCounts(site, "event:page", { "/": 1 });
    await page.goto(`${site.url}/cart`);
    await stage.expectCounts(site, "event:page", { "/": 1, "/cart": 1 });
    expect(errors).toEqual([]);
    expect(complaints.filter((text) => !text.includes("style"))).toEqual([]); // the page's own style attribute
  });

  test("[TRK-15] a page that breaks what the tracker stands on is not broken by it", async () => {
    const saboteurs = [
      "navigator.__proto__ = null",
      "window.fetch = () => { throw new Error('no') }",
      "delete window.PerformanceObserver; performance.getEntriesByType = undefined",
      "Storage.prototype.setItem = Object.keys = undefined",
      "window.footfall = { q: 'nonsense' }",
      "JSON.stringify = () => { throw new Error('no') }",
    ];
    for (const saboteur of saboteurs) {
      const site = await stage.site({ head: `<script>${saboteur}</script>` });
      const { page, errors } = await stage.visitor();
      await page.goto(`${site.url}/`);
      await page.evaluate("history.pushState({}, '', '/next'); document.querySelector('#newsletter button').click()");
      await page.waitForURL("**/thanks*");
      expect([saboteur, ...errors]).toEqual([saboteur]);
    }
  });

  test("[TRK-16] without script the pixel counts the page itself", async () => {
    const site = await stage.site();
    const { page } = await stage.visitor({ script: false });
    await page.goto(`${site.url}/product?utm_source=leaflet`);
    await stage.expectCounts(site, "event:page", { "/product": 1 });
    expect(site.bodies).toEqual([]);
  });
});
