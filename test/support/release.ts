// The release before this one, as `npm run release:keep` has kept it. Until one is kept it is this tree itself. The
// environment's RELEASE names another folder, for a release that is kept elsewhere.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { type Bundles, bundleWorkers, WORKERS } from "../../scripts/runtime.ts";
import { type WaitingMessages, waitingMessages } from "./waiting-message.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const ASKED = process.env["RELEASE"];
export const KEPT_RELEASE = ASKED === undefined ? join(ROOT, "test/golden/release") : resolve(ASKED);
export const MIGRATION_FOLDERS = ["storage/directory/migrations", "storage/ledger/migrations"] as const;

export interface Release {
  /** Undefined where it is this tree. */
  readonly version: string | undefined;
  readonly bundles: Bundles;
  /** The folder under which its migrations lie, named as here. */
  readonly root: string;
  readonly messages: WaitingMessages;
}

export async function releaseBefore(): Promise<Release> {
  if (ASKED === undefined && !existsSync(KEPT_RELEASE))
    return { version: undefined, bundles: await bundleWorkers(), root: ROOT, messages: waitingMessages() };
  const text = readFileSync(join(KEPT_RELEASE, "release.json"), "utf8");
  const { version, messages } = JSON.parse(text) as { version: string; messages: WaitingMessages };
  const today = await bundleWorkers();
  const kept = WORKERS.map((worker) => {
    const script = brotliDecompressSync(readFileSync(join(KEPT_RELEASE, `${worker}.js.br`))).toString();
    return [worker, { ...today[worker], text: script }] as const;
  });
  return { version, bundles: Object.fromEntries(kept) as unknown as Bundles, root: KEPT_RELEASE, messages };
}

/** Files of migrations in a folder of a release, with their texts. */
export function migrationsOf({ root }: Pick<Release, "root">, folder: string): ReadonlyMap<string, string> {
  const files = readdirSync(join(root, folder)).filter((file) => file.endsWith(".sql"));
  return new Map(files.map((file) => [file, readFileSync(join(root, folder, file), "utf8")]));
}

export const TODAY = { root: ROOT };
