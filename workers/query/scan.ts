// Answers a question from events: reads what the partitions have not archived yet, then finds out which (Day, partition)s have
// anything of the merchant, then reads those from the archive and counts them one after the other. What is too much for one
// request is refused, with the (Day, partition)s that a job would have to read (question-jobs.ts).

import type { RollupRow } from "../../core/counting/rollup-row.ts";
import {
  JOB_PLACES_MAX,
  SCAN_BYTES_MAX,
  SCAN_EVENTS_MAX,
  SCAN_OBJECTS_MAX,
  SCAN_PLACES_MAX,
} from "../../core/limits.ts";
import { accepted, type Outcome } from "../../core/outcome.ts";
import type { Counting, CountPlan, DayRows } from "../../core/query/count.ts";
import { invalid } from "../../core/query/refusal.ts";
import { refusalOf } from "../../core/query/scan.ts";
import type { SeenUnder } from "../../core/query/seen.ts";
import { GLOBAL_MERCHANT } from "../../core/rules.ts";
import { DAY_MS, dateOf } from "../../core/time.ts";
import { distinctPlaces, findEvents, type RecentEvents, recentOf } from "../../storage/merchant-events.ts";
import { type Merchant, settingsOf } from "../../storage/merchants.ts";
import { readRollups } from "../../storage/rollups.ts";
import type { SealPlace } from "../../storage/seal.ts";
import { readSettings } from "../../storage/settings.ts";
import { archiveBucketOf } from "./consumers.ts";
import type { Deps } from "./deps.ts";
import { askPartitions, readLive } from "./live.ts";

/** What answering took. */
export interface Cost {
  rows: number;
  objects: number;
  bytes: number;
}

/** Days in [from, to). */
interface Days {
  readonly from: number;
  readonly to: number;
}

/** Counts what a plan over one range reads, to be answered from. */
export async function countEvents<C extends Counting>(
  plan: CountPlan<C>,
  merchant: Merchant,
  { deps, cost }: { readonly deps: Deps; readonly cost: Cost },
): Promise<Outcome<C>> {
  const { columns, together } = plan;
  const events = await openEvents(merchant, { ...daysOf(plan), columns, together }, { deps, cost });
  if (!events.ok) return events;
  const counting = plan.open(events.value.under, "whole");
  for await (const rows of events.value.days()) {
    const problem = counting.add(rows);
    if (problem !== undefined) return refusalOf(problem);
  }
  return accepted(counting);
}

/** From the first Day of a plan's ranges to the last. */
export function daysOf({ ranges }: Pick<CountPlan<Counting>, "ranges">): Days {
  const from = Math.min(...ranges.map(({ fromDay }) => fromDay));
  return { from, to: Math.max(...ranges.map(({ toDay }) => toDay)) };
}

export interface OpenedEvents {
  /** What they are seen under. */
  readonly under: SeenUnder;
  readonly days: () => AsyncGenerator<DayRows>;
}

export interface EventsWanted extends Days {
  /** Columns of the archive beside those that counting reads. */
  readonly columns: readonly string[];
  readonly together: CountPlan<Counting>["together"];
  /** UTC ms: what lay in the archive before is not wanted. */
  readonly putSince?: number;
}

/** Finds a merchant's events of Days in [from, to); refused when that is more than one request may read. */
export async function openEvents(
  merchant: Merchant,
  { from, to, columns, together, putSince = 0 }: EventsWanted,
  { deps, cost }: { readonly deps: Deps; readonly cost: Cost },
): Promise<Outcome<OpenedEvents>> {
  const known = await findPlaces(merchant, { from, to }, deps);
  if (!known.ok) return known;
  const { places, events, recent } = known.value;
  cost.rows += known.value.rows;
  if (places.length > SCAN_PLACES_MAX) return tooLarge(`more than ${SCAN_PLACES_MAX} days of data`, places);
  // Of what is younger than `putSince` nobody knows how many there are; its bytes are bounded below.
  if (putSince === 0 && events > SCAN_EVENTS_MAX) return tooLarge(`some ${events} events`, places);
  const search = { merchant: merchant.number, places, recent, columns, together, putSince };
  const found = await findEvents(search, { ...deps, bucket: archiveBucketOf(deps.bucket) });
  const { objects, bytes } = found.cost;
  if (objects > SCAN_OBJECTS_MAX) return tooLarge(`${objects} objects of the archive`, places);
  if (bytes > SCAN_BYTES_MAX) return tooLarge(`${Math.ceil(bytes / 1_000_000)} MB of the archive`, places);
  cost.objects += objects;
  cost.bytes += bytes;
  const global = (await readSettings(deps.db, GLOBAL_MERCHANT, deps.meter))?.rules ?? [];
  return accepted({ under: { settings: settingsOf(merchant), global }, days: found.days });
}

/** Where a merchant has anything in some Days. */
interface KnownPlaces {
  readonly places: readonly SealPlace[];
  /** About how many. */
  readonly events: number;
  /** What partitions may not have archived. */
  readonly recent: RecentEvents;
  /** Rows of D1 that were read to find out. */
  readonly rows: number;
}

/** Finds out where there are events of Days in [from, to); refused where retention has deleted some of them. */
export async function findPlaces(merchant: Merchant, { from, to }: Days, deps: Deps): Promise<Outcome<KnownPlaces>> {
  const { number } = merchant;
  const eventsFrom = firstKeptDay(merchant, deps.now());
  if (from < eventsFrom) {
    const problem = `Events before ${dateOf(eventsFrom)} are deleted, as the merchant's retention says.`;
    return invalid(`#/date_range: ${problem} Numbers by one dimension and without filters are there.`);
  }
  const replies = await askPartitions(number, deps, async (stub, partition) => ({
    partition,
    reply: await stub.recentEvents({ merchant: number, from, to }),
  }));
  const recent = recentOf(replies);
  if (recent === "too many") throw new Error("a partition's archive is too far behind to read events");
  const live = await readLive(number, { grain: "day", from, to, dimensions: [] }, deps);
  const read = { merchant: number, grain: "day", from, to, sketch: false, breakdowns: [] } as const;
  const stored = await readRollups(deps.db, { ...read, rowsMax: JOB_PLACES_MAX + 1 }, deps.meter);
  const places = distinctPlaces([...live, ...stored, ...recent.values()]);
  return accepted({ places, events: eventsOf([...live, ...stored]), recent, rows: stored.length });
}

/** About how many events there are: what is live and stored of one Day is the same, or nearly. */
function eventsOf(rows: readonly RollupRow[]): number {
  const places = Map.groupBy(rows, ({ day, partition }) => `${day} ${partition}`);
  return [...places.values()].reduce((sum, own) => sum + Math.max(...own.map(({ counts }) => counts.events)), 0);
}

/** The first Day whose events a merchant's retention keeps. */
function firstKeptDay({ retentionDays }: Merchant, now: number): number {
  return retentionDays === null ? 0 : Math.floor(now / DAY_MS) - retentionDays;
}

/** A refusal that says which (Day, partition)s it would take: a job may read them. */
export interface TooLarge extends ReturnType<typeof invalid> {
  readonly places: readonly SealPlace[];
}

function tooLarge(what: string, places: readonly SealPlace[]): TooLarge {
  const remedy =
    "Ask for a shorter range, fewer filters, or one dimension without filters, which is read from rollups.";
  return { ...invalid(`#/date_range: The query needs ${what}, more than one request may read. ${remedy}`), places };
}

export function isTooLarge(outcome: Outcome<unknown>): outcome is TooLarge {
  return !outcome.ok && "places" in outcome;
}
