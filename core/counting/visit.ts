// What a visit is: a maximal run of one visitor's events with gaps of at most 1800 s inside one Day.
// A visit is a mergeable summary: an event is a visit of one, and adding it extends a visit, starts one, or bridges two.
// `merge` is commutative and associative, so the order of arrival cannot change the result (L4). All texts are numbers
// of the Day's dictionary.

import { VISIT_GAP_MS } from "../limits.ts";

/** A point in a visit: ordered by time, then by the event's own order. */
export interface Moment {
  readonly time: number;
  readonly order: number;
  /** Dictionary number of the page; only meaningful for entry and exit. */
  readonly page: number;
}

/** How often one kind of event happened in one hour of a visit. */
export interface Cell {
  /** Quarter hours from the Day's UTC midnight to the start of the Hour. */
  readonly slot: number;
  /** Tuple number of (stream, name, hostname, page, and the goals it reaches). */
  readonly place: number;
  count: number;
  revenue: number;
  /** Events whose revenue is in another currency than the merchant's. */
  foreign: number;
  engagementMs: number;
}

export interface Visit {
  start: number;
  end: number;
  /** Order of the event at `start`: whoever is first gives the profile. */
  startOrder: number;
  /** Slot of the hour the visit starts in. */
  startSlot: number;
  /** Tuple number of the first event's profile. */
  profile: number;
  /** Events that are not engagement reports. */
  events: number;
  /** First and last page view; undefined while the visit has none. */
  entry: Moment | undefined;
  exit: Moment | undefined;
  cells: Cell[];
  /** The distinct slots of the cells: at most the hours of a Day. */
  slots: number[];
  /** Finds a cell by slot and place once there are many: a crawler's visit has thousands, a person's a few. */
  index: Map<number, Cell> | undefined;
}

/** Up to so many cells a visit is searched through, which is faster and smaller than an index. */
const CELLS_SEARCHED_MAX = 32;

/** Whether two visits of one visitor and Day are one. */
export function touches(a: Visit, b: Visit): boolean {
  return a.start - b.end <= VISIT_GAP_MS && b.start - a.end <= VISIT_GAP_MS;
}

/** Merges `from` into `into`. Commutative: swapping the two gives an equal visit. */
export function absorb(into: Visit, from: Visit): void {
  if (precedes(from.start, from.startOrder, into.start, into.startOrder)) {
    into.start = from.start;
    into.startOrder = from.startOrder;
    into.startSlot = from.startSlot;
    into.profile = from.profile;
  }
  into.end = Math.max(into.end, from.end);
  into.events += from.events;
  into.entry = earlier(into.entry, from.entry);
  into.exit = later(into.exit, from.exit);
  for (const cell of from.cells) addCell(into, cell);
}

/**
 * Adds a visit to a visitor's visits of the Day, which are kept in order and apart, merging what it touches: none, one,
 * or the two that it bridges.
 */
export function insert(visits: Visit[], visit: Visit): void {
  let index = visits.length;
  while (index > 0 && (visits[index - 1] as Visit).start > visit.start) index -= 1;
  const before = visits[index - 1];
  const after = visits[index];
  if (before !== undefined && touches(before, visit)) {
    absorb(before, visit);
    if (after !== undefined && touches(before, after)) {
      absorb(before, after);
      visits.splice(index, 1);
    }
  } else if (after !== undefined && touches(visit, after)) absorb(after, visit);
  else visits.splice(index, 0, visit);
}

/** One page view or one event, and nothing else. */
export function isBounce(visit: Visit): boolean {
  return visit.events <= 1;
}

/** Adds a cell's counts to the visit's cell of the same slot and place. */
export function addCell(visit: Visit, cell: Cell): void {
  const known = findCell(visit, cell);
  if (known === undefined) {
    visit.cells.push(cell);
    visit.index?.set(keyOf(cell), cell);
    if (!visit.slots.includes(cell.slot)) visit.slots.push(cell.slot);
    return;
  }
  known.count += cell.count;
  known.revenue += cell.revenue;
  known.foreign += cell.foreign;
  known.engagementMs += cell.engagementMs;
}

function findCell(visit: Visit, { slot, place }: Cell): Cell | undefined {
  if (visit.cells.length > CELLS_SEARCHED_MAX) {
    visit.index ??= new Map(visit.cells.map((cell) => [keyOf(cell), cell]));
    return visit.index.get(keyOf({ slot, place }));
  }
  return visit.cells.find((cell) => cell.place === place && cell.slot === slot);
}

/** One number for both: a Day has at most 256 slots either side of its UTC midnight. */
function keyOf({ slot, place }: Pick<Cell, "slot" | "place">): number {
  return place * 512 + slot + 256;
}

function earlier(a: Moment | undefined, b: Moment | undefined): Moment | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return precedes(b.time, b.order, a.time, a.order) ? b : a;
}

function later(a: Moment | undefined, b: Moment | undefined): Moment | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return precedes(a.time, a.order, b.time, b.order) ? b : a;
}

function precedes(time: number, order: number, otherTime: number, otherOrder: number): boolean {
  return time < otherTime || (time === otherTime && order < otherOrder);
}
