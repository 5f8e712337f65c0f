// How often a client may come: so often per address, and so often per tracking ID, by the platform's own counters
// (wrangler.toml, LIMIT_ADDRESS and LIMIT_TRACKING_ID, where the numbers and their reasons are), which are asked once
// for ten requests (tens.ts). The address is asked before anything of the request is read, the tracking IDs after it
// was parsed and before anything is stored, so a 429 has taken nothing. Where the address is closed, a request with a
// good key counts for the merchant of the key instead: a server may share its address with anybody. The counters are
// the platform's, one set per location: they keep a flood away from the partitions, they are no accounting. One that
// does not answer lets the hit through, because a limit must never lose what it guards.

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

/** What this isolate has counted. */
const tens = new Tens();

/** Whether the address does not come too often; asked before its body is read, where there are limits. */
export function isAddressWithinLimit(incoming: Incoming): boolean | Promise<boolean> {
  const address = addressOf(incoming);
  return address === "" || mayAddressSend(incoming.env, address, 1);
}

/**
 * The address first: what it may not send counts for no network, or one address would close it for all the others.
 */
function mayAddressSend(env: CollectorEnv, address: string, requests: number): boolean | Promise<boolean> {
  const isWithin = tens.isWithin(env.LIMIT_ADDRESS, addressKey(address), requests);
  if (typeof isWithin === "boolean") return isWithin && mayNetworkSend(env, { address, requests });
  return isWithin.then((isTrue) => isTrue && mayNetworkSend(env, { address, requests }));
}

/**
 * Whether the IPv6 /48 of an address may send what counts as so many requests. Whoever has one has 65,536 networks of
 * the size /64, and each of those counts as an address. So one request in sixteen, chosen at random, counts for it, on
 * the counter of addresses: it has about the limit of sixteen. IPv4 has no such limit, because its addresses are dear.
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
 * Whether a request may come through an address that is closed, by a key of this merchant. It counts for the merchant
 * as a request of a tracking ID does. One that sends too much, or guesses, is refused as others are, for a period.
 */
export function mayPass(env: CollectorEnv, merchant: number): boolean | Promise<boolean> {
  return tens.isWithin(env.LIMIT_TRACKING_ID, keysOf(merchant), 1);
}

/** What counts for all keys of a merchant together; no tracking ID is named so. */
function keysOf(merchant: number): string {
  return `${merchant}-key`;
}

/** What the limits look at in an event. */
export interface Weighed {
  readonly event: Pick<Event, "merchant" | "stream" | "keyed" | "importNumber" | "timestamp">;
}

/** What was sent, for what it counts. */
export interface Sent {
  readonly address: string;
  /** Of the body, unpacked, in UTF-16 units. */
  readonly length: number;
  /** Whose API key the request came with. */
  readonly merchant: number | undefined;
  /** Whether its address is closed, and the key has let it in. */
  readonly isPassed: boolean;
  /** Events from before this instant (UTC ms) are of closed Days; not said where there are no events. */
  readonly openFrom?: number;
}

export interface SentWith {
  readonly length: number;
  /** Whose key it came with, as was looked up. */
  readonly merchant?: number | undefined;
  /** The merchant whose key let it in, where its address is closed (`mayPass`). */
  readonly passed: number | undefined;
  readonly openFrom?: number;
}

export function sentBy(address: string, { length, merchant, passed, openFrom = 0 }: SentWith): Sent {
  return { address, length, merchant: merchant ?? passed, isPassed: passed !== undefined, openFrom };
}

/**
 * Whether neither a tracking ID nor the address comes too often, now that it is known what the request carries. It
 * counts for each ID by its events, LIMIT_EVENTS of them as one request, and by their bytes, LIMIT_BYTES as one,
 * whichever is more. What came without a key counts for its address in the same way, refused events included, beyond
 * the one that was counted before; a merchant's server sends for many visitors. Refused events that came with a key
 * count for its merchant. Through a closed address nothing comes without a key. A request without events counts by its
 * bytes as one refused event does. For the address each closed Day of a merchant counts as well (LATE_REQUESTS).
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
  // Whose bytes they are is not known: each event has its share.
  const costOf = (count: number) =>
    Math.ceil(Math.max(count / LIMIT_EVENTS, (length * count) / outcomes.length / LIMIT_BYTES));
  const late = LATE_REQUESTS * (closedDays?.size ?? 0);
  const requests = address === "" || keyless === 0 ? 0 : costOf(keyless) - 1 + late;
  const [key] = keys;
  const passing = isPassed ? merchant : undefined;
  // A hit of one event, nearly always.
  if (key !== undefined && keys.length === 1 && requests === 0)
    return closedIfNot(tens.isWithin(env.LIMIT_TRACKING_ID, key, costOf(1)), passing);
  return closedIfNot(areAllWithin(env, { address, requests, keys, costOf }), passing);
}

const NO_EVENTS: readonly Outcome<Weighed>[] = [rejected("invalid_body", "no events")];

/** A key whose merchant sent too much lets nothing more through closed addresses, for the rest of the period. */
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
  const own = [...Map.groupBy(keys, (key) => key)];
  const answers = own.map(([key, { length: count }]) => tens.isWithin(env.LIMIT_TRACKING_ID, key, costOf(count)));
  return (await Promise.all(answers)).every(Boolean);
}

/**
 * Whether an address may look up one more site that is nobody's; each counts as a key that is none does. Through a
 * closed address it counts for the merchant of the key, as it would for an address.
 */
export function isGuessWithinLimit(env: CollectorEnv, sent: Sent): boolean | Promise<boolean> {
  const { merchant, isPassed } = sent;
  if (!isPassed || merchant === undefined) return areWithinLimit(env, [GUESS], asStranger(sent));
  const requests = LIMIT_WRONG_KEY_BYTES / LIMIT_BYTES;
  return closedIfNot(tens.isWithin(env.LIMIT_ADDRESS, `${merchant}-guess`, requests), merchant);
}

/** A guess counts for its address, whatever came with it. */
function asStranger(sent: Sent): Sent {
  return { ...sent, merchant: undefined, isPassed: false, length: Math.max(sent.length, LIMIT_WRONG_KEY_BYTES) };
}

const GUESS = rejected("unknown_tracking_id", "a site that is nobody's");

export const TOO_OFTEN =
  "this tracking_id or address sends too much; send the same events again later, several in one request";

/** What is refused whole counts as well: it was read. A key that is none was looked up too, and counts for more. */
export async function countRefused(env: CollectorEnv, refusal: Refused, sent: Sent): Promise<Refused> {
  const isGuess = refusal.rejection.code === "unauthorized";
  return (await areWithinLimit(env, [refusal], isGuess ? asStranger(sent) : sent))
    ? refusal
    : rejected("rate_limited", TOO_OFTEN);
}

type Refused = ReturnType<typeof rejected>;

/** An import has a key, also where it tells what came without one. */
function isOfKey({ keyed, importNumber }: Pick<Event, "keyed" | "importNumber">): boolean {
  return keyed === 1 || importNumber !== 0;
}
