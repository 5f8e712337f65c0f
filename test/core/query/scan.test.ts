// The scan against the rollups and against a plain model: one question, one answer, wherever it comes from (L3).

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { columnsOf } from "../../../core/archive/event-columns.ts";
import { DIMENSIONS } from "../../../core/counting/dimension.ts";
import { replay } from "../../../core/counting/replay.ts";
import type { Event } from "../../../core/event.ts";
import { finish } from "../../../core/gradual.ts";
import { hash64Hex } from "../../../core/hash.ts";
import { DIMENSION_VALUES_MAX } from "../../../core/limits.ts";
import { type Settings, zoneAt } from "../../../core/merchant.ts";
import { type Answer, answer } from "../../../core/query/answer.ts";
import type { Groups } from "../../../core/query/group.ts";
import { UNCONVERTED } from "../../../core/query/money.ts";
import { type Plan, planQuestion } from "../../../core/query/plan.ts";
import { parseQuestion } from "../../../core/query/question.ts";
import { resolveRange } from "../../../core/query/range.ts";
import { closeScan, openScan, scanDay } from "../../../core/query/scan.ts";
import { absorbScan, encodeScan } from "../../../core/query/scan-part.ts";
import { addStored, closeTally, openTally } from "../../../core/query/tally.ts";
import { dayAt, dayStart, HOUR_MS, hourAt } from "../../../core/time.ts";
import { always, CHROME, eventOf, GOOGLEBOT, IPHONE, settingsOf } from "../../support/events.ts";
import { naiveVisits, opens } from "../../support/naive.ts";
import { valueFrom } from "../../support/questions.ts";

const START = Date.UTC(2026, 2, 27);
const NOW = Date.UTC(2026, 3, 2, 12);
const GOALS = [
  { name: "Signup", event: "signup" },
  { name: "Any page", page: "*" },
  { name: "Pay", page: "/pay" },
];

function settingsIn(zone: string): Settings {
  return settingsOf(zone, { rules: always({ goals: GOALS }) });
}

const MATS = '[{"id":"A","name":"Mat","price":12.5,"quantity":2}]';
const MIXED = '[{"id":"A","name":"Mat","price":12.5},{"id":"B","price":0.3333,"quantity":3}]';
const anyEvent = fc
  .record({
    minutes: fc.integer({ min: 0, max: 5 * 24 * 60 }),
    who: fc.nat(5),
    name: fc.constantFrom(
      "pageview",
      "pageview",
      "pageview",
      "signup",
      "engagement",
      "purchase",
      "refund",
      "order cancelled",
      "add_to_cart",
      "web_vitals",
    ),
    page: fc.constantFrom("/", "/a", "/pay"),
    host: fc.constantFrom("shop.example", "till.example"),
    referrer: fc.constantFrom("", "https://www.google.com/", "https://news.example/x"),
    userAgent: fc.constantFrom(CHROME, IPHONE, GOOGLEBOT),
    country: fc.constantFrom("AT", "IN", ""),
    revenue: fc.constantFrom(0, 0, 10_000, -5_000),
    currency: fc.constantFrom("", "EUR", "USD"),
    order: fc.constantFrom("", "", "A1", "A2"),
    products: fc.constantFrom("", "", MATS, MIXED),
    keyed: fc.constantFrom(0, 0, 1),
    passive: fc.constantFrom(0, 0, 0, 1),
    purpose: fc.constantFrom("", "", "", "prefetch"),
    props: fc.constantFrom("", '{"plan":"pro"}', '{"plan":"basic"}'),
    engagementMs: fc.constantFrom(0, 1_500, 20_000),
    scroll: fc.constantFrom(-1, 0, 40, 100),
  })
  .map(({ minutes, who, page, host, ...facts }) =>
    eventOf({
      ...facts,
      timestamp: START + minutes * 60_000,
      visitor: hash64Hex(`visitor ${who}`),
      url: `https://${host}${page}`,
    }),
  );
/** Of those six. */
const IDS = Array.from({ length: 6 }, (_, who) => hash64Hex(`visitor ${who}`));
const anyEvents = fc.array(anyEvent, { maxLength: 60 });

const ZONES = ["UTC", "Europe/Vienna", "Asia/Kolkata", "America/New_York", "Australia/Lord_Howe"];
const RANGES: readonly unknown[] = [["2026-03-26", "2026-04-01"], ["2026-03-29", "2026-03-29"], "24h", "7d", "month"];
const ORDER_METRICS = ["orders", "refunds", "units", "product_revenue", "gross_revenue", "average_order_value"];
const EVENT_METRICS = ["visitors", "visits", "pageviews", "events", "total_revenue"];
const VISIT_METRICS = [...EVENT_METRICS, "bounce_rate", "visit_duration", "bounces", "total_duration"];

