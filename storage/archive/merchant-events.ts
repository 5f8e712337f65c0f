// A merchant's events of some places, one place after the other, or all partitions of a Day together. First come the
// events that partitions may not have archived, then the archive. Each row comes once by position (L1, L2), and rows
// under erasure are left out. The events of a Day with another zone are collected from several folders. Questions read
// them in their request, and jobs on a queue.

import { decodeLogged } from "../../core/archive/bundle.ts";
import { COUNTED_COLUMNS } from "../../core/archive/columns.ts";
import {
  blockOf,
  type ColumnBlock,
  type EventColumns,
  eventAt,
  joinBlocks,
  selectRows,
  textAt,
  textsOf,
} from "../../core/archive/event-columns.ts";
import type { ArchivedEvent } from "../../core/archive/file.ts";
import type { RecentReply } from "../../core/archive/recent.ts";
import { MovedDay } from "../../core/counting/moved-day.ts";
import { hash32 } from "../../core/hash.ts";
import {
  CONNECTIONS_MAX,
  DERIVED_READS,
  SCAN_DAY_ROWS_MAX,
  SCAN_PASS_FILLED,
  SCAN_PASSES_MAX,
} from "../../core/limits.ts";
import type { Settings } from "../../core/merchant.ts";
import { assert } from "../../core/outcome.ts";
import { foldersOf, isMovedDay } from "../../core/past-zone.ts";
import type { Counting, CountPlan, DayRows } from "../../core/query/count.ts";
import { derivedUnder } from "../../core/query/derived.ts";
import type { DerivedColumns, SeenUnder } from "../../core/query/seen.ts";
import { TextMap } from "../../core/text-map.ts";
import { isolateHashKey } from "../hash-key.ts";
import { listRemovalsOf, type MerchantRemoval } from "../ledger/erasure.ts";
import type { Ledgers } from "../ledger/ledgers.ts";
import { findFolders, findSealed, type SealFolders, type SealPlace } from "../ledger/sealed-day.ts";
import {
  blocksOf,
  findScanPlaces,
  type GiveWay,
  type PlaceRead,
  type RowsWanted,
  readScanPlace,
  type ScanCost,
  type ScanPlace,
  wantedOf,
} from "./archive-scan.ts";
import type { Archive, ArchiveBucket } from "./bucket.ts";
import { type DerivedRange, decodeDerived, readDerived } from "./derived-file.ts";
import { withoutRemoved } from "./removed.ts";

/** By "day partition". */
export type RecentEvents = ReadonlyMap<string, SealPlace & { readonly rows: readonly ArchivedEvent[] }>;

export interface EventDeps {
  readonly ledgers: Ledgers;
  readonly bucket: ArchiveBucket;
}

export interface EventSearch {
  readonly settings: Pick<Settings, "merchant" | "zones" | "past">;
  readonly places: readonly SealPlace[];
  /** What was read from the partitions before. */
  readonly recent: RecentEvents;
  /** Columns of the archive besides those that counting reads. */
  readonly columns: readonly string[];
  /** What comes at once: a visitor's rows of a Day in one partition, or in all partitions. */
  readonly together: CountPlan<Counting>["together"];
  /**
   * Set where rows are counted under these rules, and nothing else is done with them. Then rows that were derived
   * under equal rules may come in place of the rows themselves.
   */
  readonly derived?: SeenUnder | undefined;
  /** UTC ms. Events that were in the archive before it are not wanted. */
  readonly putSince?: number;
  /** Rows that are held at once. */
  readonly rowsMax?: number;
}

export interface FoundEvents {
  readonly cost: ScanCost;
  /** How many of the rows are read as derived rows. */
  readonly derivedRows: number;
  /** In the order of Days. Each Day's rows come at once, or group after group of its visitors. */
  readonly days: (giveWay?: GiveWay) => AsyncGenerator<DayRows>;
  /** Those of some of the places alone, which belong together. */
  readonly of: (places: readonly SealPlace[], giveWay?: GiveWay) => AsyncGenerator<DayRows>;
}

/** The answers of partitions, by place. "too many" if one of them said so. */
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

