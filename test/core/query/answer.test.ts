// From rows to an answer: joining live and stored, adding up partitions, estimating, sorting, cutting.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RollupRow } from "../../../core/counting/rollup-row.ts";
import { addMoney } from "../../../core/counting/takings.ts";
import { type Answer, answer } from "../../../core/query/answer.ts";
import { UNCONVERTED } from "../../../core/query/money.ts";
import type { Plan } from "../../../core/query/plan.ts";
import { addStored, closeTally, openTally } from "../../../core/query/tally.ts";
import { parseDate } from "../../../core/time.ts";
import { NOW, planOf, valueFrom } from "../../support/questions.ts";
import { moneyOf, type RowSpec, rowOf, type Seen } from "../../support/rollup-rows.ts";

const APRIL = parseDate("2021-04-01") as number;
const ALL_METRICS = [
  ...["visitors", "visits", "pageviews", "views_per_visit", "bounce_rate", "visit_duration"],
  ...["events", "bounces", "total_duration"],
];

interface Asked {
  readonly stored?: readonly RowSpec[];
  readonly live?: readonly RowSpec[];
  readonly currency?: string;
}

function ask(body: object, { stored = [], live = [], currency = "USD" }: Asked): Answer {
  const plan = planOf({ date_range: ["2021-04-01", "2021-04-30"], ...body });
  const rows = { live: live.map(rowOf), stored: stored.map(rowOf) };
  return answerOf(plan, rows, currency);
}

const range = (first: number, count: number) => Array.from({ length: count }, (_, index) => first + index);

function answerOf(
  plan: Plan,
  { live, stored }: { readonly live: readonly RollupRow[]; readonly stored: readonly RollupRow[] },
  currency: string,
): Answer {
  const tally = openTally(plan, live, currency);
  const groups = addStored(tally, stored) ? closeTally(tally) : undefined;
  if (groups === undefined) throw new Error("too many groups");
  const cost = { rows: stored.length, objects: 0, bytes: 0 };
  return valueFrom(answer(plan, groups, { currency, convert: UNCONVERTED, asOf: NOW, cost, rules: 3 }));
}

describe("totals", () => {
  const seen: Seen = { who: range(0, 7), visits: 8, bounces: 3, duration_ms: 100_400, pageviews: 21, events: 30 };

  test("[QRY-13] metrics are rounded as Plausible does, and sums are exact", () => {
    const { results } = ask({ metrics: ALL_METRICS }, { stored: [{ bucket: APRIL, seen }] });
    expect(results).toEqual([{ metrics: [7, 8, 21, 2.63, 38, 13, 30, 3, 100.4], dimensions: [] }]);
  });

  test("[QRY-14] an empty range has one result of zeros", () => {
    const { results, meta } = ask({ metrics: ALL_METRICS }, {});
    expect(results).toEqual([{ metrics: ALL_METRICS.map(() => 0), dimensions: [] }]);
    const sources = { from: "rollups", rows: 0, objects: 0, bytes: 0 };
    expect(meta).toEqual({ as_of: "2021-05-05T12:30:00.000Z", sources, rules: 3, visitors: { exact: true } });
  });

  test("[QRY-14] with dimensions, buckets without numbers are left out", () => {
    const stored = [
      { bucket: APRIL, seen },
      { bucket: APRIL + 2, seen: {} },
    ];
    const { results, meta } = ask(
      { dimensions: ["time:day"], include: { time_labels: true, total_rows: true } },
      { stored },
    );
    expect(results).toEqual([{ metrics: [7], dimensions: ["2021-04-01"] }]);
    expect(meta.time_labels).toHaveLength(30);
    expect(meta.total_rows).toBe(1);
  });

  test("[QRY-15] the question is echoed as it was understood", () => {
    const { query } = ask({ metrics: ["visits"], dimensions: ["time", "visit:source"], filters: [] }, {});
    expect(query).toEqual({
      site_id: "shop.example",
      metrics: ["visits"],
      date_range: ["2021-04-01T00:00:00+00:00", "2021-04-30T23:59:59+00:00"],
      filters: [],
      dimensions: ["time:day", "visit:source"],
      order_by: [["time:day", "asc"]],
      include: { time_labels: false, total_rows: false },
      pagination: { limit: 10_000, offset: 0 },
    });
  });
});

