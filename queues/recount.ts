// Counts a (Day, partition) again from the archive and compares the numbers with what readers see, one merchant after
// the other. Seals, replay jobs and erasures all do this, with different consequences. Memory holds a few merchants'
// rollups, one merchant's Day, and what reading the archive needs. Merchants with a zone of the past on that Day are
// counted by themselves (recount-moved.ts), since their events lie in several folders. That count uses this file as
// well.

import { type ColumnBlock, eventAt, filterRows, numbersOf } from "../core/archive/event-columns.ts";
import { emptyDay } from "../core/counting/day.ts";
import { type Difference, differencesOf, type HeldRow, heldRows } from "../core/counting/difference.ts";
import { duplicateKey } from "../core/counting/duplicate.ts";
import { erasedWhole, isExpired, LOST, RETENTION, type Removal, removalOf } from "../core/counting/erasure.ts";
import type { LiveReply, LiveRequest } from "../core/counting/live.ts";
import { MovedDay } from "../core/counting/moved-day.ts";
import { poolPartition } from "../core/counting/placement.ts";
import { type ReplayedDay, type ReplayedUnder, replayedRows, replayRows } from "../core/counting/replay.ts";
import { ALL_DIMENSIONS } from "../core/counting/rollup.ts";
import { isThin, type RollupRow } from "../core/counting/rollup-row.ts";
import {
  FOLDERS_APART_MAX,
  REPLAY_AHEAD_MERCHANTS,
  REPLAY_AHEAD_ROWS,
  REPLAY_MERCHANTS_READ,
  REPLAY_READ_EVENTS,
} from "../core/limits.ts";
import type { PastZone, Settings, ZonePeriod } from "../core/merchant.ts";
import { countedBy, foldersOf, isMovedDay, type Span, shownDay, shownZones, withPastZone } from "../core/past-zone.ts";
import { GLOBAL_MERCHANT, isBeingCounted, periodOfDays, type Rules, type RuleTimeline } from "../core/rules.ts";
import { DAY_MS } from "../core/time.ts";
import { type ArchivedDay, readDays } from "../storage/archive/archive-day.ts";
import type { ArchiveBucket } from "../storage/archive/bucket.ts";
import type { Directory } from "../storage/directory/directory.ts";
import { readSettings, readSettingsOf } from "../storage/directory/settings.ts";
import { isolateHashKey } from "../storage/hash-key.ts";
import { type KnownRemovals, listTaken } from "../storage/ledger/erasure.ts";
import type { Ledgers } from "../storage/ledger/ledgers.ts";
import type { SettingsVersions } from "../storage/ledger/replay-write.ts";
import { readDayRollups } from "../storage/ledger/rollups.ts";
import type { ShownDifference } from "../storage/ledger/schema.ts";

/** What a recount asks of a partition. */
export interface RecountedPartition {
  unpublished(day: number): Promise<readonly number[]>;
  live(request: LiveRequest): Promise<LiveReply>;
  noteChange(merchants: readonly number[]): Promise<void>;
  status(): Promise<{ readonly nextPosition: number; readonly archivedPosition: number }>;
  completeness(day: number): Promise<
    | { readonly complete: false; readonly why: string }
    | {
        readonly complete: true;
        readonly position: number;
        readonly counted: readonly (readonly [merchant: number, events: number])[];
      }
  >;
}

export interface RecountDeps {
  readonly directory: Directory;
  readonly ledgers: Ledgers;
  readonly bucket: ArchiveBucket;
  readonly partition: (name: string) => RecountedPartition;
  /** Pool partitions of the deployment. */
  readonly poolSize: number;
  /** UTC ms. */
  readonly now: () => number;
}

