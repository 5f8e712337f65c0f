// The hot path on one screen: hit → drafts (format) → arrivals (sender, id, visitor) → partitions → report. Nothing
// here waits except the partitions' durable commit, and a look-up a minute where a client names a site or a key. An address
// is used to place and identify a visitor and goes no further than the partition's memory.

import { uuidv7 } from "uuidv7";
import { firstOpenDay } from "../../core/counting/closed.ts";
import { parsePoolSize } from "../../core/counting/placement.ts";
import { type Arrival, type Event, NO_FACTS } from "../../core/event.ts";
import { isNetworkAddress } from "../../core/formats/network-address.ts";
import type { Draft, Format, Hit } from "../../core/hit.ts";
import { EVENT_BYTES_MAX, LATE_DAYS_OF_REQUEST_MAX, SEAL_AFTER_MS } from "../../core/limits.ts";
import { queueOperations } from "../../core/meter.ts";
import { spellAddress } from "../../core/network.ts";
import { accepted, type Outcome, type Rejection, rejected } from "../../core/outcome.ts";
import { encodeArrivals } from "../../core/overflow.ts";
import { locationOf, nearest, parseRegions, type Regions } from "../../core/region.ts";
import type { Report } from "../../core/report.ts";
import { DAY_MS } from "../../core/time.ts";
import type { Full } from "../../durable-objects/rpc.ts";
import type { WriteKey } from "../../storage/directory/write-key.ts";
import { isolateMeter } from "../../storage/isolate-meter.ts";
import { noteOverflow, settleOverflow } from "../../storage/ledger/overflow-note.ts";
import { openStorage } from "../../storage/open.ts";
import { packOverflow } from "../../storage/overflow-message.ts";
import { isLimiting } from "../../storage/rate-limit.ts";
import { type VisitorKeys, visitorKeysOf, visitorOf } from "../../storage/visitor-key.ts";
import type { Client } from "./client.ts";
import { Coalescer } from "./coalesce.ts";
import type { Delivered, Delivery } from "./deliver.ts";
import { type CollectorEnv, overflowQueuesOf } from "./env.ts";
import { areWithinLimit, countRefused, isGuessWithinLimit, TOO_OFTEN } from "./limit.ts";
import { OverflowGate, type OverflowRoad } from "./overflow.ts";
import { type Placing, place, SpreadMemory } from "./place.ts";
import { type Looking, type Sender, sendersOf } from "./sender.ts";

/** A hit to take, and what is known of it beside itself. */
export interface Collecting {
  readonly format: Format;
  readonly hit: Hit;
  readonly client: Client;
  readonly key: WriteKey | undefined;
  readonly looking: Looking;
}

/** Takes a hit all the way. Resolves once every accepted event is durable; throws when a look-up cannot be made. */
export async function collect({ format, hit, client, key, looking }: Collecting): Promise<Outcome<Report>> {
  const { env } = looking;
  isolateMeter.worker_requests += 1;
  const sent = { address: client.address, length: hit.body.length, isKeyed: key !== undefined };
  const drafts = format.parse(hit);
  if (!drafts.ok) return countRefused(env, drafts, sent);
  const senders = await sendersOf(drafts.value, key, looking);
  if (!senders.ok) return countRefused(env, senders, sent);
  const { all, hasGuessed } = senders.value;
  if (hasGuessed && key === undefined && !(await isGuessWithinLimit(env, sent)))
    return rejected("rate_limited", TOO_OFTEN);
  const outcomes = drafts.value.map((draft, index) => {
    const sender = all[index] as Outcome<Sender>;
    if (!draft.ok) return draft;
    const resolved = { client, format, sequence: index, visitors: visitorsOf(env) };
    return sender.ok ? toArrival(draft.value, { ...resolved, sender: sender.value }) : sender;
  });
  if (!(await areWithinLimit(env, outcomes, sent))) return rejected("rate_limited", TOO_OFTEN);
  if (isLimiting(env) && lateDaysOf(outcomes, client.receivedAt, env) > LATE_DAYS_OF_REQUEST_MAX)
    return rejected("too_many_days", TOO_MANY_DAYS);
  const fates = await appendAll({ ...placementOf(env, client), spreads, delivery: deliveryOf(looking) }, outcomes);
  return refusedForMemory(fates) ?? accepted(reportOf(fates));
}

