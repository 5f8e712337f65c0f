// The consumer of footfall-seal, which also sorts open Days (run.ts), and the cron's step that feeds it. A closed (Day,
// partition) is counted again from all that lies in the archive; rollups that differ are replaced; its rows are written
// once more, without repetitions and sorted by merchant, with a manifest; then the row in D1 points to them, the
// partition forgets the Day, and later the bundles go. Events that come after that are counted by the same consumer:
// their merchants only, or by a new seal when there are many.
//
// Every step may be repeated or be the last before the process dies: files lie under names made of what they are made
// of, the row in D1 changes only from the state that was read, and nothing is deleted that the row still points to.

import { REPLAYED_COLUMNS } from "../core/archive/columns.ts";
import { type DerivedEntry, encodeDerivedTable } from "../core/archive/derived-table.ts";
import { encodeManifest, type Manifest, type SealedFile } from "../core/archive/manifest.ts";
import {
  type DayPlace,
  dayPrefix,
  derivedTableKey,
  manifestKey,
  parseBundleKey,
  runsPrefix,
  sealedFolder,
  sealedPartKey,
  sealedPrefix,
} from "../core/archive/object-key.ts";
import { closesAt, firstOpenDay } from "../core/counting/closed.ts";
import { erasedWhole } from "../core/counting/erasure.ts";
import {
  FOLDERS_APART_MAX,
  LATE_BUNDLES_MAX,
  LATE_BYTES_SHARE,
  REPLAY_AHEAD_MERCHANTS,
  REPLAY_SHOWN_MAX,
  SEAL_ATTEMPTS_DOUBTFUL,
  SEAL_LOOKBACK_DAYS,
  SEAL_RETRY_MAX_MS,
  SEAL_RETRY_MS,
  SEAL_TURN_MS,
  SEALED_FILE_ROWS,
} from "../core/limits.ts";
import type { Log } from "../core/log.ts";
import type { Settings } from "../core/merchant.ts";
import type { Metered } from "../core/meter.ts";
import { assert, causeOf } from "../core/outcome.ts";
import { isMovedDay, shownDaysOf } from "../core/past-zone.ts";
import { GLOBAL_MERCHANT } from "../core/rules.ts";
import { dateOf } from "../core/time.ts";
import {
  type ArchivedDay,
  findDay,
  isNewerSealed,
  newestSealed,
  readDay,
  readManifest,
  readMerchants,
} from "../storage/archive/archive-day.ts";
import { deleteKeys, listKeys, putObject, readObject } from "../storage/archive/bucket.ts";
import { withoutRemoved } from "../storage/archive/removed.ts";
import { SealedFileWriter } from "../storage/archive/sealed-file.ts";
import { readMoved } from "../storage/directory/settings.ts";
import { forgetEmptyDay } from "../storage/ledger/doubt.ts";
import { finishParts, listRemovals, noteRemovals, type RemovedRows } from "../storage/ledger/erasure.ts";
import { notePlaces } from "../storage/ledger/places.ts";
import { sealRollups } from "../storage/ledger/replay-write.ts";
import type { ShownDifference } from "../storage/ledger/schema.ts";
import {
  commitClean,
  commitLate,
  commitSeal,
  findSeal,
  postponeSeal,
  type SealPlace,
  type SealRow,
  waitSeal,
} from "../storage/ledger/sealed-day.ts";
import { healSettings } from "../storage/ledger/settings-fence.ts";
import { type DueDeps, noteDay, sendDue } from "../storage/seal-due.ts";
import { MerchantRows } from "./derive.ts";
import { compareDoubted } from "./doubt.ts";
import { handleEach, type QueueBatch } from "./message.ts";
import { packClosed } from "./pack.ts";
import {
  announce,
  merchantsOf,
  type Recount,
  type RecountDeps,
  type Recounted,
  type RecountedPartition,
  type RemovedRow,
  readSettled,
  recount,
  shownOf,
} from "./recount.ts";
import { openMoved } from "./recount-moved.ts";
import { makeRuns } from "./run.ts";

