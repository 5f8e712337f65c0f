// The demo shop, for benches of what its owner sees. It is made by `npm start` and `npm run demo` themselves and kept
// for the next run of the same day.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DAY_MS, dateOf } from "../core/time.ts";

const ROOT = join(import.meta.dirname, "..");
const KEPT = join(ROOT, ".build/bench-overview");
/** Of the demo, whose events reach back so far. */
export const DEMO_DAYS = 15;

/** What `npm start` prints. */
export interface Demo {
  readonly query: string;
  readonly api_key: string;
  readonly admin_token: string;
  readonly tracking_id: string;
  readonly sign_in: { readonly email: string; readonly password: string };
}

export async function startDemoShop(): Promise<{ readonly demo: Demo; readonly stop: () => Promise<void> }> {
  const today = dateOf(Math.floor(Date.now() / DAY_MS));
  const stateDir = join(KEPT, today);
  for (const name of existsSync(KEPT) ? readdirSync(KEPT) : [])
    if (name !== today) rmSync(join(KEPT, name), { recursive: true });
  mkdirSync(stateDir, { recursive: true });
  const { child, demo } = await start(stateDir);
  const stop = async () => {
    child.kill("SIGTERM");
    await new Promise((settle) => child.once("exit", settle));
  };
  const made = join(stateDir, "demo.made");
  try {
    if (!existsSync(made)) await run("scripts/demo.ts", [String(DEMO_DAYS)], stateDir);
    writeFileSync(made, "");
  } catch (error) {
    await stop();
    throw error;
  }
  return { demo, stop };
}

/** `npm start`, until it says that it is ready. */
async function start(stateDir: string): Promise<{ readonly child: ChildProcess; readonly demo: Demo }> {
  const child = begin("scripts/start.ts", [], stateDir);
  const ready = await new Promise<string>((settle, fail) => {
    let text = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const [line] = /ready \{.*\}/.exec(text) ?? [];
      if (line !== undefined) settle(line);
    });
    child.once("exit", (code) => fail(new Error(`npm start ended with ${code}`)));
  });
  return { child, demo: JSON.parse(ready.slice("ready ".length)) as Demo };
}

async function run(script: string, given: readonly string[], stateDir: string): Promise<void> {
  const child = begin(script, given, stateDir);
  const code = await new Promise((settle) => child.once("exit", settle));
  if (code !== 0) throw new Error(`${script} ended with ${String(code)}`);
}

function begin(script: string, given: readonly string[], stateDir: string): ChildProcess {
  const env = { ...process.env, STATE_DIR: stateDir, COLLECTOR_PORT: "0", QUERY_PORT: "0" };
  return spawn(process.execPath, [join(ROOT, script), ...given], { env, stdio: ["ignore", "pipe", "inherit"] });
}
