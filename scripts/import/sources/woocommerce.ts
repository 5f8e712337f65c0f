// WooCommerce's orders and refunds as its REST API gives them (`/wc/v3/orders`, `/wc/v3/refunds`), an object a line. A
// refund has a date of its own and names its order, but no currency: it has that of the order where the order stands
// before it. `*_gmt` is UTC and does not say so. The buyer's address is hashed here and never sent.

import { parseInstant } from "../instant.ts";
import { type ImportedEvent, type Row, read, rejectedRow, skipped } from "../row.ts";
import type { ObjectReader } from "../source.ts";
import { type Fields, objectOf, objectsOf, textOf } from "../value.ts";

/** Paid, and those of which something was given back: their refunds come apart. */
const PAID: ReadonlySet<string> = new Set(["processing", "completed", "refunded"]);

interface Known {
  readonly currency: string;
  readonly visitor: string;
}

export function wooReader(): ObjectReader {
  const orders = new Map<string, Known>();
  return (object) => {
    if (!Array.isArray(object["line_items"]) || textOf(object["date_created_gmt"]) === "") return undefined;
    if (object["status"] !== undefined && object["total"] !== undefined) return [readOrder(object, orders)];
    return object["amount"] === undefined || object["parent_id"] === undefined
      ? undefined
      : [readRefund(object, orders)];
  };
}

function readOrder(object: Fields, orders: Map<string, Known>): Row {
  const number = textOf(object["id"]);
  const status = textOf(object["status"]);
  const billing = objectOf(object["billing"]);
  const customer = textOf(object["customer_id"]);
  const visitor =
    textOf(billing["email"]) || (customer === "" || customer === "0" ? `order ${number}` : `customer ${customer}`);
  orders.set(number, { currency: textOf(object["currency"]), visitor });
  if (!PAID.has(status)) return skipped(`${status.slice(0, 20)} order`);
  const timestamp = parseInstant(textOf(object["date_created_gmt"]));
  const amount = Number(textOf(object["total"]) || Number.NaN);
  if (timestamp === undefined || !Number.isFinite(amount))
    return rejectedRow("invalid_field", `order ${number} has no time or no total that is one`);
  const event: ImportedEvent = {
    id: `order-${number}`,
    name: "purchase",
    order_id: number,
    timestamp,
    revenue: { amount, currency: textOf(object["currency"]) },
    ...productsOf(object),
  };
  return read(event, visitor);
}

function readRefund(object: Fields, orders: ReadonlyMap<string, Known>): Row {
  const number = textOf(object["parent_id"]);
  const id = textOf(object["id"]);
  const known = orders.get(number);
  const timestamp = parseInstant(textOf(object["date_created_gmt"]));
  const amount = Math.abs(Number(textOf(object["amount"]) || Number.NaN));
  if (timestamp === undefined || !Number.isFinite(amount))
    return rejectedRow("invalid_field", `refund ${id} has no time or no amount that is one`);
  const event: ImportedEvent = {
    id: `refund-${id}`,
    name: "refund",
    order_id: number,
    timestamp,
    revenue: { amount: -amount, ...(known !== undefined && { currency: known.currency }) },
    ...productsOf(object),
  };
  return read(event, known?.visitor ?? `order ${number}`);
}

function productsOf(object: Fields): Pick<ImportedEvent, "products"> {
  const products = objectsOf(object["line_items"]).map((item) => {
    const id = textOf(item["sku"]) || textOf(item["product_id"]);
    const quantity = Math.abs(Number(textOf(item["quantity"]) || 0));
    const price = Math.abs(Number(textOf(item["price"]) || 0));
    const name = textOf(item["name"]);
    return { ...(id !== "" && { id }), ...(name !== "" && { name }), price, quantity };
  });
  return products.length === 0 ? {} : { products };
}
