// What the page Morning makes of the API's answers: a day beside what is usual, and what moved it. "Usual" is the
// median of the same weekday in the four weeks before, of those alone in which the shop was counted already. Pure:
// the tests read it without a page.

import { addDays } from "../../address.ts";

/** How many weeks make what is usual. */
export const WEEKS = 4;

/** The numbers of each day, in the order in which they were asked; a day without any has no row. */
export type Days = ReadonlyMap<string, readonly number[]>;

interface Wanted {
  /** Which of the numbers. */
  readonly index: number;
  /** The last day of the span. */
  readonly date: string;
  /** How many days it has: 1, or 7 for a week. */
  readonly span: number;
}

/** The sum of a span of days. Money has four digits behind the point at most, and is added up in these. */
export function sumOf(days: Days, { index, date, span }: Wanted): number {
  let sum = 0;
  for (let back = 0; back < span; back++)
    sum += Math.round((days.get(addDays(date, -back))?.[index] ?? 0) * MONEY_STEPS);
  return sum / MONEY_STEPS;
}

const MONEY_STEPS = 10_000;

export interface Usual {
  readonly value: number;
  /** Of how many weeks it is the median. */
  readonly weeks: number;
}

/** What is usual for a span of days; undefined where there is no week to compare with. */
export function usualOf(days: Days, wanted: Wanted): Usual | undefined {
  const [first] = [...days.keys()].sort();
  const values: number[] = [];
  for (let week = 1; week <= WEEKS; week++) {
    const date = addDays(wanted.date, -7 * week);
    if (first === undefined || addDays(date, 1 - wanted.span) < first) break;
    values.push(sumOf(days, { ...wanted, date }));
  }
  return values.length === 0
    ? undefined
    : { value: Math.round(medianOf(values) * MONEY_STEPS) / MONEY_STEPS, weeks: values.length };
}

/** The value in the middle; of an even number of values the mean of the two in the middle. */
export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const half = sorted.length / 2;
  const [low = 0, high = 0] = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]];
  return (low + high) / 2;
}

/** By how many per cent a number differs from another; null where that was nothing. */
export function changeOf(value: number, before: number): number | null {
  return before === 0 ? null : Math.round((100 * (value - before)) / before);
}

/** Values of a dimension on one day, the largest first, and whether these are all. */
export interface Listed {
  readonly values: ReadonlyMap<string, number>;
  readonly areAll: boolean;
}

export interface Mover {
  readonly name: string;
  readonly now: number;
  readonly before: number;
}

/** What grew most and what shrank most between two days. A value that a cut list lacks is not known, and no zero. */
export function moversOf(now: Listed, before: Listed): readonly Mover[] {
  const names = new Set([...now.values.keys(), ...before.values.keys()].filter((name) => name !== OTHERS));
  const movers = [...names].flatMap((name) => {
    const values = [now, before].map((one) => one.values.get(name) ?? (one.areAll ? 0 : undefined));
    const [is, was] = values;
    return is === undefined || was === undefined || is === was ? [] : [{ name, now: is, before: was }];
  });
  const by = ({ now: is, before: was }: Mover) => is - was;
  const sorted = movers.sort((one, other) => by(other) - by(one) || (one.name < other.name ? -1 : 1));
  const [most, least] = [sorted[0], sorted.at(-1)];
  return [most !== undefined && by(most) > 0 && most, least !== undefined && by(least) < 0 && least].filter(
    (one) => one !== false,
  );
}

const OTHERS = "(other)";

/** What is worth a look. */
export type Warning = "noOrders" | "noVisits" | "leftOut";

interface Seen {
  readonly orders: number;
  readonly usualOrders: number;
  readonly visitsToday: number;
  readonly visitsThen: number;
  readonly leftOut: number;
  readonly usualLeftOut: number;
  readonly visits: number;
}

/** So few visits may be absent by chance. */
const VISITS_EXPECTED_MIN = 5;

/** What of a morning is worth a look, by fixed rules: nothing is guessed. */
export function warningsOf(seen: Seen): readonly Warning[] {
  const found: Warning[] = [];
  if (seen.orders === 0 && seen.usualOrders >= 1) found.push("noOrders");
  if (seen.visitsToday === 0 && seen.visitsThen >= VISITS_EXPECTED_MIN) found.push("noVisits");
  // Twice as much as usual, and a tenth of all visits.
  if (seen.leftOut > 2 * seen.usualLeftOut && 10 * seen.leftOut > seen.visits) found.push("leftOut");
  return found;
}
