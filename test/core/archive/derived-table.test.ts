// The table of derived rows: every merchant is found by the few entries that a question gets, and nobody else's is.

import fc from "fast-check";
import { expect, test } from "vitest";
import { type DerivedEntry, encodeDerivedTable, findDerived, windowOf } from "../../../core/archive/derived-table.ts";

function entryOf(merchant: number): DerivedEntry {
  const hex = merchant.toString(16).padStart(16, "f");
  return {
    merchant,
    rows: merchant % 1_000,
    file: merchant % 7,
    hash: hex,
    offset: 2 * merchant,
    length: 9,
    under: hex,
  };
}

function lookUp(table: Uint8Array, merchant: number, merchants: number): DerivedEntry | undefined {
  const { offset, length } = windowOf(merchant, merchants);
  return findDerived(table.slice(offset, offset + length), merchant);
}

test("[SCN-10] each merchant is found in its window, and one without derived rows is not", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 1, max: 2 ** 31 - 1 }), { minLength: 1, maxLength: 60 }),
      (merchants) => {
        const [absent, ...some] = merchants as [number, ...number[]];
        const table = encodeDerivedTable(some.map(entryOf), merchants.length);
        for (const merchant of some) expect(lookUp(table, merchant, merchants.length)).toEqual(entryOf(merchant));
        expect(lookUp(table, absent, merchants.length)).toBeUndefined();
      },
    ),
  );
});

test("[SCN-10] of ten thousand merchants nearly all have an entry, and one that does not fit has none", () => {
  const merchants = Array.from({ length: 10_000 }, (_, at) => 17 * at + 3);
  const table = encodeDerivedTable(merchants.map(entryOf), merchants.length);
  const found = merchants.filter((merchant) => lookUp(table, merchant, merchants.length)?.merchant === merchant);
  expect(found.length).toBeGreaterThan(9_990);
});
