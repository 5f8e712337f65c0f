// Share links. Anybody who has one may ask questions about one merchant, but change nothing. The link's filters are
// added to those of every question. They are parsed together with the question (core/query/filter.ts), as filters that
// always hold. So no question can leave them out.

import type { Context } from "hono";
import {
  SHARE_FILTERS_LENGTH_MAX,
  SHARE_ORIGIN_LENGTH_MAX,
  SHARE_ORIGINS_MAX,
  SHARES_COUNT_MAX,
} from "../../core/limits.ts";
import { zoneAt } from "../../core/merchant.ts";
import { parseFilters } from "../../core/query/filter.ts";
import { withSegments } from "../../core/query/segment.ts";
import {
  API_KEY_RANDOM_BYTES,
  hashKey,
  ID_RANDOM_BYTES,
  isTokenShaped,
  shareId,
  token,
} from "../../storage/directory/credential.ts";
import { noteGone } from "../../storage/directory/gone.ts";
import {
  createShare,
  findShareHolder,
  listShares,
  revokeShare,
  type Share,
  type ShareHolder,
} from "../../storage/directory/shares.ts";
import { bearerOf } from "./authorize.ts";
import type { Deps } from "./deps.ts";
import { type Field, INSTANT, NAME, required, savedFilters } from "./field.ts";
import { admitGuest, TOO_OFTEN } from "./limit.ts";
import { merchantOf } from "./merchants.ts";
import { type Checked, problem } from "./problem.ts";
import { bodyOf, type Reply } from "./request.ts";
import { keepSegments } from "./segments.ts";

/** Filters as a question may have them, of bounded length. */
const FILTERS: Field<readonly unknown[], false> = {
  required: false,
  expected: `a list of filters as questions have them, with few regular expressions, at most ${SHARE_FILTERS_LENGTH_MAX} characters of JSON`,
  schema: { type: "array", items: { type: "array" } },
  parse: savedFilters((value) => {
    // Whether the named segments exist is checked when the link is made. Here any filter replaces them.
    const filled = withSegments(value, () => [["is", "event:page", ["/"]]]);
    return filled.ok && parseFilters([], filled.value as readonly unknown[]).ok;
  }),
};
/**
 * An origin as a browser writes it. It becomes part of a header. A browser would accept other texts as hosts, such as
 * `a;sandbox`.
 */
const ORIGIN = /^https:\/\/[a-z0-9-]+(\.[a-z0-9-]+)*(:[1-9]\d{0,4})?$/;
const EMBED_ORIGINS: Field<readonly string[], false> = {
  required: false,
  expected: `a list of at most ${SHARE_ORIGINS_MAX} different origins such as "https://blog.example"`,
  schema: { type: "array", maxItems: SHARE_ORIGINS_MAX, items: { type: "string", pattern: ORIGIN.source } },
  parse: (value) => {
    if (!Array.isArray(value) || value.length > SHARE_ORIGINS_MAX || new Set(value).size < value.length)
      return undefined;
    const isOrigin = (one: unknown) =>
      typeof one === "string" && one.length <= SHARE_ORIGIN_LENGTH_MAX && ORIGIN.test(one);
    return value.every(isOrigin) ? value : undefined;
  },
};
export const NEW_SHARE = { name: required(NAME), filters: FILTERS, expires_at: INSTANT, embed_origins: EMBED_ORIGINS };

/**
 * POST /api/v1/merchants/:id/shares {"name","filters"?,"expires_at"?,"embed_origins"?}: the token is in this answer and
 * is never shown again.
 */
export async function postShare(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const body = await bodyOf(c, NEW_SHARE);
  if (!body.ok) return body;
  const { name, filters = [], expires_at: expiresAt = null, embed_origins: embedOrigins = [] } = body.value;
  const createdAt = deps.now();
  if (expiresAt !== null && expiresAt <= createdAt)
    return problem("invalid_field", '"expires_at" must lie ahead.', "expires_at");
  const kept = await keepSegments(filters, merchant.value.number, deps);
  if (!kept.ok) return problem("invalid_field", kept.rejection.message, "filters");
  const secret = token("ffs", deps.random(API_KEY_RANDOM_BYTES));
  const id = shareId(deps.random(ID_RANDOM_BYTES));
  const own = { id, merchant: merchant.value.number, name, filters: kept.value };
  const made = { ...own, createdAt, expiresAt, embedOrigins, token: secret };
  const share = await createShare(deps.directory, made);
  if (share === "full") return problem("conflict", `A merchant has at most ${SHARES_COUNT_MAX} share links.`);
  return { ok: true, value: { status: 201, body: { ...shown(share), token: secret } } };
}

/** GET /api/v1/merchants/:id/shares: all links, without their tokens. */
export async function getShares(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const rows = await listShares(deps.directory, merchant.value.number);
  return { ok: true, value: { body: { shares: rows.map(shown), next: null } } };
}

/** DELETE /api/v1/merchants/:id/shares/:share_id: the link opens nothing from now on. */
export async function deleteShare(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const id = c.req.param("share_id") ?? "";
  const gone = { merchant: merchant.value.number, id };
  await noteGone({ ...gone, kind: "shares" }, deps);
  const revoked = await revokeShare(deps.directory, gone);
  if (!revoked) return problem("not_found", "The merchant has no share link with this id.");
  return { ok: true, value: { body: { id, revoked: true } } };
}

/** GET /api/v1/shared, with the link's token: what a page needs to show the numbers. */
export async function getShared(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const opened = await openShare(bearerOf(c.req.header("authorization")) ?? "", deps);
  if (opened === undefined) return problem("unauthorized", "Send Authorization: Bearer <the token of a share link>.");
  const { merchant, share } = opened;
  if (!(await admitGuest(c, share.id, deps))) return problem("rate_limited", TOO_OFTEN);
  const { id, name, filters } = share;
  const { id: site_id, currency, zones } = merchant;
  return { ok: true, value: { body: { id, name, site_id, time_zone: zoneAt(zones, deps.now()), currency, filters } } };
}

/** What a link's token opens now. Undefined for an unknown, revoked or expired one. */
export async function openShare(secret: string, deps: Deps): Promise<ShareHolder | undefined> {
  if (!isTokenShaped("ffs", secret)) return undefined;
  const holder = await findShareHolder(deps.directory, hashKey(secret));
  const expiresAt = holder?.share.expiresAt ?? null;
  return expiresAt === null || expiresAt > deps.now() ? holder : undefined;
}

function shown({ id, name, hint, filters, createdAt, expiresAt, embedOrigins }: Share) {
  const expires_at = expiresAt === null ? null : new Date(expiresAt).toISOString();
  const created_at = new Date(createdAt).toISOString();
  return { id, name, hint, filters, created_at, expires_at, embed_origins: embedOrigins };
}
