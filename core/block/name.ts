// Names of values, each once, in order, and each as what it has beyond the beginning that it shares with the one before
// ("/products/mat", "/products/mug" is 11 characters shared, then "ug"). Pages of a shop take a third of their length.

import type { ByteReader, ByteWriter } from "../bytes.ts";
import { assert } from "../outcome.ts";
import { readList } from "./column.ts";

/** `names` are distinct and in the order of their UTF-16 units. */
export function writeNames(names: readonly string[], writer: ByteWriter): void {
  writer.unsigned(names.length);
  let before = "";
  for (const name of names) {
    const shared = sharedLength(before, name);
    writer.unsigned(shared);
    writer.text(name.slice(shared));
    before = name;
  }
}

export function readNames(reader: ByteReader): string[] {
  let before = "";
  return readList(reader, () => {
    const shared = reader.unsigned();
    assert(shared <= before.length, "a name begins as far as the one before goes");
    before = before.slice(0, shared) + reader.text();
    return before;
  });
}

/** In UTF-16 units; a pair of surrogates is never cut, for a half of it is no text. */
function sharedLength(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  let shared = 0;
  while (shared < length && a.charCodeAt(shared) === b.charCodeAt(shared)) shared += 1;
  const last = b.charCodeAt(shared - 1);
  return last >= 0xd800 && last < 0xdc00 ? shared - 1 : shared;
}
