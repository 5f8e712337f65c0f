// `npm run capacity -- --events-per-day 1e9 --merchants 1e6`: from what was measured (constants.ts) to a plan: how many
// partitions, queues and D1 databases, what a month costs by line, questions and rows that are kept among them, and
// which limit is met first at once, ten and a hundred times the load. Arithmetic only: it runs in no time and sends
// nothing. docs/scale.md has its tables. `--population zipf` has few large merchants and many small ones;
// `--month-files-after 92` has closed Days leave D1 for files in R2 (MONTH_FILES_AFTER_DAYS).

import { parseArgs } from "node:util";
import { BLOCK_DAYS, MONTH_BLOCKS, PUBLISH_SPREAD_MS, SETTINGS_FRESH_MS } from "../core/limits.ts";
import { zeroMeter } from "../core/meter.ts";
import { PARTITION_GB } from "../core/watch/cost.ts";
import { LIMITS, MEASURED, PEAK, QUESTIONS } from "./constants.ts";
import { print, rounded } from "./measure.ts";
import { bytesAt, type Class, classesOf, POPULATIONS, type Population, sumOver } from "./population.ts";
import { type Bill, costOf, totalOf } from "./price.ts";

const DAY_S = 86_400;
const FILE_DAYS = MONTH_BLOCKS * BLOCK_DAYS;
const MONTH_DAYS = 30;
/** As wrangler.toml has them. */
const OVERFLOW_QUEUES = 4;
const NOTHING: Bill = {
  ...zeroMeter(),
  worker_cpu_ms: 0,
  partition_gb_s: 0,
  partition_gb_months: 0,
  r2_gb_months: 0,
  d1_gb_months: 0,
};

interface Load {
  readonly eventsPerDay: number;
  readonly merchants: number;
  /** Partitions, where not as many as memory asks for. */
  readonly partitions?: number | undefined;
  readonly population: Population;
  /** Days after which blocks leave D1 for month files (MONTH_FILES_AFTER_DAYS); undefined for never. */
  readonly monthFilesAfter: number | undefined;
}

interface Plan {
  readonly partitions: number;
  readonly eventsPerCommit: number;
  readonly queues: number;
  readonly overflowQueues: number;
  readonly d1GbPerDay: number;
  readonly d1Gb: number;
  readonly monthFilesGb: number;
  readonly databases: number;
  /** Statements a second that questions make of one of so many databases, at the peak. */
  readonly statementsEach: number;
  readonly bundlesPerDay: number;
  readonly bill: Bill;
  /** What questions alone cost, USD a month. */
  readonly questionsUsd: number;
  /** How much of each limit is used, 1 being all of it. */
  readonly used: Readonly<Record<string, number>>;
}

const { values } = parseArgs({
  options: {
    "events-per-day": { type: "string", default: "1e9" },
    merchants: { type: "string", default: "1e6" },
    partitions: { type: "string" },
    population: { type: "string", default: "flat" },
    "month-files-after": { type: "string" },
  },
});
const load: Load = {
  eventsPerDay: toNumber("events-per-day"),
  merchants: toNumber("merchants"),
  partitions: values.partitions === undefined ? undefined : toNumber("partitions"),
  population: oneOf("population", POPULATIONS),
  monthFilesAfter: values["month-files-after"] === undefined ? undefined : toNumber("month-files-after"),
};
const FACTORS = [1, 10, 100];
const plans = FACTORS.map((factor) => planOf(times(load, factor)));
const { population } = load;
const asked = { events_per_day: load.eventsPerDay, merchants: load.merchants, population };
print("capacity", tableOf(plans), { ...asked, month_files_after: values["month-files-after"] ?? "never" });
print("capacity-bill", billOf(plans));

function toNumber(option: "events-per-day" | "merchants" | "partitions" | "month-files-after"): number {
  const value = Number(values[option]);
  if (!(value >= 1)) throw new Error(`--${option} is "${values[option]}"; it must be a number from 1`);
  return value;
}

function oneOf<Choice extends string>(option: "population", choices: readonly Choice[]): Choice {
  const found = choices.find((choice) => choice === values[option]);
  if (found === undefined) throw new Error(`--${option} is "${values[option]}"; it must be ${choices.join(" or ")}`);
  return found;
}

function times(asked: Load, factor: number): Load {
  return {
    ...asked,
    eventsPerDay: asked.eventsPerDay * factor,
    merchants: asked.merchants * factor,
    partitions: asked.partitions === undefined ? undefined : asked.partitions * factor,
  };
}

/** What the filters of a Day that is not over take in memory, all partitions together. */
function filterBytes(classes: readonly Class[]): number {
  return sumOver(classes, (events) => events * MEASURED.filterBytesPerEvent);
}

