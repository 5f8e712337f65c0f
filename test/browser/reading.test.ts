// How long a page is read: only while its tab is in front. And pages that are prepared before they are shown. Both need
// a browser as readers have it (raw-browser.ts).

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CHROMIUM } from "../../scripts/browsers.ts";
import { Stage, sentBy, untilSent } from "../support/browser.ts";
import { RawBrowser } from "../support/raw-browser.ts";

const wait = (ms: number) => new Promise((settle) => setTimeout(settle, ms));

describe.skipIf(CHROMIUM === undefined)("reading", () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterAll(() => stage?.close());

  test("[TRK-10] time counts while the tab is in front, is reported when it is hidden, and adds up", async () => {
    const site = await stage.site();
    const page = `${site.url}/article`;
    const browser = await RawBrowser.open(page);
    try {
      await untilSent(site, "pageview");
      await wait(1_500);
      await browser.evaluate(page, "scrollTo(0, 1000)");
      await wait(300);
      await browser.openTab("about:blank");
      const [first] = await untilSent(site, "engagement", 1);
      expect(await browser.evaluate(page, "document.visibilityState")).toBe("hidden");
      expect(first).toMatchObject({ url: page, scroll: expect.any(Number) });
      expect(first?.["engagement_ms"]).toBeGreaterThan(1_500);
      expect(first?.["engagement_ms"]).toBeLessThan(6_000);
      expect(first?.["scroll"]).toBeGreaterThan(30);
      expect(first?.["scroll"]).toBeLessThan(60);
      await wait(2_500); // nobody reads
      await browser.show(page);
      await wait(1_500);
      await browser.openTab("about:blank");
      const [, second] = await untilSent(site, "engagement", 2);
      expect(second?.["engagement_ms"]).toBeGreaterThan(1_000);
      expect(second?.["engagement_ms"]).toBeLessThan(2_500);
      expect(sentBy(site, "web_vitals")).toHaveLength(1);
      await stage.expectCounts(site, "event:name", { pageview: 1, web_vitals: 1 }); // engagement is no event
    } finally {
      await browser.close();
    }
  });

  test("[TRK-4] a page that is only prepared is not counted until it is shown", async () => {
    const rules = { prerender: [{ source: "list", urls: ["/product?colour=red"], eagerness: "immediate" }] };
    const site = await stage.site({ head: `<script type="speculationrules">${JSON.stringify(rules)}</script>` });
    const browser = await RawBrowser.open(`${site.url}/`);
    try {
      await untilSent(site, "pageview");
      await until(() => site.requests.includes("/product"));
      await wait(1_000);
      expect(sentBy(site)).toHaveLength(1);
      await browser.evaluate(`${site.url}/`, "document.querySelector('#product').click()");
      const [, shown] = await untilSent(site, "pageview", 2);
      expect(shown).toMatchObject({ url: `${site.url}/product?colour=red`, referrer: `${site.url}/` });
      const activation = "performance.getEntriesByType('navigation')[0].activationStart";
      expect(await browser.evaluate(`${site.url}/product?colour=red`, activation)).toBeGreaterThan(1_000);
      await stage.expectCounts(site, "event:page", { "/": 1, "/product": 1 });
    } finally {
      await browser.close();
    }
  });
});

async function until(isDone: () => boolean): Promise<void> {
  for (let waitedMs = 0; !isDone() && waitedMs < 10_000; waitedMs += 50) await wait(50);
}
