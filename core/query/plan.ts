// From a question to what has to be read for it: which table, which buckets, which columns. A plan is a value, made by a
// list of small pure rewrites, and says what the question will cost before anything is read. Reading is done by the
// host (`workers/query/execute.ts`), adding up by `tally.ts`.

import type { DimensionName } from "../counting/dimension.ts";
import type { Grain, RollupRow } from "../counting/rollup-row.ts";
import { BUCKETS_MAX } from "../limits.ts";
import { type ZonePeriod, zoneAt } from "../merchant.ts";
import { accepted, type Outcome, rejected } from "../outcome.ts";
import { DAY_MS, dateOf, dayAt, HOUR_MS, hourAfter, hourAt, localTime, monthOf, offsetAt, weekOf } from "../time.ts";
import { metricOf } from "./metric.ts";
import type { Order, Question, TimeUnit } from "./question.ts";
import type { Range } from "./range.ts";

export interface Plan {
  /** With a bare `time` replaced by a unit and the order filled in. */
  readonly question: Question;
  readonly zones: readonly ZonePeriod[];
  readonly range: Range;
  /** What results are grouped by in time. */
  readonly time: TimeUnit | undefined;
  readonly orderBy: readonly Order[];
  /** Which table: Hours or Days. */
  readonly grain: Grain;
  /** Buckets to read, [from, to): UTC ms of Hours, or numbers of Days. */
  readonly from: number;
  readonly to: number;
  /** About how many buckets that is; each has one row per partition. */
  readonly buckets: number;
  /** Breakdown columns to read. */
  readonly breakdowns: readonly DimensionName[];
  /** Whether visits are counted by entry page: for a breakdown by page with metrics of visits. */
  readonly visitsByEntryPage: boolean;
  /** Whether every result comes from one bucket alone. Its visitors are then a plain sum over partitions. */
  readonly oneBucketEach: boolean;
  /** Whether the total sketch of each row is read: visitors over several buckets. */
  readonly sketch: boolean;
}

type Rewrite = (plan: Plan) => Plan;

const REWRITES: readonly Rewrite[] = [
  chooseTimeUnit,
  completeOrder,
  chooseGrain,
  chooseBuckets,
  chooseBreakdowns,
  findSingleBuckets,
  chooseSketch,
];

/** What to read for a question. Rejected when that is more than one question may touch. */
export function planQuestion(question: Question, range: Range, zones: readonly ZonePeriod[]): Outcome<Plan> {
  const draft: Plan = {
    question,
    zones,
    range,
    time: undefined,
    orderBy: [],
    grain: "hour",
    from: range.fromInstant,
    to: range.toInstant,
    buckets: 0,
    breakdowns: [],
    visitsByEntryPage: false,
    oneBucketEach: false,
    sketch: false,
  };
  const plan = REWRITES.reduce((before, rewrite) => rewrite(before), draft);
  if (plan.buckets <= BUCKETS_MAX) return accepted(plan);
  const problem = `The range has ${plan.buckets} ${plan.grain}s, more than the ${BUCKETS_MAX} one query may read.`;
  return rejected("invalid_field", `#/date_range: ${problem}`);
}

/** Whether a row is in the question's range. A zone change can put an Hour of another Day between a range's Hours. */
export function covers({ grain, from, to, range }: Plan, row: RollupRow): boolean {
  if (row.grain !== grain || row.bucket < from || row.bucket >= to) return false;
  return !range.wholeDays || (row.day >= range.fromDay && row.day < range.toDay);
}

/** The time label a row's numbers go under; empty when the question has no time dimension. */
export function timeLabel({ time, zones, range }: Plan, { bucket, day }: { bucket: number; day: number }): string {
  if (time === undefined) return "";
  if (time === "hour") return localTime(zoneAt(zones, bucket), bucket);
  if (time === "day") return dateOf(day);
  // The first week or month starts with the range, not before it.
  return dateOf(Math.max(time === "week" ? weekOf(day) : monthOf(day), range.fromDay));
}

