// Checks the pages of a Parquet column before the library reads them. The library makes room for as many values as a
// header says, and repeats a value as often as a run says. One damaged byte may say two billion. Headers are Thrift
// structs in the compact protocol. Only some of their fields matter here: how many values a page has, how they are
// encoded, and its length. Only the kinds of pages that the archive was ever written with are accepted.

import { assert } from "../../core/outcome.ts";

export interface PageBounds {
  /** The most values of a page. */
  readonly valuesMax: number;
  /** Whether rows of the column may be without a value. */
  readonly isOptional: boolean;
}

/** A page whose values are codes of a dictionary. They are compressed, so `checkCodes` can check them only later. */
export interface CodedPage {
  /** The offset of its compressed codes in the column's bytes. */
  readonly offset: number;
  /** How many codes it has. */
  readonly values: number;
}

/**
 * Checks the pages of one whole column. It throws if a page has too many values, ends outside of the column, or marks
 * missing values in another way than ours. Returns the pages of codes.
 */
export function checkPages(bytes: Uint8Array, bounds: PageBounds): readonly CodedPage[] {
  const reader = new ThriftReader(bytes);
  const coded: CodedPage[] = [];
  while (reader.offset < bytes.length) {
    const header = reader.struct(STRUCT_DEPTH_MAX);
    const length = header.get(PAGE.compressedBytes);
    assert(typeof length === "number" && length >= 0, "a page has a length");
    const start = reader.offset;
    reader.skip(length);
    const kind = header.get(PAGE.kind);
    assert(kind === KIND.dictionary || kind === KIND.data, "a page is a dictionary, or data of the second kind");
    const inner = header.get(kind === KIND.dictionary ? PAGE.dictionary : PAGE.data);
    assert(inner instanceof Map, "a page's header says what is in it");
    const values = numberOf(inner, DATA.values, bounds.valuesMax);
    if (kind === KIND.dictionary) continue;
    const page = checkData(bytes.subarray(start, reader.offset), inner, { ...bounds, valuesMax: values });
    if (page !== undefined) coded.push({ ...page, offset: start + page.offset });
  }
  return coded;
}

/**
 * A page of data with `valuesMax` rows in `body`. Its levels, which say whether a row has a value, are not compressed.
 */
function checkData(body: Uint8Array, data: Struct, { valuesMax, isOptional }: PageBounds): CodedPage | undefined {
  const nulls = numberOf(data, DATA.nulls, isOptional ? valuesMax : 0);
  assert(numberOf(data, DATA.rows, valuesMax) === valuesMax, "a page has a value for each row");
  assert(data.get(DATA.isPacked) !== 0, "a page is packed");
  const levels = numberOf(data, DATA.levelBytes, isOptional ? body.length : 0);
  assert(numberOf(data, DATA.repetitionBytes, 0) === 0, "a page has no lists");
  if (isOptional) checkRuns(body.subarray(0, levels), { width: 1, values: valuesMax });
  const encoding = data.get(DATA.encoding);
  assert(typeof encoding === "number" && ENCODINGS.has(encoding), "a page is plain, or codes of a dictionary");
  return encoding === PLAIN ? undefined : { offset: levels, values: valuesMax - nulls };
}

/** Throws unless a page of codes, uncompressed, has this many of them. */
export function checkCodes(bytes: Uint8Array, values: number): void {
  const width = bytes[0];
  assert(width !== undefined && width <= CODE_BITS_MAX, `a code has at most ${CODE_BITS_MAX} bits`);
  checkRuns(bytes.subarray(1), { width, values });
}

/**
 * Checks values that are stored as runs: one value repeated, or groups of eight values with some bits each. It throws
 * if the runs have more values than they should, or fewer.
 */
export function checkRuns(
  bytes: Uint8Array,
  { width, values }: { readonly width: number; readonly values: number },
): void {
  const reader = new ThriftReader(bytes);
  let seen = 0;
  while (seen < values) {
    const head = reader.unsigned();
    const isRepeated = head % 2 === 0;
    const count = isRepeated ? head / 2 : ((head - 1) / 2) * 8;
    // The last group of eight may be padded.
    assert(count > 0 && count < values - seen + (isRepeated ? 1 : 8), "a run has no more values than its page");
    // For groups of values without bits the library takes one byte, and would read on at another offset than this code.
    assert(isRepeated || width > 0 || seen + count >= values, "values of no bits are one run");
    reader.skip(isRepeated ? Math.ceil(width / 8) : (count / 8) * width);
    seen += count;
  }
}

/** Fields of a page header, by number (parquet.thrift). */
const PAGE = { kind: 1, compressedBytes: 3, dictionary: 7, data: 8 } as const;
const KIND = { dictionary: 2, data: 3 } as const;
/** Fields of the struct for a page of data. The struct of a dictionary begins with the number of its values as well. */
const DATA = {
  values: 1,
  nulls: 2,
  rows: 3,
  encoding: 4,
  levelBytes: 5,
  repetitionBytes: 6,
  isPacked: 7,
} as const;
const PLAIN = 0;
/** Plain, and codes of a dictionary by their old and new number. */
const ENCODINGS: ReadonlySet<number> = new Set([PLAIN, 2, 8]);
const CODE_BITS_MAX = 32;
/** A header has a struct for its kind of page, and that has one of statistics. */
const STRUCT_DEPTH_MAX = 4;

type Struct = ReadonlyMap<number, number | Struct>;

function numberOf(struct: Struct, field: number, max: number): number {
  const value = struct.get(field);
  assert(typeof value === "number" && value >= 0 && value <= max, `field ${field} of a page is at most ${max}`);
  return value;
}

/** Reads structs. It keeps numbers and structs, and skips texts and lists. */
class ThriftReader {
  readonly #bytes: Uint8Array;
  offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  skip(length: number): void {
    this.offset += length;
    assert(this.offset <= this.#bytes.length, "a page ends inside its column");
  }

  struct(depth: number): Struct {
    assert(depth > 0, "a page header is shallow");
    const fields = new Map<number, number | Struct>();
    let field = 0;
    for (let head = this.#byte(); head !== 0; head = this.#byte()) {
      field = head >> 4 === 0 ? this.#zigzag() : field + (head >> 4);
      const value = this.#value(head & 0x0f, depth);
      if (value !== undefined) fields.set(field, value);
    }
    return fields;
  }

  unsigned(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 63; scale *= 0x80) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    assert(false, "a number in a page ends");
  }

  /** By the types of the compact protocol. */
  #value(type: number, depth: number): number | Struct | undefined {
    if (type === 1 || type === 2) return type === 1 ? 1 : 0; // true and false are types of their own
    if (type === 3) this.skip(1);
    else if (type >= 4 && type <= 6) return this.#zigzag();
    else if (type === 7) this.skip(8);
    else if (type === 8) this.skip(this.unsigned());
    else {
      assert(type === 12, `a page header has no field of type ${type}`);
      return this.struct(depth - 1);
    }
    return undefined;
  }

  #byte(): number {
    const byte = this.#bytes[this.offset++];
    assert(byte !== undefined, "a page ends inside its column");
    return byte;
  }

  #zigzag(): number {
    const value = this.unsigned();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}
