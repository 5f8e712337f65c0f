// What the commands that ask for numbers ask the API, and how they show what it answers.

import { expect, test } from "vitest";
import { type Answer, toAnswerText, toQuestion } from "../../scripts/footfall/query.ts";
import { hintOf, toCondition, toDimension, toFilters } from "../../scripts/footfall/question.ts";
import {
  toFunnelQuestion,
  toFunnelText,
  toPathsQuestion,
  toPathsText,
  toRealtimeText,
  toRetentionText,
  toSeconds,
} from "../../scripts/footfall/report.ts";

const PLAIN = { metrics: "visitors", range: "7d", dimension: [], where: [], segment: [], order: [], limit: "100" };
const ask = (options: object) => toQuestion("m", { ...PLAIN, ...options });

test.each([
  [
    "two dimensions",
    { dimension: ["day,source"] },
    { dimensions: ["time:day", "visit:source"], pagination: { limit: 100 } },
  ],
  [
    "three, one after the other",
    { dimension: ["page", "country", "props:plan"], limit: "5", offset: "10" },
    { dimensions: ["event:page", "visit:country", "event:props:plan"], pagination: { limit: 5, offset: 10 } },
  ],
  ["two dates", { range: "2026-11-01, 2026-11-07" }, { date_range: ["2026-11-01", "2026-11-07"] }],
  ["the period before", { compare: "previous" }, { include: { comparisons: { mode: "previous_period" } } }],
  [
    "the year before, by weekday",
    { compare: "year", matchWeekday: true },
    { include: { comparisons: { mode: "year_over_year", match_day_of_week: true } } },
  ],
  [
    "two dates to compare with",
    { compare: "2025-11-24,2025-11-30" },
    { include: { comparisons: { mode: "custom", date_range: ["2025-11-24", "2025-11-30"] } } },
  ],
  [
    "conditions, segments and filters together",
    { where: ["page=/a|/b", "source!=Google"], segment: ["Press", "seg_1"], filters: '["matches","event:page",["x"]]' },
    {
      filters: [
        ["is", "event:page", ["/a", "/b"]],
        ["is_not", "visit:source", ["Google"]],
        ["is", "segment", ["Press", "seg_1"]],
        ["matches", "event:page", ["x"]],
      ],
    },
  ],
  [
    "an order",
    { dimension: ["page"], order: ["visitors", "page:asc"] },
    {
      order_by: [
        ["visitors", "desc"],
        ["event:page", "asc"],
      ],
    },
  ],
  [
    "exact visitors and empty times",
    { exact: true, empty: true },
    { accuracy: "exact", include: { time_labels: true } },
  ],
])("[CLI-1] asks with %s", (_, options, expected) => {
  expect(ask(options)).toMatchObject(expected);
});

test("[CLI-1] asks for nothing that was not said", () => {
  expect(ask({})).toEqual({ site_id: "m", metrics: ["visitors"], date_range: "7d", dimensions: [] });
  expect(toFilters({ where: [], segment: [] })).toEqual({});
});

test.each([
  ["page=/cart", ["is", "event:page", ["/cart"]]],
  ["visit:country = AT|DE", ["is", "visit:country", ["AT", "DE"]]],
  ["page~/blog?a=b", ["contains", "event:page", ["/blog?a=b"]]],
  ["page!~/admin", ["contains_not", "event:page", ["/admin"]]],
  ["props:plan!=pro", ["is_not", "event:props:plan", ["pro"]]],
  ["goal=Order placed", ["is", "event:goal", ["Order placed"]]],
  ["product=Mat, blue", ["is", "event:product", ["Mat, blue"]]],
])("[CLI-1] reads the condition %s", (text, filter) => {
  expect(toCondition(text)).toEqual(filter);
});

test.each([
  ["minute", "time:minute"],
  ["time", "time"],
  ["screen", "visit:screen"],
  ["event:anything", "event:anything"],
  ["drop_reason", "event:drop_reason"],
])("[CLI-1] %s is the dimension %s", (name, dimension) => {
  expect(toDimension(name)).toBe(dimension);
});

test.each([
  [() => toDimension("colour"), /no dimension "colour"; there are minute, .*source.*props:<key>/],
  [() => toCondition("page"), /"page" is no condition; write <dimension>=<value>/],
  [() => toCondition("colour=red"), /no dimension "colour"/],
  [() => ask({ metrics: "visitors,money" }), /no metric "money"; there are visitors, .*total_revenue/],
  [() => ask({ limit: "none" }), /--limit is "none"; it must be 1 or more/],
  [() => ask({ compare: "lately" }), /--compare is "lately"; it must be previous, year, or two dates/],
  [() => ask({ matchWeekday: true }), /--match-weekday goes with --compare/],
  [() => ask({ filters: "[" }), /--filters is no JSON/],
  [() => ask({ filters: "{}" }), /--filters must be a list/],
  [() => toFunnelQuestion("m", { ...PLAIN, step: ["page=/"] }), /two steps at least/],
  [() => toFunnelQuestion("m", { ...PLAIN, step: ["page=/", "{"] }), /--step is no JSON/],
  [() => toSeconds("soon"), /--window is "soon"; it must be such as 30m/],
])("[CLI-4] what is wrong is refused with what to do: %#", (call, why) => {
  expect(call).toThrow(why);
});

