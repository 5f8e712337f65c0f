// Funnels: how many visitors did one thing after the other, in this order, within a window that opens with the first. A step is
// a filter of events. Of each visitor only one number for each step is kept: when the latest beginning was from which that
// step was reached; a later beginning leaves more of the window, so no other has to be remembered.

import { FUNNEL_STEPS_MAX, FUNNEL_STEPS_MIN, FUNNEL_WINDOW_SECONDS, FUNNEL_WINDOW_SECONDS_MAX } from "../limits.ts";
import { accepted, type Outcome } from "../outcome.ts";
import { type Filter, isEmpty, parseFilters, passes } from "./filter.ts";
import type { Range } from "./range.ts";
import { invalid, isIntegerIn, isObject, mismatch, quote } from "./refusal.ts";
import { admittedVisits, isWithin, parseReport, type ReportQuestion } from "./report.ts";
import type { SeenVisit } from "./seen.ts";

export interface FunnelQuestion extends ReportQuestion {
  readonly steps: readonly FunnelStep[];
  readonly windowSeconds: number;
}

interface FunnelStep {
  readonly name: string;
  readonly filter: Filter;
}

export interface FunnelResult {
  readonly name: string;
  readonly visitors: number;
  /** Of those who began, in per cent. */
  readonly conversion_rate: number;
  /** Of those who came as far as the step before, in per cent. */
  readonly step_conversion_rate: number;
}

/** Reads {"steps": [{"name"?, "filters"}, …], "window_seconds"?}. */
export function parseFunnel(body: unknown, fixed: readonly unknown[] = []): Outcome<FunnelQuestion> {
  const report = parseReport(body, { own: ["steps", "window_seconds"], fixed });
  if (!report.ok) return report;
  const { body: given, ...question } = report.value;
  const { steps: asked, window_seconds: windowSeconds = FUNNEL_WINDOW_SECONDS } = given;
  if (!isIntegerIn(windowSeconds, 1, FUNNEL_WINDOW_SECONDS_MAX))
    return invalid(`#/window_seconds: Expected a whole number from 1 to ${FUNNEL_WINDOW_SECONDS_MAX}.`);
  if (!Array.isArray(asked)) return mismatch("#/steps", "Array", asked);
  if (asked.length < FUNNEL_STEPS_MIN || asked.length > FUNNEL_STEPS_MAX)
    return invalid(`#/steps: Expected ${FUNNEL_STEPS_MIN} to ${FUNNEL_STEPS_MAX} items but got ${asked.length}.`);
  const steps: FunnelStep[] = [];
  for (const [index, step] of asked.entries()) {
    const read = parseStep(step, index);
    if (!read.ok) return read;
    steps.push(read.value);
  }
  return accepted({ ...question, steps, windowSeconds });
}

export interface Funnel {
  readonly question: FunnelQuestion;
  readonly range: Range;
  /** Of each visitor and step: the latest instant (UTC ms) of a first step from which the step was reached in time. */
  readonly begun: Map<string, (number | undefined)[]>;
}

export function openFunnel(question: FunnelQuestion, range: Range): Funnel {
  return { question, range, begun: new Map() };
}

/** Adds a Day; Days come in their order. Gives how many visitors are remembered. */
export function addFunnelDay({ question, range, begun }: Funnel, day: number, visits: readonly SeenVisit[]): number {
  const { steps, windowSeconds, filter } = question;
  for (const { events, visitor } of admittedVisits(visits, filter)) {
    for (const seen of events) {
      if (!isWithin(range, seen, day)) continue;
      const own = begun.get(visitor) ?? [];
      const { timestamp } = seen.event;
      // From the last step to the first: an event takes a visitor one step further, not two.
      for (let step = steps.length - 1; step >= 0; step--) {
        const since = step === 0 ? timestamp : own[step - 1];
        if (since === undefined || timestamp - since > windowSeconds * 1_000) continue;
        if (!passes((steps[step] as FunnelStep).filter, seen)) continue;
        own[step] = Math.max(since, own[step] ?? 0);
        begun.set(visitor, own);
      }
    }
  }
  return begun.size;
}

export function closeFunnel({ question, begun }: Funnel): readonly FunnelResult[] {
  const reached = question.steps.map((_, step) => {
    let visitors = 0;
    for (const own of begun.values()) if (own[step] !== undefined) visitors += 1;
    return visitors;
  });
  const percent = (part: number, whole: number) => (whole === 0 ? 0 : Math.round((part * 10_000) / whole) / 100);
  return question.steps.map(({ name }, step) => ({
    name,
    visitors: reached[step] as number,
    conversion_rate: percent(reached[step] as number, reached[0] as number),
    step_conversion_rate: percent(reached[step] as number, reached[Math.max(0, step - 1)] as number),
  }));
}

function parseStep(step: unknown, index: number): Outcome<FunnelStep> {
  const path = `#/steps/${index}`;
  if (!isObject(step)) return mismatch(path, "Object", step);
  const { name = `Step ${index + 1}`, filters, ...rest } = step;
  if (Object.keys(rest).length > 0) return invalid(`${path}: A step has "name" and "filters", nothing else.`);
  if (typeof name !== "string" || name.length > 100) return invalid(`${path}/name: Invalid name ${quote(name)}`);
  const filter = parseFilters(filters, [], `${path}/filters`);
  if (!filter.ok) return filter;
  if (isEmpty(filter.value)) return invalid(`${path}: A step needs filters.`);
  return accepted({ name, filter: filter.value });
}