function planIn(settings: Settings, body: object): Plan {
  const question = valueFrom(parseQuestion({ site_id: "x", metrics: ["visitors"], date_range: "7d", ...body }));
  const { zones } = settings;
  return valueFrom(planQuestion(question, valueFrom(resolveRange(question.dateRange, { zones, now: NOW })), zones));
}

function show(plan: Plan, groups: Groups | undefined): Answer["results"] {
  if (groups === undefined) throw new Error("too many groups");
  const cost = { rows: 0, objects: 0, bytes: 0 };
  return valueFrom(answer(plan, groups, { currency: "EUR", convert: UNCONVERTED, asOf: NOW, cost, rules: 3 })).results;
}

/** What a merchant's events are in the archive: one (Day, partition) after the other. */
function scanned(plan: Plan, events: readonly Event[], settings: Settings): Answer["results"] {
  const scan = openScan(plan, { settings, global: [] });
  const days = Map.groupBy(events, ({ timestamp }) => dayAt(zoneAt(settings.zones, timestamp), timestamp));
  for (const [day, own] of days) {
    const rows = own.map((event, position) => ({ partition: "pool-0", position, event }));
    expect(finish(scanDay(scan, { day, rows: columnsOf(rows) }))).toBeUndefined();
  }
  return show(plan, closeScan(scan));
}

function counted(plan: Plan, events: readonly Event[], settings: Settings): Answer["results"] {
  const rows = replay(
    events.map((event, position) => ({ partition: "pool-0", position, event })),
    (merchant) => (merchant === 1 ? settings : undefined),
  );
  const tally = openTally(plan, [], settings.currency);
  expect(addStored(tally, rows)).toBe(true);
  return show(plan, closeTally(tally));
}

const dimensionSets: readonly (readonly string[])[] = [
  [],
  ["time:hour"],
  ["time:day"],
  ["time:week"],
  ["time:month"],
  ...DIMENSIONS.map(({ question }) => [question]),
  ["time:day", "visit:source"],
  ["visit:country_name", "time:hour"],
];
const rollupFilters: readonly (readonly unknown[])[] = [
  [],
  [["is", "event:page", ["/a"]]],
  [["is", "visit:source", ["Google"]]],
  [["is", "event:goal", ["Pay"]]],
  [["is", "event:product", ["Mat"]]],
  [["contains", "event:product", ["a", "B"]]],
];

