// checkpoint: writes every changed shelf and the position up to which the shelves are complete, in one transaction, and
// forgets the part of the log that is both checkpointed and archived. A crash before it leaves the old checkpoint and a
// longer log; a crash after it leaves the new checkpoint. Running it twice writes the same again.

import { ByteWriter } from "../core/bytes.ts";
import { encodeDay } from "../core/counting/day.ts";
import { LOADED_EVENTS_MAX, REST_AFTER_MS, REST_EVENTS, SALT_KEPT_MS, SHELF_IDLE_MS } from "../core/limits.ts";
import { DAY_MS } from "../core/time.ts";
import { commitPending } from "./commit.ts";
import { bytesOf, isCrowded } from "./held.ts";
import { keyOf, type Partition, type Shelf, unarchivedFrom } from "./state.ts";

export function checkpoint(partition: Partition): void {
  commitPending(partition);
  const { store } = partition.deps;
  const now = partition.deps.now();
  const dirty = [...partition.shelves.values()].filter((shelf) => shelf.dirty);
  if (loadedEvents(partition) > REST_EVENTS || isCrowded(partition)) restVisitors(dirty, now - REST_AFTER_MS);
  store.transaction(() => {
    for (const shelf of dirty) store.writeShelf(shelf, encodeShelf(shelf), isUnpublished(shelf));
    writePositions(partition, { checkpointed: partition.next, checkpointedAt: now });
    store.trimLog(Math.min(partition.next, unarchivedFrom(partition)), partition.next);
  });
  for (const shelf of dirty) {
    shelf.dirty = false;
    partition.stored.set(keyOf(shelf), isUnpublished(shelf));
  }
  partition.checkpointed = partition.next;
  partition.checkpointedAt = now;
  partition.heldBytes = bytesOf(partition.shelves.values());
  partition.slowed.clear();
  leaveMemory(partition);
  partition.loadedAtCheckpoint = loadedEvents(partition);
}

/** Stores the positions with some of them changed. The caller changes the memory after the write has succeeded. */
export function writePositions(
  partition: Partition,
  changes: Partial<
    Pick<Partition, "checkpointed" | "checkpointedAt" | "bundled" | "bundles" | "publishedAt" | "openFrom" | "lease">
  >,
): void {
  const { name, checkpointed, checkpointedAt, bundled, bundles, publishedAt, openFrom, erased, lease } = {
    ...partition,
    ...changes,
  };
  // How often a bundle was sent is stored only once it was sent again. A bundle without that number is sent at once
  // after a restart.
  const cuts = bundles.map(({ first, end, sends, sentAt }) =>
    sends > 1 ? { first, end, sends, sentAt } : { first, end },
  );
  const positions = {
    partition: name,
    idKey: partition.idKeyHex,
    checkpointed,
    checkpointedAt,
    bundled,
    bundles: cuts,
    publishedAt,
    openFrom,
    lease,
    erased: [...erased],
  };
  partition.deps.store.writePositions(positions);
}

/** Deletes salts whose time is over. Without its salt nobody can find a visitor from an address any more. */
export function forget(partition: Partition): void {
  const now = partition.deps.now();
  for (const salt of partition.salts.values()) {
    if (now < Math.max(salt.day * DAY_MS, salt.madeAt) + SALT_KEPT_MS) continue;
    partition.deps.store.deleteSalt(salt.day);
    partition.salts.delete(salt.day);
  }
  partition.forgotAt = now;
}

/** How many events the Days in memory hold. */
export function loadedEvents(partition: Partition): number {
  let events = 0;
  for (const shelf of partition.shelves.values()) for (const state of shelf.days.values()) events += state.ids.size;
  return events;
}

function restVisitors(shelves: readonly Shelf[], before: number): void {
  for (const shelf of shelves) for (const state of shelf.days.values()) state.visitors.rest(before);
}

function encodeShelf(shelf: Shelf): Uint8Array {
  const writer = new ByteWriter();
  for (const state of shelf.days.values()) encodeDay(state, writer);
  return writer.finish();
}

function isUnpublished(shelf: Shelf): boolean {
  for (const state of shelf.days.values()) if (state.changed.size > 0) return true;
  return false;
}

/** Drops shelves from memory that are written, published and idle. When memory is short they need not be idle. */
function leaveMemory(partition: Partition): void {
  const now = partition.deps.now();
  let events = loadedEvents(partition);
  const oldestFirst = [...partition.shelves.entries()].sort(([, a], [, b]) => a.touchedAt - b.touchedAt);
  for (const [key, shelf] of oldestFirst) {
    if (shelf.dirty || isUnpublished(shelf)) continue;
    const isPressed = events > LOADED_EVENTS_MAX || isCrowded(partition);
    if (!isPressed && now - shelf.touchedAt < SHELF_IDLE_MS) continue;
    for (const state of shelf.days.values()) events -= state.ids.size;
    partition.heldBytes -= bytesOf([shelf]);
    partition.shelves.delete(key);
  }
}
