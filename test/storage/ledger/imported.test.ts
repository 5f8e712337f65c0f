// Imported rollups at rest: what is written is read again, to the unit; written twice it is one; R2 makes a lost ledger
// whole; and nothing is left of a merchant that was erased.

import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decodeImportedRows, encodeImportedRows } from "../../../core/imported/day.ts";
import { IMPORTED_TABLES, type ImportedRow, parseImportedRows } from "../../../core/imported/table.ts";
import { COUNT_MAX, IMPORTED_ROWS_MAX, IMPORTED_VALUE_LENGTH_MAX } from "../../../core/limits.ts";
import { deleteImported, putImported, recoverImported } from "../../../storage/archive/imported-file.ts";
import {
  countImported,
  type ImportedPart,
  importedBytes,
  readImported,
  unpackImported,
  writeImported,
} from "../../../storage/ledger/imported.ts";
import type { Ledger } from "../../../storage/ledger/ledgers.ts";
import { makeDatabases } from "../../support/databases.ts";
import { memoryArchive } from "../../support/memory-bucket.ts";

const DAY = 20_000;
const ROW: ImportedRow = { values: ["Mobile"], counts: [5, 4, 3, 2, 1] };

function part(merchant: number, more: Partial<ImportedPart> = {}): ImportedPart {
  return { merchant, number: 1, table: "devices", days: new Map([[DAY, [ROW]]]), ...more };
}

async function rowsOf(ledger: Ledger, merchant: number, imports: readonly number[] = [1]) {
  const found: unknown[] = [];
  const read = { merchant, tables: ["devices"] as const, imports, from: DAY - 10, to: DAY + 1_000 };
  for await (const some of readImported(ledger, read))
    for (const one of some) found.push([one.import, one.day, unpackImported(one).rows]);
  return found;
}

test("[IMR-1] rows of every table are read as they were written", () => {
  for (const table of IMPORTED_TABLES) {
    const row = fc.record({
      values: fc.tuple(...table.dimensions.map(() => fc.string({ unit: "grapheme", maxLength: 20 }))),
      counts: fc.tuple(...table.counters.map(() => fc.integer({ min: 0, max: COUNT_MAX }))),
    });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 30 }), (rows) => {
        expect(decodeImportedRows(table, encodeImportedRows(table, rows))).toEqual(rows);
      }),
      { numRuns: 30 },
    );
  }
});

test("[IMR-1] a row of another shape is refused by its place", () => {
  const [, , , , , , , devices] = IMPORTED_TABLES as readonly [never, never, never, never, never, never, never, never];
  const cases: readonly (readonly [rows: unknown, words: RegExp])[] = [
    [{}, /^x must be a list of 1 to 5000 rows/],
    [[], /^x must be a list of 1 to 5000 rows/],
    [Array.from({ length: IMPORTED_ROWS_MAX + 1 }, (_, at) => [`${at}`, 1, 1, 1, 1, 1]), /1 to 5000 rows/],
    [[["a", 1, 1, 1, 1]], /^x\[0\] must be a list of: device, visitors/],
    [[["a", 1, 1, 1, 1, 1], "b"], /^x\[1\] must be a list of/],
    [[[1, 1, 1, 1, 1, 1]], /with texts/],
    [[["a".repeat(IMPORTED_VALUE_LENGTH_MAX + 1), 1, 1, 1, 1, 1]], /with texts of at most 512/],
    [[["a", 1.5, 1, 1, 1, 1]], /whole numbers/],
    [[["a", 1, 1, 1, 1, -1]], /whole numbers/],
    [[["a", 1, 1, 1, 1, 2 ** 53]], /whole numbers/],
    [
      [
        ["a", 1, 1, 1, 1, 1],
        ["a\u0000", 1, 1, 1, 1, 1],
      ],
      /^x\[1\] has the values of a row before it/,
    ],
  ];
  for (const [rows, words] of cases) {
    const parsed = parseImportedRows(devices, rows, "x");
    expect(parsed.ok ? "taken" : parsed.rejection.message).toMatch(words);
  }
});

