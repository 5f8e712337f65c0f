// Reads several sorted sources as one. Rows come by merchant, and those of one merchant in the order of the log. Memory
// holds one block of each source, so a Day may have any size. Sources must be in the order of their positions: if two
// have rows of one merchant, all rows of the first were logged before those of the second.

import { type ColumnBlock, numbersOf, sliceRows, sortRows } from "../../core/archive/event-columns.ts";

/** Blocks of rows, sorted by merchant and then by position, across blocks as well. No block is empty. */
export interface Source {
  /** The next block, or undefined at the end. */
  next(): Promise<ColumnBlock | undefined>;
}

interface Cursor {
  readonly source: Source;
  /** Undefined at the end. */
  block: ColumnBlock | undefined;
  index: number;
}

/** Slices of rows of one merchant each: merchants ascend, and the slices of one come in the order of positions. */
export async function* mergeSources(sources: readonly Source[]): AsyncGenerator<ColumnBlock> {
  let cursors: Cursor[] = [];
  for (const source of sources) cursors.push({ source, block: await source.next(), index: 0 });
  for (;;) {
    cursors = cursors.filter(({ block }) => block !== undefined);
    if (cursors.length === 0) return;
    const merchant = cursors.reduce((least, cursor) => Math.min(least, headOf(cursor)), Number.POSITIVE_INFINITY);
    for (const cursor of cursors) yield* take(cursor, merchant);
  }
}

/** The next rows of one merchant in a source. Afterwards the cursor is at another merchant, or has no block. */
async function* take(cursor: Cursor, merchant: number): AsyncGenerator<ColumnBlock> {
  while (cursor.block !== undefined && headOf(cursor) === merchant) {
    const { block, index } = cursor;
    const merchants = numbersOf(block, "merchant");
    let end = index + 1;
    while (end < block.count && merchants[end] === merchant) end += 1;
    yield sliceRows(block, index, end);
    cursor.index = end;
    if (end < block.count) return;
    cursor.block = await cursor.source.next();
    cursor.index = 0;
  }
}

function headOf({ block, index }: Cursor): number {
  return block === undefined ? Number.POSITIVE_INFINITY : (numbersOf(block, "merchant")[index] as number);
}

/** A source of rows that are all in one block. It sorts them. */
export function sourceOfRows(rows: ColumnBlock): Source {
  let left = rows.count === 0 ? undefined : sortRows(rows);
  return {
    next: async () => {
      const block = left;
      left = undefined;
      return block;
    },
  };
}
