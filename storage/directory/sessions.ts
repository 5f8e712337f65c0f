// Sessions in D1, and the counters of attempts to sign in. A session is found by the SHA-256 of its token, with
// its members and their merchants as they are now: a role that was changed or a member that was removed counts at
// once. Attempts are counted before they are judged, and for names nobody has just as for others, so counting
// tells nobody who is a member.

import { and, asc, eq, gt, inArray, lt, lte, ne, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { MEMBERSHIPS_COUNT_MAX, SESSIONS_FORGET_ROWS } from "../../core/limits.ts";
import { hashKey } from "./credential.ts";
import type { Directory } from "./directory.ts";
import { inJson, MEMBER_COLUMNS, type Membership } from "./members.ts";
import { invites, members, merchants, sessions, signIns } from "./schema.ts";

/** Who somebody says to be. */
export interface Claim {
  readonly email: string;
}

/** A member as signing in needs it. */
export interface Candidate {
  readonly id: string;
  readonly merchant: number;
  readonly password: string | null;
}

/** What attempts are counted by: a name, and from where. */
export interface Attempt {
  readonly claim: Claim;
  /** A browser that is known, an address, or what strangers share. */
  readonly from: string;
}

/** Counts an attempt, and answers how many there were in this period of so many seconds. */
export async function countAttempt(
  db: Directory,
  { now, seconds, ...attempt }: Attempt & { readonly now: number; readonly seconds: number },
): Promise<number> {
  const until = now + seconds * 1_000;
  const isOver = sql`${signIns.until} <= ${now}`;
  const counted = await drizzle(db)
    .insert(signIns)
    .values({ hash: hashOf(attempt), attempts: 1, until })
    .onConflictDoUpdate({
      target: signIns.hash,
      set: {
        attempts: sql`CASE WHEN ${isOver} THEN 1 ELSE ${signIns.attempts} + 1 END`,
        until: sql`CASE WHEN ${isOver} THEN ${until} ELSE ${signIns.until} END`,
      },
    })
    .returning({ attempts: signIns.attempts });
  return counted[0]?.attempts ?? 1;
}

/** Whom a claim names, if anybody: the members of an address, one of each merchant. */
export async function findCandidates(db: Directory, { email }: Claim): Promise<readonly Candidate[]> {
  return await drizzle(db)
    .select({ id: members.id, merchant: members.merchant, password: members.password })
    .from(members)
    .innerJoin(merchants, eq(merchants.number, members.merchant))
    .where(eq(members.email, email))
    .orderBy(asc(members.createdAt), asc(members.id))
    .limit(MEMBERSHIPS_COUNT_MAX);
}

/** Forgets the attempts from where somebody has signed in. */
export async function forgetAttempts(db: Directory, attempt: Attempt): Promise<void> {
  await drizzle(db)
    .delete(signIns)
    .where(eq(signIns.hash, hashOf(attempt)));
}

/** Signs members in by one token. */
export async function openSession(
  db: Directory,
  { token, members, expiresAt }: { token: string; members: readonly string[]; expiresAt: number },
): Promise<void> {
  // One list, because a statement of D1 takes 100 parameters.
  const each = sql`SELECT ${hashKey(token)}, value, ${expiresAt} FROM json_each(${JSON.stringify(members)})`;
  await drizzle(db).run(sql`INSERT INTO sessions (hash, member, expires_at) ${each}`);
}

/** Who is signed in by a token, the oldest membership first; nobody when the session has ended. */
export async function findSession(
  db: Directory,
  { token, now }: { token: string; now: number },
): Promise<readonly Membership[]> {
  return await drizzle(db)
    .select({ member: MEMBER_COLUMNS, merchant: merchants })
    .from(sessions)
    .innerJoin(members, eq(members.id, sessions.member))
    .innerJoin(merchants, eq(merchants.number, members.merchant))
    .where(and(eq(sessions.hash, hashKey(token)), gt(sessions.expiresAt, now)))
    .orderBy(asc(members.createdAt), asc(members.id))
    .limit(MEMBERSHIPS_COUNT_MAX);
}

export async function endSession(db: Directory, token: string): Promise<void> {
  await drizzle(db)
    .delete(sessions)
    .where(eq(sessions.hash, hashKey(token)));
}

/** Gives members another password and ends every session of theirs but the one that asks. */
export async function changePassword(
  db: Directory,
  { members: changed, password, token }: { members: readonly string[]; password: string; token: string },
): Promise<void> {
  const orm = drizzle(db);
  await orm.batch([
    orm.update(members).set({ password }).where(inJson(members.id, changed)),
    orm.delete(sessions).where(and(inJson(sessions.member, changed), ne(sessions.hash, hashKey(token)))),
  ]);
}

/** Deletes what has ended, a few rows at a time. Repeating it is harmless. */
export async function forgetEnded(db: Directory, now: number): Promise<void> {
  const orm = drizzle(db);
  const ended = orm.select({ hash: sessions.hash }).from(sessions).where(lte(sessions.expiresAt, now));
  const over = orm.select({ hash: signIns.hash }).from(signIns).where(lte(signIns.until, now));
  await orm.batch([
    orm.delete(sessions).where(inArray(sessions.hash, ended.limit(SESSIONS_FORGET_ROWS))),
    orm.delete(signIns).where(inArray(signIns.hash, over.limit(SESSIONS_FORGET_ROWS))),
    orm.delete(invites).where(lt(invites.expiresAt, now)),
  ]);
}

function hashOf({ claim: { email }, from }: Attempt): string {
  return hashKey(`${email} ${from}`);
}
