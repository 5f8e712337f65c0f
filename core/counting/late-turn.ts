// In which order late Days are counted again: by turns of their merchants. A merchant's first Day that waits is counted
// at once, its second a turn later, its hundredth a hundred turns later; so whoever sends of a thousand past Days makes
// their own wait, and the one late event of a neighbour does not stand behind them. A Day of several merchants is
// counted when the first of them has its turn.

import { LATE_TURN_SECONDS, LATE_WAIT_SECONDS_MAX } from "../limits.ts";

export type MerchantDay = readonly [merchant: number, day: number];

/**
 * Seconds that each Day waits beyond the others' wait for company. `waiting` is how many Days of a merchant wait
 * already.
 */
export function lateWaits(
  late: readonly MerchantDay[],
  waiting: (merchant: number) => number,
): ReadonlyMap<number, number> {
  const turns = new Map<number, number>();
  const waits = new Map<number, number>();
  for (const [merchant, day] of late) {
    const turn = turns.get(merchant) ?? waiting(merchant);
    turns.set(merchant, turn + 1);
    const seconds = Math.min(turn * LATE_TURN_SECONDS, LATE_WAIT_SECONDS_MAX);
    waits.set(day, Math.min(seconds, waits.get(day) ?? Number.POSITIVE_INFINITY));
  }
  return waits;
}
