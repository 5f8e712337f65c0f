// Sign-in, sign-out, accepting an invite, and changing a password. An address and a password open, by one session, all
// shops at which the address has this password. An unknown address and a wrong password get the same answer in the same
// time. After some attempts from one sender an address is closed to that sender for a while. After many attempts from
// unknown senders, a lot decides which of their attempts are judged. So whoever guesses does not lock out whoever knows
// the password. Addresses that nobody has are treated the same. Public requests are accepted only from this origin, so
// that no other site can sign anybody in.

import type { Context } from "hono";
import {
  MEMBER_SIGN_INS_PER_SECOND,
  PASSWORD_LENGTH_MAX,
  PASSWORD_LENGTH_MIN,
  PASSWORD_MICROSECONDS,
  SESSION_MS,
  SIGN_IN_ATTEMPTS_MAX,
  SIGN_IN_NETWORK_MAX,
  SIGN_IN_PERIOD_SECONDS,
  SIGN_IN_STRANGER_SECONDS,
  SIGN_IN_STRANGERS_MAX,
} from "../../core/limits.ts";
import { noteAct } from "../../storage/directory/audit.ts";
import {
  API_KEY_RANDOM_BYTES,
  ID_RANDOM_BYTES,
  isTokenShaped,
  memberId,
  token,
} from "../../storage/directory/credential.ts";
import { admitMember, parseEmail, takeInvite } from "../../storage/directory/members.ts";
import { hashPassword, matching, SALT_RANDOM_BYTES, saltOf } from "../../storage/directory/password.ts";
import {
  type Attempt,
  type Candidate,
  type Claim,
  changePassword,
  countAttempt,
  endSession,
  findCandidates,
  findSession,
  forgetAttempts,
  openSession,
} from "../../storage/directory/sessions.ts";
import { addressKey, networkKey } from "../../storage/rate-limit.ts";
import type { Deps } from "./deps.ts";
import { knownDevice, rememberDevice } from "./device.ts";
import { type Field, required } from "./field.ts";
import { admitAddress } from "./limit.ts";
import {
  accessEmailOf,
  clearSession,
  FOREIGN_ORIGIN,
  isSameOrigin,
  membershipsOf,
  sessionTokenOf,
  setSession,
} from "./membership.ts";
import { type Principal, principalOf } from "./principal.ts";
import { type Checked, problem } from "./problem.ts";
import { takeFrom } from "./purse-memory.ts";
import { bodyOf, type Reply } from "./request.ts";

export const EMAIL: Field<string, false> = {
  required: false,
  expected: 'an e-mail address such as "anna@shop.example"',
  schema: { type: "string", format: "email" },
  parse: (value) => (typeof value === "string" ? parseEmail(value) : undefined),
};
const INVITE: Field<string, false> = {
  required: false,
  expected: "the token of an invite",
  schema: { type: "string" },
  parse: (value) => (typeof value === "string" && isTokenShaped("ffi", value) ? value : undefined),
  hidden: true,
};
/** A password that is being chosen. */
const PASSWORD: Field<string, false> = {
  required: false,
  expected: `a text of ${PASSWORD_LENGTH_MIN} to ${PASSWORD_LENGTH_MAX} characters`,
  schema: { type: "string", minLength: 1, maxLength: PASSWORD_LENGTH_MAX },
  parse: (value) => (isText(value) && value.length >= PASSWORD_LENGTH_MIN ? value : undefined),
  hidden: true,
};
/** A password to be checked. Any length is allowed, so that the bounds of the right one are not shown. */
const ANY_PASSWORD: Field<string, false> = {
  required: false,
  expected: `a text of at most ${PASSWORD_LENGTH_MAX} characters`,
  schema: { type: "string", maxLength: PASSWORD_LENGTH_MAX },
  parse: (value) => (isText(value) ? value : undefined),
  hidden: true,
};
export const SIGN_IN = { email: required(EMAIL), password: required(ANY_PASSWORD) };
export const ACCEPTANCE = { token: required(INVITE), password: PASSWORD };
export const PASSWORD_CHANGE = { password: required(ANY_PASSWORD), new_password: required(PASSWORD) };

