// A merchant's events of some (Day, partition)s, one after the other, or all partitions of a Day together: what the partitions may not have archived, which is read
// first, then the archive, each row once by position (L1, L2), without what is being erased. Questions read them in their
// request, jobs on a queue.

import { decodeLogged } from "../core/archive/bundle.ts";
import type { ArchivedEvent } from "../core/archive/file.ts";
import type { RecentReply } from "../core/archive/recent.ts";
import { removalOf } from "../core/counting/erasure.ts";
import { hash32 } from "../core/hash.ts";
import { SCAN_DAY_ROWS_MAX, SCAN_PASSES_MAX } from "../core/limits.ts";
import type { Metered } from "../core/meter.ts";
import { assert } from "../core/outcome.ts";
import type { Counting, CountPlan, DayRows } from "../core/query/count.ts";
import type { Archive, ArchiveBucket } from "./archive-bucket.ts";
import { findScanPlaces, type PlaceRead, readScanPlace, type ScanCost, type ScanPlace } from "./archive-scan.ts";
import { listRemovalsOf, type MerchantRemoval } from "./erasure.ts";
import { findSealed, type SealPlace } from "./seal.ts";

/** By "day partition". */
export type RecentEvents = ReadonlyMap<string, SealPlace & { readonly rows: readonly ArchivedEvent[] }>;

export interface EventDeps {
  readonly db: D1Database;
  readonly bucket: ArchiveBucket;
  readonly meter: Metered;
}

export interface EventSearch {
  readonly merchant: number;
  readonly places: readonly SealPlace[];
  /** What was read from the partitions before. */
  readonly recent: RecentEvents;
  /** Columns of the archive beside those that counting reads. */
  readonly columns: readonly string[];
  /** What is given at once: a visitor's rows of a Day in one partition, or in all of them. */
  readonly together: CountPlan<Counting>["together"];
  /** UTC ms: what lay in the archive before is not wanted. */
  readonly putSince?: number;
}

export interface FoundEvents {
  readonly cost: ScanCost;
  /** In the order of Days; of each Day all rows at once, or those of some visitors after those of others. */
  readonly days: () => AsyncGenerator<DayRows>;
  /** Those of some of the places alone, which belong together. */
  readonly of: (places: readonly SealPlace[]) => AsyncGenerator<DayRows>;
}

/** What partitions have answered, by (Day, partition); "too many" where one has. */
export function recentOf(
  replies: readonly { readonly partition: string; readonly reply: RecentReply }[],
): RecentEvents | "too many" {
  const found = new Map<string, SealPlace & { readonly rows: ArchivedEvent[] }>();
  for (const { partition, reply } of replies) {
    if (reply === "too many") return reply;
    for (const { position, row } of reply.rows) {
      const { day, event } = decodeLogged(row);
      const place = { day, partition };
      const known = found.get(keyOf(place)) ?? { ...place, rows: [] };
      known.rows.push({ partition, position, event });
      found.set(keyOf(place), known);
    }
  }
  return found;
}

/** Finds out what there is to read, and what that costs; nothing is read before `days` is asked. */
export async function findEvents(
  { merchant, places, recent, columns, together, putSince = 0 }: EventSearch,
  { db, bucket, meter }: EventDeps,
): Promise<FoundEvents> {
  const removals = await listRemovalsOf(db, merchant, meter);
  const archive = { bucket, meter };
  const found = await findScanPlaces(archive, db, { merchant, places, putSince }, meter);
  const read = { merchant, recent, removals, columns, together };
  const byPlace = new Map(found.map((place) => [keyOf(place), place]));
  const days = () => readTogether(archive, found, read);
  const of = (some: readonly SealPlace[]) =>
    readTogether(
      archive,
      some.map((place) => byPlace.get(keyOf(place)) as ScanPlace),
      read,
    );
  const cost = found.reduce<ScanCost>(
    (sum, { cost: own }) => ({ objects: sum.objects + own.objects, bytes: sum.bytes + own.bytes }),
    { objects: 0, bytes: 0 },
  );
  return { cost, days, of };
}

export interface TogetherRead extends Omit<EventSearch, "places" | "putSince"> {
  readonly removals: readonly MerchantRemoval[];
}