describe("rollups and events give one answer", () => {
  const question = fc.record({
    date_range: fc.constantFrom(...RANGES),
    dimensions: fc.constantFrom(...dimensionSets),
    filters: fc.constantFrom(...rollupFilters),
    metrics: fc.constantFrom(
      ["visitors"],
      EVENT_METRICS,
      ORDER_METRICS,
      ["units", "product_revenue", "refunds", "events", "visits"],
      VISIT_METRICS,
      ["bounce_rate"],
      ["conversion_rate"],
      ["time_on_page"],
      ["percentage"],
      ["group_conversion_rate", "percentage"],
    ),
  });

  test("[SCN-1] whatever rollups can answer, a scan answers alike", () => {
    let compared = 0;
    fc.assert(
      fc.property(anyEvents, question, fc.constantFrom(...ZONES), (events, body, zone) => {
        const settings = settingsIn(zone);
        const asked = parseQuestion({ site_id: "x", ...body });
        fc.pre(asked.ok);
        const plan = planIn(settings, body);
        fc.pre(plan.source === "rollups");
        compared += 1;
        const scan = { ...plan, source: "archive" } as const;
        expect(scanned(scan, events, settings)).toEqual(counted(plan, events, settings));
      }),
      { numRuns: 800 },
    );
    expect(compared).toBeGreaterThan(200);
  });

  test("[VIS-8] over Days, visitors that live one Day add up, others count once, and both sources say so alike", () => {
    let differing = 0;
    const ofVisitors = fc.record({
      date_range: fc.constant(RANGES[0]),
      dimensions: fc.constantFrom(...dimensionSets),
      metrics: fc.constantFrom(["visitors"], EVENT_METRICS, ["percentage", "visitors"]),
    });
    fc.assert(
      fc.property(anyEvents, ofVisitors, fc.constantFrom(...ZONES), fc.nat(63), (told, body, zone, daily) => {
        // A visitor's id may be the same on two Days although it lives one: a zone of the past cuts its Day in two.
        const isDaily = ({ visitor }: Event) => IDS.some((id, who) => visitor === id && ((daily >> who) & 1) === 1);
        const events = told.map((event) => ({
          ...event,
          visitorKind: isDaily(event) ? ("daily" as const) : ("" as const),
        }));
        const settings = settingsIn(zone);
        const asked = parseQuestion({ site_id: "x", ...body });
        fc.pre(asked.ok);
        const plan = planIn(settings, body);
        fc.pre(plan.source === "rollups" && plan.grain === "day");
        const scan = { ...plan, source: "archive" } as const;
        expect(scanned(scan, events, settings)).toEqual(counted(plan, events, settings));
        const known = scanned(scan, told, settings);
        if (JSON.stringify(known) !== JSON.stringify(counted(plan, events, settings))) differing += 1;
      }),
      { numRuns: 500 },
    );
    expect(differing).toBeGreaterThan(10);
  });

  test("[PRE-1] money that a prefetched page view carries counts where the view does, wherever that is read", () => {
    const settings = settingsIn("UTC");
    const day = Date.UTC(2026, 2, 28);
    const events = [
      eventOf({ timestamp: day, name: "pageview", purpose: "prefetch", revenue: -5_000 }),
      eventOf({ timestamp: day, name: "order cancelled" }),
    ];
    const plan = planIn(settings, { metrics: ["pageviews", "total_revenue"], date_range: RANGES[0] });
    expect(counted(plan, events, settings)).toMatchObject([{ metrics: [1, { value: -0.5 }] }]);
    expect(scanned({ ...plan, source: "archive" }, events, settings)).toEqual(counted(plan, events, settings));
  });

  test("[QRY-18] a page that was entered on in an Hour before the range has no bounces in it, wherever that is read", () => {
    const settings = settingsIn("UTC");
    const day = Date.UTC(2026, 2, 30);
    const events = [
      eventOf({ timestamp: day + 10.5 * HOUR_MS, url: "https://shop.example/a" }),
      eventOf({
        timestamp: day + 11.5 * HOUR_MS,
        url: "https://shop.example/a",
        name: "engagement",
        engagementMs: 900,
      }),
    ];
    const date_range = ["2026-03-30T11:00:00Z", "2026-03-30T12:00:00Z"];
    const plan = planIn(settings, { metrics: ["visitors", "bounces"], dimensions: ["event:page"], date_range });
    expect(counted(plan, events, settings)).toEqual([{ metrics: [1, null], dimensions: ["/a"] }]);
    expect(scanned({ ...plan, source: "archive" }, events, settings)).toEqual(counted(plan, events, settings));
  });

  test("[FIL-2] a filter by product leaves of an event's products those that it is about, however it is read", () => {
    const settings = settingsIn("UTC");
    const sale = eventOf({ timestamp: START, name: "purchase", revenue: 10_000, products: MIXED });
    const isMat = ["is", "event:product", ["Mat"]];
    const asked = { metrics: ["events", "units"], dimensions: ["event:product"] };
    const expected = [{ metrics: [1, 1], dimensions: ["Mat"] }];
    for (const filters of [
      [isMat],
      [["and", [["and", [isMat]], isMat]]],
      [isMat, ["is", "event:name", ["purchase"]]],
    ]) {
      const plan = planIn(settings, { ...asked, filters });
      expect(scanned({ ...plan, source: "archive" }, [sale], settings)).toEqual(expected);
      if (plan.source === "rollups") expect(counted(plan, [sale], settings)).toEqual(expected);
    }
  });

  test("[QRY-28] by any dimension with one value an event, by any time, and cut in two anywhere, rollups add up to the total", () => {
    const metrics = ["pageviews", "events", "total_revenue"];
    const one = ["event:page", "event:hostname", "visit:country", "visit:source", "visit:browser", "visit:entry_page"];
    const dimensions = fc.constantFrom(...one, "time:hour", "time:day", "time:week", "time:month");
    const manyPages = Array.from({ length: DIMENSION_VALUES_MAX + 150 }, (_, page) =>
      eventOf({ timestamp: START + 10 * HOUR_MS + page, url: `https://shop.example/page/${page}`, revenue: 10_000 }),
    );
    const cut = fc.integer({ min: 1, max: 143 });
    fc.assert(
      fc.property(
        anyEvents,
        fc.boolean(),
        dimensions,
        fc.constantFrom(...ZONES),
        cut,
        (some, many, by, zone, hours) => {
          const events = many ? [...some, ...manyPages] : some;
          const settings = settingsIn(zone);
          const sums = (body: object) => {
            const plan = planIn(settings, { metrics, pagination: { limit: 10_000 }, ...body });
            expect(plan.source).toBe("rollups");
            const results = counted(plan, events, settings);
            return metrics.map((_, at) => results.reduce((sum, { metrics: values }) => sum + amount(values[at]), 0));
          };
          const first = dayStart(zone, dayAt(zone, START) - 1);
          const last = dayStart(zone, dayAt(zone, START) + 6);
          const middle = hourAt(zone, first + hours * HOUR_MS);
          const between = (from: number, to: number) => ({
            date_range: [from, to].map((at) => new Date(at).toISOString()),
          });
          const whole = sums(between(first, last));
          expect(sums({ ...between(first, last), dimensions: [by] })).toEqual(whole);
          const [before, after] = [sums(between(first, middle)), sums(between(middle, last))];
          expect(before.map((value, at) => value + (after[at] as number))).toEqual(whole);
          if (many) expect(whole[0]).toBeGreaterThanOrEqual(manyPages.length);
        },
      ),
      { numRuns: 200 },
    );
  });
});

