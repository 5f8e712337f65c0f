// Sessions in D1, and the counters of attempts to sign in. A session is found by the SHA-256 of its token. Its members
// and their merchants are read anew each time, so a changed role or a removed member takes effect at once. Attempts are
// counted before they are judged, also for names that no member has, so that the counting does not reveal who is a
// member.

import { and, asc, countDistinct, desc, eq, gt, inArray, lt, lte, ne, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import {
  MEMBERSHIPS_COUNT_MAX,
  SESSION_AGENT_LENGTH_MAX,
  SESSIONS_FORGET_ROWS,
  SESSIONS_FORGET_TURNS,
  SESSIONS_LISTED_MAX,
} from "../../core/limits.ts";
import { hashKey } from "./credential.ts";
import type { Directory } from "./directory.ts";
import { inJson, MEMBER_COLUMNS, type Membership } from "./members.ts";
import { invites, members, merchants, sessions, signIns } from "./schema.ts";

/** The member that somebody claims to be. */
export interface Claim {
  readonly email: string;
}

/** What signing in has to know of a member. */
export interface Candidate {
  readonly id: string;
  readonly merchant: number;
  readonly password: string | null;
}

/** Attempts are counted by a name, and by where they come from. */
export interface Attempt {
  readonly claim: Claim;
  /** A known browser, an address, or what strangers share, such as a network. */
  readonly from: string;
}

/** Counts an attempt, and returns how many there were in the present period, which has so many seconds. */
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

/** The members that a claim names: those with its e-mail address, at most one of each merchant. */
export async function findCandidates(db: Directory, { email }: Claim): Promise<readonly Candidate[]> {
  return await drizzle(db)
    .select({ id: members.id, merchant: members.merchant, password: members.password })
    .from(members)
    .innerJoin(merchants, eq(merchants.number, members.merchant))
    .where(eq(members.email, email))
    .orderBy(asc(members.createdAt), asc(members.id))
    .limit(MEMBERSHIPS_COUNT_MAX);
}

/** Deletes the count of attempts under this name and from there, because somebody has signed in. */
export async function forgetAttempts(db: Directory, attempt: Attempt): Promise<void> {
  await drizzle(db)
    .delete(signIns)
    .where(eq(signIns.hash, hashOf(attempt)));
}

/** Signs members in by one token. */
export async function openSession(
  db: Directory,
  { token, members, expiresAt, agent }: { token: string; members: readonly string[]; expiresAt: number; agent: string },
): Promise<void> {
  const kept = agent.slice(0, SESSION_AGENT_LENGTH_MAX);
  // One list, because a statement of D1 takes 100 parameters.
  const each = sql`SELECT ${hashKey(token)}, value, ${expiresAt}, ${kept} FROM json_each(${JSON.stringify(members)})`;
  await drizzle(db).run(sql`INSERT INTO sessions (hash, member, expires_at, agent) ${each}`);
}

/** One session of a person, as it is listed. Its hash is not listed, because the hash finds the session. */
export interface OpenSession {
  readonly id: string;
  readonly hash: string;
  readonly agent: string;
  readonly expiresAt: number;
}

/** The name of a session in lists. Neither the token nor its hash can be derived from it. */
export function sessionIdOf(token: string): string {
  return idOf(hashKey(token));
}

function idOf(hash: string): string {
  return `ses_${hashKey(`session ${hash}`).slice(0, 24)}`;
}

/** The sessions of members that have not ended, the last one to end first. */
export async function listSessions(
  db: Directory,
  { members: own, now }: { members: readonly string[]; now: number },
): Promise<readonly OpenSession[]> {
  const rows = await drizzle(db)
    .selectDistinct({ hash: sessions.hash, agent: sessions.agent, expiresAt: sessions.expiresAt })
    .from(sessions)
    .where(and(inJson(sessions.member, own), gt(sessions.expiresAt, now)))
    .orderBy(desc(sessions.expiresAt), asc(sessions.hash))
    .limit(SESSIONS_LISTED_MAX);
  return rows.map((row) => ({ ...row, id: idOf(row.hash) }));
}

/** Ends these sessions for some members. For their other members they go on. */
export async function endSessions(
  db: Directory,
  { members: own, hashes }: { members: readonly string[]; hashes: readonly string[] },
): Promise<void> {
  await drizzle(db)
    .delete(sessions)
    .where(and(inJson(sessions.member, own), inJson(sessions.hash, hashes)));
}

/** Ends all sessions of members but that of a token, also those that no list has room for. Tells how many it ended. */
export async function endOtherSessions(
  db: Directory,
  { members: own, token, now }: { members: readonly string[]; token: string; now: number },
): Promise<number> {
  const orm = drizzle(db);
  const others = and(inJson(sessions.member, own), ne(sessions.hash, hashKey(token)));
  const [[open]] = await orm.batch([
    orm
      .select({ count: countDistinct(sessions.hash) })
      .from(sessions)
      .where(and(others, gt(sessions.expiresAt, now))),
    orm.delete(sessions).where(others),
  ]);
  return open?.count ?? 0;
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

/** Gives members another password, and ends all of their sessions except the one that asks for it. */
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

/**
 * Deletes sessions, counters and invites that have ended, some at a time, until there are none or its turns are over.
 * Repeating it is harmless.
 */
export async function forgetEnded(db: Directory, now: number): Promise<void> {
  const orm = drizzle(db);
  await orm.delete(invites).where(lt(invites.expiresAt, now));
  const ended = (rowsMax: number) =>
    orm.select({ hash: sessions.hash }).from(sessions).where(lte(sessions.expiresAt, now)).limit(rowsMax);
  const over = (rowsMax: number) =>
    orm.select({ hash: signIns.hash }).from(signIns).where(lte(signIns.until, now)).limit(rowsMax);
  for (let turn = 0; turn < SESSIONS_FORGET_TURNS; turn++) {
    const [, , isLeft, areLeft] = await orm.batch([
      orm.delete(sessions).where(inArray(sessions.hash, ended(SESSIONS_FORGET_ROWS))),
      orm.delete(signIns).where(inArray(signIns.hash, over(SESSIONS_FORGET_ROWS))),
      ended(1),
      over(1),
    ]);
    if (isLeft.length + areLeft.length === 0) return;
  }
}

function hashOf({ claim: { email }, from }: Attempt): string {
  return hashKey(`${email} ${from}`);
}
