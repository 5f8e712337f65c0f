// Hits that come to one isolate within a few milliseconds, for the same partition, share one call of it: the call costs
// several times what the hit does. Nothing else is shared: each hit hears of its own events, tries again and overflows by
// itself (deliver.ts), and is answered after the partition's commit as before. A repeat is harmless, because the partition
// knows what it has counted.

import type { Arrival } from "../../core/event.ts";
import { COALESCE_EVENTS_MAX, COALESCE_HIT_EVENTS_MAX, COALESCE_MS, COALESCE_PATIENCE_MS } from "../../core/limits.ts";
import type { AppendReply } from "../../durable-objects/rpc.ts";
import { Gatherer } from "./gather.ts";

export interface Coalescing {
  readonly append: (partition: string, arrivals: readonly Arrival[]) => Promise<AppendReply>;
  /** Keeps the context of a hit until work is done for others, should its own client go away. */
  readonly later: (work: Promise<void>) => void;
}

/** Of one isolate. */
export class Coalescer {
  readonly #calls = new Gatherer<Arrival, AppendReply>({
    waitMs: COALESCE_MS,
    itemsMax: COALESCE_EVENTS_MAX,
    patienceMs: COALESCE_PATIENCE_MS,
  });

  /** The fates of these arrivals; as `append` itself would say, or throw. */
  async append(partition: string, arrivals: readonly Arrival[], { append, later }: Coalescing): Promise<AppendReply> {
    // A batch is a call of its own: it has nothing to gain.
    if (arrivals.length > COALESCE_HIT_EVENTS_MAX) return append(partition, arrivals);
    const share = await this.#calls.share(partition, arrivals, { work: append, later });
    if (share === undefined) return append(partition, arrivals);
    const { reply, start, hits } = share;
    if (reply !== "overloaded") return reply.slice(start, start + arrivals.length);
    // Perhaps only one of the merchants in it sends too much: then each is told of its own.
    return hits === 1 ? reply : append(partition, arrivals);
  }
}
