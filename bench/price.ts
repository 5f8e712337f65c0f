// The platform's list prices, and what billable operations come to. No included allowances, no discounts: a bill of a
// billion events a day is far beyond the first and nobody's business but the operator's for the second.

import { type Metered, OPERATIONS } from "../core/meter.ts";

/** USD for one of each. */
export const PRICES: Readonly<Record<keyof Bill, number>> = {
  worker_requests: 0.3e-6,
  worker_cpu_ms: 0.02e-6,
  partition_requests: 0.15e-6,
  partition_gb_s: 12.5e-6,
  partition_rows_written: 1e-6,
  partition_rows_read: 0.001e-6,
  queue_operations: 0.4e-6,
  r2_class_a: 4.5e-6,
  r2_class_b: 0.36e-6,
  r2_gb_months: 0.015,
  d1_rows_written: 1e-6,
  d1_rows_read: 0.001e-6,
  d1_gb_months: 0.75,
  partition_gb_months: 0.2,
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

/** An object's memory as it is billed. */
export const PARTITION_GB = 0.128;

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
