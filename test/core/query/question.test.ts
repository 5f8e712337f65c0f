// The grammar of questions as tables: what is understood, and what is refused with which words.

import { expect, test } from "vitest";
import { openBudgets } from "../../../core/query/budget.ts";
import { parseQuestion } from "../../../core/query/question.ts";

const ASKED = { site_id: "shop.example", metrics: ["visitors"], date_range: "7d" };

test("[QRY-1] a question with the three required fields gets the defaults for the rest", () => {
  expect(parseQuestion(ASKED)).toEqual({
    ok: true,
    value: {
      siteId: "shop.example",
      metrics: ["visitors"],
      dateRange: { kind: "relative", name: "7d" },
      dimensions: [],
      time: undefined,
      breakdowns: [],
      filter: { kind: "and", of: [] },
      filters: [],
      budgets: openBudgets(),
      accuracy: "estimate",
      orderBy: undefined,
      include: {
        timeLabels: false,
        totalRows: false,
        comparisons: undefined,
        imports: undefined,
        trimRelativeDateRange: undefined,
      },
      pagination: { limit: 10_000, offset: 0 },
    },
  });
});

const ACCEPTED: readonly (readonly [what: string, change: object])[] = [
  ["every metric at once", { metrics: ["visitors", "visits", "pageviews", "views_per_visit", "bounce_rate"] }],
  ["our exact sums", { metrics: ["bounces", "total_duration"] }],
  ["views per visit over time", { metrics: ["views_per_visit"], dimensions: ["time:day"] }],
  ["metrics of visits by page", { metrics: ["bounce_rate", "visit_duration"], dimensions: ["event:page"] }],
  ["metrics of visits by source", { metrics: ["bounce_rate"], dimensions: ["visit:source"] }],
  ["time and one dimension", { dimensions: ["time:week", "visit:country"] }],
  ["two dates", { date_range: ["2024-01-01", "2024-01-01"] }],
  ["two instants", { date_range: ["2024-01-01T00:00:00+05:30", "2024-01-02T12:00:00Z"] }],
  ["no filters", { filters: [] }],
  [
    "an order by metric and dimension",
    {
      dimensions: ["time"],
      order_by: [
        ["visitors", "asc"],
        ["time", "desc"],
      ],
    },
  ],
  [
    "labels, totals, and other includes that are off",
    { dimensions: ["time"], include: { time_labels: true, imports: false } },
  ],
  [
    "what clients of Plausible include",
    { date_range: "day", include: { imports: true, trim_relative_date_range: true } },
  ],
  ["the last page there can be", { pagination: { limit: 10_000, offset: 1_000_000 } }],
];

test.each(ACCEPTED)("[QRY-1] accepts %s", (_, change) => {
  expect(parseQuestion({ ...ASKED, ...change })).toMatchObject({ ok: true });
});

const REFUSED: readonly (readonly [change: unknown, message: string])[] = [
  [{ metrics: ["visitors", "baa"] }, '#/metrics/1: Invalid metric "baa"'],
  [{ metrics: ["visitors", "visitors"] }, "#/metrics: Expected items to be unique but they were not."],
  [{ metrics: [] }, "#/metrics: Expected a minimum of 1 items but got 0."],
  [{ metrics: "visitors" }, "#/metrics: Type mismatch. Expected Array but got String."],
  [{ metrics: [["visitors"]] }, '#/metrics/0: Invalid metric ["visitors"]'],
  [{ metrics: [{ toString: 1 }] }, "#/metrics/0: Invalid metric Object"],
  [{ metrics: ["__proto__"] }, '#/metrics/0: Invalid metric "__proto__"'],
  [{ dimensions: ["x"] }, '#/dimensions/0: Invalid dimension "x"'],
  [{ dimensions: ["time:second"] }, '#/dimensions/0: Invalid dimension "time:second"'],
  [{ dimensions: ["event:props:"] }, '#/dimensions/0: Invalid dimension "event:props:"'],
  [{ dimensions: ["event:page", "event:page"] }, "#/dimensions: Expected items to be unique but they were not."],
  [{ dimensions: ["time", "time:day"] }, "#/dimensions: Only one time dimension can be queried at a time."],
  [{ date_range: "x" }, '#/date_range: Invalid date range "x"'],
  [{ date_range: "constructor" }, '#/date_range: Invalid date range "constructor"'],
  [{ date_range: ["21415-00", "eee"] }, '#/date_range: Invalid date range ["21415-00", "eee"]'],
  [{ date_range: ["2024-02-30", "2024-03-01"] }, '#/date_range: Invalid date range ["2024-02-30", "2024-03-01"]'],
  [{ date_range: ["2024-03-02", "2024-03-01"] }, '#/date_range: Invalid date range ["2024-03-02", "2024-03-01"]'],
  [
    { date_range: ["2021-02-03T00:00:00", "2021-02-03T23:59:59"] },
    '#/date_range: Invalid date range ["2021-02-03T00:00:00", "2021-02-03T23:59:59"]',
  ],
  [
    { date_range: ["2021-02-03T00:00:00-25:00", "2021-02-04T00:00:00-25:00"] },
    '#/date_range: Invalid date range ["2021-02-03T00:00:00-25:00", "2021-02-04T00:00:00-25:00"]',
  ],
  [
    { date_range: ["2021-02-03T00:00:00Z", "2021-02-04"] },
    '#/date_range: Invalid date range ["2021-02-03T00:00:00Z", "2021-02-04"]',
  ],
  [{ date_range: { from: "2024-01-01" } }, "#/date_range: Invalid date range Object"],
  [{ domain: "x" }, "#/domain: Schema does not allow additional properties."],
  [{ site_id: 7 }, "#/site_id: Type mismatch. Expected String but got Integer."],
  [{ filters: "x" }, "#/filters: Type mismatch. Expected Array but got String."],
  [{ order_by: [["visits", "desc"]] }, '#/order_by/0: "visits" is not one of the queried metrics or dimensions.'],
  [{ order_by: [["visitors", "up"]] }, '#/order_by/0: Invalid value in order_by ["visitors", "up"]'],
  [{ order_by: [null] }, "#/order_by/0: Invalid value in order_by Null"],
  [{ include: { time_labels: true } }, "#/include/time_labels: Time labels need a time dimension."],
  [{ include: { total_rows: 1 } }, "#/include/total_rows: Type mismatch. Expected Boolean but got Integer."],
  [{ include: { labels: true } }, "#/include/labels: Schema does not allow additional properties."],
  [{ pagination: { limit: 0 } }, "#/pagination/limit: Expected a whole number from 1 to 10000."],
  [{ pagination: { limit: 10_001 } }, "#/pagination/limit: Expected a whole number from 1 to 10000."],
  [{ pagination: { offset: -1 } }, "#/pagination/offset: Expected a whole number from 0."],
  [{ pagination: { page: 1 } }, "#/pagination/page: Schema does not allow additional properties."],
];

