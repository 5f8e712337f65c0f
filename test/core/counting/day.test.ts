// A Day's state against the naive model: any set of events, in any order, gives the same numbers, and survives its
// bytes.

import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteReader, ByteWriter } from "../../../core/bytes.ts";
import { rollupOf } from "../../../core/counting/bucket.ts";
import {
  countEvent,
  type DayState,
  decodeDay,
  emptyDay,
  encodeDay,
  slotStart,
  WHOLE_DAY,
} from "../../../core/counting/day.ts";
import { ALL_DIMENSIONS, type Counter } from "../../../core/counting/rollup.ts";
import { toRollupRow } from "../../../core/counting/rollup-row.ts";
import { addMoney, type Money, toMoneyText } from "../../../core/counting/takings.ts";
import { opine } from "../../../core/enrichment/opinion.ts";
import { type Event, REVENUE_SCALE } from "../../../core/event.ts";
import { hash64Hex } from "../../../core/hash.ts";
import { COUNT_MAX, REVENUE_MAX } from "../../../core/limits.ts";
import { hourOf, type Settings } from "../../../core/merchant.ts";
import { linesOf } from "../../../core/order.ts";
import { NO_RULES, type RulesInForce } from "../../../core/rules.ts";
import { dateOf, dayAt, dayStart, hourAt } from "../../../core/time.ts";
import { CHROME, eventOf, GOOGLEBOT, IPHONE, settingsOf } from "../../support/events.ts";
import { naiveTotals, naiveVisits, plainCounts } from "../../support/naive.ts";

