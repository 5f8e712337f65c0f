// `npm run bench:dashboard [-- --umami <checkout>]`: how long a shop's owner waits for the overview, in Chromium, on
// the demo shop: until something is painted, and until the numbers are there, with a browser that was never here
// before and with one that was. Beside it the same page of Umami on as many visits, where a checkout is given that was
// built (umami.ts says how). Sides take turns; the middle of --rounds (7 unless said) is told. All of it shares this
// machine.

import { parseArgs } from "node:util";
import { type Browser, type BrowserContext, chromium, type Page, type Request } from "playwright-core";
import { CHROMIUM } from "../scripts/browsers.ts";
import { CHROMIUM_ARGUMENTS } from "../test/support/browser.ts";
import { DEMO_DAYS, type Demo, startDemoShop } from "./demo-shop.ts";
import { interleave, median, print } from "./measure.ts";
import { fillSite, startUmami, type Umami } from "./umami.ts";

const { values } = parseArgs({ options: { umami: { type: "string" }, rounds: { type: "string", default: "7" } } });
const NUMBERS_WITHIN_MS = 30_000;

/** JavaScript that is true once Umami shows its tiles, its chart and the first of its lists. */
const UMAMI_NUMBERS = `/Visitors\\s+[\\d.,]*[1-9]/.test(document.body?.innerText ?? "") &&
  document.querySelector("canvas") !== null && /\\/products\\//.test(document.body?.innerText ?? "")`;

/** One look at a page. */
interface Look {
  /** From the moment in which it was asked for. */
  readonly paintMs: number;
  readonly numbersMs: number;
  readonly requests: number;
  readonly kilobytes: number;
}

interface Side {
  readonly url: string;
  /** Makes the browser somebody's who has signed in. */
  readonly signIn: (context: BrowserContext) => Promise<void>;
  /** JavaScript that is true once all numbers of the first view are there. */
  readonly isThere: string;
}

if (CHROMIUM === undefined) {
  console.error("no Chromium here: on Debian, apt-get install chromium");
  process.exit(2);
}
const { demo, stop } = await startDemoShop();
const browser = await chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_ARGUMENTS });
let umami: Umami | undefined;
try {
  const size = await sizeOf(demo);
  if (values.umami !== undefined) umami = await startUmami(values.umami);
  if (umami === undefined) console.error("no rival: give --umami a checkout that was built, and have PostgreSQL");
  const rival = umami && theirs(umami, await fillSite(umami, { days: DEMO_DAYS, ...size }));
  const sides = { Footfall: await ours(demo), ...(rival && { Umami: rival }) };
  const runs = Object.fromEntries(Object.entries(sides).map(([name, side]) => [name, () => lookTwice(browser, side)]));
  await interleave(1, runs); // code that is not compiled yet
  const results = await interleave(Number(values.rounds), runs);
  const rows = Object.entries(results).flatMap(([name, looks]) =>
    ([0, 1] as const).map((at) => {
      const middle = (of: (look: Look) => number) => Math.round(median(looks.map((pair) => of(pair[at] as Look))));
      return {
        page: name,
        browser: at === 0 ? "never here before" : "here before",
        "first paint ms": middle(({ paintMs }) => paintMs),
        "numbers ms": middle(({ numbersMs }) => numbersMs),
        requests: middle(({ requests }) => requests),
        KB: middle(({ kilobytes }) => kilobytes),
      };
    }),
  );
  if (umami !== undefined) {
    const [ours, theirs] = [rows.slice(0, 2), rows.slice(2)];
    for (const [at, own] of ours.entries()) {
      const ratio = own["numbers ms"] / (theirs[at]?.["numbers ms"] ?? Number.NaN);
      console.error(`${own.browser}: numbers in ${ratio.toFixed(2)} of the time that Umami takes`);
    }
  }
  print("dashboard", rows, { days: DEMO_DAYS, ...size, rounds: Number(values.rounds) });
} finally {
  await browser.close();
  await umami?.stop();
  await stop();
}

