// What an order is. An event's name and contents say what kind of act it is, by one table for all formats. An order is
// known by its number. For a Day's events with one number `settle` says which of them earn and which take off, in
// whatever sequence they came. Counting keeps what it needs of those events (`counting/order-book.ts`), and scans hold
// the events themselves; both call `settle`.

import { type Event, isPageview, normalName, REVENUE_SCALE } from "./event.ts";
import { ORDER_UNITS_MAX, REVENUE_MAX } from "./limits.ts";

/** What an event does to a shop's books. */
export type Act = "purchase" | "refund" | "cancellation" | "step" | "none";

/**
 * Names of events and the act that each is, in the words of `normalName`: those of GA4, Segment (and what speaks like
 * it: RudderStack, PostHog), Shopify's customer events, Snowplow and Klaviyo. Steps never earn, whatever they carry.
 */
const NAMES: Readonly<Record<Exclude<Act, "none">, readonly string[]>> = {
  purchase: [
    "purchase",
    "in app purchase",
    "ecommerce purchase",
    "order",
    "order completed",
    "order placed",
    "placed order",
    "order paid",
    "checkout completed",
    "transaction",
  ],
  refund: [
    "refund",
    "order refunded",
    "order partially refunded",
    "partial refund",
    "refunded order",
    "refund created",
    "transaction refunded",
    "purchase refunded",
  ],
  cancellation: [
    "order cancelled",
    "order canceled",
    "cancelled order",
    "canceled order",
    "transaction cancelled",
    "transaction canceled",
    "purchase cancelled",
    "purchase canceled",
  ],
  step: [
    "products searched",
    "product list viewed",
    "product list filtered",
    "promotion viewed",
    "promotion clicked",
    "product clicked",
    "product viewed",
    "product added",
    "product removed",
    "cart viewed",
    "checkout started",
    "checkout step viewed",
    "checkout step completed",
    "payment info entered",
    "order updated",
    "coupon entered",
    "coupon applied",
    "coupon denied",
    "coupon removed",
    "product added to wishlist",
    "product removed from wishlist",
    "wishlist product added to cart",
    "product shared",
    "cart shared",
    "product reviewed",
    "view item",
    "view item list",
    "view search results",
    "select item",
    "select content",
    "view promotion",
    "select promotion",
    "add to cart",
    "remove from cart",
    "view cart",
    "add to wishlist",
    "remove from wishlist",
    "begin checkout",
    "checkout progress",
    "set checkout option",
    "add shipping info",
    "add payment info",
    "product added to cart",
    "product removed from cart",
    "collection viewed",
    "search submitted",
    "checkout address info submitted",
    "checkout contact info submitted",
    "checkout shipping info submitted",
    "payment info submitted",
    "added to cart",
    "started checkout",
    "checkout step",
    "list view",
    "list click",
    "promo view",
    "promo click",
    "transaction error",
    "fulfilled order",
    "order fulfilled",
    "order shipped",
    "order delivered",
    "order created draft",
    "initiate checkout",
  ],
};

const ACTS: ReadonlyMap<string, Act> = new Map(
  Object.entries(NAMES).flatMap(([act, names]) => names.map((name) => [name, act as Act] as const)),
);

/**
 * What kind of act an event is (ORD-1). A name in the table decides, but a purchase of a negative amount is a refund.
 * An event with a name of the merchant's own and an order number is a purchase where it carries money or products, and
 * a refund where its money is negative.
 */
export function actOf({ name, order, revenue, products }: Pick<Event, "name" | "order" | "revenue" | "products">): Act {
  if (order === "" && isPageview(name)) return "none"; // nearly every event
  const known = ACTS.get(name) ?? ACTS.get(normalName(name));
  if (known === "purchase" && revenue < 0) return "refund";
  if (known !== undefined) return known;
  if (order === "") return "none";
  if (revenue < 0) return "refund";
  return revenue > 0 || products !== "" ? "purchase" : "none";
}

/** One product that was sold or given back. */
export interface Line {
  /** The product's name among those of one order: a number of the Day's dictionary in counting, a text in scans. */
  readonly label: string | number;
  /** In ten-thousandths; never negative. Those of all lines of an event are ORDER_UNITS_MAX at most. */
  readonly units: number;
  /**
   * Price times quantity, in ten-thousandths of a unit of currency; never negative. Those of all lines of an
   * event are REVENUE_MAX at most.
   */
  readonly revenue: number;
}

