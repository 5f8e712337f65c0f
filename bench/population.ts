// Who sends how much: a million equal merchants, or a million in Zipf's proportions, of whom the first sends a thousand
// times what the thousandth does. And what a merchant's Day takes in D1 by its size: between the sizes that were
// measured as a straight line of logarithms.

/** So many merchants with so many events a Day each. */
export interface Class {
  readonly merchants: number;
  readonly eventsPerDay: number;
}

export const POPULATIONS = ["flat", "zipf"] as const;
export type Population = (typeof POPULATIONS)[number];

/** The classes of a population; all events and merchants are in them, whatever is rounded. */
export function classesOf(
  population: Population,
  { eventsPerDay, merchants }: { readonly eventsPerDay: number; readonly merchants: number },
): readonly Class[] {
  if (population === "flat") return [{ merchants, eventsPerDay: eventsPerDay / merchants }];
  const first = eventsPerDay / harmonic(1, merchants + 1);
  const classes: Class[] = [];
  for (let from = 1; from <= merchants; from *= 2) {
    const to = Math.min(2 * from, merchants + 1);
    classes.push({ merchants: to - from, eventsPerDay: (first * harmonic(from, to)) / (to - from) });
  }
  return classes;
}

/** 1/from + … + 1/(to − 1), by its integral beyond a hundred terms: exact to six digits there. */
function harmonic(from: number, to: number): number {
  let sum = 0;
  let rank = from;
  for (; rank < to && rank < from + 100; rank++) sum += 1 / rank;
  return rank < to ? sum + Math.log((to - 0.5) / (rank - 0.5)) : sum;
}

/** Bytes by events, as measured: rising in both. */
export type Curve = readonly (readonly [events: number, bytes: number])[];

/**
 * What so many events take; beyond the last size that was measured as the last two go on, below the first as the first.
 */
export function bytesAt(curve: Curve, events: number): number {
  const at = curve.findIndex(([size]) => size >= events);
  const upper = at === -1 ? curve.length - 1 : Math.max(1, at);
  const [[x0, y0], [x1, y1]] = [curve[upper - 1], curve[upper]] as [Curve[number], Curve[number]];
  if (events < x0) return y0 * Math.max(events / x0, 0);
  return y0 * (events / x0) ** (Math.log(y1 / y0) / Math.log(x1 / x0));
}

/** The sum of something over all merchants. */
export function sumOver(classes: readonly Class[], of: (eventsPerDay: number) => number): number {
  return classes.reduce((sum, { merchants, eventsPerDay }) => sum + merchants * of(eventsPerDay), 0);
}
