// The headers of a Parquet column's pages, looked at before the library reads them: it makes room for as many values as
// a header speaks of, and one damaged byte may speak of two billion. Headers are Thrift structs in the compact
// protocol; only how many values a page has and how long it is are of interest here.

import { assert } from "../../core/outcome.ts";

/** Throws where a page of some whole columns has more values than may be, or ends outside of them. */
export function checkPages(bytes: Uint8Array, valuesMax: number): void {
  const reader = new ThriftReader(bytes);
  while (reader.offset < bytes.length) {
    const header = reader.struct(STRUCT_DEPTH_MAX);
    for (const name of [PAGE.data, PAGE.dictionary, PAGE.dataV2]) {
      const inner = header.get(name);
      const values = inner instanceof Map ? inner.get(PAGE.values) : 0;
      assert(
        typeof values === "number" && values >= 0 && values <= valuesMax,
        `a page has at most ${valuesMax} values`,
      );
    }
    const length = header.get(PAGE.compressedBytes);
    assert(typeof length === "number" && length >= 0, "a page has a length");
    reader.skip(length);
  }
}

/**
 * Fields of a page header by their numbers (parquet.thrift), and of each of the three structs in it the number of
 * values.
 */
const PAGE = { compressedBytes: 3, data: 5, dictionary: 7, dataV2: 8, values: 1 } as const;
/** A header holds a struct for its kind of page, and that one statistics. */
const STRUCT_DEPTH_MAX = 4;

type Struct = ReadonlyMap<number, number | Struct>;

/** Reads structs; of their fields numbers and structs are kept, texts and lists are passed over. */
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

  /** By the types of the compact protocol. */
  #value(type: number, depth: number): number | Struct | undefined {
    if (type === 1 || type === 2) return undefined; // true and false are types of their own
    if (type === 3) this.skip(1);
    else if (type >= 4 && type <= 6) return this.#zigzag();
    else if (type === 7) this.skip(8);
    else if (type === 8) this.skip(this.#unsigned());
    else {
      assert(type === 12, `a page header has no field of type ${type}`);
      return this.struct(depth - 1);
    }
    return undefined;
  }

  #byte(): number {
    const byte = this.#bytes[this.offset++];
    assert(byte !== undefined, "a page header ends inside its column");
    return byte;
  }

  #unsigned(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 63; scale *= 0x80) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    assert(false, "a number in a page header ends");
  }

  #zigzag(): number {
    const value = this.#unsigned();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}
