// What one event, or a cell of a visit, has earned: orders, refunds, money by currency, and the products sold. An event
// without an order number earns by itself. Events with one are settled together (`order-book.ts`).

import type { ByteReader, ByteWriter } from "../bytes.ts";
import type { Opinion } from "../enrichment/opinion.ts";
import type { Event } from "../event.ts";
import type { Earning, Line, Sale } from "../order.ts";
import {
  addMoneyTo,
  CARRIED,
  carriedOf,
  carryOf,
  copyMoney,
  decodeMoney,
  encodeMoney,
  type OwnMoney,
} from "./takings.ts";

/** What was sold of one product, by its number in the Day's dictionary. */
export interface Sold {
  readonly product: number;
  readonly currency: string;
  /** In ten-thousandths; negative where products came back. */
  units: number;
  revenue: number;
}

/** Sums are added in this object. A caller that keeps an object which others also hold keeps a copy. */
export interface Earned {
  orders: number;
  refunds: number;
  /** In ten-thousandths: a shop may sell half a metre. */
  units: number;
  money: OwnMoney;
  /** By product, then currency, each once. */
  readonly sold: Sold[];
}

/** The numbers of an earning. Labels of its lines are the numbers of products. */
export function earnedWithProducts(earning: Earning<Line & { readonly label: number }>): Earned {
  const { currency, lines } = earning.sale;
  const signed = (value: number) => (earning.sign > 0 ? value : 0 - value);
  const sold: Sold[] = [];
  for (const { label, units, revenue } of lines)
    addSold(sold, { product: label, currency, units: signed(units), revenue: signed(revenue) });
  return { ...earnedOf(earning), sold };
}

/** The same without its products. */
export function earnedOf({ sign, ofOrder, sale }: Earning): Omit<Earned, "sold"> {
  const signed = (value: number) => (sign > 0 ? value : 0 - value); // never -0, which JSON and bytes do not know
  const revenue = signed(sale.revenue);
  const order = ofOrder && sign > 0 ? 1 : 0;
  const units = sale.lines.reduce((sum, line) => sum + line.units, 0);
  const ofProducts = sale.lines.reduce((sum, line) => sum + line.revenue, 0);
  const takings = {
    currency: sale.currency,
    revenue,
    gross_revenue: sign > 0 ? revenue : 0,
    order_revenue: ofOrder ? revenue : 0,
    product_revenue: ofOrder ? signed(ofProducts) : 0,
    payments: revenue === 0 ? 0 : 1,
    orders: order,
  };
  const isNothing = revenue === 0 && order === 0 && takings.product_revenue === 0;
  return {
    orders: order,
    refunds: sign < 0 ? 1 : 0,
    units: ofOrder ? signed(units) : 0,
    money: isNothing ? undefined : [takings],
  };
}

/**
 * What an event earns that shares no order number with others. Undefined where that is nothing (ORD-2, ORD-5). `sale`
 * is what it carries.
 */
export function ownEarning<L extends Line>(
  { order, revenue }: Pick<Event, "order" | "revenue">,
  act: Opinion["act"],
  sale: Sale<L>,
): Earning<L> | undefined {
  if (act === "step") return undefined;
  if (act !== "none") return order === "" ? { sign: act === "purchase" ? 1 : -1, ofOrder: true, sale } : undefined;
  // An event with a name of the merchant's own earns its money, even a negative amount, and sells no products.
  return revenue === 0 ? undefined : { sign: 1, ofOrder: false, sale: { ...sale, revenue, lines: [] } };
}

/** Adds `more` to `into` and returns the sum. Either may be undefined. */
export function addEarned(into: Earned | undefined, more: Earned | undefined): Earned | undefined {
  if (into === undefined || more === undefined) return into ?? copyEarned(more);
  into.orders += more.orders;
  into.refunds += more.refunds;
  into.units += more.units;
  into.money = addMoneyTo(into.money, more.money);
  for (const one of more.sold) addSold(into.sold, one);
  return into;
}

export function copyEarned(earned: Earned | undefined): Earned | undefined {
  if (earned === undefined) return undefined;
  return { ...earned, money: copyMoney(earned.money), sold: earned.sold.map((one) => ({ ...one })) };
}

/** A copy with other numbers of products. */
export function renumberEarned(earned: Earned | undefined, numberOf: (product: number) => number): Earned | undefined {
  const copy = copyEarned(earned);
  if (copy === undefined || copy.sold.length === 0) return copy;
  const sold = copy.sold.map((one): Sold => ({ ...one, product: numberOf(one.product) }));
  return { ...copy, sold: sold.sort((a, b) => a.product - b.product || (a.currency < b.currency ? -1 : 1)) };
}

/** What was sold of one product, by currency. */
export function soldOf({ sold }: Earned, product: number): readonly Sold[] {
  const from = insertionIndex(sold, product, "");
  let to = from;
  while (sold[to]?.product === product) to += 1;
  return sold.slice(from, to);
}

function addSold(sum: Sold[], more: Sold): void {
  const at = insertionIndex(sum, more.product, more.currency);
  const known = sum[at];
  if (known === undefined || known.product !== more.product || known.currency !== more.currency) {
    sum.splice(at, 0, { ...more });
    return;
  }
  known.units += more.units;
  const sold = known.revenue + more.revenue;
  const carried = carriedOf(sold);
  known.revenue = sold - carried * CARRIED;
  if (carried !== 0) addSold(sum, { ...more, currency: carryOf(more.currency), units: 0, revenue: carried });
}

/** The index of a product's amount in a currency, or where it would go. */
function insertionIndex(sum: readonly Sold[], product: number, currency: string): number {
  let [from, to] = [0, sum.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    const one = sum[middle] as Sold;
    if (one.product < product || (one.product === product && one.currency < currency)) from = middle + 1;
    else to = middle;
  }
  return from;
}

export function encodeEarned(earned: Earned | undefined, writer: ByteWriter): void {
  writer.byte(earned === undefined ? 0 : 1);
  if (earned === undefined) return;
  for (const value of [earned.orders, earned.refunds, earned.units]) writer.count(value);
  encodeMoney(earned.money, writer);
  writer.unsigned(earned.sold.length);
  for (const { product, currency, units, revenue } of earned.sold) {
    writer.unsigned(product);
    writer.text(currency);
    writer.count(units);
    writer.count(revenue);
  }
}

/** The inverse of `encodeEarned`. */
export function decodeEarned(reader: ByteReader): Earned | undefined {
  if (reader.byte() === 0) return undefined;
  const earned: Earned = {
    orders: reader.signed(),
    refunds: reader.signed(),
    units: reader.signed(),
    money: decodeMoney(reader),
    sold: [],
  };
  // Earlier versions wrote them in the order in which they came.
  for (let left = reader.unsigned(); left > 0; left--) addSold(earned.sold, decodeSold(reader));
  return earned;
}

function decodeSold(reader: ByteReader): Sold {
  return { product: reader.unsigned(), currency: reader.text(), units: reader.signed(), revenue: reader.signed() };
}
