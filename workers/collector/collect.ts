// The hot path on one screen: hit → drafts (format) → arrivals (sender, id, visitor) → partitions → report. An ordinary
// hit waits for the counters of the rate limits and for the partitions' durable commit. If its client names a site or a
// key, it also waits for a look-up, at most one a minute. A large request waits for its turns too (core/turns.ts). An
// address is used to locate and identify a visitor. It goes no further than the partition's memory.

import { uuidv7 } from "uuidv7";
import { firstOpenDay } from "../../core/counting/closed.ts";
import { parsePoolSize } from "../../core/counting/placement.ts";
import type { Arrival } from "../../core/event.ts";
import type { Draft, Format, Hit } from "../../core/hit.ts";
import {
  LARGE_REQUEST_EVENTS,
  LATE_DAYS_OF_REQUEST_MAX,
  REQUEST_PART_EVENTS,
  SEAL_AFTER_MS,
} from "../../core/limits.ts";
import type { LogEntry } from "../../core/log.ts";
import { queueOperations } from "../../core/meter.ts";
import { accepted, type Outcome, type Rejection, rejected } from "../../core/outcome.ts";
import { encodeArrivals, type OverflowPart } from "../../core/overflow.ts";
import { locationOf, nearest, parseRegions, type Regions } from "../../core/region.ts";
import type { Report } from "../../core/report.ts";
import { DAY_MS } from "../../core/time.ts";
import { KEYLESS, type LaneName, type LargeRequest, Turns } from "../../core/turns.ts";
import type { AppendReply, Full } from "../../durable-objects/rpc.ts";
import type { WriteKey } from "../../storage/directory/write-key.ts";
import { isolateMeter } from "../../storage/isolate-meter.ts";
import { noteOverflow, settleOverflow } from "../../storage/ledger/overflow-note.ts";
import { writeLog } from "../../storage/log.ts";
import { openStorage } from "../../storage/open.ts";
import { packOverflow } from "../../storage/overflow-message.ts";
import { isLimiting } from "../../storage/rate-limit.ts";
import { type VisitorKeys, visitorKeysOf } from "../../storage/visitor-key.ts";
import { toArrival } from "./arrival.ts";
import type { Client } from "./client.ts";
import { Coalescer, type Coalescing } from "./coalesce.ts";
import type { Delivered, Delivery } from "./deliver.ts";
import { type CollectorEnv, overflowQueuesOf } from "./env.ts";
import { areWithinLimit, countRefused, isGuessWithinLimit, sentBy, TOO_OFTEN, type Weighed } from "./limit.ts";
import { OverflowGate, type OverflowRoad } from "./overflow.ts";
import { place, SpreadMemory } from "./place.ts";
import { areNamedById, type Looking, namedSenders, type Sender, sendersOf } from "./sender.ts";

/** A hit to take, and what is known about its sender. */
export interface Collecting {
  readonly format: Format;
  readonly hit: Hit;
  readonly client: Client;
  readonly key: WriteKey | undefined;
  /** The merchant whose key let the hit in although its address is closed (limit.ts). */
  readonly passed?: number | undefined;
  readonly looking: Looking;
}

/**
 * Takes a hit from its text to a report. Resolves once every accepted event is durable. Throws when a look-up fails.
 */
