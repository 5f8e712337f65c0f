// Tells partitions that settings changed, so that they need not wait until their copy has grown old. One that cannot be
// reached reads them again by itself: every change is dated further ahead than a copy may be used.

import { partitionsOf } from "../../core/counting/placement.ts";
import { causeOf } from "../../core/outcome.ts";
import { GLOBAL_MERCHANT } from "../../core/rules.ts";
import type { Merchant } from "../../storage/directory/merchants.ts";
import type { Deps } from "./deps.ts";
import { findPartitions } from "./operations.ts";

/**
 * Pushes a merchant's settings to its partitions. The deployment's concern every partition there is: they are only pushed on
 * a developer's machine, where there are few and where a change may be dated sooner than copies grow old.
 */
export async function pushSettings(
  { number: merchant, spread }: Pick<Merchant, "number" | "spread">,
  deps: Deps,
): Promise<void> {
  const isGlobal = merchant === GLOBAL_MERCHANT;
  if (isGlobal && !deps.development) return;
  const names = isGlobal ? await findPartitions(deps) : partitionsOf({ merchant, spread }, deps.placement);
  const pushes = names.map(async (name) => {
    try {
      await deps.partition(name).refreshSettings(merchant);
    } catch (error) {
      deps.log({ event: "settings_push_failed", partition: name, merchant, error: causeOf(error) });
    }
  });
  await Promise.all(pushes);
}
