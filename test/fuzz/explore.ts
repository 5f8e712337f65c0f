// The search: inputs are made from known ones, run, and kept where they reach a block of code that none reached before,
// or one that was reached only fewer times. So it finds its way into code that random inputs would not see, and has no
// habits but those of the code. The same seed, number of inputs and corpus give the same run: nothing here looks at the
// clock but the list of what took longest, which only growth.ts reads.

import { type Random, seededRandom } from "../support/random.ts";
import type { Instrumented } from "./instrument.ts";
import { mutate } from "./mutate.ts";
import { type Input, lengthOf, type Target, WrongAnswer } from "./target.ts";

export interface Exploring {
  /** How many are run, what is known included. */
  readonly inputs: number;
  readonly seed: number;
  /** What is known already: it is run first. */
  readonly known: readonly Input[];
  readonly progress?: (done: number) => void;
}

export interface Finding {
  readonly target: string;
  readonly what: string;
  /** As short as it could be made. */
  readonly input: Input;
}

export interface Explored {
  readonly inputs: number;
  /** Blocks of code that were reached. */
  readonly blocks: number;
  /** Inputs that reached something new, in the order in which they came. */
  readonly corpus: readonly Input[];
  readonly findings: readonly Finding[];
  /** The dearest input: its steps as a share of what it may cost. */
  readonly dearest: { readonly share: number; readonly input: Input };
  /** Those that took longest for their length. */
  readonly slowest: readonly Input[];
}

const FINDINGS_MAX = 25;
const SHORTENED_RUNS_MAX = 600;
const SLOWEST_KEPT = 12;

export async function explore(
  { counters, words }: Instrumented,
  target: Target,
  { inputs, seed, known, progress }: Exploring,
): Promise<Explored> {
  const random = seededRandom(seed);
  const coverage = new Coverage(counters);
  const runner = new Runner(counters, target);
  const corpus: Input[] = [];
  const findings = new Map<string, Finding>();
  const slowest: { readonly input: Input; readonly cost: number }[] = [];
  let dearest = { share: 0, input: known[0] ?? {} };
  const sized = { ...target, lengthMax: Math.min(target.lengthMax, usualLength(known)) };
  const mutating = { random, words: [...target.words, ...words], other: () => random.pick(corpus) };
  for (let done = 0; done < inputs; done++) {
    const input = done < known.length ? (known[done] as Input) : mutate(pickParent(corpus, random), sized, mutating);
    const start = performance.now();
    const problem = await runner.run(input);
    const cost = (performance.now() - start) / (lengthOf(input) + 200);
    if (done % 256 === 0) progress?.(done);
    const share = runner.steps / stepsMax(target, input);
    if (share > dearest.share) dearest = { share, input };
    if (problem !== undefined) {
      const key = keyOf(problem);
      if (findings.size >= FINDINGS_MAX || findings.has(key)) continue;
      const shortest = await shorten(runner, input, key);
      findings.set(key, { target: target.name, what: (await runner.run(shortest))?.message ?? "", input: shortest });
      continue;
    }
    if (coverage.isNew() || corpus.length === 0) corpus.push(input);
    if (slowest.length < SLOWEST_KEPT || cost > (slowest.at(-1)?.cost ?? 0)) {
      slowest.push({ input, cost });
      slowest.sort((a, b) => b.cost - a.cost).splice(SLOWEST_KEPT);
    }
  }
  return {
    inputs,
    blocks: coverage.blocks,
    corpus,
    findings: [...findings.values()],
    dearest,
    slowest: slowest.map(({ input }) => input),
  };
}

/** Failures that nobody waits for: a library may begin several things and give up after the first that fails. */
let stray: Error | undefined;
process.on("unhandledRejection", (reason) => {
  stray = reason instanceof Error ? reason : new Error(String(reason));
});

/** Longer inputs reach little more and take longer; how time grows with length is asked in growth.ts. */
function usualLength(known: readonly Input[]): number {
  return Math.max(250, 1.5 * Math.max(...known.map(lengthOf)));
}

/** Runs inputs one at a time. */
export class Runner {
  readonly #counters: Uint32Array;
  readonly #target: Target;
  /** Of the last input: blocks that were run. */
  steps = 0;

  constructor(counters: Uint32Array, target: Target) {
    this.#counters = counters;
    this.#target = target;
  }

