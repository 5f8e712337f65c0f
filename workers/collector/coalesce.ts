// Hits that come to one isolate within a few milliseconds, for the same partition, share one call of it: the call costs
// several times what the hit does. Nothing else is shared: each hit hears of its own events, tries again and overflows
// by itself (deliver.ts), and is answered after the partition's commit as before. A repeat is harmless, because the
// partition knows what it has counted.

import type { Arrival } from "../../core/event.ts";
import { COALESCE_EVENTS_MAX, COALESCE_HIT_EVENTS_MAX, COALESCE_MS, COALESCE_PATIENCE_MS } from "../../core/limits.ts";
import type { AppendReply } from "../../durable-objects/rpc.ts";
import { Gatherer, LATE, type Sharing } from "./gather.ts";

/** `call` calls the partition, for this hit or for all that share its call. */
export type Coalescing = Sharing<Arrival, AppendReply>;

/** Of one isolate. */
export class Coalescer {
  readonly #calls = new Gatherer<Arrival, AppendReply>({
    waitMs: COALESCE_MS,
    itemsMax: COALESCE_EVENTS_MAX,
    patienceMs: COALESCE_PATIENCE_MS,
  });

  /** The fates of these arrivals; as a call of their own would say, or throw. */
  async append(partition: string, arrivals: readonly Arrival[], hit: Coalescing): Promise<AppendReply> {
    // A batch is a call of its own: it has nothing to gain.
    if (arrivals.length > COALESCE_HIT_EVENTS_MAX) return hit.call(partition, arrivals);
    const { start, group, reply: promised } = this.#calls.share(partition, arrivals, hit);
    const reply = await promised;
    if (reply === LATE) return hit.call(partition, arrivals);
    if (reply !== "overloaded") return reply.slice(start, start + arrivals.length);
    // Perhaps only one of the merchants in it sends too much: then each is told of its own.
    return group.hits === 1 ? reply : hit.call(partition, arrivals);
  }
}