describe("visitors", () => {
  const stored: readonly RowSpec[] = [
    { bucket: APRIL, partition: "pool-0", seen: { who: range(0, 100) } },
    { bucket: APRIL, partition: "merchant-1-0", seen: { who: range(100, 50) } },
    { bucket: APRIL + 1, partition: "pool-0", seen: { who: range(50, 100) } },
  ];

  test("[QRY-16] within one Day they are the exact sum over partitions", () => {
    const { results, meta } = ask({ dimensions: ["time:day"] }, { stored });
    expect(results.map(({ metrics }) => metrics[0])).toEqual([150, 100]);
    expect(meta.visitors).toEqual({ exact: true });
  });

  test("[QRY-16] over several Days the same visitor counts once, and the answer says it is an estimate", () => {
    const { results, meta } = ask({}, { stored });
    expect(results).toEqual([{ metrics: [150], dimensions: [] }]);
    expect(meta.visitors).toEqual({ exact: false, standard_error: 0.0081 });
  });

  test("[VIS-8] visitors that live one Day add up, and are exact over any range", () => {
    const daily = stored.map(({ seen, ...row }) => ({ ...row, seen: { ...seen, visitors: 100, known: 0, who: [] } }));
    const { results, meta } = ask({}, { stored: daily });
    expect(results[0]?.metrics).toEqual([300]);
    expect(meta.visitors).toEqual({ exact: true });
  });

  test("[VIS-8] the sum of those and the union of the others is an estimate, unless all others are of one Day", () => {
    const [first, second, third] = stored.map((row) => ({ ...row, seen: { ...row.seen, visitors: 200 } }));
    const both = ask({}, { stored: [first, second, third] as RowSpec[] });
    // 100, 150 and 100 of 200 each live one Day; of 0 to 99, 100 to 149 and 50 to 149 there are 150.
    expect(both.results[0]?.metrics).toEqual([100 + 150 + 100 + 150]);
    expect(both.meta.visitors).toEqual({ exact: false, standard_error: 0.0081 });
    const daily = { ...third, seen: { visitors: 200, known: 0 } } as RowSpec;
    const one = ask({}, { stored: [first, second, daily] as RowSpec[] });
    expect([one.results[0]?.metrics, one.meta.visitors]).toEqual([[600], { exact: true }]);
  });

  test("[QRY-16] a range of several Days of which one has numbers is exact", () => {
    const { results, meta } = ask({}, { stored: stored.slice(0, 2) });
    expect(results[0]?.metrics).toEqual([150]);
    expect(meta.visitors).toEqual({ exact: true });
  });
});

describe("breakdowns", () => {
  const stored: readonly RowSpec[] = [
    {
      bucket: APRIL,
      by: {
        source: { "": { who: [1, 2], visits: 2 }, Google: { who: [3], visits: 4 } },
        page: { "/": { who: [1, 2, 3], pageviews: 5 }, "/b": { who: [3], pageviews: 1 } },
        entry_page: { "/": { visits: 4, bounces: 1, duration_ms: 80_000 } },
      },
    },
    { bucket: APRIL + 1, by: { source: { Google: { who: [3, 4], visits: 2 }, Bing: { who: [5], visits: 6 } } } },
  ];

  test("[QRY-17] values add up over Days, by the first metric downwards, ties by value", () => {
    const { results, meta } = ask({ metrics: ["visits", "visitors"], dimensions: ["visit:source"] }, { stored });
    expect(results).toEqual([
      { metrics: [6, 1], dimensions: ["Bing"] },
      { metrics: [6, 2], dimensions: ["Google"] },
      { metrics: [2, 2], dimensions: ["Direct / None"] },
    ]);
    expect(meta.visitors).toEqual({ exact: false, standard_error: 0.0325 });
  });

  test("[QRY-17] pages neither overlap nor skip", () => {
    const one = (offset: number) =>
      ask(
        {
          metrics: ["visits"],
          dimensions: ["visit:source"],
          pagination: { limit: 1, offset },
          include: { total_rows: true },
        },
        { stored },
      );
    const pages = [0, 1, 2, 3].map(one);
    expect(pages.flatMap(({ results }) => results.map(({ dimensions }) => dimensions[0]))).toEqual([
      "Bing",
      "Google",
      "Direct / None",
    ]);
    expect(pages.map(({ meta }) => meta.total_rows)).toEqual([3, 3, 3, 3]);
  });

  test("[QRY-17] time and a dimension together, in the order of the question", () => {
    const { results } = ask(
      {
        metrics: ["visits"],
        dimensions: ["visit:source", "time:day"],
        order_by: [
          ["time:day", "desc"],
          ["visits", "asc"],
        ],
      },
      { stored },
    );
    expect(results.map(({ dimensions }) => dimensions)).toEqual([
      ["Google", "2021-04-02"],
      ["Bing", "2021-04-02"],
      ["Direct / None", "2021-04-01"],
      ["Google", "2021-04-01"],
    ]);
  });

  test("[QRY-18] by page, metrics of visits are those of visits that entered there; null where none did", () => {
    const metrics = ["pageviews", "bounce_rate", "visit_duration", "bounces", "total_duration"];
    const { results } = ask({ metrics, dimensions: ["event:page"] }, { stored });
    expect(results).toEqual([
      { metrics: [5, 25, 20, 1, 80], dimensions: ["/"] },
      { metrics: [1, null, null, null, null], dimensions: ["/b"] },
    ]);
  });

  test("[QRY-19] a cut breakdown says in how many buckets, and (other) is an estimate", () => {
    const cut = [{ bucket: APRIL, cut: true, by: { page: { "/": { who: [1] }, "(other)": { who: [1, 2] } } } }];
    const { results, meta } = ask({ dimensions: ["event:page"] }, { stored: cut });
    expect(results[0]).toEqual({ metrics: [2], dimensions: ["(other)"] });
    expect(meta.cut).toEqual({ dimension: "event:page", buckets: 1, value: "(other)" });
    expect(meta.visitors).toEqual({ exact: false, standard_error: 0.0325 });
  });
});

