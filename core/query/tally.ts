// Adds rollup rows up into the groups of an answer: one group per time label and value. Rows may come in any order and
// in any number of portions, so a host can read D1 page by page and keep only the groups. Rows are joined first: where
// D1 and a partition both have a row of a bucket, the row with the higher version is added. `answer.ts` turns groups
// into results.

import { ByteReader } from "../bytes.ts";
import { slotOf } from "../counting/day.ts";
import { type DimensionName, OTHER } from "../counting/dimension.ts";
import { visitorsBetween } from "../counting/presence.ts";
import { addCounts, addEncodedCounts, type Counts, isNothing, skipEntry, zeroCounts } from "../counting/rollup.ts";
import { isCut, type RollupRow, readBreakdownOf } from "../counting/rollup-row.ts";
import {
  absorbEncoded,
  addVisitor,
  emptySketch,
  estimate,
  type Sketch,
  skipSketch,
  standardError,
} from "../counting/sketch.ts";
import { GROUPS_MAX, TOTAL_SKETCH_PRECISION, VALUE_SKETCH_PRECISION } from "../limits.ts";
import { assert } from "../outcome.ts";
import { shownValue } from "./attribute.ts";
import type { Group, Groups } from "./group.ts";
import { NO_EVENT_NUMBERS, type VisitCounts } from "./metric.ts";
import { addDated, addToPurse, type Purse } from "./money.ts";
import { covers, type Plan, timeLabel } from "./plan.ts";
import { DROP_REASON } from "./question.ts";
import { type Aside, attributeRead, givesOthers, isBeforeGoals, lackOf, restPlan, wholePlan } from "./rest.ts";
import { namesOf, type Scan } from "./scan.ts";
import { isKnownName } from "./visitor-name.ts";

/** The numbers of one group while they are added up. */
interface Sum {
  /** Time label; empty without a time dimension. */
  readonly label: string;
  /** Value of the breakdown as shown; empty without one. */
  readonly value: string;
  /** Its `visitors` are a plain sum, which is exact as long as all known visitors are of one bucket. */
  readonly counts: Counts;
  /** The bucket that the known visitors are of; undefined while there are none. */
  knownIn: number | undefined;
  /** Whether known visitors are of several buckets, so that one of them may be counted twice. */
  isKnownInSeveral: boolean;
  readonly purse: Purse;
  /** The union of all known visitors; undefined when every group is of one bucket. */
  sketch: Sketch | undefined;
}

export interface Tally {
  readonly plan: Plan;
  /** The merchant's currency. */
  readonly home: string;
  readonly sums: Map<string, Sum>;
  /** Visits by entry page, under the same keys as `sums`; only when the plan wants them. */
  readonly entries: Map<string, VisitCounts>;
  /** All visitors by time label, and those of all labels under "*"; only when the plan wants totals. */
  readonly totals: Map<string, Sum>;
  /** Buckets in whose breakdown some values were put together as "(other)". */
  readonly cutBuckets: Set<number>;
  /** (Day, partition)s with orders or refunds. */
  readonly orderPlaces: Set<string>;
  /** Rows that do not tell enough: their buckets are counted from events. */
  readonly aside: Aside[];
  /** Days that were counted before a goal was made, and cannot be counted again because their events are deleted. */
  readonly uncounted: Set<number>;
  /** How many rows were added. */
  added: number;
  /** Hours of closed Days, where visitors over several Hours are asked for. They are added when all rows are in. */
  readonly thin: { readonly row: RollupRow; readonly label: string }[];
  /** Rows from partitions that no stored row has been joined with yet. */
  readonly live: Map<string, RollupRow>;
}

/** Begins a tally with the live rows of the partitions, which are read before D1. */
export function openTally(plan: Plan, live: readonly RollupRow[], home: string): Tally {
  const open = new Map<string, RollupRow>();
  for (const row of live) if (covers(plan, row)) open.set(joinKey(row), newer(row, open.get(joinKey(row))));
  return {
    plan,
    home,
    sums: new Map(),
    entries: new Map(),
    totals: new Map(),
    cutBuckets: new Set(),
    orderPlaces: new Set(),
    aside: [],
    uncounted: new Set(),
    thin: [],
    added: 0,
    live: open,
  };
}

