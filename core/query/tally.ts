// Adds rollup rows up into the groups of an answer: one group per time label and value. Rows may come in any order and in
// any number of portions, so a host can read D1 page by page and keep only the groups. First of all rows are joined: of
// what D1 and a partition say of the same bucket, the higher version wins. `answer.ts` turns groups into results.

import { ByteReader } from "../bytes.ts";
import { type DimensionName, OTHER } from "../counting/dimension.ts";
import { addCounts, addEncodedCounts, type Counts, isNothing, skipEntry, zeroCounts } from "../counting/rollup.ts";
import { type RollupRow, readBreakdownOf } from "../counting/rollup-row.ts";
import { absorbEncoded, estimate, type Sketch, skipSketch, standardError } from "../counting/sketch.ts";
import { GROUPS_MAX, VALUE_SKETCH_PRECISION } from "../limits.ts";
import { shownValue } from "./attribute.ts";
import { comparisonsOf } from "./filter.ts";
import type { Group, Groups } from "./group.ts";
import { NO_EVENT_NUMBERS, type VisitCounts } from "./metric.ts";
import { addToPurse, type Purse } from "./money.ts";
import { covers, type Plan, timeLabel } from "./plan.ts";
import { DROP_REASON } from "./question.ts";

/** The numbers of one group while they are added up. */
interface Sum {
  /** Time label; empty without a time dimension. */
  readonly label: string;
  /** Value of the breakdown as stored; empty without one. */
  readonly value: string;
  /** `visitors` is a plain sum: right as long as `severalBuckets` is false. */
  readonly counts: Counts;
  readonly bucket: number;
  severalBuckets: boolean;
  readonly purse: Purse;
  /** The union of all visitors; undefined when every group is of one bucket. */
  sketch: Sketch | undefined;
}

export interface Tally {
  readonly plan: Plan;
  /** The merchant's currency. */
  readonly home: string;
  readonly sums: Map<string, Sum>;
  /** Visits by entry page, under the same keys as `sums`; only when the plan wants them. */
  readonly entries: Map<string, VisitCounts>;
  /** Everybody by time label, and all under ""; only when the plan wants totals. */
  readonly totals: Map<string, Sum>;
  /** Buckets whose breakdown was cut to "(other)". */
  readonly cutBuckets: Set<number>;
  /** (Day, partition)s with orders or refunds. */
  readonly orderPlaces: Set<string>;
  /** Rows from partitions that no stored row has been joined with yet. */
  readonly live: Map<string, RollupRow>;
}

/** Begins with what the partitions said, which is read first. */
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
    live: open,
  };
}

/** Adds rows from D1, each at most once, joined with what is live. False when there are too many groups to go on. */
export function addStored(tally: Tally, stored: readonly RollupRow[]): boolean {
  for (const row of stored) {
    if (!covers(tally.plan, row)) continue;
    addRow(tally, newer(row, tally.live.get(joinKey(row))));
    tally.live.delete(joinKey(row));
    if (tally.sums.size > GROUPS_MAX) return false;
  }
  return true;
}

/** Adds the live rows that D1 has nothing of, and gives the groups; undefined when there are too many. */
export function closeTally(tally: Tally): Groups | undefined {
  for (const row of tally.live.values()) {
    addRow(tally, row);
    if (tally.sums.size > GROUPS_MAX) return undefined;
  }
  tally.live.clear();
  return {
    groups: [...tally.sums.values()].filter(isFilled).map((sum) => toGroup(tally, sum)),
    standardError: errorOf(tally),
    cutBuckets: tally.cutBuckets.size,
    orderPlaces: tally.orderPlaces.size,
    source: "rollups",
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
    dimensions: dimensions.map((name) =>
      name.startsWith("time:") || breakdown === undefined ? label : shownValue(breakdown, value),
    ),
    numbers: {
      counts,
      visits: plan.visitsByEntryPage ? entries.get(groupKey(label, value)) : counts,
      events: NO_EVENT_NUMBERS,
      totals: { all: totalOf(EVERYBODY), label: totalOf(groupKey(label, "")), group: totalOf(groupKey(label, "")) },
    },
  };
}

/** Exact within one bucket, where partitions share no visitor; over several a visitor may have come again. */
function visitorsOf({ counts, severalBuckets, sketch }: Sum): number {
  return severalBuckets && sketch !== undefined ? estimate(sketch) : counts.visitors;
}

/** The worst error of any group. "(other)" is an estimate even within one bucket: a visitor may have seen many values. */
function errorOf({ sums, totals, plan }: Tally): number {
  let error = 0;
  for (const { severalBuckets, sketch, value } of [...sums.values(), ...totals.values()]) {
    if (severalBuckets && sketch !== undefined) error = Math.max(error, standardError(sketch.precision));
    else if (plan.breakdowns.length > 0 && value === OTHER)
      error = Math.max(error, standardError(VALUE_SKETCH_PRECISION));
  }
  return error;
}

