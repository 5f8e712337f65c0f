// `npm run capacity -- --events-per-day 1e9 --merchants 1e6`: from what was measured (constants.ts) to a plan: how many
// partitions, queues, D1 databases and objects, what a month costs by line, and which limit is met first at once, ten and
// a hundred times the load. Arithmetic only: it runs in no time and sends nothing. docs/scale.md has its table.

import { parseArgs } from "node:util";
import { zeroMeter } from "../core/meter.ts";
import { LIMITS, MEASURED, PEAK } from "./constants.ts";
import { print, rounded } from "./measure.ts";
import { type Bill, costOf, PARTITION_GB, totalOf } from "./price.ts";

const DAY_S = 86_400;
const MONTH_DAYS = 30;
/** Events a day below which a merchant is a small one. */
const FEW_EVENTS = 100;

interface Load {
  readonly eventsPerDay: number;
  readonly merchants: number;
  /** Partitions, where not as many as memory asks for. */
  readonly partitions?: number | undefined;
}

interface Plan {
  readonly partitions: number;
  readonly eventsPerCommit: number;
  readonly queues: number;
  readonly d1GbPerDay: number;
  readonly databases: number;
  readonly bundlesPerDay: number;
  readonly bill: Bill;
  /** How much of each limit is used, 1 being all of it. */
  readonly used: Readonly<Record<string, number>>;
}

const { values } = parseArgs({
  options: {
    "events-per-day": { type: "string", default: "1e9" },
    merchants: { type: "string", default: "1e6" },
    partitions: { type: "string" },
  },
});
const load: Load = {
  eventsPerDay: toNumber("events-per-day"),
  merchants: toNumber("merchants"),
  partitions: values.partitions === undefined ? undefined : toNumber("partitions"),
};
const FACTORS = [1, 10, 100];
const plans = FACTORS.map((factor) => planOf(times(load, factor)));
print("capacity", tableOf(plans), { events_per_day: load.eventsPerDay, merchants: load.merchants });
print("capacity-bill", billOf(plans));

function toNumber(option: "events-per-day" | "merchants" | "partitions"): number {
  const value = Number(values[option]);
  if (!(value >= 1)) throw new Error(`--${option} is "${values[option]}"; it must be a number from 1`);
  return value;
}

function times({ eventsPerDay, merchants, partitions }: Load, factor: number): Load {
  return {
    eventsPerDay: eventsPerDay * factor,
    merchants: merchants * factor,
    partitions: partitions === undefined ? undefined : partitions * factor,
  };
}

/** As many partitions as it takes for each to hold its share of a Day that is not over, in memory. */
function partitionsFor(load: Load): number {
  return Math.ceil((load.eventsPerDay * stateBytes(load)) / LIMITS.partitionStateBytes);
}

/** A merchant of many events shares its pages' names among them. */
function stateBytes({ eventsPerDay, merchants }: Load): number {
  return eventsPerDay / merchants < FEW_EVENTS ? MEASURED.stateBytesPerEvent : MEASURED.stateBytesPerEventFew;
}

