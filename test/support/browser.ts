// A real browser for tests, the Workers beside it, and what tests ask of them: the counts of the API, and what pages
// sent.

import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  firefox,
  type Page,
} from "playwright-core";
import { CHROMIUM, FIREFOX } from "../../scripts/browsers.ts";
import { TRACKER_NAMES, type TrackerScript, toScript } from "../../scripts/build-tracker.ts";
import type { Runtime } from "../../scripts/runtime.ts";
import { CHROME } from "./events.ts";
import { type Client, type Merchant, startServices, until } from "./services.ts";
import { type Site, type SiteOptions, startSite } from "./shop-site.ts";

/**
 * Browsers started by root need the first; the pages are our own. The agent is no "HeadlessChrome", which is a bot.
 * (Set here and not for a page, because a request that outlives its page would not have it.)
 */
export const CHROMIUM_ARGUMENTS = ["--no-sandbox", `--user-agent=${CHROME}`];

/**
 * What tests are run in, where it is there. Debian's Firefox is driven by WebDriver BiDi, which it speaks itself, and
 * only where FIREFOX_BIN names it: not all of the dashboard's tests hold there yet (docs/half-done.md).
 */
export const BROWSERS = {
  Chromium: {
    path: CHROMIUM,
    launch: () =>
      chromium.launch({
        executablePath: CHROMIUM as string,
        args: CHROMIUM_ARGUMENTS,
        ignoreDefaultArgs: ["--disable-back-forward-cache"],
      }),
    context: { reducedMotion: "reduce" },
  },
  Firefox: {
    path: process.env["FIREFOX_BIN"] && FIREFOX,
    launch: async () =>
      withoutMedia(
        await firefox.launch({
          executablePath: FIREFOX as string,
          channel: "moz-firefox",
          timeout: 120_000,
          // What it opens over the page at a download takes the keys.
          firefoxUserPrefs: { "browser.download.alwaysOpenPanel": false },
        }),
      ),
    context: {},
  },
} as const;

interface Session {
  send(method: string, params: unknown): Promise<unknown>;
}

/**
 * Playwright tells every new context what its pages prefer, by a command that Firefox ESR 153 does not know; without it
 * everything else works. It has no option to leave that out (1.65.1), so the command is answered here.
 */
function withoutMedia(browser: Browser): Browser {
  const { _connection: connection } = browser as unknown as {
    _connection: { toImpl(one: Browser): { _browserSession: Session } };
  };
  const { _browserSession: session } = connection.toImpl(browser);
  const send = session.send.bind(session);
  session.send = (method, params) =>
    method === "emulation.setMediaFeaturesOverride" ? Promise.resolve({}) : send(method, params);
  return browser;
}

/**
 * Waits until a condition holds in a page twice in a row, because an address changes before the page begins to ask for
 * what it names. It is asked from outside: a policy of the page may forbid to evaluate there.
 */
export async function untilStays(page: Page, condition: string): Promise<void> {
  let times = 0;
  await until(
    async () => {
      times = (await page.evaluate(condition).catch(() => false)) === true ? times + 1 : 0;
      return times;
    },
    (count) => count === 2,
  );
}

/** Waits until a page of the dashboard is shown, and none of its parts is busy. */
export async function untilSettled(page: Page, name: string): Promise<void> {
  const isShown = `document.querySelector('[data-page="${name}"]') !== null`;
  await untilStays(page, `${isShown} && document.querySelector('[aria-busy=true]') === null`);
}

/** An event as the tracker sends it. */
export interface SentEvent {
  readonly id: string;
  readonly timestamp: number | string;
  readonly name?: string;
  readonly url: string;
  readonly [field: string]: unknown;
}

/** A page that hears a refusal after its next event was told sends both again 20 s later. */
const COUNTED_WITHIN_MS = 40_000;

/** A browser, the Workers, and sites that go when the test file ends. */
export class Stage {
  readonly client: Client;
  readonly runtime: Runtime;
  readonly browser: Browser;
  readonly #stopServices: () => Promise<void>;
  readonly #sites: Site[] = [];
  readonly #options: BrowserContextOptions;

  constructor(
    services: { runtime: Runtime; client: Client; stop: () => Promise<void> },
    browser: Browser,
    options: BrowserContextOptions,
  ) {
    this.#options = options;
    this.client = services.client;
    this.runtime = services.runtime;
    this.#stopServices = services.stop;
    this.browser = browser;
  }

