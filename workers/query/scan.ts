// Finds a merchant's events for a question. First it reads what the partitions have not archived yet. Then it finds
// which (Day, partition)s have any event of the merchant, and how much there is to read in the archive. count-events.ts
// then counts the events. A question that is too much for one request is refused, with the (Day, partition)s that a job
// would have to read (question-jobs.ts).

import {
  DERIVED_READS,
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
import { isolateSeed } from "../../storage/hash-key.ts";
import { findUnsure } from "../../storage/ledger/doubt.ts";
import { listPlaces } from "../../storage/ledger/places.ts";
import type { SealPlace } from "../../storage/ledger/sealed-day.ts";
import type { Deps } from "./deps.ts";
import { askPartitions, readLive } from "./live.ts";

/** The cost of an answer. */
export interface Cost {
  rows: number;
  objects: number;
  bytes: number;
  /** The number of (Day, partition)s whose results were remembered. Absent where there were none. */
  remembered?: number;
}

/** Days in [from, to). */
interface Days {
  readonly from: number;
  readonly to: number;
}

/** The Days from the first Day of a plan's ranges to the last. */
export function daysOf({ ranges, rest }: Pick<CountPlan<Counting>, "ranges" | "rest">): Days {
  if (rest !== undefined) return { from: Math.min(...rest.days), to: Math.max(...rest.days) + 1 };
  const from = Math.min(...ranges.map(({ fromDay }) => fromDay));
  return { from, to: Math.max(...ranges.map(({ toDay }) => toDay)) };
}

export interface Under extends SeenUnder {
  /** The version of the deployment's own settings. */
  readonly globalVersion: number;
}

export async function underOf(merchant: Merchant, deps: Deps): Promise<Under> {
  const global = await readSettings(deps.directory, GLOBAL_MERCHANT);
  const settings = settingsOf(merchant);
  return {
    settings: { ...settings, rules: asRead(settings.rules) },
    global: global?.rules ?? [],
    seed: isolateSeed(),
    globalVersion: global?.version ?? 0,
  };
}

export interface OpenedEvents {
  /** The settings and rules under which the events are seen. */
  readonly under: SeenUnder;
  readonly days: FoundEvents["days"];
}

export interface EventsWanted extends Days {
  /** Columns of the archive to read beside those that counting reads. */
  readonly columns: readonly string[];
  readonly together: CountPlan<Counting>["together"];
  /** Set where derived rows will do (CountPlan.isOfVisits). */
  readonly derived?: SeenUnder | undefined;
  /** UTC ms. What was archived before is not wanted. */
  readonly putSince?: number;
}

/** Finds a merchant's events of Days in [from, to). Refused when they are more than one request may read. */
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

/** Which events are to be read. */
export interface PlacesWanted extends Omit<EventsWanted, "from" | "to"> {
  readonly known: KnownPlaces;
  /** The places that are to be read. */
  readonly places: readonly SealPlace[];
}

/**
 * Finds how much there is to read in some of the places. Refused, with all of the places, when it is more than one
 * request may read.
 */
export async function openPlaces(
  merchant: Merchant,
  { known, places, columns, together, derived, putSince = 0 }: PlacesWanted,
  { deps, cost }: { readonly deps: Deps; readonly cost: Cost },
): Promise<Outcome<FoundEvents>> {
  const tooLarge = (what: string) => tooLargeFor(what, known.places);
  if (places.length > SCAN_PLACES_MAX) return tooLarge(`more than ${SCAN_PLACES_MAX} days of data`);
  const events = places.reduce((sum, place) => sum + (known.events.get(keyOf(place)) ?? 0), 0);
  const tooMany = (count: number) =>
    // The number of events after `putSince` is not known. Their bytes are bounded below.
    putSince === 0 && count > SCAN_EVENTS_MAX ? tooLarge(`more than ${SCAN_EVENTS_MAX} events`) : undefined;
  const least = events * (derived === undefined ? 1 : DERIVED_READS);
  const refused = tooMany(least);
  if (refused !== undefined) return refused;
  const { recent } = known;
  const search = { settings: settingsOf(merchant), places, recent, columns, together, derived, putSince };
  const located = await locateEvents(search, { ...deps, ...archiveOf(deps) });
  // A manifest names all merchants of the partition. Manifests are paid for before they are read, whatever is found in
  // them.
  if (deps.reading?.ofEvents(manifestReads(located)) === false) return invalid(NOTHING_LEFT);
  const found = await located.open();
  const { objects, bytes } = found.cost;
  if (objects > SCAN_OBJECTS_MAX) return tooLarge(`more than ${SCAN_OBJECTS_MAX} objects of the archive`);
  if (bytes > SCAN_BYTES_MAX) return tooLarge(`more than ${SCAN_BYTES_MAX / 1_000_000} MB of the archive`);
  // A derived row takes a part of the time of a row.
  const weighed = Math.max(least, events - Math.floor(found.derivedRows * (1 - DERIVED_READS)));
  const refusedNow = tooMany(weighed);
  if (refusedNow !== undefined) return refusedNow;
  const own = new Set(places.map(keyOf));
  const unarchived = [...recent].reduce((sum, [key, { rows }]) => sum + (own.has(key) ? rows.length : 0), 0);
  const counted = putSince === 0 ? weighed : 0;
  const read = Math.max(counted, unarchived + Math.ceil(bytes / READ_BYTES));
  if (deps.reading?.ofEvents(read) === false) return invalid(NOTHING_LEFT);
  cost.objects += objects;
  cost.bytes += bytes;
  return accepted(found);
}

/** The cost of looking into (Day, partition)s, in events. */
export function manifestReads({ folders, sealedMerchants }: Omit<LocatedEvents, "open">): number {
  return folders * PLACE_READS + Math.ceil(sealedMerchants / MANIFEST_MERCHANTS_OF_READ);
}

/** ask.ts turns this into the text that the asker gets. */
export const NOTHING_LEFT = "#: Too many events were read. Ask again later.";

/** The places in which a merchant has any event of some Days. */
export interface KnownPlaces {
  readonly places: readonly SealPlace[];
  /** About how many events each place has. Keys are "day partition". */
  readonly events: ReadonlyMap<string, number>;
  /** Events that partitions may not have archived yet. */
  readonly recent: RecentEvents;
  /** How many rows of D1 were read to find this. */
  readonly rows: number;
}

/** Finds the places of events of Days in [from, to). Refused where retention has deleted some of these Days. */
export async function findPlaces(merchant: Merchant, { from, to }: Days, deps: Deps): Promise<Outcome<KnownPlaces>> {
  const { number } = merchant;
  const eventsFrom = firstKeptDay(merchant, deps.now());
  if (from < eventsFrom) {
    const problem = `Events before ${dateOf(eventsFrom)} are deleted, as the merchant's retention says.`;
    return invalid(`#/date_range: ${problem} Numbers by one dimension and without filters are there.`);
  }
  const settings = settingsOf(merchant);
  const days = Array.from({ length: to - from }, (_, index) => from + index);
  // Events of a Day that has moved may be in the folders of Days near it. They are counted there until the Day is
  // rebuilt.
  const near = days.some((day) => isMovedDay(settings, day)) ? FOLDERS_APART_MAX : 0;
  const around = { from: from - near, to: to + near };
  const [recent, live] = await Promise.all([
    readRecent(merchant, around, deps),
    readLive(merchant, { grain: "day", ...around, dimensions: [] }, deps),
  ]);
  if (!recent.ok) return recent;
  // Events that are no longer in `recent` are in the archive, and were noted before their partition forgot them.
  const archived = await listPlaces(deps.ledgers.ofMerchant(number), {
    merchant: number,
    ...around,
    rowsMax: JOB_PLACES_MAX + 1,
  });
  // The list ends at its bound. Whoever counted by a shortened list would leave Days out, unread and remembered ones
  // alike.
  if (archived.length > JOB_PLACES_MAX) return invalid(tooMuch(`more than ${JOB_PLACES_MAX} days of data`, "job"));
  const span = [around.from, around.to] as const;
  const unsure = await findUnsure(deps.ledgers.ofMerchant(number), { merchant: number, days: span, places: archived });
  if (unsure !== undefined) return invalid(`#/date_range: ${unsureText(unsure)}`);
  const found = distinctPlaces([...archived, ...recent.value.values()]);
  const places = near === 0 ? found : placesNear(found, { settings, from, to });
  // The index knows exactly where events are. How many there are is only estimated, from numbers that were counted.
  const counted = live.rows.map(({ bucket: day, partition, counts }) => ({ day, partition, events: counts.events }));
  return accepted({ places, events: eventsOf([...archived, ...counted]), recent: recent.value, rows: archived.length });
}

/** Events that are not all there would be counted as if they were. */
function unsureText({ day, isLost }: { readonly day: number; readonly isLost: boolean }): string {
  const what = isLost
    ? `Events of ${dateOf(day)} were lost with the archive, and its numbers stay as they were counted before.`
    : `Events of ${dateOf(day)} may be lost with the archive: they are compared with its numbers once it is closed.`;
  return `${what} Numbers by one dimension and without filters are there; ask for other Days.`;
}

/** What partitions may not have archived of a merchant's Days in [from, to). The archive must be read after it. */
export async function readRecent(merchant: Merchant, { from, to }: Days, deps: Deps): Promise<Outcome<RecentEvents>> {
  // The read takes the partitions' time, which hits need too. So it is paid for, whatever becomes of the question. Its
  // cost is known only when it is done. Until then it is taken to be the same as last time.
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

/** The places that may have events of Days in [from, to), given the Days near them that have any. */
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

/** About how many events there are. Live and stored numbers of one Day are nearly the same. */
function eventsOf(counted: readonly (SealPlace & { readonly events: number })[]): ReadonlyMap<string, number> {
  const places = Map.groupBy(counted, keyOf);
  return new Map([...places].map(([key, own]) => [key, Math.max(...own.map(({ events }) => events))]));
}

/** The first Day whose events the merchant's retention keeps. */
export function firstKeptDay(merchant: Merchant, now: number): number {
  const { retentionDays } = merchant;
  if (retentionDays === null) return 0;
  const settings = settingsOf(merchant);
  const first = Math.floor(now / DAY_MS) - retentionDays;
  let day = first;
  while (isMovedDay(settings, day) && foldersOf(settings, day)[0] < first) day += 1;
  return day;
}

/** A refusal with the (Day, partition)s that would have to be read. A job may read them. */
export interface TooLarge extends ReturnType<typeof invalid> {
  readonly places: readonly SealPlace[];
}

export function tooLargeFor(what: string, places: readonly SealPlace[]): TooLarge {
  return { ...invalid(tooMuch(what, "request")), places };
}

/** The text names bounds only, not how much there is. A share link must not learn how much its filters hide. */
function tooMuch(what: string, reader: "request" | "job"): string {
  const remedy =
    "Ask for a shorter range, fewer filters, or one dimension without filters, which is read from rollups.";
  return `#/date_range: The query needs ${what}, more than one ${reader} may read. ${remedy}`;
}

export function isTooLarge(outcome: Outcome<unknown>): outcome is TooLarge {
  return !outcome.ok && "places" in outcome;
}