/** Reads places that were found, Day after Day; a visitor's rows come together. */
export async function* readTogether(
  archive: Archive,
  found: readonly ScanPlace[],
  { merchant, recent, removals, columns, together }: TogetherRead,
): AsyncGenerator<DayRows> {
  const ordered = [...found].sort((a, b) => a.day - b.day);
  const rowsOf = (place: ScanPlace, { archived, isWanted }: Pass, index: number) => {
    const late = recent.get(keyOf(place))?.rows.filter(({ event }) => isWanted(event.visitor)) ?? [];
    const removed = removalsAt(removals, place);
    return joined(archived[index] ?? [], late).filter((row) => removalOf(row, removed) === undefined);
  };
  for (const group of Map.groupBy(ordered, (place) => (together === "day" ? place.day : place)).values()) {
    const [{ day }] = group as [ScanPlace];
    for await (const pass of passesOf(archive, group, { merchant, columns }))
      yield { day, partitions: group.map((place, index) => rowsOf(place, pass, index)) };
  }
}

/**
 * What (Day, partition)s came to may be remembered where they are sealed and nothing of them waits to be archived: then as this
 * version, by "day partition". Whoever archives a late event notes it before the partition forgets it, so read `recent` before.
 */
export async function findVersions(
  { merchant, places, recent }: Pick<EventSearch, "merchant" | "places" | "recent">,
  { db, meter }: Pick<EventDeps, "db" | "meter">,
): Promise<ReadonlyMap<string, string>> {
  const settled = places.filter((place) => !recent.has(keyOf(place)));
  const removals = await listRemovalsOf(db, merchant, meter);
  const seals = await findSealed(db, settled, meter);
  const versionOf = (place: SealPlace & { readonly folder: string; readonly lateMarks: number }) =>
    JSON.stringify([place.folder, place.lateMarks, removalsAt(removals, place)]);
  return new Map(seals.map((place) => [keyOf(place), versionOf(place)]));
}

export function distinctPlaces(places: readonly SealPlace[]): readonly SealPlace[] {
  return [...new Map(places.map(({ day, partition }) => [`${day} ${partition}`, { day, partition }])).values()];
}

interface Pass {
  /** By place. */
  readonly archived: readonly (readonly ArchivedEvent[])[];
  readonly isWanted: (visitor: string) => boolean;
}

/**
 * The rows of (Day, partition)s that belong together, in as many passes as memory needs, of some visitors each: a visit is of
 * one visitor. An id that two visitors sent before the Day was sealed then counts for both.
 */
async function* passesOf(
  archive: Archive,
  places: readonly ScanPlace[],
  read: Pick<PlaceRead, "merchant" | "columns">,
): AsyncGenerator<Pass> {
  let passes = 1;
  for (let pass = 0; pass < passes; pass++) {
    const [at, of] = [pass, passes];
    const isWanted = (visitor: string) => of === 1 || hash32(visitor, PASS_SEED) % of === at;
    // Visitors are spread by a hash, but not evenly: the first pass must fit, the others nearly so.
    const rowsMax = pass === 0 ? SCAN_DAY_ROWS_MAX : 2 * SCAN_DAY_ROWS_MAX;
    const archived = await readAll(archive, places, { ...read, isWanted, rowsMax });
    if (archived !== "too many") yield { archived, isWanted };
    else {
      assert(pass === 0 && passes < SCAN_PASSES_MAX, "some of a Day's visitors fit into memory");
      passes *= 2;
      pass = -1;
    }
  }
}

async function readAll(
  archive: Archive,
  places: readonly ScanPlace[],
  read: PlaceRead,
): Promise<Pass["archived"] | "too many"> {
  const found: (readonly ArchivedEvent[])[] = [];
  let left = read.rowsMax;
  for (const place of places) {
    const rows = await readScanPlace(archive, place, { ...read, rowsMax: left });
    if (rows === "too many") return rows;
    found.push(rows);
    left -= rows.length;
  }
  return found;
}

/** Another split than that of visitors over partitions. */
const PASS_SEED = 0x2c1b3c6d;

/** Each row once. */
function joined(archived: readonly ArchivedEvent[], recent: readonly ArchivedEvent[]): readonly ArchivedEvent[] {
  if (recent.length === 0) return archived;
  const positions = new Set(archived.map(({ position }) => position));
  return [...archived, ...recent.filter(({ position }) => !positions.has(position))];
}

function removalsAt(removals: readonly MerchantRemoval[], { day, partition }: SealPlace): readonly MerchantRemoval[] {
  return removals.filter((one) => one.partition === partition && day >= one.fromDay && day < one.toDay);
}

export function keyOf({ day, partition }: SealPlace): string {
  return `${day} ${partition}`;
}
