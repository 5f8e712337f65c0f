// What a visit is made of: a run, which is as many of one visitor's events as lie inside one Day with gaps of at most
// 1800 s. A run is a mergeable summary. An event by itself is a run of one; adding it extends a run, starts one, or
// bridges two. `absorb` is commutative and associative, so the order of arrival cannot change the result (L4). Which
// runs are visits, and what they take from one another, is decided when they are read (`settled.ts`). All texts are
// numbers of the Day's dictionary. Whoever counts from events has the same rules once more (query/seen.ts).

import { VISIT_GAP_MS } from "../limits.ts";
import { addEarned, type Earned } from "./earned.ts";
import { cellBytes, earnedBytes, visitBytes } from "./held.ts";
import { compareMoments, type Moment } from "./moment.ts";

/** A page view in a run, with the dictionary number of its page. */
export interface PageMoment extends Moment {
  readonly page: number;
}

/** How often one kind of event happened in one hour of a visit. */
export interface Cell {
  /** Quarter hours from the Day's UTC midnight to the start of the Hour. */
  readonly slot: number;
  /** Tuple number of (stream, name, hostname, page, number of goals, the goals it reaches, the products it names). */
  readonly place: number;
  count: number;
  engagementMs: number;
  /** What its events without an order number have earned. */
  earned: Earned | undefined;
}

/**
 * What an event does to a visit (VIS-4): an engagement report belongs to one; a passive event, which the page or the
 * tracker reports, can stand alone; any other opens one.
 */
export const RANK = { engagement: 0, passive: 1, opening: 2 } as const;
export type Rank = (typeof RANK)[keyof typeof RANK];

export interface Visit {
  /** First and last event of the run, of any rank. */
  from: number;
  end: number;
  /** The highest rank of its events. The first event of that rank gives the run its start and its profile. */
  rank: Rank;
  start: number;
  startOrder: number;
  startTie: number;
  /** Slot of the hour it starts in. */
  startSlot: number;
  /** Tuple number of its profile. */
  profile: number;
  /** Whether it came back from a host that is no source, such as a payment page (VIS-6). */
  returns: boolean;
  /** Whether its visitor can be recognised on another Day. Events that do not say so count as if they did. */
  known: boolean;
  /** Events that are neither engagement reports nor passive. */
  interactions: number;
  /** First and last page view; undefined while there is none. */
  entry: PageMoment | undefined;
  exit: PageMoment | undefined;
  cells: Cell[];
  /** The distinct slots of the cells: at most the hours of a Day. */
  slots: number[];
  /**
   * Finds a cell by slot and place; made once there are many cells. A person's visit has a few, a crawler's thousands.
   */
  index: Map<number, Cell> | undefined;
}

/** Up to this many cells are searched one by one. That is faster than an index and takes less memory. */
const CELLS_SEARCHED_MAX = 32;

/** Whether two runs of one visitor and Day are near enough to be one. */
export function touches(a: Visit, b: Visit): boolean {
  return a.from - b.end <= VISIT_GAP_MS && b.from - a.end <= VISIT_GAP_MS;
}

/**
 * Merges `from` into `into`. Commutative: swapping the two gives an equal run. Returns how many bytes `into` has grown.
 */
export function absorb(into: Visit, from: Visit): number {
  if (begins(from, into)) {
    into.rank = from.rank;
    into.start = from.start;
    into.startOrder = from.startOrder;
    into.startTie = from.startTie;
    into.startSlot = from.startSlot;
    into.profile = from.profile;
    into.returns = from.returns;
  }
  into.from = Math.min(into.from, from.from);
  into.end = Math.max(into.end, from.end);
  into.known ||= from.known;
  into.interactions += from.interactions;
  into.entry = earlier(into.entry, from.entry);
  into.exit = later(into.exit, from.exit);
  let grown = 0;
  for (const cell of from.cells) grown += addCell(into, cell);
  return grown;
}