/** POST /api/v1/session {"email","password"}: signs in and sets the cookie. */
export async function postSession(c: Context, deps: Deps): Promise<Checked<Reply>> {
  if (deps.access !== undefined) return byAccess();
  const closed = await refusalToStrangers(c, deps);
  if (closed !== undefined) return closed;
  const body = await bodyOf(c, SIGN_IN);
  if (!body.ok) return body;
  const { email, password } = body.value;
  const right = await judge(c, { claim: { email }, password }, deps);
  return right.ok ? await signIn(c, { members: right.value, act: "session.open" }, deps) : right;
}

/** POST /api/v1/invites/accept {"token","password"}: makes a member, or sets a new password, and signs in. */
export async function postAcceptance(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const closed = await refusalToStrangers(c, deps);
  if (closed !== undefined) return closed;
  const email = await accessEmailOf(c, deps);
  if (deps.access !== undefined && email === undefined) return byAccess();
  const body = await bodyOf(c, ACCEPTANCE);
  if (!body.ok) return body;
  const { token: invited, password } = body.value;
  if (deps.access === undefined && password === undefined)
    return problem("missing_field", '"password" is missing.', "password");
  if (deps.access !== undefined && password !== undefined) return problem("invalid_field", BY_ACCESS, "password");
  const now = deps.now();
  // The invite is taken first, so that it works once. If a later step fails, the owner makes another invite.
  const invite = await takeInvite(deps.directory, { token: invited, email, now });
  if (invite === undefined) return problem("not_found", "This invite was used, has ended or is for somebody else.");
  const { merchant, role } = invite;
  const stored = password === undefined ? null : await storedPassword(invite, password, deps);
  const id = memberId(deps.random(ID_RANDOM_BYTES));
  const added = { id, merchant, email: invite.email, role, password: stored, createdAt: now };
  const member = await admitMember(deps.directory, added);
  // Signs in to this shop alone, even if the password also opens others. To try it at other shops one must sign in,
  // where guesses are counted.
  if (deps.access === undefined) return await signIn(c, { members: [member], act: "invite.accept" }, deps);
  await noteAct(deps.directory, { at: now, actor: member.id, merchant, act: "invite.accept", target: member.id });
  return { ok: true, value: { status: 201, body: { member: member.id, email: member.email, role: member.role } } };
}

/** GET /api/v1/session: who is signed in. */
export async function getSession(c: Context): Promise<Checked<Reply>> {
  return { ok: true, value: { body: shown(principalOf(c)) } };
}

/** DELETE /api/v1/session: signs out. */
export async function deleteSession(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const open = sessionOf(c);
  if (open === undefined) return noSession();
  await endSession(deps.directory, open.token);
  clearSession(c);
  return { ok: true, value: { body: { signed_out: true } } };
}

/**
 * PUT /api/v1/session/password {"password","new_password"}: changes the password at all shops of the session. Every
 * other session of these shops' memberships ends.
 */
export async function putPassword(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const open = sessionOf(c);
  if (open === undefined) return noSession();
  const body = await bodyOf(c, PASSWORD_CHANGE);
  if (!body.ok) return body;
  const claim = { email: open.principal.email };
  // The owner of a session is known. So strangers who guess cannot keep a member from changing the password. Shops that
  // the session is not signed in to are left out: there the address may be somebody else's.
  const attempt = { claim, from: `session ${open.principal.member}` };
  if ((await counted(attempt, deps)) > SIGN_IN_ATTEMPTS_MAX) return tooMany(c, SIGN_IN_PERIOD_SECONDS);
  if (!mayJudge("known", deps)) return tooMany(c, SIGN_IN_STRANGER_SECONDS);
  const all = await findCandidates(deps.directory, claim);
  const signedIn = new Set((await membershipsOf(c, deps)).map(({ member }) => member.id));
  const right = matching(
    body.value.password,
    all.filter(({ id }) => signedIn.has(id)),
  );
  if (right.length === 0) return wrong();
  await forgetAttempts(deps.directory, attempt);
  const members = right.map(({ id }) => id);
  const password = hashPassword(body.value.new_password, saltOf(all, deps.random(SALT_RANDOM_BYTES)));
  await changePassword(deps.directory, { members, password, token: open.token });
  return { ok: true, value: { body: { changed: true } } };
}

