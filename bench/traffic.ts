// Made-up traffic for benches of one partition: merchants in the proportions of Zipf's law, visitors who come for a
// visit of a few pages, and shops whose pages and readers are like a shop's. Seeded: two runs see the same.

import { type Arrival, type Event, NO_FACTS } from "../core/event.ts";
import { hash64Hex } from "../core/hash.ts";
import { CHROME, IPHONE } from "../test/support/events.ts";
import { type Random, seededRandom } from "../test/support/random.ts";

/** 1 is the classic law of web traffic; with it the first of a million merchants has 7 % of all. */
const ZIPF_EXPONENT = 1;
/** A visit is about so many events: two in three visits of shops end within five pages. */
const EVENTS_PER_VISIT = 4;
/** Visits under way, from which the next event is taken: a page is read for about half a minute. */
const READING_MS = 30_000;

export interface Traffic {
  /** The next event of the whole, at this instant. */
  next(now: number): Arrival;
}

interface Reader {
  readonly merchant: number;
  readonly visitor: string;
  readonly userAgent: string;
  readonly source: string;
  left: number;
}

export interface TrafficPlan {
  readonly merchants: number;
  /** Of all merchants together; how many visits are under way at once follows from it. */
  readonly eventsPerSecond: number;
  readonly seed?: number;
}

export function makeTraffic({ merchants, eventsPerSecond, seed = 5 }: TrafficPlan): Traffic {
  const random = seededRandom(seed);
  const pick = zipf(merchants, random);
  const underWay = Math.max(1, Math.round((eventsPerSecond * READING_MS) / 1_000));
  const readers: Reader[] = [];
  let visitors = 0;
  let events = 0;
  const enter = (): Reader => ({
    merchant: pick(),
    visitor: hash64Hex(`visitor ${visitors++} ${seed}`),
    userAgent: random.chance(0.6) ? IPHONE : CHROME,
    source: random.chance(0.5) ? "" : random.pick(SOURCES),
    left: random.integer(1, 2 * EVENTS_PER_VISIT - 1),
  });
  return {
    next: (now) => {
      const place = random.integer(0, underWay - 1);
      let reader = readers[place];
      if (reader === undefined || reader.left === 0) {
        reader = enter();
        readers[place] = reader;
      }
      reader.left -= 1;
      return { event: eventOf(reader, { now, number: events++, random }), address: "203.0.113.9", floating: false };
    },
  };
}

const SOURCES = ["https://www.google.com/", "https://www.instagram.com/", "https://news.example/story"];

interface Moment {
  readonly now: number;
  readonly number: number;
  readonly random: Random;
}

function eventOf({ merchant, visitor, userAgent, source }: Reader, { now, number, random }: Moment): Event {
  const page = Math.floor(random.next() ** 3 * 300);
  return {
    merchant,
    stream: 1,
    id: `019aa3f0-${hash64Hex(`${number} ${merchant}`)}`,
    name: "pageview",
    timestamp: now,
    receivedAt: now,
    visitor,
    format: "native",
    url: `https://shop-${merchant}.example/products/${page}`,
    referrer: source,
    title: `Product ${page}`,
    userAgent,
    language: random.pick(["en-US", "de-AT", "hi-IN"]),
    screen: random.pick(["1920x1080", "390x844"]),
    country: random.pick(["AT", "DE", "US", "IN"]),
    region: "",
    city: random.pick(["Vienna", "Berlin", "Boston", "Pune"]),
    props: "",
    revenue: 0,
    currency: "",
    engagementMs: 0,
    scroll: -1,
    dropped: "",
    ...NO_FACTS,
  };
}

/** Merchants by their share: the first most often, each next one less. */
function zipf(merchants: number, random: Random): () => number {
  const sums = new Float64Array(merchants);
  let sum = 0;
  for (let index = 0; index < merchants; index++) {
    sum += (index + 1) ** -ZIPF_EXPONENT;
    sums[index] = sum;
  }
  return () => {
    const at = random.next() * sum;
    let low = 0;
    let high = merchants - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] as number) < at) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  };
}
