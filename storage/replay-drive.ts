// Moves a replay job on: sends its next parts to their queue, and ends it when there are none. It is called after every
// change of a job: by the API that made, resumed or cancelled it, and by the consumer that has done a part
// (queues/replay.ts). The cron calls it too, in case messages were lost. The parts themselves are done by the consumer.

import type { ReplayPart } from "../core/counting/replay-part.ts";
import { REPLAY_PARTS_SENT_MAX, REPLAYS_OF_MERCHANT_MAX } from "../core/limits.ts";
import { settlePeriod } from "../core/rules.ts";
import { findJob, isOfGoals, listAtWork, type ReplayJob } from "./directory/replay-job.ts";
import { settleTimeline } from "./directory/rules.ts";
import { readSettingsOf } from "./directory/settings.ts";
import { type GoalsDeps, startGoalsBackfill } from "./goals-backfill.ts";
import { askEach, type Ledger } from "./ledger/ledgers.ts";
import { takeParts } from "./ledger/replay-part.ts";
import { fenceJob, finishJob, isWorkDone, readProgress } from "./replay.ts";

export interface DriveDeps extends GoalsDeps {
  /** Puts parts on the replay queue. */
  readonly sendParts: (parts: readonly ReplayPart[]) => Promise<void>;
}

/**
 * Sends the next parts of a job to their queue, and ends the job when there are none. A second call sends nothing
 * twice. `own` is the ledger of a part that has just ended: only its parts are sent, as the other ledgers send theirs
 * when one of their own parts ends.
 */
export async function driveJob(job: string, deps: DriveDeps, own?: Ledger): Promise<void> {
  let header = await findJob(deps.directory, job);
  if (header !== undefined && header.fenced < header.epoch) {
    await fenceJob(deps, job);
    header = await findJob(deps.directory, job);
  }
  if (header?.state !== "running" && header?.state !== "undoing") return;
  if (!(await isItsTurn(header, deps))) return;
  const sentMax = Math.max(1, Math.floor(REPLAY_PARTS_SENT_MAX / header.ledgers.length));
  const all = header.ledgers.map((position) => deps.ledgers.all[position] as Ledger);
  const taken = await askEach({ all: own === undefined ? all : [own] }, (ledger) =>
    takeParts(ledger, { job, now: deps.now(), sentMax }),
  );
  if (taken.flat().length > 0) return deps.sendParts(taken.flat());
  if (!(await isWorkDone(deps, header, own))) return;
  if (header.state === "running" && !(await settleApplied(header, deps))) return; // the cron comes again
  if (!(await finishJob(deps, { header, now: deps.now() }))) return;
  const [merchant, ...others] = header.merchants ?? [];
  if (merchant !== undefined && others.length === 0) await driveNext(merchant, deps);
  if (header.kind === "verify" || merchant === undefined || others.length > 0) return;
  const next = await startGoalsBackfill(merchant, deps, { goesOn: !isOfGoals(header) });
  if (next !== undefined) await driveJob(next, deps);
}

/**
 * To its merchant an undo of an import is one request, so all of its jobs are made at once: 7 for 2,500 Days. Of a
 * merchant's jobs as many are at work as may be asked for; those of an import wait until older ones have ended.
 */
async function isItsTurn({ id, importNumber, merchants = [] }: ReplayJob, deps: DriveDeps): Promise<boolean> {
  const [merchant] = merchants;
  if (importNumber === undefined || merchant === undefined) return true;
  const atWork = await listAtWork(deps.directory, merchant);
  return atWork.slice(0, REPLAYS_OF_MERCHANT_MAX).includes(id);
}

/** Moves the jobs on whose turn it is when one of the merchant has ended. Should this be lost, the cron does it. */
async function driveNext(merchant: number, deps: DriveDeps): Promise<void> {
  for (const job of (await listAtWork(deps.directory, merchant)).slice(0, REPLAYS_OF_MERCHANT_MAX))
    await driveJob(job, deps);
}

/**
 * Where all Days of a job have been counted by what it put on the timelines, the timelines are told so. It is done
 * before the job ends: after a crash between the two, the job is still running and there is nothing left to tell. False
 * when the settings were changed meanwhile.
 */
async function settleApplied(job: ReplayJob, deps: DriveDeps): Promise<boolean> {
  if (job.applied === undefined || job.kind === "verify" || job.importNumber !== undefined) return true;
  const { parts, done, unpublished, inDoubt } = await readProgress(deps, job.id);
  if (done < parts || unpublished > 0 || inDoubt > 0) return true;
  const days = [job.fromDay, job.toDay] as const;
  const versions = new Map(job.applied);
  for (const { merchant: scope, version, rules } of await readSettingsOf(deps.directory, [...versions.keys()])) {
    const what = isOfGoals(job) ? "goals" : "rules";
    const timeline = settlePeriod(rules, { version: versions.get(scope) as number, days, what });
    if (timeline.every((period, index) => period === rules[index])) continue;
    if (!(await settleTimeline(deps, { scope, version, timeline, job: job.id }))) return false;
  }
  return true;
}
