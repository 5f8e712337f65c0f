// What the real Umami is told (umami-export.ts): two weeks of a shop, and a blog beside it whose events must not get
// into the shop's numbers. Hits are as browsers send them with Umami's tracker, with what makes exports hard: fragments
// with a query, letters beyond ASCII, escapes, quotes and line breaks, a query that Umami cuts, two hostnames, people
// who are named, money in two currencies, properties of every type, load times and bots.

import { type Random, seededRandom } from "../test/support/random.ts";

export interface Hit {
  readonly type: "event" | "identify" | "performance";
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: Readonly<Record<string, unknown>>;
  /** The browser whose token it brings; undefined of what a server sends. */
  readonly tokenOf?: string;
}

export const SITES = [
  { id: "5f0e3c52-7a51-4c0e-9d6f-0c1c5b5a0001", name: "Shop", domain: "shop.example" },
  { id: "5f0e3c52-7a51-4c0e-9d6f-0c1c5b5a0002", name: "Blog", domain: "blog.example" },
] as const;

const DAY = 86_400_000;
const START = Date.UTC(2026, 10, 9);
const DAYS = 14;
export const RANGE = { start: START, end: START + DAYS * DAY };

const AGENTS = [
  [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "1920x1080",
  ],
  [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
    "2560x1440",
  ],
  [
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
    "1440x900",
  ],
  ["Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "3840x2160"],
  [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
    "390x844",
  ],
  [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/142.0.7444.46 Mobile/15E148 Safari/604.1",
    "393x852",
  ],
  [
    "Mozilla/5.0 (iPad; CPU OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1",
    "820x1180",
  ],
  [
    "Mozilla/5.0 (Linux; Android 14; SM-S911B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
    "360x780",
  ],
  [
    "Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-A546B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36",
    "412x915",
  ],
  [
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "1366x768",
  ],
] as const;
const BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

const PLACES = [
  { "cf-ipcountry": "AT", "cf-region-code": "9", "cf-ipcity": "Vienna" },
  { "cf-ipcountry": "DE", "cf-region-code": "BY", "cf-ipcity": "München" },
  { "cf-ipcountry": "CH", "cf-region-code": "ZH", "cf-ipcity": "Zürich" },
  { "cf-ipcountry": "US", "cf-region-code": "CA", "cf-ipcity": "San Francisco" },
  { "cf-ipcountry": "JP", "cf-region-code": "13" },
  { "cf-ipcountry": "GB" },
] as const;
const LANGUAGES = ["de-AT", "de", "en-GB", "en-US", "ja", "fr-CH"];

const PAGES = [
  ["/", "Shop, at home"],
  ["/mats", "Mats"],
  ["/mats/blue?size=2", 'Mat "blue", 2 m'],
  ["/mats/blue#reviews", 'Mat "blue", 2 m'],
  ["/mats/blue?size=2&color=r%C3%B6t#reviews", 'Mat "blue"\nreviews'],
  ["/Gr%C3%B6%C3%9Fen%20%26%20Ma%C3%9Fe", "Größen & Maße"],
  ["/sale/100%25-wool", "100% wool"],
  ["/search?q=blue+mat%2C+%22large%22", "Search"],
  ["/日本", "日本 🎌"],
  ["/cart", "Cart"],
] as const;
const ENTRIES = [
  ["", ""],
  ["", "https://www.google.com/"],
  ["", "https://duckduckgo.com/?q=mats"],
  ["?utm_source=newsletter&utm_medium=email&utm_campaign=autumn%20sale&utm_content=top&utm_term=mats", ""],
  ["?utm_source=google&utm_medium=cpc&utm_campaign=mats&gclid=Cj0KCQiA", "https://www.google.com/"],
  ["", "https://www.reddit.com/r/mats/comments/1/best_mats?sort=top"],
  ["?ref=friend", "https://news.example/articles/2026/mats.html"],
  ["", "android-app://com.google.android.gm/"],
] as const;
/** Umami keeps 500 characters of a query, and the campaign, which stands at its end, in columns of its own. */
const LONG_QUERY = `?filter=${"x".repeat(520)}&utm_source=partner&utm_medium=link&utm_campaign=long`;

export const HITS: readonly Hit[] = tell(seededRandom(20_261_109));

function tell(random: Random): readonly Hit[] {
  const visits = Array.from({ length: 64 }, (_, person) => visitsOf(random, person)).flat();
  const blog = Array.from({ length: 12 }, (_, person) => blogVisit(random, person)).flat();
  return [...visits, ...blog].toSorted((a, b) => Number(a.payload["timestamp"]) - Number(b.payload["timestamp"]));
}

interface Browser {
  readonly person: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly common: Readonly<Record<string, unknown>>;
}

function browserOf(random: Random, person: number, website: string, hostname: string): Browser {
  const [agent, screen] = random.pick(AGENTS);
  return {
    person,
    // A header is bytes: a name of a city is sent as UTF-8, as Cloudflare sends it.
    headers: Object.fromEntries(
      Object.entries({ ...random.pick(PLACES), "x-forwarded-for": `203.0.113.${person + 1}`, "user-agent": agent }).map(
        ([name, value]) => [name, Buffer.from(value).toString("latin1")],
      ),
    ),
    common: { website, hostname, screen, language: random.pick(LANGUAGES) },
  };
}

function visitsOf(random: Random, person: number): readonly Hit[] {
  const browser = browserOf(random, person, SITES[0].id, person % 9 === 8 ? "www.shop.example" : "shop.example");
  return Array.from({ length: random.integer(1, 3) }, (_, visit) =>
    visitOf(random, browser, visit, START + random.integer(0, DAYS - 1) * DAY + random.integer(0, 22 * 60) * 60_000),
  ).flat();
}

function visitOf(random: Random, { person, headers, common }: Browser, visit: number, begins: number): readonly Hit[] {
  const hits: Hit[] = [];
  let at = begins;
  const site = `https://${common["hostname"]}`;
  const named = person % 8 === 3 && visit > 0 ? { id: `customer-${person}` } : {};
  const tokenOf = `${person}.${visit}`;
  const hit = (type: Hit["type"], fields: object) => {
    const timestamp = Math.floor(at / 1000);
    hits.push({ type, headers, payload: { ...common, ...named, timestamp, ...fields }, tokenOf });
    at += random.integer(0, 8) * 15_000; // some of them in one second
  };
  if ("id" in named) hit("identify", { url: `${site}/`, title: "Shop", data: { plan: "gold", since: 2024 } });
  const [query, from] = person === 5 ? [LONG_QUERY, ""] : random.pick(ENTRIES);
  let [path, title]: readonly [string, string] = random.pick(PAGES);
  let url = `${site}${query === "" ? path : (path.split(/[?#]/)[0] as string) + query + (/#.*/.exec(path)?.[0] ?? "")}`;
  let referrer: string = from;
  const tag = person % 5 === 0 ? { tag: visit % 2 === 0 ? "variant a" : "variant-b" } : {};
  for (let page = random.integer(1, 5); page > 0; page--) {
    hit("event", { url, title, referrer, ...tag });
    const where = { url, title, referrer, ...tag };
    if (random.chance(0.15))
      hit("performance", { url, title, lcp: 1_234.5, fcp: 456.7, cls: 0.0123, ttfb: 80, inp: 56 });
    if (random.chance(0.25)) hit("event", { ...where, name: "add to cart", data: addedOf(random) });
    if (random.chance(0.1)) hit("event", { ...where, name: "Newsletter – Anmeldung" });
    if (random.chance(0.1))
      hit("event", { ...where, name: "order", data: orderOf(random, `${person}-${visit}-${page}`) });
    referrer = url;
    [path, title] = random.pick(PAGES);
    url = `${site}${path}`;
  }
  if (person % 16 === 7) hits.push({ ...(hits[0] as Hit), headers: { ...headers, "user-agent": BOT } });
  return hits;
}

/** Properties of every type that Umami tells apart. */
function addedOf(random: Random): object {
  return {
    sku: random.pick(["A1", "B2"]),
    price: random.pick([10, 7.5, 1_299.99]),
    gift: random.chance(0.5),
    when: "2026-11-20T10:00:00.000Z",
    text: 'says "soft", twice;\nand more',
    colors: ["red", "blue"],
    size: { width: 2, unit: "m" },
    none: null,
  };
}

function orderOf(random: Random, order: string): object {
  const currency = random.pick(["EUR", "EUR", "USD"]);
  return { revenue: random.pick([29.9, 20.5, 100, 0.01]), currency, order_id: `S-${order}`, coupon: "AUTUMN10" };
}

function blogVisit(random: Random, person: number): readonly Hit[] {
  const { headers, common } = browserOf(random, person, SITES[1].id, "blog.example");
  const at = START + random.integer(0, DAYS - 1) * DAY;
  const payload = { ...common, timestamp: Math.floor(at / 1000), url: "https://blog.example/post", title: "Post" };
  const sold = { ...payload, name: "order", data: { revenue: 5, currency: "EUR", order_id: `B-${person}` } };
  return [payload, ...(person % 4 === 0 ? [sold] : [])].map((one) => ({ type: "event", headers, payload: one }));
}
