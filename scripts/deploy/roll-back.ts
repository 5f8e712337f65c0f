// Back to versions that were deployed before: the platform keeps each Worker's last hundred, with their bindings,
// variables and secrets. Databases stay as they are (scripts/deploy/migration.ts says why that works), as do crons and
// consumers of queues. Nothing is forced: where a secret was changed since, the platform refuses (10220), since the old
// version would bring the old secret back.

import { Problem } from "../problem.ts";
import { WORKERS } from "../runtime.ts";
import { type Account, Refusal } from "./account.ts";
import type { Wanted } from "./config.ts";
import { look } from "./look.ts";
import type { Proof } from "./proof.ts";

/** Deploys the versions of a proof, those that call others first. Stopped anywhere, it can be started again. */
export async function rollBack(
  account: Account,
  wanted: Wanted,
  { to, why, say }: { readonly to: Proof; readonly why: string; readonly say: (line: string) => void },
): Promise<void> {
  const { workers } = await look(account, wanted);
  for (const worker of [...WORKERS].reverse()) {
    const version = to.versions[worker];
    const { name } = wanted.workers[worker];
    if (version === undefined || workers.get(worker)?.version === version) continue;
    const body = {
      strategy: "percentage",
      versions: [{ version_id: version, percentage: 100 }],
      annotations: { "workers/message": why },
    };
    await account.change("POST", `/workers/scripts/${name}/deployments`, body).catch((error: unknown) => {
      if (!(error instanceof Refusal)) throw error;
      throw new Problem(
        `${name} cannot go back to version ${version}: ${error.message}
Deploy the sources of ${to.at} instead: git checkout <their commit>, npm ci, and this command again.`,
      );
    });
    say(`${name} is back at version ${version}`);
  }
}