/** What an event says was sold or given back, without a sign. */
export interface Sale<L extends Line = Line> {
  /** ISO 4217. */
  readonly currency: string;
  /** In ten-thousandths; never negative. */
  readonly revenue: number;
  readonly lines: readonly L[];
}

/** An event with an order number, as `settle` looks at it. */
export interface Claim<L extends Line = Line> {
  readonly act: "purchase" | "refund" | "cancellation";
  /** Whether it came with an API key. Claims with a key go before those without (L7). */
  readonly keyed: boolean;
  readonly time: number;
  /** Its order among events of one instant: `arrivalOf`, then `tieOf`. */
  readonly order: number;
  readonly tie: number;
  readonly sale: Sale<L>;
}

/** What a claim earns (`sign` 1) or takes off (-1). */
export interface Earning<L extends Line = Line> {
  readonly sign: 1 | -1;
  /** Whether it is an order, or part of one. Its money is then revenue of orders. */
  readonly ofOrder: boolean;
  readonly sale: Sale<L>;
}

/**
 * Which claims of one order number, on one Day in one partition, earn or take off (ORD-2 to ORD-6). Claims that are
 * missing in the result earn nothing. The result depends on what each claim says and when it happened. It does not
 * depend on the sequence in which the claims are given. Claims with a key are settled first and by themselves, so they
 * earn the same whatever anybody sends without a key. A claim without a key can only add a purchase that the server has
 * not told of.
 */
export function settle<L extends Line, C extends Claim<L>>(claims: readonly C[]): ReadonlyMap<C, Earning<L>> {
  const keyed = claims.filter((claim) => claim.keyed);
  if (keyed.length === 0) return settleAlike<L, C>(claims);
  const found = settleAlike<L, C>(keyed);
  if (keyed.some(isPurchase)) return found;
  const bought = first(claims.filter(isPurchase));
  const sale = bought === undefined ? undefined : keptOf(bought.sale, keyed);
  if (bought !== undefined && sale !== undefined) found.set(bought, { sign: 1, ofOrder: true, sale });
  return found;
}

/** Settles claims that all came with a key, or all without. */
function settleAlike<L extends Line, C extends Claim<L>>(claims: readonly C[]): Map<C, Earning<L>> {
  const found = new Map<C, Earning<L>>();
  const bought = first(claims.filter(isPurchase));
  if (bought !== undefined && claims.some(isCancellation)) return found;
  if (bought !== undefined) found.set(bought, { sign: 1, ofOrder: true, sale: bought.sale });
  const offs = claims.filter((claim) => !isPurchase(claim));
  const own = offs.filter(({ sale }) => !isBlank(sale));
  for (const claim of own) found.set(claim, { sign: -1, ofOrder: true, sale: claim.sale });
  // A cancellation is among these only where no purchase is known. Without one there is nothing to take off, and it is
  // no refund.
  const whole = first(offs.filter((claim) => isBlank(claim.sale) && !isCancellation(claim)));
  if (whole !== undefined) {
    const sale = bought === undefined ? whole.sale : leftOf(bought.sale, own);
    found.set(whole, { sign: -1, ofOrder: true, sale });
  }
  return found;
}

/**
 * What a purchase without a key earns beside refunds and cancellations with a key. Where one of these takes back the
 * whole order, the purchase earns only as much as they take off by name, so that together they come to nothing.
 * Undefined where that is nothing.
 */
function keptOf<L extends Line>(sale: Sale<L>, keyed: readonly Claim<L>[]): Sale<L> | undefined {
  if (!keyed.some((claim) => isCancellation(claim) || isBlank(claim.sale))) return sale;
  const left = leftOf(sale, keyed);
  const lines = sale.lines.map((line, at) => {
    const { units, revenue } = left.lines[at] as L;
    return { ...line, units: line.units - units, revenue: line.revenue - revenue };
  });
  const kept = lines.filter(({ units, revenue }) => units !== 0 || revenue !== 0);
  const taken = { ...sale, revenue: sale.revenue - left.revenue, lines: kept };
  return isBlank(taken) ? undefined : taken;
}

