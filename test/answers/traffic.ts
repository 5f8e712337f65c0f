// Traffic for the property test of answers: what a few shops' visitors, servers and trackers tell in some Days, drawn
// from one seed. The vocabulary is small, and what each word of it is known as stands beside it, so that the model need
// hold no opinion on user agents, hosts and channels. What counts in numbers is all here: orders told twice, refunds of
// every kind, steps, cancellations, other currencies, reports of the page and of the tracker, events of one instant,
// prefetches, returns, late events and copies.

import type { Event } from "../../core/event.ts";
import { hash64Hex } from "../../core/hash.ts";
import { CHROME, eventOf, GOOGLEBOT, IPHONE } from "../support/events.ts";
import { type Random, seededRandom } from "../support/random.ts";

/** Where a visit came from, and what answers call it. */
export interface Origin {
  readonly query: string;
  readonly link: string;
  readonly source: string;
  readonly referrer: string;
  readonly channel: string;
  readonly utm_source: string;
  readonly utm_medium: string;
  readonly utm_campaign: string;
  /** Whether the page before is the merchant's own, or one it pays on: whoever comes from there was here before. */
  readonly isReturn: boolean;
}

const NO_ORIGIN = {
  query: "",
  link: "",
  source: "",
  referrer: "",
  channel: "Direct",
  utm_source: "",
  utm_medium: "",
  utm_campaign: "",
  isReturn: false,
};

export const DIRECT: Origin = NO_ORIGIN;
const LETTER: Origin = {
  ...NO_ORIGIN,
  query: "utm_source=letter&utm_medium=email&utm_campaign=autumn",
  source: "letter",
  channel: "Email",
  utm_source: "letter",
  utm_medium: "email",
  utm_campaign: "autumn",
};
const SEARCH: Origin = {
  ...NO_ORIGIN,
  link: "https://www.google.com/",
  source: "Google",
  referrer: "google.com",
  channel: "Organic Search",
};
const BLOG: Origin = {
  ...NO_ORIGIN,
  link: "https://blog.example/post",
  source: "blog.example",
  referrer: "blog.example/post",
  channel: "Referral",
};
/** From a page of its own, as all pages after the first. */
const INSIDE: Origin = { ...NO_ORIGIN, isReturn: true };
/** From where it pays, which brought nobody. */
const PAYPAL: Origin = { ...NO_ORIGIN, link: "https://www.paypal.com/checkout", isReturn: true };
const ORIGINS = [DIRECT, DIRECT, LETTER, SEARCH, BLOG, INSIDE, PAYPAL];

export const AGENTS = {
  chrome: { text: CHROME, browser: "Chrome", os: "Windows", device: "Desktop" },
  iphone: { text: IPHONE, browser: "Mobile Safari", os: "iOS", device: "Mobile" },
  bot: { text: GOOGLEBOT, browser: "", os: "", device: "" },
} as const;

export interface Ware {
  readonly id?: string;
  readonly name?: string;
  readonly category?: string;
  readonly price?: number;
  readonly quantity?: number;
}

/** An event as its sender tells it, with what its words are known as. */
export interface Told {
  readonly merchant: number;
  readonly id: string;
  readonly name: string;
  readonly stream: number;
  /** When it happened, UTC ms. */
  readonly at: number;
  /** The visitor: by the id the sender gives, or by address and agent for a Day. */
  readonly person: string;
  readonly isKnown: boolean;
  readonly agent: keyof typeof AGENTS;
  readonly country: string;
  readonly host: string;
  readonly path: string;
  readonly origin: Origin;
  readonly keyed: boolean;
  readonly passive: boolean;
  readonly prefetch: boolean;
  readonly props: Readonly<Record<string, string>>;
  readonly order: string;
  /** In ten-thousandths of a unit. */
  readonly revenue: number;
  readonly currency: string;
  readonly products: readonly Ware[];
  readonly engagementMs: number;
  readonly scroll: number;
}

export interface Request {
  /** When it comes to the collector, UTC ms; no two at once. */
  readonly at: number;
  readonly events: readonly Told[];
}

export interface Story {
  readonly merchants: readonly { readonly merchant: number; readonly zone: string; readonly spread: Spread }[];
  /** In the order of arrival: while their Days are open, and after the first of them are sealed. */
  readonly requests: readonly Request[];
  readonly late: readonly Request[];
  /** The first instant of anything. */
  readonly start: number;
  readonly rates: readonly PublishedRate[];
}

