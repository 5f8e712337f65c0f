// When parts of large requests are worked on, in an isolate of the collector and in a partition, and when rollups are
// added up in an isolate of the query Worker. Requests of one lane take turns, and all lanes get the same share of
// time. So whoever sends many requests makes nobody wait longer than one more lane does. Between any two parts there is
// a pause in which others are answered. A request's turns are instants and not promises of other requests, so a client
// that leaves keeps nobody waiting. The instants belong to a clock that stands still while parts are late. So an
// isolate that is behind stays fair.

import { LARGE_REQUEST_PARTS_MAX, LARGE_REQUEST_WAIT_MS_MAX, REQUEST_PART_EVERY_MS } from "./limits.ts";

/**
 * Requests with one lane name wait for one another. The name is the number of the merchant whose key they came with, or
 * KEYLESS. Strangers know the tracking IDs of many merchants and have many addresses, so all of them share one lane.
 */
export type LaneName = number;
export const KEYLESS: LaneName = 0;

/** A request that asked to enter. */
export interface LargeRequest {
  readonly name: LaneName;
  /** Seconds after which it may be sent again; 0 if it was let in. */
  readonly fullForSeconds: number;
  /** Parts that have not taken their turn. */
  left: number;
  /** When it came, or when its last turn comes, by the clock of turns. */
  at: number;
}

interface Lane {
  /** Requests that were let in and have parts left. */
  readonly requests: Set<LargeRequest>;
  /** The earliest time of its next part, in ms of the clock of turns. */
  nextAt: number;
}

/** A part that waits for its turn. */
export interface Turn {
  readonly name: LaneName;
  /** When it is to come, by the clock of turns. */
  readonly at: number;
  /** How many parts had begun when its present pause began. */
  known: number;
  /** UTC ms at which that pause ends. */
  until: number;
}

/** A timer may be late by this much even if nothing else is worked on. */
const TIMER_MS = 1;

/** The turns of one isolate or partition. */
export class Turns {
  readonly #lanes = new Map<LaneName, Lane>();
  /** Parts that were begun. */
  #begun = 0;
  /** UTC ms of the last of them. */
  #begunAt = Number.NEGATIVE_INFINITY;
  /** How far the clock of turns is behind the true one. */
  #behindMs = 0;
  /** The pause between two parts, ms. */
  readonly #pauseMs: number;

  constructor(pauseMs = REQUEST_PART_EVERY_MS) {
    this.#pauseMs = pauseMs;
  }

  /**
   * Lets a request of so many parts in, or says when it may be sent again. A lane may hold as much as stays free after
   * it: one lane alone has half of all parts, and a second one has half of the rest. When nothing waits, every request
   * is let in.
   */
  enter(name: LaneName, { parts, now }: { readonly parts: number; readonly now: number }): LargeRequest {
    this.#forget(now);
    const at = now - this.#behindMs;
    const lane = this.#lanes.get(name) ?? { requests: new Set(), nextAt: at };
    const all = [...this.#lanes.values()].reduce((sum, one) => sum + waitingIn(one), 0);
    const free = Math.max(0, LARGE_REQUEST_PARTS_MAX - all - parts);
    const over = waitingIn(lane) + parts - free;
    if (all > 0 && over > 0) {
      const fullForSeconds = Math.max(1, Math.ceil((over * this.#everyMs(name)) / 1_000));
      return { name, fullForSeconds, left: 0, at };
    }
    const request = { name, fullForSeconds: 0, left: parts, at };
    lane.requests.add(request);
    this.#lanes.set(name, lane);
    return request;
  }

  /** The next part of a request. `leftMs` says how long it must wait from now (UTC ms). */
  take(request: LargeRequest, now: number): Turn {
    const { name } = request;
    const lane = this.#lanes.get(name) ?? { requests: new Set(), nextAt: now - this.#behindMs };
    this.#lanes.set(name, lane);
    const at = Math.max(now - this.#behindMs, lane.nextAt);
    request.left = Math.max(0, request.left - 1);
    request.at = at;
    if (request.left === 0) lane.requests.delete(request);
    else lane.requests.add(request); // also where it was so slow that it was taken for one that was left
    lane.nextAt = at + this.#everyMs(name);
    return { name, at, known: -1, until: Number.NEGATIVE_INFINITY };
  }

  /**
   * How long a part must pause, in ms. 0 means that it may begin, and counts it as begun. It is asked before a pause
   * and after it. A pause that ends late does not count, because something else took that time, perhaps the part
   * before. A pause that ends early counts as a whole one, because a clock may stand still or be inexact.
   */
  leftMs(turn: Turn, clock: number): number {
    const now = Math.max(clock, turn.until);
    const isPause = now - turn.until <= TIMER_MS;
    const restMs = isPause ? this.#begunAt + this.#pauseMs - now : this.#pauseMs;
    const leftMs = Math.max(turn.known === this.#begun ? 0 : restMs, turn.at + this.#behindMs - now);
    if (leftMs > 0) {
      turn.known = this.#begun;
      turn.until = now + leftMs;
      return leftMs;
    }
    this.#begun += 1;
    this.#begunAt = now;
    // Lanes with the same instant come one after the other. A part is late if the next round has begun before it.
    this.#behindMs = Math.max(this.#behindMs, now - turn.at - this.#everyMs(turn.name));
    return 0;
  }

  /** The time between two parts of a lane while so many lanes have work. */
  #everyMs(name: LaneName): number {
    return this.#pauseMs * (this.#lanes.size + (this.#lanes.has(name) ? 0 : 1));
  }

  /**
   * Removes requests that have taken no turn for longer than any request waits, because their clients have left, and
   * lanes that are empty. So those requests keep no room from others of their lane. Otherwise whoever sends and leaves
   * would fill it.
   */
  #forget(now: number): void {
    const clock = now - this.#behindMs;
    for (const [name, { requests, nextAt }] of this.#lanes) {
      for (const request of requests) if (request.at <= clock - LARGE_REQUEST_WAIT_MS_MAX) requests.delete(request);
      if (requests.size === 0 && nextAt <= clock) this.#lanes.delete(name);
    }
  }
}

/** Parts of a lane that have not taken their turn. */
function waitingIn({ requests }: Lane): number {
  let sum = 0;
  for (const { left } of requests) sum += left;
  return sum;
}
