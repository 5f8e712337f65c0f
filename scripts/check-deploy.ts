// `npm run check:deploy`: builds every Worker as `wrangler deploy` would, without account or network. Wrangler only
// warns of keys it does not know, and a mistyped key is a binding that is missing in production, so a warning fails
// here too.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { LEDGERS_CONFIG } from "./ledgers.ts";
import { Problem, runMain } from "./problem.ts";
import { WORKERS, type WorkerName } from "./runtime.ts";

await runMain(async () => {
  for (const worker of WORKERS) console.log(`${worker}: ${check(worker)}`);
});

/** Answers wrangler's own line about the size. */
function check(worker: WorkerName): string {
  const config = existsSync(LEDGERS_CONFIG) ? ["--config", LEDGERS_CONFIG] : [];
  const options = ["deploy", ...config, "--env", worker, "--dry-run", "--outdir", `.build/deploy/${worker}`];
  const environment = { WRANGLER_HIDE_BANNER: "true", WRANGLER_LOG_PATH: ".wrangler/logs", FORCE_COLOR: "0", CI: "1" };
  const { status, stdout, stderr } = spawnSync("wrangler", options, {
    encoding: "utf8",
    env: { ...process.env, ...environment },
  });
  const output = `${stdout ?? ""}${stderr ?? ""}`;
  if (status !== 0 || output.includes("WARNING")) throw new Problem(`${worker} would not deploy cleanly:\n${output}`);
  return /Total Upload:.*/.exec(output)?.[0] ?? "built";
}
