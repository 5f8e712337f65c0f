// `npm run fuzz -- [target] [--inputs n] [--seed n] [--keep]`: runs the targets whose names begin so, all of
// them without one, and tells what was reached and found. It is no part of the normal tests; those run a few
// hundred inputs of each target (fuzz.test.ts) and everything that was ever found (kept.test.ts). It ends
// with 1 where something was found.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { startMeter } from "../../scripts/progress.ts";
import { CORPUS_PATH, corpusOf, FILES } from "./corpus.ts";
import { type Explored, explore, Runner, smallest } from "./explore.ts";
import { findGrowth, type Grown } from "./growth.ts";
import { type Instrumented, instrument } from "./instrument.ts";
import type { Target } from "./target.ts";

const ROOT = join(import.meta.dirname, "../..");
/** What of a corpus is kept in the repository, in characters a target. */
const KEPT_LENGTH_MAX = 600;

interface Options {
  readonly inputs: number;
  readonly seed: number;
  readonly keep: boolean;
}

const program = new Command("fuzz")
  .description("Runs the parsers on inputs that find their own way into the code.")
  .argument("[target]", "the targets whose names begin so, such as format or regex; all without it")
  .option("--inputs <n>", "inputs of each target", Number, 100_000)
  .option("--seed <n>", "the same seed, the same run", Number, 1)
  .option("--keep", "write the shortest inputs that reach most into test/fuzz/corpus", false)
  .action(main);
await program.parseAsync();

async function main(prefix: string | undefined, options: Options): Promise<void> {
  let [inputs, found, matched] = [0, 0, 0];
  for (const file of FILES) {
    const instrumented = await instrument(join(import.meta.dirname, "targets", file));
    for (const target of instrumented.targets.filter(({ name }) => prefix === undefined || name.startsWith(prefix))) {
      const { explored, growth } = await runOne(instrumented, target, options);
      matched += 1;
      inputs += explored.inputs + growth.tried;
      found += countOf(explored, growth);
    }
  }
  if (matched === 0) throw new Error(`no target's name begins with "${prefix}"`);
  console.log(`${inputs.toLocaleString("en")} inputs of ${matched} targets, ${found} findings`);
  process.exitCode = found > 0 ? 1 : 0;
}

async function runOne(instrumented: Instrumented, target: Target, { inputs, seed, keep }: Options) {
  const seeds = target.seeds(ROOT);
  const known = [...seeds, ...corpusOf(target.name)];
  const meter = startMeter(target.name, inputs);
  const start = performance.now();
  const explored = await explore(instrumented, target, { inputs, seed, known, progress: meter.update });
  meter.stop();
  const seconds = (performance.now() - start) / 1000;
  const runner = new Runner(instrumented.counters, target);
  const growth = await findGrowth({ target, runner }, explored.slowest, seed);
  tell(target, { explored, growth, blocks: instrumented.counters.length, seconds });
  if (keep) {
    const kept = await smallest(instrumented, target, {
      known: seeds,
      corpus: [...corpusOf(target.name), ...explored.corpus],
      lengthMax: KEPT_LENGTH_MAX,
    });
    const all = JSON.parse(readFileSync(CORPUS_PATH, "utf8")) as Record<string, unknown>;
    writeFileSync(CORPUS_PATH, `${JSON.stringify({ ...all, [target.name]: kept }, null, 2)}\n`);
  }
  return { explored, growth };
}

interface Told {
  readonly explored: Explored;
  readonly growth: Grown;
  readonly blocks: number;
  readonly seconds: number;
}

function tell({ name }: Target, { explored, growth, blocks, seconds }: Told): void {
  const { inputs, corpus, findings, dearest } = explored;
  const pace = Math.round(inputs / seconds).toLocaleString("en");
  console.log(
    `${name}: ${inputs.toLocaleString("en")} inputs at ${pace}/s, ${explored.blocks} of ${blocks} blocks, corpus ${corpus.length}, ` +
      `dearest ${(dearest.share * 100).toFixed(0)}% of its bound, ${growth.tried} for growth, ${countOf(explored, growth)} findings`,
  );
  const wrong = [...findings, ...(growth.finding === undefined ? [] : [growth.finding])];
  for (const { what, input } of wrong) console.log(`  ${what}\n    ${JSON.stringify(input)}`);
  for (const { ratios, input } of growth.found)
    console.log(
      `  time grows faster than length: ${ratios.map((ratio) => ratio.toFixed(1)).join(", ")} times\n    ${JSON.stringify(input).slice(0, 600)}`,
    );
}

function countOf({ findings }: Explored, { found, finding }: Grown): number {
  return findings.length + found.length + (finding === undefined ? 0 : 1);
}
