// What the query Worker asks of the background Worker when an operator wants dead letters handled again, and what
// became of them. A call between Workers carries both as plain objects.

/**
 * One letter by its key, such as "dead-letter/footfall-archive/9f86d0…"; or a page of all, `after` a place in the list.
 */
export interface RedriveRequest {
  readonly key?: string | undefined;
  readonly after?: string | undefined;
}

export type Redriven =
  | { readonly key: string; readonly outcome: "done" }
  | { readonly key: string; readonly outcome: "failed"; readonly reason: string };

/**
 * What became of each letter, and where the next page starts if there is one. A letter that is not there has no entry.
 */
export interface RedrivenPage {
  readonly redriven: readonly Redriven[];
  readonly cursor?: string;
}
