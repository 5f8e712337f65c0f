// What counts an answer from events, of whatever kind the question is: rows of one Day after the other go in, in a
// request or on a queue. What some Days have come to can be written down and added to what others have: so a large
// question is counted in parts (job.ts), and what closed Days came to need not be counted again. Questions are counted
// here, reports in `report-count.ts`.

import type { EventColumns } from "../archive/event-columns.ts";
import type { Gradual } from "../gradual.ts";
import { fixedCountOf } from "./filter.ts";
import type { Groups } from "./group.ts";
import { type Plan, timeLabel } from "./plan.ts";
import type { Range } from "./range.ts";
import type { Rest } from "./rest.ts";
import { closeScan, extraColumns, openScan, type Scan, type ScanProblem, scanDay } from "./scan.ts";
import { absorbScan, encodeScan } from "./scan-part.ts";
import type { SeenUnder } from "./seen.ts";

/** A merchant's rows of a Day, by partition: all of them, or those of some visitors. */
export interface DayRows {
  readonly day: number;
  readonly partitions: readonly EventColumns[];
  /** Whose visits are meant, where rows of others are among them (`SeenRows`). */
  readonly isCounted?: (visitor: string) => boolean;
}

/** Days come in their order, in `add` and `absorb` alike. A problem ends the counting. */
export interface Counting {
  readonly add: (rows: DayRows) => Gradual<ScanProblem | undefined>;
  /** What was added, as text: of the same rows the same. */
  readonly encode: () => string;
  /** Entries of sets of visitors that it holds, where that is known. */
  readonly held?: () => number;
  /** Adds what `encode` of the same plan has written. */
  readonly absorb: (text: string) => ScanProblem | undefined;
}

export interface CountPlan<C extends Counting> {
  readonly ranges: readonly Range[];
  /** The only (Day, partition)s to count, where not all are. */
  readonly rest?: Pick<Rest, "days" | "places"> | undefined;
  /** Columns of the archive beside those that counting reads. */
  readonly columns: readonly string[];
  /** What must be given at once: a visitor's rows of a Day in one partition, or in all of them. */
  readonly together: "partition" | "day";
  /**
   * Names all that the text of a Day depends on, beside the Day's events and what they are seen under. Undefined where
   * Days may not be counted as a whole.
   */
  readonly nameOf: ((day: number) => string) | undefined;
  /** "part" is to be encoded, "whole" to be answered from. */
  readonly open: (under: SeenUnder, form: "part" | "whole") => C;
}

export interface QuestionCounting extends Counting {
  /** Of each plan, to be added to what rollups say. */
  readonly scans: () => readonly Scan[];
  /** Of each plan. */
  readonly groups: () => readonly Groups[];
}

/** Counts a question over one range or over several: each row is read once, whatever ranges it is in. */
export function countPlanOf(plans: readonly Plan[]): CountPlan<QuestionCounting> {
  return {
    ranges: plans.map(({ range }) => range),
    rest: plans.length === 1 ? plans[0]?.rest : undefined,
    columns: [...new Set(plans.flatMap(extraColumns))],
    together: "partition",
    nameOf: plans.every(({ range, rest }) => range.wholeDays && rest?.hours === undefined) ? namesOf(plans) : undefined,
    open: (under) => {
      const scans = plans.map((plan) => openScan(plan, under));
      return {
        add: function* ({ day, partitions, isCounted }) {
          const own = scans.filter(({ plan: { range } }) => day >= range.fromDay && day < range.toDay);
          for (const scan of own)
            for (const rows of partitions) {
              const problem = yield* scanDay(scan, { day, rows, isCounted });
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

/** The range matters only in what the Day is called in it, and whether it is in it. */
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