/** What a seal asks of a partition. */
export interface SealedPartition extends RecountedPartition {
  dropDay(day: number): Promise<boolean>;
}

export interface SealDeps extends RecountDeps, DueDeps {
  readonly partition: (name: string) => SealedPartition;
  readonly meter: Metered;
  readonly log: Log;
}

/** The cron's step: finds Days that have closed, and sends what is due. */
export async function driveSeals(deps: SealDeps): Promise<void> {
  const open = firstOpenDay(deps.now(), deps.pace.sealAfterMs);
  for (let day = open - SEAL_LOOKBACK_DAYS; day < open; day++) await noteDay(day, deps);
  await sendDue(deps);
}

/** Handles a batch of Days. What fails is noted in the Day's row and tried again by the cron. */
export async function sealDays(batch: QueueBatch, deps: SealDeps): Promise<void> {
  await handleEach(batch, { ...deps, handle: ({ body }) => sealBody(body, deps) });
}

async function sealBody(body: unknown, deps: SealDeps): Promise<void> {
  const { day, partition, runs } = (body ?? {}) as Record<string, unknown>;
  assert(Number.isInteger(day) && typeof partition === "string", "a seal names a Day and a partition");
  if (runs === true) return makeRuns({ day: day as number, partition }, deps);
  const row = await findSeal(deps.ledgers.of(partition), { day: day as number, partition });
  if (row === undefined) return;
  try {
    if (row.cleanAt !== null && row.cleanAt <= deps.now()) await clean(row, deps);
    if (row.generation === 0 || row.lateSince !== null) await seal(row, deps);
  } catch (error) {
    return postpone(row, causeOf(error), deps);
  }
  await pack(row, deps);
}

/** It comes last, so that nothing that a seal is for waits for it. */
async function pack(place: SealPlace, deps: SealDeps): Promise<void> {
  const row = await findSeal(deps.ledgers.of(place.partition), place);
  if (row === undefined || row.generation === 0) return;
  try {
    await packClosed(row, deps);
  } catch (error) {
    await postpone(row, `it is sealed, and not packed: ${causeOf(error)}`, deps);
  }
}

async function postpone(row: SealRow, why: string, deps: SealDeps): Promise<void> {
  await postponeSeal(deps.ledgers.of(row.partition), { row, why, now: deps.now() });
  if (row.attempts + 1 < SEAL_ATTEMPTS_DOUBTFUL) return;
  deps.log({ event: "seal_in_doubt", day: dateOf(row.day), partition: row.partition, reason: why });
}

/**
 * A Day of which something is still on its way to the archive has not failed, however often somebody asks; an import
 * may go on for long. What is on its way for hours is stuck.
 */
async function wait(row: SealRow, why: string, deps: SealDeps): Promise<void> {
  const { pace } = deps;
  const now = deps.now();
  const since = Math.max(row.lateSince ?? 0, closesAt(row.day, pace.sealAfterMs));
  if (now - since > SEAL_RETRY_MAX_MS) return postpone(row, why, deps);
  await waitSeal(deps.ledgers.of(row.partition), { row, why, now });
  // The cron asks again every few minutes. Where late events are gathered for less time, this asks sooner.
  const waitSeconds = Math.ceil(pace.lateCoalesceMs / 1_000);
  if (pace.lateCoalesceMs < SEAL_RETRY_MS)
    await deps.sendSeals([{ day: row.day, partition: row.partition }], waitSeconds);
}

