// The rule for a missing first order: the shop has sold nothing since midnight, but on every known earlier Day it had
// sold something by this clock hour, and usually several things. It finds a broken checkout while visitors still come.

import { FIRST_ORDER_DAYS_MIN, FIRST_ORDER_ORDERS } from "../limits.ts";
import { earlierWindows, type HourCount, sumOf } from "./hour-count.ts";

/** What a message about a missing first order says. */
export interface FirstOrderFinding {
  readonly kind: "first_order";
  /** The Day that has no order yet. */
  readonly day: number;
  /** How many of its Hours are over. */
  readonly hours: number;
  /** The usual number of orders by then, the fewest on an earlier Day, and how many Days are known. */
  readonly usual: number;
  readonly least: number;
  readonly days: number;
}

/** Whether the Day of the last Hour should have an order by now. Undefined where it has one, or need not have one. */
export function findMissingOrder(hours: readonly HourCount[]): FirstOrderFinding | undefined {
  const day = hours.at(-1)?.day;
  if (day === undefined) return undefined;
  const today = hours.slice(hours.findLastIndex((hour) => hour.day < day) + 1);
  if (sumOf(today, "orders") > 0) return undefined;
  const earlier = earlierWindows(hours, today.length, "orders");
  if (earlier.length < FIRST_ORDER_DAYS_MIN) return undefined;
  const usual = earlier.reduce((sum, orders) => sum + orders, 0) / earlier.length;
  const least = Math.min(...earlier);
  if (usual < FIRST_ORDER_ORDERS || least === 0) return undefined;
  return { kind: "first_order", day, hours: today.length, usual, least, days: earlier.length };
}
