// Reads one merchant's raw events of some Days for an export, place after place: sealed files first, then what came
// since, then what partitions have not archived. Each id comes once a Day. A Day that has another zone is collected
// from several folders. Memory holds a row group or a bundle. It also holds the merchant's ids in bundles beside sealed
// files, and all ids of a Day that is not sealed or has moved. So a Day may have any size. First it finds out how much
// there is to read, so that an export that is too large is refused before its first byte.

import { blockOf, type ColumnBlock, eventAt, filterRows, rowsOf } from "../../core/archive/event-columns.ts";
import type { ExportedEvent } from "../../core/archive/export.ts";
import type { ArchivedEvent } from "../../core/archive/file.ts";
import { duplicateKey, IdSet } from "../../core/counting/duplicate.ts";
import type { Removal } from "../../core/counting/erasure.ts";
import { MovedDay } from "../../core/counting/moved-day.ts";
import { keptOnce } from "../../core/counting/once.ts";
import { CONNECTIONS_MAX, EXPORT_UNSEALED_BYTES_MAX } from "../../core/limits.ts";
import type { Settings } from "../../core/merchant.ts";
import { isMovedDay } from "../../core/past-zone.ts";
import { dateOf } from "../../core/time.ts";
import { isolateHashKey } from "../hash-key.ts";
import { listRemovalsOf } from "../ledger/erasure.ts";
import type { Ledger } from "../ledger/ledgers.ts";
import { findFolders, type SealPlace } from "../ledger/sealed-day.ts";
import type { ArchivedDay } from "./archive-day.ts";
import { blocksOfPiece, findScanPlaces, readPiece, type ScanPlace } from "./archive-scan.ts";
import type { Archive } from "./bucket.ts";
import type { Admit } from "./export-filter.ts";
import { distinctPlaces, foldersOfPlace, keyOf, type RecentEvents } from "./merchant-events.ts";
import { withoutRemoved } from "./removed.ts";
import { sealedBlocks } from "./sealed-file.ts";

/** What exports read from. */
export interface ExportSource {
  readonly archive: Archive;
  /** Of the merchant. */
  readonly ledger: Ledger;
}

/** A place, and the folders that have its events: one, unless its merchant has another zone there. */
export interface ExportPlace extends SealPlace {
  readonly folders: readonly ExportFolder[];
}

export interface ExportFolder extends ScanPlace {
  /**
   * The merchant's rows that the archive may not have. They were read from the partition before the archive was looked
   * up.
   */
  readonly recent: readonly ArchivedEvent[];
}

interface Exporting {
  readonly settings: Pick<Settings, "merchant" | "zones" | "past">;
}

export interface ExportSearch extends Exporting {
  readonly places: readonly SealPlace[];
  /** What was read from the partitions before. */
  readonly recent: RecentEvents;
}

/** Looks up some places. Places without anything of the merchant are left out. */
export async function findExport(
  { archive, ledger }: ExportSource,
  { settings, places, recent: unarchived }: ExportSearch,
): Promise<readonly ExportPlace[]> {
  const { merchant } = settings;
  const wanted = distinctPlaces(places.flatMap((place) => foldersOfPlace(settings, place)));
  const found = new Map<string, ExportFolder>();
  for (let start = 0; start < wanted.length; start += CONNECTIONS_MAX) {
    const some = wanted.slice(start, start + CONNECTIONS_MAX);
    const search = { merchant, places: some, folders: await findFolders(ledger, some) };
    for (const place of await findScanPlaces(archive, search)) {
      const { manifest, bundles } = place.archived;
      // A manifest may name a hundred thousand merchants. Only the files of this one are kept in memory.
      const files = (manifest?.files ?? []).filter((file) => file.merchants.some((one) => one.merchant === merchant));
      const recent = unarchived.get(keyOf(place))?.rows ?? [];
      if (files.length + bundles.length + recent.length === 0) continue;
      const archived = { ...place.archived, manifest: manifest && { ...manifest, files } };
      found.set(keyOf(place), { ...place, archived, recent });
    }
  }
  return places.flatMap((place) => {
    const folders = foldersOfPlace(settings, place).flatMap((folder) => found.get(keyOf(folder)) ?? []);
    return folders.length === 0 ? [] : [{ ...place, folders }];
  });
}

/** The first place that has more ids than one export can remember. */
export function findTooOpen({ settings }: Exporting, places: readonly ExportPlace[]): ExportPlace | undefined {
  return places.find(({ day, folders }) => {
    const unsealed = folders.filter(({ archived }) => isMovedDay(settings, day) || archived.manifest === undefined);
    return unsealed.reduce((sum, { cost }) => sum + cost.bytes, 0) > EXPORT_UNSEALED_BYTES_MAX;
  });
}

