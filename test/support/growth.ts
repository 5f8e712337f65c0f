// How the time of something grows with its input: a test must not say how long a machine takes, and can say that eight
// times the input takes about eight times as long, where what grows by the square takes 64 times. Small and large runs
// take turns and the best of each counts, so that whatever else the machine does falls out.

/**
 * Inputs of that many times the size; what they may take of the time of small ones. The square of eight is 64; memory
 * that is no longer near the processor makes twelve of eight.
 */
export const GROWTH_SIZE = 8;
export const GROWTH_TIMES_MAX = 24;

const TRIES = 7;

/** The time of `run` for an input of eight times the size, in times of that for the size itself. */
export function growthOf(run: (size: number) => void, size: number): number {
  let [small, large] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  run(size); // compiled and warm
  for (let attempt = 0; attempt < TRIES; attempt++) {
    small = Math.min(
      small,
      timeOf(() => run(size)),
    );
    large = Math.min(
      large,
      timeOf(() => run(GROWTH_SIZE * size)),
    );
    if (large < GROWTH_TIMES_MAX * small) break; // once is enough: nothing runs faster than it can
  }
  return large / small;
}

function timeOf(run: () => void): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}
