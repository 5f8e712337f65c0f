// Lines of an isolate: of one kind of request only a few go on at once, and others wait or are refused. Exports of a
// merchant, readings of many rollups of a merchant, and guests who count events each stand in such lines. Who waits
// asks again by its own timer, since one request may not wake another here. A client may leave without notice, so a
// place that is not kept is free again after a while.

import {
  EXPORT_LEASE_MS,
  EXPORTS_AT_ONCE_MAX,
  LINE_OF_ASKER_MAX,
  LINE_OF_GUEST_MAX,
  LINE_OF_GUESTS_MAX,
  LINE_OF_MERCHANT_MAX,
  ROLLUP_READINGS_AT_ONCE_MAX,
  TURN_LEASE_MS,
} from "../../core/limits.ts";

/** What the lines of one kind take. */
export interface LineSize {
  /** How many go on at once. */
  readonly going: number;
  /** How many may stand in a line, and how many of one asker, those that go on included. */
  readonly all: number;
  readonly ofAsker: number;
  /** A place is kept for so long after it was last asked for, ms. */
  readonly leaseMs: number;
}

/** Exports, by merchant. Nobody waits. */
export const OF_EXPORTS: LineSize = {
  going: EXPORTS_AT_ONCE_MAX,
  all: EXPORTS_AT_ONCE_MAX,
  ofAsker: EXPORTS_AT_ONCE_MAX,
  leaseMs: EXPORT_LEASE_MS,
};

/** Requests that read many rollups, by merchant; its links have a line of their own. */
export const OF_ROLLUPS: LineSize = {
  going: ROLLUP_READINGS_AT_ONCE_MAX,
  all: LINE_OF_MERCHANT_MAX,
  ofAsker: LINE_OF_ASKER_MAX,
  leaseMs: TURN_LEASE_MS,
};

/** Guests who count events: one line for all of an isolate. */
export const OF_GUESTS: LineSize = {
  going: 1,
  all: LINE_OF_GUESTS_MAX,
  ofAsker: LINE_OF_GUEST_MAX,
  leaseMs: TURN_LEASE_MS,
};

/** A line, and who stands in it for whom. */
export interface Standing {
  readonly line: string;
  /** Askers of a line go on by turns: who has more requests there waits for those who have fewer. */
  readonly asker: string;
}

/** Whether a request may go on, shall ask again soon, or has to come again later. */
export type Place = "going" | "waiting" | "full";

interface Held {
  readonly asker: string;
  /** How many of its asker were in the line when it came. */
  readonly before: number;
  /** UTC ms. */
  until: number;
  isGoing: boolean;
}

/** The lines of one kind. Instants are UTC ms. */
export class Lines {
  readonly #size: LineSize;
  readonly #lines = new Map<string, Map<object, Held>>();

  constructor(size: LineSize) {
    this.#size = size;
  }

  /** Takes a place in a line, or keeps the one that this request has. */
  stand(who: object, { line, asker }: Standing, now: number): Place {
    const { going, all, ofAsker, leaseMs } = this.#size;
    const places = this.#lines.get(line) ?? new Map<object, Held>();
    for (const [one, { until }] of places) if (until <= now) places.delete(one);
    const before = countOf(places, (one) => one.asker === asker);
    if (!places.has(who) && (places.size >= all || before >= ofAsker)) return "full";
    const own = places.get(who) ?? { asker, before, until: now, isGoing: false };
    own.until = now + leaseMs;
    places.set(who, own);
    this.#lines.set(line, places);
    own.isGoing ||= countOf(places, ({ isGoing }) => isGoing) < going && nextOf(places) === own;
    return own.isGoing ? "going" : "waiting";
  }

  /** Gives the place of a request back, if it has one. */
  leave(who: object, line: string): void {
    const places = this.#lines.get(line);
    if (places?.delete(who) === true && places.size === 0) this.#lines.delete(line);
  }
}

function countOf(places: ReadonlyMap<object, Held>, isCounted: (place: Held) => boolean): number {
  let count = 0;
  for (const place of places.values()) if (isCounted(place)) count += 1;
  return count;
}

/** Who goes on next: of those that wait with the fewest of their asker before them the first that came. */
function nextOf(places: ReadonlyMap<object, Held>): Held | undefined {
  let next: Held | undefined;
  for (const place of places.values())
    if (!place.isGoing && (next === undefined || place.before < next.before)) next = place;
  return next;
}
