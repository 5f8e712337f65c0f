// The orders of a merchant's Day: every event with an order number that buys, gives back or cancels, by its number.
// Which of them earn is settled when somebody reads (`settle` in core/order.ts), because a later event may change it,
// such as a cancellation or the server's own word on an order that a page told before. All events are kept, even those
// that earn nothing, because an erasure may remove the one that earned.

import type { ByteReader, ByteWriter } from "../bytes.ts";
import type { Claim, Line } from "../order.ts";
import { settle } from "../order.ts";
import { TextMap } from "../text-map.ts";
import { type Earned, earnedWithProducts } from "./earned.ts";

/** A line of an order; its product is a number of the Day's dictionary. */
interface NumberedLine extends Line {
  readonly label: number;
}

/** An event with an order number, and the cell of the Day that has it. */
export interface DayClaim extends Claim<NumberedLine> {
  readonly visitor: string;
  readonly slot: number;
  /** The cell's. */
  readonly place: number;
}

/** By order number. */
export type OrderBook = TextMap<DayClaim[]>;

/** What a claim has earned, with the cell that has it. */
export interface DayEarning extends Pick<DayClaim, "slot" | "place" | "time"> {
  readonly earned: Earned;
  /**
   * Products that it takes back by the order's number alone, without naming them. They count for it all the same
   * (ORD-8).
   */
  readonly unnamed: readonly number[];
}

/** What all orders of a Day earn, by the visitors of their events. */
export function earningsOf(book: OrderBook): ReadonlyMap<string, readonly DayEarning[]> {
  const found = new Map<string, DayEarning[]>();
  for (const claims of book.values()) {
    for (const [{ visitor, slot, place, time, sale }, earning] of settle<NumberedLine, DayClaim>(claims)) {
      const own = found.get(visitor) ?? [];
      if (own.length === 0) found.set(visitor, own);
      const unnamed = sale.lines.length > 0 ? [] : [...new Set(earning.sale.lines.map(({ label }) => label))];
      own.push({ slot, place, time, earned: earnedWithProducts(earning), unnamed });
    }
  }
  return found;
}

/** Removes a visitor's claims. Returns the slots of all claims with the same numbers, whose earnings may change. */
export function eraseClaims(book: OrderBook, visitor: string): ReadonlySet<number> {
  const slots = new Set<number>();
  for (const [number, claims] of book) {
    const left = claims.filter((claim) => claim.visitor !== visitor);
    if (left.length === claims.length) continue;
    for (const { slot } of claims) slots.add(slot);
    if (left.length === 0) book.delete(number);
    else book.set(number, left);
  }
  return slots;
}

const ACTS = ["purchase", "refund", "cancellation"] as const;

/** Times are relative to a base, as those of visits are. */
export function encodeBook(book: OrderBook, base: number, writer: ByteWriter): void {
  writer.unsigned(book.size);
  for (const [number, claims] of book) {
    writer.text(number);
    writer.unsigned(claims.length);
    for (const claim of claims) encodeClaim(claim, base, writer);
  }
}

/** The inverse of `encodeBook`. */
export function decodeBook(base: number, reader: ByteReader): OrderBook {
  const book: OrderBook = new TextMap();
  for (let left = reader.unsigned(); left > 0; left--) {
    const number = reader.text();
    const claims = Array.from({ length: reader.unsigned() }, () => decodeClaim(base, reader));
    book.set(number, claims);
  }
  return book;
}

function encodeClaim(
  { act, keyed, time, order, tie, sale, visitor, slot, place }: DayClaim,
  base: number,
  writer: ByteWriter,
) {
  writer.byte(ACTS.indexOf(act) * 2 + (keyed ? 1 : 0));
  writer.signed(time - base);
  for (const value of [order, tie]) writer.unsigned(value);
  writer.text(visitor);
  writer.signed(slot);
  writer.unsigned(place);
  writer.text(sale.currency);
  writer.count(sale.revenue);
  writer.unsigned(sale.lines.length);
  for (const { label, units, revenue } of sale.lines) {
    writer.unsigned(label);
    writer.count(units);
    writer.count(revenue);
  }
}

function decodeClaim(base: number, reader: ByteReader): DayClaim {
  const kind = reader.byte();
  return {
    act: ACTS[kind >> 1] as DayClaim["act"],
    keyed: kind % 2 === 1,
    time: base + reader.signed(),
    order: reader.unsigned(),
    tie: reader.unsigned(),
    visitor: reader.text(),
    slot: reader.signed(),
    place: reader.unsigned(),
    sale: {
      currency: reader.text(),
      revenue: reader.signed(),
      lines: Array.from({ length: reader.unsigned() }, () => ({
        label: reader.unsigned(),
        units: reader.signed(),
        revenue: reader.signed(),
      })),
    },
  };
}
