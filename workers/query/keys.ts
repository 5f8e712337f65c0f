// Admin requests about a merchant's API keys: create, list, rotate, revoke. The secret of a key is only in the answer
// that creates it or gives it a new one.

import type { Context } from "hono";
import { ADMIN_PAGE_MAX, KEY_GRACE_SECONDS, KEY_GRACE_SECONDS_MAX, KEYS_COUNT_MAX } from "../../core/limits.ts";
import {
  type ApiKey,
  countApiKeys,
  createApiKey,
  listApiKeys,
  revokeApiKey,
  rotateApiKey,
} from "../../storage/directory/api-keys.ts";
import { API_KEY_RANDOM_BYTES, apiKey, ID_RANDOM_BYTES, keyId } from "../../storage/directory/credential.ts";
import { noteGone, noteRotated } from "../../storage/directory/gone.ts";
import { SCOPES } from "../../storage/directory/schema.ts";
import type { Deps } from "./deps.ts";
import { CURSOR, INSTANT, NAME, oneOf, required, wholeNumber } from "./field.ts";
import { merchantOf } from "./merchants.ts";
import { type Checked, problem } from "./problem.ts";
import { bodyOf, parametersOf, type Reply } from "./request.ts";

export const NEW_KEY = { name: required(NAME), scope: oneOf(SCOPES), expires_at: INSTANT };
export const ROTATION = { grace_seconds: wholeNumber(0, KEY_GRACE_SECONDS_MAX) };
export const KEY_PAGE = { limit: wholeNumber(1, ADMIN_PAGE_MAX), after: CURSOR };

/** POST /api/v1/merchants/:id/keys {"name","scope"?,"expires_at"?}: a new key. Its scope is "read" by default. */
export async function postKey(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const body = await bodyOf(c, NEW_KEY);
  if (!body.ok) return body;
  const { name, scope = "read", expires_at: expiresAt = null } = body.value;
  const createdAt = deps.now();
  if (expiresAt !== null && expiresAt <= createdAt)
    return problem("invalid_field", '"expires_at" must lie ahead.', "expires_at");
  const { number } = merchant.value;
  if ((await countApiKeys(deps.directory, number)) >= KEYS_COUNT_MAX)
    return problem("conflict", `A merchant has at most ${KEYS_COUNT_MAX} keys: revoke some.`);
  const secret = apiKey(deps.random(API_KEY_RANDOM_BYTES));
  const id = keyId(deps.random(ID_RANDOM_BYTES));
  const made = { id, merchant: number, name, scope, secret, createdAt, expiresAt };
  const key = await createApiKey(deps.directory, made);
  return { ok: true, value: { status: 201, body: { ...shown(key), api_key: secret } } };
}

/** GET /api/v1/merchants/:id/keys?limit&after */
export async function getKeys(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const page = parametersOf(c, KEY_PAGE);
  if (!page.ok) return page;
  const { limit: rowsMax = ADMIN_PAGE_MAX, after = "" } = page.value;
  const rows = await listApiKeys(deps.directory, { merchant: merchant.value.number, after, rowsMax });
  const next = rows.length < rowsMax ? null : (rows.at(-1)?.id ?? null);
  return { ok: true, value: { body: { keys: rows.map(shown), next } } };
}

/** POST /api/v1/merchants/:id/keys/:key_id/rotate {"grace_seconds"?}: gives the key a new secret. */
export async function postKeyRotation(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const body = await bodyOf(c, ROTATION);
  if (!body.ok) return body;
  const { grace_seconds: graceSeconds = KEY_GRACE_SECONDS } = body.value;
  const secret = apiKey(deps.random(API_KEY_RANDOM_BYTES));
  const id = c.req.param("key_id") ?? "";
  const previousUntil = deps.now() + graceSeconds * 1_000;
  const rotation = { merchant: merchant.value.number, id, secret, previousUntil };
  await noteRotated(rotation, deps);
  const key = await rotateApiKey(deps.directory, rotation);
  if (key === undefined) return unknownKey();
  deps.keys.clear();
  return { ok: true, value: { body: { ...shown(key), api_key: secret } } };
}

/** DELETE /api/v1/merchants/:id/keys/:key_id. Isolates that have seen the key forget it within KEYS_KEPT_MS. */
export async function deleteKey(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const id = c.req.param("key_id") ?? "";
  const gone = { merchant: merchant.value.number, id };
  await noteGone({ ...gone, kind: "api_keys" }, deps);
  const revoked = await revokeApiKey(deps.directory, gone);
  if (!revoked) return unknownKey();
  deps.keys.clear();
  return { ok: true, value: { body: { id, revoked: true } } };
}

function unknownKey() {
  return problem("not_found", "The merchant has no key with this id.");
}

function shown({ id, name, scope, hint, createdAt, expiresAt, lastUsedAt, previousUntil }: ApiKey) {
  return {
    id,
    name,
    scope,
    hint,
    created_at: instant(createdAt),
    expires_at: instant(expiresAt),
    last_used_at: instant(lastUsedAt),
    /** Until when the former secret is valid; null where the key was never rotated. */
    previous_secret_until: instant(previousUntil),
  };
}

function instant(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
