// Requests are counted by tens. Asking the platform's counter is the dearest step of a small hit, so an isolate counts
// to ten by itself and asks with every tenth request of a key: one that comes less often than that is never asked for.
// The price is that each isolate lets up to nine requests of a key more through than the counter knows of. The numbers
// in wrangler.toml are therefore of tens.

import { LIMIT_REQUESTS, RATE_LIMIT_PERIOD_SECONDS, TENS_KEYS_MAX } from "../../core/limits.ts";
import { isWithin } from "../../storage/rate-limit.ts";

const PERIOD_MS = RATE_LIMIT_PERIOD_SECONDS * 1_000;

/** What an isolate knows of a period's requests. A period begins where the clock is a multiple of its length. */
export class Tens {
  /** Requests of a key since it was last asked for; CLOSED where the counter said no. */
  readonly #counted = new Map<string, number>();
  readonly #now: () => number;
  #period = 0;

  constructor(now = () => Date.now()) {
    this.#now = now;
  }

  /** Counts requests of a key, and says whether they are within the limit. A key that is over stays closed. */
  isWithin(counter: RateLimit, key: string, requests: number): boolean | Promise<boolean> {
    if (this.isClosed(key)) return false;
    const count = (this.#counted.get(key) ?? 0) + requests;
    if (this.#counted.size >= TENS_KEYS_MAX) this.#counted.clear(); // they begin again with nothing
    this.#counted.set(key, count % LIMIT_REQUESTS);
    return count < LIMIT_REQUESTS || this.#ask(counter, key, Math.floor(count / LIMIT_REQUESTS));
  }

  /** Whether a key was found to send too much in this period. */
  isClosed(key: string): boolean {
    const period = Math.floor(this.#now() / PERIOD_MS);
    if (period !== this.#period) {
      this.#counted.clear();
      this.#period = period;
    }
    return this.#counted.get(key) === CLOSED;
  }

  /**
   * What refuses a key for the rest of this period. Called in the next one it does nothing: an answer may come late,
   * and what was too much then is none of the next period's.
   */
  closing(key: string): () => void {
    const period = this.#period;
    return () => {
      if (period === this.#period) this.#counted.set(key, CLOSED);
    };
  }

  async #ask(counter: RateLimit, key: string, tens: number): Promise<boolean> {
    const close = this.closing(key);
    const answers = await Promise.all(Array.from({ length: tens }, () => isWithin(counter, key)));
    if (answers.every(Boolean)) return true;
    close();
    return false;
  }
}

const CLOSED = Number.POSITIVE_INFINITY;
