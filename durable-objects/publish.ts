// publish: writes the rollups of closed Hours and Days that changed to D1, as absolute values with a version. Writing a
// rollup twice changes nothing, and an old write that arrives late loses against a newer version; so every step may be
// repeated or die half way. A rollup that changes while it is being written stays marked and goes out again.

import { type DayState, slotStart, WHOLE_DAY } from "../core/counting/day.ts";
import { wholeDay } from "../core/counting/layer.ts";
import { ALL_DIMENSIONS } from "../core/counting/rollup.ts";
import { type RollupRow, toRollupRow } from "../core/counting/rollup-row.ts";
import { PUBLISH_BATCH, PUBLISH_BATCH_BYTES } from "../core/limits.ts";
import { zoneAt } from "../core/merchant.ts";
import { DAY_MS, dayStart, HOUR_MS } from "../core/time.ts";
import { writePositions } from "./checkpoint.ts";
import { commitPending } from "./commit.ts";
import { findShelf, type Partition, type Shelf, touch } from "./state.ts";

interface Due {
  readonly shelf: Shelf;
  readonly state: DayState;
  readonly changed: DayState["changed"];
  readonly slot: number;
  readonly version: number;
}

/** Publishes one batch. Where more is due it stays due, and the next alarm comes at once. */
export async function publish(partition: Partition): Promise<void> {
  loadUnpublished(partition);
  const due = closedChanges(partition);
  if (due.length > 0) {
    // What D1 shows must not be ahead of the disk: an event lost in a crash before its commit would stay counted there.
    commitPending(partition);
    const rows = rowsOf(partition, due);
    await partition.deps.durable();
    await partition.deps.publishRollups(rows);
    for (const change of due.slice(0, rows.length)) settle(partition, change);
    if (rows.length < due.length) return;
  }
  const publishedAt = partition.deps.now();
  writePositions(partition, { publishedAt });
  partition.publishedAt = publishedAt;
  partition.lateChanges = 0;
}

/** Shelves that were stored with unpublished rollups come back into memory: they are due like the others. */
export function loadUnpublished(partition: Partition): void {
  for (const [key, unpublished] of partition.stored) {
    if (!unpublished || partition.shelves.has(key)) continue;
    const [day = 0, shelf = 0] = key.split(":").map(Number);
    findShelf(partition, { day, shelf });
  }
}

function closedChanges(partition: Partition): readonly Due[] {
  const now = partition.deps.now();
  const due: Due[] = [];
  for (const shelf of partition.shelves.values()) {
    for (const state of shelf.days.values()) {
      const { changed } = state;
      for (const [slot, version] of changed) {
        if (isClosed(partition, state, slot, now)) due.push({ shelf, state, changed, slot, version });
      }
    }
  }
  return due;
}

/** Whether a bucket's time is over. An Hour takes at most 60 minutes; a Day ends where the next one starts. */
function isClosed(partition: Partition, state: DayState, slot: number, now: number): boolean {
  if (slot !== WHOLE_DAY) return slotStart(state.day, slot) + HOUR_MS <= now;
  const zones = partition.settings.get(state.merchant)?.settings.zones ?? [];
  if (zones.length === 0) return (state.day + 2) * DAY_MS <= now;
  return dayStart(zoneAt(zones, state.day * DAY_MS + DAY_MS / 2), state.day + 1) <= now;
}

/** The rows of the first changes, as many as fit a batch by number and by bytes; at least one. */
function rowsOf(partition: Partition, due: readonly Due[]): readonly RollupRow[] {
  const rows: RollupRow[] = [];
  let bytes = 0;
  // Changes of one Day come one after the other: it is put together once.
  let last: { readonly state: DayState; readonly whole: DayState } | undefined;
  for (const { state, slot, version } of due.slice(0, PUBLISH_BATCH)) {
    if (bytes > PUBLISH_BATCH_BYTES) break;
    if (last?.state !== state) last = { state, whole: wholeDay(state) };
    const row = toRollupRow(last.whole, { slot, partition: partition.name, version, dimensions: ALL_DIMENSIONS });
    bytes += Object.values(row.breakdowns).reduce((sum, breakdown) => sum + breakdown.length, row.sketch.length);
    rows.push(row);
  }
  return rows;
}

/** Takes the mark away unless a later event, or an erasure, has set it again meanwhile. */
function settle(partition: Partition, { shelf, changed, slot, version }: Due): void {
  if (changed.get(slot) !== version) return;
  changed.delete(slot);
  touch(partition, shelf);
}
