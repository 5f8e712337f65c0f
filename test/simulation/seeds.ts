// Runs of many seeds, for the test files beside this one: each takes a part, so that they run on all cores at once.

import { expect } from "vitest";
import { NO_STATISTICS, type Statistics, simulate } from "./simulation.ts";

/** SEEDS=100000 runs longer. */
export const SEEDS = Number(process.env["SEEDS"] ?? 600);
/** SEED=17 runs one and prints its log. */
export const ONLY_SEED = process.env["SEED"];

/** Every `step`th seed from `first` on; throws with the first broken law and the seed that broke it. */
export async function runSeeds(first: number, step: number): Promise<void> {
  const sum = { ...NO_STATISTICS };
  let runs = 0;
  for (let seed = first; seed <= SEEDS; seed += step) {
    const { problem, statistics } = await simulate(seed);
    if (problem !== undefined) throw new Error(`seed ${seed}: ${problem}   (again with SEED=${seed})`);
    for (const key of Object.keys(sum) as (keyof Statistics)[]) sum[key] += statistics[key];
    runs += 1;
  }
  console.log(`simulation: ${runs} seeds, ${JSON.stringify(sum)}`);
  for (const count of Object.values(sum)) expect(count).toBeGreaterThan(0);
}
