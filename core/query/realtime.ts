// What happens now: the visitors of the last five minutes, and the last thirty minutes one by one. A minute is named by
// the local clock. The current minute is the last one.

import { isPageview } from "../event.ts";
import type { Gradual } from "../gradual.ts";
import { REALTIME_MINUTES, REALTIME_NOW_MINUTES } from "../limits.ts";
import { type ZonePeriod, zoneAt } from "../merchant.ts";
import { accepted, type Outcome } from "../outcome.ts";
import { localTime, MINUTE_MS } from "../time.ts";
import type { Budgets } from "./budget.ts";
import { passes } from "./filter.ts";
import { type DayVisits, parseReport, type ReportQuestion } from "./report.ts";

export interface RealtimeResult {
  /** The visitors of the last five minutes. */
  readonly visitors: number;
  readonly minutes: readonly { readonly minute: string; readonly visitors: number; readonly pageviews: number }[];
}

export function parseRealtime(
  body: unknown,
  fixed: readonly unknown[] = [],
  budgets?: Budgets,
): Outcome<ReportQuestion> {
  const report = parseReport(body, { own: [], fixed, budgets, defaultRange: "day" });
  if (!report.ok) return report;
  const { body: _, ...question } = report.value;
  return accepted(question);
}

export interface Realtime {
  readonly question: ReportQuestion;
  /** UTC ms. */
  readonly now: number;
  readonly visitors: Set<string>;
  /** The minutes of the half hour in their order. */
  readonly minutes: readonly { readonly start: number; readonly visitors: Set<string>; pageviews: number }[];
}

export function openRealtime(question: ReportQuestion, now: number): Realtime {
  const first = realtimeFrom(now);
  const minutes = Array.from({ length: REALTIME_MINUTES }, (_, index) => ({
    start: first + index * MINUTE_MS,
    visitors: new Set<string>(),
    pageviews: 0,
  }));
  return { question, now, visitors: new Set(), minutes };
}

/** The instant (UTC ms) from which events matter. */
export function realtimeFrom(now: number): number {
  return (Math.floor(now / MINUTE_MS) + 1 - REALTIME_MINUTES) * MINUTE_MS;
}

export function* addRealtimeDay(
  { question, now, visitors, minutes }: Realtime,
  { visits, slices }: Omit<DayVisits, "day">,
): Gradual<void> {
  const first = minutes[0]?.start ?? 0;
  for (const seen of visits.flatMap(({ events }) => events)) {
    if (slices.isOver()) yield;
    const { timestamp, visitor, name } = seen.event;
    const minute = minutes[Math.floor((timestamp - first) / MINUTE_MS)];
    if (minute === undefined || timestamp > now || !passes(question.filter, seen)) continue;
    minute.visitors.add(visitor);
    if (isPageview(name)) minute.pageviews += 1;
    if (timestamp > now - REALTIME_NOW_MINUTES * MINUTE_MS) visitors.add(visitor);
  }
}

export function closeRealtime({ visitors, minutes }: Realtime, zones: readonly ZonePeriod[]): RealtimeResult {
  return {
    visitors: visitors.size,
    minutes: minutes.map(({ start, visitors: own, pageviews }) => ({
      minute: localTime(zoneAt(zones, start), start),
      visitors: own.size,
      pageviews,
    })),
  };
}
