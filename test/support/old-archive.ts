// The archive and the rollups that version 0.1 left behind (test/golden/archive-0.1), put into a world of today:
// objects as they are, to the byte, and rows of D1 with the columns of today. Nothing else carries rows of 0.1 over:
// its database is not read any more, but its meanings are what a rebuild has to change.

import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { SealedWorld } from "./sealed-world.ts";

const FOLDER = join(import.meta.dirname, "../golden/archive-0.1");
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
  const stored = JSON.parse(readFileSync(join(FOLDER, "d1.json"), "utf8")) as Readonly<Record<string, readonly Row[]>>;
  for (const table of TABLES)
    for (const row of stored[table] ?? []) insert(world.database, table, table === "archive_days" ? row : toToday(row));
}

/**
 * A rollup of 0.1 as one of today: its revenue is of the merchant's currency, all its visitors are in the sketch and
 * count as known, and its breakdowns, packed otherwise, are gone.
 */
function toToday({ revenue, foreign_revenue: _, ...row }: Row): Row {
  const kept = Object.entries(row).filter(([name]) => !name.startsWith("by_"));
  const money = revenue === 0 ? {} : { EUR: [revenue, revenue, 0, 0, 0, 0] };
  const since = { known: row["visitors"] as number, orders: 0, refunds: 0, units: 0, money: JSON.stringify(money) };
  return { ...Object.fromEntries(kept), ...since };
}

function insert(database: DatabaseSync, table: string, row: Row): void {
  const names = Object.keys(row).map((name) => `"${name}"`);
  const places = names.map(() => "?").join();
  const values = Object.values(row).map((cell) => unpacked(cell));
  database.prepare(`INSERT INTO ${table} (${names.join()}) VALUES (${places})`).run(...values);
}

function unpacked(cell: Cell): number | string | null | Uint8Array {
  if (typeof cell !== "object" || cell === null) return cell;
  return new Uint8Array(Buffer.from(cell.base64, "base64"));
}
