// A partition's data at rest: its write-ahead log, checkpoint shelves, settings, salts and one row of positions. All
// SQL of the partition is in this file and, for the tables of the log, in log-segments.ts. It speaks to SQLite through
// a small synchronous port. Both the Durable Object's storage and node:sqlite can stand behind that, so the same code
// runs in production and in the simulation.

import type { LoggedRow } from "../core/archive/bundle.ts";
import { ROW_KINDS, type RowKind } from "../core/counting/layer-rows.ts";
import { SHELF_PART_BYTES_MAX } from "../core/limits.ts";
import type { Settings } from "../core/merchant.ts";
import { assert } from "../core/outcome.ts";
import type { Standing } from "./claim.ts";
import { FIRST_SEGMENT, LogSegments } from "./log-segments.ts";
import type { SettingsLease } from "./settings.ts";

export type SqlValue = string | number | null | Uint8Array | ArrayBuffer;
export type SqlRow = Record<string, SqlValue>;

/** What a partition needs of SQLite. It is synchronous, so no other request can come between a read and a write. */
export interface Sql {
  exec(query: string, ...bindings: (string | number | Uint8Array)[]): SqlRow[];
  /** Runs `work` in a transaction. When it throws nothing is changed. */
  transaction<T>(work: () => T): T;
}

/** Positions are half-open ranges: [first, end). */
export interface BundleCut {
  readonly first: number;
  readonly end: number;
}

/** A bundle that was sent more than once: how often, and when last. */
export interface StoredBundle extends BundleCut {
  readonly sends?: number;
  /** UTC ms. */
  readonly sentAt?: number;
}

/** What the partition has to remember beside its log and shelves. */
export interface Positions {
  readonly partition: string;
  /** The key that hashes ids in its shelves: 32 hex digits. */
  readonly idKey: string;
  /** Events before this are in the shelves. */
  readonly checkpointed: number;
  /** Events before this are in a bundle. */
  readonly bundled: number;
  /** Bundles cut and not yet confirmed to lie in R2, in order. Written before the bundle is first sent. */
  readonly bundles: readonly StoredBundle[];
  /**
   * UTC ms of the last run of each duty. They are stored because the platform evicts an idle object, and a duty that is
   * due must stay due.
   */
  readonly checkpointedAt: number;
  readonly publishedAt: number;
  /** Up to which change the settings are known (settings.ts). */
  readonly lease?: SettingsLease | undefined;
  /** The first Day whose events are counted; earlier ones are closed. */
  readonly openFrom?: number;
  /** What the storage is known by, and whether it is the one that its ledger knows (claim.ts). */
  readonly claim?: string;
  readonly standing?: Standing;
  /** Positions that a recovery has left out, the first one that it gave, and whether it has missed events. */
  readonly skipped?: number;
  readonly recoveredFrom?: number;
  readonly missed?: boolean;
  /** The last erasures that were carried out (up to ERASURES_KEPT_MAX), each with its position of the log. */
  readonly erased?: readonly (readonly [erasure: number, position: number])[];
}

export interface LogChunk {
  readonly first: number;
  readonly count: number;
  /** JSON array of `LoggedRow`. */
  readonly rows: string;
}

/** Which row of which layer of a shelf. */
export interface LayerRowKey {
  readonly layer: number;
  readonly kind: RowKind | "head";
  readonly row: number;
}

/** Which shelf a Day of a merchant stands on. */
export interface ShelfKey {
  readonly day: number;
  readonly shelf: number;
}

