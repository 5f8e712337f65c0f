// What one event, or a cell of a visit, has earned: orders, refunds, money by currency, and the products sold. An event
// without an order number earns as it stands; those with one are settled together (`order-book.ts`).

import type { ByteReader, ByteWriter } from "../bytes.ts";
import type { Opinion } from "../enrichment/opinion.ts";
import type { Event } from "../event.ts";
import type { Earning, Line, Sale } from "../order.ts";
import { addMoney, decodeMoney, encodeMoney, type Money } from "./takings.ts";

/** A product's part, under its number in the Day's dictionary. */
export interface Sold {
  readonly product: number;
  readonly currency: string;
  /** In ten-thousandths; negative where products came back. */
  readonly units: number;
  readonly revenue: number;
}

export interface Earned {
  readonly orders: number;
  readonly refunds: number;
  /** In ten-thousandths: a shop may sell half a metre. */
  readonly units: number;
  readonly money: Money;
  readonly sold: readonly Sold[];
}

/** The numbers of an earning. Labels of its lines are the numbers of products. */
export function earnedWithProducts(earning: Earning<Line & { readonly label: number }>): Earned {
  const { currency, lines } = earning.sale;
  const signed = (value: number) => (earning.sign > 0 ? value : 0 - value);
  const sold = lines.map(({ label, units, revenue }) => {
    return { product: label, currency, units: signed(units), revenue: signed(revenue) };
  });
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
 * What an event that no order number ties to others earns by itself; undefined where that is nothing (ORD-2, ORD-5). `sale` is
 * what it carries.
 */
export function ownEarning<L extends Line>(
  { order, revenue }: Pick<Event, "order" | "revenue">,
  act: Opinion["act"],
  sale: Sale<L>,
): Earning<L> | undefined {
  if (act === "step") return undefined;
  if (act !== "none") return order === "" ? { sign: act === "purchase" ? 1 : -1, ofOrder: true, sale } : undefined;
  // A name of the merchant's own earns as it is, also less than nothing, and sells no products.
  return revenue === 0 ? undefined : { sign: 1, ofOrder: false, sale: { ...sale, revenue, lines: [] } };
}

export function addEarned(a: Earned | undefined, b: Earned | undefined): Earned | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return {
    orders: a.orders + b.orders,
    refunds: a.refunds + b.refunds,
    units: a.units + b.units,
    money: addMoney(a.money, b.money),
    sold: addSold(a.sold, b.sold),
  };
}

function addSold(a: readonly Sold[], b: readonly Sold[]): readonly Sold[] {
  const sum = [...a];
  for (const more of b) {
    const at = sum.findIndex(({ product, currency }) => product === more.product && currency === more.currency);
    const known = sum[at];
    if (known === undefined) sum.push(more);
    else sum[at] = { ...known, units: known.units + more.units, revenue: known.revenue + more.revenue };
  }
  return sum;
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
  return {
    orders: reader.signed(),
    refunds: reader.signed(),
    units: reader.signed(),
    money: decodeMoney(reader),
    sold: Array.from({ length: reader.unsigned() }, () => ({
      product: reader.unsigned(),
      currency: reader.text(),
      units: reader.signed(),
      revenue: reader.signed(),
    })),
  };
}