  static async open(name: keyof typeof BROWSERS = "Chromium", vars: Record<string, string> = {}): Promise<Stage> {
    const services = await startServices(vars);
    const { launch, context } = BROWSERS[name];
    return new Stage(services, await launch(), context);
  }

  /** Somebody's browser, with nothing kept from others. */
  async context(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    return await this.browser.newContext({ ...this.#options, ...options });
  }

  async close(): Promise<void> {
    await this.browser.close();
    for (const site of this.#sites) await site.stop();
    await this.#stopServices();
  }

  /** A site of a merchant of its own, or of one that is given. */
  async site(options: SiteOptions = {}, merchant?: Merchant): Promise<Site> {
    const site = await startSite(this.client, merchant ?? (await this.client.createMerchant()), options);
    this.#sites.push(site);
    return site;
  }

  /** A visitor's browser: nothing kept from others, and errors of pages collected. */
  async visitor(options: { readonly script?: boolean } = {}): Promise<Visitor> {
    const context = await this.browser.newContext({ javaScriptEnabled: options.script ?? true });
    await context.route("https://elsewhere.example/**", (route) => route.fulfill({ body: "elsewhere" }));
    const errors: string[] = [];
    context.on("weberror", (error) => errors.push(error.error().message));
    return { context, page: await context.newPage(), errors };
  }

  /** Today's builds, with the names and integrity that the snippet has. */
  async scripts(): Promise<readonly TrackerScript[]> {
    return await Promise.all(
      TRACKER_NAMES.map(async (name) => {
        const response = await fetch(`${this.client.collectorUrl}/${name}.js`);
        return toScript(name, await response.text());
      }),
    );
  }

  /** What the API counts, by event name or by page; waits until it is so. */
  async expectCounts(site: Site, dimension: string, counts: Counts): Promise<void> {
    const metrics = [dimension === "event:page" ? "pageviews" : "events"];
    const wanted = JSON.stringify(sorted(counts));
    await until(
      async () => {
        const { results } = await this.client.ask(site.merchant, {
          metrics,
          date_range: "all",
          dimensions: [dimension],
        });
        const found = results.map((row) => [row.dimensions[0] as string, row.metrics[0] as number] as const);
        return JSON.stringify(sorted(Object.fromEntries(found.filter(([, count]) => count > 0))));
      },
      (found) => found === wanted,
      COUNTED_WITHIN_MS,
    ).catch((error: Error) => {
      throw new Error(`wanted ${wanted}, ${error.message}`);
    });
  }

  /** A total of the API. */
  async total(site: Site, metric: string): Promise<unknown> {
    const { results } = await this.client.ask(site.merchant, { metrics: [metric], date_range: "all" });
    return results[0]?.metrics[0];
  }
}

export interface Visitor {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Exceptions that reached a page. */
  readonly errors: string[];
}

type Counts = Readonly<Record<string, number>>;

function sorted(counts: Counts): readonly (readonly [string, number])[] {
  return Object.entries(counts).sort(([left], [right]) => (left < right ? -1 : 1));
}

/** Events that a site's pages have sent, each once, by name. */
export function sentBy(site: Site, name = "pageview"): readonly SentEvent[] {
  const events = site.bodies.flatMap((body) => JSON.parse(body) as SentEvent[]);
  const byId = new Map(events.map((event) => [event.id, event]));
  return [...byId.values()].filter((event) => (event.name ?? "pageview") === name);
}

/** Waits until pages have sent so many events of a name, and answers them. */
export async function untilSent(site: Site, name: string, count = 1): Promise<readonly SentEvent[]> {
  return await until(
    async () => sentBy(site, name),
    (events) => events.length >= count,
    10_000,
  );
}

/** What the tracker keeps in the page's storage. */
export async function keptIn(page: Page): Promise<Readonly<Record<string, string>>> {
  return await page.evaluate(
    "Object.fromEntries(Object.entries(localStorage).filter(([key]) => key.startsWith('_ff')))",
  );
}

/** Goes back in the history as a reader does; Playwright's own goBack waits for a load that the cache does not have. */
export async function goBack(page: Page): Promise<void> {
  await page.evaluate("setTimeout(() => history.back())");
}
