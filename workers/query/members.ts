// Admin requests about a merchant's members and invites. Only owners of the merchant may send them, and the deployment,
// which invites the first owner. An invite is a link that can be used once. The owner hands it over, since Footfall
// sends no mail for it.

import type { Context } from "hono";
import { INVITE_MS, MEMBERS_COUNT_MAX } from "../../core/limits.ts";
import { API_KEY_RANDOM_BYTES, ID_RANDOM_BYTES, inviteId, token } from "../../storage/directory/credential.ts";
import { dropNote, noteGone } from "../../storage/directory/gone.ts";
import {
  changeRole,
  createInvite,
  type Invite,
  listInvites,
  listMembers,
  type Member,
  removeMember,
  revokeInvite,
} from "../../storage/directory/members.ts";
import { ROLES } from "../../storage/directory/schema.ts";
import type { Deps } from "./deps.ts";
import { oneOf, required } from "./field.ts";
import { merchantOf } from "./merchants.ts";
import { type Checked, problem } from "./problem.ts";
import { bodyOf, type Reply } from "./request.ts";
import { EMAIL } from "./sessions.ts";

export const NEW_INVITE = { email: required(EMAIL), role: required(oneOf(ROLES)) };
export const MEMBER_CHANGE = { role: required(oneOf(ROLES)) };

/** GET /api/v1/merchants/:id/members: all members. */
export async function getMembers(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const rows = await listMembers(deps.directory, merchant.value.number);
  return { ok: true, value: { body: { members: rows.map(shown), next: null } } };
}

/** PATCH /api/v1/merchants/:id/members/:member_id {"role"} */
export async function patchMember(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const body = await bodyOf(c, MEMBER_CHANGE);
  if (!body.ok) return body;
  const named = { merchant: merchant.value.number, id: c.req.param("member_id") ?? "" };
  const changed = await changeRole(deps.directory, { ...named, role: body.value.role });
  if (changed === "last owner") return lastOwner();
  return changed === undefined ? unknownMember() : { ok: true, value: { body: shown(changed) } };
}

/** DELETE /api/v1/merchants/:id/members/:member_id: removes the member and signs them out. */
export async function deleteMember(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const id = c.req.param("member_id") ?? "";
  const gone = { kind: "members", merchant: merchant.value.number, id } as const;
  await noteGone(gone, deps);
  const removed = await removeMember(deps.directory, gone);
  if (removed === "last owner") {
    await dropNote(gone, deps);
    return lastOwner();
  }
  return removed === undefined ? unknownMember() : { ok: true, value: { body: { id, removed: true } } };
}

/** POST /api/v1/merchants/:id/invites {"email","role"}: the token is in this answer and is never shown again. */
export async function postInvite(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const body = await bodyOf(c, NEW_INVITE);
  if (!body.ok) return body;
  const createdAt = deps.now();
  const secret = token("ffi", deps.random(API_KEY_RANDOM_BYTES));
  const invite = await createInvite(deps.directory, {
    ...body.value,
    id: inviteId(deps.random(ID_RANDOM_BYTES)),
    merchant: merchant.value.number,
    token: secret,
    createdAt,
    expiresAt: createdAt + INVITE_MS,
  });
  if (invite === "full") return problem("conflict", `A merchant has at most ${MEMBERS_COUNT_MAX} members and invites.`);
  return { ok: true, value: { status: 201, body: { ...shownInvite(invite), token: secret } } };
}

/** GET /api/v1/merchants/:id/invites: the invites that can still be accepted. */
export async function getInvites(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const rows = await listInvites(deps.directory, { merchant: merchant.value.number, now: deps.now() });
  return { ok: true, value: { body: { invites: rows.map(shownInvite), next: null } } };
}

/** DELETE /api/v1/merchants/:id/invites/:invite_id */
export async function deleteInvite(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const id = c.req.param("invite_id") ?? "";
  const revoked = await revokeInvite(deps.directory, { merchant: merchant.value.number, id });
  if (!revoked) return problem("not_found", "The merchant has no invite with this id.");
  return { ok: true, value: { body: { id, revoked: true } } };
}

function lastOwner() {
  return problem("conflict", "This is the merchant's last owner: make somebody else one first.");
}

function unknownMember() {
  return problem("not_found", "The merchant has no member with this id.");
}

function shown({ id, email, role, createdAt }: Member) {
  return { id, email, role, created_at: new Date(createdAt).toISOString() };
}

function shownInvite({ id, email, role, createdAt, expiresAt }: Invite) {
  const [created_at, expires_at] = [createdAt, expiresAt].map((ms) => new Date(ms).toISOString());
  return { id, email, role, created_at, expires_at };
}
