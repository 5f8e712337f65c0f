// Counts of billable operations. The code that performs them counts them, so that tests and benches can read the cost
// of a million events. The platform has its own price for each kind.

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
 * Statements to ledgers, and the round trips they took. They are not billed. They are counted because one database
 * answers only a thousand a second.
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
