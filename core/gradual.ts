// Work that can be interrupted. Counting a large Day takes a second, and its isolate would answer nobody else
// meanwhile. Pure code cannot wait, so it yields after each slice. A host then answers others first
// (workers/query/turn.ts) or goes on at once.

import { SLICE_EVENTS, SLICE_STEPS } from "./limits.ts";
import { type Budgets, judgeAnew } from "./query/budget.ts";

/** Yields after each slice, and returns the result at the end. */
export type Gradual<T> = Generator<undefined, T, undefined>;

/** Does all of the work at once and returns its result. */
export function finish<T>(work: Gradual<T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}

/** The time to look at an event, as a share of the time to judge it. */
export const LOOKED_AT = 0.2;

/**
 * Says when a slice is over. Pure code has no clock, so a slice is measured in events that were looked at and in the
 * steps that they took.
 */
export class Slices {
  readonly #budgets: Budgets | undefined;
  #events = 0;
  #left: number;

  constructor(budgets?: Budgets) {
    this.#budgets = budgets;
    this.#left = leftOf(budgets);
    if (budgets !== undefined) judgeAnew(budgets);
  }

  /**
   * Whether to yield after `events` more events. An event that was judged counts 1. An event that was only looked at
   * counts LOOKED_AT.
   */
  isOver(events = 1): boolean {
    this.#events += events;
    if (this.#budgets !== undefined) judgeAnew(this.#budgets);
    const left = leftOf(this.#budgets);
    if (this.#events < SLICE_EVENTS && this.#left - left < SLICE_STEPS) return false;
    this.#events = 0;
    this.#left = left;
    return true;
  }
}

function leftOf(budgets: Budgets | undefined): number {
  return budgets === undefined ? 0 : budgets.own.left + budgets.fixed.left;
}
