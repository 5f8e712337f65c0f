// Page views in a real Chromium: what a reader sees is what the API says, on pages, in single-page parts, and
// out of the browser's cache.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CHROMIUM } from "../../scripts/browsers.ts";
import { goBack, Stage, sentBy, untilSent } from "../support/browser.ts";

describe.skipIf(CHROMIUM === undefined)("page views", () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterAll(() => stage?.close());

  test.each(["t.js", "p.js"] as const)("[TRK-1] /%s: each page that is loaded is a page view", async (script) => {
    const site = await stage.site({ script });
    const { page, errors } = await stage.visitor();
    await page.goto(`${site.url}/?utm_source=newsletter&utm_campaign=spring&gclid=abc`);
    await page.click("#product");
    await page.waitForURL("**/product*");
    await page.goto(`${site.url}/cart#summary`);
    await stage.expectCounts(site, "event:page", { "/": 1, "/product": 1, "/cart": 1 });
    expect(await stage.total(site, "visitors")).toBe(1);
    expect(await stage.total(site, "visits")).toBe(1);
    const [first, second, third] = await untilSent(site, "pageview", 3);
    expect(first).toMatchObject({
      tracking_id: site.merchant.tracking_id,
      url: `${site.url}/?utm_source=newsletter&utm_campaign=spring&gclid=abc`,
      title: "Page /",
      referrer: "",
      screen: expect.stringMatching(/^\d+x\d+$/),
    });
    expect(second?.["referrer"]).toContain("utm_source=newsletter");
    expect(third?.url).toBe(`${site.url}/cart`);
    const { results } = await stage.client.ask(site.merchant, {
      metrics: ["visits"],
      date_range: "all",
      dimensions: ["visit:utm_source"],
    });
    expect(results).toEqual([{ metrics: [1], dimensions: ["newsletter"] }]);
    expect(errors).toEqual([]);
  });

  /** The Navigation API, and browsers that do not have it. */
  const KINDS = [
    ["with the Navigation API", ""],
    ["without it", "<script>delete window.navigation; Object.defineProperty(window, 'navigation', {})</script>"],
  ] as const;

  test.each(KINDS)("[TRK-2] a new address in the same document is a page view, %s", async (_kind, head) => {
    const site = await stage.site({ head });
    const { page } = await stage.visitor();
    await page.goto(`${site.url}/app`);
    await untilSent(site, "pageview", 1);
    const steps = [
      "history.pushState({}, '', '/app/list?page=1'); document.title = 'List'",
      "history.replaceState({}, '', '/app/list?page=1&sort=price')", // a filter, no page
      "history.pushState({}, '', '/app/list?page=2')",
      "history.pushState({}, '', '/app/list?page=2')", // the same again
      "history.replaceState({}, '', '/app/item')", // another page
      "history.back()",
      "location.hash = 'reviews'", // a place on the page
    ];
    for (const step of steps) {
      await page.evaluate(step);
      await page.waitForTimeout(200);
    }
    await stage.expectCounts(site, "event:page", { "/app": 1, "/app/list": 3, "/app/item": 1 });
    const views = sentBy(site);
    expect(views[1]).toMatchObject({ title: "List", referrer: `${site.url}/app` });
    expect(await stage.total(site, "visits")).toBe(1);
  });

  test("[TRK-2] an address that is at once replaced is no page; one left at once is", async () => {
    const site = await stage.site();
    const { page } = await stage.visitor();
    await page.goto(`${site.url}/app`);
    await page.evaluate("history.pushState({}, '', '/app/guard'); history.pushState({}, '', '/app/login')");
    await page.waitForTimeout(200);
    await page.evaluate("history.pushState({}, '', '/app/last'); location.href = '/cart'");
    await page.waitForURL("**/cart");
    await stage.expectCounts(site, "event:page", { "/app": 1, "/app/login": 1, "/app/last": 1, "/cart": 1 });
  });

  test("[TRK-2] [SPL-6] with data-hash the part behind # is the page, campaign included", async () => {
    const site = await stage.site({ attributes: "data-hash" });
    const { page } = await stage.visitor();
    await page.goto(`${site.url}/#/home?utm_source=letter`);
    for (const place of ["#/list", "#item-1"]) {
      await page.evaluate(`location.hash = '${place}'`);
      await page.waitForTimeout(200);
    }
    const views = await untilSent(site, "pageview", 3);
    expect(views.map((view) => view.url)).toEqual(
      ["#/home?utm_source=letter", "#/list", "#item-1"].map((hash) => `${site.url}/${hash}`),
    );
    await stage.expectCounts(site, "event:page", { "/#/home": 1, "/#/list": 1, "/#item-1": 1 });
    await stage.expectCounts(site, "visit:utm_source", { letter: 3 });
  });

  test("[TRK-3] a page that comes back from the browser's cache is a page view", async () => {
    const site = await stage.site();
    const { page } = await stage.visitor();
    await page.goto(`${site.url}/`);
    await untilSent(site, "pageview", 1);
    await page.evaluate("window.isSameDocument = true");
    await page.click("#product");
    await page.waitForURL("**/product*");
    await goBack(page);
    await page.waitForURL(`${site.url}/`, { waitUntil: "commit" });
    await stage.expectCounts(site, "event:page", { "/": 2, "/product": 1 });
    expect(await page.evaluate("window.isSameDocument")).toBe(true);
  });

  test("[TRK-5] a page that is not there is a 404, by its status or by data-404", async () => {
    const site = await stage.site();
    const { page } = await stage.visitor();
    await page.goto(`${site.url}/missing`);
    expect((await untilSent(site, "404"))[0]?.["props"]).toEqual({ path: "/missing" });
    await stage.expectCounts(site, "event:name", { pageview: 1, "404": 1 });
    const marked = await stage.site({ attributes: "data-404" });
    await page.goto(`${marked.url}/soft`);
    expect((await untilSent(marked, "404"))[0]?.["props"]).toEqual({ path: "/soft" });
  });

  test("[TRK-6] with data-manual only the page says what is a page view; two scripts are one", async () => {
    const site = await stage.site({ attributes: "data-manual" });
    const { page } = await stage.visitor();
    await page.goto(`${site.url}/`);
    await page.evaluate("history.pushState({}, '', '/silent')");
    await page.waitForTimeout(300);
    await page.evaluate("footfall('pageview', { url: location.origin + '/step-2', title: 'Step 2' })");
    await stage.expectCounts(site, "event:page", { "/step-2": 1 });
    const tracker = `<script defer src="${stage.client.collectorUrl}/t.js" data-tracking-id="${site.merchant.tracking_id}"></script>`;
    const twice = await stage.site({ tracker: tracker.repeat(2) }, site.merchant);
    await page.goto(`${twice.url}/twice`);
    await page.waitForTimeout(500);
    await stage.expectCounts(site, "event:page", { "/step-2": 1, "/twice": 1 });
  });
});
