// The demo's week: the same for everybody, and with something in it for every answer.

import { expect, test } from "vitest";
import { keepBooks } from "../../scripts/demo/books.ts";
import { type SentEvent, toParcels } from "../../scripts/demo/event.ts";
import { FOREIGN } from "../../scripts/demo/shop.ts";
import { eventsOf, eventsOfDay } from "../../scripts/demo/visit.ts";

const DAY_MS = 86_400_000;
const TODAY = Date.UTC(2026, 10, 28) / DAY_MS;
const week = (now: number) => {
  const today = Math.floor(now / DAY_MS);
  return eventsOf({ now, days: 7, firstOpenDay: today - 1 });
};
const WEEK = week(TODAY * DAY_MS + 20 * 3_600_000);

test("[DMO-1] a Day's visits are the same on every run, each with an id of its own", () => {
  expect(eventsOfDay(TODAY)).toEqual(eventsOfDay(TODAY));
  expect(new Set(WEEK.map(({ event }) => event.id)).size).toBe(WEEK.length);
  for (const { event } of WEEK) expect(event.id).toMatch(/^demo-2-\d+-\d+/);
});

test("[DMO-1] a later run sends what an earlier one has sent, and what has happened since", () => {
  const later = new Set(week((TODAY + 1) * DAY_MS + 3_600_000).map(({ event }) => JSON.stringify(event)));
  const shared = WEEK.filter(({ event }) => event.timestamp >= (TODAY - 5) * DAY_MS);
  expect(shared.length).toBeGreaterThan(1_000);
  expect(shared.filter(({ event }) => !later.has(JSON.stringify(event)))).toEqual([]);
});

const counted = WEEK.filter(({ fate }) => fate === "counted");
const named = (name: string) => counted.filter(({ event }) => event.name === name);
const browsers = named("purchase");
const servers = named("Order Completed");
const numbers = (events: readonly SentEvent[]) => events.map(({ event }) => event.order_id);

test.each([
  ["orders with products", browsers.filter(({ event }) => (event.products?.length ?? 0) > 1)],
  ["a reloaded thank-you page", browsers.filter(({ event }, at) => numbers(browsers).indexOf(event.order_id) < at)],
  ["orders that the server told as well", servers.filter(({ event }) => numbers(browsers).includes(event.order_id))],
  ["refunds", named("Order Refunded")],
  ["a cancellation", named("Order Cancelled")],
  ["a second currency", browsers.filter(({ event }) => event.revenue?.currency === FOREIGN.currency)],
  [
    "steps that carry products and money",
    named("begin_checkout").filter(({ event }) => event.products && event.revenue),
  ],
  ["a visit back from the payment page", counted.filter(({ event }) => event.referrer?.includes("paypal"))],
  ["a campaign", counted.filter(({ event }) => event.url?.includes("utm_campaign="))],
  ["sign-ups", named("Signed Up")],
  ["hits that come late", WEEK.filter(({ late, event }) => late && event.timestamp < (TODAY - 1) * DAY_MS)],
  ["a bot", WEEK.filter(({ fate }) => fate === "bot")],
  ["a spam referrer", WEEK.filter(({ fate }) => fate === "referrer")],
  ["a foreign hostname", WEEK.filter(({ fate }) => fate === "hostname")],
  ["a prefetch", WEEK.filter(({ fate }) => fate === "prefetch")],
])("[DMO-2] the week has %s", (_, events) => {
  expect(events.length).toBeGreaterThan(0);
});

test("[DMO-2] its requests are of one place and one sender each, and lose nothing", () => {
  const parcels = toParcels(WEEK);
  expect(parcels.flatMap(({ events }) => events).length).toBe(WEEK.length);
  const server = parcels.filter(({ sender }) => sender === "server").flatMap(({ events }) => events);
  expect(server.every(({ name }) => name.startsWith("Order "))).toBe(true);
});

test("[DMO-2] the shop's books count an order once, take refunds off, and convert francs", () => {
  const books = keepBooks(WEEK);
  const sold = new Set([...numbers(browsers), ...numbers(servers)]);
  for (const number of numbers(named("Order Cancelled"))) sold.delete(number);
  expect(books.orders).toBe(sold.size);
  expect(books.refunds).toBe(named("Order Refunded").length);
  expect(books.total_revenue).toBeLessThan(books.gross_revenue);
  const francs = browsers.filter(({ event }) => event.revenue?.currency === FOREIGN.currency).slice(0, 1);
  expect(keepBooks(francs).gross_revenue).toBeCloseTo((francs[0]?.event.revenue?.amount ?? 0) * 1.05, 6);
});
