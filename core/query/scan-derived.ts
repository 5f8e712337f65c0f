// Adds derived rows (derived.ts) to a scan, by the same rules as scan.ts and in a tenth of the time: no row and no
// visit becomes an object. What an event is compared and grouped by is a code in a column; what a code means is found
// out once. Questions that need more of a visit than its numbers are counted by scan.ts, from the same rows.

import { numbersOf, textsOf } from "../archive/event-columns.ts";
import { isEngagement } from "../event.ts";
import { type Gradual, LOOKED_AT, Slices } from "../gradual.ts";
import { DERIVED_READS, GROUPS_MAX, SCAN_VISITORS_MAX } from "../limits.ts";
import { type Codes, joinCodes } from "../pair-codes.ts";
import { type Attribute, shownValue } from "./attribute.ts";
import { outOfSteps, spend } from "./budget.ts";
import { type Comparison, comparisonsOf, type Filter } from "./filter.ts";
import {
  addEarning,
  addTo,
  combinationsOf,
  isOrder,
  labelAt,
  noneKnown,
  type Scan,
  type ScanProblem,
  type Sum,
  scanDay,
  sumOf,
} from "./scan.ts";
import {
  RowCursor,
  type Seen,
  type SeenColumns,
  type SeenRows,
  seeColumns,
  seenAt,
  type VisitRuns,
  visitNameAt,
} from "./seen.ts";

/** Steps of adding a derived event under the values of one dimension, and of using a known verdict. */
const ROW_STEPS = 1;

/** Adds what one partition has of one Day, given as a whole. A problem ends the scan. */
export function* addRows(scan: Scan, rows: SeenRows): Gradual<ScanProblem | undefined> {
  const { plan, view } = scan;
  const { rest, totals, visitsByEntryPage } = plan;
  const isPlain = view === undefined && rest?.hours === undefined && totals.length === 0 && !visitsByEntryPage;
  if (!isPlain || !("derived" in rows.rows)) return yield* scanDay(scan, rows);
  const seen = yield* seeColumns(rows, scan.under);
  const columns = columnsOf(seen, scan);
  if (seen.runs === undefined || columns === undefined) return yield* scanDay(scan, rows);
  return yield* addRuns(scan, seen, { runs: seen.runs, columns, day: rows.day });
}

interface Runs {
  readonly runs: VisitRuns;
  /** Codes of the rows in each attribute that the question groups by or compares. */
  readonly columns: ReadonlyMap<Attribute, Codes>;
  readonly day: number;
}

