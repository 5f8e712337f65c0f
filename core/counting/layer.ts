// How some of an open Day leaves memory and is read again. `splitDay` splits a Day: ids, and visitors who have gone,
// will rest; the others stay. What rests is a Day of its own with its own names. So its bytes can lie on disk and be
// read alone, and they never change. `wholeDay` puts everything together again. A visitor's runs from several pieces
// become the same runs as if none had left (visit.ts). So it does not matter when something leaves (L4).

import { ByteReader, ByteWriter } from "../bytes.ts";
import { LAYER_PIECE_BYTES, WHOLE_DAY_UNPACKED_BYTES } from "../limits.ts";
import { TextMap } from "../text-map.ts";
import { DAY_MS } from "../time.ts";
import {
  type DayNames,
  type DayState,
  decodeDay,
  emptyDay,
  encodeDay,
  heldBytes,
  namesOf,
  textNumber,
  tupleNumber,
} from "./day.ts";
import { PLACE_FIELDS } from "./dimension.ts";
import { renumberEarned } from "./earned.ts";
import { claimBytes, orderBytes, VISITOR_BYTES, visitBytes } from "./held.ts";
import type { DayClaim } from "./order-book.ts";
import { encodeOrderOutline, encodeVisitorOutline, NOTHING_RESTS } from "./rested.ts";
import { unpackTuple } from "./tuple.ts";
import { type Cell, joinRuns, outlineOf, type Visit } from "./visit.ts";

/** A Day in two: what stays in memory, and what will rest. */
export interface SplitDay {
  readonly left: DayState;
  /** Several where there is much. */
  readonly pieces: readonly Piece[];
  /** About how many bytes their visits and orders took in memory, at rest. */
  readonly bytes: number;
  /** Whether all visitors who have gone rest now. If not, there was no room for more of them. */
  readonly isWhole: boolean;
}

/** A Day of visits, orders and prefetches only, and what counting must know of them. */
export interface Piece {
  readonly day: DayState;
  readonly outlines: Outline[];
}

/** An outline of a visitor or of an order number. */
type Outline = readonly [kind: "visitor" | "order", name: string, bytes: Uint8Array];

/**
 * Splits a Day. Ids will rest, and so will visitors who were last seen before an instant (UTC ms), up to `bytesMax`
 * bytes as estimated at rest. Visitors without room stay. The Day itself is not changed. Both results share what stays,
 * so events may be counted into only one of them afterwards.
 */
export function splitDay(state: DayState, before: number, bytesMax = Number.POSITIVE_INFINITY): SplitDay {
  const pieces: Piece[] = [];
  const names = namesOf(state);
  let full = 0; // bytes of the pieces before the last
  let copier: Copier | undefined;
  let isWhole = true;
  const hasRoom = () => full + (copier === undefined ? 0 : takenBytes(copier.into)) < bytesMax;
  const next = (): { readonly to: Copier; readonly outlines: Outline[] } => {
    if (copier === undefined || heldBytes(copier.into) > LAYER_PIECE_BYTES) {
      full += copier === undefined ? 0 : takenBytes(copier.into);
      copier = new Copier(names, emptyLike(state));
      pieces.push({ day: copier.into, outlines: [] });
    }
    return { to: copier, outlines: (pieces.at(-1) as Piece).outlines };
  };
  const base = state.day * DAY_MS;
  const gone = new Set<string>();
  const leave = (visitor: string, runs: readonly Visit[], prefetches: readonly Visit[]) => {
    const { to, outlines } = next();
    to.addResting(visitor, runs);
    to.addPrefetches(visitor, prefetches);
    const prefetchSlots = slotsOf(prefetches);
    outlines.push(["visitor", visitor, encodeVisitorOutline({ runs: runs.map(outlineOf), prefetchSlots }, base)]);
    gone.add(visitor);
  };
  const hasGone = (visits: readonly Visit[]) => visits.every(({ end }) => end < before);
  for (const [visitor, end] of state.visitors.lastSeen()) {
    if (end >= before) continue;
    const prefetches = state.prefetches?.get(visitor) ?? [];
    if (!hasGone(prefetches)) continue;
    if (!hasRoom()) {
      isWhole = false;
      break;
    }
    leave(visitor, state.visitors.get(visitor) ?? [], prefetches);
  }
  for (const [visitor, prefetches] of state.prefetches ?? []) {
    if (gone.has(visitor) || state.visitors.has(visitor) || !hasGone(prefetches)) continue;
    if (!hasRoom()) {
      isWhole = false;
      break;
    }
    leave(visitor, [], prefetches);
  }
  const goneOrders = new Set<string>();
  for (const [number, claims] of state.orders ?? []) {
    if (!claims.every(({ time }) => time < before)) continue;
    if (!hasRoom()) {
      isWhole = false;
      break;
    }
    const { to, outlines } = next();
    to.addClaims(number, claims);
    outlines.push(["order", number, encodeOrderOutline([...new Set(claims.map(({ slot }) => slot))])]);
    goneOrders.add(number);
  }
  const bytes = pieces.reduce((sum, { day }) => sum + heldBytes(day), 0);
  const left = renamed({
    ...emptyLike(state),
    dictionary: state.dictionary,
    visitors: state.visitors.without(gone),
    orders: ordersWithout(state.orders, goneOrders),
    prefetches: prefetchesWithout(state.prefetches, gone),
    looseBytes: pieces.reduce((sum, { day }) => sum - day.looseBytes, state.looseBytes),
    drops: state.drops,
    changed: state.changed,
  });
  left.rested = {
    events: state.rested.events + state.ids.size,
    visitors: state.rested.visitors + gone.size,
    orders: state.rested.orders + goneOrders.size,
    bytes: state.rested.bytes + bytes + state.ids.bytes,
  };
  return { left, pieces, bytes: pieces.reduce((sum, { day }) => sum + takenBytes(day), 0), isWhole };
}