test.each([
  ['#/date_range: Invalid date range "x"', /--range takes day/],
  ['#/filters/0: There is no segment "x".', /--segment/],
  ["#/steps: Expected 2 to 10 items", /--step/],
  ["Invalid API key", undefined],
])("[CLI-4] the API's words %j are told with the option they are about", (message, hint) => {
  if (hint === undefined) expect(hintOf(message)).toBeUndefined();
  else expect(hintOf(message)).toMatch(hint);
});

test("[CLI-3] a funnel is asked with its steps by condition or as the API takes them", () => {
  const own = { name: "Paid", filters: [["is", "event:name", ["purchase"]]] };
  const options = {
    ...PLAIN,
    range: "30d",
    step: ["page=/cart", JSON.stringify(own)],
    window: "1h",
    where: ["country=AT"],
  };
  expect(toFunnelQuestion("m", options)).toEqual({
    site_id: "m",
    date_range: "30d",
    filters: [["is", "visit:country", ["AT"]]],
    steps: [{ name: "page=/cart", filters: [["is", "event:page", ["/cart"]]] }, own],
    window_seconds: 3600,
  });
});

test.each([
  ["90", 90],
  ["30m", 1800],
  ["7d", 604_800],
])("[CLI-3] a window of %s has %i seconds", (text, seconds) => {
  expect(toSeconds(text)).toBe(seconds);
});

test("[CLI-3] paths are asked with depth and limit", () => {
  expect(toPathsQuestion("m", { ...PLAIN, depth: "5", limit: "3" })).toEqual({
    ...{ site_id: "m", date_range: "7d", depth: 5, limit: 3 },
  });
});

const QUERY = { date_range: ["2026-11-22", "2026-11-28"] };

test("[CLI-2] a comparison stands beside each metric, with the time it is compared with", () => {
  const row = (day: string, before: string, [value, was, change]: readonly [number, number, number | null]) => ({
    ...{ metrics: [value], dimensions: [day] },
    comparison: { metrics: [was], dimensions: [before], change: [change] },
  });
  const answer: Answer = {
    results: [row("2026-11-22", "2026-11-15", [12, 8, 50]), row("2026-11-23", "2026-11-16", [5, 0, null])],
    meta: { comparison_date_range: ["2026-11-15", "2026-11-21"] },
    query: QUERY,
  };
  expect(toAnswerText(answer, ["time:day", "visitors"]).split("\n")).toEqual([
    "time:day    with        visitors  before  change",
    "──────────  ──────────  ────────  ──────  ──────",
    "2026-11-22  2026-11-15        12       8    +50%",
    "2026-11-23  2026-11-16         5       0       –",
    "before: 2026-11-15 to 2026-11-21",
  ]);
});

test("[CLI-2] what the API warns of stands below the table", () => {
  const warning = "3 event(s) carried revenue in another currency, which is not added up.";
  const meta = {
    metric_warnings: { gross_revenue: { warning }, total_revenue: { warning } },
    orders: { exact: false },
  };
  const text = toAnswerText({ results: [{ metrics: [1], dimensions: [] }], meta, query: QUERY }, ["total_revenue"]);
  expect(text.split("\n").slice(3)).toEqual([
    `gross_revenue, total_revenue: ${warning}`,
    "orders: a number that came on several Days earned on each",
  ]);
});

test("[CLI-3] each report has a table of its own", () => {
  const minutes = ["2026-11-28 10:00:00", "2026-11-28 10:01:00"].map((minute, index) => {
    return { minute, visitors: index, pageviews: 2 * index };
  });
  expect(toRealtimeText({ visitors: 1, minutes })).toMatch(
    /^1 visitor in the last five minutes\n.*\n.*\n.*\n.*10:01:00 +1 +2$/,
  );
  expect(toRealtimeText({ visitors: 0, minutes: minutes.slice(0, 1) })).toMatch(/nobody/);
  const steps = [
    { name: "Cart", visitors: 200, conversion_rate: 100, step_conversion_rate: 100 },
    { name: "Paid", visitors: 50, conversion_rate: 25, step_conversion_rate: 25 },
  ];
  expect(toFunnelText({ results: steps, query: QUERY })).toMatch(/Paid +50 +25% +25% +██████$/m);
  const cohorts = [
    { cohort: "2026-11-16", visitors: 40, retained: [40, 10] },
    { cohort: "2026-11-23", visitors: 7, retained: [7] },
  ];
  expect(toRetentionText({ results: cohorts, query: QUERY })).toMatch(/2026-11-16 +40 +25%\n2026-11-23 +7$/);
  const paths = [{ pages: ["/", "/cart"], visits: 3 }];
  expect(toPathsText({ results: paths, query: QUERY })).toMatch(/3 {2}\/ → \/cart$/);
  expect(toPathsText({ results: [], query: QUERY })).toBe("(nothing from 2026-11-22 to 2026-11-28)");
});