/** Refuses requests from pages of other sites, and from addresses that send too often. */
async function refusalToStrangers(c: Context, deps: Deps) {
  if (!isSameOrigin(c)) return problem("forbidden", FOREIGN_ORIGIN);
  if (await admitAddress(c, deps.signInLimit)) return undefined;
  return problem("rate_limited", "This address tries too often. Try again after the seconds of Retry-After.");
}

interface Judged {
  readonly claim: Claim;
  readonly password: string;
}

/**
 * The members that a claim is about and whose password is right. An attempt is counted before it is judged, so that
 * many at once are not judged as one. A known browser is known to members, not to the e-mail address. At other members
 * of the address it guesses as strangers do. One of these may be somebody else's, since the owner of a shop can give
 * the address any password there.
 */
async function judge(c: Context, { claim, password }: Judged, deps: Deps): Promise<Checked<readonly Candidate[]>> {
  const all = await findCandidates(deps.directory, claim);
  const ids = all.map(({ id }) => id);
  const device = knownDevice(c, ids, deps);
  let own: readonly Candidate[] = [];
  if (device !== undefined) {
    const attempt = { claim, from: `device ${device.nonce}` };
    if ((await counted(attempt, deps)) > SIGN_IN_ATTEMPTS_MAX) return tooMany(c, SIGN_IN_PERIOD_SECONDS);
    if (!mayJudge("known", deps)) return tooMany(c, SIGN_IN_STRANGER_SECONDS);
    const known = all.filter(({ id }) => device.members.has(id));
    own = matching(password, known);
    if (own.length > 0) await forgetAttempts(deps.directory, attempt);
    if (own.length > 0 && known.length === all.length) return { ok: true, value: own };
  }
  const waitSeconds = await strangerWaits(c, claim, deps);
  if (waitSeconds > 0) return own.length > 0 ? { ok: true, value: own } : tooMany(c, waitSeconds);
  return ofStranger(c, { claim, all, right: matching(password, all) }, deps);
}

interface Found {
  readonly claim: Claim;
  readonly all: readonly Candidate[];
  readonly right: readonly Candidate[];
}

/**
 * Attempts from this sender are forgotten only if the password opened every shop of the address. Otherwise whoever has
 * one of the shops could guess at the others for ever, with the right password of the own shop in between.
 */
async function ofStranger(
  c: Context,
  { claim, all, right }: Found,
  deps: Deps,
): Promise<Checked<readonly Candidate[]>> {
  if (right.length === 0) return wrong();
  if (right.length === all.length)
    for (const from of Object.values(placesOf(c))) await forgetAttempts(deps.directory, { claim, from });
  return { ok: true, value: right };
}

function wrong() {
  return problem("unauthorized", "Wrong e-mail address or password.");
}

function tooMany(c: Context, waitSeconds: number) {
  c.header("Retry-After", String(waitSeconds));
  return problem("rate_limited", TOO_MANY_ATTEMPTS);
}

/** A chosen password in its stored form. It uses the salt that the address already has. */
async function storedPassword(claim: Claim, password: string, deps: Deps): Promise<string> {
  const others = await findCandidates(deps.directory, claim);
  return hashPassword(password, saltOf(others, deps.random(SALT_RANDOM_BYTES)));
}

const TOO_MANY_ATTEMPTS =
  "Too many attempts under this name. Try again after the seconds of Retry-After, from another address, or from a browser that has signed in before.";

/** Counts an attempt. Returns how many there were in the period. */
function counted(attempt: Attempt, deps: Deps): Promise<number> {
  return countAttempt(deps.directory, { ...attempt, now: deps.now(), seconds: SIGN_IN_PERIOD_SECONDS });
}

/** Where an attempt of an unknown browser comes from: its address and the network of the address. */
function placesOf(c: Context) {
  const address = c.req.header("cf-connecting-ip") ?? "";
  return { address: `address ${addressKey(address)}`, network: `network ${networkKey(address)}` };
}

/**
 * Counts an attempt of an unknown browser. Returns how many seconds it must wait, 0 if it may be judged now. Too many
 * attempts of one sender do not count for the others.
 */
