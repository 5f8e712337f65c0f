// What a Day costs grows as its events do, whatever they have in common. Somebody who knows a tracking ID chooses every
// field of what is sent: here all events are alike but for one field, or differ in all but one; all tell of one order;
// are prefetched; take back orders by their numbers. Each step is timed at n and at 4n events. A step that goes through
// all earlier events for each one takes sixteen times as long, one that does not takes four times; how long that is on
// any machine does not matter.

import { describe, expect, test, vi } from "vitest";
import { columnsOf } from "../../../core/archive/event-columns.ts";
import type { ArchivedEvent } from "../../../core/archive/file.ts";
import { ByteReader, ByteWriter } from "../../../core/bytes.ts";
import { rollupOf } from "../../../core/counting/bucket.ts";
import { countEvent, type DayState, decodeDay, emptyDay, encodeDay, WHOLE_DAY } from "../../../core/counting/day.ts";
import type { DimensionName } from "../../../core/counting/dimension.ts";
import { eraseFrom } from "../../../core/counting/erasure.ts";
import { ALL_DIMENSIONS } from "../../../core/counting/rollup.ts";
import { type Opinion, opine } from "../../../core/enrichment/opinion.ts";
import { type Event, FIELDS } from "../../../core/event.ts";
import { hash64Hex } from "../../../core/hash.ts";
import { DROP_REASONS } from "../../../core/outcome.ts";
import { seeDay } from "../../../core/query/seen.ts";
import { NO_RULES } from "../../../core/rules.ts";
import { DAY_MS } from "../../../core/time.ts";
import { CHROME, eventOf, settingsOf } from "../../support/events.ts";

const DAY_START = Date.UTC(2026, 2, 10);
const DAY = DAY_START / DAY_MS;
const RULES = { own: NO_RULES, global: NO_RULES };
const SETTINGS = settingsOf();
const CURRENCIES = Intl.supportedValuesOf("currency");

/** Four times the events may take so many times as long. */
const GROWTH_MAX = 7;
/**
 * A machine may be busy at any moment: time is the process's own, and the best of some tries counts. Each try has so
 * many times the events. Files share their process, so a step may have to clear away what other files left behind: that
 * makes few events look dear or cheap, and many of them less so. What grows too fast does so with many as well.
 */
const TRIES = [1, 1, 2, 2, 4] as const;
/** Below this a time is the clock's own doing, in µs. */
const CLOCK_US = 1_000;
vi.setConfig({ testTimeout: 600_000 });

type Make = (index: number, of: number) => Partial<Event>;

/** A value of each field that no other event has, as far as it has so many. */
const DIFFERENT: Readonly<Record<keyof Event, (index: number, of: number) => string | number>> = {
  merchant: () => 1, // a Day is one merchant's
  stream: (index) => index,
  id: (index) => `id-${index}`,
  name: (index) => `act ${index}`,
  timestamp: (index, of) => DAY_START + Math.floor((index * (DAY_MS - 1)) / of),
  receivedAt: (index) => DAY_START + index,
  visitor: (index) => hash64Hex(`visitor ${index}`),
  format: (index) => ["native", "ga4"][index % 2] as string,
  url: (index) => `https://shop.example/page-${index}`,
  referrer: (index) => `https://host-${index}.example/`,
  title: (index) => `Title ${index}`,
  userAgent: (index) => `${CHROME} Extra/${index}`,
  language: (index) => `en-${index}`,
  screen: (index) => `${index}x900`,
  country: (index) => String.fromCharCode(65 + (index % 26), 65 + (Math.floor(index / 26) % 26)),
  region: (index) => `Region ${index}`,
  city: (index) => `City ${index}`,
  props: (index) => JSON.stringify({ key: `value ${index}` }),
  revenue: (index) => index + 1,
  currency: (index) => CURRENCIES[index % CURRENCIES.length] as string,
  engagementMs: (index) => index,
  scroll: (index) => index % 101,
  dropped: (index) => DROP_REASONS[index % DROP_REASONS.length] as string,
  asn: (index) => index,
  verifiedBot: (index) => `Bot ${index}`,
  hints: (index) => JSON.stringify({ platform: `Platform ${index}` }),
  excluded: (index) => `rule ${index}`,
  order: (index) => `A${index}`,
  products: (index) => productsOf(`Product ${index}`),
  keyed: (index) => index % 2,
  sequence: (index) => index,
  visitorKind: (index) => ["daily", "known"][index % 2] as string,
  passive: (index) => index % 2,
  purpose: (index) => ["prefetch", ""][index % 2] as string,
  fragment: (index) => index % 2,
  importNumber: (index) => index,
  given: (index) => JSON.stringify({ browser: `Browser ${index}` }),
};

