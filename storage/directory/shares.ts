// Share links in D1: found by the SHA-256 of their token, with the merchant whose numbers they show and the filters
// that every question asked by them gets.

import { and, asc, eq, gt, isNull, or } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { SHARES_COUNT_MAX } from "../../core/limits.ts";
import { hashKey, hintOf } from "./credential.ts";
import type { Directory } from "./directory.ts";
import type { Merchant } from "./merchants.ts";
import { named } from "./named.ts";
import { merchants, shares } from "./schema.ts";

export type Share = Omit<typeof shares.$inferSelect, "hash">;

/** What a share link opens. */
export interface ShareHolder {
  readonly merchant: Merchant;
  readonly share: Pick<Share, "id" | "name" | "filters" | "expiresAt">;
}

/** Whose link a token is, expired or not. */
export async function findShareHolder(db: Directory, hash: string): Promise<ShareHolder | undefined> {
  const { filters, expiresAt } = shares;
  const [id, name] = [named(shares.id, "share_id"), named(shares.name, "share_name")];
  const [found] = await drizzle(db)
    .select({ merchant: merchants, share: { id, name, filters, expiresAt } })
    .from(shares)
    .innerJoin(merchants, eq(merchants.number, shares.merchant))
    .where(eq(shares.hash, hash));
  return found;
}

/** The origins whose pages may frame a link that has not ended; undefined where there is none of this id. */
export async function findEmbedOrigins(
  db: Directory,
  { id, now }: { readonly id: string; readonly now: number },
): Promise<readonly string[] | undefined> {
  const { embedOrigins } = shares;
  const lasts = or(isNull(shares.expiresAt), gt(shares.expiresAt, now));
  const [found] = await drizzle(db)
    .select({ embedOrigins })
    .from(shares)
    .where(and(eq(shares.id, id), lasts));
  return found?.embedOrigins;
}

export type NewShare = Omit<Share, "hint"> & { readonly token: string };

/** Makes a link; "full" when the merchant has as many as there may be. */
export async function createShare(db: Directory, { token, ...columns }: NewShare): Promise<Share | "full"> {
  const orm = drizzle(db);
  const count = await orm.$count(shares, eq(shares.merchant, columns.merchant));
  if (count >= SHARES_COUNT_MAX) return "full";
  const share = { ...columns, hint: hintOf(token) };
  await orm.insert(shares).values({ ...share, hash: hashKey(token) });
  return share;
}

/** All links of a merchant. */
export async function listShares(db: Directory, merchant: number): Promise<readonly Share[]> {
  const query = drizzle(db).select().from(shares).where(eq(shares.merchant, merchant));
  const rows = await query.orderBy(asc(shares.createdAt), asc(shares.id)).limit(SHARES_COUNT_MAX);
  return rows;
}

export async function revokeShare(db: Directory, { merchant, id }: { merchant: number; id: string }): Promise<boolean> {
  const where = and(eq(shares.merchant, merchant), eq(shares.id, id));
  const gone = await drizzle(db).delete(shares).where(where).returning({ id: shares.id });
  return gone.length > 0;
}