export interface Recount {
  /** Number of the local date. */
  readonly day: number;
  readonly partition: string;
  readonly archived: ArchivedDay;
  /** The folders to read instead of `archived`, where only merchants are counted whose Day has moved. */
  readonly folders?: readonly ArchivedDay[];
  /** Whether a merchant's Day has moved. Default: isMovedDay (core/past-zone.ts). */
  readonly hasMoved?: (settings: Settings) => boolean;
  /** Every event below this position lay in the archive before `archived` was looked up. */
  readonly archivedPosition: number;
  /** Only merchants above this number are counted; 0 for all. */
  readonly after: number;
  /** Only these merchants are counted; undefined for all. */
  readonly merchants?: ReadonlySet<number> | undefined;
  /** Merchants that readers may see numbers of, although the archive may have no event of theirs. */
  readonly others: Iterable<number>;
  readonly columns?: readonly string[];
  /** The events that erasures remove. None of them is counted. */
  readonly removals?: readonly Removal[];
  /** Names these removals, for whoever writes the numbers that were counted. */
  readonly known: KnownRemovals;
  /** Rules that are tried out: events are counted as if these rules had been applied to the Day. */
  readonly preview?: RulesPreview | undefined;
  /** A zone of the past that is tried out. */
  readonly zonePreview?: PastZone | undefined;
}

/** Rules for a past Day as they would be put on a timeline: the deployment's, or each merchant's own. */
export interface RulesPreview {
  readonly isGlobal: boolean;
  /** Undefined for the rules decided last. */
  readonly draft: Rules | undefined;
}

/**
 * Tells partitions that numbers which the ledger has of some merchants are about to be written: answers that are
 * remembered are then not found any more. Whoever writes says it first, at each try. It is told to the partition that
 * the rollups are of, and to each merchant's own of the pool. Every question asks the latter; the former is asked no
 * more where POOL_SIZE or the regions are others than when the Day was counted.
 */
export async function announce(
  partition: string,
  merchants: Iterable<number>,
  deps: Pick<RecountDeps, "partition" | "poolSize">,
): Promise<void> {
  const told = new Map<string, Set<number>>();
  for (const merchant of merchants)
    for (const name of [partition, poolPartition(merchant, deps.poolSize)])
      told.set(name, (told.get(name) ?? new Set()).add(merchant));
  await Promise.all([...told].map(([name, own]) => deps.partition(name).noteChange([...own])));
}

/** The merchants whose numbers differ. */
export function merchantsOf(differences: readonly Difference[]): readonly number[] {
  return differences.map(({ merchant }) => merchant);
}

/** What counting one merchant's Day again has found. */
export interface Recounted {
  readonly merchant: number;
  /** Distinct events that the archive has, removed ones included. */
  readonly events: number;
  /** How many buckets were compared: all that the counted rows or those that readers see have. */
  readonly buckets: number;
  readonly differences: readonly Difference[];
  readonly held: readonly HeldRow[];
  readonly replayed: readonly RollupRow[];
  /**
   * The versions of settings that the rows were counted by: the rows may be wrong where these have changed since.
   * Undefined where the archive has no event, since then no rules were used.
   */
  readonly countedBy: SettingsVersions | undefined;
  /** Whether a job is still counting the Day by the rules that were put on it last. */
  readonly isBeingCounted: boolean;
}

/** An event that an erasure, or the end of its merchant's retention, removes. */
export interface RemovedRow {
  readonly merchant: number;
  /** Id of the erasure, or RETENTION. */
  readonly erasure: string;
}

/**
 * The caller's steps. For each merchant they come in this order; `compared` comes for several merchants at once, and
 * may end the recount.
 */
export interface RecountSteps {
  /** Events of one merchant, without those whose id came before. */
  readonly rows: (rows: ColumnBlock, read: number) => void;
  readonly removed?: (row: RemovedRow) => void;
  /**
   * Called after the last event of a merchant; `settings` is undefined where the merchant was deleted. `global` are the
   * deployment's own rules. True asks for `compared` at once.
   */
  readonly ended: (merchant: number, settings: Settings | undefined, global: RuleTimeline) => boolean;
  /** What was found for all merchants that have ended since the last call. */
  readonly compared: (recounted: readonly Recounted[]) => Promise<"stop" | undefined>;
}

interface Current {
  readonly day: ReplayedDay;
  /** Set where the Day is made of events of several folders. */
  readonly moved: MovedDay | undefined;
  readonly settings: Settings | undefined;
  readonly isExpired: boolean;
  readonly isLost: boolean;
  removed: number;
}

interface Ended {
  readonly merchant: number;
  /** The time zones that its Days are shown by. */
  readonly zones: readonly ZonePeriod[];
  readonly events: number;
  /** Undefined where the archive has no event. */
  readonly replayed: ReplayedDay | undefined;
  readonly countedBy: SettingsVersions | undefined;
  readonly isBeingCounted: boolean;
}

