// Reports are questions that are no table of metrics: funnels, retention, paths, and what happens now. Each has a
// merchant, a range and filters like a question, and fields of its own. Each is counted from the events of one Day
// after the other. This file has what they share.

import { type Gradual, LOOKED_AT, type Slices } from "../gradual.ts";
import { accepted, type Outcome, rejected } from "../outcome.ts";
import { type Budgets, openBudgets } from "./budget.ts";
import { type Filter, ownOf, parseFilters, passes, viewOf } from "./filter.ts";
import { type DateRange, parseDateRange, type Range } from "./range.ts";
import { invalid, isObject, mismatch, quote, shown } from "./refusal.ts";
import type { Seen, SeenVisit } from "./seen.ts";

/** The fields of every report. */
export interface ReportQuestion {
  readonly siteId: string;
  readonly dateRange: DateRange;
  /** The filter of a share link (view.ts). Undefined without a link. */
  readonly view: Filter | undefined;
  /** The asker's filter, within the link's. */
  readonly filter: Filter;
  readonly filters: readonly unknown[];
  /** Steps that the answer may take. */
  readonly budgets: Budgets;
}

/** A Day's visits, ready to be added to a report. */
export interface DayVisits {
  readonly day: number;
  readonly visits: readonly SeenVisit[];
  /** Says when to let others go first. */
  readonly slices: Slices;
}

export interface ReportFields {
  /** Names of a report's own fields. */
  readonly own: readonly string[];
  /** Filters that hold whatever is asked. */
  readonly fixed: readonly unknown[];
  /** The budgets that it pays from. Without them it has its own. */
  readonly budgets?: Budgets | undefined;
  /** The range of a report that has only one. */
  readonly defaultRange?: string;
}

/** Reads the fields that all reports have. */
export function parseReport(
  body: unknown,
  { own, fixed, budgets = openBudgets(), defaultRange }: ReportFields,
): Outcome<ReportQuestion & { readonly body: Readonly<Record<string, unknown>> }> {
  if (!isObject(body)) return mismatch("#", "Object", body);
  const known = ["site_id", "filters", ...(defaultRange === undefined ? ["date_range"] : []), ...own];
  const unknown = Object.keys(body).find((key) => !known.includes(key));
  if (unknown !== undefined) return invalid(`#/${shown(unknown)}: Schema does not allow additional properties.`);
  const { site_id: siteId, date_range: asked = defaultRange, filters = [] } = body;
  if (typeof siteId !== "string") return mismatch("#/site_id", "String", siteId);
  if (asked === undefined) return rejected("missing_field", "#: Required property date_range was not present.");
  const dateRange = parseDateRange(asked);
  if (dateRange === undefined) return invalid(`#/date_range: Invalid date range ${quote(asked)}`);
  const filter = parseFilters(filters, fixed, { budgets });
  if (!filter.ok) return filter;
  const all = [...fixed, ...(filters as readonly unknown[])];
  const read = { view: viewOf(filter.value), filter: ownOf(filter.value), filters: all, budgets };
  return accepted({ siteId, dateRange, ...read, body });
}

/**
 * A Day's visits of all partitions in the order in which they began. A visit without any event that passes is left out.
 */
export function* admittedVisits(
  visits: readonly SeenVisit[],
  filter: Filter,
  slices: Slices,
): Gradual<readonly SeenVisit[]> {
  const admitted: SeenVisit[] = [];
  for (const visit of visits) {
    for (const seen of visit.events) {
      const isAdmitted = passes(filter, seen);
      if (isAdmitted) admitted.push(visit);
      if (slices.isOver(LOOKED_AT)) yield;
      if (isAdmitted) break;
    }
  }
  return admitted.sort((a, b) => startOf(a) - startOf(b));
}

/** Whether an event of a Day belongs to the range. */
export function isWithin(range: Range, { event }: Seen, day: number): boolean {
  if (range.wholeDays) return day >= range.fromDay && day < range.toDay;
  return event.timestamp >= range.fromInstant && event.timestamp < range.toInstant;
}

function startOf({ start }: SeenVisit): number {
  return start.event.timestamp;
}