/** What visits, orders and prefetches take, without the names that they share. */
function takenBytes({ visitors, looseBytes }: DayState): number {
  return visitors.bytes + looseBytes;
}

function ordersWithout(orders: DayState["orders"], gone: ReadonlySet<string>): DayState["orders"] {
  if (orders === undefined || gone.size === orders.size) return undefined;
  const left: NonNullable<DayState["orders"]> = new TextMap();
  for (const [number, claims] of orders) if (!gone.has(number)) left.set(number, claims);
  return left;
}

function prefetchesWithout(prefetches: DayState["prefetches"], gone: ReadonlySet<string>): DayState["prefetches"] {
  const left = new Map([...(prefetches ?? [])].filter(([visitor]) => !gone.has(visitor)));
  return left.size === 0 ? undefined : left;
}

/**
 * The staying part with only its own names, if most names are of visitors who left. Usually most names are of pages
 * that are still read; to number them again would take each visit apart.
 */
function renamed(left: DayState): DayState {
  if (left.dictionary.bytes <= takenBytes(left)) return left;
  const copy = { ...emptyLike(left), drops: left.drops, changed: left.changed };
  addDay(copy, left);
  copy.visitors.rest();
  return copy;
}

export function encodePiece({ day }: Piece): Uint8Array {
  const writer = new ByteWriter();
  encodeDay(day, writer);
  return writer.finish();
}

/**
 * A Day with all that rests of it, for reading. It is the Day itself if nothing rests. Both note changes in the same
 * map.
 */
export function wholeDay(state: DayState): DayState {
  if (state.lookUp === undefined || (state.rested.visitors === 0 && state.rested.orders === 0)) return state;
  const whole = joinedDay(state, state.lookUp.pieces());
  whole.ids = state.ids;
  whole.rested = { ...NOTHING_RESTS, events: state.rested.events };
  return whole;
}

/** A Day with all that left memory since an instant (UTC ms). It has every visitor who was there since then. */
export function recentDay(state: DayState, since: number): DayState {
  return state.lookUp === undefined ? state : joinedDay(state, state.lookUp.pieces(since));
}

function joinedDay(state: DayState, pieces: Iterable<Uint8Array>): DayState {
  const whole = emptyLike(state);
  whole.drops = state.drops;
  whole.changed = state.changed;
  whole.rested = state.rested;
  addDay(whole, state);
  for (const bytes of pieces) {
    addDay(whole, decodeDay(new ByteReader(bytes)));
    if (whole.visitors.bytes > WHOLE_DAY_UNPACKED_BYTES) whole.visitors.rest();
  }
  return whole;
}

