// Who asks the admin API, and what they may do there. A request has one principal: the deployment, which may do everything,
// or somebody of one merchant. Each route names its door; what a scope opens is one list. A merchant other than one's own is
// answered as one that does not exist, and without a look into the database, so not even time tells them apart (L6).

import type { Context } from "hono";
import type { Merchant } from "../../storage/merchants.ts";
import type { Scope } from "../../storage/schema.ts";
import { isSecret } from "../../storage/signing.ts";
import { bearerOf, noteUse, openKey } from "./authorize.ts";
import type { Deps } from "./deps.ts";
import { type Checked, problem } from "./problem.ts";

export type Principal =
  | { readonly kind: "deployment" }
  | { readonly kind: "merchant"; readonly merchant: Merchant; readonly key: string; readonly scope: Scope };

/** What a route of the admin API asks of its caller. */
export type Door = "read" | "admin" | "deployment";

/** The doors each scope opens, of its own merchant. Asking questions is behind "read" too; `write` sends events only. */
export const OPENS: Readonly<Record<Scope, readonly Door[]>> = {
  write: [],
  read: ["read"],
  admin: ["read", "admin"],
};

/** Who sends a request; undefined when no credential is valid. Read from the database each time: a key that was revoked
 *  administers nothing any more, at once. */
export async function authenticate(c: Context, deps: Deps): Promise<Principal | undefined> {
  const token = bearerOf(c.req.header("authorization")) ?? "";
  if (isSecret(token, deps.adminToken)) return { kind: "deployment" };
  const opened = await openKey(token, deps, { fresh: true });
  if (opened === undefined) return undefined;
  const { merchant, id, scope } = opened.holder;
  noteUse(opened, deps);
  return { kind: "merchant", merchant, key: id, scope };
}

/** Nothing, or why the principal may not enter. It does not depend on whom the path names. */
export function refusalAt(door: Door, principal: Principal) {
  if (principal.kind === "deployment" || OPENS[principal.scope].includes(door)) return undefined;
  const who = door === "deployment" ? "whoever runs the deployment (ADMIN_TOKEN)" : `a key of scope ${door}`;
  return problem("forbidden", `This takes ${who}; yours is a key of scope ${principal.scope}.`).problem;
}

/** Who acted, as the audit log names it. */
export function actorOf(principal: Principal): string {
  return principal.kind === "deployment" ? "deployment" : principal.key;
}

/** The one merchant a principal may see; undefined for the deployment, which sees all. */
export function ownMerchant(principal: Principal): Merchant | undefined {
  return principal.kind === "deployment" ? undefined : principal.merchant;
}

/** The principal of a request that came through a door. */
export function principalOf(c: Context): Principal {
  return c.get("principal") as Principal;
}

/** The merchant of the id, when it is the principal's own; the deployment's are found by `find`. */
export async function merchantFor(
  principal: Principal,
  id: string,
  find: (id: string) => Promise<Merchant | undefined>,
): Promise<Checked<Merchant>> {
  const own = ownMerchant(principal);
  const found = own === undefined ? await find(id) : own.id === id ? own : undefined;
  return found === undefined ? problem("not_found", "There is no merchant with this id.") : { ok: true, value: found };
}