const TOO_MUCH_HELD =
  "this merchant's open Days hold too many different pages, names, order numbers and visitors for now; " +
  "send the same events again later, or with an API key of scope write";

/** A request of which nothing was taken, at least one event because its merchant holds too much. */
function refusedForMemory(fates: readonly Settled[]): Outcome<Report> | undefined {
  const retryAfterSeconds = Math.max(0, ...fates.map((fate) => (isFull(fate) ? fate.fullForSeconds : 0)));
  const isRefused = fates.every((fate) => isFull(fate) || (typeof fate === "object" && "code" in fate));
  if (retryAfterSeconds === 0 || !isRefused) return undefined;
  return { ok: false, rejection: { code: "rate_limited", message: TOO_MUCH_HELD, retryAfterSeconds } };
}

function isFull(fate: Settled): fate is Full {
  return typeof fate === "object" && "fullForSeconds" in fate;
}

const TOO_MANY_DAYS =
  "events of too many past days in one request or hour; send history with an API key of scope write";

/** Closed Days that events without a key are of. */
function lateDaysOf(outcomes: readonly Outcome<Arrival>[], now: number, env: CollectorEnv): number {
  const days = new Set<number>();
  for (const outcome of outcomes) if (outcome.ok && isLate(outcome.value, now, env)) days.add(utcDay(outcome.value));
  return days.size;
}

/** Whether an arrival has no key and is of a closed Day; by UTC, since whose Day it is is not known here. An import has a key, also
 *  where it tells what came without one. */
function isLate(arrival: Arrival, now: number, env: CollectorEnv): boolean {
  const { keyed, importNumber } = arrival.event;
  if (keyed === 1 || importNumber !== 0) return false;
  return utcDay(arrival) < firstOpenDay(now, Number(env.SEAL_AFTER_MS ?? SEAL_AFTER_MS));
}

function utcDay({ event }: Arrival): number {
  return Math.floor(event.timestamp / DAY_MS);
}

type Settled = Delivered | Rejection;

interface Resolved {
  readonly sender: Sender;
  readonly client: Client;
  readonly format: Format;
  /** The draft's place in its request. */
  readonly sequence: number;
  readonly visitors: VisitorKeys;
}

/** A draft becomes an arrival: its id is made when it has none, its visitor hashed, its claims believed or not. */
function toArrival(draft: Draft, { sender, client, format, sequence, visitors }: Resolved): Outcome<Arrival> {
  const {
    trackingId,
    site,
    apiKey,
    stream,
    visitorId,
    claimedAddress,
    claimedUserAgent,
    timestamp,
    exported,
    ...facts
  } = draft;
  const { merchant } = sender;
  const happenedAt = timestamp ?? client.receivedAt;
  const event = {
    ...facts,
    merchant,
    stream: sender.stream,
    ...(sender.keyed ? UNSEEN : client.facts),
    userAgent: (sender.keyed && claimedUserAgent) || facts.userAgent,
    id: draft.id || uuidv7(),
    timestamp: happenedAt,
    receivedAt: client.receivedAt,
    visitor: visitorId === "" ? "" : visitorOf(visitors, { merchant, id: visitorId }, happenedAt),
    format: format.name,
    excluded: "",
    keyed: sender.keyed ? 1 : 0,
    sequence,
    visitorKind: visitorId === "" ? ("" as const) : ("known" as const),
    dropped: "" as const,
    ...(sender.keyed ? exported : undefined),
  };
  const size = mayBeTooLarge(event) ? JSON.stringify(event).length : 0;
  if (size > EVENT_BYTES_MAX) {
    return rejected(
      "event_too_large",
      `the event takes ${size} bytes; at most ${EVENT_BYTES_MAX} are allowed, send fewer props`,
    );
  }
  const address = sender.keyed && isNetworkAddress(claimedAddress) ? claimedAddress : client.address;
  return accepted({ event, address: spellAddress(address), floating: draft.id !== "" && timestamp === undefined });
}

/** JSON takes at most six bytes for a character; what has few need not be written to be measured. */
function mayBeTooLarge(event: Event): boolean {
  let length = EVENT_FRAME_LENGTH;
  for (const value of Object.values(event)) if (typeof value === "string") length += value.length;
  return length * 6 > EVENT_BYTES_MAX;
}

