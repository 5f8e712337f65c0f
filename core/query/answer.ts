// From groups to the answer: metrics computed, empty groups left out, results sorted and cut to the asked page, and in
// `meta` everything a reader must know to trust the numbers: what is an estimate and how good, what was cut, what was
// not added up. The shape is that of the Plausible Stats API v2; `meta` has more in it.

import { OTHER } from "../counting/dimension.ts";
import { type Counts, zeroCounts } from "../counting/rollup.ts";
import type { RollupRow } from "../counting/rollup-row.ts";
import { estimate, standardError } from "../counting/sketch.ts";
import { GROUPS_MAX, VALUE_SKETCH_PRECISION } from "../limits.ts";
import { accepted, type Outcome, rejected } from "../outcome.ts";
import { metricOf } from "./metric.ts";
import { type Plan, timeLabels } from "./plan.ts";
import { echoRange } from "./range.ts";
import { addStored, closeTally, type Group, groupKey, openTally, type Tally } from "./tally.ts";

/** An amount of money in the merchant's currency: "$12,345.50" long, "$12.3K" short. */
export interface Money {
  readonly value: number;
  readonly currency: string;
  readonly short: string;
  readonly long: string;
}

export interface Result {
  readonly metrics: readonly (number | Money | null)[];
  readonly dimensions: readonly string[];
}

export interface Meta {
  /** Everything acknowledged before this instant is in the numbers. ISO 8601, UTC. */
  readonly as_of: string;
  /** Only when visitors were asked for. `standard_error` is relative: 0.0081 is 0.81 %. */
  readonly visitors?: { readonly exact: boolean; readonly standard_error?: number };
  /** In so many buckets the smallest values of a dimension are only known added up, as "(other)". */
  readonly cut?: { readonly dimension: string; readonly buckets: number; readonly value: string };
  readonly metric_warnings?: {
    readonly total_revenue: { readonly code: "foreign_currency"; readonly events: number; readonly warning: string };
  };
  readonly time_labels?: readonly string[];
  readonly total_rows?: number;
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
  /** UTC ms at which reading began. */
  readonly asOf: number;
}

/** The answer from rows that are all at hand. */
export function answer(
  plan: Plan,
  rows: { readonly live: readonly RollupRow[]; readonly stored: readonly RollupRow[] },
  context: AnswerContext,
): Outcome<Answer> {
  const tally = openTally(plan, rows.live);
  return addStored(tally, rows.stored) ? toAnswer(tally, context) : tooManyGroups();
}

/** Closes the tally and makes the answer of it. */
export function toAnswer(tally: Tally, { currency, asOf }: AnswerContext): Outcome<Answer> {
  if (!closeTally(tally)) return tooManyGroups();
  const { plan } = tally;
  const results = groupsOf(tally).map((group) => toResult(tally, group));
  const { offset, limit } = plan.question.pagination;
  const page = sorted(results, plan).slice(offset, offset + limit);
  return accepted({
    results: page.map(shownIn(plan, currency)),
    meta: metaOf(tally, { asOf, totalRows: results.length }),
    query: echo(plan),
  });
}

/** What a question gets that would need more groups than fit. */
export function tooManyGroups() {
  const remedy = "Ask for a shorter range or a coarser time dimension.";
  return rejected("invalid_field", `#/dimensions: The query has more than ${GROUPS_MAX} results. ${remedy}`);
}

/** A result before money is written out and the page is cut. */
interface Raw {
  readonly metrics: readonly (number | null)[];
  readonly dimensions: readonly string[];
}

/** Groups with something in them; without dimensions there is always one. */
function groupsOf({ groups, plan }: Tally): readonly Group[] {
  const filled = [...groups.values()].filter(({ counts }) => Object.values(counts).some((count) => count !== 0));
  if (filled.length > 0 || plan.question.dimensions.length > 0) return filled;
  return [{ label: "", value: "", counts: zeroCounts(), bucket: 0, severalBuckets: false, sketch: undefined }];
}

