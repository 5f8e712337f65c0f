// Admin requests about a merchant's API keys: create, list, revoke. The key itself is in one answer only, the one that
// creates it.

import type { Context } from "hono";
import { ADMIN_PAGE_MAX } from "../../core/limits.ts";
import { type ApiKey, createApiKey, listApiKeys, revokeApiKey } from "../../storage/api-keys.ts";
import { API_KEY_RANDOM_BYTES, apiKey, ID_RANDOM_BYTES, keyId } from "../../storage/credential.ts";
import type { Deps } from "./deps.ts";
import { CURSOR, INSTANT, NAME, required, wholeNumber } from "./field.ts";
import { merchantOf } from "./merchants.ts";
import { type Checked, problem } from "./problem.ts";
import { bodyOf, parametersOf, type Reply } from "./request.ts";

const NEW_KEY = { name: required(NAME), expires_at: INSTANT };
const KEY_PAGE = { limit: wholeNumber(1, ADMIN_PAGE_MAX), after: CURSOR };

/** POST /api/v1/merchants/:id/keys */
export async function postKey(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const body = await bodyOf(c, NEW_KEY);
  if (!body.ok) return body;
  const { name, expires_at: expiresAt = null } = body.value;
  const createdAt = deps.now();
  if (expiresAt !== null && expiresAt <= createdAt)
    return problem("invalid_field", '"expires_at" must lie ahead.', "expires_at");
  const secret = apiKey(deps.random(API_KEY_RANDOM_BYTES));
  const id = keyId(deps.random(ID_RANDOM_BYTES));
  const key = await createApiKey(
    deps.db,
    { id, merchant: merchant.value.number, name, secret, createdAt, expiresAt },
    deps.meter,
  );
  return { ok: true, value: { status: 201, body: { ...shown(key), api_key: secret } } };
}

/** GET /api/v1/merchants/:id/keys?limit&after */
export async function getKeys(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const page = parametersOf(c, KEY_PAGE);
  if (!page.ok) return page;
  const { limit: rowsMax = ADMIN_PAGE_MAX, after = "" } = page.value;
  const rows = await listApiKeys(deps.db, { merchant: merchant.value.number, after, rowsMax }, deps.meter);
  const next = rows.length < rowsMax ? null : (rows.at(-1)?.id ?? null);
  return { ok: true, value: { body: { keys: rows.map(shown), next } } };
}

/** DELETE /api/v1/merchants/:id/keys/:key_id. Isolates that have seen the key forget it within KEYS_KEPT_MS. */
export async function deleteKey(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const id = c.req.param("key_id") ?? "";
  const revoked = await revokeApiKey(deps.db, { merchant: merchant.value.number, id }, deps.meter);
  if (!revoked) return problem("not_found", "The merchant has no key with this id.");
  deps.keys.clear();
  return { ok: true, value: { body: { id, revoked: true } } };
}

function shown({ id, name, hint, createdAt, expiresAt }: ApiKey) {
  return {
    id,
    name,
    hint,
    created_at: new Date(createdAt).toISOString(),
    expires_at: expiresAt === null ? null : new Date(expiresAt).toISOString(),
  };
}