/** Stands where a label does: the whole question. No label looks like it. */
const EVERYBODY = "*";

function groupKey(label: string, value: string): string {
  return `${label}\n${value}`;
}

function joinKey({ bucket, partition }: RollupRow): string {
  return `${bucket} ${partition}`;
}

/** Equal versions are equal rows. */
function newer(row: RollupRow, other: RollupRow | undefined): RollupRow {
  return other !== undefined && other.version >= row.version ? other : row;
}

function addRow(tally: Tally, row: RollupRow): void {
  const { plan } = tally;
  const label = timeLabel(plan, row);
  if (row.counts.orders !== 0 || row.counts.refunds !== 0) tally.orderPlaces.add(`${row.day} ${row.partition}`);
  if (plan.totals.length > 0) addTotals(tally, row, label);
  if (plan.question.metrics.includes("drops")) {
    addDrops(tally, row, label);
    return;
  }
  const [dimension] = plan.breakdowns;
  if (dimension === undefined) {
    const sketch = plan.sketch ? row.sketch : undefined;
    const sum = addTo(tally.sums, { label, value: "", counts: row.counts, sketch, bucket: row.bucket });
    addToPurse(sum.purse, row.counts.money, { day: row.day, home: tally.home });
    return;
  }
  addBreakdown(tally, row, { label, dimension });
  if (plan.visitsByEntryPage) addEntries(tally, row, label);
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

function addBreakdown(tally: Tally, row: RollupRow, at: { label: string; dimension: DimensionName }): void {
  const { plan } = tally;
  const isKept = keeperOf(plan);
  // A breakdown that is only read for a filter shows no values.
  const showsValues = plan.question.breakdowns.length > 0;
  const isCut = readBreakdownOf(row, at.dimension, (stored, reader) => {
    if (!isKept(stored)) return skipEntry(reader);
    const sum = sumOf(tally.sums, { label: at.label, value: showsValues ? stored : "", bucket: row.bucket });
    addToPurse(sum.purse, addEncodedCounts(sum.counts, reader), { day: row.day, home: tally.home });
    if (plan.oneBucketEach) skipSketch(reader);
    else sum.sketch = absorbEncoded(sum.sketch, reader);
  });
  if (isCut) tally.cutBuckets.add(row.bucket);
}

/** Which stored values a filter wants. */
function keeperOf({ keeps, question: { breakdowns, filter } }: Plan): (value: string) => boolean {
  if (keeps === undefined) return () => true;
  const attribute = breakdowns[0] ?? comparisonsOf(filter)[0]?.attribute;
  return (value) => keeps(attribute === undefined ? value : shownValue(attribute, value));
}

/** What was cut from the entry pages is another set of pages than what was cut from the pages. */
function addEntries(tally: Tally, row: RollupRow, label: string): void {
  readBreakdownOf(row, "entry_page", (value, reader) => {
    if (value === OTHER) return skipEntry(reader);
    const key = groupKey(label, value);
    const counts = zeroCounts();
    addEncodedCounts(counts, reader);
    skipSketch(reader);
    if (counts.visits === 0) return; // a visit that started in an Hour before
    const known = tally.entries.get(key) ?? { visits: 0, bounces: 0, duration_ms: 0 };
    known.visits += counts.visits;
    known.bounces += counts.bounces;
    known.duration_ms += counts.duration_ms;
    tally.entries.set(key, known);
  });
}

/** The sum of a label and value, which now has something of a bucket. */
function sumOf(sums: Map<string, Sum>, { label, value, bucket }: Pick<Sum, "label" | "value" | "bucket">, at?: string) {
  const key = at ?? groupKey(label, value);
  const known = sums.get(key);
  if (known !== undefined) {
    if (known.bucket !== bucket) known.severalBuckets = true;
    return known;
  }
  const counts = zeroCounts();
  const sum: Sum = { label, value, counts, sketch: undefined, bucket, severalBuckets: false, purse: new Map() };
  sums.set(key, sum);
  return sum;
}

interface Addition extends Pick<Sum, "label" | "value" | "counts" | "bucket"> {
  /** Encoded; undefined where it is not wanted. */
  readonly sketch: Uint8Array | undefined;
}

function addTo(sums: Map<string, Sum>, addition: Addition, at?: string): Sum {
  const sum = sumOf(sums, addition, at);
  addCounts(sum.counts, addition.counts);
  if (addition.sketch !== undefined) sum.sketch = absorbEncoded(sum.sketch, new ByteReader(addition.sketch));
  return sum;
}
