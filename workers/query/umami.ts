// GET /api/websites/:website/{stats,pageviews,metrics,active}: the requests of Umami's own client. The website is a
// merchant's id, a tracking ID (which is a UUID, as Umami's ids are) or a hostname. The token is that of an API key, a
// share link or a session. Each request becomes a question (core/query/umami.ts) and is answered like any other.

import type { Context } from "hono";
import { RATE_LIMIT_PERIOD_SECONDS } from "../../core/limits.ts";
import type { Outcome } from "../../core/outcome.ts";
import type { Budgets } from "../../core/query/budget.ts";
import { parseQuestion } from "../../core/query/question.ts";
import { parseUmami, type UmamiRead } from "../../core/query/umami.ts";
import { zonesOf } from "../../storage/directory/merchants.ts";
import { type Asker, admitAsker, budgetsOf, emptyPurseOf, MISSING_KEY, readingAs, saysWho } from "./asker.ts";
import type { Deps } from "./deps.ts";
import { execute } from "./execute.ts";
import { PROBLEM_STATUS, type ProblemCode } from "./problem.ts";
import { readRealtime } from "./report.ts";

/** Umami's codes for Footfall's refusals. */
const WORDS = {
  invalid_field: "bad-request",
  unauthorized: "unauthorized",
  forbidden: "forbidden",
  rate_limited: "too-many-requests",
} as const satisfies Partial<Record<ProblemCode, string>>;

export const UMAMI_ROUTES: readonly (readonly [
  path: string,
  handler: (c: Context, deps: Deps) => Promise<Response>,
])[] = [
  ["/api/websites/:website/stats", reading("stats")],
  ["/api/websites/:website/pageviews", reading("pageviews")],
  ["/api/websites/:website/metrics", reading("metrics")],
  ["/api/websites/:website/active", answering(readActive)],
];

/** Who asks, and the budgets that pay for the question. */
interface Asking extends Asker {
  readonly budgets: Budgets;
}

type Answering = (c: Context, asker: Asking, deps: Deps) => Promise<Outcome<unknown>>;

function reading(read: UmamiRead) {
  return answering(async (c, asker, deps) => {
    const { merchant, filters, budgets } = asker;
    const asked = parseUmami(read, new Map(new URL(c.req.url).searchParams), zonesOf(merchant));
    if (!asked.ok) return asked;
    const question = parseQuestion({ site_id: merchant.id, ...asked.value.body }, filters, budgets);
    if (!question.ok) return question;
    const answer = await execute(question.value, merchant, deps);
    return answer.ok ? { ok: true, value: asked.value.toReply(answer.value) } : answer;
  });
}

async function readActive(_: Context, asker: Asking, deps: Deps): Promise<Outcome<unknown>> {
  const { merchant, filters, budgets } = asker;
  const given = { merchant, fixed: filters, budgets };
  const answer = await readRealtime({ site_id: merchant.id }, given, deps);
  return answer.ok ? { ok: true, value: { visitors: answer.value.results.visitors } } : answer;
}

function answering(read: Answering) {
  return async (c: Context, deps: Deps): Promise<Response> => {
    if (!saysWho(c)) return refuse(c, "unauthorized", MISSING_KEY);
    const asker = await admitAsker(c, c.req.param("website") ?? "", deps);
    if ("error" in asker) return refuse(c, asker.code, asker.error);
    const reading = readingAs(asker, deps);
    const budgets = budgetsOf(asker, deps);
    const refusal = () => emptyPurseOf({ budgets, reading: reading.reading });
    const before = refusal();
    if (before !== undefined) return refuseForNow(c, before);
    const answer = await read(c, { ...asker, budgets }, reading);
    if (answer.ok) return c.json(answer.value as object);
    const after = refusal();
    return after === undefined ? refuse(c, "invalid_field", answer.rejection.message) : refuseForNow(c, after);
  };
}

function refuseForNow(c: Context, message: string): Response {
  c.header("Retry-After", String(RATE_LIMIT_PERIOD_SECONDS));
  return refuse(c, "rate_limited", message);
}

function refuse(c: Context, code: keyof typeof WORDS, message: string): Response {
  const status = PROBLEM_STATUS[code];
  return c.json({ error: { code: WORDS[code], message, status } }, status);
}
