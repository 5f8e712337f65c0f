// Sessions in D1, and the counters of attempts to sign in. A session is found by the SHA-256 of its token, with its member
// and merchant as they are now: a role that was changed or a member that was removed counts at once. Attempts are counted
// before they are judged, and for names nobody has just as for others, so counting tells nobody who is a member.

import { and, eq, gt, inArray, lt, lte, ne, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { SESSIONS_FORGET_ROWS } from "../../core/limits.ts";
import { hashKey } from "./credential.ts";
import type { Directory } from "./directory.ts";
import { MEMBER_COLUMNS, type Membership } from "./members.ts";
import { invites, members, merchants, sessions, signIns } from "./schema.ts";

/** Where somebody says to be a member. */
export interface Claim {
  /** The merchant's id. */
  readonly merchant: string;
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

/** Whom a claim names, if anybody. */
export async function findCandidate(db: Directory, claim: Claim): Promise<Candidate | undefined> {
  const [found] = await drizzle(db)
    .select({ id: members.id, merchant: members.merchant, password: members.password })
    .from(members)
    .innerJoin(merchants, eq(merchants.number, members.merchant))
    .where(and(eq(merchants.id, claim.merchant), eq(members.email, claim.email)));
  return found;
}

/** Forgets the attempts from where somebody has signed in. */
export async function forgetAttempts(db: Directory, attempt: Attempt): Promise<void> {
  await drizzle(db)
    .delete(signIns)
    .where(eq(signIns.hash, hashOf(attempt)));
}

export async function openSession(
  db: Directory,
  { token, member, expiresAt }: { token: string; member: string; expiresAt: number },
): Promise<void> {
  await drizzle(db)
    .insert(sessions)
    .values({ hash: hashKey(token), member, expiresAt });
}

/** Who is signed in by a token; undefined when nobody is (any more). */
export async function findSession(
  db: Directory,
  { token, now }: { token: string; now: number },
): Promise<Membership | undefined> {
  const [found] = await drizzle(db)
    .select({ member: MEMBER_COLUMNS, merchant: merchants })
    .from(sessions)
    .innerJoin(members, eq(members.id, sessions.member))
    .innerJoin(merchants, eq(merchants.number, members.merchant))
    .where(and(eq(sessions.hash, hashKey(token)), gt(sessions.expiresAt, now)));
  return found;
}

export async function endSession(db: Directory, token: string): Promise<void> {
  await drizzle(db)
    .delete(sessions)
    .where(eq(sessions.hash, hashKey(token)));
}

/** The stored password of a member. */
export async function readPassword(db: Directory, member: string): Promise<string | null> {
  const [found] = await drizzle(db).select({ password: members.password }).from(members).where(eq(members.id, member));
  return found?.password ?? null;
}

/** Gives a member another password and ends every session but the one that asks. */
export async function changePassword(
  db: Directory,
  { member, password, token }: { member: string; password: string; token: string },
): Promise<void> {
  const orm = drizzle(db);
  await orm.batch([
    orm.update(members).set({ password }).where(eq(members.id, member)),
    orm.delete(sessions).where(and(eq(sessions.member, member), ne(sessions.hash, hashKey(token)))),
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

function hashOf({ claim: { merchant, email }, from }: Attempt): string {
  return hashKey(`${merchant} ${email} ${from}`);
}
