// How the time of something grows with its input: a test must not say how long a machine takes, and can say that a long
// input takes about as long as many short ones of the same length together, where what grows by the square takes 64
// times that. Both sides do the same work in about the same time, take turns, and the best of each counts, so that
// whatever else the machine does falls out.

/** So many short inputs are as long together as the long one. */
const GROWTH_SIZE = 64;

/**
 * What a long input may take in times of as many short ones. It is 1 where time goes by length, and was seen to be 5
 * where the long one lies no longer near the processor and something else uses the machine; 64 is the square.
 */
export const GROWTH_TIMES_MAX = 16;

const TRIES = 7;

/** The time of `run` for an input of `size`, in times of that for 64 inputs of a 64th of it. */
export function growthOf(run: (size: number) => void, size: number): number {
  let [short, long] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const runShort = () => {
    for (let times = 0; times < GROWTH_SIZE; times++) run(Math.round(size / GROWTH_SIZE));
  };
  runShort(); // compiled and warm
  for (let attempt = 0; attempt < TRIES; attempt++) {
    short = Math.min(short, timeOf(runShort));
    long = Math.min(
      long,
      timeOf(() => run(size)),
    );
    if (long < GROWTH_TIMES_MAX * short) break; // once is enough: nothing runs faster than it can
  }
  return long / short;
}

function timeOf(run: () => void): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}