test.each(REFUSED)("[QRY-2] refuses %j and says where and why", (change, message) => {
  expect(parseQuestion({ ...ASKED, ...(change as object) })).toMatchObject({ ok: false, rejection: { message } });
});

const BODIES: readonly (readonly [body: unknown, message: string])[] = [
  [null, "#: Type mismatch. Expected Object but got Null."],
  [[], "#: Type mismatch. Expected Object but got Array."],
  [{}, "#: Required property site_id was not present."],
  [{ site_id: "x", date_range: "day" }, "#: Required property metrics was not present."],
  [{ site_id: "x", metrics: ["visits"] }, "#: Required property date_range was not present."],
  [JSON.parse('{"__proto__": {"site_id": "x"}}'), "#/__proto__: Schema does not allow additional properties."],
];

test.each(BODIES)("[QRY-2] refuses the body %j", (body, message) => {
  expect(parseQuestion(body)).toMatchObject({ ok: false, rejection: { message } });
});

test("[QRY-2] a deeply nested or very long value is not repeated in the error", () => {
  const deep = JSON.parse(`${"[".repeat(20_000)}${"]".repeat(20_000)}`);
  for (const value of [deep, "x".repeat(60_000)]) {
    const outcome = parseQuestion({ ...ASKED, metrics: [value] });
    expect(outcome.ok ? "" : outcome.rejection.message).toMatch(/^#\/metrics\/0: Invalid metric .{1,110}$/);
  }
});

const NOT_YET: readonly (readonly [change: object, message: string])[] = [
  [{ filters: [["is", "segment", [1]]] }, "#/filters/0: A segment cannot be named here."],
];

test.each(NOT_YET)("[QRY-3] what the grammar knows and does not belong there says so: %j", (change, message) => {
  expect(parseQuestion({ ...ASKED, ...change })).toMatchObject({ ok: false, rejection: { message } });
});

const CLASHES: readonly (readonly [change: object, message: string])[] = [
  [
    { metrics: ["visitors", "bounce_rate"], dimensions: ["event:name"] },
    "Session metric(s) `bounce_rate` cannot be queried along with event dimension(s) `event:name`",
  ],
  [
    { metrics: ["bounces", "visit_duration"], dimensions: ["time:day", "event:hostname"] },
    "Session metric(s) `bounces, visit_duration` cannot be queried along with event dimension(s) `event:hostname`",
  ],
  [
    { metrics: ["views_per_visit"], dimensions: ["visit:source"] },
    "Metric `views_per_visit` cannot be queried with `dimensions`.",
  ],
  [
    { metrics: ["views_per_visit"], filters: [["is", "event:page", ["/"]]] },
    "Metric `views_per_visit` cannot be queried with a filter on `event:page`.",
  ],
  [{ metrics: ["percentage"] }, "Metric `percentage` can only be queried with `dimensions`."],
  [
    { metrics: ["conversion_rate"], dimensions: ["visit:source"] },
    "Metric `conversion_rate` can only be queried with event:goal filters or dimensions.",
  ],
  [
    { metrics: ["group_conversion_rate"] },
    "Metric `group_conversion_rate` can only be queried with event:goal filters or dimensions.",
  ],
  [
    { metrics: ["scroll_depth"], dimensions: ["visit:source"] },
    "Metric `scroll_depth` can only be queried with event:page filters or dimensions.",
  ],
  [
    { metrics: ["drops", "visitors"] },
    "Metric `drops` can only be queried alone, without filters, by time and `event:drop_reason`.",
  ],
  [
    { dimensions: ["event:drop_reason"] },
    "Metric `drops` can only be queried alone, without filters, by time and `event:drop_reason`.",
  ],
];

test.each(CLASHES)("[QRY-4] metrics of visits do not go with dimensions of events: %j", (change, message) => {
  expect(parseQuestion({ ...ASKED, ...change })).toMatchObject({ ok: false, rejection: { message } });
});
