// The shops of whoever is signed in. A page asks for them before it can name one, so the route belongs to no single
// merchant.

import type { Context } from "hono";
import { zoneAt } from "../../core/merchant.ts";
import type { Membership } from "../../storage/directory/members.ts";
import type { Shop } from "./boot.ts";
import type { Deps } from "./deps.ts";
import { admit, TOO_OFTEN } from "./limit.ts";
import { membershipsOf } from "./membership.ts";
import { type Checked, problem } from "./problem.ts";
import type { Reply } from "./request.ts";

/**
 * GET /api/v1/shops: the merchants that the caller is a member of. It is for sessions and Cloudflare Access, not for
 * keys.
 */
export async function getShops(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const memberships = await membershipsOf(c, deps);
  const [first] = memberships;
  if (first === undefined) return problem("unauthorized", "Sign in to see the shops that you are a member of.");
  if (!(await admit(c, first.member.id, deps.keyLimit))) return problem("rate_limited", TOO_OFTEN);
  return { ok: true, value: { body: { email: first.member.email, shops: toShops(memberships, deps.now()) } } };
}

/** Memberships in the form that their member sees. */
export function toShops(memberships: readonly Membership[], now: number): readonly Shop[] {
  return memberships.map(({ member, merchant: { id, name, zones, currency } }) => {
    return { id, name, time_zone: zoneAt(zones, now), currency, role: member.role };
  });
}