function* addRuns(scan: Scan, seen: SeenColumns, { runs, columns, day }: Runs): Gradual<ScanProblem | undefined> {
  const { plan } = scan;
  const { budgets, breakdowns } = plan.question;
  const slices = new Slices(budgets);
  scan.hours = undefined;
  scan.known = noneKnown(seen.columns.seed);
  const engagement = numbersOf(seen.columns, "engagementMs");
  const scroll = numbersOf(seen.columns, "scroll");
  const names = textsOf(seen.columns, "name");
  const isReport = names.values.map(isEngagement);
  const inRange = rowsInRange(scan, seen);
  const judging: Judging = { seen, runs, columns, day, visit: 0, looked: 0 };
  const passes = compiled(scan.filter, judging);
  const groups = new RowGroups(scan, judging);
  const ofVisit = new Uint32Array(longestOf(runs));
  for (let visit = 0; visit < runs.count; visit++) {
    judging.visit = visit;
    judging.looked = 0;
    scan.visits += 1;
    const [start, end] = [runs.starts[visit] as number, runs.starts[visit + 1] as number];
    let admitted = 0;
    for (let row = start; row < end; row++) if (passes(row)) ofVisit[admitted++] = row;
    const steps = ((end - start) * (1 + breakdowns.length) + judging.looked) * ROW_STEPS;
    spend(budgets.own, steps, "#/dimensions");
    if (slices.isOver((end - start) * LOOKED_AT * DERIVED_READS)) yield;
    const scrolled: Sum[] = [];
    let name: string | undefined;
    for (let at = 0; at < admitted; at++) {
      const row = ofVisit[at] as number;
      if (inRange !== undefined && inRange[row] === 0) continue;
      const earning = seen.earnings.size === 0 ? undefined : seen.earnings.get(row);
      const deep = scroll[row] as number;
      for (const sum of groups.at(row, row)) {
        const { counts } = sum;
        if (sum.visitorOf !== scan.visits) {
          sum.visitorOf = scan.visits;
          name ??= visitNameAt(runs, { visit, day: plan.grain === "hour" ? undefined : day });
          addTo(scan, sum.visitors, name);
        }
        counts.pageviews += seen.views[row] as number;
        if (!isReport[names.codes[row] as number]) counts.events += 1;
        counts.engagement_ms += engagement[row] as number;
        if (earning !== undefined) addEarning(scan, sum, { earning, day });
        if (deep < 0) continue;
        if (sum.deepest < 0) scrolled.push(sum);
        sum.deepest = Math.max(deep, sum.deepest);
      }
    }
    for (const sum of scrolled) {
      sum.scroll += sum.deepest;
      sum.scrolledVisits += 1;
      sum.deepest = -1;
    }
    const opener = runs.openers[visit] as number;
    if (inRange === undefined || inRange[opener] === 1)
      for (let at = 0; at < admitted; at++)
        for (const sum of groups.at(ofVisit[at] as number, opener)) {
          // A visit counts once in each group, however many of its events are in it.
          if (sum.visit === scan.visits) continue;
          sum.visit = scan.visits;
          sum.counts.visits += 1;
          sum.counts.bounces += runs.bounces[visit] as number;
          sum.counts.duration_ms += runs.durationsMs[visit] as number;
        }
    if (scan.sums.size > GROUPS_MAX) return "groups";
    if (scan.visitors > SCAN_VISITORS_MAX) return "visitors";
    const spent = outOfSteps(budgets);
    if (spent !== undefined) return spent;
  }
  for (const [row, earning] of seen.earnings)
    if (isOrder(earning) && (inRange === undefined || inRange[row] === 1)) {
      scan.orderPlaces.add(`${day} ${seen.columns.partition}`);
      break;
    }
  return undefined;
}

/** 1 for rows in the range; undefined where all rows are. */
function rowsInRange({ plan: { range } }: Scan, { times }: SeenColumns): Uint8Array | undefined {
  if (range.wholeDays) return undefined; // nobody adds a Day outside of it
  return Uint8Array.from(times, (time) => (time >= range.fromInstant && time < range.toInstant ? 1 : 0));
}

function longestOf({ count, starts }: VisitRuns): number {
  let longest = 0;
  for (let visit = 0; visit < count; visit++)
    longest = Math.max(longest, (starts[visit + 1] as number) - (starts[visit] as number));
  return longest;
}

/** Finds the groups of rows. They are found out once for each label and combination of codes. */
class RowGroups {
  readonly #scan: Scan;
  readonly #judging: Judging;
  readonly #codes: Uint32Array | undefined;
  readonly #isFine: boolean;
  readonly #known = new Map<string, (readonly Sum[] | undefined)[]>();
  /** Those of the label that was asked for last. */
  #ofLabel: (readonly Sum[] | undefined)[] = [];
  #label: string | undefined;

  constructor(scan: Scan, judging: Judging) {
    const { plan, axes } = scan;
    this.#scan = scan;
    this.#judging = judging;
    const all = axes.map(({ attribute }) => judging.columns.get(attribute) as Codes);
    this.#codes = all.length === 0 ? undefined : joinCodes(all, judging.seen.columns).codes;
    this.#isFine = plan.time === "hour" || plan.time === "minute";
  }

