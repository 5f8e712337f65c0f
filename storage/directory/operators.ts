// People and programs that run the deployment, each by a token of its own, so that the audit log says who it was and
// one can go without the others. A token is found by its SHA-256.

import { asc, eq, getTableColumns } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { hashKey, hintOf } from "./credential.ts";
import type { Directory } from "./directory.ts";
import { type OperatorScope, operators } from "./schema.ts";

const { hash: _, ...SHOWN_COLUMNS } = getTableColumns(operators);

/** An operator as lists show it: without the hash. */
export type Operator = Omit<typeof operators.$inferSelect, "hash">;

export interface NewOperator {
  readonly id: string;
  readonly name: string;
  readonly scope: OperatorScope;
  readonly secret: string;
  /** UTC ms. */
  readonly createdAt: number;
  /** UTC ms; null for never. */
  readonly expiresAt: number | null;
}

/** Whose token it is, expired or not; undefined when it is nobody's. */
export async function findOperator(db: Directory, token: string): Promise<Operator | undefined> {
  const [found] = await drizzle(db)
    .select(SHOWN_COLUMNS)
    .from(operators)
    .where(eq(operators.hash, hashKey(token)));
  return found;
}

export async function createOperator(db: Directory, { secret, ...columns }: NewOperator): Promise<Operator> {
  const operator = { ...columns, hint: hintOf(secret) };
  await drizzle(db)
    .insert(operators)
    .values({ ...operator, hash: hashKey(secret) });
  return operator;
}

/** All of them: they are few (OPERATORS_COUNT_MAX). */
export async function listOperators(db: Directory): Promise<readonly Operator[]> {
  return drizzle(db).select(SHOWN_COLUMNS).from(operators).orderBy(asc(operators.id));
}

/** Whether there was one. */
export async function revokeOperator(db: Directory, id: string): Promise<boolean> {
  const gone = await drizzle(db).delete(operators).where(eq(operators.id, id)).returning({ id: operators.id });
  return gone.length > 0;
}
