// A story of 1,000 events that every wire format can tell: 200 visitors, each with one visit of five events, among them
// page views, sign-ups and orders. It is the same each time; only its clock begins now.

import { seededRandom } from "./random.ts";

export interface StoryProduct {
  readonly id: string;
  readonly name: string;
  readonly price: number;
  readonly quantity: number;
}

export interface StoryEvent {
  readonly id: string;
  readonly visitor: StoryVisitor;
  readonly kind: "page" | "sign-up" | "order";
  readonly path: string;
  /** UTC ms. */
  readonly timestamp: number;
  /** Of an order: its number, its amount in euros, and what was bought. */
  readonly order?: { readonly id: string; readonly amount: number; readonly products: readonly StoryProduct[] };
}

export interface StoryVisitor {
  readonly id: string;
  readonly address: string;
}

export const STORY_HOST = "story.example";
const VISITORS = 200;
const EVENTS_EACH = 5;
const PAGES = ["/", "/mats", "/mugs", "/cart", "/about us", "/größe?a=1"];

/** The story as it would have happened in the last half hour. */
export function story(now: number): readonly StoryEvent[] {
  const random = seededRandom(1_000);
  return Array.from({ length: VISITORS }, (_, index) => {
    const visitor = { id: `visitor-${index}`, address: `198.51.${100 + (index >> 7)}.${index & 127}` };
    const start = now - 1_500_000 + index * 1_000;
    return Array.from({ length: EVENTS_EACH }, (__, step): StoryEvent => {
      const kind = step === 0 ? "page" : random.pick(["page", "page", "page", "sign-up", "order"] as const);
      const path = random.pick(PAGES);
      const event = { id: `event-${index}-${step}`, visitor, kind, path, timestamp: start + step * 30_000 };
      return kind === "order" ? { ...event, order: orderOf(`order-${index}-${step}`, random.integer(1, 3)) } : event;
    });
  }).flat();
}

function orderOf(id: string, count: number): NonNullable<StoryEvent["order"]> {
  const products = Array.from({ length: count }, (_, index) => {
    return { id: `P${index}`, name: `Product ${index}`, price: 6.25 + index, quantity: index + 1 };
  });
  const amount = products.reduce((sum, { price, quantity }) => sum + price * quantity, 0);
  return { id, amount, products };
}

export function urlOf({ path }: StoryEvent): string {
  return `https://${STORY_HOST}${encodeURI(path)}`;
}
