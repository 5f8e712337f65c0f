// API keys in D1. A key is found by the SHA-256 of its text, together with the merchant it opens: one statement for
// each question, and the query Worker remembers the answer for a while. Rotating keeps the row and its id: the hash
// moves to `previous_hash`, where it is good for a grace. Revoking deletes the row, and both secrets with it.

import { and, asc, eq, getTableColumns, gt, isNull, lt, or, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { KEY_USE_NOTED_EVERY_MS } from "../../core/limits.ts";
import { hashKey, hintOf } from "./credential.ts";
import type { Directory } from "./directory.ts";
import type { Merchant } from "./merchants.ts";
import { named } from "./named.ts";
import { apiKeys, merchants, type Scope } from "./schema.ts";

const { hash: _, previousHash: __, ...SHOWN_COLUMNS } = getTableColumns(apiKeys);

/** A key as lists show it: without hashes. */
export type ApiKey = Omit<typeof apiKeys.$inferSelect, "hash" | "previousHash">;

/** A key and the merchant it opens. */
export interface KeyHolder {
  readonly merchant: Merchant;
  readonly id: string;
  readonly scope: Scope;
  /** UTC ms; null for never. */
  readonly expiresAt: number | null;
  /** Until when this secret of the key is good, UTC ms; null for as long as the key is. */
  readonly secretUntil: number | null;
  /** UTC ms. */
  readonly lastUsedAt: number | null;
}

/** Who holds a key, expired or not; undefined when nobody does. */
export async function findKeyHolder(db: Directory, hash: string): Promise<KeyHolder | undefined> {
  const { scope, expiresAt, lastUsedAt, previousUntil } = apiKeys;
  const id = named(apiKeys.id, "key_id");
  const secretUntil = sql<number | null>`CASE WHEN ${apiKeys.hash} = ${hash} THEN NULL ELSE ${previousUntil} END`.as(
    "secret_until",
  );
  const [found] = await drizzle(db)
    .select({ merchant: merchants, id, scope, expiresAt, lastUsedAt, secretUntil })
    .from(apiKeys)
    .innerJoin(merchants, eq(merchants.number, apiKeys.merchant))
    .where(or(eq(apiKeys.hash, hash), eq(apiKeys.previousHash, hash)));
  return found;
}

export interface NewApiKey {
  readonly id: string;
  readonly merchant: number;
  readonly name: string;
  readonly scope: Scope;
  readonly secret: string;
  readonly createdAt: number;
  readonly expiresAt: number | null;
}

export async function createApiKey(db: Directory, { secret, ...columns }: NewApiKey): Promise<ApiKey> {
  const key = { ...columns, hint: hintOf(secret), lastUsedAt: null, previousUntil: null };
  await drizzle(db)
    .insert(apiKeys)
    .values({ ...key, hash: hashKey(secret) });
  return key;
}

/** A page of a merchant's keys by id. */
export async function listApiKeys(
  db: Directory,
  { merchant, after, rowsMax }: { merchant: number; after: string; rowsMax: number },
): Promise<readonly ApiKey[]> {
  const rows = await drizzle(db)
    .select(SHOWN_COLUMNS)
    .from(apiKeys)
    .where(and(eq(apiKeys.merchant, merchant), gt(apiKeys.id, after)))
    .orderBy(asc(apiKeys.id))
    .limit(rowsMax);
  return rows;
}

/** How many keys a merchant has. */
export async function countApiKeys(db: Directory, merchant: number): Promise<number> {
  const keys = await drizzle(db).$count(apiKeys, eq(apiKeys.merchant, merchant));
  return keys;
}

export interface Rotation {
  readonly merchant: number;
  readonly id: string;
  readonly secret: string;
  /** Until when the secret of now is still good, UTC ms. */
  readonly previousUntil: number;
}

/** Gives a merchant's key a new secret. The one before stays good for a while; one from before that does not. Undefined
 *  when the merchant has no such key. */
export async function rotateApiKey(
  db: Directory,
  { merchant, id, secret, previousUntil }: Rotation,
): Promise<ApiKey | undefined> {
  const [rotated] = await drizzle(db)
    .update(apiKeys)
    .set({ previousHash: sql`${apiKeys.hash}`, previousUntil, hash: hashKey(secret), hint: hintOf(secret) })
    .where(and(eq(apiKeys.merchant, merchant), eq(apiKeys.id, id)))
    .returning(SHOWN_COLUMNS);
  return rotated;
}

/** Notes that a key was used. The condition keeps it to one row write an hour, however many isolates see the key. */
export async function noteKeyUse(db: Directory, { id, now }: { id: string; now: number }): Promise<void> {
  const isOld = or(isNull(apiKeys.lastUsedAt), lt(apiKeys.lastUsedAt, now - KEY_USE_NOTED_EVERY_MS));
  await drizzle(db)
    .update(apiKeys)
    .set({ lastUsedAt: now })
    .where(and(eq(apiKeys.id, id), isOld));
}

/** Deletes a merchant's key. False when the merchant has no such key. */
export async function revokeApiKey(
  db: Directory,
  { merchant, id }: { merchant: number; id: string },
): Promise<boolean> {
  const where = and(eq(apiKeys.merchant, merchant), eq(apiKeys.id, id));
  const deleted = await drizzle(db).delete(apiKeys).where(where).returning({ id: apiKeys.id });
  return deleted.length > 0;
}
