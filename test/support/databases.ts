// The directory and some ledgers on node:sqlite, each a database of its own, as D1 has them; and one connection that
// sees the tables of all of them, for a test's own look at what lies there. Where several ledgers have a table of one
// name, that connection sees the rows of all.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Directory } from "../../storage/directory/directory.ts";
import { type Ledgers, ledgersOf } from "../../storage/ledger/ledgers.ts";
import { sqliteD1 } from "./sqlite.ts";

const ROOMS = join(import.meta.dirname, "../../storage");
const SCHEMAS = { directory: schemaOf("directory"), ledger: schemaOf("ledger") };

function schemaOf(room: "directory" | "ledger"): readonly string[] {
  const folder = join(ROOMS, room, "migrations");
  const files = readdirSync(folder).filter((file) => file.endsWith(".sql"));
  return files.sort().flatMap((file) => readFileSync(join(folder, file), "utf8").split("--> statement-breakpoint"));
}

export interface Databases {
  readonly directory: Directory;
  readonly ledgers: Ledgers;
  /** Sees every table. With one ledger it writes them too. */
  readonly database: DatabaseSync;
  /** The ledgers themselves, by position. */
  readonly ledgerFiles: readonly DatabaseSync[];
}

let made = 0;

/** Makes databases with the schema and nothing in them. */
export function makeDatabases(ledgers = 1): Databases {
  made += 1;
  const nameOf = (room: string) => `file:footfall-${process.pid}-${made}-${room}?mode=memory&cache=shared`;
  const open = (room: string, schema: readonly string[]) => {
    const database = new DatabaseSync(nameOf(room));
    for (const statement of schema) database.exec(statement);
    return database;
  };
  const directory = open("directory", SCHEMAS.directory);
  const ledgerFiles = Array.from({ length: ledgers }, (_, position) => open(`ledger${position}`, SCHEMAS.ledger));
  const database = new DatabaseSync(":memory:");
  database.exec(`ATTACH '${nameOf("directory")}' AS directory`);
  for (let position = 0; position < ledgers; position++)
    database.exec(`ATTACH '${nameOf(`ledger${position}`)}' AS ledger${position}`);
  if (ledgers > 1) seeAll(database, ledgers);
  const all = ledgerFiles.map((ledger) => sqliteD1(ledger));
  return { directory: sqliteD1(directory), ledgers: ledgersOf(all), database, ledgerFiles };
}

/** A view of all ledgers for each of their tables. */
function seeAll(database: DatabaseSync, ledgers: number): void {
  const tables = database.prepare("SELECT name FROM ledger0.sqlite_master WHERE type = 'table'").all();
  for (const { name } of tables) {
    const each = Array.from({ length: ledgers }, (_, position) => `SELECT * FROM ledger${position}."${name}"`);
    if (!String(name).startsWith("sqlite_")) database.exec(`CREATE TEMP VIEW "${name}" AS ${each.join(" UNION ALL ")}`);
  }
}

/** One database as the directory and as the only ledger, for a test that looks at, or breaks, all that goes through. */
export function storageOf(d1: D1Database): Pick<Databases, "directory" | "ledgers"> {
  return { directory: d1, ledgers: ledgersOf([d1]) };
}

/** Puts the tables of the directory and of a ledger into one database. */
export function migrateBoth(database: DatabaseSync): void {
  for (const statement of [...SCHEMAS.directory, ...SCHEMAS.ledger]) database.exec(statement);
}

/**
 * The same databases for somebody who dies at the call of number `fatal`, before or after it takes
 * effect, and does nothing after.
 */
export function dyingStorage(
  { directory, ledgers }: Pick<Databases, "directory" | "ledgers">,
  { fatal, isAfter }: { readonly fatal: number; readonly isAfter: boolean },
): Pick<Databases, "directory" | "ledgers"> & { readonly calls: () => number } {
  let calls = 0;
  const call = async <T>(effect: () => Promise<T>): Promise<T> => {
    const number = calls++;
    if (number > fatal || (number === fatal && !isAfter)) throw new Error("killed");
    const result = await effect();
    if (number === fatal) throw new Error("killed");
    return result;
  };
  const dying = (d1: D1Database): D1Database => {
    const statement = (own: D1PreparedStatement): object => ({
      own,
      bind: (...values: unknown[]) => statement(own.bind(...values)),
      all: () => call(() => own.all()),
      run: () => call(() => own.run()),
      raw: () => call(() => own.raw()),
    });
    return {
      prepare: (text: string) => statement(d1.prepare(text)),
      batch: (statements: readonly { readonly own: D1PreparedStatement }[]) =>
        call(() => d1.batch(statements.map(({ own }) => own))),
    } as unknown as D1Database;
  };
  return { directory: dying(directory), ledgers: ledgersOf(ledgers.all.map(dying)), calls: () => calls };
}