/** Finds out what there is to read, and its cost. Nothing is read before `days` is called. */
export async function findEvents(search: EventSearch, deps: EventDeps): Promise<FoundEvents> {
  return (await locateEvents(search, deps)).open();
}

/** Where the events may lie, as the ledger knows. */
export interface LocatedEvents {
  /** How many (Day, partition)s there are. */
  readonly folders: number;
  /** How many merchants their manifests name, which are read to find out what there is to read. */
  readonly sealedMerchants: number;
  /** Reads the manifests, and lists what is not sealed. */
  readonly open: () => Promise<FoundEvents>;
}

/** Looks up where the events may lie; nothing of the archive is read yet. */
export async function locateEvents(search: EventSearch, deps: EventDeps): Promise<LocatedEvents> {
  const { settings } = search;
  const db = deps.ledgers.ofMerchant(settings.merchant);
  const removals = await listRemovalsOf(db, settings.merchant);
  const wanted = distinctPlaces(search.places.flatMap((place) => foldersOfPlace(settings, place)));
  const sealed = await findFolders(db, wanted);
  return {
    folders: wanted.length,
    sealedMerchants: [...sealed.values()].reduce((sum, { merchants }) => sum + merchants, 0),
    open: () => openLocated(search, { wanted, sealed, removals, archive: { bucket: deps.bucket } }),
  };
}

interface Located {
  readonly wanted: readonly SealPlace[];
  readonly sealed: SealFolders;
  readonly removals: readonly MerchantRemoval[];
  readonly archive: Archive;
}

async function openLocated(
  { settings, places, recent, columns, together, derived, putSince = 0, rowsMax = SCAN_DAY_ROWS_MAX }: EventSearch,
  { wanted, sealed, removals, archive }: Located,
): Promise<FoundEvents> {
  const { merchant } = settings;
  const isWhole = (place: SealPlace) =>
    putSince === 0 &&
    !recent.has(keyOf(place)) &&
    !isMovedDay(settings, place.day) &&
    removalsAt(removals, place).length === 0;
  const derivedUnderOf =
    derived && ((place: SealPlace) => (isWhole(place) ? derivedUnder(derived, place.day) : undefined));
  const search = { merchant, places: wanted, folders: sealed, putSince, derivedUnder: derivedUnderOf };
  const found = await findScanPlaces(archive, search);
  const folders = new Map(found.map((folder) => [keyOf(folder), folder]));
  const read = {
    settings,
    folders,
    recent,
    removals,
    columns,
    together,
    rowsMax,
    ahead: new DerivedAhead(archive, found),
  };
  const days = (giveWay?: GiveWay) => readTogether(archive, places, { ...read, giveWay });
  const of = (some: readonly SealPlace[], giveWay?: GiveWay) => readTogether(archive, some, { ...read, giveWay });
  const cost = found.reduce<ScanCost>(
    (sum, { cost: own }) => ({ objects: sum.objects + own.objects, bytes: sum.bytes + own.bytes }),
    { objects: 0, bytes: 0 },
  );
  const derivedRows = found.reduce((sum, folder) => sum + (folder.derived?.rows ?? 0), 0);
  return { cost, derivedRows, days, of };
}

export interface TogetherRead extends Omit<EventSearch, "places" | "putSince"> {
  /** By "day partition". A missing folder has nothing of the merchant. */
  readonly folders: ReadonlyMap<string, ScanPlace>;
  readonly removals: readonly MerchantRemoval[];
  readonly giveWay?: GiveWay | undefined;
  /** Reads derived rows of the folders; without it rows are read. */
  readonly ahead?: DerivedAhead | undefined;
}

