// The end of a merchant in the directory: all its rows are deleted in one transaction. The ledger was told before
// (storage/ledger/erasure.ts), so nothing is published or sealed for a merchant whose rows are being deleted. Its
// numbers are deleted afterwards. A second run finds nothing.

import type { Directory } from "./directory.ts";

/** Every table that holds anything of a merchant besides the merchant itself. */
const MERCHANTS_OWN = [
  "streams",
  "api_keys",
  "members",
  "invites",
  "shares",
  "segments",
  "views",
  "notes",
  "subscriptions",
  "rule_versions",
  "own_rates",
  "rate_versions",
  "imports",
] as const;

export async function deleteMerchant(directory: Directory, merchant: number): Promise<void> {
  await directory.batch([
    ...MERCHANTS_OWN.map((table) => directory.prepare(`DELETE FROM ${table} WHERE merchant = ?`).bind(merchant)),
    directory
      .prepare("DELETE FROM sessions WHERE member NOT IN (SELECT id FROM members) AND ?1 IS NOT NULL")
      .bind(merchant),
    // Of it alone; of several it stays a number in a list.
    directory.prepare("DELETE FROM replay_jobs WHERE merchants = '[' || CAST(?1 AS INTEGER) || ']'").bind(merchant),
    directory.prepare("DELETE FROM merchants WHERE number = ?").bind(merchant),
  ]);
}