/**
 * Reads the archive first, then the partition, then D1. So an event that is read in the archive cannot be missing in
 * the numbers that it is compared with (RPL-5).
 */
export async function recount(what: Recount, steps: RecountSteps, deps: RecountDeps): Promise<void> {
  const { after, merchants, columns } = what;
  const isWanted = (merchant: number) => merchants?.has(merchant) ?? true;
  const others = new Set([...what.others].filter(isWanted));
  const { version: globalVersion, rules: decided } = (await readSettings(deps.directory, GLOBAL_MERCHANT)) ?? NO_GLOBAL;
  const { preview } = what;
  const isOfMoved = what.folders !== undefined;
  const hasMoved = what.hasMoved ?? ((settings: Settings) => isMovedDay(settings, what.day));
  const isTheirs = (settings: Settings) => hasMoved(settings) === isOfMoved;
  const global = preview?.isGlobal ? previewOf(what, decided) : decided;
  let ended: Ended[] = [];
  let events = 0;
  let current: Current | undefined;
  const erased = erasedWhole(what.removals ?? []);
  let isStopped = false;
  const flush = async () => {
    if (ended.length > 0) isStopped = (await steps.compared(await compare(what, ended, deps))) === "stop";
    ended = [];
    events = 0;
  };
  const end = async () => {
    if (current === undefined) return;
    const { merchant, ids } = current.day.state;
    // A deleted merchant has no numbers to compare. Numbers of a Day beyond retention stay what they are, and those of
    // a Day of which events are lost, unless an erasure removes them.
    const { settings } = current;
    const isKept = current.isExpired || current.isLost;
    if (settings !== undefined && isTheirs(settings) && (!isKept || erased.has(merchant))) {
      ended.push({
        merchant,
        events: ids.size + current.removed,
        replayed: current.day,
        zones: shownZones(settings),
        countedBy: { own: settings.version, global: globalVersion },
        isBeingCounted: isBeingCounted(settings.rules, what.day),
      });
      events += ids.size;
    }
    const mustCompare = steps.ended(merchant, settings, global);
    current = undefined;
    if (mustCompare || ended.length >= REPLAY_MERCHANTS_READ || events >= REPLAY_READ_EVENTS) await flush();
  };
  const folders = what.folders ?? [what.archived];
  const slices = readDays({ bucket: deps.bucket }, folders, { after, isWanted, columns });
  for await (const { rows, settings, isOver, isLost } of withSettings(slices, what, deps)) {
    const merchant = merchantOf(rows);
    if (current?.day.state.merchant !== merchant) {
      await end();
      if (isStopped) return;
      const day = { state: emptyDay(merchant, what.day, isolateHashKey()), partition: what.partition };
      const isOwn = settings !== undefined && preview !== undefined && !preview.isGlobal;
      const tried = isOwn ? { ...settings, rules: previewOf(what, settings.rules) } : settings;
      const moved = isOfMoved && tried !== undefined ? new MovedDay(tried, what.day, isolateHashKey()) : undefined;
      current = { day, moved, settings: tried, isExpired: isOver, isLost, removed: 0 };
      others.delete(merchant);
    }
    const counted = current as Current;
    const own = counted.settings && (isOfMoved ? countedBy(counted.settings) : counted.settings);
    const removals = what.removals?.filter((removal) => removal.merchant === merchant) ?? [];
    const left = filterRows(rows, (row) => {
      const archived = { ...rows, position: rows.positions[row] as number, event: eventAt(rows, row) };
      const erasure = counted.isExpired ? RETENTION : removalOf(archived, removals)?.erasure;
      if (erasure === undefined) return counted.moved?.takes(archived.event) !== false;
      counted.removed += 1;
      steps.removed?.({ merchant, erasure });
      return false;
    });
    steps.rows(counting(counted.day, left, own && { settings: own, global }), rows.count);
  }
  await end();
  for (const settings of await withoutExpired([...others], { ...what, erased, isTheirs }, deps)) {
    if (isStopped) return;
    const { merchant } = settings;
    const rest = {
      replayed: undefined,
      countedBy: undefined,
      isBeingCounted: isBeingCounted(settings.rules, what.day),
    };
    ended.push({ merchant, events: 0, zones: shownZones(settings), ...rest });
    if (ended.length >= REPLAY_MERCHANTS_READ) await flush();
  }
  if (!isStopped) await flush();
}

