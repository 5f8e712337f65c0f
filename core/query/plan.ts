// From a question to what must be read for it: which table, which buckets, which columns. A plan is a value. A list of
// small pure rewrites makes it, and it says what the question will cost before anything is read. The host reads
// (`workers/query/execute.ts`), and `tally.ts` adds up.

import type { DimensionName } from "../counting/dimension.ts";
import type { Grain, RollupRow } from "../counting/rollup-row.ts";
import { BUCKETS_MAX, MINUTES_RANGE_MS_MAX } from "../limits.ts";
import { hourOf, type ZonePeriod, zoneAt } from "../merchant.ts";
import { accepted, type Outcome, rejected } from "../outcome.ts";
import { type Goal, goalsDecided, type RuleTimeline } from "../rules.ts";
import {
  DAY_MS,
  dateOf,
  dayAt,
  HOUR_MS,
  hourAfter,
  hourAt,
  localTime,
  MINUTE_MS,
  monthOf,
  offsetAt,
  weekOf,
} from "../time.ts";
import { comparedRange } from "./compare.ts";
import { type Comparison, type Filter, isEmpty, isFixed } from "./filter.ts";
import { metricOf, type Totals } from "./metric.ts";
import type { Order, Question, TimeUnit } from "./question.ts";
import { type DateRange, type Moment, passedPart, type Range, rangeOfDays, resolveRange } from "./range.ts";
import type { Rest } from "./rest.ts";

export interface Plan {
  /** With a bare `time` replaced by a unit and the order filled in. */
  readonly question: Question;
  readonly zones: readonly ZonePeriod[];
  readonly range: Range;
  /** The unit of time that results are grouped by. */
  readonly time: TimeUnit | undefined;
  readonly orderBy: readonly Order[];
  /** Which table: Hours or Days. */
  readonly grain: Grain;
  /** Buckets to read, [from, to): UTC ms of Hours, or numbers of Days. */
  readonly from: number;
  readonly to: number;
  /** About how many buckets that is; each has one row per partition. */
  readonly buckets: number;
  /** Where the numbers come from: rollups, or the events themselves. */
  readonly source: "rollups" | "archive";
  /** Breakdown columns to read. */
  readonly breakdowns: readonly DimensionName[];
  /** Which values of the breakdown are wanted, as they are shown; undefined where all are. */
  readonly keeps: ((value: string) => boolean) | undefined;
  /** Whether visits are counted by entry page: for a breakdown by page with metrics of visits. */
  readonly visitsByEntryPage: boolean;
  /** Whether every result comes from one bucket alone. Its visitors are then a plain sum over partitions. */
  readonly oneBucketEach: boolean;
  /** Whether the total sketch of each row is read: visitors over several buckets. */
  readonly sketch: boolean;
  /** Totals of visitors. Metrics such as the conversion rate divide the visitors of a group by them. */
  readonly totals: readonly (keyof Totals)[];
  /**
   * Values, as shown, whose numbers a row must have. A row keeps only its largest values, so one that was cut and does
   * not name them is not enough (rest.ts). Undefined where "(other)" may stand for what was cut.
   */
  readonly wanted: ReadonlySet<string> | "every" | undefined;
  /** The goals that are asked for, where rollups are read for them. */
  readonly goals: readonly Goal[] | undefined;
  /** The rules that rollups were counted by. */
  readonly rules: RuleTimeline | undefined;
  /** The first Day whose events are not deleted. */
  readonly eventsFrom: number;
  /** The first Day that is not closed. Hours of earlier Days have only totals (BLK-8). */
  readonly openFrom: number;
  /** How many results to leave out before the first one that is shown. */
  readonly offset: number;
  /** The buckets to count from events, while rollups answer for all others. */
  readonly rest: Rest | undefined;
  /**
   * The plan to follow where this one reads more than one request may. It gives the same numbers, but estimates
   * visitors.
   */
  readonly otherwise: Plan | undefined;
}

