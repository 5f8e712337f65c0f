// Rows of the archive without those of an erasure. Such rows stay in the files until the next seal of their Day leaves
// them out.

import { type ColumnBlock, eventAt, filterRows } from "../../core/archive/event-columns.ts";
import { type Removal, removalOf } from "../../core/counting/erasure.ts";

/** The rows that stay. It is the block itself if all do. */
export function withoutRemoved<Block extends ColumnBlock>(rows: Block, removals: readonly Removal[]): Block {
  if (removals.length === 0) return rows;
  const { partition, positions } = rows;
  return filterRows(rows, (row) => {
    const archived = { partition, position: positions[row] as number, event: eventAt(rows, row) };
    return removalOf(archived, removals) === undefined;
  });
}
