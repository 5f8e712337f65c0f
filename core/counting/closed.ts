// When a Day is closed. Its partitions then count no more events of it, and the archive seals it. An event that comes
// later is archived under its Day and counted by a replay of the Day (SEA-1). A Day closes at one instant for all time
// zones, because a (Day, partition) holds merchants of many.

import { SEAL_AFTER_MS } from "../limits.ts";
import { DAY_MS } from "../time.ts";

/** UTC ms at which a Day, given by the number of its date, is closed. `afterMs` counts from its midnight in UTC. */
export function closesAt(day: number, afterMs: number = SEAL_AFTER_MS): number {
  return day * DAY_MS + afterMs;
}

/** The first Day that is not closed at an instant. All Days before it are closed. */
export function firstOpenDay(now: number, afterMs: number = SEAL_AFTER_MS): number {
  return Math.floor((now - afterMs) / DAY_MS) + 1;
}
