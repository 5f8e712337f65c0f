// What an isolate remembers of rollups in ledgers: rows and blocks as they were read, by merchant and by the columns
// that were read. A ledger is still asked for each question, and told what is remembered: it sends what has another
// version now, and nothing else. So what was written since, by a partition, a seal, a rebuild or an erasure, is seen by
// the next question, and nothing else is read again. Equal versions are equal pieces, but for rows that an undo has put
// back: how many jobs were undone is kept beside them.

import type { RollupRow } from "../../core/counting/rollup-row.ts";
import { BUCKETS_KEPT_BYTES, PIECES_KNOWN_MAX } from "../../core/limits.ts";
import type { Piece, PieceName, Pieces } from "../../storage/ledger/range.ts";

/** Of one merchant, one grain and one set of columns. */
interface Shelf {
  readonly pieces: Readonly<Record<PieceName["kind"], Map<string, Piece>>>;
  bytes: number;
  /** How many jobs were undone when its rows were read; null where it may have none. */
  undone: number | null;
}

export class BucketMemory {
  readonly #shelves = new Map<string, Shelf>();
  #bytes = 0;

  has(name: string): boolean {
    return this.#shelves.has(name);
  }

  /** What is remembered under a name, for `readRange`. */
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
    // Another question may have heard meanwhile that more was undone.
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

  /** One that is used goes to the end: the first is always the one unused for longest. */
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

/** What a piece takes by itself, and an empty shelf's share of it. */
const PIECE_BYTES = 200;

/** Counters and what a row costs by itself: about 600 B. */
function bytesOfRow(row: RollupRow): number {
  const breakdowns = Object.values(row.breakdowns).reduce((sum, bytes) => sum + (bytes?.length ?? 0), 0);
  return 600 + row.sketch.length + breakdowns;
}
