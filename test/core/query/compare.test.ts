// Comparisons: which range they mean, and how two answers stand side by side.

import { expect, test } from "vitest";
import { answer } from "../../../core/query/answer.ts";
import { comparedRange } from "../../../core/query/compare.ts";
import type { Groups } from "../../../core/query/group.ts";
import { UNCONVERTED } from "../../../core/query/money.ts";
import { type Plan, planQuestion } from "../../../core/query/plan.ts";
import { parseQuestion } from "../../../core/query/question.ts";
import { echoRange, resolveRange } from "../../../core/query/range.ts";
import { addStored, closeTally, openTally } from "../../../core/query/tally.ts";
import { parseDate } from "../../../core/time.ts";
import { NOW, planOf, UTC, valueFrom } from "../../support/questions.ts";
import { moneyOf, type RowSpec, rowOf } from "../../support/rollup-rows.ts";

const VIENNA = [{ from: 0, zone: "Europe/Vienna" }];
const LORD_HOWE = [{ from: 0, zone: "Australia/Lord_Howe" }];
const previous = { mode: "previous_period" };

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
