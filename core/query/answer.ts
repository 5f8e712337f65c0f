// From groups to the answer: metrics are computed, empty groups left out, results sorted and cut to the wanted page.
// `meta` says all that a reader must know to trust the numbers: what is an estimate and how good it is, what was cut,
// and what was not added up. The shape is that of the Plausible Stats API v2, with more in `meta`.

import { OTHER } from "../counting/dimension.ts";
import { zeroCounts } from "../counting/rollup.ts";
import { addMoney, type Money as Sums } from "../counting/takings.ts";
import { REVENUE_SCALE } from "../event.ts";
import type { ImportedSpan } from "../imported/table.ts";
import { GROUPS_MAX } from "../limits.ts";
import { accepted, type Outcome } from "../outcome.ts";
import { comparisonsOf, type Filter, viewOf } from "./filter.ts";
import type { Group, Groups } from "./group.ts";
import {
  concernsImports,
  FROM_EVENTS,
  type ImportsIncluded,
  type ImportsSkipReason,
  type ImportsTold,
  isSkipped,
  skippedMeta,
} from "./imported.ts";
import { type Metric, type MetricName, metricOf, NO_EVENT_NUMBERS, type Numbers } from "./metric.ts";
import { type Convert, price } from "./money.ts";
import { type Plan, timeLabels } from "./plan.ts";
import { echoRange } from "./range.ts";
import { invalid } from "./refusal.ts";
import { type ShownDays, shownDays } from "./rest.ts";

/** An amount of money in the merchant's currency: "$12,345.50" long, "$12.3K" short. */
export interface Money {
  readonly value: number;
  readonly currency: string;
  readonly short: string;
  readonly long: string;
}

type Shown = readonly (number | Money | null)[];

export interface Result {
  readonly metrics: Shown;
  readonly dimensions: readonly string[];
  /** The same for the other range, if the question compares. `change` is in per cent, null where there is no base. */
  readonly comparison?: {
    readonly metrics: Shown;
    readonly dimensions: readonly string[];
    readonly change: readonly (number | null)[];
  };
}

export interface Meta {
  /** Every hit acknowledged before this instant is counted. ISO 8601, UTC. */
  readonly as_of: string;
  /** Where the numbers come from, and what reading them took. */
  readonly sources: Sources;
  /** Version of the merchant's latest rules; 0 while there are none. Each event counts by the rules of its time. */
  readonly rules: number;
  /** Only when visitors were asked for. `standard_error` is relative: 0.0081 is 0.81 %. */
  readonly visitors?: { readonly exact: boolean; readonly standard_error?: number };
  /**
   * Only when metrics of orders were asked for: not exact where an order number may have earned more than once (ORD-9).
   */
  readonly orders?: { readonly exact: boolean };
  /** The number of buckets in which the smallest values of a dimension are only known together, as "(other)". */
  readonly cut?: { readonly dimension: string; readonly buckets: number; readonly value: string };
  readonly goals?: GoalsMeta;
  /** Of each metric of money that was asked for, where some money could not be converted. */
  readonly metric_warnings?: Readonly<Partial<Record<MetricName, ForeignWarning>>>;
  readonly time_labels?: readonly string[];
  readonly total_rows?: number;
  readonly comparison_date_range?: readonly [string, string];
  /** Only where imports were asked for, or the range has Days of imported rollups. */
  readonly imports_included?: boolean;
  readonly imports_note?: string;
  /** Why the range's imported rollups are not in it, and the same as a sentence. */
  readonly imports_skip_reason?: ImportsSkipReason;
  readonly imports_warning?: string;
  /** What of it is of imported rollups. */
  readonly imports?: ImportsIncluded;
}

/** Money without a known rate. It is in no sum. */
export interface ForeignWarning {
  readonly code: "foreign_currency";
  /** How many events carried it. */
  readonly events: number;
  /** The amount in each currency, less refunds. */
  readonly unconverted: readonly { readonly currency: string; readonly value: number }[];
  readonly warning: string;
}

