// What an asker's questions may read in this isolate. Steps (core/query/budget.ts) bound what is done with events beside reading them; reading
// and judging them takes most of the time, 50 µs each, and nobody else is answered meanwhile. So it is paid for as well, from purses of its
// own, before anything is read. A question whose purse is not empty may read what one question may, and the purse owes the rest.

import { ROLLUP_READS } from "../../core/limits.ts";
import type { Purse } from "../../core/query/budget.ts";

/** Of one question. */
export class Reading {
  readonly #purses: readonly Purse[];
  readonly #isShared: boolean;
  #wasRefused: boolean;

  constructor(purses: readonly Purse[], isShared: boolean) {
    this.#purses = purses;
    this.#isShared = isShared;
    this.#wasRefused = this.#isEmpty();
  }

  /** Whether it has been refused something, or began with nothing: its asker may come again later. */
  isRefused(): boolean {
    return this.#wasRefused;
  }

  /** Pays for events; false where there is nothing left to pay from. */
  ofEvents(events: number): boolean {
    this.#wasRefused ||= this.#isEmpty();
    if (this.#wasRefused) return false;
    for (const purse of this.#purses) purse.left -= events;
    return true;
  }

  /** Pays for rollups with breakdowns, which a merchant's own askers read freely. */
  ofRollups(rows: number): boolean {
    return !this.#isShared || this.ofEvents(rows * ROLLUP_READS);
  }

  #isEmpty(): boolean {
    return this.#purses.some(({ left }) => left <= 0);
  }
}
