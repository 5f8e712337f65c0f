// The cron's step that makes a deployment of earlier versions like one of now: numbers from before there were claims
// are claimed, and the name of the key of visitors is noted. Once an isolate; doing it again is harmless.

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
