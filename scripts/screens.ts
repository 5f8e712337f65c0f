// `npm run screens`: pictures of the dashboard's pages, of a running `npm start` after `npm run demo`, into
// docs/screens/ (or the folder that is given). Each page wide and light, and dark on a phone; in a Chromium that
// CHROME_BIN names or PATH has.

import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { PAGES } from "../workers/query/dashboard/pages.ts";
import { CHROMIUM } from "./browsers.ts";
import { type LocalStart, readLocalStart, stateDirOf } from "./local-state.ts";
import { Problem, runMain } from "./problem.ts";

const SIZES = { wide: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } } as const;
const IS_SETTLED =
  "document.querySelector('h1') !== null && document.querySelector('[aria-busy=true], .skeleton') === null";
const THEMES = ["light", "dark"] as const;

interface Shot {
  readonly name: string;
  /** After the shop's address. */
  readonly view: string;
  /** What is done before the picture is taken. */
  readonly before?: (page: Page) => Promise<void>;
  readonly isSignedOut?: boolean;
  /** What the browser prefers; British English unless said. */
  readonly locale?: string;
  /** In every size and theme, and as long as the page is; the others wide and light, and dark on a phone. */
  readonly isWhole?: boolean;
}

const SHOTS: readonly Shot[] = [
  { name: "overview", view: "overview?v=1&range=7d", isWhole: true },
  { name: "filtered", view: "overview?v=1&range=7d&metric=visitors&f=is:source:Google&where=channel&what=product" },
  { name: "today", view: "overview?v=1&range=day&metric=visitors" },
  {
    name: "card",
    view: "overview?v=1&range=7d",
    before: async (page) => {
      await page.locator(".tiles li:nth-child(3) .proof > button").click();
      await page.locator(".chart svg").hover();
    },
  },
  { name: "now-screen", view: "now?v=1&at=screen" },
  // Every other page of the list as it is when it is opened.
  ...PAGES.slice(1).map(({ name }) => ({ name, view: `${name}?v=1&range=7d`, isWhole: true })),
  {
    name: "map",
    view: "overview?v=1&range=7d&all=country",
    before: async (page) => {
      await page.locator(".world path.some").first().focus();
    },
  },
  {
    name: "left-out",
    view: "trust?v=1&range=7d",
    isWhole: true,
    before: async (page) => {
      for (const summary of await page.locator(".which summary").all()) await summary.click();
    },
  },
  { name: "arabic", view: "overview?v=1&range=7d", locale: "ar" },
  { name: "sign-in", view: "overview", isSignedOut: true },
];

await runMain(async () => {
  const start = await readLocalStart(stateDirOf(process.env));
  if (start === undefined) throw new Problem("nothing is running here; run `npm start` and `npm run demo` first");
  if (CHROMIUM === undefined) throw new Problem("no Chromium in PATH, and CHROME_BIN names none");
  const folder = resolve(process.argv[2] ?? join(import.meta.dirname, "../docs/screens"));
  const only = process.argv[3]?.split(",");
  await mkdir(folder, { recursive: true });
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  try {
    for (const shot of SHOTS.filter(({ name }) => only?.includes(name) ?? true))
      await take(browser, start, shot, folder);
  } finally {
    await browser.close();
  }
});

async function take(
  browser: Browser,
  { query, merchant, sign_in }: LocalStart,
  shot: Shot,
  folder: string,
): Promise<void> {
  for (const [size, viewport] of Object.entries(SIZES)) {
    for (const colorScheme of THEMES) {
      if (shot.isWhole !== true && (size === "wide") !== (colorScheme === "light")) continue;
      const { locale = "en-GB" } = shot;
      const context = await browser.newContext({ viewport, colorScheme, locale, reducedMotion: "reduce" });
      const page = await context.newPage();
      page.on("console", (message) => message.type() === "error" && console.error(message.text()));
      page.on("pageerror", (error) => console.error(String(error)));
      if (shot.isSignedOut !== true)
        await context.request.post(`${query}/api/v1/session`, { data: sign_in, headers: { origin: query } });
      await page.goto(`${query}/s/${merchant}/${shot.view}`);
      // Its policy forbids waiting inside the page, so it is asked from here.
      while (!(await page.evaluate(IS_SETTLED))) await page.waitForTimeout(100);
      await page.waitForTimeout(shot.isSignedOut === true ? 300 : 2_200); // who is there now is asked last
      await shot.before?.(page);
      const path = join(folder, `${shot.name}-${size}-${colorScheme}.png`);
      await page.screenshot({ path, fullPage: shot.isWhole === true });
      console.log(path);
      await context.close();
    }
  }
}
