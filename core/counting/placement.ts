// Which partition counts an event. It depends only on the event and on how its merchant is spread, so the collector,
// the partitions, the query Worker and a replay agree without asking anybody. Small merchants share a pool. A hot
// merchant is spread over partitions of its own, by visitor. A spread holds from an instant on (core/merchant.ts), and
// the event's own time decides. So a late or repeated event comes to the same partition.

import type { Arrival } from "../event.ts";
import { hash32 } from "../hash.ts";
import { type SpreadTimeline, spreadAt } from "../merchant.ts";
import { inRegion } from "../region.ts";

/** What decides which partition counts an arrival, besides its time. */
export type Placeable = Pick<Arrival, "address"> & { readonly event: Pick<Arrival["event"], PlacingFact> };
type PlacingFact = "merchant" | "visitor" | "userAgent" | "timestamp";

/** The partitions that a deployment has. */
export interface Placement {
  readonly poolSize: number;
  /** Regions with partitions of their own, besides the partitions without a region. */
  readonly regions: readonly string[];
}

/** A merchant and how it is spread. */
export interface Spread {
  readonly merchant: number;
  /** Undefined for one that was always in the pool. */
  readonly spread?: SpreadTimeline | undefined;
}

/**
 * A partition's answer to an arrival that another one counts: it was not taken, and this is how its merchant is spread.
 */
export interface Moved {
  readonly moved: KnownSpread;
}

export interface KnownSpread {
  readonly merchant: number;
  /** The version of the settings that say so. */
  readonly version: number;
  readonly spread: SpreadTimeline;
}

const POOL_SEED = 0x1b873593;
const VISITOR_SEED = 0x7ed55d16;

/** The partition that counts an arrival, without its region. */
export function partitionOf(arrival: Placeable, spread: SpreadTimeline, poolSize: number): string {
  return partitionAt(arrival, arrival.event.timestamp, { spread, poolSize });
}

/** Whether a partition answered that another one counts the arrival. */
export function isMoved(fate: unknown): fate is Moved {
  return typeof fate === "object" && fate !== null && "moved" in fate;
}

/** The partition that would count it, had it happened at another instant (UTC ms). */
export function partitionAt(
  { event, address }: Placeable,
  instant: number,
  { spread, poolSize }: { readonly spread: SpreadTimeline; readonly poolSize: number },
): string {
  const partitions = spreadAt(spread, instant);
  if (partitions === 0) return poolPartition(event.merchant, poolSize);
  // This tells visitors apart before they have an id.
  const visitor = event.visitor || `${address}|${event.userAgent}`;
  return ownPartition(event.merchant, hash32(visitor, VISITOR_SEED) % partitions);
}

/**
 * Every partition that may hold anything of a merchant: its pool's, and those that it is or was spread over, in all
 * regions.
 */
export function partitionsOf(spread: Spread, { poolSize, regions }: Placement): readonly string[] {
  return everywhere([poolPartition(spread.merchant, poolSize), ...ownPartitions(spread)], regions);
}

/** Every partition of a deployment: the pool's, then those of merchants that have, had or will have their own. */
export function allPartitions(spreads: readonly Spread[], { poolSize, regions }: Placement): readonly string[] {
  const pool = Array.from({ length: poolSize }, (_, index) => `pool-${index}`);
  return everywhere([...pool, ...spreads.flatMap(ownPartitions)], regions);
}

function ownPartitions({ merchant, spread = [] }: Spread): readonly string[] {
  const most = Math.max(0, ...spread.map(({ partitions }) => partitions));
  return Array.from({ length: most }, (_, index) => ownPartition(merchant, index));
}

function everywhere(partitions: readonly string[], regions: readonly string[]): readonly string[] {
  return ["", ...regions].flatMap((region) => partitions.map((partition) => inRegion(partition, region)));
}

/** The deployment's setting POOL_SIZE. Throws when it is not a whole number above 0. */
export function parsePoolSize(text: string): number {
  const size = Number(text);
  if (!Number.isInteger(size) || size < 1) throw new Error(`POOL_SIZE must be a whole number above 0, not "${text}"`);
  return size;
}

/** The partition of the pool that counts a merchant while it has none of its own. Every question asks it. */
export function poolPartition(merchant: number, poolSize: number): string {
  return `pool-${poolHash(merchant) % poolSize}`;
}

/** The hash that decides a merchant's partition in the pool, and its ledger (ledger-placement.ts). */
export function poolHash(merchant: number): number {
  return hash32(String(merchant), POOL_SEED);
}

function ownPartition(merchant: number, index: number): string {
  return `merchant-${merchant}-${index}`;
}
