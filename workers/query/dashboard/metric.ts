// The numbers of the overview: how each is written, and whether more of it is good. Which of them are tiles depends on
// whether the shop takes money.

import type { Money } from "./numbers.ts";

export type MetricName =
  | "total_revenue"
  | "orders"
  | "average_order_value"
  | "visitors"
  | "visits"
  | "pageviews"
  | "bounce_rate"
  | "visit_duration"
  | "units"
  | "product_revenue"
  | "gross_revenue"
  | "refunds";

export type Value = number | Money | null;

interface Metric {
  readonly kind: "count" | "money" | "percent" | "seconds";
  /** -1 where less is better, 0 where neither is. */
  readonly good: 1 | 0 | -1;
  /** Whether it is of nothing, and so zero, where nothing happened. A mean is not. */
  readonly isSum?: true;
  /** Whether it can be estimated: it is made of visitors. */
  readonly ofVisitors?: true;
}

export const METRICS: Readonly<Record<MetricName, Metric>> = {
  total_revenue: { kind: "money", good: 1, isSum: true },
  orders: { kind: "count", good: 1, isSum: true },
  average_order_value: { kind: "money", good: 1 },
  visitors: { kind: "count", good: 1, isSum: true, ofVisitors: true },
  visits: { kind: "count", good: 1, isSum: true },
  pageviews: { kind: "count", good: 1, isSum: true },
  bounce_rate: { kind: "percent", good: -1 },
  visit_duration: { kind: "seconds", good: 1 },
  units: { kind: "count", good: 1, isSum: true },
  product_revenue: { kind: "money", good: 1, isSum: true },
  gross_revenue: { kind: "money", good: 1, isSum: true },
  refunds: { kind: "count", good: -1, isSum: true },
};

/** All that is asked for the tiles and the chart, in the order of the answer. */
export const ASKED = [
  "total_revenue",
  "orders",
  "average_order_value",
  "visitors",
  "visits",
  "pageviews",
  "bounce_rate",
  "visit_duration",
] as const satisfies readonly MetricName[];

/** At least one, the first of which is shown at first. */
type Tiles = readonly [MetricName, ...MetricName[]];

/** The tiles: money first where there is any. */
export const TILES_OF_SALES: Tiles = [
  "total_revenue",
  "orders",
  "visitors",
  "average_order_value",
  "visits",
  "pageviews",
];
export const TILES_OF_VISITS: Tiles = ["visitors", "visits", "pageviews", "bounce_rate", "visit_duration"];

/** The bare number of a value. */
export function numberOf(value: Value | undefined): number | null {
  return value === null || value === undefined ? null : typeof value === "object" ? value.value : value;
}
