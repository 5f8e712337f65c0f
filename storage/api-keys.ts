// API keys in D1. A key is found by the SHA-256 of its text, together with the merchant it opens: one statement for each
// question, and the query Worker remembers the answer for a while. Revoking deletes the row.

import { and, asc, eq, gt } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { Metered } from "../core/meter.ts";
import { hashKey, hintOf } from "./credential.ts";
import type { Merchant } from "./merchants.ts";
import { apiKeys, merchants } from "./schema.ts";

export type ApiKey = Omit<typeof apiKeys.$inferSelect, "hash">;

/** A key and the merchant it opens. */
export interface KeyHolder {
  readonly merchant: Merchant;
  /** UTC ms; null for never. */
  readonly expiresAt: number | null;
}

/** Who holds a key, expired or not; undefined when nobody does. */
export async function findKeyHolder(db: D1Database, hash: string, meter: Metered): Promise<KeyHolder | undefined> {
  const [found] = await drizzle(db)
    .select({ merchant: merchants, expiresAt: apiKeys.expiresAt })
    .from(apiKeys)
    .innerJoin(merchants, eq(merchants.number, apiKeys.merchant))
    .where(eq(apiKeys.hash, hash));
  meter.d1_rows_read += 2;
  return found;
}

export interface NewApiKey {
  readonly id: string;
  readonly merchant: number;
  readonly name: string;
  readonly secret: string;
  readonly createdAt: number;
  readonly expiresAt: number | null;
}

export async function createApiKey(db: D1Database, { secret, ...columns }: NewApiKey, meter: Metered): Promise<ApiKey> {
  const key = { ...columns, hint: hintOf(secret) };
  await drizzle(db)
    .insert(apiKeys)
    .values({ ...key, hash: hashKey(secret) });
  meter.d1_rows_written += 1;
  return key;
}

/** A page of a merchant's keys by id, without their hashes. */
export async function listApiKeys(
  db: D1Database,
  { merchant, after, rowsMax }: { merchant: number; after: string; rowsMax: number },
  meter: Metered,
): Promise<readonly ApiKey[]> {
  const { id, name, hint, createdAt, expiresAt } = apiKeys;
  const rows = await drizzle(db)
    .select({ id, merchant: apiKeys.merchant, name, hint, createdAt, expiresAt })
    .from(apiKeys)
    .where(and(eq(apiKeys.merchant, merchant), gt(id, after)))
    .orderBy(asc(id))
    .limit(rowsMax);
  meter.d1_rows_read += rows.length;
  return rows;
}

/** Deletes a merchant's key. False when the merchant has no such key. */
export async function revokeApiKey(
  db: D1Database,
  { merchant, id }: { merchant: number; id: string },
  meter: Metered,
): Promise<boolean> {
  const where = and(eq(apiKeys.merchant, merchant), eq(apiKeys.id, id));
  const deleted = await drizzle(db).delete(apiKeys).where(where).returning({ id: apiKeys.id });
  meter.d1_rows_written += deleted.length;
  return deleted.length > 0;
}
