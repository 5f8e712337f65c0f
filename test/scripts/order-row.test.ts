// Rows of one order, a product in each, put together; and rows that look alike and are not.

import { expect, test } from "vitest";
import type { FileLine } from "../../scripts/import/file.ts";
import { OrderGatherer } from "../../scripts/import/order-row.ts";
import { type ImportedEvent, type Row, read, skipped } from "../../scripts/import/row.ts";

type Parts = Partial<ImportedEvent>;

const item = (order_id: string, id: string, more: Parts = {}): Row =>
  read({ timestamp: 1, order_id, products: [{ id }], ...more });

/** What comes out, a line each: order, name, revenue, products. */
function gather(rows: readonly Row[]): readonly string[] {
  const gatherer = new OrderGatherer();
  const placed = rows.flatMap((row, index) => gatherer.add({ line: { number: index + 2 } as FileLine, row }));
  return [...placed, ...gatherer.rest()].map(({ line, row }) => {
    if (row.kind !== "event") return `${line.number} ${row.kind === "skipped" ? row.reason : row.message}`;
    const { order_id = "-", name = "-", revenue, products = [] } = row.event;
    return `${line.number} ${order_id} ${name} ${revenue?.amount ?? "-"} ${products.map(({ id }) => id).join("+") || "-"}`;
  });
}

const money = (amount: number): Parts => ({ revenue: { amount } });

const CASES: readonly (readonly [string, readonly Row[], readonly string[]])[] = [
  [
    "one order of three rows",
    [item("1", "A", money(9)), item("1", "B"), item("1", "C", money(9))],
    ["2 1 purchase 9 A+B+C"],
  ],
  ["two orders", [item("1", "A"), item("1", "B"), item("2", "C")], ["2 1 purchase - A+B", "4 2 purchase - C"]],
  [
    "other rows between two orders",
    [item("1", "A"), read({ timestamp: 1, url: "/" }), item("1", "B")],
    ["2 1 purchase - A", "3 - - - -", "4 1 purchase - B"],
  ],
  [
    "an empty line within an order",
    [item("1", "A"), skipped("empty line"), item("1", "B")],
    ["3 empty line", "2 1 purchase - A+B"],
  ],
  ["another instant", [item("1", "A"), item("1", "B", { timestamp: 2 })], ["2 1 purchase - A", "3 1 purchase - B"]],
  ["another visitor", [item("1", "A"), item("1", "B", { visitor_id: "v" })], ["2 1 purchase - A", "3 1 purchase - B"]],
  [
    "an order and its refund",
    [item("1", "A", { name: "Purchase" }), item("1", "A", { name: "Refund" })],
    ["2 1 Purchase - A", "3 1 Refund - A"],
  ],
  ["a refund by its sign, over two rows", [item("1", "A", money(-9)), item("1", "B")], ["2 1 refund -9 A+B"]],
  [
    "whole orders with one number",
    [read({ timestamp: 1, order_id: "1" }), read({ timestamp: 1, order_id: "1" })],
    ["2 1 purchase - -", "3 1 purchase - -"],
  ],
  [
    "amounts that differ",
    [item("1", "A", money(9)), item("1", "B", money(5)), item("1", "C")],
    [
      "3 rows of order 1 say 9 and 5 as its revenue; give the order's total in each row, or in the first",
      "2 1 purchase 9 A+C",
    ],
  ],
];

test.each(CASES)("[IMP-16] %s", (_, rows, expected) => {
  expect(gather(rows)).toEqual(expected);
});

test("[IMP-16] the fifty-first product of an order is refused by its row", () => {
  const rows = Array.from({ length: 51 }, (_, index) => item("1", `P${index}`));
  const [refused, order] = gather(rows);
  expect(refused).toMatch(/^52 an order has at most 50 products; .* left out of order 1$/);
  expect(order?.split("+")).toHaveLength(50);
});
