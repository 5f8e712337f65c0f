// Imported rollups in R2, as they were sent: an object for each part of an import. A ledger keeps them for questions;
// these are for a ledger that was lost, because nothing else could make its rows again. The key names what the part is
// of, so a part that is sent again is the same object. They go with their merchant.

import { IMPORTED_TABLE_NAMES, importedTableOf, parseImportedRows } from "../../core/imported/table.ts";
import { IMPORTED_BODY_BYTES_MAX } from "../../core/limits.ts";
import { assert } from "../../core/outcome.ts";
import { type ImportedPart, writeImported } from "../ledger/imported.ts";
import type { Ledger } from "../ledger/ledgers.ts";
import { type Archive, deleteKeys, listKeys, putObject, readObject } from "./bucket.ts";
import { compress, decompress } from "./gzip.ts";

const PREFIX = "imported/";

function keyOf({ merchant, number, table, days }: ImportedPart): string {
  return `${prefixOf(merchant)}${number}/${table}/${Math.min(...days.keys())}.json.gz`;
}

function prefixOf(merchant: number): string {
  return `${PREFIX}${merchant}/`;
}

/** Keeps a part. The rows are lists of values and counts, as the API takes them. */
export async function putImported(archive: Archive, part: ImportedPart): Promise<void> {
  const days = [...part.days].map(([day, rows]) => [day, rows.map(({ values, counts }) => [...values, ...counts])]);
  await putObject(archive, keyOf(part), compress(new TextEncoder().encode(JSON.stringify(days))));
}

/** Deletes all that a merchant has imported. */
export async function deleteImported(archive: Archive, merchant: number): Promise<void> {
  const found = await listKeys(archive, prefixOf(merchant));
  await deleteKeys(
    archive,
    found.map(({ key }) => key),
  );
}

/**
 * Writes the parts of some merchants into their ledger, as many as `partsMax` behind the key `after`. Returns the key
 * to go on behind; undefined at the end. Writing again what is there is harmless.
 */
export async function recoverImported(
  archive: Archive,
  ledger: Ledger,
  {
    isOf,
    after,
    partsMax,
  }: { readonly isOf: (merchant: number) => boolean; readonly after: string; readonly partsMax: number },
): Promise<{ readonly parts: number; readonly next: string | undefined }> {
  const keys = (await listKeys(archive, PREFIX)).map(({ key }) => key).filter((key) => key > after);
  const own = keys.filter((key) => isOf(Number(key.split("/")[1])));
  for (const key of own.slice(0, partsMax)) {
    const part = await readPart(archive, key);
    if (part !== undefined) await writeImported(ledger, part);
  }
  const isMore = own.length > partsMax;
  return { parts: Math.min(own.length, partsMax), next: isMore ? own[partsMax - 1] : undefined };
}

/** Undefined where the object is gone since it was listed: its merchant was erased. */
async function readPart(archive: Archive, key: string): Promise<ImportedPart | undefined> {
  const bytes = await readObject(archive, key);
  if (bytes === undefined) return undefined;
  const [, merchant, number, name] = key.split("/");
  const table = IMPORTED_TABLE_NAMES.find((one) => one === name);
  assert(table !== undefined, `${key} names a table`);
  const days = JSON.parse(
    new TextDecoder().decode(decompress(bytes, 2 * IMPORTED_BODY_BYTES_MAX)),
  ) as readonly (readonly [number, unknown])[];
  const rows = days.map(([day, own]) => {
    const parsed = parseImportedRows(importedTableOf(table), own, key);
    assert(parsed.ok, `${key} has rows of its table`);
    return [day, parsed.value] as const;
  });
  return { merchant: Number(merchant), number: Number(number), table, days: new Map(rows) };
}
