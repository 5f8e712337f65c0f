// Real clients from npm, unmodified, run with the snippets of docs/clients.md against the running collector; what they
// sent is found in the API. Those that retry are run again through a proxy that lets every request take effect and then
// spoils the answer: their events count once. The table of docs/compatibility.md is made here. Browser clients need a
// Chromium (CHROMIUM=<path> names one) and are skipped, saying so, where there is none.

import { gunzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isObject } from "../../core/formats/field.ts";
import type { Runtime } from "../../scripts/runtime.ts";
import { type BadProxy, type Mishap, startBadProxy } from "../support/bad-proxy.ts";
import { expectSection } from "../support/compatibility.ts";
import { type Client, type Merchant, startServices, until } from "../support/services.ts";
import {
  CHROMIUM,
  runSnippet,
  type Setting,
  type SnippetBrowser,
  startBrowser,
  versionOf,
} from "../support/snippet.ts";

/** What a snippet sends: page views, all events, revenue in euros. */
type Counted = readonly [pageviews: number, events: number, revenue: number];

interface Tried {
  /** Its heading in docs/clients.md. */
  readonly heading: string;
  readonly kind: "npm" | "npm, browser" | "plain";
  readonly to: string;
  readonly sends: string;
  readonly counted: Counted;
  /** After which mishaps it sends again by itself. */
  readonly retries: readonly Mishap[];
}

/**
 * What happens to a client's first request. (One that heard "200" and not its body is done; test/e2e/retry.test.ts.)
 */
const MISHAPS: readonly Mishap[] = ["500", "429", "cut before the answer"];
const NEVER: readonly Mishap[] = [];

const EVERYTHING = "page view, event, order; identify";
const CLIENTS: readonly Tried[] = [
  {
    heading: "@segment/analytics-node",
    kind: "npm",
    to: "`/v1/batch`",
    sends: EVERYTHING,
    counted: [1, 3, 25],
    retries: MISHAPS,
  },
  {
    heading: "posthog-node",
    kind: "npm",
    to: "`/batch/`, gzip",
    sends: EVERYTHING,
    counted: [1, 3, 25],
    retries: MISHAPS,
  },
  { heading: "@umami/node", kind: "npm", to: "`/api/send`", sends: EVERYTHING, counted: [1, 3, 25], retries: NEVER },
  {
    heading: "@snowplow/node-tracker",
    kind: "npm",
    to: "tp2",
    sends: "page view, event, order",
    counted: [1, 3, 25],
    retries: MISHAPS,
  },
  {
    heading: "@rudderstack/rudder-sdk-node",
    kind: "npm",
    to: "`/v1/batch`, gzip",
    sends: EVERYTHING,
    counted: [1, 3, 25],
    retries: MISHAPS,
  },
  {
    heading: "@segment/analytics-next",
    kind: "npm, browser",
    to: "`/v1/p`, `/v1/t`, `/v1/i`",
    sends: EVERYTHING,
    counted: [1, 3, 25],
    retries: MISHAPS,
  },
  {
    heading: "@plausible-analytics/tracker",
    kind: "npm, browser",
    to: "`/api/event`",
    sends: "page view, event, order",
    counted: [1, 3, 25],
    retries: NEVER,
  },
  {
    heading: "plausible-tracker",
    kind: "npm, browser",
    to: "`/api/event`",
    sends: "page view, event",
    counted: [1, 2, 0],
    retries: NEVER,
  },
  {
    heading: "@counterscale/tracker",
    kind: "npm, browser",
    to: "`/cache`, `/collect`",
    sends: "page view",
    counted: [1, 1, 0],
    retries: NEVER,
  },
  {
    heading: "@rudderstack/analytics-js",
    kind: "npm, browser",
    to: "`/v1/page`, `/v1/track`, `/v1/identify`",
    sends: EVERYTHING,
    counted: [1, 3, 25],
    retries: MISHAPS,
  },
  {
    heading: "posthog-js",
    kind: "npm, browser",
    to: "`/e/`, `/i/v0/e/`, gzip without a word",
    sends: EVERYTHING,
    counted: [1, 3, 25],
    retries: ["500", "cut before the answer"],
  },
  {
    heading: "@snowplow/browser-tracker",
    kind: "npm, browser",
    to: "tp2",
    sends: "page view, event, order",
    counted: [1, 3, 25],
    retries: NEVER,
  },
  {
    heading: "plausible-client",
    kind: "npm, browser",
    to: "`/api/event`",
    sends: "page view, event, order",
    counted: [1, 3, 25],
    retries: NEVER,
  },
  {
    heading: "Any server, with an API key",
    kind: "plain",
    to: "`/v1/events`",
    sends: "page view, event, order",
    counted: [1, 3, 25],
    retries: NEVER,
  },
  {
    heading: "An app that was offline",
    kind: "plain",
    to: "`/v1/events`",
    sends: "page view, event; 72 h late",
    counted: [1, 2, 0],
    retries: NEVER,
  },
  ...(
    [
      ["Plausible", "`/api/event`", 3, 25],
      ["Umami", "`/api/batch`", 3, 25],
      ["GA4 Measurement Protocol", "`/mp/collect`", 3, 25],
      ["Segment", "`/v1/batch`", 3, 25],
      ["RudderStack", "`/v1/page`, `/v1/track`", 3, 25],
      ["PostHog", "`/batch/`", 3, 25],
      ["Snowplow", "tp2", 3, 25],
      ["Counterscale", "`/collect`", 1, 0],
      ["GoatCounter", "`/api/v0/count`", 2, 0],
    ] as const
  ).map(
    ([protocol, to, events, revenue]): Tried => ({
      heading: `${protocol}, from a server`,
      kind: "plain",
      to,
      sends: ["page view", "page view, event", "page view, event, order"][events - 1] as string,
      counted: [1, events, revenue],
      retries: NEVER,
    }),
  ),
];
const WELL = "✓";