/** Adds the visits, orders and prefetches of a Day to another. */
function addDay(into: DayState, from: DayState): void {
  const copier = new Copier(namesOf(from), into);
  for (const [visitor, runs] of from.visitors) copier.addRuns(visitor, runs);
  for (const [visitor, own] of from.prefetches ?? []) copier.addPrefetches(visitor, own);
  for (const [number, claims] of from.orders ?? []) copier.addClaims(number, claims);
}

function emptyLike({ merchant, day, idKey, lookUp }: DayState): DayState {
  return emptyDay(merchant, day, idKey, lookUp);
}

function slotsOf(visits: readonly Visit[]): readonly number[] {
  return [...new Set(visits.map(({ startSlot }) => startSlot))];
}

/** Copies from one Day into another, which has other dictionary numbers. */
class Copier {
  readonly into: DayState;
  readonly #from: DayNames;
  readonly #texts: number[] = [];
  readonly #profiles: number[] = [];
  readonly #places: number[] = [];

  constructor(from: DayNames, into: DayState) {
    this.#from = from;
    this.into = into;
  }

  addRuns(visitor: string, runs: readonly Visit[]): void {
    const { visitors } = this.into;
    const copies = runs.map((run) => this.#visit(run));
    const known = visitors.wake(visitor);
    if (known === undefined) visitors.set(visitor, copies);
    else visitors.replace(visitor, joinRuns([...known, ...copies]));
  }

  /** The same for a new visitor, who rests. */
  addResting(visitor: string, runs: readonly Visit[]): void {
    if (runs.length > 0)
      this.into.visitors.setResting(
        visitor,
        runs.map((run) => this.#visit(run)),
      );
  }

  addPrefetches(visitor: string, prefetches: readonly Visit[]): void {
    if (prefetches.length === 0) return;
    const copies = prefetches.map((one) => this.#visit(one));
    this.into.prefetches ??= new Map();
    const known = this.into.prefetches.get(visitor);
    this.into.looseBytes += copies.reduce(
      (sum, copy) => sum + visitBytes(copy),
      known === undefined ? VISITOR_BYTES : 0,
    );
    if (known === undefined) this.into.prefetches.set(visitor, copies);
    else known.push(...copies);
  }

  addClaims(number: string, claims: readonly DayClaim[]): void {
    const copies = claims.map((claim) => this.#claim(claim));
    this.into.orders ??= new TextMap();
    const known = this.into.orders.get(number);
    const more = known === undefined ? orderBytes(number) : 0;
    this.into.looseBytes += copies.reduce((sum, copy) => sum + claimBytes(copy), more);
    if (known === undefined) this.into.orders.set(number, copies);
    else known.push(...copies);
  }

  #visit(visit: Visit): Visit {
    const { entry, exit } = visit;
    return {
      ...visit,
      profile: this.#profile(visit.profile),
      entry: entry && { ...entry, page: this.#text(entry.page) },
      exit: exit && { ...exit, page: this.#text(exit.page) },
      cells: visit.cells.map((cell) => this.#cell(cell)),
      slots: [...visit.slots],
      index: undefined,
    };
  }

  #cell(cell: Cell): Cell {
    const earned = renumberEarned(cell.earned, (product) => this.#text(product));
    return { ...cell, place: this.#place(cell.place), earned };
  }

  #claim(claim: DayClaim): DayClaim {
    const lines = claim.sale.lines.map((line) => ({ ...line, label: this.#text(line.label) }));
    return { ...claim, place: this.#place(claim.place), sale: { ...claim.sale, lines } };
  }

  #text(number: number): number {
    this.#texts[number] ??= textNumber(this.into.dictionary, this.#from.texts[number] as string, true);
    return this.#texts[number];
  }

  /** All its numbers are texts. */
  #profile(number: number): number {
    this.#profiles[number] ??= tupleNumber(
      this.into.dictionary,
      unpackTuple(this.#from.tuples[number] as string).map((text) => this.#text(text)),
    );
    return this.#profiles[number];
  }

  /** All its numbers stand for texts, except the number of goals. */
  #place(number: number): number {
    this.#places[number] ??= tupleNumber(
      this.into.dictionary,
      unpackTuple(this.#from.tuples[number] as string).map((text, at) =>
        at === PLACE_FIELDS.length ? text : this.#text(text),
      ),
    );
    return this.#places[number];
  }
}
