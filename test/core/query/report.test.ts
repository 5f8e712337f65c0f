// Funnels, retention, paths, orders and the present, from small sets of events whose answer is plain to see.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { columnsOf } from "../../../core/archive/event-columns.ts";
import type { Event } from "../../../core/event.ts";
import { finish, Slices } from "../../../core/gradual.ts";
import { zoneAt } from "../../../core/merchant.ts";
import {
  absorbFunnel,
  addFunnelDay,
  closeFunnel,
  encodeFunnel,
  openFunnel,
  parseFunnel,
} from "../../../core/query/funnel.ts";
import {
  absorbOrderList,
  addOrderListDay,
  closeOrderList,
  encodeOrderList,
  openOrderList,
  parseOrderList,
} from "../../../core/query/order-list.ts";
import { absorbPaths, addPathsDay, closePaths, encodePaths, openPaths, parsePaths } from "../../../core/query/path.ts";
import { type Range, resolveRange } from "../../../core/query/range.ts";
import { addRealtimeDay, closeRealtime, openRealtime, parseRealtime } from "../../../core/query/realtime.ts";
import type { DayVisits } from "../../../core/query/report.ts";
import {
  absorbRetention,
  addRetentionDay,
  closeRetention,
  encodeRetention,
  openRetention,
  parseRetention,
} from "../../../core/query/retention.ts";
import { type Seen, seeDay } from "../../../core/query/seen.ts";
import { dayAt } from "../../../core/time.ts";
import { eventOf, settingsOf } from "../../support/events.ts";
import { valueFrom } from "../../support/questions.ts";

/** 2026-03-02, a Monday. */
const MONDAY = Date.UTC(2026, 2, 2);
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const SETTINGS = settingsOf("UTC");
const ASKED = { site_id: "shop", date_range: ["2026-03-02", "2026-03-29"] };

const hit = (visitor: string, at: number, page: string, changes: Partial<Event> = {}) =>
  eventOf({ visitor, timestamp: MONDAY + at, url: `https://shop.example${page}`, ...changes });

function rangeOf(question: { readonly dateRange: Parameters<typeof resolveRange>[0] }): Range {
  return valueFrom(resolveRange(question.dateRange, { zones: SETTINGS.zones, now: MONDAY + 27 * DAY_MS }));
}

/** The visits of each Day, in the order of Days. */
function daysOf(events: readonly Event[]): readonly DayVisits[] {
  const days = Map.groupBy(events, ({ timestamp }) => dayAt(zoneAt(SETTINGS.zones, timestamp), timestamp));
  return [...days]
    .sort(([a], [b]) => a - b)
    .map(([day, own]) => {
      const rows = own.map((event, position) => ({ partition: "pool-0", position, event }));
      const { visits } = seeDay({ rows: columnsOf(rows), day }, { settings: SETTINGS, global: [] });
      return { day, visits, slices: new Slices() };
    });
}

