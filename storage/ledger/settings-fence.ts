// What a ledger must know of settings: a fence for each scope (a merchant, or the deployment under GLOBAL_MERCHANT).
// The fence is the highest version of the settings that was written to the directory or is about to be. Whoever changes
// settings that numbers depend on raises the fence first, and then compares and sets the version in the directory.
// Whoever writes numbers looks at the fence in the same transaction. For example, numbers that were counted by version
// 6 are refused from the moment at which anybody begins to write version 7. So a change needs no lock on two databases.
// A writer that dies between the two leaves a fence ahead of the directory, and no numbers could be written any more.
// The next one who is refused then raises the directory's version, changing nothing else (healSettings). If the writer
// was only slow, it finds that its version has passed, and is told to try again.
//
// Whoever dies between the two leaves a fence that is ahead of the directory, and nothing could be written any more.
// The next who is refused raises the directory's version without changing anything else (healSettings). A writer that
// was slow, and not dead, then finds that its version has passed, and is told to try again.

import { GLOBAL_MERCHANT } from "../../core/rules.ts";
import type { Directory } from "../directory/directory.ts";
import { select } from "../statement.ts";
import { askEach, type Ledger, type Ledgers } from "./ledgers.ts";

/** A scope's settings, in the version that its numbers were counted by, or that is about to be written. */
export interface ScopeVersion {
  readonly scope: number;
  readonly version: number;
}

/** True while nobody has begun to write a later version. Its parameters are a scope and the version that was read. */
export const IS_NOT_PAST = "NOT EXISTS (SELECT 1 FROM settings_fences WHERE merchant = ? AND version > ?)";

/**
 * Raises a scope's fence; where the fence is higher already nothing changes. `where`, a condition with its values, may
 * forbid it.
 */
export function fenceStatement(
  ledger: Ledger,
  { scope, version }: ScopeVersion,
  { where = "true", values = [] }: { readonly where?: string; readonly values?: readonly string[] } = {},
): D1PreparedStatement {
  return ledger
    .prepare(
      `INSERT INTO settings_fences (merchant, version) SELECT ?, ? WHERE ${where}
       ON CONFLICT (merchant) DO UPDATE SET version = excluded.version WHERE excluded.version > version`,
    )
    .bind(scope, version, ...values);
}

/**
 * Raises the fence of a merchant that was deleted above all versions, so that none of its numbers are published any
 * more.
 */
export function endStatement(ledger: Ledger, merchant: number): D1PreparedStatement {
  return ledger
    .prepare(
      `INSERT INTO settings_fences (merchant, version, ended) VALUES (?, ${Number.MAX_SAFE_INTEGER}, 1)
       ON CONFLICT (merchant) DO UPDATE SET version = excluded.version, ended = 1`,
    )
    .bind(merchant);
}

/** The ledgers that have numbers of a scope. */
function ledgersOfScope(ledgers: Ledgers, scope: number): readonly Ledger[] {
  return scope === GLOBAL_MERCHANT ? ledgers.all : [ledgers.ofMerchant(scope)];
}

/**
 * Raises fences before settings are written to the directory. Doing it twice, or for a change that then fails, does no
 * harm.
 */
export async function fenceSettings(ledgers: Ledgers, changed: readonly ScopeVersion[]): Promise<void> {
  for (const one of changed)
    await askEach({ all: ledgersOfScope(ledgers, one.scope) }, (ledger) => fenceStatement(ledger, one).run());
}

/**
 * Raises the directory's version to the fence where it is behind. A change of settings has died between the two, or is
 * slow and will find that its version has passed.
 */
export async function healSettings(
  { directory, ledgers }: { readonly directory: Directory; readonly ledgers: Ledgers },
  scope: number,
): Promise<void> {
  const text = "SELECT version FROM settings_fences WHERE merchant = ? AND ended = 0";
  const found = await askEach({ all: ledgersOfScope(ledgers, scope) }, (ledger) =>
    select<{ readonly version: number }>(ledger, [text, scope]),
  );
  const fence = Math.max(0, ...found.flat().map(({ version }) => version));
  await select(directory, ["UPDATE merchants SET version = ?2 WHERE number = ?1 AND version < ?2", scope, fence]);
}
