// `npm run check:deploy`: builds every Worker as it would be deployed, without account or network: by a plain `wrangler
// deploy` in the root, and by the configs that `footfall deploy` generates. Wrangler only warns of keys it does not
// know, and a mistyped key is a binding that is missing in production, so a warning fails here too.

import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildDashboard } from "./build-dashboard.ts";
import { describe } from "./deploy/config.ts";
import { Problem, runMain } from "./problem.ts";
import { WORKERS, type WorkerName } from "./runtime.ts";

const OUT = ".build/deploy";

await runMain(async () => {
  // As somebody does who clones the project. That there are several Workers is all that wrangler may warn of.
  console.log(`wrangler deploy: ${build("plain", [], /Multiple environments are defined/)}`);
  // Generated configs have no build of their own. The plain one has just built the tracker, not the pages.
  await buildDashboard();
  for (const worker of WORKERS) console.log(`${worker}: ${build(worker, ["--config", generate(worker)])}`);
});

/** The config of a deployment with everything that can differ. */
function generate(worker: WorkerName): string {
  const settings = { collector_domain: "t.shop.example", query_domain: "numbers.shop.example" };
  const { workers } = describe({ name: "check", ledgers: 128, jurisdiction: "eu", settings });
  const path = join(OUT, `${worker}.json`);
  mkdirSync(OUT, { recursive: true });
  writeFileSync(path, workers[worker].json(new Map()));
  return path;
}

/** Answers wrangler's own line about the size. */
function build(name: string, options: readonly string[], allowed?: RegExp): string {
  const all = ["deploy", ...options, "--dry-run", "--outdir", join(OUT, name)];
  const environment = { WRANGLER_HIDE_BANNER: "true", WRANGLER_LOG_PATH: ".wrangler/logs", FORCE_COLOR: "0", CI: "1" };
  const { status, stdout, stderr } = spawnSync("wrangler", all, {
    encoding: "utf8",
    env: { ...process.env, ...environment },
  });
  const output = `${stdout ?? ""}${stderr ?? ""}`;
  const warnings = output.split("\n").filter((line) => line.includes("WARNING") && allowed?.test(line) !== true);
  if (status !== 0 || warnings.length > 0) throw new Problem(`${name} would not deploy cleanly:\n${output}`);
  return /Total Upload:.*/.exec(output)?.[0] ?? "built";
}
