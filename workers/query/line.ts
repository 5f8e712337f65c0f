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
  /**
   * The number of the merchant that is asked about, where a line is for several. The merchant that went on longest ago
   * comes first, whoever asks, and the requests about one may be half of the line.
   */
  readonly merchant?: number | undefined;
}

/** Whether a request may go on, shall ask again soon, or has to come again later. */
export type Place = "going" | "waiting" | "full";

/** How many merchants are known to have gone on. All begin anew then. */
const MERCHANTS_KNOWN_MAX = 10_000;

interface Held extends Omit<Standing, "line"> {
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
  /** When a request about a merchant last went on: a number that grows with each. */
  readonly #wentOn = new Map<number, number>();
  #count = 0;

  constructor(size: LineSize) {
    this.#size = size;
  }

  /** Takes a place in a line, or keeps the one that this request has. */
  stand(who: object, { line, asker, merchant }: Standing, now: number): Place {
    const { going, all, ofAsker, leaseMs } = this.#size;
    const places = this.#lines.get(line) ?? new Map<object, Held>();
    for (const [one, { until }] of places) if (until <= now) places.delete(one);
    const before = countOf(places, (one) => one.asker === asker);
    const ofMerchant = merchant === undefined ? 0 : countOf(places, (one) => one.merchant === merchant);
    const isFull = places.size >= all || before >= ofAsker || ofMerchant >= all / 2;
    if (!places.has(who) && isFull) return "full";
    const own = places.get(who) ?? { asker, merchant, before, until: now, isGoing: false };
    own.until = now + leaseMs;
    places.set(who, own);
    this.#lines.set(line, places);
    if (own.isGoing) return "going";
    own.isGoing = countOf(places, ({ isGoing }) => isGoing) < going && this.#nextOf(places) === own;
    if (own.isGoing && merchant !== undefined) this.#note(merchant);
    return own.isGoing ? "going" : "waiting";
  }

  #note(merchant: number): void {
    if (this.#wentOn.size >= MERCHANTS_KNOWN_MAX) this.#wentOn.clear();
    this.#count += 1;
    this.#wentOn.set(merchant, this.#count);
  }

  /**
   * Who goes on next: of those that wait for the merchant that went on longest ago, and have the fewest of their asker
   * before them, the first that came.
   */
  #nextOf(places: ReadonlyMap<object, Held>): Held | undefined {
    const rank = ({ merchant = -1 }: Held) => this.#wentOn.get(merchant) ?? 0;
    let next: Held | undefined;
    for (const place of places.values()) {
      if (place.isGoing) continue;
      if (next === undefined || (rank(place) - rank(next) || place.before - next.before) < 0) next = place;
    }
    return next;
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