  /** The groups of a row, at the time of another row. */
  at(row: number, timeRow: number): readonly Sum[] {
    if (this.#isFine || this.#label === undefined) this.#turnTo(timeRow);
    const code = this.#codes === undefined ? 0 : (this.#codes[row] as number);
    return this.#ofLabel[code] ?? this.#find(row, code);
  }

  #turnTo(row: number): void {
    const { day, seen } = this.#judging;
    const label = labelAt(this.#scan, { instant: seen.times[row] as number, day });
    if (label === this.#label) return;
    this.#label = label;
    this.#ofLabel = this.#known.get(label) ?? [];
    this.#known.set(label, this.#ofLabel);
  }

  #find(row: number, code: number): readonly Sum[] {
    const seen = rowOf(this.#judging, row);
    const found = combinationsOf(this.#scan, seen, this.#label as string).map((dimensions) =>
      sumOf(this.#scan, dimensions),
    );
    this.#ofLabel[code] = found;
    return found;
  }
}

/** What is judged. */
interface Judging extends Runs {
  readonly seen: SeenColumns;
  /** The visit whose rows are judged. */
  visit: number;
  /** How often the verdict of a code was looked up. */
  looked: number;
}

function rowOf({ seen, runs, visit, day }: Judging, row: number): Seen {
  return seenAt(seen, runs, { visit, day, row });
}

/** A filter as a function of a row of the present visit. */
function compiled(filter: Filter, judging: Judging): (row: number) => boolean {
  switch (filter.kind) {
    case "and": {
      const all = filter.of.map((inner) => compiled(inner, judging));
      return all.length === 1 ? (all[0] as (row: number) => boolean) : (row) => all.every((passes) => passes(row));
    }
    case "or": {
      const all = filter.of.map((inner) => compiled(inner, judging));
      return (row) => all.some((passes) => passes(row));
    }
    case "not": {
      const passes = compiled(filter.of, judging);
      return (row) => !passes(row);
    }
    case "has_done":
      return hasDone(compiled(filter.of, judging), judging);
    case "comparison":
      return compares(filter, judging);
  }
}

/** Whether any row of the visit passes. It is found out once for each visit. */
function hasDone(passes: (row: number) => boolean, judging: Judging): (row: number) => boolean {
  const { runs } = judging;
  let [known, verdict] = [-1, false];
  return () => {
    const { visit } = judging;
    if (visit === known) return verdict;
    const end = runs.starts[visit + 1] as number;
    let row = runs.starts[visit] as number;
    while (row < end && !passes(row)) row += 1;
    [known, verdict] = [visit, row < end];
    return verdict;
  };
}

function compares({ attribute, fits }: Comparison, judging: Judging): (row: number) => boolean {
  const { codes, size } = judging.columns.get(attribute) as Codes;
  const verdicts = new Uint8Array(size);
  return (row) => {
    judging.looked += 1;
    const code = codes[row] as number;
    const known = verdicts[code] as number;
    if (known !== 0) return known === 1;
    const isFit = attribute.valuesOf(rowOf(judging, row)).some((value) => fits(shownValue(attribute, value)));
    verdicts[code] = isFit ? 1 : 2;
    return isFit;
  };
}

/** By rows, and by the question's name of an attribute. Questions of a batch compare the same ones. */
const known = new WeakMap<SeenColumns, Map<string, Codes | undefined>>();

/** The codes of all attributes of a question; undefined where one has values without a code. */
function columnsOf(seen: SeenColumns, { axes, filter }: Scan): Runs["columns"] | undefined {
  const own = known.get(seen) ?? new Map<string, Codes | undefined>();
  known.set(seen, own);
  const found = new Map<Attribute, Codes>();
  const compared = comparisonsOf(filter).map(({ attribute }) => attribute);
  for (const attribute of [...axes.map((axis) => axis.attribute), ...compared]) {
    const { question } = attribute;
    if (!own.has(question)) own.set(question, columnOf(seen, attribute));
    const codes = own.get(question);
    if (codes === undefined) return undefined;
    found.set(attribute, codes);
  }
  return found;
}

function columnOf(seen: SeenColumns, attribute: Attribute): Codes | undefined {
  const runs = seen.runs as VisitRuns;
  const cursor = new RowCursor(seen, runs);
  const codes = new Uint32Array(seen.columns.count);
  let size = 1;
  for (let visit = 0; visit < runs.count; visit++) {
    const [start, end] = [runs.starts[visit] as number, runs.starts[visit + 1] as number];
    let code = 0;
    for (let row = start; row < end; row++) {
      if (row === start || attribute.scope === "event") code = attribute.codeOf(cursor.to(visit, row), seen);
      if (code < 0) return undefined;
      if (code >= size) size = code + 1;
      codes[row] = code;
    }
  }
  return { codes, size };
}
