// Questions and reports that are too large for one request. Each becomes a job, and a queue counts the job's parts
// (queues/question.ts). The asker gets 202 and the job's address. With `Prefer: wait=N` the asker gets the answer
// itself if it is ready in time.

import type { Context } from "hono";
import {
  JOB_PART_PLACES,
  JOB_PLACES_MAX,
  JOB_WAIT_EVERY_MS,
  JOB_WAIT_SECONDS_MAX,
  JOBS_RETRY_SECONDS,
  JOBS_RUNNING_MAX,
  JOBS_RUNNING_SHARED_MAX,
} from "../../core/limits.ts";
import type { Outcome } from "../../core/outcome.ts";
import type { Budgets } from "../../core/query/budget.ts";
import type { JobQuestion, QuestionKind } from "../../core/query/job.ts";
import { archiveOf, readObjectOf } from "../../storage/archive/bucket.ts";
import { ID_RANDOM_BYTES, questionJobId } from "../../storage/directory/credential.ts";
import type { Merchant } from "../../storage/directory/merchants.ts";
import {
  answerKey,
  createQuestionJob,
  findQuestionJob,
  type JobRefusal,
  type QuestionJob,
} from "../../storage/ledger/question-job.ts";
import type { SealPlace } from "../../storage/ledger/sealed-day.ts";
import { refusalOf, refuseQuestion, sendAnswer } from "./answer.ts";
import { admitAsker, MISSING_KEY, MISSING_SITE, saysWho } from "./asker.ts";
import type { Deps } from "./deps.ts";
import type { Large } from "./execute.ts";
import { JobLooks } from "./job-looks.ts";
import type { TooLarge } from "./scan.ts";

/** The reply to a question: a status, a body, and the job's address while it runs. */
export interface JobReply {
  readonly status: 200 | 202 | 400 | 429;
  readonly body: unknown;
  readonly location?: string;
  /** For a refusal: after how many seconds to ask again. */
  readonly retrySeconds?: number;
}

/** What comes with every question. */
export interface Given {
  readonly deps: Deps;
  /** Filters that a share link adds to whatever it asks. */
  readonly fixed: readonly unknown[];
  /** The budgets that pay for the question. */
  readonly budgets: Budgets;
  /** The share link that asks. Undefined where none does. */
  readonly link: string | undefined;
  /** How many seconds the asker waits for a large answer. */
  readonly waitSeconds: number;
}

interface LargeQuestion {
  readonly kind: QuestionKind;
  readonly body: unknown;
  readonly large: Large;
}

/** Makes a job of a question and returns its address. A question that is too large for a job as well is refused. */
export async function answerByJob(
  { kind, body, large }: LargeQuestion,
  merchant: Merchant,
  { deps, fixed, link, waitSeconds }: Given,
): Promise<Outcome<never> | JobReply> {
  const { ok, rejection, places, asOf, completeUntil, firstDay } = large;
  if (places.length > JOB_PLACES_MAX) return { ok, rejection };
  const guest = link === undefined ? undefined : { link, places: places.length };
  const question = { kind, body, fixed, asOf, completeUntil, firstDay, guest };
  const job = await startJob(question, { places, merchant }, deps);
  return "status" in job ? job : replyWithJob(job, waitSeconds, deps);
}

async function startJob(
  question: JobQuestion,
  { places, merchant }: { places: TooLarge["places"]; merchant: Merchant },
  deps: Deps,
): Promise<QuestionJob | JobReply> {
  const parts = partsOf(places);
  const id = questionJobId(deps.random(ID_RANDOM_BYTES));
  const runningMax = question.guest ? JOBS_RUNNING_SHARED_MAX : JOBS_RUNNING_MAX;
  const job = { id, merchant: merchant.number, question, parts, runningMax };
  const refusal = await createQuestionJob(deps.ledgers.ofMerchant(merchant.number), job);
  if (refusal !== undefined) return refusedJob(refusal, runningMax, deps);
  // The parts of a share link's job are counted one after the other (queues/question.ts).
  const sent = question.guest ? parts.slice(0, 1) : parts;
  await deps.sendQuestions(sent.map((_, part) => ({ job: id, part, merchant: merchant.number })));
  const { merchant: number } = job;
  const fresh = { state: "running", error: "", createdAt: question.asOf, parts: parts.length, partsDone: 0 } as const;
  return { id, merchant: number, question, ...fresh };
}

