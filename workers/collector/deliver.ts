// How arrivals reach their partition: by a call, by a second call if the first fails, and then by the overflow queue,
// which is durable too. An event is refused as "unavailable" only if all of these fail. A repeat is harmless: ids and
// times are fixed, and the partition knows what it has counted. This file does not use the platform, so the simulation
// runs it as it is.

import type { Moved } from "../../core/counting/placement.ts";
import type { Arrival } from "../../core/event.ts";
import type { LogEntry } from "../../core/log.ts";
import { causeOf } from "../../core/outcome.ts";
import type { OverflowPart } from "../../core/overflow.ts";
import type { AppendReply, Fate } from "../../durable-objects/rpc.ts";

/** The ways that arrivals can take, and the log. */
export interface Delivery {
  append(partition: string, arrivals: readonly Arrival[]): Promise<AppendReply>;
  overflow(part: OverflowPart): Promise<void>;
  /**
   * Whether an arrival may go to the overflow queue. There it is acknowledged before a partition has judged it, and is
   * counted whatever it costs. So events that a partition limits by a budget may not go there. Without this function
   * all may.
   */
  mayOverflow?(arrival: Arrival): boolean;
  log(line: LogEntry): void;
}

/** "unavailable" means that the event is stored nowhere. The client must send it again. */
export type Delivered = Exclude<Fate, Moved | "unread"> | "unavailable";

/**
 * Resolves once each arrival is durable somewhere or could not be stored. Gives the fate of each arrival, or the other
 * partition to which it belongs. Never throws.
 */
export async function deliver(
  partition: string,
  arrivals: readonly Arrival[],
  delivery: Delivery,
): Promise<readonly (Delivered | Moved)[]> {
  for (let attempt = 1; attempt <= 2; attempt++) {
    try {
      const reply = await delivery.append(partition, arrivals);
      if (reply !== "overloaded") {
        if (reply.includes("unread")) return await withoutUnread({ partition, arrivals, fates: reply }, delivery);
        return reply as readonly Exclude<Fate, "unread">[];
      }
      delivery.log({ event: "partition_overloaded", partition, events: arrivals.length });
      break; // to ask an overloaded partition again would only load it more
    } catch (error) {
      delivery.log({ event: "append_failed", partition, attempt, error: causeOf(error) });
    }
  }
  return overflow(partition, arrivals, delivery);
}

/**
 * Sends to the overflow queue the arrivals that a partition did not take because it could not read the merchant's
 * settings.
 */
async function withoutUnread(
  { partition, arrivals, fates }: OverflowPart & { readonly fates: readonly Fate[] },
  delivery: Delivery,
): Promise<readonly (Delivered | Moved)[]> {
  const unread = arrivals.filter((_, index) => fates[index] === "unread");
  const waiting = unread.length === 0 ? [] : await overflow(partition, unread, delivery);
  const rest = waiting.values();
  return fates.map((fate) => (fate === "unread" ? (rest.next().value as Delivered) : fate));
}

/**
 * Sends arrivals to the overflow queue. The fate is "unavailable" for those that may not go there, and for those that
 * no queue took. Never throws.
 */
export async function overflow(
  partition: string,
  arrivals: readonly Arrival[],
  delivery: Delivery,
): Promise<readonly Delivered[]> {
  const mayOverflow = (arrival: Arrival) => delivery.mayOverflow?.(arrival) ?? true;
  const own = arrivals.filter(mayOverflow);
  if (own.length === 0) return arrivals.map(() => "unavailable" as const);
  try {
    await delivery.overflow({ partition, arrivals: own });
    return arrivals.map((arrival) => (mayOverflow(arrival) ? "accepted" : "unavailable"));
  } catch (error) {
    delivery.log({ event: "overflow_failed", partition, events: own.length, error: causeOf(error) });
    return arrivals.map(() => "unavailable" as const);
  }
}
