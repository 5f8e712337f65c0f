// Events to Parquet columns and back: any well-formed event comes through unchanged.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Cell, COLUMNS, fromColumns, toCells } from "../../../core/archive/columns.ts";
import type { ArchivedEvent } from "../../../core/archive/file.ts";
import { type Event, FIELDS } from "../../../core/event.ts";
import { anyEvent, traffic } from "../../support/archive-fixture.ts";

const [logged] = traffic({ count: 1 });
if (logged === undefined) throw new Error("traffic is not empty");
const { event } = logged;
const archived = (changes: Partial<Event>): ArchivedEvent => ({
  partition: "pool-3",
  position: 1001,
  event: { ...event, ...changes },
});

function cellsOf(row: ArchivedEvent): Record<string, Cell> {
  return Object.fromEntries(COLUMNS.map((column) => [column.name, toCells(column, [row])[0] ?? null]));
}

/** One row, by column name, read back. */
const fromRow = (cells: Readonly<Record<string, Cell>>) =>
  fromColumns((name) => (name in cells ? [cells[name]] : undefined), 1)[0];

describe("columns", () => {
  test("[ARC-5] the columns are the fields in their order, then partition and position", () => {
    const names = [...FIELDS.map(({ column }) => column), "partition", "position"];
    expect(COLUMNS.map(({ name }) => name)).toEqual(names);
  });

  test("[ARC-5] every well-formed event comes back from its cells as it was", () => {
    fc.assert(
      fc.property(anyEvent, (any) => {
        expect(fromRow(cellsOf(archived(any)))).toEqual(archived(any));
      }),
    );
  });

  test.each([
    ["an empty text", { visitor: "" }, "visitor", null],
    ["a scroll that was not reported", { scroll: -1 }, "scroll", null],
    ["a scroll of nothing", { scroll: 0 }, "scroll", 0],
    ["no revenue", { revenue: 0 }, "revenue", 0],
    ["an event that is counted", { dropped: "" }, "dropped", null],
  ] as const)("[ARC-6] %s is not known in the file, or a number: %j", (_what, changes, column, cell) => {
    expect(cellsOf(archived(changes))[column]).toBe(cell);
  });

  test.each([
    ["\ud800", "\ufffd"],
    ["a\udc00b", "a\ufffdb"],
    ["👩", "👩"],
  ])("[ARC-7] the text %j is kept as %j", (text, kept) => {
    expect(cellsOf(archived({ title: text }))["title"]).toBe(kept);
  });

  test("[ARC-8] a column that a file is too old to have is read as not known", () => {
    const { scroll: _, city: __, ...cells } = cellsOf(archived({ scroll: 50, city: "Vienna" }));
    expect(fromRow(cells)).toEqual(archived({ scroll: -1, city: "" }));
  });

  test.each([
    ["a number where a text belongs", { url: 5 }],
    ["a text where a number belongs", { merchant: "1" }],
    ["nothing where a number belongs", { revenue: undefined }],
    ["nothing where a text belongs", { title: undefined }],
    ["a fraction", { engagementMs: 1.5 }],
    ["a stream beyond 32 bits", { stream: 2 ** 31 }],
    ["an instant that is none", { timestamp: Number.NaN }],
  ])("[ARC-9] a row with %s is refused, not archived as something else", (_what, wrong) => {
    expect(() => cellsOf(archived(wrong as unknown as Partial<Event>))).toThrow("assertion");
  });
});
