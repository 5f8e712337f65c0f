// What the query Worker asks of the background Worker when an operator wants dead letters handled again, and the
// answer. A call between Workers carries both as plain objects.

/**
 * One letter by its key, such as "dead-letter/footfall-archive/9f86d0…", or a page of all letters. `after` is a cursor.
 */
export interface RedriveRequest {
  readonly key?: string | undefined;
  readonly after?: string | undefined;
}

export type Redriven =
  | { readonly key: string; readonly outcome: "done" }
  | { readonly key: string; readonly outcome: "failed"; readonly reason: string };

/**
 * The outcome for each letter, and the cursor of the next page if there is one. A letter that does not exist has no
 * entry.
 */
export interface RedrivenPage {
  readonly redriven: readonly Redriven[];
  readonly cursor?: string;
}
