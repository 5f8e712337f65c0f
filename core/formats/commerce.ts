// E-commerce in the words of Segment's specification, which the clients of RudderStack and PostHog use as well, as
// facts: which of these events is an order, a refund or a step before it is an opinion formed later. Only what stands
// for money differs by name here: an order's `total` is, a cart's is not.

import { normalName } from "../event.ts";
import { actOf } from "../order.ts";
import { isObject } from "./field.ts";
import { type Commerce, looseCommerce } from "./loose.ts";
import type { RawProduct } from "./product.ts";

/** Whether an event of this name paid something or gave it back: then a sum that is not called revenue is money too. */
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

/** A list of products, or the one product that an event is about. */
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