/** Adds rows from D1, joined with the live rows. Each row must come once only. False when there are too many groups. */
export function addStored(tally: Tally, stored: readonly RollupRow[]): boolean {
  for (const row of stored) {
    if (!covers(tally.plan, row)) continue;
    addRow(tally, newer(row, tally.live.get(joinKey(row))));
    tally.live.delete(joinKey(row));
    if (tally.sums.size > GROUPS_MAX) return false;
  }
  return true;
}

/** Adds the live rows of buckets that D1 has no row of. False when there are too many groups. */
export function addLive(tally: Tally): boolean {
  for (const row of tally.live.values()) {
    addRow(tally, row);
    if (tally.sums.size > GROUPS_MAX) return false;
  }
  tally.live.clear();
  return true;
}

/**
 * Called when all rows are in. Returns the plan to count from events what rollups could not tell; undefined where they
 * told everything.
 */
export function restOf(tally: Tally): Plan | undefined {
  addThin(tally);
  const { plan, aside } = tally;
  if (aside.length === 0) return undefined;
  const isWhole = tally.added === 0 && plan.range.partialDay === undefined && plan.range.fromDay >= plan.eventsFrom;
  return isWhole ? wholePlan(plan) : restPlan(plan, aside);
}

/**
 * Adds Hours that have only totals, by Day and partition. Their visitors are the sum of the Hours' visitors, less those
 * that were there in two Hours (VIS-9). That is exact, and may be added to numbers of another Day or partition, unless
 * a visitor may have come on two Days of one result. Where one Hour of a Day is counted from events, all Hours of that
 * Day are.
 */
function addThin(tally: Tally): void {
  const { plan, aside } = tally;
  const placesAside = new Set(aside.map(placeKey));
  const pieces = Map.groupBy(tally.thin.splice(0), ({ row, label }) => `${label}\n${placeKey(row)}`);
  for (const piece of pieces.values()) {
    const [{ row: first, label }] = piece as [(typeof piece)[number]];
    const rows = piece.map(({ row }) => row);
    const mayReturn = !isOneDayEach(plan) && rows.some(({ within }) => within?.hasKnown !== false);
    if (mayReturn || plan.totals.length > 0 || placesAside.has(placeKey(first))) {
      for (const { bucket, day, partition } of rows) aside.push({ bucket, day, partition, why: "hours" });
      continue;
    }
    const sum = sumOf(tally.sums, { label, value: "" });
    for (const row of rows) {
      addCounts(sum.counts, { ...row.counts, visitors: 0, known: 0 });
      addToPurse(sum.purse, row.counts.money, { day: row.day, home: tally.home });
      if (row.counts.orders !== 0 || row.counts.refunds !== 0) tally.orderPlaces.add(placeKey(row));
    }
    const slots = rows.map(({ day, bucket }) => slotOf(day, bucket));
    const hours = rows.map(({ counts }, at) => [slots[at] as number, counts.visitors] as const);
    const pairs = rows.flatMap(({ within }) => within?.pairs ?? []);
    const span = { from: Math.min(...slots), to: Math.max(...slots) + 1 };
    sum.counts.visitors += visitorsBetween(span, hours, pairs);
    tally.added += rows.length;
  }
}

function placeKey({ day, partition }: Pick<RollupRow, "day" | "partition">): string {
  return `${day} ${partition}`;
}

/** Whether each result is of one Day at most. */
function isOneDayEach({ range, time }: Plan): boolean {
  return range.toDay - range.fromDay === 1 || time === "hour" || time === "day";
}

