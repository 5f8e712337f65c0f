// Adds derived rows (derived.ts) to a scan, by the same rules as scan.ts and in a tenth of the time. Both come to the
// same, whatever is asked (SCN-9).

import { numbersOf, textsOf } from "../archive/event-columns.ts";
import { isEngagement } from "../event.ts";
import { type Gradual, LOOKED_AT, Slices } from "../gradual.ts";
import { DERIVED_READS, PAIRS_AT_ONCE_MAX } from "../limits.ts";
import { spend } from "./budget.ts";
import type { VisitCounts } from "./metric.ts";
import { attributesOf, JudgedRows, RowGroups, verdictOf } from "./row-judge.ts";
import {
  addEarning,
  addTo,
  axesOfPossible,
  DIMENSIONS_PATH,
  entriesAt,
  isOrder,
  labelAt,
  noneKnown,
  payGroups,
  possibleAt,
  problemOf,
  type Scan,
  type ScanProblem,
  type Sum,
  scanDay,
  sumsAt,
  type Visitors,
  visitorsOf,
} from "./scan.ts";
import { type SeenColumns, type SeenRows, seeColumns, type VisitRuns } from "./seen.ts";

/** Steps of adding a derived event under the values of one dimension, and of using a known verdict. */
const ROW_STEPS = 1;

/** Adds what one partition has of one Day, given as a whole. A problem ends the scan. */
export function* addRows(scan: Scan, rows: SeenRows): Gradual<ScanProblem | undefined> {
  const { plan, view, axes, filter } = scan;
  if (view !== undefined || plan.rest?.hours !== undefined || !("derived" in rows.rows))
    return yield* scanDay(scan, rows);
  const seen = yield* seeColumns(rows, scan.under);
  const runs = seen.runs as VisitRuns;
  const attributes = [...axes.map(({ attribute }) => attribute), ...attributesOf(filter)];
  if (attributes.some(({ rollup }) => rollup === "goal")) yield* seen.judgeGoals();
  const own = yield* JudgedRows.of(seen, { runs, day: rows.day, attributes });
  return yield* own === undefined ? scanDay(scan, rows) : addRuns(scan, own);
}

function* addRuns(scan: Scan, rows: JudgedRows): Gradual<ScanProblem | undefined> {
  const { plan } = scan;
  const { seen, runs, day } = rows;
  const { budgets, breakdowns } = plan.question;
  const slices = new Slices(budgets);
  scan.hours = undefined;
  scan.known = noneKnown(seen.columns.seed);
  const inRange = rangeOf(scan, seen);
  const passes = verdictOf(scan.filter, rows);
  const counted = new Counted(scan, rows, inRange);
  const totals = plan.totals.length > 0 ? new Denominators(scan, rows, inRange) : undefined;
  const entries = plan.visitsByEntryPage ? new Entries(scan, rows.onEntry()) : undefined;
  const admitted = new Uint32Array(longestOf(runs));
  for (let visit = 0; visit < runs.count; visit++) {
    rows.visit = visit;
    scan.visits += 1;
    const [start, end] = [runs.starts[visit] as number, runs.starts[visit + 1] as number];
    let count = 0;
    for (let row = start; row < end; row++) {
      if (passes(row)) admitted[count++] = row;
      if (rows.judged === 0) continue;
      // What one event may take to be judged is bounded (budget.ts), as in scan.ts.
      rows.judged = 0;
      if (slices.isOver(LOOKED_AT)) yield;
    }
    const visitor = visitorOnce(scan, rows);
    // An event may belong to thousands of groups, so a visit's are counted some at a time.
    for (let at = 0; at < count; ) {
      at = counted.addEvents(admitted, { from: at, to: count, visitor });
      if (yield* mustEnd(scan, slices)) break;
    }
    counted.endVisit();
    totals?.add(admitted, count, visitor);
    if (inRange(runs.openers[visit] as number)) {
      for (let at = 0; at < count; ) {
        at = counted.addVisit(admitted, at, count);
        if (yield* mustEnd(scan, slices)) break;
      }
      for (let row = start; entries !== undefined && row < end; ) {
        row = entries.add(row, end);
        if (yield* mustEnd(scan, slices)) break;
      }
      entries?.endVisit();
    }
    spend(budgets.own, ((end - start) * (1 + breakdowns.length) + rows.looked) * ROW_STEPS, DIMENSIONS_PATH);
    rows.looked = 0;
    if (slices.isOver((end - start) * LOOKED_AT * DERIVED_READS)) yield;
    const problem = problemOf(scan);
    if (problem !== undefined) return problem;
  }
  for (const [row, earning] of seen.earnings)
    if (isOrder(earning) && inRange(row)) scan.orderPlaces.add(`${day} ${seen.columns.partition}`);
  return undefined;
}

