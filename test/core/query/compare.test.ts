// Comparisons: which range they mean, and how two answers stand side by side.

import { expect, test } from "vitest";
import { answer } from "../../../core/query/answer.ts";
import { comparedRange } from "../../../core/query/compare.ts";
import type { Groups } from "../../../core/query/group.ts";
import { UNCONVERTED } from "../../../core/query/money.ts";
import { type Plan, planQuestion, planWithComparison } from "../../../core/query/plan.ts";
import { parseQuestion } from "../../../core/query/question.ts";
import { echoRange, resolveRange } from "../../../core/query/range.ts";
import { addStored, closeTally, openTally } from "../../../core/query/tally.ts";
import { parseDate } from "../../../core/time.ts";
import { NOW, planOf, UTC, valueFrom } from "../../support/questions.ts";
import { moneyOf, type RowSpec, rowOf } from "../../support/rollup-rows.ts";

const VIENNA = [{ from: 0, zone: "Europe/Vienna" }];
const LORD_HOWE = [{ from: 0, zone: "Australia/Lord_Howe" }];
const previous = { mode: "previous_period" };

const NEW_YORK = [{ from: 0, zone: "America/New_York" }];

type Case = readonly [range: unknown, comparisons: object, first: string, last: string, zones?: typeof UTC];
const RANGES: Case[] = [
  // 2021-05-05 is a Wednesday.
  ["day", previous, "2021-05-04T00:00:00+00:00", "2021-05-04T23:59:59+00:00"],
  ["7d", previous, "2021-04-21T00:00:00+00:00", "2021-04-27T23:59:59+00:00"],
  ["month", previous, "2021-03-31T00:00:00+00:00", "2021-04-30T23:59:59+00:00"],
  ["month", { ...previous, match_day_of_week: true }, "2021-03-27T00:00:00+00:00", "2021-04-26T23:59:59+00:00"],
  ["day", { ...previous, match_day_of_week: true }, "2021-04-28T00:00:00+00:00", "2021-04-28T23:59:59+00:00"],
  ["day", { mode: "year_over_year" }, "2020-05-05T00:00:00+00:00", "2020-05-05T23:59:59+00:00"],
  [
    "day",
    { mode: "year_over_year", match_day_of_week: true },
    "2020-05-06T00:00:00+00:00",
    "2020-05-06T23:59:59+00:00",
  ],
  [["2021-03-28", "2021-03-28"], previous, "2021-03-27T00:00:00+01:00", "2021-03-27T23:59:59+01:00", VIENNA],
  [
    ["2021-03-29T10:00:00+02:00", "2021-03-29T12:00:00+02:00"],
    { ...previous, match_day_of_week: true },
    "2021-03-22T10:00:00+01:00",
    "2021-03-22T11:59:59+01:00",
    VIENNA,
  ],
  [
    ["2021-04-04T10:00:00+10:30", "2021-04-04T12:00:00+10:30"],
    previous,
    "2021-04-03T10:00:00+11:00",
    "2021-04-03T11:59:59+11:00",
    LORD_HOWE,
  ],
  [
    "7d",
    { mode: "custom", date_range: ["2020-01-01", "2020-01-02"] },
    "2020-01-01T00:00:00+00:00",
    "2020-01-02T23:59:59+00:00",
  ],
];

test.each(RANGES.map(([asked, by, first, last, zones = UTC]) => [asked, by, first, last, zones] as const))(
  "[CMP-1] %j by %j is compared with %s to %s",
  (date_range, comparisons, first, last, zones) => {
    const plan = planOf({ date_range, include: { comparisons } }, zones);
    const request = plan.question.include.comparisons as NonNullable<typeof plan.question.include.comparisons>;
    const range = valueFrom(resolveRange(comparedRange(request, plan.range, zones), { zones, now: NOW }));
    expect(echoRange(range, zones)).toEqual([first, last]);
  },
);

const REFUSED: readonly (readonly [comparisons: unknown, message: string])[] = [
  [7, "#/include/comparisons: Type mismatch. Expected Object but got Integer."],
  [{ mode: "x" }, '#/include/comparisons/mode: Invalid mode "x"'],
  [{ mode: "custom" }, "#/include/comparisons/date_range: Invalid date range undefined"],
  [{ ...previous, date_range: "7d" }, '#/include/comparisons/date_range: Invalid date range "7d"'],
  [
    { ...previous, match_day_of_week: 1 },
    "#/include/comparisons/match_day_of_week: Type mismatch. Expected Boolean but got Integer.",
  ],
  [{ ...previous, x: 1 }, "#/include/comparisons/x: Schema does not allow additional properties."],
];

