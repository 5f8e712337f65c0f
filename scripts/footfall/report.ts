// footfall realtime, funnel, retention and paths: the reports of the API in a few words, each as a table of its own.
// What they have in common with `footfall query` is in question.ts.

import type { Command } from "commander";
import { Problem } from "../problem.ts";
import { toBar, toFigure, toSparkline, toTable } from "../table.ts";
import {
  type AskedOptions,
  addQuestionOptions,
  addRangeOption,
  askAndPrint,
  listOption,
  type RangeOption,
  toCondition,
  toCount,
  toFilters,
  toRange,
} from "./question.ts";

/** An answer of any report. */
interface Report<Results> {
  readonly results: Results;
  readonly query: { readonly date_range: readonly string[] };
}

export function addReports(program: Command): void {
  addRealtime(program);
  addFunnel(program);
  addRetention(program);
  addPaths(program);
}

interface Minutes {
  readonly visitors: number;
  readonly minutes: readonly { readonly minute: string; readonly visitors: number; readonly pageviews: number }[];
}

function addRealtime(program: Command): void {
  const command = program.command("realtime").description("who is there now, and the last half hour by the minute");
  addQuestionOptions(command).action(async (options: AskedOptions) => {
    await askAndPrint<Report<Minutes>>("/api/v2/realtime", command, {
      toQuestion: (site) => ({ site_id: site, ...toFilters(options) }),
      toText: ({ results }) => toRealtimeText(results),
    });
  });
}

export function toRealtimeText({ visitors, minutes }: Minutes): string {
  const busy = minutes.filter((minute) => minute.visitors > 0 || minute.pageviews > 0);
  const now = `${toFigure(visitors)} visitor${visitors === 1 ? "" : "s"} in the last five minutes`;
  if (busy.length === 0) return `${now}, and nobody in the last half hour`;
  return [
    now,
    `page views by minute ▸ ${toSparkline(minutes.map(({ pageviews }) => pageviews))}`,
    toTable(
      ["minute", "visitors", "page views"],
      busy.map((row) => [row.minute, row.visitors, row.pageviews]),
    ),
  ].join("\n");
}

interface FunnelOptions extends AskedOptions, RangeOption {
  readonly step: readonly string[];
  readonly window?: string;
}

interface Step {
  readonly name: string;
  readonly visitors: number;
  readonly conversion_rate: number;
  readonly step_conversion_rate: number;
}

function addFunnel(program: Command): void {
  const command = program
    .command("funnel")
    .description('how many visitors did one thing after the other: funnel --step page=/cart --step "name=purchase"')
    .addOption(listOption("--step <condition>", STEP))
    .option("--window <time>", "from the first step to the last at most: 30m, 1h, 7d, or seconds");
  addQuestionOptions(addRangeOption(command))
    .addHelpText("after", FUNNEL_HELP)
    .action(async (options: FunnelOptions) => {
      await askAndPrint<Report<readonly Step[]>>("/api/v2/funnel", command, {
        toQuestion: (site) => toFunnelQuestion(site, options),
        toText: toFunnelText,
      });
    });
}

const STEP = "what is done, in order: page=/cart, name=purchase, goal=Order, page~/checkout; two of them at least";
const FUNNEL_HELP = `
A step is a condition as --where takes it, or one of the API: '{"name":"Cart","filters":[["is","event:page",["/cart"]]]}'.
Visitors that are known again (visitor_id) may take several visits; others are somebody else tomorrow.`;

export function toFunnelQuestion(site: string, options: FunnelOptions) {
  const steps = options.step.map(toStep);
  if (steps.length < 2) throw new Problem("a funnel has two steps at least: give --step once for each");
  const window = options.window === undefined ? {} : { window_seconds: toSeconds(options.window) };
  return { site_id: site, date_range: toRange(options.range), ...toFilters(options), steps, ...window };
}

function toStep(text: string): unknown {
  if (!text.trim().startsWith("{")) return { name: text.slice(0, STEP_NAME_LENGTH), filters: [toCondition(text)] };
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem(`--step is no JSON: ${text}`);
  }
}

