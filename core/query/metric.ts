// The metrics that a question may ask for, as one ordered list. Each is a function of a group's numbers. Only this file
// rounds, so results are sorted by what they show. counting/rollup.ts says what a counter counts.

import type { Counts } from "../counting/rollup.ts";
import { TAKINGS, type Taking } from "../counting/takings.ts";
import { REVENUE_SCALE } from "../event.ts";
import type { Priced } from "./money.ts";

/** The counters of visits. For a question by page they are counted by entry page. */
export type VisitCounts = Pick<Counts, "visits" | "bounces" | "duration_ms">;

export function visitCounts(): VisitCounts {
  return { visits: 0, bounces: 0, duration_ms: 0 };
}

/** Numbers that only events have, and no rollup. */
export interface EventNumbers {
  /** The sum over visits of the deepest scroll in per cent, and the number of visits that reported one. */
  readonly scroll: number;
  readonly scrolledVisits: number;
}

export const NO_EVENT_NUMBERS: EventNumbers = { scroll: 0, scrolledVisits: 0 };

/** Visitors that a group's own are divided by. 0 where the question does not need them. */
export interface Totals {
  /** Of the whole question. */
  readonly all: number;
  /** Of the same time label, whether or not they reached a goal. */
  readonly label: number;
  /** Of the same group, whether or not they reached a goal. */
  readonly group: number;
}

/** What a metric is computed from. */
export interface Numbers {
  readonly counts: Counts;
  readonly money: Priced;
  /** Undefined where no visit entered on that page. */
  readonly visits: VisitCounts | undefined;
  readonly events: EventNumbers;
  readonly totals: Totals;
}

export interface Metric {
  readonly name: MetricName;
  /** "visit" metrics describe whole visits: they say nothing of one event name or one hostname. */
  readonly scope: "any" | "visit";
  /** Whether only events have it. */
  readonly fromEvents?: true;
  /** The total that it needs besides its group's own numbers. */
  readonly total?: keyof Totals;
  /** Whether it is made of visitors, which are an estimate over several buckets. */
  readonly ofVisitors?: true;
  /** Whether it belongs to single products. In a result of one product it is that product's. */
  readonly ofProduct?: true;
  /** Whether it belongs to orders. An order number earns once a Day and partition. */
  readonly ofOrders?: true;
  /** Whether it is an amount of money. */
  readonly isMoney?: true;
  /** Undefined where the metric has no value. */
  readonly of: (numbers: Numbers) => number | undefined;
}

export type MetricName =
  | "visitors"
  | "visits"
  | "pageviews"
  | "views_per_visit"
  | "bounce_rate"
  | "visit_duration"
  | "events"
  | "scroll_depth"
  | "time_on_page"
  | "percentage"
  | "conversion_rate"
  | "group_conversion_rate"
  | "average_revenue"
  | "total_revenue"
  | "bounces"
  | "total_duration"
  | "gross_revenue"
  | "orders"
  | "refunds"
  | "average_order_value"
  | "units"
  | "product_revenue"
  | "drops";

export const METRICS: readonly Metric[] = [
  { name: "visitors", scope: "any", ofVisitors: true, of: ({ counts }) => counts.visitors },
  { name: "visits", scope: "any", of: ({ counts }) => counts.visits },
  { name: "pageviews", scope: "any", of: ({ counts }) => counts.pageviews },
  { name: "views_per_visit", scope: "any", of: ({ counts }) => round(ratio(counts.pageviews, counts.visits), 2) },
  {
    name: "bounce_rate",
    scope: "visit",
    of: ({ visits }) => visits && Math.round(ratio(visits.bounces * 100, visits.visits)),
  },
  {
    name: "visit_duration",
    scope: "visit",
    of: ({ visits }) => visits && Math.round(ratio(visits.duration_ms / 1000, visits.visits)),
  },
  { name: "events", scope: "any", of: ({ counts }) => counts.events },
  {
    name: "scroll_depth",
    scope: "any",
    fromEvents: true,
    of: ({ events }) => known(events.scrolledVisits, Math.round(ratio(events.scroll, events.scrolledVisits))),
  },
  {
    name: "time_on_page",
    scope: "any",
    of: ({ counts }) => known(counts.engagement_ms, Math.round(ratio(counts.engagement_ms / 1000, counts.visits))),
  },
  {
    name: "percentage",
    scope: "any",
    total: "all",
    ofVisitors: true,
    of: ({ counts, totals }) => round(share(counts.visitors, totals.all), 1),
  },
  {
    name: "conversion_rate",
    scope: "any",
    total: "label",
    ofVisitors: true,
    of: ({ counts, totals }) => round(share(counts.visitors, totals.label), 2),
  },
  {
    name: "group_conversion_rate",
    scope: "any",
    total: "group",
    ofVisitors: true,
    of: ({ counts, totals }) => round(share(counts.visitors, totals.group), 2),
  },
  {
    name: "average_revenue",
    scope: "any",
    isMoney: true,
    of: ({ money: { takings } }) => known(takings.payments, average(takings.revenue, takings.payments)),
  },
  { name: "total_revenue", scope: "any", isMoney: true, of: ({ money }) => amount(money, "revenue") },
  // Our own metrics: the exact sums behind the averages above, and what shops count.
  { name: "bounces", scope: "visit", of: ({ visits }) => visits?.bounces },
  { name: "total_duration", scope: "visit", of: ({ visits }) => visits && visits.duration_ms / 1000 },
  { name: "gross_revenue", scope: "any", isMoney: true, of: ({ money }) => amount(money, "gross_revenue") },
  { name: "orders", scope: "any", ofOrders: true, of: ({ counts }) => counts.orders },
  { name: "refunds", scope: "any", ofOrders: true, of: ({ counts }) => counts.refunds },
  {
    name: "average_order_value",
    scope: "any",
    ofOrders: true,
    isMoney: true,
    of: ({ money: { takings } }) => known(takings.orders, average(takings.order_revenue, takings.orders)),
  },
  { name: "units", scope: "any", ofOrders: true, ofProduct: true, of: ({ counts }) => counts.units / REVENUE_SCALE },
  {
    name: "product_revenue",
    scope: "any",
    ofOrders: true,
    ofProduct: true,
    isMoney: true,
    of: ({ money }) => amount(money, "product_revenue"),
  },
  // It uses the counter of events. Dropped hits are nobody's events.
  { name: "drops", scope: "any", of: ({ counts }) => counts.events },
];

/** The metric of a name that was checked before. */
export function metricOf(name: MetricName): Metric {
  return METRICS.find((metric) => metric.name === name) as Metric;
}

/** In units of the merchant's currency. Undefined where no rate is known for any of the money. */
function amount({ takings, unconverted }: Priced, taking: Taking): number | undefined {
  const isUnknown = unconverted !== undefined && TAKINGS.every((one) => takings[one] === 0);
  return isUnknown ? undefined : takings[taking] / REVENUE_SCALE;
}

/** A number that means nothing if its base is 0. */
function known(base: number, value: number): number | undefined {
  return base === 0 ? undefined : value;
}

/** In units of currency, to a ten-thousandth. */
function average(revenue: number, count: number): number {
  return Math.round(ratio(revenue, count)) / REVENUE_SCALE;
}

/** In per cent. Both numbers may be estimates, but a part is never more than the whole. */
function share(part: number, whole: number): number {
  return Math.min(100, ratio(part * 100, whole));
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function round(value: number, decimals: number): number {
  return Math.round(value * 10 ** decimals) / 10 ** decimals;
}
