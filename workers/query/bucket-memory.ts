// What an isolate remembers of rollups in D1: rows as they were read, by merchant and by the columns that were read.
// D1 is still asked for each question which versions its rows have now; only rows of other versions are read whole.
// So what was written since, by a partition, a seal, a rebuild or an erasure, is seen by the next question, and
// nothing else is read again. Equal versions are equal rows, but for what an undo has taken back: how many were
// undone is part of the key.

import type { RollupRow } from "../../core/counting/rollup-row.ts";
import { BUCKETS_KEPT_BYTES } from "../../core/limits.ts";

/** Rows of one merchant, one grain and one set of columns, by bucket and partition. */
interface Shelf {
  readonly rows: Map<string, RollupRow>;
  bytes: number;
}

export class BucketMemory {
  readonly #shelves = new Map<string, Shelf>();
  #bytes = 0;

  /** The remembered row of this version; undefined when there is none. */
  find(shelf: string, { bucket, partition, version }: RowName): RollupRow | undefined {
    const row = this.#shelves.get(shelf)?.rows.get(`${bucket} ${partition}`);
    return row?.version === version ? row : undefined;
  }

  has(shelf: string): boolean {
    return this.#shelves.has(shelf);
  }

  remember(name: string, rows: readonly RollupRow[]): void {
    const shelf = this.#shelves.get(name) ?? { rows: new Map<string, RollupRow>(), bytes: 0 };
    this.#shelves.delete(name); // a shelf that is used goes to the end: the first is always the one unused for longest
    this.#shelves.set(name, shelf);
    for (const row of rows) {
      const key = `${row.bucket} ${row.partition}`;
      const grown = bytesOf(row) - bytesOf(shelf.rows.get(key));
      shelf.rows.set(key, row);
      shelf.bytes += grown;
      this.#bytes += grown;
    }
    for (const [oldest, { bytes }] of this.#shelves) {
      if (this.#bytes <= BUCKETS_KEPT_BYTES) return;
      this.#shelves.delete(oldest);
      this.#bytes -= bytes;
    }
  }
}

/** A version that is undefined is none that anything is remembered in. */
export type RowName = Pick<RollupRow, "bucket" | "partition"> & { readonly version: number | undefined };

/** Counters and what a row costs by itself: about 600 B. */
function bytesOf(row: RollupRow | undefined): number {
  if (row === undefined) return 0;
  const breakdowns = Object.values(row.breakdowns).reduce((sum, bytes) => sum + (bytes?.length ?? 0), 0);
  return 600 + row.sketch.length + breakdowns;
}
