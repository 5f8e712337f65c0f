// The columns of an archived event, made from the one list of fields plus its place in the log, and both ways between a
// row and an event. A value that says "not known" (an empty text, a scroll of -1) is null in the file, because that is
// what SQL calls it: `count(distinct visitor)` and `avg(scroll)` are then right as they stand. Texts are written as
// well-formed Unicode: UTF-8 holds no lone surrogate, each becomes U+FFFD.

import { type Event, FIELDS, type Field } from "../event.ts";
import { assert } from "../outcome.ts";
import type { ArchivedEvent } from "./file.ts";

/** How a column lies in Parquet: UTF-8 string, 32 and 64-bit signed integer, UTC instant in ms. */
export type ColumnType = "text" | "int32" | "int64" | "instant";

/** A value as a column holds it: null where it is not known. */
export type Cell = string | number | null;

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  /** The value that null stands for. A column without one is never null. */
  readonly absent: string | number | undefined;
  /** Its value in a row, before nulls. */
  readonly value: (row: ArchivedEvent) => string | number;
}

/** Everything else that is an integer may exceed 31 bits: merchant numbers use 32, revenue 33. */
const INT32_FIELDS: ReadonlySet<keyof Event> = new Set(["stream", "scroll"]);

/** The numbers that say "not known". */
const ABSENT_NUMBERS: Partial<Record<keyof Event, number>> = { scroll: -1, asn: 0 };

/** The fields' columns in the order of `FIELDS`, then the place in the log. Append fields with an `absent` value only:
 *  files written before have no such column, and it is then read as null. */
export const COLUMNS: readonly Column[] = [
  ...FIELDS.map(fieldColumn),
  { name: "partition", type: "text", absent: "", value: (row) => row.partition },
  { name: "position", type: "int64", absent: undefined, value: (row) => row.position },
];

/** Columns that counting does not look at: a replay does not read them. */
const UNCOUNTED: ReadonlySet<string> = new Set(["title", "screen", "received_at", "props", "products"]);

/** The columns a replay reads. */
export const COUNTED_COLUMNS: readonly string[] = COLUMNS.map(({ name }) => name).filter(
  (name) => !UNCOUNTED.has(name),
);

/** One column's cells. Throws where a row is not what its type says: such a bundle is poisoned, or we are wrong. */
export function toCells(column: Column, rows: readonly ArchivedEvent[]): Cell[] {
  return rows.map((row) => {
    const value = column.value(row);
    assert(isOf(column.type, value), `${column.name} is ${column.type}, not ${typeof value}`);
    if (value === column.absent) return null;
    return typeof value === "string" ? value.toWellFormed() : value;
  });
}

/**
 * A row of a file, by column name, as the event it holds. The inverse of `toCells` over `COLUMNS`. A column that is not
 * there is absent; `received_at`, which never is, may be left unread and is then 0.
 */
export function fromCells(cells: Readonly<Record<string, Cell | undefined>>): ArchivedEvent {
  const values = COLUMNS.map((column) => {
    const value = cells[column.name] ?? column.absent ?? (column.name === "received_at" ? 0 : undefined);
    assert(isOf(column.type, value), `column ${column.name} is ${column.type}, not ${typeof value}`);
    return value;
  });
  const event = Object.fromEntries(FIELDS.map((field, index) => [field.name, values[index]]));
  const [partition, position] = values.slice(FIELDS.length);
  return { partition, position, event } as unknown as ArchivedEvent;
}

function fieldColumn({ name, column, type }: Field): Column {
  return {
    name: column,
    type: type === "integer" ? (INT32_FIELDS.has(name) ? "int32" : "int64") : type,
    absent: type === "text" ? "" : ABSENT_NUMBERS[name],
    value: ({ event }) => event[name],
  };
}

function isOf(type: ColumnType, value: string | number | undefined): boolean {
  if (type === "text") return typeof value === "string";
  return type === "int32" ? value === (Number(value) | 0) : Number.isSafeInteger(value);
}