test.each(REFUSED)("[CMP-1] refuses %j", (comparisons, message) => {
  const read = parseQuestion({ site_id: "x", metrics: ["visitors"], date_range: "7d", include: { comparisons } });
  expect(read).toMatchObject({ ok: false, rejection: { message } });
});

/** At 12:30 UTC on 2021-05-05, unless said otherwise. */
type Passed = readonly [range: unknown, include: object, own: Span, other: Span, now?: string, zones?: typeof UTC];
type Span = readonly [first: string, last: string];
const at = (from: string, to: string): Span => [from, to];
const yearly = { comparisons: { mode: "year_over_year" } };
const before = { comparisons: previous };
const weekly = { comparisons: { ...previous, match_day_of_week: true } };
const PASSED: readonly Passed[] = [
  // Until the end of the current Hour, and the other until the same place.
  [
    "day",
    before,
    at("2021-05-05T00:00:00Z", "2021-05-05T12:59:59Z"),
    at("2021-05-04T00:00:00Z", "2021-05-04T12:59:59Z"),
  ],
  [
    "today",
    weekly,
    at("2021-05-05T00:00:00Z", "2021-05-05T12:59:59Z"),
    at("2021-04-28T00:00:00Z", "2021-04-28T12:59:59Z"),
  ],
  [
    "day",
    yearly,
    at("2021-05-05T00:00:00Z", "2021-05-05T12:59:59Z"),
    at("2020-05-05T00:00:00Z", "2020-05-05T12:59:59Z"),
  ],
  [
    "month",
    before,
    at("2021-05-01T00:00:00Z", "2021-05-05T12:59:59Z"),
    at("2021-03-31T00:00:00Z", "2021-04-04T12:59:59Z"),
  ],
  [
    "year",
    before,
    at("2021-01-01T00:00:00Z", "2021-05-05T12:59:59Z"),
    at("2020-01-02T00:00:00Z", "2020-05-05T12:59:59Z"),
  ],
  [
    "year",
    yearly,
    at("2021-01-01T00:00:00Z", "2021-05-05T12:59:59Z"),
    at("2020-01-01T00:00:00Z", "2020-05-05T12:59:59Z"),
  ],
  [
    ["2021-05-03", "2021-05-09"],
    before,
    at("2021-05-03T00:00:00Z", "2021-05-05T12:59:59Z"),
    at("2021-04-26T00:00:00Z", "2021-04-28T12:59:59Z"),
  ],
  [
    ["2021-05-05T10:00:00Z", "2021-05-05T20:00:00Z"],
    before,
    at("2021-05-05T10:00:00Z", "2021-05-05T12:59:59Z"),
    at("2021-05-04T10:00:00Z", "2021-05-04T12:59:59Z"),
  ],
  // What has passed as a whole, what is all to come, and what says that it is not to be cut.
  [
    "yesterday",
    before,
    at("2021-05-04T00:00:00Z", "2021-05-04T23:59:59Z"),
    at("2021-05-03T00:00:00Z", "2021-05-03T23:59:59Z"),
  ],
  [
    ["2021-05-06"],
    before,
    at("2021-05-06T00:00:00Z", "2021-05-06T23:59:59Z"),
    at("2021-05-05T00:00:00Z", "2021-05-05T23:59:59Z"),
  ],
  [
    "day",
    { ...before, trim_relative_date_range: false },
    at("2021-05-05T00:00:00Z", "2021-05-05T23:59:59Z"),
    at("2021-05-04T00:00:00Z", "2021-05-04T23:59:59Z"),
  ],
  [
    "day",
    { comparisons: { mode: "custom", date_range: ["2021-04-01", "2021-04-01"] } },
    at("2021-05-05T00:00:00Z", "2021-05-05T23:59:59Z"),
    at("2021-04-01T00:00:00Z", "2021-04-01T23:59:59Z"),
  ],
  // Clocks went forward on 2021-03-28 in Vienna at 2, and back on 2021-11-07 in New York at 2: the same local time.
  [
    "day",
    before,
    at("2021-03-28T00:00:00+01:00", "2021-03-28T12:59:59+02:00"),
    at("2021-03-27T00:00:00+01:00", "2021-03-27T12:59:59+01:00"),
    "2021-03-28T12:30:00+02:00",
    VIENNA,
  ],
  [
    "day",
    before,
    at("2021-11-08T00:00:00-05:00", "2021-11-08T12:59:59-05:00"),
    at("2021-11-07T00:00:00-04:00", "2021-11-07T12:59:59-05:00"),
    "2021-11-08T12:30:00-05:00",
    NEW_YORK,
  ],
];