/**
 * What was read for an answer: rows of D1, and objects of the archive with their bytes. A share link with filters does
 * not show it, because it would tell of what the link hides.
 */
export interface Sources {
  readonly from: "rollups" | "archive" | "both";
  readonly rows?: number;
  readonly objects?: number;
  readonly bytes?: number;
  /** Places whose counts were remembered, if there were any. */
  readonly remembered?: number;
  /** Days that rollups could not answer for, and why: they were counted from events. */
  readonly days_from_events?: readonly ShownDays[];
}

/** About goals that some Days of the range were not counted by. */
export interface GoalsMeta {
  /** The job that counts them again, so that rollups can answer; null while none is under way. */
  readonly backfill: string | null;
  /** Days without numbers of a goal: it was made later, and their events are deleted. */
  readonly uncounted?: readonly (readonly [first: string, last: string])[];
}

export interface Answer {
  readonly results: readonly Result[];
  readonly meta: Meta;
  /** The question as it was understood. */
  readonly query: Readonly<Record<string, unknown>>;
}

export interface AnswerContext {
  /** ISO 4217. */
  readonly currency: string;
  /** What amounts of other currencies are worth in it. */
  readonly convert: Convert;
  /** UTC ms at which reading began. */
  readonly asOf: number;
  readonly cost: Omit<Sources, "from" | "days_from_events">;
  /** The backfill of the merchant's goals that is under way, where it was looked for. */
  readonly backfill?: string | undefined;
  /** Version of the merchant's rules. */
  readonly rules: number;
  /** The other range's plan and groups, where the question compares. */
  readonly compared?: { readonly plan: Plan; readonly groups: Groups } | undefined;
  /** What is to be said of imported rollups; undefined where they were not looked at, or there is nothing to say. */
  readonly imports?: ImportsTold | undefined;
  /** The merchant's imports of rollups, where they were not looked at: those of the range are then left out. */
  readonly imported?: readonly ImportedSpan[] | undefined;
}

/** The answer that groups make. */
export function answer(plan: Plan, groups: Groups, context: AnswerContext): Outcome<Answer> {
  const own = resultsOf(plan, groups, context);
  const results = [...own, ...bucketsOfOther(plan, own, context)];
  const page = pageOf(plan, results);
  const show = showing(plan, context.currency);
  const compare = context.compared === undefined ? undefined : comparing(plan, context.compared, { show, context });
  return accepted({
    results: page.map((raw) => ({ ...show(raw), ...compare?.(raw) })),
    meta: metaOf(plan, groups, { context, totalRows: results.length }),
    query: echo(plan),
  });
}

function pageOf(plan: Plan, results: readonly Raw[]): readonly Raw[] {
  return sorted(results, plan).slice(plan.offset, plan.offset + plan.question.pagination.limit);
}

/** The values of a question's dimension on the wanted page. */
export function valuesShown(plan: Plan, groups: Groups, worth: Pricing): readonly string[] {
  const at = plan.question.dimensions.indexOf(plan.question.breakdowns[0]?.question ?? "");
  if (at < 0) return [];
  return [...new Set(pageOf(plan, resultsOf(plan, groups, worth)).map(({ dimensions }) => dimensions[at] as string))];
}

/** The refusal of a question with more groups than fit. */
export function tooManyGroups() {
  const remedy = "Ask for a shorter range or a coarser time dimension.";
  return invalid(`#/dimensions: The query has more than ${GROUPS_MAX} results. ${remedy}`);
}

/** A result before money is written out and the page is cut. */
interface Raw {
  readonly metrics: readonly (number | null)[];
  readonly dimensions: readonly string[];
}

