// The products of an order or of a product event. All formats give them the same form: a JSON array of objects with
// keys in the order of `PRODUCT_TEXTS` and `PRODUCT_NUMBERS`. Formats with other words for them (GA4 items, Segment
// products) rename them first and then call `readProducts`.

import { REVENUE_SCALE } from "../event.ts";
import {
  ORDER_UNITS_MAX,
  PRODUCT_NUMBER_MAX,
  PRODUCT_TEXT_LENGTH_MAX,
  PRODUCTS_COUNT_MAX,
  PRODUCTS_LENGTH_MAX,
  REVENUE_MAX,
} from "../limits.ts";
import { type Product, sumsOf } from "../order.ts";
import { accepted, type Outcome, rejected } from "../outcome.ts";
import { isObject, readText } from "./field.ts";

export const PRODUCT_TEXTS = ["id", "name", "category", "brand", "variant"] as const;
export const PRODUCT_NUMBERS = ["price", "quantity"] as const;

/** A product as a format finds it. Unknown fields are absent. */
export type RawProduct = Readonly<Partial<Record<(typeof PRODUCT_TEXTS | typeof PRODUCT_NUMBERS)[number], unknown>>>;

/**
 * A list of products as JSON; "" for none. Texts are cut at their bound, and so is the list. An order with too many
 * products is still an order with its whole revenue.
 */
export function readProducts(field: string, value: unknown): Outcome<string> {
  if (value === undefined || value === null) return accepted("");
  if (!Array.isArray(value)) return rejected("invalid_field", `${field} must be a list of products`);
  const products: Product[] = [];
  const texts: string[] = [];
  let length = 2;
  for (const [index, item] of value.slice(0, PRODUCTS_COUNT_MAX).entries()) {
    const product = readProduct(`${field}[${index}]`, item);
    if (!product.ok) return product;
    const text = JSON.stringify(product.value);
    length += text.length + 1;
    if (length > PRODUCTS_LENGTH_MAX) break;
    if (text === "{}") continue;
    products.push(product.value);
    texts.push(text);
  }
  const { units, revenue } = sumsOf(products);
  if (revenue > REVENUE_MAX)
    return rejected(
      "invalid_field",
      `${field} come to more than ${REVENUE_MAX / REVENUE_SCALE}: each price times its quantity, added up`,
    );
  if (units > ORDER_UNITS_MAX)
    return rejected("invalid_field", `${field} are more than ${ORDER_UNITS_MAX / REVENUE_SCALE} pieces`);
  return accepted(texts.length === 0 ? "" : `[${texts.join(",")}]`);
}

function readProduct(field: string, value: unknown): Outcome<Product> {
  if (!isObject(value))
    return rejected("invalid_field", `${field} must be an object such as {"id": "A1", "price": 9.9}`);
  const product: Record<string, string | number> = {};
  for (const name of PRODUCT_TEXTS) {
    const text = readText(`${field}.${name}`, value[name], { lengthMax: PRODUCT_TEXT_LENGTH_MAX, cut: true });
    if (!text.ok) return text;
    if (text.value !== "") product[name] = text.value;
  }
  for (const name of PRODUCT_NUMBERS) {
    const raw = value[name];
    if (raw === undefined || raw === null || raw === "") continue;
    const number = typeof raw === "number" || typeof raw === "string" ? Number(raw) : Number.NaN;
    if (!(Math.abs(number) <= PRODUCT_NUMBER_MAX)) {
      return rejected("invalid_field", `${field}.${name} must be a number of at most ${PRODUCT_NUMBER_MAX}`);
    }
    product[name] = Math.round(number * 10_000) / 10_000 + 0; // the grain of revenue; + 0 makes 0 of -0
  }
  return accepted(product);
}
