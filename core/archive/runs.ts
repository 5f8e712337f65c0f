// Which runs an open Day has. A run has the rows of consecutive bundles, sorted by merchant, so that a question of one
// merchant reads only that merchant's rows. Four bundles become a run, and four runs of one size become a larger run,
// up to RUN_BUNDLES_MAX. A run is named by its first and last bundle and by their number. Until a Day is sealed,
// bundles are only added. So if a bundle came late between the two, the number does not match, and the run is not used.
// Bundles have the truth: runs may be lost, or made again, at any time.

import { RUN_BUNDLES_MAX, RUN_FAN } from "../limits.ts";

/** What a run holds. */
export interface RunSpan {
  /** The positions at which its first and last bundle begin. */
  readonly first: number;
  readonly last: number;
  /** How many bundles. */
  readonly count: number;
}

/**
 * The pieces that together hold each bundle of a Day once, in the order of positions: the largest existing runs, and
 * bundles that are in no run. `bundles` are the positions at which they begin, ascending.
 */
export function coverOf(bundles: readonly number[], runs: readonly RunSpan[]): readonly RunSpan[] {
  const at = new Map(bundles.map((first, index) => [first, index]));
  const whole = runs.filter(({ first, last, count }) => {
    const [from, to] = [at.get(first), at.get(last)];
    return from !== undefined && to !== undefined && to - from + 1 === count;
  });
  const largest = new Map<number, RunSpan>();
  for (const run of whole) if (run.count > (largest.get(run.first)?.count ?? 0)) largest.set(run.first, run);
  const pieces: RunSpan[] = [];
  for (let index = 0; index < bundles.length; index += (pieces.at(-1) as RunSpan).count) {
    const first = bundles[index] as number;
    pieces.push(largest.get(first) ?? { first, last: first, count: 1 });
  }
  return pieces;
}

/** The pieces to be merged next. Undefined where there are not enough neighbours of one size. */
export function nextRun(pieces: readonly RunSpan[], fan = RUN_FAN): readonly RunSpan[] | undefined {
  for (let size = 1; size * fan <= RUN_BUNDLES_MAX; size *= fan) {
    for (let start = 0; start + fan <= pieces.length; start++) {
      const some = pieces.slice(start, start + fan);
      if (some.every(({ count }) => count === size)) return some;
    }
  }
  return undefined;
}

/** The run that these pieces become. */
export function mergedSpan(pieces: readonly RunSpan[]): RunSpan {
  const [first, last] = [pieces[0], pieces.at(-1)] as [RunSpan, RunSpan];
  return { first: first.first, last: last.last, count: pieces.reduce((sum, { count }) => sum + count, 0) };
}
