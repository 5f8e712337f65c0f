// Sends arrivals to the partitions that count them, all at once. An isolate looks nothing up for that. It begins with
// no knowledge of how merchants are spread. A partition that gets an arrival which another partition counts answers
// with that partition (Moved). The isolate remembers the answer, so a merchant costs it one such detour. This file does
// not use the platform, so the simulation runs it as it is.

import { isMoved, type KnownSpread, type Moved, partitionOf } from "../../core/counting/placement.ts";
import type { Arrival } from "../../core/event.ts";
import { PLACEMENTS_MAX, SPREADS_KNOWN_MAX } from "../../core/limits.ts";
import type { SpreadTimeline } from "../../core/merchant.ts";
import { inRegion, type Nearby } from "../../core/region.ts";
import { type Delivered, type Delivery, deliver, overflow } from "./deliver.ts";

/** The merchants with partitions of their own that one isolate has heard of. */
export class SpreadMemory {
  readonly #known = new Map<number, KnownSpread>();

  of(merchant: number): SpreadTimeline {
    return this.#known.get(merchant)?.spread ?? [];
  }

  learn(heard: KnownSpread): void {
    const known = this.#known.get(heard.merchant);
    if (known !== undefined && known.version >= heard.version) return;
    this.#known.delete(heard.merchant); // moved to the end: the first one is then the one heard of longest ago
    this.#known.set(heard.merchant, heard);
    const [oldest] = this.#known.keys();
    if (this.#known.size > SPREADS_KNOWN_MAX && oldest !== undefined) this.#known.delete(oldest);
  }
}

export interface Placing {
  readonly spreads: SpreadMemory;
  readonly poolSize: number;
  /** Where the client's hits are accepted. Undefined where there are no regions. */
  readonly nearby: Nearby | undefined;
  readonly delivery: Delivery;
}

/** Resolves with the fate of each arrival, once all are durable or could not be stored. Never throws. */
export async function place(arrivals: readonly Arrival[], placing: Placing): Promise<readonly Delivered[]> {
  // Nearly always all arrivals are of one partition, which takes them. Then no list has to be put together again.
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
 * Puts the fates of arrivals at their indexes. Where another partition counts an arrival, it remembers that partition
 * and returns the arrival's index.
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

/** The one partition of all arrivals. Undefined where there are several partitions, or no arrivals. */
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
