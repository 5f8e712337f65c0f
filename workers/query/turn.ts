// Decides who may count events in this isolate, and when. Counting pauses after each slice (core/gradual.ts), so that
// other requests are answered in between. Questions through share links (guests) count one at a time, and only while no
// merchant's own question counts. Of requests that add up many rollups a few of each merchant go on at a time, part by
// part. Who waits stands in a line (line.ts).

import type { Gradual } from "../../core/gradual.ts";
import {
  LIGHT_ROLLUPS_MAX,
  ROLLUP_WAIT_MS_MAX,
  ROLLUPS_EVERY_MS,
  SLICE_ROLLUPS,
  SLICE_ROWS,
  TURN_OWN_MS,
  TURN_POLL_MS,
  TURN_WAIT_MS_MAX,
} from "../../core/limits.ts";
import type { Outcome } from "../../core/outcome.ts";
import { invalid } from "../../core/query/refusal.ts";
import { type LaneName, Turns } from "../../core/turns.ts";
import type { Deps } from "./deps.ts";
import { TOO_MANY_GUESTS, TOO_MANY_READINGS } from "./limit.ts";
import { Lines, OF_GUESTS, OF_ROLLUPS, type Place, type Standing } from "./line.ts";

/** Who is counting and adding up in an isolate. Instants are UTC ms. */
export class TurnMemory {
  /** Lets other requests run for so many ms. */
  readonly pause: (ms: number) => Promise<void>;
  /** Requests that add up many rollups, by merchant. */
  readonly rollupLines = new Lines(OF_ROLLUPS);
  readonly #guests = new Lines(OF_GUESTS);
  readonly #parts = new Turns(ROLLUPS_EVERY_MS);
  /** The clock of parts, UTC ms. It goes on with each pause, also while the true one stands. */
  #clock = 0;
  #ownUntil = 0;

  constructor(pause = (ms: number) => new Promise<void>((settle) => setTimeout(settle, ms))) {
    this.pause = pause;
  }

  /** Takes the guests' seat, or keeps it, or stands in line for it. */
  seat(who: Turn, now: number): Place {
    return this.#guests.stand(who, { line: GUESTS, asker: who.asker, merchant: who.merchant }, now);
  }

  leave(who: Turn): void {
    this.#guests.leave(who, GUESTS);
  }

  /** Waits until the next part of a lane may be worked on. */
  async partOf(lane: LaneName, now: () => number): Promise<void> {
    const clock = () => {
      this.#clock = Math.max(this.#clock, now());
      return this.#clock;
    };
    const turn = this.#parts.take(this.#parts.enter(lane, { parts: 1, now: clock() }), clock());
    for (let ms = this.#parts.leftMs(turn, clock()); ms > 0; ms = this.#parts.leftMs(turn, clock())) {
      const end = clock() + ms;
      await this.pause(ms);
      this.#clock = Math.max(this.#clock, end);
    }
  }

  /** Notes that a merchant's own question is counting. */
  noteOwn(now: number): void {
    this.#ownUntil = now + TURN_OWN_MS;
  }

  isOwnCounting(now: number): boolean {
    return this.#ownUntil > now;
  }
}

/** All guests of an isolate stand in one line. */
const GUESTS = "guests";

type RollupDeps = Pick<Deps, "turns" | "now">;

/** For whom rollups are added up: a line (line.ts), and a lane of the turns that parts take (core/turns.ts). */
export interface RollupAsker extends Standing {
  readonly lane: LaneName;
}

/** The lane of what the deployment asks for itself, and of everybody where limits are off. */
const OF_DEPLOYMENT: LaneName = -1;

/**
 * The turn of one request that adds up rollups with breakdowns, also for several questions of a batch. A few rollups
 * are added up at once. Of requests with more, few of a merchant go on at a time; the others wait before they have read
 * anything. What goes on is cut into parts, which merchants take by turns.
 */