/** In ten-thousandths where it is money, so that sums are exact. */
function amount(value: unknown): number {
  return typeof value === "object" && value !== null
    ? Math.round((value as { readonly value: number }).value * 10_000)
    : Number(value);
}

test("[JOB-1] Days that are counted in parts and put together give the answer of one scan, twice or once", () => {
  const asked = fc.record({
    metrics: fc.constantFrom(VISIT_METRICS, ["orders", "events"], ["average_order_value", "visitors"]),
    dimensions: fc.constantFrom([], ["visit:source"], ["time:day", "visit:browser"], ["visit:entry_page"]),
    filters: fc.constantFrom([], [["is_not", "event:page", ["/pay"]]]),
  });
  fc.assert(
    fc.property(anyEvents, asked, fc.integer({ min: 1, max: 3 }), (events, body, parts) => {
      const settings = settingsIn("Asia/Kolkata");
      const plan = planIn(settings, { date_range: ["2026-03-26", "2026-04-02"], ...body });
      const whole = openScan(plan, { settings, global: [] });
      for (let part = 0; part < parts; part++) {
        const scan = openScan(plan, { settings, global: [] });
        const days = Map.groupBy(events, ({ timestamp }) => dayAt("Asia/Kolkata", timestamp));
        for (const [day, own] of days) {
          if (day % parts !== part) continue;
          const rows = own.map((event, position) => ({ partition: "pool-0", position, event }));
          finish(scanDay(scan, { day, rows: columnsOf(rows) }));
        }
        expect(absorbScan(whole, encodeScan(scan))).toBeUndefined();
      }
      expect(show(plan, closeScan(whole))).toEqual(scanned(plan, events, settings));
    }),
    { numRuns: 150 },
  );
});

