// The archive and the rollups that version 0.1 left behind (test/golden/archive-0.1), put into a world of today: objects as they
// are, to the byte, and rows of D1 as they were, through the migrations of when there was one D1.

import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { SealedWorld } from "./sealed-world.ts";

const FOLDER = join(import.meta.dirname, "../golden/archive-0.1");
/** How 0.1, and the versions after it that had one D1, made its tables. */
const MIGRATIONS = join(FOLDER, "schema");
/** The last one of 0.1. */
const LAST_OLD = "0012_moved.sql";
/** What is kept per Day; what else D1 has is of who is who. */
const TABLES = ["hourly", "daily", "archive_days"];

type Cell = number | string | null | { readonly base64: string };
type Row = Readonly<Record<string, Cell>>;

/** What the merchant's clients sent, in their words. */
export interface OldHit {
  readonly what: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export const OLD_HITS = JSON.parse(readFileSync(join(FOLDER, "hits.json"), "utf8")) as readonly OldHit[];

/** Puts everything into a world that has nothing of merchant 1 yet, whose currency is EUR. */
export function loadOldArchive(world: SealedWorld): void {
  for (const file of readdirSync(join(FOLDER, "objects"), { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const path = join(file.parentPath, file.name);
    world.objects.set(relative(join(FOLDER, "objects"), path), new Uint8Array(readFileSync(path)));
  }
  const old = migratedSince();
  for (const table of TABLES)
    for (const row of old.prepare(`SELECT * FROM ${table}`).all()) insert(world.database, table, row);
}

/** A database that 0.1 has written, in the last shape that one D1 had: these tables are a ledger's today. */
function migratedSince(): DatabaseSync {
  const database = new DatabaseSync(":memory:");
  const files = readdirSync(MIGRATIONS)
    .filter((name) => name.endsWith(".sql"))
    .sort();
  const apply = (name: string) => database.exec(readFileSync(join(MIGRATIONS, name), "utf8"));
  for (const name of files.filter((one) => one <= LAST_OLD)) apply(name);
  const merchant = { number: 1, id: "mer_1", name: "m", zones: '[{"from":0,"zone":"UTC"}]', currency: "EUR" };
  insert(database, "merchants", { ...merchant, rules: "[]", version: 1, created_at: 0 });
  const stored = JSON.parse(readFileSync(join(FOLDER, "d1.json"), "utf8")) as Readonly<Record<string, readonly Row[]>>;
  for (const table of TABLES) for (const row of stored[table] ?? []) insert(database, table, row);
  for (const name of files.filter((one) => one > LAST_OLD)) apply(name);
  return database;
}

function insert(database: DatabaseSync, table: string, row: Readonly<Record<string, unknown>>): void {
  const names = Object.keys(row).map((name) => `"${name}"`);
  const places = names.map(() => "?").join();
  const values = Object.values(row).map((cell) => unpacked(cell as Cell | Uint8Array));
  database.prepare(`INSERT INTO ${table} (${names.join()}) VALUES (${places})`).run(...values);
}

function unpacked(cell: Cell | Uint8Array): number | string | null | Uint8Array {
  if (typeof cell !== "object" || cell === null || cell instanceof Uint8Array) return cell;
  return new Uint8Array(Buffer.from(cell.base64, "base64"));
}
