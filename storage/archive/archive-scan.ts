// Reads one merchant's events out of the archive for a question: for each place its sealed files by the manifest, and
// the bundles beside them. For an open Day it reads the runs that its bundles were sorted into. First it finds out how
// much there is to read, so that a question that is too large is refused before it costs anything. Then rows come one
// place at a time.

import { mayHold } from "../../core/archive/bundle-merchants.ts";
import { findDerived, windowOf } from "../../core/archive/derived-table.ts";
import { type ColumnBlock, filterRows, type TextColumn, textsOf } from "../../core/archive/event-columns.ts";
import {
  dayPrefix,
  derivedFileKey,
  derivedTableKey,
  parseBundleKey,
  runKey,
  sealedBefore,
} from "../../core/archive/object-key.ts";
import { coverOf } from "../../core/archive/runs.ts";
import { CONNECTIONS_MAX, READ_BYTES, ROW_GROUP_ROWS, RUN_FAN } from "../../core/limits.ts";
import { dateOf } from "../../core/time.ts";
import type { SealFolder, SealFolders, SealPlace } from "../ledger/sealed-day.ts";
import { type ArchivedBundle, type ArchivedDay, findDay } from "./archive-day.ts";
import { decodePart, listRuns, partsOf, type RunPart, readPart, readRunIndex, sizeOf } from "./archive-run.ts";
import { type Archive, listKeys, readObject, readObjectOf } from "./bucket.ts";
import { readBlocks } from "./column-block.ts";
import type { DerivedRange } from "./derived-file.ts";
import { sealedBlocks } from "./sealed-file.ts";

/** A place, and what a merchant's question must read of it. */
export interface ScanPlace extends SealPlace {
  readonly archived: ArchivedDay;
  /**
   * What is read of its bundles, in the order of positions: whole bundles, and blocks of runs that may have the
   * merchant.
   */
  readonly pieces: readonly ScanPiece[];
  /** Where its derived rows lie, if a question may be counted from those. Then nothing else of it is looked up. */
  readonly derived?: (DerivedRange & { readonly sealed: SealFolder }) | undefined;
  /** About how many reads and bytes. */
  readonly cost: ScanCost;
}

/** A bundle, which is read as a whole, or some blocks of a run. */
export type ScanPiece = ArchivedBundle | RunPart;

export interface ScanCost {
  readonly objects: number;
  readonly bytes: number;
}

export interface ScanSearch {
  readonly merchant: number;
  readonly places: readonly SealPlace[];
  /** Which of them are sealed, and where. */
  readonly folders: SealFolders;
  /** UTC ms. Bundles that were put into the archive before it are left out. */
  readonly putSince?: number;
  /** What derived rows of a place must have been derived under to be read; undefined where they may not be read. */
  readonly derivedUnder?: ((place: SealPlace) => string | undefined) | undefined;
}

/** Looks up some places in the archive. */
export async function findScanPlaces(
  archive: Archive,
  { merchant, places, folders, putSince = 0, derivedUnder }: ScanSearch,
): Promise<readonly ScanPlace[]> {
  const found: ScanPlace[] = [];
  for (let start = 0; start < places.length; start += CONNECTIONS_MAX) {
    const some = places.slice(start, start + CONNECTIONS_MAX);
    const lookUp = async (place: SealPlace): Promise<ScanPlace> => {
      const sealed = folders.get(`${place.day} ${place.partition}`);
      const known = await findDerivedPlace(archive, { place, sealed, merchant, under: derivedUnder?.(place) });
      if (known !== undefined) return known;
      const folder = sealed?.folder ?? "";
      const found = await findDay(archive, { date: dateOf(place.day), partition: place.partition }, folder);
      const isWanted = ({ uploaded, customMetadata }: ArchivedBundle) =>
        mayHold(customMetadata, merchant) && (uploaded === undefined || uploaded.getTime() >= putSince);
      const archived = { ...found, bundles: found.bundles.filter(isWanted) };
      const hasRuns = found.manifest === undefined && putSince === 0 && archived.bundles.length >= RUN_FAN;
      const { pieces, indexes } = hasRuns
        ? await piecesOf(archive, found, { merchant, isWanted })
        : { pieces: archived.bundles, indexes: 0 };
      return { ...place, archived, pieces, cost: costOf(archived, { merchant, pieces, indexes }) };
    };
    found.push(...(await Promise.all(some.map(lookUp))));
  }
  return found;
}

