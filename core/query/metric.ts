// The metrics a question may ask for: one ordered list, each a function of a group's counters. Rounding happens here and
// nowhere else, so that results are sorted by what they show. What a counter counts is said in counting/rollup.ts.

import type { Counts } from "../counting/rollup.ts";
import { REVENUE_SCALE } from "../event.ts";

/** The counters of visits as visits: by entry page where the question breaks down by page. */
export type VisitCounts = Pick<Counts, "visits" | "bounces" | "duration_ms">;

export interface Metric {
  readonly name: MetricName;
  /** "visit" metrics describe whole visits: they say nothing of one event name or one hostname. */
  readonly scope: "any" | "visit";
  /** Undefined where `visits` is: nothing is known of the visits of a page on which nobody entered. */
  readonly of: (counts: Counts, visits: VisitCounts | undefined) => number | undefined;
}

export type MetricName =
  | "visitors"
  | "visits"
  | "pageviews"
  | "views_per_visit"
  | "bounce_rate"
  | "visit_duration"
  | "events"
  | "total_revenue"
  | "bounces"
  | "total_duration";

export const METRICS: readonly Metric[] = [
  { name: "visitors", scope: "any", of: (counts) => counts.visitors },
  { name: "visits", scope: "any", of: (counts) => counts.visits },
  { name: "pageviews", scope: "any", of: (counts) => counts.pageviews },
  { name: "views_per_visit", scope: "any", of: ({ pageviews, visits }) => round(ratio(pageviews, visits), 2) },
  {
    name: "bounce_rate",
    scope: "visit",
    of: (_, visits) => visits && Math.round(ratio(visits.bounces * 100, visits.visits)),
  },
  {
    name: "visit_duration",
    scope: "visit",
    of: (_, visits) => visits && Math.round(ratio(visits.duration_ms / 1000, visits.visits)),
  },
  { name: "events", scope: "any", of: (counts) => counts.events },
  { name: "total_revenue", scope: "any", of: (counts) => counts.revenue / REVENUE_SCALE },
  // Two of our own: the exact sums that the two averages above are made of.
  { name: "bounces", scope: "visit", of: (_, visits) => visits?.bounces },
  { name: "total_duration", scope: "visit", of: (_, visits) => visits && visits.duration_ms / 1000 },
];

/** Metrics of the Plausible grammar that are not built yet. */
export const METRICS_TO_COME = [
  "scroll_depth",
  "time_on_page",
  "percentage",
  "conversion_rate",
  "group_conversion_rate",
  "average_revenue",
];

/** The metric of a name that a question was allowed to ask for. */
export function metricOf(name: MetricName): Metric {
  return METRICS.find((metric) => metric.name === name) as Metric;
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function round(value: number, decimals: number): number {
  return Math.round(value * 10 ** decimals) / 10 ** decimals;
}
