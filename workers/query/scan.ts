// Finds a merchant's events for a question: reads what the partitions have not archived yet, then finds out
// which (Day, partition)s have anything of the merchant, and what reading those from the archive takes
// (count-events.ts counts them). What is too much for one request is refused, with the (Day, partition)s that
// a job would have to read (question-jobs.ts).

import {
  FOLDERS_APART_MAX,
  JOB_PLACES_MAX,
  MANIFEST_MERCHANTS_OF_READ,
  PLACE_READS,
  READ_BYTES,
  RECENT_ROWS_MAX,
  SCAN_BYTES_MAX,
  SCAN_EVENTS_MAX,
  SCAN_OBJECTS_MAX,
  SCAN_PLACES_MAX,
} from "../../core/limits.ts";
import type { Settings } from "../../core/merchant.ts";
import { accepted, type Outcome } from "../../core/outcome.ts";
import { foldersOf, isMovedDay } from "../../core/past-zone.ts";
import type { Counting, CountPlan } from "../../core/query/count.ts";
import { invalid } from "../../core/query/refusal.ts";
import type { SeenUnder } from "../../core/query/seen.ts";
import { asRead, GLOBAL_MERCHANT } from "../../core/rules.ts";
import { DAY_MS, dateOf } from "../../core/time.ts";
import { archiveOf } from "../../storage/archive/bucket.ts";
import {
  distinctPlaces,
  type FoundEvents,
  keyOf,
  type LocatedEvents,
  locateEvents,
  type RecentEvents,
  recentOf,
} from "../../storage/archive/merchant-events.ts";
import { type Merchant, settingsOf } from "../../storage/directory/merchants.ts";
import { readSettings } from "../../storage/directory/settings.ts";
import { listPlaces } from "../../storage/ledger/places.ts";
import type { SealPlace } from "../../storage/ledger/sealed-day.ts";
import type { Deps } from "./deps.ts";
import { askPartitions, readLive } from "./live.ts";

/** What answering took. */
export interface Cost {
  rows: number;
  objects: number;
  bytes: number;
  /** (Day, partition)s of which it was remembered what they came to, where there were any. */
  remembered?: number;
}

/** Days in [from, to). */
interface Days {
  readonly from: number;
  readonly to: number;
}

/** From the first Day of a plan's ranges to the last. */
export function daysOf({ ranges, rest }: Pick<CountPlan<Counting>, "ranges" | "rest">): Days {
  if (rest !== undefined) return { from: Math.min(...rest.days), to: Math.max(...rest.days) + 1 };
  const from = Math.min(...ranges.map(({ fromDay }) => fromDay));
  return { from, to: Math.max(...ranges.map(({ toDay }) => toDay)) };
}

export interface Under extends SeenUnder {
  /** Of the deployment's own settings. */
  readonly globalVersion: number;
}

export async function underOf(merchant: Merchant, deps: Deps): Promise<Under> {
  const global = await readSettings(deps.directory, GLOBAL_MERCHANT);
  const settings = settingsOf(merchant);
  return {
    settings: { ...settings, rules: asRead(settings.rules) },
    global: global?.rules ?? [],
    globalVersion: global?.version ?? 0,
  };
}

export interface OpenedEvents {
  /** What they are seen under. */
  readonly under: SeenUnder;
  readonly days: FoundEvents["days"];
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
  { from, to, ...wanted }: EventsWanted,
  { deps, cost }: { readonly deps: Deps; readonly cost: Cost },
): Promise<Outcome<OpenedEvents>> {
  const known = await findPlaces(merchant, { from, to }, deps);
  if (!known.ok) return known;
  cost.rows += known.value.rows;
  const { places } = known.value;
  const found = await openPlaces(merchant, { ...wanted, known: known.value, places }, { deps, cost });
  if (!found.ok) return found;
  return accepted({ under: await underOf(merchant, deps), days: found.value.days });
}

