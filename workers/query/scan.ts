// Answers a question from events: reads what the partitions have not archived yet, then finds out which (Day, partition)s have
// anything of the merchant, then reads those from the archive and counts them one after the other. What is too much for one
// request is refused, with the (Day, partition)s that a job would have to read (question-jobs.ts).

import type { RollupRow } from "../../core/counting/rollup-row.ts";
import {
  FOLDERS_APART_MAX,
  JOB_PLACES_MAX,
  SCAN_BYTES_MAX,
  SCAN_EVENTS_MAX,
  SCAN_OBJECTS_MAX,
  SCAN_PLACES_MAX,
} from "../../core/limits.ts";
import type { Settings } from "../../core/merchant.ts";
import { accepted, type Outcome } from "../../core/outcome.ts";
import { foldersOf, isMoved } from "../../core/past-zone.ts";
import type { Groups } from "../../core/query/group.ts";
import type { Plan } from "../../core/query/plan.ts";
import { invalid } from "../../core/query/refusal.ts";
import { closeScan, extraColumns, openScan, refusalOf, scanDay } from "../../core/query/scan.ts";
import { GLOBAL_MERCHANT } from "../../core/rules.ts";
import { DAY_MS, dateOf } from "../../core/time.ts";
import { distinctPlaces, type EventDay, findEvents, recentOf } from "../../storage/merchant-events.ts";
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

/** The groups of a question that is answered from events. */
export async function scanGroups(
  plan: Plan,
  merchant: Merchant,
  { deps, cost }: { readonly deps: Deps; readonly cost: Cost },
): Promise<Outcome<Groups>> {
  const { fromDay, toDay } = plan.range;
  const wanted = { from: fromDay, to: toDay, columns: extraColumns(plan) };
  const events = await openEvents(merchant, wanted, { deps, cost });
  if (!events.ok) return events;
  const scan = openScan(plan, { settings: settingsOf(merchant), global: events.value.global });
  for await (const { day, rows } of events.value.days()) {
    const problem = scanDay(scan, { day, rows });
    if (problem !== undefined) return refusalOf(problem);
  }
  return accepted(closeScan(scan));
}

export interface OpenedEvents {
  /** The deployment's own rules. */
  readonly global: Merchant["rules"];
  readonly days: () => AsyncGenerator<EventDay>;
}

export interface EventsWanted {
  /** Days in [from, to). */
  readonly from: number;
  readonly to: number;
  /** Columns of the archive beside those that counting reads. */
  readonly columns: readonly string[];
  /** UTC ms: what lay in the archive before is not wanted. */
  readonly putSince?: number;
}

/** Finds a merchant's events of Days in [from, to); refused when that is more than one request may read. */
export async function openEvents(
  merchant: Merchant,
  { from, to, columns, putSince = 0 }: EventsWanted,
  { deps, cost }: { readonly deps: Deps; readonly cost: Cost },
): Promise<Outcome<OpenedEvents>> {
  const { number } = merchant;
  const eventsFrom = firstKeptDay(merchant, deps.now());
  if (from < eventsFrom) {
    const problem = `Events before ${dateOf(eventsFrom)} are deleted, as the merchant's retention says.`;
    return invalid(`#/date_range: ${problem} Numbers by one dimension and without filters are there.`);
  }
  const settings = settingsOf(merchant);
  const days = Array.from({ length: to - from }, (_, index) => from + index);
  // Events of a Day that has moved may lie, and be counted until it is rebuilt, under Days near it.
  const near = days.some((day) => isMoved(settings, day)) ? FOLDERS_APART_MAX : 0;
  const around = { from: from - near, to: to + near };
  const replies = await askPartitions(merchant, deps, async (stub, partition) => ({
    partition,
    reply: await stub.recentEvents({ merchant: number, ...around }),
  }));
  const recent = recentOf(replies);
  if (recent === "too many") throw new Error("a partition's archive is too far behind to read events");
  const live = await readLive(merchant, { grain: "day", ...around, dimensions: [] }, deps);
  const read = { merchant: number, grain: "day", ...around, sketch: false, breakdowns: [] } as const;
  const stored = await readRollups(deps.db, { ...read, rowsMax: JOB_PLACES_MAX + 1 }, deps.meter);
  cost.rows += stored.length;
  const known = distinctPlaces([...live, ...stored, ...recent.values()]);
  const places = near === 0 ? known : placesNear(known, { settings, from, to });
  if (places.length > SCAN_PLACES_MAX) return tooLarge(`more than ${SCAN_PLACES_MAX} days of data`, places);
  const events = eventsOf([...live, ...stored].filter(({ day }) => day >= from && day < to));
  // Of what is younger than `putSince` nobody knows how many there are; its bytes are bounded below.
  if (putSince === 0 && events > SCAN_EVENTS_MAX) return tooLarge(`some ${events} events`, places);
  const search = { settings, places, recent, columns, putSince };
  const found = await findEvents(search, { ...deps, bucket: archiveBucketOf(deps.bucket) });
  const { objects, bytes } = found.cost;
  if (objects > SCAN_OBJECTS_MAX) return tooLarge(`${objects} objects of the archive`, places);
  if (bytes > SCAN_BYTES_MAX) return tooLarge(`${Math.ceil(bytes / 1_000_000)} MB of the archive`, places);
  cost.objects += objects;
  cost.bytes += bytes;
  const global = (await readSettings(deps.db, GLOBAL_MERCHANT, deps.meter))?.rules ?? [];
  return accepted({ global, days: found.days });
}

/** Where the events of Days in [from, to) may be, given the Days near them that have any. */
function placesNear(
  known: readonly SealPlace[],
  { settings, from, to }: { readonly settings: Settings; readonly from: number; readonly to: number },
): readonly SealPlace[] {
  const near = known.flatMap(({ day, partition }) =>
    Array.from({ length: 2 * FOLDERS_APART_MAX + 1 }, (_, at) => ({ day: day - FOLDERS_APART_MAX + at, partition })),
  );
  const own = near.filter(({ day }) => isMoved(settings, day));
  return distinctPlaces([...known, ...own]).filter(({ day }) => day >= from && day < to);
}

/** About how many events there are: what is live and stored of one Day is the same, or nearly. */
function eventsOf(rows: readonly RollupRow[]): number {
  const places = Map.groupBy(rows, ({ day, partition }) => `${day} ${partition}`);
  return [...places.values()].reduce((sum, own) => sum + Math.max(...own.map(({ counts }) => counts.events)), 0);
}

/** The first Day whose events a merchant's retention keeps. */
function firstKeptDay(merchant: Merchant, now: number): number {
  const { retentionDays } = merchant;
  if (retentionDays === null) return 0;
  const settings = settingsOf(merchant);
  const first = Math.floor(now / DAY_MS) - retentionDays;
  let day = first;
  while (isMoved(settings, day) && foldersOf(settings, day)[0] < first) day += 1;
  return day;
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
