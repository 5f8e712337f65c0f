// Remembers answers over closed Days, in the isolate and in the Cache API of the data centre it runs in. An answer's
// name contains everything that the answer depends on: the merchant's row of the directory, the question with all its
// filters, its Days, and when each partition last changed the merchant's numbers. Partitions are asked for each
// question anyway, for what they have not published, and tell that time as well (durable-objects/change.ts). So a
// second look asks no database, and a change is in the next answer. An answer keeps the `as_of` of when it was read.

import { ANSWER_KEPT_BYTES_MAX, ANSWERS_KEPT_BYTES } from "../../core/limits.ts";
import type { Answer } from "../../core/query/answer.ts";

/** The methods of the Cache API that are used. */
export type SharedAnswers = Pick<Cache, "match" | "put">;

interface Kept {
  readonly text: string;
  /** Until when the answer is remembered, UTC ms. */
  readonly until: number;
}

/** The answers of one isolate. */
export class AnswerMemory {
  /** The first one is the one unused for longest. */
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  find(name: string, now: number): string | undefined {
    const kept = this.#kept.get(name);
    if (kept === undefined) return undefined;
    this.#forget(name, kept);
    if (kept.until <= now) return undefined;
    this.#keep(name, kept);
    return kept.text;
  }

  keep(name: string, kept: Kept): void {
    const known = this.#kept.get(name);
    if (known !== undefined) this.#forget(name, known);
    this.#keep(name, kept);
    for (const [oldest, its] of this.#kept) {
      if (this.#bytes <= ANSWERS_KEPT_BYTES) return;
      this.#forget(oldest, its);
    }
  }

  #keep(name: string, kept: Kept): void {
    this.#kept.set(name, kept);
    this.#bytes += bytesOf(name, kept);
  }

  #forget(name: string, kept: Kept): void {
    this.#kept.delete(name);
    this.#bytes -= bytesOf(name, kept);
  }
}

export interface AnswerDeps {
  readonly answers: AnswerMemory;
  /** The shared cache. Undefined where the platform has none. */
  readonly sharedAnswers: SharedAnswers | undefined;
  /** For how long an answer is remembered, ms. With 0 no answer is. */
  readonly answersKeptMs: number;
  readonly now: () => number;
}

/** Makes a name of everything that an answer depends on. Different answers have different names. */
export function answerName(depends: unknown): string {
  return JSON.stringify([SHAPE, depends]);
}

/** The version of the shape of answers. Another release may answer in another shape. */
const SHAPE = 1;

/** The answer of a name. Undefined where it is not remembered. */
export async function findAnswer(name: string, deps: AnswerDeps): Promise<Answer | undefined> {
  const now = deps.now();
  const own = deps.answers.find(name, now);
  if (own !== undefined) return JSON.parse(own) as Answer;
  if (deps.sharedAnswers === undefined) return undefined;
  const shared = await deps.sharedAnswers.match(await addressOf(name));
  if (shared === undefined) return undefined;
  const text = await shared.text();
  const until = Number(shared.headers.get(UNTIL));
  if (!(until > now)) return undefined;
  deps.answers.keep(name, { text, until });
  return JSON.parse(text) as Answer;
}

/** Remembers an answer, here and for other isolates of the data centre. */
export async function keepAnswer(name: string, answer: Answer, deps: AnswerDeps): Promise<void> {
  const text = JSON.stringify(answer);
  if (text.length > ANSWER_KEPT_BYTES_MAX) return;
  const until = deps.now() + deps.answersKeptMs;
  deps.answers.keep(name, { text, until });
  if (deps.sharedAnswers === undefined) return;
  const headers = {
    "content-type": "application/json",
    "cache-control": `max-age=${Math.floor(deps.answersKeptMs / 1_000)}`,
    [UNTIL]: String(until),
  };
  await deps.sharedAnswers.put(await addressOf(name), new Response(text, { headers }));
}

const UNTIL = "x-footfall-until";

/**
 * No request can have this address, because the end of its host name is reserved for hosts that do not exist. Nobody
 * can choose a question whose address is that of another question.
 */
async function addressOf(name: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(name));
  const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `https://answers.footfall.invalid/${hex}`;
}

function bytesOf(name: string, { text }: Kept): number {
  return 200 + 2 * (name.length + text.length);
}
