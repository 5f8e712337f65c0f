// How often a client may send: limits for each address and each tracking ID. The platform's own counters count
// requests. wrangler.toml has the numbers and their reasons (LIMIT_ADDRESS and LIMIT_TRACKING_ID). Counters are asked
// once for ten requests (tens.ts). The address is checked before anything of the request is read. Tracking IDs are
// checked after the request was parsed and before anything is stored, so a 429 has taken nothing. If the address is
// closed, a request with a good key counts for the merchant of the key instead, because a server may share its address
// with anybody. The platform has one set of counters for each location. They keep a flood away from the partitions;
// they are no accounting. If a counter does not answer, the hit passes, because a limit must never lose what it guards.

import type { Event } from "../../core/event.ts";
import {
  LATE_REQUESTS,
  LIMIT_BYTES,
  LIMIT_EVENTS,
  LIMIT_NETWORK_ADDRESSES,
  LIMIT_WRONG_KEY_BYTES,
} from "../../core/limits.ts";
import { type Outcome, rejected } from "../../core/outcome.ts";
import { DAY_MS } from "../../core/time.ts";
import { addressKey, isIpv6, isLimiting, networkKey } from "../../storage/rate-limit.ts";
import { addressOf } from "./client.ts";
import type { CollectorEnv } from "./env.ts";
import type { Incoming } from "./incoming.ts";
import { Tens } from "./tens.ts";

/** The requests that this isolate has counted. */
const tens = new Tens();

/** Whether the address is within its limit. Checked before the body is read, where limits are on. */
export function isAddressWithinLimit(incoming: Incoming): boolean | Promise<boolean> {
  const address = addressOf(incoming);
  return address === "" || mayAddressSend(incoming.env, address, 1);
}

/**
 * The address is checked first. Requests that it may not send count for no network. Otherwise one address would close
 * the network for all the others.
 */
function mayAddressSend(env: CollectorEnv, address: string, requests: number): boolean | Promise<boolean> {
  const isWithin = tens.isWithin(env.LIMIT_ADDRESS, addressKey(address), requests);
  if (typeof isWithin === "boolean") return isWithin && mayNetworkSend(env, { address, requests });
  return isWithin.then((isTrue) => isTrue && mayNetworkSend(env, { address, requests }));
}

/**
 * Whether the IPv6 /48 of an address is within its limit, if it sends what counts as so many requests. The owner of a
 * /48 has 65,536 networks of the size /64, and each of these counts as an address. So one request in sixteen, chosen at
 * random, counts for the /48, on the counter of addresses. Its limit is therefore about that of sixteen addresses. IPv4
 * has no such limit, because its addresses are dear.
 */
export function mayNetworkSend(
  env: Pick<CollectorEnv, "LIMIT_ADDRESS">,
  { address, requests }: { readonly address: string; readonly requests: number },
  { counted = tens, random = Math.random }: { readonly counted?: Tens; readonly random?: () => number } = {},
): boolean | Promise<boolean> {
  if (!isIpv6(address)) return true;
  const times = Math.floor(requests / LIMIT_NETWORK_ADDRESSES + random());
  return counted.isWithin(env.LIMIT_ADDRESS, networkKey(address), times);
}

/**
 * Whether a request with a key of this merchant may pass although its address is closed. It counts for the merchant as
 * a request of a tracking ID does. A merchant that sends too much, or guesses, is refused as others are, for a period.
 */
export function mayPass(env: CollectorEnv, merchant: number): boolean | Promise<boolean> {
  return tens.isWithin(env.LIMIT_TRACKING_ID, keysOf(merchant), 1);
}

/** The name under which all keys of a merchant are counted together. No tracking ID has such a name. */
function keysOf(merchant: number): string {
  return `${merchant}-key`;
}

/** What the limits read of an event. */
export interface Weighed {
  readonly event: Pick<Event, "merchant" | "stream" | "keyed" | "importNumber" | "timestamp">;
}

/** What was sent, and for whom it counts. */
export interface Sent {
  readonly address: string;
  /** The length of the body, unpacked, in UTF-16 units. */
  readonly length: number;
  /** The merchant whose API key came with the request. */
  readonly merchant: number | undefined;
  /** Whether the address is closed and the key has let the request in. */
  readonly isPassed: boolean;
  /** Events before this instant (UTC ms) are of closed Days. Absent where there are no events. */
  readonly openFrom?: number;
}

export interface SentWith {
  readonly length: number;
  /** The merchant of the request's key, after a look-up. */
  readonly merchant?: number | undefined;
  /** The merchant whose key let the request in although its address is closed (`mayPass`). */
  readonly passed: number | undefined;
  readonly openFrom?: number;
}

export function sentBy(address: string, { length, merchant, passed, openFrom = 0 }: SentWith): Sent {
  return { address, length, merchant: merchant ?? passed, isPassed: passed !== undefined, openFrom };
}

/**
 * Whether the tracking IDs and the address are within their limits, after the request was parsed. For each ID it counts
 * as many requests as its events or its bytes make, whichever is more: LIMIT_EVENTS events make one request, and so do
 * LIMIT_BYTES bytes. Events without a key, refused ones included, count for the address in the same way, beyond the one
 * request that was counted before. Events with a key do not, since a merchant's server sends for many visitors. Refused
 * events with a key count for its merchant. Through a closed address nothing passes without a key. A request without
 * events counts as one refused event with its bytes. For the address each closed Day of a merchant counts as well
 * (LATE_REQUESTS).
 */
