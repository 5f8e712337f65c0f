// PUT of an import's rollups: rows of one table for some of its Days, each Day whole. They are written to the
// merchant's ledger. They are also written to R2, in case the ledger is lost. A part that is sent again is written
// again, which changes nothing. So the sender of an import may continue where the last note says, or before.

import type { Context } from "hono";
import { isObject } from "../../core/formats/field.ts";
import {
  IMPORTED_TABLE_NAMES,
  type ImportedRow,
  type ImportedTableName,
  importedTableOf,
  parseImportedRows,
} from "../../core/imported/table.ts";
import {
  IMPORTED_BODY_BYTES_MAX,
  IMPORTED_BYTES_MAX,
  IMPORTED_IMPORT_ROWS_MAX,
  IMPORTED_PART_DAYS_MAX,
} from "../../core/limits.ts";
import { parseDate } from "../../core/time.ts";
import { archiveOf } from "../../storage/archive/bucket.ts";
import { putImported } from "../../storage/archive/imported-file.ts";
import { type Import, noteImport } from "../../storage/directory/imports.ts";
import { importedBytes, writeImported } from "../../storage/ledger/imported.ts";
import type { Deps } from "./deps.ts";
import { type Field, oneOf, required, wholeNumber } from "./field.ts";
import { importOf, shownHead, stateOf } from "./imports.ts";
import { merchantOf } from "./merchants.ts";
import { type Checked, problem } from "./problem.ts";
import { bodyOf, type Reply } from "./request.ts";

const ROWS_BY_DAY: Field<Readonly<Record<string, unknown>>, false> = {
  required: false,
  expected: `an object with lists of rows by date, of 1 to ${IMPORTED_PART_DAYS_MAX} dates`,
  schema: {
    type: "object",
    additionalProperties: { type: "array" },
    minProperties: 1,
    maxProperties: IMPORTED_PART_DAYS_MAX,
  },
  parse: (value) => {
    const days = isObject(value) ? Object.values(value) : [];
    const isBounded = days.length > 0 && days.length <= IMPORTED_PART_DAYS_MAX;
    return isBounded && days.every(Array.isArray) ? (value as Readonly<Record<string, unknown>>) : undefined;
  },
  hidden: true, // thousands of rows
};
export const IMPORTED_ROWS = {
  table: required(oneOf(IMPORTED_TABLE_NAMES)),
  offset: required(wholeNumber(0, IMPORTED_IMPORT_ROWS_MAX)),
  days: required(ROWS_BY_DAY),
};

/**
 * PUT /api/v1/merchants/:id/imports/:number/rows {"table","offset","days"}: `offset` is how many rows of the table were
 * sent before these.
 */
export async function putImportedRows(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const body = await bodyOf(c, IMPORTED_ROWS, IMPORTED_BODY_BYTES_MAX);
  if (!body.ok) return body;
  const found = await importOf(c, deps);
  if (!found.ok) return found;
  const { row } = found.value;
  const { table, offset } = body.value;
  const rowsMax = row.tables?.[table]?.rows;
  if (rowsMax === undefined) return problem("conflict", `The import was not begun with a table ${table}.`, "table");
  const state = stateOf(found.value);
  if (state !== "running") return problem("conflict", `The import is ${state}: rows come to one that is running.`);
  const days = daysRead(body.value.days, { row, table });
  if (!days.ok) return days;
  const sent = [...days.value.values()].reduce((sum, rows) => sum + rows.length, 0);
  if (offset + sent > rowsMax)
    return problem("conflict", `The import was begun with ${rowsMax} rows of the table ${table}.`, "offset");
  const { merchant: own, number } = row;
  const ledger = deps.ledgers.ofMerchant(own);
  if ((await importedBytes(ledger, own)) > IMPORTED_BYTES_MAX)
    return problem("conflict", `All imports of rollups of a merchant take at most ${IMPORTED_BYTES_MAX} bytes.`);
  const part = { merchant: own, number, table, days: days.value };
  await writeImported(ledger, part);
  await putImported(archiveOf(deps), part);
  const place = { table, offset: offset + sent };
  const noted = await noteImport(deps.directory, { merchant: own, number, place, tally: tallyAt(row, place) });
  const changed = noted === undefined ? found.value : { ...found.value, row: noted };
  return { ok: true, value: { body: shownHead(changed) } };
}

/** The rows by Day, or why they do not belong to the import. */
function daysRead(
  given: Readonly<Record<string, unknown>>,
  { row, table }: { readonly row: Import; readonly table: ImportedTableName },
): Checked<ReadonlyMap<number, readonly ImportedRow[]>> {
  const days = new Map<number, readonly ImportedRow[]>();
  for (const [date, value] of Object.entries(given)) {
    const day = parseDate(date);
    if (day === undefined || row.days[day] === undefined)
      return problem("invalid_field", `"days" has a date that the import was not begun with.`, "days");
    const rows = parseImportedRows(importedTableOf(table), value, `days["${date}"]`);
    if (!rows.ok) return problem("invalid_field", `${rows.rejection.message}.`, "days");
    days.set(day, rows.value);
  }
  return { ok: true, value: days };
}

/** How many rows are stored when the import has come this far. Tables are sent in a fixed order. */
function tallyAt(
  { tables }: Import,
  { table, offset }: { readonly table: ImportedTableName; readonly offset: number },
) {
  const before = IMPORTED_TABLE_NAMES.slice(0, IMPORTED_TABLE_NAMES.indexOf(table));
  return { accepted: before.reduce((sum, name) => sum + (tables?.[name]?.rows ?? 0), 0) + offset };
}