/** Gives way where enough groups were added to. True where the scan may not go on. */
function* mustEnd(scan: Scan, slices: Slices): Gradual<boolean> {
  if (scan.paired <= PAIRS_AT_ONCE_MAX) return false;
  scan.paired = 0;
  if (slices.isOver(0)) yield;
  return problemOf(scan) !== undefined;
}

/** Whether a row is in the range. */
type InRange = (row: number) => boolean;

function rangeOf({ plan: { range } }: Scan, { times }: SeenColumns): InRange {
  if (range.wholeDays) return () => true; // nobody adds a Day outside of it
  const { fromInstant, toInstant } = range;
  return (row) => (times[row] as number) >= fromInstant && (times[row] as number) < toInstant;
}

function longestOf({ count, starts }: VisitRuns): number {
  let longest = 0;
  for (let visit = 0; visit < count; visit++)
    longest = Math.max(longest, (starts[visit + 1] as number) - (starts[visit] as number));
  return longest;
}

/** The number of the name of the present visit's visitor, which is looked up when somebody asks for it first. */
function visitorOnce({ names, plan }: Scan, { runs, visit, day }: JudgedRows): () => number {
  let number = -1;
  return () => {
    if (number >= 0) return number;
    const at = 2 * (runs.visitors[visit] as number);
    const isOfDay = runs.known[visit] === 0 && plan.grain !== "hour";
    number = names.numberOfId(runs.ids[at] as number, runs.ids[at + 1] as number, isOfDay ? day : undefined);
    return number;
  };
}

/** How rows get the labels of their times. */
function labelling(scan: Scan, { seen: { times }, day }: JudgedRows) {
  const { time } = scan.plan;
  return {
    labelAt: (row: number) => labelAt(scan, { instant: times[row] as number, day }),
    isFine: time === "hour" || time === "minute",
  };
}

/** The sums of the answer's groups. */
class Counted {
  readonly #scan: Scan;
  readonly #rows: JudgedRows;
  readonly #inRange: InRange;
  readonly #groups: RowGroups<Sum>;
  readonly #engagement: Float64Array;
  readonly #scroll: Float64Array;
  /** 1 for rows that count as events. */
  readonly #events: Uint8Array;
  readonly #scrolled: Sum[] = [];

