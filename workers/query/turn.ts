// Decides who may count events in this isolate, and when. Counting pauses after each slice (core/gradual.ts), so that
// other requests are answered in between. Questions through share links (guests) count one at a time, and only while no
// merchant's own question counts. A waiting request looks again by its own timer, since one request may not wake
// another here. If a guest's client leaves, the seat is free again after TURN_LEASE_MS.

import type { Gradual } from "../../core/gradual.ts";
import { SLICE_ROWS, TURN_LEASE_MS, TURN_OWN_MS, TURN_POLL_MS, TURN_WAIT_MS_MAX } from "../../core/limits.ts";
import type { Deps } from "./deps.ts";

/** Who is counting in an isolate. Instants are UTC ms. */
export class TurnMemory {
  /** Lets other requests run for so many ms. */
  readonly pause: (ms: number) => Promise<void>;
  #guest: { readonly who: Turn; until: number } | undefined;
  #ownUntil = 0;

  constructor(pause = (ms: number) => new Promise<void>((settle) => setTimeout(settle, ms))) {
    this.pause = pause;
  }

  /** Takes the guests' seat, or keeps it. False while another guest has it. */
  seat(who: Turn, now: number): boolean {
    if (this.#guest !== undefined && this.#guest.who !== who && this.#guest.until > now) return false;
    this.#guest = { who, until: now + TURN_LEASE_MS };
    return true;
  }

  leave(who: Turn): void {
    if (this.#guest?.who === who) this.#guest = undefined;
  }

  /** Notes that a merchant's own question is counting. */
  noteOwn(now: number): void {
    this.#ownUntil = now + TURN_OWN_MS;
  }

  isOwnCounting(now: number): boolean {
    return this.#ownUntil > now;
  }
}

type TurnDeps = Pick<Deps, "turns" | "reading" | "now">;

/** The turn of one question that counts events. */
export class Turn {
  readonly #deps: TurnDeps;
  readonly #isGuest: boolean;
  #waitedMs = 0;
  #rows = 0;

  constructor(deps: TurnDeps) {
    this.#deps = deps;
    this.#isGuest = deps.reading?.isShared === true;
  }

  /** Resolves with true once the question may begin, and with false where that took too long. */
  async begin(): Promise<boolean> {
    const { turns, now } = this.#deps;
    while (this.#isGuest && !turns.seat(this, now())) {
      if (this.#waitedMs >= TURN_WAIT_MS_MAX) return false;
      await this.#wait(TURN_POLL_MS);
    }
    return true;
  }

  /** Lets other requests be answered. */
  async giveWay(): Promise<void> {
    const { turns, now } = this.#deps;
    await this.#wait(0);
    if (!this.#isGuest) return turns.noteOwn(now());
    // A guest that has waited long enough goes on beside merchants' own questions. Otherwise a busy merchant would keep
    // it for ever.
    while (turns.isOwnCounting(now()) && this.#waitedMs < TURN_WAIT_MS_MAX) await this.#wait(TURN_POLL_MS);
    turns.seat(this, now());
  }

  /** The same, but only once enough rows were read. */
  async giveWayAfter(rows: number): Promise<void> {
    this.#rows += rows;
    if (this.#rows < SLICE_ROWS) return;
    this.#rows = 0;
    await this.giveWay();
  }

  /** Does some work, with a pause after each slice. */
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

/** Runs work that reads and counts events when its turn comes. Undefined where it did not come in time. */
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
