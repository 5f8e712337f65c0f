// Shopify's orders as its admin exports them (Orders → Export → CSV): a row for each product, and the order's own
// columns in the first of them only. The buyer's address is hashed here and never sent. What was refunded stands
// without a date: it counts on the order's own, and says so in `refund_date`, or is left out. The second file of the
// same dialog, transaction histories, has refunds with their dates.

import { parseInstant } from "../instant.ts";
import { type EventRow, type ImportedEvent, type Row, read, rejectedRow, skipped } from "../row.ts";
import type { SourceOptions, TableReader } from "../source.ts";
import { numberOf } from "../value.ts";

export function isShopify(columns: readonly string[]): boolean {
  return ["Name", "Financial Status", "Currency", "Total", "Created at", "Lineitem name"].every((name) =>
    columns.includes(name),
  );
}

/** Nothing was paid for these, or not yet. */
const UNPAID: ReadonlySet<string> = new Set(["pending", "voided", "expired"]);

interface Open {
  readonly name: string;
  /** The order without products; undefined where it is left out. */
  readonly order: EventRow | undefined;
  readonly left: Row | undefined;
}

export function shopifyReader(_columns: readonly string[], { refunds }: SourceOptions): TableReader {
  let open: Open | undefined;
  return (cell) => {
    const name = cell("Name");
    const begins = cell("Total") !== "" || cell("Financial Status") !== "";
    if (!begins && (open === undefined || open.name !== name))
      return [rejectedRow("no_order", `a product of order "${name}", whose own row is not before it`)];
    const rows: Row[] = [];
    if (begins) {
      open = toOrder(cell, name);
      if (open.order !== undefined) rows.push(...refundOf(cell, open.order, refunds));
    }
    if (open?.order === undefined) return [open?.left ?? skipped("product of an order that is left out")];
    const { event, visitor } = open.order;
    const { revenue, ...again } = event;
    const own = begins && revenue !== undefined ? { ...again, revenue } : again;
    return [...rows, read({ ...own, products: [productOf(cell)] }, visitor)];
  };
}

function toOrder(cell: (column: string) => string, name: string): Open {
  const status = cell("Financial Status").toLowerCase();
  if (cell("Cancelled at") !== "") return { name, order: undefined, left: skipped("cancelled order") };
  if (UNPAID.has(status)) return { name, order: undefined, left: skipped(`${status} order`) };
  const timestamp = parseInstant(cell("Created at"));
  const amount = Number(cell("Total") || Number.NaN);
  if (timestamp === undefined || !Number.isFinite(amount)) {
    const why = `order "${name}" has the time "${cell("Created at")}" and the total "${cell("Total")}"`;
    return { name, order: undefined, left: rejectedRow("invalid_field", why) };
  }
  const number = cell("Id").replace(/^'/, "") || name.replace(/^#/, "");
  const event: ImportedEvent = {
    id: `order-${number}`,
    name: "purchase",
    order_id: number,
    timestamp,
    revenue: { amount, currency: cell("Currency") },
  };
  return { name, order: read(event, cell("Email") || `order ${number}`), left: undefined };
}

function refundOf(cell: (column: string) => string, { event, visitor }: EventRow, counts: boolean): readonly Row[] {
  const amount = Number(cell("Refunded Amount") || 0);
  if (!(amount > 0)) return [];
  if (!counts) return [skipped("refund without a date (--no-refunds)")];
  const refund: ImportedEvent = {
    id: `refund-of-${event.order_id}`,
    name: "refund",
    timestamp: event.timestamp,
    revenue: { amount: -amount, currency: cell("Currency") },
    props: { refund_date: "unknown" },
    ...(event.order_id !== undefined && { order_id: event.order_id }),
  };
  return [read(refund, visitor)];
}

function productOf(cell: (column: string) => string): Readonly<Record<string, unknown>> {
  const product: Record<string, unknown> = {};
  for (const [name, column] of [
    ["id", "Lineitem sku"],
    ["name", "Lineitem name"],
    ["brand", "Vendor"],
  ] as const)
    if (cell(column) !== "") product[name] = cell(column);
  for (const [name, column] of [
    ["price", "Lineitem price"],
    ["quantity", "Lineitem quantity"],
  ] as const) {
    const number = Number(cell(column) || Number.NaN);
    if (Number.isFinite(number)) product[name] = number;
  }
  return product;
}

export function isShopifyTransactions(columns: readonly string[]): boolean {
  return ["Name", "Kind", "Gateway", "Created At", "Status", "Amount"].every((name) => columns.includes(name));
}

const NO_NUMBER =
  "these are Shopify's transactions without the column Order, which has the number that orders are known by; export transaction histories again, with all columns";

/** Refunds of the transactions; orders tell of sales. A refund has no number, so its id is that of its row. */
export function shopifyTransactionReader(columns: readonly string[]): TableReader | string {
  return columns.includes("Order") ? (cell) => [readTransaction(cell)] : NO_NUMBER;
}

function readTransaction(cell: (column: string) => string): Row {
  const [kind, status] = [cell("Kind").toLowerCase(), cell("Status").toLowerCase()];
  if (kind !== "refund") return skipped(`transaction "${kind.slice(0, 20)}" (orders tell of sales)`);
  if (status !== "success") return skipped(`refund with the status "${status.slice(0, 20)}"`);
  const number = cell("Order").replace(/^'/, "");
  const timestamp = parseInstant(cell("Created At"));
  const amount = numberOf(cell("Amount"));
  if (number === "" || timestamp === undefined || amount === undefined) {
    const why = `a refund of order "${number}" has the time "${cell("Created At")}" and the amount "${cell("Amount")}"`;
    return rejectedRow("invalid_field", why);
  }
  const currency = cell("Currency");
  const revenue = { amount: -Math.abs(amount), ...(currency !== "" && { currency }) };
  return read({ name: "refund", order_id: number, timestamp, revenue }, `order ${number}`);
}
