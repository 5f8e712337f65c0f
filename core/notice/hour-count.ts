// What the rules about a shop's Hours look at (traffic.ts, silence.ts, first-order.ts): one entry for each Hour that is
// over, in order, with none left out. A window is some consecutive Hours. It is compared with windows of equal length
// that ended at the same clock hour on earlier Days.

import { NOTICE_DAYS_COMPARED } from "../limits.ts";

export interface HourCount {
  /** UTC ms at which the Hour starts. */
  readonly start: number;
  /** The Day it belongs to. */
  readonly day: number;
  /** The clock hour as the merchant's clocks show it, such as "14:00". */
  readonly clock: string;
  readonly visitors: number;
  readonly orders: number;
}

/** The number that is added up over Hours. */
export type HourNumber = "visitors" | "orders";

/** The sums of the windows on up to 14 earlier Days that end at the same clock hour as the last Hour. */
export function earlierWindows(hours: readonly HourCount[], length: number, number: HourNumber): readonly number[] {
  return endsOnEarlierDays(hours)
    .filter((end) => end + 1 >= length)
    .map((end) => sumOf(hours.slice(end + 1 - length, end + 1), number));
}

export function sumOf(hours: readonly HourCount[], number: HourNumber): number {
  return hours.reduce((sum, hour) => sum + hour[number], 0);
}

/**
 * The indexes of the Hours with the last Hour's clock hour, on up to 14 Days before. When clocks were put back, a Day
 * has such an Hour twice, and the second one counts. When they were put forward, a Day may have none and is left out.
 */
function endsOnEarlierDays(hours: readonly HourCount[]): readonly number[] {
  const last = hours.at(-1);
  if (last === undefined) return [];
  const ends = new Map<number, number>();
  // The longest Day has 25 Hours.
  const from = Math.max(0, hours.length - 1 - 25 * (NOTICE_DAYS_COMPARED + 1));
  for (let at = from; at < hours.length - 1; at++) {
    const { day, clock } = hours[at] as HourCount;
    if (clock === last.clock && day < last.day && day >= last.day - NOTICE_DAYS_COMPARED) ends.set(day, at);
  }
  return [...ends.values()];
}

/** From the first Hour with a visitor on. Before it there was no shop, so those Hours are not compared with. */
export function sinceFirstVisitor(hours: readonly HourCount[]): readonly HourCount[] {
  const first = hours.findIndex(({ visitors }) => visitors > 0);
  return first < 0 ? [] : hours.slice(first);
}
