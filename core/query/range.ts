// A question's date range: what was asked ("7d", two dates, two instants), and what it means for one merchant now. Days
// are merchant-local dates, given by number. Instants are UTC ms. All ranges are half-open. If a merchant changed its
// time zone, a Day may begin in one zone and end in another.

import { QUESTION_DAY_MAX } from "../limits.ts";
import { type ZonePeriod, zoneAt } from "../merchant.ts";
import { accepted, type Outcome, rejected } from "../outcome.ts";
import {
  addMonths,
  DAY_MS,
  dayAt,
  dayStart,
  HOUR_MS,
  hourAfter,
  hourAt,
  isoLocal,
  monthOf,
  parseDate,
} from "../time.ts";

/** What a question asked for. */
export type DateRange =
  | {
      readonly kind: "relative";
      readonly name: RelativeRange;
      /**
       * Whether it ends early: a day with the current Hour, a month or year with today.
       */
      readonly isTrimmed?: boolean;
    }
  | { readonly kind: "days"; readonly from: number; readonly to: number }
  | { readonly kind: "instants"; readonly from: number; readonly to: number };

/** A resolved date range: [fromInstant, toInstant), and the Days that it touches, [fromDay, toDay). */
export interface Range {
  readonly fromInstant: number;
  readonly toInstant: number;
  readonly fromDay: number;
  readonly toDay: number;
  /**
   * Whether it is exactly those Days. Where it ends with the current Hour, the rest of the last Day has not come yet.
   */
  readonly wholeDays: boolean;
  /** The last Day, if the range ends in its middle and Days are read all the same. */
  readonly partialDay?: number;
}

/** What a range is resolved with. */
export interface Moment {
  readonly zones: readonly ZonePeriod[];
  /** UTC ms. */
  readonly now: number;
  /** The merchant's first Day with numbers, where "all" was asked for and there is one. */
  readonly firstDay?: number | undefined;
}

type Days = readonly [from: number, to: number];

/** "24h" is in Hours; all others are in Days. "Last n" ranges end before today, or before the current month. */
const RELATIVE = {
  day: ({ today }) => [today, today + 1],
  today: ({ today }) => [today, today + 1],
  yesterday: ({ today }) => [today - 1, today],
  "7d": ({ today }) => [today - 7, today],
  "28d": ({ today }) => [today - 28, today],
  "30d": ({ today }) => [today - 30, today],
  "91d": ({ today }) => [today - 91, today],
  month: ({ today }) => [monthOf(today), addMonths(monthOf(today), 1)],
  "6mo": ({ today }) => [addMonths(monthOf(today), -6), monthOf(today)],
  "12mo": ({ today }) => [addMonths(monthOf(today), -12), monthOf(today)],
  month_to_date: ({ today }) => [monthOf(today), today + 1],
  year: ({ today }) => [yearOf(today), addMonths(yearOf(today), 12)],
  year_to_date: ({ today }) => [yearOf(today), today + 1],
  all: ({ today, firstDay }) => [Math.min(firstDay ?? today, today), today + 1],
} as const satisfies Record<string, (at: { today: number; firstDay: number | undefined }) => Days>;
type RelativeRange = keyof typeof RELATIVE | "24h";
export const RELATIVE_RANGES: readonly string[] = [...Object.keys(RELATIVE), "24h"];

const INSTANT = /^(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-](0\d|1[0-4]):[0-5]\d)$/;

/** Reads `date_range`; undefined when it is not one. */
export function parseDateRange(value: unknown): DateRange | undefined {
  if (typeof value === "string") {
    return value === "24h" || Object.hasOwn(RELATIVE, value)
      ? { kind: "relative", name: value as RelativeRange }
      : singleDay(value);
  }
  if (!Array.isArray(value) || value.length === 0 || value.length > 2) return undefined;
  const [first, last] = value as readonly unknown[];
  if (value.length === 1) return typeof first === "string" ? singleDay(first) : undefined;
  if (typeof first !== "string" || typeof last !== "string") return undefined;
  const [fromDay, lastDay] = [parseDay(first), parseDay(last)];
  if (fromDay !== undefined && lastDay !== undefined && fromDay <= lastDay)
    return { kind: "days", from: fromDay, to: lastDay + 1 };
  const [from, to] = [parseInstant(first), parseInstant(last)];
  return from !== undefined && to !== undefined && from < to ? { kind: "instants", from, to } : undefined;
}

function singleDay(text: string): DateRange | undefined {
  const day = parseDay(text);
  return day === undefined ? undefined : { kind: "days", from: day, to: day + 1 };
}

