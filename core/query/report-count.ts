// Reports over a range, as requests and jobs count them: one list of their names, each with how its question is read
// and how its numbers are counted from visits (funnel.ts, retention.ts, path.ts, order-list.ts), written down and put
// together.

import { type Gradual, LOOKED_AT, Slices } from "../gradual.ts";
import { PATHS_MAX, SCAN_VISITORS_MAX } from "../limits.ts";
import type { ZonePeriod } from "../merchant.ts";
import { accepted, type Outcome } from "../outcome.ts";
import { type AnswerContext, sourcesOf } from "./answer.ts";
import { type Budgets, outOfSteps } from "./budget.ts";
import type { Counting, CountPlan, DayRows } from "./count.ts";
import type { Filter } from "./filter.ts";
import { absorbFunnel, addFunnelDay, closeFunnel, encodeFunnel, openFunnel, parseFunnel } from "./funnel.ts";
import { FROM_EVENTS, overlaps, skippedMeta } from "./imported.ts";
import {
  absorbOrderList,
  addOrderListDay,
  closeOrderList,
  encodeOrderList,
  openOrderList,
  parseOrderList,
} from "./order-list.ts";
import { absorbPaths, addPathsDay, closePaths, encodePaths, openPaths, parsePaths } from "./path.ts";
import { echoRange, type Range } from "./range.ts";
import type { DayVisits, ReportQuestion } from "./report.ts";
import {
  absorbRetention,
  addRetentionDay,
  closeRetention,
  encodeRetention,
  openRetention,
  parseRetention,
} from "./retention.ts";
import type { ScanProblem } from "./scan.ts";
import type { SeenVisit } from "./seen.ts";
import { type SeenThrough, visitsIn } from "./view.ts";

/** A parsed report. */
export interface Report {
  readonly question: ReportQuestion;
  /** Filters besides the question's own. */
  readonly filters: readonly Filter[];
  /** The report's own fields, after parsing. */
  readonly echo: Readonly<Record<string, unknown>>;
  readonly together: CountPlan<Counting>["together"];
  /** A name of all that decides how a Day is counted. The range, and how much is shown, do not matter. */
  readonly name: string;
  readonly open: (range: Range, form: "part" | "whole") => VisitCounter;
}

/** Counts visits. `add` and `absorb` say when it has grown too large. */
interface VisitCounter {
  readonly add: (visits: DayVisits) => Gradual<ScanProblem | undefined>;
  readonly encode: () => string;
  readonly absorb: (text: string) => ScanProblem | undefined;
  /** How many visitors it holds, if it holds any. */
  readonly held?: () => number;
  readonly results: () => unknown;
}

export interface ReportCounting extends Counting {
  readonly results: () => unknown;
}

export type ReportName = "funnel" | "retention" | "paths" | "orders";

type ParseReport = (body: unknown, fixed: readonly unknown[], budgets?: Budgets) => Outcome<Report>;

