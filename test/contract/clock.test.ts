// What code relies on of time, tried on the machine's clock and on the simulated world's.

import { describe, expect, test } from "vitest";
import { World } from "../simulation/world.ts";

interface Clock {
  now(): number;
  sleep(ms: number): Promise<void>;
  /** Lets the work go on until it is done. */
  run<T>(work: Promise<T>): Promise<T>;
}

const machine: Clock = {
  now: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  run: (work) => work,
};

function simulated(): Clock {
  const world = new World(1, Date.UTC(2026, 2, 10), { failure: 0, crash: 0, repeat: 0 });
  return {
    now: () => world.now,
    sleep: (ms) => world.sleep(ms),
    run: async (work) => {
      await world.runUntil(world.now + 60_000);
      return await work;
    },
  };
}

describe.each([
  ["the simulation's clock in its place", simulated()],
  ["the machine's clock", machine],
])("%s", (_, clock) => {
  test("[CTR-13] who sleeps wakes after it, and time has passed", async () => {
    const before = clock.now();
    // Timers of Node may come up to a millisecond early by the clock.
    const after = await clock.run(clock.sleep(50).then(() => clock.now()));
    expect(after - before).toBeGreaterThanOrEqual(49);
  });

  test("[CTR-13] who sleeps less wakes first; of two that sleep as long, the one who began first", async () => {
    const woken: string[] = [];
    const sleep = (name: string, ms: number) => clock.sleep(ms).then(() => woken.push(name));
    await clock.run(Promise.all([sleep("long", 60), sleep("first", 20), sleep("second", 20), sleep("short", 5)]));
    expect(woken).toEqual(["short", "first", "second", "long"]);
  });

  test("[CTR-13] time does not pass between two looks of one turn by more than it takes, and never goes back", () => {
    const looks = Array.from({ length: 1_000 }, () => clock.now());
    expect(looks).toEqual([...looks].sort((a, b) => a - b));
  });
});