describe("revenue", () => {
  const MONEY: readonly (readonly [currency: string, revenue: number, money: object])[] = [
    ["USD", 123_455_000, { value: 12_345.5, currency: "USD", short: "$12.3K", long: "$12,345.50" }],
    ["EUR", -50_000, { value: -5, currency: "EUR", short: "-€5", long: "-€5.00" }],
    ["JPY", 12_340_000, { value: 1234, currency: "JPY", short: "¥1.2K", long: "¥1,234" }],
    ["USD", 1, { value: 0.0001, currency: "USD", short: "$0", long: "$0.00" }],
  ];

  test.each(MONEY)("[QRY-20] in %s, %d ten-thousandths read as money", (currency, revenue, money) => {
    const { results, meta } = ask(
      { metrics: ["total_revenue"] },
      { stored: [{ bucket: APRIL, seen: { money: moneyOf(currency, revenue) } }], currency },
    );
    expect(results[0]?.metrics).toEqual([money]);
    expect(meta.metric_warnings).toBeUndefined();
  });

  test("[QRY-20] events in another currency are not added up, and the answer says how many", () => {
    const foreign = moneyOf("CHF", 25_000, { payments: 3 });
    const stored = [{ bucket: APRIL, seen: { money: addMoney(foreign, moneyOf("USD", 10_000)) } }];
    const { results, meta } = ask({ metrics: ["total_revenue", "events"] }, { stored });
    expect(results[0]?.metrics).toMatchObject([{ value: 1, currency: "USD" }, 0]);
    expect(meta.metric_warnings).toMatchObject({
      total_revenue: { code: "foreign_currency", events: 3, unconverted: [{ currency: "CHF", value: 2.5 }] },
    });
    expect(Object.keys(meta.metric_warnings ?? {})).toEqual(["total_revenue"]);
    expect(ask({ metrics: ["events"] }, { stored }).meta.metric_warnings).toBeUndefined();
  });

  test("[ORD-7] money that no rate is known for is never shown as 0: alone it is null, and in no average", () => {
    const stored = [{ bucket: APRIL, seen: { orders: 1, money: moneyOf("CHF", 25_000, { orders: 1 }) } }];
    const metrics = ["total_revenue", "gross_revenue", "average_order_value", "average_revenue", "orders"];
    expect(ask({ metrics }, { stored }).results[0]?.metrics).toEqual([null, null, null, null, 1]);
  });
});

test("[ORD-9] orders of one Day and partition are exact, those of several are not: a number may have earned on each", () => {
  const day = (bucket: number, partition = "pool-0"): RowSpec => ({ bucket, partition, seen: { orders: 1 } });
  const exact = (stored: readonly RowSpec[]) => ask({ metrics: ["orders"] }, { stored }).meta.orders;
  expect(exact([])).toEqual({ exact: true });
  expect(exact([day(APRIL), { bucket: APRIL + 1, seen: { pageviews: 3 } }])).toEqual({ exact: true });
  expect(exact([day(APRIL), day(APRIL + 1)])).toEqual({ exact: false });
  expect(exact([day(APRIL), day(APRIL, "pool-1")])).toEqual({ exact: false });
  expect(ask({ metrics: ["events"] }, { stored: [day(APRIL)] }).meta.orders).toBeUndefined();
});