/** Fields by which an event is not counted: those that differ in everything have none of them. */
const DROPPING: readonly (keyof Event)[] = ["dropped", "verifiedBot", "excluded", "purpose", "fragment"];

/** Fields under whose values events are put together, or that decide how. */
const GROUPING = ["visitor", "order", "products", "url", "name", "currency", "timestamp", "keyed", "purpose"] as const;

function productsOf(...names: readonly string[]): string {
  return JSON.stringify(names.map((name) => ({ name, price: 1, quantity: 2 })));
}

/** One visitor's purchases of one product under one order number, all at once. */
const ALIKE: Partial<Event> = {
  name: "purchase",
  timestamp: DAY_START + 3_600_000,
  order: "A",
  revenue: 20_000,
  products: productsOf("Mat"),
};

const FIELD_NAMES = FIELDS.map(({ name }) => name);

describe("[CNT-10] fields", () => {
  test.each(FIELD_NAMES)("events that are alike but for their %s", (field) => {
    expectLinear((index, of) => ({ ...ALIKE, id: `id-${index}`, [field]: DIFFERENT[field](index, of) }));
  });

  test.each(GROUPING)("events that have nothing but their %s in common", (field) => {
    const others = FIELD_NAMES.filter((name) => name !== field && !DROPPING.includes(name));
    const made = (index: number, of: number) => others.map((name) => [name, DIFFERENT[name](index, of)]);
    expectLinear((index, of) => ({ name: "purchase", ...Object.fromEntries(made(index, of)) }), {
      n: 750,
      dimensions: ["page", "product", "source"],
    });
  });
});

const ACTS: readonly Partial<Event>[] = [
  { name: "purchase" },
  { name: "refund" },
  { name: "refund", revenue: 0, products: "" },
  { name: "Order Cancelled" },
  { name: "Order Cancelled", revenue: 0, products: "" },
  { name: "Checkout Started" },
];
const PAIRS = ACTS.flatMap((one, at) =>
  ACTS.slice(at).map((other) => [nameOf(one), nameOf(other), one, other] as const),
);

function nameOf({ name, products }: Partial<Event>): string {
  return `${name}${products === "" ? " by its number alone" : ""}`;
}

describe("[CNT-10] acts of one order", () => {
  test.each(PAIRS)("%s and %s, with and without a key, over the whole Day", (_, __, one, other) => {
    expectLinear((index, of) => ({
      ...ALIKE,
      timestamp: DIFFERENT.timestamp(index, of) as number,
      ...(index % 2 === 0 ? one : other),
      keyed: index % 3 === 0 ? 1 : 0,
    }));
  });
});

const page = (index: number) => ({ url: `https://shop.example/page-${index}` });
const KINDS: readonly (readonly [what: string, make: Make, n: number])[] = [
  [
    "prefetched pages of one visitor that are then read",
    (index, of) =>
      index < of / 2 ? { ...page(index), purpose: "prefetch" } : { ...page(index - of / 2), name: "read" },
    5_000,
  ],
  [
    "one prefetched page of one visitor, again and again, over the Day",
    (index, of) => ({ purpose: "prefetch", timestamp: DIFFERENT.timestamp(index, of) as number }),
    5_000,
  ],
  [
    "orders of their own products, and refunds of each by its number alone",
    (index, of) => {
      const number = index % (of / 2);
      const own = { ...ALIKE, order: `A${number}`, products: productsOf(`Product ${number}`) };
      return index < of / 2 ? own : { name: "refund", order: `A${number}` };
    },
    5_000,
  ],
  [
    "the same told by as many visitors",
    (index, of) => {
      const visitor = DIFFERENT.visitor(index, of) as string;
      const number = index % (of / 2);
      const own = { ...ALIKE, visitor, order: `A${number}`, products: productsOf(`Product ${number}`) };
      return index < of / 2 ? own : { name: "refund", visitor, order: `A${number}` };
    },
    2_500,
  ],
  [
    "refunds that name their products",
    (index, of) => {
      const number = index % (of / 2);
      const own = { ...ALIKE, order: `A${number}`, products: productsOf(`Product ${number}`) };
      return index < of / 2 ? own : { ...own, name: "refund" };
    },
    2_500,
  ],
  [
    "purchases of many products without a number, in all currencies",
    (index) => ({
      name: "purchase",
      products: productsOf(...Array.from({ length: 20 }, (_, at) => `Product ${at}`)),
      currency: CURRENCIES[index % CURRENCIES.length] as string,
      revenue: 1,
    }),
    1_000,
  ],
  [
    "all currencies on many pages of many visitors",
    (index) => ({
      ...page(index % 100),
      visitor: hash64Hex(`visitor ${index % 500}`),
      revenue: 1,
      currency: CURRENCIES[index % CURRENCIES.length] as string,
    }),
    2_500,
  ],
  [
    "visits that a late event joins, from the last to the first",
    (index, of) => ({ ...page(index), timestamp: DAY_START + DAY_MS - 1 - Math.floor((index * (DAY_MS - 1)) / of) }),
    2_500,
  ],
];

