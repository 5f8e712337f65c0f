// A question: the Plausible Stats API v2 grammar, read from a parsed JSON body into a value that cannot be wrong. What
// the grammar has and Footfall has not built yet is refused by name. Dates stay as they were asked, because their
// meaning depends on the merchant (`range.ts`). `plan.ts` says what must be read for the answer.

import { DIMENSIONS_COUNT_MAX, RESULTS_MAX } from "../limits.ts";
import { accepted, type Outcome, rejected } from "../outcome.ts";
import { type Attribute, attributeOf } from "./attribute.ts";
import { type Budgets, openBudgets } from "./budget.ts";
import { type CompareRequest, parseComparisons } from "./compare.ts";
import { comparisonsOf, type Filter, parseFilters } from "./filter.ts";
import { METRICS, type MetricName, metricOf } from "./metric.ts";
import { type DateRange, parseDateRange } from "./range.ts";
import { invalid, isIntegerIn, isObject, mismatch, quote, shown } from "./refusal.ts";

export type TimeUnit = "minute" | "hour" | "day" | "week" | "month";

/** One entry of `order_by`: a metric or dimension of the question, by name. */
export type Order = readonly [by: string, direction: "asc" | "desc"];

export interface Question {
  /** As the caller wrote it. */
  readonly siteId: string;
  readonly metrics: readonly MetricName[];
  readonly dateRange: DateRange;
  /** In the order of the question. A result's dimensions have the same order. */
  readonly dimensions: readonly string[];
  /** "auto" for a bare `time`, until the plan has seen the range. */
  readonly time: TimeUnit | "auto" | undefined;
  /** The other dimensions, in the order of the question. */
  readonly breakdowns: readonly Attribute[];
  readonly filter: Filter;
  /** The filters as they were sent. */
  readonly filters: readonly unknown[];
  /** Steps that the answer may take. */
  readonly budgets: Budgets;
  /** "exact" forces the archive where rollups would only estimate. */
  readonly accuracy: "estimate" | "exact";
  /** Undefined when the default is wanted. */
  readonly orderBy: readonly Order[] | undefined;
  readonly include: {
    readonly timeLabels: boolean;
    readonly totalRows: boolean;
    readonly comparisons: CompareRequest | undefined;
    /** False leaves imported rollups out; undefined where nothing was said, which includes them. */
    readonly imports: boolean | undefined;
    /** Undefined where the question does not say. Comparisons then leave out the time that has not come yet. */
    readonly trimRelativeDateRange: boolean | undefined;
  };
  readonly pagination: { readonly limit: number; readonly offset: number };
}

/** The last one is ours. */
const KEYS = [
  "site_id",
  "metrics",
  "date_range",
  "dimensions",
  "filters",
  "order_by",
  "include",
  "pagination",
  "accuracy",
];
const REQUIRED = ["site_id", "metrics", "date_range"];
export const TIMES: ReadonlyMap<string, TimeUnit | "auto"> = new Map([
  ["time", "auto"],
  ["time:minute", "minute"],
  ["time:hour", "hour"],
  ["time:day", "day"],
  ["time:week", "week"],
  ["time:month", "month"],
]);
const INCLUDES = ["time_labels", "total_rows", "imports", "trim_relative_date_range"];
/** The dimension that only goes with the metric `drops`. */
export const DROP_REASON = "event:drop_reason";

/**
 * Reads the body of a question. `fixed` are filters that hold whatever is asked. The message of a rejection is the
 * public text.
 */
export function parseQuestion(
  body: unknown,
  fixed: readonly unknown[] = [],
  budgets: Budgets = openBudgets(),
): Outcome<Question> {
  if (!isObject(body)) return mismatch("#", "Object", body);
  const unknown = Object.keys(body).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) return invalid(`#/${shown(unknown)}: Schema does not allow additional properties.`);
  const missing = REQUIRED.find((key) => body[key] === undefined);
  if (missing !== undefined) return rejected("missing_field", `#: Required property ${missing} was not present.`);

  const siteId = body["site_id"];
  if (typeof siteId !== "string") return mismatch("#/site_id", "String", siteId);
  const metrics = parseMetrics(body["metrics"]);
  if (!metrics.ok) return metrics;
  const dateRange = parseDateRange(body["date_range"]);
  if (dateRange === undefined) return invalid(`#/date_range: Invalid date range ${quote(body["date_range"])}`);
  const dimensions = parseDimensions(body["dimensions"]);
  if (!dimensions.ok) return dimensions;
  const filters = parseFilters(body["filters"], fixed, { budgets });
  if (!filters.ok) return filters;
  const names = { metrics: metrics.value, ...dimensions.value, filter: filters.value };
  const clash = checkMetrics(names);
  if (!clash.ok) return clash;
  const orderBy = parseOrderBy(body["order_by"], names);
  if (!orderBy.ok) return orderBy;
  const include = parseInclude(body["include"], names.time !== undefined);
  if (!include.ok) return include;
  const pagination = parsePagination(body["pagination"]);
  if (!pagination.ok) return pagination;
  const { accuracy = "estimate" } = body;
  if (accuracy !== "estimate" && accuracy !== "exact")
    return invalid(`#/accuracy: Invalid accuracy ${quote(accuracy)}`);
  return accepted({
    siteId,
    dateRange: include.value.trimRelativeDateRange ? trimmed(dateRange) : dateRange,
    ...names,
    filters: [...fixed, ...((body["filters"] ?? []) as readonly unknown[])],
    budgets,
    accuracy,
    orderBy: orderBy.value,
    include: include.value,
    pagination: pagination.value,
  });
}

