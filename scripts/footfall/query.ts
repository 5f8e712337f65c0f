// footfall query: a question in a few words. `--metrics` and `--dimension` take the API's names; the usual dimensions may
// be written without "event:" and "visit:". `--json` shows the whole answer, which also shows the question as asked.

import type { Command } from "commander";
import { Problem } from "../problem.ts";
import { type Cell, toTable } from "../table.ts";
import { askQuestion, connect, merchantOf } from "./connection.ts";

interface QueryOptions {
  readonly metrics: string;
  readonly range: string;
  readonly dimension?: string;
  readonly filters?: string;
  readonly limit: string;
  readonly site?: string;
  readonly json?: boolean;
}

/** An answer of `POST /api/v2/query`. */
export interface Answer {
  readonly results: readonly { readonly metrics: readonly unknown[]; readonly dimensions: readonly string[] }[];
  readonly meta: { readonly visitors?: { readonly exact: boolean; readonly standard_error?: number } };
  readonly query: { readonly date_range: readonly string[] };
}

const METRICS = "visitors,visits,pageviews,bounce_rate,visit_duration";

export function addQuery(program: Command): void {
  program
    .command("query")
    .description("ask for numbers, such as: query --range 7d --dimension time:day")
    .option("--metrics <list>", "separated by commas", METRICS)
    .option(
      "--range <range>",
      "day (today), 7d, 30d (up to yesterday), month, all, … or two dates: 2026-01-01,2026-01-31",
      "30d",
    )
    .option("--dimension <name>", "one breakdown, such as time:day, page, source, country")
    .option("--filters <json>", 'as the API takes them: \'[["contains","event:page",["/blog"]]]\'')
    .option("--limit <rows>", "rows at most", "100")
    .option("--site <id>", "merchant, tracking ID or hostname (default: the local demo)")
    .action(runQuery);
}

async function runQuery(options: QueryOptions, command: Command): Promise<void> {
  const connection = await connect(command);
  const site = merchantOf(connection, options.site, "name the merchant with --site");
  const question = toQuestion(site, options);
  const answer = (await askQuestion(connection, question)) as Answer;
  if (command.optsWithGlobals<{ json?: boolean }>().json) console.log(JSON.stringify(answer, null, 2));
  else console.log(toAnswerText(answer, [...question.dimensions, ...question.metrics]));
}

export interface Question {
  readonly site_id: string;
  readonly metrics: readonly string[];
  readonly date_range: string | readonly string[];
  readonly dimensions: readonly string[];
  readonly filters?: unknown;
  readonly pagination?: { readonly limit: number };
}

/** The question that the options of `footfall query` mean. */
export function toQuestion(site: string, options: QueryOptions): Question {
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1) throw new Problem(`--limit is "${options.limit}"; it must be 1 or more`);
  return {
    site_id: site,
    metrics: options.metrics.split(",").map((metric) => metric.trim()),
    date_range: options.range.includes(",") ? options.range.split(",").map((date) => date.trim()) : options.range,
    dimensions: options.dimension === undefined ? [] : [toDimension(options.dimension)],
    ...(options.filters === undefined ? {} : { filters: parseFilters(options.filters) }),
    ...(options.dimension === undefined ? {} : { pagination: { limit } }),
  };
}

/** What they mean is for the API to say. */
function parseFilters(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem(`--filters is no JSON: ${text}`);
  }
}

/** A metric as a cell: money and other values that come with a unit are shown with it. */
export function toMetricCell(value: unknown): Cell {
  if (typeof value !== "object" || value === null) return value as Cell;
  const { long, value: amount, currency } = value as { long?: string; value?: number; currency?: string };
  return long ?? (amount === undefined ? JSON.stringify(value) : `${amount.toFixed(2)} ${currency ?? ""}`.trim());
}

/** An answer as a table under a head, and below it what a reader must know of its visitors. */
export function toAnswerText(answer: Answer, head: readonly string[]): string {
  if (answer.results.length === 0) return `(nothing from ${answer.query.date_range.join(" to ")})`;
  const rows = answer.results.map((row) => [...row.dimensions, ...row.metrics.map(toMetricCell)]);
  return [toTable(head, rows), ...estimateNote(answer)].join("\n");
}

/** The line that marks estimated visitors, if there are any. "(other)" is an estimate within one Day as well. */
export function estimateNote({ results, meta: { visitors } }: Pick<Answer, "results" | "meta">): readonly string[] {
  if (visitors === undefined || visitors.exact) return [];
  const other = results.some(({ dimensions }) => dimensions.includes("(other)")) ? ", and those of (other)," : "";
  const error = visitors.standard_error;
  const width = error === undefined ? "" : `: ±${(error * 100).toFixed(2)} % (one standard error)`;
  return [`visitors over several Days${other} are an estimate${width}`];
}

const EVENT_DIMENSIONS = ["page", "hostname", "name"];

function toDimension(name: string): string {
  if (name.includes(":")) return name;
  if (["hour", "day", "week", "month"].includes(name)) return `time:${name}`;
  return EVENT_DIMENSIONS.includes(name) ? `event:${name}` : `visit:${name}`;
}
