// E-commerce events in the words of Segment's specification, which RudderStack's and PostHog's clients use as well.
// They become facts here. Which of them is an order, a refund or a step is an opinion, formed later. Only one thing
// depends on the event's name here: an order's `total` is money, and a cart's is not.

import { normalName } from "../event.ts";
import { actOf } from "../order.ts";
import { isObject } from "./field.ts";
import { type Commerce, looseCommerce } from "./loose.ts";
import type { RawProduct } from "./product.ts";

/**
 * Whether events of this name pay something or give it back. Then a sum under another name than revenue is money too.
 */
export function isSettling(name: string): boolean {
  const act = actOf({ name, order: "", revenue: 0, products: "" });
  return act === "purchase" || act === "refund" || act === "cancellation";
}

/** Properties that become facts of their own. */
export const COMMERCE_KEYS = ["order_id", "revenue", "currency", "products"] as const;

export function commerceOf(name: string, properties: Readonly<Record<string, unknown>>): Commerce {
  const { revenue, total, subtotal, value, currency, order_id: order } = properties as Record<string, unknown>;
  const amount = revenue ?? (isSettling(name) ? (total ?? subtotal ?? value) : undefined);
  return looseCommerce({ amount, currency, order, products: productsOf(normalName(name), properties) });
}

/** The list of products, or the one product that the event is about. */
function productsOf(name: string, properties: Readonly<Record<string, unknown>>): readonly RawProduct[] {
  const { products } = properties as Record<string, unknown>;
  const list = Array.isArray(products) ? products : name.startsWith("product ") ? [properties] : [];
  return list.filter(isObject).map(toProduct);
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
