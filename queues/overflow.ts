// The consumer of the overflow queues. It delivers arrivals that their partitions could not take when they came, late
// and in any order. Ids and times were fixed at the edge, so a redelivery is a duplicate and the order does not matter.
// While a partition does not take its arrivals, the message waits, longer each time.

import { isMoved, partitionOf } from "../core/counting/placement.ts";
import type { Arrival } from "../core/event.ts";
import { hash32 } from "../core/hash.ts";
import { PLACEMENTS_MAX } from "../core/limits.ts";
import type { Log } from "../core/log.ts";
import type { Metered } from "../core/meter.ts";
import { causeOf } from "../core/outcome.ts";
import { noteOf, type Overflow, type OverflowNote, type OverflowPart } from "../core/overflow.ts";
import { inRegion, regionOf } from "../core/region.ts";
import { bytesOf } from "../storage/archive/bundle-message.ts";
import { handleEach, type QueueBatch, type QueueMessage, retryDelaySeconds } from "./message.ts";

const RETRY_SEED = 0x2c1b3c6d;

export interface OverflowDeps {
  /** Opens an encrypted message. Throws on anything else. */
  readonly unpack: (bytes: Uint8Array) => Overflow;
  /** Appends to a partition. "overloaded" when it takes nothing now. */
  readonly append: (partition: string, arrivals: readonly Arrival[]) => Promise<readonly unknown[] | "overloaded">;
  /** Notes that a message waits. The collector has done so, unless D1 was too slow. */
  readonly note: (note: OverflowNote) => Promise<void>;
  /** Removes the note. */
  readonly settle: (note: OverflowNote) => Promise<void>;
  /** Pool partitions of the deployment. */
  readonly poolSize: number;
  /** UTC ms. */
  readonly now: () => number;
  readonly meter: Metered;
  readonly log: Log;
}

/** Delivers a batch. */
export async function deliverOverflow(batch: QueueBatch, deps: OverflowDeps): Promise<void> {
  const handle = ({ body }: QueueMessage) => deliverBody(body, deps);
  await handleEach(batch, { ...deps, handle, delaySeconds: spreadDelaySeconds });
}

/**
 * Some time within the usual wait, by the message's id. Messages that overflowed together must not come back together.
 * A partition takes its share of a second and turns the rest away, so after a flood the whole backlog would wait for
 * its own retries. (Seen with a share of 5,000 a second: two minutes after a flood of 20,000 a second not all of it was
 * counted.)
 */
function spreadDelaySeconds({ id, attempts }: QueueMessage): number {
  return 1 + (hash32(id, RETRY_SEED) % retryDelaySeconds(attempts));
}

/** Delivers one message's body, from the queue or from the dead letters. Throws when it is not taken. */
export async function deliverBody(body: unknown, deps: OverflowDeps): Promise<void> {
  const bytes = bytesOf(body);
  if (bytes === undefined) throw new Error("an overflow message is bytes");
  const overflow = deps.unpack(bytes);
  try {
    await deliverParts(overflow, deps);
  } catch (error) {
    // It waits, perhaps for long. If D1 cannot note that, the message does not fail because of it.
    await deps.note(noteOf(overflow, deps.now())).catch((cause: unknown) => logUnnoted(deps, cause));
    throw error;
  }
  // Where this fails the message comes again, and its events are duplicates. Until then answers are less sure than they
  // could be.
  await deps.settle(noteOf(overflow, deps.now()));
}

function logUnnoted({ log }: OverflowDeps, error: unknown): void {
  log({ event: "overflow_unnoted", error: causeOf(error) });
}

/** Tries every partition of the message, whatever becomes of the others. Throws the first failure. */
async function deliverParts({ parts }: Overflow, deps: OverflowDeps): Promise<void> {
  const ends = await Promise.allSettled(parts.map((part) => deliverPart(part, deps)));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

async function deliverPart({ partition, arrivals }: OverflowPart, deps: OverflowDeps): Promise<void> {
  let waiting: ReadonlyMap<string, readonly Arrival[]> = new Map([[partition, arrivals]]);
  for (let round = 1; waiting.size > 0; round++) {
    if (round > PLACEMENTS_MAX) throw new Error(`partitions do not agree who counts what overflowed from ${partition}`);
    const moved = new Map<string, Arrival[]>();
    for (const [name, own] of waiting) await append({ partition: name, arrivals: own }, moved, deps);
    waiting = moved;
  }
}

/** Appends to one partition. Arrivals that another partition counts are collected by partition. */
async function append({ partition, arrivals }: OverflowPart, moved: Map<string, Arrival[]>, deps: OverflowDeps) {
  const reply = await deps.append(partition, arrivals);
  if (reply === "overloaded") throw new Error(`${partition} is overloaded`);
  // The arrivals that were taken are duplicates when the message comes again.
  if (reply.includes("unread")) throw new Error(`${partition} cannot read the settings of a merchant`);
  arrivals.forEach((arrival, index) => {
    const fate = reply[index];
    if (!isMoved(fate)) return;
    const name = inRegion(partitionOf(arrival, fate.moved.spread, deps.poolSize), regionOf(partition));
    const own = moved.get(name);
    if (own === undefined) moved.set(name, [arrival]);
    else own.push(arrival);
  });
  // They were accepted when they came. Their merchant is gone since then, so nobody is left to count them for.
  const unknown = reply.filter((fate) => fate === "unknown").length;
  if (unknown > 0) deps.log({ event: "overflow_of_unknown_merchant", partition, events: unknown });
}
