// From some instant on a hot merchant is spread over partitions of its own (core/merchant.ts). This is the partition's
// part of it. It refuses an arrival that another partition counts, and says in the refusal how the merchant is spread:
// that is how collectors learn of it. Where the time of an event is not certain, it asks the partition before or after
// the change whether the event's id was counted there. And it asks for a merchant to be spread that is becoming too
// much for it.

import { duplicateKey } from "../core/counting/duplicate.ts";
import { type Moved, partitionAt, partitionOf } from "../core/counting/placement.ts";
import type { Arrival } from "../core/event.ts";
import {
  DUPLICATE_EDGE_MS,
  SPREAD_ASK_EVERY_MS,
  SPREAD_CALM_MS,
  SPREAD_DAY_EVENTS,
  SPREAD_NOTICE_MS,
  SPREAD_VISITORS_MIN,
  SPREAD_WINDOW_EVENTS,
  SPREAD_WINDOWS,
} from "../core/limits.ts";
import { changeSpread, nextSpread, type SpreadTimeline, zoneAt } from "../core/merchant.ts";
import { causeOf } from "../core/outcome.ts";
import { inRegion, regionOf } from "../core/region.ts";
import { dayAt, dayStart } from "../core/time.ts";
import { commitPending } from "./commit.ts";
import type { CountedReply, CountedRequest } from "./rpc.ts";
import { isClosed } from "./seal.ts";
import { refreshSettings } from "./settings.ts";
import { findDay, type Partition } from "./state.ts";

/** How busy a merchant has been. */
export interface Busy {
  /**
   * The last second in which it sent too much (UTC ms). `windows` is how many such seconds there were since it was last
   * quiet.
   */
  lastAt: number;
  windows: number;
  /** UTC ms at which this partition last asked for it to be spread; 0 for never. */
  askedAt: number;
}

/** The answer to an arrival that another partition counts; undefined where this one counts it. */
export function movedFrom(partition: Partition, arrival: Arrival): Moved | undefined {
  const known = partition.settings.get(arrival.event.merchant);
  const { spread = [], version = 0 } = known?.settings ?? {};
  if (spread.length === 0) return undefined;
  const name = inRegion(partitionOf(arrival, spread, partition.deps.poolSize), regionOf(partition.name));
  if (name === partition.name) return undefined;
  return { moved: { merchant: arrival.event.merchant, version, spread } };
}

/**
 * The arrivals whose id another partition has counted. Such an arrival is a resend that fell on the other side of an
 * instant from which the merchant is spread differently. That happens when its time was set by us, or when the client's
 * clock was changed meanwhile. Throws when the other partition cannot be asked; the events are then sent again. Hardly
 * any arrival is in doubt, and without one nothing is waited for.
 */
export async function countedElsewhere(
  partition: Partition,
  arrivals: readonly Arrival[],
): Promise<ReadonlySet<Arrival>> {
  const doubts = arrivals.flatMap((arrival) => doubtOf(partition, arrival) ?? []);
  if (doubts.length === 0) return NOBODY;
  const keys = new Set(doubts.map(({ arrival: { event } }) => `${event.merchant} ${duplicateKey(event)}`));
  partition.asking.add(keys);
  try {
    const answers = groupsOf(doubts).map(([name, group]) => ask(partition, name, group));
    return new Set((await Promise.all(answers)).flat());
  } finally {
    partition.asking.delete(keys);
  }
}

const NOBODY: ReadonlySet<Arrival> = new Set();

/** Asks a partition which arrivals of one merchant it has counted. */
async function ask(partition: Partition, name: string, doubts: readonly Doubt[]): Promise<readonly Arrival[]> {
  const { merchant } = (doubts[0] as Doubt).arrival.event;
  const ids = doubts.map(({ arrival }) => duplicateKey(arrival.event));
  const days = [...new Set(doubts.flatMap((doubt) => doubt.days))];
  const reply = await partition.deps.counted(name, { merchant, ids, days });
  if (reply.includes("asking")) throw new Error(`${name} is asked for the same event`);
  return doubts.filter((_, index) => reply[index] === "counted").map(({ arrival }) => arrival);
}

/** The doubts, grouped by the partition to ask and by merchant. */
function groupsOf(doubts: readonly Doubt[]): readonly (readonly [name: string, group: readonly Doubt[]])[] {
  const groups = new Map<string, { readonly name: string; readonly group: Doubt[] }>();
  for (const doubt of doubts) {
    for (const name of doubt.others) {
      const key = `${doubt.arrival.event.merchant} ${name}`;
      const known = groups.get(key);
      if (known === undefined) groups.set(key, { name, group: [doubt] });
      else known.group.push(doubt);
    }
  }
  return [...groups.values()].map(({ name, group }) => [name, group]);
}

/** Answers the question that `ask` sends. The answer leaves when what it says is durable. */
export function counted(partition: Partition, { merchant, ids, days }: CountedRequest): CountedReply {
  commitPending(partition);
  return ids.map((id) => {
    if ([...partition.asking].some((keys) => keys.has(`${merchant} ${id}`))) return "asking";
    return days.some((day) => findDay(partition, merchant, day)?.ids.has(id)) ? "counted" : "unknown";
  });
}

interface Doubt {
  readonly arrival: Arrival;
  readonly others: readonly string[];
  readonly days: readonly number[];
}

