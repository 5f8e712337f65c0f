// Who may count events in this isolate, and when. Counting gives way after each slice (core/gradual.ts), so that
// whoever else waits for the isolate is answered in between. Of questions through share links one counts at a time, and
// goes on only while no merchant's own question counts: guests wait for each other and for the house. A request that
// waits asks again by its own timer, since one request may not wake another here; one that was given up by its client
// leaves a seat that is free again after TURN_LEASE_MS.

import type { Gradual } from "../../core/gradual.ts";
import { SLICE_ROWS, TURN_LEASE_MS, TURN_OWN_MS, TURN_POLL_MS, TURN_WAIT_MS_MAX } from "../../core/limits.ts";
import type { Deps } from "./deps.ts";

/** What an isolate knows of who is counting. Instants are UTC ms. */
export class TurnMemory {
  /** Lets others go on for so many ms. */
  readonly pause: (ms: number) => Promise<void>;
  #guest: { readonly who: Turn; until: number } | undefined;
  #ownUntil = 0;

  constructor(pause = (ms: number) => new Promise<void>((settle) => setTimeout(settle, ms))) {
    this.pause = pause;
  }

  /** Takes the guests' seat, or keeps it; false while another has it. */
  seat(who: Turn, now: number): boolean {
    if (this.#guest !== undefined && this.#guest.who !== who && this.#guest.until > now) return false;
    this.#guest = { who, until: now + TURN_LEASE_MS };
    return true;
  }

  leave(who: Turn): void {
    if (this.#guest?.who === who) this.#guest = undefined;
  }

  /** A merchant's own question is counting. */
  noteOwn(now: number): void {
    this.#ownUntil = now + TURN_OWN_MS;
  }

  isOwnCounting(now: number): boolean {
    return this.#ownUntil > now;
  }
}

type TurnDeps = Pick<Deps, "turns" | "reading" | "now">;

/** Of one question that counts events. */
export class Turn {
  readonly #deps: TurnDeps;
  readonly #isGuest: boolean;
  #waitedMs = 0;
  #rows = 0;

  constructor(deps: TurnDeps) {
    this.#deps = deps;
    this.#isGuest = deps.reading?.isShared === true;
  }

  /** Whether it may begin, once it may; false where that took too long. */
  async begin(): Promise<boolean> {
    const { turns, now } = this.#deps;
    while (this.#isGuest && !turns.seat(this, now())) {
      if (this.#waitedMs >= TURN_WAIT_MS_MAX) return false;
      await this.#wait(TURN_POLL_MS);
    }
    return true;
  }

  /** Lets others be answered. */
  async giveWay(): Promise<void> {
    const { turns, now } = this.#deps;
    await this.#wait(0);
    if (!this.#isGuest) return turns.noteOwn(now());
    // Who has waited long enough goes on beside them, so that a busy house does not keep a guest for ever.
    while (turns.isOwnCounting(now()) && this.#waitedMs < TURN_WAIT_MS_MAX) await this.#wait(TURN_POLL_MS);
    turns.seat(this, now());
  }

  /** The same after so many rows were read, once they are enough. */
  async giveWayAfter(rows: number): Promise<void> {
    this.#rows += rows;
    if (this.#rows < SLICE_ROWS) return;
    this.#rows = 0;
    await this.giveWay();
  }

  /** Does some work, giving way after each slice. */
  async run<T>(work: Gradual<T>): Promise<T> {
    for (;;) {
      const { done, value } = work.next();
      if (done === true) return value;
      await this.giveWay();
    }
  }

  end(): void {
    this.#deps.turns.leave(this);
  }

  async #wait(ms: number): Promise<void> {
    this.#waitedMs += ms;
    await this.#deps.turns.pause(ms);
  }
}

/** Does what reads and counts events when it is its turn; undefined where none came in time. */
export async function inTurn<T>(deps: TurnDeps, work: (turn: Turn) => Promise<T>): Promise<T | undefined> {
  const turn = new Turn(deps);
  if (!(await turn.begin())) {
    deps.reading?.refuse();
    return undefined;
  }
  try {
    return await work(turn);
  } finally {
    turn.end();
  }
}