async function seal(row: SealRow, deps: SealDeps): Promise<void> {
  const partition = deps.partition(row.partition);
  const state = await partition.completeness(row.day);
  if (!state.complete) return wait(row, state.why, deps);
  const place = { date: dateOf(row.day), partition: row.partition };
  const sealedKeys = (await listKeys(deps, sealedPrefix(place))).map(({ key }) => key);
  const unknown = findUnknown(row, sealedKeys);
  const isThere = row.folder !== "" && sealedKeys.includes(manifestKey(row.folder));
  if (row.doubted === 0) ensureNotOlder(row, { isThere, unknown });
  const { found, isWhole } = await findWhole(place, unknown ?? (isThere ? row.folder : ""), sealedKeys, deps);
  const since = deps.now();
  await ensureKnown(found, { known: state.position, partition });
  const all = { ...found, bundles: bundlesBefore(found, state.position) };
  const removals = await listRemovals(deps.ledgers.of(row.partition), row);
  const erasures = removals.map(({ number }) => number);
  const mayGoOn = unknown === undefined && row.doubted === 0;
  const begun = mayGoOn ? findBegun(row, removalsName(erasures), sealedKeys) : undefined;
  const archived = begun === undefined ? all : { ...all, bundles: bundlesBefore(all, begun) };
  const { day } = row;
  const counted = new Map(state.counted);
  const what = {
    day,
    partition: row.partition,
    archived,
    archivedPosition: state.position,
    others: new Set([...counted.keys(), ...erasedWhole(removals)]),
    removals,
    known: { day, partition: row.partition, erasures, since },
  };
  const { manifest } = archived;
  if (row.doubted === 1) {
    if (row.generation === 0 && manifest === undefined && archived.bundles.length === 0 && counted.size === 0) {
      await forgetEmptyDay(deps.ledgers.of(row.partition), row);
      return void (await partition.dropDay(day));
    }
    await compareDoubted(what, { counted, isThere: isThere || row.folder === "" }, deps);
  }
  if (unknown !== undefined && manifest !== undefined && isWhole)
    return adopt(row, { what, manifest, folder: unknown }, deps);
  const mayStay = begun === undefined && manifest !== undefined && isWhole && isSmall(archived, manifest);
  const stays = mayStay && !(await hasRemovable(what, deps));
  if (stays) {
    await countLate(row, what, deps);
    await finishParts(deps.ledgers.of(row.partition), { ...row, erasures });
  } else {
    const isAll = archived.bundles.length === all.bundles.length;
    const isDone = await compact(row, { what, counted, isAll, erasures }, deps);
    if (!isDone) return;
  }
  await partition.dropDay(day);
  // A bundle that the queue has delivered once more, after the Day's files were cleaned, lies there again. What was
  // erased of it would stay in the bucket for good.
  const liesAgain = stays && row.cleanAt === null && (await hasBundlesBefore(deps, place, manifest.before));
  if (removals.length === 0 && !liesAgain) return;
  // What was to be erased is gone from where it was, and not only from where it is read.
  const sealed = await findSeal(deps.ledgers.of(row.partition), row);
  if (sealed === undefined || (removals.length === 0 && sealed.cleanAt !== null)) return;
  // And once more later: a seal that ran beside this one may be writing files of its own yet, which then nobody points
  // to.
  const again = sealed.cleanAt === null ? null : deps.now() + deps.pace.sealGraceMs;
  await clean(sealed, deps, again);
}

/**
 * Throws where the sealed files that the ledger knows are gone, and none or older ones are there: the bucket was lost.
 * Counted from those, numbers would fall.
 */
function ensureNotOlder(
  { folder }: SealRow,
  { isThere, unknown }: { readonly isThere: boolean; readonly unknown: string | undefined },
): void {
  if (folder === "" || isThere || (unknown !== undefined && isNewerSealed(unknown, folder))) return;
  const others = unknown === undefined ? "no others are there" : "older ones are there";
  throw new Error(`its sealed files are gone from the bucket, and ${others}: footfall recover bucket`);
}

/**
 * What the archive has of a Day, without sealed files that its manifest names and that are gone; `isWhole` is whether
 * none is. A Day of which some are gone is sealed anew.
 */
