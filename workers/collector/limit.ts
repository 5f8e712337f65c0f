// How often a client may come: so often per address, and so often per tracking ID, by the platform's own counters
// (wrangler.toml, LIMIT_ADDRESS, LIMIT_TRACKING_ID and the same with _MANY, where the numbers and their reasons are).
// The address is asked before anything of the request is read, the tracking IDs after it was parsed and before anything
// is stored, so a 429 has taken nothing. The counters are the platform's, one set per location: they keep a flood away
// from the partitions, they are no accounting. One that does not answer lets the hit through, because a limit must
// never lose what it guards.

import type { Event } from "../../core/event.ts";
import { LIMIT_BYTES, LIMIT_EVENTS, LIMIT_MANY, LIMIT_WRONG_KEY_BYTES } from "../../core/limits.ts";
import { type Outcome, rejected } from "../../core/outcome.ts";
import { addressKey, isIpv6, isLimiting, isWithin } from "../../storage/rate-limit.ts";
import { addressOf } from "./client.ts";
import type { CollectorEnv } from "./env.ts";
import type { Incoming } from "./incoming.ts";
import { close, isClosed, isNetworkWithinLimit, newNetworkLimit } from "./network-limit.ts";

/** Whether the address does not come too often; asked before its body is read, where there are limits. */
export function isAddressWithinLimit(incoming: Incoming): boolean | Promise<boolean> {
  const { env } = incoming;
  const address = addressOf(incoming);
  if (address === "") return true;
  if (isClosed(networks, addressKey(address))) return false;
  return isIpv6(address) ? mayCome(env, address) : isWithin(env.LIMIT_ADDRESS, addressKey(address));
}

/** The address first: what it may not send counts for no network, or one address would close it for all the others. */
async function mayCome(env: CollectorEnv, address: string): Promise<boolean> {
  if (!(await isWithin(env.LIMIT_ADDRESS, addressKey(address)))) return false;
  return isNetworkWithinLimit(env, { address, requests: 1 }, networks);
}

const networks = newNetworkLimit();

/** What the limits look at in an event. */
export interface Weighed {
  readonly event: Pick<Event, "merchant" | "stream" | "keyed" | "importNumber">;
}

/** What was sent, for what it counts. */
export interface Sent {
  readonly address: string;
  /** Of the body, unpacked, in UTF-16 units. */
  readonly length: number;
  /** Whether the request came with an API key. */
  readonly isKeyed: boolean;
}

/**
 * Whether neither a tracking ID nor the address comes too often, now that it is known what the request carries. It
 * counts for each ID by its events, LIMIT_EVENTS of them as one request, and by their bytes, LIMIT_BYTES as one,
 * whichever is more. What came without a key counts for its address in the same way, refused events included, beyond
 * the one that was counted before; a merchant's server sends for many visitors.
 */
export function areWithinLimit(
  env: CollectorEnv,
  outcomes: readonly Outcome<Weighed>[],
  { address, length, isKeyed }: Sent,
): boolean | Promise<boolean> {
  if (!isLimiting(env)) return true;
  const keys: string[] = [];
  let keyless = 0;
  for (const outcome of outcomes) {
    if (!(outcome.ok ? isOfKey(outcome.value.event) : isKeyed)) keyless += 1;
    if (outcome.ok) keys.push(`${outcome.value.event.merchant}-${outcome.value.event.stream}`);
  }
  // Whose bytes they are is not known: each event has its share.
  const costOf = (count: number) =>
    Math.ceil(Math.max(count / LIMIT_EVENTS, (length * count) / outcomes.length / LIMIT_BYTES));
  const requests = address === "" || keyless === 0 ? 0 : costOf(keyless) - 1;
  const [key] = keys;
  // A hit of one event, nearly always: one counter is asked.
  if (key !== undefined && keys.length === 1 && requests === 0 && costOf(1) === 1)
    return isWithin(env.LIMIT_TRACKING_ID, key);
  return areAllWithin(env, { address, requests, keys, costOf });
}

interface Counted {
  readonly address: string;
  /** Requests that count for the address. */
  readonly requests: number;
  /** Of the tracking ID of each event. */
  readonly keys: readonly string[];
  /** Requests as which so many events count. */
  readonly costOf: (count: number) => number;
}

/** The address first: what it may not send counts for no tracking ID. */
async function areAllWithin(env: CollectorEnv, { address, requests, keys, costOf }: Counted): Promise<boolean> {
  if (requests > 0 && !(await mayAddressSend(env, address, requests))) return false;
  const counters = { one: env.LIMIT_TRACKING_ID, many: env.LIMIT_TRACKING_ID_MANY };
  const own = [...Map.groupBy(keys, (key) => key)];
  const answers = own.map(([key, { length: count }]) => isWithinTimes(counters, key, costOf(count)));
  return (await Promise.all(answers)).every(Boolean);
}

/** One that may not is refused before its body is read from then on, for a period. */
async function mayAddressSend(env: CollectorEnv, address: string, requests: number): Promise<boolean> {
  const counters = { one: env.LIMIT_ADDRESS, many: env.LIMIT_ADDRESS_MANY };
  const key = addressKey(address);
  if (await isWithinTimes(counters, key, requests)) return isNetworkWithinLimit(env, { address, requests }, networks);
  close(networks, key);
  return false;
}

/** Whether a key may come so many times more. The platform counts one at a time. */
async function isWithinTimes(
  { one, many }: { readonly one: RateLimit; readonly many: RateLimit },
  key: string,
  times: number,
): Promise<boolean> {
  const [counter, count] = times < LIMIT_MANY ? [one, times] : [many, Math.ceil(times / LIMIT_MANY)];
  return (await Promise.all(Array.from({ length: count }, () => isWithin(counter, key)))).every(Boolean);
}

/** Whether an address may look up one more site that is nobody's; each counts as a key that is none does. */
export function isGuessWithinLimit(env: CollectorEnv, sent: Sent): boolean | Promise<boolean> {
  return areWithinLimit(env, [GUESS], { ...sent, isKeyed: false, length: LIMIT_WRONG_KEY_BYTES });
}

const GUESS = rejected("unknown_tracking_id", "a site that is nobody's");

export const TOO_OFTEN =
  "this tracking_id or address sends too much; send the same events again later, several in one request";

/** What is refused whole counts as well: it was read. A key that is none was looked up too, and counts for more. */
export async function countRefused(env: CollectorEnv, refusal: Refused, sent: Sent): Promise<Refused> {
  const isGuess = refusal.rejection.code === "unauthorized";
  const counted = isGuess ? { ...sent, isKeyed: false, length: Math.max(sent.length, LIMIT_WRONG_KEY_BYTES) } : sent;
  return (await areWithinLimit(env, [refusal], counted)) ? refusal : rejected("rate_limited", TOO_OFTEN);
}

type Refused = ReturnType<typeof rejected>;

/** An import has a key, also where it tells what came without one. */
function isOfKey({ keyed, importNumber }: Pick<Event, "keyed" | "importNumber">): boolean {
  return keyed === 1 || importNumber !== 0;
}