export async function collect({ format, hit, client, key, passed, looking }: Collecting): Promise<Outcome<Report>> {
  const { env } = looking;
  isolateMeter.worker_requests += 1;
  const openFrom = firstOpenDayOf(client.receivedAt, env) * DAY_MS;
  const sent = sentBy(client.address, { length: hit.body.length, merchant: key?.merchant, passed, openFrom });
  const drafts = format.parse(hit);
  if (!drafts.ok) return countRefused(env, drafts, sent);
  const senders = areNamedById(drafts.value, key)
    ? namedSenders(drafts.value, env)
    : await sendersOf(drafts.value, key, looking);
  if (!senders.ok) return countRefused(env, senders, sent);
  const { all, hasGuessed } = senders.value;
  if (hasGuessed && !(await isGuessWithinLimit(env, sent))) return rejected("rate_limited", TOO_OFTEN);
  const arrive = (draft: Outcome<Draft>, sequence: number): Outcome<Arrival> => {
    const sender = all[sequence] as Outcome<Sender>;
    if (!draft.ok || !sender.ok) return draft.ok ? (sender as Unsent) : draft;
    return toArrival(draft.value, { sender: sender.value, client, format, sequence, visitors: visitorsOf(env) });
  };
  const isLarge = drafts.value.length > LARGE_REQUEST_EVENTS;
  // A large request counts for the limits before it is worked on. Otherwise its address could send more meanwhile.
  if (isLarge && !(await areWithinLimit(env, weighed(drafts.value, all, client.receivedAt), sent)))
    return rejected("rate_limited", TOO_OFTEN);
  const large = isLarge ? turns.enter(laneOf(all, key), { parts: partsOf(drafts.value), now: Date.now() }) : undefined;
  if (large !== undefined && large.fullForSeconds > 0) return tooMuchAtOnce(large.fullForSeconds);
  const outcomes = large === undefined ? drafts.value.map(arrive) : await inParts(drafts.value, arrive, large);
  const arrivals = arrivalsOf(outcomes);
  if (isLimiting(env)) {
    if (!isLarge && !(await areWithinLimit(env, outcomes, sent))) return rejected("rate_limited", TOO_OFTEN);
    if (lateDaysOf(arrivals, client.receivedAt, env) > LATE_DAYS_OF_REQUEST_MAX)
      return rejected("too_many_days", TOO_MANY_DAYS);
  }
  const { poolSize, regions } = placementOf(env);
  const nearby = nearest(regions, client.continent);
  const delivered = await place(arrivals, { poolSize, nearby, spreads, delivery: new HitDelivery(looking) });
  const fates = settle(outcomes, delivered);
  return refusedForMemory(fates) ?? accepted(reportOf(fates));
}

/** The turns of this isolate's requests. */
const turns = new Turns();

function partsOf(items: readonly unknown[]): number {
  return Math.ceil(items.length / REQUEST_PART_EVENTS);
}

/** What each draft counts for the limits, computed before the drafts are made into arrivals. */
function weighed(
  drafts: readonly Outcome<Draft>[],
  senders: readonly Outcome<Sender>[],
  now: number,
): readonly Outcome<Weighed>[] {
  return drafts.map((draft, index) => {
    const sender = senders[index] as Outcome<Sender>;
    if (!draft.ok || !sender.ok) return (draft.ok ? sender : draft) as Unsent;
    const { merchant, stream, keyed } = sender.value;
    const { importNumber, timestamp = now } = draft.value;
    return accepted({ event: { merchant, stream, keyed: keyed ? 1 : 0, importNumber, timestamp } });
  });
}

/** The merchant's own lane if all events that have a sender came with its key. Otherwise the lane without keys. */
function laneOf(senders: readonly Outcome<Sender>[], key: WriteKey | undefined): LaneName {
  let lane = key?.merchant ?? KEYLESS;
  for (const sender of senders) {
    if (!sender.ok) continue;
    if (!sender.value.keyed) return KEYLESS;
    lane = sender.value.merchant;
  }
  return lane;
}

/** The same as `map`, but after each part the isolate answers other requests. */
async function inParts<T, R>(
  items: readonly T[],
  make: (item: T, index: number) => R,
  request: LargeRequest,
): Promise<readonly R[]> {
  const made: R[] = [];
  for (const [index, item] of items.entries()) {
    if (index % REQUEST_PART_EVENTS === 0) await takeTurn(request);
    made.push(make(item, index));
  }
  return made;
}

async function takeTurn(request: LargeRequest): Promise<void> {
  const turn = turns.take(request, Date.now());
  for (let ms = turns.leftMs(turn, Date.now()); ms > 0; ms = turns.leftMs(turn, Date.now()))
    await new Promise((settle) => setTimeout(settle, ms));
}

function tooMuchAtOnce(retryAfterSeconds: number): Extract<Outcome<never>, { readonly ok: false }> {
  const message = "too many large requests come at once; send the same events again later, or fewer at a time";
  return { ok: false, rejection: { code: "rate_limited", message, retryAfterSeconds } };
}

type Unsent = Extract<Outcome<never>, { readonly ok: false }>;

