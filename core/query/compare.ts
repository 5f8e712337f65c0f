// Comparisons (`include.comparisons`): the same question once more over another range, its results beside those of the
// question. The other range is the one just before, the same one a year earlier, or any; it may be moved by a few Days
// so that weekdays fall on weekdays.

import { hourOf, type ZonePeriod, zoneAt } from "../merchant.ts";
import { accepted, type Outcome } from "../outcome.ts";
import { addMonths, DAY_MS, dayAt, offsetAt } from "../time.ts";
import { type DateRange, parseDateRange, type Range, rangeOfDays } from "./range.ts";
import { invalid, isObject, mismatch, quote, shown } from "./refusal.ts";

export interface CompareRequest {
  readonly mode: "previous_period" | "year_over_year" | "custom";
  readonly matchDayOfWeek: boolean;
  /** Only with "custom". */
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
 * The range to compare with: of whole Days whole Days, of Hours Hours at the same local time. `passed` is where the
 * range ends by now, where that is before its end: the other ends at the same place (today until 15:00 is compared with
 * yesterday until 15:00).
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
  // A year earlier both ends have their own dates, also where there is a 29 February between them.
  const backAtEnd = (day: number) => (isYear && !request.matchDayOfWeek ? yearBefore(day) : back);
  if (passed >= range.toInstant) return { kind: "days", from, to: toDay - backAtEnd(toDay - 1) };
  const lastDay = dayAt(zoneAt(zones, passed - 1), passed - 1);
  const start = rangeOfDays(zones, { from, to: from + 1 }).fromInstant;
  return { kind: "instants", from: start, to: moved(zones, passed, backAtEnd(lastDay)) };
}

/** A number of times 24 hours are compared with as many just before them, whatever clocks did. */
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

/** How many Days the same date of the year before is away. */
function yearBefore(day: number): number {
  return day - addMonths(day, -12);
}

/** Whole weeks near a distance of Days: the nearest, or as many more as it takes so that two periods do not overlap. */
function sameWeekday(distance: number, mayBeNearer: boolean): number {
  return 7 * (mayBeNearer ? Math.round(distance / 7) : Math.ceil(distance / 7));
}
