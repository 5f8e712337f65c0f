// POST /api/v2/batch: several questions about one merchant over one range. Each gets its own answer, refusal or job.
// What several of them need is read once (together.ts). Questions that are too large for a request become one job. A
// batch counts as one request. It pays as many steps of its budget as its questions would pay alone.

import type { Context } from "hono";
import { causeOf, type Outcome } from "../../core/outcome.ts";
import { type Batch, type BatchQuestion, parseBatch } from "../../core/query/batch.ts";
import { parseQuestion } from "../../core/query/question.ts";
import { REPORTS } from "../../core/query/report-count.ts";
import { distinctPlaces } from "../../storage/archive/merchant-events.ts";
import { refusalOf, refuseQuestion } from "./answer.ts";
import { admitBody, codeOf, refusedForNow, refuseForNow } from "./ask.ts";
import { type Asker, budgetsOf, emptyPurseOf, readingAs } from "./asker.ts";
import type { Deps } from "./deps.ts";
import { execute, type Large } from "./execute.ts";
import { answerByJob, type JobReply, waitOf } from "./question-jobs.ts";
import { readReport } from "./report.ts";
import { fillSegments } from "./segments.ts";
import { Together } from "./together.ts";

/** The answer to one question, its refusal, or the job that will have the answer. */
type Entry = Readonly<Record<string, unknown>>;
type Named = readonly [name: string, entry: Entry];

/** A question that only a job can answer. */
interface LargeOne {
  readonly question: BatchQuestion;
  readonly large: Large;
}

/** POST /api/v2/batch. */
export async function askBatch(c: Context, deps: Deps): Promise<Response> {
  const admitted = await admitBody(c, deps);
  if (admitted instanceof Response) return admitted;
  const { body, asker } = admitted;
  const batch = parseBatch(body);
  if (!batch.ok) return refuseQuestion(c, codeOf(batch.rejection), batch.rejection.message);
  // All questions share one purse for reading. So events that are read once are paid for once.
  const reading = readingAs(asker, deps);
  const refused = refusedForNow(c, { budgets: budgetsOf(asker, deps), reading: reading.reading });
  if (refused !== undefined) return refused;
  const together = new Together(asker.merchant, reading);
  const answers = answersOf(batch.value, { asker, together, waitSeconds: waitOf(c) }, reading);
  const notice = together.deps.notice();
  const head = { as_of: new Date(together.deps.now()).toISOString(), ...(notice === undefined ? {} : { notice }) };
  return wantsLines(c)
    ? sendLines(c, { batch: batch.value, head, answers }, deps)
    : sendAll(c, { batch: batch.value, head, answers });
}

interface Asked {
  readonly asker: Asker;
  readonly together: Together;
  readonly waitSeconds: number;
}

/** The answers in the order in which they are ready: those from rollups first, jobs last. */
async function* answersOf(
  { questions }: Batch,
  { asker, together, waitSeconds }: Asked,
  deps: Deps,
): AsyncGenerator<Named> {
  const ready: Named[] = [];
  const large: LargeOne[] = [];
  let wake = () => {};
  let isDone = false;
  const answering = together
    .each(questions, async (question, own) => {
      const answered = await answerOne(question, asker, own);
      if ("large" in answered) large.push(answered);
      else ready.push([question.name, answered.entry]);
      wake();
    })
    .finally(() => {
      isDone = true;
      wake();
    });
  while (!isDone || ready.length > 0) {
    for (const one of ready.splice(0)) yield one;
    if (!isDone && ready.length === 0)
      await new Promise<void>((settle) => {
        wake = settle;
      });
  }
  await answering;
  if (large.length > 0) yield* jobOf(large, { asker, waitSeconds }, deps);
}

/** The answer to one question, the same as if it were asked alone. */
async function answerOne(
  question: BatchQuestion,
  asker: Asker,
  deps: Deps,
): Promise<LargeOne | { readonly entry: Entry }> {
  const budgets = budgetsOf(asker, deps);
  try {
    const filled = await fillSegments(question.body, asker, deps);
    if (!filled.ok) return { entry: refusalOf(codeOf(filled.rejection), filled.rejection.message) };
    const body = filled.value as BatchQuestion["body"];
    const answered = await readOne({ ...question, body }, { asker, budgets }, deps);
    if ("places" in answered) return { question: { ...question, body }, large: answered };
    if (answered.ok) return { entry: answered.value as Entry };
    const empty = emptyPurseOf({ budgets, reading: deps.reading });
    if (empty !== undefined) return { entry: refusalOf("rate_limited", empty) };
    return { entry: refusalOf(codeOf(answered.rejection), answered.rejection.message) };
  } catch (error) {
    deps.log({ event: "batch_question_failed", error: causeOf(error) });
    return { entry: refusalOf("unavailable", "The query could not be answered just now. Try again.") };
  }
}

