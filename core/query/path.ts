// Paths: the pages that visits saw first and next, up to a depth. A page seen twice in a row counts once. A visit that
// ends earlier is a shorter path.

import { isPageview } from "../event.ts";
import { type Gradual, LOOKED_AT } from "../gradual.ts";
import { PATH_DEPTH, PATH_DEPTH_MAX, PATHS_MAX, RESULTS_MAX } from "../limits.ts";
import { accepted, type Outcome } from "../outcome.ts";
import type { Budgets } from "./budget.ts";
import type { Range } from "./range.ts";
import { invalid, isIntegerIn } from "./refusal.ts";
import { admittedVisits, type DayVisits, isWithin, parseReport, type ReportQuestion } from "./report.ts";

export interface PathQuestion extends ReportQuestion {
  /** The most pages of a path, the entry page included. */
  readonly depth: number;
  readonly limit: number;
}

export interface PathResult {
  readonly pages: readonly string[];
  readonly visits: number;
}

/** Reads {"depth"?, "limit"?}. */
export function parsePaths(body: unknown, fixed: readonly unknown[] = [], budgets?: Budgets): Outcome<PathQuestion> {
  const report = parseReport(body, { own: ["depth", "limit"], fixed, budgets });
  if (!report.ok) return report;
  const { body: given, ...question } = report.value;
  const { depth = PATH_DEPTH, limit = 100 } = given;
  if (!isIntegerIn(depth, 2, PATH_DEPTH_MAX))
    return invalid(`#/depth: Expected a whole number from 2 to ${PATH_DEPTH_MAX}.`);
  if (!isIntegerIn(limit, 1, RESULTS_MAX)) return invalid(`#/limit: Expected a whole number from 1 to ${RESULTS_MAX}.`);
  return accepted({ ...question, depth, limit });
}

export interface Paths {
  readonly question: PathQuestion;
  readonly range: Range;
  /** Visits by their pages, as JSON. */
  readonly visits: Map<string, number>;
}

export function openPaths(question: PathQuestion, range: Range): Paths {
  return { question, range, visits: new Map() };
}

/** Adds a Day. Returns how many different paths there are. Beyond PATHS_MAX not all are counted. */
export function* addPathsDay(
  { question, range, visits: paths }: Paths,
  { day, visits, slices }: DayVisits,
): Gradual<number> {
  for (const { start, events } of yield* admittedVisits(visits, question.filter, slices)) {
    if (slices.isOver(LOOKED_AT * events.length)) yield;
    if (!isWithin(range, start, day)) continue;
    const pages: string[] = [];
    for (const { event, opinion } of events) {
      if (pages.length === question.depth) break;
      if (isPageview(event.name) && pages.at(-1) !== opinion.page) pages.push(opinion.page);
    }
    if (pages.length === 0) continue;
    const key = JSON.stringify(pages);
    paths.set(key, (paths.get(key) ?? 0) + 1);
    if (paths.size > PATHS_MAX) break;
  }
  return paths.size;
}

export function encodePaths({ visits }: Paths): string {
  return JSON.stringify([...visits]);
}

export function absorbPaths({ visits: paths }: Paths, text: string): number {
  for (const [key, count] of JSON.parse(text) as readonly (readonly [string, number])[])
    paths.set(key, (paths.get(key) ?? 0) + count);
  return paths.size;
}

/** The most frequent paths. Equally frequent ones are sorted by their pages. */
export function closePaths({ question, visits }: Paths): readonly PathResult[] {
  const sorted = [...visits].sort(([a, left], [b, right]) => right - left || (a < b ? -1 : 1));
  return sorted.slice(0, question.limit).map(([pages, count]) => ({
    pages: JSON.parse(pages) as string[],
    visits: count,
  }));
}
