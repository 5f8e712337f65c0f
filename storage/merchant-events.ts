// A merchant's events of some (Day, partition)s, one after the other: what the partitions may not have archived, which is read
// first, then the archive, each row once by position (L1, L2), without what is being erased. Of a Day that has got another
// zone they are picked out of the folders of several. Questions read them in their request, jobs on a queue.

import { decodeLogged } from "../core/archive/bundle.ts";
import type { ArchivedEvent } from "../core/archive/file.ts";
import type { RecentReply } from "../core/archive/recent.ts";
import { removalOf } from "../core/counting/erasure.ts";
import { MovedDay } from "../core/counting/moved-day.ts";
import { hash32 } from "../core/hash.ts";
import { SCAN_DAY_ROWS_MAX, SCAN_PASSES_MAX } from "../core/limits.ts";
import type { Settings } from "../core/merchant.ts";
import type { Metered } from "../core/meter.ts";
import { assert } from "../core/outcome.ts";
import { foldersOf, isMoved } from "../core/past-zone.ts";
import type { Archive, ArchiveBucket } from "./archive-bucket.ts";
import { sortRows } from "./archive-merge.ts";
import { findScanPlaces, type PlaceRead, readScanPlace, type ScanCost, type ScanPlace } from "./archive-scan.ts";
import { listRemovalsOf } from "./erasure.ts";
import type { SealPlace } from "./seal.ts";

/** A (Day, partition) with a merchant's rows in it: all of them, or those of some of its visitors. */
export interface EventDay extends SealPlace {
  readonly rows: readonly ArchivedEvent[];
  readonly isWhole: boolean;
}

/** By "day partition". */
export type RecentEvents = ReadonlyMap<string, SealPlace & { readonly rows: readonly ArchivedEvent[] }>;

export interface EventDeps {
  readonly db: D1Database;
  readonly bucket: ArchiveBucket;
  readonly meter: Metered;
}

export interface EventSearch {
  readonly settings: Pick<Settings, "merchant" | "zones" | "past">;
  readonly places: readonly SealPlace[];
  /** What was read from the partitions before. */
  readonly recent: RecentEvents;
  /** Columns of the archive beside those that counting reads. */
  readonly columns: readonly string[];
  /** UTC ms: what lay in the archive before is not wanted. */
  readonly putSince?: number;
}

export interface FoundEvents {
  readonly cost: ScanCost;
  /** In the order of Days. */
  readonly days: () => AsyncGenerator<EventDay>;
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
  { settings, places, recent, columns, putSince = 0 }: EventSearch,
  { db, bucket, meter }: EventDeps,
): Promise<FoundEvents> {
  const { merchant } = settings;
  const removals = await listRemovalsOf(db, merchant, meter);
  const archive = { bucket, meter };
  const folders = distinctPlaces(places.flatMap((place) => foldersOfPlace(settings, place)));
  const found = await findScanPlaces(archive, db, { merchant, places: folders, putSince }, meter);
  const byKey = new Map(found.map((folder) => [keyOf(folder), folder]));
  const days = async function* (): AsyncGenerator<EventDay> {
    for (const place of [...places].sort((a, b) => a.day - b.day)) {
      const { day, partition } = place;
      const removed = removals.filter(
        (removal) => removal.partition === partition && day >= removal.fromDay && day < removal.toDay,
      );
      const own = foldersOfPlace(settings, place).map((folder) => ({
        folder: byKey.get(keyOf(folder)) as ScanPlace,
        late: recent.get(keyOf(folder))?.rows ?? [],
      }));
      for await (const { folders: read, isWanted, isWhole } of passesOf(archive, own, { merchant, columns })) {
        const moved = isMoved(settings, day) ? new MovedDay(settings, day) : undefined;
        const rows = read.flatMap(({ archived, late }) => {
          const wanted = late.filter(({ event }) => isWanted(event.visitor));
          const kept = joined(archived, wanted).filter((row) => removalOf(row, removed) === undefined);
          return moved === undefined ? kept : sortRows(kept).filter(({ event }) => moved.takes(event));
        });
        yield { day, partition, rows, isWhole };
      }
    }
  };
  const cost = found.reduce<ScanCost>(
    (sum, { cost: own }) => ({ objects: sum.objects + own.objects, bytes: sum.bytes + own.bytes }),
    { objects: 0, bytes: 0 },
  );
  return { cost, days };
}

export function distinctPlaces(places: readonly SealPlace[]): readonly SealPlace[] {
  return [...new Map(places.map(({ day, partition }) => [`${day} ${partition}`, { day, partition }])).values()];
}

/** The folders in which a Day's events may be. */
export function foldersOfPlace(settings: EventSearch["settings"], { day, partition }: SealPlace): readonly SealPlace[] {
  if (!isMoved(settings, day)) return [{ day, partition }];
  const [from, to] = foldersOf(settings, day);
  return Array.from({ length: to - from }, (_, index) => ({ day: from + index, partition }));
}

/** What is known of a folder before it is read, and its rows that the archive may not have. */
interface Folder {
  readonly folder: ScanPlace;
  readonly late: readonly ArchivedEvent[];
}

interface Pass {
  readonly folders: readonly { readonly archived: readonly ArchivedEvent[]; readonly late: readonly ArchivedEvent[] }[];
  readonly isWanted: (visitor: string) => boolean;
  readonly isWhole: boolean;
}

/**
 * The rows of a (Day, partition), in as many passes as memory needs, of some visitors each: a visit is of one visitor. An
 * id that two visitors sent before the Day was sealed then counts for both.
 */
async function* passesOf(
  archive: Archive,
  folders: readonly Folder[],
  read: Pick<PlaceRead, "merchant" | "columns">,
): AsyncGenerator<Pass> {
  let passes = 1;
  for (let pass = 0; pass < passes; pass++) {
    const [at, of] = [pass, passes];
    const isWanted = (visitor: string) => of === 1 || hash32(visitor, PASS_SEED) % of === at;
    // Visitors are spread by a hash, but not evenly: the first pass must fit, the others nearly so.
    const rowsMax = pass === 0 ? SCAN_DAY_ROWS_MAX : 2 * SCAN_DAY_ROWS_MAX;
    const rows: Pass["folders"][number][] = [];
    let left = rowsMax;
    for (const { folder, late } of folders) {
      const archived = await readScanPlace(archive, folder, { ...read, isWanted, rowsMax: left });
      if (archived === "too many") break;
      rows.push({ archived, late });
      left -= archived.length;
    }
    if (rows.length === folders.length) yield { folders: rows, isWanted, isWhole: passes === 1 };
    else {
      assert(pass === 0 && passes < SCAN_PASSES_MAX, "some of a Day's visitors fit into memory");
      passes *= 2;
      pass = -1;
    }
  }
}

/** Another split than that of visitors over partitions. */
const PASS_SEED = 0x2c1b3c6d;

/** Each row once. */
function joined(archived: readonly ArchivedEvent[], recent: readonly ArchivedEvent[]): readonly ArchivedEvent[] {
  if (recent.length === 0) return archived;
  const positions = new Set(archived.map(({ position }) => position));
  return [...archived, ...recent.filter(({ position }) => !positions.has(position))];
}

function keyOf({ day, partition }: SealPlace): string {
  return `${day} ${partition}`;
}