describe("what only events know", () => {
  const only = (filters: readonly unknown[], metrics: readonly string[], dimensions: readonly string[] = []) => ({
    date_range: ["2026-03-26", "2026-04-02"],
    filters,
    metrics,
    dimensions,
  });

  test("[SCN-2] a filtered question agrees with a plain model: events that pass, and visits with such an event", () => {
    fc.assert(
      fc.property(anyEvents, fc.constantFrom(...ZONES), (some, zone) => {
        const settings = settingsIn(zone);
        const events = some.filter(({ purpose }) => purpose === ""); // the model knows no prefetches
        const filters = [
          ["is", "event:page", ["/a", "/pay"]],
          ["is", "visit:country", ["AT"]],
        ];
        const plan = planIn(settings, only(filters, [...EVENT_METRICS.slice(0, 4), "bounces", "total_duration"]));
        expect(plan.source).toBe("archive");
        const humans = events.filter(({ userAgent }) => userAgent !== GOOGLEBOT);
        const dates = ["26", "27", "28", "29", "30", "31"].map((day) => `2026-03-${day}`);
        const visits = [...dates, "2026-04-01", "2026-04-02"].flatMap((date) => naiveVisits(humans, settings, date));
        const isWanted = ({ url }: Event) => /\/(a|pay)$/.test(url);
        const own = visits.filter((visit) => visit.start.country === "AT" && visit.events.some(isWanted));
        const passing = own.flatMap((visit) => visit.events.filter(isWanted));
        const durations = own.map(({ run, start }) => (run.at(-1)?.timestamp as number) - start.timestamp);
        expect(scanned(plan, events, settings)[0]?.metrics).toEqual([
          new Set(passing.map(({ visitor }) => visitor)).size,
          own.length,
          passing.filter(({ name }) => name === "pageview").length,
          passing.filter(({ name }) => name !== "engagement").length,
          own.filter(({ run }) => run.filter(opens).length <= 1).length,
          durations.reduce((sum, ms) => sum + ms, 0) / 1000,
        ]);
      }),
      { numRuns: 150 },
    );
  });

  test("[SCN-3] page views, events and revenue by any two dimensions add up to the total; a range cut in two as well", () => {
    const metrics = ["pageviews", "events", "visits"];
    const pairs = [
      ["visit:source", "visit:browser"],
      ["event:props:plan", "event:page"],
      ["time:day", "visit:country", "event:hostname"],
    ];
    fc.assert(
      fc.property(anyEvents, fc.constantFrom(...pairs), fc.constantFrom(...ZONES), (events, dimensions, zone) => {
        const settings = settingsIn(zone);
        const filters = [["is_not", "event:page", ["/pay"]]];
        const ask = (body: object) =>
          scanned(planIn(settings, { ...only(filters, metrics), ...body }), events, settings);
        const sum = (results: Answer["results"]) =>
          metrics.map((_, at) => results.reduce((total, result) => total + (result.metrics[at] as number), 0));
        const whole = sum(ask({}));
        const parts = sum(ask({ dimensions }));
        expect(parts.slice(0, 2)).toEqual(whole.slice(0, 2));
        if (dimensions.every((name) => !name.startsWith("event:"))) expect(parts).toEqual(whole);
        const halves = [
          ["2026-03-26", "2026-03-28"],
          ["2026-03-29", "2026-04-02"],
        ];
        const [first, second] = halves.map((date_range) => sum(ask({ date_range })));
        expect(whole).toEqual(first?.map((value, at) => value + (second?.[at] as number)));
      }),
      { numRuns: 150 },
    );
  });

  const at = (seconds: number, changes: Partial<Event> = {}) =>
    eventOf({ timestamp: START + 12 * 3_600_000 + seconds * 1_000, country: "AT", ...changes });
  const EVENTS: readonly Event[] = [
    at(0, { visitor: "a", url: "https://shop.example/a", props: '{"plan":"pro"}' }),
    at(9, { visitor: "a", url: "https://shop.example/a", name: "engagement", scroll: 40, engagementMs: 4_000 }),
    at(10, { visitor: "a", url: "https://shop.example/a", name: "engagement", scroll: 80, engagementMs: 2_000 }),
    at(20, {
      visitor: "a",
      url: "https://shop.example/pay",
      revenue: 200_000,
      currency: "EUR",
      order: "A1",
      name: "buy",
    }),
    at(21, {
      visitor: "a",
      url: "https://shop.example/pay",
      revenue: -50_000,
      currency: "EUR",
      order: "A1",
      name: "refund",
    }),
    at(70, { visitor: "b", url: "https://shop.example/a", referrer: "https://www.google.com/" }),
    at(80, { visitor: "b", url: "https://shop.example/a", name: "engagement", scroll: 20, engagementMs: 1_000 }),
    at(130, { visitor: "c", url: "https://shop.example/b", referrer: "https://www.google.com/" }),
    at(131, {
      visitor: "c",
      url: "https://shop.example/b",
      revenue: 70_000,
      currency: "USD",
      order: "U1",
      name: "buy",
    }),
    at(140, { visitor: "d", url: "https://shop.example/pay", name: "pageview" }),
  ];
  const money = (value: number, long: string, short: string) => ({ value, currency: "EUR", short, long });

  const KNOWN: readonly (readonly [
    body: object,
    results: readonly (readonly [metrics: unknown[], dimensions?: string[]])[],
  ])[] = [
    // The deepest scroll of each visit on the page: 80 and 20.
    [only([["is", "event:page", ["/a"]]], ["scroll_depth", "time_on_page"]), [[[50, 4]]]],
    [
      only([], ["scroll_depth", "time_on_page"], ["event:page"]),
      [
        [[50, 4], ["/a"]],
        [[null, null], ["/b"]],
        [[null, null], ["/pay"]],
      ],
    ],
    [
      only([], ["orders", "average_order_value", "average_revenue"]),
      [[[2, money(15, "€15.00", "€15"), money(7.5, "€7.50", "€7.5")]]],
    ],
    [only([["is", "event:page", ["/b"]]], ["average_revenue", "total_revenue"]), [[[null, null]]]],
    [
      only([], ["visitors", "percentage"], ["visit:source"]),
      [
        [[2, 50], ["Direct / None"]],
        [[2, 50], ["Google"]],
      ],
    ],
    [only([["is", "event:goal", ["Pay"]]], ["visitors", "conversion_rate"]), [[[1, 25]]]],
    [
      only([["is", "event:goal", ["Pay"]]], ["conversion_rate", "group_conversion_rate"], ["visit:source"]),
      [[[25, 50], ["Direct / None"]]],
    ],
    [only([["is", "visit:source", ["Google"]]], ["conversion_rate"], ["event:goal"]), [[[100], ["Any page"]]]],
    [
      only([], ["visitors", "conversion_rate"], ["event:goal"]),
      [
        [[4, 100], ["Any page"]],
        [[1, 25], ["Pay"]],
      ],
    ],
    [
      only([], ["pageviews"], ["event:props:plan"]),
      [
        [[3], ["(none)"]],
        [[1], ["pro"]],
      ],
    ],
    [only([], ["pageviews", "visitors"], ["event:property"]), [[[1, 1], ["plan"]]]],
    [
      only([], ["events"], ["time:minute"]),
      [
        [[3], ["2026-03-27 12:00:00"]],
        [[1], ["2026-03-27 12:01:00"]],
        [[3], ["2026-03-27 12:02:00"]],
      ].map((result) => result as [unknown[], string[]]),
    ],
    [only([], ["visits"], ["visit:entry_page_hostname", "visit:os_version"]), [[[4], ["shop.example", "10"]]]],
    [
      only([["has_done", ["is", "event:name", ["buy"]]]], ["visitors"], ["event:name"]),
      [
        [[2], ["buy"]],
        [[2], ["pageview"]],
        [[1], ["engagement"]],
        [[1], ["refund"]],
      ],
    ],
  ];

  test.each(KNOWN)("[SCN-4] [QRY-22] %j", (body, expected) => {
    const settings = settingsIn("UTC");
    const asked = (body as { dimensions: string[] }).dimensions.includes("time:minute")
      ? { ...body, date_range: ["2026-03-27", "2026-03-27"] }
      : body;
    const results = scanned(planIn(settings, asked), EVENTS, settings);
    expect(results).toEqual(expected.map(([metrics, dimensions = []]) => ({ metrics, dimensions })));
  });
});

