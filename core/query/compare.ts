// Comparisons (`include.comparisons`): the same question is asked of another range, and its results stand beside those
// of the question. The other range is the one just before, the same one a year earlier, or any other. It may be moved
// by a few Days, so that a Monday is compared with a Monday.

import { hourOf, type ZonePeriod, zoneAt } from "../merchant.ts";
import { accepted, type Outcome } from "../outcome.ts";
import { addMonths, DAY_MS, dayAt, offsetAt } from "../time.ts";
import { type DateRange, parseDateRange, type Range, rangeOfDays } from "./range.ts";
import { invalid, isObject, mismatch, quote, shown } from "./refusal.ts";

export interface CompareRequest {
  readonly mode: "previous_period" | "year_over_year" | "custom";
  readonly matchDayOfWeek: boolean;
  /** The other range itself, for the mode "custom". */
  readonly dateRange: DateRange | undefined;
}

const MODES: readonly unknown[] = ["previous_period", "year_over_year", "custom"];
const KEYS = ["mode", "match_day_of_week", "date_range"];

/** Reads `include.comparisons`; undefined when nothing is to be compared. */
export function parseComparisons(value: unknown): Outcome<CompareRequest | undefined> {
  if (value === undefined || value === false || value === null) return accepted(undefined);
  if (!isObject(value)) return mismatch("#/include/comparisons", "Object", value);
  const unknown = Object.keys(value).find((key) => !KEYS.includes(key));
  if (unknown !== undefined)
    return invalid(`#/include/comparisons/${shown(unknown)}: Schema does not allow additional properties.`);
  const { mode, match_day_of_week: matches = false, date_range: asked } = value as Record<string, unknown>;
  if (!MODES.includes(mode)) return invalid(`#/include/comparisons/mode: Invalid mode ${quote(mode)}`);
  if (typeof matches !== "boolean") return mismatch("#/include/comparisons/match_day_of_week", "Boolean", matches);
  const dateRange = parseDateRange(asked);
  if ((mode === "custom") !== (asked !== undefined) || (mode === "custom" && dateRange === undefined))
    return invalid(`#/include/comparisons/date_range: Invalid date range ${quote(asked)}`);
  return accepted({ mode: mode as CompareRequest["mode"], matchDayOfWeek: matches, dateRange });
}

/**
 * The range to compare with. A range of whole Days is compared with whole Days, one of Hours with Hours at the same
 * local time. `passed` is the instant up to which the range is over, if that is before its end. The other range ends at
 * the same place: today until 15:00 is compared with yesterday until 15:00.
 */
export function comparedRange(
  request: CompareRequest,
  range: Range,
  zones: readonly ZonePeriod[],
  passed = range.toInstant,
): DateRange {
  if (request.dateRange !== undefined) return request.dateRange;
  if (!range.wholeDays) return comparedHours(request, range, zones, passed);
  const { fromDay, toDay } = range;
  const isYear = request.mode === "year_over_year";
  const distance = isYear ? yearBefore(fromDay) : Math.max(1, toDay - fromDay);
  const back = request.matchDayOfWeek ? sameWeekday(distance, isYear) : distance;
  const from = fromDay - back;
  // For a year earlier both ends keep their dates, even if a 29 February lies between them.
  const backAtEnd = (day: number) => (isYear && !request.matchDayOfWeek ? yearBefore(day) : back);
  if (passed >= range.toInstant) return { kind: "days", from, to: toDay - backAtEnd(toDay - 1) };
  const lastDay = dayAt(zoneAt(zones, passed - 1), passed - 1);
  const start = rangeOfDays(zones, { from, to: from + 1 }).fromInstant;
  return { kind: "instants", from: start, to: moved(zones, passed, backAtEnd(lastDay)) };
}

/** A range of so many times 24 hours is compared with as many hours just before, whether clocks were changed or not. */
function comparedHours(request: CompareRequest, range: Range, zones: readonly ZonePeriod[], passed: number): DateRange {
  const { fromInstant, toInstant, fromDay } = range;
  const isYear = request.mode === "year_over_year";
  const length = toInstant - fromInstant;
  const local = length + clockAt(zones, toInstant) - clockAt(zones, fromInstant);
  const days = Math.max(1, Math.min(Math.ceil(length / DAY_MS), Math.ceil(local / DAY_MS)));
  if (!isYear && !request.matchDayOfWeek && length === days * DAY_MS)
    return { kind: "instants", from: hourOf(zones, fromInstant - length), to: hourOf(zones, passed - length) };
  const distance = isYear ? yearBefore(fromDay) : days;
  const back = request.matchDayOfWeek ? sameWeekday(distance, isYear) : distance;
  const to = moved(zones, passed, back);
  return { kind: "instants", from: moved(zones, fromInstant, back), to: Math.min(to, fromInstant) };
}

/** The instant so many Days earlier at the same local time. */
function moved(zones: readonly ZonePeriod[], instant: number, days: number): number {
  const earlier = instant - days * DAY_MS;
  return hourOf(zones, earlier + clockAt(zones, instant) - clockAt(zones, earlier));
}

function clockAt(zones: readonly ZonePeriod[], instant: number): number {
  return offsetAt(zoneAt(zones, instant), instant);
}

/** The number of Days from the same date of the year before. */
function yearBefore(day: number): number {
  return day - addMonths(day, -12);
}

/**
 * A distance in whole weeks, as Days: the nearest to the given one, or the next longer one where a shorter would make
 * two periods overlap.
 */
function sameWeekday(distance: number, mayBeNearer: boolean): number {
  return 7 * (mayBeNearer ? Math.round(distance / 7) : Math.ceil(distance / 7));
}
