// The dashboard's pages. Every address gives the same small document. It has who is signed in and their shops, so the
// page's first request is already for numbers. For that reason nobody may cache the document. Its script and style have
// the hash of their bytes in their names and are cached for ever (scripts/build-dashboard.ts makes them).

import type { Context } from "hono";
import { getCookie } from "hono/cookie";
import { DASHBOARD_SHOPS_NAMED_MAX, ID_LENGTH_MAX } from "../../core/limits.ts";
import { NO_PREFERENCES, type Preferences, THEMES } from "../../core/preference.ts";
import type { Membership } from "../../storage/directory/members.ts";
import { findEmbedOrigins } from "../../storage/directory/shares.ts";
import { customerKey } from "../../storage/rate-limit.ts";
import type { Boot } from "./boot.ts";
import { FILES, LANGUAGES } from "./dashboard/.build/files.js";
import type { Deps } from "./deps.ts";
import { GUESSING, limitGuesses } from "./guess.ts";
import { admit, TOO_OFTEN } from "./limit.ts";
import { membershipsOf, sessionTokenOf } from "./membership.ts";
import { preferencesOf } from "./preferences.ts";
import { toShops } from "./shops.ts";

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const SAFE = {
  "content-security-policy": POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=()",
};

/**
 * Who opened the window of a page in which somebody may type a password or a token cannot send it elsewhere meanwhile.
 * Other pages go without: a browser starts a process for each page that has this, which takes as long as all the rest
 * until the first paint.
 */
const OF_NO_OPENER = { "cross-origin-opener-policy": "same-origin" };

const NAMED_LANGUAGES = Object.entries(LANGUAGES).map(([code, { name }]) => [code, name] as const);

/** The address of a share link in a frame. The path has the link's id; its token is after "#". */
export const EMBED_PATH = "/embed/:share";

/** The addresses of pages. "/" redirects to one of them. */
export const PAGE_PATHS = [
  "/sign-in",
  "/invite",
  "/shops",
  "/operator",
  "/share",
  "/share/:page",
  "/s/:shop",
  "/s/:shop/:page",
];

type SendPage = (c: Context, memberships: readonly Membership[], deps: Deps) => Response;

/**
 * Answers with a page. Anybody may have pages, but a session is looked up for each. Made-up sessions count as they do
 * elsewhere (guess.ts). Requests of a member count as the member's questions do.
 */
export async function servePage(c: Context, deps: Deps, send: SendPage): Promise<Response> {
  let judged: "good" | "wrong" | undefined;
  let page: Response | undefined;
  const serve = async () => {
    const memberships = await membershipsOf(c, deps);
    const [first] = memberships;
    if (first !== undefined) judged = "good";
    else if (sessionTokenOf(c) !== undefined) judged = "wrong";
    const mayAsk = first === undefined || (await admit(c, first.member.id, deps.keyLimit));
    page = mayAsk ? send(c, memberships, deps) : c.text(TOO_OFTEN, 429);
  };
  const refuse = () => c.text(GUESSING, 429);
  const refused = await limitGuesses(c, serve, { deps, refuse, judge: () => judged });
  return refused ?? page ?? refuse();
}

/** GET /: redirects to the shop, to the list of shops or to the sign-in. */
export function sendHome(c: Context, memberships: readonly Membership[]): Response {
  const [first, ...others] = memberships;
  const shop = `/s/${first?.merchant.id}/${startPageOf(preferencesOf(memberships))}`;
  const location = first === undefined ? "/sign-in" : others.length > 0 ? "/shops" : shop;
  return c.body(null, 302, { location, "cache-control": "no-store" });
}

/** Sends a page to anybody, whatever shop the address names. The page does not say whether that shop exists. */
export function sendPage(c: Context, memberships: readonly Membership[], deps: Deps): Response {
  const named = c.req.param("shop");
  const own = memberships.filter(({ merchant }) => merchant.id === named);
  const others = memberships.filter(({ merchant }) => merchant.id !== named);
  const preferences = preferencesOf(memberships);
  const { language, theme } = lookOf(c, preferences);
  const start = startPageOf(preferences);
  const { region } = preferences;
  const boot = {
    ...bootOf([...own, ...others], deps),
    language,
    languages: NAMED_LANGUAGES,
    start,
    ...(region !== null && { region }),
  };
  const page = c.req.param("page") ?? c.req.path.slice(1);
  const mayTypeSecret = boot.email === undefined || page === "operator";
  const headers = { ...SAFE, ...(mayTypeSecret && OF_NO_OPENER), ...NOT_KEPT };
  return c.body(documentOf(boot, { theme, page, shop: own[0]?.merchant.name }), 200, headers);
}

/**
 * The page of a share link in a frame. Only pages of the origins that the link names may show it. It says nothing about
 * who is signed in. Language and theme come from the address, since the frame has no cookies.
 */
