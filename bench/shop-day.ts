// A Day of one shop as its rollups see it: pages by Zipf's law, visits of which nearly half are of one event,
// most visitors from the shop's own country, campaigns, a few orders. What it is for is how many different
// values a Day has and how they repeat on the next, which decides what stored numbers take. Seeded by
// merchant and Day: two runs see the same.

import type { Event } from "../core/event.ts";
import { hash64Hex } from "../core/hash.ts";
import { DAY_MS, HOUR_MS } from "../core/time.ts";
import { CHROME, eventOf, IPHONE } from "../test/support/events.ts";
import { type Random, seededRandom } from "../test/support/random.ts";

export interface ShopDay {
  readonly merchant: number;
  /** Number of the date, UTC. */
  readonly day: number;
  readonly events: number;
  /** Whether visitors have an id of the first party: one in five then comes on other Days too. */
  readonly isKnown: boolean;
}

const ANDROID =
  "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36";
const MAC =
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15";
const FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";
const EDGE = `${CHROME} Edg/140.0.0.0`;

/** Each with its share. */
const AGENTS = [
  [IPHONE, 33],
  [ANDROID, 30],
  [CHROME, 20],
  [MAC, 8],
  [EDGE, 5],
  [FIREFOX, 4],
] as const;
const REFERRERS = [
  ["", 45],
  ["https://www.google.com/", 25],
  ["https://www.instagram.com/", 7],
  ["https://l.facebook.com/", 5],
  ["https://www.tiktok.com/", 3],
  ["https://www.bing.com/", 2],
  ["https://duckduckgo.com/", 2],
  ["https://www.pinterest.com/", 2],
  ["https://www.youtube.com/", 2],
  ["https://t.co/", 1],
  ["https://chatgpt.com/", 1],
  ["https://www.reddit.com/r/shopping/", 1],
  ["https://blog.example/best-of-2026", 1],
  ["https://news.example/story/12345", 1],
] as const;
/** Of each Hour, its share of a Day's visits. */
const HOURS = [12, 8, 5, 4, 4, 6, 12, 22, 34, 44, 50, 53, 55, 54, 52, 52, 54, 58, 63, 68, 70, 64, 46, 26].map(
  (share, hour) => [hour, share] as const,
);
const COUNTRIES = "US DE GB FR IN BR CA AU IT ES NL AT CH PL SE MX JP KR BE DK NO FI IE PT CZ TR ZA AR CL CO".split(
  " ",
);
const KINDS =
  "linen organic classic vintage slim oversized merino recycled ceramic walnut brass velvet striped soft mini".split(
    " ",
  );
const THINGS =
  "shirt dress mug lamp table sofa sneaker jacket scarf poster vase candle watch backpack blanket pillow ring necklace".split(
    " ",
  );

export function shopDay({ merchant, day, events, isKnown }: ShopDay): readonly Event[] {
  const home = COUNTRIES[Math.floor(seededRandom(merchant * 7_919 + 13).next() ** 2 * COUNTRIES.length)] as string;
  const random = seededRandom(merchant * 104_729 + day * 31);
  const made: Event[] = [];
  for (let visitor = ""; made.length < events; ) {
    const isBack = visitor !== "" && random.chance(0.15);
    if (!isBack) visitor = visitorOf({ merchant, day, events, isKnown }, made.length, random);
    made.push(...visitOf({ merchant, day, home, visitor, isKnown, pages: Math.round(40 + events / 2) }, random));
  }
  return made.slice(0, events).map((event, at) => ({ ...event, id: `${day} ${at}` }));
}

function visitorOf({ merchant, day, events, isKnown }: ShopDay, at: number, random: Random): string {
  const isOld = isKnown && random.chance(0.2);
  return hash64Hex(`${merchant} ${isOld ? Math.floor(random.next() * events) : `${day} ${at}`}`);
}

interface VisitPlan extends Omit<ShopDay, "events"> {
  readonly home: string;
  readonly visitor: string;
  /** How many product pages the shop has. */
  readonly pages: number;
}

