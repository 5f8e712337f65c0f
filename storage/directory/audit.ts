// The audit log in D1: who did what to whom. An entry is written before the act and completed after it, so no act is
// without one. If the log cannot be written, nothing is done. If the Worker dies between the two, the entry stays
// "unknown". The entry of a refused act is removed again.

import { and, desc, eq, inArray, lt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { AUDIT_FORGET_ROWS } from "../../core/limits.ts";
import type { Directory } from "./directory.ts";
import { type AuditDetails, audit, merchants } from "./schema.ts";

export interface AuditEntry {
  readonly id: number;
  readonly at: number;
  readonly actor: string;
  /** The merchant's id. */
  readonly merchant: string | null;
  readonly act: string;
  readonly target: string | null;
  readonly details: AuditDetails;
  readonly outcome: "unknown" | "done";
}

export interface NewAuditEntry {
  readonly at: number;
  readonly actor: string;
  /** Number of the merchant. */
  readonly merchant: number | null;
  readonly act: string;
  readonly target: string | null;
}

/** Notes an act that is about to be done, and returns the entry's id. */
export async function openEntry(db: Directory, entry: NewAuditEntry): Promise<number> {
  const opened = await drizzle(db)
    .insert(audit)
    .values({ ...entry, details: {}, outcome: "unknown" })
    .returning({ id: audit.id });
  return opened[0]?.id as number;
}

/** Notes an act that was done. */
export async function noteAct(db: Directory, entry: NewAuditEntry): Promise<void> {
  await drizzle(db)
    .insert(audit)
    .values({ ...entry, details: {}, outcome: "done" });
}

/** Completes the entry of an act that was done. A second call changes nothing. */
export async function closeEntry(
  db: Directory,
  { id, ...known }: { id: number; target: string | null; merchant: number | null; details: AuditDetails },
): Promise<void> {
  await drizzle(db)
    .update(audit)
    .set({ ...known, outcome: "done" })
    .where(eq(audit.id, id));
}

/** Removes the entry of an act that was refused. */
export async function dropEntry(db: Directory, id: number): Promise<void> {
  await drizzle(db).delete(audit).where(eq(audit.id, id));
}

/** A page of the log, newest first: of one merchant, or all of it. */
export async function listEntries(
  db: Directory,
  { merchant, before, rowsMax }: { merchant: number | undefined; before: number; rowsMax: number },
): Promise<readonly AuditEntry[]> {
  const ofMerchant = merchant === undefined ? undefined : eq(audit.merchant, merchant);
  const { id, at, actor, act, target, details, outcome } = audit;
  const rows = await drizzle(db)
    .select({
      id,
      at,
      actor,
      merchant: sql<string | null>`${merchants.id}`.as("merchant_id"),
      act,
      target,
      details,
      outcome,
    })
    .from(audit)
    .leftJoin(merchants, eq(merchants.number, audit.merchant))
    .where(and(ofMerchant, lt(id, before)))
    .orderBy(desc(id))
    .limit(rowsMax);
  return rows;
}

/**
 * Deletes the oldest entries from before `before` (UTC ms), a few at a time. Entries are in the order of their time.
 */
export async function forgetEntries(db: Directory, before: number): Promise<void> {
  const orm = drizzle(db);
  const oldest = orm.select({ id: audit.id }).from(audit).orderBy(audit.id).limit(AUDIT_FORGET_ROWS);
  await orm.delete(audit).where(and(inArray(audit.id, oldest), lt(audit.at, before)));
}