test("[IMR-2] a part that comes again is one part, and another merchant and import are apart", async () => {
  const { ledgers } = makeDatabases();
  const [ledger] = ledgers.all as [Ledger];
  await writeImported(ledger, part(1, { days: new Map([[DAY, [{ ...ROW, counts: [9, 9, 9, 9, 9] }]]]) }));
  await writeImported(ledger, part(1));
  await writeImported(ledger, part(1, { number: 2 }));
  await writeImported(ledger, part(2));
  expect(await rowsOf(ledger, 1)).toEqual([[1, DAY, [ROW]]]);
  expect(await rowsOf(ledger, 1, [2])).toEqual([[2, DAY, [ROW]]]);
  expect(await rowsOf(ledger, 3)).toEqual([]);
  expect(await countImported(ledger, { merchant: 1, number: 1 })).toEqual(new Map([["devices", 1]]));
  expect(await importedBytes(ledger, 1)).toBe(2 * (await importedBytes(ledger, 2)));
});

test("[IMR-4] years of many rows are read some at a time, each once", async () => {
  const { ledgers } = makeDatabases();
  const [ledger] = ledgers.all as [Ledger];
  const random = Array.from({ length: 3_000 }, (_, at) => ({
    values: [createHash("sha256").update(`${at}`).digest("base64")],
    counts: [at, at, at, at, at],
  }));
  const days = Array.from({ length: 120 }, (_, at) => [DAY + at, random] as const);
  for (const one of days) await writeImported(ledger, part(1, { days: new Map([one]) }));
  const read = { merchant: 1, tables: ["devices"] as const, imports: [1], from: DAY, to: DAY + 500 };
  const pages: number[] = [];
  const seen: number[] = [];
  for await (const some of readImported(ledger, read)) {
    pages.push(some.length);
    seen.push(...some.map(({ day }) => day));
  }
  expect(pages.length).toBeGreaterThan(1);
  expect(seen).toEqual(days.map(([day]) => day));
});

test("[IMR-8] a lost ledger gets its merchants' rows back from R2, some parts at a time", async () => {
  const bucket = memoryArchive();
  const { ledgers } = makeDatabases(2);
  const [ledger, other] = ledgers.all as [Ledger, Ledger];
  const merchants = [1, 2, 3, 4, 5, 6, 12];
  for (const merchant of merchants) {
    await putImported({ bucket }, part(merchant));
    await putImported({ bucket }, part(merchant)); // the same object
    await putImported({ bucket }, part(merchant, { number: 2, days: new Map([[DAY + 3, [ROW]]]) }));
  }
  const isOf = (merchant: number) => merchant % 2 === 0;
  let after = "";
  let parts = 0;
  for (let turn = 0; turn < 9; turn++) {
    const done = await recoverImported({ bucket }, ledger, { isOf, after, partsMax: 3 });
    parts += done.parts;
    if (done.next === undefined) break;
    after = done.next;
  }
  expect(parts).toBe(8);
  for (const merchant of merchants) {
    const rows = isOf(merchant)
      ? [
          [1, DAY, [ROW]],
          [2, DAY + 3, [ROW]],
        ]
      : [];
    expect([merchant, await rowsOf(ledger, merchant, [1, 2])]).toEqual([merchant, rows]);
    expect(await rowsOf(other, merchant, [1, 2])).toEqual([]);
  }
});

test("[IMR-8] of a merchant that has ended nothing is written, and what it had in R2 goes", async () => {
  const bucket = memoryArchive();
  const { ledgers, database } = makeDatabases();
  const [ledger] = ledgers.all as [Ledger];
  for (const merchant of [1, 12]) await putImported({ bucket }, part(merchant));
  database.exec("INSERT INTO settings_fences (merchant, version, ended) VALUES (1, 1, 1)");
  await writeImported(ledger, part(1));
  expect(await rowsOf(ledger, 1)).toEqual([]);
  await deleteImported({ bucket }, 1);
  const left = await bucket.list({ prefix: "imported/", limit: 9 });
  expect(left.objects.map(({ key }) => key)).toEqual([`imported/12/1/devices/${DAY}.json.gz`]);
});
