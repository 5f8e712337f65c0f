// Remembers rollups that an isolate has read from ledgers: rows and blocks, by merchant and by the columns that were
// read. A ledger is still asked for each question, and is told what is remembered. It sends only what has another
// version now. So the next question sees what was written since, by a partition, a seal, a rebuild or an erasure.
// Nothing else is read again. Pieces of equal versions are equal, except rows that an undo has put back. So the number
// of undone jobs is remembered with the pieces.

import type { RollupRow } from "../../core/counting/rollup-row.ts";
import { BUCKETS_KEPT_BYTES, PIECES_KNOWN_MAX } from "../../core/limits.ts";
import type { Piece, PieceName, Pieces } from "../../storage/ledger/range.ts";

/** What is remembered of one merchant, one grain and one set of columns. */
interface Shelf {
  readonly pieces: Readonly<Record<PieceName["kind"], Map<string, Piece>>>;
  bytes: number;
  /** How many jobs were undone when its rows were read. Null where it may have none. */
  undone: number | null;
}

export class BucketMemory {
  readonly #shelves = new Map<string, Shelf>();
  #bytes = 0;

  has(name: string): boolean {
    return this.#shelves.has(name);
  }

  /** What is remembered under a name, as `readRange` takes it. */
  of(name: string): Pieces {
    return {
      known: (kind, from, to) => {
        const all = this.#shelves.get(name)?.pieces[kind].values() ?? [];
        return [...all].filter(({ at }) => at >= from && at < to).slice(-PIECES_KNOWN_MAX);
      },
      undone: () => this.#shelves.get(name)?.undone ?? null,
      hear: (undone) => this.#hear(name, undone),
      keep: (piece, undone) => this.#keep(name, piece, undone),
    };
  }

  #hear(name: string, undone: number | null): void {
    const shelf = this.#shelfOf(name);
    if (undone !== null && shelf.undone === undone) return;
    for (const piece of shelf.pieces.row.values()) this.#grow(shelf, -bytesOf(piece));
    shelf.pieces.row.clear();
    shelf.undone = undone;
  }

  #keep(name: string, piece: Piece, undone: number | null): void {
    const shelf = this.#shelfOf(name);
    // Another question may have read meanwhile that more jobs were undone.
    if (piece.kind === "row" && (undone === null || shelf.undone !== undone)) return;
    const key = `${piece.at} ${piece.partition}`;
    const pieces = shelf.pieces[piece.kind];
    const old = pieces.get(key);
    this.#grow(shelf, bytesOf(piece) - (old === undefined ? 0 : bytesOf(old)));
    pieces.set(key, piece);
    for (const [oldest, { bytes }] of this.#shelves) {
      if (this.#bytes <= BUCKETS_KEPT_BYTES) return;
      this.#shelves.delete(oldest);
      this.#bytes -= bytes;
    }
  }

  /** A shelf that is used moves to the end, so the first one is always the one unused for longest. */
  #shelfOf(name: string): Shelf {
    const shelf = this.#shelves.get(name) ?? { pieces: { row: new Map(), block: new Map() }, bytes: 0, undone: null };
    this.#shelves.delete(name);
    this.#shelves.set(name, shelf);
    return shelf;
  }

  #grow(shelf: Shelf, bytes: number): void {
    shelf.bytes += bytes;
    this.#bytes += bytes;
  }
}

function bytesOf({ rows }: Piece): number {
  return rows.reduce((sum, row) => sum + bytesOfRow(row), PIECE_BYTES);
}

/** What a piece takes beside its rows, in bytes. It includes a share of what its shelf takes. */
const PIECE_BYTES = 200;

/** The bytes of a row with its counters, about 600 B. */
function bytesOfRow(row: RollupRow): number {
  const breakdowns = Object.values(row.breakdowns).reduce((sum, bytes) => sum + (bytes?.length ?? 0), 0);
  return 600 + row.sketch.length + breakdowns;
}
