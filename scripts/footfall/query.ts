// footfall query: asks a question that is given by short options, by any number of dimensions, and compares it with
// another range if asked to. What it shares with the reports is in question.ts. `--json` shows the whole answer, which
// includes the question as it was asked.

import type { Command } from "commander";
import { METRICS } from "../../core/query/metric.ts";
import { Problem } from "../problem.ts";
import { type Cell, toTable, wrapped } from "../table.ts";
import {
  type AskedFields,
  type AskedOptions,
  addQuestionOptions,
  addRangeOption,
  askAndPrint,
  listOption,
  type RangeOption,
  toCount,
  toDimension,
  toFilters,
  toRange,
} from "./question.ts";

interface QueryOptions extends AskedOptions, RangeOption {
  readonly metrics: string;
  readonly dimension: readonly string[];
  readonly compare?: string;
  readonly matchWeekday?: boolean;
  readonly order: readonly string[];
  readonly limit: string;
  readonly offset?: string;
  readonly exact?: boolean;
  readonly empty?: boolean;
}

interface Result {
  readonly metrics: readonly unknown[];
  readonly dimensions: readonly string[];
}

/** An answer of `POST /api/v2/query`. */
export interface Answer {
  readonly results: readonly (Result & {
    readonly comparison?: Result & { readonly change: readonly (number | null)[] };
  })[];
  readonly meta: {
    readonly visitors?: { readonly exact: boolean; readonly standard_error?: number };
    readonly orders?: { readonly exact: boolean };
    readonly comparison_date_range?: readonly string[];
    readonly imports_warning?: string;
    readonly imports?: {
      readonly days: readonly (readonly [string, string])[];
      readonly of: readonly { readonly number: number; readonly source: string }[];
      readonly estimated: readonly string[];
      readonly without: readonly string[];
    };
    readonly metric_warnings?: Readonly<Record<string, { readonly warning?: string }>>;
  };
  readonly query: { readonly date_range: readonly string[] };
}

const DEFAULT_METRICS = "visitors,visits,pageviews,bounce_rate,visit_duration";
const METRIC_NAMES: readonly string[] = METRICS.map(({ name }) => name);

export function addQuery(program: Command): void {
  const command = program
    .command("query")
    .description("ask for numbers, such as: query --range 7d --dimension day --compare previous")
    .option("--metrics <list>", "separated by commas", DEFAULT_METRICS)
    .addOption(listOption("--dimension <names>", "breakdowns, such as page or day,source; may be repeated"))
    .option("--compare <range>", "with another range beside it: previous, year, or two dates")
    .option("--match-weekday", "compare Mondays with Mondays")
    .addOption(listOption("--order <name>", "a metric or dimension, downwards, or <name>:asc; may be repeated"))
    .option("--limit <rows>", "rows at most", "100")
    .option("--offset <rows>", "rows to leave out first")
    .option("--exact", "count visitors of several Days from events instead of estimating them")
    .option("--empty", "show times without a hit as well");
  addQuestionOptions(addRangeOption(command)).addHelpText("after", HELP).action(runQuery);
}

const HELP = `
metrics: ${wrapped(METRIC_NAMES)}
dimensions: minute, hour, day, week, month; page, source, country …, or as the API names them: event:page; props:<key>
for example:
  footfall query --range 7d --dimension day,source --metrics visitors,orders,total_revenue
  footfall query --dimension product --metrics units,product_revenue --where country=AT|DE
  footfall query --range month --compare year --match-weekday --segment "From the press"`;

async function runQuery(options: QueryOptions, command: Command): Promise<void> {
  const dimensions = toDimensions(options.dimension);
  await askAndPrint<Answer>("/api/v2/query", command, {
    toQuestion: (site) => toQuestion(site, options),
    toText: (answer) => toAnswerText(answer, [...dimensions, ...toMetrics(options.metrics)]),
  });
}

export interface Question extends AskedFields {
  readonly metrics: readonly string[];
  readonly date_range: string | readonly string[];
  readonly dimensions: readonly string[];
  readonly order_by?: readonly (readonly string[])[];
  readonly include?: object;
  readonly pagination?: { readonly limit: number; readonly offset?: number };
  readonly accuracy?: string;
}

/** The question that the options of `footfall query` mean. */
export function toQuestion(site: string, options: QueryOptions): Question {
  const limit = toCount("--limit", options.limit);
  const offset = options.offset === undefined ? undefined : toCount("--offset", options.offset);
  const dimensions = toDimensions(options.dimension);
  const include = { ...toComparisons(options), ...(options.empty && { time_labels: true }) };
  return {
    site_id: site,
    metrics: toMetrics(options.metrics),
    date_range: toRange(options.range),
    dimensions,
    ...toFilters(options),
    ...(options.order.length > 0 && { order_by: options.order.map(toOrder) }),
    ...(Object.keys(include).length > 0 && { include }),
    ...(dimensions.length > 0 && { pagination: { limit, ...(offset !== undefined && { offset }) } }),
    ...(options.exact && { accuracy: "exact" }),
  };
}

function toDimensions(given: readonly string[]): readonly string[] {
  return given.flatMap((text) => text.split(",")).map((name) => toDimension(name.trim()));
}

function toMetrics(text: string): readonly string[] {
  const metrics = text.split(",").map((metric) => metric.trim());
  const unknown = metrics.find((metric) => !METRIC_NAMES.includes(metric));
  if (unknown === undefined) return metrics;
  throw new Problem(`there is no metric "${unknown}"; there are ${METRIC_NAMES.join(", ")}`);
}

