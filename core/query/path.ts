// Paths: which pages visits saw first, and which next, up to a depth. A page that is seen twice in a row counts once; a
// visit that ends earlier is a shorter path. Or they are followed from a page in the middle: what visits saw from the
// first time that they saw it on, or until then.

import { isPageview } from "../event.ts";
import { type Gradual, LOOKED_AT } from "../gradual.ts";
import { PATH_DEPTH, PATH_DEPTH_MAX, PATHS_MAX, RESULTS_MAX, URL_LENGTH_MAX } from "../limits.ts";
import { accepted, type Outcome } from "../outcome.ts";
import type { Budgets } from "./budget.ts";
import type { Range } from "./range.ts";
import { invalid, isIntegerIn } from "./refusal.ts";
import { admittedVisits, type DayVisits, isWithin, parseReport, type ReportQuestion } from "./report.ts";
import type { Seen } from "./seen.ts";

export interface PathQuestion extends ReportQuestion {
  /** The most pages of a path, the entry page included. */
  readonly depth: number;
  /** The page that paths begin with; those of visits from their first page on without it, and without `to`. */
  readonly from: string | undefined;
  /** The page that paths end with. */
  readonly to: string | undefined;
  readonly limit: number;
}

export interface PathResult {
  readonly pages: readonly string[];
  readonly visits: number;
}

/** Reads {"depth"?, "from"?, "to"?, "limit"?}. */
export function parsePaths(body: unknown, fixed: readonly unknown[] = [], budgets?: Budgets): Outcome<PathQuestion> {
  const report = parseReport(body, { own: ["depth", "from", "to", "limit"], fixed, budgets });
  if (!report.ok) return report;
  const { body: given, ...question } = report.value;
  const { depth = PATH_DEPTH, from, to, limit = 100 } = given;
  if (!isIntegerIn(depth, 2, PATH_DEPTH_MAX))
    return invalid(`#/depth: Expected a whole number from 2 to ${PATH_DEPTH_MAX}.`);
  if (!isIntegerIn(limit, 1, RESULTS_MAX)) return invalid(`#/limit: Expected a whole number from 1 to ${RESULTS_MAX}.`);
  for (const [name, page] of Object.entries({ from, to }))
    if (page !== undefined && !isPage(page))
      return invalid(`#/${name}: Expected a page of 1 to ${URL_LENGTH_MAX} characters.`);
  if (from !== undefined && to !== undefined)
    return invalid("#/to: A path begins with a page or ends with one; leave out from or to.");
  return accepted({ ...question, depth, from: from as string | undefined, to: to as string | undefined, limit });
}

function isPage(page: unknown): page is string {
  return typeof page === "string" && page !== "" && page.length <= URL_LENGTH_MAX;
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
    const pages = pagesOf(events, question);
    if (pages.length === 0) continue;
    const key = JSON.stringify(pages);
    paths.set(key, (paths.get(key) ?? 0) + 1);
    if (paths.size > PATHS_MAX) break;
  }
  return paths.size;
}

/** The part of a visit's way that is asked for; nothing where it did not come by the page that is asked for. */
function pagesOf(events: readonly Seen[], { depth, from, to }: PathQuestion): readonly string[] {
  const pages: string[] = [];
  for (const { event, opinion } of events) {
    if (!isPageview(event.name) || pages.at(-1) === opinion.page) continue;
    if (from !== undefined && pages.length === 0 && opinion.page !== from) continue;
    pages.push(opinion.page);
    if (to === undefined ? pages.length === depth : opinion.page === to) return pages.slice(-depth);
  }
  return to === undefined ? pages : [];
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
