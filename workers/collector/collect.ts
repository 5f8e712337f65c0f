// The hot path on one screen: hit → drafts (format) → arrivals (sender, id, visitor) → partitions → report. Nothing
// here waits except the partitions' durable commit, and a look-up a minute where a client names a site or a key. An
// address is used to place and identify a visitor and goes no further than the partition's memory.

import { uuidv7 } from "uuidv7";
import { firstOpenDay } from "../../core/counting/closed.ts";
import { parsePoolSize } from "../../core/counting/placement.ts";
import type { Arrival } from "../../core/event.ts";
import type { Format, Hit } from "../../core/hit.ts";
import { LATE_DAYS_OF_REQUEST_MAX, SEAL_AFTER_MS } from "../../core/limits.ts";
import { queueOperations } from "../../core/meter.ts";
import { accepted, type Outcome, type Rejection, rejected } from "../../core/outcome.ts";
import { encodeArrivals, type OverflowPart } from "../../core/overflow.ts";
import { locationOf, nearest, parseRegions, type Regions } from "../../core/region.ts";
import type { Report } from "../../core/report.ts";
import { DAY_MS } from "../../core/time.ts";
import type { AppendReply, Full } from "../../durable-objects/rpc.ts";
import type { WriteKey } from "../../storage/directory/write-key.ts";
import { isolateMeter } from "../../storage/isolate-meter.ts";
import { noteOverflow, settleOverflow } from "../../storage/ledger/overflow-note.ts";
import { openStorage } from "../../storage/open.ts";
import { packOverflow } from "../../storage/overflow-message.ts";
import { isLimiting } from "../../storage/rate-limit.ts";
import { type VisitorKeys, visitorKeysOf } from "../../storage/visitor-key.ts";
import { toArrival } from "./arrival.ts";
import type { Client } from "./client.ts";
import { Coalescer, type Coalescing } from "./coalesce.ts";
import type { Delivered, Delivery, LogEntry } from "./deliver.ts";
import { type CollectorEnv, overflowQueuesOf } from "./env.ts";
import { areWithinLimit, countRefused, isGuessWithinLimit, TOO_OFTEN } from "./limit.ts";
import { OverflowGate, type OverflowRoad } from "./overflow.ts";
import { place, SpreadMemory } from "./place.ts";
import { areNamedById, type Looking, namedSenders, type Sender, sendersOf } from "./sender.ts";

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
  const senders = areNamedById(drafts.value, key)
    ? namedSenders(drafts.value, env)
    : await sendersOf(drafts.value, key, looking);
  if (!senders.ok) return countRefused(env, senders, sent);
  const { all, hasGuessed } = senders.value;
  if (hasGuessed && key === undefined && !(await isGuessWithinLimit(env, sent)))
    return rejected("rate_limited", TOO_OFTEN);
  const outcomes = drafts.value.map((draft, sequence) => {
    const sender = all[sequence] as Outcome<Sender>;
    if (!draft.ok || !sender.ok) return draft.ok ? (sender as Unsent) : draft;
    return toArrival(draft.value, { sender: sender.value, client, format, sequence, visitors: visitorsOf(env) });
  });
  const arrivals = arrivalsOf(outcomes);
  if (isLimiting(env)) {
    if (!(await areWithinLimit(env, outcomes, sent))) return rejected("rate_limited", TOO_OFTEN);
    if (lateDaysOf(arrivals, client.receivedAt, env) > LATE_DAYS_OF_REQUEST_MAX)
      return rejected("too_many_days", TOO_MANY_DAYS);
  }
  const { poolSize, regions } = placementOf(env);
  const nearby = nearest(regions, client.continent);
  const delivered = await place(arrivals, { poolSize, nearby, spreads, delivery: new HitDelivery(looking) });
  const fates = settle(outcomes, delivered);
  return refusedForMemory(fates) ?? accepted(reportOf(fates));
}

type Unsent = Extract<Outcome<Arrival>, { readonly ok: false }>;

function arrivalsOf(outcomes: readonly Outcome<Arrival>[]): readonly Arrival[] {
  const arrivals: Arrival[] = [];
  for (const outcome of outcomes) if (outcome.ok) arrivals.push(outcome.value);
  return arrivals;
}

const TOO_MUCH_HELD =
  "this merchant's open Days hold too many different pages, names, order numbers and visitors for now; " +
  "send the same events again later, or with an API key of scope write";

/** A request of which nothing was taken, at least one event because its merchant holds too much. */
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

/** Closed Days that events without a key are of, or more of them where there are not too many in any case. */
function lateDaysOf(arrivals: readonly Arrival[], now: number, env: CollectorEnv): number {
  if (arrivals.length <= LATE_DAYS_OF_REQUEST_MAX) return arrivals.length; // no more Days than events
  const days = new Set<number>();
  for (const arrival of arrivals) if (isLate(arrival, now, env)) days.add(utcDay(arrival));
  return days.size;
}

/**
 * Whether an arrival has no key and is of a closed Day; by UTC, since whose Day it is is not known here. An import has
 * a key, also where it tells what came without one.
 */
function isLate(arrival: Arrival, now: number, env: CollectorEnv): boolean {
  const { keyed, importNumber } = arrival.event;
  if (keyed === 1 || importNumber !== 0) return false;
  return utcDay(arrival) < firstOpenDay(now, Number(env.SEAL_AFTER_MS ?? SEAL_AFTER_MS));
}

function utcDay({ event }: Arrival): number {
  return Math.floor(event.timestamp / DAY_MS);
}

type Settled = Delivered | Rejection;

/** The fates that partitions gave, put back into the order of the events. */
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
 * How a hit's arrivals reach their partitions. One object, whose functions are there already: closures were 400 bytes
 * of a hit.
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

  log(entry: LogEntry): void {
    console.error(JSON.stringify(entry));
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
    log: (entry) => console.error(JSON.stringify(entry)),
  };
}

const gate = new OverflowGate();

const spreads = new SpreadMemory();

interface Placed {
  readonly poolSize: number;
  readonly regions: Regions | undefined;
}

/** Once per isolate: bindings never change while it lives. */
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