export function areWithinLimit(
  env: CollectorEnv,
  all: readonly Outcome<Weighed>[],
  { address, length, merchant, isPassed, openFrom = 0 }: Sent,
): boolean | Promise<boolean> {
  if (!isLimiting(env)) return true;
  const outcomes = all.length === 0 ? NO_EVENTS : all;
  const keys: string[] = [];
  let keyless = 0;
  let closedDays: Set<string> | undefined;
  for (const outcome of outcomes) {
    const isKeyless = !(outcome.ok ? isOfKey(outcome.value.event) : merchant !== undefined);
    if (isKeyless) keyless += 1;
    if (isKeyless && outcome.ok && outcome.value.event.timestamp < openFrom) {
      closedDays ??= new Set();
      closedDays.add(`${outcome.value.event.merchant} ${Math.floor(outcome.value.event.timestamp / DAY_MS)}`);
    }
    if (outcome.ok) keys.push(`${outcome.value.event.merchant}-${outcome.value.event.stream}`);
    else if (merchant !== undefined) keys.push(keysOf(merchant));
  }
  if (isPassed && keyless > 0) return false;
  // It is not known which event has how many of the bytes, so each event counts an equal share.
  const costOf = (count: number) =>
    Math.ceil(Math.max(count / LIMIT_EVENTS, (length * count) / outcomes.length / LIMIT_BYTES));
  const late = LATE_REQUESTS * (closedDays?.size ?? 0);
  const requests = address === "" || keyless === 0 ? 0 : costOf(keyless) - 1 + late;
  const [key] = keys;
  const passing = isPassed ? merchant : undefined;
  // Nearly always a hit has one event.
  if (key !== undefined && keys.length === 1 && requests === 0)
    return closedIfNot(tens.isWithin(env.LIMIT_TRACKING_ID, key, costOf(1)), passing);
  return closedIfNot(areAllWithin(env, { address, requests, keys, costOf }), passing);
}

const NO_EVENTS: readonly Outcome<Weighed>[] = [rejected("invalid_body", "no events")];

/** A key whose merchant sent too much lets nothing more pass through closed addresses, for the rest of the period. */
function closedIfNot(within: boolean | Promise<boolean>, passing: number | undefined): boolean | Promise<boolean> {
  if (within === true || passing === undefined) return within;
  const close = tens.closing(keysOf(passing));
  const closed = (isTrue: boolean) => {
    if (!isTrue) close();
    return isTrue;
  };
  return within === false ? closed(within) : within.then(closed);
}

interface Counted {
  readonly address: string;
  /** How many requests count for the address. */
  readonly requests: number;
  /** The tracking ID of each event. */
  readonly keys: readonly string[];
  /** As how many requests so many events count. */
  readonly costOf: (count: number) => number;
}

/** The address is checked first. Requests that it may not send count for no tracking ID. */
async function areAllWithin(env: CollectorEnv, { address, requests, keys, costOf }: Counted): Promise<boolean> {
  if (requests > 0 && !(await mayAddressSend(env, address, requests))) return false;
  const own = [...Map.groupBy(keys, (key) => key)];
  const answers = own.map(([key, { length: count }]) => tens.isWithin(env.LIMIT_TRACKING_ID, key, costOf(count)));
  return (await Promise.all(answers)).every(Boolean);
}

/**
 * Whether an address may look up one more unknown site. Such a look-up counts as much as a wrong key does. Through a
 * closed address it counts for the merchant of the key.
 */
export function isGuessWithinLimit(env: CollectorEnv, sent: Sent): boolean | Promise<boolean> {
  const { merchant, isPassed } = sent;
  if (!isPassed || merchant === undefined) return areWithinLimit(env, [GUESS], asStranger(sent));
  const requests = LIMIT_WRONG_KEY_BYTES / LIMIT_BYTES;
  return closedIfNot(tens.isWithin(env.LIMIT_ADDRESS, `${merchant}-guess`, requests), merchant);
}

/** The same request without its key. A guess counts for its address, whatever key came with it. */
function asStranger(sent: Sent): Sent {
  return { ...sent, merchant: undefined, isPassed: false, length: Math.max(sent.length, LIMIT_WRONG_KEY_BYTES) };
}

const GUESS = rejected("unknown_tracking_id", "a site that is nobody's");

export const TOO_OFTEN =
  "this tracking_id or address sends too much; send the same events again later, several in one request";

/**
 * Counts a request that is refused as a whole, because it was read. A wrong key was looked up too, so it counts for
 * more.
 */
export async function countRefused(env: CollectorEnv, refusal: Refused, sent: Sent): Promise<Refused> {
  const isGuess = refusal.rejection.code === "unauthorized";
  return (await areWithinLimit(env, [refusal], isGuess ? asStranger(sent) : sent))
    ? refusal
    : rejected("rate_limited", TOO_OFTEN);
}

type Refused = ReturnType<typeof rejected>;

/** Whether an event came with a key. An import has a key, even for events that once came without one. */
function isOfKey({ keyed, importNumber }: Pick<Event, "keyed" | "importNumber">): boolean {
  return keyed === 1 || importNumber !== 0;
}
