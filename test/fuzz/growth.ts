// Whether an input's time grows faster than its length: what the blocks of our own code do not show, because
// the time is spent inside regular expressions and other functions of the language. A piece of an input is
// repeated until the input is 2, 4, 8 and 16 times as long; what then takes far more than as many times as
// long is told. Only ratios are judged.

import { type Random, seededRandom } from "../support/random.ts";
import type { Finding, Runner } from "./explore.ts";
import { type Input, lengthOf, type Target } from "./target.ts";

export interface Growth {
  readonly input: Input;
  /** Of the last doubling, and of the two last: 2 and 4 where time grows as length does. */
  readonly ratios: readonly [number, number];
}

/** Two doublings of a quadratic cost are a factor of 16. */
const RATIO_MAX = 9;
/**
 * Shorter times are noise: on a busy machine, turns of the garbage collector made 14 times of 4 where all was linear.
 */
const NOISE_MS = 8;
const PIECES_TRIED = 6;
const CONFIRM_MS = 100;

export interface Grown {
  /** How many inputs were run. */
  readonly tried: number;
  readonly found: readonly Growth[];
  /** What else was wrong with one of them. */
  readonly finding: Finding | undefined;
}

/** Tries pieces of some inputs; tells of those that grow too fast. */
export async function findGrowth(
  { target, runner }: { readonly target: Target; readonly runner: Runner },
  inputs: readonly Input[],
  seed: number,
): Promise<Grown> {
  const random = seededRandom(seed);
  const found: Growth[] = [];
  let tried = 0;
  let finding: Finding | undefined;
  const timed = async (input: Input) => {
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 3; round++) {
      const start = performance.now();
      const problem = await runner.run(input);
      if (problem !== undefined) finding ??= { target: target.name, what: problem.message, input };
      best = Math.min(best, performance.now() - start);
      tried += 1;
    }
    return best;
  };
  // On a busy machine a clock also tells who else is at work, so what seems too long is measured again by what this
  // thread has used of a processor. That is counted in steps of some milliseconds, so for many runs together.
  const used = async (input: Input) => {
    const start = threadMs();
    let runs = 0;
    for (; threadMs() - start < CONFIRM_MS; runs++) await runner.run(input);
    tried += runs;
    return (threadMs() - start) / runs;
  };
  for (const input of inputs) {
    for (const name of Object.keys(target.fields)) {
      for (let piece = 0; piece < PIECES_TRIED; piece++) {
        const grow = growing(input, name, random);
        const room = target.lengthMax - lengthOf(input);
        const long = grow(room);
        if (lengthOf(long) < 256) continue;
        const whole = await timed(long);
        if (whole < NOISE_MS) continue;
        const half = await timed(grow(room / 2));
        const quarter = await timed(grow(room / 4));
        const isLong = whole / quarter > RATIO_MAX && whole / half > RATIO_MAX / 4;
        if (isLong && (await used(long)) / (await used(grow(room / 4))) > RATIO_MAX)
          found.push({ input: grow(Math.min(room, 200)), ratios: [whole / half, whole / quarter] });
      }
    }
  }
  return { tried, found, finding };
}

/** What this thread has used of a processor: on a busy machine a clock tells who else is at work. */
function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Makes an input longer by so many characters of a piece of it. */
function growing(input: Input, name: string, random: Random): (length: number) => Input {
  const text = input[name] ?? "";
  const at = random.integer(0, text.length);
  const piece =
    text.slice(at, at + random.pick([1, 1, 2, 3, 5, 12])) || random.pick(["a", " ", ".", "%", "(", "\u2028"]);
  return (length) => {
    const grown = piece.repeat(Math.max(1, Math.floor(length / piece.length)));
    return { ...input, [name]: text.slice(0, at) + grown + text.slice(at) };
  };
}
