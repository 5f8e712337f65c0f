// The simulated world's clock, fate and log. Time passes only when nothing can happen without it; every delay, failure
// and crash is drawn from one seed, so a run can be repeated to the letter. Code under test awaits `pass` wherever the
// real world could take its time, fail, or never come back.

import { type Random, seededRandom } from "../support/random.ts";

/** A failure the world made, as the network would. */
export class WorldError extends Error {}

export interface Faults {
  /** Probability that a call to another party fails, before or after taking effect. */
  readonly failure: number;
  /** Probability that a partition dies at an await or around a commit. */
  readonly crash: number;
  /** Probability that a queue delivers a message once more. */
  readonly repeat: number;
}

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export class World {
  readonly seed: number;
  readonly random: Random;
  /** One line per thing that happened; two runs of one seed have the same lines. */
  readonly log: string[] = [];
  now: number;
  faults: Faults;
  readonly #timers: Timer[] = [];
  #order = 0;

  constructor(seed: number, start: number, faults: Faults) {
    this.seed = seed;
    this.random = seededRandom(seed);
    this.now = start;
    this.faults = faults;
  }

  note(line: string): void {
    this.log.push(`${this.now} ${line}`);
  }

  at(instant: number, run: () => void): void {
    const timer = { at: Math.max(instant, this.now), order: this.#order++, run };
    let index = this.#timers.length;
    while (index > 0 && before(timer, this.#timers[index - 1] as Timer)) index -= 1;
    this.#timers.splice(index, 0, timer);
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.at(this.now + ms, resolve));
  }

  /** Runs what is due until the clock reaches `end`; promises settle between any two steps. */
  async runUntil(end: number): Promise<void> {
    for (;;) {
      await settled();
      const next = this.#timers[0];
      if (next === undefined || next.at > end) break;
      this.#timers.shift();
      this.now = next.at;
      next.run();
    }
    this.now = Math.max(this.now, end);
  }

  /**
   * A call to another party: it takes time, and may fail before taking effect, after it, or, as a request that was
   * given up and still lies in somebody's queue, long before it.
   */
  async call<T>(what: string, effect: () => T | Promise<T>): Promise<T> {
    await this.sleep(this.random.integer(1, 40));
    if (this.random.chance(this.faults.failure)) return this.#fail(what, effect);
    const result = await effect();
    await this.sleep(this.random.chance(0.1) ? this.random.integer(100, 5_000) : this.random.integer(1, 40));
    return result;
  }

  async #fail<T>(what: string, effect: () => T | Promise<T>): Promise<never> {
    const when = this.random.pick(["never", "before", "later"]);
    this.note(`${what} fails; it takes effect: ${when}`);
    if (when === "before") await effect();
    if (when === "later")
      this.at(this.now + this.random.integer(1_000, 2_000_000), () => void this.#late(what, effect));
    await this.sleep(this.random.integer(1, 5_000));
    throw new WorldError(`${what} failed`);
  }

  async #late(what: string, effect: () => unknown): Promise<void> {
    try {
      await effect();
      this.note(`${what} took effect late`);
    } catch (error) {
      this.note(`${what} failed late: ${String(error)}`);
    }
  }
}

function before(a: Timer, b: Timer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** Every promise that can settle without the clock has settled. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