/** What must be known to make a plan, besides the question and its range. */
export interface Known {
  /** The merchant's own rules. Undefined means that rollups know all goals. */
  readonly rules?: RuleTimeline | undefined;
  readonly eventsFrom?: number | undefined;
  /** Undefined where no Day is closed. */
  readonly openFrom?: number | undefined;
}

type Rewrite = (plan: Plan) => Plan;

const REWRITES: readonly Rewrite[] = [
  chooseTimeUnit,
  completeOrder,
  chooseGrain,
  chooseBuckets,
  findSingleBuckets,
  chooseTotals,
  chooseSource,
  chooseBreakdowns,
  useBreakdownForFilter,
  chooseWanted,
  chooseGoals,
  chooseSketch,
];

/** What to read for a question. Rejected if that is more than one question may touch. */
export function planQuestion(
  question: Question,
  range: Range,
  zones: readonly ZonePeriod[],
  { rules, eventsFrom = 0, openFrom = 0 }: Known = {},
): Outcome<Plan> {
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
    source: "rollups",
    breakdowns: [],
    keeps: undefined,
    visitsByEntryPage: false,
    oneBucketEach: false,
    sketch: false,
    totals: [],
    wanted: undefined,
    goals: undefined,
    rules,
    eventsFrom,
    openFrom,
    offset: question.pagination.offset,
    rest: undefined,
    otherwise: undefined,
  };
  const plan = REWRITES.reduce((before, rewrite) => rewrite(before), draft);
  if (plan.time === "minute" && range.toInstant - range.fromInstant > MINUTES_RANGE_MS_MAX)
    return rejected("invalid_field", "#/date_range: By the minute, a range of two days at most can be queried.");
  if (plan.buckets <= BUCKETS_MAX) return accepted(plan);
  const problem = `The range has ${plan.buckets} ${plan.grain}s, more than the ${BUCKETS_MAX} one query may read.`;
  return rejected("invalid_field", `#/date_range: ${problem}`);
}

/** What plans are made with, and their ranges are resolved with. */
export type PlanMoment = Moment & Known;

/** The plan of a question, and that of the range it is compared with, if any. */
export function planWithComparison(question: Question, moment: PlanMoment): Outcome<readonly [Plan, ...Plan[]]> {
  const asked = resolveRange(question.dateRange, moment);
  if (!asked.ok) return asked;
  const { comparisons, trimRelativeDateRange } = question.include;
  // Otherwise a period that is not over would be compared with a whole one.
  const isTrimmed = comparisons !== undefined && comparisons.mode !== "custom" && trimRelativeDateRange !== false;
  const range = isTrimmed ? passedPart(asked.value, moment) : asked.value;
  const plan = planQuestion(question, range, moment.zones, moment);
  if (!plan.ok) return plan;
  if (comparisons === undefined) return accepted([plan.value]);
  const compared = comparedRange(comparisons, asked.value, moment.zones, range.toInstant);
  const other = planCompared(plan.value, compared, moment);
  return other.ok ? accepted([plan.value, other.value]) : other;
}

/**
 * The plan of the range that is compared with. That range may end in the middle of a Day, where each result is of one
 * bucket. It then reads Days as well, and counts the last one from events: from Hours its visitors would only be
 * estimated.
 */
function planCompared(plan: Plan, dateRange: DateRange, moment: PlanMoment): Outcome<Plan> {
  const range = resolveRange(dateRange, moment);
  if (!range.ok) return range;
  const { question, range: own } = plan;
  const planned = planQuestion(question, range.value, moment.zones, moment);
  const ofVisitors = question.metrics.some((name) => metricOf(name).ofVisitors === true);
  const isPart = own.wholeDays && !range.value.wholeDays && plan.grain === "day";
  if (!planned.ok || !isPart || !ofVisitors || !plan.oneBucketEach || planned.value.source === "archive")
    return planned;
  const exact = planQuestion(question, { ...range.value, partialDay: range.value.toDay - 1 }, moment.zones, moment);
  return exact.ok ? accepted({ ...exact.value, otherwise: planned.value }) : exact;
}

