// What a merchant's Day takes in memory: an estimate in bytes that is kept along with the Day, piece by piece, where a
// piece comes or goes. It is a function of what the Day holds, and of nothing else: read back from disk, a Day comes to
// the same. It is made to be too high rather than too low (HLD-1; `npm run bench:held` compares it with the heap). What
// may be held is said in limits.ts and decided by the partition (durable-objects/held.ts).

import type { Earned } from "./earned.ts";
import type { DayClaim } from "./order-book.ts";
import type { Cell, Visit } from "./visit.ts";

/** Bytes of a Day with nothing in it: its maps and its first ids. */
export const DAY_BYTES = 900;
/** A text of the dictionary beside its characters: a place in a map, and the text's head. */
const TEXT_BYTES = 72;
/** A tuple beside its numbers: the same, and what joining it leaves. */
const TUPLE_BYTES = 104;
/** A visitor's name, place in the map, and list of visits. */
export const VISITOR_BYTES = 176;
/** A visit, with its first and last page view and its lists. */
const VISIT_BYTES = 420;
/** A kind of event of a visit, with its place in an index. */
const CELL_BYTES = 136;
/** What a cell has earned: in all, of a currency, of a product. */
const EARNED_BYTES = 96;
const MONEY_BYTES = 112;
const SOLD_BYTES = 72;
/** An order number, and each event under it, with its lines. */
const ORDER_BYTES = 136;
const CLAIM_BYTES = 328;
const LINE_BYTES = 72;
/** Packed visits beside their bytes. */
const PACKED_BYTES = 24;

/** A text that is new to the dictionary: two bytes a character, as the engine stores any but Latin ones. */
export function textBytes(text: string): number {
  return TEXT_BYTES + 2 * text.length;
}

/** A packed tuple that is new to it. */
export function tupleBytes(packed: string): number {
  return TUPLE_BYTES + 2 * packed.length;
}

/** A visitor's visits, as objects or packed. */
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

/** An order number that is new to the Day, without what stands under it. */
export function orderBytes(number: string): number {
  return ORDER_BYTES + 2 * number.length;
}

export function claimBytes({ sale }: DayClaim): number {
  return CLAIM_BYTES + sale.lines.length * LINE_BYTES;
}
