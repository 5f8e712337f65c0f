// What merchants' Days may hold in a partition's memory, and who has to wait when that is used up (HLD). Whoever has
// the tracking ID of a page can send new pages, names, numbers and visitors, each of which is held until its Day is
// closed. So what comes without a key gets in while its merchant holds no more than what is free: who holds most is
// slowed first, small neighbours never are, and some room always stays. Nothing of it is stored: the estimate is a
// function of the Days in memory.

import { heldBytes } from "../core/counting/day.ts";
import type { Event } from "../core/event.ts";
import {
  HELD_BYTES_MAX,
  HELD_KEYED_BYTES_MAX,
  HELD_MERCHANT_KEYED_BYTES_MAX,
  HELD_RETRY_SECONDS_MAX,
  HELD_RETRY_SECONDS_MIN,
  HELD_SMALL_BYTES,
} from "../core/limits.ts";
import { dutiesDue } from "./alarm.ts";
import type { Partition, Shelf } from "./state.ts";

/** Half of it is in use: from here on it is asked who holds how much. */
export function isCrowded({ heldBytes }: Pick<Partition, "heldBytes">): boolean {
  return heldBytes > HELD_BYTES_MAX / 2;
}

/**
 * Whether an event may be counted now. Of what has a key, or was acknowledged before, a merchant has room that its
 * pages cannot take from it.
 */
export function hasRoom(partition: Partition, { merchant, keyed }: Pick<Event, "merchant" | "keyed">): boolean {
  const isFree = !isCrowded(partition);
  if (isFree && partition.layers.size === 0) return true; // nobody holds more than is free
  if (partition.heldBytes > HELD_KEYED_BYTES_MAX) return false;
  const own = ownBytes(partition, merchant);
  if (isFree) return own <= (keyed === 1 ? HELD_MERCHANT_KEYED_BYTES_MAX : HELD_BYTES_MAX / 2);
  if (own <= HELD_SMALL_BYTES) return true;
  return own <= (keyed === 1 ? HELD_MERCHANT_KEYED_BYTES_MAX : HELD_BYTES_MAX - partition.heldBytes);
}

/**
 * Seconds until there may be room: the next checkpoint packs visitors who have gone, and lets go of Days that are over.
 */
export function roomAfterSeconds(partition: Partition): number {
  const now = partition.deps.now();
  const seconds = Math.ceil((dutiesDue(partition, now).checkpoint - now) / 1_000);
  return Math.max(HELD_RETRY_SECONDS_MIN, Math.min(HELD_RETRY_SECONDS_MAX, seconds));
}

/** Notes that a merchant is slowed, and says so once between two checkpoints. */
export function noteSlowed(partition: Partition, merchant: number): void {
  if (partition.slowed.has(merchant)) return;
  partition.slowed.add(merchant);
  partition.slowedAt = partition.deps.now();
  const { name, heldBytes } = partition;
  const ownBytesHeld = ownBytes(partition, merchant);
  partition.deps.log({ event: "merchant_slowed", partition: name, merchant, bytes: ownBytesHeld, of: heldBytes });
}

/** What all Days of some shelves hold. */
export function bytesOf(shelves: Iterable<Shelf>): number {
  let bytes = 0;
  for (const shelf of shelves) for (const state of shelf.days.values()) bytes += heldBytes(state);
  return bytes;
}

function ownBytes({ shelves }: Partition, merchant: number): number {
  let bytes = 0;
  for (const { days } of shelves.values()) {
    const state = days.get(merchant);
    // What has left memory comes back together with the rest whenever somebody asks for the Day.
    if (state !== undefined) bytes += heldBytes(state) + state.rested.bytes;
  }
  return bytes;
}