async function findWhole(place: DayPlace, folder: string, sealedKeys: readonly string[], deps: SealDeps) {
  const found = await findDay(deps, place, folder);
  const { manifest } = found;
  const there = new Set(sealedKeys);
  const files = manifest?.files.filter(({ key }) => there.has(key)) ?? [];
  const isDerived = files.every(({ derived }) => derived === undefined || there.has(derived.key));
  const isWhole = isDerived && files.length === (manifest?.files.length ?? 0);
  return { found: manifest === undefined || isWhole ? found : { ...found, manifest: { ...manifest, files } }, isWhole };
}

/**
 * Throws where the archive has events of a Day that its partition does not know: its storage was lost or put back, and
 * nobody has noticed yet. A seal would pass over them. `known` is its position before the archive was looked at.
 */
async function ensureKnown(
  { bundles, manifest, partition: name }: ArchivedDay,
  { known, partition }: { known: number; partition: RecountedPartition },
): Promise<void> {
  const firsts = bundles.map(({ key }) => parseBundleKey(key)?.first ?? 0);
  const last = Math.max(manifest === undefined ? 0 : manifest.before - 1, ...firsts);
  if (last < known || last < (await partition.status()).nextPosition) return; // or it has come meanwhile
  throw new Error(`the archive has events that its partition does not know: footfall recover partition ${name}`);
}

/**
 * Whether a sealed Day has rows that an erasure or the end of a retention takes away. Only their merchants are read.
 */
async function hasRemovable(
  { day, partition, archived, removals = [] }: Omit<Recount, "after">,
  deps: SealDeps,
): Promise<boolean> {
  const sealed = archived.manifest?.files.flatMap((file) => file.merchants.map(({ merchant }) => merchant)) ?? [];
  const merchants = [...new Set([...sealed, ...(await readMerchants(deps, archived.bundles))])];
  for (let start = 0; start < merchants.length; start += REPLAY_AHEAD_MERCHANTS) {
    const some = merchants.slice(start, start + REPLAY_AHEAD_MERCHANTS);
    const settled = await readSettled(some, { day, partition }, deps);
    if ([...settled.values()].some(({ isOver }) => isOver)) return true;
  }
  if (removals.length === 0) return false;
  const wanted = new Set(removals.map(({ merchant }) => merchant));
  for await (const rows of readDay(deps, archived, { after: 0, isWanted: (merchant) => wanted.has(merchant) })) {
    if (withoutRemoved(rows, removals).count < rows.count) return true;
  }
  return false;
}

/**
 * The newest sealed files of a Day of which the ledger knows none, or whose files it knows are gone: it was emptied
 * or restored to an earlier instant, or the seal that wrote them died before its commit. Bundles that they stand for
 * may be deleted, so no seal may be made beside them: it would be an empty one, and a day later its clean-up would
 * take the files of the real one.
 */
function findUnknown(row: SealRow, sealedKeys: readonly string[]): string | undefined {
  if (row.folder !== "" && sealedKeys.includes(manifestKey(row.folder))) return undefined;
  return newestSealed(sealedKeys);
}

/** Where the inputs of a seal end that was begun and not finished: it goes on with those, whatever came since. */
function findBegun(
  { day, partition, generation }: SealRow,
  removed: string,
  sealedKeys: readonly string[],
): number | undefined {
  const next = sealedFolder({ date: dateOf(day), partition }, `${generation + 1}-`).slice(0, -1);
  for (const key of sealedKeys) {
    const [, before, name] = /=\d+-(\d+)-([0-9-]+)\/[^/]*$/.exec(key) ?? [];
    if (key.startsWith(next) && name === removed) return Number(before);
  }
  return undefined;
}

/**
 * Makes sealed files that the ledger did not know the Day's own: counts all of their merchants and those of bundles
 * beside them, notes where their events lie, and lets the row point to them. Then the Day is looked at like any sealed
 * one. Until the commit a second run finds the same files and does the same.
 */
