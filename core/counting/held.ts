// How much memory a merchant's Day takes: an estimate in bytes. It is kept along with the Day, and changed wherever
// something is added to the Day or removed. It is a function of what the Day holds and nothing else: a Day that is read
// back from disk has the same estimate. The estimate is rather too high than too low (HLD-1; `npm run bench:held`
// compares it with the heap). limits.ts says how much may be held, and the partition acts on it
// (durable-objects/held.ts).

import type { Earned } from "./earned.ts";
import type { DayClaim } from "./order-book.ts";
import type { Cell, Visit } from "./visit.ts";

/** An empty Day: its maps and its first ids. */
export const DAY_BYTES = 900;
/** A text of the dictionary, without its characters: a place in a map, and the text's header. */
const TEXT_BYTES = 72;
/** A tuple, without its numbers: the same, and what is left in memory when its text is joined. */
const TUPLE_BYTES = 104;
/** A visitor's name, place in the map, and list of visits. */
export const VISITOR_BYTES = 176;
/** A visit, with its first and last page view and its lists. */
const VISIT_BYTES = 420;
/** A kind of event of a visit, with its place in an index. */
const CELL_BYTES = 136;
/** What a cell has earned: as a whole, for each currency, and for each product. */
const EARNED_BYTES = 96;
const MONEY_BYTES = 112;
const SOLD_BYTES = 72;
/** An order number, and each event under it, with its lines. */
const ORDER_BYTES = 136;
const CLAIM_BYTES = 328;
const LINE_BYTES = 72;
/** Packed visits, without their bytes. */
const PACKED_BYTES = 24;

/** The bytes of a new text of the dictionary. A character takes two, as in the engine's texts that are not Latin. */
export function textBytes(text: string): number {
  return TEXT_BYTES + 2 * text.length;
}

/** The bytes of a new packed tuple of the dictionary. */
export function tupleBytes(packed: string): number {
  return TUPLE_BYTES + 2 * packed.length;
}

/** The bytes of a visitor's visits, as objects or packed. */
export function visitsBytes(held: readonly Visit[] | string): number {
  if (typeof held === "string") return PACKED_BYTES + held.length;
  return held.reduce((sum, visit) => sum + visitBytes(visit), 0);
}

export function visitBytes({ cells }: Visit): number {
  return cells.reduce((sum, cell) => sum + cellBytes(cell), VISIT_BYTES);
}

export function cellBytes({ earned }: Cell): number {
  return CELL_BYTES + earnedBytes(earned);
}

export function earnedBytes(earned: Earned | undefined): number {
  if (earned === undefined) return 0;
  return EARNED_BYTES + (earned.money?.length ?? 0) * MONEY_BYTES + earned.sold.length * SOLD_BYTES;
}

/** The bytes of an order number that is new to the Day, without its events. */
export function orderBytes(number: string): number {
  return ORDER_BYTES + 2 * number.length;
}

export function claimBytes({ sale }: DayClaim): number {
  return CLAIM_BYTES + sale.lines.length * LINE_BYTES;
}
