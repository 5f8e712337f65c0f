// What an isolate knows about the deployment's state, for the notice in answers and for /status. It is read again from
// time to time while requests come. No answer to a question waits for that.

import { noticeOf, type Told } from "../../core/watch/status.ts";

interface Ask {
  readonly now: number;
  /** At what age it is read again, ms. */
  readonly everyMs: number;
  readonly read: () => Promise<Told>;
}

export class StatusMemory {
  #told: Told | undefined;
  /** When it was last read, or when the running read for notices began. */
  #readAt = Number.NEGATIVE_INFINITY;

  /**
   * What an answer says about the deployment's state now. Calls `read` when it is time, and gives the running read to
   * `later`.
   */
  notice({ now, everyMs, read, later }: Ask & { readonly later: (work: Promise<void>) => void }): string | undefined {
    if (now - this.#readAt >= everyMs) {
      this.#readAt = now;
      later(
        read().then((told) => {
          this.#told = told;
        }),
      );
    }
    return this.#told && noticeOf(this.#told, now);
  }

  /** The whole state. Everybody may ask for it, so an isolate reads it no more often than every `everyMs`. */
  async told({ now, everyMs, read }: Ask): Promise<Told> {
    const known = this.#told;
    if (known !== undefined && now - this.#readAt < everyMs) return known;
    const told = await read();
    this.#told = told;
    this.#readAt = now;
    return told;
  }

  /** Forgets the state, so that an operator's change is told at once. */
  forget(): void {
    this.#told = undefined;
    this.#readAt = Number.NEGATIVE_INFINITY;
  }
}
