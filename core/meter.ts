// Counts of billable operations, kept by the code that performs them, so that tests and benches can read what a million
// events cost. The platform bills each kind at its own price.

import { QUEUE_OPERATION_BYTES } from "./limits.ts";

/** What is billed. */
export const OPERATIONS = [
  "worker_requests",
  "partition_requests",
  "partition_rows_written",
  "partition_rows_read",
  "queue_operations",
  "r2_class_a",
  "r2_class_b",
  "d1_rows_written",
  "d1_rows_read",
] as const;
export type Operation = (typeof OPERATIONS)[number];

/**
 * Statements to ledgers and the round trips that they took are not billed. They are counted because one database
 * answers a thousand a second.
 */
const UNBILLED = ["ledger_statements", "ledger_round_trips"] as const;
/** All that is counted. */
export const COUNTED = [...OPERATIONS, ...UNBILLED];
export type Metered = Record<(typeof COUNTED)[number], number>;

export function zeroMeter(): Metered {
  const meter = {} as Metered;
  for (const operation of COUNTED) meter[operation] = 0;
  return meter;
}

/** The sum of several meters. */
export function sumMeters(meters: readonly Metered[]): Metered {
  const sum = zeroMeter();
  for (const meter of meters) for (const operation of COUNTED) sum[operation] += meter[operation];
  return sum;
}

/**
 * How many operations a message is billed as: one for every started 64 KB, each time it is written, read or deleted.
 */
export function queueOperations(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / QUEUE_OPERATION_BYTES));
}
