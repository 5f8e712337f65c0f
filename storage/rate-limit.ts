// The platform's request counters as collector and query Worker use them (wrangler.toml has the numbers and their
// reasons). They say only "within" or "too often", and each location has counters of its own. Where a counter does not
// answer the request is let through, because a limit must not lose the hits that it protects.

import { ADDRESS_LENGTH_MAX } from "../core/limits.ts";
import { spellAddress } from "../core/network.ts";
import { causeOf } from "../core/outcome.ts";
import { writeLog } from "./log.ts";

/** The part of a Worker's environment that turns limits on and off. */
export interface LimitingEnv {
  readonly DEVELOPMENT?: string;
  readonly RATE_LIMITS?: string;
}

/**
 * Whether limits are on. On a developer's machine everything comes from one address, and an import from one tracking
 * ID, so there limits are off unless asked for.
 */
export function isLimiting({ DEVELOPMENT, RATE_LIMITS }: LimitingEnv): boolean {
  return (RATE_LIMITS ?? (DEVELOPMENT === "true" ? "off" : "on")) !== "off";
}

/** Counts a request of `key`, and says whether it is within the limit. */
export async function isWithin(limit: RateLimit, key: string): Promise<boolean> {
  try {
    return (await limit.limit({ key })).success;
  } catch (error) {
    writeLog({ event: "rate_limit_failed", error: causeOf(error) });
    return true;
  }
}

/**
 * What a limit by address counts by. It is the address itself or, for IPv6, its first 64 bits, because whoever has one
 * IPv6 address has all of that network. "2001:db8::1" and "2001:db8:0:0:7::" both become "2001:db8:0:0".
 */
export function addressKey(text: string): string {
  const address = spellAddress(text);
  return isIpv6(address) ? groupsOf(address).slice(0, 4).join(":") : address.slice(-ADDRESS_LENGTH_MAX);
}

/**
 * The largest network that a provider gives to one customer. For IPv6 it is the first 48 bits, which is 65,536 keys of
 * `addressKey`; for IPv4 the first 24. "2001:db8:1:2::3" becomes "2001:db8:1/48", "203.0.113.7" becomes "203.0.113/24".
 */
export function networkKey(text: string): string {
  const address = spellAddress(text);
  if (isIpv6(address)) return `${groupsOf(address).slice(0, 3).join(":")}/48`;
  return `${address.slice(-ADDRESS_LENGTH_MAX).split(".").slice(0, 3).join(".")}/24`;
}

/**
 * What limits of dear requests count by: an IPv4 address, or an IPv6 /48. A sign-in is one of them, with 160 ms of
 * scrypt.
 */
export function customerKey(text: string): string {
  return isIpv6(text) ? networkKey(text) : addressKey(text);
}

export function isIpv6(address: string): boolean {
  return address.includes(":") && !address.includes(".");
}

/** The eight groups of an IPv6 address, without leading zeros. */
function groupsOf(address: string): readonly string[] {
  const [head = "", tail] = address.slice(0, ADDRESS_LENGTH_MAX).toLowerCase().split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":"));
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => "0");
  return [...before, ...zeros, ...after].map((group) => group.replace(/^0+(?=.)/, ""));
}
