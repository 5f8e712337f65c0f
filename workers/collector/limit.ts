// How often a client may come: so often per address, and so often per tracking ID, by the platform's own counters
// (wrangler.toml, LIMIT_ADDRESS and LIMIT_TRACKING_ID, where the numbers and their reasons are). The address is asked
// before anything of the request is read, the tracking IDs after it was parsed and before anything is stored, so a 429
// has taken nothing. The counters are the platform's, one set per location: they keep a flood away from the partitions,
// they are no accounting. One that does not answer lets the hit through, because a limit must never lose what it guards.

import type { Arrival } from "../../core/event.ts";
import type { Outcome } from "../../core/outcome.ts";
import { addressKey, isLimiting, isWithin } from "../../storage/rate-limit.ts";
import { addressOf } from "./client.ts";
import type { CollectorEnv } from "./env.ts";
import type { Incoming } from "./incoming.ts";

/** Whether the address does not come too often; asked before its body is read. */
export function isAddressWithinLimit(incoming: Incoming): boolean | Promise<boolean> {
  const { env } = incoming;
  const key = isLimiting(env) ? addressKey(addressOf(incoming)) : "";
  return key === "" || isWithin(env.LIMIT_ADDRESS, key);
}

/**
 * Whether none of the tracking IDs comes too often. A request counts once for each ID in it, whatever it carries: how many
 * events a partition takes is the partition's own limit.
 */
export async function areWithinLimit(env: CollectorEnv, outcomes: readonly Outcome<Arrival>[]): Promise<boolean> {
  if (!isLimiting(env)) return true;
  const keys = new Set<string>();
  for (const outcome of outcomes) {
    if (outcome.ok) keys.add(`${outcome.value.event.merchant}-${outcome.value.event.stream}`);
  }
  const answers = await Promise.all([...keys].map((key) => isWithin(env.LIMIT_TRACKING_ID, key)));
  return answers.every(Boolean);
}
