// Randomness that is a function of its seed, so that the demo sends the same visits to everybody.

export type Random = () => number;

/** Numbers in [0, 1) from a 32-bit seed: Marsaglia's xorshift32, with the first, poorly mixed ones thrown away. */
export function seededRandom(seed: number): Random {
  let state = Math.imul(seed ^ 0x2545f491, 0x9e3779b1) | 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x1_0000_0000;
  };
  for (let warmUp = 0; warmUp < 8; warmUp++) next();
  return next;
}

/** One of the values, each as likely as its weight says. */
export function pick<T>(random: Random, weighted: readonly (readonly [T, number])[]): T {
  const total = weighted.reduce((sum, [, weight]) => sum + weight, 0);
  let left = random() * total;
  for (const [value, weight] of weighted) {
    left -= weight;
    if (left < 0) return value;
  }
  return (weighted[weighted.length - 1] as readonly [T, number])[0];
}

/** A waiting time with a given mean: mostly short, sometimes long. */
export function waitingTime(random: Random, mean: number): number {
  return -Math.log(1 - random()) * mean;
}