/** What of it is to be read. */
export interface PlacesWanted extends Omit<EventsWanted, "from" | "to"> {
  readonly known: KnownPlaces;
  /** Those that are to be read. */
  readonly places: readonly SealPlace[];
}

/**
 * Finds out what reading some of the places takes; refused, with all of them, when that is more than one request may
 * read.
 */
export async function openPlaces(
  merchant: Merchant,
  { known, places, columns, together, putSince = 0 }: PlacesWanted,
  { deps, cost }: { readonly deps: Deps; readonly cost: Cost },
): Promise<Outcome<FoundEvents>> {
  const tooLarge = (what: string) => tooLargeFor(what, known.places);
  if (places.length > SCAN_PLACES_MAX) return tooLarge(`more than ${SCAN_PLACES_MAX} days of data`);
  const events = places.reduce((sum, place) => sum + (known.events.get(keyOf(place)) ?? 0), 0);
  // Of what is younger than `putSince` nobody knows how many there are; its bytes are bounded below.
  if (putSince === 0 && events > SCAN_EVENTS_MAX) return tooLarge(`more than ${SCAN_EVENTS_MAX} events`);
  const { recent } = known;
  const search = { settings: settingsOf(merchant), places, recent, columns, together, putSince };
  const located = await locateEvents(search, { ...deps, ...archiveOf(deps) });
  // Manifests name everybody in the partition. They are paid for before they are read, whatever comes of it.
  if (deps.reading?.ofEvents(manifestReads(located)) === false) return invalid(NOTHING_LEFT);
  const found = await located.open();
  const { objects, bytes } = found.cost;
  if (objects > SCAN_OBJECTS_MAX) return tooLarge(`more than ${SCAN_OBJECTS_MAX} objects of the archive`);
  if (bytes > SCAN_BYTES_MAX) return tooLarge(`more than ${SCAN_BYTES_MAX / 1_000_000} MB of the archive`);
  const own = new Set(places.map(keyOf));
  const unarchived = [...recent].reduce((sum, [key, { rows }]) => sum + (own.has(key) ? rows.length : 0), 0);
  const counted = putSince === 0 ? events : 0;
  const read = Math.max(counted, unarchived + Math.ceil(bytes / READ_BYTES));
  if (deps.reading?.ofEvents(read) === false) return invalid(NOTHING_LEFT);
  cost.objects += objects;
  cost.bytes += bytes;
  return accepted(found);
}

/** What looking into (Day, partition)s costs, in events. */
export function manifestReads({ folders, sealedMerchants }: Omit<LocatedEvents, "open">): number {
  return folders * PLACE_READS + Math.ceil(sealedMerchants / MANIFEST_MERCHANTS_OF_READ);
}

/** What the asker hears is made of it by whoever asked (ask.ts). */
export const NOTHING_LEFT = "#: Too many events were read. Ask again later.";

/** Where a merchant has anything in some Days. */
export interface KnownPlaces {
  readonly places: readonly SealPlace[];
  /** About how many, by "day partition". */
  readonly events: ReadonlyMap<string, number>;
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
  const settings = settingsOf(merchant);
  const days = Array.from({ length: to - from }, (_, index) => from + index);
  // Events of a Day that has moved may lie, and be counted until it is rebuilt, under Days near it.
  const near = days.some((day) => isMovedDay(settings, day)) ? FOLDERS_APART_MAX : 0;
  const around = { from: from - near, to: to + near };
  const [recent, live] = await Promise.all([
    readRecent(merchant, around, deps),
    readLive(merchant, { grain: "day", ...around, dimensions: [] }, deps),
  ]);
  if (!recent.ok) return recent;
  // What is not among `recent` any more lies in the archive, and was noted before its partition forgot it.
  const archived = await listPlaces(deps.ledgers.ofMerchant(number), {
    merchant: number,
    ...around,
    rowsMax: JOB_PLACES_MAX + 1,
  });
  // What is beyond is not in the list: whoever counted by it would leave Days out, unread and remembered ones alike.
  if (archived.length > JOB_PLACES_MAX) return invalid(tooMuch(`more than ${JOB_PLACES_MAX} days of data`, "job"));
  const found = distinctPlaces([...archived, ...recent.value.values()]);
  const places = near === 0 ? found : placesNear(found, { settings, from, to });
  // Where events lie is known by the index; how many there are is only guessed at, from what was counted.
  const counted = live.rows.map(({ bucket: day, partition, counts }) => ({ day, partition, events: counts.events }));
  return accepted({ places, events: eventsOf([...archived, ...counted]), recent: recent.value, rows: archived.length });
}