interface DerivedSearch {
  readonly place: SealPlace;
  readonly sealed: SealFolder | undefined;
  readonly merchant: number;
  readonly under: string | undefined;
}

/**
 * A place whose rows need not be read: all of the merchant's lie in sealed files, and were derived under what holds
 * now. Its manifest is not read, which names all merchants of the partition.
 */
async function findDerivedPlace(
  archive: Archive,
  { place, sealed, merchant, under }: DerivedSearch,
): Promise<ScanPlace | undefined> {
  const before = sealed && sealedBefore(sealed.folder);
  if (before === undefined || under === undefined) return undefined;
  const { folder, merchants } = sealed as SealFolder;
  const day = { date: dateOf(place.day), partition: place.partition };
  const [window, listed] = await Promise.all([
    readObject(archive, derivedTableKey(folder), windowOf(merchant, merchants)),
    listKeys(archive, dayPrefix(day), ["customMetadata"]),
  ]);
  if (window === undefined) return undefined;
  const entry = findDerived(window, merchant);
  const isLate = ({ key, customMetadata }: ArchivedBundle) =>
    (parseBundleKey(key)?.first ?? -1) >= before && mayHold(customMetadata, merchant);
  if (entry === undefined || entry.under !== under || listed.some(isLate)) return undefined;
  const { rows, file, hash, offset, length } = entry;
  const derived = { key: derivedFileKey(folder, file, hash), offset, length, rows, sealed: sealed as SealFolder };
  const archived = { ...day, manifest: undefined, bundles: [] };
  return { ...place, archived, pieces: [], derived, cost: { objects: 2, bytes: window.length + length } };
}

/**
 * How the bundles of an open Day are read: blocks of runs that may have the merchant's rows, and bundles that are in no
 * run.
 */
async function piecesOf(
  archive: Archive,
  day: ArchivedDay,
  { merchant, isWanted }: { readonly merchant: number; readonly isWanted: (bundle: ArchivedBundle) => boolean },
): Promise<{ readonly pieces: readonly ScanPiece[]; readonly indexes: number }> {
  const bundles = new Map(day.bundles.map((bundle) => [parseBundleKey(bundle.key)?.first as number, bundle]));
  const cover = coverOf([...bundles.keys()], await listRuns(archive, day));
  const pieces: ScanPiece[] = [];
  for (let start = 0; start < cover.length; start += CONNECTIONS_MAX) {
    const some = cover.slice(start, start + CONNECTIONS_MAX).map(async (span): Promise<readonly ScanPiece[]> => {
      if (span.count === 1) return [bundles.get(span.first) as ArchivedBundle].filter(isWanted);
      const run = { key: runKey(day, span), partition: day.partition };
      const index = await readRunIndex(archive, run.key);
      return partsOf(
        run,
        index.filter(([first, last]) => first <= merchant && merchant <= last),
      );
    });
    pieces.push(...(await Promise.all(some)).flat());
  }
  return { pieces, indexes: cover.filter(({ count }) => count > 1).length };
}

/** Lets others be answered, after this many rows. */
export type GiveWay = (rows: number) => Promise<void>;

export interface PlaceRead {
  readonly merchant: number;
  /** The columns to read. */
  readonly columns: readonly string[];
  /** Which of the merchant's rows are wanted. */
  readonly wanted: RowsWanted;
  readonly rowsMax: number;
  /** Given where others wait for the same isolate. */
  readonly giveWay?: GiveWay | undefined;
}

