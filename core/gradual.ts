// Work that can be left off and gone on with: counting a large Day takes a second, in which its isolate would answer
// nobody. Pure code does not wait, it yields between slices; a host lets others be answered there
// (workers/query/turn.ts) or goes on at once.

import { SLICE_EVENTS, SLICE_STEPS } from "./limits.ts";
import type { Budgets } from "./query/budget.ts";

/** Yields after each slice, and returns what it comes to. */
export type Gradual<T> = Generator<undefined, T, undefined>;

/** Does all of it at once. */
export function finish<T>(work: Gradual<T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}

/** What other work with an event takes, of what judging it does. */
export const LOOKED_AT = 0.2;

/**
 * Says when a slice is over, by the events it has looked at and the steps these took: there is no clock in pure code.
 */
export class Slices {
  readonly #budgets: Budgets | undefined;
  #events = 0;
  #left: number;

  constructor(budgets?: Budgets) {
    this.#budgets = budgets;
    this.#left = leftOf(budgets);
  }

  /**
   * Whether it is time to yield, after so many events more: whole ones that were judged, a part of one
   * where less was done with it.
   */
  isOver(events = 1): boolean {
    this.#events += events;
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
