// What somebody without a key may spend on closed Days. A bundle becomes an object in the archive for each Day it
// touches, and a late event sets a new count of its merchant's Day going: a hundred times what an event of today costs;
// and a tracking ID stands in every page. So whoever has no key has a budget an hour, and all of them together have one
// for each merchant: of objects, for any closed Day, and of Days that lie beyond those of which phones that were
// offline send. What lands in an object that was paid for costs nothing more. An hour's counts live in memory alone: an
// eviction forgets them, and only a partition that nobody sends to is evicted.

import type { Arrival } from "../core/event.ts";
import {
  LATE_DAYS_NEAR,
  LATE_DAYS_OF_MERCHANT_MAX,
  LATE_DAYS_OF_SENDER_MAX,
  LATE_OBJECTS_OF_MERCHANT_MAX,
  LATE_OBJECTS_OF_SENDER_MAX,
  LATE_SENDERS_KEPT_MAX,
} from "../core/limits.ts";
import { HOUR_MS } from "../core/time.ts";
import { addressKey } from "../storage/rate-limit.ts";

/** What was spent in the hour. */
interface Spent {
  /** Days before the last LATE_DAYS_NEAR closed ones. */
  readonly days: Set<number>;
  objects: number;
}

interface SpentOfMerchant extends Spent {
  /** Day → the stretch of the log in which its last object was paid for. */
  readonly stretches: Map<number, string>;
}

export interface LateBudget {
  /** Number of the hour (UTC) it is of. */
  hour: number;
  readonly merchants: Map<number, SpentOfMerchant>;
  /** By merchant and what stands for the sender's address. */
  readonly senders: Map<string, Spent>;
}

export function newLateBudget(): LateBudget {
  return { hour: 0, merchants: new Map(), senders: new Map() };
}

export interface LateArrival extends Pick<Arrival, "event" | "address"> {
  /** Number of the closed Day it belongs to. */
  readonly day: number;
  /** The first Day that is not closed. */
  readonly openFrom: number;
  /** Names the piece of the log it lands in; a piece lies in two bundles at most, or nearly so. */
  readonly stretch: string;
}

/** Whether an event of a closed Day may be taken; counts what it costs if so. What comes with a key always may. */
export function takesLateDay(budget: LateBudget, late: LateArrival, now: number): boolean {
  const { event, address, day, openFrom, stretch } = late;
  if (event.keyed === 1 || event.importNumber !== 0) return true; // only a key says an import's number
  startHour(budget, Math.floor(now / HOUR_MS));
  const merchant = budget.merchants.get(event.merchant) ?? { days: new Set(), objects: 0, stretches: new Map() };
  if (merchant.stretches.get(day) === stretch) return true;
  const name = `${event.merchant} ${addressKey(address)}`; // whoever has one IPv6 address has 2^64 of them
  // Senders beyond what memory should hold share one budget.
  const from = budget.senders.has(name) || budget.senders.size < LATE_SENDERS_KEPT_MAX ? name : "others";
  const sender = budget.senders.get(from) ?? { days: new Set(), objects: 0 };
  if (merchant.objects >= LATE_OBJECTS_OF_MERCHANT_MAX || sender.objects >= LATE_OBJECTS_OF_SENDER_MAX) return false;
  if (day < openFrom - LATE_DAYS_NEAR) {
    if (!merchant.days.has(day) && merchant.days.size >= LATE_DAYS_OF_MERCHANT_MAX) return false;
    if (!sender.days.has(day) && sender.days.size >= LATE_DAYS_OF_SENDER_MAX) return false;
    merchant.days.add(day);
    sender.days.add(day);
  }
  merchant.objects += 1;
  sender.objects += 1;
  merchant.stretches.set(day, stretch);
  budget.merchants.set(event.merchant, merchant);
  budget.senders.set(from, sender);
  return true;
}

function startHour(budget: LateBudget, hour: number): void {
  if (budget.hour === hour) return;
  budget.hour = hour;
  budget.merchants.clear();
  budget.senders.clear();
}
