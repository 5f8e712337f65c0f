// live: the rollups of a merchant that D1 does not have yet, made from the partition's state, and the Days with events
// that no rollup counts. A row is remembered until its bucket changes. So a dashboard that asks every few seconds does
// not cost a pass over the visits each time.

import { type DayState, heldBytes, slotStart, WHOLE_DAY } from "../core/counting/day.ts";
import { wholeDay } from "../core/counting/layer.ts";
import type { LiveReply, LiveRequest } from "../core/counting/live.ts";
import { type RollupRow, toRollupRow } from "../core/counting/rollup-row.ts";
import { SHELVES_PER_DAY } from "../core/limits.ts";
import { DAY_MS } from "../core/time.ts";
import { changedAt } from "./change.ts";
import { lateDays } from "./late.ts";
import { findDay, findShelf, keyOf, type Partition, shelfOf } from "./state.ts";

/** How many rows of a Day are remembered: about as many as a dashboard asks for. */
const ROWS_KEPT_MAX = 100;
const kept = new WeakMap<DayState["changed"], Map<string, RollupRow>>();

export function live(partition: Partition, request: LiveRequest): LiveReply {
  const rows: RollupRow[] = [];
  let bytes = 0;
  for (const day of daysOf(partition, request)) {
    const state = findDay(partition, request.merchant, day);
    if (state === undefined) continue;
    // The whole Day is put together only if some row is not remembered, and only once.
    let whole: DayState | undefined;
    const wholeOf = () => (whole ??= wholeDay(state));
    for (const [slot, version] of state.changed) {
      if (isWanted(state, slot, request)) rows.push(rowOf(partition, { state, wholeOf }, { slot, version, request }));
    }
    bytes += whole === undefined ? 0 : heldBytes(whole);
  }
  const late = lateDays(partition, { merchant: request.merchant, ...reachOf(request) });
  return { rows, bytes, late, changedAt: changedAt(partition, request.merchant) };
}

/** The merchants with unpublished rollups of a Day. A replay asks for them. */
export function unpublished(partition: Partition, day: number): readonly number[] {
  const merchants: number[] = [];
  for (let shelf = 0; shelf < SHELVES_PER_DAY; shelf++) {
    const key = keyOf({ day, shelf });
    if (!partition.shelves.has(key) && partition.stored.get(key) !== true) continue;
    for (const state of findShelf(partition, { day, shelf })?.days.values() ?? []) {
      if (state.changed.size > 0) merchants.push(state.merchant);
    }
  }
  return merchants;
}

/** The Days of the request's range that may have unpublished rollups of the merchant. */
function daysOf(partition: Partition, request: LiveRequest): readonly number[] {
  const { merchant } = request;
  const { from, to } = reachOf(request);
  const { shelf } = shelfOf(merchant, 0);
  const days = new Set<number>();
  for (const candidate of partition.shelves.values()) if (candidate.shelf === shelf) days.add(candidate.day);
  for (const [key, unpublished] of partition.stored) {
    const [day = 0, number = 0] = key.split(":").map(Number);
    if (unpublished && number === shelf && !partition.shelves.has(keyOf({ day, shelf }))) days.add(day);
  }
  return [...days].filter((day) => day >= from && day < to).sort((a, b) => a - b);
}

/** The Days whose Hours may be in the request's range: no zone is more than a Day away from UTC. */
function reachOf({ grain, from, to }: LiveRequest): { readonly from: number; readonly to: number } {
  if (grain === "day") return { from, to };
  return { from: Math.floor(from / DAY_MS) - 1, to: Math.floor(to / DAY_MS) + 2 };
}

function isWanted(state: DayState, slot: number, { grain, from, to }: LiveRequest): boolean {
  if ((slot === WHOLE_DAY) !== (grain === "day")) return false;
  const bucket = grain === "day" ? state.day : slotStart(state.day, slot);
  return bucket >= from && bucket < to;
}

interface Wanted {
  readonly slot: number;
  readonly version: number;
  readonly request: LiveRequest;
}

interface LiveDay {
  readonly state: DayState;
  /** The whole Day: the part in memory, and the parts that rest in storage. */
  readonly wholeOf: () => DayState;
}

function rowOf(partition: Partition, { state, wholeOf }: LiveDay, { slot, version, request }: Wanted): RollupRow {
  const rows = kept.get(state.changed) ?? new Map<string, RollupRow>();
  kept.set(state.changed, rows);
  const key = `${slot}:${request.dimensions.join()}`;
  const known = rows.get(key);
  if (known !== undefined && known.version === version) return known;
  const row = toRollupRow(wholeOf(), { slot, partition: partition.name, version, dimensions: request.dimensions });
  if (rows.size >= ROWS_KEPT_MAX) rows.clear();
  rows.set(key, row);
  return row;
}
