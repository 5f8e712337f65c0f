// Rows of the archive, reduced to what is kept where they are read again: the first event of each id as itself, and
// every other story under its id as a duplicate (DUP-1, DUP-2). `IdSet.recall` does the same event by event. Here each
// different text is hashed only once.

import {
  type ColumnBlock,
  filterRows,
  numbersOf,
  type TextColumn,
  textAt,
  textsOf,
  withTexts,
} from "../archive/event-columns.ts";
import { hash32 } from "../hash.ts";
import { mix } from "../pair-codes.ts";
import { duplicateKey, type IdSet } from "./duplicate.ts";

/** The texts whose difference makes another story. Revenue is compared as well. */
const TOLD = ["name", "url", "currency", "order", "products", "props"] as const;

/** The rows that are new, in their order. `ids` remembers their ids. */
export function keptOnce(block: ColumnBlock, ids: IdSet): ColumnBlock {
  const contents = contentsOf(block, ids.seed);
  const [texts, drops, keyed] = [textsOf(block, "id"), textsOf(block, "dropped"), numbersOf(block, "keyed")];
  const marked = drops.values.map((value) => value === "duplicate");
  const repeated = new Set<number>();
  const stories = new Map<number, string>();
  for (let row = 0; row < block.count; row++) {
    const id = duplicateKey({ id: textAt(texts, row), keyed: keyed[row] as number });
    const isStory = marked[drops.codes[row] as number] === true;
    const known = ids.keep({ key: id, content: contents[row] as number, isStory });
    if (known === "same") repeated.add(row);
    else if (known === "story" && !isStory) stories.set(row, "duplicate");
  }
  const told = withTexts(block, "dropped", stories);
  return repeated.size === 0 ? told : filterRows(told, (row) => !repeated.has(row));
}

/** For each row a hash of what its sender says, without the id and the time. */
function contentsOf(block: ColumnBlock, seed: number): Uint32Array {
  const contents = new Uint32Array(block.count).fill(seed);
  for (const field of TOLD) addTexts(contents, textsOf(block, field), seed);
  const revenues = numbersOf(block, "revenue");
  for (let row = 0; row < block.count; row++) {
    const revenue = revenues[row] as number;
    contents[row] = mix(revenue | 0, Math.floor(revenue / 2 ** 32), contents[row] as number);
  }
  return contents;
}

function addTexts(contents: Uint32Array, { codes, values }: TextColumn, seed: number): void {
  const hashes = Uint32Array.from(values, (value) => hash32(value, seed));
  for (let row = 0; row < contents.length; row++)
    contents[row] = mix(hashes[codes[row] as number] as number, 0, contents[row] as number);
}
