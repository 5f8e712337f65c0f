// Keeps a sender below what a partition takes of one merchant (core/limits.ts). Sending faster loses nothing: the rest
// goes round by the overflow queue. But it is counted later, and it costs more.

import { setTimeout as sleep } from "node:timers/promises";
import { ADMISSION_WINDOW_MS, MERCHANT_EVENTS_PER_WINDOW_MAX } from "../../core/limits.ts";

/** A tenth below the bound, because requests do not arrive as evenly as they are sent. */
export const EVENTS_PER_SECOND = Math.floor((0.9 * MERCHANT_EVENTS_PER_WINDOW_MAX * 1000) / ADMISSION_WINDOW_MS);

export class Pace {
  readonly #eventsPerSecond: number;
  #freeAt = 0;

  /** Infinity: as fast as it goes. */
  constructor(eventsPerSecond: number) {
    this.#eventsPerSecond = eventsPerSecond;
  }

  /** Waits until so many events may be sent. */
  async wait(events: number): Promise<void> {
    const now = Date.now();
    const start = Math.max(now, this.#freeAt);
    this.#freeAt = start + (events * 1000) / this.#eventsPerSecond;
    if (start > now) await sleep(start - now);
  }
}
