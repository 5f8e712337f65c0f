// Retention: visitors by the week in which they first came within the range, and how many of them came again in each
// later week. It counts only visitors who can be recognised, by first-party ids. Others are somebody else tomorrow.

import { type Gradual, LOOKED_AT } from "../gradual.ts";
import { accepted, type Outcome } from "../outcome.ts";
import { dateOf, weekOf } from "../time.ts";
import type { Budgets } from "./budget.ts";
import type { Range } from "./range.ts";
import { admittedVisits, type DayVisits, isWithin, parseReport, type ReportQuestion } from "./report.ts";

export interface RetentionResult {
  /** The Monday of the week in which they first came. */
  readonly cohort: string;
  readonly visitors: number;
  /** How many of them came in that week and in each later week of the range. */
  readonly retained: readonly number[];
}

export function parseRetention(
  body: unknown,
  fixed: readonly unknown[] = [],
  budgets?: Budgets,
): Outcome<ReportQuestion> {
  const report = parseReport(body, { own: [], fixed, budgets });
  if (!report.ok) return report;
  const { body: _, ...question } = report.value;
  return accepted(question);
}

export interface Retention {
  readonly question: ReportQuestion;
  readonly range: Range;
  /** For each visitor the weeks it came in, as Days of their Mondays, ascending. */
  readonly weeks: Map<string, number[]>;
}

export function openRetention(question: ReportQuestion, range: Range): Retention {
  return { question, range, weeks: new Map() };
}

/** Adds a Day. Days come in their order. Returns how many visitors are remembered. */
export function* addRetentionDay(
  { question, range, weeks }: Retention,
  { day, visits, slices }: DayVisits,
): Gradual<number> {
  const week = weekOf(day);
  for (const { events, visitor } of yield* admittedVisits(visits, question.filter, slices)) {
    if (slices.isOver(LOOKED_AT * events.length)) yield;
    if (!events.some((seen) => isWithin(range, seen, day))) continue;
    const own = weeks.get(visitor);
    if (own === undefined) weeks.set(visitor, [week]);
    else if (own.at(-1) !== week) own.push(week);
  }
  return weeks.size;
}

export function encodeRetention({ weeks }: Retention): string {
  return JSON.stringify([...weeks]);
}

/** Adds later Days. The week in which both meet counts once. */
export function absorbRetention({ weeks }: Retention, text: string): number {
  for (const [visitor, later] of JSON.parse(text) as readonly (readonly [string, number[]])[]) {
    const own = weeks.get(visitor);
    if (own === undefined) weeks.set(visitor, later);
    else own.push(...(own.at(-1) === later[0] ? later.slice(1) : later));
  }
  return weeks.size;
}

export function closeRetention({ range, weeks }: Retention): readonly RetentionResult[] {
  const last = weekOf(range.toDay - 1);
  const cohorts = new Map<number, number[]>();
  for (const own of weeks.values()) {
    const first = own[0] as number;
    const retained = cohorts.get(first) ?? new Array<number>((last - first) / 7 + 1).fill(0);
    cohorts.set(first, retained);
    for (const week of own) retained[(week - first) / 7] = (retained[(week - first) / 7] as number) + 1;
  }
  return [...cohorts]
    .sort(([a], [b]) => a - b)
    .map(([week, retained]) => ({ cohort: dateOf(week), visitors: retained[0] as number, retained }));
}
