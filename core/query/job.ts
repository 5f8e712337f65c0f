// A question that is too large for one request, as it waits for its answer: the body as it was asked and what the range was
// resolved with, so that every part of the job, whenever it is counted, has the same plan.

import type { ZonePeriod } from "../merchant.ts";
import type { Outcome } from "../outcome.ts";
import { assert } from "../outcome.ts";
import { type Plan, planQuestion } from "./plan.ts";
import { parseQuestion } from "./question.ts";
import { resolveRange } from "./range.ts";

export interface JobQuestion {
  readonly body: unknown;
  /** Filters that hold whatever is asked. */
  readonly fixed: readonly unknown[];
  /** UTC ms. */
  readonly asOf: number;
  /** The merchant's first Day with numbers, where "all" was asked for and there is one. */
  readonly firstDay?: number | undefined;
}

/** The plan that the question had when it was asked. */
export function planOfJob({ body, fixed, asOf, firstDay }: JobQuestion, zones: readonly ZonePeriod[]): Plan {
  const question = understood(parseQuestion(body, fixed));
  const range = understood(resolveRange(question.dateRange, { zones, now: asOf, firstDay }));
  return understood(planQuestion(question, range, zones));
}

/** A part of a job on its queue. */
export interface QuestionPart {
  readonly job: string;
  readonly part: number;
}

export function decodeQuestionPart(body: unknown): QuestionPart {
  const { job, part } = body as QuestionPart;
  assert(typeof job === "string" && Number.isInteger(part), "a message names a job and a part");
  return { job, part };
}

/** A question was understood before it became a job. */
function understood<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  throw new Error(`a job's question is one: ${outcome.rejection.message}`);
}
