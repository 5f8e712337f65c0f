// The platform's list prices, and what billable operations come to. No included allowances, no discounts: a bill of a
// billion events a day is far beyond the first and nobody's business but the operator's for the second.

import { type Metered, OPERATIONS } from "../core/meter.ts";
import { OPERATION_PRICES, RESOURCE_PRICES } from "../core/watch/cost.ts";

/** USD for one of each. */
const PRICES: Readonly<Record<keyof Bill, number>> = {
  ...OPERATION_PRICES,
  ...RESOURCE_PRICES,
  ledger_statements: 0,
  ledger_round_trips: 0,
};

/** What is billed beside operations: time and room. */
export interface Bill extends Metered {
  worker_cpu_ms: number;
  /** 128 MB for each second an object is in memory. */
  partition_gb_s: number;
  /** Bytes kept for a month, in GB. */
  r2_gb_months: number;
  /** The same of rollups in D1. */
  d1_gb_months: number;
  /** The same of partitions' SQLite. */
  partition_gb_months: number;
}

/** USD by line. */
export function costOf(bill: Bill): Readonly<Record<keyof Bill, number>> {
  const lines = {} as Record<keyof Bill, number>;
  for (const line of LINES) lines[line] = bill[line] * PRICES[line];
  return lines;
}

export const LINES: readonly (keyof Bill)[] = [
  ...OPERATIONS,
  "worker_cpu_ms",
  "partition_gb_s",
  "r2_gb_months",
  "d1_gb_months",
  "partition_gb_months",
];

export function totalOf(lines: Readonly<Record<string, number>>): number {
  return Object.values(lines).reduce((sum, line) => sum + line, 0);
}

/** A bill of so many events as that of one event, times another number of events. */
export function scaled(bill: Bill, factor: number): Bill {
  const result = { ...bill };
  for (const line of LINES) result[line] = bill[line] * factor;
  return result;
}
