// How many closed Days somebody without a key may bring back to life. An event of such a Day costs an object in the archive, a row in D1
// and a new count of its merchant's Day, a hundred times what an event of today costs; and a tracking ID stands in every page. So
// whoever has no key has a budget of Days an hour, and all of them together have one for each merchant. The last Days before the
// closed ones are free: phones that were offline send of those, and they are few. An hour's counts live in memory alone: an eviction
// forgets them, and only a partition that nobody sends to is evicted.

import type { Arrival } from "../core/event.ts";
import {
  LATE_DAYS_FREE,
  LATE_DAYS_OF_MERCHANT_MAX,
  LATE_DAYS_OF_SENDER_MAX,
  LATE_SENDERS_KEPT_MAX,
} from "../core/limits.ts";
import { HOUR_MS } from "../core/time.ts";

export interface LateBudget {
  /** Number of the hour (UTC) it is of. */
  hour: number;
  /** By merchant. */
  readonly days: Map<number, Set<number>>;
  /** By merchant and what stands for the sender's address. */
  readonly senders: Map<string, Set<number>>;
}

export function newLateBudget(): LateBudget {
  return { hour: 0, days: new Map(), senders: new Map() };
}

export interface LateArrival extends Pick<Arrival, "event" | "address"> {
  /** Number of the closed Day it belongs to. */
  readonly day: number;
  /** The first Day that is not closed. */
  readonly openFrom: number;
}

/** Whether an event of a closed Day may be taken; counts its Day if so. What comes with a key always may. */
export function takesLateDay(budget: LateBudget, { event, address, day, openFrom }: LateArrival, now: number): boolean {
  if (event.keyed === 1 || day >= openFrom - LATE_DAYS_FREE) return true;
  const hour = Math.floor(now / HOUR_MS);
  if (budget.hour !== hour) {
    budget.hour = hour;
    budget.days.clear();
    budget.senders.clear();
  }
  const ofMerchant = budget.days.get(event.merchant) ?? new Set();
  const name = `${event.merchant} ${address}`;
  // Senders beyond what memory should hold share one budget.
  const sender = budget.senders.has(name) || budget.senders.size < LATE_SENDERS_KEPT_MAX ? name : "others";
  const ofSender = budget.senders.get(sender) ?? new Set();
  if (!ofMerchant.has(day) && ofMerchant.size >= LATE_DAYS_OF_MERCHANT_MAX) return false;
  if (!ofSender.has(day) && ofSender.size >= LATE_DAYS_OF_SENDER_MAX) return false;
  budget.days.set(event.merchant, ofMerchant.add(day));
  budget.senders.set(sender, ofSender.add(day));
  return true;
}
