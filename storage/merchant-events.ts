// A merchant's events of some (Day, partition)s, one after the other: what the partitions may not have archived, which is read
// first, then the archive, each row once by position (L1, L2), without what is being erased. Questions read them in their
// request, jobs on a queue.

import { decodeLogged } from "../core/archive/bundle.ts";
import type { ArchivedEvent } from "../core/archive/file.ts";
import type { RecentReply } from "../core/archive/recent.ts";
import { removalOf } from "../core/counting/erasure.ts";
import type { Metered } from "../core/meter.ts";
import type { ArchiveBucket } from "./archive-bucket.ts";
import { findScanPlaces, readScanPlace, type ScanCost } from "./archive-scan.ts";
import { listRemovalsOf } from "./erasure.ts";
import type { SealPlace } from "./seal.ts";

/** A (Day, partition) with a merchant's rows in it; "too many" where they do not fit into memory. */
export interface EventDay extends SealPlace {
  readonly rows: readonly ArchivedEvent[] | "too many";
}

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
  { merchant, places, recent, columns, putSince = 0 }: EventSearch,
  { db, bucket, meter }: EventDeps,
): Promise<FoundEvents> {
  const removals = await listRemovalsOf(db, merchant, meter);
  const archive = { bucket, meter };
  const found = await findScanPlaces(archive, db, { merchant, places, putSince }, meter);
  const days = async function* (): AsyncGenerator<EventDay> {
    for (const place of [...found].sort((a, b) => a.day - b.day)) {
      const { day, partition } = place;
      const archived = await readScanPlace(archive, place, { merchant, columns });
      const own = removals.filter(
        (removal) => removal.partition === partition && day >= removal.fromDay && day < removal.toDay,
      );
      const rows = archived === "too many" ? archived : joined(archived, recent.get(keyOf(place))?.rows ?? []);
      yield {
        day,
        partition,
        rows: rows === "too many" ? rows : rows.filter((row) => removalOf(row, own) === undefined),
      };
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

/** Each row once. */
function joined(archived: readonly ArchivedEvent[], recent: readonly ArchivedEvent[]): readonly ArchivedEvent[] {
  if (recent.length === 0) return archived;
  const positions = new Set(archived.map(({ position }) => position));
  return [...archived, ...recent.filter(({ position }) => !positions.has(position))];
}

function keyOf({ day, partition }: SealPlace): string {
  return `${day} ${partition}`;
}
