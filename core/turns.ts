// When parts of large requests are worked on, in an isolate of the collector and in a partition. Requests of one lane
// take one part after the other; lanes share the time alike. So whoever sends many requests makes nobody else wait
// longer than one more lane does. Between any two parts, of whatever lanes, there is a pause in which others are
// answered. A request takes its turns as instants, not as promises of other requests: one that its client leaves leaves
// nobody waiting. The instants are of a clock that stands still while parts come later than they should: so an isolate
// that is behind stays as fair.

import { LARGE_REQUEST_PARTS_MAX, LARGE_REQUEST_WAIT_MS_MAX, REQUEST_PART_EVERY_MS } from "./limits.ts";

/**
 * Whose requests wait for one another: the number of a merchant whose key they came with, or KEYLESS for all that came
 * without one. Strangers know the tracking IDs of many merchants and have many addresses, so they are one.
 */
export type LaneName = number;
export const KEYLESS: LaneName = 0;

/** A request that asked to be let in. */
export interface LargeRequest {
  readonly name: LaneName;
  /** Seconds after which it may be sent again; 0 where it was let in. */
  readonly fullForSeconds: number;
  /** Parts that have not taken their turn. */
  left: number;
  /** When it came, or its last turn comes, by the clock of turns. */
  at: number;
}

interface Lane {
  /** Those let in that have parts left. */
  readonly requests: Set<LargeRequest>;
  /** From when its next part may come, in ms of the clock of turns. */
  nextAt: number;
}

/** A part that waits for its turn. */
export interface Turn {
  readonly name: LaneName;
  /** When it is to come, by the clock of turns. */
  readonly at: number;
  /** How many parts had begun when its present pause did. */
  known: number;
  /** UTC ms at which that pause ends. */
  until: number;
}

/** A timer is that late where nothing else is worked on. */
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

  /**
   * Lets a request of so many parts in, or says when it may be sent again. A lane holds no more than what is free after
   * it: one alone has half of all parts, a second one half of what that leaves. Where nothing waits any request is let
   * in.
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

  /** The next part of a request, which has to wait now (UTC ms) as `leftMs` says. */
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
   * How long a part is to pause, in ms; 0 once it may begin, which it has then done. Asked before a pause and after it.
   * A pause that ends late was no pause: something else, the part before perhaps, has taken that time. One that ends
   * early, by a clock that stands still or is not as exact, counts as a whole one.
   */
  leftMs(turn: Turn, clock: number): number {
    const now = Math.max(clock, turn.until);
    const isPause = now - turn.until <= TIMER_MS;
    const restMs = isPause ? this.#begunAt + REQUEST_PART_EVERY_MS - now : REQUEST_PART_EVERY_MS;
    const leftMs = Math.max(turn.known === this.#begun ? 0 : restMs, turn.at + this.#behindMs - now);
    if (leftMs > 0) {
      turn.known = this.#begun;
      turn.until = now + leftMs;
      return leftMs;
    }
    this.#begun += 1;
    this.#begunAt = now;
    // Lanes whose instants fall together come one after the other: late is what comes after the next round has begun.
    this.#behindMs = Math.max(this.#behindMs, now - turn.at - this.#everyMs(turn.name));
    return 0;
  }

  /** How far apart parts of a lane are while so many lanes have something to do. */
  #everyMs(name: LaneName): number {
    return REQUEST_PART_EVERY_MS * (this.#lanes.size + (this.#lanes.has(name) ? 0 : 1));
  }

  /**
   * Drops requests that have taken no turn for longer than any of them waits, because their clients have left, and
   * lanes in which nothing is left. Whatever else comes in the lane keeps no place of theirs: else whoever sends and
   * leaves would fill it.
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
