// checkpoint: writes changed shelves, each with the position up to which it is complete, and the position up to which
// all of them are, in one transaction, and forgets the part of the log that is both checkpointed and archived. Where
// much is in memory, what has gone leaves it as a layer in the same transaction (layers.ts). A busy partition writes a
// few shelves at a time, in turns, so that nobody waits for long. A crash before it leaves the old checkpoint and a
// longer log; a crash after it leaves the new checkpoint. Running it twice writes the same again.

import { ByteWriter } from "../core/bytes.ts";
import { encodeDay } from "../core/counting/day.ts";
import {
  CHECKPOINT_TURN_EVENTS,
  LAYER_AFTER_MS,
  LAYER_EVENTS_MAX,
  LAYER_EVENTS_MIN,
  LAYER_LOADED_EVENTS,
  LAYER_TURN_BYTES,
  LOADED_EVENTS_MAX,
  REST_HELD_BYTES,
  SALT_KEPT_MS,
  SHELF_IDLE_MS,
  SHELF_RESTING_BYTES,
} from "../core/limits.ts";
import { DAY_MS } from "../core/time.ts";
import { commitPending } from "./commit.ts";
import { bytesOf, isCrowded } from "./held.ts";
import { deleteRecalled, layersOf, makeLayer, type NewLayer, writeLayer } from "./layers.ts";
import { keyOf, type LayerPace, type Partition, type Shelf, unarchivedFrom } from "./state.ts";

/** Writes everything that changed. */
export function checkpoint(partition: Partition): void {
  writeShelves(partition, Number.POSITIVE_INFINITY);
}

/** Writes the shelves that have waited longest. Where more has changed than one turn takes, it stays due. */
export function checkpointTurn(partition: Partition): void {
  writeShelves(partition, paceOf(partition).turnEvents);
}

function writeShelves(partition: Partition, eventsMax: number): void {
  commitPending(partition);
  const { store } = partition.deps;
  const now = partition.deps.now();
  const { turn, waiting } = turnOf(partition, eventsMax);
  if (partition.heldBytes > REST_HELD_BYTES) restVisitors(turn, now - LAYER_AFTER_MS);
  const layers = layersOfTurn(partition, turn);
  const checkpointed = Math.min(partition.next, ...waiting.map(({ dirty }) => dirty?.from ?? Number.POSITIVE_INFINITY));
  const checkpointedAt = Math.min(now, ...waiting.map(({ dirty }) => dirty?.at ?? Number.POSITIVE_INFINITY));
  store.transaction(() => {
    for (const one of partition.recalled) deleteRecalled(partition, one);
    for (const shelf of turn) {
      const layer = layers.get(shelf);
      if (layer !== undefined) writeLayer(store, shelf, layer);
      const days = layer?.left ?? shelf.days;
      const stored = { day: shelf.day, shelf: shelf.shelf, unpublished: isUnpublished(shelf), upTo: partition.next };
      store.writeShelf(stored, encodeDays(days));
    }
    writePositions(partition, { checkpointed, checkpointedAt });
    store.trimLog(Math.min(checkpointed, unarchivedFrom(partition)), partition.next);
  });
  partition.recalled = [];
  for (const shelf of turn) {
    const layer = layers.get(shelf);
    if (layer !== undefined) settle(partition, shelf, layer);
    shelf.dirty = undefined;
    shelf.writtenAt = now;
    partition.stored.set(keyOf(shelf), isUnpublished(shelf));
  }
  partition.checkpointed = checkpointed;
  partition.checkpointedAt = checkpointedAt;
  partition.heldBytes = bytesOf(partition.shelves.values());
  partition.slowed.clear();
  leaveMemory(partition);
  partition.loadedAtCheckpoint = loadedEvents(partition);
}

/** Packs the visitors who have gone, or were not seen since the checkpoint before: the others may come again soon. */
function restVisitors(turn: readonly Shelf[], goneBefore: number): void {
  for (const { days, writtenAt } of turn)
    for (const { visitors } of days.values()) visitors.rest(Math.max(writtenAt, goneBefore));
}

