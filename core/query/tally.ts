// Adds rollup rows up into the groups of an answer: one group per time label and value. Rows may come in any order and in
// any number of portions, so a host can read D1 page by page and keep only the groups. First of all rows are joined: of
// what D1 and a partition say of the same bucket, the higher version wins. `answer.ts` turns groups into results.

import { type DimensionName, OTHER } from "../counting/dimension.ts";
import { addCounts, type Counts, zeroCounts } from "../counting/rollup.ts";
import { breakdownOf, decodeTotalSketch, type RollupRow } from "../counting/rollup-row.ts";
import { absorbSketch, emptySketch, type Sketch } from "../counting/sketch.ts";
import { GROUPS_MAX } from "../limits.ts";
import type { VisitCounts } from "./metric.ts";
import { covers, type Plan, timeLabel } from "./plan.ts";

/** The numbers of one result. */
export interface Group {
  /** Time label; empty without a time dimension. */
  readonly label: string;
  /** Value of the breakdown as stored; empty without one. */
  readonly value: string;
  /** `visitors` is a plain sum: right as long as `severalBuckets` is false. */
  readonly counts: Counts;
  readonly bucket: number;
  severalBuckets: boolean;
  /** The union of all visitors; undefined when every group is of one bucket. */
  sketch: Sketch | undefined;
}

export interface Tally {
  readonly plan: Plan;
  readonly groups: Map<string, Group>;
  /** Visits by entry page, under the same keys as `groups`; only when the plan wants them. */
  readonly entries: Map<string, VisitCounts>;
  /** Buckets whose breakdown was cut to "(other)". */
  readonly cutBuckets: Set<number>;
  /** Rows from partitions that no stored row has been joined with yet. */
  readonly live: Map<string, RollupRow>;
}

/** Begins with what the partitions said, which is read first. */
export function openTally(plan: Plan, live: readonly RollupRow[]): Tally {
  const open = new Map<string, RollupRow>();
  for (const row of live) if (covers(plan, row)) open.set(joinKey(row), newer(row, open.get(joinKey(row))));
  return { plan, groups: new Map(), entries: new Map(), cutBuckets: new Set(), live: open };
}

/** Adds rows from D1, each at most once, joined with what is live. False when there are too many groups to go on. */
export function addStored(tally: Tally, stored: readonly RollupRow[]): boolean {
  for (const row of stored) {
    if (!covers(tally.plan, row)) continue;
    addRow(tally, newer(row, tally.live.get(joinKey(row))));
    tally.live.delete(joinKey(row));
    if (tally.groups.size > GROUPS_MAX) return false;
  }
  return true;
}

/** Adds the live rows that D1 has nothing of. False when there are too many groups. */
export function closeTally(tally: Tally): boolean {
  for (const row of tally.live.values()) {
    addRow(tally, row);
    if (tally.groups.size > GROUPS_MAX) return false;
  }
  tally.live.clear();
  return true;
}

/** The key a group's visits by entry page are found under. */
export function groupKey(label: string, value: string): string {
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
  const [dimension] = plan.breakdowns;
  if (dimension === undefined) {
    const sketch = plan.sketch ? decodeTotalSketch(row.sketch) : undefined;
    addToGroup(tally, { label, value: "", counts: row.counts, sketch, bucket: row.bucket });
    return;
  }
  addBreakdown(tally, row, { label, dimension });
  if (plan.visitsByEntryPage) addEntries(tally, row, label);
}

function addBreakdown(tally: Tally, row: RollupRow, at: { label: string; dimension: DimensionName }): void {
  const breakdown = breakdownOf(row, at.dimension);
  if (breakdown.cut) tally.cutBuckets.add(row.bucket);
  for (const { value, counts, sketch } of breakdown.entries) {
    const kept = tally.plan.oneBucketEach ? undefined : sketch;
    addToGroup(tally, { label: at.label, value, counts, sketch: kept, bucket: row.bucket });
  }
}

/** What was cut from the entry pages is another set of pages than what was cut from the pages. */
function addEntries(tally: Tally, row: RollupRow, label: string): void {
  for (const { value, counts } of breakdownOf(row, "entry_page").entries) {
    if (value === OTHER) continue;
    const key = groupKey(label, value);
    const known = tally.entries.get(key) ?? { visits: 0, bounces: 0, duration_ms: 0 };
    known.visits += counts.visits;
    known.bounces += counts.bounces;
    known.duration_ms += counts.duration_ms;
    tally.entries.set(key, known);
  }
}

type Addition = Omit<Group, "severalBuckets">;

function addToGroup(tally: Tally, { label, value, counts, sketch, bucket }: Addition): void {
  const key = groupKey(label, value);
  const known = tally.groups.get(key);
  if (known === undefined) {
    const own = { ...zeroCounts(), ...counts };
    tally.groups.set(key, { label, value, counts: own, sketch, bucket, severalBuckets: false });
    return;
  }
  addCounts(known.counts, counts);
  if (known.bucket !== bucket) known.severalBuckets = true;
  if (sketch === undefined) return;
  known.sketch ??= emptySketch(sketch.precision);
  absorbSketch(known.sketch, sketch);
}
