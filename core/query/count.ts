// Counts an answer from events, for every kind of question. Rows are added Day after Day, in a request or on a queue.
// The counts of some Days can be written as text and added to the counts of others. So a large question is counted in
// parts (job.ts), and closed Days need not be counted again. Questions are counted here, reports in `report-count.ts`.

import type { EventColumns } from "../archive/event-columns.ts";
import type { Gradual } from "../gradual.ts";
import { fixedCountOf, viewOf } from "./filter.ts";
import type { Groups } from "./group.ts";
import { type Plan, timeLabel } from "./plan.ts";
import type { Range } from "./range.ts";
import type { Rest } from "./rest.ts";
import { closeScan, extraColumns, openScan, type Scan, type ScanProblem } from "./scan.ts";
import { addRows } from "./scan-derived.ts";
import { absorbScan, encodeScan } from "./scan-part.ts";
import type { SeenUnder } from "./seen.ts";

/** A merchant's rows of a Day, by partition: all of them, or those of some visitors. */
export interface DayRows {
  readonly day: number;
  readonly partitions: readonly EventColumns[];
  /** Which visitors are counted, where rows of others are among these (`SeenRows`). */
  readonly isCounted?: (visitor: string) => boolean;
}

/** A count under way. Days must be added in their order, by `add` and `absorb` alike. A problem ends it. */
export interface Counting {
  readonly add: (rows: DayRows) => Gradual<ScanProblem | undefined>;
  /** What was added, as text. The same rows give the same text. */
  readonly encode: () => string;
  /** How many entries its sets of visitors hold, where that is known. */
  readonly held?: () => number;
  /** Adds a text that `encode` of the same plan has written. */
  readonly absorb: (text: string) => ScanProblem | undefined;
}

export interface CountPlan<C extends Counting> {
  readonly ranges: readonly Range[];
  /** The places to count; undefined for all. */
  readonly rest?: Pick<Rest, "days" | "places"> | undefined;
  /** Columns of the archive besides those that counting reads. */
  readonly columns: readonly string[];
  /** Which rows must be added at once: a visitor's rows of a Day in one partition, or in all partitions. */
  readonly together: "partition" | "day";
  /** Whether it looks at visits alone, so that derived rows (derived.ts) will do in place of the rows. */
  readonly isOfVisits: boolean;
  /**
   * A name of everything that the text of a Day depends on, beside the Day's events and the settings that they are seen
   * under. Undefined where Days may not be counted as a whole.
   */
  readonly nameOf: ((day: number) => string) | undefined;
  /** Begins a counting. A "part" will be encoded; a "whole" gives the answer. */
  readonly open: (under: SeenUnder, form: "part" | "whole") => C;
}

export interface QuestionCounting extends Counting {
  /** The scan of each plan, to be added to what rollups say. */
  readonly scans: () => readonly Scan[];
  /** The groups of each plan. */
  readonly groups: () => readonly Groups[];
}

/** Counts a question over one range or several. Each row is read once, even if it is in several ranges. */
export function countPlanOf(plans: readonly Plan[]): CountPlan<QuestionCounting> {
  return {
    ranges: plans.map(({ range }) => range),
    rest: plans.length === 1 ? plans[0]?.rest : undefined,
    columns: [...new Set(plans.flatMap(extraColumns))],
    together: "partition",
    isOfVisits: plans.every(({ question: { filter } }) => viewOf(filter) === undefined),
    nameOf: plans.every(({ range, rest }) => range.wholeDays && rest?.hours === undefined) ? namesOf(plans) : undefined,
    open: (under) => {
      const scans = plans.map((plan) => openScan(plan, under));
      return {
        add: function* ({ day, partitions, isCounted }) {
          const own = scans.filter(({ plan: { range } }) => day >= range.fromDay && day < range.toDay);
          for (const scan of own)
            for (const rows of partitions) {
              const problem = yield* addRows(scan, { day, rows, isCounted });
              if (problem !== undefined) return problem;
            }
          return undefined;
        },
        encode: () => scans.map(encodeScan).join("\n"),
        absorb: (text) => firstProblem(text.split("\n"), (own, index) => absorbScan(at(scans, index), own)),
        held: () => scans.reduce((sum, { visitors }) => sum + visitors, 0),
        scans: () => scans,
        groups: () => scans.map(closeScan),
      };
    },
  };
}

/**
 * Names what the text of a Day depends on. Of a range that is only the Day's label in it, and whether the Day is in it.
 */
function namesOf(plans: readonly Plan[]): (day: number) => string {
  const common = plans.map(({ question: { dimensions, metrics, filters, filter }, rest }) => {
    return [dimensions, metrics, filters, fixedCountOf(filter), rest?.values && [...rest.values]];
  });
  return (day) => {
    const places = plans.map((plan) => {
      const isFine = plan.time === "hour" || plan.time === "minute";
      const isIn = day >= plan.range.fromDay && day < plan.range.toDay;
      return isIn && (isFine ? plan.time : timeLabel(plan, { bucket: day, day }));
    });
    return JSON.stringify(["query", common, places]);
  };
}

function firstProblem<T>(
  all: readonly T[],
  count: (one: T, index: number) => ScanProblem | undefined,
): ScanProblem | undefined {
  for (const [index, one] of all.entries()) {
    const problem = count(one, index);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function at<T>(all: readonly T[], index: number): T {
  return all[index] as T;
}
