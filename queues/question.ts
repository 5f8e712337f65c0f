// The consumer of footfall-question: one part of a large question at a time. A part counts the events of its places and
// leaves the counts in R2. Whoever finds all parts done makes the answer. To do either again is harmless: the same text
// is written under the same key, and an ended job stays as it is.

import type { RecentReply, RecentRequest } from "../core/archive/recent.ts";
import { finish } from "../core/gradual.ts";
import {
  GUEST_JOB_PATIENCE_MS,
  GUEST_JOB_PAUSE_SECONDS,
  JOB_ATTEMPTS_MAX,
  JOB_KEPT_MS,
  JOB_STALE_MS,
  JOBS_DRIVEN_MAX,
} from "../core/limits.ts";
import type { Log } from "../core/log.ts";
import type { Metered } from "../core/meter.ts";
import type { CountPlan } from "../core/query/count.ts";
import { decodeQuestionPart, type JobCounting, planOfJob, type QuestionPart } from "../core/query/job.ts";
import { refusalOf, type ScanProblem } from "../core/query/scan.ts";
import type { SeenUnder } from "../core/query/seen.ts";
import { asRead, GLOBAL_MERCHANT, latestRules } from "../core/rules.ts";
import { deleteKeys, listKeys, putObject, readObjectOf } from "../storage/archive/bucket.ts";
import { type EventDeps, findEvents, foldersOfPlace, recentOf } from "../storage/archive/merchant-events.ts";
import { conversionOf } from "../storage/directory/conversion.ts";
import type { Directory } from "../storage/directory/directory.ts";
import { type Merchant, settingsOf, zonesOf } from "../storage/directory/merchants.ts";
import type { RateMemory } from "../storage/directory/rate-memory.ts";
import { findScope } from "../storage/directory/rules.ts";
import { readSettings } from "../storage/directory/settings.ts";
import { isolateSeed } from "../storage/hash-key.ts";
import { type Ledger, visitEach } from "../storage/ledger/ledgers.ts";
import {
  answerKey,
  answersPrefix,
  endQuestionJob,
  findQuestionJob,
  findQuestionPart,
  forgetQuestionJobs,
  hasOwnQuestionJob,
  markQuestionPart,
  nextQuestionPart,
  partKey,
  type QuestionJob,
  takeStaleParts,
} from "../storage/ledger/question-job.ts";
import type { SealPlace } from "../storage/ledger/sealed-day.ts";
import { handleEach, type QueueBatch, type QueueMessage } from "./message.ts";

export interface QuestionDeps extends EventDeps {
  readonly directory: Directory;
  readonly rates: RateMemory;
  readonly partition: (name: string) => { recentEvents(request: RecentRequest): Promise<RecentReply> };
  readonly sendQuestions: (parts: readonly QuestionPart[], delaySeconds?: number) => Promise<void>;
  readonly now: () => number;
  readonly meter: Metered;
  readonly log: Log;
}

export async function answerParts(batch: QueueBatch, deps: QuestionDeps): Promise<void> {
  const handle = (message: QueueMessage) => handlePart(message, deps);
  await handleEach(batch, { ...deps, handle });
}

/** The cron's step: it sends parts again that may be lost, and deletes old answers. */
export async function driveQuestions(deps: QuestionDeps): Promise<void> {
  const now = deps.now();
  const stale = { now, before: now - JOB_STALE_MS, jobsMax: JOBS_DRIVEN_MAX };
  const old = { before: now - JOB_KEPT_MS, jobsMax: JOBS_DRIVEN_MAX };
  const drive = async (ledger: Ledger) => {
    const parts = await takeStaleParts(ledger, stale);
    if (parts.length > 0) await deps.sendQuestions(parts);
    for (const job of await forgetQuestionJobs(ledger, old)) await forgetObjects(job, deps);
  };
  await visitEach(deps.ledgers, drive, deps.log);
}

async function handlePart(message: QueueMessage, deps: QuestionDeps): Promise<void> {
  const part = decodeQuestionPart(message.body);
  try {
    await countPart(part, deps);
  } catch (error) {
    if (message.attempts < JOB_ATTEMPTS_MAX) throw error;
    await fail({ id: part.job, merchant: part.merchant }, "The query could not be answered. Ask again.", deps);
    throw error; // the log says why; the message finds its job ended when it comes again
  }
}

async function countPart(named: QuestionPart, deps: QuestionDeps): Promise<void> {
  const ledger = deps.ledgers.ofMerchant(named.merchant);
  const job = await findQuestionJob(ledger, named.job);
  if (job === undefined || job.state !== "running") return;
  if (await standsBack(named, job, deps)) return;
  const merchant = await findScope(deps.directory, job.merchant);
  if (merchant === undefined) return fail(job, "The merchant is gone.", deps);
  const plan = planOfJob(job.question, zonesOf(merchant));
  const places = await findQuestionPart(ledger, named);
  if (places !== undefined) {
    const under = await underOf(merchant, deps);
    const counting = plan.open(under, "part");
    const problem = await countPlaces(counting, { plan, merchant, places, under }, deps);
    if (problem !== undefined) return fail(job, refusalOf(problem).rejection.message, deps);
    await putObject(deps, partKey(named), counting.encode());
    await sendNext(named, job, deps);
    await markQuestionPart(ledger, named);
  }
  const after = await findQuestionJob(ledger, job.id);
  if (after?.state === "running" && after.partsDone === after.parts) await putTogether(after, plan, merchant, deps);
}

