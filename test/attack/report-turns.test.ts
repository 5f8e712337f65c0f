// Funnels, retention and paths of a Day in which one visitor did 4,000 things, with filters as dear as may be. Reading
// and judging events gave way to others before, but putting visits into the report did not: 0.8 s in one piece.

import { expect, test } from "vitest";
import { columnsOf } from "../../core/archive/event-columns.ts";
import { type Gradual, Slices } from "../../core/gradual.ts";
import { SLICE_STEPS } from "../../core/limits.ts";
import type { Budgets } from "../../core/query/budget.ts";
import { addFunnelDay, closeFunnel, openFunnel, parseFunnel } from "../../core/query/funnel.ts";
import { addPathsDay, openPaths, parsePaths } from "../../core/query/path.ts";
import { resolveRange } from "../../core/query/range.ts";
import { addRealtimeDay, openRealtime, parseRealtime } from "../../core/query/realtime.ts";
import type { ReportQuestion } from "../../core/query/report.ts";
import { addRetentionDay, openRetention, parseRetention } from "../../core/query/retention.ts";
import { seeDay } from "../../core/query/seen.ts";
import { eventOf, settingsOf } from "../support/events.ts";
import { valueFrom } from "../support/questions.ts";

/** 2026-03-02, a Monday. */
const MONDAY = Date.UTC(2026, 2, 2);
const DAY = MONDAY / 86_400_000;
const NOW = MONDAY + 43_200_000;
const SETTINGS = settingsOf();
/** An expression that asks much of each event, and admits none. */
const SLOW = ["matches", "event:page", [`(${"a?".repeat(60)})*b`]];

const rows = Array.from({ length: 4_000 }, (_, position) => ({
  partition: "pool-0",
  position,
  event: eventOf({ visitor: "v", timestamp: NOW - position, url: `https://shop.example/${"a".repeat(40)}${position}` }),
}));
const { visits } = seeDay({ rows: columnsOf(rows), day: DAY }, { settings: SETTINGS, global: [] });

const asked = { site_id: "shop", date_range: ["2026-03-02", "2026-03-08"], filters: [SLOW] };
const rangeOf = ({ dateRange }: ReportQuestion) =>
  valueFrom(resolveRange(dateRange, { zones: SETTINGS.zones, now: NOW }));

/** The most steps that were taken in one piece, how many pieces there were, and the result. */
function pieces<T>(work: Gradual<T>, { own }: Budgets) {
  let [dearest, count, left] = [0, 0, own.left];
  for (;;) {
    const { done, value } = work.next();
    dearest = Math.max(dearest, left - own.left);
    left = own.left;
    count += 1;
    if (done === true) return { dearest, count, result: value };
  }
}

/** A slice, and what the event at its end takes. */
const PIECE_STEPS_MAX = 1.2 * SLICE_STEPS;

test("[LIM-12] visits are put into a funnel in pieces, and all of them", () => {
  const steps = [
    { filters: [["is", "event:name", ["pageview"]]] },
    { filters: [["contains", "event:page", ["a"]]] },
    ...Array.from({ length: 4 }, () => ({ filters: [SLOW] })),
  ];
  const question = valueFrom(parseFunnel({ ...asked, filters: [], steps }));
  const funnel = openFunnel(question, rangeOf(question));
  const { budgets } = question;
  const done = pieces(addFunnelDay(funnel, { day: DAY, visits, slices: new Slices(budgets) }), budgets);
  expect(done.dearest).toBeLessThan(PIECE_STEPS_MAX);
  expect(done.count).toBeGreaterThanOrEqual(4_000 / 200);
  expect(closeFunnel(funnel).map(({ visitors }) => visitors)).toEqual([1, 1, 0, 0, 0, 0]);
});

test("[LIM-12] visits are put into retention, paths and realtime in pieces", () => {
  const retention = valueFrom(parseRetention(asked));
  const paths = valueFrom(parsePaths(asked));
  const realtime = valueFrom(parseRealtime({ site_id: "shop", filters: [SLOW] }));
  const day = (budgets: Budgets) => ({ day: DAY, visits, slices: new Slices(budgets) });
  const works = [
    pieces(addRetentionDay(openRetention(retention, rangeOf(retention)), day(retention.budgets)), retention.budgets),
    pieces(addPathsDay(openPaths(paths, rangeOf(paths)), day(paths.budgets)), paths.budgets),
    pieces(addRealtimeDay(openRealtime(realtime, NOW), day(realtime.budgets)), realtime.budgets),
  ];
  for (const { dearest, count } of works) {
    expect(dearest).toBeLessThan(PIECE_STEPS_MAX);
    expect(count).toBeGreaterThan(2);
  }
});
