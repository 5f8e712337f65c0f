// What rollups cannot answer, and is counted from events instead. A rollup keeps only the largest values of a
// dimension; if it was cut, it does not know the others. It has no breakdown by a dimension that is younger than
// itself, and no numbers of a younger goal. Such rows are put aside. Only their Days and partitions are read from
// events, and `tally.ts` adds up both.

import { OTHER } from "../counting/dimension.ts";
import { skipEntry } from "../counting/rollup.ts";
import { isCut, isThin, type RollupRow, readBreakdownOf } from "../counting/rollup-row.ts";
import { DAYS_SHOWN_MAX } from "../limits.ts";
import { knowsGoals } from "../rules.ts";
import { dateOf } from "../time.ts";
import { type Attribute, shownValue } from "./attribute.ts";
import { comparisonsOf } from "./filter.ts";
import type { Groups } from "./group.ts";
import { type Plan, spanOf } from "./plan.ts";

/**
 * Why a row is not enough. "part": only a part of its Day is in the range. "hours": it is an Hour of a closed Day,
 * which has only totals. "breakdown": it has no such breakdown. "cut": a cut may have taken what is asked for. "goals":
 * it was counted before a goal was made.
 */
export type Lack = "part" | "hours" | "breakdown" | "cut" | "goals";

/** A row that was put aside. */
export interface Aside {
  readonly bucket: number;
  readonly day: number;
  readonly partition: string;
  readonly why: Lack;
}

/** Buckets that are counted from events while the others are not. */
export interface Rest {
  /** Numbers of their Days. */
  readonly days: ReadonlySet<number>;
  /** "day partition" of each. */
  readonly places: ReadonlySet<string>;
  /** "hour partition" of each, if they are Hours. */
  readonly hours: ReadonlySet<string> | undefined;
  /** The values to count, if rollups have the others. */
  readonly values: ReadonlySet<string> | undefined;
}

/** The attribute whose values a plan reads from rollups. */
export function attributeRead({ question: { breakdowns, filter } }: Plan): Attribute | undefined {
  return breakdowns[0] ?? comparisonsOf(filter)[0]?.attribute;
}

/** What a row lacks to answer a plan's question. Undefined where it lacks nothing. */
export function lackOf(plan: Plan, row: RollupRow): Lack | undefined {
  if (plan.range.partialDay === row.day && plan.grain === "day") return "part";
  // It also holds for Hours that are not packed yet, so that an answer does not change when they are packed.
  const isMore = plan.breakdowns.length > 0 || (plan.sketch && row.within === undefined);
  if (row.grain === "hour" && isMore && (row.day < plan.openFrom || (plan.sketch && isThin(row)))) return "hours";
  if (plan.breakdowns.some((name) => row.breakdowns[name] === undefined)) return "breakdown";
  if (isBeforeGoals(plan, row) && row.day >= plan.eventsFrom) return "goals";
  const { wanted } = plan;
  if (wanted === undefined) return undefined;
  const attribute = attributeRead(plan) as Attribute;
  const mayLack = plan.breakdowns.some(
    (name) => isCut(row, name) && (wanted === "every" || !namesAll(row, { name, attribute, wanted })),
  );
  return mayLack ? "cut" : undefined;
}

/** Whether a row was counted before a wanted goal had its present definition. */
export function isBeforeGoals(plan: Plan, row: RollupRow): boolean {
  const { goals, rules } = plan;
  if (goals === undefined || rules === undefined) return false;
  const [from, to] = spanOf(plan, row);
  return !knowsGoals(rules, goals, { day: row.day, from, to });
}

interface Named {
  readonly name: Plan["breakdowns"][number];
  readonly attribute: Attribute;
  readonly wanted: ReadonlySet<string>;
}

/** "(other)" of a cut stands for a rest and not for a value, even if a value has that name. */
function namesAll(row: RollupRow, { name, attribute, wanted }: Named): boolean {
  const found = new Set<string>();
  readBreakdownOf(row, name, (stored, reader) => {
    skipEntry(reader);
    if (stored === OTHER) return;
    const value = shownValue(attribute, stored);
    if (wanted.has(value)) found.add(value);
  });
  return found.size === wanted.size;
}

/** Whether a row that was put aside still gives the values that are not asked for, and their rest. */
export function givesOthers(plan: Plan, lack: Lack): boolean {
  return lack === "cut" && plan.keeps === undefined && plan.wanted !== undefined && plan.wanted !== "every";
}

/** The plan for the rows put aside: the same question about only those buckets. */
export function restPlan(plan: Plan, aside: readonly Aside[]): Plan {
  const { wanted, keeps } = plan;
  const rest: Rest = {
    days: new Set(aside.map(({ day }) => day)),
    places: new Set(aside.map(({ day, partition }) => `${day} ${partition}`)),
    hours: plan.grain === "day" ? undefined : new Set(aside.map(({ bucket, partition }) => `${bucket} ${partition}`)),
    values: keeps === undefined && wanted !== "every" ? wanted : undefined,
  };
  return { ...plan, source: "archive", rest };
}

/** A plan to count everything from events. Visitors are then exact over any range. */
export function wholePlan(plan: Plan): Plan {
  return { ...plan, source: "archive" };
}

/** The plan with values that must be known, because results of another range stand beside them. */
export function wanting(plan: Plan, values: readonly string[]): Plan {
  if (plan.source === "archive" || plan.question.breakdowns.length === 0 || plan.breakdowns.length === 0) return plan;
  const named = values.filter((value) => value !== OTHER);
  const wanted = attributeRead(plan)?.show === undefined ? new Set(named) : "every";
  return { ...plan, wanted: named.length === 0 ? undefined : wanted };
}

/**
 * A page of results behind those that rollups name: its plan counts what was cut from events. It begins where the pages
 * before it have ended, "(other)" among them. Undefined for every other page.
 */
export function pageBeyondCut(plan: Plan, { groups, cutBuckets }: Groups): Plan | undefined {
  const { offset, limit } = plan.question.pagination;
  if (plan.source === "archive" || plan.wanted !== undefined || cutBuckets === 0) return undefined;
  if (offset === 0 || offset + limit <= groups.length) return undefined;
  const at = plan.question.dimensions.indexOf(attributeRead(plan)?.question ?? "");
  const others = groups.filter(({ dimensions }) => dimensions[at] === OTHER).length;
  return { ...plan, wanted: "every", offset: Math.max(0, offset - others) };
}

/** Days in a row that were counted from events for one reason, as answers show them: first and last date. */
export interface ShownDays {
  readonly dates: readonly [first: string, last: string];
  readonly why: Lack;
}

export function shownDays(aside: readonly Aside[]): readonly ShownDays[] {
  const runs: { from: number; to: number; why: Lack }[] = [];
  for (const { day, why } of [...aside].sort((a, b) => a.day - b.day)) {
    const last = runs.findLast((run) => run.why === why);
    if (last !== undefined && day <= last.to) last.to = Math.max(last.to, day + 1);
    else runs.push({ from: day, to: day + 1, why });
  }
  return runs.slice(0, DAYS_SHOWN_MAX).map(({ from, to, why }) => ({ dates: [dateOf(from), dateOf(to - 1)], why }));
}