/** Reads places whose folders were found, Day after Day. A visitor's rows come together. */
export async function* readTogether(
  archive: Archive,
  places: readonly SealPlace[],
  { settings, folders, recent, removals, columns, together, giveWay, ahead, rowsMax = SCAN_DAY_ROWS_MAX }: TogetherRead,
): AsyncGenerator<DayRows> {
  const read = { merchant: settings.merchant, columns: [...new Set([...COUNTED_COLUMNS, ...columns])] };
  const ordered = [...places].sort((a, b) => a.day - b.day);
  for (const group of Map.groupBy(ordered, (place) => (together === "day" ? place.day : place)).values()) {
    const [{ day }] = group as [SealPlace];
    const own = group.map((place) =>
      foldersOfPlace(settings, place).map((folder) => ({
        folder: folders.get(keyOf(folder)),
        late: recent.get(keyOf(folder))?.rows ?? [],
      })),
    );
    const derived = await derivedOf(own, { ahead, rowsMax });
    if (derived !== undefined) {
      yield { day, partitions: derived };
      const rows = derived.reduce((sum, { count }) => sum + count, 0);
      await giveWay?.(Math.ceil(rows * DERIVED_READS));
      continue;
    }
    await readInstead(archive, own, settings.merchant);
    for await (const { wanted, isCounted, archived } of passesOf(archive, own, { ...read, rowsMax, giveWay })) {
      const partitions = group.map((place, at) => {
        const removed = removalsAt(removals, place);
        const moved = isMovedDay(settings, day) ? new MovedDay(settings, day, isolateHashKey()) : undefined;
        const folders = (own[at] as readonly Folder[]).map(({ late }, index) => {
          const blocks = archived[at]?.[index] ?? [];
          const more = lateBlocks(blocks, late).map((block) => wantedOf(block, wanted));
          const rows = withoutRemoved(
            joinBlocks([...blocks, ...more], { isOnce: isSealedAlone(own[at]?.[index]) }),
            removed,
          );
          return moved === undefined ? rows : takenBy(moved, rows);
        });
        return folders.length === 1 ? (folders[0] as EventColumns) : joinBlocks(folders);
      });
      yield { day, partitions, isCounted };
    }
  }
}

/** Derived rows of places that are counted together; undefined where some of their rows must be read themselves. */
async function derivedOf(
  places: readonly (readonly Folder[])[],
  { ahead, rowsMax }: { readonly ahead: DerivedAhead | undefined; readonly rowsMax: number },
): Promise<readonly DerivedColumns[] | undefined> {
  const found = places.map(([folder, ...others]) => (others.length === 0 ? folder?.folder : undefined));
  if (ahead === undefined || !found.every((folder) => folder?.derived !== undefined)) return undefined;
  const all = found as readonly ScanPlace[];
  if (all.reduce((sum, { derived }) => sum + (derived?.rows ?? 0), 0) > rowsMax) return undefined;
  const rows: DerivedColumns[] = [];
  for (const folder of all) {
    const bytes = await ahead.read(folder);
    if (bytes === undefined) return undefined;
    rows.push(decodeDerived(bytes));
  }
  return rows;
}

/** Looks up the rows of folders of which only derived rows were looked up. */
async function readInstead(archive: Archive, places: readonly (readonly Folder[])[], merchant: number): Promise<void> {
  for (const one of places.flat()) {
    if (one.folder?.derived === undefined) continue;
    const { derived, day, partition } = one.folder;
    const folders = new Map([[keyOf(one.folder), derived.sealed]]);
    [one.folder] = await findScanPlaces(archive, { merchant, places: [{ day, partition }], folders });
  }
}

/** Reads derived rows of folders, those of a few next folders at the same time. */
export class DerivedAhead {
  readonly #archive: Archive;
  readonly #folders: readonly ScanPlace[];
  readonly #begun = new Map<ScanPlace, ReturnType<typeof readDerived>>();

  /** The folders come in the order in which they will be read. */
  constructor(archive: Archive, folders: readonly ScanPlace[]) {
    this.#archive = archive;
    this.#folders = folders.filter(({ derived }) => derived !== undefined);
  }

