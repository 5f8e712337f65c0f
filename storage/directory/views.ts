// Saved views in D1: addresses of the dashboard that a merchant keeps under a name. A saved funnel is one too, because
// the steps of a funnel are in the address. Everything is asked for with the merchant, so that no id opens another's.

import { and, asc, eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { VIEWS_COUNT_MAX } from "../../core/limits.ts";
import type { Directory } from "./directory.ts";
import { views } from "./schema.ts";

export type SavedView = typeof views.$inferSelect;

/** All saved views of a merchant, by name. */
export async function listViews(db: Directory, merchant: number): Promise<readonly SavedView[]> {
  const query = drizzle(db).select().from(views).where(eq(views.merchant, merchant));
  return await query.orderBy(asc(views.name), asc(views.id)).limit(VIEWS_COUNT_MAX);
}

/** Saves a view. "taken" when the merchant has one of that name, "full" when it has as many as there may be. */
export async function createView(db: Directory, view: SavedView): Promise<"made" | "taken" | "full"> {
  const orm = drizzle(db);
  if ((await orm.$count(views, eq(views.merchant, view.merchant))) >= VIEWS_COUNT_MAX) return "full";
  const made = await orm.insert(views).values(view).onConflictDoNothing().returning({ id: views.id });
  return made.length > 0 ? "made" : "taken";
}

/** Whether the merchant had it. */
export async function deleteView(db: Directory, { merchant, id }: { merchant: number; id: string }): Promise<boolean> {
  const where = and(eq(views.merchant, merchant), eq(views.id, id));
  return (await drizzle(db).delete(views).where(where).returning({ id: views.id })).length > 0;
}
