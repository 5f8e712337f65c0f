// When a Day is closed: its partitions count no more of it. From then on it belongs to the archive alone, which seals
// it; an event that comes later is archived under its Day and counted by a replay of it (SEA-1). One instant for all
// zones: a (Day, partition) holds merchants of many.

import { SEAL_AFTER_MS } from "../limits.ts";
import { DAY_MS } from "../time.ts";

/** UTC ms at which a Day, given by the number of its date, is closed. `afterMs` counts from its midnight in UTC. */
export function closesAt(day: number, afterMs: number = SEAL_AFTER_MS): number {
  return day * DAY_MS + afterMs;
}

/** The first Day that is not closed at an instant: all before it are. */
export function firstOpenDay(now: number, afterMs: number = SEAL_AFTER_MS): number {
  return Math.floor((now - afterMs) / DAY_MS) + 1;
}
