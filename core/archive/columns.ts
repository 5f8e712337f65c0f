// The columns of an archived event: one for each field of the one list of fields, then two for its position in the log.
// Events are made into cells here, and cells into events. A value that means "not known" (an empty text, a scroll of
// -1) is null in the file, so that SQL such as `count(distinct visitor)` and `avg(scroll)` leaves it out. Texts are
// written as well-formed Unicode: UTF-8 holds no lone surrogate, so each becomes U+FFFD.

import { type Event, FIELDS, type Field } from "../event.ts";
import { assert } from "../outcome.ts";
import type { ColumnBlock, TextColumn } from "./event-columns.ts";
import type { ArchivedEvent } from "./file.ts";

/** The type of a column in Parquet: UTF-8 string, 32 or 64-bit signed integer, UTC instant in ms. */
export type ColumnType = "text" | "int32" | "int64" | "instant";

/** A value of a column. Null where it is not known. */
export type Cell = string | number | null;

export interface Column<Row = ArchivedEvent> {
  readonly name: string;
  readonly type: ColumnType;
  /** The value that null stands for. A column without one is never null. */
  readonly absent: string | number | undefined;
  /** Its value in a row, where "not known" is not yet null. */
  readonly value: (row: Row) => string | number;
}

/** Fields that fit 32 signed bits. All other integers may be larger: merchant numbers use 32 bits, revenue 33. */
const INT32_FIELDS: ReadonlySet<keyof Event> = new Set([
  "stream",
  "scroll",
  "keyed",
  "sequence",
  "passive",
  "fragment",
  "importNumber",
]);

/** The numbers that say "not known". */
const ABSENT_NUMBERS: Partial<Record<keyof Event, number>> = {
  scroll: -1,
  asn: 0,
  keyed: 0,
  sequence: 0,
  passive: 0,
  fragment: 0,
  importNumber: 0,
};

/** The fields' columns in the order of `FIELDS`, then the partition and the position in its log. Append new fields, and
 *  give each an `absent` value: older files have no such column, and it is then read as null. */
export const COLUMNS: readonly Column[] = [
  ...FIELDS.map(fieldColumn),
  { name: "partition", type: "text", absent: "", value: (row) => row.partition },
  { name: "position", type: "int64", absent: undefined, value: (row) => row.position },
];

/** Columns that counting does not look at. */
const UNCOUNTED: ReadonlySet<string> = new Set(["title", "screen", "props"]);

/** The columns that every question reads. It reads those that it asks for in addition. */
export const COUNTED_COLUMNS: readonly string[] = COLUMNS.map(({ name }) => name).filter(
  (name) => !UNCOUNTED.has(name),
);

/** The columns a replay reads. Two events with one id but other properties are not the same event (DUP-2). */
export const REPLAYED_COLUMNS: readonly string[] = [...COUNTED_COLUMNS, "props"];

/** One column's cells. Throws where a value is not of the column's type: the bundle is damaged, or our code wrong. */
export function toCells<Row>(column: Column<Row>, rows: readonly Row[]): Cell[] {
  return rows.map((row) => toCell(column, row));
}

/** One row's cell. Throws as `toCells` does. */
export function toCell<Row>(column: Column<Row>, row: Row): Cell {
  const value = column.value(row);
  // The message is made only where it is needed: thirty messages for each event would double the time.
  if (!isOf(column.type, value)) assert(false, `${column.name} is ${column.type}, not ${typeof value}`);
  if (value === column.absent) return null;
  return typeof value === "string" ? value.toWellFormed() : value;
}

/** The cells of all columns, in the order of `COLUMNS`: those that `toCells` makes of the same rows. */
export function cellsOfBlock(block: ColumnBlock): readonly Cell[][] {
  return COLUMNS.map((column, at) => {
    if (column.name === "partition") return new Array<Cell>(block.count).fill(block.partition);
    if (column.name === "position") return numberCells(column, block.positions);
    const texts = block.texts[at];
    return texts === undefined ? numberCells(column, block.numbers[at] as Float64Array) : textCells(column, texts);
  });
}

function textCells({ absent }: Column, { codes, values }: TextColumn): Cell[] {
  const cells = values.map((text): Cell => (text === absent ? null : text.toWellFormed()));
  return Array.from(codes, (code) => cells[code] as Cell);
}

function numberCells({ name, type, absent }: Column, numbers: Float64Array): Cell[] {
  return Array.from(numbers, (value): Cell => {
    if (!isOf(type, value)) assert(false, `${name} is ${type}, not ${value}`);
    return value === absent ? null : value;
  });
}

/**
 * The events of a file's rows, a column at a time: `cellsOf` gives a column's cells, or undefined where the file or the
 * question has none. The inverse of `toCells` over `COLUMNS`. A missing column has its `absent` value in every row; a
 * column without such a value must not be missing. Filling objects of one shape column by column is several times as
 * fast as row by row, and reading is most of a replay.
 */
export function fromColumns(
  cellsOf: (column: string) => ArrayLike<unknown> | undefined,
  count: number,
): ArchivedEvent[] {
  const rows = Array.from({ length: count }, () => ({ partition: "", position: 0, event: { ...BLANK } }));
  FIELDS.forEach(({ name }, index) => {
    fill(COLUMNS[index] as Column, cellsOf, count, (row, value) => {
      (rows[row] as Blank).event[name] = value;
    });
  });
  for (const [index, name] of (["partition", "position"] as const).entries()) {
    fill(COLUMNS[FIELDS.length + index] as Column, cellsOf, count, (row, value) => {
      (rows[row] as Record<string, unknown>)[name] = value;
    });
  }
  return rows as unknown as ArchivedEvent[];
}

interface Blank {
  readonly event: Record<string, string | number>;
}

const BLANK: Readonly<Record<string, string | number>> = Object.fromEntries(
  FIELDS.map(({ name, type }) => [name, type === "text" ? "" : 0]),
);

/** Sets a column's value in every row. */
function fill(
  { name, type, absent }: Column,
  cellsOf: (column: string) => ArrayLike<unknown> | undefined,
  count: number,
  set: (row: number, value: string | number) => void,
): void {
  const cells = cellsOf(name);
  for (let row = 0; row < count; row++) {
    const cell = cells?.[row];
    const value = typeof cell === "bigint" ? Number(cell) : (cell ?? absent);
    if (!isOf(type, value)) assert(false, `column ${name} is ${type}, not ${typeof value}`);
    set(row, value as string | number);
  }
}

function fieldColumn({ name, column, type }: Field): Column {
  return {
    name: column,
    type: type === "integer" ? (INT32_FIELDS.has(name) ? "int32" : "int64") : type,
    absent: type === "text" ? "" : ABSENT_NUMBERS[name],
    value: ({ event }) => event[name],
  };
}

function isOf(type: ColumnType, value: unknown): boolean {
  if (type === "text") return typeof value === "string";
  return type === "int32" ? value === (Number(value) | 0) : Number.isSafeInteger(value);
}