test.each(
  PASSED.map(([asked, include, own, other, now, zones = UTC]) => [asked, include, own, other, now, zones] as const),
)("[CMP-3] %j with %j is %s, compared with %s", (date_range, include, own, other, now, zones) => {
  const question = valueFrom(parseQuestion({ site_id: "x", metrics: ["visitors"], date_range, include }));
  const moment = { zones, now: now === undefined ? NOW : Date.parse(now) };
  const plans = valueFrom(planWithComparison(question, moment));
  const instants = (span: Span) => span.map((text) => Date.parse(text));
  const echoed = plans.map(({ range }) => instants(echoRange(range, zones)));
  expect(echoed).toEqual([instants(own), instants(other)]);
});

const DAYS: readonly (readonly [from: string, to: string, before: Span, zones: typeof UTC])[] = [
  ["2021-05-04T13:00:00Z", "2021-05-05T13:00:00Z", at("2021-05-03T13:00:00Z", "2021-05-04T12:59:59Z"), UTC],
  ["2021-05-03T13:00:00Z", "2021-05-05T13:00:00Z", at("2021-05-01T13:00:00Z", "2021-05-03T12:59:59Z"), UTC],
  // 24 Hours over a change of clocks: the 24 before, no Hour twice and none between.
  [
    "2021-03-27T13:00:00+01:00",
    "2021-03-28T14:00:00+02:00",
    at("2021-03-26T13:00:00+01:00", "2021-03-27T12:59:59+01:00"),
    VIENNA,
  ],
  [
    "2021-11-06T13:00:00-04:00",
    "2021-11-07T12:00:00-05:00",
    at("2021-11-05T13:00:00-04:00", "2021-11-06T12:59:59-04:00"),
    NEW_YORK,
  ],
  // The Hours from noon to noon, of which there are 23: from noon to noon before.
  [
    "2021-03-27T12:00:00+01:00",
    "2021-03-28T12:00:00+02:00",
    at("2021-03-26T12:00:00+01:00", "2021-03-27T11:59:59+01:00"),
    VIENNA,
  ],
];

test.each(DAYS)("[CMP-1] from %s to %s is compared with %s", (from, to, expected, zones) => {
  const read = { site_id: "x", metrics: ["visitors"], date_range: [from, to], include: { comparisons: previous } };
  const plans = valueFrom(planWithComparison(valueFrom(parseQuestion(read)), { zones, now: Date.parse("2022-01-01") }));
  const instants = (span: Span) => span.map((text) => Date.parse(text));
  expect(instants(echoRange((plans[1] as Plan).range, zones))).toEqual(instants(expected));
});

test("[CMP-1] 24h is compared with the 24 Hours before", () => {
  const asked = { site_id: "x", metrics: ["visitors"], date_range: "24h", include: { comparisons: previous } };
  const [own, other] = valueFrom(planWithComparison(valueFrom(parseQuestion(asked)), { zones: UTC, now: NOW }));
  expect(other?.range.toInstant).toBe(own.range.fromInstant);
  expect((other as Plan).range.fromInstant).toBe(own.range.fromInstant - 24 * 3_600_000);
});

test("[CMP-1] a year earlier both ends have their dates, also around a 29 February", () => {
  const asked = { site_id: "x", metrics: ["events"], date_range: ["2020-02-01", "2020-03-31"], include: yearly };
  const plans = valueFrom(planWithComparison(valueFrom(parseQuestion(asked)), { zones: UTC, now: NOW }));
  expect(echoRange((plans[1] as Plan).range, UTC)).toEqual(["2019-02-01T00:00:00+00:00", "2019-03-31T23:59:59+00:00"]);
});

test("[CMP-4] what has passed of today is read as its Day, and so exact; the part of the other Day is read from events", () => {
  const asked = { site_id: "x", metrics: ["visitors"], date_range: "day", include: before };
  const [own, other] = valueFrom(planWithComparison(valueFrom(parseQuestion(asked)), { zones: UTC, now: NOW }));
  expect(own).toMatchObject({ source: "rollups", grain: "day", oneBucketEach: true, sketch: false });
  expect(other).toMatchObject({
    source: "rollups",
    grain: "day",
    oneBucketEach: true,
    range: { partialDay: own.range.fromDay - 1 },
  });
  expect(other?.otherwise).toMatchObject({ grain: "hour", sketch: true });
  const counts = { ...asked, metrics: ["pageviews"] };
  const plans = valueFrom(planWithComparison(valueFrom(parseQuestion(counts)), { zones: UTC, now: NOW }));
  expect(plans[1]).toMatchObject({ grain: "hour", source: "rollups", otherwise: undefined });
});