/** "visitors" → downwards; "page:asc" → from A to Z. */
function toOrder(text: string): readonly [string, string] {
  const [, name = "", direction = "desc"] = /^(.*?)(?::(asc|desc))?$/.exec(text) ?? [];
  return [METRIC_NAMES.includes(name) ? name : toDimension(name), direction];
}

const MODES: Readonly<Record<string, string>> = {
  previous: "previous_period",
  previous_period: "previous_period",
  year: "year_over_year",
  year_over_year: "year_over_year",
};

function toComparisons({ compare, matchWeekday }: QueryOptions): object {
  if (compare === undefined) {
    if (matchWeekday) throw new Problem("--match-weekday goes with --compare");
    return {};
  }
  const match = matchWeekday ? { match_day_of_week: true } : {};
  const mode = MODES[compare];
  if (mode !== undefined) return { comparisons: { mode, ...match } };
  const dates = toRange(compare);
  if (typeof dates === "string") {
    throw new Problem(`--compare is "${compare}"; it must be previous, year, or two dates: 2025-11-01,2025-11-30`);
  }
  return { comparisons: { mode: "custom", date_range: dates, ...match } };
}

/** A metric as a cell: money and other values that come with a unit are shown with it. */
export function toMetricCell(value: unknown): Cell {
  if (typeof value !== "object" || value === null) return value as Cell;
  const { long, value: amount, currency } = value as { long?: string; value?: number; currency?: string };
  return long ?? (amount === undefined ? JSON.stringify(value) : `${amount.toFixed(2)} ${currency ?? ""}`.trim());
}

/** An answer as a table under a head, and below it what a reader must know of its numbers. */
export function toAnswerText(answer: Answer, head: readonly string[]): string {
  const { results, meta } = answer;
  if (results.length === 0) return `(nothing from ${answer.query.date_range.join(" to ")})`;
  const compared = meta.comparison_date_range;
  const table =
    compared === undefined
      ? toTable(
          head,
          results.map((row) => [...row.dimensions, ...row.metrics.map(toMetricCell)]),
        )
      : toComparedTable(answer, head);
  const against = compared === undefined ? [] : [`before: ${compared.join(" to ")}`];
  return [table, ...against, ...estimateNote(answer), ...warningNotes(answer), ...importNotes(answer)].join("\n");
}

/** Each metric with its earlier value and its change. Where rows are times, the time compared with is shown as well. */
function toComparedTable({ results }: Answer, head: readonly string[]): string {
  const count = results[0]?.dimensions.length ?? 0;
  const differs = results.some((row) => row.comparison?.dimensions.join() !== row.dimensions.join());
  const names = head.slice(0, count);
  const columns = [
    ...names,
    ...(differs && count > 0 ? names.map((name) => (/^time\b/.test(name) ? "with" : "")).filter(Boolean) : []),
    ...head.slice(count).flatMap((metric) => [metric, "before", "change"]),
  ];
  const rows = results.map(({ dimensions, metrics, comparison }) => [
    ...dimensions,
    ...(differs
      ? names.flatMap((name, index) => (/^time\b/.test(name) ? [comparison?.dimensions[index] ?? ""] : []))
      : []),
    ...metrics.flatMap((value, index) => [
      toMetricCell(value),
      toMetricCell(comparison?.metrics[index] ?? null),
      toChange(comparison?.change[index]),
    ]),
  ]);
  return toTable(columns, rows);
}

function toChange(change: number | null | undefined): Cell {
  return typeof change === "number" ? `${change > 0 ? "+" : ""}${change}%` : null;
}

/** The line that marks estimated visitors, if there are any. Those of "(other)" are estimated even within one Day. */
export function estimateNote({ results, meta: { visitors } }: Pick<Answer, "results" | "meta">): readonly string[] {
  if (visitors === undefined || visitors.exact) return [];
  const other = results.some(({ dimensions }) => dimensions.includes("(other)")) ? ", and those of (other)," : "";
  const error = visitors.standard_error;
  const width = error === undefined ? "" : `: ±${(error * 100).toFixed(2)} % (one standard error)`;
  return [`visitors over several Days${other} are an estimate${width}`];
}

/** What of an answer is of imported rollups, or that they are not in it. */
function importNotes({ meta: { imports, imports_warning: warning } }: Answer): readonly string[] {
  if (imports === undefined) return warning === undefined ? [] : [warning];
  const days = imports.days.map(([first, last]) => (first === last ? first : `${first} to ${last}`)).join(", ");
  const of = imports.of.map(({ number, source }) => `import ${number} (${source})`).join(", ");
  const sums = imports.estimated.length === 0 ? [] : [`${imports.estimated.join(", ")} of these Days are added up`];
  const without = imports.without.length === 0 ? [] : [`${imports.without.join(", ")} are of counted Days alone`];
  return [[`imported from ${of}: ${days}`, ...sums, ...without].join("; ")];
}

/** The warnings of an answer, one a line. Metrics with the same warning stand on one line, in front of it. */
function warningNotes({ meta }: Answer): readonly string[] {
  const concerned = new Map<string, string[]>();
  for (const [metric, { warning }] of Object.entries(meta.metric_warnings ?? {})) {
    if (warning !== undefined) concerned.set(warning, [...(concerned.get(warning) ?? []), metric]);
  }
  const orders = meta.orders?.exact === false ? ["orders: a number that came on several Days earned on each"] : [];
  return [...[...concerned].map(([warning, metrics]) => `${metrics.join(", ")}: ${warning}`), ...orders];
}
