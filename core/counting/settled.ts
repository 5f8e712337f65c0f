// The visits of a Day as they are counted, read from its state. A run that no event opened belongs to the visit before
// it. A visit that came back from a payment page keeps the profile (source, device, country) of the visit before. A
// prefetched page that somebody then looked at is a page view. What orders have earned is added to the visits that
// bought. All of this depends on events that may still come. So it is decided at each reading, and stored state is not
// changed: the same set of events always reads the same (L4).

import { TextMap } from "../text-map.ts";
import type { DayNames, DayState } from "./day.ts";
import { PLACE_FIELDS } from "./dimension.ts";
import { copyEarned } from "./earned.ts";
import { compareMoments, type Moment } from "./moment.ts";
import { type DayEarning, earningsOf } from "./order-book.ts";
import { packTuple, tupleAt } from "./tuple.ts";
import { addCell, insert, isVisit, RANK, type Visit } from "./visit.ts";

/** Visitors with their visits of a Day. It can be iterated more than once. */
export type VisitsByVisitor = Iterable<readonly [visitor: string, visits: readonly Visit[]]>;

/**
 * The visits of a Day by visitor, for reading only; of some `visitors` if they are given. A visitor without a visit
 * (only prefetches, or only engagement reports) is left out.
 */
export function settledVisits(
  state: DayState,
  names: DayNames,
  visitors: VisitsByVisitor = state.visitors,
): VisitsByVisitor {
  const earnings = earningsOf(state.orders ?? new TextMap());
  return {
    *[Symbol.iterator]() {
      for (const [visitor, runs] of visitors) {
        const seen = seenPrefetches(state, visitor, { runs, names });
        const earned = earnings.get(visitor) ?? [];
        const isPlain = seen.length === 0 && earned.length === 0 && runs.every(isVisit);
        const visits = isPlain ? runs : settleVisits(runs, { seen, earned, names });
        if (visits.length > 0) yield [visitor, visits] as const;
      }
    },
  };
}

/** The Hours of prefetched pages that nobody looked at: one for each hit that is dropped. */
export function unseenPrefetches(state: DayState, names: DayNames): readonly number[] {
  const slots: number[] = [];
  for (const [visitor, prefetches] of state.prefetches ?? []) {
    const seen = new Set(seenPrefetches(state, visitor, { runs: state.visitors.get(visitor) ?? [], names }));
    for (const prefetch of prefetches) if (!seen.has(prefetch)) slots.push(prefetch.startSlot);
  }
  return slots;
}

function settleVisits(
  runs: readonly Visit[],
  {
    seen,
    earned,
    names,
  }: { readonly seen: readonly Visit[]; readonly earned: readonly DayEarning[]; readonly names: DayNames },
): readonly Visit[] {
  const own = runs.map(copyOf);
  for (const prefetch of seen) insert(own, copyOf(prefetch));
  const visits: Visit[] = [];
  // Even a run that is joined to another one, or left out, says whether its visitor can be recognised again.
  const known = own.some((run) => run.known);
  for (const run of own) {
    const before = visits.at(-1);
    if (before === undefined || run.rank === RANK.opening) {
      if (run.rank === RANK.engagement) continue; // reading on from another Day, or from a page that was never told of
      if (before !== undefined && run.returns) run.profile = before.profile;
      run.known = known;
      visits.push(run);
    } else for (const cell of run.cells) addCell(before, cell);
  }
  for (const { slot, place, time, earned: own, unnamed } of earned) {
    const visit = visits.findLast(({ from }) => from <= time);
    if (visit === undefined) continue;
    const count = unnamed.length > 0 ? 1 : 0;
    const named = count > 0 ? placeWith(names, place, unnamed) : place;
    // If the tuple of the event's cell lacks the products, the event moves to the cell whose tuple names them.
    if (count > 0) addCell(visit, { slot, place, count: -1, engagementMs: 0, earned: undefined });
    addCell(visit, { slot, place: named, count, engagementMs: 0, earned: copyEarned(own) });
  }
  return visits;
}

/**
 * The number of the tuple that is equal but for its products. If the Day has no such tuple, one is made for this
 * reader.
 */
function placeWith({ tuples, known, added }: DayNames, place: number, products: readonly number[]): number {
  const packed = (tuples[place] as string) + packTuple(products);
  const number = known.get(packed) ?? added.get(packed) ?? tuples.push(packed) - 1;
  if (number >= known.size) added.set(packed, number);
  return number;
}

function copyOf(visit: Visit): Visit {
  const cells = visit.cells.map((cell) => ({ ...cell, earned: copyEarned(cell.earned) }));
  return { ...visit, cells, slots: [...visit.slots], index: undefined };
}

/**
 * The prefetched page views of a visitor that are counted (PRE-1). A page's first prefetch counts where the visitor did
 * something on the page, but sent no page view of it.
 */
function seenPrefetches(
  { prefetches }: DayState,
  visitor: string,
  { runs, names }: { readonly runs: readonly Visit[]; readonly names: DayNames },
): readonly Visit[] {
  const own = prefetches?.get(visitor);
  if (own === undefined) return [];
  const pageOf = (place: number) => {
    const tuple = names.tuples[place] as string;
    const text = (field: (typeof PLACE_FIELDS)[number]) => tupleAt(tuple, PLACE_FIELDS.indexOf(field)) as number;
    return { page: `${text("hostname")} ${text("page")}`, isView: names.texts[text("name")] === "pageview" };
  };
  const cells = runs.flatMap((run) => run.cells.map(({ place }) => pageOf(place)));
  const viewed = new Set(cells.filter(({ isView }) => isView).map(({ page }) => page));
  const touched = new Set(cells.filter(({ isView }) => !isView).map(({ page }) => page));
  const firsts = new Map<string, Visit>();
  for (const prefetch of own) {
    const { page, isView } = pageOf((prefetch.cells[0] as Visit["cells"][number]).place);
    if (!isView || viewed.has(page) || !touched.has(page)) continue;
    const known = firsts.get(page);
    if (known === undefined || compareMoments(startOf(prefetch), startOf(known)) < 0) firsts.set(page, prefetch);
  }
  return [...firsts.values()];
}

function startOf({ start, startOrder, startTie }: Visit): Moment {
  return { time: start, order: startOrder, tie: startTie };
}
