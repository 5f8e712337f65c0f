// An order of the demo's shop, and all that is told of it: by the page, which may be loaded twice, by the shop's server
// with its key, and later what was sent back or called off. An order number earns once, however often it comes.

import type { DemoEvent, DemoProduct, Sender } from "./event.ts";
import { pick, type Random, waitingTime } from "./random.ts";
import { PAYMENT_PAGE, PRODUCTS, type Product, SHOP } from "./shop.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

const PAYS_ELSEWHERE = 0.3;
const RELOADED = 0.25;
const TOLD_BY_SERVER = 0.45;
const CALLED_OFF = 0.06;
const SENT_BACK = 0.14;

/** What is known of a visitor in each of its events. */
export type Common = Pick<DemoEvent, "visitor_id" | "user_agent" | "language" | "screen">;

export interface Told {
  readonly event: DemoEvent;
  readonly sender: Sender;
}

export interface Basket {
  readonly products: readonly DemoProduct[];
  readonly currency: string;
}

/** A basket with a product, and sometimes others. */
export function fillBasket(random: Random, product: Product, currency: string): Basket {
  const chosen = new Set([product]);
  while (random() < 0.35) chosen.add(pick(random, PRODUCTS));
  return { products: [...chosen].map((one) => toDemoProduct(one, 1 + Math.floor(waitingTime(random, 0.5)))), currency };
}

export function toDemoProduct({ sku, title, category, brand, price }: Product, quantity: number): DemoProduct {
  return { id: sku, name: title, category, brand, price, quantity };
}

/** Money is reckoned in hundredths and told in units. */
export function revenueOf({ products, currency }: Basket): NonNullable<DemoEvent["revenue"]> {
  const hundredths = products.reduce((sum, { price, quantity }) => sum + Math.round(price * 100) * quantity, 0);
  return { amount: hundredths / 100, currency };
}

interface Checkout {
  readonly basket: Basket;
  readonly common: Common;
  /** Of its events. */
  readonly id: string;
  readonly number: string;
  /** When the visitor pays, UTC ms. */
  readonly at: number;
  /** The first instant of the next Day: what the page tells later than this, it does not tell. */
  readonly dayEnd: number;
}

/** From the thank-you page on. */
export function placeOrder(random: Random, { basket, common, id, number, at, dayEnd }: Checkout): readonly Told[] {
  const revenue = revenueOf(basket);
  const order = { order_id: number, revenue, products: basket.products };
  const page = { ...common, url: `${SHOP}/thank-you`, title: "Thank you" };
  const elsewhere = random() < PAYS_ELSEWHERE;
  const paid = at + (elsewhere ? Math.round((31 + 9 * random()) * MINUTE_MS) : 2_000);
  const told: Told[] = [];
  const tell = (sender: Sender, event: DemoEvent) => void told.push({ event, sender });
  const thanks = (turn: string, timestamp: number, from?: string) => {
    const view = { ...page, id: `${id}-${turn}v`, name: "pageview", timestamp };
    tell("page", from === undefined ? view : { ...view, referrer: from });
    tell("page", { ...page, ...order, id: `${id}-${turn}p`, name: "purchase", timestamp: timestamp + 400 });
  };
  thanks("a", paid, elsewhere ? PAYMENT_PAGE : undefined);
  const again = paid + 20_000 + Math.round(random() * 9 * MINUTE_MS);
  if (random() < RELOADED) thanks("b", again);
  const server = (turn: string, event: Partial<DemoEvent> & Pick<DemoEvent, "name" | "timestamp">) =>
    tell("server", { ...common, order_id: number, id: `${id}-${turn}`, ...event });
  if (random() < TOLD_BY_SERVER) server("s", { ...order, name: "Order Completed", timestamp: paid + 3_000 });
  const after = paid + Math.round((1 + 3 * random()) * HOUR_MS);
  const fate = random();
  if (fate < CALLED_OFF && after < dayEnd) server("c", { name: "Order Cancelled", timestamp: after });
  else if (fate > 1 - SENT_BACK) {
    const back = {
      ...basket,
      products: [
        pick(
          random,
          basket.products.map((product) => [product, 1] as const),
        ),
      ],
    };
    const refund = { revenue: revenueOf(back), products: back.products };
    server("r", { ...refund, name: "Order Refunded", timestamp: after + Math.round(random() * 36 * HOUR_MS) });
  }
  // A page that is shown beyond midnight would be another Day's; the purchase itself must be there for all else.
  if (paid + 3_000 >= dayEnd) return [];
  return told.filter(({ event, sender }) => sender === "server" || event.timestamp < dayEnd);
}