const SCHEMA = [
  FIRST_SEGMENT,
  `CREATE TABLE IF NOT EXISTS shelf (day INTEGER, shelf INTEGER, part INTEGER, unpublished INTEGER NOT NULL,
     up_to INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (day, shelf, part)) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS layer (day INTEGER, shelf INTEGER, kind INTEGER, layer INTEGER, row INTEGER, part INTEGER,
     bytes BLOB NOT NULL, PRIMARY KEY (day, shelf, kind, layer, row, part)) WITHOUT ROWID`,
  "CREATE TABLE IF NOT EXISTS settings (merchant INTEGER PRIMARY KEY, settings TEXT NOT NULL)",
  "CREATE TABLE IF NOT EXISTS salt (day INTEGER PRIMARY KEY, salt TEXT NOT NULL, made_at INTEGER NOT NULL)",
  "CREATE TABLE IF NOT EXISTS change (merchant INTEGER PRIMARY KEY, at INTEGER NOT NULL)",
  // Made last: by it the others are known to be there.
  "CREATE TABLE IF NOT EXISTS positions (id INTEGER PRIMARY KEY, value TEXT NOT NULL)",
];

/** Logged rows that a recovery takes up again when it has brought back what the archive has. */
const KEPT = "CREATE TABLE IF NOT EXISTS kept (id INTEGER PRIMARY KEY, rows TEXT NOT NULL)";
const KEPT_ROW_BYTES = 100_000;

/** The first event of a partition has position 1, so a version of 0 is older than any. */
export const FIRST_POSITION = 1;

export class Store {
  readonly #sql: Sql;
  readonly #log: LogSegments;
  /**
   * Whether the tables exist. They are made with the first write, so that a question to a partition without events
   * costs no rows.
   */
  #created: boolean;

  constructor(sql: Sql) {
    this.#sql = sql;
    this.#log = new LogSegments(sql);
    this.#created = sql.exec("SELECT name FROM sqlite_master WHERE name = 'positions'").length > 0;
  }

  transaction<T>(work: () => T): T {
    try {
      return this.#sql.transaction(work);
    } catch (error) {
      this.#log.forget();
      throw error;
    }
  }