describe("join", () => {
  const at = (version: number, pageviews: number): RowSpec => ({ bucket: APRIL, version, seen: { pageviews } });
  const JOINS: readonly (readonly [what: string, live: readonly RowSpec[], stored: readonly RowSpec[], sum: number])[] =
    [
      ["live newer than stored", [at(5, 7)], [at(4, 6)], 7],
      ["stored newer than live", [at(4, 6)], [at(5, 7)], 7],
      ["both the same", [at(5, 7)], [at(5, 7)], 7],
      ["only live", [at(5, 7)], [], 7],
      ["only stored", [], [at(5, 7)], 7],
      ["two partitions", [at(5, 7)], [{ ...at(9, 2), partition: "pool-1" }], 9],
      ["outside the range", [{ ...at(5, 7), bucket: APRIL - 1 }], [{ ...at(5, 7), bucket: APRIL + 30 }], 0],
    ];

  test.each(JOINS)("[QRY-21] per bucket and partition the higher version counts: %s", (_, live, stored, sum) => {
    expect(ask({ metrics: ["pageviews"] }, { live, stored }).results[0]?.metrics).toEqual([sum]);
  });

  test("[QRY-21] however events are split into partitions, and wherever each row lies, the sums are the same", () => {
    const cell = fc.record({
      bucket: fc.integer({ min: 0, max: 29 }),
      partition: fc.constantFrom("pool-0", "pool-1", "merchant-1-0"),
      place: fc.constantFrom("live", "stored", "both", "live is newer", "stored is newer"),
      visits: fc.nat(1_000),
      pageviews: fc.nat(1_000),
      who: fc.array(fc.nat(50), { maxLength: 5 }),
    });
    const cells = fc.uniqueArray(cell, {
      selector: ({ bucket, partition }) => `${bucket} ${partition}`,
      maxLength: 40,
    });
    fc.assert(
      fc.property(cells, (rows) => {
        const live: RollupRow[] = [];
        const stored: RollupRow[] = [];
        for (const { bucket, partition, place, ...seen } of rows) {
          const right = rowOf({ bucket: APRIL + bucket, partition, version: 10, seen });
          const stale = rowOf({ bucket: APRIL + bucket, partition, version: 9, seen: { visits: 77_777 } });
          if (place !== "stored") live.push(place === "stored is newer" ? stale : right);
          if (place !== "live") stored.push(place === "live is newer" ? stale : right);
        }
        const plan = planOf({ date_range: ["2021-04-01", "2021-04-30"], metrics: ["visits", "pageviews", "visitors"] });
        const { results } = answerOf(plan, { live, stored }, "USD");
        const sum = (counter: "visits" | "pageviews") => rows.reduce((total, row) => total + row[counter], 0);
        expect(results[0]?.metrics.slice(0, 2)).toEqual([sum("visits"), sum("pageviews")]);
        const several = new Set(rows.filter(({ who }) => who.length > 0).map(({ bucket }) => bucket)).size > 1;
        if (several) expect(results[0]?.metrics[2]).toBe(new Set(rows.flatMap(({ who }) => who)).size);
      }),
      { numRuns: 100 },
    );
  });
});

describe("drops", () => {
  const dropped = [
    { ...rowOf({ bucket: APRIL, seen: { events: 9 } }), drops: { bot: 3, network: 1 } },
    { ...rowOf({ bucket: APRIL + 1, partition: "pool-1" }), drops: { bot: 2 } },
  ];
  const CASES: readonly (readonly [dimensions: readonly string[], results: readonly unknown[]])[] = [
    [[], [[[6], []]]],
    [
      ["event:drop_reason"],
      [
        [[5], ["bot"]],
        [[1], ["network"]],
      ],
    ],
    [
      ["time:day"],
      [
        [[4], ["2021-04-01"]],
        [[2], ["2021-04-02"]],
      ],
    ],
    [
      ["event:drop_reason", "time:day"],
      [
        [[3], ["bot", "2021-04-01"]],
        [[1], ["network", "2021-04-01"]],
        [[2], ["bot", "2021-04-02"]],
      ],
    ],
  ];

  test.each(CASES)("[QRY-23] hits that were not counted, by %j", (dimensions, results) => {
    const plan = planOf({ date_range: ["2021-04-01", "2021-04-30"], metrics: ["drops"], dimensions });
    const given = answerOf(plan, { live: [], stored: dropped }, "EUR").results;
    expect(given.map((result) => [result.metrics, result.dimensions])).toEqual(results);
  });
});

test("[QRY-24] an answer says where its numbers come from and what was read", () => {
  const rows = [{ bucket: APRIL }, { bucket: APRIL + 1 }];
  expect(ask({}, { stored: rows }).meta.sources).toEqual({ from: "rollups", rows: 2, objects: 0, bytes: 0 });
});