/** The partition where an arrival may have been counted as well; undefined for nearly all arrivals. */
function doubtOf(partition: Partition, arrival: Arrival): Doubt | undefined {
  const { merchant, timestamp } = arrival.event;
  const settings = partition.settings.get(merchant)?.settings;
  if (settings?.spread === undefined || settings.spread.length === 0) return undefined;
  const { spread } = settings;
  const zone = zoneAt(settings.zones, timestamp);
  const day = dayAt(zone, timestamp);
  if (isClosed(partition, day)) return undefined; // what is late is told apart when it is counted
  const reach = arrival.floating
    ? { from: dayStart(zone, day - 1), to: dayStart(zone, day + 2) }
    : { from: timestamp - DUPLICATE_EDGE_MS, to: timestamp + DUPLICATE_EDGE_MS };
  const others = new Set<string>();
  const region = regionOf(partition.name);
  for (const { from } of spread) {
    if (from <= reach.from || from > reach.to) continue;
    for (const instant of [from - 1, from])
      others.add(inRegion(partitionAt(arrival, instant, { spread, poolSize: partition.deps.poolSize }), region));
  }
  others.delete(partition.name);
  return others.size === 0 ? undefined : { arrival, others: [...others], days: [day - 1, day, day + 1] };
}

/** The fields that say whose event it is, and by which spread it was placed. */
type Placed = Pick<Arrival["event"], "merchant" | "timestamp">;

/**
 * Notes how many events of a merchant have come in the current window. Asks for the merchant to be spread when there
 * are too many in several windows.
 */
export function noteRate(partition: Partition, event: Placed, taken: number, added: number): void {
  if (taken + added < SPREAD_WINDOW_EVENTS || taken >= SPREAD_WINDOW_EVENTS || isFromBefore(partition, event)) return;
  const now = partition.deps.now();
  const busy = busyOf(partition, event.merchant);
  busy.windows = now - busy.lastAt > SPREAD_CALM_MS ? 1 : busy.windows + 1;
  busy.lastAt = now;
  if (busy.windows >= SPREAD_WINDOWS) askSpread(partition, event, busy);
}

/** Asks for a merchant to be spread when this partition holds too many events of one of its Days. */
export function noteDay(partition: Partition, event: Placed, events: number): void {
  if (events < SPREAD_DAY_EVENTS || isFromBefore(partition, event)) return;
  askSpread(partition, event, busyOf(partition, event.merchant));
}

/**
 * Whether an event was placed by an earlier spread. Late and overflowed events of that kind do not show that the
 * merchant has too few partitions now.
 */
function isFromBefore(partition: Partition, { merchant, timestamp }: Placed): boolean {
  return timestamp < (partition.settings.get(merchant)?.settings.spread?.at(-1)?.from ?? 0);
}

function busyOf({ busy }: Partition, merchant: number): Busy {
  const known = busy.get(merchant);
  if (known !== undefined) return known;
  const made = { lastAt: 0, windows: 0, askedAt: 0 };
  busy.set(merchant, made);
  return made;
}

/**
 * Asks for a merchant to be spread over more partitions from its next Day on. It does not ask where that was asked for
 * already, or would not help.
 */
function askSpread(partition: Partition, event: Placed, busy: Busy): void {
  const { deps } = partition;
  const { merchant } = event;
  const now = deps.now();
  if (now - busy.askedAt < SPREAD_ASK_EVERY_MS) return;
  busy.askedAt = now;
  if (visitorsOf(partition, event) < SPREAD_VISITORS_MIN) {
    noteTooHot(partition, merchant, "too few visitors to spread");
    return;
  }
  deps.background(
    widen(partition, merchant).catch((error: unknown) =>
      deps.log({ event: "spread_failed", partition: partition.name, merchant, error: causeOf(error) }),
    ),
  );
}

function noteTooHot(partition: Partition, merchant: number, reason: string): void {
  partition.hotAt = partition.deps.now();
  partition.deps.log({ event: "merchant_too_hot", partition: partition.name, merchant, reason });
}

/** How many visitors of an event's Day are counted here. */
function visitorsOf(partition: Partition, { merchant, timestamp }: Placed): number {
  const settings = partition.settings.get(merchant)?.settings;
  if (settings === undefined) return 0;
  const day = dayAt(zoneAt(settings.zones, timestamp), timestamp);
  const state = findDay(partition, merchant, day);
  return state === undefined ? 0 : state.visitors.size + state.rested.visitors;
}

async function widen(partition: Partition, merchant: number): Promise<void> {
  const { deps } = partition;
  await refreshSettings(partition, merchant); // its other partitions may have asked
  const known = partition.settings.get(merchant);
  if (known === undefined || known.gone) return;
  const now = deps.now();
  const before: SpreadTimeline = known.settings.spread ?? [];
  if ((before.at(-1)?.from ?? 0) > now) return;
  const partitions = nextSpread(before);
  const spread =
    partitions === undefined
      ? "full"
      : changeSpread(known.settings, { partitions, now, noticeMs: SPREAD_NOTICE_MS, at: "midnight" });
  if (spread === "full") {
    noteTooHot(partition, merchant, partitions === undefined ? "no more partitions" : "too many changes in a year");
    return;
  }
  if (!(await deps.writeSpread({ ...known.settings, spread }))) return; // changed meanwhile: another time
  await refreshSettings(partition, merchant);
  const from = new Date(spread.at(-1)?.from ?? now).toISOString();
  deps.log({ event: "merchant_spread", partition: partition.name, merchant, partitions: partitions ?? 0, from });
}
