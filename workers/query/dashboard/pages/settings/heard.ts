// What has come since the check of the page Settings began. Pure: the tests ask it without a page.

/** What was told of the day so far. */
export interface Heard {
  readonly counted: number;
  readonly dropped: Readonly<Record<string, number>>;
}

/**
 * What came between two answers, each reason of what was left out with its number. After midnight the day begins anew.
 */
export function arrived(first: Heard | undefined, last: Heard | undefined) {
  const since = (before = 0, now = 0) => (now < before ? now : now - before);
  const dropped = Object.entries(last?.dropped ?? {})
    .map(([reason, n]) => [reason, since(first?.dropped[reason], n)] as const)
    .filter(([, n]) => n > 0);
  return { counted: since(first?.counted, last?.counted), dropped };
}
