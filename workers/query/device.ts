// Knows browsers from which a member has signed in before. Each has a cookie that vouches for it and for one member.
// Wrong passwords from elsewhere never close that member to this browser (sessions.ts). The cookie does not vouch for
// an e-mail address: the owner of a shop can make any address a member there, with a password of the owner's choice.
// The cookie opens nothing by itself, and names nobody. The server stores nothing of it.

import { timingSafeEqual } from "node:crypto";
import type { Context } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { DEVICE_SECONDS, DEVICES_NAMED_MAX } from "../../core/limits.ts";
import { deriveKey, hmac } from "../../storage/secret.ts";
import type { Deps } from "./deps.ts";
import { cookieOf } from "./membership.ts";

const NONCE_BYTES = 12;
/** A voucher is "<nonce>.<mac>". There is one for each member that has signed in here, the last one first. */
const VOUCHER = /^[\w-]{16}\.[\w-]{43}$/;
const BETWEEN = "~";

/** A browser that has signed in before. */
export interface Device {
  /** The name under which its attempts are counted. */
  readonly nonce: string;
  /** Those of the given members that it has signed in to. */
  readonly members: ReadonlySet<string>;
}

/** This browser as one of these members knows it. Undefined where it has signed in to none of them. */
export function knownDevice(
  c: Context,
  members: readonly string[],
  { sealSecrets }: Pick<Deps, "sealSecrets">,
): Device | undefined {
  const known = vouchersOf(c).flatMap((voucher) => {
    const [nonce = "", mac = ""] = voucher.split(".");
    const isOf = (member: string) => sealSecrets.some((secret) => areEqual(mac, macOf(secret, member, nonce)));
    return members.filter(isOf).map((member) => ({ nonce, member }));
  });
  const [last] = known;
  return last && { nonce: last.nonce, members: new Set(known.map(({ member }) => member)) };
}

/** Gives the browser vouchers, by which the members that it has signed in to know it from now on. */
export function rememberDevice(
  c: Context,
  members: readonly string[],
  deps: Pick<Deps, "sealSecrets" | "random">,
): void {
  const device = knownDevice(c, members, deps);
  const added = members.filter((member) => device?.members.has(member) !== true);
  if (added.length === 0) return;
  const nonce = device?.nonce ?? Buffer.from(deps.random(NONCE_BYTES)).toString("base64url");
  const own = added.map((member) => `${nonce}.${macOf(deps.sealSecrets[0] as string, member, nonce)}`);
  const vouchers = [...own, ...vouchersOf(c)].slice(0, DEVICES_NAMED_MAX).join(BETWEEN);
  const { name, secure } = deviceCookieOf(c);
  setCookie(c, name, vouchers, { path: "/", httpOnly: true, sameSite: "Lax", secure, maxAge: DEVICE_SECONDS });
}

function vouchersOf(c: Context): readonly string[] {
  const all = (getCookie(c, deviceCookieOf(c).name) ?? "").split(BETWEEN);
  return all.slice(0, DEVICES_NAMED_MAX).filter((voucher) => VOUCHER.test(voucher));
}

function macOf(secret: string, member: string, nonce: string): string {
  return hmac(deriveKey(secret, "device"), `${member} ${nonce}`).toString("base64url");
}

function areEqual(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

function deviceCookieOf(c: Context) {
  const { name, secure } = cookieOf(c);
  return { name: `${name}-device`, secure };
}
