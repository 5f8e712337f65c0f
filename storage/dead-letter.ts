// The list of dead letters in R2. The background Worker stores them and handles them again (queues/dead-letter.ts,
// queues/redrive.ts). The API lists them and asks it to.

import { DEAD_LETTER_PREFIX, parseDeadLetterKey } from "../core/archive/object-key.ts";

/** Dead letters in one page of the list. */
const PAGE_LENGTH = 100;

/** The part of an R2 bucket that lists dead letters. */
export interface DeadLetterList {
  list(options: {
    prefix: string;
    limit: number;
    cursor?: string;
    include: "customMetadata"[];
  }): Promise<DeadLetterListing>;
}

export interface DeadLetterListing {
  readonly objects: readonly {
    readonly key: string;
    readonly size: number;
    readonly customMetadata?: Readonly<Record<string, string>>;
  }[];
  readonly truncated: boolean;
  readonly cursor?: string;
}

/** A dead letter as an operator sees it. */
export interface DeadLetter {
  readonly key: string;
  readonly queue: string;
  /** Id of the last message that brought it. */
  readonly message: string;
  /** When it was last stored, ISO 8601. */
  readonly storedAt: string;
  readonly bytes: number;
}

/** One page of the dead letters by key, and the cursor of the next page if there is one. */
export async function listDeadLetters(
  bucket: DeadLetterList,
  cursor?: string,
  lettersMax = PAGE_LENGTH,
): Promise<{ readonly letters: readonly DeadLetter[]; readonly cursor?: string }> {
  const page = await bucket.list({
    prefix: DEAD_LETTER_PREFIX,
    limit: lettersMax,
    include: ["customMetadata"],
    ...(cursor === undefined ? {} : { cursor }),
  });
  const letters = page.objects.map(({ key, size, customMetadata }) => ({
    key,
    queue: parseDeadLetterKey(key)?.queue ?? "",
    message: customMetadata?.["message"] ?? "",
    storedAt: customMetadata?.["stored_at"] ?? "",
    bytes: size,
  }));
  return page.truncated && page.cursor !== undefined ? { letters, cursor: page.cursor } : { letters };
}
