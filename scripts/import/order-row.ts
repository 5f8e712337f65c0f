// Orders that a CSV spreads over several rows, a product in each, as shops export them: rows of one order that follow
// one another become one event, or all but the first product would be lost, since an order number earns once. Only rows
// with a product of their own are gathered; a number that two whole rows carry is for the collector to judge.

import { PRODUCTS_COUNT_MAX } from "../../core/limits.ts";
import type { FileLine } from "./file.ts";
import { type EventRow, type ImportedEvent, type Row, rejectedRow } from "./row.ts";

/** A row with the line where it begins. */
export interface PlacedRow {
  readonly line: FileLine;
  readonly row: Row;
}

export class OrderGatherer {
  #open: { readonly line: FileLine; row: EventRow } | undefined;

  /** Takes a row and answers those that are complete. */
  add({ line, row }: PlacedRow): readonly PlacedRow[] {
    if (row.kind !== "event") return [{ line, row }];
    const open = this.#open;
    if (open !== undefined && continues(open.row, row)) {
      const problem = clash(open.row.event, row.event);
      if (problem !== undefined) return [{ line, row: rejectedRow("order_rows_clash", problem) }];
      open.row = joined(open.row, row.event);
      return [];
    }
    const complete = this.rest();
    if (!isPartOfOrder(row)) return [...complete, { line, row: named(row) }];
    this.#open = { line, row };
    return complete;
  }

  /** Whether an order may go on in the next row. */
  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** The order that was still open, at the end of the file. */
  rest(): readonly PlacedRow[] {
    const open = this.#open;
    this.#open = undefined;
    return open === undefined ? [] : [{ line: open.line, row: named(open.row) }];
  }
}

function isPartOfOrder({ event }: EventRow): boolean {
  return event.order_id !== undefined && event.products?.length === 1;
}

function continues(open: EventRow, next: EventRow): boolean {
  const [a, b] = [open.event, next.event];
  if (a.id !== undefined && b.id !== undefined && a.id !== b.id) return false; // two events, by the file's own word
  if (!isPartOfOrder(next) || a.order_id !== b.order_id || a.name !== b.name) return false;
  return a.timestamp === b.timestamp && a.visitor_id === b.visitor_id && open.visitor === next.visitor;
}

/** The order's revenue stands in each of its rows, or in the first. Amounts that differ may be anything. */
function clash(open: ImportedEvent, { revenue, order_id }: ImportedEvent): string | undefined {
  if ((open.products?.length ?? 0) >= PRODUCTS_COUNT_MAX) {
    return `an order has at most ${PRODUCTS_COUNT_MAX} products; the one in this row is left out of order ${order_id}`;
  }
  if (revenue === undefined || JSON.stringify(revenue) === JSON.stringify(open.revenue)) return undefined;
  const amounts = `${open.revenue?.amount ?? "nothing"} and ${revenue.amount}`;
  return `rows of order ${order_id} say ${amounts} as its revenue; give the order's total in each row, or in the first`;
}

function joined(open: EventRow, { products = [] }: ImportedEvent): EventRow {
  return { ...open, event: { ...open.event, products: [...(open.event.products ?? []), ...products] } };
}

/** An order that does not say what happened is a purchase, or the refund that its sign says. */
function named(row: EventRow): EventRow {
  const { name, order_id, revenue } = row.event;
  if (name !== undefined || order_id === undefined) return row;
  return { ...row, event: { ...row.event, name: (revenue?.amount ?? 0) < 0 ? "refund" : "purchase" } };
}