/** Whether the start of `a` goes before that of `b`: by rank, then by time. */
function begins(a: Visit, b: Visit): boolean {
  if (a.rank !== b.rank) return a.rank > b.rank;
  return (a.start - b.start || a.startOrder - b.startOrder || a.startTie - b.startTie) < 0;
}

/**
 * Adds a run to a visitor's runs of the Day, which are in order and do not touch. The new run is merged with those that
 * it touches: none, one, or the two that it bridges. Returns how many bytes they have grown (held.ts).
 */
export function insert(visits: Visit[], visit: Visit): number {
  let index = visits.length;
  while (index > 0 && (visits[index - 1] as Visit).from > visit.from) index -= 1;
  const before = visits[index - 1];
  const after = visits[index];
  if (before !== undefined && touches(before, visit)) {
    const grown = absorb(before, visit);
    if (after === undefined || !touches(before, after)) return grown;
    visits.splice(index, 1);
    return grown + absorb(before, after) - visitBytes(after);
  }
  if (after !== undefined && touches(visit, after)) return absorb(after, visit);
  visits.splice(index, 0, visit);
  return visitBytes(visit);
}

/** Joins runs of one visitor, in any order, so that no two touch any more. Changes the given runs. */
export function joinRuns(runs: readonly Visit[]): Visit[] {
  const joined: Visit[] = [];
  for (const run of runs.toSorted((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last !== undefined && touches(last, run)) absorb(last, run);
    else joined.push(run);
  }
  return joined;
}

/** A run without pages, sources and counts. It says which Hours change when an event comes to the run. */
export function outlineOf(visit: Visit): Visit {
  const cells = visit.slots.map((slot): Cell => ({ slot, place: 0, count: 0, engagementMs: 0, earned: undefined }));
  const outline = { profile: 0, interactions: 0, entry: undefined, exit: undefined, index: undefined };
  return { ...visit, ...outline, cells, slots: [...visit.slots] };
}

/** Whether a run is a visit by itself, whatever other runs its visitor has. */
export function isVisit({ rank, returns }: Visit): boolean {
  return rank === RANK.opening && !returns;
}

/**
 * Whether a visit is a bounce: one page view or one event, and otherwise only reports of the page and the tracker
 * (VIS-5).
 */
export function isBounce(visit: Visit): boolean {
  return visit.interactions <= 1;
}

/** Adds a cell's counts to the visit's cell of the same slot and place. Returns how many bytes the visit has grown. */
export function addCell(visit: Visit, cell: Cell): number {
  const known = findCell(visit, cell);
  if (known === undefined) {
    visit.cells.push(cell);
    visit.index?.set(keyOf(cell), cell);
    if (!visit.slots.includes(cell.slot)) visit.slots.push(cell.slot);
    return cellBytes(cell);
  }
  const before = earnedBytes(known.earned);
  known.count += cell.count;
  known.engagementMs += cell.engagementMs;
  known.earned = addEarned(known.earned, cell.earned);
  return earnedBytes(known.earned) - before;
}

function findCell(visit: Visit, { slot, place }: Cell): Cell | undefined {
  if (visit.cells.length > CELLS_SEARCHED_MAX) {
    visit.index ??= new Map(visit.cells.map((cell) => [keyOf(cell), cell]));
    return visit.index.get(keyOf({ slot, place }));
  }
  return visit.cells.find((cell) => cell.place === place && cell.slot === slot);
}

/** Slot and place as one number. A Day has at most 256 slots on either side of its UTC midnight. */
function keyOf({ slot, place }: Pick<Cell, "slot" | "place">): number {
  return place * 512 + slot + 256;
}

function earlier(a: PageMoment | undefined, b: PageMoment | undefined): PageMoment | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareMoments(b, a) < 0 ? b : a;
}

function later(a: PageMoment | undefined, b: PageMoment | undefined): PageMoment | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareMoments(a, b) < 0 ? b : a;
}