let services: { runtime: Runtime; client: Client; stop: () => Promise<void> };
let proxy: BadProxy;
let browser: SnippetBrowser | undefined;
/** What each client that was tried got through. */
const passed = new Map<string, Mishap[]>();

beforeAll(async () => {
  services = await startServices({ LATE_COALESCE_MS: "100" }); // what is late for a closed Day is counted at once
  proxy = await startBadProxy(services.client.collectorUrl);
  browser = CHROMIUM === undefined ? undefined : await startBrowser();
  if (browser === undefined) console.log("clients: no Chromium here, browser clients are skipped");
});
afterAll(async () => {
  await browser?.stop();
  await proxy?.stop();
  await services?.stop();
});

const isHere = ({ kind }: Tried) => kind !== "npm, browser" || CHROMIUM !== undefined;
const here = CLIENTS.filter(isHere).map((tried) => [tried.heading, tried] as const);

test.each(here)("[FMT-4] %s: what it sends is counted", async (heading, tried) => {
  const shop = await createShop();
  await run(tried, shop, async () => (await countOf(shop.merchant))[1] >= tried.counted[1]);
  expect(await settledCountOf(shop.merchant, tried)).toEqual(tried.counted);
  passed.set(heading, []);
});

describe.each(here.filter(([, { retries }]) => retries.length > 0))("%s", (heading, tried) => {
  test.each(tried.retries)("[FMT-4] its events count once when the answer is: %s", async (mishap) => {
    const shop = await createShop();
    proxy.answers.length = 0;
    proxy.mishaps.splice(0, Number.POSITIVE_INFINITY, mishap);
    await run(tried, shop, async () => wasResent());
    expect(await settledCountOf(shop.merchant, tried)).toEqual(tried.counted);
    expect(wasResent()).toBe(true);
    passed.get(heading)?.push(mishap);
  });
});

