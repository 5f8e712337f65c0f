// Starts the backfill of a merchant's goals (storage/goals-backfill.ts). It does so when goals were changed, and when a
// question finds Days that were counted before the goals. It also finds a backfill that is running.

import { firstOpenDay } from "../../core/counting/closed.ts";
import type { Groups } from "../../core/query/group.ts";
import type { Merchant } from "../../storage/directory/merchants.ts";
import { findGoalsUnderWay } from "../../storage/directory/replay-job.ts";
import { startGoalsBackfill } from "../../storage/goals-backfill.ts";
import { driveJob } from "../../storage/replay-drive.ts";
import type { Deps } from "./deps.ts";

/** Starts the backfill. A second call makes no second job, because it finds the first one running. */
export async function backfillGoals(merchant: number, deps: Deps): Promise<void> {
  const job = await startGoalsBackfill(merchant, deps);
  if (job !== undefined) await driveJob(job, deps);
}

/**
 * The running backfill, if its end would let an answer read more from rollups. If none is running, the next one is
 * started.
 */
export async function backfillBehind(
  read: readonly (Groups | undefined)[],
  { number }: Pick<Merchant, "number">,
  deps: Deps,
): Promise<string | undefined> {
  const behind = read.flatMap((groups) => groups?.aside ?? []).filter(({ why }) => why === "goals");
  const firstOpen = () => firstOpenDay(deps.now(), deps.pace.sealAfterMs);
  if (behind.length === 0 || !behind.some(({ day }) => day < firstOpen())) return undefined;
  const underWay = await findGoalsUnderWay(deps.directory, number);
  if (underWay === undefined) deps.later("goals_backfill", backfillGoals(number, deps));
  return underWay;
}