export class RollupTurn {
  readonly #deps: RollupDeps;
  readonly #asker: RollupAsker | undefined;
  /** How many rollups the request reads, as far as is known. */
  #expected = 0;
  /** How many were added up since its last pause. */
  #rows = 0;
  /** Readings of the request that have not ended. */
  #going = 0;
  #place: Promise<boolean> | undefined;

  /** Without an asker it waits in no line. */
  constructor(deps: RollupDeps, asker?: RollupAsker) {
    this.#deps = deps;
    this.#asker = asker;
  }

  /**
   * Does a reading of about so many rollups when the request's turn comes. Undefined where too many requests wait
   * already, or where its turn did not come in time.
   */
  async reading<T>(rollups: number, read: () => Promise<T>): Promise<T | undefined> {
    this.#expected += rollups;
    this.#going += 1;
    try {
      return (await this.#begin()) ? await read() : undefined;
    } finally {
      this.#going -= 1;
      if (this.#going === 0) this.#leave();
    }
  }

  /**
   * Lets other requests be answered before the first rollups of a question: those of a batch come from D1 all at once.
   */
  async before(): Promise<void> {
    if (this.#isHeavy()) await this.#part();
  }

  /** Lets other requests be answered, once enough rollups were added up. */
  async after(rollups: number): Promise<void> {
    this.#rows += rollups;
    if (this.#rows < SLICE_ROLLUPS) return;
    this.#rows = 0;
    await this.#part();
  }

  async #part(): Promise<void> {
    const { turns, now } = this.#deps;
    if (this.#place !== undefined && this.#asker !== undefined) turns.rollupLines.stand(this, this.#asker, now());
    await turns.partOf(this.#asker?.lane ?? OF_DEPLOYMENT, now);
  }

  #isHeavy(): boolean {
    return this.#expected > LIGHT_ROLLUPS_MAX;
  }

  async #begin(): Promise<boolean> {
    if (this.#asker === undefined || !this.#isHeavy()) return true;
    this.#place ??= this.#wait(this.#asker);
    return this.#place;
  }

  async #wait(asker: RollupAsker): Promise<boolean> {
    const { turns, now } = this.#deps;
    for (let waitedMs = 0; waitedMs <= ROLLUP_WAIT_MS_MAX; waitedMs += TURN_POLL_MS) {
      const place = turns.rollupLines.stand(this, asker, now());
      if (place !== "waiting") return place === "going";
      await turns.pause(TURN_POLL_MS);
    }
    return false;
  }

  #leave(): void {
    if (this.#asker !== undefined) this.#deps.turns.rollupLines.leave(this, this.#asker.line);
    this.#place = undefined;
  }
}

/** Refuses a question whose turn to read rollups did not come. */
export function refuseReading({ reading }: Pick<Deps, "reading">): Outcome<never> {
  reading?.refuse(TOO_MANY_READINGS);
  return invalid(TOO_MANY_READINGS);
}

type TurnDeps = Pick<Deps, "turns" | "reading" | "now">;

/** The turn of one question that counts events. */
export class Turn {
  /** Who asks, and about which merchant: guests take turns by both. */
  readonly asker: string;
  readonly merchant: number | undefined;
  readonly #deps: TurnDeps;
  readonly #isGuest: boolean;
  #waitedMs = 0;
  #rows = 0;

  constructor(deps: TurnDeps) {
    this.#deps = deps;
    this.#isGuest = deps.reading?.isShared === true;
    this.asker = deps.reading?.asker ?? "";
    this.merchant = deps.reading?.merchant;
  }

  /** Resolves with true once the question may begin, and with false where that took too long. */
  async begin(): Promise<boolean> {
    const { turns, now } = this.#deps;
    while (this.#isGuest) {
      const place = turns.seat(this, now());
      if (place === "going") return true;
      if (place === "full" || this.#waitedMs >= TURN_WAIT_MS_MAX) {
        turns.leave(this);
        return false;
      }
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
    deps.reading?.refuse(TOO_MANY_GUESTS);
    return undefined;
  }
  try {
    return await work(turn);
  } finally {
    turn.end();
  }
}