async function strangerWaits(c: Context, claim: Claim, deps: Deps): Promise<number> {
  const { address, network } = placesOf(c);
  if ((await counted({ claim, from: address }, deps)) > SIGN_IN_ATTEMPTS_MAX) return SIGN_IN_PERIOD_SECONDS;
  if ((await counted({ claim, from: network }, deps)) > SIGN_IN_NETWORK_MAX) return SIGN_IN_PERIOD_SECONDS;
  const isJudged = isDrawn(await counted({ claim, from: "strangers" }, deps), deps.random(4));
  return isJudged && mayJudge("strangers", deps) ? 0 : SIGN_IN_STRANGER_SECONDS;
}

/** Whether this isolate has time to judge a password, whoever sent it. If so, the time is taken from the purse. */
function mayJudge(who: "known" | "strangers", { keyLimit, passwordPurses, now }: Deps): boolean {
  if (keyLimit === undefined) return true;
  return takeFrom(passwordPurses.of({ asker: who, merchant: 0 }, now()), PASSWORD_MICROSECONDS);
}

/**
 * Whether the n-th attempt of strangers is judged. The first ones all are, later ones by lot, so that nobody can use up
 * the attempts of others.
 */
export function isDrawn(count: number, random: Uint8Array): boolean {
  const lot = new DataView(random.buffer, random.byteOffset).getUint32(0) / 2 ** 32;
  return lot * count < SIGN_IN_STRANGERS_MAX;
}

async function signIn(
  c: Context,
  { members, act }: { members: readonly Pick<Candidate, "id" | "merchant">[]; act: string },
  deps: Deps,
): Promise<Checked<Reply>> {
  const now = deps.now();
  const takes = ({ id, merchant }: Pick<Candidate, "id" | "merchant">) =>
    takeFrom(deps.signInPurses.of({ asker: id, merchant }, now), 1);
  if (deps.keyLimit !== undefined && !members.every(takes)) {
    c.header("Retry-After", String(1 / MEMBER_SIGN_INS_PER_SECOND));
    return problem("rate_limited", "You sign in too often. Try again after the seconds of Retry-After.");
  }
  const secret = token("fft", deps.random(API_KEY_RANDOM_BYTES));
  await openSession(deps.directory, {
    token: secret,
    members: members.map(({ id }) => id),
    expiresAt: now + SESSION_MS,
    agent: c.req.header("user-agent") ?? "",
  });
  for (const { id, merchant } of members)
    await noteAct(deps.directory, { at: now, actor: id, merchant, act, target: id });
  const [opened] = await findSession(deps.directory, { token: secret, now });
  if (opened === undefined) return problem("conflict", "The member was removed meanwhile.");
  setSession(c, secret);
  const { id, email, role } = opened.member;
  rememberDevice(
    c,
    members.map((one) => one.id),
    deps,
  );
  const principal = { kind: "member", merchant: opened.merchant, member: id, email, role } as const;
  return { ok: true, value: { status: 201, body: shown(principal) } };
}

/** The session of a request. Undefined where the request has none. */
function sessionOf(c: Context) {
  const principal = principalOf(c);
  const secret = sessionTokenOf(c);
  return principal.kind === "member" && secret !== undefined ? { principal, token: secret } : undefined;
}

/** The refusal of a request that needs a session. */
export function noSession() {
  return problem("conflict", "There is no session: this request came by a key or by Cloudflare Access.");
}

const BY_ACCESS = "This deployment signs in by Cloudflare Access, and has no passwords.";

function byAccess() {
  return problem("forbidden", BY_ACCESS);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= PASSWORD_LENGTH_MAX;
}

function shown(principal: Principal): Reply["body"] {
  if (principal.kind === "deployment") {
    const { id = null, scope = "owner" } = principal.operator ?? {};
    return { kind: "deployment", operator: id, scope };
  }
  const merchant = { id: principal.merchant.id, name: principal.merchant.name };
  if (principal.kind === "merchant") return { kind: "key", key: principal.key, scope: principal.scope, merchant };
  const { member, email, role } = principal;
  return { kind: "member", member, email, role, merchant };
}