  /** The bytes of a folder's derived rows; undefined where they are gone. */
  async read(folder: ScanPlace): Promise<Uint8Array | undefined> {
    const at = this.#folders.indexOf(folder);
    for (const next of this.#folders.slice(at, at + CONNECTIONS_MAX)) {
      if (this.#begun.has(next)) continue;
      const reading = readDerived(this.#archive, next.derived as DerivedRange);
      // Whoever waits for it hears of a failure. Perhaps nobody will.
      reading.catch(() => {});
      this.#begun.set(next, reading);
    }
    const bytes = await this.#begun.get(folder);
    this.#begun.delete(folder);
    return bytes;
  }
}

/** Whether all rows of a folder come from its sealed files. Those have each id once (SEA-5). */
function isSealedAlone(folder: Folder | undefined): boolean {
  const archived = folder?.folder?.archived;
  return archived?.manifest !== undefined && archived.bundles.length === 0 && folder?.late.length === 0;
}

/** The rows that partitions have not archived, without those that the archive has by now: each row once. */
function lateBlocks(archived: readonly ColumnBlock[], late: readonly ArchivedEvent[]): readonly ColumnBlock[] {
  if (late.length === 0) return [];
  const positions = new Set(archived.flatMap((block) => [...block.positions]));
  return [blockOf(late.filter(({ position }) => !positions.has(position)))];
}

/** The rows of one folder that belong to a moved Day. The Day is asked in the order of the log. */
function takenBy(moved: MovedDay, rows: EventColumns): EventColumns {
  const order = Uint32Array.from(rows.positions, (_, row) => row);
  order.sort((a, b) => (rows.positions[a] as number) - (rows.positions[b] as number));
  const taken = order.filter((row) => moved.takes(eventAt(rows, row)));
  return selectRows(rows, taken);
}

/**
 * The versions under which counts of places may be remembered, by "day partition". A place has one if it is sealed and
 * nothing of it waits to be archived. Whoever archives a late event notes it before the partition forgets it, so read
 * `recent` first.
 */
export async function findVersions(
  { settings, places, recent }: Pick<EventSearch, "settings" | "places" | "recent">,
  { ledgers }: Pick<EventDeps, "ledgers">,
): Promise<ReadonlyMap<string, string>> {
  const db = ledgers.ofMerchant(settings.merchant);
  const removals = await listRemovalsOf(db, settings.merchant);
  const wanted = distinctPlaces(places.flatMap((place) => foldersOfPlace(settings, place)));
  const settled = wanted.filter((folder) => !recent.has(keyOf(folder)));
  const seals = new Map((await findSealed(db, settled)).map((seal) => [keyOf(seal), seal]));
  const versions = new Map<string, string>();
  for (const place of places) {
    const own = foldersOfPlace(settings, place).map((folder) => seals.get(keyOf(folder)));
    if (own.includes(undefined)) continue;
    const version = own.map((seal) => [seal?.folder, seal?.lateMarks]);
    versions.set(keyOf(place), JSON.stringify([version, removalsAt(removals, place)]));
  }
  return versions;
}

export function distinctPlaces(places: readonly SealPlace[]): readonly SealPlace[] {
  return [...new Map(places.map(({ day, partition }) => [`${day} ${partition}`, { day, partition }])).values()];
}

/** The folders that may have a Day's events. */
export function foldersOfPlace(settings: EventSearch["settings"], { day, partition }: SealPlace): readonly SealPlace[] {
  if (!isMovedDay(settings, day)) return [{ day, partition }];
  const [from, to] = foldersOf(settings, day);
  return Array.from({ length: to - from }, (_, index) => ({ day: from + index, partition }));
}

/** What is known of a folder before it is read, and its rows that the archive may not have. */
interface Folder {
  folder: ScanPlace | undefined;
  readonly late: readonly ArchivedEvent[];
}

interface Pass {
  /** By place and folder. */
  readonly archived: readonly (readonly (readonly ColumnBlock[])[])[];
  readonly wanted: RowsWanted;
  readonly isCounted: (visitor: string) => boolean;
}

/**
 * The rows of places that belong together, in as many passes as memory needs. Each pass has some of the visitors,
 * because a visit belongs to one visitor. An id that two visitors sent before the Day was sealed then counts for both.
 */
async function* passesOf(
  archive: Archive,
  places: readonly (readonly Folder[])[],
  read: Pick<PlaceRead, "merchant" | "columns" | "rowsMax" | "giveWay">,
): AsyncGenerator<Pass> {
  let passes = passesFor(places, read);
  let shared: ReadonlySet<string> = passes === 1 ? new Set() : await sharedOrders(archive, places, read);
  for (let pass = 0; pass < passes; pass++) {
    const [at, of] = [pass, passes];
    const isCounted = (visitor: string) => of === 1 || hash32(visitor, PASS_SEED) % of === at;
    // Which purchase of a number earns is only known if all events with the number are seen together.
    const known = shared;
    const wanted = { visitor: isCounted, order: (order: string) => known.has(order) };
    // Visitors are spread by a hash, but not evenly: the first pass must fit, the others nearly so.
    const rowsMax = pass === 0 ? read.rowsMax : 2 * read.rowsMax;
    const archived = await readAll(archive, places, { ...read, wanted, rowsMax });
    if (archived !== "too many") yield { archived, wanted, isCounted };
    else {
      assert(pass === 0 && passes < SCAN_PASSES_MAX, "some of a Day's visitors fit into memory");
      if (passes === 1) shared = await sharedOrders(archive, places, read);
      passes *= 2;
      pass = -1;
    }
  }
}

/**
 * How many passes rows need, by the counts in manifests and of rows since then. A pass that turns out too large was for
 * nothing, because visitors are not spread evenly.
 */
function passesFor(
  places: readonly (readonly Folder[])[],
  { merchant, rowsMax }: Pick<PlaceRead, "merchant" | "rowsMax">,
): number {
  let rows = 0;
  for (const { folder, late } of places.flat()) {
    rows += late.length;
    for (const { merchants } of folder?.archived.manifest?.files ?? [])
      for (const one of merchants) if (one.merchant === merchant) rows += one.rows;
  }
  return Math.min(SCAN_PASSES_MAX, rows <= rowsMax ? 1 : Math.ceil(rows / (SCAN_PASS_FILLED * rowsMax)));
}

/**
 * Order numbers that several visitors have. Usually these are the page's and the server's word for one order. It keeps
 * no row.
 */
async function sharedOrders(
  archive: Archive,
  places: readonly (readonly Folder[])[],
  { merchant, giveWay }: Pick<PlaceRead, "merchant" | "giveWay">,
): Promise<ReadonlySet<string>> {
  const owners = new TextMap<string>();
  const shared = new Set<string>();
  for (const { folder } of places.flat()) {
    if (folder === undefined) continue;
    const columns = ["merchant", "partition", "position", "visitor", "order_id"];
    for await (const block of blocksOf(archive, folder, { merchant, columns, giveWay })) {
      const [orders, visitors] = [textsOf(block, "order"), textsOf(block, "visitor")];
      for (let row = 0; row < block.count; row++) {
        const order = textAt(orders, row);
        if (order === "") continue;
        const visitor = textAt(visitors, row);
        if ((owners.get(order) ?? visitor) !== visitor) shared.add(order);
        owners.set(order, visitor);
      }
    }
  }
  return shared;
}

async function readAll(
  archive: Archive,
  places: readonly (readonly Folder[])[],
  read: PlaceRead,
): Promise<Pass["archived"] | "too many"> {
  const found: (readonly ColumnBlock[])[][] = [];
  let left = read.rowsMax;
  for (const folders of places) {
    const own: (readonly ColumnBlock[])[] = [];
    for (const { folder } of folders) {
      const blocks = folder === undefined ? [] : await readScanPlace(archive, folder, { ...read, rowsMax: left });
      if (blocks === "too many") return blocks;
      own.push(blocks);
      left -= blocks.reduce((sum, { count }) => sum + count, 0);
    }
    found.push(own);
  }
  return found;
}

/** Visitors are split into passes by another hash than into partitions. */
const PASS_SEED = 0x2c1b3c6d;

function removalsAt(removals: readonly MerchantRemoval[], { day, partition }: SealPlace): readonly MerchantRemoval[] {
  return removals.filter((one) => one.partition === partition && day >= one.fromDay && day < one.toDay);
}

export function keyOf({ day, partition }: SealPlace): string {
  return `${day} ${partition}`;
}