/** The shelves to be written now, and those that have changed as well and wait. */
function turnOf(
  { shelves }: Partition,
  eventsMax: number,
): { readonly turn: readonly Shelf[]; readonly waiting: readonly Shelf[] } {
  const dirty = [...shelves.values()].filter((shelf) => shelf.dirty !== undefined);
  dirty.sort((a, b) => (a.dirty?.from ?? 0) - (b.dirty?.from ?? 0));
  let events = 0;
  const more = dirty.findIndex((shelf, at) => {
    events += eventsOf(shelf);
    return at > 0 && events > eventsMax;
  });
  return more === -1 ? { turn: dirty, waiting: [] } : { turn: dirty.slice(0, more), waiting: dirty.slice(more) };
}

const LAYER_PACE: LayerPace = {
  loadedEvents: LAYER_LOADED_EVENTS,
  eventsMin: LAYER_EVENTS_MIN,
  afterMs: LAYER_AFTER_MS,
  turnEvents: CHECKPOINT_TURN_EVENTS,
  turnBytes: LAYER_TURN_BYTES,
};

function paceOf({ deps }: Partition): LayerPace {
  return deps.timing.layers ?? LAYER_PACE;
}

/**
 * Whether a shelf has enough to give up. Where memory is short, or not all could leave who had gone, whatever it has is
 * enough.
 */
function mayLayer(partition: Partition, shelf: Shelf): boolean {
  const { loadedEvents: loadedMax, eventsMin } = paceOf(partition);
  if (isCrowded(partition) || shelf.isLeaving || isFull(shelf)) return eventsOf(shelf) > 0;
  if (eventsOf(shelf) < eventsMin) return false;
  return loadedEvents(partition) > loadedMax || eventsOf(shelf) >= LAYER_EVENTS_MAX;
}

/** Whether so many visitors rest on a shelf that it takes long to copy them at each checkpoint. */
function isFull({ days }: Shelf): boolean {
  let bytes = 0;
  for (const { visitors } of days.values()) bytes += visitors.restingBytes;
  return bytes > SHELF_RESTING_BYTES;
}

/** What the shelves of a turn give up. All of them together give up so much that the turn stays short. */
function layersOfTurn(partition: Partition, turn: readonly Shelf[]): ReadonlyMap<Shelf, NewLayer> {
  const { afterMs, turnBytes } = paceOf(partition);
  const goneBefore = partition.deps.now() - afterMs;
  const layers = new Map<Shelf, NewLayer>();
  let bytesMax = turnBytes;
  for (const shelf of turn) {
    if (!mayLayer(partition, shelf)) continue;
    const before = isFull(shelf) ? Math.max(goneBefore, shelf.writtenAt) : goneBefore;
    const layer = makeLayer(partition, shelf, { before, bytesMax });
    layers.set(shelf, layer);
    bytesMax -= layer.bytes;
  }
  return layers;
}

/** After the layer was written: the shelf goes on with what is left. */
function settle(partition: Partition, shelf: Shelf, { number, layer, left, isWhole }: NewLayer): void {
  for (const [merchant, state] of left) shelf.days.set(merchant, state);
  shelf.isLeaving = !isWhole;
  layersOf(partition, shelf).push({ number, ...layer.head });
}

/** Stores the positions with some of them changed. The caller changes the memory after the write has succeeded. */
export function writePositions(
  partition: Partition,
  changes: Partial<
    Pick<
      Partition,
      | "checkpointed"
      | "checkpointedAt"
      | "bundled"
      | "bundles"
      | "publishedAt"
      | "openFrom"
      | "lease"
      | "standing"
      | "missed"
    >
  >,
): void {
  const { claim, standing, skipped, recoveredFrom, missed } = { ...partition, ...changes };
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
    claim,
    standing,
    ...(recoveredFrom > 0 && { skipped, recoveredFrom, missed }),
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
  for (const shelf of partition.shelves.values()) events += eventsOf(shelf);
  return events;
}

function eventsOf({ days }: Shelf): number {
  let events = 0;
  for (const { ids } of days.values()) events += ids.size;
  return events;
}

function encodeDays(days: Shelf["days"] | NewLayer["left"]): Uint8Array {
  const writer = new ByteWriter();
  for (const state of days.values()) encodeDay(state, writer);
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
    if (shelf.dirty !== undefined || isUnpublished(shelf)) continue;
    const isPressed = events > LOADED_EVENTS_MAX || isCrowded(partition);
    if (!isPressed && now - shelf.touchedAt < SHELF_IDLE_MS) continue;
    events -= eventsOf(shelf);
    partition.heldBytes -= bytesOf([shelf]);
    partition.shelves.delete(key);
    partition.layers.delete(key);
  }
}