/**
 * What partitions may not have archived of a merchant's Days in [from, to). Whoever reads it reads the archive after
 * it.
 */
export async function readRecent(merchant: Merchant, { from, to }: Days, deps: Deps): Promise<Outcome<RecentEvents>> {
  // It is the partitions' time, which they have for those who send: so it is paid for, whatever comes of the question.
  // How much it takes is known when it is done. Until then it is taken to be what it was last time.
  const expected = deps.reading?.expectedLook ?? 0;
  if (deps.reading?.ofEvents(expected) === false) return invalid(NOTHING_LEFT);
  const replies = await askPartitions(merchant, deps, async (stub, partition) => ({
    partition,
    reply: await stub.recentEvents({ merchant: merchant.number, from, to }),
  }));
  const looked = replies.reduce((sum, { reply }) => sum + (reply === "too many" ? RECENT_ROWS_MAX : reply.looked), 0);
  deps.reading?.settleLook(looked, expected);
  const recent = recentOf(replies);
  if (recent === "too many") throw new Error("a partition's archive is too far behind to read events");
  return accepted(recent);
}

/** Where the events of Days in [from, to) may be, given the Days near them that have any. */
function placesNear(
  known: readonly SealPlace[],
  { settings, from, to }: { readonly settings: Settings; readonly from: number; readonly to: number },
): readonly SealPlace[] {
  const near = known.flatMap(({ day, partition }) =>
    Array.from({ length: 2 * FOLDERS_APART_MAX + 1 }, (_, at) => ({ day: day - FOLDERS_APART_MAX + at, partition })),
  );
  const own = near.filter(({ day }) => isMovedDay(settings, day));
  return distinctPlaces([...known, ...own]).filter(({ day }) => day >= from && day < to);
}

/** About how many events there are: what is live and stored of one Day is the same, or nearly. */
function eventsOf(counted: readonly (SealPlace & { readonly events: number })[]): ReadonlyMap<string, number> {
  const places = Map.groupBy(counted, keyOf);
  return new Map([...places].map(([key, own]) => [key, Math.max(...own.map(({ events }) => events))]));
}

/** The first Day whose events a merchant's retention keeps. */
export function firstKeptDay(merchant: Merchant, now: number): number {
  const { retentionDays } = merchant;
  if (retentionDays === null) return 0;
  const settings = settingsOf(merchant);
  const first = Math.floor(now / DAY_MS) - retentionDays;
  let day = first;
  while (isMovedDay(settings, day) && foldersOf(settings, day)[0] < first) day += 1;
  return day;
}

/** A refusal that says which (Day, partition)s it would take: a job may read them. */
export interface TooLarge extends ReturnType<typeof invalid> {
  readonly places: readonly SealPlace[];
}

export function tooLargeFor(what: string, places: readonly SealPlace[]): TooLarge {
  return { ...invalid(tooMuch(what, "request")), places };
}

/** Bounds are named and not what there is: a share link must not be told how much it does not see. */
function tooMuch(what: string, reader: "request" | "job"): string {
  const remedy =
    "Ask for a shorter range, fewer filters, or one dimension without filters, which is read from rollups.";
  return `#/date_range: The query needs ${what}, more than one ${reader} may read. ${remedy}`;
}

export function isTooLarge(outcome: Outcome<unknown>): outcome is TooLarge {
  return !outcome.ok && "places" in outcome;
}
