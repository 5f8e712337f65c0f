// Imported rollups in a merchant's ledger: a row for each table of a Day and import. Rows are absolute, so a part of a
// file that is sent again is written again. They are copied from R2 into a ledger that was lost (imported-file.ts).
// Whether an import counts is told by its merchant's row in the directory, not here: taking one back moves no rows.

import { decodeImportedRows, encodeImportedRows } from "../../core/imported/day.ts";
import { type ImportedRow, type ImportedTableName, importedTableOf } from "../../core/imported/table.ts";
import { IMPORTED_BODY_BYTES_MAX } from "../../core/limits.ts";
import type { ImportedDayRows } from "../../core/query/imported.ts";
import { deflate, inflate } from "../deflate.ts";
import { select } from "../statement.ts";
import type { Ledger } from "./ledgers.ts";

/** A part of an import: rows of whole Days of one table. */
export interface ImportedPart {
  readonly merchant: number;
  readonly number: number;
  readonly table: ImportedTableName;
  readonly days: ReadonlyMap<number, readonly ImportedRow[]>;
}

const WRITE = `INSERT INTO imported_days (merchant, "table", day, import, "rows", bytes, packed)
  SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE NOT EXISTS (SELECT 1 FROM settings_fences WHERE merchant = ?1 AND ended = 1)
  ON CONFLICT (merchant, "table", day, import) DO UPDATE SET "rows" = excluded."rows", bytes = excluded.bytes,
    packed = excluded.packed`;

/** Writes a part in one transaction. Of a merchant that has ended nothing is written. Writing it again is harmless. */
export async function writeImported(db: Ledger, { merchant, number, table, days }: ImportedPart): Promise<void> {
  const shape = importedTableOf(table);
  await db.batch(
    [...days].map(([day, rows]) => {
      const packed = deflate(encodeImportedRows(shape, rows));
      const values = [merchant, table, day, number, rows.length, packed.length, packed.buffer];
      return db.prepare(WRITE).bind(...values);
    }),
  );
}

/** What the ledger has of one import: rows by table. */
export async function countImported(
  db: Ledger,
  { merchant, number }: Pick<ImportedPart, "merchant" | "number">,
): Promise<ReadonlyMap<string, number>> {
  const text = `SELECT "table", sum("rows") AS "rows" FROM imported_days WHERE merchant = ? AND import = ? GROUP BY 1`;
  const rows = await select<{ readonly table: string; readonly rows: number }>(db, [text, merchant, number]);
  return new Map(rows.map((row) => [row.table, row.rows]));
}

/** Merchants that have imported rollups, after one of them. */
export async function listImporters(db: Ledger, after: number, rowsMax: number): Promise<readonly number[]> {
  const text = "SELECT DISTINCT merchant FROM imported_days WHERE merchant > ? ORDER BY merchant LIMIT ?";
  const rows = await select<{ readonly merchant: number }>(db, [text, after, rowsMax]);
  return rows.map(({ merchant }) => merchant);
}

/** The tables of a merchant's imports, as parts without their Days. */
export async function listImportedTables(db: Ledger, merchant: number): Promise<readonly Omit<ImportedPart, "days">[]> {
  const text = `SELECT DISTINCT merchant, import AS number, "table" FROM imported_days WHERE merchant = ?`;
  return select(db, [text, merchant]);
}

/** How many bytes all imports of a merchant take, those that were taken back among them. */
export async function importedBytes(db: Ledger, merchant: number): Promise<number> {
  const text = "SELECT sum(bytes) AS bytes FROM imported_days WHERE merchant = ?";
  const [row] = await select<{ readonly bytes: number | null }>(db, [text, merchant]);
  return row?.bytes ?? 0;
}

interface ImportedRead {
  readonly merchant: number;
  readonly tables: readonly ImportedTableName[];
  /** Numbers of the imports that count. */
  readonly imports: readonly number[];
  /** Days in [from, to). */
  readonly from: number;
  readonly to: number;
}

/** An import's rows of a table and Day, as they lie in the ledger. */
export interface StoredImported {
  readonly day: number;
  readonly table: ImportedTableName;
  readonly import: number;
  readonly packed: Uint8Array;
}

const OF_RANGE = `FROM imported_days WHERE merchant = ?1 AND "table" = ?2 AND day >= ?3 AND day < ?4
  AND import IN (SELECT value FROM json_each(?5))`;

/** The rows of some imports in some tables and a range of Days, some at a time: a year of a large shop is 30 MB. */
export async function* readImported(
  db: Ledger,
  { merchant, tables, imports, from, to }: ImportedRead,
): AsyncGenerator<readonly StoredImported[]> {
  const of = JSON.stringify(imports);
  for (const table of tables) {
    const sizes = `SELECT day, sum(bytes) AS bytes ${OF_RANGE} GROUP BY day ORDER BY day`;
    const days = await select<{ readonly day: number; readonly bytes: number }>(db, [
      sizes,
      merchant,
      table,
      from,
      to,
      of,
    ]);
    for (const [first, last] of pagesOf(days)) {
      const text = `SELECT day, import, packed ${OF_RANGE}`;
      const rows = await select<PackedRow>(db, [text, merchant, table, first, last + 1, of]);
      yield rows.map(({ packed, ...row }) => ({ ...row, table, packed: new Uint8Array(packed as ArrayBuffer) }));
    }
  }
}

/** Days in a row that are read at once, as [first, last]. */
function pagesOf(days: readonly { readonly day: number; readonly bytes: number }[]): readonly [number, number][] {
  const pages: [number, number][] = [];
  let held = Number.POSITIVE_INFINITY;
  for (const { day, bytes } of days) {
    const open = pages.at(-1);
    if (open === undefined || held + bytes > PAGE_BYTES_MAX) {
      pages.push([day, day]);
      held = bytes;
    } else {
      open[1] = day;
      held += bytes;
    }
  }
  return pages;
}

const PAGE_BYTES_MAX = 4_000_000;

interface PackedRow {
  readonly day: number;
  readonly import: number;
  /** D1 gives an array of numbers. */
  readonly packed: unknown;
}

/** The rows that `writeImported` has packed. */
export function unpackImported({ day, table, packed }: StoredImported): ImportedDayRows {
  const bytes = inflate(packed, 2 * IMPORTED_BODY_BYTES_MAX);
  return { day, table, rows: decodeImportedRows(importedTableOf(table), bytes) };
}
