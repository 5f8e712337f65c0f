// Which merchants of a sealed Day have derived rows, and where. A partition may have ten thousand merchants, and a
// question is about one of them: so it is a table of a hash, of which a reader gets the few entries where its merchant
// must be. How large the table is follows from how many merchants the Day has, which the ledger knows.

import { hash32 } from "../hash.ts";

/** A merchant's derived rows. */
export interface DerivedEntry {
  readonly merchant: number;
  readonly rows: number;
  /** The number of the sealed file that its rows lie in. */
  readonly file: number;
  /** The hash in the name of the file of derived rows: 16 hex digits, as in `under`. */
  readonly hash: string;
  readonly offset: number;
  readonly length: number;
  /** The name of what it was derived under (core/query/derived.ts). */
  readonly under: string;
}

const ENTRY_BYTES = 40;
/** Entries that a reader gets. A merchant that fits into none of them has no entry: its rows are read. */
const WINDOW = 24;
const SEED = 0x6d2b79f5;

/** The table of a Day with so many merchants, of which some have derived rows. */
export function encodeDerivedTable(entries: readonly DerivedEntry[], merchants: number): Uint8Array<ArrayBuffer> {
  const table = new DataView(new ArrayBuffer((slotsOf(merchants) + WINDOW) * ENTRY_BYTES));
  for (const entry of entries) {
    const { offset, length } = windowOf(entry.merchant, merchants);
    for (let at = offset; at < offset + length; at += ENTRY_BYTES) {
      if (table.getFloat64(at) !== 0) continue;
      write(table, at, entry);
      break;
    }
  }
  return new Uint8Array(table.buffer);
}

/** The bytes of a table in which a merchant's entry is, if it has one. */
export function windowOf(merchant: number, merchants: number): { readonly offset: number; readonly length: number } {
  const slot = hash32(String(merchant), SEED) % slotsOf(merchants);
  return { offset: slot * ENTRY_BYTES, length: WINDOW * ENTRY_BYTES };
}

/** A merchant's entry among those of its window. */
export function findDerived(window: Uint8Array, merchant: number): DerivedEntry | undefined {
  const table = new DataView(window.buffer, window.byteOffset, window.byteLength);
  for (let at = 0; at + ENTRY_BYTES <= window.length; at += ENTRY_BYTES)
    if (table.getFloat64(at) === merchant) return read(table, at);
  return undefined;
}

/** Twice as many as there are merchants, so that few windows are full. */
function slotsOf(merchants: number): number {
  return Math.max(WINDOW, 2 * merchants);
}

function write(table: DataView, at: number, entry: DerivedEntry): void {
  const { merchant, rows, file, offset, length, hash, under } = entry;
  table.setFloat64(at, merchant);
  for (const [index, word] of [rows, file, offset, length].entries()) table.setUint32(at + 8 + 4 * index, word);
  table.setBigUint64(at + 24, BigInt(`0x${hash}`));
  table.setBigUint64(at + 32, BigInt(`0x${under}`));
}

function read(table: DataView, at: number): DerivedEntry {
  const [rows, file, offset, length] = [8, 12, 16, 20].map((place) => table.getUint32(at + place)) as [
    ...[number, number, number, number],
  ];
  const hex = (place: number) =>
    table
      .getBigUint64(at + place)
      .toString(16)
      .padStart(16, "0");
  return { merchant: table.getFloat64(at), rows, file, offset, length, hash: hex(24), under: hex(32) };
}
