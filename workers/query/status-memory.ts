// What an isolate knows of the deployment's state, for the notice in answers and for /status: read again now and then
// while somebody asks. No answer to a question waits for it.

import { noticeOf, type Told } from "../../core/watch/status.ts";

interface Ask {
  readonly now: number;
  /** How old what is known may be before it is read again. */
  readonly everyMs: number;
  readonly read: () => Promise<Told>;
}

export class StatusMemory {
  #told: Told | undefined;
  /** When it was read, or is being read for notices. */
  #readAt = Number.NEGATIVE_INFINITY;

  /** What an answer says of itself now. `read` is called where it is time, and `later` takes its work. */
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

  /** All that is told. Everybody may ask for it, so it is read no more often than that by an isolate. */
  async told({ now, everyMs, read }: Ask): Promise<Told> {
    const known = this.#told;
    if (known !== undefined && now - this.#readAt < everyMs) return known;
    const told = await read();
    this.#told = told;
    this.#readAt = now;
    return told;
  }

  /** What an operator has changed here is told at once. */
  forget(): void {
    this.#told = undefined;
    this.#readAt = Number.NEGATIVE_INFINITY;
  }
}