test.each(KINDS)("[CNT-10] %s", (_, make, n) => {
  expectLinear(make, { n });
});

test("[CNT-10] money of all currencies takes not many times what money of one does", () => {
  const of = (currencies: readonly string[]) => (index: number) => ({
    ...page(index % 400),
    visitor: hash64Hex(`visitor ${index % 500}`),
    name: "gave",
    revenue: 1,
    currency: currencies[index % currencies.length] as string,
  });
  const timeOf = (currencies: readonly string[]) => {
    const times = timesOf(toJudged(of(currencies), 10_000), ALL_DIMENSIONS);
    return times["count"] + times["read"];
  };
  timeOf(["EUR"]); // the first time is slower than others
  const times = bestOf(() => [timeOf(CURRENCIES) / timeOf(["EUR"])], 4);
  expect(times[0]).toBeLessThan(4);
});

interface Judged {
  readonly event: Event;
  readonly opinion: Opinion;
}

/** Events with what is thought of them: forming opinions is not what is timed. */
function toJudged(make: Make, length: number): readonly Judged[] {
  return Array.from({ length }, (_, index) => {
    const event = eventOf({ timestamp: DAY_START + 3_600_000, ...make(index, length) });
    const opinion = opine(event, RULES);
    return { event: { ...event, dropped: event.dropped || opinion.dropped }, opinion };
  });
}

const STEPS = ["count", "read", "read an Hour", "store", "load", "see", "erase"] as const;
type Times = Record<(typeof STEPS)[number], number>;

/** What each step takes with some events. */
function timesOf(judged: readonly Judged[], dimensions: readonly DimensionName[]): Times {
  const times: Partial<Times> = {};
  const timed = <T>(step: keyof Times, run: () => T): T => {
    const start = process.cpuUsage();
    const result = run();
    const { user, system } = process.cpuUsage(start);
    times[step] = user + system;
    return result;
  };
  const state = timed("count", () => countAll(emptyDay(1, DAY), judged));
  timed("read", () => rollupOf(state, WHOLE_DAY, dimensions));
  timed("read an Hour", () => rollupOf(state, 4, dimensions));
  const bytes = timed("store", () => {
    const writer = new ByteWriter();
    encodeDay(state, writer);
    return writer.finish();
  });
  // As after a restart: the checkpoint is read and the log after it counted again.
  timed("load", () => {
    const loaded = decodeDay(new ByteReader(bytes));
    return countAll(loaded, judged.slice(0, judged.length / 4));
  });
  const rows = judged.map(({ event }, position): ArchivedEvent => ({ event, partition: "p", position }));
  timed("see", () => seeDay({ rows: columnsOf(rows), day: DAY }, { settings: SETTINGS, global: [] }));
  const someone = judged.find(({ event }) => state.visitors.get(event.visitor) !== undefined)?.event.visitor ?? "";
  timed("erase", () => eraseFrom(state, someone, judged.length));
  return times as Times;
}

function countAll(state: DayState, judged: readonly Judged[]): DayState {
  judged.forEach(({ event, opinion }, position) => {
    countEvent(state, { event, opinion, settings: SETTINGS, position });
  });
  return state;
}

interface Size {
  readonly n?: number;
  readonly dimensions?: readonly DimensionName[];
}

function expectLinear(make: Make, { n = 2_000, dimensions = ALL_DIMENSIONS }: Size = {}): void {
  // A step of a moment says nothing about growth, so each stands beside what counting ordinary events takes.
  const growths = (size: number) => {
    const usual = timesOf(toJudged(ordinary, size), []).count + CLOCK_US;
    const before = timesOf(toJudged(make, size), dimensions);
    const after = timesOf(toJudged(make, 4 * size), dimensions);
    return STEPS.map((step) => (after[step] + 4 * usual) / (before[step] + usual));
  };
  const best = bestOf((times) => growths(n * times), GROWTH_MAX);
  const grown = STEPS.flatMap((step, at) => ((best[at] as number) < GROWTH_MAX ? [] : [[step, best[at]]]));
  expect(grown).toEqual([]);
}

const ordinary: Make = (index) => ({ name: "x", visitor: hash64Hex(`visitor ${index % 100}`) });

/** The least of each number over the tries; no more are made once all are below a bound. */
function bestOf(measure: (times: number) => readonly number[], bound: number): readonly number[] {
  let best: readonly number[] = [];
  for (const times of TRIES) {
    const found = measure(times);
    best = found.map((one, at) => Math.min(one, best[at] ?? Number.POSITIVE_INFINITY));
    if (best.every((one) => one < bound)) break;
  }
  return best;
}
