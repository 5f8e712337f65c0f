// Which versions of a deployment its smoke test has tried, and with which result. They are kept in a table of the
// directory's database, so that every machine knows them. The table says to which version a rollback goes. It prevents
// that a failed version is deployed again by mistake, or that one that passed is tried twice. If the table is lost with
// the directory, the next run tries its version once more. Until it passes there is no version to go back to.

import { WORKERS, type WorkerName } from "../runtime.ts";
import type { Account } from "./account.ts";
import type { PlanOptions } from "./plan.ts";

/** One text that names the versions of all three Workers together. */
export function releaseOf(tags: PlanOptions["tags"]): string {
  return WORKERS.map((worker) => tags[worker]).join(" ");
}

export interface Proof {
  /** As `releaseOf` says it. */
  readonly release: string;
  /** "counted": it passed. "failed": it did not pass, or a person rolled it back. */
  readonly outcome: "counted" | "failed";
  /** Ids of the platform. */
  readonly versions: Readonly<Partial<Record<WorkerName, string>>>;
  readonly at: string;
}

interface Row {
  readonly release: string;
  readonly outcome: Proof["outcome"];
  readonly versions: string;
  readonly at: string;
}

const TABLE = `CREATE TABLE IF NOT EXISTS deployed_versions(
  release TEXT PRIMARY KEY,
  outcome TEXT NOT NULL,
  versions TEXT NOT NULL,
  at TEXT NOT NULL
)`;

/** The versions that were tried, the newest first. Empty where there is no directory yet. */
export async function readProofs(account: Account, directory: string | undefined): Promise<readonly Proof[]> {
  if (directory === undefined) return [];
  const ask = (sql: string) =>
    account.change<readonly { readonly results: readonly Row[] }[]>("POST", `/d1/database/${directory}/query`, { sql });
  const [table] = await ask("SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'deployed_versions'");
  if (table === undefined || table.results.length === 0) return [];
  const [answer] = await ask("SELECT release, outcome, versions, at FROM deployed_versions ORDER BY at DESC");
  return (answer?.results ?? []).map((row) => ({ ...row, versions: JSON.parse(row.versions) as Proof["versions"] }));
}

/** Notes the result of a version. Writing it again is harmless. */
export async function writeProof(
  account: Account,
  directory: string,
  { release, outcome, versions, at }: Proof,
): Promise<void> {
  const insert = `INSERT INTO deployed_versions VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (release) DO UPDATE SET outcome = ?2, versions = ?3, at = ?4`;
  await account.change("POST", `/d1/database/${directory}/query`, { sql: TABLE });
  await account.change("POST", `/d1/database/${directory}/query`, {
    sql: insert,
    params: [release, outcome, JSON.stringify(versions), at],
  });
}

/** The newest version that passed its smoke test, other than the one of `release`. */
export function provenBefore(proofs: readonly Proof[], release: string): Proof | undefined {
  return proofs.find((proof) => proof.outcome === "counted" && proof.release !== release);
}

/** Forgets the versions that passed: they bind a database that is gone, so none of them may be gone back to. */
export async function forgetPassed(account: Account, directory: string): Promise<void> {
  await account.change("POST", `/d1/database/${directory}/query`, { sql: TABLE });
  const sql = "DELETE FROM deployed_versions WHERE outcome = 'counted'";
  await account.change("POST", `/d1/database/${directory}/query`, { sql });
}