/** What a euro was worth in dollars, as it was published on a Day; and a dollar in euros, which is the same. */
export interface PublishedRate {
  readonly date: string;
  readonly perEuro: string;
  readonly euros: number;
}

/** In the pool, on partitions of its own since ever, or from the second Day on. */
export type Spread = "pool" | "spread" | "moves";

/** What may be left out of traffic: whoever changes what one of them means tries the rest without it. */
export const FEATURES = ["orders", "passive", "alone", "ties", "returns", "prefetch", "bots", "ids"] as const;
export type Feature = (typeof FEATURES)[number];

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Days with traffic, and the hour of UTC in the last one at which it ends. */
export const DAYS = 5;
export const CURRENCY = "EUR";
/** Friday before the clocks change in Vienna, and before they change in New York. */
const STARTS = [Date.UTC(2026, 9, 23), Date.UTC(2026, 9, 30)];
/** With about the hour of UTC at which a Day ends. */
const ZONES = [
  { zone: "UTC", midnight: 24 },
  { zone: "Europe/Vienna", midnight: 22.5 },
  { zone: "Asia/Kolkata", midnight: 18.5 },
  { zone: "America/New_York", midnight: 4.5 },
  { zone: "America/St_Johns", midnight: 3 },
];

const PURCHASES = ["purchase", "Order Completed", "in_app_purchase", "order_placed", "Checkout-Completed"];
const REFUNDS = ["refund", "Order Refunded", "partial  refund"];
const CANCELLATIONS = ["Order Cancelled", "order_canceled"];
const STEPS = ["Checkout Started", "add_to_cart", "Product Viewed", "Payment Info Entered", "Order Updated"];
const REPORTS = ["web_vitals", "404", "exception", "nudge"];
const PATHS = ["/", "/a", "/b", "/b/c", "/pay"];
const WARES: readonly Ware[] = [
  { id: "m", name: "Mat", category: "Home", price: 50 },
  { id: "c", name: "Cup", category: "Home", price: 2.5 },
  { id: "tea", price: 4 },
];

const RATES = [
  { perEuro: "1.25", euros: 0.8 },
  { perEuro: "1.6", euros: 0.625 },
  { perEuro: "0.8", euros: 1.25 },
];
/** Days of publishing, counted from the first of the story: never, long ago, before it, and in the middle. */
const PUBLISHED = [[], [-20], [-13], [-1], [-3, 1], [1], [2, 3]];

/** Everything that one seed tells. */
export function storyOf(seed: number, without: readonly Feature[] = []): Story {
  const random = seededRandom(seed);
  const start = random.pick(STARTS);
  const merchants = [1, 2].map((merchant) => ({
    merchant,
    ...random.pick(ZONES),
    spread: random.pick<Spread>(["pool", "pool", "spread", "moves"]),
  }));
  const teller = new Teller(random, start, new Set(without));
  for (const { merchant, midnight } of merchants) {
    for (let person = random.integer(3, 6); person > 0; person--)
      teller.person({ merchant, midnight, person: `${merchant} ${person}` });
  }
  const rates = random.pick(PUBLISHED).map((days) => {
    return { date: new Date(start + days * DAY_MS).toISOString().slice(0, 10), ...random.pick(RATES) };
  });
  return { merchants, start, rates, ...teller.requests() };
}

type Draft = Partial<Told> & Pick<Told, "name">;

/** Tells of persons, and keeps what they send. */
class Teller {
  readonly #random: Random;
  readonly #start: number;
  readonly #without: ReadonlySet<Feature>;
  readonly #sent: { at: number; events: readonly Told[] }[] = [];
  readonly #late: { at: number; events: readonly Told[] }[] = [];
  #made = 0;

  constructor(random: Random, start: number, without: ReadonlySet<Feature>) {
    this.#random = random;
    this.#start = start;
    this.#without = without;
  }

