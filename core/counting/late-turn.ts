// The order in which late Days are counted again: merchants take turns. A merchant's first waiting Day is counted at
// once, its second one turn later, its hundredth a hundred turns later. So whoever sends events of a thousand past Days
// makes their own Days wait. A neighbour's one late event does not wait behind them.

import { LATE_TURN_SECONDS, LATE_WAIT_SECONDS_MAX } from "../limits.ts";

export type MerchantDay = readonly [merchant: number, day: number];

/**
 * Seconds that each Day waits, besides the wait for other late events. `waiting` is the number of the merchant's Days
 * that wait already.
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