/** Without dimensions there is always one result. */
function resultsOf(plan: Plan, { groups }: Groups, context: Pricing): readonly Raw[] {
  const isEmpty = groups.length === 0 && plan.question.dimensions.length === 0;
  return (isEmpty ? [NOTHING] : groups).map((group) => {
    const numbers = numbersOf(group, context);
    const isUnknown = ({ isMoney, ofOrders }: Metric) => group.isImported === true && (isMoney || ofOrders) === true;
    return {
      metrics: plan.question.metrics.map(metricOf).map((metric) => {
        return isUnknown(metric) ? null : (metric.of(numbers) ?? null);
      }),
      dimensions: group.dimensions,
    };
  });
}

type Pricing = Pick<AnswerContext, "currency" | "convert">;

function numbersOf({ numbers, purse }: Group, { currency, convert }: Pricing): Numbers {
  return { ...numbers, money: price(purse, currency, convert) };
}

const NOTHING: Group = {
  dimensions: [],
  purse: new Map(),
  numbers: {
    counts: zeroCounts(),
    visits: zeroCounts(),
    events: NO_EVENT_NUMBERS,
    totals: { all: 0, label: 0, group: 0 },
  },
};

/**
 * Sorts in the wanted order, and equal results by their dimensions. It is a total order, so pages neither overlap nor
 * skip a result.
 */
function sorted(results: readonly Raw[], { question, orderBy }: Plan): readonly Raw[] {
  const keys = [...orderBy, ...question.dimensions.map((name) => [name, "asc"] as const)].map(([by, way]) => ({
    metric: (question.metrics as readonly string[]).indexOf(by),
    dimension: question.dimensions.indexOf(by),
    sign: way === "asc" ? 1 : -1,
  }));
  return [...results].sort((a, b) => {
    for (const { metric, dimension, sign } of keys) {
      const order =
        metric >= 0
          ? compare(a.metrics[metric] ?? -1, b.metrics[metric] ?? -1)
          : compare(a.dimensions[dimension] ?? "", b.dimensions[dimension] ?? "");
      if (order !== 0) return sign * order;
    }
    return 0;
  });
}

function compare<T extends number | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Writes out money; other metrics are what they are. Formats are made once: making one costs more than using it. */
function showing({ question }: Plan, currency: string): (raw: Raw) => Result {
  const isMoney = question.metrics.map((name) => metricOf(name).isMoney === true);
  if (!isMoney.includes(true)) return (raw) => raw;
  const long = new Intl.NumberFormat("en-US", { style: "currency", currency });
  const compact = { notation: "compact", maximumFractionDigits: 1 } as const;
  const short = new Intl.NumberFormat("en-US", { style: "currency", currency, ...compact });
  const toMoney = (value: number): Money => ({
    value,
    currency,
    short: short.format(value),
    long: long.format(value),
  });
  return ({ metrics, dimensions }) => ({
    metrics: metrics.map((metric, index) => (isMoney[index] && metric !== null ? toMoney(metric) : metric)),
    dimensions,
  });
}

/** Finds the result of the other range with the same values. With time it is the one whose label has the same index. */
function comparing(
  plan: Plan,
  compared: { readonly plan: Plan; readonly groups: Groups },
  { show, context }: { readonly show: (raw: Raw) => Result; readonly context: Pricing },
): (raw: Raw) => Pick<Result, "comparison"> {
  const timeAt = plan.question.dimensions.findIndex((name) => name.startsWith("time:"));
  const places = timeAt < 0 ? new Map<string, string>() : labelsBeside(plan, compared.plan);
  const found = new Map(
    resultsOf(compared.plan, compared.groups, context).map((raw) => [JSON.stringify(raw.dimensions), raw]),
  );
  const nothing = metricsOfNothing(plan, context);
  return ({ metrics, dimensions }) => {
    const there = dimensions.map((value, at) => (at === timeAt ? (places.get(value) ?? "") : value));
    const raw = found.get(JSON.stringify(there)) ?? { metrics: nothing, dimensions: there };
    const change = metrics.map((value, index) => changeOf(value, raw.metrics[index] ?? null));
    return { comparison: { ...show(raw), change } };
  };
}