/** Adds what was counted from events, as if it came from rows. False when there are too many groups. */
export function addScan(tally: Tally, { names, sums, entries, totals, timeAt, orderPlaces }: Scan): boolean {
  const { plan, aside } = tally;
  const { breakdowns, dimensions } = plan.question;
  const valueAt = dimensions.indexOf(breakdowns[0]?.question ?? "");
  const buckets = [...new Set(aside.map(({ bucket }) => bucket))];
  const bucket = buckets.length === 1 ? (buckets[0] as number) : SEVERAL;
  const of = (own: readonly string[]) => ({ label: own[timeAt] ?? "", value: own[valueAt] ?? "" });
  for (const place of orderPlaces) tally.orderPlaces.add(place);
  for (const { dimensions: own, counts, visitors, purse } of sums.values()) {
    const sum = sumOf(tally.sums, of(own));
    addVisitors(tally, sum, { bucket, counts, visitors: namesOf(names, visitors) });
    for (const takings of purse.values()) addDated(sum.purse, takings);
    if (tally.sums.size > GROUPS_MAX) return false;
  }
  for (const [key, counts] of entries) {
    const { label, value } = of(JSON.parse(key) as string[]);
    addVisits(tally, groupKey(label, value), counts);
  }
  if (plan.totals.length > 0) {
    const everybody = totals.all.get("");
    for (const [label, visitors] of totals.label)
      addVisitors(tally, sumOf(tally.totals, { label, value: "" }), { bucket, visitors: namesOf(names, visitors) });
    if (plan.totals.includes("all") && everybody !== undefined)
      addVisitors(tally, sumOf(tally.totals, { label: "", value: "" }, EVERYBODY), {
        bucket,
        visitors: namesOf(names, everybody),
        isAll: true,
      });
  }
  return true;
}

/** Stands in the place of a bucket for a scan's numbers, which are of several buckets. */
const SEVERAL = Number.NaN;

/**
 * Adds visitors to a sum. Within one bucket partitions share no visitor, and a partition's rows and its events are
 * never both counted.
 */
function addVisitors({ plan }: Tally, sum: Sum, { bucket, counts, visitors, isAll = false }: ScannedVisitors): void {
  if (counts !== undefined) addCounts(sum.counts, counts);
  // Any visitor of an Hour may come again in the next, so all of them count as known.
  const known = plan.grain === "hour" ? visitors : visitors.filter(isKnownName);
  sum.counts.visitors += visitors.length;
  sum.counts.known += known.length;
  // Where each label is of one bucket, partitions share no visitor and a plain sum is exact. Only the total of all
  // labels is of several buckets then.
  if (plan.oneBucketEach && !isAll) return;
  noteKnown(sum, bucket, known.length);
  const isTotal = plan.breakdowns.length === 0 || counts === undefined;
  sum.sketch ??= emptySketch(isTotal ? TOTAL_SKETCH_PRECISION : VALUE_SKETCH_PRECISION);
  for (const visitor of known) addVisitor(sum.sketch, visitor);
}

interface ScannedVisitors {
  readonly bucket: number;
  readonly counts?: Counts;
  /** Whether these are the visitors of all labels together. */
  readonly isAll?: boolean;
  /** The names of the visitors, each once. */
  readonly visitors: readonly string[];
}

/** Notes that known visitors of a bucket were added to a sum. */
function noteKnown(sum: Sum, bucket: number, count: number): void {
  if (count === 0) return;
  if (sum.knownIn !== undefined && sum.knownIn !== bucket) sum.isKnownInSeveral = true;
  sum.knownIn = bucket;
}

/** Adds the live rows that are left, and returns the groups; undefined when there are too many. */
export function closeTally(tally: Tally): Groups | undefined {
  if (!addLive(tally)) return undefined;
  const { sums, cutBuckets, aside, uncounted, thin } = tally;
  assert(thin.length === 0, "the rest was asked for before");
  return {
    groups: [...sums.values()].filter(isFilled).map((sum) => toGroup(tally, sum)),
    standardError: errorOf(tally),
    cutBuckets: cutBuckets.size,
    orderPlaces: tally.orderPlaces.size,
    source: aside.length === 0 ? "rollups" : "both",
    aside,
    uncounted: [...uncounted],
  };
}

function isFilled({ counts, purse }: Sum): boolean {
  return purse.size > 0 || !isNothing(counts);
}

function toGroup({ plan, entries, totals }: Tally, sum: Sum): Group {
  const { label, value } = sum;
  const { dimensions, breakdowns } = plan.question;
  const counts: Counts = { ...sum.counts, visitors: visitorsOf(sum) };
  const [breakdown] = breakdowns;
  const totalOf = (key: string) => visitorsOf(totals.get(key) ?? sum);
  return {
    purse: sum.purse,
    dimensions: dimensions.map((name) => (name.startsWith("time:") || breakdown === undefined ? label : value)),
    numbers: {
      counts,
      visits: plan.visitsByEntryPage ? entries.get(groupKey(label, value)) : counts,
      events: NO_EVENT_NUMBERS,
      totals: { all: totalOf(EVERYBODY), label: totalOf(groupKey(label, "")), group: totalOf(groupKey(label, "")) },
    },
  };
}

