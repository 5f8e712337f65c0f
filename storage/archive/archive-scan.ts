// Reads one merchant's events out of the archive for a question: for each (Day, partition) its sealed files by the manifest,
// and the bundles beside them. First it is found out what there is to read, so that a question that is too large is refused
// before it costs anything; then rows come a (Day, partition) at a time.

import { mayHold } from "../../core/archive/bundle-merchants.ts";
import { COUNTED_COLUMNS } from "../../core/archive/columns.ts";
import type { ArchivedEvent } from "../../core/archive/file.ts";
import type { Event } from "../../core/event.ts";
import { CONNECTIONS_MAX, ROW_GROUP_ROWS } from "../../core/limits.ts";
import { dateOf } from "../../core/time.ts";
import type { Ledger } from "../ledger/ledgers.ts";
import { findFolders, type SealPlace } from "../ledger/sealed-day.ts";
import { type ArchivedDay, findDay } from "./archive-day.ts";
import { type Archive, readObjectOf } from "./bucket.ts";
import { readParquet } from "./parquet.ts";
import { openSealed } from "./sealed-file.ts";

/** A (Day, partition) and what of it a merchant's question has to read. */
export interface ScanPlace extends SealPlace {
  readonly archived: ArchivedDay;
  /** About how many objects, or ranges of them, and bytes. */
  readonly cost: ScanCost;
}

export interface ScanCost {
  readonly objects: number;
  readonly bytes: number;
}

export interface ScanSearch {
  readonly merchant: number;
  readonly places: readonly SealPlace[];
  /** UTC ms: bundles that were put into the archive before are left out. */
  readonly putSince?: number;
}

/** Looks up where some (Day, partition)s lie. */
export async function findScanPlaces(
  archive: Archive,
  db: Ledger,
  { merchant, places, putSince = 0 }: ScanSearch,
): Promise<readonly ScanPlace[]> {
  const folders = await findFolders(db, places);
  const found: ScanPlace[] = [];
  for (let start = 0; start < places.length; start += CONNECTIONS_MAX) {
    const some = places.slice(start, start + CONNECTIONS_MAX);
    const lookUp = async (place: SealPlace): Promise<ScanPlace> => {
      const folder = folders.get(`${place.day} ${place.partition}`) ?? "";
      const found = await findDay(archive, { date: dateOf(place.day), partition: place.partition }, { folder });
      const bundles = found.bundles.filter(
        ({ uploaded, customMetadata }) =>
          mayHold(customMetadata, merchant) && (uploaded === undefined || uploaded.getTime() >= putSince),
      );
      const archived = { ...found, bundles };
      return { ...place, archived, cost: costOf(archived, merchant) };
    };
    found.push(...(await Promise.all(some.map(lookUp))));
  }
  return found;
}

/** Lets others be answered, after so many rows that were read. */
export type GiveWay = (rows: number) => Promise<void>;

export interface PlaceRead {
  readonly merchant: number;
  /** What is read beside what counting reads. */
  readonly columns: readonly string[];
  /** Whether a row is wanted. */
  readonly isWanted: (event: Event) => boolean;
  readonly rowsMax: number;
  /** Where others wait for the same isolate. */
  readonly giveWay?: GiveWay | undefined;
}

/** One merchant's rows of a (Day, partition), unless they are too many for memory. `columns`: what is read beside what counting reads. */
export async function readScanPlace(
  archive: Archive,
  { archived }: ScanPlace,
  { merchant, columns, isWanted, rowsMax, giveWay }: PlaceRead,
): Promise<readonly ArchivedEvent[] | "too many"> {
  const rows: ArchivedEvent[] = [];
  if (archived.manifest !== undefined) {
    const all = [...new Set([...COUNTED_COLUMNS, ...columns])];
    const isOwn = (one: number) => one === merchant;
    const source = openSealed(archive, archived.manifest, { after: 0, isWanted: isOwn, columns: all });
    for (let block = await source.next(); block !== undefined; block = await source.next()) {
      for (const row of block) if (isWanted(row.event)) rows.push(row);
      await giveWay?.(block.length);
      if (rows.length > rowsMax) return "too many";
    }
  }
  for (let start = 0; start < archived.bundles.length; start += CONNECTIONS_MAX) {
    const some = archived.bundles.slice(start, start + CONNECTIONS_MAX);
    for (const bytes of await Promise.all(some.map(({ key }) => readObjectOf(archive, key)))) {
      const file = await readParquet(bytes);
      for (const row of file.rows) if (row.event.merchant === merchant && isWanted(row.event)) rows.push(row);
      await giveWay?.(file.rows.length);
      if (rows.length > rowsMax) return "too many";
    }
  }
  return rows;
}

/** Bundles that may hold rows of the merchant are read whole, whoever's else are in them; of sealed files the row groups that hold the merchant's. */
function costOf({ manifest, bundles }: ArchivedDay, merchant: number): ScanCost {
  let objects = bundles.length + (manifest === undefined ? 0 : 1);
  let bytes = bundles.reduce((sum, { size }) => sum + size, 0);
  for (const file of manifest?.files ?? []) {
    const own = file.merchants.find((one) => one.merchant === merchant);
    if (own === undefined) continue;
    const groups = Math.min(Math.ceil(file.rows / ROW_GROUP_ROWS), Math.ceil(own.rows / ROW_GROUP_ROWS) + 1);
    objects += 1 + groups;
    bytes += file.footer + Math.min(file.bytes, Math.ceil((file.bytes * groups * ROW_GROUP_ROWS) / file.rows));
  }
  return { objects, bytes };
}
