// What the holder of a share link sees of a Day: the events that the link's filters admit, and visits made of only
// those. Everything that is asked through the link is counted as if the merchant had no other events: entry and exit
// pages, bounces, durations, paths, funnels, `has_done`. So an answer depends only on admitted events, and on nothing
// that the link hides (SHR-5).
//
// Whether an event is admitted is judged in its real visit. So a link of `visit:source` shows all events of the visits
// from that source.

import { selectRows } from "../archive/event-columns.ts";
import { type Gradual, LOOKED_AT, Slices } from "../gradual.ts";
import type { Budgets } from "./budget.ts";
import { type Filter, passes } from "./filter.ts";
import { type SeenRows, type SeenUnder, type SeenVisit, seeColumns, seeVisits } from "./seen.ts";

export interface SeenThrough {
  readonly under: SeenUnder;
  /** The link's filter. Without one every event is admitted. */
  readonly view: Filter | undefined;
  /** The budgets that judging events pays from. */
  readonly budgets?: Budgets;
}

/** The visits of a merchant's rows of a Day that a view admits. Orders are settled among admitted events only. */
export function* visitsIn(
  { rows, day, isCounted }: SeenRows,
  { under, view, budgets }: SeenThrough,
): Gradual<Iterable<SeenVisit>> {
  const { judgeGoals } = yield* seeColumns({ rows, day }, under);
  yield* judgeGoals();
  if (view === undefined) return seeVisits({ rows, day, isCounted }, under);
  const slices = new Slices(budgets);
  const admitted: number[] = [];
  for (const { events } of seeVisits({ rows, day }, under))
    for (const seen of events) {
      if (passes(view, seen)) admitted.push(seen.row);
      if (slices.isOver(LOOKED_AT)) yield;
    }
  // Rows of all visitors keep their order.
  const own = selectRows(rows, Uint32Array.from(admitted).sort());
  yield* seeColumns({ rows: own, day }, under);
  return seeVisits({ rows: own, day, isCounted }, under);
}