export interface ExportRead extends Exporting {
  readonly places: readonly ExportPlace[];
  /** Without it all rows are. */
  readonly admit?: Admit | undefined;
}

/** The merchant's rows in blocks, by Day. Rows of an erasure under way are left out. */
export async function* readExport(
  source: ExportSource,
  { settings, places, admit = () => true }: ExportRead,
): AsyncGenerator<readonly ExportedEvent[]> {
  const all = await listRemovalsOf(source.ledger, settings.merchant);
  for (const place of places) {
    const { day, partition } = place;
    // An erased row leaves no id behind. A replay checks in the same order.
    const removals = all.filter((one) => one.partition === partition && one.fromDay <= day && day < one.toDay);
    for await (const block of keptOf(source.archive, place, { settings, removals })) {
      const wanted = rowsOf(block).filter((row) => admit(place, row));
      if (wanted.length > 0) yield wanted.map((row) => ({ ...row, date: dateOf(day) }));
    }
  }
}

interface Wanted extends Exporting {
  readonly removals: readonly Removal[];
}

/** The first row of each id. */
async function* keptOf(archive: Archive, { day, folders }: ExportPlace, wanted: Wanted): AsyncGenerator<ColumnBlock> {
  const moved = isMovedDay(wanted.settings, day) ? new MovedDay(wanted.settings, day, isolateHashKey()) : undefined;
  for (const folder of folders) {
    if (moved === undefined) yield* onceOf(archive, folder, wanted);
    else
      for await (const block of blocksOf(archive, folder, wanted))
        yield filterRows(block, (row) => moved.takes(eventAt(block, row)));
  }
}

/** Sealed rows by position, then those of each bundle in its own order, then those of the log. */
async function* blocksOf(archive: Archive, folder: ExportFolder, wanted: Wanted): AsyncGenerator<ColumnBlock> {
  const rest = restOf(folder);
  for await (const block of sealedOf(archive, folder.archived, wanted)) yield rest.passed(block);
  for await (const block of bundlesOf(archive, folder, wanted)) yield rest.passed(block);
  yield withoutRemoved(rest.left(), wanted.removals);
}

/** The same, each id once. Sealed files have each id once, so only ids that came again later matter. */
async function* onceOf(archive: Archive, folder: ExportFolder, wanted: Wanted): AsyncGenerator<ColumnBlock> {
  const seen = new IdSet(isolateHashKey());
  const isSealed = folder.archived.manifest !== undefined;
  const late = isSealed ? await lateIds(archive, folder, wanted) : new IdSet(isolateHashKey());
  const rest = restOf(folder);
  for await (const block of sealedOf(archive, folder.archived, wanted)) {
    if (late.size > 0)
      keptOnce(
        filterRows(block, (row) => late.has(keyAt(block, row))),
        seen,
      );
    yield rest.passed(block);
  }
  for await (const block of bundlesOf(archive, folder, wanted)) yield keptOnce(rest.passed(block), seen);
  yield keptOnce(withoutRemoved(rest.left(), wanted.removals), seen);
}

function keyAt(block: ColumnBlock, row: number): string {
  return duplicateKey(eventAt(block, row));
}

/**
 * The rows that the archive may not have, without those that it had after all: they were confirmed since the partition
 * was asked.
 */
function restOf({ recent }: ExportFolder) {
  const left = new Map(recent.map((row) => [row.position, row]));
  const passed = (block: ColumnBlock) => {
    if (left.size > 0) for (const position of block.positions) left.delete(position);
    return block;
  };
  return { passed, left: () => blockOf([...left.values()]) };
}

async function lateIds(archive: Archive, folder: ExportFolder, wanted: Wanted): Promise<IdSet> {
  const ids = new IdSet(isolateHashKey());
  for await (const block of bundlesOf(archive, folder, wanted))
    for (let row = 0; row < block.count; row++) ids.add(keyAt(block, row));
  for (const { event } of folder.recent) ids.add(duplicateKey(event));
  return ids;
}

async function* sealedOf(
  archive: Archive,
  { manifest }: ArchivedDay,
  { settings, removals }: Wanted,
): AsyncGenerator<ColumnBlock> {
  if (manifest === undefined) return;
  const isWanted = (one: number) => one === settings.merchant;
  for await (const block of sealedBlocks(archive, manifest, { after: 0, isWanted }))
    yield withoutRemoved(block, removals);
}

async function* bundlesOf(
  archive: Archive,
  { pieces }: ScanPlace,
  { settings, removals }: Wanted,
): AsyncGenerator<ColumnBlock> {
  const isWanted = (one: number) => one === settings.merchant;
  for (const piece of pieces)
    for (const block of blocksOfPiece(piece, await readPiece(archive, piece), { isWanted }))
      yield withoutRemoved(block, removals);
}