function refusedJob(refusal: JobRefusal, runningMax: number, deps: Deps): JobReply {
  const refused = (message: string) => ({ status: 429, body: refusalOf("rate_limited", `#: ${message}`) }) as const;
  if (refusal === "under way") return refused(`${runningMax} large queries are under way. Wait for one of them.`);
  const retrySeconds = Math.max(JOBS_RETRY_SECONDS, Math.ceil((refusal.againAt - deps.now()) / 1_000));
  const remedy = "Ask for a shorter range, or again after the seconds of Retry-After.";
  return { ...refused(`Share links have asked for too many days of data within 24 hours. ${remedy}`), retrySeconds };
}

/** Splits places into parts of whole Days, because a report sees a Day's visitors in all partitions. */
function partsOf(places: TooLarge["places"]): readonly (readonly SealPlace[])[] {
  const parts: SealPlace[][] = [];
  const ordered = [...places].sort((a, b) => a.day - b.day);
  for (const own of Map.groupBy(ordered, ({ day }) => day).values()) {
    const last = parts.at(-1);
    if (last !== undefined && last.length + own.length <= JOB_PART_PLACES) last.push(...own);
    else parts.push(own);
  }
  return parts;
}

/** What the asker gets, at once or within the seconds that it waits. */
async function replyWithJob(job: QuestionJob, waitSeconds: number, deps: Deps): Promise<JobReply> {
  let current = job;
  for (const end = deps.now() + waitSeconds * 1_000; current.state === "running" && deps.now() < end; ) {
    await new Promise((settle) => setTimeout(settle, JOB_WAIT_EVERY_MS));
    const ask = () => findQuestionJob(deps.ledgers.ofMerchant(job.merchant), job.id);
    current = (await looks.find(job.id, { now: deps.now(), ask })) ?? current;
  }
  return replyOf(current, deps);
}

/**
 * The looks of all who wait in this isolate. They may be shared, because a job's id is random and known to its asker
 * alone.
 */
const looks = new JobLooks();

/** GET /api/v2/queries/:id?site_id: the answer, its refusal, or how much of it is ready. */
export async function getQuery(c: Context, deps: Deps): Promise<Response> {
  if (!saysWho(c)) return refuseQuestion(c, "unauthorized", MISSING_KEY);
  const siteId = c.req.query("site_id") ?? "";
  if (siteId === "") return refuseQuestion(c, "missing_field", MISSING_SITE);
  const asker = await admitAsker(c, siteId, deps);
  if ("error" in asker) return refuseQuestion(c, asker.code, asker.error);
  const job = await findQuestionJob(deps.ledgers.ofMerchant(asker.merchant.number), c.req.param("id") ?? "");
  const isTheirs =
    job?.merchant === asker.merchant.number && JSON.stringify(job.question.fixed) === JSON.stringify(asker.filters);
  if (job === undefined || !isTheirs)
    return refuseQuestion(c, "not_found", "There is no query with this id (any more).");
  return toResponse(c, await replyWithJob(job, waitOf(c), deps));
}

export function toResponse(c: Context, { status, body, location, retrySeconds }: JobReply): Response {
  if (status === 200) return sendAnswer(c, body);
  if (status === 429) c.header("Retry-After", String(retrySeconds ?? JOBS_RETRY_SECONDS));
  return c.json(body as object, status, location === undefined ? {} : { location, "Retry-After": "1" });
}

/** How many seconds a client waits, as in `Prefer: wait=10` (RFC 7240). */
export function waitOf(c: Context): number {
  const [, seconds = "0"] = /(?:^|[,;\s])wait=(\d{1,4})(?:$|[,;\s])/i.exec(c.req.header("prefer") ?? "") ?? [];
  return Math.min(Number(seconds), JOB_WAIT_SECONDS_MAX);
}

async function replyOf({ id, state, error, parts, partsDone, question }: QuestionJob, deps: Deps): Promise<JobReply> {
  if (state === "failed") return { status: 400, body: refusalOf("invalid_field", error) };
  if (state === "running") {
    // A share link must not learn how many Days there are to read, because its filters hide that. So it gets the
    // progress in per cent.
    const hundredth = { all: 100, done: Math.floor((100 * partsDone) / parts) };
    const progress = { id, state, parts: question.fixed.length > 0 ? hundredth : { all: parts, done: partsDone } };
    return { status: 202, body: progress, location: `/api/v2/queries/${id}` };
  }
  const bytes = await readObjectOf(archiveOf(deps), answerKey(id));
  return { status: 200, body: JSON.parse(new TextDecoder().decode(bytes)) };
}
