// Counts requests by tens. To ask the platform's counter is the dearest step of a small hit. So an isolate counts to
// ten by itself, and asks the counter at every tenth request of a key. It never asks for a key with fewer requests. The
// price: each isolate may pass up to nine requests of a key that the counter does not know of. The numbers in
// wrangler.toml therefore count tens.

import { COUNTED_AT_ONCE_MAX, LIMIT_REQUESTS, RATE_LIMIT_PERIOD_SECONDS, TENS_KEYS_MAX } from "../../core/limits.ts";
import { isWithin } from "../../storage/rate-limit.ts";

const PERIOD_MS = RATE_LIMIT_PERIOD_SECONDS * 1_000;

/** The requests that an isolate knows of in one period. A period begins where the clock is a multiple of its length. */
export class Tens {
  /** The requests of each key since the counter was last asked for it. CLOSED where the counter said no. */
  readonly #counted = new Map<string, number>();
  readonly #now: () => number;
  #period = 0;

  constructor(now = () => Date.now()) {
    this.#now = now;
  }

  /**
   * Counts requests of a key. Returns whether they are within the limit. A key beyond its limit stays closed for the
   * period.
   */
  isWithin(counter: RateLimit, key: string, requests: number): boolean | Promise<boolean> {
    if (this.isClosed(key)) return false;
    const count = (this.#counted.get(key) ?? 0) + requests;
    if (this.#counted.size >= TENS_KEYS_MAX) this.#counted.clear(); // all keys begin again at 0
    this.#counted.set(key, count % LIMIT_REQUESTS);
    return count < LIMIT_REQUESTS || this.#ask(counter, key, Math.floor(count / LIMIT_REQUESTS));
  }

  /** Whether a key was beyond its limit in this period. */
  isClosed(key: string): boolean {
    const period = Math.floor(this.#now() / PERIOD_MS);
    if (period !== this.#period) {
      this.#counted.clear();
      this.#period = period;
    }
    return this.#counted.get(key) === CLOSED;
  }

  /**
   * Makes a function that refuses a key for the rest of this period. An answer may come late, when the next period has
   * begun. The function then does nothing, because the next period has its own limit.
   */
  closing(key: string): () => void {
    const period = this.#period;
    return () => {
      if (period === this.#period) this.#counted.set(key, CLOSED);
    };
  }

  async #ask(counter: RateLimit, key: string, tens: number): Promise<boolean> {
    const close = this.closing(key);
    // One dear request may count as five thousand. The counter has said no long before it was asked for all of them.
    for (let asked = 0; asked < tens; asked += COUNTED_AT_ONCE_MAX) {
      const some = Math.min(COUNTED_AT_ONCE_MAX, tens - asked);
      const answers = await Promise.all(Array.from({ length: some }, () => isWithin(counter, key)));
      if (answers.every(Boolean)) continue;
      close();
      return false;
    }
    return true;
  }
}

const CLOSED = Number.POSITIVE_INFINITY;
