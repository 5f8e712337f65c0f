// People and programs that run the deployment, each by a token of its own, so that the audit log says who it was and
// one can go without the others. A token is found by its SHA-256.

import { asc, eq, getTableColumns, or, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { hashKey, hintOf } from "./credential.ts";
import type { Directory } from "./directory.ts";
import { type OperatorScope, operators } from "./schema.ts";

const { hash: _, ...SHOWN_COLUMNS } = getTableColumns(operators);

/** An operator as lists show it: without the hash. */
export type Operator = Omit<typeof operators.$inferSelect, "hash">;

/** Whom Cloudflare Access vouches for; both null for whoever has the token. */
export interface OperatorBy {
  readonly email: string | null;
  readonly group: string | null;
}

export interface NewOperator {
  readonly id: string;
  readonly name: string;
  readonly scope: OperatorScope;
  /** The token, or a secret that nobody is told where `by` says who it is. */
  readonly secret: string;
  readonly by: OperatorBy;
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

export async function createOperator(db: Directory, { secret, by, ...columns }: NewOperator): Promise<Operator> {
  const hasToken = by.email === null && by.group === null;
  const operator = { ...columns, ...by, hint: hasToken ? hintOf(secret) : "" };
  await drizzle(db)
    .insert(operators)
    .values({ ...operator, hash: hashKey(secret) });
  return operator;
}

/**
 * The operators that somebody is whom Access vouches for, ended ones included: the one of the address, or else those of
 * the groups.
 */
export async function findVouched(
  db: Directory,
  { email, groups }: { readonly email: string; readonly groups: readonly string[] },
): Promise<readonly Operator[]> {
  const listed = sql`${operators.group} IN (SELECT value FROM json_each(${JSON.stringify(groups)}))`;
  const found = await drizzle(db)
    .select(SHOWN_COLUMNS)
    .from(operators)
    .where(or(eq(operators.email, email), listed));
  const own = found.filter((operator) => operator.email === email);
  return own.length > 0 ? own : found;
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