/** All labels of the range in order, with or without numbers. */
export function timeLabels(plan: Plan): readonly string[] {
  const { range, zones } = plan;
  const labels = new Set<string>();
  if (plan.time !== "hour") {
    for (let day = range.fromDay; day < range.toDay; day++) labels.add(timeLabel(plan, { bucket: day, day }));
    return [...labels];
  }
  for (let bucket = range.fromInstant; bucket < range.toInstant; bucket = nextBucket(zones, bucket)) {
    const day = dayAt(zoneAt(zones, bucket), bucket);
    if (day >= range.fromDay && day < range.toDay) labels.add(timeLabel(plan, { bucket, day }));
  }
  return [...labels];
}

/** A bare `time` gives a chart a sensible number of points. */
function chooseTimeUnit(plan: Plan): Plan {
  const { time } = plan.question;
  if (time !== "auto") return { ...plan, time };
  const hours = (plan.range.toInstant - plan.range.fromInstant) / HOUR_MS;
  const unit = hours <= 48 ? "hour" : hours <= 41 * 24 ? "day" : hours <= 53 * 7 * 24 ? "week" : "month";
  const dimensions = plan.question.dimensions.map((name) => (name === "time" ? `time:${unit}` : name));
  return { ...plan, time: unit, question: { ...plan.question, dimensions } };
}

/** By time where there is one, else by the first metric. Ties are broken by the dimensions (`answer.ts`). */
function completeOrder(plan: Plan): Plan {
  const { orderBy, dimensions, metrics } = plan.question;
  const time = dimensions.find((name) => name.startsWith("time:"));
  if (orderBy !== undefined)
    return { ...plan, orderBy: orderBy.map(([by, way]) => [by === "time" && time !== undefined ? time : by, way]) };
  return { ...plan, orderBy: [time === undefined ? [metrics[0] as string, "desc"] : [time, "asc"]] };
}

/** Days where they do; they are fewer, and exact for a Day's visitors. */
function chooseGrain(plan: Plan): Plan {
  return { ...plan, grain: plan.range.wholeDays && plan.time !== "hour" ? "day" : "hour" };
}

function chooseBuckets(plan: Plan): Plan {
  const { fromDay, toDay, fromInstant, toInstant } = plan.range;
  if (plan.grain === "day") return { ...plan, from: fromDay, to: toDay, buckets: toDay - fromDay };
  return { ...plan, from: fromInstant, to: toInstant, buckets: Math.ceil((toInstant - fromInstant) / HOUR_MS) };
}

function chooseBreakdowns(plan: Plan): Plan {
  const { breakdown, metrics } = plan.question;
  if (breakdown === undefined) return plan;
  const ofVisits = metrics.some((name) => metricOf(name).scope === "visit");
  if (breakdown.name !== "page" || !ofVisits) return { ...plan, breakdowns: [breakdown.name] };
  return { ...plan, breakdowns: ["page", "entry_page"], visitsByEntryPage: true };
}

function findSingleBuckets(plan: Plan): Plan {
  const { buckets, time, grain } = plan;
  if (buckets > BUCKETS_MAX) return plan; // it will be rejected: looking at every day of a thousand years takes a second
  const oneLabelEach = time === grain && (time === "day" || !repeatsHours(plan));
  return { ...plan, oneBucketEach: buckets <= 1 || oneLabelEach };
}

function chooseSketch(plan: Plan): Plan {
  const wanted = plan.question.metrics.includes("visitors") && !plan.oneBucketEach;
  return { ...plan, sketch: wanted && plan.question.breakdown === undefined };
}

/** Whether local clocks go back in the range: two Hours then have one label, and are one result. */
function repeatsHours({ range, zones }: Plan): boolean {
  let before = Number.NEGATIVE_INFINITY;
  for (let instant = range.fromInstant; instant < range.toInstant + DAY_MS; instant += DAY_MS) {
    const at = Math.min(instant, range.toInstant);
    const offset = offsetAt(zoneAt(zones, at), at);
    if (offset < before) return true;
    before = offset;
  }
  return false;
}

function nextBucket(zones: readonly ZonePeriod[], bucket: number): number {
  const zone = zoneAt(zones, bucket);
  const next = hourAfter(zone, hourAt(zone, bucket));
  return zones.find(({ from }) => from > bucket && from < next)?.from ?? next;
}