/**
 * Whether a part of a link's job lets a merchant's own job go first. It is then sent again to come later, which may
 * happen twice without harm.
 */
async function standsBack(
  part: QuestionPart,
  { question, createdAt }: QuestionJob,
  deps: QuestionDeps,
): Promise<boolean> {
  if (question.guest === undefined || deps.now() - createdAt > GUEST_JOB_PATIENCE_MS) return false;
  if (!(await hasOwnQuestionJob(deps.ledgers.ofMerchant(part.merchant)))) return false;
  await deps.sendQuestions([part], GUEST_JOB_PAUSE_SECONDS);
  return true;
}

/**
 * Only one part of a link's job is on the queue, so that it keeps one consumer busy at most. The next part is sent
 * before this one is done. If that message is lost, this part comes again; a part that is done sends none.
 */
async function sendNext(part: QuestionPart, { question }: QuestionJob, deps: QuestionDeps): Promise<void> {
  if (question.guest === undefined) return;
  const next = await nextQuestionPart(deps.ledgers.ofMerchant(part.merchant), part);
  if (next !== undefined) await deps.sendQuestions([{ ...part, part: next }]);
}

async function underOf(merchant: Merchant, deps: QuestionDeps): Promise<SeenUnder> {
  const global = (await readSettings(deps.directory, GLOBAL_MERCHANT))?.rules ?? [];
  const settings = settingsOf(merchant);
  return { settings: { ...settings, rules: asRead(settings.rules) }, global, seed: isolateSeed() };
}

interface PartOfJob {
  readonly plan: CountPlan<JobCounting>;
  readonly merchant: Merchant;
  readonly places: readonly SealPlace[];
  readonly under: SeenUnder;
}

/** Reads logs first and the archive second, as a request does. */
async function countPlaces(
  counting: JobCounting,
  { plan, merchant, places, under }: PartOfJob,
  deps: QuestionDeps,
): Promise<ScanProblem | undefined> {
  const settings = settingsOf(merchant);
  const days = places.flatMap((place) => foldersOfPlace(settings, place)).map(({ day }) => day);
  const request = { merchant: merchant.number, from: Math.min(...days), to: Math.max(...days) + 1 };
  const partitions = [...new Set(places.map(({ partition }) => partition))];
  const replies = await Promise.all(
    partitions.map(async (partition) => ({ partition, reply: await deps.partition(partition).recentEvents(request) })),
  );
  const recent = recentOf(replies);
  if (recent === "too many") throw new Error("a partition's archive is too far behind to read events");
  const { columns, together, isOfVisits } = plan;
  const search = { settings, places, recent, columns, together, derived: isOfVisits ? under : undefined };
  for await (const rows of (await findEvents(search, deps)).days()) {
    const problem = finish(counting.add(rows));
    if (problem !== undefined) return problem;
  }
  return undefined;
}

async function putTogether(
  job: QuestionJob,
  plan: CountPlan<JobCounting>,
  merchant: Merchant,
  deps: QuestionDeps,
): Promise<void> {
  const counting = plan.open(await underOf(merchant, deps), "whole");
  const keys = Array.from({ length: job.parts }, (_, part) => partKey({ job: job.id, part }));
  let bytes = 0;
  for (const key of keys) {
    const text = await readObjectOf(deps, key);
    bytes += text.byteLength;
    const problem = counting.absorb(new TextDecoder().decode(text));
    if (problem !== undefined) return fail(job, refusalOf(problem).rejection.message, deps);
  }
  const cost = { rows: 0, objects: keys.length, bytes };
  const rules = latestRules(merchant.rules).version;
  const convert = await conversionOf(counting.purses(), merchant, deps);
  const { asOf, completeUntil = asOf } = job.question;
  const { currency, imported } = merchant;
  const answered = counting.answer({ currency, convert, asOf: completeUntil, cost, rules, imported });
  if (!answered.ok) return fail(job, answered.rejection.message, deps);
  await putObject(deps, answerKey(job.id), JSON.stringify(answered.value));
  await endQuestionJob(deps.ledgers.ofMerchant(job.merchant), {
    id: job.id,
    state: "done",
    error: "",
    now: deps.now(),
  });
  // They hold visitors; the answer holds none.
  await deleteKeys(deps, keys);
}

async function fail(
  { id, merchant }: Pick<QuestionJob, "id" | "merchant">,
  error: string,
  deps: QuestionDeps,
): Promise<void> {
  await endQuestionJob(deps.ledgers.ofMerchant(merchant), { id, state: "failed", error, now: deps.now() });
  await forgetObjects(id, deps);
}

async function forgetObjects(job: string, deps: QuestionDeps): Promise<void> {
  const left = await listKeys(deps, answersPrefix(job));
  if (left.length > 0)
    await deleteKeys(
      deps,
      left.map(({ key }) => key),
    );
}
