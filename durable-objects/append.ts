// append: one synchronous pass over the arrivals (ours? → duplicate? → opinion → visitor → visit and counters → pending
// log rows), then a group commit shared with every other append of the moment. Of a large request each part is such a
// pass, and others come between. The answer leaves after the commit is durable (L1). Settings are read first, because
// only that may take time. If anything in a pass or the commit throws, the object resets itself: memory must not hold
// what the disk does not.

import { encodeLogged } from "../core/archive/bundle.ts";
import { firstOpenDay } from "../core/counting/closed.ts";
import { countedEvents } from "../core/counting/day.ts";
import type { IdSet } from "../core/counting/duplicate.ts";
import type { Moved } from "../core/counting/placement.ts";
import { exclusionsOf } from "../core/enrichment/matcher.ts";
import { opine } from "../core/enrichment/opinion.ts";
import type { Arrival, Event } from "../core/event.ts";
import {
  DUPLICATE_EDGE_MS,
  LARGE_REQUEST_EVENTS,
  LATE_AFTER_MS,
  LATE_STRETCH_BYTES,
  REQUEST_PART_EVENTS,
} from "../core/limits.ts";
import { type Settings, zoneAt } from "../core/merchant.ts";
import { GLOBAL_MERCHANT } from "../core/rules.ts";
import { dayAt, dayStart } from "../core/time.ts";
import { KEYLESS, type LaneName, type LargeRequest } from "../core/turns.ts";
import { admit } from "./admission.ts";
import { checkSoon, isOwn, whyNotOwn } from "./claim.ts";
import { groupCommit, orReset } from "./commit.ts";
import { hasRoom, isCrowded, noteSlowed, roomAfterSeconds } from "./held.ts";
import { takeLate } from "./late.ts";
import { type LateArrival, takesLateDay } from "./late-budget.ts";
import type { AppendReply, AppendRequest, Fate } from "./rpc.ts";
import { isClosed } from "./seal.ts";
import { ensureSettings } from "./settings.ts";
import { countedElsewhere, movedFrom, noteDay } from "./spread.ts";
import { countInto, findDay, type Partition, ruledMoment, rulesFor } from "./state.ts";

type Limits = Pick<AppendRequest, "isLateLimited" | "isRefusable">;

/**
 * Counts arrivals and resolves, once they are durable, with the fate of each; "overloaded" when it takes none of them.
 * Of a large request it counts a part at a time and lets others come between: where it ends in the middle, the same
 * request is sent again, and what was counted is a duplicate.
 */
export async function append(
  partition: Partition,
  arrivals: readonly Arrival[],
  { isLateLimited = false, isRefusable = false }: Limits = {},
): Promise<AppendReply> {
  const limits = { isLateLimited, isRefusable };
  if (partition.standing !== "own" && !(await isOwn(partition))) return "overloaded";
  if (!partition.isChecked) checkSoon(partition);
  const standing = await standingOf(partition, arrivals);
  if (partition.standing !== "own") return "overloaded"; // it was found to be lost meanwhile, or is being recovered
  const own = ownOf(arrivals, standing);
  if (own.length === 0) return standing.refused as readonly (Moved | "unread")[];
  const admitted = isCrowded(partition) ? own.filter((one) => !isHomeless(partition, one, isRefusable)) : own;
  if (admitted.length < own.length && !isRefusable) return "overloaded";
  // What is refused takes nothing of its merchant's share, and must not be turned away to the queue,
  // which would acknowledge it.
  if (admitted.length > 0 && !admit(partition, admitted)) return "overloaded";
  const later = Math.ceil(arrivals.length / REQUEST_PART_EVENTS) - 1;
  const isLarge = arrivals.length > LARGE_REQUEST_EVENTS;
  const request = isLarge
    ? partition.turns.enter(laneOf(arrivals), { parts: later, now: partition.deps.now() })
    : undefined;
  if (request !== undefined && request.fullForSeconds > 0) return "overloaded";
  const first = request === undefined ? arrivals : arrivals.slice(0, REQUEST_PART_EVENTS);
  const fates = take(partition, first, { standing, limits });
  for (let start = first.length; request !== undefined && start < arrivals.length; start += REQUEST_PART_EVENTS) {
    const part = arrivals.slice(start, start + REQUEST_PART_EVENTS);
    await takeTurn(partition, request);
    // A merchant may have been moved or have other rules by now.
    const standingNow = await standingOf(partition, part);
    if (partition.standing !== "own") throw new Error(whyNotOwn(partition));
    for (const fate of take(partition, part, { standing: standingNow, limits })) fates.push(fate);
  }
  // A duplicate is acknowledged after the commit too: its first copy may still be on its way to the disk.
  await groupCommit(partition);
  return fates;
}