/** Whether a question's ranges begin with the first Day of all. */
export function asksAll({ dateRange, include }: Question): boolean {
  return [dateRange, include.comparisons?.dateRange].some((one) => one?.kind === "relative" && one.name === "all");
}

/** Whether a row is in the question's range. A zone change can put an Hour of another Day between a range's Hours. */
export function covers({ grain, from, to, range }: Plan, row: RollupRow): boolean {
  if (row.grain !== grain || row.bucket < from || row.bucket >= to) return false;
  return !range.wholeDays || (row.day >= range.fromDay && row.day < range.toDay);
}

/** The time label of an event. */
export function eventLabel(plan: Plan, { instant, day }: { instant: number; day: number }): string {
  if (plan.time !== "hour" && plan.time !== "minute") return timeLabel(plan, { bucket: day, day });
  const start = plan.time === "hour" ? hourOf(plan.zones, instant) : Math.floor(instant / MINUTE_MS) * MINUTE_MS;
  return timeLabel(plan, { bucket: start, day });
}

/** The time label of a row. Empty where the question has no time dimension. */
export function timeLabel({ time, zones, range }: Plan, { bucket, day }: { bucket: number; day: number }): string {
  if (time === undefined) return "";
  if (time === "hour" || time === "minute") return localTime(zoneAt(zones, bucket), bucket);
  if (time === "day") return dateOf(day);
  // The first week or month starts with the range, not before it.
  return dateOf(Math.max(time === "week" ? weekOf(day) : monthOf(day), range.fromDay));
}

/** All labels of the range in order, even those without numbers. */
export function timeLabels(plan: Plan): readonly string[] {
  const { range, zones } = plan;
  const labels = new Set<string>();
  if (plan.time !== "hour" && plan.time !== "minute") {
    for (let day = range.fromDay; day < range.toDay; day++) labels.add(timeLabel(plan, { bucket: day, day }));
    return [...labels];
  }
  const next = plan.time === "hour" ? nextBucket : (_: readonly ZonePeriod[], at: number) => at + MINUTE_MS;
  for (let bucket = range.fromInstant; bucket < range.toInstant; bucket = next(zones, bucket)) {
    const day = dayAt(zoneAt(zones, bucket), bucket);
    if (day >= range.fromDay && day < range.toDay) labels.add(timeLabel(plan, { bucket, day }));
  }
  return [...labels];
}

/** A bare `time` gets the unit that gives a chart a sensible number of points. */
function chooseTimeUnit(plan: Plan): Plan {
  const { time } = plan.question;
  if (time !== "auto") return { ...plan, time };
  const hours = (plan.range.toInstant - plan.range.fromInstant) / HOUR_MS;
  const unit = hours <= 48 ? "hour" : hours <= 41 * 24 ? "day" : hours <= 53 * 7 * 24 ? "week" : "month";
  const dimensions = plan.question.dimensions.map((name) => (name === "time" ? `time:${unit}` : name));
  return { ...plan, time: unit, question: { ...plan.question, time: unit, dimensions } };
}

/**
 * Sorts by time if there is one, else by the first metric. Equal results are sorted by the dimensions (`answer.ts`).
 */
function completeOrder(plan: Plan): Plan {
  const { orderBy, dimensions, metrics } = plan.question;
  const time = dimensions.find((name) => name.startsWith("time:"));
  if (orderBy !== undefined)
    return { ...plan, orderBy: orderBy.map(([by, way]) => [by === "time" && time !== undefined ? time : by, way]) };
  return { ...plan, orderBy: [time === undefined ? [metrics[0] as string, "desc"] : [time, "asc"]] };
}