  #read(query: string, ...bindings: (string | number)[]): SqlRow[] {
    return this.#created ? this.#sql.exec(query, ...bindings) : [];
  }

  #write(query: string, ...bindings: (string | number | Uint8Array)[]): void {
    this.#create();
    this.#sql.exec(query, ...bindings);
  }

  #create(): void {
    if (this.#created) return;
    for (const statement of SCHEMA) this.#sql.exec(statement);
    this.#created = true;
    this.#log.forget();
  }

  // ── log ──────────────────────────────────────────────────────────────────────────────────────────────────────

  appendLog(chunk: LogChunk): void {
    this.#create();
    this.#log.append(chunk);
  }

  /** The position after the last logged event, or undefined when the log is empty. */
  logEnd(): number | undefined {
    return this.#created ? this.#log.end() : undefined;
  }

  /**
   * The logged rows of [first, end), read chunk by chunk until `bytesMax` of text are gathered (at least one chunk).
   */
  readLog({ first, end }: BundleCut, bytesMax = Number.POSITIVE_INFINITY): LoggedRow[] {
    const rows: LoggedRow[] = [];
    let bytes = 0;
    for (const { first: start, rows: text } of this.readChunks({ first, end })) {
      if (bytes >= bytesMax) break;
      const next = Math.max(first, start);
      for (const row of (JSON.parse(text) as LoggedRow[]).slice(next - start, end - start)) rows.push(row);
      bytes += text.length;
    }
    return rows;
  }

  /** The chunks that hold the logged rows of [first, end), as they were written: the first and last may hold more. */
  *readChunks({ first, end }: BundleCut): Generator<LogChunk, undefined> {
    for (let next = first; next < end; ) {
      const row = this.#log.at(next);
      assert(row !== undefined, `the log holds position ${next}`);
      const chunk = { first: Number(row["first"]), count: Number(row["count"]), rows: String(row["rows"]) };
      assert(next < chunk.first + chunk.count, `the log has no gap at position ${next}`);
      yield chunk;
      next = chunk.first + chunk.count;
    }
  }

  /** Deletes chunks that lie wholly before a position. `end` is the end of the log. Call it inside a transaction. */
  trimLog(before: number, end: number): void {
    this.#create();
    this.#log.trim(before, end);
  }

  /** Bytes of text of the log from a position on. */
  logBytes(from: number): number {
    return this.#created ? this.#log.bytes(from) : 0;
  }

  /** Copies logged rows to where they survive `clear`. Call it inside a transaction. */
  keepLog({ first, end }: BundleCut): void {
    this.#write(KEPT);
    for (let next = first; next < end; ) {
      const rows = this.readLog({ first: next, end }, KEPT_ROW_BYTES);
      this.#write("INSERT INTO kept (rows) VALUES (?)", JSON.stringify(rows));
      next += rows.length;
    }
  }

  /** What was copied, in its order. */
  readKept(): LoggedRow[] {
    const isThere = this.#read("SELECT name FROM sqlite_master WHERE name = 'kept'").length > 0;
    const rows = isThere ? this.#read("SELECT rows FROM kept ORDER BY id") : [];
    return rows.flatMap((row) => JSON.parse(String(row["rows"])) as LoggedRow[]);
  }

  dropKept(): void {
    this.#write("DROP TABLE IF EXISTS kept");
  }

  /** Deletes log, shelves and layers. Call it inside a transaction. */
  clear(): void {
    this.#create();
    this.#log.clear();
    this.#write("DELETE FROM shelf");
    this.#write("DELETE FROM layer");
  }

  // ── positions ────────────────────────────────────────────────────────────────────────────────────────────────

  readPositions(): Positions | undefined {
    const [row] = this.#read("SELECT value FROM positions WHERE id = 1");
    return row === undefined ? undefined : (JSON.parse(String(row["value"])) as Positions);
  }

  writePositions(positions: Positions): void {
    this.#write("INSERT OR REPLACE INTO positions (id, value) VALUES (1, ?)", JSON.stringify(positions));
  }

  // ── shelves ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** Every stored shelf. */
  listShelves(): readonly StoredShelf[] {
    return this.#read("SELECT day, shelf, unpublished, up_to FROM shelf WHERE part = 0").map((row) => ({
      day: Number(row["day"]),
      shelf: Number(row["shelf"]),
      unpublished: row["unpublished"] === 1,
      upTo: Number(row["up_to"]),
    }));
  }

  readShelf({ day, shelf }: ShelfKey): Uint8Array {
    return joined(this.#read("SELECT bytes FROM shelf WHERE day = ? AND shelf = ? ORDER BY part", day, shelf));
  }

  /** Replaces a shelf. Call it inside a transaction: a shelf may take several rows. */
  writeShelf({ day, shelf, unpublished, upTo }: StoredShelf, bytes: Uint8Array): void {
    const parts = partsOf(bytes);
    for (const [part, own] of parts.entries()) {
      this.#write(
        "INSERT OR REPLACE INTO shelf (day, shelf, part, unpublished, up_to, bytes) VALUES (?, ?, ?, ?, ?, ?)",
        ...[day, shelf, part, unpublished ? 1 : 0, upTo, own],
      );
    }
    this.#write("DELETE FROM shelf WHERE day = ? AND shelf = ? AND part >= ?", day, shelf, parts.length);
  }

  /** Deletes all shelves of a Day, and their layers. */
  deleteShelves(day: number): void {
    this.#write("DELETE FROM shelf WHERE day = ?", day);
    this.#write("DELETE FROM layer WHERE day = ?", day);
  }

  // ── layers ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** The heads of a shelf's layers, the oldest first. */
  readLayerHeads({ day, shelf }: ShelfKey): readonly { readonly layer: number; readonly bytes: Uint8Array }[] {
    const rows = this.#read(
      "SELECT layer, bytes FROM layer WHERE day = ? AND shelf = ? AND kind = ? ORDER BY layer, part",
      ...[day, shelf, kindNumber("head")],
    );
    const byLayer = Map.groupBy(rows, (row) => Number(row["layer"]));
    return [...byLayer].map(([layer, parts]) => ({ layer, bytes: joined(parts) }));
  }

  readLayerRow({ day, shelf }: ShelfKey, { layer, kind, row }: LayerRowKey): Uint8Array {
    return joined(
      this.#read(
        "SELECT bytes FROM layer WHERE day = ? AND shelf = ? AND kind = ? AND layer = ? AND row = ? ORDER BY part",
        ...[day, shelf, kindNumber(kind), layer, row],
      ),
    );
  }

  /** Writes a row, or replaces it by one that is no longer. Call it inside a transaction. */
  writeLayerRow({ day, shelf }: ShelfKey, { layer, kind, row }: LayerRowKey, bytes: Uint8Array): void {
    const key = [day, shelf, kindNumber(kind), layer, row];
    const parts = partsOf(bytes);
    for (const [part, own] of parts.entries()) {
      this.#write(
        "INSERT OR REPLACE INTO layer (day, shelf, kind, layer, row, part, bytes) VALUES (?, ?, ?, ?, ?, ?, ?)",
        ...[...key, part, own],
      );
    }
    this.#write(
      "DELETE FROM layer WHERE day = ? AND shelf = ? AND kind = ? AND layer = ? AND row = ? AND part >= ?",
      ...[...key, parts.length],
    );
  }

  // ── settings and salts ───────────────────────────────────────────────────────────────────────────────────────

  readAllSettings(): readonly Settings[] {
    return this.#read("SELECT settings FROM settings").map((row) => JSON.parse(String(row["settings"])) as Settings);
  }

  writeSettings(settings: Settings): void {
    this.#write(
      "INSERT OR REPLACE INTO settings (merchant, settings) VALUES (?, ?)",
      settings.merchant,
      JSON.stringify(settings),
    );
  }

  deleteSettings(merchant: number): void {
    this.#write("DELETE FROM settings WHERE merchant = ?", merchant);
  }

  /** Merchants with the UTC ms at which their numbers in the ledger were changed last (change.ts). */
  readChanges(): readonly (readonly [merchant: number, at: number])[] {
    return this.#read("SELECT merchant, at FROM change").map((row) => [Number(row["merchant"]), Number(row["at"])]);
  }

  writeChange(merchant: number, at: number): void {
    this.#write("INSERT OR REPLACE INTO change (merchant, at) VALUES (?, ?)", merchant, at);
  }

  readSalts(): readonly Salt[] {
    return this.#read("SELECT day, salt, made_at FROM salt").map((row) => ({
      day: Number(row["day"]),
      salt: String(row["salt"]),
      madeAt: Number(row["made_at"]),
    }));
  }

  writeSalt({ day, salt, madeAt }: Salt): void {
    this.#write("INSERT OR REPLACE INTO salt (day, salt, made_at) VALUES (?, ?, ?)", day, salt, madeAt);
  }

  deleteSalt(day: number): void {
    this.#write("DELETE FROM salt WHERE day = ?", day);
  }
}

/** A shelf as it is stored: it has all events before a position, and may have rollups that wait to be published. */
export interface StoredShelf extends ShelfKey {
  readonly unpublished: boolean;
  readonly upTo: number;
}

function kindNumber(kind: LayerRowKey["kind"]): number {
  return kind === "head" ? 0 : 1 + ROW_KINDS.indexOf(kind);
}

/** Bytes in as many parts as they need: at least one. */
function partsOf(bytes: Uint8Array): readonly Uint8Array[] {
  if (bytes.length <= SHELF_PART_BYTES_MAX) return [bytes];
  return Array.from({ length: Math.ceil(bytes.length / SHELF_PART_BYTES_MAX) }, (_, part) =>
    bytes.slice(part * SHELF_PART_BYTES_MAX, (part + 1) * SHELF_PART_BYTES_MAX),
  );
}

function joined(rows: readonly SqlRow[]): Uint8Array {
  const parts = rows.map((row) => new Uint8Array(row["bytes"] as ArrayBuffer));
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** The secret that cookieless visitors of one Day are hashed with. It is deleted after SALT_KEPT_MS. */
export interface Salt {
  readonly day: number;
  readonly salt: string;
  readonly madeAt: number;
}
