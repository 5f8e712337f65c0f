// The record of a deployment on the machine that deployed it: where it answers, where its secrets are, and what was
// deployed. `deploy` writes it, and `--deployment <name>` of every other command reads it. Without it nothing is lost.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { messageOf, Problem } from "../problem.ts";

export const RECORDS = resolve(import.meta.dirname, "../../.footfall/deployments");

/** Written for people and CI as well, with more than other commands read. */
export interface DeploymentRecord {
  readonly collector: string;
  readonly query: string;
  /** The file with its secrets, unless it was deleted since. */
  readonly secrets: string;
}

/** Writes the record, for its owner alone to read. */
export function writeRecord(folder: string, name: string, record: DeploymentRecord): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
}

/** Where a deployment answers, and its admin token if its secrets are still here. Throws a Problem without a record. */
export function readRecord(
  name: string,
  folder = RECORDS,
): Omit<DeploymentRecord, "secrets"> & { readonly adminToken: string | undefined } {
  const record = readJson<DeploymentRecord>(join(folder, `${name}.json`));
  if (record === undefined) {
    throw new Problem(
      `no deployment "${name}" was made from here: run \`deploy ${name}\` once more, which changes nothing where it is up to date, or give --query-url, --collector-url and --admin-token`,
    );
  }
  const { ADMIN_TOKEN } = readJson<{ readonly ADMIN_TOKEN?: string }>(record.secrets) ?? {};
  return { collector: record.collector, query: record.query, adminToken: ADMIN_TOKEN };
}

/** Deletes the record of a deployment that is gone. Gives the file of its secrets where that is still there. */
export function forgetRecord(name: string, folder = RECORDS): string | undefined {
  const file = join(folder, `${name}.json`);
  const record = readJson<DeploymentRecord>(file);
  rmSync(file, { force: true });
  return record !== undefined && existsSync(record.secrets) ? record.secrets : undefined;
}

function readJson<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new Problem(`${file} cannot be read: ${messageOf(error)}`);
  }
}
