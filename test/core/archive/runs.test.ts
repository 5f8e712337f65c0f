// Which runs an open Day has, and which come next.

import fc from "fast-check";
import { expect, test } from "vitest";
import { coverOf, mergedSpan, nextRun, type RunSpan } from "../../../core/archive/runs.ts";
import { RUN_BUNDLES_MAX, RUN_FAN } from "../../../core/limits.ts";

/** Positions at which `count` bundles begin. */
const bundles = (count: number) => Array.from({ length: count }, (_, at) => 1 + at * 10);

/** Makes all runs that come next. */
function sorted(firsts: readonly number[], made: RunSpan[] = []): RunSpan[] {
  for (;;) {
    const pieces = nextRun(coverOf(firsts, made));
    if (pieces === undefined) return made;
    made.push(mergedSpan(pieces));
  }
}

test("[RUN-1] four bundles become a run, four runs of one size a larger one, up to the largest", () => {
  const counts = (count: number) => coverOf(bundles(count), sorted(bundles(count))).map((piece) => piece.count);
  expect(counts(3)).toEqual([1, 1, 1]);
  expect(counts(4)).toEqual([4]);
  expect(counts(23)).toEqual([16, 4, 1, 1, 1]);
  expect(counts(RUN_BUNDLES_MAX * 5 + 7)).toEqual([256, 256, 256, 256, 256, 4, 1, 1, 1]);
  expect(counts(3_000)).toHaveLength(11 + 2 + 3 + 2); // 2,816 + 128 + 48 + 8
});

test("[RUN-2] a bundle that came between those of a run is not in it: the run is passed over, smaller ones hold", () => {
  const made = sorted(bundles(16));
  const late = [...bundles(16), 55].sort((a, b) => a - b);
  const pieces = coverOf(late, made);
  expect(pieces.map(({ count }) => count)).toEqual([4, 1, 1, 1, 1, 1, 4, 4]);
  expect(coverOf(late, sorted(late, made)).map(({ count }) => count)).toEqual([4, 4, 1, 4, 4]);
});

test("[RUN-2] whatever runs there are, and whichever bundles came when, each bundle is in one piece, in order", () => {
  const firsts = fc.uniqueArray(fc.nat(400), { maxLength: 120 });
  fc.assert(
    fc.property(firsts, firsts, (early, late) => {
      const before = [...early].sort((a, b) => a - b);
      const made = sorted(before);
      const all = [...new Set([...early, ...late])].sort((a, b) => a - b);
      const pieces = coverOf(all, made);
      const held = pieces.flatMap(({ first, last }) => all.filter((one) => first <= one && one <= last));
      expect(held).toEqual(all);
      for (const { first, last, count } of pieces)
        expect(all.filter((one) => first <= one && one <= last)).toHaveLength(count);
    }),
  );
});

test("[RUN-1] what is read of a Day is some three pieces of each size, however many bundles it has", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4_000 }), (count) => {
      const pieces = coverOf(bundles(count), sorted(bundles(count)));
      const sizes = Math.log2(RUN_BUNDLES_MAX) / Math.log2(RUN_FAN);
      expect(pieces.length).toBeLessThanOrEqual(Math.floor(count / RUN_BUNDLES_MAX) + sizes * (RUN_FAN - 1));
    }),
    { numRuns: 40 },
  );
});
