// The shop's own books of what the demo sends: what its orders, refunds and page views come to by the meanings of
// docs/spec.md. They are kept apart from everything that counts, so that the demo can say whether the API's numbers are
// the shop's.

import type { DemoEvent, SentEvent } from "./event.ts";
import { AHEAD, CURRENCY, FOREIGN, SHOP } from "./shop.ts";

export interface Books {
  readonly pageviews: number;
  readonly orders: number;
  readonly refunds: number;
  readonly units: number;
  /** In euros, as all money: what was paid in francs is converted. */
  readonly gross_revenue: number;
  readonly total_revenue: number;
  readonly product_revenue: number;
}

const DAY_MS = 86_400_000;
const AHEAD_URL = SHOP + AHEAD.path;

export function keepBooks(sent: readonly SentEvent[]): Books {
  const counted = sent.filter(({ fate }) => fate === "counted").map(({ event }) => event);
  const sold = soldOf(counted);
  const back = counted.filter(({ name }) => name === "Order Refunded");
  const value = ({ amount, currency }: { amount: number; currency: string }) =>
    currency === CURRENCY ? amount : amount * Number(FOREIGN.rate);
  const sum = (events: readonly DemoEvent[], of: (event: DemoEvent) => number) =>
    events.reduce((total, event) => total + of(event), 0);
  const money = (event: DemoEvent) => (event.revenue === undefined ? 0 : value(event.revenue));
  const goods = ({ products = [], revenue }: DemoEvent) =>
    value({
      amount: products.reduce((total, { price, quantity }) => total + price * quantity, 0),
      currency: revenue?.currency ?? CURRENCY,
    });
  const pieces = ({ products = [] }: DemoEvent) => products.reduce((total, { quantity }) => total + quantity, 0);
  const gross = sum(sold, money);
  return {
    pageviews: counted.filter(({ name }) => name === "pageview").length + readAhead(sent),
    orders: sold.length,
    refunds: back.length,
    units: sum(sold, pieces) - sum(back, pieces),
    gross_revenue: gross,
    total_revenue: gross - sum(back, money),
    product_revenue: sum(sold, goods) - sum(back, goods),
  };
}

/** One purchase for each number that was not called off. */
function soldOf(events: readonly DemoEvent[]): readonly DemoEvent[] {
  const called = new Set(events.filter(({ name }) => name === "Order Cancelled").map(({ order_id }) => order_id));
  const sold = new Map<string, DemoEvent>();
  for (const event of events) {
    const { name, order_id = "" } = event;
    if (name !== "purchase" && name !== "Order Completed") continue;
    if (!called.has(order_id) && !sold.has(order_id)) sold.set(order_id, event);
  }
  return [...sold.values()];
}

/** Pages that were fetched ahead and then read: one for each visitor and Day, however often they were fetched. */
function readAhead(sent: readonly SentEvent[]): number {
  const keyOf = ({ visitor_id, timestamp }: DemoEvent) => `${visitor_id} ${Math.floor(timestamp / DAY_MS)}`;
  const events = sent.filter(({ event }) => event.url === AHEAD_URL);
  const fetched = new Set(events.filter(({ sender }) => sender === "prefetch").map(({ event }) => keyOf(event)));
  const read = new Set(events.filter(({ event }) => event.name === "engagement").map(({ event }) => keyOf(event)));
  return [...read].filter((key) => fetched.has(key)).length;
}
