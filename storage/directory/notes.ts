// Notes in D1: what happened on a Day of a merchant, for whoever reads its numbers. Everything is asked for with the
// merchant, so that no id opens another's.

import { and, asc, eq, gte, lte } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { NOTES_COUNT_MAX } from "../../core/limits.ts";
import type { Directory } from "./directory.ts";
import { notes } from "./schema.ts";

export type Note = typeof notes.$inferSelect;

/** The notes of the Days from `from` to `to`, both within, the earliest first. */
export async function listNotes(
  db: Directory,
  { merchant, from, to }: { merchant: number; from: number; to: number },
): Promise<readonly Note[]> {
  const where = and(eq(notes.merchant, merchant), gte(notes.day, from), lte(notes.day, to));
  const query = drizzle(db).select().from(notes).where(where);
  return await query.orderBy(asc(notes.day), asc(notes.createdAt), asc(notes.id)).limit(NOTES_COUNT_MAX);
}

/** Writes a note; "full" when the merchant has as many as there may be. */
export async function createNote(db: Directory, note: Note): Promise<"made" | "full"> {
  const orm = drizzle(db);
  if ((await orm.$count(notes, eq(notes.merchant, note.merchant))) >= NOTES_COUNT_MAX) return "full";
  await orm.insert(notes).values(note);
  return "made";
}

/** Whether the merchant had it. */
export async function deleteNote(db: Directory, { merchant, id }: { merchant: number; id: string }): Promise<boolean> {
  const where = and(eq(notes.merchant, merchant), eq(notes.id, id));
  return (await drizzle(db).delete(notes).where(where).returning({ id: notes.id })).length > 0;
}