describe("funnels", () => {
  const step = (page: string) => ({ name: page, filters: [["is", "event:page", [page]]] });
  const STEPS = [step("/a"), step("/b"), step("/c")];
  const ask = (events: readonly Event[], change: object = {}) => {
    const question = valueFrom(parseFunnel({ ...ASKED, steps: STEPS, ...change }));
    const funnel = openFunnel(question, rangeOf(question));
    for (const visits of daysOf(events)) finish(addFunnelDay(funnel, visits));
    return closeFunnel(funnel).map(({ visitors }) => visitors);
  };

  const CASES: readonly (readonly [
    what: string,
    events: readonly Event[],
    reached: readonly number[],
    change?: object,
  ])[] = [
    ["steps in order", [hit("v", 0, "/a"), hit("v", 1, "/x"), hit("v", 2, "/b"), hit("v", 3, "/c")], [1, 1, 1]],
    ["steps out of order", [hit("v", 0, "/b"), hit("v", 1, "/a"), hit("v", 2, "/c")], [1, 0, 0]],
    ["a visitor counts once", [hit("v", 0, "/a"), hit("v", 1, "/a"), hit("v", 2, "/b"), hit("v", 3, "/b")], [1, 1, 0]],
    ["over two visits and a midnight", [hit("v", 23 * HOUR_MS, "/a"), hit("v", 26 * HOUR_MS, "/b")], [1, 1, 0]],
    ["too late", [hit("v", 0, "/a"), hit("v", 25 * HOUR_MS, "/b")], [1, 0, 0]],
    ["just in time", [hit("v", 0, "/a"), hit("v", 24 * HOUR_MS, "/b")], [1, 1, 0]],
    ["in a window of an hour", [hit("v", 0, "/a"), hit("v", 3_601_000, "/b")], [1, 0, 0], { window_seconds: 3_600 }],
    [
      "from a later beginning",
      [hit("v", 0, "/a"), hit("v", 50_000, "/a"), hit("v", 60_000, "/b"), hit("v", 61_000, "/c")],
      [1, 1, 1],
      { window_seconds: 11 },
    ],
    ["one event is one step", [hit("v", 0, "/a")], [1, 0, 0], { steps: [step("/a"), step("/a"), step("/b")] }],
    [
      "only those whom the filter admits",
      [
        hit("v", 0, "/a", { country: "AT" }),
        hit("w", 0, "/a", { country: "IN" }),
        hit("w", 1, "/b", { country: "IN" }),
      ],
      [1, 1, 0],
      { filters: [["is", "visit:country", ["IN"]]] },
    ],
    ["before the range", [hit("v", -1, "/a"), hit("v", 1, "/b")], [0, 0, 0]],
  ];

  test.each(CASES.map(([what, events, reached, change = {}]) => [what, events, reached, change] as const))(
    "[RPT-1] %s",
    (_, events, reached, change) => {
      expect(ask(events, change)).toEqual(reached);
    },
  );

  test("[RPT-1] a funnel agrees with trying every choice of events", () => {
    const anyHit = fc.record({
      who: fc.constantFrom("v", "w"),
      at: fc.nat(60),
      page: fc.constantFrom("/a", "/b", "/c"),
    });
    const distinct = fc.uniqueArray(anyHit, { selector: ({ who, at }) => `${who} ${at}`, maxLength: 14 });
    fc.assert(
      fc.property(distinct, fc.integer({ min: 1, max: 40 }), (hits, hours) => {
        const reaches = (who: string, depth: number, after: number, since: number): number => {
          if (depth === 3) return 3;
          const next = hits.filter(
            ({ who: own, at, page }) => own === who && at > after && page === STEPS[depth]?.name,
          );
          const inTime = next.filter(({ at }) => depth === 0 || at - since <= hours);
          return Math.max(depth, ...inTime.map(({ at }) => reaches(who, depth + 1, at, depth === 0 ? at : since)));
        };
        const depths = ["v", "w"].map((who) => reaches(who, 0, -1, 0));
        const events = hits.map(({ who, at, page }) => hit(who, at * HOUR_MS, page));
        const expected = [1, 2, 3].map((depth) => depths.filter((own) => own >= depth).length);
        expect(ask(events, { window_seconds: hours * 3_600 })).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  test("[RPT-1] rates are of those who began and of the step before", () => {
    const question = valueFrom(parseFunnel({ ...ASKED, steps: STEPS }));
    const funnel = openFunnel(question, rangeOf(question));
    const events = ["v", "w", "x"].flatMap((who, at) => [hit(who, 0, "/a"), ...(at > 0 ? [hit(who, 1, "/b")] : [])]);
    for (const visits of daysOf([...events, hit("w", 2, "/c")])) finish(addFunnelDay(funnel, visits));
    expect(closeFunnel(funnel)).toEqual([
      { name: "/a", visitors: 3, conversion_rate: 100, step_conversion_rate: 100 },
      { name: "/b", visitors: 2, conversion_rate: 66.67, step_conversion_rate: 66.67 },
      { name: "/c", visitors: 1, conversion_rate: 33.33, step_conversion_rate: 50 },
    ]);
  });
});

test("[RPT-2] visitors by the week they first came in, and who came again", () => {
  const question = valueFrom(parseRetention({ ...ASKED, filters: [["is_not", "event:page", ["/hidden"]]] }));
  const retention = openRetention(question, rangeOf(question));
  const week = 7 * DAY_MS;
  const events = [
    ...[0, DAY_MS, week, 3 * week].map((at) => hit("v", at, "/")),
    ...[6 * DAY_MS, 2 * week].map((at) => hit("w", at, "/")),
    ...[week, 2 * week].map((at) => hit("x", at, "/")),
    hit("y", 0, "/hidden"),
    hit("z", -1, "/"),
  ];
  for (const visits of daysOf(events)) finish(addRetentionDay(retention, visits));
  expect(closeRetention(retention)).toEqual([
    { cohort: "2026-03-02", visitors: 2, retained: [2, 1, 1, 1] },
    { cohort: "2026-03-09", visitors: 1, retained: [1, 1, 0] },
  ]);
});

test("[RPT-3] paths are the first pages of visits, a page seen twice in a row once, the most frequent first", () => {
  const ask = (change: object) => {
    const question = valueFrom(parsePaths({ ...ASKED, ...change }));
    const paths = openPaths(question, rangeOf(question));
    const events = [
      ...["/", "/", "/a", "/b", "/c"].map((page, at) => hit("v", at, page)),
      ...["/", "/a", "/b"].map((page, at) => hit("w", at, page)),
      hit("x", 0, "/"),
      hit("y", 0, "/signup", { name: "signup" }),
      hit("z", -1, "/"),
    ];
    for (const visits of daysOf(events)) finish(addPathsDay(paths, visits));
    return closePaths(paths);
  };
  const short = [
    { pages: ["/", "/a", "/b"], visits: 2 },
    { pages: ["/"], visits: 1 },
  ];
  expect(ask({})).toEqual(short);
  expect(ask({ limit: 1 })).toEqual(short.slice(0, 1));
  expect(ask({ depth: 2, filters: [["is", "event:page", ["/c"]]] })).toEqual([{ pages: ["/", "/a"], visits: 1 }]);
});

test("[RPT-3] paths are followed from a page on, or until it; visits without it are in neither", () => {
  const events = [
    ...["/", "/tea", "/tea", "/cart", "/tea", "/paid"].map((page, at) => hit("v", at, page)),
    ...["/tea", "/cart"].map((page, at) => hit("w", at, page)),
    ...["/", "/mug", "/tea"].map((page, at) => hit("x", at, page)),
    hit("y", 0, "/"),
    hit("z", 0, "/tea", { name: "signup" }),
  ];
  const ask = (change: object) => {
    const question = valueFrom(parsePaths({ ...ASKED, ...change }));
    const paths = openPaths(question, rangeOf(question));
    for (const visits of daysOf(events)) finish(addPathsDay(paths, visits));
    const found = closePaths(paths).map(({ pages, visits }) => [pages.join(" "), visits] as const);
    return found.toSorted(([a, left], [b, right]) => right - left || (a < b ? -1 : 1));
  };
  expect(ask({ from: "/tea" })).toEqual([
    ["/tea", 1],
    ["/tea /cart", 1],
    ["/tea /cart /tea", 1],
  ]);
  expect(ask({ from: "/tea", depth: 2 })).toEqual([
    ["/tea /cart", 2],
    ["/tea", 1],
  ]);
  expect(ask({ to: "/tea" })).toEqual([
    ["/ /mug /tea", 1],
    ["/ /tea", 1],
    ["/tea", 1],
  ]);
  expect(ask({ to: "/paid", depth: 2 })).toEqual([["/tea /paid", 1]]);
  expect(ask({ from: "/nowhere" })).toEqual([]);
});

describe("the last orders", () => {
  const buy = (visitor: string, at: number, order: string, changes: Partial<Event> = {}) =>
    hit(visitor, at, "/paid", { name: "purchase", order, revenue: 125_000, currency: "EUR", ...changes });
  const SECOND = 1_000;
  const events = [
    ...["/", "/", "/tea"].map((page, at) => hit("v", at * SECOND, page, { referrer: "https://www.google.com/" })),
    buy("v", 5 * SECOND, "1"),
    hit("v", 6 * SECOND, "/later"),
    buy("w", 7 * SECOND, "1"), // the same number earns once
    hit("w", 7 * SECOND, "/w", { name: "refund", order: "1", revenue: 50_000, currency: "EUR" }),
    ...Array.from({ length: 14 }, (_, at) => hit("x", 3_600_000 + at * SECOND, `/${at}`)),
    buy("x", 3_600_000 + 20 * SECOND, "2"),
    buy("y", -1, "3"),
    hit("z", 0, "/", { country: "IN" }),
    buy("z", 25 * HOUR_MS, "4", { country: "IN" }),
  ];
  const ask = (change: object = {}, given = events) => {
    const question = valueFrom(parseOrderList({ ...ASKED, ...change }));
    const list = openOrderList(question, rangeOf(question));
    for (const visits of daysOf(given)) finish(addOrderListDay(list, visits));
    return closeOrderList(list);
  };

  test("[RPT-7] the newest first, each once, with where its visit came from and what it saw until then", () => {
    const [last, second, first, ...others] = ask();
    expect(others).toEqual([]);
    expect(first).toEqual({
      at: new Date(MONDAY + 5 * SECOND).toISOString(),
      currency: "EUR",
      revenue: 12.5,
      units: 0,
      products: [],
      source: "Google",
      channel: "Organic Search",
      pages: ["/", "/tea"],
      pages_left_out: 0,
      seconds: 5,
    });
    expect(second).toMatchObject({
      pages: ["/0", ...Array.from({ length: 9 }, (_, at) => `/${at + 5}`)],
      pages_left_out: 4,
      source: "Direct / None",
    });
    expect(last).toMatchObject({ at: new Date(MONDAY + 25 * HOUR_MS).toISOString(), pages: [], seconds: 0 });
    expect(JSON.stringify([first, second, last])).not.toMatch(/"order|visitor/);
  });

  test("[RPT-7] as many as are asked for, of visits that a filter admits", () => {
    expect(ask({ limit: 1 }).map(({ seconds }) => seconds)).toEqual([0]);
    expect(ask({ filters: [["is", "event:page", ["/tea"]]] }).map(({ source }) => source)).toEqual(["Google"]);
    expect(ask({ filters: [["is", "visit:country", ["AT"]]] })).toEqual([]);
  });

  test("[RPT-7] a visit of many orders is looked at once, and others are answered meanwhile", () => {
    const many = Array.from({ length: 2_000 }, (_, at) => [
      hit("m", at * SECOND, `/${at}`),
      buy("m", at * SECOND + 1, `o${at}`),
    ]);
    const question = valueFrom(parseOrderList(ASKED));
    const list = openOrderList(question, rangeOf(question));
    let looks = 0;
    let slices = 0;
    const look = (seen: Seen, name: string) => {
      if (name === "opinion") looks += 1;
      return Reflect.get(seen, name) as unknown;
    };
    for (const { visits, ...day } of daysOf(many.flat())) {
      const watched = visits.map((visit) => ({
        ...visit,
        events: visit.events.map((seen) => new Proxy(seen, { get: look })),
      }));
      for (const _ of addOrderListDay(list, { ...day, visits: watched })) slices += 1;
    }
    expect(looks).toBeLessThan(5 * 2_000);
    expect(slices).toBeGreaterThan(0);
    expect(closeOrderList(list)[0]).toMatchObject({
      pages_left_out: 1_990,
      pages: { 0: "/0", 1: "/1991", 9: "/1999" },
    });
  });

  test("[RPT-6] [RPT-7] parts of the events, counted apart and put together in any order, give the same list", () => {
    const many = Array.from({ length: 60 }, (_, at) => buy(`b${at % 7}`, (at % 20) * 60_000, `o${at}`));
    const question = valueFrom(parseOrderList({ ...ASKED, limit: 9 }));
    const range = rangeOf(question);
    const whole = ask({ limit: 9 }, many);
    expect(whole).toHaveLength(9);
    const texts = [0, 1, 2].map((part) => {
      const list = openOrderList(question, range);
      const own = many.filter(({ visitor }) => Number(visitor.slice(1)) % 3 === part);
      for (const visits of daysOf(own)) finish(addOrderListDay(list, visits));
      return encodeOrderList(list);
    });
    for (const order of [texts, texts.toReversed()]) {
      const list = openOrderList(question, range);
      for (const text of order) absorbOrderList(list, text);
      expect(closeOrderList(list)).toEqual(whole);
    }
  });
});

test("[RPT-4] who is here, and the last thirty minutes one by one, by the local clock", () => {
  const now = MONDAY + 12 * HOUR_MS + 30_000;
  const question = valueFrom(parseRealtime({ site_id: "shop", filters: [["is", "visit:country", ["GB"]]] }));
  const realtime = openRealtime(question, now);
  const at = (minutesAgo: number) => 12 * HOUR_MS + 30_000 - minutesAgo * 60_000;
  const events = [
    hit("v", at(0), "/"),
    hit("v", at(0) - 1, "/a"),
    hit("w", at(4), "/"),
    hit("x", at(5), "/"),
    hit("x", at(29), "/", { name: "signup" }),
    hit("y", at(30), "/"),
    hit("z", at(-1), "/"),
    hit("u", at(0), "/", { country: "AT" }),
  ];
  for (const visits of daysOf(events)) finish(addRealtimeDay(realtime, visits));
  const { visitors, minutes } = closeRealtime(realtime, [{ from: 0, zone: "Asia/Kolkata" }]);
  expect(visitors).toBe(2);
  expect(minutes).toHaveLength(30);
  expect(minutes.filter((one) => one.visitors > 0)).toEqual([
    { minute: "2026-03-02 17:01:00", visitors: 1, pageviews: 0 },
    { minute: "2026-03-02 17:25:00", visitors: 1, pageviews: 1 },
    { minute: "2026-03-02 17:26:00", visitors: 1, pageviews: 1 },
    { minute: "2026-03-02 17:30:00", visitors: 1, pageviews: 2 },
  ]);
});

const STEP = { filters: [["is", "event:page", ["/"]]] };
const REFUSED: readonly (readonly [parse: (body: unknown) => unknown, body: object, message: string])[] = [
  [parseFunnel, { steps: [STEP] }, "#/steps: Expected 2 to 10 items but got 1."],
  [parseFunnel, {}, "#/steps: Type mismatch. Expected Array but got Null."],
  [parseFunnel, { steps: [STEP, 7] }, "#/steps/1: Type mismatch. Expected Object but got Integer."],
  [parseFunnel, { steps: [STEP, {}] }, "#/steps/1: A step needs filters."],
  [parseFunnel, { steps: [STEP, { filters: [[]] }] }, "#/steps/1/filters/0: Invalid filter []"],
  [parseFunnel, { steps: [STEP, { ...STEP, x: 1 }] }, '#/steps/1: A step has "name" and "filters", nothing else.'],
  [
    parseFunnel,
    { steps: [STEP, STEP], window_seconds: 0 },
    "#/window_seconds: Expected a whole number from 1 to 2678400.",
  ],
  [parseRetention, { metrics: ["visitors"] }, "#/metrics: Schema does not allow additional properties."],
  [parseRetention, { date_range: "x" }, '#/date_range: Invalid date range "x"'],
  [parseRetention, { filters: "x" }, "#/filters: Type mismatch. Expected Array but got String."],
  [parsePaths, { depth: 1 }, "#/depth: Expected a whole number from 2 to 10."],
  [parsePaths, { limit: 0 }, "#/limit: Expected a whole number from 1 to 10000."],
  [parsePaths, { from: "" }, "#/from: Expected a page of 1 to 2048 characters."],
  [parsePaths, { to: 7 }, "#/to: Expected a page of 1 to 2048 characters."],
  [parsePaths, { from: "/", to: "/a" }, "#/to: A path begins with a page or ends with one; leave out from or to."],
  [parseOrderList, { limit: 101 }, "#/limit: Expected a whole number from 1 to 100."],
  [parseOrderList, { depth: 2 }, "#/depth: Schema does not allow additional properties."],
  [parseRealtime, {}, "#/date_range: Schema does not allow additional properties."],
];

test.each(REFUSED)("[RPT-5] %o refuses %j", (parse, body, message) => {
  expect(parse({ ...ASKED, ...body })).toMatchObject({ ok: false, rejection: { message } });
});

test("[RPT-6] parts of the Days, each counted by itself and put together, give the report of all of them", () => {
  const STEPS = ["/a", "/b", "/a", "/c"].map((page) => ({ filters: [["is", "event:page", [page]]] }));
  const anyHit = fc.record({
    who: fc.constantFrom("v", "w", "x"),
    at: fc.nat(26 * 24 * 4),
    page: fc.constantFrom("/a", "/b", "/c"),
  });
  const hits = fc.uniqueArray(anyHit, { selector: ({ who, at }) => `${who} ${at}`, maxLength: 60 });
  const funnelOf = valueFrom(parseFunnel({ ...ASKED, steps: STEPS }));
  const retentionOf = valueFrom(parseRetention(ASKED));
  const pathsOf = valueFrom(parsePaths(ASKED));
  const range = rangeOf(retentionOf);
  fc.assert(
    fc.property(
      hits,
      fc.integer({ min: 1, max: 600 }),
      fc.uniqueArray(fc.nat(27), { maxLength: 5 }),
      (all, hours, cuts) => {
        const days = daysOf(all.map(({ who, at, page }) => hit(who, at * 900_000, page)));
        const question = { ...funnelOf, windowSeconds: hours * 3_600 };
        const first = days[0]?.day ?? 0;
        const parts = Map.groupBy(days, ({ day }) => cuts.filter((cut) => first + cut <= day).length);
        const whole = [
          openFunnel(question, range),
          openRetention(retentionOf, range),
          openPaths(pathsOf, range),
        ] as const;
        const put = [
          openFunnel(question, range),
          openRetention(retentionOf, range),
          openPaths(pathsOf, range),
        ] as const;
        for (const own of parts.values()) {
          const part = [
            openFunnel(question, range, "part"),
            openRetention(retentionOf, range),
            openPaths(pathsOf, range),
          ] as const;
          for (const counters of [whole, part]) {
            for (const visits of own) {
              finish(addFunnelDay(counters[0], visits));
              finish(addRetentionDay(counters[1], visits));
              finish(addPathsDay(counters[2], visits));
            }
          }
          absorbFunnel(put[0], encodeFunnel(part[0]));
          absorbRetention(put[1], encodeRetention(part[1]));
          absorbPaths(put[2], encodePaths(part[2]));
        }
        expect(closeFunnel(put[0])).toEqual(closeFunnel(whole[0]));
        expect(closeRetention(put[1])).toEqual(closeRetention(whole[1]));
        expect(closePaths(put[2])).toEqual(closePaths(whole[2]));
      },
    ),
    { numRuns: 300 },
  );
});
