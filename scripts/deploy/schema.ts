// Whether a database has what its migrations make. wrangler's own table knows them by name alone: a file that was
// changed after a database had been migrated with it counts as applied, and the Workers then ask for what is not there.
// So what each database says of itself is compared with what the files here make of an empty one.

import { DatabaseSync } from "node:sqlite";

/** A row of `sqlite_master`: a table, an index or a trigger, and the statement that made it. */
export interface SchemaRow {
  readonly type: string;
  readonly name: string;
  readonly sql: string;
}

/** Of one database: its schema, the names of the migrations it has, and the files that the sources here have. */
export interface Migrated {
  readonly schema: readonly SchemaRow[];
  readonly applied: readonly string[];
  readonly files: readonly { readonly name: string; readonly sql: string }[];
}

/**
 * What the applied migrations make and the database lacks, each as a person reads it. What it has beyond that is no
 * lack. A database with migrations that the sources here do not have is one of a later release, which may have taken
 * away what nothing uses any more: nothing is said of it.
 */
export function lacksOf({ schema, applied, files }: Migrated): readonly string[] {
  const names = files.map(({ name }) => name);
  if (applied.length === 0 || applied.some((name) => !names.includes(name))) return [];
  const made = new DatabaseSync(":memory:");
  const there = new DatabaseSync(":memory:");
  try {
    for (const { name, sql } of files) if (applied.includes(name)) made.exec(sql);
    const wanted = made
      .prepare("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%'")
      .all();
    return wanted.flatMap((row) => lacksOfOne(row as unknown as SchemaRow, { schema, made, there }));
  } finally {
    made.close();
    there.close();
  }
}

interface Both {
  readonly schema: readonly SchemaRow[];
  /** Has been migrated from nothing. */
  readonly made: DatabaseSync;
  /** Gets the tables of the database, without rows, so that SQLite says what their columns are. */
  readonly there: DatabaseSync;
}

function lacksOfOne({ type, name, sql }: SchemaRow, { schema, made, there }: Both): readonly string[] {
  const found = schema.find((row) => row.type === type && row.name === name);
  if (found === undefined) return [`the ${type} ${name}`];
  if (type === "trigger") return wordsOf(found.sql) === wordsOf(sql) ? [] : [`the present text of the trigger ${name}`];
  if (type !== "table") return [];
  there.exec(found.sql);
  const columns = columnsOf(there, name);
  return columnsOf(made, name).flatMap((column) => (columns.includes(column) ? [] : [`the column ${name}.${column}`]));
}

function columnsOf(database: DatabaseSync, table: string): readonly string[] {
  return database
    .prepare("SELECT name FROM pragma_table_info(?)")
    .all(table)
    .map((row) => String(row["name"]));
}

/** A statement without comments, quotes of names and line breaks, none of which means anything. */
function wordsOf(sql: string): string {
  return sql.replace(/--.*$/gm, "").replace(/[`"]/g, "").replace(/\s+/g, " ").replace(/;\s*$/, "").trim();
}
