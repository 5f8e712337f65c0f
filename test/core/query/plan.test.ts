// What a question reads, and what that costs, before anything is read.

import { expect, test } from "vitest";
import { type Plan, timeLabels } from "../../../core/query/plan.ts";
import { parseDate } from "../../../core/time.ts";
import { planOf, tryPlan } from "../../support/questions.ts";

type Cost = Pick<Plan, "grain" | "buckets" | "sketch" | "breakdowns">;
const days = (first: string, last: string) => ({ date_range: [first, last] });

const COSTS: readonly (readonly [what: string, body: object, cost: Cost])[] = [
  ["one Day's total", {}, { grain: "day", buckets: 1, sketch: false, breakdowns: [] }],
  ["a month's total", days("2021-04-01", "2021-04-30"), { grain: "day", buckets: 30, sketch: true, breakdowns: [] }],
  [
    "a month's total without visitors",
    { ...days("2021-04-01", "2021-04-30"), metrics: ["pageviews"] },
    { grain: "day", buckets: 30, sketch: false, breakdowns: [] },
  ],
  [
    "a month by Day",
    { ...days("2021-04-01", "2021-04-30"), dimensions: ["time:day"] },
    { grain: "day", buckets: 30, sketch: false, breakdowns: [] },
  ],
  [
    "a month by week",
    { ...days("2021-04-01", "2021-04-30"), dimensions: ["time:week"] },
    { grain: "day", buckets: 30, sketch: true, breakdowns: [] },
  ],
  ["a Day by Hour", { dimensions: ["time:hour"] }, { grain: "hour", buckets: 24, sketch: false, breakdowns: [] }],
  ["24 hours", { date_range: "24h" }, { grain: "hour", buckets: 24, sketch: true, breakdowns: [] }],
  [
    "a week's sources",
    { date_range: "7d", dimensions: ["visit:source"] },
    { grain: "day", buckets: 7, sketch: false, breakdowns: ["source"] },
  ],
  [
    "a week's pages",
    { date_range: "7d", dimensions: ["event:page"] },
    { grain: "day", buckets: 7, sketch: false, breakdowns: ["page"] },
  ],
  [
    "a week's pages with their bounces",
    { date_range: "7d", dimensions: ["event:page"], metrics: ["bounce_rate"] },
    { grain: "day", buckets: 7, sketch: false, breakdowns: ["page", "entry_page"] },
  ],
  [
    "instants that are a whole Day",
    { date_range: ["2021-04-01T00:00:00Z", "2021-04-02T00:00:00Z"] },
    { grain: "day", buckets: 1, sketch: false, breakdowns: [] },
  ],
  [
    "three Hours",
    { date_range: ["2021-04-01T01:00:00Z", "2021-04-01T04:00:00Z"] },
    { grain: "hour", buckets: 3, sketch: true, breakdowns: [] },
  ],
];

test.each(COSTS)("[QRY-9] %s reads no more than it needs", (_, body, cost) => {
  expect(planOf(body)).toMatchObject(cost);
});

test("[QRY-9] whole Days are read by their number, Hours by the instant they start", () => {
  expect(planOf(days("2021-04-01", "2021-04-02"))).toMatchObject({
    from: parseDate("2021-04-01"),
    to: parseDate("2021-04-03"),
  });
  expect(planOf({ ...days("2021-04-01", "2021-04-01"), dimensions: ["time:hour"] })).toMatchObject({
    from: Date.parse("2021-04-01T00:00:00Z"),
    to: Date.parse("2021-04-02T00:00:00Z"),
  });
});

test("[QRY-9] more buckets than one question may read are refused", () => {
  const plan = tryPlan({ ...days("2019-01-01", "2021-04-30"), dimensions: ["time:hour"] });
  expect(plan.ok ? "" : plan.rejection.message).toBe(
    "#/date_range: The range has 20424 hours, more than the 10000 one query may read.",
  );
});

const UNITS: readonly (readonly [first: string, last: string, unit: string])[] = [
  ["2021-01-01", "2021-01-01", "time:hour"],
  ["2021-01-01", "2021-01-02", "time:hour"],
  ["2021-01-01", "2021-01-03", "time:day"],
  ["2021-01-01", "2021-02-10", "time:day"],
  ["2021-01-01", "2021-02-11", "time:week"],
  ["2021-01-01", "2021-12-31", "time:week"],
  ["2021-01-01", "2022-12-31", "time:month"],
];

test.each(UNITS)("[QRY-10] bare time from %s to %s is %s", (first, last, unit) => {
  const plan = planOf({ ...days(first, last), dimensions: ["time", "visit:source"], order_by: [["time", "desc"]] });
  expect(plan.question.dimensions).toEqual([unit, "visit:source"]);
  expect(plan.orderBy).toEqual([[unit, "desc"]]);
});