type Names = Pick<Question, "metrics" | "dimensions" | "time" | "breakdowns" | "filter">;

function parseMetrics(value: unknown): Outcome<readonly MetricName[]> {
  if (!Array.isArray(value)) return mismatch("#/metrics", "Array", value);
  if (value.length === 0) return invalid("#/metrics: Expected a minimum of 1 items but got 0.");
  for (const [index, name] of value.entries()) {
    if (METRICS.some((metric) => metric.name === name)) continue;
    return invalid(`#/metrics/${index}: Invalid metric ${quote(name)}`);
  }
  if (new Set(value).size < value.length) return invalid("#/metrics: Expected items to be unique but they were not.");
  return accepted(value as MetricName[]);
}

function parseDimensions(value: unknown = []): Outcome<Omit<Names, "metrics" | "filter">> {
  if (!Array.isArray(value)) return mismatch("#/dimensions", "Array", value);
  const times: (TimeUnit | "auto")[] = [];
  const breakdowns: Attribute[] = [];
  if (value.length > DIMENSIONS_COUNT_MAX)
    return invalid(`#/dimensions: Expected a maximum of ${DIMENSIONS_COUNT_MAX} items but got ${value.length}.`);
  for (const [index, name] of value.entries()) {
    const time = TIMES.get(name);
    const breakdown = name === DROP_REASON ? DROP_REASONS : attributeOf(name);
    if (time !== undefined) times.push(time);
    else if (breakdown !== undefined) breakdowns.push(breakdown);
    else return invalid(`#/dimensions/${index}: Invalid dimension ${quote(name)}`);
  }
  if (new Set(value).size < value.length)
    return invalid("#/dimensions: Expected items to be unique but they were not.");
  if (times.length > 1) return invalid("#/dimensions: Only one time dimension can be queried at a time.");
  return accepted({ dimensions: value as string[], time: times[0], breakdowns });
}

/** Dropped hits have a reason and no other attribute. */
const DROP_REASONS: Attribute = {
  question: DROP_REASON,
  scope: "event",
  empty: "(none)",
  rollup: undefined,
  valuesOf: ({ opinion }) => [opinion.dropped],
  codeOf: () => -1,
};

/** Refuses metrics that do not go together with the dimensions or filters. */
function checkMetrics(names: Names): Outcome<undefined> {
  const { metrics, breakdowns, filter, dimensions } = names;
  const filtered = comparisonsOf(filter).map(({ attribute }) => attribute.question);
  const has = (question: string) => filtered.includes(question) || dimensions.includes(question);
  const asks = (...some: readonly MetricName[]) => some.find((name) => metrics.includes(name));
  if (asks("drops") || dimensions.includes(DROP_REASON)) return checkDrops(names);
  if (asks("views_per_visit") && breakdowns.length > 0)
    return invalid("Metric `views_per_visit` cannot be queried with `dimensions`.");
  if (asks("views_per_visit") && filtered.includes("event:page"))
    return invalid("Metric `views_per_visit` cannot be queried with a filter on `event:page`.");
  if (asks("percentage") && dimensions.length === 0)
    return invalid("Metric `percentage` can only be queried with `dimensions`.");
  const ofGoals = asks("conversion_rate", "group_conversion_rate");
  if (ofGoals !== undefined && !has("event:goal"))
    return invalid(`Metric \`${ofGoals}\` can only be queried with event:goal filters or dimensions.`);
  const ofPages = asks("scroll_depth", "time_on_page");
  if (ofPages !== undefined && !has("event:page"))
    return invalid(`Metric \`${ofPages}\` can only be queried with event:page filters or dimensions.`);
  const ofOrders = asks("total_revenue", "average_revenue", "average_order_value");
  if (ofOrders !== undefined && breakdowns.some(({ ofProduct }) => ofProduct !== undefined))
    return invalid(`Metric \`${ofOrders}\` cannot be queried by product. Ask for \`product_revenue\`.`);
  const ofVisits = metrics.filter((name) => metricOf(name).scope === "visit");
  // For a page, metrics of visits count the visits that entered on it.
  const ofEvents = breakdowns.filter(({ scope, question }) => scope === "event" && question !== "event:page");
  if (ofVisits.length === 0 || ofEvents.length === 0) return accepted(undefined);
  const questions = ofEvents.map(({ question }) => question).join(", ");
  return invalid(
    `Session metric(s) \`${ofVisits.join(", ")}\` cannot be queried along with event dimension(s) \`${questions}\``,
  );
}