/**
 * A sum's number of visitors. It is exact where no visitor can be counted twice: within one bucket, and for visitors
 * who are known for one Day only.
 */
function visitorsOf(sum: Sum): number {
  const { counts, sketch } = sum;
  return isEstimated(sum) ? counts.visitors - counts.known + estimate(sketch as Sketch) : counts.visitors;
}

function isEstimated({ isKnownInSeveral, sketch }: Sum): boolean {
  return isKnownInSeveral && sketch !== undefined;
}

/**
 * The worst error of any group. "(other)" is an estimate even within one bucket: a visitor may have seen many values.
 */
function errorOf({ sums, totals, plan }: Tally): number {
  let error = 0;
  for (const sum of [...sums.values(), ...totals.values()]) {
    if (isEstimated(sum)) error = Math.max(error, standardError((sum.sketch as Sketch).precision));
    else if (plan.breakdowns.length > 0 && sum.value === OTHER)
      error = Math.max(error, standardError(VALUE_SKETCH_PRECISION));
  }
  return error;
}

/** Stands in the place of a label for the whole question. No label is equal to it. */
const EVERYBODY = "*";

function groupKey(label: string, value: string): string {
  return `${label}\n${value}`;
}

function joinKey({ bucket, partition }: RollupRow): string {
  return `${bucket} ${partition}`;
}

/** The newer of two rows of a bucket. Rows of equal versions are equal. */
function newer(row: RollupRow, other: RollupRow | undefined): RollupRow {
  return other !== undefined && other.version >= row.version ? other : row;
}

function addRow(tally: Tally, row: RollupRow): void {
  const { plan } = tally;
  const label = timeLabel(plan, row);
  const why = lackOf(plan, row);
  const [dimension] = plan.breakdowns;
  if (why !== undefined) {
    tally.aside.push({ bucket: row.bucket, day: row.day, partition: row.partition, why });
    if (!givesOthers(plan, why) || dimension === undefined) return;
    addBreakdown(tally, row, { label, dimension, isAside: true });
    if (plan.visitsByEntryPage) addEntries(tally, row, { label, isAside: true });
    tally.added += 1;
    return;
  }
  if (plan.sketch && row.within !== undefined) {
    tally.thin.push({ row, label });
    return;
  }
  tally.added += 1;
  if (isBeforeGoals(plan, row)) tally.uncounted.add(row.day);
  if (row.counts.orders !== 0 || row.counts.refunds !== 0) tally.orderPlaces.add(placeKey(row));
  if (plan.totals.length > 0) addTotals(tally, row, label);
  if (plan.question.metrics.includes("drops")) {
    addDrops(tally, row, label);
    return;
  }
  if (dimension === undefined) {
    const sketch = plan.sketch ? row.sketch : undefined;
    const sum = addTo(tally.sums, { label, value: "", counts: row.counts, sketch, bucket: row.bucket });
    addToPurse(sum.purse, row.counts.money, { day: row.day, home: tally.home });
    return;
  }
  addBreakdown(tally, row, { label, dimension, isAside: false });
  if (plan.visitsByEntryPage) addEntries(tally, row, { label, isAside: false });
}

function addTotals({ plan, totals }: Tally, row: RollupRow, label: string): void {
  const { counts, bucket } = row;
  const addition = { label, value: "", counts, sketch: plan.sketch ? row.sketch : undefined, bucket };
  addTo(totals, addition);
  if (plan.totals.includes("all")) addTo(totals, addition, EVERYBODY);
}

/** Hits that were not counted, by reason or all together. */
function addDrops(tally: Tally, row: RollupRow, label: string): void {
  const byReason = tally.plan.question.dimensions.includes(DROP_REASON);
  for (const [reason, drops] of Object.entries(row.drops)) {
    const counts = { ...zeroCounts(), events: drops };
    addTo(tally.sums, { label, value: byReason ? reason : "", counts, sketch: undefined, bucket: row.bucket });
  }
}