  /** What is wrong with the answers to an input; undefined where nothing is. */
  async run(input: Input): Promise<Error | undefined> {
    this.#counters.fill(0);
    try {
      const pending = this.#target.run(input);
      if (pending !== undefined) {
        await pending;
        await new Promise(setImmediate); // strays are told of between turns of the loop
      }
    } catch (error) {
      this.#count();
      return error instanceof Error ? error : new Error(String(error));
    }
    this.#count();
    if (stray !== undefined) {
      const problem = new WrongAnswer(`nobody waits for a failure: ${stray.message}`);
      stray = undefined;
      return problem;
    }
    const max = stepsMax(this.#target, input);
    if (this.steps <= max) return undefined;
    return new WrongAnswer(`steps: ${this.steps} for ${lengthOf(input)} characters, where at most ${max} may be`);
  }

  #count(): void {
    let steps = 0;
    for (let index = 0; index < this.#counters.length; index++) steps += this.#counters[index] as number;
    this.steps = steps;
  }
}

function stepsMax({ steps: { fixed, perCharacter } }: Target, input: Input): number {
  return fixed + perCharacter * lengthOf(input);
}

/** Which blocks were reached how often, in powers of two: what a counter was never at is new. */
class Coverage {
  readonly #counters: Uint32Array;
  readonly #seen: Uint32Array;
  blocks = 0;

  constructor(counters: Uint32Array) {
    this.#counters = counters;
    this.#seen = new Uint32Array(counters.length);
  }

  /** Whether the last input reached anything new. It is known afterwards. */
  isNew(): boolean {
    let isNew = false;
    for (let index = 0; index < this.#counters.length; index++) {
      const count = this.#counters[index] as number;
      if (count === 0) continue;
      const seen = this.#seen[index] as number;
      const bit = 1 << BUCKETS(count);
      if ((seen & bit) !== 0) continue;
      if (seen === 0) this.blocks += 1;
      this.#seen[index] = seen | bit;
      isNew = true;
    }
    return isNew;
  }
}

/** 1, 2, 3 to 4, 5 to 8, 9 to 16, and all above alike: every longer input would be new otherwise. */
const BUCKETS = (count: number) => Math.min(5, 32 - Math.clz32(count - 1));

/** Half of them any, half of them one of the last that were found; of two the shorter, which costs less. */
function pickParent(corpus: readonly Input[], random: Random): Input {
  const from = random.chance(0.5) ? 0 : Math.floor(corpus.length * 0.8);
  const [a, b] = [0, 1].map(() => corpus[random.integer(from, corpus.length - 1)] as Input) as [Input, Input];
  return lengthOf(a) < lengthOf(b) || random.chance(0.1) ? a : b;
}

/** What makes two findings one: the words of what is wrong, and the function it came from. */
function keyOf({ message, stack = "" }: Error): string {
  const words = message
    .replace(/"(?:[^"\\]|\\.)*"/g, '""')
    .replace(/\d+/g, "0")
    .slice(0, 60);
  const place = /\n\s+at (?:async )?(?!expect)([\w.<>#]+)/.exec(stack)?.[1] ?? "";
  return `${words} ${place}`;
}

/** Takes parts out of an input for as long as the same is wrong with it. */
async function shorten(runner: Runner, input: Input, key: string): Promise<Input> {
  let shortest = input;
  let left = SHORTENED_RUNS_MAX;
  const isStill = async (candidate: Input) => {
    left -= 1;
    const problem = await runner.run(candidate);
    return problem !== undefined && keyOf(problem) === key;
  };
  for (let size = Math.ceil(lengthOf(input) / 2); size >= 1 && left > 0; size = Math.floor(size / 2)) {
    for (const name of Object.keys(shortest)) {
      for (let at = 0; at < (shortest[name] as string).length && left > 0; ) {
        const text = shortest[name] as string;
        const candidate = { ...shortest, [name]: text.slice(0, at) + text.slice(at + size) };
        if (await isStill(candidate)) shortest = candidate;
        else at += size;
      }
    }
  }
  return shortest;
}

/** Of a corpus, what reaches most with the fewest characters beside what others reach: at most so many characters. */
export async function smallest(
  { counters }: Instrumented,
  target: Target,
  { known, corpus, lengthMax }: { known: readonly Input[]; corpus: readonly Input[]; lengthMax: number },
): Promise<readonly Input[]> {
  const runner = new Runner(counters, target);
  const coverage = new Coverage(counters);
  const reach = async (input: Input) => (await runner.run(input)) === undefined && coverage.isNew();
  for (const input of known) await reach(input);
  const kept: Input[] = [];
  let length = 0;
  for (const input of corpus.toSorted((a, b) => lengthOf(a) - lengthOf(b))) {
    if (length + lengthOf(input) > lengthMax) break;
    if (!(await reach(input))) continue;
    kept.push(input);
    length += lengthOf(input);
  }
  return kept;
}
