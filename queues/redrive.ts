// Handles dead letters again, after an operator has removed the cause (a consumer was deployed, a database answers
// again). The code that handles the letter's queue is called here and at once, and not by way of the queue, so that the
// operator hears the result. A letter that was handled is deleted. One that failed again stays as it was.

import { parseDeadLetterKey } from "../core/archive/object-key.ts";
import { DEAD_LETTERS_REDRIVEN_MAX } from "../core/limits.ts";
import type { Redriven, RedrivenPage, RedriveRequest } from "../core/redrive.ts";
import { type DeadLetterList, listDeadLetters } from "../storage/dead-letter.ts";
import { reasonOf } from "./message.ts";

/** The part of an R2 bucket that gives dead letters back. */
export interface LetterBucket extends DeadLetterList {
  get(key: string): Promise<StoredLetter | null>;
  delete(key: string): Promise<void>;
}

export interface StoredLetter {
  readonly customMetadata?: Readonly<Record<string, string>>;
  arrayBuffer(): Promise<ArrayBuffer>;
}

export interface RedriveDeps {
  readonly bucket: LetterBucket;
  /** By the name of a queue: handles the body of one of its messages, and throws when it cannot. */
  readonly handlers: Readonly<Record<string, (body: unknown) => Promise<void>>>;
}

/** Handles one letter again, or a page of them. */
export async function redrive({ key, after }: RedriveRequest, deps: RedriveDeps): Promise<RedrivenPage> {
  if (key === undefined) return redriveLetters(deps, after);
  const outcome = await redriveLetter(key, deps);
  return { redriven: outcome === undefined ? [] : [outcome] };
}

/** Handles the letters of one page again, one after the other, and says where the next page starts if there is one. */
export async function redriveLetters(deps: RedriveDeps, after?: string): Promise<RedrivenPage> {
  const { letters, cursor } = await listDeadLetters(deps.bucket, after, DEAD_LETTERS_REDRIVEN_MAX);
  const redriven: Redriven[] = [];
  for (const { key } of letters) {
    const outcome = await redriveLetter(key, deps);
    if (outcome !== undefined) redriven.push(outcome); // else somebody else's redrive was faster
  }
  return cursor === undefined ? { redriven } : { redriven, cursor };
}

/**
 * Handles one letter again; undefined when there is none of that name. Repeats are harmless, even two at once, and even
 * after the partition has sent the same bundle again. A bundle writes the same objects under the same keys, and may be
 * confirmed twice. An overflowed event keeps its id, so its partition does not count it twice.
 */
export async function redriveLetter(key: string, deps: RedriveDeps): Promise<Redriven | undefined> {
  const queue = parseDeadLetterKey(key)?.queue;
  if (queue === undefined) return undefined;
  try {
    const letter = await deps.bucket.get(key);
    if (letter === null) return undefined;
    const handle = Object.hasOwn(deps.handlers, queue) ? deps.handlers[queue] : undefined;
    if (handle === undefined) throw new Error(`nothing handles letters of ${queue}`);
    await handle(await bodyOf(letter));
    // Only now: until here a failure of any kind leaves the letter where it is. Deletes are free.
    await deps.bucket.delete(key);
    return { key, outcome: "done" };
  } catch (error) {
    return { key, outcome: "failed", reason: reasonOf(error) };
  }
}

/** The body as its queue delivered it. dead-letter.ts stores a body that is not bytes as JSON. */
async function bodyOf(letter: StoredLetter): Promise<unknown> {
  const bytes = await letter.arrayBuffer();
  return letter.customMetadata?.["encoding"] === "json" ? JSON.parse(new TextDecoder().decode(bytes)) : bytes;
}
