// Tells partitions that settings changed, so that they need not wait until their copy has grown old. One that cannot be
// reached reads them again by itself: every change is dated further ahead than a copy may be used.

import { partitionsOf } from "../../core/counting/placement.ts";
import { causeOf } from "../../core/outcome.ts";
import { GLOBAL_MERCHANT } from "../../core/rules.ts";
import type { Merchant } from "../../storage/directory/merchants.ts";
import { readTold } from "../../storage/ledger/partition-status.ts";
import type { Deps } from "./deps.ts";
import { findPartitions } from "./operations.ts";

/**
 * Pushes a merchant's settings to its partitions. The deployment's concern every partition there is: they are only
 * pushed on a developer's machine, where there are few and where a change may be dated sooner than copies grow old.
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
 * The merchant's partitions that hold anything. To push to one that holds nothing would make it, near whoever
 * pushes; one that began to hold something since it told last, a quarter of an hour ago at most, finds the change
 * by itself within a minute.
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
