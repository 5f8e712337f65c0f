// The subscriptions of merchants to messages (reports and alarms), in D1. What a merchant reads or changes is looked up
// with its number, so that no id opens another merchant's. The cron finds what is due by its instant.

import { and, asc, eq, inArray, lte, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { SUBSCRIPTIONS_COUNT_MAX } from "../../core/limits.ts";
import type { Directory } from "./directory.ts";
import { subscriptions } from "./schema.ts";

/** A row. It holds the secret, and the instants at which the next report and the next look at alarms are due. */
export type StoredSubscription = typeof subscriptions.$inferSelect;

/** All subscriptions of a merchant, the oldest first. */
export async function listSubscriptions(db: Directory, merchant: number): Promise<readonly StoredSubscription[]> {
  const query = drizzle(db).select().from(subscriptions).where(eq(subscriptions.merchant, merchant));
  const rows = await query.orderBy(asc(subscriptions.createdAt), asc(subscriptions.id)).limit(SUBSCRIPTIONS_COUNT_MAX);
  return rows;
}

interface Named {
  readonly merchant: number;
  readonly id: string;
}

const isIt = ({ merchant, id }: Named) => and(eq(subscriptions.merchant, merchant), eq(subscriptions.id, id));

export async function findSubscription(db: Directory, named: Named): Promise<StoredSubscription | undefined> {
  const [found] = await drizzle(db).select().from(subscriptions).where(isIt(named));
  return found;
}

/** Subscriptions of any merchants by their ids, for the sender of messages. */
export async function readSubscriptions(
  db: Directory,
  ids: readonly string[],
): Promise<ReadonlyMap<string, StoredSubscription>> {
  const wanted = sql`${subscriptions.id} IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`;
  const rows = await drizzle(db).select().from(subscriptions).where(wanted);
  return new Map(rows.map((row) => [row.id, row]));
}

/** "taken" if the merchant has one of that channel and target, "full" if it has as many as are allowed. */
export async function createSubscription(
  db: Directory,
  subscription: StoredSubscription,
): Promise<"made" | "taken" | "full"> {
  const orm = drizzle(db);
  const count = await orm.$count(subscriptions, eq(subscriptions.merchant, subscription.merchant));
  if (count >= SUBSCRIPTIONS_COUNT_MAX) return "full";
  const made = await orm.insert(subscriptions).values(subscription).onConflictDoNothing().returning();
  return made.length > 0 ? "made" : "taken";
}

/** Changes a subscription; undefined when the merchant has none of that id. */
export async function changeSubscription(
  db: Directory,
  { merchant, id, ...changes }: Named & Partial<StoredSubscription>,
): Promise<StoredSubscription | undefined> {
  const [changed] = await drizzle(db).update(subscriptions).set(changes).where(isIt({ merchant, id })).returning();
  return changed;
}

export async function deleteSubscription(db: Directory, named: Named): Promise<boolean> {
  const gone = await drizzle(db).delete(subscriptions).where(isIt(named)).returning({ id: subscriptions.id });
  return gone.length > 0;
}

/** Subscriptions whose next report is due. The one that has been due for longest comes first. */
export async function listReportsDue(
  db: Directory,
  { now, rowsMax }: { readonly now: number; readonly rowsMax: number },
): Promise<readonly StoredSubscription[]> {
  const query = drizzle(db).select().from(subscriptions).where(lte(subscriptions.reportAt, now));
  const rows = await query.orderBy(asc(subscriptions.reportAt), asc(subscriptions.id)).limit(rowsMax);
  return rows;
}

/** Merchants whose alarms are to be looked at. The one that has been due for longest comes first. */
export async function listLooksDue(
  db: Directory,
  { now, rowsMax }: { readonly now: number; readonly rowsMax: number },
): Promise<readonly number[]> {
  const query = drizzle(db).select({ merchant: subscriptions.merchant }).from(subscriptions);
  const due = query.where(lte(subscriptions.lookAt, now)).groupBy(subscriptions.merchant);
  const rows = await due.orderBy(asc(sql`min(${subscriptions.lookAt})`)).limit(rowsMax);
  return rows.map(({ merchant }) => merchant);
}

/**
 * Sets when a merchant's alarms are looked at next, for those of its subscriptions that are due. One that was changed
 * during the look, such as by a pause, is due when that says.
 */
export async function setNextLook(
  db: Directory,
  { ids, now, at }: { readonly ids: readonly string[]; readonly now: number; readonly at: number },
): Promise<void> {
  await drizzle(db)
    .update(subscriptions)
    .set({ lookAt: at })
    .where(and(inArray(subscriptions.id, [...ids]), lte(subscriptions.lookAt, now)));
}
