// Late events of closed Days that no rollup has yet. They wait for the recount of their Day, in a partition's log or,
// after a note, in the archive. A question to rollups that touches such a Day counts it now from its events, with the
// code of the later recount. The resulting rows replace the stored ones. So the answer is the same before, during and
// after the recount's write (L8). The same is done for Days that a zone for the past has not reached yet, because such
// a zone moves events from one Day to another. Nearly always nothing waits, and then this file does nothing.

import { joinBlocks, sortRows } from "../../core/archive/event-columns.ts";
import { emptyDay, WHOLE_DAY } from "../../core/counting/day.ts";
import { replayGradually } from "../../core/counting/replay.ts";
import { type RollupRow, thinned, toRollupRow, withinOf } from "../../core/counting/rollup-row.ts";
import { FOLDERS_APART_MAX } from "../../core/limits.ts";
import { accepted, type Outcome } from "../../core/outcome.ts";
import { countedBy, isMovedDay, type Span, shownDay, shownDaysOf, shownZones } from "../../core/past-zone.ts";
import type { Plan } from "../../core/query/plan.ts";
import { invalid } from "../../core/query/refusal.ts";
import { distinctPlaces, type FoundEvents, foldersOfPlace, keyOf } from "../../storage/archive/merchant-events.ts";
import { type Merchant, settingsOf } from "../../storage/directory/merchants.ts";
import { isolateHashKey } from "../../storage/hash-key.ts";
import { hasTaken, listTaken } from "../../storage/ledger/erasure.ts";
import type { BehindPlaces } from "../../storage/ledger/places.ts";
import type { SealPlace } from "../../storage/ledger/sealed-day.ts";
import type { Deps } from "./deps.ts";
import {
  type Cost,
  findPlaces,
  firstKeptDay,
  isTooLarge,
  NOTHING_LEFT,
  openPlaces,
  readRecent,
  type TooLarge,
  underOf,
} from "./scan.ts";
import { inTurn, type Turn } from "./turn.ts";

/** Rollups as the recount will write them. */
export interface Recounted {
  /** Whether these rollups replace a stored or live row. */
  readonly replaces: (row: RollupRow) => boolean;
  readonly rows: readonly RollupRow[];
}

const NOTHING: Recounted = { replaces: () => false, rows: [] };

/** What decides which rollups a plan reads. */
type Reads = Pick<Plan, "range" | "grain" | "breakdowns" | "openFrom" | "question">;

export interface NotCounted {
  readonly plan: Reads;
  /** The late events that partitions have named. */
  readonly late: readonly SealPlace[];
  /** What the ledger has said after the partitions, together with the first rollups. */
  readonly behind: BehindPlaces;
}

/**
 * The Days in which to look for what a plan's rollups lack. A zone for the past shows events from the folders of Days
 * near.
 */
export function aroundOf({ range: { fromDay, toDay } }: Pick<Reads, "range">) {
  return { fromDay: fromDay - FOLDERS_APART_MAX, toDay: toDay + FOLDERS_APART_MAX };
}

/**
 * Counts what stored rows lack. The ledger is asked after partitions, and no rollup is read before the ledger has named
 * the Days that are behind. So each event is in `late`, in `behind`, or in rollups that were read at the same time or
 * later. The questions of a batch have them counted once.
 */
export async function countUncounted(
  lacking: NotCounted,
  merchant: Merchant,
  { deps, cost }: { readonly deps: Deps; readonly cost: Cost },
): Promise<Outcome<Recounted>> {
  const { plan, late, behind } = lacking;
  const { fromDay, toDay } = plan.range;
  const folders = distinctPlaces([...late, ...behind.folders]);
  if (folders.length === 0 && behind.days.length === 0) return accepted(NOTHING);
  const shown = distinctPlaces([...folders.flatMap((place) => shownPlaces(place, merchant)), ...behind.days]);
  const wanted = shown.filter(({ day }) => day >= fromDay && day < toDay);
  const places = await withoutTaken(wanted, merchant, deps);
  if (places.length === 0) return accepted(NOTHING);
  if (deps.together !== undefined) return deps.together.uncounted({ lacking, cost });
  const events = await openDays(places, { plan, merchant }, { deps, cost });
  if (!events.ok) return events;
  const under = await underOf(merchant, deps);
  const rows = await inTurn(deps, async (turn) => {
    const found: RollupRow[] = [];
    for (const place of places) found.push(...(await countPlace(place, { plan, under, events: events.value, turn })));
    return found;
  });
  if (rows === undefined) return invalid(NOTHING_LEFT);
  const keys = new Set(places.map(keyOf));
  const { settings } = under;
  const zones = shownZones(settings);
  // A moved Hour belongs to the Day in which it is shown, whatever Day it was counted under.
  const dayOf = ({ grain, bucket, day }: RollupRow) => {
    const other = grain === "hour" && settings.past !== undefined ? shownDay(zones, bucket) : day;
    return isMovedDay(settings, other) ? other : day;
  };
  return accepted({ replaces: (row) => keys.has(keyOf({ day: dayOf(row), partition: row.partition })), rows });
}

