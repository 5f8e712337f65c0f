// Starts `victim.ts` in a process group of its own, and kills the group: Node and workerd, without a word of warning.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { bundleWorkers, type RuntimeOptions } from "../../scripts/runtime.ts";
import { Client, FAST, ledgersFor, SECRETS } from "./services.ts";

export interface Victim {
  readonly client: Client;
  /** Resolves when it is dead; at once when it was. */
  readonly kill: () => Promise<void>;
}

/** Resolves when the Workers answer on the data in `stateDir`; `vars` come on top of FAST. */
export async function startVictim(stateDir: string, vars: Record<string, string> = {}): Promise<Victim> {
  const paced = { ...FAST, ...vars };
  const options: RuntimeOptions = {
    stateDir,
    secrets: SECRETS,
    vars: paced,
    ledgers: ledgersFor(paced),
    queueWaitSeconds: 0,
  };
  // Bundled once for all that are killed.
  const scripts = join(stateDir, "workers.json");
  if (!existsSync(scripts)) writeFileSync(scripts, JSON.stringify(await bundleWorkers()));
  const path = join(import.meta.dirname, "victim.ts");
  const child = spawn(process.execPath, [path, scripts, JSON.stringify(options)], {
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const [line] = (await once(lines, "line")) as [string];
  const client = new Client(JSON.parse(line) as { collectorUrl: string; queryUrl: string });
  return { client, kill: () => kill(child) };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  process.kill(-(child.pid as number), "SIGKILL");
  await exit;
}
