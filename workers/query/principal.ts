// Finds who sends a request of the admin API, and decides what they may do. A request has one principal. It is either
// the deployment, which may do everything, or somebody of one merchant, with a key or signed in. Each route names its
// door, and one list says which doors a scope or role opens. A request about another merchant gets the same answer as
// one about a merchant that does not exist. That answer needs no read of the database, so not even its time tells the
// two apart (L6).

import { createHmac } from "node:crypto";
import type { Context } from "hono";
import { isTokenShaped } from "../../storage/directory/credential.ts";
import type { Merchant } from "../../storage/directory/merchants.ts";
import { findOperator, findVouched, type Operator } from "../../storage/directory/operators.ts";
import { OPERATOR_SCOPES, type OperatorScope, type Role, type Scope } from "../../storage/directory/schema.ts";
import { isSecret } from "../../storage/signing.ts";
import { ACCESS_HEADER } from "./access.ts";
import { bearerOf, noteUse, openKey } from "./authorize.ts";
import type { Deps } from "./deps.ts";
import { FOREIGN_ORIGIN, isSameOrigin, membershipsOf } from "./membership.ts";
import { type Checked, problem } from "./problem.ts";

export type Principal =
  /** Whoever has ADMIN_TOKEN, or an operator by its own token. */
  | { readonly kind: "deployment"; readonly operator?: Operator }
  | { readonly kind: "merchant"; readonly merchant: Merchant; readonly key: string; readonly scope: Scope }
  | {
      readonly kind: "member";
      readonly merchant: Merchant;
      readonly member: string;
      readonly email: string;
      readonly role: Role;
    };

/** What a route of the admin API demands of its caller. */
export type Door = "read" | "admin" | "owner" | "replay" | "watch" | "operate" | "deployment";

const OUTSIDE = ["anybody", "link", "person"] as const;

/**
 * Who may use a route without a door: anybody, the holder of a share link, or whoever is signed in to any shop. The
 * handler of such a route checks that itself.
 */
export type Outside = (typeof OUTSIDE)[number];

export function isOutside(door: Door | Outside): door is Outside {
  return OUTSIDE.some((one) => one === door);
}

/**
 * The doors that each scope of a key and each role of a member opens, for its own merchant. Questions are behind the
 * door "read". The scope `write` only sends events, so it opens none.
 */
export const OPENS: Readonly<Record<Scope | Role, readonly Door[]>> = {
  write: [],
  read: ["read"],
  viewer: ["read"],
  admin: ["read", "admin", "replay"],
  owner: ["read", "admin", "replay", "owner"],
};

/**
 * The doors that each scope of an operator opens, for every merchant. ADMIN_TOKEN opens the same doors as the scope
 * `owner`.
 */
export const OPERATOR_OPENS: Readonly<Record<OperatorScope, readonly Door[]>> = {
  metrics: [],
  read: ["watch"],
  operate: ["watch", "operate", "replay"],
  owner: ["read", "admin", "owner", "replay", "watch", "operate", "deployment"],
};

/** Who may enter by a door, in the words of a refusal. */
export const TAKES: Readonly<Record<Door | Exclude<Outside, "anybody">, string>> = {
  link: "the token of a share link",
  person: "whoever is signed in",
  read: "a key of scope read or admin, or a member",
  admin: "a key of scope admin, or a member that is admin or owner",
  owner: "an owner of the merchant",
  replay: "a key of scope admin, a member that is admin or owner, or an operator of scope operate",
  watch: "an operator of scope read, or ADMIN_TOKEN",
  operate: "an operator of scope operate, or ADMIN_TOKEN",
  deployment: "an operator of scope owner, or ADMIN_TOKEN",
};

/**
 * The principal of a request. It is read from the database each time, so a revoked key, a removed member or a changed
 * role takes effect at once.
 */
export async function authenticate(c: Context, deps: Deps): Promise<Checked<Principal>> {
  const authorization = c.req.header("authorization");
  if (authorization === undefined) return (await authenticateOperator(c, deps)) ?? (await authenticateMember(c, deps));
  const token = bearerOf(authorization) ?? "";
  if (isAdminToken(token, deps)) return { ok: true, value: { kind: "deployment" } };
  const operator = await findValidOperator(token, deps);
  if (operator !== undefined) return { ok: true, value: { kind: "deployment", operator } };
  const opened = await openKey(token, deps, { fresh: true });
  if (opened === undefined) return nobody();
  const { merchant, id, scope } = opened.holder;
  noteUse(opened, deps);
  return { ok: true, value: { kind: "merchant", merchant, key: id, scope } };
}

/**
 * Whether a token is ADMIN_TOKEN or ADMIN_TOKEN_PREVIOUS, which is set while the token is being changed. Both are valid
 * then.
 */
export function isAdminToken(token: string, { adminTokens }: Pick<Deps, "adminTokens">): boolean {
  return adminTokens.some((secret) => isSecret(token, secret));
}

