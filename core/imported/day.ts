// The bytes of one table of one imported Day, as a ledger keeps them (before they are deflated). A value that stands in
// many rows, such as a source beside each of its campaigns, is written once.

import { ByteReader, ByteWriter } from "../bytes.ts";
import { assert } from "../outcome.ts";
import type { ImportedRow, ImportedTable } from "./table.ts";

const VERSION = 1;

export function encodeImportedRows({ dimensions, counters }: ImportedTable, rows: readonly ImportedRow[]): Uint8Array {
  const writer = new ByteWriter();
  writer.byte(VERSION);
  const codes = new Map<string, number>();
  for (const { values } of rows) for (const value of values) if (!codes.has(value)) codes.set(value, codes.size);
  writer.unsigned(codes.size);
  for (const value of codes.keys()) writer.text(value);
  writer.unsigned(rows.length);
  for (const { values, counts } of rows) {
    assert(values.length === dimensions.length && counts.length === counters.length, "a row has its table's columns");
    for (const value of values) writer.unsigned(codes.get(value) as number);
    for (const count of counts) writer.unsigned(count);
  }
  return writer.finish();
}

/** The inverse of `encodeImportedRows`. */
export function decodeImportedRows({ dimensions, counters }: ImportedTable, bytes: Uint8Array): readonly ImportedRow[] {
  const reader = new ByteReader(bytes);
  const version = reader.byte();
  assert(version === VERSION, `imported rows have version ${VERSION}, not ${version}`);
  const texts = Array.from({ length: reader.unsigned() }, () => reader.text());
  return Array.from({ length: reader.unsigned() }, () => ({
    values: dimensions.map(() => texts[reader.unsigned()] as string),
    counts: counters.map(() => reader.unsigned()),
  }));
}
