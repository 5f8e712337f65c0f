// Segments in D1: a merchant's saved filters. A name is one merchant's own and unique there; everything is asked for
// with the merchant, so that no id opens another's.

import { and, asc, eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { SEGMENTS_COUNT_MAX } from "../../core/limits.ts";
import type { Directory } from "./directory.ts";
import { segments } from "./schema.ts";

export type Segment = typeof segments.$inferSelect;

/** All segments of a merchant. */
export async function listSegments(db: Directory, merchant: number): Promise<readonly Segment[]> {
  const query = drizzle(db).select().from(segments).where(eq(segments.merchant, merchant));
  const rows = await query.orderBy(asc(segments.createdAt), asc(segments.id)).limit(SEGMENTS_COUNT_MAX);
  return rows;
}

/** Saves a segment. "taken" when the merchant has one of that name, "full" when it has as many as there may be. */
export async function createSegment(db: Directory, segment: Segment): Promise<"made" | "taken" | "full"> {
  const orm = drizzle(db);
  const count = await orm.$count(segments, eq(segments.merchant, segment.merchant));
  if (count >= SEGMENTS_COUNT_MAX) return "full";
  const made = await orm.insert(segments).values(segment).onConflictDoNothing().returning({ id: segments.id });
  return made.length > 0 ? "made" : "taken";
}

/** Changes a segment; undefined when the merchant has none of that id, "taken" when it has another one of that name. */
export async function changeSegment(
  db: Directory,
  { merchant, id, ...changes }: Pick<Segment, "merchant" | "id" | "updatedAt"> & Partial<Segment>,
): Promise<Segment | "taken" | undefined> {
  const { name } = changes;
  const isFree =
    name === undefined
      ? undefined
      : sql`NOT EXISTS (SELECT 1 FROM segments AS other WHERE other.merchant = ${merchant} AND other.name = ${name} AND other.id <> ${id})`;
  const isIt = and(eq(segments.merchant, merchant), eq(segments.id, id));
  const [changed] = await drizzle(db).update(segments).set(changes).where(and(isIt, isFree)).returning();
  if (changed !== undefined) return changed;
  const [known] = await drizzle(db).select({ id: segments.id }).from(segments).where(isIt);
  return known === undefined ? undefined : "taken";
}

export async function deleteSegment(
  db: Directory,
  { merchant, id }: { merchant: number; id: string },
): Promise<boolean> {
  const where = and(eq(segments.merchant, merchant), eq(segments.id, id));
  const gone = await drizzle(db).delete(segments).where(where).returning({ id: segments.id });
  return gone.length > 0;
}