/** Chooses Days where the range allows it: they are fewer rows than Hours, and a Day's visitors are exact. */
function chooseGrain(plan: Plan): Plan {
  const isFiner = plan.time === "hour" || plan.time === "minute";
  const { wholeDays, partialDay } = plan.range;
  return { ...plan, grain: (wholeDays || partialDay !== undefined) && !isFiner ? "day" : "hour" };
}

function chooseBuckets(plan: Plan): Plan {
  const { fromDay, toDay, fromInstant, toInstant } = plan.range;
  if (plan.grain === "day") return { ...plan, from: fromDay, to: toDay, buckets: toDay - fromDay };
  return { ...plan, from: fromInstant, to: toInstant, buckets: Math.ceil((toInstant - fromInstant) / HOUR_MS) };
}

/**
 * Chooses between rollups and events. A rollup has counters for one dimension at a time. Everything else has to be
 * counted from events.
 */
function chooseSource(plan: Plan): Plan {
  const { question, time, oneBucketEach, totals } = plan;
  const { metrics, breakdowns, accuracy } = question;
  const [breakdown] = breakdowns;
  const isDrops = metrics.includes("drops");
  const ofVisitors = metrics.some((name) => metricOf(name).ofVisitors === true);
  const fromEvents =
    time === "minute" ||
    breakdowns.length > 1 ||
    (breakdown !== undefined && breakdown.rollup === undefined && !isDrops) ||
    metrics.some((name) => metricOf(name).fromEvents === true) ||
    (totals.includes("group") && breakdown !== undefined && breakdown.question !== "event:goal") ||
    (accuracy === "exact" && ofVisitors && !oneBucketEach) ||
    (!isDrops && isOfThinHours(plan)) ||
    !isAnsweredByBreakdown(question);
  return { ...plan, source: fromEvents ? "archive" : "rollups" };
}

/**
 * Whether the question asks for Hours of closed Days only, and for more than the totals that such Hours have. Where the
 * events of these Days are deleted, the question is refused later.
 */
function isOfThinHours({ question, grain, range, openFrom, eventsFrom }: Plan): boolean {
  const isMore = question.breakdowns.length > 0 || !isEmpty(question.filter);
  return grain === "hour" && isMore && range.toDay <= openFrom && range.fromDay >= eventsFrom;
}

/**
 * Whether a breakdown of rollups can answer a filter. A filter of one comparison chooses some values of a breakdown.
 * That may be the question's own breakdown, or, where the filter wants a single value, one that is read for the filter.
 * With two values of a dimension of events, a visit that has both would be counted twice.
 */
function isAnsweredByBreakdown({ filter, breakdowns, metrics }: Question): boolean {
  if (isEmpty(filter)) return true;
  const comparison = onlyComparison(filter);
  const [breakdown] = breakdowns;
  if (comparison === undefined || comparison.attribute.rollup === undefined) return false;
  const { attribute, only } = comparison;
  const needs = metrics.map(metricOf);
  // Behind a share link only the events that pass its filter exist: not the rest of their visits, and no refunds from
  // other events (view.ts). A rollup's numbers hold both.
  const isMore = attribute.scope === "event" || needs.some(({ ofOrders, isMoney }) => ofOrders || isMoney);
  if (isFixed(filter) && isMore) return false;
  // A conversion rate divides by all visitors. A filter by goals alone leaves that number as it is.
  const isFair = attribute.question === "event:goal" && needs.every(({ total }) => total !== "all");
  if ((!isFair || isFixed(filter)) && needs.some(({ total }) => total !== undefined)) return false;
  // A breakdown by product has what was sold of the product, not the whole orders that it was part of.
  if (attribute.ofProduct !== undefined && breakdown === undefined && needs.some(({ ofProduct }) => ofProduct))
    return false;
  if (breakdown !== undefined) return attribute.question === breakdown.question;
  return only !== undefined && (attribute.scope === "visit" || needs.every(({ scope }) => scope === "any"));
}

