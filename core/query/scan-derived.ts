// Adds derived rows (derived.ts) to a scan, by the same rules as scan.ts and in a tenth of the time. Both come to the
// same, whatever is asked (SCN-9).

import { numbersOf, textsOf } from "../archive/event-columns.ts";
import { isEngagement } from "../event.ts";
import { type Gradual, LOOKED_AT, Slices } from "../gradual.ts";
import { DERIVED_READS, GROUPS_MAX, SCAN_VISITORS_MAX } from "../limits.ts";
import { outOfSteps, spend } from "./budget.ts";
import type { VisitCounts } from "./metric.ts";
import { attributesOf, JudgedRows, RowGroups, verdictOf } from "./row-judge.ts";
import {
  addEarning,
  addTo,
  axesOfPossible,
  entriesAt,
  isOrder,
  labelAt,
  noneKnown,
  possibleAt,
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
    counted.addEvents(admitted, count, visitor);
    totals?.add(admitted, count, visitor);
    if (inRange(runs.openers[visit] as number)) {
      counted.addVisit(admitted, count);
      entries?.add();
    }
    spend(budgets.own, ((end - start) * (1 + breakdowns.length) + rows.looked) * ROW_STEPS, "#/dimensions");
    rows.looked = 0;
    if (slices.isOver((end - start) * LOOKED_AT * DERIVED_READS)) yield;
    if (scan.sums.size > GROUPS_MAX) return "groups";
    if (scan.visitors > SCAN_VISITORS_MAX) return "visitors";
    const spent = outOfSteps(budgets);
    if (spent !== undefined) return spent;
  }
  for (const [row, earning] of seen.earnings)
    if (isOrder(earning) && inRange(row)) scan.orderPlaces.add(`${day} ${seen.columns.partition}`);
  return undefined;
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

  /** Adds the first `count` rows of a list, each of the present visit. */
  addEvents(list: Uint32Array, count: number, visitor: () => number): void {
    const { visits } = this.#scan;
    const { views, earnings } = this.#rows.seen;
    for (let at = 0; at < count; at++) {
      const row = list[at] as number;
      if (!this.#inRange(row)) continue;
      const earning = earnings.size === 0 ? undefined : earnings.get(row);
      const deep = this.#scroll[row] as number;
      for (const sum of this.#groups.at(row, row)) {
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
    for (let sum = this.#scrolled.pop(); sum !== undefined; sum = this.#scrolled.pop()) {
      sum.scroll += sum.deepest;
      sum.scrolledVisits += 1;
      sum.deepest = -1;
    }
  }

  /** Adds the present visit, once to each group that any of the rows is in. */
  addVisit(list: Uint32Array, count: number): void {
    const { visit, runs } = this.#rows;
    const opener = runs.openers[visit] as number;
    for (let at = 0; at < count; at++)
      for (const sum of this.#groups.at(list[at] as number, opener)) {
        if (sum.visit === this.#scan.visits) continue;
        sum.visit = this.#scan.visits;
        countVisit(sum.counts, this.#rows);
      }
  }
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
      for (const visitors of this.#groups?.at(row, row) ?? []) addTo(this.#scan, visitors, visitor());
    }
  }
}

/** Visits by their entry pages. */
class Entries {
  readonly #rows: JudgedRows;
  readonly #passes: (row: number) => boolean;
  readonly #groups: RowGroups<VisitCounts>;

  constructor(scan: Scan, rows: JudgedRows) {
    this.#rows = rows;
    this.#passes = verdictOf(scan.filter, rows);
    this.#groups = new RowGroups(rows, {
      attributes: scan.axes.map(({ attribute }) => attribute),
      ...labelling(scan, rows),
      find: (seen, label) => entriesAt(scan, seen, label),
    });
  }

  /** Adds the present visit, once to each group of its rows, if they had happened on its entry page. */
  add(): void {
    const { real, runs } = this.#rows;
    const { visit } = real;
    const opener = runs.openers[visit] as number;
    const counted: VisitCounts[] = [];
    for (let row = runs.starts[visit] as number; row < (runs.starts[visit + 1] as number); row++) {
      if (!this.#passes(row)) continue;
      for (const counts of this.#groups.at(row, opener)) {
        if (counted.includes(counts)) continue;
        counted.push(counts);
        countVisit(counts, real);
      }
    }
  }
}