async function adopt(
  row: SealRow,
  { what, manifest, folder }: { what: Omit<Recount, "after">; manifest: Manifest; folder: string },
  deps: SealDeps,
): Promise<void> {
  const sealed = manifest.files.flatMap((file) => file.merchants.map(({ merchant }) => merchant));
  const merchants = new Set([...sealed, ...(await readMerchants(deps, what.archived.bundles))]);
  await recountFilled(row, { ...what, merchants: new Set([...merchants, ...what.others]) }, deps);
  const moved = await countMoved(row, merchants, deps);
  await notePlaces(deps.ledgers.of(row.partition), { ...row, merchants: [...merchants] });
  const gone = (await readParts(folder, deps)).flatMap(({ removed }) => removed);
  await commit(row, { folder, manifest, gone, erasures: [], moved }, deps);
  deps.log({ event: "seal_adopted", day: manifest.date, partition: row.partition, generation: manifest.generation });
  const adopted = await findSeal(deps.ledgers.of(row.partition), row);
  if (adopted?.folder === folder) await seal(adopted, deps);
}

/** Whether bundles lie there that sealed files stand for. */
async function hasBundlesBefore(deps: SealDeps, place: DayPlace, before: number): Promise<boolean> {
  return (await listKeys(deps, dayPrefix(place))).some(({ key }) => (parseBundleKey(key)?.first ?? before) < before);
}

function bundlesBefore({ bundles }: ArchivedDay, position: number): ArchivedDay["bundles"] {
  return bundles.filter(({ key }) => (parseBundleKey(key)?.first ?? position) < position);
}

/** Whether late bundles may stay beside the sealed files. */
function isSmall({ bundles }: ArchivedDay, { files }: Manifest): boolean {
  const sealedBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const lateBytes = bundles.reduce((sum, { size }) => sum + size, 0);
  return bundles.length <= LATE_BUNDLES_MAX && lateBytes <= sealedBytes * LATE_BYTES_SHARE;
}

/** Counts the merchants of late bundles again; the bundles stay where they are, beside the sealed files. */
async function countLate(row: SealRow, what: Omit<Recount, "after">, deps: SealDeps): Promise<void> {
  const late = await readMerchants(deps, what.archived.bundles);
  const merchants = new Set([...late, ...erasedWhole(what.removals ?? [])]);
  await recountFilled(row, { ...what, merchants }, deps);
  await countMoved(row, merchants, deps);
  await notePlaces(deps.ledgers.of(row.partition), { ...row, merchants: [...late] });
  await commitLate(deps.ledgers.of(row.partition), { row, now: deps.now() });
}

/** Counts merchants again and fills in what the ledger lacks: no correction of what was counted live. */
async function recountFilled(row: SealRow, what: Omit<Recount, "after">, deps: SealDeps): Promise<void> {
  const steps = {
    rows: () => {},
    ended: () => false,
    compared: async (recounted: readonly Recounted[]) => {
      for (const { differences, countedBy } of recounted)
        await correct(row, { differences, corrected: 0, countedBy, known: what.known }, deps);
      return undefined;
    },
  };
  await recount({ ...what, after: 0, columns: REPLAYED_COLUMNS }, steps, deps);
}

/** What is known once one of a seal's files is written: enough to go on behind it. */
interface SealedPart {
  readonly file: SealedFile;
  /** Where its merchants' derived rows lie; absent in a part of an older release. */
  readonly derived?: readonly DerivedEntry[];
  readonly duplicates: number;
  readonly removed: readonly RemovedRows[];
  /** The last merchant that was counted, whether or not it has rows. */
  readonly last: number;
}

interface Compaction {
  readonly what: Omit<Recount, "after">;
  /** How many events of each merchant were counted live, as long as the partition has their state. */
  readonly counted: ReadonlyMap<number, number>;
  /** Whether the inputs are all that lies in the archive: a seal that goes on leaves later bundles for the next. */
  readonly isAll: boolean;
  /** The erasures that are taken into account, by number. */
  readonly erasures: readonly number[];
}

