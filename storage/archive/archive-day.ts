// Reads a (Day, partition) out of the archive, in whatever state it is: sealed files, bundles that came since, or
// bundles only. It returns rows by merchant, and those of one merchant in the order of the log. Memory holds a bounded
// number of them. A Day that is too large to be sorted in memory is sorted into runs first. `queues/recount.ts` counts
// the rows.

import { type ColumnBlock, joinBlocks, numbersOf } from "../../core/archive/event-columns.ts";
import { decodeManifest, type Manifest } from "../../core/archive/manifest.ts";
import {
  type DayPlace,
  dayPrefix,
  EVENTS_PREFIX,
  manifestKey,
  parseBundleKey,
  runKey,
  SEALED_PREFIX,
  sealedPrefix,
} from "../../core/archive/object-key.ts";
import { coverOf, mergedSpan, type RunSpan } from "../../core/archive/runs.ts";
import { RUN_BYTES } from "../../core/limits.ts";
import { mergeSources, type Source, sourceOfRows } from "./archive-merge.ts";
import { listRuns, openRun, writeRun } from "./archive-run.ts";
import { type Archive, type ListedObject, listKeys, pagesOf, readObjectOf } from "./bucket.ts";
import { readBlocks } from "./column-block.ts";
import { openSealed } from "./sealed-file.ts";

/** What the archive has of a (Day, partition). */
export interface ArchivedDay extends DayPlace {
  /** Its sealed files, once it has been sealed. */
  readonly manifest: Manifest | undefined;
  /** Its bundles that are in no sealed file, in the order of positions. */
  readonly bundles: readonly ArchivedBundle[];
}

export type ArchivedBundle = ListedObject;

/**
 * Finds what the archive has of a (Day, partition). `folder` is the folder of its sealed files, "" while there are
 * none.
 */
export async function findDay(archive: Archive, place: DayPlace, folder: string): Promise<ArchivedDay> {
  const [manifest, listed] = await Promise.all([
    folder === "" ? undefined : readManifest(archive, folder),
    listKeys(archive, dayPrefix(place), ["customMetadata"]),
  ]);
  const sealedBefore = manifest?.before ?? 0;
  const bundles = listed.filter(({ key }) => {
    const name = parseBundleKey(key);
    return name !== undefined && name.first >= sealedBefore;
  });
  return { ...place, manifest, bundles };
}

export async function readManifest(archive: Archive, folder: string): Promise<Manifest> {
  return decodeManifest(new TextDecoder().decode(await readObjectOf(archive, manifestKey(folder))));
}

/**
 * The folder of the newest sealed files, among keys of one (Day, partition). Only complete folders count. Those have a
 * manifest, which is written last. Of two folders of one generation the newer one replaces more bundles, or the same
 * number with more rows removed. Undefined where there is none.
 */
export function newestSealed(keys: readonly string[]): string | undefined {
  let newest: string | undefined;
  for (const key of keys) {
    const [, folder] = /^(.*\/generation=[0-9-]+\/)manifest\.json$/.exec(key) ?? [];
    if (folder !== undefined && (newest === undefined || isNewerSealed(folder, newest))) newest = folder;
  }
  return newest;
}

/** Whether a folder of a Day's sealed files is newer than another one of that Day. */
export function isNewerSealed(folder: string, other: string): boolean {
  return isAbove(rankOf(folder), rankOf(other));
}

/**
 * A folder's name holds the generation, the position, and then "0" or three numbers: the first erasure, the last one,
 * and how many there are.
 */
function rankOf(folder: string): readonly number[] {
  const numbers = /\/generation=([0-9-]+)\/$/.exec(folder)?.[1] ?? "";
  const [generation = 0, before = 0, first = 0, , count = first === 0 ? 0 : 1] = numbers.split("-").map(Number);
  return [generation, before, count];
}

function isAbove(rank: readonly number[], other: readonly number[]): boolean {
  const at = rank.findIndex((number, index) => number !== other[index]);
  return at >= 0 && (rank[at] as number) > (other[at] as number);
}

/** The partitions that have anything of a date in the archive. */
export async function listPartitions(archive: Archive, date: string): Promise<readonly string[]> {
  const partitions = new Set<string>();
  for (const prefix of [dayPrefix({ date }), sealedPrefix({ date })]) {
    for await (const page of pagesOf(archive, { prefix, delimiter: "/" })) {
      for (const folder of page.delimitedPrefixes ?? []) {
        const [, partition] = /\/partition=([^/]+)\/$/.exec(folder) ?? [];
        if (partition !== undefined) partitions.add(partition);
      }
    }
  }
  return [...partitions].sort();
}

/** The dates that have anything in the archive, in order. */
export async function listDates(archive: Archive): Promise<readonly string[]> {
  const dates = new Set<string>();
  for (const prefix of [EVENTS_PREFIX, SEALED_PREFIX])
    for await (const page of pagesOf(archive, { prefix, delimiter: "/" }))
      for (const folder of page.delimitedPrefixes ?? []) dates.add(/date=([^/]+)\/$/.exec(folder)?.[1] ?? "");
  return [...dates].filter((date) => date !== "").sort();
}

