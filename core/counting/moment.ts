// When an event happened, among others of its visitor or its order number. Events of one instant keep the order in
// which they came: by the time their request was received, then by their index in it (VIS-3). Two requests of one
// millisecond may still be equal. Then a hash of the ids decides. Any order will do there, as long as it is always the
// same (L4).

import type { Event } from "../event.ts";
import { hash32 } from "../hash.ts";
import { REQUEST_EVENTS_MAX } from "../limits.ts";

export interface Moment {
  /** UTC ms. */
  readonly time: number;
  /** The order of its arrival, to compare events of one `time`. */
  readonly order: number;
  /** A hash of its id. */
  readonly tie: number;
}

/** Events of a request, rounded up to a power of two. */
const PLACES = 2 ** Math.ceil(Math.log2(REQUEST_EVENTS_MAX));
/**
 * 34 years. A sender's clock may run ahead, so an event may be received before it happened. With this the difference is
 * never negative.
 */
const RECEIVED_OFFSET_MS = 2 ** 40;

const TIE_SEED = 0x51ed270b;

export function momentOf(event: Event): Moment {
  return { time: event.timestamp, order: orderOf(event), tie: hash32(event.id, TIE_SEED) };
}

/** The same, but the id is hashed only if it decides. */
export function lateMomentOf(event: Event): Moment {
  return {
    time: event.timestamp,
    order: orderOf(event),
    get tie() {
      return hash32(event.id, TIE_SEED);
    },
  };
}

function orderOf({ timestamp, receivedAt, sequence }: Event): number {
  const later = Math.max(0, receivedAt - timestamp + RECEIVED_OFFSET_MS);
  return later * PLACES + Math.min(sequence, PLACES - 1);
}

/** Negative where `a` comes first. */
export function compareMoments(a: Moment, b: Moment): number {
  return a.time - b.time || a.order - b.order || a.tie - b.tie;
}