/** Where a row is added, and how. */
interface RowAt {
  readonly label: string;
  /** Whether the row was put aside: the values that are asked for then come from events. */
  readonly isAside: boolean;
}

function addBreakdown(
  tally: Tally,
  row: RollupRow,
  { label, dimension, isAside }: RowAt & { readonly dimension: DimensionName },
): void {
  const { plan } = tally;
  const isKept = keeperOf(plan, isAside);
  const cut = isCut(row, dimension);
  const attribute = attributeRead(plan);
  // Values are shown unless the breakdown was read for a filter only.
  const showsValues = plan.question.breakdowns.length > 0;
  readBreakdownOf(row, dimension, (stored, reader) => {
    const value = attribute === undefined ? stored : shownValue(attribute, stored);
    // "(other)" of a breakdown that was cut is no value that a filter could choose.
    if (!isKept(value) || (cut && stored === OTHER && plan.keeps !== undefined)) return skipEntry(reader);
    const sum = sumOf(tally.sums, { label, value: showsValues ? value : "" });
    const knownBefore = sum.counts.known;
    addToPurse(sum.purse, addEncodedCounts(sum.counts, reader), { day: row.day, home: tally.home });
    noteKnown(sum, row.bucket, sum.counts.known - knownBefore);
    if (plan.oneBucketEach) skipSketch(reader);
    else sum.sketch = absorbEncoded(sum.sketch, reader);
  });
  if (cut && plan.keeps === undefined) tally.cutBuckets.add(row.bucket);
}

/** Which values of a row are added: those that a filter wants, without those that are counted from events. */
function keeperOf({ keeps = () => true, wanted }: Plan, isAside: boolean): (value: string) => boolean {
  if (!isAside || wanted === undefined) return keeps;
  return wanted === "every" ? () => false : (value) => keeps(value) && !wanted.has(value);
}

/**
 * Adds a row's visits by entry page. Its "(other)" stands for other pages than the "(other)" of the breakdown by page.
 */
function addEntries(tally: Tally, row: RollupRow, { label, isAside }: RowAt): void {
  const { plan } = tally;
  const isKept = keeperOf(plan, isAside);
  const attribute = attributeRead(plan);
  if (isCut(row, "entry_page") && plan.keeps === undefined) tally.cutBuckets.add(row.bucket);
  readBreakdownOf(row, "entry_page", (stored, reader) => {
    const value = attribute === undefined ? stored : shownValue(attribute, stored);
    if (stored === OTHER || !isKept(value)) return skipEntry(reader);
    const counts = zeroCounts();
    addEncodedCounts(counts, reader);
    skipSketch(reader);
    if (counts.visits === 0) return; // a visit that started in an Hour before
    addVisits(tally, groupKey(label, value), counts);
  });
}

function addVisits({ entries }: Tally, key: string, { visits, bounces, duration_ms }: VisitCounts): void {
  const known = entries.get(key) ?? { visits: 0, bounces: 0, duration_ms: 0 };
  known.visits += visits;
  known.bounces += bounces;
  known.duration_ms += duration_ms;
  entries.set(key, known);
}

/** The sum of a label and value. */
function sumOf(sums: Map<string, Sum>, { label, value }: Pick<Sum, "label" | "value">, at?: string): Sum {
  const key = at ?? groupKey(label, value);
  const known = sums.get(key);
  if (known !== undefined) return known;
  const counts = zeroCounts();
  const none = { knownIn: undefined, isKnownInSeveral: false, sketch: undefined };
  const sum: Sum = { label, value, counts, ...none, purse: new Map() };
  sums.set(key, sum);
  return sum;
}

interface Addition extends Pick<Sum, "label" | "value" | "counts"> {
  readonly bucket: number;
  /** The encoded sketch; undefined where it is not wanted. */
  readonly sketch: Uint8Array | undefined;
}

function addTo(sums: Map<string, Sum>, addition: Addition, at?: string): Sum {
  const sum = sumOf(sums, addition, at);
  addCounts(sum.counts, addition.counts);
  noteKnown(sum, addition.bucket, addition.counts.known);
  if (addition.sketch !== undefined) sum.sketch = absorbEncoded(sum.sketch, new ByteReader(addition.sketch));
  return sum;
}