function toResult({ plan, entries }: Tally, group: Group): Raw {
  const { metrics, dimensions, breakdown } = plan.question;
  const counts: Counts = { ...group.counts, visitors: visitorsOf(group) };
  const visits = plan.visitsByEntryPage ? entries.get(groupKey(group.label, group.value)) : counts;
  const value = group.value === "" ? (breakdown?.empty ?? "") : group.value;
  return {
    metrics: metrics.map((name) => metricOf(name).of(counts, visits) ?? null),
    dimensions: dimensions.map((name) => (name.startsWith("time:") ? group.label : value)),
  };
}

/** Exact within one bucket, where partitions share no visitor; over several a visitor may have come again. */
function visitorsOf({ counts, severalBuckets, sketch }: Group): number {
  return severalBuckets && sketch !== undefined ? estimate(sketch) : counts.visitors;
}

/** In the asked order, ties by the dimensions in theirs: a total order, so that pages neither overlap nor skip. */
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
function shownIn({ question }: Plan, currency: string): (raw: Raw) => Result {
  const at = question.metrics.indexOf("total_revenue");
  if (at < 0) return (raw) => raw;
  const long = new Intl.NumberFormat("en-US", { style: "currency", currency });
  const short = new Intl.NumberFormat("en-US", {
    style: "currency",
    currency,
    notation: "compact",
    maximumFractionDigits: 1,
  });
  return ({ metrics, dimensions }) => {
    const value = metrics[at] as number;
    const money = { value, currency, short: short.format(value), long: long.format(value) };
    return { metrics: metrics.map((metric, index) => (index === at ? money : metric)), dimensions };
  };
}

function metaOf(tally: Tally, { asOf, totalRows }: { asOf: number; totalRows: number }): Meta {
  const { plan, cutBuckets } = tally;
  const { question } = plan;
  const { breakdown } = question;
  const foreign = question.metrics.includes("total_revenue") ? foreignOf(tally) : 0;
  return {
    as_of: new Date(asOf).toISOString(),
    ...(question.metrics.includes("visitors") && { visitors: exactnessOf(tally) }),
    ...(breakdown !== undefined &&
      cutBuckets.size > 0 && {
        cut: { dimension: breakdown.question, buckets: cutBuckets.size, value: OTHER },
      }),
    ...(foreign > 0 && { metric_warnings: { total_revenue: foreignWarning(foreign) } }),
    ...(question.include.timeLabels && { time_labels: timeLabels(plan) }),
    ...(question.include.totalRows && { total_rows: totalRows }),
  };
}

/** The worst error of any group. "(other)" is an estimate even within one bucket: a visitor may have seen many values. */
function exactnessOf({ groups, plan }: Tally): { exact: boolean; standard_error?: number } {
  let error = 0;
  for (const { severalBuckets, sketch, value } of groups.values()) {
    if (severalBuckets && sketch !== undefined) error = Math.max(error, standardError(sketch.precision));
    else if (plan.breakdowns.length > 0 && value === OTHER)
      error = Math.max(error, standardError(VALUE_SKETCH_PRECISION));
  }
  return error === 0 ? { exact: true } : { exact: false, standard_error: Math.round(error * 10_000) / 10_000 };
}

function foreignOf({ groups }: Tally): number {
  let events = 0;
  for (const { counts } of groups.values()) events += counts.foreign_revenue;
  return events;
}

function foreignWarning(events: number) {
  const warning = `${events} event(s) carried revenue in another currency, which is not added up.`;
  return { code: "foreign_currency", events, warning } as const;
}

function echo({ question, range, zones, orderBy }: Plan): Answer["query"] {
  return {
    site_id: question.siteId,
    metrics: question.metrics,
    date_range: echoRange(range, zones),
    filters: [],
    dimensions: question.dimensions,
    order_by: orderBy,
    include: { time_labels: question.include.timeLabels, total_rows: question.include.totalRows },
    pagination: question.pagination,
  };
}
