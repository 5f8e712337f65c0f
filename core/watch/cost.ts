// What the month has cost so far, entry by entry. Operations that Workers counted (storage/ledger/month-meter.ts) are
// multiplied by the platform's list prices. Time and storage are estimated from what is known. It is no bill: included
// allowances and discounts are missing, and an isolate that ends loses its last minutes of counts.

import { type Metered, OPERATIONS, type Operation } from "../meter.ts";

/** USD for one of each. */
export const OPERATION_PRICES: Readonly<Record<Operation, number>> = {
  worker_requests: 0.3e-6,
  partition_requests: 0.15e-6,
  partition_rows_written: 1e-6,
  partition_rows_read: 0.001e-6,
  queue_operations: 0.4e-6,
  r2_class_a: 4.5e-6,
  r2_class_b: 0.36e-6,
  d1_rows_written: 1e-6,
  d1_rows_read: 0.001e-6,
};

/** USD for one unit of everything else that is billed. */
export const RESOURCE_PRICES = {
  worker_cpu_ms: 0.02e-6,
  /** 1 GB of an object's memory for a second. */
  partition_gb_s: 12.5e-6,
  r2_gb_months: 0.015,
  d1_gb_months: 0.75,
  partition_gb_months: 0.2,
} as const;

/** An object's memory as it is billed, in GB. */
export const PARTITION_GB = 0.128;

/** Collector and runtime, for a request of one event: docs/performance.md. */
const REQUEST_CPU_MS = 0.4;
/** The Days by which a month of storage is billed. */
const MONTH_MS = 30 * 86_400_000;

/** What has been used since the month began. */
export interface Usage {
  /** UTC ms. */
  readonly at: number;
  readonly metered: Metered;
  readonly partitions: number;
  /** Of the directory and all ledgers. */
  readonly databaseBytes: number;
  /** Of the files of sealed Days, which is nearly all that lies in R2. */
  readonly archiveBytes: number;
}

type Estimated = "worker_cpu_ms" | "partition_gb_s" | "d1_gb_months" | "r2_gb_months";

export interface CostLine {
  readonly line: Operation | Estimated;
  readonly count: number;
  readonly usd: number;
  /** "counted" by the code that did it, or "estimated" from what was counted. */
  readonly basis: "counted" | "estimated";
}

/** By line, in the order of `OPERATIONS`, then what is estimated. */
export function costLines({ at, metered, partitions, databaseBytes, archiveBytes }: Usage): readonly CostLine[] {
  const elapsedMs = at - monthStart(at);
  const counted = OPERATIONS.map((line): CostLine => {
    return { line, count: metered[line], usd: metered[line] * OPERATION_PRICES[line], basis: "counted" };
  });
  const estimated = (line: Estimated, count: number): CostLine => {
    return { line, count, usd: count * RESOURCE_PRICES[line], basis: "estimated" };
  };
  return [
    ...counted,
    estimated("worker_cpu_ms", metered.worker_requests * REQUEST_CPU_MS),
    // It assumes that no partition ever sleeps. At a billion events a day none does.
    estimated("partition_gb_s", (partitions * PARTITION_GB * elapsedMs) / 1_000),
    // As if what lies there now had lain there since the month began.
    estimated("d1_gb_months", (databaseBytes / 1e9) * (elapsedMs / MONTH_MS)),
    estimated("r2_gb_months", (archiveBytes / 1e9) * (elapsedMs / MONTH_MS)),
  ];
}

export function totalUsd(lines: readonly CostLine[]): number {
  return lines.reduce((sum, { usd }) => sum + usd, 0);
}

/** The instant (UTC ms) at which the month of another instant began, in UTC like bills. */
export function monthStart(at: number): number {
  const date = new Date(at);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
}

/** Such as "2026-11". */
export function monthOf(at: number): string {
  return new Date(at).toISOString().slice(0, 7);
}
