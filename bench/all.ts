// `npm run bench`: every bench, one after the other, each as it runs alone, with the time that each took. With
// --quick, one round of each over less data: 28 minutes on two cores with a load of ten. Without, it has not been
// run in one go; by its parts it takes some two hours. On a machine that does other things as well, only ratios
// within one of them mean anything.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { toTable } from "../scripts/table.ts";

interface Part {
  readonly name: string;
  readonly args?: readonly string[];
  /** Of Node itself. */
  readonly flags?: readonly string[];
  /** With --quick. */
  readonly quick?: readonly string[];
  /** Left out with --quick. */
  readonly isLong?: true;
}

const PARTS: readonly Part[] = [
  { name: "ingest" },
  { name: "garbage", flags: ["--max-semi-space-size=256", "--min-semi-space-size=256"] },
  { name: "partition" },
  { name: "archive" },
  { name: "open-day", quick: ["--bundles", "64"] },
  { name: "enrichment" },
  { name: "flood" },
  { name: "spread" },
  { name: "cost" },
  { name: "capacity" },
  { name: "replay", quick: ["--events", "200000", "--rounds", "1"] },
  { name: "scan", quick: ["--days", "1", "--rounds", "1"] },
  { name: "query", quick: ["--events", "100000", "--starts", "2", "--asks", "5"] },
  { name: "query", args: ["--events", "10000000"], isLong: true },
];

const { values } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
const { quick } = values;
const parts = PARTS.filter(({ isLong }) => !(quick && isLong));
const taken: (string | number)[][] = [];
for (const [at, part] of parts.entries()) {
  const args = (quick ? part.quick : part.args) ?? [];
  const called = [part.name, ...args].join(" ");
  console.log(`\n── ${called} (${at + 1} of ${parts.length}) ──`);
  const startedAt = performance.now();
  const script = join(import.meta.dirname, `${part.name}.ts`);
  const { status } = spawnSync(process.execPath, [...(part.flags ?? []), script, ...args], {
    stdio: "inherit",
    env: { ...process.env, ...(quick && { ROUNDS: "1" }) },
  });
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  if (status !== 0) process.exitCode = 1;
  taken.push([called, seconds, status === 0 ? "done" : "failed"]);
  console.log(`── ${called}: ${seconds} s ──`);
}
console.log(`\n${toTable(["bench", "seconds", ""], taken)}`);
