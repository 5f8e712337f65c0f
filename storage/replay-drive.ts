// Moves a replay job on: sends its next parts to their queue, and ends it when there are none. Whoever has changed something
// does so: the API that made, resumed or cancelled a job, the consumer that has done a part (queues/replay.ts), and the cron
// for messages that were lost. What a part does is the consumer's.

import type { ReplayPart } from "../core/counting/replay-part.ts";
import { settlePeriod } from "../core/rules.ts";
import { settleTimeline } from "./directory/rules.ts";
import { readSettingsOf } from "./directory/settings.ts";
import { type GoalsDeps, startGoalsBackfill } from "./goals-backfill.ts";
import { findJob, finishJob, isOfGoals, type ReplayJob, readProgress, takeParts } from "./ledger/replay-job.ts";

export interface DriveDeps extends GoalsDeps {
  /** Puts parts on the replay queue. */
  readonly sendParts: (parts: readonly ReplayPart[]) => Promise<void>;
}

/** Sends the next parts of a job on their way, and ends it when there are none. Doing so twice sends nothing twice. */
export async function driveJob(job: string, deps: DriveDeps): Promise<void> {
  const parts = await takeParts(deps.db, { job, now: deps.now() });
  if (parts.length > 0) return deps.sendParts(parts);
  const ending = await findJob(deps.db, job);
  if (ending?.state === "running" && !(await settleApplied(ending, deps))) return; // the cron comes again
  if (!(await finishJob(deps.db, { job, now: deps.now() }))) return;
  const [merchant, ...others] = ending?.merchants ?? [];
  if (ending?.kind === "verify" || merchant === undefined || others.length > 0) return;
  const next = await startGoalsBackfill(merchant, deps, { goesOn: !isOfGoals(ending as ReplayJob) });
  if (next !== undefined) await driveJob(next, deps);
}

/**
 * Says on the timelines that the Days of a job have been counted by what it put on them, where all of them have. Before
 * the job ends: a crash between the two finds it running, and nothing left to say. False when the settings were changed
 * meanwhile.
 */
async function settleApplied(job: ReplayJob, deps: DriveDeps): Promise<boolean> {
  if (job.applied === undefined || job.kind === "verify") return true;
  const { parts, done, unpublished, inDoubt } = await readProgress(deps.db, job.id);
  if (done < parts || unpublished > 0 || inDoubt > 0) return true;
  const days = [job.fromDay, job.toDay] as const;
  const versions = new Map(job.applied);
  for (const { merchant: scope, version, rules } of await readSettingsOf(deps.db, [...versions.keys()])) {
    const what = isOfGoals(job) ? "goals" : "rules";
    const timeline = settlePeriod(rules, { version: versions.get(scope) as number, days, what });
    if (timeline.every((period, index) => period === rules[index])) continue;
    if (!(await settleTimeline(deps.db, { scope, version, timeline, job: job.id }))) return false;
  }
  return true;
}