async function sizeOf({ query, api_key, tracking_id }: Demo): Promise<{ visits: number; pageviews: number }> {
  const response = await fetch(`${query}/api/v2/query`, {
    method: "POST",
    headers: { authorization: `Bearer ${api_key}`, "content-type": "application/json" },
    body: JSON.stringify({ site_id: tracking_id, metrics: ["visits", "pageviews"], date_range: "all" }),
  });
  const { results } = (await response.json()) as { results: { metrics: [number, number] }[] };
  const [visits = 0, pageviews = 0] = results[0]?.metrics ?? [];
  return { visits, pageviews };
}

/** The overview of the shop, as its owner has it in the bookmarks. */
async function ours({ query, admin_token, sign_in: { email, password } }: Demo): Promise<Side> {
  const init = { headers: { authorization: `Bearer ${admin_token}` } };
  const found = await fetch(`${query}/api/v1/merchants`, init);
  const { merchants } = (await found.json()) as { merchants: { id: string }[] };
  return {
    url: `${query}/s/${merchants[0]?.id}/overview`,
    signIn: async (context) => {
      const init = { data: { email, password }, headers: { origin: query } };
      const response = await context.request.post(`${query}/api/v1/session`, init);
      if (!response.ok()) throw new Error(`sign-in: ${response.status()} ${await response.text()}`);
    },
    isThere: `document.querySelector(".tile b") !== null && document.querySelector(".tile .wait") === null &&
      document.querySelector("[aria-busy=true]") === null`,
  };
}

function theirs({ token }: Umami, url: string): Side {
  return {
    url,
    signIn: async (context) => {
      await context.addInitScript(`localStorage.setItem("umami.auth", ${JSON.stringify(JSON.stringify(token))})`);
    },
    isThere: UMAMI_NUMBERS,
  };
}

/** A browser's first look at a page, and its second. */
async function lookTwice(browser: Browser, side: Side): Promise<readonly [Look, Look]> {
  const context = await browser.newContext({ locale: "en-GB", viewport: { width: 1_280, height: 800 } });
  try {
    await side.signIn(context);
    await context.addInitScript(`(() => {
      const look = () => {
        if (globalThis.numbersAt === undefined && (${side.isThere})) globalThis.numbersAt = performance.now();
        if (globalThis.numbersAt === undefined) requestAnimationFrame(look);
      };
      look();
    })()`);
    return [await lookOnce(context, side), await lookOnce(context, side)];
  } finally {
    await context.close();
  }
}

async function lookOnce(context: BrowserContext, { url }: Side): Promise<Look> {
  const page = await context.newPage();
  const answered: Request[] = [];
  page.on("requestfinished", (request) => answered.push(request));
  await page.goto(url, { waitUntil: "commit", timeout: NUMBERS_WITHIN_MS });
  const numbersMs = await untilThere(page);
  const paintMs = (await page.evaluate(
    `performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Number.NaN`,
  )) as number;
  // Of those that were there by now: what is answered later is asked for nothing while the page closes.
  const sizes = await Promise.all([...answered].map((request) => request.sizes()));
  const bytes = sizes.map(({ responseBodySize, responseHeadersSize }) => responseBodySize + responseHeadersSize);
  await page.close();
  return { paintMs, numbersMs, requests: bytes.length, kilobytes: bytes.reduce((sum, one) => sum + one, 0) / 1_000 };
}

async function untilThere(page: Page): Promise<number> {
  const deadline = Date.now() + NUMBERS_WITHIN_MS;
  for (;;) {
    const at = (await page.evaluate("globalThis.numbersAt").catch(() => undefined)) as number | undefined;
    if (at !== undefined) return at;
    if (Date.now() > deadline) {
      const text = await page.innerText("body");
      throw new Error(`no numbers at ${page.url()}: ${text.slice(0, 500)}`);
    }
    await new Promise((settle) => setTimeout(settle, 20));
  }
}
