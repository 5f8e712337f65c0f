// Sends the tables of an import of rollups, some whole Days a request, from the place that the import has. A part that
// was stored before the place was noted is stored again, which changes nothing.

import type { ImportedRow, ImportedTableName } from "../../../core/imported/table.ts";
import { IMPORTED_BODY_BYTES_MAX, IMPORTED_PART_DAYS_MAX } from "../../../core/limits.ts";
import { dateOf } from "../../../core/time.ts";
import { bytesOf, type RollupTable, toList } from "./read.ts";

/** Rows of some Days of a table, as the API takes them. */
export interface RollupPart {
  readonly table: ImportedTableName;
  /** How many rows of the table come before these. */
  readonly offset: number;
  readonly days: Readonly<Record<string, readonly (readonly (string | number)[])[]>>;
  readonly rows: number;
}

/** Half of what a request may bring, unless one Day is more. */
const PART_BYTES = IMPORTED_BODY_BYTES_MAX / 2;

/** The parts of a table behind `offset` rows of it. */
export function* partsOf({ table: { name: table }, days }: RollupTable, offset: number): Generator<RollupPart> {
  let passed = 0;
  let start = 0;
  let bytes = 0;
  let open: (readonly [day: number, rows: readonly ImportedRow[]])[] = [];
  const close = (): RollupPart => {
    const rows = open.reduce((sum, [, own]) => sum + own.length, 0);
    const lists = open.map(([day, own]) => [dateOf(day), own.map(toList)] as const);
    const part = { table, offset: start, days: Object.fromEntries(lists), rows };
    open = [];
    bytes = 0;
    return part;
  };
  for (const [day, rows] of days) {
    if (passed + rows.length <= offset) {
      passed += rows.length;
      continue;
    }
    const own = bytesOf(rows);
    if (open.length > 0 && (bytes + own > PART_BYTES || open.length >= IMPORTED_PART_DAYS_MAX)) yield close();
    if (open.length === 0) start = passed;
    open.push([day, rows]);
    bytes += own;
    passed += rows.length;
  }
  if (open.length > 0) yield close();
}