export interface DayRead {
  /** Merchants above this number; 0 for all. */
  readonly after: number;
  readonly isWanted: (merchant: number) => boolean;
  /** The columns to read; undefined for all. Those that are not read hold "" or 0. */
  readonly columns?: readonly string[] | undefined;
}

/** The wanted rows in slices of one merchant each. Merchants ascend, and within one merchant positions do. */
export async function* readDay(archive: Archive, day: ArchivedDay, read: DayRead): AsyncGenerator<ColumnBlock> {
  yield* mergeSources(await sourcesOf(archive, day, read));
}

/**
 * Reads several Days of one partition in the same way. Merchants ascend, and the rows of one merchant come Day by Day.
 */
export async function* readDays(
  archive: Archive,
  days: readonly ArchivedDay[],
  read: DayRead,
): AsyncGenerator<ColumnBlock> {
  const sources: Source[] = [];
  for (const day of days) sources.push(...(await sourcesOf(archive, day, read)));
  yield* mergeSources(sources);
}

async function sourcesOf(archive: Archive, day: ArchivedDay, read: DayRead): Promise<readonly Source[]> {
  const sources: Source[] = day.manifest === undefined ? [] : [openSealed(archive, day.manifest, read)];
  const bytes = day.bundles.reduce((sum, { size }) => sum + size, 0);
  if (bytes <= RUN_BYTES) sources.push(sourceOfRows(joinBlocks(await blocksOf(archive, day.bundles, read))));
  else {
    for (const run of await ensureRuns(archive, day))
      sources.push(
        await openRun(archive, { key: runKey(day, run), partition: day.partition }, { ...read, bytesMax: 0 }),
      );
  }
  return sources;
}

/** Which merchants have rows in some bundles. */
export async function readMerchants(
  archive: Archive,
  bundles: readonly ArchivedBundle[],
): Promise<ReadonlySet<number>> {
  const merchants = new Set<number>();
  const read = { after: 0, isWanted: () => true, columns: ["merchant", "partition", "position"] };
  for (const block of await blocksOf(archive, bundles, read))
    for (const merchant of numbersOf(block, "merchant")) merchants.add(merchant);
  return merchants;
}

/** The runs of a large Day, in the order of positions: the runs it has, and new ones sorted from its other bundles. */
async function ensureRuns(archive: Archive, day: ArchivedDay): Promise<readonly RunSpan[]> {
  const known = await listRuns(archive, day);
  const isKnown = new Set(known.map((run) => runKey(day, run)));
  const bundles = new Map(day.bundles.map((bundle) => [parseBundleKey(bundle.key)?.first as number, bundle]));
  const spans = grouped(coverOf([...bundles.keys()], known), (first) => bundles.get(first)?.size ?? 0);
  for (const { run, firsts } of spans) {
    const key = runKey(day, run);
    if (isKnown.has(key)) continue;
    const own = firsts.map((first) => bundles.get(first) as ArchivedBundle);
    await writeRun(archive, key, mergeSources([await sourceOfBundles(archive, own)]));
  }
  return spans.map(({ run }) => run);
}

interface Grouped {
  readonly run: RunSpan;
  /** Positions of its bundles, if it must be made of them now. */
  readonly firsts: readonly number[];
}

/** Groups bundles that are in no run into runs of about RUN_BYTES. */
function grouped(pieces: readonly RunSpan[], bytesOf: (first: number) => number): readonly Grouped[] {
  const groups: { run: RunSpan; firsts: number[] }[] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const piece of pieces) {
    const size = bytesOf(piece.first);
    const group = groups.at(-1);
    if (piece.count > 1) {
      groups.push({ run: piece, firsts: [] });
      bytes = Number.POSITIVE_INFINITY;
    } else if (group === undefined || bytes + size > RUN_BYTES) {
      groups.push({ run: piece, firsts: [piece.first] });
      bytes = size;
    } else {
      group.run = mergedSpan([group.run, piece]);
      group.firsts.push(piece.first);
      bytes += size;
    }
  }
  return groups;
}

/** All rows of some bundles, sorted. */
export async function sourceOfBundles(archive: Archive, bundles: readonly ArchivedBundle[]): Promise<Source> {
  return sourceOfRows(joinBlocks(await blocksOf(archive, bundles, { after: 0, isWanted: () => true })));
}

async function blocksOf(
  archive: Archive,
  bundles: readonly ArchivedBundle[],
  { after, isWanted, columns }: DayRead,
): Promise<readonly ColumnBlock[]> {
  const isOwn = (merchant: number) => merchant > after && isWanted(merchant);
  const wanted = { isWanted: isOwn, ...(columns && { columns }) };
  const found: ColumnBlock[] = [];
  for (const { key } of bundles) found.push(...readBlocks(await readObjectOf(archive, key), wanted));
  return found;
}
