// The cron's step that upgrades deployments of earlier versions. It claims numbers that were given before Footfall had
// claims, and notes the name of the visitors' key. It runs once per isolate; a repeat is harmless.

import { lastMerchantNumber } from "../../storage/directory/merchants.ts";
import { claimKnown, MERCHANTS } from "../../storage/directory/number-claim.ts";
import { noteVisitorKey } from "../../storage/visitor-key.ts";
import type { Deps } from "./deps.ts";

let areKnownClaimed = false;

export async function claimKnownNumbers(
  deps: Pick<Deps, "directory" | "objects" | "visitorKeys" | "now" | "meter">,
): Promise<void> {
  if (areKnownClaimed) return;
  const { directory, meter } = deps;
  const claims = { bucket: deps.objects, meter };
  await claimKnown(MERCHANTS, await lastMerchantNumber(directory), claims);
  await noteVisitorKey(deps.visitorKeys, deps.now(), claims);
  areKnownClaimed = true;
}
