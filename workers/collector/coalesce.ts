// Hits that come to one isolate within a few milliseconds for the same partition share one call of it. A call costs
// several times what a hit does. Nothing else is shared. Each hit gets the fates of its own events, and tries again and
// overflows by itself (deliver.ts). Each hit is still answered after the partition's commit. A repeat is harmless,
// because the partition knows what it has counted.

import type { Arrival } from "../../core/event.ts";
import { COALESCE_EVENTS_MAX, COALESCE_HIT_EVENTS_MAX, COALESCE_MS, COALESCE_PATIENCE_MS } from "../../core/limits.ts";
import type { AppendReply } from "../../durable-objects/rpc.ts";
import { Gatherer, LATE, type Sharing } from "./gather.ts";

/** How a hit shares calls. `call` calls the partition, for one hit or for all hits that share the call. */
export type Coalescing = Sharing<Arrival, AppendReply>;

/** The shared calls of one isolate. */
export class Coalescer {
  readonly #calls = new Gatherer<Arrival, AppendReply>({
    waitMs: COALESCE_MS,
    itemsMax: COALESCE_EVENTS_MAX,
    patienceMs: COALESCE_PATIENCE_MS,
  });

  /**
   * The fates of these arrivals. The result is the same as of a call for these arrivals alone, and so is an exception.
   */
  async append(partition: string, arrivals: readonly Arrival[], hit: Coalescing): Promise<AppendReply> {
    // A batch makes a call of its own, since it gains nothing from sharing.
    if (arrivals.length > COALESCE_HIT_EVENTS_MAX) return hit.call(partition, arrivals);
    const { start, group, reply: promised } = this.#calls.share(partition, arrivals, hit);
    const reply = await promised;
    if (reply === LATE) return hit.call(partition, arrivals);
    if (reply !== "overloaded") return reply.slice(start, start + arrivals.length);
    // Perhaps only one of the merchants in the shared call sends too much. So each hit asks again, for its own
    // arrivals.
    return group.hits === 1 ? reply : hit.call(partition, arrivals);
  }
}
