// The demo's visits: each Day's are a function of the Day alone, with ids to match. Running the demo again therefore
// counts nothing twice, and running it tomorrow adds one Day.

import type { DemoEvent, Fate, Sender, SentEvent } from "./event.ts";
import { type Basket, type Common, fillBasket, placeOrder, revenueOf, toDemoProduct } from "./order.ts";
import { pick, type Random, seededRandom, waitingTime } from "./random.ts";
import {
  AHEAD,
  BOTS,
  COPY_OF_SHOP,
  CURRENCY,
  DEVICES,
  FOREIGN,
  HOURS,
  LANDINGS,
  PLACES,
  type Place,
  PRODUCTS,
  type Product,
  SHOP,
  SOURCES,
  SPAM_REFERRER,
  WEEKDAYS,
} from "./shop.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** Visitors the shop has in all; some come back on another day. */
const REGULARS = 2_400;
const PAGE_MEAN_MS = 40_000;
const PAUSE_MAX_MS = 12 * 60_000;
const BOUNCE = 0.42;
const SIGNS_UP = 0.05;
const LATE = 0.04;
const PREFETCHES = 0.06;
/** What comes of a refund that is made so many Days after its order is another Day's, but the order's own doing. */
const AFTERMATH_DAYS = 2;

/** What kind of visit it is, and how likely. */
const KINDS: readonly (readonly ["reader" | "bot" | "spam" | "copy", number])[] = [
  ["reader", 94],
  ["bot", 3],
  ["spam", 1.5],
  ["copy", 1.5],
];
const FATES = { reader: "counted", bot: "bot", spam: "referrer", copy: "hostname" } as const satisfies Record<
  string,
  Fate
>;

export interface Span {
  /** UTC ms; what has not happened yet is not told. */
  readonly now: number;
  /** The Days that end today. */
  readonly days: number;
  /**
   * The first Day that is not closed. The copy of the shop is told of after that alone, when the merchant's rules reach
   * it.
   */
  readonly firstOpenDay: number;
}

/** All that has happened by now, in order. */
export function eventsOf({ now, days, firstOpenDay }: Span): readonly SentEvent[] {
  const today = Math.floor(now / DAY_MS);
  const first = today - days + 1;
  const sent: SentEvent[] = [];
  for (let day = first - AFTERMATH_DAYS; day <= today; day++) {
    sent.push(...eventsOfDay(day).filter(({ fate }) => fate !== "hostname" || day < firstOpenDay));
  }
  const isTold = ({ event: { timestamp } }: SentEvent) => timestamp >= first * DAY_MS && timestamp <= now;
  return sent.filter(isTold).sort((a, b) => a.event.timestamp - b.event.timestamp);
}

/** All that comes of a Day's visits (its number, UTC). */
export function eventsOfDay(day: number): readonly SentEvent[] {
  const random = seededRandom(day);
  const weekday = (day + 4) % 7; // 1970-01-01 was a Thursday
  const count = Math.round((WEEKDAYS[weekday] ?? 0) * (0.9 + 0.2 * random()));
  return Array.from({ length: count }, (_, number) => makeVisit(random, day, number)).flat();
}

function makeVisit(random: Random, day: number, number: number): readonly SentEvent[] {
  const kind = pick(random, KINDS);
  const who = Math.floor(random() * REGULARS * (kind === "bot" ? 0.05 : 1));
  const traits = seededRandom(who + 1); // a visitor who comes back is in the same place, with the same device
  const { language, ...home } = pick(traits, PLACES);
  const device = pick(traits, DEVICES);
  const hours = HOURS.map((weight, hour) => [hour, weight] as const);
  const at = Math.floor(day * DAY_MS + (pick(random, hours) + random()) * HOUR_MS);
  const common: Common = {
    visitor_id: kind === "reader" ? `demo-${who}` : `demo-${kind}-${who}`,
    user_agent: kind === "bot" ? pick(traits, BOTS) : device.userAgent,
    language,
    screen: device.screen,
  };
  const first = { common, id: `demo-2-${day}-${number}`, at, dayEnd: (day + 1) * DAY_MS };
  const late = random() < LATE;
  const place = placeOf(home);
  const told = kind === "reader" ? read(random, { ...first, place, number: `HC-${day}-${number}` }) : pass(first, kind);
  return told.map(({ event, sender }) => {
    return { event, place, sender, late, fate: sender === "prefetch" ? "prefetch" : FATES[kind] };
  });
}

interface Told {
  readonly event: DemoEvent;
  readonly sender: Sender;
}

interface First {
  readonly common: Common;
  /** Of its events. */
  readonly id: string;
  /** When it begins, UTC ms. */
  readonly at: number;
  readonly dayEnd: number;
}