/** The settings of merchants that the archive has no event of, without those whose events are gone. */
async function withoutExpired(
  merchants: readonly number[],
  place: SettledPlace & { readonly erased: ReadonlySet<number>; readonly isTheirs: (settings: Settings) => boolean },
  deps: RecountDeps,
): Promise<readonly Settings[]> {
  const kept: Settings[] = [];
  for (let start = 0; start < merchants.length; start += REPLAY_AHEAD_MERCHANTS) {
    const settled = await readSettled(merchants.slice(start, start + REPLAY_AHEAD_MERCHANTS), place, deps);
    for (const [merchant, { settings, isOver, isLost }] of settled)
      if (place.isTheirs(settings) && (!(isOver || isLost) || place.erased.has(merchant))) kept.push(settings);
  }
  return kept;
}

type SettledPlace = Pick<Recount, "day" | "partition" | "folders" | "zonePreview">;

/** The settings that a merchant's Day is counted by. */
interface Settled {
  readonly settings: Settings;
  /** Whether a retention has ended for the Day, or has taken events of it before. */
  readonly isOver: boolean;
  /** Whether events of it were lost with the bucket. */
  readonly isLost: boolean;
}

/** Reads this for those of the merchants that exist. They must be so few that they fit a statement. */
export async function readSettled(
  merchants: readonly number[],
  { day, partition, folders, zonePreview }: SettledPlace,
  deps: Pick<RecountDeps, "directory" | "ledgers" | "now">,
): Promise<ReadonlyMap<number, Settled>> {
  const today = Math.floor(deps.now() / DAY_MS);
  const days: Span = folders === undefined ? [day, day + 1] : [day - FOLDERS_APART_MAX, day + FOLDERS_APART_MAX + 1];
  const taken = await listTaken(deps.ledgers.of(partition), { merchants, days, partition });
  const found = await readSettingsOf(deps.directory, merchants);
  return new Map(
    found.map((known) => {
      const settings = zonePreview === undefined ? known : withPastZone(known, zonePreview);
      // A Day of which some events are gone cannot be counted again as a whole.
      const [from, to] = folders === undefined ? days : foldersOf(settings, day);
      const own = taken.filter((one) => one.merchant === settings.merchant && from <= one.day && one.day < to);
      const isOver = isExpired(settings, from, today) || own.some(({ erasure }) => erasure === RETENTION);
      return [settings.merchant, { settings, isOver, isLost: own.some(({ erasure }) => erasure === LOST) }];
    }),
  );
}

/** The deployment's settings where it has none: no rules. */
const NO_GLOBAL = { version: 0, rules: [] as RuleTimeline };

function previewOf({ day, preview }: Recount, timeline: RuleTimeline): RuleTimeline {
  return [...timeline, periodOfDays(timeline, [day, day + 1], preview?.draft)];
}

/** A difference as it is kept and shown. */
export function shownOf({ merchant, grain, bucket, inDoubt, mismatches }: Difference): ShownDifference {
  return { merchant, grain, bucket, in_doubt: inDoubt, mismatches };
}

/**
 * Counts events, and returns them as they are to be kept, without those whose id came before. For a deleted merchant
 * only the ids are noted.
 */
function counting(day: ReplayedDay, rows: ColumnBlock, under: ReplayedUnder | undefined): ColumnBlock {
  if (under !== undefined) return replayRows(day, rows, under);
  return filterRows(rows, (row) => {
    const event = eventAt(rows, row);
    return event.dropped === "duplicate" || day.state.ids.add(duplicateKey(event));
  });
}

function merchantOf(rows: ColumnBlock): number {
  return numbersOf(rows, "merchant")[0] as number;
}

interface SettledSlice {
  readonly rows: ColumnBlock;
  readonly settings: Settings | undefined;
  readonly isOver: boolean;
  readonly isLost: boolean;
}

