// A question as it comes in: the Plausible Stats API v2 grammar, read from a parsed JSON body into a value that cannot be
// wrong. What the grammar knows and Footfall has not built yet is refused by name. Dates stay as asked here: what they
// come to depends on the merchant (`range.ts`); what has to be read for the answer is said by `plan.ts`.

import { DIMENSIONS, type Dimension } from "../counting/dimension.ts";
import { RESULTS_MAX } from "../limits.ts";
import { accepted, type Outcome, rejected } from "../outcome.ts";
import { METRICS, METRICS_TO_COME, type MetricName, metricOf } from "./metric.ts";
import { type DateRange, parseDateRange } from "./range.ts";

export type TimeUnit = "hour" | "day" | "week" | "month";

/** One entry of `order_by`: a metric or dimension of the question, by name. */
export type Order = readonly [by: string, direction: "asc" | "desc"];

export interface Question {
  /** As the caller wrote it. */
  readonly siteId: string;
  readonly metrics: readonly MetricName[];
  readonly dateRange: DateRange;
  /** As asked, in order; a result's dimensions follow it. */
  readonly dimensions: readonly string[];
  /** "auto" for a bare `time`, until the plan has seen the range. */
  readonly time: TimeUnit | "auto" | undefined;
  readonly breakdown: Dimension | undefined;
  /** Undefined when the default is wanted. */
  readonly orderBy: readonly Order[] | undefined;
  readonly include: { readonly timeLabels: boolean; readonly totalRows: boolean };
  readonly pagination: { readonly limit: number; readonly offset: number };
}

const KEYS = ["site_id", "metrics", "date_range", "dimensions", "filters", "order_by", "include", "pagination"];
const REQUIRED = ["site_id", "metrics", "date_range"];
const TIMES: ReadonlyMap<string, TimeUnit | "auto"> = new Map([
  ["time", "auto"],
  ["time:hour", "hour"],
  ["time:day", "day"],
  ["time:week", "week"],
  ["time:month", "month"],
]);
/** Dimensions of the Plausible grammar that are not built yet; so is every "event:props:…". */
const DIMENSIONS_TO_COME = [
  ...["entry_page_hostname", "exit_page_hostname", "screen", "browser_version", "os_version"].map((n) => `visit:${n}`),
  ...["country_name", "region_name", "city_name"].map((name) => `visit:${name}`),
];
const INCLUDES = ["time_labels", "total_rows"];
const INCLUDES_TO_COME = ["imports", "trim_relative_date_range", "comparisons"];

/** Reads the body of a query request. The message of a rejection is the public error text. */
export function parseQuestion(body: unknown): Outcome<Question> {
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
  const filters = parseFilters(body["filters"]);
  if (!filters.ok) return filters;
  const names = { metrics: metrics.value, ...dimensions.value };
  const clash = checkMetrics(names);
  if (!clash.ok) return clash;
  const orderBy = parseOrderBy(body["order_by"], names);
  if (!orderBy.ok) return orderBy;
  const include = parseInclude(body["include"], names.time !== undefined);
  if (!include.ok) return include;
  const pagination = parsePagination(body["pagination"]);
  if (!pagination.ok) return pagination;
  return accepted({
    siteId,
    dateRange,
    ...names,
    orderBy: orderBy.value,
    include: include.value,
    pagination: pagination.value,
  });
}

type Names = Pick<Question, "metrics" | "dimensions" | "time" | "breakdown">;

function parseMetrics(value: unknown): Outcome<readonly MetricName[]> {
  if (!Array.isArray(value)) return mismatch("#/metrics", "Array", value);
  if (value.length === 0) return invalid("#/metrics: Expected a minimum of 1 items but got 0.");
  for (const [index, name] of value.entries()) {
    if (METRICS.some((metric) => metric.name === name)) continue;
    if (METRICS_TO_COME.includes(name))
      return invalid(`#/metrics/${index}: Metric ${quote(name)} is not available yet.`);
    return invalid(`#/metrics/${index}: Invalid metric ${quote(name)}`);
  }
  if (new Set(value).size < value.length) return invalid("#/metrics: Expected items to be unique but they were not.");
  return accepted(value as MetricName[]);
}