/** The labels of a range in time, each with the one at the same place of the other. */
function labelsBeside(plan: Plan, other: Plan): ReadonlyMap<string, string> {
  const labels = timeLabels(other);
  return new Map(timeLabels(plan).map((label, index) => [label, labels[index] ?? ""]));
}

function metricsOfNothing({ question }: Plan, context: Pricing): Raw["metrics"] {
  return question.metrics.map((name) => metricOf(name).of(numbersOf(NOTHING, context)) ?? null);
}

/**
 * Over time alone, with all its labels asked for: results of nothing where the other range alone has something, because
 * a line of the other range would have a hole there (CMP-2).
 */
function bucketsOfOther(plan: Plan, own: readonly Raw[], context: AnswerContext): readonly Raw[] {
  const { compared } = context;
  const { dimensions, include } = plan.question;
  if (compared === undefined || !include.timeLabels || dimensions.length !== 1) return [];
  if (dimensions[0]?.startsWith("time:") !== true) return [];
  const known = new Set(own.map((raw) => raw.dimensions[0]));
  const told = new Set(compared.groups.groups.map((group) => group.dimensions[0]));
  const nothing = metricsOfNothing(plan, context);
  return [...labelsBeside(plan, compared.plan)]
    .filter(([label, beside]) => !known.has(label) && told.has(beside))
    .map(([label]) => ({ metrics: nothing, dimensions: [label] }));
}

/** In whole per cent. Undefined as a number where the base is nothing. */
function changeOf(value: number | null, before: number | null): number | null {
  if (value === null || before === null || before === 0) return value === before ? 0 : null;
  return Math.round(((value - before) / Math.abs(before)) * 100);
}

interface AnswerFacts {
  readonly context: AnswerContext;
  readonly totalRows: number;
}

function metaOf(plan: Plan, groups: Groups, { context, totalRows }: AnswerFacts): Meta {
  const { question } = plan;
  const foreign = foreignOf(groups, context);
  const cutBy = question.breakdowns[0] ?? comparisonsOf(question.filter)[0]?.attribute;
  const { compared, asOf, cost, rules } = context;
  const imports = context.imports ?? leftOutOf([plan, ...(compared === undefined ? [] : [compared.plan])], context);
  const isImported = imports !== undefined && !isSkipped(imports);
  return {
    as_of: new Date(asOf).toISOString(),
    sources: sourcesOf(groups, { other: compared?.groups, cost, view: viewOf(question.filter) }),
    rules,
    ...(question.metrics.some((name) => metricOf(name).ofVisitors) && {
      visitors: isImported ? { ...exactnessOf(groups), exact: false } : exactnessOf(groups),
    }),
    ...(question.metrics.some((name) => metricOf(name).ofOrders) && { orders: { exact: groups.orderPlaces <= 1 } }),
    ...(cutBy !== undefined &&
      viewOf(question.filter) === undefined &&
      groups.cutBuckets > 0 && { cut: { dimension: cutBy.question, buckets: groups.cutBuckets, value: OTHER } }),
    ...goalsMeta([groups, compared?.groups], context),
    ...(foreign !== undefined && ofMoney(question.metrics, foreign)),
    ...(question.include.timeLabels && { time_labels: timeLabels(plan) }),
    ...(question.include.totalRows && { total_rows: totalRows }),
    ...(compared !== undefined && { comparison_date_range: echoRange(compared.plan.range, plan.zones) }),
    ...importsMeta(question.include.imports === true, imports),
  };
}

/** Where a question was counted in another way, imports are not in it. */
function leftOutOf(plans: readonly Plan[], { imported = [] }: AnswerContext): ImportsTold | undefined {
  if (!plans.some((plan) => concernsImports(plan, imported))) return undefined;
  return FROM_EVENTS;
}

