// Reads several sorted sources as one: rows come by merchant, and those of one merchant in the order of the log. Memory
// holds one block of each source, so a Day may be of any size. Sources are given in the order of their positions: of
// two that hold rows of one merchant, all rows of the first were logged before those of the second.

import type { ArchivedEvent } from "../../core/archive/file.ts";

/** Blocks of rows, sorted by merchant and then by position, across blocks as well. No block is empty. */
export interface Source {
  /** The next block, or undefined at the end. */
  next(): Promise<readonly ArchivedEvent[] | undefined>;
}

interface Cursor {
  readonly source: Source;
  block: readonly ArchivedEvent[];
  index: number;
}

/** Slices of rows of one merchant each: merchants ascend, and the slices of one come in the order of positions. */
export async function* mergeSources(sources: readonly Source[]): AsyncGenerator<readonly ArchivedEvent[]> {
  let cursors: Cursor[] = [];
  for (const source of sources) {
    const block = await source.next();
    if (block !== undefined) cursors.push({ source, block, index: 0 });
  }
  while (cursors.length > 0) {
    const merchant = cursors.reduce((least, cursor) => Math.min(least, headOf(cursor)), Number.POSITIVE_INFINITY);
    for (const cursor of cursors) yield* take(cursor, merchant);
    cursors = cursors.filter(({ block }) => block.length > 0);
  }
}

/** The rows of one merchant that are next in a source; afterwards the cursor stands on another's, or has no block. */
async function* take(cursor: Cursor, merchant: number): AsyncGenerator<readonly ArchivedEvent[]> {
  while (cursor.block.length > 0 && headOf(cursor) === merchant) {
    const start = cursor.index;
    while (cursor.index < cursor.block.length && headOf(cursor) === merchant) cursor.index += 1;
    yield cursor.block.slice(start, cursor.index);
    if (cursor.index < cursor.block.length) return;
    cursor.block = (await cursor.source.next()) ?? [];
    cursor.index = 0;
  }
}

function headOf({ block, index }: Cursor): number {
  return (block[index] as ArchivedEvent).event.merchant;
}

/** Rows that are all at hand, in one block. They are sorted here. */
export function sourceOfRows(rows: readonly ArchivedEvent[]): Source {
  let left: readonly ArchivedEvent[] | undefined = rows.length === 0 ? undefined : sortRows(rows);
  return {
    next: async () => {
      const block = left;
      left = undefined;
      return block;
    },
  };
}

export function sortRows(rows: readonly ArchivedEvent[]): readonly ArchivedEvent[] {
  return [...rows].sort((a, b) => a.event.merchant - b.event.merchant || a.position - b.position);
}
