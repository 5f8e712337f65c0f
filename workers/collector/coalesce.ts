// Hits that come to one isolate within a few milliseconds, for the same partition, share one call of it: the call costs
// several times what the hit does. Nothing else is shared: each hit hears of its own events, tries again and overflows by
// itself (deliver.ts), and is answered after the partition's commit as before. The first hit of a moment makes the call in
// its own context; the others wait for it, and make their own where it does not come back: a repeat is harmless, because
// the partition knows what it has counted. Free of the platform but for its clock.

import type { Arrival } from "../../core/event.ts";
import { COALESCE_EVENTS_MAX, COALESCE_HIT_EVENTS_MAX, COALESCE_MS, COALESCE_PATIENCE_MS } from "../../core/limits.ts";
import type { AppendReply } from "../../durable-objects/rpc.ts";

export interface Coalescing {
  readonly append: (partition: string, arrivals: readonly Arrival[]) => Promise<AppendReply>;
  /** Keeps the context of a hit until work is done for others, should its own client go away. */
  readonly later: (work: Promise<void>) => void;
}

/** The hits of a moment that share a call. */
interface Group {
  readonly arrivals: Arrival[];
  hits: number;
  /** Of the call, in the context of the hit that makes it. */
  readonly reply: Promise<AppendReply>;
  /**
   * The same for the other hits, or undefined when the call takes longer than a partition ever does. They wait for this one
   * promise: each that is of another context takes 5 µs to wait for.
   */
  readonly shared: PromiseWithResolvers<AppendReply | undefined>;
  /** Makes the call now. */
  readonly send: () => void;
}

/** One list of groups for an isolate. */
export class Coalescer {
  /** By partition. */
  readonly #gathering = new Map<string, Group>();

  /** The fates of these arrivals; as `append` itself would say, or throw. */
  async append(partition: string, arrivals: readonly Arrival[], how: Coalescing): Promise<AppendReply> {
    // A batch is a call of its own: it has nothing to gain.
    if (arrivals.length > COALESCE_HIT_EVENTS_MAX) return how.append(partition, arrivals);
    const known = this.#gathering.get(partition);
    const group = known ?? this.#gather(partition, how);
    const start = group.arrivals.length;
    group.hits += 1;
    group.arrivals.push(...arrivals);
    if (group.arrivals.length >= COALESCE_EVENTS_MAX) group.send();
    // The second hit keeps the time for all but the first, in its own context: should the first one's die with its call, so
    // would a timer in it. One in each would take 25 µs of a hit's 260.
    if (group.hits === 2) void guard(group);
    const reply = await (known === undefined ? group.reply : group.shared.promise);
    if (reply === undefined) return how.append(partition, arrivals);
    if (reply !== "overloaded") return reply.slice(start, start + arrivals.length);
    // Perhaps only one of the merchants in it sends too much: then each is told of its own.
    return group.hits === 1 ? reply : how.append(partition, arrivals);
  }

  #gather(partition: string, { append, later }: Coalescing): Group {
    const full = Promise.withResolvers<void>();
    const arrivals: Arrival[] = [];
    const work = async () => {
      const timer = setTimeout(full.resolve, COALESCE_MS);
      await full.promise;
      clearTimeout(timer);
      if (this.#gathering.get(partition) === group) this.#gathering.delete(partition);
      return append(partition, arrivals);
    };
    const reply = work();
    const shared = Promise.withResolvers<AppendReply | undefined>();
    reply.then(shared.resolve, shared.reject);
    shared.promise.catch(done); // whether it fails is for each of the hits to say
    const send = () => {
      this.#gathering.delete(partition);
      full.resolve();
    };
    const group: Group = { arrivals, hits: 0, reply, shared, send };
    this.#gathering.set(partition, group);
    later(reply.then(done, done));
    return group;
  }
}

function done(): void {}

/** Tells those who wait for a group's call when it has taken too long. */
async function guard({ reply, shared }: Group): Promise<void> {
  const timer = setTimeout(shared.resolve, COALESCE_PATIENCE_MS, undefined);
  await reply.then(done, done);
  clearTimeout(timer);
}