function onlyComparison(filter: Filter): Comparison | undefined {
  if (filter.kind === "comparison") return filter;
  const [only, ...rest] = filter.kind === "and" ? filter.of.filter((inner) => !isEmpty(inner)) : [];
  return only !== undefined && rest.length === 0 ? onlyComparison(only) : undefined;
}

function chooseBreakdowns(plan: Plan): Plan {
  const { breakdowns, metrics } = plan.question;
  const ofVisits = metrics.some((name) => metricOf(name).scope === "visit");
  const visitsByEntryPage = ofVisits && breakdowns.some(({ question }) => question === "event:page");
  const name = breakdowns[0]?.rollup;
  if (name === undefined || plan.source === "archive") return { ...plan, visitsByEntryPage };
  return { ...plan, breakdowns: visitsByEntryPage ? ["page", "entry_page"] : [name], visitsByEntryPage };
}

/** Reads the breakdown that a filter chooses from, and keeps the values that pass. */
function useBreakdownForFilter(plan: Plan): Plan {
  const comparison = onlyComparison(plan.question.filter);
  const name = comparison?.attribute.rollup;
  if (plan.source === "archive" || comparison === undefined || name === undefined) return plan;
  return { ...plan, keeps: comparison.fits, breakdowns: plan.breakdowns.length === 0 ? [name] : plan.breakdowns };
}

/**
 * Names the values that a filter asks for. Each row must have their own numbers: a row that added them up under
 * "(other)" cannot answer.
 */
function chooseWanted(plan: Plan): Plan {
  const comparison = onlyComparison(plan.question.filter);
  if (plan.source === "archive" || comparison === undefined) return plan;
  // One shown name may stand for several stored values, so the exact values cannot be told from it.
  const isPlain = comparison.attribute.show === undefined;
  return { ...plan, wanted: (isPlain ? comparison.exactly : undefined) ?? "every" };
}

/**
 * Chooses the goals to show: those of the newest rules, for the past as well. A rollup may still hold a goal that was
 * removed since; it is left out.
 */
function chooseGoals(plan: Plan): Plan {
  const { breakdowns, rules, keeps = () => true, wanted } = plan;
  if (breakdowns[0] !== "goal" || rules === undefined) return plan;
  const goals = goalsDecided(rules).filter(({ name }) => keeps(name));
  const names = new Set(goals.map(({ name }) => name));
  return { ...plan, goals, keeps: (value) => names.has(value), wanted: wanted && names };
}

function chooseTotals(plan: Plan): Plan {
  const totals = plan.question.metrics.flatMap((name) => metricOf(name).total ?? []);
  return { ...plan, totals: [...new Set(totals)] };
}

function findSingleBuckets(plan: Plan): Plan {
  const { buckets, time, grain } = plan;
  // Such a question will be rejected. To look at every day of a thousand years would take a second.
  if (buckets > BUCKETS_MAX) return plan;
  const oneLabelEach = time === grain && (time === "day" || !repeatsHours(plan));
  return { ...plan, oneBucketEach: buckets <= 1 || oneLabelEach };
}

function chooseSketch(plan: Plan): Plan {
  const isTotal = plan.breakdowns.length === 0 && plan.question.metrics.some((name) => metricOf(name).ofVisitors);
  const several = plan.buckets > 1 && plan.totals.length > 0;
  return { ...plan, sketch: plan.source === "rollups" && ((isTotal && !plan.oneBucketEach) || several) };
}

/** The instants of a row's bucket, [from, to). */
export function spanOf(
  { zones }: Plan,
  { grain, bucket }: Pick<RollupRow, "grain" | "bucket">,
): readonly [number, number] {
  if (grain === "hour") return [bucket, nextBucket(zones, bucket)];
  const { fromInstant, toInstant } = rangeOfDays(zones, { from: bucket, to: bucket + 1 });
  return [fromInstant, toInstant];
}

/** Whether local clocks go back within the range. Two Hours then have one label and make one result. */
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
