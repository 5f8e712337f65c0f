// Reads one merchant's raw events of some Days out of the archive, for an export: (Day, partition) after (Day, partition),
// sealed files first and what came since after them, each id once a Day. Memory holds a row group or a bundle, and where
// bundles lie beside sealed files the ids of the merchant's rows in them; of a Day that is not sealed, all its ids. So a Day may
// be of any size. What there is to read is found out first: an export that is too large is refused before its first byte.

import type { ExportedEvent } from "../core/archive/export.ts";
import type { ArchivedEvent } from "../core/archive/file.ts";
import { IdSet } from "../core/counting/duplicate.ts";
import { removalOf } from "../core/counting/erasure.ts";
import { CONNECTIONS_MAX, EXPORT_UNSEALED_BYTES_MAX } from "../core/limits.ts";
import type { Metered } from "../core/meter.ts";
import { readParquet } from "./archive.ts";
import { type Archive, readObjectOf } from "./archive-bucket.ts";
import type { ArchivedDay } from "./archive-day.ts";
import { findScanPlaces, type ScanPlace } from "./archive-scan.ts";
import { listRemovalsOf } from "./erasure.ts";
import type { Admit } from "./export-filter.ts";
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

/** The first (Day, partition) of which more is not sealed yet than one export can read. */
export function findTooOpen(places: readonly ScanPlace[]): ScanPlace | undefined {
  return places.find(({ archived: { manifest, bundles } }) => {
    const bytes = bundles.reduce((sum, { size }) => sum + size, 0);
    return manifest === undefined && bytes > EXPORT_UNSEALED_BYTES_MAX;
  });
}

export interface ExportRead {
  readonly merchant: number;
  readonly places: readonly ScanPlace[];
  /** All rows without. */
  readonly admit?: Admit | undefined;
}

/** The merchant's rows in blocks, by Day. Rows that an erasure under way means are not among them. */
export async function* readExport(
  source: ExportSource,
  { merchant, places, admit = () => true }: ExportRead,
): AsyncGenerator<readonly ExportedEvent[]> {
  const removals = await listRemovalsOf(source.db, merchant, source.meter);
  for (const place of places) {
    const { day, partition, archived } = place;
    const own = removals.filter((one) => one.partition === partition && one.fromDay <= day && day < one.toDay);
    // What is erased leaves no id behind: a replay asks in this order as well.
    const isLeft = (row: ArchivedEvent) => removalOf(row, own) === undefined;
    for await (const rows of keptOf(source.archive, archived, { merchant, isLeft })) {
      const wanted = rows.filter((row) => admit(place, row));
      if (wanted.length > 0) yield wanted.map((row) => ({ ...row, date: archived.date }));
    }
  }
}

interface Wanted {
  readonly merchant: number;
  readonly isLeft: (row: ArchivedEvent) => boolean;
}

/** Sealed rows by position, then those of each bundle in its own order; of rows with one id the first. */
async function* keptOf(
  archive: Archive,
  { manifest, bundles }: ArchivedDay,
  wanted: Wanted,
): AsyncGenerator<readonly ArchivedEvent[]> {
  const seen = new IdSet();
  if (manifest !== undefined) {
    // Sealed files have each id once. Of their ids only those matter that came once more.
    const late = await lateIds(archive, bundles, wanted);
    const sealed = openSealed(archive, manifest, { after: 0, isWanted: (one) => one === wanted.merchant });
    for (let block = await sealed.next(); block !== undefined; block = await sealed.next()) {
      const rows = block.filter(wanted.isLeft);
      if (late.size > 0) for (const { event } of rows) if (late.has(event.id)) seen.add(event.id);
      yield rows;
    }
  }
  for await (const rows of bundlesOf(archive, bundles, wanted)) yield rows.filter(({ event }) => seen.add(event.id));
}

async function lateIds(archive: Archive, bundles: ArchivedDay["bundles"], wanted: Wanted): Promise<IdSet> {
  const ids = new IdSet();
  for await (const rows of bundlesOf(archive, bundles, wanted)) for (const { event } of rows) ids.add(event.id);
  return ids;
}

async function* bundlesOf(
  archive: Archive,
  bundles: ArchivedDay["bundles"],
  { merchant, isLeft }: Wanted,
): AsyncGenerator<readonly ArchivedEvent[]> {
  for (const { key } of bundles) {
    const { rows } = await readParquet(await readObjectOf(archive, key));
    yield rows.filter((row) => row.event.merchant === merchant && isLeft(row));
  }
}
