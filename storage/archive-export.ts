// Reads one merchant's raw events of some Days out of the archive, for an export: (Day, partition) after (Day, partition),
// sealed files first and what came since after them, each id once a Day. A Day that has got another zone is picked out of the
// folders of several. Memory holds a row group or a bundle, and where
// there are bundles the ids of the merchant's Day. What there is to read is found out first, so that an export that is too
// large is refused before its first byte.

import type { ExportedEvent } from "../core/archive/export.ts";
import type { ArchivedEvent } from "../core/archive/file.ts";
import { IdSet } from "../core/counting/duplicate.ts";
import { removalOf } from "../core/counting/erasure.ts";
import { MovedDay } from "../core/counting/moved-day.ts";
import { CONNECTIONS_MAX } from "../core/limits.ts";
import type { Settings } from "../core/merchant.ts";
import type { Metered } from "../core/meter.ts";
import { isMoved } from "../core/past-zone.ts";
import { dateOf } from "../core/time.ts";
import { readParquet } from "./archive.ts";
import { type Archive, readObjectOf } from "./archive-bucket.ts";
import type { ArchivedDay } from "./archive-day.ts";
import { findScanPlaces, type ScanPlace } from "./archive-scan.ts";
import { listRemovalsOf } from "./erasure.ts";
import { distinctPlaces, foldersOfPlace } from "./merchant-events.ts";
import type { SealPlace } from "./seal.ts";
import { openSealed } from "./sealed-file.ts";

/** What exports read from. */
export interface ExportSource {
  readonly archive: Archive;
  readonly db: D1Database;
  readonly meter: Metered;
}

/** A (Day, partition) and the folders that its events are in: one, unless its merchant has got another zone there. */
export interface ExportPlace extends SealPlace {
  readonly folders: readonly ScanPlace[];
}

interface Exporting {
  readonly settings: Pick<Settings, "merchant" | "zones" | "past">;
}

/** Looks up some (Day, partition)s; those without anything of the merchant are left out. */
export async function findExport(
  { archive, db, meter }: ExportSource,
  { settings, places }: Exporting & { readonly places: readonly SealPlace[] },
): Promise<readonly ExportPlace[]> {
  const { merchant } = settings;
  const wanted = distinctPlaces(places.flatMap((place) => foldersOfPlace(settings, place)));
  const found = new Map<string, ScanPlace>();
  for (let start = 0; start < wanted.length; start += CONNECTIONS_MAX) {
    const search = { merchant, places: wanted.slice(start, start + CONNECTIONS_MAX) };
    for (const place of await findScanPlaces(archive, db, search, meter)) {
      const { manifest, bundles } = place.archived;
      // Of a manifest that names a hundred thousand merchants only the files of this one are kept in mind.
      const files = (manifest?.files ?? []).filter((file) => file.merchants.some((one) => one.merchant === merchant));
      if (files.length + bundles.length === 0) continue;
      const archived = { ...place.archived, manifest: manifest && { ...manifest, files } };
      found.set(`${place.day} ${place.partition}`, { ...place, archived });
    }
  }
  return places.flatMap((place) => {
    const folders = foldersOfPlace(settings, place).flatMap(
      ({ day, partition }) => found.get(`${day} ${partition}`) ?? [],
    );
    return folders.length === 0 ? [] : [{ ...place, folders }];
  });
}

/** The merchant's rows in blocks, by Day. Rows that an erasure under way means are not among them. */
export async function* readExport(
  source: ExportSource,
  { settings, places }: Exporting & { readonly places: readonly ExportPlace[] },
): AsyncGenerator<readonly ExportedEvent[]> {
  const { merchant } = settings;
  const removals = await listRemovalsOf(source.db, merchant, source.meter);
  for (const { day, partition, folders } of places) {
    const own = removals.filter((one) => one.partition === partition && one.fromDay <= day && day < one.toDay);
    const isTaken = takerOf(settings, { day, folders });
    for (const { archived } of folders) {
      for await (const rows of blocksOf(source.archive, archived, merchant)) {
        // In this order a replay asks as well: what is erased leaves no id behind.
        const kept = rows.filter((row) => removalOf(row, own) === undefined && isTaken(row));
        if (kept.length > 0) yield kept.map((row) => ({ ...row, date: dateOf(day) }));
      }
    }
  }
}

/** Whether a row is the Day's, and the first of its id. */
function takerOf(
  settings: Exporting["settings"],
  { day, folders }: Pick<ExportPlace, "day" | "folders">,
): (row: ArchivedEvent) => boolean {
  if (isMoved(settings, day)) {
    const moved = new MovedDay(settings, day);
    return ({ event }) => moved.takes(event);
  }
  // A sealed Day has each id once: ids matter only where bundles came since.
  if (folders.every(({ archived }) => archived.bundles.length === 0)) return () => true;
  const ids = new IdSet();
  return ({ event }) => ids.add(event.id);
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
