// Funnels: how many visitors did several things in a given order, within a window that begins with the first of them. A
// step is a filter of events. For each visitor and step only one number is kept: the latest beginning from which the
// step was reached. A later beginning leaves more of the window, so no earlier one has to be remembered. A part of the
// Days also keeps how soon it leads from each step to each later one, for visitors who began before the part. So parts
// can be joined like Days.

import type { Gradual } from "../gradual.ts";
import { FUNNEL_STEPS_MAX, FUNNEL_STEPS_MIN, FUNNEL_WINDOW_SECONDS, FUNNEL_WINDOW_SECONDS_MAX } from "../limits.ts";
import { accepted, type Outcome } from "../outcome.ts";
import type { Budgets } from "./budget.ts";
import { type Filter, isEmpty, parseFilters, passes } from "./filter.ts";
import type { Range } from "./range.ts";
import { invalid, isIntegerIn, isObject, mismatch, quote } from "./refusal.ts";
import { admittedVisits, type DayVisits, isWithin, parseReport, type ReportQuestion } from "./report.ts";

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
  /** The share of those who began, in per cent. */
  readonly conversion_rate: number;
  /** The share of those who reached the step before, in per cent. */
  readonly step_conversion_rate: number;
}

/** Reads {"steps": [{"name"?, "filters"}, …], "window_seconds"?}. */
export function parseFunnel(body: unknown, fixed: readonly unknown[] = [], budgets?: Budgets): Outcome<FunnelQuestion> {
  const report = parseReport(body, { own: ["steps", "window_seconds"], fixed, budgets });
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
    const read = parseStep(step, index, question.budgets);
    if (!read.ok) return read;
    steps.push(read.value);
  }
  return accepted({ ...question, steps, windowSeconds });
}

export interface Funnel {
  readonly question: FunnelQuestion;
  readonly range: Range;
  /**
   * For each visitor and step: the latest time (UTC ms) of a first step from which the step was reached in the window.
   */
  readonly begun: Map<string, Instants>;
  /**
   * Of each visitor, where this is a part: by `[from * steps + to]` the earliest instant at which all steps after
   * `from` up to `to` were done in their order.
   */
  readonly onward: Map<string, Instants> | undefined;
  /** How many numbers `onward` has. */
  onwardCount: number;
}

/** UTC ms; with gaps. */
type Instants = (number | undefined)[];

export function openFunnel(question: FunnelQuestion, range: Range, form: "part" | "whole" = "whole"): Funnel {
  return { question, range, begun: new Map(), onward: form === "part" ? new Map() : undefined, onwardCount: 0 };
}

/** Adds a Day. Days come in their order. Returns how many visitors, or numbers about them, are remembered. */
export function* addFunnelDay(funnel: Funnel, { day, visits, slices }: DayVisits): Gradual<number> {
  const { question, range, begun } = funnel;
  const { steps, windowSeconds, filter } = question;
  for (const { events, visitor } of yield* admittedVisits(visits, filter, slices)) {
    for (const seen of events) {
      if (slices.isOver()) yield;
      if (!isWithin(range, seen, day)) continue;
      const own = begun.get(visitor) ?? [];
      const { timestamp } = seen.event;
      // From the last step to the first, so that one event takes a visitor one step further and not two.
      for (let step = steps.length - 1; step >= 0; step--) {
        const since = step === 0 ? timestamp : own[step - 1];
        const isReached = since !== undefined && timestamp - since <= windowSeconds * 1_000;
        const leadsOn = step > 0 && funnel.onward !== undefined;
        if ((!isReached && !leadsOn) || !passes((steps[step] as FunnelStep).filter, seen)) continue;
        if (leadsOn) noteOnward(funnel, { visitor, step, timestamp });
        if (!isReached) continue;
        own[step] = Math.max(since, own[step] ?? 0);
        begun.set(visitor, own);
      }
    }
  }
  return begun.size + funnel.onwardCount;
}

/** A step leads on from the step before it, and from all steps that led there. The first time is the soonest. */
function noteOnward(
  funnel: Funnel,
  { visitor, step, timestamp }: { visitor: string; step: number; timestamp: number },
) {
  const { question, onward } = funnel;
  const count = question.steps.length;
  const own = onward?.get(visitor) ?? [];
  for (let from = 0; from < step; from++) {
    if (from < step - 1 && own[from * count + step - 1] === undefined) continue;
    if (own[from * count + step] !== undefined) continue;
    own[from * count + step] = timestamp;
    funnel.onwardCount += 1;
  }
  onward?.set(visitor, own);
}

interface EncodedFunnel {
  readonly begun: readonly (readonly [visitor: string, begun: readonly (number | null)[]])[];
  readonly onward: readonly (readonly [visitor: string, onward: readonly (number | null)[]])[];
}

export function encodeFunnel({ begun, onward }: Funnel): string {
  const written = (of: ReadonlyMap<string, Instants>) =>
    [...of].map(([visitor, own]) => [visitor, Array.from(own, (instant) => instant ?? null)] as const);
  return JSON.stringify({ begun: written(begun), onward: written(onward ?? new Map()) } satisfies EncodedFunnel);
}

/**
 * Adds a part of later Days. A visitor who had reached some step before the part goes on by what the part leads to,
 * within the window of that beginning. A visitor who began in the part has what the part says.
 */
export function absorbFunnel({ question, begun }: Funnel, text: string): number {
  const { steps, windowSeconds } = question;
  const part = JSON.parse(text) as EncodedFunnel;
  for (const [visitor, onward] of part.onward) {
    const own = begun.get(visitor);
    if (own === undefined) continue;
    const before = [...own];
    for (const [from, since] of before.entries()) {
      if (since === undefined) continue;
      for (let step = from + 1; step < steps.length; step++) {
        const reached = onward[from * steps.length + step] ?? Number.POSITIVE_INFINITY;
        if (reached - since <= windowSeconds * 1_000) own[step] = Math.max(since, own[step] ?? 0);
      }
    }
  }
  for (const [visitor, begunThere] of part.begun) {
    const own = begun.get(visitor) ?? [];
    begun.set(visitor, own);
    for (const [step, since] of begunThere.entries()) if (since !== null) own[step] = Math.max(since, own[step] ?? 0);
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

function parseStep(step: unknown, index: number, budgets: Budgets): Outcome<FunnelStep> {
  const path = `#/steps/${index}`;
  if (!isObject(step)) return mismatch(path, "Object", step);
  const { name = `Step ${index + 1}`, filters, ...rest } = step;
  if (Object.keys(rest).length > 0) return invalid(`${path}: A step has "name" and "filters", nothing else.`);
  if (typeof name !== "string" || name.length > 100) return invalid(`${path}/name: Invalid name ${quote(name)}`);
  const filter = parseFilters(filters, [], { at: `${path}/filters`, budgets });
  if (!filter.ok) return filter;
  if (isEmpty(filter.value)) return invalid(`${path}: A step needs filters.`);
  return accepted({ name, filter: filter.value });
}
