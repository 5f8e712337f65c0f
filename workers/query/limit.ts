// How many requests a credential may send in a period. The platform counts them (wrangler.toml, LIMIT_KEY, which has
// the reasons). Answers tell the limit in the fields of the IETF's draft "RateLimit header fields for HTTP" (-11).
// `RateLimit-Policy` is in every answer. `RateLimit` is only in a refusal: before that the platform does not tell how
// much is left, and a made-up number is worse than none.

import type { Context } from "hono";
import { RATE_LIMIT_PERIOD_SECONDS } from "../../core/limits.ts";
import { customerKey, isLimiting, isWithin, type LimitingEnv } from "../../storage/rate-limit.ts";

export interface KeyLimitEnv extends LimitingEnv {
  readonly LIMIT_KEY: RateLimit;
  /** The limit of LIMIT_KEY, for the headers: requests per RATE_LIMIT_PERIOD_SECONDS. */
  readonly KEY_REQUESTS_MAX: string;
  /** Counts by address: attempts to sign in, attempts to accept invites, and wrong credentials. */
  readonly LIMIT_SIGN_IN: RateLimit;
}

/** Counts a request of a credential. Undefined where limits are off. */
export interface KeyLimit {
  readonly requestsMax: number;
  readonly admits: (id: string) => Promise<boolean>;
}

export function keyLimitOf(env: KeyLimitEnv): KeyLimit | undefined {
  if (!isLimiting(env)) return undefined;
  return { requestsMax: Number(env.KEY_REQUESTS_MAX), admits: (id) => isWithin(env.LIMIT_KEY, id) };
}

/** Counts an attempt of an address. Undefined where limits are off. */
export type AddressLimit = (address: string) => Promise<boolean>;

export function signInLimitOf(env: KeyLimitEnv): AddressLimit | undefined {
  return isLimiting(env) ? (address) => isWithin(env.LIMIT_SIGN_IN, customerKey(address)) : undefined;
}

/** Counts a wrong credential of an address, separately from attempts to sign in. Undefined where limits are off. */
export function guessLimitOf(env: KeyLimitEnv): AddressLimit | undefined {
  return isLimiting(env) ? (name) => isWithin(env.LIMIT_SIGN_IN, name) : undefined;
}

/** Whether the address of a request may try once more. If not, the answer says when it may. */
export async function admitAddress(c: Context, limit: AddressLimit | undefined): Promise<boolean> {
  const address = c.req.header("cf-connecting-ip") ?? "";
  if (limit === undefined || (await limit(address))) return true;
  c.header("Retry-After", String(RATE_LIMIT_PERIOD_SECONDS));
  return false;
}

export const TOO_OFTEN = `This key asks too often. Ask again after the ${RATE_LIMIT_PERIOD_SECONDS} seconds of Retry-After.`;

export const TOO_DEAR =
  "What was asked with this key, or of this merchant, took too many steps of filters and expressions together. " +
  `Ask again after the ${RATE_LIMIT_PERIOD_SECONDS} seconds of Retry-After, or with simpler filters.`;

export const TOO_MUCH_READ =
  "What was asked with this key or link, or of this merchant, has read too many events together. " +
  `Ask again after the ${RATE_LIMIT_PERIOD_SECONDS} seconds of Retry-After, over a shorter range, or by one dimension without filters.`;

/** Whether a credential, named by its id, may send this request. Sets the headers that tell its limit. */
export async function admit(c: Context, id: string, limit: KeyLimit | undefined): Promise<boolean> {
  if (limit === undefined) return true;
  c.header("RateLimit-Policy", `"key";q=${limit.requestsMax};w=${RATE_LIMIT_PERIOD_SECONDS}`);
  if (await limit.admits(id)) return true;
  // After a whole period at the latest, a new window has begun.
  c.header("RateLimit", `"key";r=0;t=${RATE_LIMIT_PERIOD_SECONDS}`);
  c.header("Retry-After", String(RATE_LIMIT_PERIOD_SECONDS));
  return false;
}
