// The last orders of a range, each with the way that led to it: where its visit came from, the page it entered on, and
// the pages it saw until it bought. An order is what earns (order.ts): the first purchase of a number, as it stands on
// its Day. No visitor and no order number is told, so whoever may ask questions may ask this.

import { isPageview, REVENUE_SCALE } from "../event.ts";
import { type Gradual, LOOKED_AT } from "../gradual.ts";
import { ORDER_LIST, ORDER_LIST_MAX, ORDER_LIST_NAMES, ORDER_LIST_PAGES } from "../limits.ts";
import { accepted, type Outcome } from "../outcome.ts";
import { type Attribute, attributeOf, shownValue } from "./attribute.ts";
import type { Budgets } from "./budget.ts";
import type { Range } from "./range.ts";
import { invalid, isIntegerIn } from "./refusal.ts";
import { admittedVisits, type DayVisits, isWithin, parseReport, type ReportQuestion } from "./report.ts";
import type { Seen } from "./seen.ts";

export interface OrderListQuestion extends ReportQuestion {
  /** Orders that are told, the newest. */
  readonly limit: number;
}

export interface ListedOrder {
  /** UTC, as ISO 8601 writes it. */
  readonly at: string;
  readonly currency: string;
  readonly revenue: number;
  readonly units: number;
  /** The first names of its products, each once. */
  readonly products: readonly string[];
  readonly source: string;
  readonly channel: string;
  /** Pages of the visit until then, one seen twice in a row once. Of a longer way the first, and the last ones. */
  readonly pages: readonly string[];
  /** How many pages between the first and the others are not told. */
  readonly pages_left_out: number;
  /** From the beginning of the visit. */
  readonly seconds: number;
}

const SOURCE = attributeOf("visit:source") as Attribute;
const CHANNEL = attributeOf("visit:channel") as Attribute;

/** Reads {"limit"?}. */
export function parseOrderList(
  body: unknown,
  fixed: readonly unknown[] = [],
  budgets?: Budgets,
): Outcome<OrderListQuestion> {
  const report = parseReport(body, { own: ["limit"], fixed, budgets });
  if (!report.ok) return report;
  const { body: given, ...question } = report.value;
  const { limit = ORDER_LIST } = given;
  if (!isIntegerIn(limit, 1, ORDER_LIST_MAX))
    return invalid(`#/limit: Expected a whole number from 1 to ${ORDER_LIST_MAX}.`);
  return accepted({ ...question, limit });
}

export interface OrderList {
  readonly question: OrderListQuestion;
  readonly range: Range;
  /** The newest so far, in no order; up to twice as many as are told. */
  orders: ListedOrder[];
}

export function openOrderList(question: OrderListQuestion, range: Range): OrderList {
  return { question, range, orders: [] };
}

/** Adds a Day. */
export function* addOrderListDay(list: OrderList, { day, visits, slices }: DayVisits): Gradual<void> {
  for (const { events } of yield* admittedVisits(visits, list.question.filter, slices)) {
    const way: Way = { pages: [], leftOut: 0 };
    for (const seen of events) {
      const isListed = isOrder(seen) && isWithin(list.range, seen, day);
      if (isPageview(seen.event.name)) follow(way, seen.opinion.page);
      if (isListed) add(list, [orderOf(seen, way)]);
      // Whoever knows the shop's tracking ID may send a visit of as many orders as they like.
      if (slices.isOver(isListed ? 1 : LOOKED_AT)) yield;
    }
  }
}

function isOrder({ earning }: Seen): boolean {
  return earning?.ofOrder === true && earning.sign > 0;
}

/** The pages of a visit so far, as they are told. */
interface Way {
  readonly pages: string[];
  leftOut: number;
}

function follow(way: Way, page: string): void {
  const { pages } = way;
  if (pages.at(-1) === page) return;
  if (pages.length === ORDER_LIST_PAGES) {
    pages.splice(1, 1);
    way.leftOut += 1;
  }
  pages.push(page);
}

function orderOf({ event, earning, visit }: Seen, { pages, leftOut }: Way): ListedOrder {
  const { currency = "", revenue = 0, lines = [] } = earning?.sale ?? {};
  const names = [...new Set(lines.map(({ label }) => label))];
  return {
    at: new Date(event.timestamp).toISOString(),
    currency,
    revenue: revenue / REVENUE_SCALE,
    units: lines.reduce((sum, { units }) => sum + units, 0) / REVENUE_SCALE,
    products: names.slice(0, ORDER_LIST_NAMES),
    source: firstValue(SOURCE, visit.profile),
    channel: firstValue(CHANNEL, visit.profile),
    pages: [...pages],
    pages_left_out: leftOut,
    seconds: Math.max(0, Math.round((event.timestamp - visit.start.event.timestamp) / 1_000)),
  };
}

function firstValue(attribute: Attribute, seen: Seen): string {
  return shownValue(attribute, attribute.valuesOf(seen)[0] ?? "");
}

function add(list: OrderList, more: readonly ListedOrder[]): void {
  for (const one of more) {
    list.orders.push(one);
    if (list.orders.length >= 2 * list.question.limit) list.orders = newest(list);
  }
}

/** Those of one instant by what is told of them, so that the sequence in which they were found decides nothing. */
function newest({ orders, question }: OrderList): ListedOrder[] {
  const keyed = orders.map((one) => [one.at, JSON.stringify(one), one] as const);
  keyed.sort(([a, left], [b, right]) => (a === b ? (left < right ? -1 : 1) : a < b ? 1 : -1));
  return keyed.slice(0, question.limit).map(([, , one]) => one);
}

export function encodeOrderList(list: OrderList): string {
  return JSON.stringify(newest(list));
}

export function absorbOrderList(list: OrderList, text: string): void {
  add(list, JSON.parse(text) as readonly ListedOrder[]);
}

/** The newest first. */
export function closeOrderList(list: OrderList): readonly ListedOrder[] {
  return newest(list);
}