function planOf(asked: Load): Plan {
  const { eventsPerDay, merchants } = asked;
  const classes = classesOf(asked.population, asked);
  // As many as it takes for each to hold its share of a Day that is not over, in memory.
  const room = LIMITS.partitionStateBytes - MEASURED.openBytes;
  const partitions = asked.partitions ?? Math.ceil(filterBytes(classes) / room);
  const perSecond = eventsPerDay / DAY_S / partitions;
  const eventsPerCommit = Math.min(MEASURED.commitEventsMax, 1 + perSecond * MEASURED.commitWaitS);
  const bundlesPerDay = Math.max(eventsPerDay / MEASURED.eventsPerBundle, partitions * 24);
  const activeHours = (events: number) => Math.min(MEASURED.activeHours, events);
  // A row for each Hour that has anything, and one for the Day.
  const rollupsPerDay = sumOver(classes, (events) => activeHours(events) + 1);
  const merchantsPerDay = sumOver(classes, () => 1);
  // Packing deletes those, and writes the merchant's block once more.
  const packedPerDay = sumOver(classes, (events) => activeHours(events) + 2);
  const hoursAtPeak = sumOver(classes, (events) => Math.min(1, activeHours(events) / 24));
  const rowBytes = (events: number) => bytesAt(MEASURED.dayRowBytes, events) + bytesAt(MEASURED.hourRowsBytes, events);
  // Closed Days lie packed (core/block), open ones in rows.
  const closedBytes = (events: number) => bytesAt(MEASURED.blockBytes, events);
  const d1PerDay = sumOver(classes, closedBytes) * MEASURED.d1Overhead;
  // A month leaves when its last Day is old enough, so half of one stays longer.
  const daysInD1 = Math.min(LIMITS.retentionDays, (asked.monthFilesAfter ?? LIMITS.retentionDays) + FILE_DAYS / 2);
  const movedDays = LIMITS.retentionDays - daysInD1;
  const monthFiles = sumOver(classes, closedBytes) * movedDays;
  const d1Bytes =
    d1PerDay * (daysInD1 - MEASURED.openDays) +
    merchantsPerDay * MEASURED.movedBytes * movedDays +
    sumOver(classes, rowBytes) * MEASURED.d1Overhead * MEASURED.openDays;
  const monthsMoved = movedDays > 0 ? (merchantsPerDay * MONTH_DAYS) / FILE_DAYS : 0;
  const queueMessages = (bundlesPerDay / DAY_S) * PEAK;
  const hitsAtPeak = (eventsPerDay / DAY_S) * PEAK;
  const questionStatements = merchants * QUESTIONS.peakPerMerchantSecond * MEASURED.questionStatements;
  const settingsStatements = partitions / (SETTINGS_FRESH_MS / 1_000);
  const publishRows = hoursAtPeak / (PUBLISH_SPREAD_MS / 1_000);
  const databases = Math.ceil(
    Math.max(
      d1Bytes / LIMITS.d1Bytes,
      publishRows / LIMITS.d1RowsPerSecond,
      (questionStatements + settingsStatements) / LIMITS.d1StatementsPerSecond,
    ),
  );
  const queues = Math.ceil(queueMessages / LIMITS.queueMessagesPerSecond);
  const overflowMessages = hitsAtPeak / MEASURED.hitsPerOverflowMessage;
  const overflowQueues = Math.ceil(overflowMessages / LIMITS.queueMessagesPerSecond);
  const month = eventsPerDay * MONTH_DAYS;
  const questions = merchants * QUESTIONS.perMerchantSecond * DAY_S * MONTH_DAYS;
  const ofQuestions: Bill = {
    ...NOTHING,
    worker_requests: questions,
    partition_requests: questions,
    d1_rows_read: questions * MEASURED.questionRows,
    worker_cpu_ms: questions * MEASURED.questionCpuMs,
    r2_class_b: movedDays > 0 ? questions * QUESTIONS.ofYearShare * MEASURED.yearGets : 0,
  };
  const ofEvents: Bill = {
    ...NOTHING,
    worker_requests: month,
    worker_cpu_ms: month * (MEASURED.workerCpuMs + MEASURED.sealCpuMs),
    partition_requests: month,
    partition_rows_written: (month / eventsPerCommit) * MEASURED.rowsPerCommit,
    partition_gb_s: partitions * PARTITION_GB * DAY_S * MONTH_DAYS,
    partition_gb_months: (eventsPerDay * MEASURED.openDays * MEASURED.checkpointBytesPerEvent) / 1e9,
    queue_operations: bundlesPerDay * MONTH_DAYS * 3,
    r2_class_a: bundlesPerDay * MONTH_DAYS + month * MEASURED.sealClassA + monthsMoved,
    r2_class_b: month * MEASURED.sealClassB,
    // Each of a month's blocks is written once more and leaves an index; its file is noted and named.
    d1_rows_written: (rollupsPerDay + packedPerDay) * MONTH_DAYS + monthsMoved * (2 * MONTH_BLOCKS + 4),
    d1_rows_read:
      (rollupsPerDay * 2 + merchantsPerDay * MEASURED.packRowsRead) * MONTH_DAYS +
      settingsStatements * DAY_S * MONTH_DAYS,
    r2_gb_months: (eventsPerDay * LIMITS.retentionDays * MEASURED.archiveBytesPerEvent + monthFiles) / 1e9,
    d1_gb_months: d1Bytes / 1e9,
  };
  const bill = { ...ofEvents };
  for (const line of Object.keys(bill) as (keyof Bill)[]) bill[line] += ofQuestions[line];
  const used = {
    "partition memory": (MEASURED.openBytes + filterBytes(classes) / partitions) / LIMITS.partitionStateBytes,
    "partition requests at peak": (perSecond * PEAK) / LIMITS.partitionRequestsPerSecond,
    "partition CPU at peak": (perSecond * PEAK) / MEASURED.appendEventsPerSecond,
    "queue messages at peak": queueMessages / queues / LIMITS.queueMessagesPerSecond,
    "the overflow queues, nothing else left": overflowMessages / OVERFLOW_QUEUES / LIMITS.queueMessagesPerSecond,
    "size of one D1 database": d1Bytes / LIMITS.d1Bytes,
    "size of an account's D1": d1Bytes / LIMITS.d1AccountBytes,
    "writes of one D1 database": publishRows / LIMITS.d1RowsPerSecond,
    "questions to one D1 database": questionStatements / LIMITS.d1StatementsPerSecond,
    "settings of one D1 database": settingsStatements / LIMITS.d1StatementsPerSecond,
  };
  return {
    partitions,
    eventsPerCommit,
    queues,
    overflowQueues,
    d1GbPerDay: d1PerDay / 1e9,
    d1Gb: d1Bytes / 1e9,
    monthFilesGb: monthFiles / 1e9,
    databases,
    statementsEach: questionStatements / databases,
    bundlesPerDay,
    bill,
    questionsUsd: totalOf(costOf(ofQuestions)),
    used,
  };
}

