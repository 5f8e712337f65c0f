// A limit of requests by network. Whoever has an IPv6 /48 has 65,536 networks of the size /64, and each of those has a
// limit of its own (limit.ts). To ask the platform's counter twice for each hit would be dear. So one request in
// sixteen is counted for its network, by the same counter, and an isolate remembers for a period which networks sent
// too many. The /48 thus has about the limit of sixteen addresses.

import { LIMIT_NETWORK_ADDRESSES, NETWORKS_CLOSED_MAX, RATE_LIMIT_PERIOD_SECONDS } from "../../core/limits.ts";
import { isIpv6, isWithin, networkKey } from "../../storage/rate-limit.ts";
import type { CollectorEnv } from "./env.ts";

export interface NetworkLimit {
  /** Networks and addresses that sent too many requests → UTC ms until which they are refused. */
  readonly closed: Map<string, number>;
  /** In [0, 1). */
  readonly random: () => number;
  readonly now: () => number;
}

export function newNetworkLimit(): NetworkLimit {
  return { closed: new Map(), random: Math.random, now: Date.now };
}

/**
 * Whether the network of an address may send what counts as so many requests. IPv4 has no such limit, because its
 * addresses are dear.
 */
export async function isNetworkWithinLimit(
  env: Pick<CollectorEnv, "LIMIT_ADDRESS">,
  { address, requests }: { readonly address: string; readonly requests: number },
  own: NetworkLimit,
): Promise<boolean> {
  if (!isIpv6(address)) return true;
  const times = Math.floor(requests / LIMIT_NETWORK_ADDRESSES + own.random());
  if (times === 0 && own.closed.size === 0) return true;
  const network = networkKey(address);
  if (isClosed(own, network)) return false;
  const answers = await Promise.all(Array.from({ length: times }, () => isWithin(env.LIMIT_ADDRESS, network)));
  if (answers.every(Boolean)) return true;
  close(own, network);
  return false;
}

/** Whether a network or an address was found to send too many requests within the last period. */
export function isClosed({ closed, now }: NetworkLimit, key: string): boolean {
  if (closed.size === 0) return false;
  const until = closed.get(key);
  if (until !== undefined && until > now()) return true;
  closed.delete(key);
  return false;
}

/** Refuses a network or an address for a period. */
export function close({ closed, now }: NetworkLimit, key: string): void {
  if (closed.size >= NETWORKS_CLOSED_MAX) closed.clear();
  closed.set(key, now() + RATE_LIMIT_PERIOD_SECONDS * 1_000);
}
