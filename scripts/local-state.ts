// The small files beside the data of a local start: the secrets it made and the demo merchant it created. `start.ts`
// writes them; the demo and the command line read them to find the Workers without being told. They hold keys, so only
// their owner may read them. Nothing here concerns a deployed Footfall.

import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, Problem } from "./problem.ts";
import type { Secrets } from "./runtime.ts";

/** A local start as others find it: what its ready line says, and the demo merchant's id. */
export interface LocalStart {
  readonly collector: string;
  readonly query: string;
  readonly tracking_id: string;
  readonly api_key: string;
  readonly admin_token: string;
  /** The demo merchant's `site_id`. */
  readonly merchant: string;
  /** The demo merchant's owner, for the dashboard. */
  readonly sign_in: { readonly email: string; readonly password: string };
}

/** The folder a local start keeps everything in. */
export function stateDirOf(environment: NodeJS.ProcessEnv): string {
  return environment["STATE_DIR"] || ".footfall";
}

/** The secrets of this state; made at random the first time. */
export async function readSecrets(stateDir: string): Promise<Secrets> {
  const kept = await readState<Secrets>(stateDir, "secrets.json");
  if (kept !== undefined) return kept;
  const secrets = { TRACKING_SECRET: randomText(), ADMIN_TOKEN: randomText() };
  await writeState(stateDir, "secrets.json", secrets);
  return secrets;
}

/** What the last local start wrote, or undefined when there was none. */
export async function readLocalStart(stateDir: string): Promise<LocalStart | undefined> {
  return await readState<LocalStart>(stateDir, "demo.json");
}

export async function writeLocalStart(stateDir: string, start: LocalStart): Promise<void> {
  await writeState(stateDir, "demo.json", start);
}

/** Makes the folder, or one in it, if it is not there. */
export async function makeStateDir(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new Problem(notAFolder(path, error));
  }
}

async function readState<T>(stateDir: string, file: string): Promise<T | undefined> {
  const path = join(stateDir, file);
  try {
    return JSON.parse(await readFile(path, "utf8")) as T;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    if (code === "ENOTDIR") throw new Problem(notAFolder(stateDir, error));
    throw new Problem(
      `cannot read ${path} (${(error as Error).message}); repair it, or remove ${stateDir} to start anew`,
    );
  }
}

async function writeState(stateDir: string, file: string, value: object): Promise<void> {
  await makeStateDir(stateDir);
  await writeFile(join(stateDir, file), `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
}

function notAFolder(path: string, error: unknown): string {
  const inTheWay = ["EEXIST", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "");
  const why = inTheWay ? "there is a file of that name" : messageOf(error);
  return `${path} cannot be the folder for Footfall's data (${why}); name another with STATE_DIR`;
}

function randomText(): string {
  return randomBytes(32).toString("base64url");
}