function importsMeta(isAsked: boolean, imports: ImportsTold | undefined): Partial<Meta> {
  if (imports === undefined) return isAsked ? { imports_included: true, imports_note: IMPORTS_NOTE } : {};
  if (isSkipped(imports)) return skippedMeta(imports);
  return { imports_included: true, imports, ...(isAsked && { imports_note: IMPORTS_NOTE }) };
}

interface Told {
  readonly other?: Groups | undefined;
  readonly cost: AnswerContext["cost"];
  readonly view: Filter | undefined;
}

/** Where the numbers of both ranges of a comparison come from, together. */
export function sourcesOf(groups: Pick<Groups, "source" | "aside">, { other, cost, view }: Told): Sources {
  const from = other === undefined || other.source === groups.source ? groups.source : "both";
  if (view !== undefined) return { from };
  const aside = [...(groups.aside ?? []), ...(other?.aside ?? [])];
  return { from, ...cost, ...(aside.length > 0 && { days_from_events: shownDays(aside) }) };
}

function goalsMeta(all: readonly (Groups | undefined)[], { backfill }: AnswerContext) {
  const uncounted = all.flatMap((groups) => groups?.uncounted ?? []).sort((a, b) => a - b);
  const isBehind = all.some((groups) => groups?.aside?.some(({ why }) => why === "goals"));
  if (uncounted.length === 0 && !isBehind) return {};
  const days = shownDays(uncounted.map((day) => ({ day, bucket: day, partition: "", why: "goals" })));
  const goals: GoalsMeta = {
    backfill: backfill ?? null,
    ...(days.length > 0 && { uncounted: days.map(({ dates }) => dates) }),
  };
  return { goals };
}

/** Plausible keeps all imports apart, and its clients ask for them. */
const IMPORTS_NOTE = "Imported events are counted like all others: every answer includes them.";

function exactnessOf({ standardError }: Groups): { exact: boolean; standard_error?: number } {
  if (standardError === 0) return { exact: true };
  return { exact: false, standard_error: Math.round(standardError * 10_000) / 10_000 };
}

/** The money of all groups that no rate is known for. */
function foreignOf({ groups }: Groups, { currency, convert }: Pricing): ForeignWarning | undefined {
  const left = groups.reduce<Sums>(
    (sum, { purse }) => addMoney(sum, price(purse, currency, convert).unconverted),
    undefined,
  );
  if (left === undefined) return undefined;
  const events = left.reduce((sum, { payments }) => sum + payments, 0);
  const unconverted = left.map((one) => ({ currency: one.currency, value: one.revenue / REVENUE_SCALE }));
  const names = unconverted.map((one) => one.currency).sort();
  const warning = `${events} event(s) carried money in ${names.join(", ")}, for which no exchange rate to ${currency} is known; it is not added up.`;
  return { code: "foreign_currency", events, unconverted, warning };
}

function ofMoney(metrics: readonly MetricName[], warning: ForeignWarning): Pick<Meta, "metric_warnings"> {
  const concerned = metrics.filter((name) => metricOf(name).isMoney);
  if (concerned.length === 0) return {};
  return { metric_warnings: Object.fromEntries(concerned.map((name) => [name, warning])) };
}

function echo({ question, range, zones, orderBy }: Plan): Answer["query"] {
  const { timeLabels: time_labels, totalRows: total_rows, comparisons, imports } = question.include;
  const { trimRelativeDateRange: trims } = question.include;
  return {
    site_id: question.siteId,
    metrics: question.metrics,
    date_range: echoRange(range, zones),
    filters: question.filters,
    dimensions: question.dimensions,
    order_by: orderBy,
    include: {
      time_labels,
      total_rows,
      ...(imports !== undefined && { imports }),
      ...(trims !== undefined && { trim_relative_date_range: trims }),
      ...(comparisons && {
        comparisons: { mode: comparisons.mode, match_day_of_week: comparisons.matchDayOfWeek },
      }),
    },
    pagination: question.pagination,
    ...(question.accuracy === "exact" && { accuracy: question.accuracy }),
  };
}