/** A row is wanted if its visitor or its order number is. */
export interface RowsWanted {
  readonly visitor: (visitor: string) => boolean;
  readonly order: (order: string) => boolean;
}

/** One merchant's rows of a place, unless they are too many for memory. */
export async function readScanPlace(
  archive: Archive,
  place: ScanPlace,
  { merchant, columns, wanted, rowsMax, giveWay }: PlaceRead,
): Promise<readonly ColumnBlock[] | "too many"> {
  const blocks: ColumnBlock[] = [];
  let count = 0;
  for await (const block of blocksOf(archive, place, { merchant, columns, giveWay })) {
    const own = wantedOf(block, wanted);
    if (own.count > 0) blocks.push(own);
    count += own.count;
    if (count > rowsMax) return "too many";
  }
  return blocks;
}

/** One merchant's rows of a place, a row group or a bundle at a time. */
export async function* blocksOf(
  archive: Archive,
  { archived: { manifest }, pieces }: ScanPlace,
  { merchant, columns, giveWay }: Pick<PlaceRead, "merchant" | "columns" | "giveWay">,
): AsyncGenerator<ColumnBlock, undefined> {
  const isWanted = (one: number) => one === merchant;
  if (manifest !== undefined)
    for await (const block of sealedBlocks(archive, manifest, { after: 0, isWanted, columns })) {
      yield block;
      await giveWay?.(block.count);
    }
  for (let start = 0; start < pieces.length; start += CONNECTIONS_MAX) {
    const some = pieces.slice(start, start + CONNECTIONS_MAX);
    const read = await Promise.all(some.map((piece) => readPiece(archive, piece)));
    for (const [at, piece] of some.entries()) {
      const bytes = read[at] as Uint8Array<ArrayBuffer>;
      yield* blocksOfPiece(piece, bytes, { isWanted, columns });
      await giveWay?.(Math.ceil(bytes.length / READ_BYTES));
    }
  }
}

/** The bytes of a piece. */
export function readPiece(archive: Archive, piece: ScanPiece): Promise<Uint8Array<ArrayBuffer>> {
  return "lengths" in piece ? readPart(archive, piece) : readObjectOf(archive, piece.key);
}

/** The wanted rows of a piece, with the named columns, or with all. */
export function blocksOfPiece(
  piece: ScanPiece,
  bytes: Uint8Array<ArrayBuffer>,
  read: { readonly isWanted: (merchant: number) => boolean; readonly columns?: readonly string[] },
): Iterable<ColumnBlock> {
  return "lengths" in piece ? decodePart(piece, bytes, read.isWanted) : readBlocks(bytes, read);
}

/** The wanted rows. Each visitor and order number is judged once. */
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

interface ToRead {
  readonly merchant: number;
  readonly pieces: readonly ScanPiece[];
  /** How many indexes of runs were read to find their pieces. */
  readonly indexes: number;
}

/**
 * Bundles that may have rows of the merchant are read as a whole, whoever else has rows in them. Of runs and sealed
 * files only the blocks and row groups with the merchant's rows are read.
 */
function costOf({ manifest }: ArchivedDay, { merchant, pieces, indexes }: ToRead): ScanCost {
  let objects = indexes + pieces.length + (manifest === undefined ? 0 : 1);
  let bytes = pieces.reduce((sum, piece) => sum + ("lengths" in piece ? sizeOf(piece) : piece.size), 0);
  for (const file of manifest?.files ?? []) {
    const own = file.merchants.find((one) => one.merchant === merchant);
    if (own === undefined) continue;
    const groups = Math.min(Math.ceil(file.rows / ROW_GROUP_ROWS), Math.ceil(own.rows / ROW_GROUP_ROWS) + 1);
    objects += 1 + groups;
    bytes += file.footer + Math.min(file.bytes, Math.ceil((file.bytes * groups * ROW_GROUP_ROWS) / file.rows));
  }
  return { objects, bytes };
}
