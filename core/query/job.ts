// A question that is too large for one request, as it waits for its answer: the body as it was asked and what the range was
// resolved with, so that every part of the job, whenever it is counted, has the same plan. Questions and reports alike.

import type { ZonePeriod } from "../merchant.ts";
import { accepted, assert, type Outcome } from "../outcome.ts";
import { type AnswerContext, answer } from "./answer.ts";
import { type Counting, type CountPlan, countPlanOf } from "./count.ts";
import type { Groups } from "./group.ts";
import type { Purse } from "./money.ts";
import { type Plan, planWithComparison } from "./plan.ts";
import { parseQuestion } from "./question.ts";
import { type Moment, resolveRange } from "./range.ts";
import { REPORTS, type ReportName, reportAnswer, reportPlanOf } from "./report-count.ts";

export type QuestionKind = "query" | ReportName;

export interface JobQuestion {
  /** A plain question unless it says otherwise. */
  readonly kind?: QuestionKind;
  readonly body: unknown;
  /** Filters that hold whatever is asked. */
  readonly fixed: readonly unknown[];
  /** UTC ms at which it was asked. */
  readonly asOf: number;
  /** UTC ms before which every acknowledged event is in the answer, where that is earlier. */
  readonly completeUntil?: number | undefined;
  /** The merchant's first Day with numbers, where "all" was asked for and there is one. */
  readonly firstDay?: number | undefined;
}

/** What counts a job, and gives its answer when all is counted. */
export interface JobCounting extends Counting {
  /** Money that the answer will have to convert. */
  readonly purses: () => Iterable<Purse>;
  readonly answer: (context: Omit<AnswerContext, "compared">) => Outcome<unknown>;
}

/** The plan that the question had when it was asked. */
export function planOfJob(question: JobQuestion, zones: readonly ZonePeriod[]): CountPlan<JobCounting> {
  const { kind = "query", asOf, firstDay } = question;
  const moment = { zones, now: asOf, firstDay };
  return kind === "query" ? questionPlan(question, moment) : reportPlan(kind, question, moment);
}

/** Both ranges of a comparison are counted from events, which know whatever rollups do (SCN-1). */
function questionPlan({ body, fixed }: JobQuestion, moment: Moment): CountPlan<JobCounting> {
  const plans = understood(planWithComparison(understood(parseQuestion(body, fixed)), moment));
  const { open, ...reading } = countPlanOf(plans);
  return {
    ...reading,
    open: (under, form) => {
      const counting = open(under, form);
      return {
        ...counting,
        purses: () => counting.groups().flatMap(({ groups }) => groups.map(({ purse }) => purse)),
        answer: (context) => answerOf(plans, counting.groups(), context),
      };
    },
  };
}

function answerOf(
  [plan, other]: readonly [Plan, ...Plan[]],
  [groups, otherGroups]: readonly Groups[],
  context: Omit<AnswerContext, "compared">,
): Outcome<unknown> {
  const compared = other && otherGroups && { plan: other, groups: otherGroups };
  return answer(plan, groups as Groups, { ...context, compared });
}

function reportPlan(kind: ReportName, { body, fixed }: JobQuestion, moment: Moment): CountPlan<JobCounting> {
  const report = understood(REPORTS[kind](body, fixed));
  const range = understood(resolveRange(report.question.dateRange, moment));
  const { open, ...reading } = reportPlanOf(report, range);
  return {
    ...reading,
    open: (under, form) => {
      const counting = open(under, form);
      const facts = () => ({ range, zones: moment.zones, results: counting.results() });
      return { ...counting, purses: () => [], answer: (context) => accepted(reportAnswer(report, facts(), context)) };
    },
  };
}

/** A part of a job on its queue. */
export interface QuestionPart {
  readonly job: string;
  readonly part: number;
  /** Whose question it is: its ledger has the job. */
  readonly merchant: number;
}

export function decodeQuestionPart(body: unknown): QuestionPart {
  const { job, part, merchant } = body as QuestionPart;
  const isWhole = typeof job === "string" && Number.isInteger(part) && Number.isInteger(merchant);
  assert(isWhole, "a message names a job, a part and a merchant");
  return { job, part, merchant };
}

/** A question was understood before it became a job. */
function understood<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  throw new Error(`a job's question is one: ${outcome.rejection.message}`);
}
