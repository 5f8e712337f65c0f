// A merchant's members and invites in D1. A merchant always keeps one owner. The statements themselves have that as a
// condition, so two requests at once cannot remove the last two owners. An invite is accepted by deleting its row,
// which only one request can do.

import { and, asc, eq, gt, lt, ne, or, type SQL, type SQLWrapper, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { EMAIL_LENGTH_MAX, INVITES_COUNT_MAX, MEMBERS_COUNT_MAX, MEMBERSHIPS_COUNT_MAX } from "../../core/limits.ts";
import type { Preferences } from "../../core/preference.ts";
import { hashKey } from "./credential.ts";
import type { Directory } from "./directory.ts";
import type { Merchant } from "./merchants.ts";
import { named } from "./named.ts";
import { invites, members, merchants, type Role, sessions, views } from "./schema.ts";

export type Member = typeof members.$inferSelect;
export type Invite = Omit<typeof invites.$inferSelect, "hash">;

/** A member with its merchant. */
export interface Membership {
  readonly member: Pick<Member, "id" | "email" | "role" | "preferences">;
  readonly merchant: Merchant;
}

/** A member's columns in a statement that reads its merchant as well. The merchant's columns have no prefix. */
export const MEMBER_COLUMNS = {
  id: named(members.id, "member_id"),
  email: members.email,
  role: members.role,
  preferences: members.preferences,
};

/** All members of a merchant. */
export async function listMembers(db: Directory, merchant: number): Promise<readonly Member[]> {
  const query = drizzle(db).select().from(members).where(eq(members.merchant, merchant));
  const rows = await query.orderBy(asc(members.createdAt), asc(members.id)).limit(MEMBERS_COUNT_MAX);
  return rows;
}

/** The memberships of an address: one for each merchant. */
export async function listMemberships(db: Directory, email: string): Promise<readonly Membership[]> {
  const rows = await drizzle(db)
    .select({ member: MEMBER_COLUMNS, merchant: merchants })
    .from(members)
    .innerJoin(merchants, eq(merchants.number, members.merchant))
    .where(eq(members.email, email))
    .orderBy(asc(members.createdAt))
    .limit(MEMBERSHIPS_COUNT_MAX);
  return rows;
}

/**
 * A condition that a column is one of a list. The list is a single parameter, because a statement of D1 takes 100 of
 * them.
 */
export function inJson(column: SQLWrapper, values: readonly string[]): SQL {
  return sql`${column} IN (SELECT value FROM json_each(${JSON.stringify(values)}))`;
}

type Named = { readonly merchant: number; readonly id: string };

/** A condition: the member is no owner, or another owner stays. */
const ownerStays = (merchant: number) =>
  or(
    ne(members.role, "owner"),
    gt(sql`(SELECT count(*) FROM members AS one WHERE one.merchant = ${merchant} AND one.role = 'owner')`, 1),
  );

/** Gives a member another role; "last owner" when nobody else would be one. */
export async function changeRole(
  db: Directory,
  { merchant, id, role }: Named & { readonly role: Role },
): Promise<Member | "last owner" | undefined> {
  const named = and(eq(members.merchant, merchant), eq(members.id, id));
  const where = role === "owner" ? named : and(named, ownerStays(merchant));
  const [changed] = await drizzle(db).update(members).set({ role }).where(where).returning();
  return changed ?? ((await hasMember(db, { merchant, id })) ? "last owner" : undefined);
}

/** Removes a member, whose sessions end with that. */
export async function removeMember(
  db: Directory,
  { merchant, id }: Named,
): Promise<"removed" | "last owner" | undefined> {
  const where = and(eq(members.merchant, merchant), eq(members.id, id), ownerStays(merchant));
  const [removed] = await drizzle(db).delete(members).where(where).returning({ id: members.id });
  if (removed === undefined) return (await hasMember(db, { merchant, id })) ? "last owner" : undefined;
  // A session without its member opens nothing, and a view is shown to nobody else, so it does no harm if these fail.
  await drizzle(db).delete(sessions).where(eq(sessions.member, id));
  await drizzle(db)
    .delete(views)
    .where(and(eq(views.merchant, merchant), eq(views.owner, id)));
  return "removed";
}

async function hasMember(db: Directory, { merchant, id }: Named): Promise<boolean> {
  return (await drizzle(db).$count(members, and(eq(members.merchant, merchant), eq(members.id, id)))) > 0;
}

export interface NewInvite {
  readonly id: string;
  readonly merchant: number;
  readonly email: string;
  readonly role: Role;
  readonly token: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** Makes an invite; "full" when there may be no more members and open invites. Expired invites are not counted. */
export async function createInvite(db: Directory, { token, ...invite }: NewInvite): Promise<Invite | "full"> {
  const orm = drizzle(db);
  const ofMerchant = eq(invites.merchant, invite.merchant);
  await orm.delete(invites).where(and(ofMerchant, lt(invites.expiresAt, invite.createdAt)));
  const open = await orm.$count(invites, ofMerchant);
  const all = await orm.$count(members, eq(members.merchant, invite.merchant));
  if (open >= INVITES_COUNT_MAX || all + open >= MEMBERS_COUNT_MAX) return "full";
  await orm.insert(invites).values({ ...invite, hash: hashKey(token) });
  return invite;
}

/** A merchant's open invites. */
export async function listInvites(
  db: Directory,
  { merchant, now }: { merchant: number; now: number },
): Promise<readonly Invite[]> {
  const rows = await drizzle(db)
    .select()
    .from(invites)
    .where(and(eq(invites.merchant, merchant), gt(invites.expiresAt, now)))
    .orderBy(asc(invites.createdAt), asc(invites.id))
    .limit(INVITES_COUNT_MAX);
  return rows;
}

export async function revokeInvite(db: Directory, { merchant, id }: Named): Promise<boolean> {
  const where = and(eq(invites.merchant, merchant), eq(invites.id, id));
  const gone = await drizzle(db).delete(invites).where(where).returning({ id: invites.id });
  return gone.length > 0;
}

/**
 * Accepts an invite by its token. A second request with the same token finds nothing. `email`, where it is known, must
 * be the invited one.
 */
export async function takeInvite(
  db: Directory,
  { token, email, now }: { token: string; email: string | undefined; now: number },
): Promise<Invite | undefined> {
  const isMeant = email === undefined ? undefined : eq(invites.email, email);
  const where = and(eq(invites.hash, hashKey(token)), gt(invites.expiresAt, now), isMeant);
  const [taken] = await drizzle(db).delete(invites).where(where).returning();
  return taken;
}

/**
 * Makes the invited person a member. Who was a member already keeps the role and gets the new password; sessions that
 * were opened with the old password end.
 */
export async function admitMember(db: Directory, member: Omit<Member, "preferences">): Promise<Member> {
  const orm = drizzle(db);
  const [admitted] = await orm
    .insert(members)
    .values(member)
    .onConflictDoUpdate({ target: [members.merchant, members.email], set: { password: member.password } })
    .returning();
  const made = admitted as Member;
  await orm.delete(sessions).where(eq(sessions.member, made.id));
  return made;
}

/** Keeps what a person wants, with each membership of theirs. */
export async function keepPreferences(
  db: Directory,
  { members: own, preferences }: { readonly members: readonly string[]; readonly preferences: Preferences },
): Promise<void> {
  await drizzle(db).update(members).set({ preferences }).where(inJson(members.id, own));
}

/** An e-mail address in its one spelling. Whether mail arrives there is not checked. */
export function parseEmail(text: string): string | undefined {
  const email = text.trim().toLowerCase().normalize("NFC");
  return email.length <= EMAIL_LENGTH_MAX &&
    /^[^\s@<>"(),:;[\]\\]+@[^\s@<>"(),:;[\]\\]+\.[^\s@<>"(),:;[\]\\]+$/.test(email)
    ? email
    : undefined;
}
