// Which partition counts an event: a pure function, so that the collector, the query Worker and a replay agree without
// asking anybody. Small merchants share a pool; a hot merchant is spread over partitions of its own by visitor.

import { hash32 } from "../hash.ts";

export interface Placement {
  /** Pool partitions of the deployment. */
  readonly poolSize: number;
  /** Merchant number → how many partitions of its own it is spread over. */
  readonly spread: ReadonlyMap<number, number>;
}

const POOL_SEED = 0x1b873593;
const VISITOR_SEED = 0x7ed55d16;

/** The partition of one visitor's events. `visitorSeed` is whatever tells visitors apart before they have an id. */
export function partitionOf(merchant: number, visitorSeed: string, placement: Placement): string {
  const spread = placement.spread.get(merchant);
  return spread === undefined
    ? poolPartition(merchant, placement.poolSize)
    : ownPartition(merchant, hash32(visitorSeed, VISITOR_SEED) % spread);
}

/** The partitions a hot merchant is spread over; none for the others. */
export function ownPartitions(merchant: number, { spread }: Placement): readonly string[] {
  return Array.from({ length: spread.get(merchant) ?? 0 }, (_, index) => ownPartition(merchant, index));
}

/** Every partition that may hold open counters of a merchant: its pool's (from before it was spread) and its own. */
export function partitionsOf(merchant: number, placement: Placement): readonly string[] {
  return [poolPartition(merchant, placement.poolSize), ...ownPartitions(merchant, placement)];
}

/** Every partition of the pool. */
export function poolPartitions(placement: Placement): readonly string[] {
  return Array.from({ length: placement.poolSize }, (_, index) => `pool-${index}`);
}

/** From the deployment's two settings: a number, and JSON such as {"42":8}. Throws when they are not that. */
export function parsePlacement(poolSize: string, spread: string): Placement {
  const size = Number(poolSize);
  if (!Number.isInteger(size) || size < 1)
    throw new Error(`POOL_SIZE must be a whole number above 0, not "${poolSize}"`);
  const counts = new Map(
    Object.entries(JSON.parse(spread) as object).map(([key, value]) => [Number(key), Number(value)]),
  );
  for (const [merchant, count] of counts) {
    if (!Number.isInteger(merchant) || !Number.isInteger(count) || count < 1) {
      throw new Error(`SPREAD must map merchant numbers to partition counts, not "${spread}"`);
    }
  }
  return { poolSize: size, spread: counts };
}

function poolPartition(merchant: number, poolSize: number): string {
  return `pool-${hash32(String(merchant), POOL_SEED) % poolSize}`;
}

function ownPartition(merchant: number, index: number): string {
  return `merchant-${merchant}-${index}`;
}