function parseDimensions(value: unknown = []): Outcome<Omit<Names, "metrics">> {
  if (!Array.isArray(value)) return mismatch("#/dimensions", "Array", value);
  const times: (TimeUnit | "auto")[] = [];
  const breakdowns: Dimension[] = [];
  for (const [index, name] of value.entries()) {
    const time = TIMES.get(name);
    const breakdown = DIMENSIONS.find((dimension) => dimension.question === name);
    if (time !== undefined) times.push(time);
    else if (breakdown !== undefined) breakdowns.push(breakdown);
    else if (isDimensionToCome(name))
      return invalid(`#/dimensions/${index}: Dimension ${quote(name)} is not available yet.`);
    else return invalid(`#/dimensions/${index}: Invalid dimension ${quote(name)}`);
  }
  if (new Set(value).size < value.length)
    return invalid("#/dimensions: Expected items to be unique but they were not.");
  if (times.length > 1) return invalid("#/dimensions: Only one time dimension can be queried at a time.");
  if (breakdowns.length > 1)
    return invalid("#/dimensions: Several dimensions beside time are not available yet. Ask for one.");
  return accepted({ dimensions: value as string[], time: times[0], breakdown: breakdowns[0] });
}

function isDimensionToCome(name: unknown): boolean {
  return typeof name === "string" && (DIMENSIONS_TO_COME.includes(name) || /^event:props:./.test(name));
}

function parseFilters(value: unknown = []): Outcome<undefined> {
  if (!Array.isArray(value)) return mismatch("#/filters", "Array", value);
  return value.length === 0 ? accepted(undefined) : invalid("#/filters: Filters are not available yet.");
}

/** Metrics of whole visits are not defined per event; for pages they are those of the visits that entered there. */
function checkMetrics({ metrics, breakdown }: Names): Outcome<undefined> {
  if (breakdown === undefined) return accepted(undefined);
  if (metrics.includes("views_per_visit"))
    return invalid("Metric `views_per_visit` cannot be queried with `dimensions`.");
  const ofVisits = metrics.filter((name) => metricOf(name).scope === "visit");
  if (breakdown.scope === "visit" || breakdown.name === "page" || ofVisits.length === 0) return accepted(undefined);
  return invalid(
    `Session metric(s) \`${ofVisits.join(", ")}\` cannot be queried along with event dimension(s) \`${breakdown.question}\``,
  );
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

function parseInclude(value: unknown, hasTime: boolean): Outcome<Question["include"]> {
  if (value === undefined) return accepted({ timeLabels: false, totalRows: false });
  if (!isObject(value)) return mismatch("#/include", "Object", value);
  for (const [key, wanted] of Object.entries(value)) {
    if (INCLUDES.includes(key) && typeof wanted !== "boolean") return mismatch(`#/include/${key}`, "Boolean", wanted);
    if (INCLUDES.includes(key) || (INCLUDES_TO_COME.includes(key) && !wanted)) continue;
    if (INCLUDES_TO_COME.includes(key)) return invalid(`#/include/${key}: Include ${quote(key)} is not available yet.`);
    return invalid(`#/include/${shown(key)}: Schema does not allow additional properties.`);
  }
  if (value["time_labels"] === true && !hasTime)
    return invalid("#/include/time_labels: Time labels need a time dimension.");
  return accepted({ timeLabels: value["time_labels"] === true, totalRows: value["total_rows"] === true });
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

function isIntegerIn(value: unknown, min: number, max: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function mismatch(path: string, expected: string, value: unknown) {
  return invalid(`${path}: Type mismatch. Expected ${expected} but got ${typeName(value)}.`);
}

function invalid(message: string) {
  return rejected("invalid_field", message);
}

function typeName(value: unknown): string {
  if (value === null || value === undefined) return "Null";
  if (Array.isArray(value)) return "Array";
  if (typeof value === "number") return Number.isInteger(value) ? "Integer" : "Number";
  return (typeof value).replace(/^./, (letter) => letter.toUpperCase());
}

/** A value inside a message. Lists of texts are written out; anything deeper only by its type: it may be hostile. */
function quote(value: unknown): string {
  if (Array.isArray(value) && value.length <= 3 && value.every((item) => typeof item !== "object"))
    return `[${value.map(quote).join(", ")}]`;
  if (typeof value === "string") return `"${shown(value)}"`;
  return typeof value === "object" ? typeName(value) : String(value);
}

function shown(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
