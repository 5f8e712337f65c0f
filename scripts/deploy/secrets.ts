// A deployment's secrets: made once, kept in a file that only its owner may read until they lie in a safe, and never
// printed. The platform says which secrets a Worker has, and never what they are.

import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { Problem } from "../problem.ts";
import { WORKERS } from "../runtime.ts";
import type { Found } from "./look.ts";
import type { Act } from "./plan.ts";

type Values = Readonly<Record<string, string>>;

/** Outside of the repository, so that it cannot be committed. */
export function secretsFileOf(prefix: string, given: string | undefined): string {
  return given ?? join(homedir(), ".footfall", `${prefix}.secrets.json`);
}

/** The values in the file; none where there is none. */
export function readSecretsFile(file: string): Values {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Values;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw new Problem(`${file} cannot be read: ${(error as Error).message}`);
  }
}

/**
 * Sees to it that the file has every secret that is to be set. One that no Worker has is made; one that some have and
 * others lack must be the same in all, so it has to be in the file.
 */
export function prepareSecrets(
  acts: readonly Act[],
  { found, file }: { readonly found: Found; readonly file: string },
): boolean {
  const kept = readSecretsFile(file);
  const made: Record<string, string> = {};
  for (const name of new Set(acts.flatMap((act) => (act.act === "set secrets of" ? act.secrets : [])))) {
    if (kept[name] !== undefined) continue;
    const holders = WORKERS.filter((worker) => found.workers.get(worker)?.secrets.includes(name));
    if (holders.length > 0) {
      throw new Problem(
        `${holders.join(" and ")} have ${name}, another Worker lacks it, and it must be the same: put it back into ${file} from your safe ({"${name}":"…"})`,
      );
    }
    made[name] = randomBytes(32).toString("hex");
  }
  if (Object.keys(made).length === 0) return false;
  writePrivate(file, { ...kept, ...made });
  return true;
}

/** Writes these secrets beside the file, gives the path to `use`, and takes them away again. */
export async function withSecrets<T>(
  names: readonly string[],
  file: string,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const kept = readSecretsFile(file);
  const path = `${file}.upload`;
  writePrivate(path, Object.fromEntries(names.map((name) => [name, kept[name] as string])));
  try {
    return await use(path);
  } finally {
    rmSync(path, { force: true });
  }
}

/** The file is there whole, or as it was. */
function writePrivate(path: string, values: Values): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const written = `${path}.new`;
  rmSync(written, { force: true }); // else a file of another mode keeps its mode
  writeFileSync(written, `${JSON.stringify(values, null, 2)}\n`, { mode: 0o600, flag: "wx" });
  renameSync(written, path);
}