/** The meaning of a date range for a merchant at a moment. */
export function resolveRange(dateRange: DateRange, moment: Moment): Outcome<Range> {
  const { zones, now } = moment;
  if (dateRange.kind === "days") return accepted(rangeOfDays(zones, dateRange));
  if (dateRange.kind === "instants") return resolveInstants(zones, dateRange);
  const zone = zoneAt(zones, now);
  if (dateRange.name === "24h") {
    const hour = hourAt(zone, now);
    return accepted(rangeOfInstants(zones, { from: hourAt(zone, hour - 23 * HOUR_MS), to: hourAfter(zone, hour) }));
  }
  const today = dayAt(zone, now);
  const [from, to] = RELATIVE[dateRange.name]({ today, firstDay: moment.firstDay });
  const range = rangeOfDays(zones, { from, to });
  if (dateRange.isTrimmed !== true) return accepted(range);
  if (dateRange.name !== "day" && dateRange.name !== "today")
    return accepted(rangeOfDays(zones, { from, to: Math.min(to, today + 1) }));
  return accepted(passedPart(range, moment));
}

/**
 * The range without the time that has not come yet: it ends with the current Hour. Its last Day is still read as a
 * whole, because it has nothing later, so its visitors are exact. A range that lies all in the future stays as it is.
 */
export function passedPart(range: Range, { zones, now }: Pick<Moment, "zones" | "now">): Range {
  const zone = zoneAt(zones, now);
  const end = hourAfter(zone, hourAt(zone, now));
  if (range.toInstant <= end || range.fromInstant >= end) return range;
  return { ...range, toInstant: end, toDay: Math.min(range.toDay, dayAt(zone, now) + 1) };
}

/**
 * The range as an answer repeats it: its first and last second, in the merchant's zone. A question with these two has
 * the same range.
 */
export function echoRange({ fromInstant, toInstant }: Range, zones: readonly ZonePeriod[]): readonly [string, string] {
  const last = toInstant - 1000;
  return [isoLocal(zoneAt(zones, fromInstant), fromInstant), isoLocal(zoneAt(zones, last), last)];
}

/** An end on a whole Hour is exclusive. An end in the last second of an Hour ("…:59:59") includes that Hour. */
function resolveInstants(zones: readonly ZonePeriod[], asked: { from: number; to: number }): Outcome<Range> {
  const afterLast = Math.floor(asked.to / 1000) * 1000 + 1000;
  const to = startsHour(zones, asked.to) ? asked.to : afterLast;
  if (!startsHour(zones, asked.from) || !startsHour(zones, to)) {
    const zone = zoneAt(zones, asked.from);
    return rejected("invalid_field", `#/date_range: Date range must start and end on whole hours in ${zone}.`);
  }
  return accepted(rangeOfInstants(zones, { from: asked.from, to }));
}

export function rangeOfDays(zones: readonly ZonePeriod[], { from, to }: { from: number; to: number }): Range {
  const fromInstant = dayOpens(zones, from);
  const toInstant = Math.max(fromInstant, dayCloses(zones, to - 1));
  return { fromInstant, toInstant, fromDay: from, toDay: to, wholeDays: true };
}

/** Instants that are exactly whole Days become Days, unless the zone changed between them. */
function rangeOfInstants(zones: readonly ZonePeriod[], { from, to }: { from: number; to: number }): Range {
  const last = to - 1000;
  const fromDay = dayAt(zoneAt(zones, from), from);
  const lastDay = dayAt(zoneAt(zones, last), last);
  const oneZone = zoneAt(zones, from) === zoneAt(zones, last);
  const wholeDays = oneZone && dayOpens(zones, fromDay) === from && dayCloses(zones, lastDay) === to;
  return { fromInstant: from, toInstant: to, fromDay, toDay: lastDay + 1, wholeDays };
}

/** The first instant of a Day, in the zone that holds then. */
function dayOpens(zones: readonly ZonePeriod[], day: number): number {
  for (const [index, { zone, from }] of zones.entries()) {
    const start = index === 0 ? dayStart(zone, day) : Math.max(from, dayStart(zone, day));
    if (start < (zones[index + 1]?.from ?? Number.POSITIVE_INFINITY)) return start;
  }
  return 0;
}

/** The instant after a Day's last one, in the zone that holds then. */
function dayCloses(zones: readonly ZonePeriod[], day: number): number {
  for (let index = zones.length - 1; index > 0; index--) {
    const { zone, from } = zones[index] as ZonePeriod;
    const end = Math.min(zones[index + 1]?.from ?? Number.POSITIVE_INFINITY, dayStart(zone, day + 1));
    if (end > from) return end;
  }
  const first = zones[0] as ZonePeriod;
  return Math.min(zones[1]?.from ?? Number.POSITIVE_INFINITY, dayStart(first.zone, day + 1));
}

function startsHour(zones: readonly ZonePeriod[], instant: number): boolean {
  return hourAt(zoneAt(zones, instant), instant) === instant || zones.some(({ from }) => from === instant);
}

function parseDay(text: string): number | undefined {
  const day = parseDate(text);
  return day !== undefined && day >= 0 && day < QUESTION_DAY_MAX ? day : undefined;
}

/** An instant must have its offset, because without it we would have to guess. */
function parseInstant(text: string): number | undefined {
  const date = INSTANT.exec(text)?.[1];
  return date === undefined || parseDay(date) === undefined ? undefined : Date.parse(text);
}

function yearOf(day: number): number {
  return addMonths(monthOf(day), -new Date(day * DAY_MS).getUTCMonth());
}
