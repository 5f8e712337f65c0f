// Saved views in D1: addresses of the dashboard that a merchant keeps under a name, or that one of its members keeps
// for itself. A saved funnel is one too, because the steps of a funnel are in the address. Everything is asked for with
// the merchant and with whose it is, so that no id opens another's.

import { and, asc, eq, inArray, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { OWN_VIEWS_COUNT_MAX, VIEWS_COUNT_MAX } from "../../core/limits.ts";
import type { Directory } from "./directory.ts";
import { views } from "./schema.ts";

export type SavedView = typeof views.$inferSelect;

/** The owner of views that are the merchant's. */
export const OF_MERCHANT = "";

/** A view as somebody may name it. */
interface Named {
  readonly merchant: number;
  /** A member's id, or OF_MERCHANT. */
  readonly owner: string;
  readonly id: string;
}

/** The views of a merchant that these owners have, by name. */
export async function listViews(
  db: Directory,
  { merchant, owners }: { readonly merchant: number; readonly owners: readonly string[] },
): Promise<readonly SavedView[]> {
  const where = and(eq(views.merchant, merchant), inArray(views.owner, owners));
  const query = drizzle(db).select().from(views).where(where);
  return await query.orderBy(asc(views.name), asc(views.id)).limit(VIEWS_COUNT_MAX + OWN_VIEWS_COUNT_MAX);
}

/** Saves a view. "taken" when its owner has one of that name, "full" when there are as many as there may be. */
export async function createView(db: Directory, view: SavedView): Promise<"made" | "taken" | "full"> {
  const orm = drizzle(db);
  const most = view.owner === OF_MERCHANT ? VIEWS_COUNT_MAX : OWN_VIEWS_COUNT_MAX;
  const ofOwner = and(eq(views.merchant, view.merchant), eq(views.owner, view.owner));
  if ((await orm.$count(views, ofOwner)) >= most) return "full";
  const made = await orm.insert(views).values(view).onConflictDoNothing().returning({ id: views.id });
  return made.length > 0 ? "made" : "taken";
}

/**
 * Gives a view another name. "taken" when its owner has another of that name; undefined where there is no such
 * view.
 */
export async function renameView(
  db: Directory,
  { merchant, owner, id, name }: Named & { readonly name: string },
): Promise<SavedView | "taken" | undefined> {
  const orm = drizzle(db);
  const named = and(eq(views.merchant, merchant), eq(views.owner, owner), eq(views.id, id));
  const isFree = sql`NOT EXISTS (SELECT 1 FROM views AS other WHERE other.merchant = ${merchant}
    AND other.owner = ${owner} AND other.name = ${name} AND other.id <> ${id})`;
  const [renamed] = await orm.update(views).set({ name }).where(and(named, isFree)).returning();
  return renamed ?? ((await orm.$count(views, named)) > 0 ? "taken" : undefined);
}

/** Whether there was such a view. */
export async function deleteView(db: Directory, { merchant, owner, id }: Named): Promise<boolean> {
  const where = and(eq(views.merchant, merchant), eq(views.owner, owner), eq(views.id, id));
  return (await drizzle(db).delete(views).where(where).returning({ id: views.id })).length > 0;
}
