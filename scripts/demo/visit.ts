// The demo's visits: each Day's are a function of the Day alone, with ids to match. Running the demo again therefore
// counts nothing twice, and running it tomorrow adds one Day.

import { pick, type Random, seededRandom, waitingTime } from "./random.ts";
import { BOTS, DEVICES, HOURS, LANDINGS, PLACES, type Place, PRODUCTS, SHOP, SOURCES, WEEKDAYS } from "./shop.ts";

/** An event as `POST /v1/events` takes it. */
export interface DemoEvent {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly title: string;
  readonly timestamp: number;
  readonly visitor_id: string;
  readonly user_agent: string;
  readonly language: string;
  readonly screen: string;
  readonly referrer?: string;
  readonly props?: Readonly<Record<string, string>>;
  readonly revenue?: { readonly amount: number; readonly currency: string };
  readonly engagement_ms?: number;
  readonly scroll?: number;
}

export interface DemoVisit {
  readonly place: Place;
  readonly events: readonly DemoEvent[];
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** Visitors the shop has in all; some come back on another day. */
const REGULARS = 900;
const PAGE_MEAN_MS = 40_000;
const PAUSE_MAX_MS = 12 * 60_000;
const BOUNCE = 0.42;
const BOT = 0.03;
const BOT_PREFIX = "demo-bot-";

/** All visits of a Day (its number, UTC). */
export function visitsOfDay(day: number): readonly DemoVisit[] {
  const random = seededRandom(day);
  const weekday = (day + 4) % 7; // 1970-01-01 was a Thursday
  const count = Math.round((WEEKDAYS[weekday] ?? 0) * (0.9 + 0.2 * random()));
  return Array.from({ length: count }, (_, number) => makeVisit(random, day, number));
}

/** Events that have happened by `now`, per place, for the `days` Days that end today. */
export function eventsByPlace(now: number, days: number): ReadonlyMap<Place, readonly DemoEvent[]> {
  const today = Math.floor(now / DAY_MS);
  const groups = new Map<Place, DemoEvent[]>();
  for (let day = today - days + 1; day <= today; day++) {
    for (const { place, events } of visitsOfDay(day)) {
      const group = groups.get(place) ?? [];
      groups.set(place, group);
      group.push(...events.filter(({ timestamp }) => timestamp <= now));
    }
  }
  return groups;
}

/** Whether a visitor of the demo is one of its machines. */
export function isBot(visitor: string): boolean {
  return visitor.startsWith(BOT_PREFIX);
}

function makeVisit(random: Random, day: number, number: number): DemoVisit {
  const bot = random() < BOT;
  const who = Math.floor(random() * REGULARS * (bot ? 0.05 : 1));
  const traits = seededRandom(who + 1); // a visitor who comes back is in the same place, with the same device
  const { language, ...place } = pick(traits, PLACES);
  const device = pick(traits, DEVICES);
  const hours = HOURS.map((weight, hour) => [hour, weight] as const);
  const timestamp = day * DAY_MS + (pick(random, hours) + random()) * HOUR_MS;
  const events = walk(random, {
    visitor_id: bot ? `${BOT_PREFIX}${who}` : `demo-${who}`,
    user_agent: bot ? pick(traits, BOTS) : device.userAgent,
    language,
    screen: device.screen,
    timestamp: Math.floor(timestamp),
    id: `demo-${day}-${number}`,
  });
  // A visit that runs into the next Day would change when that Day is not sent yet; it ends at midnight instead.
  return { place: placeOf(place), events: events.filter((event) => event.timestamp < (day + 1) * DAY_MS) };
}

interface Step {
  readonly name: string;
  readonly path: string;
  readonly title: string;
  readonly extra?: Partial<DemoEvent>;
}

type Common = Pick<DemoEvent, "visitor_id" | "user_agent" | "language" | "screen">;

/** One visitor's way through the shop. */
function walk(random: Random, first: Common & Pick<DemoEvent, "timestamp" | "id">): readonly DemoEvent[] {
  const source = pick(random, SOURCES);
  const product = pick(random, PRODUCTS);
  const landing = random() < 0.3 ? product : pick(random, LANDINGS);
  const steps: Step[] = [{ name: "pageview", ...landing }];
  if (random() > BOUNCE) steps.push(...browse(random, product));
  const events: DemoEvent[] = [];
  let timestamp = first.timestamp;
  steps.forEach((step, index) => {
    const query = index === 0 && source.query !== undefined ? `?${source.query}` : "";
    const { id, timestamp: _, ...common } = first;
    const url = `${SHOP}${step.path}${query}`;
    events.push({ ...common, id: `${id}-${index}`, name: step.name, url, title: step.title, timestamp, ...step.extra });
    timestamp += 2_000 + Math.round(Math.min(waitingTime(random, PAGE_MEAN_MS), PAUSE_MAX_MS));
  });
  const [landed, ...rest] = events as [DemoEvent, ...DemoEvent[]];
  return [source.referrer === undefined ? landed : { ...landed, referrer: source.referrer }, ...rest];
}

function browse(random: Random, product: { path: string; title: string; sku: string; price: number }): Step[] {
  const steps: Step[] = [{ name: "pageview", path: product.path, title: product.title }];
  while (random() < 0.45) {
    const other = pick(random, random() < 0.6 ? PRODUCTS : LANDINGS);
    steps.push({ name: "pageview", path: other.path, title: other.title });
  }
  const read = { engagement_ms: Math.round(waitingTime(random, 25_000)), scroll: Math.round(20 + random() * 80) };
  if (random() < 0.4) steps.push({ name: "engagement", path: product.path, title: product.title, extra: read });
  if (random() > 0.22) return steps;
  steps.push({ name: "add_to_cart", path: product.path, title: product.title, extra: { props: { sku: product.sku } } });
  steps.push({ name: "pageview", path: "/cart", title: "Your basket" });
  if (random() > 0.45) return steps;
  const pieces = 1 + Math.floor(waitingTime(random, 0.6));
  const revenue = { amount: Math.round(product.price * pieces * 100) / 100, currency: "EUR" };
  steps.push({ name: "pageview", path: "/checkout", title: "Checkout" });
  steps.push({
    name: "purchase",
    path: "/thank-you",
    title: "Thank you",
    extra: { revenue, props: { sku: product.sku, pieces: String(pieces) } },
  });
  return steps;
}

/** The same object for the same place, so that events can be grouped by it. */
function placeOf({ country, region, city }: Place): Place {
  const key = `${country}|${city}`;
  const known = places.get(key) ?? { country, region, city };
  places.set(key, known);
  return known;
}
const places = new Map<string, Place>();
