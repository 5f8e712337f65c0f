// Tells partitions that settings changed, so that they need not wait until their copy expires. A partition that cannot
// be reached reads the settings again by itself in time: every change is dated further ahead than a copy may be used.

import { partitionsOf } from "../../core/counting/placement.ts";
import { causeOf } from "../../core/outcome.ts";
import { GLOBAL_MERCHANT } from "../../core/rules.ts";
import type { Merchant } from "../../storage/directory/merchants.ts";
import { readTold } from "../../storage/ledger/partition-status.ts";
import type { Deps } from "./deps.ts";
import { findPartitions } from "./operations.ts";

/**
 * Pushes a merchant's settings to its partitions. The deployment's settings concern every partition. They are pushed
 * only on a developer's machine. There are few partitions there, and a change may be dated sooner than copies expire.
 */
export async function pushSettings(
  { number: merchant, spread }: Pick<Merchant, "number" | "spread">,
  deps: Deps,
): Promise<void> {
  const isGlobal = merchant === GLOBAL_MERCHANT;
  if (isGlobal && !deps.development) return;
  const names = isGlobal ? await findPartitions(deps) : await holdersOf({ merchant, spread }, deps);
  const pushes = names.map(async (name) => {
    try {
      await deps.partition(name).refreshSettings(merchant);
    } catch (error) {
      deps.log({ event: "settings_push_failed", partition: name, merchant, error: causeOf(error) });
    }
  });
  await Promise.all(pushes);
}

/**
 * The merchant's partitions that have anything. A push to a partition that has nothing would create it, near the
 * sender. A partition may have got its first events since its last report, at most a quarter of an hour ago. It finds
 * the change by itself within a minute.
 */
async function holdersOf(
  { merchant, spread }: { readonly merchant: number; readonly spread: Merchant["spread"] },
  { development, ledgers, placement }: Deps,
): Promise<readonly string[]> {
  const all = partitionsOf({ merchant, spread }, placement);
  if (development) return all;
  const told = new Set(await readTold(ledgers.ofMerchant(merchant)));
  return all.filter((name) => told.has(name));
}
