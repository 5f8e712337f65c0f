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
  /** Counts the requests of one guest of a share link. */
  readonly LIMIT_GUEST: RateLimit;
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

/** Counts a request of a guest. Undefined where limits are off. */
export type GuestLimit = (guest: string) => Promise<boolean>;

export function guestLimitOf(env: KeyLimitEnv): GuestLimit | undefined {
  return isLimiting(env) ? (guest) => isWithin(env.LIMIT_GUEST, guest) : undefined;
}

/**
 * What tells the guests of a share link apart: their addresses (of IPv6 a /48). Undefined where the platform does not
 * say an address.
 */
export function guestOf(c: Context): string | undefined {
  return customerKey(c.req.header("cf-connecting-ip") ?? "") || undefined;
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

export const TOO_MANY_GUESTS =
  "Too many questions through share links are being counted. " +
  `Ask again after the ${RATE_LIMIT_PERIOD_SECONDS} seconds of Retry-After, or by one dimension without filters.`;

export const TOO_MANY_READINGS =
  "Too many questions over many Days with this key or link, or of this merchant, wait to be answered. " +
  `Ask again after the ${RATE_LIMIT_PERIOD_SECONDS} seconds of Retry-After, for a shorter range, or ask them together: POST /api/v2/batch takes 24.`;

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

/**
 * Whether a guest of a share link may send this request. Its own count comes first, and what it may not send counts for
 * the link no more. So no guest uses up what the others of the link may ask.
 */
export async function admitGuest(
  c: Context,
  share: string,
  { keyLimit, guestLimit }: { readonly keyLimit: KeyLimit | undefined; readonly guestLimit: GuestLimit | undefined },
): Promise<boolean> {
  const guest = guestOf(c);
  if (guest === undefined || guestLimit === undefined || (await guestLimit(`${share} ${guest}`)))
    return admit(c, share, keyLimit);
  c.header("Retry-After", String(RATE_LIMIT_PERIOD_SECONDS));
  return false;
}