/**
 * Counts everything again, corrects what differs, and writes the Day's files anew; false where it goes on another time.
 */
async function compact(row: SealRow, { what, counted, isAll, erasures }: Compaction, deps: SealDeps): Promise<boolean> {
  const { archived } = what;
  const before = endOf(archived);
  const folder = sealedFolder(archived, `${row.generation + 1}-${before}-${removalsName(erasures)}`);
  const parts = await readParts(folder, deps);
  const merchantsOf = (part: SealedPart) => [...part.file.merchants, ...part.removed].map(({ merchant }) => merchant);
  const done = new Set(parts.flatMap(merchantsOf));
  const others = [...what.others].filter((merchant) => !done.has(merchant));
  const startedAt = deps.now();
  let writer = new SealedFileWriter(archived, folder, parts.length);
  let duplicates = 0;
  let removed = new RemovedCounts();
  let last = parts.at(-1)?.last ?? 0;
  let isOver = false;
  let own = new MerchantRows();
  const finishPart = async () => {
    const file = await writer.finish(deps);
    const part: SealedPart = { file, derived: writer.derived, duplicates, removed: removed.list(), last };
    await putObject(deps, sealedPartKey(folder, parts.length), JSON.stringify(part));
    parts.push(part);
    writer = new SealedFileWriter(archived, folder, parts.length);
    duplicates = 0;
    removed = new RemovedCounts();
    isOver = deps.now() - startedAt > SEAL_TURN_MS;
  };
  await recount(
    { ...what, others, after: last },
    {
      removed: (gone) => removed.add(gone),
      rows: (rows, read) => {
        writer.add(rows);
        own.add(rows);
        duplicates += read - rows.count - removed.ofSlice(rows.count);
      },
      ended: (merchant, settings, global) => {
        removed.endMerchant();
        const derived = settings && own.derive(row, { settings, global }, deps);
        own = new MerchantRows();
        writer.endMerchant(settings?.version ?? 0, derived);
        last = merchant;
        return writer.rows >= SEALED_FILE_ROWS;
      },
      compared: async (recounted) => {
        for (const { merchant, events, differences, countedBy } of recounted) {
          // Numbers are worth more than a seal: what the archive has lost must not be lost from them as well.
          const live = counted.get(merchant) ?? 0;
          assert(events >= live, `the archive has ${events} of the ${live} events counted of merchant ${merchant}`);
          // Events that came between the closing and the seal were counted by nobody: to count them is no correction.
          // So it is to leave out what somebody wanted erased: a partition takes out visits, and not drops.
          const isPlain = live > 0 && events === live && !what.removals?.some((one) => one.merchant === merchant);
          const corrected = row.generation === 0 && isPlain ? differences.length : 0;
          await correct(row, { differences, corrected, countedBy, known: what.known }, deps);
        }
        if (writer.rows >= SEALED_FILE_ROWS) await finishPart();
        return isOver ? "stop" : undefined;
      },
    },
    deps,
  );
  if (isOver) {
    await deps.sendSeals([{ day: row.day, partition: row.partition }], 0); // and goes on behind the last part
    return false;
  }
  if (writer.rows > 0 || removed.list().length > 0) await finishPart();
  const files = parts.map(({ file }) => file);
  const manifest: Manifest = {
    date: archived.date,
    partition: archived.partition,
    generation: row.generation + 1,
    rows: sum(files, ({ rows }) => rows),
    duplicates: sum(parts, (part) => part.duplicates),
    before,
    files,
  };
  const derived = parts.flatMap((part) => part.derived ?? []);
  const count = sum(files, (file) => file.merchants.length);
  if (derived.length > 0) await putObject(deps, derivedTableKey(folder), encodeDerivedTable(derived, count));
  await putObject(deps, manifestKey(folder), encodeManifest(manifest));
  const moved = await countMoved(row, new Set(parts.flatMap(merchantsOf)), deps);
  const merchants = files.flatMap((file) => file.merchants.map(({ merchant }) => merchant));
  await notePlaces(deps.ledgers.of(row.partition), { ...row, merchants });
  const gone = parts.flatMap((part) => part.removed);
  await commit(isAll ? row : { ...row, lateMarks: NO_MARKS }, { folder, manifest, gone, erasures, moved }, deps);
  return true;
}

