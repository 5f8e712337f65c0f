// How arrivals reach their partition: once, once more, and then by the overflow queue, which is durable too. Only when
// all of that fails is an event not acknowledged. A repeat is harmless: ids and times are fixed, the partition knows
// what it has counted. Free of the platform, so that the simulation runs it as it is.

import type { Moved } from "../../core/counting/placement.ts";
import type { Arrival } from "../../core/event.ts";
import { causeOf } from "../../core/outcome.ts";
import type { OverflowPart } from "../../core/overflow.ts";
import type { AppendReply, Fate } from "../../durable-objects/rpc.ts";

/** One structured line for the operator. */
export type LogEntry = Readonly<Record<string, string | number>>;

export interface Delivery {
  append(partition: string, arrivals: readonly Arrival[]): Promise<AppendReply>;
  overflow(part: OverflowPart): Promise<void>;
  /**
   * Whether an arrival may be acknowledged before a partition has judged it. What waits in the overflow queue is
   * counted whatever it costs, so what the partition has a budget for may not; all may where this is left out.
   */
  mayOverflow?(arrival: Arrival): boolean;
  log(entry: LogEntry): void;
}

/** "unavailable": not stored anywhere; the client must send it again. */
export type Delivered = Exclude<Fate, Moved | "unread"> | "unavailable";

/** Resolves, once they are durable somewhere, with the fate of each arrival, or where else it belongs; never throws. */
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
      break; // asking an overloaded partition again would only load it more
    } catch (error) {
      delivery.log({ event: "append_failed", partition, attempt, error: causeOf(error) });
    }
  }
  return overflow(partition, arrivals, delivery);
}

/** What a partition could not take, because its settings cannot be read, waits in the overflow queue. */
async function withoutUnread(
  { partition, arrivals, fates }: OverflowPart & { readonly fates: readonly Fate[] },
  delivery: Delivery,
): Promise<readonly (Delivered | Moved)[]> {
  const unread = arrivals.filter((_, index) => fates[index] === "unread");
  const waiting = unread.length === 0 ? [] : await overflow(partition, unread, delivery);
  const rest = waiting.values();
  return fates.map((fate) => (fate === "unread" ? (rest.next().value as Delivered) : fate));
}

/** By the overflow queue; "unavailable" where not even that takes them, or they may not go there. Never throws. */
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
