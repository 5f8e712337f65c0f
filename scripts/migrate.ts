// Brings the local D1 up to the schema, through the binding that Miniflare gives: some milliseconds, where spawning
// `wrangler d1 migrations apply` takes five seconds. What was applied is noted in wrangler's own table in
// wrangler's own words, so that both agree and either may go on where the other stopped. Deployed databases
// are migrated by wrangler.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Miniflare } from "miniflare";

export type Database = Awaited<ReturnType<Miniflare["getD1Database"]>>;

const TABLE = `CREATE TABLE IF NOT EXISTS "d1_migrations"(
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`;

/** Applies every migration of a folder that the database has not seen, in order of name, and answers their names. */
export async function migrate(database: Database, folder: string): Promise<readonly string[]> {
  await database.prepare(TABLE).run();
  const { results } = await database.prepare(`SELECT name FROM "d1_migrations"`).all<{ name: string }>();
  const applied = new Set(results.map((row) => row.name));
  const files = (await readdir(folder)).filter((file) => file.endsWith(".sql")).sort();
  const pending = files.filter((file) => !applied.has(file));
  for (const file of pending) await apply(database, file, await readFile(join(folder, file), "utf8"));
  return pending;
}

/** One batch is one transaction: a migration is there with its note or not at all, so a second try is harmless. */
async function apply(database: Database, name: string, sql: string): Promise<void> {
  const statements = sql.split("--> statement-breakpoint").filter((statement) => statement.trim() !== "");
  await database.batch([
    ...statements.map((statement) => database.prepare(statement)),
    database.prepare(`INSERT INTO "d1_migrations" (name) VALUES (?)`).bind(name),
  ]);
}