const ZONES = ["UTC", "Asia/Kolkata", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"];
/** Days with and without clock changes in those zones. */
const DATES = ["2026-03-08", "2026-03-10", "2026-11-01", "2026-04-05", "2026-10-04"];

const eventArbitrary = fc.record({
  minute: fc.integer({ min: 0, max: 23 * 60 + 30 }),
  second: fc.constantFrom(0, 0, 1, 59),
  visitor: fc.integer({ min: 0, max: 3 }),
  name: fc.constantFrom("pageview", "pageview", "pageview", "purchase", "refund", "web_vitals", "engagement"),
  order: fc.constantFrom("", "", "1", "2"),
  products: fc.constantFrom(
    "",
    '[{"id":"A","name":"Mat","price":12.5,"quantity":2},{"id":"B","price":1,"quantity":3}]',
  ),
  keyed: fc.constantFrom(0, 1),
  sequence: fc.integer({ min: 0, max: 2 }),
  page: fc.constantFrom("/", "/a", "/b"),
  referrer: fc.constantFrom("", "https://www.google.com/", "https://news.example/x"),
  userAgent: fc.constantFrom(CHROME, CHROME, IPHONE, GOOGLEBOT),
  revenue: fc.constantFrom(0, 0, 125_000, -20_000),
  currency: fc.constantFrom("", "EUR", "USD"),
});
const caseArbitrary = fc.record({
  zone: fc.constantFrom(...ZONES),
  date: fc.constantFrom(...DATES),
  raw: fc.array(eventArbitrary, { minLength: 1, maxLength: 40 }),
  seed: fc.integer(),
});

function toEvents(zone: string, date: string, raw: readonly Record<string, unknown>[]): readonly Event[] {
  const start = dayStart(zone, Date.parse(date) / 86_400_000);
  return raw.map((item, index) =>
    eventOf({
      id: `e${index}`,
      timestamp: start + (item["minute"] as number) * 60_000 + (item["second"] as number) * 1000,
      visitor: hash64Hex(`visitor ${item["visitor"]}`),
      name: item["name"] as string,
      url: `https://shop.example${item["page"]}`,
      referrer: item["referrer"] as string,
      userAgent: item["userAgent"] as string,
      revenue: item["revenue"] as number,
      currency: item["currency"] as string,
      engagementMs: item["name"] === "engagement" ? 1_500 : 0,
      ...(["purchase", "refund"].includes(item["name"] as string) && {
        order: item["order"] as string,
        products: item["products"] as string,
      }),
      keyed: item["keyed"] as number,
      sequence: item["sequence"] as number,
    }),
  );
}

/** Goals of which events reach none, one or several. */
const RULES: RulesInForce = {
  own: {
    ...NO_RULES,
    goals: [
      { name: "bought", event: "purchase" },
      { name: "the front page", page: "/" },
      { name: "anything", event: "*" },
    ],
  },
  global: NO_RULES,
};

function count(events: readonly Event[], settings: Settings, day: number): DayState {
  const state = emptyDay(1, day);
  events.forEach((event, index) => {
    const opinion = opine(event, RULES);
    countEvent(state, { event: { ...event, dropped: opinion.dropped }, opinion, settings, position: index + 1 });
  });
  return state;
}

/** Every rollup of a Day as plain data. */
function rollups(state: DayState): unknown {
  const slots = [...state.changed.keys()].sort((a, b) => a - b);
  return slots.map((slot) => toRollupRow(state, { slot, partition: "p", version: 0, dimensions: ALL_DIMENSIONS }));
}

function moneyOf(money: Money) {
  return JSON.parse(toMoneyText(money));
}

function shuffled<T>(items: readonly T[], seed: number): T[] {
  let state = seed | 1;
  const next = () => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x297a2d39;
    return state >>> 0;
  };
  return items
    .map((item) => ({ item, key: next() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

test("[CNT-1] a Day's rollups do not depend on the order of its events, in any zone", () => {
  fc.assert(
    fc.property(caseArbitrary, ({ zone, date, raw, seed }) => {
      const settings = settingsOf(zone);
      const day = Date.parse(date) / 86_400_000;
      const events = toEvents(zone, date, raw).filter((event) => dayAt(zone, event.timestamp) === day);
      const inOrder = count(events, settings, day);
      const disordered = count(shuffled(events, seed), settings, day);
      expect(rollups(disordered)).toEqual(rollups(inOrder));
    }),
    { numRuns: 300 },
  );
});

test("[CNT-2] every Hour and the Day agree with the naive model", () => {
  fc.assert(
    fc.property(caseArbitrary, ({ zone, date, raw }) => {
      const settings = settingsOf(zone);
      const day = Date.parse(date) / 86_400_000;
      const events = toEvents(zone, date, raw)
        .filter((event) => dayAt(zone, event.timestamp) === day)
        .map((event) => ({ ...event, dropped: opine(event, RULES).dropped }));
      const state = count(events, settings, day);
      const visits = naiveVisits(events, settings, dateOf(day));
      expect(plainCounts(rollupOf(state, WHOLE_DAY, []).counts)).toEqual(naiveTotals(visits, settings, () => true));
      for (const slot of state.changed.keys()) {
        if (slot === WHOLE_DAY) continue;
        const inHour = (event: Event) => hourAt(zone, event.timestamp) === slotStart(day, slot);
        expect(plainCounts(rollupOf(state, slot, []).counts)).toEqual(naiveTotals(visits, settings, inHour));
      }
    }),
    { numRuns: 300 },
  );
});

test("[CNT-3] visits, page views and events of a visit dimension add up to the totals", () => {
  fc.assert(
    fc.property(caseArbitrary, ({ zone, date, raw }) => {
      const day = Date.parse(date) / 86_400_000;
      const events = toEvents(zone, date, raw).filter((event) => dayAt(zone, event.timestamp) === day);
      const rollup = rollupOf(count(events, settingsOf(zone), day), WHOLE_DAY, ALL_DIMENSIONS);
      for (const [name, breakdown] of rollup.breakdowns) {
        if (name === "goal" || name === "product") continue; // an event may have several, or none
        const sum = (counter: Counter) => breakdown.entries.reduce((total, entry) => total + entry.counts[counter], 0);
        for (const counter of ["pageviews", "events", "orders", "refunds", "units"] as const) {
          expect([name, counter, sum(counter)]).toEqual([name, counter, rollup.counts[counter]]);
        }
        const money = breakdown.entries.reduce(
          (total, entry) => addMoney(total, entry.counts.money),
          undefined as Money,
        );
        expect([name, moneyOf(money)]).toEqual([name, moneyOf(rollup.counts.money)]);
        if (!["page", "name", "hostname", "stream"].includes(name)) expect(sum("visits")).toBe(rollup.counts.visits);
      }
    }),
    { numRuns: 200 },
  );
});

test("[CNT-7] each dimension made alone has the bytes that it has among all others", () => {
  fc.assert(
    fc.property(caseArbitrary, ({ zone, date, raw }) => {
      const day = Date.parse(date) / 86_400_000;
      const events = toEvents(zone, date, raw).filter((event) => dayAt(zone, event.timestamp) === day);
      const state = count(events, settingsOf(zone), day);
      for (const slot of state.changed.keys()) {
        const row = { slot, partition: "p", version: 1 };
        const together = toRollupRow(state, { ...row, dimensions: ALL_DIMENSIONS });
        const alone = ALL_DIMENSIONS.map((name) => [
          name,
          toRollupRow(state, { ...row, dimensions: [name] }).breakdowns[name],
        ]);
        expect(together.breakdowns).toEqual(Object.fromEntries(alone));
      }
    }),
    { numRuns: 100 },
  );
});

test("[CNT-4] a Day survives its bytes: the decoded state counts on as the original would", () => {
  fc.assert(
    fc.property(caseArbitrary, ({ zone, date, raw }) => {
      const settings = settingsOf(zone);
      const day = Date.parse(date) / 86_400_000;
      const events = toEvents(zone, date, raw).filter((event) => dayAt(zone, event.timestamp) === day);
      const half = Math.floor(events.length / 2);
      const state = count(events.slice(0, half), settings, day);
      const writer = new ByteWriter();
      encodeDay(state, writer);
      const restored = decodeDay(new ByteReader(writer.finish()));
      expect(rollups(restored)).toEqual(rollups(state));
      for (const event of events) expect(restored.ids.recall(event)).toBe(state.ids.recall(event));
      events.slice(half).forEach((event, index) => {
        const opinion = opine(event, RULES);
        const counted = {
          event: { ...event, dropped: opinion.dropped },
          opinion,
          settings,
          position: half + index + 1,
        };
        countEvent(restored, counted);
      });
      expect(rollups(restored)).toEqual(rollups(count(events, settings, day)));
    }),
    { numRuns: 200 },
  );
});

const GAPS: readonly (readonly [string, readonly number[], number])[] = [
  ["one event", [0], 1],
  ["a gap of exactly 1800 s", [0, 1800], 1],
  ["a gap of 1801 s", [0, 1801], 2],
  ["an event that bridges two visits", [0, 3600, 1800], 1],
  ["an event between two visits that touches neither", [0, 5600, 2800], 3],
];
test.each(GAPS)("[VIS-1] %s: offsets %j make %i visit(s)", (_, offsets, visits) => {
  const events = offsets.map((offset) => eventOf({ timestamp: Date.UTC(2026, 2, 10, 10) + offset * 1000 }));
  const state = count(events, settingsOf(), dayAt("UTC", Date.UTC(2026, 2, 10)));
  expect(rollupOf(state, WHOLE_DAY, []).counts.visits).toBe(visits);
});

test("[VIS-2] an earlier event that arrives late gives the visit its source and entry page", () => {
  const at = Date.UTC(2026, 2, 10, 10);
  const second = eventOf({ timestamp: at + 60_000, url: "https://shop.example/b", referrer: "https://x.com/p" });
  const first = eventOf({ timestamp: at, url: "https://shop.example/a", referrer: "https://www.google.com/" });
  const state = count([second, first], settingsOf(), dayAt("UTC", at));
  const { breakdowns } = rollupOf(state, WHOLE_DAY, ["source", "entry_page", "exit_page"]);
  const values = (name: "source" | "entry_page" | "exit_page") =>
    breakdowns.get(name)?.entries.map((entry) => entry.value);
  expect(values("source")).toEqual(["Google"]);
  expect(values("entry_page")).toEqual(["/a"]);
  expect(values("exit_page")).toEqual(["/b"]);
});

test("[CNT-5] an Hour that began under the old zone ends where the new zone begins", () => {
  const change = Date.UTC(2026, 2, 10, 12);
  const zones = [
    { from: 0, zone: "Asia/Kolkata" },
    { from: change, zone: "America/St_Johns" },
  ];
  // 11:45 UTC is 17:15 in Kolkata, 12:15 is 09:45 in St John's: both zones have an Hour that starts at 11:30 UTC.
  expect(hourOf(zones, change - 900_000)).toBe(change - 1_800_000);
  expect(hourOf(zones, change + 900_000)).toBe(change);
  expect(hourOf(zones, change + 2_700_000)).toBe(change + 1_800_000);
});

test("[CNT-6] forged revenue beyond every sum is cut where it is stored, and stops nothing", () => {
  const at = Date.UTC(2026, 2, 10, 10);
  const events = Array.from({ length: 600 }, (_, index) =>
    eventOf({ id: `f ${index}`, timestamp: at, revenue: REVENUE_MAX }),
  );
  const state = count(events, settingsOf(), dayAt("UTC", at));
  const writer = new ByteWriter();
  encodeDay(state, writer);
  const restored = decodeDay(new ByteReader(writer.finish()));
  expect(rollupOf(restored, WHOLE_DAY, []).counts).toMatchObject({
    pageviews: 600,
    money: [{ currency: "EUR", revenue: COUNT_MAX }],
  });
  expect(() =>
    toRollupRow(state, { slot: WHOLE_DAY, partition: "p", version: 1, dimensions: ALL_DIMENSIONS }),
  ).not.toThrow();
});

test("[CNT-6] what forged hits add and take off again leaves everybody else's money as it was, stored or not", () => {
  const at = Date.UTC(2026, 2, 10, 10);
  const line = { price: REVENUE_MAX / REVENUE_SCALE };
  const forged = (sign: 1 | -1) =>
    Array.from({ length: 1_200 }, (_, index) =>
      eventOf({
        id: `f ${sign} ${index}`,
        timestamp: at + 1,
        visitor: "00000000000000ff",
        name: "purchase",
        revenue: sign * REVENUE_MAX,
        products: JSON.stringify([{ name: "Nothing", ...line }]),
      }),
    );
  const own = [7, 40_001].map((revenue) =>
    eventOf({
      id: `own ${revenue}`,
      timestamp: at,
      name: "purchase",
      revenue,
      products: JSON.stringify([{ name: "Mat", price: revenue / REVENUE_SCALE }]),
    }),
  );
  const [first, second] = own as [Event, Event];
  const day = dayAt("UTC", at);
  const expected = rollupOf(count(own, settingsOf(), day), WHOLE_DAY, ["product"]);
  const mat = expected.breakdowns.get("product")?.entries[0]?.counts;
  const check = (state: DayState) => {
    const { counts, breakdowns } = rollupOf(state, WHOLE_DAY, ["product"]);
    for (const taking of ["revenue", "order_revenue", "product_revenue"] as const)
      expect([taking, counts.money?.[0]?.[taking]]).toEqual([taking, expected.counts.money?.[0]?.[taking]]);
    expect(counts.money?.[0]?.gross_revenue).toBe(COUNT_MAX);
    const products = breakdowns.get("product")?.entries;
    expect(products?.find(({ value }) => value === "Mat")?.counts).toEqual(mat);
    expect(products?.find(({ value }) => value === "Nothing")?.counts.money?.[0]?.product_revenue).toBe(0);
  };
  check(count([first, ...forged(1), ...forged(-1), second], settingsOf(), day));
  check(count([...forged(-1), first, second, ...forged(1)], settingsOf(), day));
  const half = count([first, ...forged(1)], settingsOf(), day);
  const writer = new ByteWriter();
  encodeDay(half, writer);
  const restored = decodeDay(new ByteReader(writer.finish()));
  for (const [index, event] of [...forged(-1), second].entries())
    countEvent(restored, { event, opinion: opine(event, RULES), settings: settingsOf(), position: 5_000 + index });
  check(restored);
});

test("[ORD-11] of an event from before products were bounded, what is beyond is none, here and where a scan sees it", () => {
  const at = Date.UTC(2026, 2, 10, 10);
  const products = (price: number, quantity: number) =>
    JSON.stringify([{ name: "Z", price, quantity }, { name: "Mat" }]);
  const events = [
    eventOf({ timestamp: at, name: "purchase", revenue: 10_000, products: '[{"name":"Mat","price":1}]' }),
    eventOf({ timestamp: at, name: "purchase", products: products(1e9, 1_000) }),
    eventOf({ timestamp: at, name: "purchase", products: products(0, 1e9) }),
  ];
  const { counts } = rollupOf(count(events, settingsOf(), dayAt("UTC", at)), WHOLE_DAY, []);
  expect(counts.units).toBe(10_000 + 1_001 * 10_000);
  expect(counts.money?.[0]).toMatchObject({ revenue: 10_000, product_revenue: 10_000 });
  expect(events.map((event) => linesOf(event).map(({ units, revenue }) => [units, revenue]))).toEqual([
    [[10_000, 10_000]],
    [
      [10_000_000, 0],
      [10_000, 0],
    ],
    [
      [0, 0],
      [0, 0],
    ],
  ]);
});

test("[RUL-10] an event counts under each goal it reaches, a visit once under each, and under none where it reaches none", () => {
  const at = Date.UTC(2026, 2, 10, 10);
  const hit = (visitor: string, name: string, path: string, minute: number) =>
    eventOf({
      visitor: `00000000000000${visitor}`,
      name,
      url: `https://shop.example${path}`,
      timestamp: at + minute * 60_000,
    });
  const events = [
    hit("aa", "pageview", "/", 0),
    hit("aa", "pageview", "/", 1),
    hit("aa", "purchase", "/cart", 2),
    hit("bb", "pageview", "/cart", 3),
    hit("bb", "purchase", "/cart", 50),
    hit("bb", "engagement", "/", 51),
  ];
  const goals = rollupOf(count(events, settingsOf(), dayAt("UTC", at)), WHOLE_DAY, ["goal"]).breakdowns.get("goal");
  const shown = goals?.entries.map(({ value, counts }) => [value, counts.visitors, counts.visits, counts.events]);
  expect(shown).toEqual([
    ["anything", 2, 3, 5],
    ["bought", 2, 2, 2],
    ["the front page", 1, 1, 2],
  ]);
});