test.skipIf(CHROMIUM === undefined)(
  "[POS-4] PostHog's browser client is told to record clicks by itself; they come, and are no events",
  async () => {
    const shop = await createShop();
    const tried = CLIENTS.find(({ heading }) => heading === "posthog-js") as Tried;
    proxy.answers.length = 0;
    await run(tried, shop, async (page) => {
      await page.click("button");
      return proxy.answers.some(({ sent }) => textOf(sent).includes('"$autocapture"'));
    });
    expect(await settledCountOf(shop.merchant, tried)).toEqual(tried.counted);
    expect(proxy.answers.filter(({ status }) => status >= 400)).toEqual([]);
  },
);

test("[FMT-4] the table of the documentation is what was tried here", () => {
  const tried = CLIENTS.filter(isHere);
  expect([...passed.keys()]).toEqual(tried.map(({ heading }) => heading));
  for (const { heading, retries } of tried) {
    expect([heading, passed.get(heading)]).toEqual([heading, retries]);
  }
  expectSection({
    title: "Clients",
    columns: ["client", "version", "sends to", "what was sent", "page views", "events", "revenue, EUR", ...MISHAPS],
    rows: tried.map(({ heading, kind, to, sends, counted, retries }) => [
      heading,
      kind === "plain" ? "–" : versionOf(heading),
      to,
      sends,
      ...counted.map(String),
      ...MISHAPS.map((mishap) => (retries.includes(mishap) ? WELL : "–")),
    ]),
    isComplete: tried.length === CLIENTS.length,
  });
});

interface Shop {
  readonly merchant: Merchant;
  readonly hostname: string;
}

let made = 0;

async function createShop(): Promise<Shop> {
  made += 1;
  const hostname = `shop-${made}.example`;
  const body = { name: hostname, time_zone: "UTC", currency: "EUR", hostname };
  return { merchant: (await services.client.admin("POST", "/api/v1/merchants", body)) as Merchant, hostname };
}

/** Runs a client's snippet: in Node to its end, on a page until `isDone`. */
async function run(
  tried: Tried,
  { merchant, hostname }: Shop,
  isDone: (page: Page) => Promise<boolean>,
): Promise<void> {
  const ids = { trackingId: merchant.tracking_id, apiKey: await services.client.createWriteKey(merchant) };
  const setting: Setting = { collectorUrl: proxy.url, hostname, ...ids };
  if (tried.kind === "npm, browser") await browser?.run(tried.heading, setting, isDone);
  else await runSnippet(tried.heading, setting);
}

/** Whether an id, by whatever name its protocol has for it, came in more than one request. */
function wasResent(): boolean {
  const ids = proxy.answers.flatMap(({ sent }) => {
    return [...textOf(sent).matchAll(/"(?:messageId|uuid|eid)":"([^"]+)"/g)].map(([, id]) => id);
  });
  return new Set(ids).size < ids.length;
}

function textOf(sent: Buffer): string {
  return String(sent[0] === 0x1f && sent[1] === 0x8b ? gunzipSync(sent) : sent);
}

async function countOf(merchant: Merchant): Promise<Counted> {
  const metrics = ["pageviews", "events", "total_revenue"];
  const { results } = await services.client.ask(merchant, { metrics, date_range: "all" });
  const [pageviews, events, revenue] = results[0]?.metrics ?? [];
  return [pageviews as number, events as number, isObject(revenue) ? (revenue["value"] as number) : 0];
}

/** What is counted once everything is there, and a moment later still. */
async function settledCountOf(merchant: Merchant, { counted }: Tried): Promise<Counted> {
  await until(
    async () => {
      await services.runtime.fireCrons(); // late Days are counted by cron
      return countOf(merchant);
    },
    ([, events]) => events >= counted[1],
  );
  await new Promise((wait) => setTimeout(wait, 300)); // what would be counted twice has come by now
  return countOf(merchant);
}
