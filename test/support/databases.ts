// The directory and some ledgers on node:sqlite, each a database of its own, as D1 has them; and one connection that
// sees the tables of all of them, for a test's own look at what lies there. Where several ledgers have a table of one
// name, that connection sees the rows of all.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { ArchiveBucket } from "../../storage/archive/bucket.ts";
import type { Directory } from "../../storage/directory/directory.ts";
import { type Ledger, type Ledgers, ledgersOf, withMonths } from "../../storage/ledger/ledgers.ts";
import { memoryArchive } from "./memory-bucket.ts";
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

/** Makes databases with the schema and nothing in them. `bucket` is where month files lie. */
export function makeDatabases(ledgers = 1, bucket?: ArchiveBucket): Databases {
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
  const all = ledgerFiles.map((ledger) => withMonths(sqliteD1(ledger), bucket));
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

/** A database that may stand for either, with the bucket of month files where it has one. */
export type AnyDatabase = D1Database & Pick<Ledger, "months">;

/** One database as the directory and as the only ledger, for a test that looks at, or breaks, all that goes through. */
export function storageOf(d1: AnyDatabase): Pick<Databases, "directory" | "ledgers"> {
  return { directory: d1, ledgers: ledgersOf([d1]) };
}

/** Puts the tables of the directory and of a ledger into one database. */
export function migrateBoth(database: DatabaseSync): void {
  for (const statement of [...SCHEMAS.directory, ...SCHEMAS.ledger]) database.exec(statement);
}

/**
 * The same databases, and the bucket, for somebody who dies at the call of number `fatal`, before or after it takes
 * effect, and does nothing after.
 */
export function dyingStorage(
  { directory, ledgers, bucket = memoryArchive() }: DyingStorage & { readonly bucket?: ArchiveBucket },
  { fatal, isAfter }: { readonly fatal: number; readonly isAfter: boolean },
): DyingStorage & { readonly bucket: ArchiveBucket; readonly calls: () => number } {
  let calls = 0;
  const call = async <T>(effect: () => Promise<T>): Promise<T> => {
    const number = calls++;
    if (number > fatal || (number === fatal && !isAfter)) throw new Error("killed");
    const result = await effect();
    if (number === fatal) throw new Error("killed");
    return result;
  };
  const dyingBucket: ArchiveBucket = {
    list: (options) => call(() => bucket.list(options)),
    get: (key, options) => call(() => bucket.get(key, options)),
    put: (key, value, options) => call(() => bucket.put(key, value, options)),
    delete: (keys) => call(() => bucket.delete(keys)),
  };
  const dying = (d1: AnyDatabase): AnyDatabase => {
    const statement = (own: D1PreparedStatement): object => ({
      own,
      bind: (...values: unknown[]) => statement(own.bind(...values)),
      all: () => call(() => own.all()),
      run: () => call(() => own.run()),
      raw: () => call(() => own.raw()),
    });
    return {
      months: d1.months && dyingBucket,
      prepare: (text: string) => statement(d1.prepare(text)),
      batch: (statements: readonly { readonly own: D1PreparedStatement }[]) =>
        call(() => d1.batch(statements.map(({ own }) => own))),
    } as unknown as AnyDatabase;
  };
  const dead = { directory: dying(directory), ledgers: ledgersOf(ledgers.all.map(dying)) };
  return { ...dead, bucket: dyingBucket, calls: () => calls };
}

type DyingStorage = Pick<Databases, "directory" | "ledgers">;