const STEP_NAME_LENGTH = 100;
const UNIT_SECONDS: Readonly<Record<string, number>> = { "": 1, s: 1, m: 60, h: 3600, d: 86_400 };

/** "1h" → 3600. */
export function toSeconds(text: string): number {
  const [, figure = "", unit = ""] = /^(\d+)\s*([smhd]?)$/.exec(text.trim()) ?? [];
  if (figure === "" || Number(figure) < 1)
    throw new Problem(`--window is "${text}"; it must be such as 30m, 1h, 7d or 3600`);
  return Number(figure) * (UNIT_SECONDS[unit] as number);
}

const BAR_WIDTH = 24;

export function toFunnelText({ results }: Report<readonly Step[]>): string {
  const most = results[0]?.visitors ?? 0;
  return toTable(
    ["step", "visitors", "of all", "of the step before", ""],
    results.map((step) => [
      ...[step.name, step.visitors, `${step.conversion_rate}%`, `${step.step_conversion_rate}%`],
      toBar(step.visitors, most, BAR_WIDTH),
    ]),
  );
}

interface Cohort {
  readonly cohort: string;
  readonly visitors: number;
  readonly retained: readonly number[];
}

function addRetention(program: Command): void {
  const command = program
    .command("retention")
    .description("of the visitors who first came in a week, how many came again in each week after (in per cent)");
  addQuestionOptions(addRangeOption(command, "91d"))
    .addHelpText(
      "after",
      "\nThis can be told of visitors that are known again (visitor_id) alone. --csv and --json give counts.",
    )
    .action(async (options: AskedOptions & RangeOption) => {
      await askAndPrint<Report<readonly Cohort[]>>("/api/v2/retention", command, {
        toQuestion: (site) => ({ site_id: site, date_range: toRange(options.range), ...toFilters(options) }),
        toText: toRetentionText,
      });
    });
}

export function toRetentionText({ results, query }: Report<readonly Cohort[]>): string {
  if (results.length === 0) return nothing(query);
  const weeks = Math.max(...results.map(({ retained }) => retained.length));
  const head = ["week of", "visitors", ...Array.from({ length: weeks - 1 }, (_, week) => `+${week + 1}`)];
  const rows = results.map(({ cohort, visitors, retained }) => [
    ...[cohort, visitors],
    ...Array.from({ length: weeks - 1 }, (_, week) => toShare(retained[week + 1], visitors)),
  ]);
  return toTable(head, rows);
}

function toShare(part: number | undefined, whole: number): string {
  return part === undefined ? "" : `${whole === 0 ? 0 : Math.round((part * 1000) / whole) / 10}%`;
}

interface PathOptions extends AskedOptions, RangeOption {
  readonly depth?: string;
  readonly limit: string;
}

interface Path {
  readonly pages: readonly string[];
  readonly visits: number;
}

function addPaths(program: Command): void {
  const command = program
    .command("paths")
    .description("which pages visits saw first, and which next")
    .option("--depth <pages>", "pages of a path at most (default: 3)")
    .option("--limit <rows>", "rows at most", "20");
  addQuestionOptions(addRangeOption(command)).action(async (options: PathOptions) => {
    await askAndPrint<Report<readonly Path[]>>("/api/v2/paths", command, {
      toQuestion: (site) => toPathsQuestion(site, options),
      toText: toPathsText,
    });
  });
}

export function toPathsQuestion(site: string, options: PathOptions) {
  const depth = options.depth === undefined ? {} : { depth: toCount("--depth", options.depth) };
  const limit = toCount("--limit", options.limit);
  return { site_id: site, date_range: toRange(options.range), ...toFilters(options), ...depth, limit };
}

export function toPathsText({ results, query }: Report<readonly Path[]>): string {
  if (results.length === 0) return nothing(query);
  return toTable(
    ["visits", "path"],
    results.map(({ visits, pages }) => [visits, pages.join(" → ")]),
  );
}

function nothing({ date_range }: Report<unknown>["query"]): string {
  return `(nothing from ${date_range.join(" to ")})`;
}
