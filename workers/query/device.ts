// Knows browsers from which a member has signed in before. Each has a cookie that vouches for it and for one e-mail
// address. Wrong passwords from elsewhere never close that address to this browser (sessions.ts). The cookie opens
// nothing by itself, and names nobody. The server stores nothing of it.

import { timingSafeEqual } from "node:crypto";
import type { Context } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { DEVICE_SECONDS, DEVICES_NAMED_MAX } from "../../core/limits.ts";
import type { Claim } from "../../storage/directory/sessions.ts";
import { deriveKey, hmac } from "../../storage/secret.ts";
import type { Deps } from "./deps.ts";
import { cookieOf } from "./membership.ts";

const NONCE_BYTES = 12;
/** A voucher is "<nonce>.<mac>". There is one for each address that has signed in here, the last one first. */
const VOUCHER = /^[\w-]{16}\.[\w-]{43}$/;
const BETWEEN = "~";

/** The nonce under which this browser has signed in with an address before. Undefined where it has not. */
export function knownDevice(c: Context, claim: Claim, { sealSecrets }: Pick<Deps, "sealSecrets">): string | undefined {
  for (const voucher of vouchersOf(c)) {
    const [nonce = "", mac = ""] = voucher.split(".");
    for (const secret of sealSecrets) if (areEqual(mac, macOf(secret, claim, nonce))) return nonce;
  }
  return undefined;
}

/** Gives the browser a voucher, by which it is known from now on. */
export function rememberDevice(c: Context, claim: Claim, deps: Pick<Deps, "sealSecrets" | "random">): void {
  if (knownDevice(c, claim, deps) !== undefined) return;
  const nonce = Buffer.from(deps.random(NONCE_BYTES)).toString("base64url");
  const own = `${nonce}.${macOf(deps.sealSecrets[0] as string, claim, nonce)}`;
  const vouchers = [own, ...vouchersOf(c)].slice(0, DEVICES_NAMED_MAX).join(BETWEEN);
  const { name, secure } = deviceCookieOf(c);
  setCookie(c, name, vouchers, { path: "/", httpOnly: true, sameSite: "Lax", secure, maxAge: DEVICE_SECONDS });
}

function vouchersOf(c: Context): readonly string[] {
  const all = (getCookie(c, deviceCookieOf(c).name) ?? "").split(BETWEEN);
  return all.slice(0, DEVICES_NAMED_MAX).filter((voucher) => VOUCHER.test(voucher));
}

function macOf(secret: string, { email }: Claim, nonce: string): string {
  return hmac(deriveKey(secret, "device"), `${email} ${nonce}`).toString("base64url");
}

function areEqual(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

function deviceCookieOf(c: Context) {
  const { name, secure } = cookieOf(c);
  return { name: `${name}-device`, secure };
}