function groupsOf(plan: Plan, rows: readonly RowSpec[]): Groups {
  const tally = openTally(plan, [], "EUR");
  addStored(tally, rows.map(rowOf));
  return closeTally(tally) as Groups;
}

function compared(body: object, rows: readonly RowSpec[]) {
  const plan = planOf({ date_range: ["2021-04-03", "2021-04-04"], include: { comparisons: previous }, ...body });
  const request = plan.question.include.comparisons as NonNullable<typeof plan.question.include.comparisons>;
  const range = valueFrom(resolveRange(comparedRange(request, plan.range, UTC), { zones: UTC, now: NOW }));
  const other = valueFrom(planQuestion(plan.question, range, UTC));
  const context = {
    currency: "EUR",
    convert: UNCONVERTED,
    asOf: NOW,
    cost: { rows: 0, objects: 0, bytes: 0 },
    rules: 0,
  };
  const beside = { plan: other, groups: groupsOf(other, rows) };
  return valueFrom(answer(plan, groupsOf(plan, rows), { ...context, compared: beside }));
}

const bucket = (date: string) => parseDate(date) as number;
const ROWS: readonly RowSpec[] = [
  { bucket: bucket("2021-04-01"), seen: { pageviews: 4 }, by: { source: { Bing: { pageviews: 4 } } } },
  {
    bucket: bucket("2021-04-03"),
    seen: { pageviews: 6, money: moneyOf("EUR", 10_000) },
    by: { source: { Google: { pageviews: 5 }, Bing: { pageviews: 1 } } },
  },
  { bucket: bucket("2021-04-04"), seen: { pageviews: 1 } },
];

test("[CMP-2] totals stand beside totals, money is written out, and the other range is named", () => {
  const { results, meta } = compared({ metrics: ["pageviews", "total_revenue"] }, ROWS);
  expect(results[0]?.comparison).toMatchObject({ dimensions: [], change: [75, null] });
  expect(results[0]?.comparison?.metrics).toEqual([4, { value: 0, currency: "EUR", short: "€0", long: "€0.00" }]);
  expect(meta.comparison_date_range).toEqual(["2021-04-01T00:00:00+00:00", "2021-04-02T23:59:59+00:00"]);
});

test("[CMP-2] with all labels, what the other range alone has in time is a result of zeros", () => {
  const of = (include: object, dimensions: readonly string[] = ["time:day"]) =>
    compared({ metrics: ["pageviews"], dimensions, include: { comparisons: previous, ...include } }, ROWS.slice(0, 1));
  const alone = { metrics: [4], dimensions: ["2021-04-01"], change: [-100] };
  const { results, meta } = of({ time_labels: true, total_rows: true });
  expect(results).toEqual([{ metrics: [0], dimensions: ["2021-04-03"], comparison: alone }]);
  expect(meta).toMatchObject({ time_labels: ["2021-04-03", "2021-04-04"], total_rows: 1 });
  expect(of({}).results).toEqual([]);
  expect(of({ time_labels: true }, ["visit:source", "time:day"]).results).toEqual([]);
});

test("[CMP-2] in time, the first label stands beside the first; by value, each beside itself", () => {
  const byDay = compared({ metrics: ["pageviews"], dimensions: ["time:day"] }, ROWS).results;
  expect(byDay).toEqual([
    {
      metrics: [6],
      dimensions: ["2021-04-03"],
      comparison: { metrics: [4], dimensions: ["2021-04-01"], change: [50] },
    },
    {
      metrics: [1],
      dimensions: ["2021-04-04"],
      comparison: { metrics: [0], dimensions: ["2021-04-02"], change: [null] },
    },
  ]);
  const bySource = compared({ metrics: ["pageviews"], dimensions: ["visit:source"] }, ROWS).results;
  expect(bySource).toEqual([
    { metrics: [5], dimensions: ["Google"], comparison: { metrics: [0], dimensions: ["Google"], change: [null] } },
    { metrics: [1], dimensions: ["Bing"], comparison: { metrics: [4], dimensions: ["Bing"], change: [-75] } },
  ]);
});
