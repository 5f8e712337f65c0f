// What a ledger must know of settings: a fence for each scope (a merchant, or the deployment under GLOBAL_MERCHANT)
// with the highest version that was, or is about to be, written to the directory. Who changes settings that numbers
// depend on raises the fence first, and then compares and sets the version in the directory; who writes numbers looks
// at the fence in the same transaction. So numbers that were counted by version 6 are refused from the moment on at
// which anybody begins to write version 7, and a change needs no lock on two databases.
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

/** Whether nobody has begun to write a later version. Takes a scope and the version that was read. */
export const IS_NOT_PAST = "NOT EXISTS (SELECT 1 FROM settings_fences WHERE merchant = ? AND version > ?)";

/** Raises a scope's fence; a lower one than there is changes nothing. `where` with its values may forbid it. */
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

/** Says that a merchant has ended: no version is good any more, and nothing of it is published. */
export function endStatement(ledger: Ledger, merchant: number): D1PreparedStatement {
  return ledger
    .prepare(
      `INSERT INTO settings_fences (merchant, version, ended) VALUES (?, ${Number.MAX_SAFE_INTEGER}, 1)
       ON CONFLICT (merchant) DO UPDATE SET version = excluded.version, ended = 1`,
    )
    .bind(merchant);
}

/** The ledgers that have numbers of a scope. */
export function ledgersOfScope(ledgers: Ledgers, scope: number): readonly Ledger[] {
  return scope === GLOBAL_MERCHANT ? ledgers.all : [ledgers.ofMerchant(scope)];
}

/** Raises fences before settings are written to the directory. Doing it twice, or in vain, loses nothing. */
export async function fenceSettings(ledgers: Ledgers, changed: readonly ScopeVersion[]): Promise<void> {
  for (const one of changed)
    await askEach({ all: ledgersOfScope(ledgers, one.scope) }, (ledger) => fenceStatement(ledger, one).run());
}

/**
 * Raises the directory to the fence where it is behind: a change of settings has died in between, or
 * will now find its version gone.
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
