// The period of a report, and when the report is due. Periods are whole ISO weeks and calendar months of the merchant's
// own dates. They are found by the calendar each time and never by adding seconds. So neither a change of the clocks
// nor the end of a year moves them. A report is due on the morning after its period. Subscriptions are spread over two
// hours.

import { REPORT_HOUR, REPORT_SPREAD_MINUTES } from "../limits.ts";
import { addMonths, DAY_MS, dateOf, dayAt, dayStart, HOUR_MS, MINUTE_MS, monthOf, offsetAt, weekOf } from "../time.ts";
import type { QuietHours, ReportTopic } from "./subscription.ts";

/** Days [from, to) of the merchant's calendar. */
export interface Days {
  readonly from: number;
  readonly to: number;
}

export interface Period extends Days {
  /** Such as "2026-W48" or "2026-11". */
  readonly key: string;
  /** The period before, which it is compared with. */
  readonly before: Days;
}

/** The latest period that is over on a Day. */
export function periodBefore(topic: ReportTopic, day: number): Period {
  if (topic === "weekly") {
    const to = weekOf(day);
    return { from: to - 7, to, key: weekKey(to - 7), before: { from: to - 14, to: to - 7 } };
  }
  const to = monthOf(day);
  const from = addMonths(to, -1);
  return { from, to, key: dateOf(from).slice(0, "2026-11".length), before: { from: addMonths(to, -2), to: from } };
}

/** The period of the merchant's calendar that a Day lies in. */
export function periodOf(
  length: "day" | "week" | "month",
  day: number,
): { readonly from: number; readonly key: string } {
  if (length === "day") return { from: day, key: dateOf(day) };
  if (length === "week") return { from: weekOf(day), key: weekKey(weekOf(day)) };
  return { from: monthOf(day), key: dateOf(day).slice(0, "2026-11".length) };
}

/** "2026-W48": a week belongs to the year of its Thursday. */
function weekKey(monday: number): string {
  const year = dateOf(monday + 3).slice(0, 4);
  const first = weekOf(Date.UTC(Number(year), 0, 4) / DAY_MS);
  return `${year}-W${String((monday - first) / 7 + 1).padStart(2, "0")}`;
}

/** What a report's time depends on. `offset` differs from subscription to subscription. */
export interface Schedule {
  readonly zone: string;
  readonly offset: number;
}

/** UTC ms at which the report of a period that ends before the Day `to` is due. */
export function reportDueAt(to: number, { zone, offset }: Schedule): number {
  return localInstant(zone, to, REPORT_HOUR * 60 + (offset % REPORT_SPREAD_MINUTES));
}

/** The next instant after `now` at which any of these reports is due; null for no topic. */
export function nextReportAt(topics: readonly ReportTopic[], now: number, schedule: Schedule): number | null {
  const today = dayAt(schedule.zone, now);
  const starts = topics.flatMap((topic) => {
    const current = topic === "weekly" ? weekOf(today) : monthOf(today);
    return [current, topic === "weekly" ? current + 7 : addMonths(current, 1)];
  });
  const ahead = starts.map((start) => reportDueAt(start, schedule)).filter((at) => at > now);
  return ahead.length === 0 ? null : Math.min(...ahead);
}

/**
 * The instant of a local clock time on a Day. If the Day has the time twice, it is the first. If the Day skips it, it
 * is later by as much as the clocks were put forward.
 */
export function localInstant(zone: string, day: number, minutes: number): number {
  const local = day * DAY_MS + minutes * MINUTE_MS;
  const offsets = [offsetAt(zone, dayStart(zone, day)), offsetAt(zone, dayStart(zone, day + 1))];
  const instants = offsets.map((offset) => local - offset);
  const right = instants.filter((at) => at + offsetAt(zone, at) === local);
  return Math.min(...(right.length > 0 ? right : instants.slice(0, 1)));
}

/** When a message of `now` may be sent: at once, or at the end of quiet hours. */
export function afterQuiet(quiet: QuietHours | null, zone: string, now: number): number {
  if (quiet === null || quiet.from === quiet.to) return now;
  const [from, to] = [minutesOf(quiet.from), minutesOf(quiet.to)];
  const today = dayAt(zone, now);
  for (const day of [today - 1, today]) {
    const start = localInstant(zone, day, from);
    const end = localInstant(zone, from < to ? day : day + 1, to);
    if (now >= start && now < end) return end;
  }
  return now;
}

function minutesOf(clock: string): number {
  const [hours, minutes] = clock.split(":").map(Number);
  return ((hours ?? 0) * HOUR_MS) / MINUTE_MS + (minutes ?? 0);
}