/** The Days in which events of a folder are shown. */
function shownPlaces({ day, partition }: SealPlace, merchant: Merchant): readonly SealPlace[] {
  const settings = settingsOf(merchant);
  const [from, to]: Span = settings.past === undefined ? [day, day + 1] : shownDaysOf(settings, day);
  return Array.from({ length: to - from }, (_, index) => ({ day: from + index, partition }));
}

/** Leaves out Days whose events retention has deleted. Their numbers stay as they are, whatever late events come. */
async function withoutTaken(
  places: readonly SealPlace[],
  merchant: Merchant,
  { ledgers, now }: Deps,
): Promise<readonly SealPlace[]> {
  if (places.length === 0) return [];
  const settings = settingsOf(merchant);
  const ledger = ledgers.ofMerchant(merchant.number);
  const first = firstKeptDay(merchant, now());
  const kept = places.filter(({ day }) => day >= first);
  const days = kept.map(({ day }) => day);
  const span: Span = [Math.min(...days) - FOLDERS_APART_MAX, Math.max(...days) + FOLDERS_APART_MAX + 1];
  if (kept.length === 0 || !(await hasTaken(ledger, { merchant: merchant.number, days: span }))) return kept;
  const left: SealPlace[] = [];
  for (const place of kept) {
    const folders = foldersOfPlace(settings, place).map(({ day }) => day);
    const days: Span = [Math.min(...folders), Math.max(...folders) + 1];
    const asked = { merchants: [merchant.number], days, partition: place.partition };
    if ((await listTaken(ledger, asked)).length === 0) left.push(place);
  }
  return left;
}

/**
 * The events of the Days. Refused where they are too many for a request, with all places that a job would read for the
 * question.
 */
async function openDays(
  places: readonly SealPlace[],
  { plan, merchant }: { readonly plan: Reads; readonly merchant: Merchant },
  { deps, cost }: { readonly deps: Deps; readonly cost: Cost },
): Promise<Outcome<FoundEvents>> {
  const folders = places.flatMap((place) => foldersOfPlace(settingsOf(merchant), place)).map(({ day }) => day);
  const recent = await readRecent(merchant, { from: Math.min(...folders), to: Math.max(...folders) + 1 }, deps);
  if (!recent.ok) return recent;
  // Nobody has counted how many events there are, but their bytes are bounded.
  const known = { places, events: new Map<string, number>(), recent: recent.value, rows: 0 };
  const wanted = { known, places, columns: ["props"], together: "partition" } as const;
  const found = await openPlaces(merchant, wanted, { deps, cost });
  if (!isTooLarge(found)) return found;
  const { fromDay, toDay } = plan.range;
  // A job counts events. It knows nothing of Days of which only numbers are left, and nothing of drops.
  const isForJob = fromDay >= firstKeptDay(merchant, deps.now()) && !plan.question.metrics.includes("drops");
  if (!isForJob) return { ok: found.ok, rejection: found.rejection };
  const all = await findPlaces(merchant, { from: fromDay, to: toDay }, deps);
  if (!all.ok) return all;
  const refusal: TooLarge = { ...found, places: all.value.places };
  return refusal;
}

interface PlaceCount {
  readonly plan: Reads;
  readonly under: Awaited<ReturnType<typeof underOf>>;
  readonly events: FoundEvents;
  readonly turn: Turn;
}

/** Counts a merchant's Day in one partition, in the order of its log. Of rows with the same id the first one counts. */
async function countPlace(
  { day, partition }: SealPlace,
  { plan, under, events, turn }: PlaceCount,
): Promise<readonly RollupRow[]> {
  const { settings, global } = under;
  const replayed = { state: emptyDay(settings.merchant, day, isolateHashKey()), partition };
  const by = { settings: isMovedDay(settings, day) ? countedBy(settings) : settings, global };
  const giveWay = (rows: number) => turn.giveWayAfter(rows);
  for await (const { partitions } of events.of([{ day, partition }], giveWay))
    await turn.run(replayGradually(replayed, sortRows(joinBlocks(partitions)), by));
  const { state } = replayed;
  const rowOf = (slot: number, version: number) =>
    toRollupRow(state, { slot, partition, version, dimensions: plan.breakdowns });
  if (plan.grain === "day")
    return [...state.changed].flatMap(([slot, at]) => (slot === WHOLE_DAY ? [rowOf(slot, at)] : []));
  if (day >= plan.openFrom)
    return [...state.changed].flatMap(([slot, at]) => (slot === WHOLE_DAY ? [] : [rowOf(slot, at)]));
  const within = withinOf(toRollupRow(state, { slot: WHOLE_DAY, partition, version: 0, dimensions: [] }));
  // The Hours as the block will have them.
  const hours = [...state.changed].filter(([slot]) => slot !== WHOLE_DAY);
  return hours.map(([slot, version]) => {
    const row = thinned(rowOf(slot, version));
    return within === undefined ? row : { ...row, within: within(slot) };
  });
}
