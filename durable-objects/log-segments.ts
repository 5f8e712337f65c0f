// The tables of a partition's log. Deleting a row is billed like writing one, dropping a table is not: so the log is a
// row of segments, a table each, and what the archive has leaves by the table. A segment that is full is closed by the
// checkpoint, and another opened; one that stays small, in a quiet partition, is emptied row by row. Segments are found
// by their names alone, "log" or "log_<first position>", so that a restart knows them without a word stored elsewhere.

import { LOG_SEGMENT_ROWS, LOG_SEGMENTS_MAX } from "../core/limits.ts";
import type { LogChunk, Sql, SqlRow } from "./store.ts";

interface Segment {
  readonly table: string;
  /** Its rows have positions from this on, up to the next segment's. */
  readonly first: number;
}

const COLUMNS = "(first INTEGER PRIMARY KEY, count INTEGER NOT NULL, rows TEXT NOT NULL)";
export const FIRST_SEGMENT = `CREATE TABLE IF NOT EXISTS log ${COLUMNS}`;

export class LogSegments {
  readonly #sql: Sql;
  /** In order; the last one takes new rows. Undefined when the disk has to be asked. */
  #segments: readonly Segment[] | undefined;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** What is in memory may be wrong: a transaction was rolled back. */
  forget(): void {
    this.#segments = undefined;
  }

  append({ first, count, rows }: LogChunk): void {
    this.#sql.exec(`INSERT INTO ${this.#open().table} (first, count, rows) VALUES (?, ?, ?)`, first, count, rows);
  }

  /** The position after the last row; undefined when there is none. */
  end(): number | undefined {
    for (const { table } of this.#all().toReversed()) {
      const [row] = this.#sql.exec(`SELECT first + count AS end FROM ${table} ORDER BY first DESC LIMIT 1`);
      if (row !== undefined) return Number(row["end"]);
    }
    return undefined;
  }

  /** The row that holds a position, or the last one before it. */
  at(position: number): SqlRow | undefined {
    const segment = this.#all().findLast(({ first }) => first <= position);
    if (segment === undefined) return undefined;
    const { table } = segment;
    const query = `SELECT first, count, rows FROM ${table} WHERE first <= ? ORDER BY first DESC LIMIT 1`;
    return this.#sql.exec(query, position)[0];
  }

  /** Bytes of text from a position on. */
  bytes(from: number): number {
    return this.#all().reduce((sum, { table }, index, all) => {
      const next = all[index + 1]?.first ?? Number.POSITIVE_INFINITY;
      if (next <= from) return sum;
      const [row] = this.#sql.exec(`SELECT SUM(LENGTH(rows)) AS bytes FROM ${table} WHERE first >= ?`, from);
      return sum + Number(row?.["bytes"] ?? 0);
    }, 0);
  }

  /** Forgets what lies wholly before a position, and begins another segment at `end` where the open one is full. */
  trim(before: number, end: number): void {
    this.#rotate(end);
    const all = this.#all();
    const over = all.filter((_, index) => (all[index + 1]?.first ?? Number.POSITIVE_INFINITY) <= before);
    for (const { table } of over) this.#sql.exec(`DROP TABLE ${table}`);
    this.#segments = all.filter((segment) => !over.includes(segment));
    const { table, first } = this.#open();
    if (first < before) this.#sql.exec(`DELETE FROM ${table} WHERE first + count <= ? AND first < ?`, before, before);
  }

  /** Forgets all of it. */
  clear(): void {
    for (const { table } of this.#all()) this.#sql.exec(table === "log" ? "DELETE FROM log" : `DROP TABLE ${table}`);
    this.#segments = undefined;
  }

  #rotate(end: number): void {
    const all = this.#all();
    const { table } = this.#open();
    const rows = Number(this.#sql.exec(`SELECT COUNT(*) AS rows FROM ${table}`)[0]?.["rows"]);
    if (rows < LOG_SEGMENT_ROWS || all.length >= LOG_SEGMENTS_MAX) return;
    const opened = { table: `log_${end}`, first: end };
    this.#sql.exec(`CREATE TABLE ${opened.table} ${COLUMNS}`);
    this.#segments = [...all, opened];
  }

  #open(): Segment {
    return this.#all().at(-1) as Segment;
  }

  #all(): readonly Segment[] {
    this.#segments ??= this.#sql
      .exec("SELECT name FROM sqlite_master WHERE type = 'table' AND (name = 'log' OR name LIKE 'log\\_%' ESCAPE '\\')")
      .map((row) => ({ table: String(row["name"]), first: Number(String(row["name"]).slice("log_".length)) }))
      .sort((a, b) => a.first - b.first);
    return this.#segments;
  }
}
