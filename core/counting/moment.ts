// When an event happened among others of its visitor or its order number. Events of one instant keep the order in
// which they came: by when their request was received, then by their place in it (VIS-3). What is still equal, in
// two requests of one millisecond, is told apart by a hash of the ids: any order will do there, as long as it is
// always the same one (L4).

import type { Event } from "../event.ts";
import { hash32 } from "../hash.ts";
import { REQUEST_EVENTS_MAX } from "../limits.ts";

export interface Moment {
  /** UTC ms. */
  readonly time: number;
  /** Of its arrival, comparable among events of one `time`. */
  readonly order: number;
  /** A hash of its id. */
  readonly tie: number;
}

/** Places in a request, rounded up to a power of two. */
const PLACES = 2 ** Math.ceil(Math.log2(REQUEST_EVENTS_MAX));
/** Clocks of senders run ahead too: what was received before it happened is above 0 as well. 34 years. */
const RECEIVED_OFFSET_MS = 2 ** 40;

const TIE_SEED = 0x51ed270b;

export function momentOf(event: Event): Moment {
  return { time: event.timestamp, order: orderOf(event), tie: hash32(event.id, TIE_SEED) };
}

/** The same; the id is looked at where it decides. */
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
