// The visits of a Day as they are counted: a reading of what the state holds. A run that nothing opened belongs to the
// visit before it; a visit that came back from a payment page keeps what brought its visitor; a prefetched page that
// was then looked at is a page view; what orders have earned stands in the visits that bought. All of that depends on
// events that may still come, so it is decided anew at each reading and changes nothing that is stored: the same set of
// events reads the same (L4).

import { TextMap } from "../text-map.ts";
import type { DayNames, DayState } from "./day.ts";
import { PLACE_FIELDS } from "./dimension.ts";
import { copyEarned } from "./earned.ts";
import { compareMoments, type Moment } from "./moment.ts";
import { type DayEarning, earningsOf } from "./order-book.ts";
import { packTuple, tupleAt } from "./tuple.ts";
import { addCell, insert, isVisit, RANK, type Visit } from "./visit.ts";

/** Visitors with their visits of a Day. It may be gone through more than once. */
export type VisitsByVisitor = Iterable<readonly [visitor: string, visits: readonly Visit[]]>;

/**
 * The visits of a Day by visitor, to be read, or of some `visitors` of it. Visitors who did nothing but prefetch and
 * read on are not among them.
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

/** Prefetched pages that were not looked at are hits dropped, in these Hours. */
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
  // A run that becomes part of another, or of none, still says of its visitor whether it can be known again.
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
    // The event itself moves to the place that names its products; elsewhere it is there already.
    if (count > 0) addCell(visit, { slot, place, count: -1, engagementMs: 0, earned: undefined });
    addCell(visit, { slot, place: named, count, engagementMs: 0, earned: copyEarned(own) });
  }
  return visits;
}

/** The number of a place that is like another, with products; made for this reading where the Day has none. */
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
 * The prefetched page views of a visitor that are counted (PRE-1): of each page the first, where the visitor then did
 * something on it, and did not come to it by a page view of its own.
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