function arrivalsOf(outcomes: readonly Outcome<Arrival>[]): readonly Arrival[] {
  const arrivals: Arrival[] = [];
  for (const outcome of outcomes) if (outcome.ok) arrivals.push(outcome.value);
  return arrivals;
}

const TOO_MUCH_HELD =
  "this merchant's open Days hold too many different pages, names, order numbers and visitors for now; " +
  "send the same events again later, or with an API key of scope write";

/**
 * The refusal of a whole request. It is refused if no event was taken and one or more failed because a merchant's open
 * Days hold too much.
 */
function refusedForMemory(fates: readonly Settled[]): Outcome<Report> | undefined {
  if (!fates.some(isFull)) return undefined;
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

/**
 * How many closed Days the events without a key have. With few events, the number of events is returned instead. It is
 * never less.
 */
function lateDaysOf(arrivals: readonly Arrival[], now: number, env: CollectorEnv): number {
  if (arrivals.length <= LATE_DAYS_OF_REQUEST_MAX) return arrivals.length; // no more Days than events
  const days = new Set<number>();
  for (const arrival of arrivals) if (isLate(arrival, now, env)) days.add(utcDay(arrival));
  return days.size;
}

/**
 * Whether an arrival is of a closed Day and has no key. The Day is taken by UTC, since the merchant's zone is not known
 * here. An import has a key, even for events that once came without one.
 */
function isLate(arrival: Arrival, now: number, env: CollectorEnv): boolean {
  const { keyed, importNumber } = arrival.event;
  if (keyed === 1 || importNumber !== 0) return false;
  return utcDay(arrival) < firstOpenDayOf(now, env);
}

/** The first Day by UTC that is not closed. */
function firstOpenDayOf(now: number, env: CollectorEnv): number {
  return firstOpenDay(now, Number(env.SEAL_AFTER_MS ?? SEAL_AFTER_MS));
}

function utcDay({ event }: Arrival): number {
  return Math.floor(event.timestamp / DAY_MS);
}

type Settled = Delivered | Rejection;

/** Puts the fates that partitions gave back into the order of the events. */
function settle(outcomes: readonly Outcome<Arrival>[], delivered: readonly Delivered[]): readonly Settled[] {
  if (delivered.length === outcomes.length) return delivered;
  let next = 0;
  return outcomes.map((outcome) => (outcome.ok ? (delivered[next++] as Delivered) : outcome.rejection));
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

/**
 * How a hit's arrivals reach their partitions. It is a class because a class shares its functions between all hits.
 * Closures took 400 bytes for each hit.
 */
class HitDelivery implements Delivery, Coalescing {
  readonly #looking: Looking;

  constructor(looking: Looking) {
    this.#looking = looking;
  }

  append(partition: string, arrivals: readonly Arrival[]): Promise<AppendReply> {
    return coalescer.append(partition, arrivals, this);
  }

  call(partition: string, arrivals: readonly Arrival[]): Promise<AppendReply> {
    const { env } = this.#looking;
    return env.PARTITION.getByName(partition, locationOf(partition)).append({
      partition,
      arrivals: encodeArrivals(arrivals),
      isLateLimited: isLimiting(env),
      isRefusable: true,
    });
  }

  later(work: Promise<void>): void {
    this.#looking.later(work);
  }

  overflow(part: OverflowPart): Promise<void> {
    return gate.send(part, roadOf(this.#looking));
  }

  mayOverflow(arrival: Arrival): boolean {
    const { env, now } = this.#looking;
    return !isLimiting(env) || !isLate(arrival, now, env);
  }

  log(line: LogEntry): void {
    writeLog(line);
  }
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
    log: writeLog,
  };
}

const gate = new OverflowGate();

const spreads = new SpreadMemory();

interface Placed {
  readonly poolSize: number;
  readonly regions: Regions | undefined;
}

/** The settings of placement, parsed once per isolate, since bindings never change while it lives. */
let parsed: Placed | undefined;

let visitorKeys: VisitorKeys | undefined;

function visitorsOf(env: CollectorEnv): VisitorKeys {
  visitorKeys ??= visitorKeysOf(env);
  return visitorKeys;
}

function placementOf(env: CollectorEnv): Placed {
  parsed ??= { poolSize: parsePoolSize(env.POOL_SIZE), regions: parseRegions(env.REGIONS ?? "") };
  return parsed;
}