export async function sendEmbed(c: Context, deps: Deps): Promise<Response> {
  const id = (c.req.param("share") ?? "").slice(0, ID_LENGTH_MAX);
  let judged: "good" | "wrong" | undefined;
  let page: Response | undefined;
  const serve = async () => {
    // Not by the name under which its questions count: who has only its id must not use those up. And by address: the
    // id stands in every page that shows the frame, and one of its readers must not close it for the others.
    const reader = customerKey(c.req.header("cf-connecting-ip") ?? "");
    if (!(await admit(c, `embed ${id} ${reader}`, deps.keyLimit))) {
      page = c.text(TOO_OFTEN, 429);
      return;
    }
    const origins = await findEmbedOrigins(deps.directory, { id, now: deps.now() });
    judged = origins === undefined ? "wrong" : "good";
    page = sendFramed(c, origins ?? []);
  };
  const refuse = () => c.text(GUESSING, 429);
  const refused = await limitGuesses(c, serve, { deps, refuse, judge: () => judged, credential: id });
  return refused ?? page ?? refuse();
}

function sendFramed(c: Context, origins: readonly string[]): Response {
  const { language: said = "", theme: look = "" } = c.req.query();
  const language = Object.hasOwn(LANGUAGES, said) ? said : lookOf(c, NO_PREFERENCES).language;
  const theme = THEMES.find((one) => one === look) ?? "";
  const boot = { shops: [], shopsCount: 0, access: false, language, languages: NAMED_LANGUAGES, start: "overview" };
  const ancestors = origins.length === 0 ? "'none'" : origins.join(" ");
  const policy = POLICY.replace("frame-ancestors 'none'", `frame-ancestors ${ancestors}`);
  const headers = { ...SAFE, "content-security-policy": policy, ...NOT_KEPT };
  return c.body(documentOf(boot, { theme, page: "overview" }), 200, headers);
}

const NOT_KEPT = { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" };

/** Sends a script or a style by its name, which contains the hash of its bytes. */
export function sendAsset(c: Context): Response | undefined {
  const file = FILES.find(({ path }) => path === c.req.path);
  if (file === undefined) return undefined;
  const headers = {
    "content-type": file.type,
    "cache-control": "public, max-age=31536000, immutable",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
  };
  return c.body(file.text, 200, headers);
}

type Told = Omit<Boot, "language" | "languages" | "start" | "region">;

function bootOf(memberships: readonly Membership[], deps: Deps): Told {
  const email = memberships[0]?.member.email;
  return {
    ...(email !== undefined && { email }),
    shops: toShops(memberships.slice(0, DASHBOARD_SHOPS_NAMED_MAX), deps.now()),
    shopsCount: memberships.length,
    access: deps.access !== undefined,
    ...(deps.operatorAccess !== undefined && { operatorAccess: true as const }),
    ...(email !== undefined && deps.collectorUrl !== undefined && { collector: deps.collectorUrl }),
  };
}

/** The page that opens first for a shop. Another release may have had other pages. */
function startPageOf({ start_page: name }: Preferences): string {
  const { pages } = LANGUAGES["en"] as (typeof LANGUAGES)[string];
  const isOfShop = name !== null && Object.hasOwn(pages, name) && !PAGE_PATHS.includes(`/${name}`);
  return isOfShop ? name : "overview";
}

/**
 * The language and the theme that the member has chosen. Without a choice they come from the browser: from the choice
 * in a cookie that only the page writes, or from what the browser prefers.
 */
function lookOf(c: Context, preferences: Preferences): { readonly language: string; readonly theme: string } {
  const [inBrowser = "", themeInBrowser = ""] = (getCookie(c, "footfall-look") ?? "").split(".");
  const chosen = preferences.language ?? inBrowser;
  const theme = preferences.theme ?? themeInBrowser;
  const wanted = (c.req.header("accept-language") ?? "")
    .split(",")
    .map((part) => part.trim().slice(0, 2).toLowerCase());
  const language = [chosen, ...wanted].find((code) => Object.hasOwn(LANGUAGES, code)) ?? "en";
  return { language, theme: ["light", "dark"].includes(theme) ? theme : "" };
}

const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='3' fill='%230b6e5f'/%3E%3Cpath d='M4 12V8m4 4V4m4 8V6' stroke='%23fffdf9' stroke-width='2'/%3E%3C/svg%3E";

interface Shown {
  readonly theme: string;
  readonly page: string;
  /** The name of the shop, where it stands on the page before its script has come. */
  readonly shop?: string | undefined;
}

function documentOf(boot: Boot, { theme, page, shop }: Shown): string {
  const { script, style, direction, pages } = LANGUAGES[boot.language] as (typeof LANGUAGES)[string];
  // The script of a page is loaded together with the script that would ask for it.
  const own = (Object.hasOwn(pages, page) ? pages[page] : []) ?? [];
  const preloads = own.map((path) => `\n<link rel="modulepreload" href="${path}">`).join("");
  const header = shop === undefined ? "" : `<header class="top"><h1><bdi>${inHtml(shop)}</bdi></h1></header>`;
  return `<!doctype html>
<html lang="${boot.language}" dir="${direction}"${theme === "" ? "" : ` data-theme="${theme}"`}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="${theme === "" ? "light dark" : theme}">
<meta name="footfall" content="${inHtml(JSON.stringify(boot))}">
<title>Footfall</title>
<link rel="icon" href="${ICON}">
<link rel="stylesheet" href="${style}">
<script type="module" src="${script}"></script>${preloads}
</head>
<body><div id="app">${header}</div><noscript>Footfall's dashboard needs JavaScript. The API does not: /api/reference</noscript></body>
</html>
`;
}

function inHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
