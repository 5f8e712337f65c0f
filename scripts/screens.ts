// `npm run screens`: pictures of the dashboard's pages, of a running `npm start` after `npm run demo`, into
// docs/screens/ (or the folder that is given). Each page wide and light, and dark on a phone; in a Chromium that
// CHROME_BIN names or PATH has. `npm run screens -- folder names,of,pictures png` takes some alone, or as PNG: WebP has
// a third of its size.

import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { PAGES } from "../workers/query/dashboard/pages.ts";
import { CHROMIUM } from "./browsers.ts";
import { type LocalStart, readLocalStart, stateDirOf } from "./local-state.ts";
import { Problem, runMain } from "./problem.ts";

const SIZES = { wide: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } } as const;
const IS_SETTLED =
  "document.querySelector('h1') !== null && document.querySelector('[aria-busy=true], .skeleton, .wait') === null";
const THEMES = ["light", "dark"] as const;
/** Letters stay sharp. */
const WEBP_QUALITY = 82;

interface Shot {
  readonly name: string;
  /** After the shop's address; with a "/" before it, an address of its own. */
  readonly view: string;
  /** What is done before the picture is taken. */
  readonly before?: (page: Page, start: LocalStart) => Promise<void>;
  readonly isSignedOut?: boolean;
  /** What the browser prefers; British English unless said. */
  readonly locale?: string;
  /** In every size and theme; the others wide and light, and dark on a phone. */
  readonly isOfAll?: boolean;
  /** Only what a window shows of it. */
  readonly isOfWindow?: boolean;
}

/** What a page is opened with where its usual view shows little. */
const VIEWS: Readonly<Record<string, string>> = {
  goals: "range=7d&s=is:page:/cart&s=is:page:/checkout&s=is:event:purchase",
  return: "range=28d",
};
/** The sections of the page Settings beside its first. */
const SECTIONS = ["shop", "people", "keys", "shares", "sessions"] as const;

const SHOTS: readonly Shot[] = [
  { name: "overview", view: "overview?v=1&range=7d", isOfAll: true },
  { name: "filtered", view: "overview?v=1&range=7d&metric=visitors&f=is:source:Google&where=channel&what=product" },
  { name: "today", view: "overview?v=1&range=day&metric=visitors", isOfWindow: true },
  {
    name: "card",
    view: "overview?v=1&range=7d",
    isOfWindow: true,
    before: async (page) => {
      await page.locator(".tiles li:nth-child(3) .proof > button").click();
      await page.locator(".chart svg").hover();
    },
  },
  { name: "now-screen", view: "now?v=1&at=screen", isOfWindow: true },
  // Every other page of the list as it is when it is opened.
  ...PAGES.slice(1).map(({ name }) => ({
    name,
    view: `${name}?v=1&${VIEWS[name] ?? "range=7d"}`,
    isOfAll: true,
  })),
  ...SECTIONS.map((at) => ({ name: `settings-${at}`, view: `settings?v=1&at=${at}` })),
  {
    name: "map",
    view: "overview?v=1&range=7d&all=country",
    isOfWindow: true,
    before: async (page) => {
      await page.locator(".world path.some").first().focus();
    },
  },
  {
    name: "left-out",
    view: "trust?v=1&range=7d",
    before: async (page) => {
      for (const summary of await page.locator(".which summary").all()) await summary.click();
    },
  },
  {
    name: "api",
    view: "overview?v=1&range=7d",
    isOfWindow: true,
    before: (page) => page.locator(".graph .api").click(),
  },
  { name: "shops", view: "/shops", isOfWindow: true },
  {
    name: "operator",
    view: "/operator",
    before: async (page, { admin_token }) => {
      await page.locator("main input").first().fill(admin_token);
      await page.keyboard.press("Enter");
      await page.waitForTimeout(2_000);
    },
  },
  { name: "arabic", view: "overview?v=1&range=7d", locale: "ar" },
  { name: "arabic-morning", view: "morning?v=1", locale: "ar" },
  { name: "sign-in", view: "overview", isSignedOut: true, isOfWindow: true },
];

await runMain(async () => {
  const start = await readLocalStart(stateDirOf(process.env));
  if (start === undefined) throw new Problem("nothing is running here; run `npm start` and `npm run demo` first");
  if (CHROMIUM === undefined) throw new Problem("no Chromium in PATH, and CHROME_BIN names none");
  const folder = resolve(process.argv[2] ?? join(import.meta.dirname, "../docs/screens"));
  const only = process.argv[3]?.split(",");
  const format = process.argv[4] === "png" ? "png" : "webp";
  await mkdir(folder, { recursive: true });
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  try {
    for (const shot of SHOTS.filter(({ name }) => only?.includes(name) ?? true))
      for (const size of ["wide", "phone"] as const) await take(browser, start, shot, { size, folder, format });
  } finally {
    await browser.close();
  }
});

interface Into {
  readonly size: keyof typeof SIZES;
  readonly folder: string;
  readonly format: "png" | "webp";
}

/** One view at one width, in each theme that is wanted of it. */
async function take(browser: Browser, start: LocalStart, shot: Shot, { size, folder, format }: Into): Promise<void> {
  const { query, merchant, sign_in } = start;
  const { name, view, before, locale = "en-GB", isSignedOut, isOfAll, isOfWindow } = shot;
  const themes = isOfAll ? THEMES : ([size === "wide" ? "light" : "dark"] as const);
  const context = await browser.newContext({ viewport: SIZES[size], locale, reducedMotion: "reduce" });
  const page = await context.newPage();
  await page.emulateMedia({ colorScheme: themes[0] });
  page.on("console", (message) => message.type() === "error" && console.error(message.text()));
  page.on("pageerror", (error) => console.error(String(error)));
  if (!isSignedOut)
    await context.request.post(`${query}/api/v1/session`, { data: sign_in, headers: { origin: query } });
  await page.goto(view.startsWith("/") ? `${query}${view}` : `${query}/s/${merchant}/${view}`);
  // Its policy forbids waiting inside the page, so it is asked from here.
  while (!(await page.evaluate(IS_SETTLED))) await page.waitForTimeout(100);
  await page.waitForTimeout(isSignedOut ? 300 : 2_200); // who is there now is asked last
  await before?.(page, start);
  for (const theme of themes) {
    await page.emulateMedia({ colorScheme: theme });
    const path = join(folder, `${name}-${size}-${theme}.${format}`);
    if (format === "png") await page.screenshot({ path, fullPage: !isOfWindow });
    else await writeFile(path, await toWebp(context, page, isOfWindow === true));
    console.log(path);
  }
  // Else the list of sessions would be of pictures.
  await context.request.delete(`${query}/api/v1/session`, { headers: { origin: query } });
  await context.close();
}

/** The picture as WebP, which only Chromium's own protocol makes. */
async function toWebp(context: BrowserContext, page: Page, isOfWindow: boolean): Promise<Buffer> {
  const session = await context.newCDPSession(page);
  const { cssContentSize: whole } = await session.send("Page.getLayoutMetrics");
  const { data } = await session.send("Page.captureScreenshot", {
    format: "webp",
    quality: WEBP_QUALITY,
    ...(!isOfWindow && {
      captureBeyondViewport: true,
      clip: { x: 0, y: 0, width: whole.width, height: whole.height, scale: 1 },
    }),
  });
  return Buffer.from(data, "base64");
}
