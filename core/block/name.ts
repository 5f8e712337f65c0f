// Names of values, each once, in order. Each is written as its difference from the name before it: the number of
// characters that both begin with, and the rest ("/products/mat" and "/products/mug" share 11 characters, so "ug"
// follows). Pages of a shop take a third of their length.

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

/** In UTF-16 units. It never splits a pair of surrogates, because half of a pair is no text. */
function sharedLength(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  let shared = 0;
  while (shared < length && a.charCodeAt(shared) === b.charCodeAt(shared)) shared += 1;
  const last = b.charCodeAt(shared - 1);
  return last >= 0xd800 && last < 0xdc00 ? shared - 1 : shared;
}
