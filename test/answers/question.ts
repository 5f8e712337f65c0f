// Random questions of the grammar, such as are answered: any metrics, dimensions, filters and ranges that go together.

import type { Random } from "../support/random.ts";
import { dateAfter, hourStart, localDate } from "./calendar.ts";
import type { Body } from "./model-answer.ts";
import { DIMENSIONS } from "./model-filter.ts";
import type { ReportBody, ReportKind } from "./model-report.ts";
import { DAYS, type Feature } from "./traffic.ts";

const OF_EVENTS = ["visitors", "visits", "pageviews", "events", "total_revenue"];
const OF_VISITS = ["bounces", "bounce_rate", "total_duration", "visit_duration"];
const OF_ORDERS = [
  "orders",
  "refunds",
  "gross_revenue",
  "average_order_value",
  "average_revenue",
  "units",
  "product_revenue",
];
const OF_PRODUCTS = ["visitors", "events", "units", "product_revenue"];
const TIMES = ["time:hour", "time:day", "time:week", "time:month", "time:minute"];

export interface QuestionContext {
  readonly zone: string;
  readonly start: number;
  readonly without: readonly Feature[];
}

export function questionOf(random: Random, context: QuestionContext): Body {
  const names = Object.keys(DIMENSIONS).filter(
    (name) => name !== "event:product" || !context.without.includes("orders"),
  );
  const some = <T>(list: readonly T[], chance: number) => list.filter(() => random.chance(chance));
  const date_range = rangeOf(random, context);
  const isShort = date_range === "day" || date_range === "24h" || isOneDay(date_range);
  const times = TIMES.filter((name) => name !== "time:minute" || isShort);
  const breakdowns = random.pick([[], [], [random.pick(names)], [random.pick(names)], pair(random, names)]);
  const dimensions = [...(random.chance(0.4) ? [random.pick(times)] : []), ...breakdowns];
  if (random.chance(0.04)) return drops(random, date_range, times);
  const filters = random.chance(0.5) ? [] : filtersOf(random, names);
  const said = JSON.stringify(filters);
  const isByPage = dimensions.includes("event:page");
  const ofVisits = breakdowns.every((name) => name.startsWith("visit:") || name === "event:page");
  const mayAskVisits = ofVisits && !(isByPage && /event:page|event:goal/.test(said));
  const orders = context.without.includes("orders") ? [] : OF_ORDERS;
  const metrics = dimensions.includes("event:product")
    ? some(OF_PRODUCTS, 0.7)
    : [
        ...some(OF_EVENTS, 0.6),
        ...some(orders, 0.5),
        ...(mayAskVisits ? some(OF_VISITS, 0.5) : []),
        ...(isByPage ? some(["scroll_depth", "time_on_page"], 0.4) : []),
        ...(dimensions.length > 0 ? some(["percentage"], 0.2) : []),
        ...(breakdowns.length === 0 && !said.includes("event:page") ? some(["views_per_visit"], 0.3) : []),
        ...(dimensions.includes("event:goal") ? some(["conversion_rate"], 0.5) : []),
      ];
  const compares = Array.isArray(date_range) && date_range[0]?.length === 10 && !dimensions.some(isTime);
  return {
    metrics: metrics.length === 0 ? ["visitors"] : metrics,
    dimensions,
    date_range,
    filters,
    ...(compares &&
      random.chance(0.2) && {
        // What has not come yet is compared as well: CMP-3 has tests of its own.
        include: { comparisons: { mode: "previous_period" }, trim_relative_date_range: false },
      }),
    ...(random.chance(0.3) && { accuracy: "exact" }),
  };
}

/** For exports: half of them are of everything. */
export function randomFilters(random: Random): readonly unknown[] {
  return random.chance(0.5) ? [] : filtersOf(random, Object.keys(DIMENSIONS));
}

/** A report: a funnel, retention or paths. */
export function randomReport(random: Random, context: QuestionContext): { kind: ReportKind; body: ReportBody } {
  const names = Object.keys(DIMENSIONS);
  const common = { date_range: rangeOf(random, context), filters: random.chance(0.6) ? [] : filtersOf(random, names) };
  const kind = random.pick<ReportKind>(["funnel", "funnel", "paths", "retention"]);
  if (kind === "retention") return { kind, body: common };
  if (kind === "paths") return { kind, body: { ...common, depth: random.integer(2, 4), limit: 10_000 } };
  const step = () => {
    const name = random.pick(["event:page", "event:name", "event:goal"]);
    return { filters: [["is", name, [random.pick(VALUES[name] as readonly string[])]]] };
  };
  const steps = Array.from({ length: random.integer(2, 4) }, step);
  return { kind, body: { ...common, steps, window_seconds: random.pick([60, 3_600, 86_400, 400_000]) } };
}

