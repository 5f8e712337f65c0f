// Where arrivals go: to the partitions that count them, all at once, by what this isolate knows of how merchants are
// spread. Nobody looks anything up for that: an isolate begins with nothing, and a partition that is sent what another
// one counts says which (Moved). It is asked once a merchant and isolate, and the answer is remembered. Free of the
// platform, so that the simulation runs it as it is.

import { isMoved, type KnownSpread, type Moved, partitionOf } from "../../core/counting/placement.ts";
import type { Arrival } from "../../core/event.ts";
import { PLACEMENTS_MAX, SPREADS_KNOWN_MAX } from "../../core/limits.ts";
import type { SpreadTimeline } from "../../core/merchant.ts";
import { inRegion, type Nearby } from "../../core/region.ts";
import { type Delivered, type Delivery, deliver, overflow } from "./deliver.ts";

/** Merchants on partitions of their own, as far as one isolate has heard of them. */
export class SpreadMemory {
  readonly #known = new Map<number, KnownSpread>();

  of(merchant: number): SpreadTimeline {
    return this.#known.get(merchant)?.spread ?? [];
  }

  learn(heard: KnownSpread): void {
    const known = this.#known.get(heard.merchant);
    if (known !== undefined && known.version >= heard.version) return;
    this.#known.delete(heard.merchant); // back at the end: the first one is the one that was heard of longest ago
    this.#known.set(heard.merchant, heard);
    const [oldest] = this.#known.keys();
    if (this.#known.size > SPREADS_KNOWN_MAX && oldest !== undefined) this.#known.delete(oldest);
  }
}

export interface Placing {
  readonly spreads: SpreadMemory;
  readonly poolSize: number;
  /** Where the client's hits are accepted; undefined where there are no regions. */
  readonly nearby: Nearby | undefined;
  readonly delivery: Delivery;
}

/** Resolves, once they are durable somewhere, with what became of each arrival; never throws. */
export async function place(arrivals: readonly Arrival[], placing: Placing): Promise<readonly Delivered[]> {
  // Nearly always all are of one partition, which takes them: then no list has to be put together again.
  const whole = wholeOf(arrivals, placing);
  const first = whole === undefined ? undefined : await deliver(whole, arrivals, placing.delivery);
  if (first?.every(isSettled)) return first;
  const fates = new Array<Delivered>(arrivals.length);
  let indexes = first === undefined ? [...arrivals.keys()] : sort(first, [...arrivals.keys()], { fates, placing });
  for (let round = first === undefined ? 1 : 2; indexes.length > 0; round++) {
    const send = round > PLACEMENTS_MAX ? overflow : deliver;
    const groups = groupsOf(arrivals, indexes, placing);
    const deliveries = [...groups].map(async ([partition, group]) => {
      const own = group.map((index) => arrivals[index] as Arrival);
      return sort(await send(partition, own, placing.delivery), group, { fates, placing });
    });
    indexes = (await Promise.all(deliveries)).flat();
  }
  return fates;
}

function isSettled(fate: Delivered | Moved): fate is Delivered {
  return !isMoved(fate);
}

/**
 * Puts the fates of arrivals to their indexes; of those that another partition counts it learns which,
 * and answers their indexes.
 */
function sort(
  delivered: readonly (Delivered | Moved)[],
  indexes: readonly number[],
  { fates, placing }: { readonly fates: Delivered[]; readonly placing: Placing },
): number[] {
  return indexes.filter((index, at) => {
    const fate = delivered[at] as (typeof delivered)[number];
    if (!isMoved(fate)) fates[index] = fate;
    else placing.spreads.learn(fate.moved);
    return isMoved(fate);
  });
}

/** The partition of all arrivals; undefined where there are several, or no arrivals. */
function wholeOf(arrivals: readonly Arrival[], placing: Placing): string | undefined {
  const [first] = arrivals;
  const whole = first === undefined ? undefined : partitionFor(first, placing);
  for (let index = 1; index < arrivals.length; index++)
    if (partitionFor(arrivals[index] as Arrival, placing) !== whole) return undefined;
  return whole;
}

function groupsOf(
  arrivals: readonly Arrival[],
  indexes: readonly number[],
  placing: Placing,
): ReadonlyMap<string, readonly number[]> {
  const groups = new Map<string, number[]>();
  for (const index of indexes) {
    const arrival = arrivals[index] as Arrival;
    const partition = partitionFor(arrival, placing);
    const group = groups.get(partition);
    if (group === undefined) groups.set(partition, [index]);
    else group.push(index);
  }
  return groups;
}

function partitionFor(arrival: Arrival, { spreads, poolSize, nearby }: Placing): string {
  const { merchant, timestamp } = arrival.event;
  const region = nearby !== undefined && timestamp >= nearby.from ? nearby.region : "";
  return inRegion(partitionOf(arrival, spreads.of(merchant), poolSize), region);
}
