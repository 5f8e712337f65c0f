// Reads one merchant's raw events of some Days out of the archive, for an export: (Day, partition) after (Day, partition),
// sealed files first and what came since after them, each id once a Day. Memory holds a row group or a bundle, and where
// there are bundles the ids of the merchant's Day. What there is to read is found out first, so that an export that is too
// large is refused before its first byte.

import type { ExportedEvent } from "../core/archive/export.ts";
import type { ArchivedEvent } from "../core/archive/file.ts";
import { IdSet } from "../core/counting/duplicate.ts";
import { type Removal, removalOf } from "../core/counting/erasure.ts";
import { CONNECTIONS_MAX, ROW_GROUP_ROWS } from "../core/limits.ts";
import type { Metered } from "../core/meter.ts";
import { dateOf } from "../core/time.ts";
import { readParquet } from "./archive.ts";
import { type Archive, readObjectOf } from "./archive-bucket.ts";
import { type ArchivedDay, findDay } from "./archive-day.ts";
import { listRemovals } from "./erasure.ts";
import { findSeal, type SealPlace } from "./seal.ts";
import { openSealed } from "./sealed-file.ts";

/** A (Day, partition), and where in the archive a merchant's rows of it are. */
export interface ExportPlace extends SealPlace {
  readonly archived: ArchivedDay;
  /** Objects, or ranges of them, to read. */
  readonly objects: number;
  /** About how many bytes they are. */
  readonly bytes: number;
}

/** What exports read from. */
export interface ExportSource {
  readonly archive: Archive;
  readonly db: D1Database;
  readonly meter: Metered;
}

/** Looks up some (Day, partition)s; those without anything of the merchant are left out. */
export async function findExport(
  source: ExportSource,
  { merchant, places }: { readonly merchant: number; readonly places: readonly SealPlace[] },
): Promise<readonly ExportPlace[]> {
  const found: ExportPlace[] = [];
  for (let start = 0; start < places.length; start += CONNECTIONS_MAX) {
    const some = places.slice(start, start + CONNECTIONS_MAX);
    found.push(...(await Promise.all(some.map((place) => lookUp(source, place, merchant)))));
  }
  return found.filter(({ objects }) => objects > 0);
}

async function lookUp({ archive, db, meter }: ExportSource, place: SealPlace, merchant: number): Promise<ExportPlace> {
  const folder = (await findSeal(db, place, meter))?.folder ?? "";
  const day = await findDay(archive, { date: dateOf(place.day), partition: place.partition }, { folder });
  // Of a manifest that names a hundred thousand merchants only the files of this one are kept in mind.
  const files = (day.manifest?.files ?? []).filter((file) => file.merchants.some((one) => one.merchant === merchant));
  const manifest = day.manifest && { ...day.manifest, files };
  const costs = files.map((file) => {
    const rows = file.merchants.find((one) => one.merchant === merchant)?.rows ?? 0;
    const groups = Math.min(Math.ceil(file.rows / ROW_GROUP_ROWS), Math.ceil(rows / ROW_GROUP_ROWS) + 1);
    return {
      objects: 1 + groups,
      bytes: file.footer + Math.min(1, (groups * ROW_GROUP_ROWS) / file.rows) * file.bytes,
    };
  });
  const objects = day.bundles.length + costs.reduce((sum, cost) => sum + cost.objects, 0);
  const bytes = [...day.bundles.map(({ size }) => size), ...costs.map((cost) => cost.bytes)].reduce((a, b) => a + b, 0);
  return { ...place, archived: { ...day, manifest }, objects, bytes: Math.ceil(bytes) };
}

/** The merchant's rows in blocks, by Day. Rows that an erasure under way means are not among them. */
export async function* readExport(
  source: ExportSource,
  { merchant, places }: { readonly merchant: number; readonly places: readonly ExportPlace[] },
): AsyncGenerator<readonly ExportedEvent[]> {
  for (const { day, partition, archived } of places) {
    const removals = await listRemovals(source.db, { day, partition }, source.meter);
    const own = removals.filter((removal) => removal.merchant === merchant);
    // A sealed Day has each id once: ids matter only where bundles came since.
    const ids = archived.bundles.length === 0 ? undefined : new IdSet();
    for await (const rows of blocksOf(source.archive, archived, merchant)) {
      const kept = rows.filter((row) => isKept(row, own, ids));
      if (kept.length > 0) yield kept.map((row) => ({ ...row, date: archived.date }));
    }
  }
}

/** In this order a replay asks as well: what is erased leaves no id behind. */
function isKept(row: ArchivedEvent, removals: readonly Removal[], ids: IdSet | undefined): boolean {
  return removalOf(row, removals) === undefined && (ids === undefined || ids.add(row.event.id));
}

/** Sealed rows by position, then those of each bundle in its own order. */
async function* blocksOf(
  archive: Archive,
  { manifest, bundles }: ArchivedDay,
  merchant: number,
): AsyncGenerator<readonly ArchivedEvent[]> {
  const isWanted = (one: number) => one === merchant;
  if (manifest !== undefined) {
    const sealed = openSealed(archive, manifest, { after: 0, isWanted });
    for (let block = await sealed.next(); block !== undefined; block = await sealed.next()) yield block;
  }
  for (const { key } of bundles) {
    const { rows } = await readParquet(await readObjectOf(archive, key));
    yield rows.filter(({ event }) => isWanted(event.merchant));
  }
}