/** Reads some slices ahead, so that one statement reads the settings of many merchants. */
async function* withSettings(
  slices: AsyncIterable<ColumnBlock>,
  place: SettledPlace,
  deps: RecountDeps,
): AsyncGenerator<SettledSlice> {
  const known = new Map<number, Settled | undefined>();
  let waiting: ColumnBlock[] = [];
  let rows = 0;
  const settled = async (): Promise<readonly SettledSlice[]> => {
    const wanted = new Set(waiting.map(merchantOf));
    for (const merchant of known.keys()) if (!wanted.has(merchant)) known.delete(merchant);
    const asked = [...wanted].filter((merchant) => !known.has(merchant));
    for (const merchant of asked) known.set(merchant, undefined);
    if (asked.length > 0) {
      for (const [merchant, settled] of await readSettled(asked, place, deps)) known.set(merchant, settled);
    }
    const ready = waiting.map((slice) => {
      const unknown = { settings: undefined, isOver: false, isLost: false };
      return { rows: slice, ...(known.get(merchantOf(slice)) ?? unknown) };
    });
    waiting = [];
    rows = 0;
    return ready;
  };
  for await (const slice of slices) {
    waiting.push(slice);
    rows += slice.count;
    if (waiting.length >= REPLAY_AHEAD_MERCHANTS || rows >= REPLAY_AHEAD_ROWS) yield* await settled();
  }
  yield* await settled();
}

async function compare(what: Recount, ended: readonly Ended[], deps: RecountDeps): Promise<readonly Recounted[]> {
  const merchants = ended.map(({ merchant }) => merchant);
  const unpublished = new Set(await deps.partition(what.partition).unpublished(what.day));
  const liveOnes = merchants.filter((merchant) => unpublished.has(merchant));
  const live = await readLive(what, liveOnes, deps);
  const { day, partition, archivedPosition } = what;
  const isMoved = what.folders !== undefined;
  const stored = await readDayRollups(deps.ledgers.of(partition), { day, partition, merchants, isMoved });
  const liveOf = Map.groupBy(live, ({ merchant }) => merchant);
  const storedOf = Map.groupBy(stored, ({ merchant }) => merchant);
  return ended.map(({ merchant, events, replayed: counted, countedBy, isBeingCounted, zones }) => {
    const ofDay = (rows: readonly RollupRow[] = []) =>
      isMoved ? rows.filter((row) => isOfDay(row, day, zones)) : rows;
    const held = heldRows({ live: ofDay(liveOf.get(merchant)), stored: ofDay(storedOf.get(merchant)) });
    const thin = new Set(held.flatMap(({ row }) => (isThin(row) ? [row.bucket] : [])));
    const replayed = counted === undefined ? [] : replayedRows(counted, (hourStart) => thin.has(hourStart));
    const found = differencesOf({ held, replayed, archivedPosition, day });
    const differences = counted === undefined ? found : found.map((one) => withWholeRow(one, counted));
    const buckets = Math.max(held.length, replayed.length);
    return { merchant, events, buckets, differences, held, replayed, countedBy, isBeingCounted };
  });
}

/** Of an Hour that was compared by its totals, what is written is the whole row. */
function withWholeRow(difference: Difference, counted: ReplayedDay): Difference {
  const { replayed } = difference;
  if (!isThin(replayed)) return difference;
  const whole = replayedRows(counted).find(({ grain, bucket }) => grain === "hour" && bucket === replayed.bucket);
  return whole === undefined ? difference : { ...difference, replayed: whole };
}

/** An Hour belongs to the Day that its first instant is shown in, whatever Day it was counted under. */
function isOfDay({ grain, bucket }: RollupRow, day: number, zones: readonly ZonePeriod[]): boolean {
  return grain === "day" ? bucket === day : shownDay(zones, bucket) === day;
}

async function readLive(
  { day, partition }: Recount,
  merchants: readonly number[],
  deps: RecountDeps,
): Promise<readonly RollupRow[]> {
  const rows: RollupRow[] = [];
  for (const merchant of merchants) {
    const request = { merchant, dimensions: ALL_DIMENSIONS };
    const days = await deps.partition(partition).live({ ...request, grain: "day", from: day, to: day + 1 });
    const hoursOf = { from: (day - 1) * DAY_MS, to: (day + 2) * DAY_MS };
    const hours = await deps.partition(partition).live({ ...request, grain: "hour", ...hoursOf });
    rows.push(...days.rows, ...hours.rows.filter((row) => row.day === day));
  }
  return rows;
}