function checkDrops({ metrics, breakdowns, filter }: Names): Outcome<undefined> {
  const isAlone = metrics.length === 1 && breakdowns.every(({ question }) => question === DROP_REASON);
  if (isAlone && metrics[0] === "drops" && comparisonsOf(filter).length === 0) return accepted(undefined);
  return invalid(`Metric \`drops\` can only be queried alone, without filters, by time and \`${DROP_REASON}\`.`);
}

function parseOrderBy(value: unknown, { metrics, dimensions }: Names): Outcome<readonly Order[] | undefined> {
  if (value === undefined) return accepted(undefined);
  if (!Array.isArray(value)) return mismatch("#/order_by", "Array", value);
  const known: readonly string[] = [...metrics, ...dimensions];
  for (const [index, entry] of value.entries()) {
    const [by, direction, ...rest] = Array.isArray(entry) ? (entry as readonly unknown[]) : [];
    if (rest.length > 0 || typeof by !== "string" || (direction !== "asc" && direction !== "desc"))
      return invalid(`#/order_by/${index}: Invalid value in order_by ${quote(entry)}`);
    if (!known.includes(by))
      return invalid(`#/order_by/${index}: ${quote(by)} is not one of the queried metrics or dimensions.`);
  }
  if (value.length > known.length)
    return invalid(`#/order_by: Expected a maximum of ${known.length} items but got ${value.length}.`);
  return accepted(value.length === 0 ? undefined : (value as Order[]));
}

const NOTHING_INCLUDED: Question["include"] = {
  timeLabels: false,
  totalRows: false,
  comparisons: undefined,
  imports: undefined,
  trimRelativeDateRange: undefined,
};

function parseInclude(value: unknown, hasTime: boolean): Outcome<Question["include"]> {
  if (value === undefined) return accepted(NOTHING_INCLUDED);
  if (!isObject(value)) return mismatch("#/include", "Object", value);
  for (const [key, wanted] of Object.entries(value)) {
    if (key === "comparisons") continue;
    if (INCLUDES.includes(key) && typeof wanted !== "boolean") return mismatch(`#/include/${key}`, "Boolean", wanted);
    if (INCLUDES.includes(key)) continue;
    return invalid(`#/include/${shown(key)}: Schema does not allow additional properties.`);
  }
  if (value["time_labels"] === true && !hasTime)
    return invalid("#/include/time_labels: Time labels need a time dimension.");
  const comparisons = parseComparisons(value["comparisons"]);
  if (!comparisons.ok) return comparisons;
  return accepted({
    timeLabels: value["time_labels"] === true,
    totalRows: value["total_rows"] === true,
    comparisons: comparisons.value,
    imports: value["imports"] as boolean | undefined,
    trimRelativeDateRange: value["trim_relative_date_range"] as boolean | undefined,
  });
}

/** Other ranges keep their end. */
function trimmed(dateRange: DateRange): DateRange {
  return dateRange.kind === "relative" ? { ...dateRange, isTrimmed: true } : dateRange;
}

function parsePagination(value: unknown): Outcome<Question["pagination"]> {
  if (value === undefined) return accepted({ limit: RESULTS_MAX, offset: 0 });
  if (!isObject(value)) return mismatch("#/pagination", "Object", value);
  const unknown = Object.keys(value).find((key) => key !== "limit" && key !== "offset");
  if (unknown !== undefined)
    return invalid(`#/pagination/${shown(unknown)}: Schema does not allow additional properties.`);
  const { limit = RESULTS_MAX, offset = 0 } = value as { readonly limit?: unknown; readonly offset?: unknown };
  if (!isIntegerIn(limit, 1, RESULTS_MAX))
    return invalid(`#/pagination/limit: Expected a whole number from 1 to ${RESULTS_MAX}.`);
  if (!isIntegerIn(offset, 0, Number.MAX_SAFE_INTEGER))
    return invalid("#/pagination/offset: Expected a whole number from 0.");
  return accepted({ limit, offset });
}
