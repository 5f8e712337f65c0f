// What an asker's questions may read in this isolate. Steps (core/query/budget.ts) bound what is done with events
// beside reading them; reading and judging them takes most of the time, 50 µs each, and nobody else is answered
// meanwhile. So it is paid for as well, from purses of its own, before anything is read. A question whose purse does
// not hold what it would read is refused before it begins, so that several do not enter on what is left for one; only
// what is more than a purse may begin with one that is nearly full, which owes the rest.

import { LIVE_BYTES_OF_READ, PURSE_FULL_SHARE, ROLLUP_READS } from "../../core/limits.ts";
import type { KeptPurse } from "./purse-memory.ts";

/** Of one question. */
export class Reading {
  readonly #purses: readonly KeptPurse[];
  /** Whether it is asked through a share link. */
  readonly isShared: boolean;
  #wasRefused: boolean;
  /** What it owes for open Days. It does not stand in its own way. */
  #live = 0;

  constructor(purses: readonly KeptPurse[], isShared: boolean) {
    this.#purses = purses;
    this.isShared = isShared;
    this.#wasRefused = !this.#holds(1);
  }

  /** Whether it has been refused something, or began with nothing: its asker may come again later. */
  isRefused(): boolean {
    return this.#wasRefused;
  }

  /** It is refused for another reason that will be gone later. */
  refuse(): void {
    this.#wasRefused = true;
  }

  /** Pays for events, or for what takes as long; false where there is not as much left. */
  ofEvents(events: number): boolean {
    this.#wasRefused ||= !this.#holds(events);
    if (this.#wasRefused) return false;
    this.owe(events);
    return true;
  }

  /** What partitions will go through for it, as it was last time. */
  get expectedLook(): number {
    return Math.max(0, ...this.#purses.map(({ looked }) => looked));
  }

  /** They went through so much, of which `expectedLook` was paid before. */
  settleLook(looked: number, expected: number): void {
    for (const purse of this.#purses) purse.looked = looked;
    this.owe(looked - expected);
  }

  /** Pays for what was known only when it was done. */
  owe(events: number): void {
    for (const purse of this.#purses) purse.left -= events;
  }

  /** Pays for open Days, of which partitions have put so many bytes together. Who asks next may have to wait for it. */
  oweLive(bytes: number): void {
    const events = Math.ceil(bytes / LIVE_BYTES_OF_READ);
    this.#live += events;
    this.owe(events);
  }

  /** Pays for rollups with breakdowns, which a merchant's own askers read freely. */
  ofRollups(rows: number): boolean {
    return !this.isShared || this.ofEvents(rows * ROLLUP_READS);
  }

  #holds(events: number): boolean {
    const least = (size: number) => Math.max(1, Math.min(events, size * PURSE_FULL_SHARE));
    return this.#purses.every(({ left, size }) => left + this.#live >= least(size));
  }
}