/** One page, by somebody who is no reader of the shop. */
function pass({ common, id, at }: First, kind: "bot" | "spam" | "copy"): readonly Told[] {
  const site = kind === "copy" ? COPY_OF_SHOP : SHOP;
  const view = { ...common, id, name: "pageview", url: `${site}/`, title: "Harbour Coffee", timestamp: at };
  return [{ event: kind === "spam" ? { ...view, referrer: SPAM_REFERRER } : view, sender: "page" }];
}

interface Step {
  readonly name: string;
  readonly path: string;
  readonly title: string;
  readonly extra?: Partial<DemoEvent>;
  readonly sender?: Sender;
}

/**
 * One visitor's way through the shop. A visit that runs into the next Day would change when that Day is not sent yet;
 * it ends at midnight.
 */
function read(random: Random, first: First & { readonly place: Place; readonly number: string }): readonly Told[] {
  const { common, id, at, dayEnd, place, number } = first;
  const source = pick(random, SOURCES);
  const product = pick(random, PRODUCTS);
  const landing = random() < 0.3 ? product : pick(random, LANDINGS);
  const currency = place.country === FOREIGN.country ? FOREIGN.currency : CURRENCY;
  const basket = fillBasket(random, product, currency);
  const way = random() > BOUNCE ? browse(random, product, basket) : { steps: [], buys: false };
  const told: Told[] = [];
  let timestamp = at;
  for (const [index, step] of [{ name: "pageview", ...landing }, ...way.steps].entries()) {
    const { path, title, name, extra, sender = "page" }: Step = step;
    const query = index === 0 && source.query !== undefined ? `?${source.query}` : "";
    const event = { ...common, id: `${id}-${index}`, name, url: `${SHOP}${path}${query}`, title, timestamp, ...extra };
    const isFirst = index === 0 && source.referrer !== undefined;
    told.push({ event: isFirst ? { ...event, referrer: source.referrer } : event, sender });
    timestamp += 2_000 + Math.round(Math.min(waitingTime(random, PAGE_MEAN_MS), PAUSE_MAX_MS));
  }
  const order = way.buys ? placeOrder(random, { basket, common, id: `${id}-o`, number, at: timestamp, dayEnd }) : [];
  return [...told.filter(({ event }) => event.timestamp < dayEnd), ...order];
}

function browse(random: Random, product: Product, basket: Basket): { readonly steps: Step[]; readonly buys: boolean } {
  const { path, title } = product;
  const steps: Step[] = [{ name: "pageview", path, title }];
  while (random() < 0.45) {
    const other = pick(random, random() < 0.6 ? PRODUCTS : LANDINGS);
    steps.push({ name: "pageview", path: other.path, title: other.title });
  }
  if (random() < PREFETCHES) steps.push(...lookAhead(random));
  const reading = { engagement_ms: Math.round(waitingTime(random, 25_000)), scroll: Math.round(20 + random() * 80) };
  if (random() < 0.4) steps.push({ name: "engagement", path, title, extra: reading });
  if (random() < SIGNS_UP) steps.push({ name: "Signed Up", path, title, extra: { props: { list: "newsletter" } } });
  if (random() > 0.22) return { steps, buys: false };
  const [added = toDemoProduct(product, 1)] = basket.products;
  steps.push({ name: "add_to_cart", path, title, extra: { props: { sku: product.sku }, products: [added] } });
  steps.push({ name: "pageview", path: "/cart", title: "Your basket" });
  if (random() > 0.55) return { steps, buys: false };
  // Steps carry what a purchase would, and earn nothing.
  const whole = { products: basket.products, revenue: revenueOf(basket) };
  steps.push({ name: "pageview", path: "/checkout", title: "Checkout" });
  steps.push({ name: "begin_checkout", path: "/checkout", title: "Checkout", extra: whole });
  if (random() > 0.8) return { steps, buys: false };
  steps.push({ name: "add_payment_info", path: "/checkout", title: "Checkout", extra: whole });
  return { steps, buys: true };
}

/** A page that the browser fetched ahead. Every other one is then read, and counts. */
function lookAhead(random: Random): readonly Step[] {
  const ahead: Step = { name: "pageview", ...AHEAD, sender: "prefetch" };
  if (random() < 0.5) return [ahead];
  return [ahead, { name: "engagement", ...AHEAD, extra: { engagement_ms: 21_000, scroll: 85 } }];
}

/** The same object for the same place. */
function placeOf({ country, region, city }: Place): Place {
  const key = `${country}|${city}`;
  const known = places.get(key) ?? { country, region, city };
  places.set(key, known);
  return known;
}
const places = new Map<string, Place>();