function planOf(asked: Load): Plan {
  const { eventsPerDay, merchants } = asked;
  const partitions = asked.partitions ?? partitionsFor(asked);
  const perSecond = eventsPerDay / DAY_S / partitions;
  const eventsPerCommit = Math.min(MEASURED.commitEventsMax, 1 + perSecond * MEASURED.commitWaitS);
  const bundlesPerDay = Math.max(eventsPerDay / MEASURED.eventsPerBundle, partitions * 24);
  // A merchant with few events has a row for each at most.
  const rollupsPerDay = merchants * (Math.min(MEASURED.activeHours, eventsPerDay / merchants) + 1);
  const queueMessages = (bundlesPerDay / DAY_S) * PEAK;
  const d1Bytes = rollupsPerDay * LIMITS.retentionDays * MEASURED.rollupBytes;
  const databases = Math.ceil(Math.max(d1Bytes / LIMITS.d1Bytes, rollupsPerDay / DAY_S / LIMITS.d1RowsPerSecond));
  const queues = Math.ceil(queueMessages / LIMITS.queueMessagesPerSecond);
  const month = eventsPerDay * MONTH_DAYS;
  const bill: Bill = {
    ...zeroMeter(),
    worker_requests: month,
    worker_cpu_ms: month * MEASURED.workerCpuMs,
    partition_requests: month,
    partition_rows_written: (month / eventsPerCommit) * MEASURED.rowsPerCommit,
    partition_gb_s: partitions * PARTITION_GB * DAY_S * MONTH_DAYS,
    queue_operations: bundlesPerDay * MONTH_DAYS * 3,
    r2_class_a: bundlesPerDay * MONTH_DAYS + month * MEASURED.sealClassA,
    r2_class_b: month * MEASURED.sealClassB,
    d1_rows_written: rollupsPerDay * MONTH_DAYS,
    d1_rows_read: rollupsPerDay * MONTH_DAYS * 2,
    r2_gb_months: (eventsPerDay * LIMITS.retentionDays * MEASURED.archiveBytesPerEvent) / 1e9,
    d1_gb_months: d1Bytes / 1e9,
  };
  const used = {
    "partition memory": (eventsPerDay * stateBytes(asked)) / partitions / LIMITS.partitionStateBytes,
    "partition requests at peak": (perSecond * PEAK) / LIMITS.partitionRequestsPerSecond,
    "partition CPU at peak": (perSecond * PEAK) / MEASURED.appendEventsPerSecond,
    "queue messages at peak": queueMessages / queues / LIMITS.queueMessagesPerSecond,
    "size of one D1 database": d1Bytes / LIMITS.d1Bytes,
    "writes of one D1 database": rollupsPerDay / DAY_S / LIMITS.d1RowsPerSecond,
  };
  const d1GbPerDay = (rollupsPerDay * MEASURED.rollupBytes) / 1e9;
  return { partitions, eventsPerCommit, queues, d1GbPerDay, databases, bundlesPerDay, bill, used };
}

function tableOf(all: readonly Plan[]) {
  const columns = (of: (plan: Plan) => string | number) =>
    Object.fromEntries(all.map((plan, index) => [`${FACTORS[index]}x`, of(plan)]));
  const limits = Object.keys(all[0]?.used ?? {}).map((limit) => ({
    what: `used of: ${limit}`,
    ...columns(({ used }) => `${rounded((used[limit] ?? 0) * 100)} %`),
  }));
  return [
    { what: "events a day", ...columns(({ bill }) => bill.worker_requests / MONTH_DAYS) },
    { what: "partitions (POOL_SIZE)", ...columns(({ partitions }) => partitions) },
    { what: "events a commit", ...columns(({ eventsPerCommit }) => rounded(eventsPerCommit)) },
    { what: "queues for bundles", ...columns(({ queues }) => queues) },
    { what: "rollups a day, GB in D1", ...columns(({ d1GbPerDay }) => rounded(d1GbPerDay)) },
    { what: `D1 databases, after ${LIMITS.retentionDays} days`, ...columns(({ databases }) => databases) },
    { what: "R2 objects a day, before sealing", ...columns(({ bundlesPerDay }) => Math.ceil(bundlesPerDay)) },
    { what: "USD a month", ...columns(({ bill }) => Math.round(totalOf(costOf(bill)))) },
    {
      what: "USD per million events",
      ...columns(({ bill }) => rounded((totalOf(costOf(bill)) / bill.worker_requests) * 1e6)),
    },
    ...limits,
    { what: "met first", ...columns(metFirst) },
  ];
}

/** The limit with most of it used. */
function metFirst({ used }: Plan): string {
  return Object.entries(used).reduce((a, b) => (b[1] > a[1] ? b : a))[0];
}

function billOf(all: readonly Plan[]) {
  const lines = all.map(({ bill }) => costOf(bill));
  return (Object.keys(lines[0] ?? {}) as (keyof Bill)[])
    .filter((line) => lines.some((cost) => cost[line] >= 1))
    .map((line) => ({
      "USD a month": line,
      ...Object.fromEntries(lines.map((cost, index) => [`${FACTORS[index]}x`, Math.round(cost[line])])),
    }));
}
