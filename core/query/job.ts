// A question or report that is too large for one request, as it is stored while it waits. It has the body as it was
// asked, and the moment that its range was resolved with. So every part of the job has the same plan, whenever it is
// counted.

import { SCAN_VISITORS_MAX } from "../limits.ts";
import type { ZonePeriod } from "../merchant.ts";
import { accepted, assert, type Outcome } from "../outcome.ts";
import { type AnswerContext, answer } from "./answer.ts";
import type { BatchKind, BatchQuestion } from "./batch.ts";
import { type Counting, type CountPlan, countPlanOf } from "./count.ts";
import type { Groups } from "./group.ts";
import type { Purse } from "./money.ts";
import { type Plan, planWithComparison } from "./plan.ts";
import { parseQuestion } from "./question.ts";
import { type Moment, resolveRange } from "./range.ts";
import { told } from "./refusal.ts";
import { REPORTS, type ReportName, reportAnswer, reportPlanOf } from "./report-count.ts";
import { refusalOf, type ScanProblem } from "./scan.ts";

export type QuestionKind = BatchKind | "batch";

export interface JobQuestion {
  /** The kind of report; undefined for a plain question. */
  readonly kind?: QuestionKind;
  readonly body: unknown;
  /** Filters that hold whatever is asked. */
  readonly fixed: readonly unknown[];
  /** UTC ms at which it was asked. */
  readonly asOf: number;
  /** UTC ms before which every acknowledged event is in the answer, where that is earlier than `asOf`. */
  readonly completeUntil?: number | undefined;
  /**
   * The share link it was asked through, and how many places the link lets it read; undefined for a
   * merchant's own question.
   */
  readonly guest?: { readonly link: string; readonly places: number } | undefined;
  /** The merchant's first Day with numbers, where "all" was asked for and there is one. */
  readonly firstDay?: number | undefined;
}

/** Counts a job's events, and gives its answer when all are counted. */
export interface JobCounting extends Counting {
  /** The money that the answer has to convert. */
  readonly purses: () => Iterable<Purse>;
  readonly answer: (context: Omit<AnswerContext, "compared">) => Outcome<unknown>;
}

/** The plan that the question had when it was asked. */
export function planOfJob(question: JobQuestion, zones: readonly ZonePeriod[]): CountPlan<JobCounting> {
  const { kind = "query", asOf, firstDay } = question;
  const moment = { zones, now: asOf, firstDay };
  if (kind === "batch") return batchPlan(question, zones);
  return kind === "query" ? questionPlan(question, moment) : reportPlan(kind, question, moment);
}

/** Both ranges of a comparison are counted from events, which have all that rollups have (SCN-1). */
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

/**
 * The questions of a batch that are too large for the request. Rows are read once for all of them, and each has its own
 * answer or refusal.
 */
function batchPlan(question: JobQuestion, zones: readonly ZonePeriod[]): CountPlan<JobCounting> {
  const { questions } = question.body as { readonly questions: readonly BatchQuestion[] };
  const plans = questions.map(({ kind, body }) => planOfJob({ ...question, kind, body }, zones));
  return {
    ranges: plans.flatMap(({ ranges }) => ranges),
    columns: [...new Set(plans.flatMap(({ columns }) => columns))],
    together: plans.some(({ together }) => together === "day") ? "day" : "partition",
    isOfVisits: plans.every(({ isOfVisits }) => isOfVisits),
    nameOf: undefined,
    open: (under, form) => {
      const all = plans.map((plan): OfBatch => ({ plan, counting: plan.open(under, form), problem: undefined }));
      return {
        add: function* (rows) {
          for (const one of all)
            if (one.problem === undefined && hasDay(one.plan, rows.day)) one.problem = yield* one.counting.add(rows);
          dropLargest(all);
          return undefined;
        },
        encode: () =>
          JSON.stringify(
            all.map(({ counting, problem }) => (problem === undefined ? { text: counting.encode() } : { problem })),
          ),
        absorb: (text) => {
          for (const [index, part] of (JSON.parse(text) as EncodedPart[]).entries()) {
            const one = all[index] as OfBatch;
            one.problem ??= "text" in part ? one.counting.absorb(part.text) : part.problem;
          }
          dropLargest(all);
          return undefined;
        },
        purses: () => all.flatMap(({ counting, problem }) => (problem === undefined ? [...counting.purses()] : [])),
        answer: (context) => {
          const answers = all.map(({ counting, problem }, index) => {
            const outcome = problem === undefined ? counting.answer(context) : refusalOf(problem);
            const shown = outcome.ok ? outcome.value : told("invalid_field", outcome.rejection.message);
            return [(questions[index] as BatchQuestion).name, shown];
          });
          return accepted({ answers: Object.fromEntries(answers) });
        },
      };
    },
  };
}

interface OfBatch {
  readonly plan: CountPlan<JobCounting>;
  readonly counting: JobCounting;
  problem: ScanProblem | undefined;
}

type EncodedPart = { readonly text: string } | { readonly problem: ScanProblem };

function hasDay({ ranges }: CountPlan<JobCounting>, day: number): boolean {
  return ranges.some(({ fromDay, toDay }) => day >= fromDay && day < toDay);
}

/** Ends the largest count, again and again, until all of them together hold no more than one alone may. */
function dropLargest(all: readonly OfBatch[]): void {
  for (;;) {
    const going = all.filter(({ problem }) => problem === undefined);
    const held = going.map((one) => ({ one, size: one.counting.held?.() ?? 0 })).sort((a, b) => b.size - a.size);
    const [largest] = held;
    if (largest === undefined || held.reduce((sum, { size }) => sum + size, 0) <= SCAN_VISITORS_MAX) return;
    largest.one.problem = "together";
  }
}

/** A part of a job on its queue. */
export interface QuestionPart {
  readonly job: string;
  readonly part: number;
  /** The merchant of the question. Its ledger has the job. */
  readonly merchant: number;
}

export function decodeQuestionPart(body: unknown): QuestionPart {
  const { job, part, merchant } = body as QuestionPart;
  const isWhole = typeof job === "string" && Number.isInteger(part) && Number.isInteger(merchant);
  assert(isWhole, "a message names a job, a part and a merchant");
  return { job, part, merchant };
}

/** The value of an outcome that cannot be a refusal: a question is parsed before it becomes a job. */
function understood<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  throw new Error(`a job's question is one: ${outcome.rejection.message}`);
}