export const REPORTS: Readonly<Record<ReportName, ParseReport>> = {
  /** {"site_id","date_range","steps":[{"name"?,"filters"}],"window_seconds"?,"filters"?} */
  funnel: (body, fixed, budgets) => {
    const question = parseFunnel(body, fixed, budgets);
    if (!question.ok) return question;
    const { steps, windowSeconds } = question.value;
    return accepted({
      question: question.value,
      filters: steps.map(({ filter }) => filter),
      echo: { steps: steps.map(({ name }) => name), window_seconds: windowSeconds },
      together: "day",
      name: nameOf("funnel", body, fixed),
      open: (range, form) => {
        const funnel = openFunnel(question.value, range, form);
        const { problem, held } = holding();
        return {
          add: function* (visits) {
            return problem(yield* addFunnelDay(funnel, visits));
          },
          encode: () => encodeFunnel(funnel),
          absorb: (text) => problem(absorbFunnel(funnel, text)),
          held,
          results: () => closeFunnel(funnel),
        };
      },
    });
  },
  /** {"site_id","date_range","filters"?} */
  retention: (body, fixed, budgets) => {
    const question = parseRetention(body, fixed, budgets);
    if (!question.ok) return question;
    return accepted({
      question: question.value,
      filters: [],
      echo: {},
      together: "partition",
      name: nameOf("retention", body, fixed),
      open: (range) => {
        const retention = openRetention(question.value, range);
        const { problem, held } = holding();
        return {
          add: function* (visits) {
            return problem(yield* addRetentionDay(retention, visits));
          },
          encode: () => encodeRetention(retention),
          absorb: (text) => problem(absorbRetention(retention, text)),
          held,
          results: () => closeRetention(retention),
        };
      },
    });
  },
  /** {"site_id","date_range","depth"?,"from"?,"to"?,"limit"?,"filters"?} */
  paths: (body, fixed, budgets) => {
    const question = parsePaths(body, fixed, budgets);
    if (!question.ok) return question;
    const { depth, limit, from, to } = question.value;
    return accepted({
      question: question.value,
      filters: [],
      echo: { depth, ...(from !== undefined && { from }), ...(to !== undefined && { to }), limit },
      together: "partition",
      name: nameOf("paths", body, fixed),
      open: (range) => {
        const paths = openPaths(question.value, range);
        const problem = (count: number) => (count > PATHS_MAX ? "paths" : undefined);
        return {
          add: function* (visits) {
            return problem(yield* addPathsDay(paths, visits));
          },
          encode: () => encodePaths(paths),
          absorb: (text) => problem(absorbPaths(paths, text)),
          results: () => closePaths(paths),
        };
      },
    });
  },
  /** {"site_id","date_range","limit"?,"filters"?} */
  orders: (body, fixed, budgets) => {
    const question = parseOrderList(body, fixed, budgets);
    if (!question.ok) return question;
    const { limit } = question.value;
    return accepted({
      question: question.value,
      filters: [],
      echo: { limit },
      together: "partition",
      // What is counted of a Day depends on how many are told.
      name: JSON.stringify([nameOf("orders", body, fixed), limit]),
      open: (range) => {
        const list = openOrderList(question.value, range);
        return {
          add: function* (visits) {
            yield* addOrderListDay(list, visits);
            return undefined;
          },
          encode: () => encodeOrderList(list),
          absorb: (text) => {
            absorbOrderList(list, text);
            return undefined;
          },
          results: () => closeOrderList(list),
        };
      },
    });
  },
};

function nameOf(kind: ReportName, body: unknown, fixed: readonly unknown[]): string {
  return JSON.stringify([kind, fixed, { ...(body as object), site_id: 0, date_range: 0, limit: 0 }]);
}

export function reportPlanOf({ question, together, name, open }: Report, range: Range): CountPlan<ReportCounting> {
  return {
    ranges: [range],
    columns: ["props", "products"],
    together,
    // Through a link's view the rows that it admits make visits of their own.
    isOfVisits: question.view === undefined,
    nameOf: range.wholeDays ? () => name : undefined,
    open: (under, form) => {
      const { add, ...counter } = open(range, form);
      return {
        ...counter,
        add: function* (rows) {
          const { view, budgets } = question;
          const visits = yield* visitsOf(rows, { under, view, budgets });
          return (yield* add({ day: rows.day, visits, slices: new Slices(budgets) })) ?? outOfSteps(budgets);
        },
      };
    },
  };
}

/** The answer to a report. */
export function reportAnswer(
  { question, echo }: Report,
  {
    range,
    zones,
    results,
  }: { readonly range: Range; readonly zones: readonly ZonePeriod[]; readonly results: unknown },
  { asOf, cost, imported = [] }: Pick<AnswerContext, "asOf" | "cost" | "imported">,
) {
  const { siteId: site_id, filters, view } = question;
  return {
    results,
    meta: {
      as_of: new Date(asOf).toISOString(),
      sources: sourcesOf({ source: "archive" }, { cost, view }),
      ...(view === undefined && overlaps(range, imported) && skippedMeta(FROM_EVENTS)),
    },
    query: { site_id, date_range: echoRange(range, zones), filters, ...echo },
  };
}

/** The visits of rows that were added together. */
export function* visitsOf({ partitions, day, isCounted }: DayRows, seen: SeenThrough): Gradual<readonly SeenVisit[]> {
  const slices = new Slices(seen.budgets);
  const visits: SeenVisit[] = [];
  for (const rows of partitions)
    for (const visit of yield* visitsIn({ rows, day, isCounted }, seen)) {
      visits.push(visit);
      if (slices.isOver(LOOKED_AT * visit.events.length)) yield;
    }
  return visits;
}

/** Remembers how many visitors are held, and says when there are too many. */
function holding() {
  let held = 0;
  const problem = (count: number): ScanProblem | undefined => {
    held = count;
    return count > SCAN_VISITORS_MAX ? "visitors" : undefined;
  };
  return { problem, held: () => held };
}
