// Comparisons (`include.comparisons`): the same question once more over another range, its results beside those of the
// question. The other range is the one just before, the same one a year earlier, or any; it may be moved by a few Days so
// that weekdays fall on weekdays.

import { hourOf, type ZonePeriod, zoneAt } from "../merchant.ts";
import { accepted, type Outcome } from "../outcome.ts";
import { addMonths, DAY_MS, offsetAt } from "../time.ts";
import { type DateRange, parseDateRange, type Range } from "./range.ts";
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

/** The range to compare with. Hours are compared with Hours at the same local time, whole Days with whole Days. */
export function comparedRange(request: CompareRequest, range: Range, zones: readonly ZonePeriod[]): DateRange {
  if (request.dateRange !== undefined) return request.dateRange;
  const isYear = request.mode === "year_over_year";
  const days = Math.max(1, range.toDay - range.fromDay);
  const distance = isYear ? range.fromDay - addMonths(range.fromDay, -12) : days;
  const back = request.matchDayOfWeek ? sameWeekday(distance, isYear) : distance;
  if (range.wholeDays) return { kind: "days", from: range.fromDay - back, to: range.toDay - back };
  const earlier = (instant: number) => {
    const moved = instant - back * DAY_MS;
    const clock = offsetAt(zoneAt(zones, instant), instant) - offsetAt(zoneAt(zones, moved), moved);
    return hourOf(zones, moved + clock);
  };
  return { kind: "instants", from: earlier(range.fromInstant), to: earlier(range.toInstant) };
}

/** Whole weeks near a distance of Days: the nearest, or as many more as it takes so that two periods do not overlap. */
function sameWeekday(distance: number, mayBeNearer: boolean): number {
  return 7 * (mayBeNearer ? Math.round(distance / 7) : Math.ceil(distance / 7));
}