/** Names, numbers and marks of an event in JSON take less. */
const EVENT_FRAME_LENGTH = 700;

/** What the platform says of a merchant's server is not true of its visitor, whose place is the one that the server names. */
const UNSEEN: Omit<Client["facts"], "country" | "region" | "city"> = {
  asn: NO_FACTS.asn,
  verifiedBot: NO_FACTS.verifiedBot,
  hints: NO_FACTS.hints,
  purpose: NO_FACTS.purpose,
};

/** Sends partitions what they count, and puts the fates back into the order of the events. */
async function appendAll(placing: Placing, outcomes: readonly Outcome<Arrival>[]): Promise<readonly Settled[]> {
  const arrivals = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.value] : []));
  const placed = (await place(arrivals, placing)).values();
  return outcomes.map((outcome) => (outcome.ok ? (placed.next().value as Delivered) : outcome.rejection));
}

function reportOf(fates: readonly Settled[]): Report {
  const report = {
    accepted: 0,
    duplicates: 0,
    dropped: [] as Report["dropped"][number][],
    rejected: [] as Report["rejected"][number][],
  };
  fates.forEach((fate, index) => {
    if (fate === "accepted") report.accepted += 1;
    else if (fate === "duplicate") report.duplicates += 1;
    else if (fate === "unavailable")
      report.rejected.push({
        index,
        code: "unavailable",
        message: "the event could not be stored; send it again with the same id",
      });
    else if (fate === "unknown")
      report.rejected.push({
        index,
        code: "unknown_tracking_id",
        message: "tracking_id names a merchant that does not exist (any more)",
      });
    else if (isFull(fate)) report.rejected.push({ index, code: "unavailable", message: TOO_MUCH_HELD });
    else if (fate === "late") report.rejected.push({ index, code: "too_many_days", message: TOO_MANY_DAYS });
    else if ("dropped" in fate) report.dropped.push({ index, reason: fate.dropped });
    else report.rejected.push({ index, ...fate });
  });
  return report;
}

const coalescer = new Coalescer();

function deliveryOf(looking: Looking): Delivery {
  const { env, later } = looking;
  const append = (partition: string, arrivals: readonly Arrival[]) =>
    env.PARTITION.getByName(partition, locationOf(partition)).append({
      partition,
      arrivals: encodeArrivals(arrivals),
      isLateLimited: isLimiting(env),
      isRefusable: true,
    });
  return {
    append: (partition, arrivals) => coalescer.append(partition, arrivals, { append, later }),
    overflow: (part) => gate.send(part, roadOf(looking)),
    mayOverflow: (arrival) => !isLimiting(env) || !isLate(arrival, looking.now, env),
    log: (entry) => console.error(JSON.stringify(entry)),
  };
}

function roadOf({ env, later }: Looking): OverflowRoad {
  return {
    note: (note) => noteOverflow(openStorage(env).ledgers, note),
    settle: (note) => settleOverflow(openStorage(env).ledgers, { ...note, now: Date.now() }),
    pack: (overflow) => packOverflow(overflow, env.TRACKING_SECRET),
    queues: overflowQueuesOf(env).map((queue) => async (message) => {
      await queue.send(message, { contentType: "bytes" });
      isolateMeter.queue_operations += queueOperations(message.length);
    }),
    newId: uuidv7,
    wait: (ms) => new Promise((settle) => setTimeout(settle, ms)),
    now: () => Date.now(),
    later,
    log: (entry) => console.error(JSON.stringify(entry)),
  };
}

const gate = new OverflowGate();

const spreads = new SpreadMemory();

/** Once per isolate: bindings never change while it lives. */
let parsed: { readonly poolSize: number; readonly regions: Regions | undefined } | undefined;

let visitorKeys: VisitorKeys | undefined;

function visitorsOf(env: CollectorEnv): VisitorKeys {
  visitorKeys ??= visitorKeysOf(env);
  return visitorKeys;
}

function placementOf(env: CollectorEnv, { continent }: Client): Pick<Placing, "poolSize" | "nearby"> {
  parsed ??= { poolSize: parsePoolSize(env.POOL_SIZE), regions: parseRegions(env.REGIONS ?? "") };
  return { poolSize: parsed.poolSize, nearby: nearest(parsed.regions, continent) };
}