async function readOne(
  { kind, body }: BatchQuestion,
  { asker, budgets }: { readonly asker: Asker; readonly budgets: ReturnType<typeof budgetsOf> },
  deps: Deps,
): Promise<Outcome<unknown> | Large> {
  if (kind === "query") {
    const question = parseQuestion(body, asker.filters, budgets);
    return question.ok ? execute(question.value, asker.merchant, deps) : question;
  }
  const report = REPORTS[kind](body, asker.filters, budgets);
  return report.ok ? readReport(report.value, asker.merchant, deps) : report;
}

/** Makes one job of all questions that are too large. */
async function* jobOf(
  all: readonly LargeOne[],
  { asker, waitSeconds }: Pick<Asked, "asker" | "waitSeconds">,
  deps: Deps,
): AsyncGenerator<Named> {
  const [first] = all as readonly [LargeOne, ...LargeOne[]];
  const places = distinctPlaces(all.flatMap(({ large }) => large.places));
  const firstDay = all.find(({ large }) => large.firstDay !== undefined)?.large.firstDay;
  const body = { questions: all.map(({ question }) => question) };
  const { merchant, filters: fixed } = asker;
  const link = asker.isShared ? asker.id : undefined;
  const given = { deps, budgets: budgetsOf(asker, deps), fixed, link, waitSeconds };
  const reply = await answerByJob(
    { kind: "batch", body, large: { ...first.large, places, firstDay } },
    merchant,
    given,
  );
  for (const { question, large } of all) {
    const refusal = refusalOf("invalid_field", large.rejection.message);
    yield [question.name, "status" in reply ? entryOf(reply, question.name) : refusal];
  }
}

function entryOf({ status, body }: JobReply, name: string): Entry {
  if (status !== 200) return body as Entry;
  return (body as { readonly answers: Readonly<Record<string, Entry>> }).answers[name] as Entry;
}

interface Sending {
  readonly batch: Batch;
  readonly head: { readonly as_of: string };
  readonly answers: AsyncGenerator<Named>;
}

/** Sends all answers at once, in the order of the questions. */
async function sendAll(c: Context, { batch, head, answers }: Sending): Promise<Response> {
  const found = new Map<string, Entry>();
  for await (const [name, entry] of answers) found.set(name, entry);
  const ordered = batch.questions.map(({ name }): Named => [name, found.get(name) as Entry]);
  if (ordered.every(([, { code }]) => code === "rate_limited"))
    return refuseForNow(c, ordered[0]?.[1]["error"] as string);
  const version = await versionOf(ordered);
  c.header("Cache-Control", "no-store");
  if (version !== undefined && version === batch.ifVersion) return c.json({ ...head, version, unchanged: true });
  return c.json({ ...head, version: version ?? null, answers: Object.fromEntries(ordered) });
}

/**
 * Sends each answer as a line as soon as it is ready, and a last line at the end. If the request names a version, lines
 * are sent only after all answers are known, and only if they have another version.
 */
function sendLines(c: Context, { batch, head, answers }: Sending, deps: Deps): Response {
  const encoder = new TextEncoder();
  const lines = linesOf({ batch, head, answers });
  const stream = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      try {
        const { value, done } = await lines.next();
        if (done === true) controller.close();
        else controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`));
      } catch (error) {
        deps.log({ event: "batch_failed", error: causeOf(error) });
        controller.error(error);
      }
    },
    cancel: async () => {
      await lines.return(undefined);
    },
  });
  const headers = { "content-type": "application/x-ndjson", "cache-control": "no-store", vary: "Accept" };
  return c.body(stream, 200, { ...headers, "x-content-type-options": "nosniff" });
}

async function* linesOf({ batch, head, answers }: Sending): AsyncGenerator<object> {
  const sent = new Map<string, Entry>();
  for await (const [name, answer] of answers) {
    sent.set(name, answer);
    if (batch.ifVersion === undefined) yield { name, answer };
  }
  const ordered = batch.questions.map(({ name }): Named => [name, sent.get(name) as Entry]);
  const version = (await versionOf(ordered)) ?? null;
  const unchanged = version !== null && version === batch.ifVersion;
  if (batch.ifVersion !== undefined && !unchanged) for (const [name, answer] of ordered) yield { name, answer };
  yield { ...head, version, ...(unchanged && { unchanged }) };
}

/**
 * A hash of the answers. It changes only when their numbers do; when they were read, and from what, does not change it.
 * Undefined while a job is under way, or when something failed.
 */
async function versionOf(answers: readonly Named[]): Promise<string | undefined> {
  if (answers.some(([, { results }]) => results === undefined)) return undefined;
  const said = answers.map(([name, { meta, ...rest }]) => {
    const { as_of: _, sources: __, ...more } = meta as Entry;
    return [name, rest, more];
  });
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(said)));
  return [...new Uint8Array(digest).slice(0, VERSION_BYTES)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const VERSION_BYTES = 16;

function wantsLines(c: Context): boolean {
  return /\bapplication\/x-ndjson\b/i.test(c.req.header("accept") ?? "");
}
