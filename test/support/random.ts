// Seeded randomness for tests: the same seed gives the same run, everywhere.

export interface Random {
  /** In [0, 1). */
  next(): number;
  /** A whole number in [min, max]. */
  integer(min: number, max: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  hex(bytes: number): string;
}

/** xoshiro128** (Blackman and Vigna), seeded by a multiplicative spread of one number. */
export function seededRandom(seed: number): Random {
  const state = new Uint32Array(4);
  for (let index = 0, x = seed | 0; index < 4; index++) {
    x = Math.imul(x ^ (x >>> 16), 0x45d9f3b) + 0x9e3779b9;
    state[index] = x;
  }
  const at = (index: number) => state[index] as number;
  const word = () => {
    const result = Math.imul(rotate(Math.imul(at(1), 5), 7), 9) >>> 0;
    const shifted = at(1) << 9;
    state[2] = at(2) ^ at(0);
    state[3] = at(3) ^ at(1);
    state[1] = at(1) ^ at(2);
    state[0] = at(0) ^ at(3);
    state[2] = at(2) ^ shifted;
    state[3] = rotate(at(3), 11);
    return result;
  };
  for (let warm = 0; warm < 8; warm++) word();
  const random: Random = {
    next: () => word() / 2 ** 32,
    integer: (min, max) => min + Math.floor(random.next() * (max - min + 1)),
    chance: (probability) => random.next() < probability,
    pick: <T>(items: readonly T[]) => items[random.integer(0, items.length - 1)] as T,
    hex: (bytes) => Array.from({ length: bytes }, () => (word() & 0xff).toString(16).padStart(2, "0")).join(""),
  };
  return random;
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