function isPurchase({ act }: Claim): boolean {
  return act === "purchase";
}

function isCancellation({ act }: Claim): boolean {
  return act === "cancellation";
}

/** The earliest claim. */
function first<C extends Claim>(claims: readonly C[]): C | undefined {
  let best: C | undefined;
  for (const claim of claims) if (best === undefined || goesBefore(claim, best)) best = claim;
  return best;
}

function goesBefore(a: Claim, b: Claim): boolean {
  return (a.time - b.time || a.order - b.order || a.tie - b.tie) < 0;
}

/** Whether a claim names neither money nor products. GA4 takes a whole order back in this way, by its number alone. */
function isBlank({ revenue, lines }: Sale): boolean {
  return revenue === 0 && lines.length === 0;
}

/** What is left of a sale when some of it was given back. It is never negative. */
function leftOf<L extends Line>(sale: Sale<L>, given: readonly Claim<L>[]): Sale<L> {
  const same = given.map((claim) => claim.sale).filter(({ currency }) => currency === sale.currency);
  const back = same.reduce((sum, { revenue }) => sum + revenue, 0);
  const taken = new Map<string | number, { units: number; revenue: number }>();
  for (const { label, units, revenue } of same.flatMap(({ lines }) => lines)) {
    const known = taken.get(label) ?? { units: 0, revenue: 0 };
    taken.set(label, { units: known.units + units, revenue: known.revenue + revenue });
  }
  const lines = sale.lines.map((line) => {
    const off = taken.get(line.label) ?? { units: 0, revenue: 0 };
    const left = { units: Math.min(line.units, off.units), revenue: Math.min(line.revenue, off.revenue) };
    taken.set(line.label, { units: off.units - left.units, revenue: off.revenue - left.revenue });
    return { ...line, units: line.units - left.units, revenue: line.revenue - left.revenue };
  });
  return { ...sale, revenue: Math.max(0, sale.revenue - back), lines };
}

/** A product of an event as it is stored (core/event.ts). */
export interface Product {
  readonly id?: string;
  readonly name?: string;
  readonly category?: string;
  readonly brand?: string;
  readonly variant?: string;
  /** In units of the event's currency. */
  readonly price?: number;
  readonly quantity?: number;
}

/** A product of an event, and what its line comes to. */
export interface ProductLine extends Line {
  readonly label: string;
  readonly product: Product;
}

/** The label that a product's numbers are shown under: its name, else its id. */
export function productLabel({ name, id }: Product): string {
  return name ?? id ?? "";
}

const kept = new WeakMap<object, readonly ProductLine[]>();

/**
 * The products of an event in the order they were sent; parsed once for each event. Events from before the bounds may
 * have more money than REVENUE_MAX or more pieces than ORDER_UNITS_MAX. Such numbers make no sense and count as none
 * (ORD-11).
 */
export function linesOf(event: Pick<Event, "products">): readonly ProductLine[] {
  if (event.products === "") return [];
  const known = kept.get(event);
  if (known !== undefined) return known;
  const products = JSON.parse(event.products) as readonly Product[];
  const sums = sumsOf(products);
  const lines = products.map((product) => {
    const { units, revenue } = amountsOf(product);
    return {
      label: productLabel(product),
      product,
      units: sums.units <= ORDER_UNITS_MAX ? units : 0,
      revenue: sums.revenue <= REVENUE_MAX ? revenue : 0,
    };
  });
  kept.set(event, lines);
  return lines;
}

type Amounts = Pick<Line, "units" | "revenue">;

/** What all products of one event come to, as they are told. */
export function sumsOf(products: readonly Product[]): Amounts {
  let [units, revenue] = [0, 0];
  for (const amounts of products.map(amountsOf)) {
    units += amounts.units;
    revenue += amounts.revenue;
  }
  return { units, revenue };
}

function amountsOf({ price = 0, quantity: told = 1 }: Product): Amounts {
  const quantity = Math.abs(told);
  return {
    units: Math.round(quantity * REVENUE_SCALE),
    revenue: Math.round(Math.abs(price) * quantity * REVENUE_SCALE),
  };
}