/**
 * Counts the Days that events of this folder are shown in where these are others than its own: of merchants with a zone
 * of the past. What is in doubt fails the seal: it is tried again.
 */
async function countMoved(row: SealRow, merchants: ReadonlySet<number>, deps: SealDeps): Promise<readonly number[]> {
  const { day: folder, partition } = row;
  const isTheirs = (settings: Settings) => merchants.has(settings.merchant) && isMovedDay(settings, folder);
  const zoned = await readMoved(deps.directory);
  const moved = zoned.filter(isTheirs);
  for (let day = folder - FOLDERS_APART_MAX; day <= folder + FOLDERS_APART_MAX; day++) {
    const settings = moved.filter((one) => {
      const [from, to] = shownDaysOf(one, folder);
      return from <= day && day < to && isMovedDay(one, day);
    });
    if (settings.length === 0) continue;
    const { what } = await openMoved({ day, partition, settings }, deps);
    const compared = async (recounted: readonly Recounted[]) => {
      for (const { differences, countedBy } of recounted)
        await correct(row, { differences, corrected: 0, countedBy, known: what.known }, deps);
      return undefined;
    };
    await recount(what, { rows: () => {}, ended: () => false, compared }, deps);
  }
  return zoned.map(({ merchant }) => merchant);
}

/** How many rows of which merchant went for which erasure. */
class RemovedCounts {
  readonly #counts: RemovedRows[] = [];
  #current: { readonly merchant: number; readonly byErasure: Map<string, number> } | undefined;
  #slice = 0;
  #kept = 0;

  add({ merchant, erasure }: RemovedRow): void {
    this.#current ??= { merchant, byErasure: new Map() };
    this.#current.byErasure.set(erasure, (this.#current.byErasure.get(erasure) ?? 0) + 1);
    this.#slice += 1;
  }

  /** How many rows went since the last time, beside those that stay. */
  ofSlice(kept: number): number {
    const gone = this.#slice;
    this.#slice = 0;
    this.#kept += kept;
    return gone;
  }

