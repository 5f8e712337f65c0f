// Reads one merchant's events out of the archive for a question: for each (Day, partition) its sealed files by the
// manifest, and the bundles beside them. First it is found out what there is to read, so that a question that is too
// large is refused before it costs anything; then rows come a (Day, partition) at a time.

import { mayHold } from "../../core/archive/bundle-merchants.ts";
import { type ColumnBlock, filterRows, type TextColumn, textsOf } from "../../core/archive/event-columns.ts";
import { CONNECTIONS_MAX, READ_BYTES, ROW_GROUP_ROWS } from "../../core/limits.ts";
import { dateOf } from "../../core/time.ts";
import type { Ledger } from "../ledger/ledgers.ts";
import { findFolders, type SealPlace } from "../ledger/sealed-day.ts";
import { type ArchivedDay, findDay } from "./archive-day.ts";
import { type Archive, readObjectOf } from "./bucket.ts";
import { readBlocks } from "./column-block.ts";
import { sealedBlocks } from "./sealed-file.ts";

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
  /** All columns that are read. */
  readonly columns: readonly string[];
  /** Which rows of the merchant's are wanted. */
  readonly wanted: RowsWanted;
  readonly rowsMax: number;
  /** Where others wait for the same isolate. */
  readonly giveWay?: GiveWay | undefined;
}

/** A row is wanted where its visitor is, or its order number. */
export interface RowsWanted {
  readonly visitor: (visitor: string) => boolean;
  readonly order: (order: string) => boolean;
}

/** One merchant's rows of a (Day, partition), unless they are too many for memory. */
export async function readScanPlace(
  archive: Archive,
  { archived }: ScanPlace,
  { merchant, columns, wanted, rowsMax, giveWay }: PlaceRead,
): Promise<readonly ColumnBlock[] | "too many"> {
  const blocks: ColumnBlock[] = [];
  let count = 0;
  for await (const block of blocksOf(archive, archived, { merchant, columns, giveWay })) {
    const own = wantedOf(block, wanted);
    if (own.count > 0) blocks.push(own);
    count += own.count;
    if (count > rowsMax) return "too many";
  }
  return blocks;
}

/** One merchant's rows of a (Day, partition), a row group or a bundle at a time. */
export async function* blocksOf(
  archive: Archive,
  { manifest, bundles }: ArchivedDay,
  { merchant, columns, giveWay }: Pick<PlaceRead, "merchant" | "columns" | "giveWay">,
): AsyncGenerator<ColumnBlock, undefined> {
  if (manifest !== undefined)
    for await (const block of sealedBlocks(archive, manifest, { merchant, columns })) {
      yield block;
      await giveWay?.(block.count);
    }
  for (let start = 0; start < bundles.length; start += CONNECTIONS_MAX) {
    const some = bundles.slice(start, start + CONNECTIONS_MAX);
    for (const bytes of await Promise.all(some.map(({ key }) => readObjectOf(archive, key)))) {
      yield* readBlocks(bytes, { merchant, columns });
      await giveWay?.(Math.ceil(bytes.length / READ_BYTES));
    }
  }
}

/** What is asked of each visitor and order number once. */
export function wantedOf(block: ColumnBlock, { visitor, order }: RowsWanted): ColumnBlock {
  const [visitors, orders] = [textsOf(block, "visitor"), textsOf(block, "order")];
  const ofVisitor = wantedCodes(visitors, visitor);
  const ofOrder = wantedCodes(orders, order);
  return filterRows(block, (row) => ofVisitor(visitors.codes[row] as number) || ofOrder(orders.codes[row] as number));
}

function wantedCodes({ values }: TextColumn, isWanted: (text: string) => boolean): (code: number) => boolean {
  const known: (boolean | undefined)[] = new Array(values.length).fill(undefined);
  return (code) => {
    known[code] ??= isWanted(values[code] as string);
    return known[code];
  };
}

/**
 * Bundles that may hold rows of the merchant are read whole, whoever's else are in them; of sealed files the row groups
 * that hold the merchant's.
 */
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
