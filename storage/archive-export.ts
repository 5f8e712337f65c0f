// Reads one merchant's raw events of some Days out of the archive, for an export: (Day, partition) after (Day, partition),
// sealed files first and what came since after them, each id once a Day. Memory holds a row group or a bundle, and where
// there are bundles the ids of the merchant's Day. What there is to read is found out first, so that an export that is too
// large is refused before its first byte.

import type { ExportedEvent } from "../core/archive/export.ts";
import type { ArchivedEvent } from "../core/archive/file.ts";
import { IdSet } from "../core/counting/duplicate.ts";
import { type Removal, removalOf } from "../core/counting/erasure.ts";
import { CONNECTIONS_MAX } from "../core/limits.ts";
import type { Metered } from "../core/meter.ts";
import { readParquet } from "./archive.ts";
import { type Archive, readObjectOf } from "./archive-bucket.ts";
import type { ArchivedDay } from "./archive-day.ts";
import { findScanPlaces, type ScanPlace } from "./archive-scan.ts";
import { listRemovalsOf } from "./erasure.ts";
import type { SealPlace } from "./seal.ts";
import { openSealed } from "./sealed-file.ts";

/** What exports read from. */
export interface ExportSource {
  readonly archive: Archive;
  readonly db: D1Database;
  readonly meter: Metered;
}

/** Looks up some (Day, partition)s; those without anything of the merchant are left out. */
export async function findExport(
  { archive, db, meter }: ExportSource,
  { merchant, places }: { readonly merchant: number; readonly places: readonly SealPlace[] },
): Promise<readonly ScanPlace[]> {
  const found: ScanPlace[] = [];
  for (let start = 0; start < places.length; start += CONNECTIONS_MAX) {
    const search = { merchant, places: places.slice(start, start + CONNECTIONS_MAX) };
    for (const place of await findScanPlaces(archive, db, search, meter)) {
      const { manifest, bundles } = place.archived;
      // Of a manifest that names a hundred thousand merchants only the files of this one are kept in mind.
      const files = (manifest?.files ?? []).filter((file) => file.merchants.some((one) => one.merchant === merchant));
      if (files.length + bundles.length === 0) continue;
      found.push({ ...place, archived: { ...place.archived, manifest: manifest && { ...manifest, files } } });
    }
  }
  return found;
}

/** The merchant's rows in blocks, by Day. Rows that an erasure under way means are not among them. */
export async function* readExport(
  source: ExportSource,
  { merchant, places }: { readonly merchant: number; readonly places: readonly ScanPlace[] },
): AsyncGenerator<readonly ExportedEvent[]> {
  const removals = await listRemovalsOf(source.db, merchant, source.meter);
  for (const { day, partition, archived } of places) {
    const own = removals.filter((one) => one.partition === partition && one.fromDay <= day && day < one.toDay);
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