  endMerchant(): void {
    const { merchant, byErasure } = this.#current ?? { merchant: 0, byErasure: new Map<string, number>() };
    const rowsBefore = [...byErasure.values()].reduce((sum, rows) => sum + rows, this.#kept);
    for (const [erasure, rowsRemoved] of byErasure) this.#counts.push({ merchant, erasure, rowsBefore, rowsRemoved });
    this.#current = undefined;
    this.#kept = 0;
  }

  list(): readonly RemovedRows[] {
    return this.#counts;
  }
}

/** What a seal has removed is part of its inputs, and so of its folder's name: "0" for nothing. */
function removalsName(erasures: readonly number[]): string {
  return erasures.length <= 1 ? String(erasures[0] ?? 0) : `${erasures[0]}-${erasures.at(-1)}-${erasures.length}`;
}

interface Committed {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly gone: readonly RemovedRows[];
  readonly erasures: readonly number[];
  /** Merchants with zones of the past. */
  readonly moved: readonly number[];
}

/** Equals no number of late bundles: those that came stay noted. */
const NO_MARKS = -1;

async function commit(
  row: SealRow,
  { folder, manifest, gone, erasures, moved }: Committed,
  deps: SealDeps,
): Promise<void> {
  const { generation, files, rows, duplicates } = manifest;
  const sealed = {
    generation,
    folder,
    rows,
    duplicates,
    merchants: sum(files, ({ merchants }) => merchants.length),
    bytes: sum(files, ({ bytes, derived }) => bytes + (derived?.bytes ?? 0)),
  };
  const now = deps.now();
  const replaced = row.folder === "" ? dayPrefix(manifest) : row.folder;
  const noted = { ...row, replaced, folder, removed: gone, erasures, moved, at: now };
  const cleanAt = gone.length > 0 ? now : now + deps.pace.sealGraceMs;
  const also = erasures.length > 0 || gone.length > 0 ? noteRemovals(deps.ledgers.of(row.partition), noted) : [];
  await commitSeal(deps.ledgers.of(row.partition), { row, sealed, now, cleanAt, also });
}

/** Writes what a merchant's Day should be where D1 has something else. */
async function correct(
  row: SealRow,
  {
    differences,
    corrected,
    countedBy,
    known,
  }: Pick<Recounted, "differences" | "countedBy"> & Pick<Recount, "known"> & { corrected: number },
  deps: SealDeps,
): Promise<void> {
  for (const { held, inDoubt } of differences) {
    assert(held?.published !== false && !inDoubt, "a complete Day holds nothing that D1 and the archive do not");
  }
  const shown: ShownDifference[] = differences.slice(0, REPLAY_SHOWN_MAX).map(shownOf);
  await announce(row.partition, merchantsOf(differences), deps);
  try {
    await sealRollups(deps.ledgers.of(row.partition), { seal: row, differences, corrected, shown, countedBy, known });
  } catch (error) {
    // Somebody may have died who was about to change settings: then nothing could be sealed any more.
    for (const scope of new Set([...differences.map(({ replayed }) => replayed.merchant), GLOBAL_MERCHANT]))
      await healSettings(deps, scope);
    throw error;
  }
}

/**
 * The position below which the inputs' bundles begin. With the generation it names the inputs, and so the files' bytes.
 */
function endOf({ manifest, bundles }: ArchivedDay): number {
  const last = parseBundleKey(bundles.at(-1)?.key ?? "");
  return last === undefined ? (manifest?.before ?? 0) : last.first + 1;
}

/** The parts that an earlier run has finished, in order. */
async function readParts(folder: string, deps: SealDeps): Promise<SealedPart[]> {
  const parts: SealedPart[] = [];
  for (;;) {
    const bytes = await readObject(deps, sealedPartKey(folder, parts.length));
    if (bytes === undefined) return parts;
    parts.push(JSON.parse(new TextDecoder().decode(bytes)) as SealedPart);
  }
}

/** Deletes what the sealed files stand for: bundles, runs, older generations, and what a seal that lost has left. */
async function clean(row: SealRow, deps: SealDeps, again: number | null = null): Promise<void> {
  const place = { date: dateOf(row.day), partition: row.partition };
  const { before, files } = await readManifest(deps, row.folder);
  const ofFiles = files.flatMap(({ key, derived }) => (derived === undefined ? [key] : [key, derived.key]));
  const kept = new Set([manifestKey(row.folder), derivedTableKey(row.folder), ...ofFiles]);
  const isOld = (key: string) => Number(/\/generation=(\d+)-/.exec(key)?.[1]) <= row.generation && !kept.has(key);
  const sealed = (await listKeys(deps, sealedPrefix(place))).filter(({ key }) => isOld(key));
  const bundles = (await listKeys(deps, dayPrefix(place))).filter(({ key }) => {
    const name = parseBundleKey(key);
    return name !== undefined && name.first < before;
  });
  const runs = (await listKeys(deps, runsPrefix(place))).filter(({ key }) => {
    const [, last] = /-(\d+)-\d+\.run/.exec(key) ?? [];
    return Number(last) < before;
  });
  const keys = [...sealed, ...bundles, ...runs].map(({ key }) => key);
  await deleteKeys(deps, keys);
  await deps.partition(row.partition).dropDay(row.day); // the seal may have died before it did either
  await commitClean(deps.ledgers.of(row.partition), { row, again });
}

function sum<T>(items: readonly T[], numberOf: (item: T) => number): number {
  return items.reduce((total, item) => total + numberOf(item), 0);
}