function visitOf(plan: VisitPlan, random: Random): readonly Event[] {
  const { merchant, day, visitor, isKnown, pages } = plan;
  const length = random.chance(0.45) ? 1 : 1 + Math.ceil(-Math.log(1 - random.next()) * 3.4);
  const host = `https://www.shop-${merchant}.example`;
  const [referrer, campaign] = [weighted(REFERRERS, random), campaignOf(random)];
  const facts = { ...placeOf(plan, random), userAgent: weighted(AGENTS, random) };
  let timestamp = day * DAY_MS + weighted(HOURS, random) * HOUR_MS + Math.floor(random.next() * HOUR_MS);
  const visit: Event[] = [];
  for (let at = 0; at < length && timestamp < (day + 1) * DAY_MS; at++) {
    const isSale = at > 3 && random.chance(0.06);
    const page = isSale ? "/checkout/thank-you" : pageOf(merchant, pages, random);
    const event = eventOf({
      ...facts,
      id: "",
      merchant,
      visitor,
      visitorKind: isKnown ? "known" : "daily",
      timestamp,
      receivedAt: timestamp,
      name: isSale ? "purchase" : at > 1 && random.chance(0.06) ? "add_to_cart" : "pageview",
      url: `${host}${page}${at === 0 ? campaign : ""}`,
      referrer: at === 0 ? referrer : `${host}/`,
      order: isSale ? random.hex(5) : "",
      revenue: isSale ? random.integer(90_000, 1_990_000) : 0,
      engagementMs: random.chance(0.5) ? random.integer(1_000, 60_000) : 0,
    });
    visit.push(event);
    timestamp += Math.floor(-Math.log(1 - random.next()) * 45_000);
  }
  return visit;
}

/** Three in four at home, in one of forty towns. */
function placeOf({ home }: VisitPlan, random: Random): Pick<Event, "country" | "region" | "city" | "language"> {
  const isHome = random.chance(0.72);
  const country = isHome ? home : (COUNTRIES[Math.floor(random.next() ** 1.5 * COUNTRIES.length)] as string);
  const town = Math.floor(random.next() ** 2.5 * (isHome ? 40 : 5));
  const language = random.chance(0.75) ? `${country.toLowerCase()}-${country}` : "en-US";
  return { country, region: `${country}-${town % 8}`, city: `${country}-town ${town}`, language };
}

function pageOf(merchant: number, pages: number, random: Random): string {
  const at = random.next();
  if (at < 0.14) return "/";
  if (at < 0.21) return at < 0.19 ? "/cart" : "/checkout";
  if (at < 0.33) return `/collections/${random.pick(THINGS)}`;
  const product = Math.floor(Math.exp(random.next() * Math.log(pages + 1))) - 1;
  const own = seededRandom(merchant * 31 + product);
  return `/products/${own.pick(KINDS)}-${own.pick(THINGS)}-${own.pick(KINDS)}-${100 + product}`;
}

function campaignOf(random: Random): string {
  if (!random.chance(0.13)) return "";
  const source = random.pick(["newsletter", "google", "meta", "tiktok"]);
  const content = random.chance(0.4) ? `&utm_content=${random.pick(["hero", "carousel-1", "video-b"])}` : "";
  const term = random.chance(0.2) ? `&utm_term=${random.pick(THINGS)}` : "";
  const name = random.pick(["spring-sale", "retargeting-2026", "brand", "new-arrivals"]);
  return `?utm_source=${source}&utm_medium=${random.pick(["email", "cpc", "social"])}&utm_campaign=${name}${content}${term}`;
}

function weighted<T>(shares: readonly (readonly [T, number])[], random: Random): T {
  let at = random.next() * shares.reduce((sum, [, share]) => sum + share, 0);
  for (const [value, share] of shares) {
    at -= share;
    if (at < 0) return value;
  }
  return (shares[0] as readonly [T, number])[0];
}
