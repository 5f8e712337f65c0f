// Bounds how much an asker's questions may read in this isolate. Steps (core/query/budget.ts) bound what is done with
// events after they are read. To read and judge events takes most of the time, 50 µs each, and the isolate answers
// nobody meanwhile. So reading is paid for from purses of its own, before anything is read. A question is refused at
// the start if its purse holds less than it would read. So several questions do not start on what is left for one. A
// question that would read more than a whole purse may start when its purse is nearly full, and owes the rest.

import { LIVE_BYTES_OF_READ, PURSE_FULL_SHARE, ROLLUP_READS } from "../../core/limits.ts";
import { TOO_MUCH_READ } from "./limit.ts";
import type { KeptPurse } from "./purse-memory.ts";

/** Whose question it is. */
export interface ReadingAsker {
  /** Whether it comes through a share link. */
  readonly isShared: boolean;
  /** A name for the asker; of a link's guests each has its own. */
  readonly asker: string;
  /** The number of the merchant that is asked about. */
  readonly merchant: number;
}

/** The reading of one question. */
export class Reading {
  readonly #purses: readonly KeptPurse[];
  readonly isShared: boolean;
  readonly asker: string;
  readonly merchant: number;
  #refusal: string | undefined;
  /** What the question itself owes for open Days. That debt does not keep the question from reading on. */
  #live = 0;

  constructor(purses: readonly KeptPurse[], { isShared, asker, merchant }: ReadingAsker) {
    this.#purses = purses;
    this.isShared = isShared;
    this.asker = asker;
    this.merchant = merchant;
    this.#refusal = this.#holds(1) ? undefined : TOO_MUCH_READ;
  }

  /**
   * Why the asker has to come again later: a read was refused, or the purse was empty at the start. Undefined where
   * nothing was refused.
   */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** Refuses the question for another reason that passes with time. */
  refuse(why: string): void {
    this.#refusal ??= why;
  }

  /** Pays for events, or for work that takes as long. False where there is not as much left. */
  ofEvents(events: number): boolean {
    if (!this.#holds(events)) this.refuse(TOO_MUCH_READ);
    if (this.#refusal !== undefined) return false;
    this.owe(events);
    return true;
  }

  /** How many events partitions will probably read for the question: as many as last time. */
  get expectedLook(): number {
    return Math.max(0, ...this.#purses.map(({ looked }) => looked));
  }

  /** Settles how many events partitions did read. `expected` events were paid before. */
  settleLook(looked: number, expected: number): void {
    for (const purse of this.#purses) purse.looked = looked;
    this.owe(looked - expected);
  }

  /** Pays for work whose cost was known only when it was done. The purse may owe then. */
  owe(events: number): void {
    for (const purse of this.#purses) purse.left -= events;
  }

  /** Pays for open Days by the bytes that partitions have sent. The next question may have to wait for it. */
  oweLive(bytes: number): void {
    const events = Math.ceil(bytes / LIVE_BYTES_OF_READ);
    this.#live += events;
    this.owe(events);
  }

  /** Pays for rollups with breakdowns. Only share links pay: a merchant's own askers read them freely. */
  ofRollups(rows: number): boolean {
    return !this.isShared || this.ofEvents(rows * ROLLUP_READS);
  }

  #holds(events: number): boolean {
    const least = (size: number) => Math.max(1, Math.min(events, size * PURSE_FULL_SHARE));
    return this.#purses.every(({ left, size }) => left + this.#live >= least(size));
  }
}
