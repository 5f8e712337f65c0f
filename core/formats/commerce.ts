// E-commerce in the words of Segment's specification, which PostHog's clients use as well: "Order Completed" is an order,
// "Order Refunded" takes back; the other steps of a checkout carry the same amounts and are none. An event of the merchant's
// own that says `revenue` earns it.

import type { Draft } from "../hit.ts";
import { isObject } from "./field.ts";
import { looseOrder, looseRevenue } from "./loose.ts";
import { type RawProduct, readProducts } from "./product.ts";

type Commerce = Pick<Draft, "revenue" | "currency" | "order" | "products">;

/** Names of the specification whose amounts are not earned (yet), in lower case. */
const STEPS: ReadonlySet<string> = new Set([
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
  "order cancelled",
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
]);

/** Properties that become facts of their own. */
export const COMMERCE_KEYS = ["order_id", "revenue", "currency", "products"] as const;

export function commerceOf(name: string, properties: Readonly<Record<string, unknown>>): Commerce {
  const known = name.toLowerCase();
  const { revenue, total, subtotal, currency } = properties as Record<string, unknown>;
  const earned =
    known === "order completed"
      ? looseRevenue(revenue ?? total ?? subtotal, currency)
      : known === "order refunded"
        ? looseRevenue(revenue ?? total ?? subtotal, currency, -1)
        : looseRevenue(STEPS.has(known) ? 0 : revenue, currency);
  return { ...earned, order: looseOrder(properties["order_id"]), products: productsOf(known, properties) };
}

/** A list of products, or the one product that an event is about. */
function productsOf(name: string, properties: Readonly<Record<string, unknown>>): string {
  const { products } = properties as Record<string, unknown>;
  const list = Array.isArray(products) ? products : name.startsWith("product ") ? [properties] : [];
  const known = readProducts("products", list.filter(isObject).map(toProduct));
  return known.ok ? known.value : "";
}

function toProduct(product: Readonly<Record<string, unknown>>): RawProduct {
  return {
    id: product["product_id"] ?? product["sku"],
    name: product["name"],
    category: product["category"],
    brand: product["brand"],
    variant: product["variant"],
    price: product["price"],
    quantity: product["quantity"],
  };
}