test("[QRY-22] [ORD-8] products: units and what was paid for each, under several dimensions of one product at once", () => {
  const settings = settingsIn("UTC");
  const order = (id: string, currency: string, products: readonly object[]) =>
    eventOf({ timestamp: START, order: id, currency, revenue: 1, products: JSON.stringify(products) });
  const tea = { name: "Tea", brand: "Harbour", price: 3, quantity: 3 };
  const cup = { name: "Cup", price: 8 };
  const events = [
    order("1", "EUR", [tea, cup]),
    order("2", "EUR", [{ ...tea, quantity: 1 }, tea]),
    order("3", "USD", [cup]),
    eventOf({ timestamp: START, products: JSON.stringify([cup]) }),
  ];
  const asked = { date_range: ["2026-03-27", "2026-03-27"], metrics: ["orders", "units", "product_revenue"] };
  const numbers = (body: object) =>
    scanned(planIn(settings, { ...asked, ...body }), events, settings).map(({ metrics, dimensions }) => [
      ...dimensions,
      ...metrics.map((metric) => (typeof metric === "object" ? metric?.value : metric)),
    ]);
  expect(numbers({})).toEqual([[3, 9, 29]]);
  expect(numbers({ dimensions: ["event:product", "event:product_brand"] })).toEqual([
    ["Cup", "(none)", 2, 2, 8],
    ["Tea", "Harbour", 2, 7, 21],
  ]);
  expect(numbers({ filters: [["is", "event:product", ["Cup"]]] })).toEqual([[2, 5, 17]]);
  const refused = parseQuestion({
    site_id: "x",
    date_range: "7d",
    metrics: ["total_revenue"],
    dimensions: ["event:product"],
  });
  expect(refused).toMatchObject({ ok: false, rejection: { message: expect.stringContaining("product_revenue") } });
});