  constructor(scan: Scan, rows: JudgedRows, inRange: InRange) {
    const { columns } = rows.seen;
    this.#scan = scan;
    this.#rows = rows;
    this.#inRange = inRange;
    this.#groups = new RowGroups(rows, {
      attributes: scan.axes.map(({ attribute }) => attribute),
      ...labelling(scan, rows),
      find: (seen, label) => sumsAt(scan, seen, label),
    });
    this.#engagement = numbersOf(columns, "engagementMs");
    this.#scroll = numbersOf(columns, "scroll");
    const { codes, values } = textsOf(columns, "name");
    const isEvent = values.map((name) => (isEngagement(name) ? 0 : 1));
    this.#events = new Uint8Array(codes.length);
    for (let row = 0; row < codes.length; row++) this.#events[row] = isEvent[codes[row] as number] as number;
  }

  /**
   * Adds rows of a list in [from, to), each of the present visit, as many as may be added at once. Returns where the
   * next ones begin.
   */
  addEvents(list: Uint32Array, { from, to, visitor }: Added): number {
    const { visits } = this.#scan;
    const { views, earnings } = this.#rows.seen;
    for (let at = from; at < to; at++) {
      if (this.#scan.paired > PAIRS_AT_ONCE_MAX) return at;
      const row = list[at] as number;
      if (!this.#inRange(row)) continue;
      const earning = earnings.size === 0 ? undefined : earnings.get(row);
      const deep = this.#scroll[row] as number;
      const groups = this.#groups.at(row, row);
      payGroups(this.#scan, groups.length, earning);
      for (const sum of groups) {
        const { counts } = sum;
        if (sum.visitorOf !== visits) {
          sum.visitorOf = visits;
          addTo(this.#scan, sum.visitors, visitor());
        }
        counts.pageviews += views[row] as number;
        counts.events += this.#events[row] as number;
        counts.engagement_ms += this.#engagement[row] as number;
        if (earning !== undefined) addEarning(this.#scan, sum, { earning, day: this.#rows.day });
        if (deep < 0) continue;
        if (sum.deepest < 0) this.#scrolled.push(sum);
        sum.deepest = Math.max(deep, sum.deepest);
      }
    }
    return to;
  }

  /** All rows of the present visit were added. */
  endVisit(): void {
    for (let sum = this.#scrolled.pop(); sum !== undefined; sum = this.#scrolled.pop()) {
      sum.scroll += sum.deepest;
      sum.scrolledVisits += 1;
      sum.deepest = -1;
    }
  }

  /** Adds the present visit, once to each group that any of the rows is in. It takes as many as `addEvents` does. */
  addVisit(list: Uint32Array, from: number, to: number): number {
    const { visit, runs } = this.#rows;
    const opener = runs.openers[visit] as number;
    for (let at = from; at < to; at++) {
      if (this.#scan.paired > PAIRS_AT_ONCE_MAX) return at;
      const groups = this.#groups.at(list[at] as number, opener);
      payGroups(this.#scan, groups.length);
      for (const sum of groups) {
        if (sum.visit === this.#scan.visits) continue;
        sum.visit = this.#scan.visits;
        countVisit(sum.counts, this.#rows);
      }
    }
    return to;
  }
}

interface Added {
  readonly from: number;
  readonly to: number;
  readonly visitor: () => number;
}

function countVisit(counts: VisitCounts, { runs, visit }: JudgedRows): void {
  counts.visits += 1;
  counts.bounces += runs.bounces[visit] as number;
  counts.duration_ms += runs.durationsMs[visit] as number;
}

/** The visitors that groups are compared with. */
class Denominators {
  readonly #scan: Scan;
  readonly #rows: JudgedRows;
  readonly #inRange: InRange;
  readonly #isPossible: (row: number) => boolean;
  readonly #ofLabels: RowGroups<Visitors>;
  readonly #groups: RowGroups<Visitors> | undefined;

  constructor(scan: Scan, rows: JudgedRows, inRange: InRange) {
    const { totals, plan } = scan;
    const timed = labelling(scan, rows);
    this.#scan = scan;
    this.#rows = rows;
    this.#inRange = inRange;
    this.#isPossible = verdictOf(scan.possible, rows);
    this.#ofLabels = new RowGroups(rows, {
      attributes: [],
      ...timed,
      find: (_, label) => [visitorsOf(totals.label, label)],
    });
    if (!plan.totals.includes("group")) return;
    this.#groups = new RowGroups(rows, {
      attributes: axesOfPossible(scan).map(({ attribute }) => attribute),
      ...timed,
      find: (seen, label) => possibleAt(scan, seen, label),
    });
  }

  /** Adds the present visit, of which the first `count` rows of a list are admitted. */
  add(list: Uint32Array, count: number, visitor: () => number): void {
    for (let at = 0; at < count; at++)
      if (this.#inRange(list[at] as number)) {
        addTo(this.#scan, visitorsOf(this.#scan.totals.all, ""), visitor());
        break;
      }
    const { starts } = this.#rows.runs;
    const end = starts[this.#rows.visit + 1] as number;
    for (let row = starts[this.#rows.visit] as number; row < end; row++) {
      if (!this.#inRange(row) || !this.#isPossible(row)) continue;
      for (const visitors of this.#ofLabels.at(row, row)) addTo(this.#scan, visitors, visitor());
      const groups = this.#groups?.at(row, row) ?? [];
      payGroups(this.#scan, groups.length);
      for (const visitors of groups) addTo(this.#scan, visitors, visitor());
    }
  }
}

/** Visits by their entry pages. */
class Entries {
  readonly #scan: Scan;
  readonly #rows: JudgedRows;
  readonly #passes: (row: number) => boolean;
  readonly #groups: RowGroups<VisitCounts>;
  /** Those that the present visit was added to. */
  readonly #counted = new Set<VisitCounts>();

  constructor(scan: Scan, rows: JudgedRows) {
    this.#scan = scan;
    this.#rows = rows;
    this.#passes = verdictOf(scan.filter, rows);
    this.#groups = new RowGroups(rows, {
      attributes: scan.axes.map(({ attribute }) => attribute),
      ...labelling(scan, rows),
      find: (seen, label) => entriesAt(scan, seen, label),
    });
  }

  /**
   * Adds the present visit, once to each group of its rows in [from, to), if they had happened on its entry page. It
   * takes as many rows as may be added at once, and returns where the next ones begin.
   */
  add(from: number, to: number): number {
    const { real, runs } = this.#rows;
    const opener = runs.openers[real.visit] as number;
    for (let row = from; row < to; row++) {
      if (this.#scan.paired > PAIRS_AT_ONCE_MAX) return row;
      if (!this.#passes(row)) continue;
      const groups = this.#groups.at(row, opener);
      payGroups(this.#scan, groups.length);
      for (const counts of groups) {
        if (this.#counted.has(counts)) continue;
        this.#counted.add(counts);
        countVisit(counts, real);
      }
    }
    return to;
  }

  /** All rows of the present visit were added. */
  endVisit(): void {
    this.#counted.clear();
  }
}