const isTime = (name: string) => name.startsWith("time");

function drops(random: Random, date_range: Body["date_range"], times: readonly string[]): Body {
  const time = random.chance(0.5) ? [random.pick(times.filter((name) => name !== "time:minute"))] : [];
  const dimensions = [...time, ...(random.chance(0.6) ? ["event:drop_reason"] : [])];
  return { metrics: ["drops"], dimensions, date_range, filters: [] };
}

function pair(random: Random, names: readonly string[]): readonly string[] {
  const first = random.pick(names);
  return [first, random.pick(names.filter((name) => name !== first))];
}

function rangeOf(random: Random, { zone, start }: QuestionContext): Body["date_range"] {
  const dates = Array.from({ length: DAYS + 2 }, (_, index) => dateAfter(localDate(zone, start), index - 1));
  const date = () => random.pick(dates);
  const kind = random.pick(["dates", "dates", "dates", "date", "instants", "relative"]);
  if (kind === "date") {
    const only = date();
    return [only, only];
  }
  if (kind === "relative") return random.pick(["day", "24h", "7d"]);
  if (kind === "instants") {
    const hour = () => hourStart(zone, start + random.integer(0, DAYS * 24) * 3_600_000);
    const [a, b] = [hour(), hour()];
    const later = a === b ? hourStart(zone, a + 5_400_000) : Math.max(a, b);
    return [new Date(Math.min(a, b)).toISOString(), new Date(later).toISOString()];
  }
  const [a, b] = [date(), date()];
  return a < b ? [a, b] : [b, a];
}

function isOneDay(range: Body["date_range"]): boolean {
  return Array.isArray(range) && range[0].length === 10 && range[0] === range[1];
}

const VALUES: Readonly<Record<string, readonly string[]>> = {
  "event:page": ["/", "/a", "/b", "/b/c", "/pay", "/nowhere"],
  "event:name": ["pageview", "signup", "purchase", "Order Completed", "refund", "engagement", "web_vitals"],
  "event:hostname": ["shop.example", "till.example"],
  "event:stream": ["1", "2"],
  "event:props:plan": ["pro", "basic", "(none)"],
  "event:goal": ["Signup", "Paid", "Blog"],
  "event:product": ["Mat", "Cup", "tea"],
  "visit:source": ["letter", "Google", "blog.example", "Direct / None"],
  "visit:channel": ["Email", "Direct", "Referral", "Organic Search"],
  "visit:utm_medium": ["email", "(not set)"],
  "visit:entry_page": ["/", "/a", "/pay", "(none)"],
  "visit:exit_page": ["/b", "/pay", "(none)"],
  "visit:country": ["AT", "US"],
  "visit:device": ["Desktop", "Mobile"],
};

function filtersOf(random: Random, names: readonly string[]): readonly unknown[] {
  const known = Object.keys(VALUES).filter((name) => names.includes(name));
  const comparison = (among: readonly string[]): unknown => {
    const name = random.pick(among);
    const values = VALUES[name] as readonly string[];
    const clauses = random.chance(0.5) ? [random.pick(values)] : [...pair(random, values)];
    if (name === "event:goal") return ["is", name, clauses];
    const operator = random.pick(["is", "is", "is", "is_not", "contains", "contains_not"]);
    const isCode = name === "visit:country" && operator.startsWith("contains");
    return [isCode ? "is" : operator, name, clauses];
  };
  const ofEvents = known.filter((name) => name.startsWith("event:"));
  const filter = (depth: number): unknown => {
    const kind =
      depth === 0 ? "comparison" : random.pick(["comparison", "comparison", "comparison", "and", "or", "not", "done"]);
    if (kind === "and" || kind === "or") return [kind, [filter(depth - 1), filter(depth - 1)]];
    if (kind === "not") return ["not", filter(depth - 1)];
    if (kind === "done") return [random.pick(["has_done", "has_not_done"]), comparison(ofEvents)];
    return comparison(known);
  };
  return Array.from({ length: random.pick([1, 1, 2]) }, () => filter(2));
}
