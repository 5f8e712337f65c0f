// Finds who is signed in, by what a browser sends by itself: a session's cookie, or the JWT of Cloudflare Access.
// Another site's page can make a browser send these. So a request that changes something is accepted only from this
// origin. The browser says so in Sec-Fetch-Site or Origin, which pages cannot forge.

import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { SESSION_MS } from "../../core/limits.ts";
import { isTokenShaped } from "../../storage/directory/credential.ts";
import { listMemberships, type Membership } from "../../storage/directory/members.ts";
import { findSession } from "../../storage/directory/sessions.ts";
import { ACCESS_HEADER } from "./access.ts";
import type { Deps } from "./deps.ts";

/**
 * The memberships of whoever is signed in. With a password they are those that the password opened. With Access they
 * are all memberships of the address that Access vouches for.
 */
export async function membershipsOf(c: Context, deps: Deps): Promise<readonly Membership[]> {
  if (deps.access !== undefined) {
    const email = await accessEmailOf(c, deps);
    return email === undefined ? [] : await listMemberships(deps.directory, email);
  }
  const token = sessionTokenOf(c);
  return token === undefined ? [] : await findSession(deps.directory, { token, now: deps.now() });
}

/** The address that Cloudflare Access vouches for. */
export async function accessEmailOf(c: Context, deps: Deps): Promise<string | undefined> {
  const jwt = c.req.header(ACCESS_HEADER) ?? "";
  return jwt === "" ? undefined : (await deps.access?.read(jwt))?.email;
}

/** Whether a request has a credential that a browser sends by itself. */
export function maySignIn(c: Context): boolean {
  return sessionTokenOf(c) !== undefined || c.req.header(ACCESS_HEADER) !== undefined;
}

/**
 * Whether a request comes from a page of this origin. A client that sends neither header is no browser that we know, so
 * it counts as foreign.
 */
export function isSameOrigin(c: Context): boolean {
  const site = c.req.header("sec-fetch-site");
  return site === undefined ? c.req.header("origin") === new URL(c.req.url).origin : site === "same-origin";
}

export const FOREIGN_ORIGIN = "A session is used from its own pages only: Origin must be this one.";

/** The token in the session's cookie. */
export function sessionTokenOf(c: Context): string | undefined {
  const token = getCookie(c, cookieOf(c).name) ?? "";
  return isTokenShaped("fft", token) ? token : undefined;
}

export function setSession(c: Context, token: string): void {
  const { name, secure } = cookieOf(c);
  setCookie(c, name, token, { path: "/", httpOnly: true, sameSite: "Lax", secure, maxAge: SESSION_MS / 1_000 });
}

export function clearSession(c: Context): void {
  const { name, secure } = cookieOf(c);
  deleteCookie(c, name, { path: "/", secure });
}

/**
 * The cookie's name. With its prefix a browser takes the cookie only from this host and over TLS. A developer's machine
 * has no TLS, so there the name has no prefix.
 */
export function cookieOf(c: Context): { readonly name: string; readonly secure: boolean } {
  const secure = !["localhost", "127.0.0.1", "[::1]"].includes(new URL(c.req.url).hostname);
  return { name: secure ? "__Host-footfall" : "footfall", secure };
}