/** What is known of arrivals before any of them is counted. */
interface Standing {
  /** For each arrival why it is not counted here at all; undefined where it may be. */
  readonly refused: readonly (Moved | "unread" | undefined)[];
  /** Those that another partition has counted. */
  readonly elsewhere: ReadonlySet<Arrival>;
}

async function standingOf(partition: Partition, arrivals: readonly Arrival[]): Promise<Standing> {
  const merchants = new Set([GLOBAL_MERCHANT, ...arrivals.map((arrival) => arrival.event.merchant)]);
  const unread = await ensureSettings(partition, merchants);
  const refused = arrivals.map((arrival) =>
    unread.has(arrival.event.merchant) ? "unread" : movedFrom(partition, arrival),
  );
  return { refused, elsewhere: await countedElsewhere(partition, ownOf(arrivals, { refused })) };
}

function ownOf(arrivals: readonly Arrival[], { refused }: Pick<Standing, "refused">): readonly Arrival[] {
  if (refused.every((one) => one === undefined)) return arrivals;
  return arrivals.filter((_, index) => refused[index] === undefined);
}

/** Makes arrivals part of the partition, all of them in one turn. */
function take(
  partition: Partition,
  arrivals: readonly Arrival[],
  { standing: { refused, elsewhere }, limits }: { readonly standing: Standing; readonly limits: Limits },
): Taken[] {
  return orReset(partition, () =>
    arrivals.map(
      (arrival, index): Taken =>
        refused[index] ?? (elsewhere.has(arrival) ? "duplicate" : accept(partition, arrival, limits)),
    ),
  );
}

type Taken = Fate | Moved | "unread";

/** A merchant's own lane is for what all came with its key, imports included. */
function laneOf(arrivals: readonly Arrival[]): LaneName {
  const [first] = arrivals;
  const isKeyed = arrivals.every(({ event }) => event.keyed === 1 || event.importNumber !== 0);
  return first !== undefined && isKeyed ? first.event.merchant : KEYLESS;
}

/** Lets others be answered, large requests of other lanes too. */
async function takeTurn({ turns, deps }: Partition, request: LargeRequest): Promise<void> {
  const turn = turns.take(request, deps.now());
  for (let ms = turns.leftMs(turn, deps.now()); ms > 0; ms = turns.leftMs(turn, deps.now())) await deps.pause(ms);
}

/** The one place where an event becomes part of the partition. */
function accept(
  partition: Partition,
  { event, address, floating }: Arrival,
  { isLateLimited = false, isRefusable = false }: Limits,
): Fate {
  const merchant = partition.settings.get(event.merchant);
  if (merchant === undefined || merchant.gone) return "unknown";
  const { settings } = merchant;
  const zone = zoneAt(settings.zones, event.timestamp);
  const day = dayAt(zone, event.timestamp);
  const late = isClosed(partition, day);
  if (late && isLateLimited && !takesLate(partition, { event, address, day })) return "late";
  const recalledAs = late ? "new" : recalled(partition, { event, day, zone, floating });
  if (recalledAs === "same") return "duplicate";
  if (!late && isRefusable && !hasRoom(partition, event)) return full(partition, event.merchant);
  const rules = rulesFor(partition, settings, ruledMoment(event, day));
  const facts = withFacts(event, { excluded: exclusionsOf(address, rules) });
  const opinion = opine(facts, rules);
  // Another story under an id that was told: kept and countable, and no event.
  const dropped = recalledAs === "other" ? "duplicate" : opinion.dropped;
  const known = event.visitor === "" ? { ...facts, ...cookieless(partition, event, { day, address }) } : facts;
  const kept = withFacts(known, { dropped });
  if (late) takeLate(partition, { merchant: event.merchant, day, position: partition.next });
  else count(partition, { event: kept, opinion, settings, day });
  partition.next += 1;
  const row = JSON.stringify(encodeLogged({ day, late, event: kept }));
  partition.pending.push(row);
  partition.pendingBytes += row.length;
  if (recalledAs === "other") return "duplicate";
  return opinion.dropped === "" ? "accepted" : { dropped: opinion.dropped };
}