function tableOf(all: readonly Plan[]) {
  const columns = (of: (plan: Plan, factor: number) => string | number) =>
    Object.fromEntries(all.map((plan, index) => [`${FACTORS[index]}x`, of(plan, FACTORS[index] as number)]));
  const limits = Object.keys(all[0]?.used ?? {}).map((limit) => ({
    what: `used of: ${limit}`,
    ...columns(({ used }) => `${rounded((used[limit] ?? 0) * 100)} %`),
  }));
  const events = (factor: number) => load.eventsPerDay * factor;
  const perMillion = (usd: number, factor: number) => rounded((usd / (events(factor) * MONTH_DAYS)) * 1e6);
  return [
    { what: "events a day", ...columns((_, factor) => events(factor)) },
    { what: "partitions (POOL_SIZE)", ...columns(({ partitions }) => partitions) },
    { what: "events a commit", ...columns(({ eventsPerCommit }) => rounded(eventsPerCommit)) },
    { what: "queues for bundles", ...columns(({ queues }) => queues) },
    { what: "queues for overflow of a peak", ...columns(({ overflowQueues }) => overflowQueues) },
    { what: "D1, GB a closed Day", ...columns(({ d1GbPerDay }) => rounded(d1GbPerDay)) },
    { what: `D1, GB after ${LIMITS.retentionDays} days`, ...columns(({ d1Gb }) => rounded(d1Gb)) },
    { what: "month files in R2, GB", ...columns(({ monthFilesGb }) => rounded(monthFilesGb)) },
    { what: "D1 databases that takes", ...columns(({ databases }) => databases) },
    { what: "questions' statements/s of each at peak", ...columns(({ statementsEach }) => rounded(statementsEach)) },
    { what: "R2 objects a day, before sealing", ...columns(({ bundlesPerDay }) => Math.ceil(bundlesPerDay)) },
    { what: "USD a month", ...columns(({ bill }) => Math.round(totalOf(costOf(bill)))) },
    { what: "USD per million events", ...columns(({ bill }, at) => perMillion(totalOf(costOf(bill)), at)) },
    { what: "of it for questions", ...columns(({ questionsUsd }, at) => perMillion(questionsUsd, at)) },
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
