// Imports in D1: which files a merchant brought in, how far each is, and what its events' ids end with. A file is known
// by its digest, and one that has grown by the digest of its beginning.

import { and, count, desc, eq, getTableColumns, gt, isNotNull, lt, max, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { IMPORTS_ALIKE_MAX } from "../../core/limits.ts";
import type { Directory } from "./directory.ts";
import { imports } from "./schema.ts";

export type Import = typeof imports.$inferSelect;

/** An import as lists have it: without its Days. */
export interface ImportHead extends Omit<Import, "days"> {
  /** Whether it has been undone in part: it has a Day that no replay undoes, and others that one does. */
  readonly isLeft: boolean;
}

const { days: _, ...HEAD } = getTableColumns(imports);
/** Replays that undo an import, redone ones too (replay-job.ts). */
const OF_IMPORT = sql`replay_jobs.merchants = json_array(${imports.merchant}) AND replay_jobs.import = ${imports.number}
  AND replay_jobs.state NOT IN ('starting', 'abandoned', 'undone')`;
/** Days are looked through in D1, and only of an import that is undone. */
const IS_LEFT = sql<number>`EXISTS (SELECT 1 FROM replay_jobs WHERE ${OF_IMPORT}) AND EXISTS (
  SELECT 1 FROM json_each(${imports.days}) AS day WHERE NOT EXISTS (SELECT 1 FROM replay_jobs WHERE ${OF_IMPORT}
    AND from_day <= CAST(day.key AS INTEGER) AND to_day > CAST(day.key AS INTEGER)))`.mapWith(Boolean);
const LISTED = { ...HEAD, isLeft: IS_LEFT };

export interface ImportPage {
  readonly merchant: number;
  readonly before: number;
  /** Only those of files that begin so. */
  readonly head: string | undefined;
  readonly rowsMax: number;
}

/** A page of a merchant's imports, the newest first, below the number `before`. */
export async function listImports(
  db: Directory,
  { merchant, before, head, rowsMax }: ImportPage,
): Promise<readonly ImportHead[]> {
  const isAlike = head === undefined ? undefined : eq(imports.head, head);
  const where = and(eq(imports.merchant, merchant), lt(imports.number, before), isAlike);
  return drizzle(db).select(LISTED).from(imports).where(where).orderBy(desc(imports.number)).limit(rowsMax);
}

export async function findImport(
  db: Directory,
  { merchant, number }: Pick<Import, "merchant" | "number">,
): Promise<Import | undefined> {
  const where = and(eq(imports.merchant, merchant), eq(imports.number, number));
  const [found] = await drizzle(db).select().from(imports).where(where);
  return found;
}

/** The latest imports of files that begin alike, the newest first: of one file, and of what it was before it grew. */
export async function listAlike(
  db: Directory,
  { merchant, head }: Pick<Import, "merchant" | "head">,
): Promise<readonly ImportHead[]> {
  const where = and(eq(imports.merchant, merchant), eq(imports.head, head));
  const newest = desc(imports.number);
  return drizzle(db).select(LISTED).from(imports).where(where).orderBy(newest).limit(IMPORTS_ALIKE_MAX);
}

/** How many imports a merchant has begun since an instant, UTC ms. */
export async function countImports(
  db: Directory,
  { merchant, since }: { readonly merchant: number; readonly since: number },
): Promise<number> {
  const where = and(eq(imports.merchant, merchant), gt(imports.createdAt, since));
  const [counted] = await drizzle(db).select({ count: count() }).from(imports).where(where);
  return counted?.count ?? 0;
}

export async function lastImportNumber(db: Directory, merchant: number): Promise<number> {
  const [last] = await drizzle(db)
    .select({ number: max(imports.number) })
    .from(imports)
    .where(eq(imports.merchant, merchant));
  return last?.number ?? 0;
}

/** How many imports of rollups a merchant has, those that were taken back among them. */
export async function countRollupImports(db: Directory, merchant: number): Promise<number> {
  const where = and(eq(imports.merchant, merchant), isNotNull(imports.tables));
  const [counted] = await drizzle(db).select({ count: count() }).from(imports).where(where);
  return counted?.count ?? 0;
}

/** Adds an import under a number that was claimed for it. */
export async function createImport(db: Directory, row: Import): Promise<void> {
  await drizzle(db).insert(imports).values(row);
}

/** Notes how far an import is. */
export async function noteImport(
  db: Directory,
  {
    merchant,
    number,
    ...changes
  }: Pick<Import, "merchant" | "number"> & Partial<Pick<Import, "state" | "place" | "tally" | "finishedAt" | "undone">>,
): Promise<Import | undefined> {
  const where = and(eq(imports.merchant, merchant), eq(imports.number, number));
  const orm = drizzle(db);
  const [[changed]] = await orm.batch([
    orm.update(imports).set(changes).where(where).returning(),
    orm.run(sql.raw(noteSpans(merchant))),
  ]);
  return changed;
}

/**
 * Notes with a merchant which of its imports of rollups count, and for which Days (`ImportedSpan`): those that are
 * whole and were not taken back. In one transaction with what changes an import.
 */
function noteSpans(merchant: number): string {
  const spans = `SELECT json_object('number', number, 'source', source,
      'from', first_day, 'to', last_day,
      'tables', (SELECT json_group_object(key, json(value -> '$.counters')) FROM json_each(tables))) AS span
    FROM imports WHERE merchant = ${merchant} AND tables IS NOT NULL AND state = 'done' AND undone = 0 ORDER BY number`;
  const all = `(SELECT json_group_array(json(span)) FROM (${spans}))`;
  return `UPDATE merchants SET imported = ${all} WHERE number = ${merchant} AND imported <> ${all}`;
}