  person({ merchant, midnight, person }: { merchant: number; midnight: number; person: string }): void {
    const random = this.#random;
    const who: Partial<Told> = {
      merchant,
      person,
      isKnown: random.chance(0.6),
      agent: this.#may("bots", 0.08) ? "bot" : random.pick(["chrome", "iphone"]),
      country: random.pick(["AT", "US"]),
      stream: random.pick([1, 1, 2]),
      host: random.pick(["shop.example", "shop.example", "till.example"]),
    };
    for (let visit = random.integer(2, 7); visit > 0; visit--) {
      const day = this.#start + random.integer(0, DAYS - 1) * DAY_MS;
      const late = midnight * HOUR_MS - random.integer(0, 50 * MINUTE_MS);
      this.#visit(who, day + (random.chance(0.3) ? late : random.integer(0, DAY_MS)));
    }
    if (who.isKnown !== true) return;
    for (let visit = random.integer(0, 2); visit > 0; visit--) {
      this.#isLate = true;
      this.#visit(who, this.#start + random.integer(0, 2 * DAY_MS));
      this.#isLate = false;
    }
  }

  #isLate = false;

  /** One after another, no two requests at once; copies of some come once more. */
  requests(): Pick<Story, "requests" | "late"> {
    const inTurn = (requests: readonly Request[], from: number) => {
      let before = from;
      return [...requests]
        .sort((a, b) => a.at - b.at)
        .map((request) => {
          before = Math.max(before + 1, request.at);
          return { ...request, at: before };
        });
    };
    const end = this.#start + DAYS * DAY_MS;
    return { requests: inTurn(this.#sent, this.#start), late: inTurn(this.#late, end + HOUR_MS) };
  }

  #visit(who: Partial<Told>, from: number): void {
    const random = this.#random;
    const origins = this.#without.has("returns") ? ORIGINS.filter(({ isReturn }) => !isReturn) : ORIGINS;
    const origin = random.pick(origins);
    let at = from;
    let path = random.pick(PATHS);
    if (this.#may("alone", 0.1)) {
      this.#send(who, at, [this.#engagement(path)]);
      at += this.#gap();
    }
    if (this.#may("passive", 0.12)) {
      this.#send(who, at, [this.#report(path)]);
      at += this.#gap();
    }
    this.#send(who, at, [{ name: "pageview", path, origin }]);
    for (let steps = random.integer(0, 4); steps > 0; steps--) {
      at += random.integer(1, random.pick([60_000, 1_200_000]));
      const deed = random.pick(["view", "view", "read", "act", "report", "together", "prefetch", "meta", "reopen"]);
      if (deed === "view") path = random.pick(PATHS);
      if (deed === "reopen") at += this.#gap();
      if (deed === "view") this.#send(who, at, [{ name: "pageview", path }]);
      else if (deed === "read") this.#send(who, at, [this.#engagement(path)]);
      else if (deed === "act" || deed === "reopen") this.#send(who, at, [this.#act(path)]);
      else if (deed === "report" && this.#may("passive", 1)) this.#send(who, at, [this.#report(path)]);
      else if (deed === "together") this.#together(who, at);
      else if (deed === "prefetch" && this.#may("prefetch", 1)) this.#prefetch(who, at);
      else if (deed === "meta" && this.#may("bots", 0.3)) this.#send(who, at, [{ name: "$identify", path }]);
    }
    if (this.#may("orders", 0.5)) at = this.#shop(who, at + random.integer(1_000, 60_000));
    if (this.#may("alone", 0.3)) this.#send(who, at + this.#gap(), [this.#engagement(path)]);
    if (this.#may("passive", 0.15)) this.#send(who, at + this.#gap(), [this.#report(path)]);
    if (this.#may("returns", 0.3))
      this.#send(who, at + this.#gap(), [{ name: "pageview", path: "/pay", origin: INSIDE }]);
  }

  /** Within a visit, at its very limit, or after it. */
  #gap(): number {
    return this.#random.pick([20 * MINUTE_MS, 1_800_000, 1_800_001, 40 * MINUTE_MS, 3 * HOUR_MS, 9 * HOUR_MS]);
  }

  #act(path: string): Draft {
    const random = this.#random;
    const earns = random.chance(0.2) ? { revenue: random.integer(1, 90_000), currency: random.pick(["", "EUR"]) } : {};
    return { name: random.pick(["signup", "vote"]), path, ...earns };
  }

  #engagement(path: string): Draft {
    const random = this.#random;
    const scroll = random.chance(0.7) ? random.integer(0, 100) : -1;
    return { name: "engagement", path, engagementMs: random.pick([0, random.integer(1, 90_000)]), scroll };
  }

  #report(path: string): Draft {
    const name = this.#random.pick(REPORTS);
    return { name, path, ...(name === "nudge" && { passive: true }) };
  }

  /** Several events of one request, or of two, that happened at one instant as far as anybody can tell. */
  #together(who: Partial<Told>, at: number): void {
    const random = this.#random;
    const apart = this.#may("ties", 0.7) ? 0 : 1;
    const drafts = Array.from({ length: random.integer(2, 4) }, (_, index): Draft => {
      const path = random.pick(PATHS);
      const when = { at: at + index * apart };
      return random.chance(0.7) ? { name: "pageview", path, ...when } : { ...this.#act(path), ...when };
    });
    const cut = random.chance(0.5) ? drafts.length : 1;
    this.#send(who, at, drafts.slice(0, cut));
    if (cut < drafts.length) this.#send(who, at, drafts.slice(cut));
  }

  #prefetch(who: Partial<Told>, at: number): void {
    const random = this.#random;
    const path = random.pick(PATHS);
    const ahead: Draft = { name: "pageview", path, prefetch: true };
    this.#send(who, at, [ahead]);
    if (random.chance(0.3)) this.#send(who, at + 2_000, [ahead]);
    if (random.chance(0.4)) this.#send(who, at + 5_000, [this.#engagement(path)]);
    if (random.chance(0.2)) this.#send(who, at + 6_000, [this.#act(path)]);
    if (random.chance(0.2)) this.#send(who, at + 7_000, [{ name: "pageview", path }]);
  }

  /** Steps, an order that may be told several times by browser and server, and what becomes of it. */
  #shop(who: Partial<Told>, from: number): number {
    const random = this.#random;
    let at = from;
    const order = random.pick(["", `o${random.integer(1, 6)}`, `n${this.#made}`, `n${this.#made}`]);
    const currency = random.pick(["", "", "EUR", "EUR", "USD"]);
    const products = WARES.filter(() => random.chance(0.5)).map((ware) => ({
      ...ware,
      ...(random.chance(0.7) && { quantity: random.integer(1, 3) }),
    }));
    const worth = products.reduce((sum, { price = 0, quantity = 1 }) => sum + price * quantity * 10_000, 0);
    const whole: Partial<Told> = {
      path: "/pay",
      order,
      currency,
      products,
      revenue: random.pick([worth, worth, random.integer(1, 900_000), 0]),
    };
    const then = () => (at += random.integer(1_000, random.pick([30_000, 600_000])));
    if (random.chance(0.5)) this.#send(who, then(), [{ name: random.pick(STEPS), ...whole }]);
    if (random.chance(0.3)) {
      at += random.pick([31, 50]) * MINUTE_MS;
      if (this.#may("returns", 1)) this.#send(who, at, [{ name: "pageview", path: "/pay", origin: PAYPAL }]);
    }
    if (random.chance(0.85)) this.#send(who, then(), [{ name: random.pick(PURCHASES), ...whole }]);
    if (random.chance(0.2)) this.#send(who, then(), [{ name: "sold at the till", ...whole }]);
    // The page that tells of the purchase is loaded once more, and tells of it again.
    if (random.chance(0.35)) this.#send(who, then(), [{ name: random.pick(PURCHASES), ...whole }]);
    if (random.chance(0.35)) {
      const said = random.chance(0.5) ? whole : { ...whole, revenue: random.integer(1, 500_000) };
      const who2 = random.chance(0.7) ? who : { ...who, person: `${who.merchant} server`, isKnown: true };
      this.#send(who2, then(), [{ name: random.pick(PURCHASES), ...said, keyed: true }]);
    }
    if (random.chance(0.2)) this.#send(who, then(), [{ name: random.pick(STEPS), ...whole }]);
    const later = () => random.pick([then(), at + 2 * HOUR_MS, at + 20 * HOUR_MS]);
    for (let times = random.pick([0, 0, 1, 1, 2]); times > 0; times--) {
      const keyed = random.chance(0.5);
      const some = products.slice(0, random.integer(0, products.length));
      const part = { ...whole, products: some, revenue: random.integer(1, 200_000) };
      const alone = { path: "/", order };
      const kind = random.pick<Partial<Told>>([whole, part, part, alone, { ...part, revenue: 0 }]);
      const sign = random.pick([1, -1]);
      const refund = { name: random.pick(REFUNDS), ...kind, revenue: sign * (kind.revenue ?? 0), keyed };
      const asPurchase = { ...refund, name: "purchase", revenue: -Math.abs(refund.revenue) };
      this.#send(who, later(), [random.chance(0.15) && asPurchase.revenue < 0 ? asPurchase : refund]);
    }
    if (random.chance(0.15)) {
      const keyed = random.chance(0.5);
      const told = random.pick([whole, { path: "/", order }]);
      this.#send(who, later(), [{ name: random.pick(CANCELLATIONS), ...told, keyed }]);
    }
    return at;
  }

  #send(who: Partial<Told>, at: number, drafts: readonly Draft[]): void {
    const random = this.#random;
    const end = this.#start + DAYS * DAY_MS - 6 * HOUR_MS;
    const mayTell = ({ name }: Draft) => name !== "engagement" || !this.#without.has("alone");
    const events = drafts.filter(mayTell).map((draft): Told => {
      this.#made += 1;
      return { ...BLANK, props: this.#props(), ...who, at, ...draft, id: `e${this.#made}` };
    });
    if (
      events.length === 0 ||
      events.some((event) => event.at >= (this.#isLate ? this.#start + 3 * DAY_MS - 14 * HOUR_MS : end))
    )
      return;
    // Who is known by address alone is another visitor once the Day's salt is gone: such events come at once.
    const delay = who.isKnown === true ? random.pick([50, 2_000, 60_000, 5 * HOUR_MS]) : random.integer(50, 2_000);
    const came = Math.min(Math.max(at, ...events.map((event) => event.at)) + delay, end);
    const kept = this.#isLate ? this.#late : this.#sent;
    const when = this.#isLate ? this.#start + DAYS * DAY_MS + HOUR_MS : came;
    kept.push({ at: when, events });
    const again = { at: when + random.integer(1, 90_000), events };
    if (random.chance(0.05)) kept.push(again);
    // Ids that were taken before: by somebody with a key, or without one; and to tell another story.
    if (this.#may("ids", 0.03))
      kept.push({ ...again, events: events.map((told) => ({ ...told, keyed: !told.keyed })) });
    const isOther = this.#may("ids", 0.03);
    if (isOther) kept.push({ ...again, events: events.map((told) => ({ ...told, path: "/other" })) });
  }

  #props(): Told["props"] {
    const random = this.#random;
    return random.chance(0.3) ? { plan: random.pick(["pro", "basic"]) } : {};
  }

  #may(feature: Feature, probability: number): boolean {
    const happens = this.#random.chance(probability);
    return happens && !this.#without.has(feature);
  }
}

const BLANK: Told = {
  merchant: 1,
  id: "",
  name: "pageview",
  stream: 1,
  at: 0,
  person: "",
  isKnown: false,
  agent: "chrome",
  country: "AT",
  host: "shop.example",
  path: "/",
  origin: DIRECT,
  keyed: false,
  passive: false,
  prefetch: false,
  props: {},
  order: "",
  revenue: 0,
  currency: "",
  products: [],
  engagementMs: 0,
  scroll: -1,
};

/** As it comes to a partition. */
export function toEvent(told: Told, { receivedAt, sequence }: { receivedAt: number; sequence: number }): Event {
  const { host, path, origin, props, products } = told;
  return eventOf({
    merchant: told.merchant,
    stream: told.stream,
    id: told.id,
    name: told.name,
    timestamp: told.at,
    receivedAt,
    sequence,
    visitor: told.isKnown ? hash64Hex(told.person) : "",
    visitorKind: told.isKnown ? "known" : "",
    url: `https://${host}${path}${origin.query === "" ? "" : `?${origin.query}`}`,
    referrer: origin === INSIDE ? `https://${host}/cart` : origin.link,
    userAgent: AGENTS[told.agent].text,
    country: told.country,
    keyed: told.keyed ? 1 : 0,
    passive: told.passive ? 1 : 0,
    purpose: told.prefetch ? "prefetch" : "",
    props: Object.keys(props).length === 0 ? "" : JSON.stringify(props),
    order: told.order,
    revenue: told.revenue,
    currency: told.currency,
    products: products.length === 0 ? "" : JSON.stringify(products),
    engagementMs: told.engagementMs,
    scroll: told.scroll,
  });
}

/** The network address that a person's hits come from. */
export function addressOf({ person }: Told): string {
  return `10.0.${person.replace(/\D+/g, ".")}`;
}
