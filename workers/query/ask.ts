// The public routes of questions: POST /api/v2/query, and the reports (report.ts). Statuses and texts are those that
// clients of the Plausible Stats API v2 know. Every error is {"error": "…", "code", "field"?}. The order of checks is
// also Plausible's: key given, body readable, merchant named, key right, question right.

import type { Context } from "hono";
import { QUESTION_BYTES_MAX, RATE_LIMIT_PERIOD_SECONDS } from "../../core/limits.ts";
import type { Outcome, Rejection } from "../../core/outcome.ts";
import { parseQuestion } from "../../core/query/question.ts";
import type { Merchant } from "../../storage/directory/merchants.ts";
import { readBody } from "../../storage/request-body.ts";
import { refuseQuestion, sendAnswer } from "./answer.ts";
import {
  type Asker,
  admitAsker,
  budgetsOf,
  emptyPurseOf,
  MISSING_KEY,
  MISSING_SITE,
  type Purses,
  readingAs,
  saysWho,
} from "./asker.ts";
import type { Deps } from "./deps.ts";
import { execute } from "./execute.ts";
import { parseJson } from "./json.ts";
import type { ProblemCode } from "./problem.ts";
import { answerByJob, type Given, type JobReply, toResponse, waitOf } from "./question-jobs.ts";
import { fillSegments } from "./segments.ts";

const UNREADABLE = {
  too_large: { code: "body_too_large", error: `The body exceeds ${QUESTION_BYTES_MAX} bytes.` },
  incomplete: { code: "incomplete_body", error: "The request body ended before its announced end." },
} as const;

/** What answers a question of one kind. */
type Answering = (body: unknown, merchant: Merchant, given: Given) => Promise<Outcome<unknown> | JobReply>;

/** POST /api/v2/query. */
export const ask = answering(async (body, merchant, given) => {
  const question = parseQuestion(body, given.fixed, given.budgets);
  if (!question.ok) return question;
  const answered = await execute(question.value, merchant, given.deps);
  return "places" in answered ? answerByJob({ kind: "query", body, large: answered }, merchant, given) : answered;
});

/** Makes a route of questions. For all kinds alike it finds who asks, about which merchant, and with which filters. */
export function answering(answer: Answering): (c: Context, deps: Deps) => Promise<Response> {
  return (c, deps) => respond(c, deps, answer);
}

async function respond(c: Context, deps: Deps, answer: Answering): Promise<Response> {
  const admitted = await admitBody(c, deps);
  if (admitted instanceof Response) return admitted;
  const { body, asker } = admitted;
  const filled = await fillSegments(body, asker, deps);
  if (!filled.ok) return refuseQuestion(c, codeOf(filled.rejection), filled.rejection.message);
  const budgets = budgetsOf(asker, deps);
  const reading = readingAs(asker, deps);
  const refusal = () => refusedForNow(c, { budgets, reading: reading.reading });
  const before = refusal();
  if (before !== undefined) return before;
  const answered = await answer(filled.value, asker.merchant, {
    deps: reading,
    budgets,
    fixed: asker.filters,
    link: asker.isShared ? asker.id : undefined,
    waitSeconds: waitOf(c),
  });
  if ("status" in answered) return toResponse(c, answered);
  if (!answered.ok) return refusal() ?? refuseQuestion(c, codeOf(answered.rejection), answered.rejection.message);
  return sendAnswer(c, withNotice(answered.value, deps.notice()));
}

/** Adds to the `meta` of an answer what must be said about the deployment's state, if anything. */
function withNotice(answer: unknown, notice: string | undefined): unknown {
  const { meta } = answer as { readonly meta?: object };
  return notice === undefined || meta === undefined ? answer : { ...(answer as object), meta: { ...meta, notice } };
}

/** Who asks what, or the refusal. The order of checks is the one that clients know. */
export async function admitBody(
  c: Context,
  deps: Deps,
): Promise<Response | { readonly body: unknown; readonly asker: Asker }> {
  if (!saysWho(c)) return refuseQuestion(c, "unauthorized", MISSING_KEY);
  const sent = await readBody(c.req.raw, QUESTION_BYTES_MAX);
  if (!sent.ok) return refuseQuestion(c, UNREADABLE[sent.problem].code, UNREADABLE[sent.problem].error);
  const body = parseJson(sent.text);
  if (!body.ok) return refuseQuestion(c, "invalid_json", "Unable to parse the request body as JSON.");
  const siteId = siteIdOf(body.value);
  if (siteId === undefined) return refuseQuestion(c, "missing_field", MISSING_SITE);
  const asker = await admitAsker(c, siteId, deps);
  if ("error" in asker) return refuseQuestion(c, asker.code, asker.error);
  return { body: body.value, asker };
}

/** The answer to a question while a purse is empty. Undefined where none is. */
export function refusedForNow(c: Context, purses: Purses): Response | undefined {
  const message = emptyPurseOf(purses);
  return message === undefined ? undefined : refuseForNow(c, message);
}

/** Refuses a question that may be asked again later. */
export function refuseForNow(c: Context, message: string): Response {
  c.header("Retry-After", String(RATE_LIMIT_PERIOD_SECONDS));
  return refuseQuestion(c, "rate_limited", message);
}

export function codeOf({ code }: Rejection): ProblemCode {
  return code === "missing_field" ? code : "invalid_field";
}

function siteIdOf(body: unknown): string | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const siteId = (body as { readonly site_id?: unknown }).site_id;
  return typeof siteId === "string" && siteId !== "" ? siteId : undefined;
}
