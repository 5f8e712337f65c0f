// `npm run bench`: every bench, one after the other, each as it runs alone. A few minutes each; on a machine that does other
// things as well, only ratios within one of them mean anything.

import { spawnSync } from "node:child_process";
import { join } from "node:path";

const PARTS = ["ingest", "partition", "archive", "cost", "replay", "capacity"];

for (const part of PARTS) {
  console.log(`\n── ${part} ──`);
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, `${part}.ts`)], { stdio: "inherit" });
  if (status !== 0) process.exitCode = 1;
}