const LABELS: readonly (readonly [body: object, labels: readonly string[]])[] = [
  [{ ...days("2021-02-27", "2021-03-01"), dimensions: ["time:day"] }, ["2021-02-27", "2021-02-28", "2021-03-01"]],
  // 2021-04-01 was a Thursday: the first week starts with the range.
  [{ ...days("2021-04-01", "2021-04-13"), dimensions: ["time:week"] }, ["2021-04-01", "2021-04-05", "2021-04-12"]],
  [{ ...days("2021-01-30", "2021-03-02"), dimensions: ["time:month"] }, ["2021-01-30", "2021-02-01", "2021-03-01"]],
  [
    { date_range: ["2021-04-01T22:00:00Z", "2021-04-02T01:00:00Z"], dimensions: ["time:hour"] },
    ["2021-04-01 22:00:00", "2021-04-01 23:00:00", "2021-04-02 00:00:00"],
  ],
  [
    { date_range: ["2021-04-01T22:00:00Z", "2021-04-02T01:00:00Z"], dimensions: ["time:day"] },
    ["2021-04-01", "2021-04-02"],
  ],
];

test.each(LABELS)("[QRY-11] the labels of %j", (body, labels) => {
  expect(timeLabels(planOf(body))).toEqual(labels);
});

test("[QRY-12] the Hour that a clock repeats is one label, and its visitors are merged", () => {
  const berlin = [{ from: 0, zone: "Europe/Berlin" }];
  const plan = planOf({ ...days("2021-10-31", "2021-10-31"), dimensions: ["time:hour"] }, berlin);
  expect(timeLabels(plan)).toHaveLength(24);
  expect(plan).toMatchObject({ buckets: 25, sketch: true });
  const spring = planOf({ ...days("2021-03-28", "2021-03-28"), dimensions: ["time:hour"] }, berlin);
  expect(timeLabels(spring)).toHaveLength(23);
  expect(spring).toMatchObject({ buckets: 23, sketch: false });
});

const day = { grain: "day", sketch: false } as const;
const SOURCES: readonly (readonly [what: string, body: object, plan: Partial<Plan>])[] = [
  ["a filter by one value", { filters: [["is", "event:page", ["/a"]]] }, { ...day, breakdowns: ["page"] }],
  [
    "a filter by values of the dimension that is shown",
    { dimensions: ["visit:source"], filters: [["contains", "visit:source", ["oog"]]] },
    { ...day, breakdowns: ["source"] },
  ],
  ["another name of a dimension", { dimensions: ["visit:country_name"] }, { ...day, breakdowns: ["country"] }],
  [
    "conversions by goal",
    { dimensions: ["event:goal"], metrics: ["conversion_rate"], date_range: "7d" },
    { breakdowns: ["goal"], sketch: true, totals: ["label"] },
  ],
  [
    "the conversion rate of one goal",
    { filters: [["is", "event:goal", ["Pay"]]], metrics: ["conversion_rate"] },
    { breakdowns: ["goal"], totals: ["label"] },
  ],
  ["drops by reason", { metrics: ["drops"], dimensions: ["event:drop_reason"] }, { ...day, breakdowns: [] }],
  ["visitors of one Day, exactly", { accuracy: "exact" }, day],
];

test.each(SOURCES)("[QRY-9] %s is read from rollups", (_, body, plan) => {
  expect(planOf(body)).toMatchObject({ source: "rollups", ...plan });
});

const FROM_EVENTS: readonly (readonly [what: string, body: object])[] = [
  ["a filter by two values, of which a visit may have both", { filters: [["is", "event:page", ["/a", "/b"]]] }],
  ["a filter that excludes", { filters: [["is_not", "visit:source", ["Google"]]] }],
  [
    "a filter by one thing and a dimension of another",
    { dimensions: ["visit:browser"], filters: [["is", "visit:source", ["Google"]]] },
  ],
  ["bounces where a page was seen", { filters: [["is", "event:page", ["/a"]]], metrics: ["bounce_rate"] }],
  ["two dimensions", { dimensions: ["visit:source", "visit:browser"] }],
  ["a property", { dimensions: ["event:props:plan"] }],
  ["minutes", { dimensions: ["time:minute"] }],
  ["scroll depth", { dimensions: ["event:page"], metrics: ["scroll_depth"] }],
  ["units of orders with some product", { filters: [["is", "event:product", ["Mat"]]], metrics: ["units"] }],
  [
    "conversions of a filtered audience",
    { dimensions: ["event:goal"], metrics: ["conversion_rate"], filters: [["is", "visit:source", ["Google"]]] },
  ],
  ["visitors of a month, exactly", { accuracy: "exact", date_range: "30d" }],
];

test.each(FROM_EVENTS)("[SCN-4] %s is read from events", (_, body) => {
  expect(planOf(body)).toMatchObject({ source: "archive", breakdowns: [], sketch: false });
});

test("[QRY-25] visitors of a month come from rollups unless they are to be exact", () => {
  expect(planOf({ date_range: "30d" }).source).toBe("rollups");
  expect(planOf({ date_range: "30d", accuracy: "exact" }).source).toBe("archive");
  expect(planOf({ date_range: "30d", accuracy: "exact", metrics: ["pageviews"] }).source).toBe("rollups");
});
