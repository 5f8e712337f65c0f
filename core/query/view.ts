// What the holder of a share link is shown of a Day: the events that the link's filters admit, and visits made of those alone. Whatever
// is asked through the link is counted from them as if the merchant had no other events: entry and exit pages, bounces, durations, paths,
// funnels, `has_done`. So an answer is a function of the admitted events, and of nothing that the link hides (SHR-5).
//
// Whether an event is admitted is judged in its real visit: a link of `visit:source` shows all events of the visits from there.

import type { Event } from "../event.ts";
import { type Gradual, LOOKED_AT, Slices } from "../gradual.ts";
import type { Budgets } from "./budget.ts";
import { type Filter, passes } from "./filter.ts";
import { type SeenRows, type SeenUnder, type SeenVisit, seeDayGradually } from "./seen.ts";

export interface SeenThrough {
  readonly under: SeenUnder;
  /** What is admitted; all where there is none. */
  readonly view: Filter | undefined;
  /** What judging it draws on. */
  readonly budgets?: Budgets;
}

/** The visits of a merchant's rows of a Day, as far as a view admits them. Orders, too, are settled among admitted events alone. */
export function* visitsIn(
  { rows, day, isCounted }: SeenRows,
  { under, view, budgets }: SeenThrough,
): Gradual<readonly SeenVisit[]> {
  if (view === undefined) return yield* seenOnce({ rows, day, isCounted }, under);
  const admitted = new Set<Event>();
  const slices = new Slices(budgets);
  for (const { events } of (yield* seeDayGradually({ rows, day }, under)).visits)
    for (const seen of events) {
      if (passes(view, seen)) admitted.add(seen.event);
      if (slices.isOver(LOOKED_AT)) yield;
    }
  const own = rows.filter(({ event }) => admitted.has(event));
  return (yield* seeDayGradually({ rows: own, day, isCounted }, under)).visits;
}

/** What rows were seen as last: several questions that are counted together look at the same rows one after the other. */
const lastSeen = new WeakMap<SeenRows["rows"], SeenLast>();

interface SeenLast extends Pick<SeenRows, "day" | "isCounted"> {
  readonly under: SeenUnder;
  readonly visits: readonly SeenVisit[];
}

function* seenOnce({ rows, day, isCounted }: SeenRows, under: SeenUnder): Gradual<readonly SeenVisit[]> {
  const last = lastSeen.get(rows);
  if (last !== undefined && last.day === day && last.under === under && last.isCounted === isCounted)
    return last.visits;
  const { visits } = yield* seeDayGradually({ rows, day, isCounted }, under);
  lastSeen.set(rows, { day, isCounted, under, visits });
  return visits;
}
