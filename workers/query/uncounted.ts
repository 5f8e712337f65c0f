// Late events of closed Days that no rollup knows yet: they wait in a partition's log or, noted, in the archive for the
// recount of their Day. A question to rollups that touches such a Day has it counted now, from the events, by the code
// that will count it then; the rows that come out stand in the place of those that are stored. So it says the same
// before, while and after the recount writes (L8). So it does with Days that a zone of the past, on its way through the
// Days, has yet to reach: an event that it moves has left one Day and come to another at once. Where nothing waits,
// nearly always, this does nothing.

import { joinBlocks, sortRows } from "../../core/archive/event-columns.ts";
import { emptyDay, WHOLE_DAY } from "../../core/counting/day.ts";
import { replayRows } from "../../core/counting/replay.ts";
import { type RollupRow, thinned, toRollupRow, withinOf } from "../../core/counting/rollup-row.ts";
import { FOLDERS_APART_MAX } from "../../core/limits.ts";
import { accepted, type Outcome } from "../../core/outcome.ts";
import { countedBy, isMovedDay, type Span, shownDay, shownDaysOf, shownZones } from "../../core/past-zone.ts";
import type { Plan } from "../../core/query/plan.ts";
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
  openPlaces,
  readRecent,
  type TooLarge,
  underOf,
} from "./scan.ts";

/** Rollups as their recount will write them. */
export interface Recounted {
  /** Whether a stored or live row is one that these take the place of. */
  readonly replaces: (row: RollupRow) => boolean;
  readonly rows: readonly RollupRow[];
}

const NOTHING: Recounted = { replaces: () => false, rows: [] };

interface NotCounted {
  readonly plan: Plan;
  /** What partitions have said. */
  readonly late: readonly SealPlace[];
  /** What the ledger has said after them, with the first of the rollups. */
  readonly behind: BehindPlaces;
}

/** Where it is looked for what a plan's rollups lack: a zone of the past shows what lies in folders of Days near. */
export function aroundOf({ range: { fromDay, toDay } }: Pick<Plan, "range">) {
  return { fromDay: fromDay - FOLDERS_APART_MAX, toDay: toDay + FOLDERS_APART_MAX };
}

/**
 * What stored rows lack. The ledger is asked after partitions, and no rollup is read before it has said what is behind,
 * so an event is among `late`, or among `behind`, or in the rollups that were read with it or later.
 */
export async function countUncounted(
  { plan, late, behind }: NotCounted,
  merchant: Merchant,
  { deps, cost }: { readonly deps: Deps; readonly cost: Cost },
): Promise<Outcome<Recounted>> {
  const { fromDay, toDay } = plan.range;
  const folders = distinctPlaces([...late, ...behind.folders]);
  if (folders.length === 0 && behind.days.length === 0) return accepted(NOTHING);
  const shown = distinctPlaces([...folders.flatMap((place) => shownPlaces(place, merchant)), ...behind.days]);
  const wanted = shown.filter(({ day }) => day >= fromDay && day < toDay);
  const places = await withoutTaken(wanted, merchant, deps);
  if (places.length === 0) return accepted(NOTHING);
  const events = await openDays(places, { plan, merchant }, { deps, cost });
  if (!events.ok) return events;
  const rows: RollupRow[] = [];
  const under = await underOf(merchant, deps);
  for (const place of places) rows.push(...(await countPlace(place, { plan, under, events: events.value })));
  const keys = new Set(places.map(keyOf));
  const { settings } = under;
  const zones = shownZones(settings);
  // An Hour that has moved belongs to the Day that it is shown in, whatever Day it was counted under.
  const dayOf = ({ grain, bucket, day }: RollupRow) => {
    const other = grain === "hour" && settings.past !== undefined ? shownDay(zones, bucket) : day;
    return isMovedDay(settings, other) ? other : day;
  };
  return accepted({ replaces: (row) => keys.has(keyOf({ day: dayOf(row), partition: row.partition })), rows });
}

/** The Days that events of a folder are shown in. */
function shownPlaces({ day, partition }: SealPlace, merchant: Merchant): readonly SealPlace[] {
  const settings = settingsOf(merchant);
  const [from, to]: Span = settings.past === undefined ? [day, day + 1] : shownDaysOf(settings, day);
  return Array.from({ length: to - from }, (_, index) => ({ day: from + index, partition }));
}

/** Numbers of Days whose events retention has taken stay what they are, whatever comes late. */
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

/** Their events; refused where they are too many for a request, with all that a job would read for the question. */
async function openDays(
  places: readonly SealPlace[],
  { plan, merchant }: { readonly plan: Plan; readonly merchant: Merchant },
  { deps, cost }: { readonly deps: Deps; readonly cost: Cost },
): Promise<Outcome<FoundEvents>> {
  const folders = places.flatMap((place) => foldersOfPlace(settingsOf(merchant), place)).map(({ day }) => day);
  const recent = await readRecent(merchant, { from: Math.min(...folders), to: Math.max(...folders) + 1 }, deps);
  if (!recent.ok) return recent;
  // How many events there are nobody has counted; their bytes are bounded.
  const known = { places, events: new Map<string, number>(), recent: recent.value, rows: 0 };
  const wanted = { known, places, columns: ["props"], together: "partition" } as const;
  const found = await openPlaces(merchant, wanted, { deps, cost });
  if (!isTooLarge(found)) return found;
  const { fromDay, toDay } = plan.range;
  // A job counts events: of Days that only numbers are left of it would know nothing, and of drops nothing at all.
  const isForJob = fromDay >= firstKeptDay(merchant, deps.now()) && !plan.question.metrics.includes("drops");
  if (!isForJob) return { ok: found.ok, rejection: found.rejection };
  const all = await findPlaces(merchant, { from: fromDay, to: toDay }, deps);
  if (!all.ok) return all;
  const refusal: TooLarge = { ...found, places: all.value.places };
  return refusal;
}

interface PlaceCount {
  readonly plan: Plan;
  readonly under: Awaited<ReturnType<typeof underOf>>;
  readonly events: FoundEvents;
}

/** A merchant's Day in one partition, in the order of its log: of rows with one id the first counts. */
async function countPlace(
  { day, partition }: SealPlace,
  { plan, under, events }: PlaceCount,
): Promise<readonly RollupRow[]> {
  const { settings, global } = under;
  const replayed = { state: emptyDay(settings.merchant, day, isolateHashKey()), partition };
  const by = { settings: isMovedDay(settings, day) ? countedBy(settings) : settings, global };
  for await (const { partitions } of events.of([{ day, partition }])) {
    replayRows(replayed, sortRows(joinBlocks(partitions)), by);
  }
  const { state } = replayed;
  const rowOf = (slot: number, version: number) =>
    toRollupRow(state, { slot, partition, version, dimensions: plan.breakdowns });
  if (plan.grain === "day")
    return [...state.changed].flatMap(([slot, at]) => (slot === WHOLE_DAY ? [rowOf(slot, at)] : []));
  if (day >= plan.openFrom)
    return [...state.changed].flatMap(([slot, at]) => (slot === WHOLE_DAY ? [] : [rowOf(slot, at)]));
  const within = withinOf(toRollupRow(state, { slot: WHOLE_DAY, partition, version: 0, dimensions: [] }));
  // As the block will have them.
  const hours = [...state.changed].filter(([slot]) => slot !== WHOLE_DAY);
  return hours.map(([slot, version]) => {
    const row = thinned(rowOf(slot, version));
    return within === undefined ? row : { ...row, within: within(slot) };
  });
}
