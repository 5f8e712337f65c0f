// `npm run ledgers`: writes wrangler.ledgers.toml, a copy of wrangler.toml that binds every ledger and not only the first.
// It takes the ids of their databases from ledgers.json, a list in the order of their positions, such as
// ["8f2c…", "41d0…"]. Commands of wrangler take the copy with `--config wrangler.ledgers.toml`. A deployment with one
// ledger needs neither (docs/decisions/0018-ledgers.md).

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { checkLedgers } from "../core/counting/ledger-placement.ts";
import { Problem, runMain } from "./problem.ts";

const ROOT = resolve(import.meta.dirname, "..");
const IDS = join(ROOT, "ledgers.json");
/** What wrangler is to read: the copy where there is one. */
export const LEDGERS_CONFIG = "wrangler.ledgers.toml";

/** The text of wrangler.toml with a binding for each ledger, in every env. */
export function bindLedgers(toml: string, ids: readonly string[]): string {
  const poolSizes = [...toml.matchAll(/^POOL_SIZE = "(\d+)"$/gm)].map(([, size]) => Number(size));
  for (const poolSize of poolSizes) checkLedgers(ids.length, poolSize);
  let bound = 0;
  const text = toml.replaceAll(BLOCK, (_, env: string) => {
    bound += 1;
    return ids.map((id, position) => bindingOf(env, { id, position })).join("\n");
  });
  const envs = [...toml.matchAll(/^\[env\.\w+\]$/gm)].length;
  if (bound !== envs) throw new Problem(`wrangler.toml binds LEDGER_0 in ${bound} envs, not in ${envs}`);
  return text;
}

/** The binding of the first ledger, as wrangler.toml has it. */
const BLOCK = /\[\[env\.(\w+)\.d1_databases\]\]\nbinding = "LEDGER_0"\n(?:\w+ = ".*"\n)+/g;

function bindingOf(env: string, { id, position }: { readonly id: string; readonly position: number }): string {
  return `[[env.${env}.d1_databases]]
binding = "LEDGER_${position}"
database_name = "footfall-ledger-${position}"
database_id = "${id}"
migrations_dir = "storage/ledger/migrations"
`;
}

function readIds(): readonly string[] {
  if (!existsSync(IDS)) throw new Problem("there is no ledgers.json: a list of the ids of the ledgers' databases");
  const ids: unknown = JSON.parse(readFileSync(IDS, "utf8"));
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === "string" && /^[0-9a-f-]{36}$/.test(id)))
    throw new Problem("ledgers.json must be a list of ids of databases");
  if (new Set(ids).size < ids.length) throw new Problem("ledgers.json names a database twice");
  return ids as readonly string[];
}

if (import.meta.main) {
  await runMain(async () => {
    const ids = readIds();
    writeFileSync(join(ROOT, LEDGERS_CONFIG), bindLedgers(readFileSync(join(ROOT, "wrangler.toml"), "utf8"), ids));
    console.log(`${LEDGERS_CONFIG}: ${ids.length} ledgers`);
  });
}
