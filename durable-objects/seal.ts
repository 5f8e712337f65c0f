// The partition's side of closing a Day: from an instant on it counts no more of it, says when all it has counted lies
// in the archive and in D1, and lets go of the Day's state once it is sealed. Saying it again is harmless, and so is
// dying in between: what is closed is stored before it is answered.

import { decodeLogged } from "../core/archive/bundle.ts";
import { firstOpenDay } from "../core/counting/closed.ts";
import { countedEvents } from "../core/counting/day.ts";
import { SEAL_BACKLOG_BUNDLES_MAX, SHELVES_PER_DAY } from "../core/limits.ts";
import { scheduleAlarm } from "./alarm.ts";
import { checkpoint, writePositions } from "./checkpoint.ts";
import { whyNotOwn } from "./claim.ts";
import { commitPending } from "./commit.ts";
import { bytesOf } from "./held.ts";
import type { Completeness } from "./rpc.ts";
import { findShelf, keyOf, type Partition, unarchivedFrom } from "./state.ts";
import { FIRST_POSITION } from "./store.ts";

/** Whether events of a Day are no longer counted here. It never goes back, whatever the clock does. */
export function isClosed(partition: Partition, day: number): boolean {
  const { now, timing } = partition.deps;
  return day < Math.max(partition.openFrom, firstOpenDay(now(), timing.sealAfterMs));
}

/** Whether the archive and D1 have all of a Day. What keeps them from it is set going. */
export function completeness(partition: Partition, day: number): Completeness {
  if (partition.standing === "lost" || partition.standing === "recovering")
    return { complete: false, why: whyNotOwn(partition) };
  if (!isClosed(partition, day)) return { complete: false, why: "the Day is open" };
  // An erasure asks each partition of its merchant, also one that has never had an event: nothing is to be stored of
  // the Day. Where its storage was lost, the archive knows later positions, and whoever asks looks for those.
  if (partition.next === FIRST_POSITION) return { complete: true, position: FIRST_POSITION, counted: [] };
  close(partition, day + 1);
  commitPending(partition);
  const merchants = shelvedMerchants(partition, day);
  const why = missing(partition, day, merchants);
  if (why === undefined) {
    const counted = merchants.map(({ merchant, events }) => [merchant, events] as const);
    return { complete: true, position: partition.next, counted };
  }
  partition.unbundledSince &&= 1; // the oldest of them has waited long enough
  scheduleAlarm(partition);
  return { complete: false, why };
}

/** Forgets the state of a Day that is sealed; false where something of it is not in D1 yet. */
export function dropDay(partition: Partition, day: number): boolean {
  if (!isClosed(partition, day)) return false;
  if (partition.next === FIRST_POSITION) return true;
  if (shelvedMerchants(partition, day).some(({ unpublished }) => unpublished)) return false;
  close(partition, day + 1);
  // A restart counts the log after the last checkpoint again: nothing of the Day may stand there.
  checkpoint(partition);
  partition.deps.store.deleteShelves(day);
  for (let shelf = 0; shelf < SHELVES_PER_DAY; shelf++) {
    partition.shelves.delete(keyOf({ day, shelf }));
    partition.stored.delete(keyOf({ day, shelf }));
    partition.layers.delete(keyOf({ day, shelf }));
  }
  partition.heldBytes = bytesOf(partition.shelves.values());
  return true;
}

/** Stores from which Day on events are counted. */
function close(partition: Partition, openFrom: number): void {
  if (openFrom <= partition.openFrom) return;
  writePositions(partition, { openFrom });
  partition.openFrom = openFrom;
}

interface ShelvedMerchant {
  readonly merchant: number;
  readonly events: number;
  readonly unpublished: boolean;
}

function shelvedMerchants(partition: Partition, day: number): readonly ShelvedMerchant[] {
  const merchants: ShelvedMerchant[] = [];
  for (let shelf = 0; shelf < SHELVES_PER_DAY; shelf++) {
    for (const state of findShelf(partition, { day, shelf })?.days.values() ?? []) {
      merchants.push({ merchant: state.merchant, events: countedEvents(state), unpublished: state.changed.size > 0 });
    }
  }
  return merchants;
}

/** Why a Day is not complete, or undefined. */
function missing(partition: Partition, day: number, merchants: readonly ShelvedMerchant[]): string | undefined {
  if (merchants.some(({ unpublished }) => unpublished)) return "rollups wait to be published";
  if (partition.bundles.length > SEAL_BACKLOG_BUNDLES_MAX) return "many bundles wait to be archived";
  const rows = partition.deps.store.readLog({ first: unarchivedFrom(partition), end: partition.next });
  return rows.some((row) => decodeLogged(row).day === day) ? "events wait to be archived" : undefined;
}
