// Real clients from npm, unmodified, run with the snippets of docs/clients.md against the running collector; what they sent is
// found in the API. Those that retry are run again through a proxy that lets every request take effect and then spoils the
// answer: their events count once. The table of docs/compatibility.md is made here. Browser clients need a Chromium
// (CHROMIUM=<path> names one) and are skipped, saying so, where there is none.

import { gunzipSync } from "node:zlib";
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
  /** Whether it sends again what was not answered well. */
  readonly retries: boolean;
}

const EVERYTHING = "page view, event, order; identify";
const CLIENTS: readonly Tried[] = [
  {
    heading: "@segment/analytics-node",
    kind: "npm",
    to: "`/v1/batch`",
    sends: EVERYTHING,
    counted: [1, 3, 25],
    retries: true,
  },
  {
    heading: "posthog-node",
    kind: "npm",
    to: "`/batch/`, gzip",
    sends: EVERYTHING,
    counted: [1, 3, 25],
    retries: true,
  },
  { heading: "@umami/node", kind: "npm", to: "`/api/send`", sends: EVERYTHING, counted: [1, 3, 25], retries: false },
  {
    heading: "@snowplow/node-tracker",
    kind: "npm",
    to: "tp2",
    sends: "page view, event, order",
    counted: [1, 3, 25],
    retries: true,
  },
  {
    heading: "@segment/analytics-next",
    kind: "npm, browser",
    to: "`/v1/p`, `/v1/t`, `/v1/i`",
    sends: EVERYTHING,
    counted: [1, 3, 25],
    retries: true,
  },
  {
    heading: "@plausible-analytics/tracker",
    kind: "npm, browser",
    to: "`/api/event`",
    sends: "page view, event, order",
    counted: [1, 3, 25],
    retries: false,
  },
  {
    heading: "plausible-tracker",
    kind: "npm, browser",
    to: "`/api/event`",
    sends: "page view, event",
    counted: [1, 2, 0],
    retries: false,
  },
  {
    heading: "@counterscale/tracker",
    kind: "npm, browser",
    to: "`/cache`, `/collect`",
    sends: "page view",
    counted: [1, 1, 0],
    retries: false,
  },
  {
    heading: "Any server, with an API key",
    kind: "plain",
    to: "`/v1/events`",
    sends: "page view, event, order",
    counted: [1, 3, 25],
    retries: false,
  },
  {
    heading: "An app that was offline",
    kind: "plain",
    to: "`/v1/events`",
    sends: "page view, event; 72 h late",
    counted: [1, 2, 0],
    retries: false,
  },
];
/** What happens to a client's first request. (One that heard "200" and not its body is done; test/e2e/retry.test.ts.) */
const MISHAPS: readonly Mishap[] = ["500", "429", "cut before the answer"];
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

describe.each(here.filter(([, { retries }]) => retries))("%s", (heading, tried) => {
  test.each(MISHAPS)("[FMT-4] its events count once when the answer is: %s", async (mishap) => {
    const shop = await createShop();
    proxy.answers.length = 0;
    proxy.mishaps.splice(0, Number.POSITIVE_INFINITY, mishap);
    await run(tried, shop, async () => wasResent());
    expect(await settledCountOf(shop.merchant, tried)).toEqual(tried.counted);
    expect(wasResent()).toBe(true);
    passed.get(heading)?.push(mishap);
  });
});

test("[FMT-4] the table of the documentation is what was tried here", () => {
  const tried = CLIENTS.filter(isHere);
  expect([...passed.keys()]).toEqual(tried.map(({ heading }) => heading));
  for (const { heading, retries } of tried) {
    expect([heading, passed.get(heading)]).toEqual([heading, retries ? MISHAPS : []]);
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
      ...MISHAPS.map(() => (retries ? WELL : "–")),
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
async function run(tried: Tried, { merchant, hostname }: Shop, isDone: () => Promise<boolean>): Promise<void> {
  const ids = { trackingId: merchant.tracking_id, apiKey: await services.client.createWriteKey(merchant) };
  const setting: Setting = { collectorUrl: proxy.url, hostname, ...ids };
  if (tried.kind === "npm, browser") await browser?.run(tried.heading, setting, isDone);
  else await runSnippet(tried.heading, setting);
}

/** Whether an id, by whatever name its protocol has for it, came in more than one request. */
function wasResent(): boolean {
  const ids = proxy.answers.flatMap(({ sent }) => {
    const text = String(sent[0] === 0x1f && sent[1] === 0x8b ? gunzipSync(sent) : sent);
    return [...text.matchAll(/"(?:messageId|uuid|eid)":"([^"]+)"/g)].map(([, id]) => id);
  });
  return new Set(ids).size < ids.length;
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