/** The event with a fact more; itself where it has it: most have nothing of the kind, and a copy has thirty fields. */
function withFacts(event: Event, facts: Partial<Pick<Event, "excluded" | "dropped">>): Event {
  const { excluded = event.excluded, dropped = event.dropped } = facts;
  return excluded === event.excluded && dropped === event.dropped ? event : { ...event, excluded, dropped };
}

/**
 * Whether there is no room for an arrival as things stand. What was acknowledged before has the room of what has a key.
 */
function isHomeless(partition: Partition, { event }: Arrival, isRefusable: boolean): boolean {
  const { merchant, keyed } = event;
  return !hasRoom(partition, { merchant, keyed: isRefusable ? keyed : 1 }) && isHeld(partition, event);
}

/**
 * Whether an event would be held: those of closed Days are archived and not counted here, those of nobody are not
 * taken.
 */
function isHeld(partition: Partition, { merchant, timestamp }: Event): boolean {
  const known = partition.settings.get(merchant);
  return known !== undefined && !isClosed(partition, dayAt(zoneAt(known.settings.zones, timestamp), timestamp));
}

function full(partition: Partition, merchant: number): Fate {
  noteSlowed(partition, merchant);
  return { fullForSeconds: roomAfterSeconds(partition) };
}

function takesLate(partition: Partition, late: Omit<LateArrival, "openFrom" | "stretch">): boolean {
  const { now, timing } = partition.deps;
  const openFrom = Math.max(partition.openFrom, firstOpenDay(now(), timing.sealAfterMs));
  const unbundled = partition.unbundledBytes + partition.pendingBytes;
  const stretch = `${partition.bundled} ${Math.floor(unbundled / LATE_STRETCH_BYTES)}`;
  return takesLateDay(partition.lateBudget, { ...late, openFrom, stretch }, now());
}

interface Kept {
  readonly event: Event;
  readonly opinion: ReturnType<typeof opine>;
  readonly settings: Settings;
  readonly day: number;
}

function count(partition: Partition, { event, opinion, settings, day }: Kept): void {
  const isBelated = event.timestamp < partition.deps.now() - LATE_AFTER_MS;
  const changedBefore = isBelated ? (findDay(partition, event.merchant, day)?.changed.size ?? 0) : 0;
  const state = countInto(partition, day, { event, opinion, settings, position: partition.next });
  noteDay(partition, event, countedEvents(state));
  if (isBelated) partition.lateChanges += state.changed.size - changedBefore;
}

interface Candidate {
  readonly event: Event;
  readonly day: number;
  readonly zone: string;
  readonly floating: boolean;
}

/**
 * Whether an id was told before: on the event's own Day, and on the Days beside it where a resend may have moved across
 * a midnight, because the time is ours and not the client's (and an earlier copy may come later, by the overflow
 * queue), or because the client has set its clock in between.
 */
function recalled(partition: Partition, { event, day, zone, floating }: Candidate): Recalled {
  let verdict = recalledOn(partition, event, day);
  if (verdict !== "same" && (floating || event.timestamp - dayStart(zone, day) < DUPLICATE_EDGE_MS))
    verdict = stronger(verdict, recalledOn(partition, event, day - 1));
  if (verdict !== "same" && (floating || dayStart(zone, day + 1) - event.timestamp <= DUPLICATE_EDGE_MS))
    verdict = stronger(verdict, recalledOn(partition, event, day + 1));
  return verdict;
}

type Recalled = ReturnType<IdSet["recall"]>;

function recalledOn(partition: Partition, event: Event, day: number): Recalled {
  return findDay(partition, event.merchant, day)?.ids.recall(event) ?? "new";
}

/** What two Days say together: "new" only where both do. */
function stronger(a: Recalled, b: Recalled): Recalled {
  return b === "same" || a === "new" ? b : a;
}

/**
 * HMAC of address and agent under the Day's salt: the same person tomorrow, or at another merchant, is somebody else.
 */
function cookieless(
  partition: Partition,
  event: Event,
  seen: { day: number; address: string },
): Pick<Event, "visitor" | "visitorKind"> {
  let salt = partition.salts.get(seen.day);
  if (salt === undefined) {
    salt = { day: seen.day, salt: partition.deps.randomHex(32), madeAt: partition.deps.now() };
    partition.salts.set(seen.day, salt);
    partition.pendingSalts.push(salt);
  }
  const message = JSON.stringify([event.merchant, seen.address, event.userAgent]);
  return { visitor: partition.deps.hmacHex(salt.salt, message).slice(0, 16), visitorKind: "daily" };
}