/** The operator of a token. Undefined where the token is nobody's, or has expired. */
export async function findValidOperator(
  token: string,
  { directory, now }: Pick<Deps, "directory" | "now">,
): Promise<Operator | undefined> {
  if (!isTokenShaped("ffo", token)) return undefined;
  const found = await findOperator(directory, token);
  return found === undefined || (found.expiresAt !== null && found.expiresAt <= now()) ? undefined : found;
}

/**
 * The operator that Cloudflare Access vouches for. Undefined where it vouches for none, or does not sign operators in.
 * Of several groups the one with the widest scope decides.
 */
async function authenticateOperator(c: Context, deps: Deps): Promise<Checked<Principal> | undefined> {
  const jwt = c.req.header(ACCESS_HEADER) ?? "";
  if (deps.operatorAccess === undefined || jwt === "") return undefined;
  const vouched = await deps.operatorAccess.read(jwt);
  if (vouched === undefined) return undefined;
  const now = deps.now();
  const found = await findVouched(deps.directory, vouched);
  const valid = found.filter(({ expiresAt }) => expiresAt === null || expiresAt > now);
  const [widest] = valid.sort((a, b) => OPERATOR_SCOPES.indexOf(b.scope) - OPERATOR_SCOPES.indexOf(a.scope));
  if (widest === undefined) return nobody();
  if (!["GET", "HEAD"].includes(c.req.method) && !isSameOrigin(c)) return problem("forbidden", FOREIGN_ORIGIN);
  // Which person of a group it is. The text is the same each time, so the log can tell people apart. No e-mail address
  // gets into the log of a merchant.
  const who = createHmac("sha256", deps.sealSecrets[0] ?? "")
    .update(`operator ${vouched.email}`)
    .digest("hex");
  const id = widest.group === null ? widest.id : `${widest.id}_${who.slice(0, 8)}`;
  return { ok: true, value: { kind: "deployment", operator: { ...widest, id } } };
}

function nobody() {
  return problem("unauthorized", "Send Authorization: Bearer <a key of the merchant, or ADMIN_TOKEN>, or sign in.");
}

async function authenticateMember(c: Context, deps: Deps): Promise<Checked<Principal>> {
  const memberships = await membershipsOf(c, deps);
  const [first] = memberships;
  if (first === undefined) return nobody();
  if (!["GET", "HEAD"].includes(c.req.method) && !isSameOrigin(c)) return problem("forbidden", FOREIGN_ORIGIN);
  const inPath = /^\/api\/v1\/merchants\/([^/]+)/.exec(c.req.path)?.[1];
  const wanted = inPath ?? c.req.header("footfall-merchant");
  // If the path names a foreign merchant, any membership may be chosen, since the request is answered with 404.
  const isClear = memberships.length === 1 || inPath !== undefined;
  const chosen = memberships.find(({ merchant }) => merchant.id === wanted) ?? (isClear ? first : undefined);
  if (chosen === undefined) return problem("missing_field", SEVERAL, "Footfall-Merchant");
  const { id: member, email, role } = chosen.member;
  return { ok: true, value: { kind: "member", merchant: chosen.merchant, member, email, role } };
}

const SEVERAL = "You are a member of several merchants: name one by its id in the header Footfall-Merchant.";

/**
 * Why the principal may not enter by a door. Undefined where it may. The answer does not depend on the merchant that
 * the path names.
 */
export function refusalAt(door: Door, principal: Principal) {
  if (principal.kind === "deployment") return refusalOfOperator(door, principal.operator);
  const may = principal.kind === "merchant" ? principal.scope : principal.role;
  if (OPENS[may].includes(door)) return undefined;
  const who = principal.kind === "merchant" ? `yours is a key of scope ${may}` : `your role is ${may}`;
  return problem("forbidden", `This takes ${TAKES[door]}; ${who}.`).problem;
}

function refusalOfOperator(door: Door, operator: Operator | undefined) {
  if (operator === undefined || OPERATOR_OPENS[operator.scope].includes(door)) return undefined;
  return problem("forbidden", `This takes ${TAKES[door]}; you are an operator of scope ${operator.scope}.`).problem;
}

/** Who acted, as the audit log names it. */
export function actorOf(principal: Principal): string {
  if (principal.kind === "deployment") return principal.operator?.id ?? "deployment";
  return principal.kind === "merchant" ? principal.key : principal.member;
}

/** The one merchant that a principal may see. Undefined for the deployment, which sees all. */
export function ownMerchant(principal: Principal): Merchant | undefined {
  return principal.kind === "deployment" ? undefined : principal.merchant;
}

/** The principal of a request that has passed its door. */
export function principalOf(c: Context): Principal {
  return c.get("principal") as Principal;
}

/**
 * The merchant with an id. Somebody of one merchant finds only that merchant. For the deployment `find` looks up any.
 */
export async function merchantFor(
  principal: Principal,
  id: string,
  find: (id: string) => Promise<Merchant | undefined>,
): Promise<Checked<Merchant>> {
  const own = ownMerchant(principal);
  const found = own === undefined ? await find(id) : own.id === id ? own : undefined;
  return found === undefined ? problem("not_found", "There is no merchant with this id.") : { ok: true, value: found };
}
