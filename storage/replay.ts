// Changes a replay job in the directory and in the ledgers that have its parts: how it begins, how its state changes,
// how it ends, and how a job is mended when somebody died half way. Two databases have no transaction in common, so a
// crash may come after any step:
//
// - A job begins as a header in the state "starts", which keeps other jobs out. Then its parts and fences are written
//   to each ledger. Then the header is set to run and, in the same transaction, its rules or zone are put on the
//   timelines. At last each fence is set to run.
// - A change is decided by the header, in one conditional statement that raises its epoch. Then each ledger's fence
//   follows, and only after that anybody is told or sent anything. Until all fences have followed, the job counts as
//   one that may write.
// - A job ends when no ledger has anything left to do in the header's epoch. The header is compared and set by that
//   epoch.
//
// The cron (mendJobs) makes fences follow their header, and takes back a start that was never finished.

import { ledgerOf, ledgerOfMerchant } from "../core/counting/ledger-placement.ts";
import type { ReplayPart } from "../core/counting/replay-part.ts";
import { REPLAY_LIST_MAX, REPLAY_PARTS_PRUNED } from "../core/limits.ts";
import type { Log } from "../core/log.ts";
import { causeOf } from "../core/outcome.ts";
import { GLOBAL_MERCHANT } from "../core/rules.ts";
import type { Directory } from "./directory/directory.ts";
import {
  abandonHeader,
  cancelGoalsInTheWay,
  changeHeader,
  dropHeader,
  endHeader,
  findHeader,
  isOfGoals,
  type JobHeader,
  listHalfWay,
  listOver,
  markPruned,
  noteFenced,
  putHeader,
  type ReplayJob,
  type ReplayVerb,
  startHeader,
} from "./directory/replay-job.ts";
import type { TimelineChange } from "./directory/rules.ts";
import { askEach, type Ledger, type Ledgers } from "./ledger/ledgers.ts";
import {
  firstOutcomes,
  hasEnded,
  hasFailedParts,
  type JobTotal,
  layParts,
  type PartOutcome,
  pruneParts,
  putFence,
  type ReplayProgress,
  sumParts,
  sumTotals,
} from "./ledger/replay-part.ts";
import { fenceSettings, type ScopeVersion } from "./ledger/settings-fence.ts";

/** The databases of a job. */
export interface JobStorage {
  readonly directory: Directory;
  readonly ledgers: Ledgers;
}

export interface NewJob {
  readonly job: ReplayJob;
  readonly parts: readonly ReplayPart[];
  /** The timelines, with the rules that the job applies to its Days. */
  readonly applies: readonly TimelineChange[];
}

/**
 * Makes a job with its parts. "overlaps": another one that may write has a Day and a merchant in common with it.
 * "stale": settings were changed since they were read. "erasing": it moves Days that are being erased.
 */
export async function createJob(
  storage: JobStorage,
  { job, parts, applies }: NewJob,
): Promise<"created" | "overlaps" | "stale" | "erasing"> {
  const { directory, ledgers } = storage;
  const settings = applies.map(nextVersion);
  const positions = positionsOf(ledgers, { parts, settings });
  const made = await putHeader(directory, { job, ledgers: positions, applies });
  if (made !== "made") return made;
  const count = ledgers.all.length;
  const laid = await askAt(ledgers, positions, (ledger, position) =>
    layParts(ledger, {
      job,
      parts: parts.filter(({ partition }) => ledgerOf(partition, count) === position),
      settings: settings.filter(
        ({ scope }) => scope === GLOBAL_MERCHANT || ledgerOfMerchant(scope, count) === position,
      ),
    }),
  );
  if (laid.every((one) => one === "laid") && (await startHeader(directory, { job, applies }))) {
    await fenceJob(storage, job.id);
    return "created";
  }
  await giveUpStart(storage, job.id);
  return laid.includes("erasing") ? "erasing" : "stale";
}

/** The version of settings that a change is about to write. */
function nextVersion({ scope, version }: TimelineChange): ScopeVersion {
  return { scope, version: version + 1 };
}

function positionsOf(
  { all }: Ledgers,
  { parts, settings }: { readonly parts: readonly ReplayPart[]; readonly settings: readonly ScopeVersion[] },
): readonly number[] {
  if (settings.some(({ scope }) => scope === GLOBAL_MERCHANT)) return all.map((_, position) => position);
  const ofParts = parts.map(({ partition }) => ledgerOf(partition, all.length));
  const ofSettings = settings.map(({ scope }) => ledgerOfMerchant(scope, all.length));
  return [...new Set([...ofParts, ...ofSettings])].sort((a, b) => a - b);
}

/**
 * Takes back a start. The header is ended first, so that the job cannot run any more. Then the ledgers forget its
 * parts, and the header is deleted.
 */
async function giveUpStart(storage: JobStorage, id: string): Promise<void> {
  if (!(await abandonHeader(storage.directory, id))) return;
  await fenceJob(storage, id);
  await dropHeader(storage.directory, id);
}

/**
 * Cancels automatic backfills of goals that are in the way of a job that somebody asked for. Until the next backfill,
 * questions count the goals of these Days from events.
 */
export async function endGoalsInTheWay(
  storage: JobStorage,
  job: Pick<ReplayJob, "fromDay" | "toDay" | "merchants" | "createdAt">,
): Promise<void> {
  for (const id of await cancelGoalsInTheWay(storage.directory, job)) await fenceJob(storage, id);
}

export interface JobChange {
  readonly job: ReplayJob;
  readonly verb: ReplayVerb;
  /** UTC ms. */
  readonly now: number;
  /** The timelines without what the job applied, for verbs that take it back. */
  readonly taken?: readonly TimelineChange[];
}

/**
 * Changes a job's state as the verb says, if the state allows it; false if not. A part that is running goes on to the
 * end of its merchant, and then finds that it may not write any more.
 */
export async function changeJob(storage: JobStorage, { job, verb, now, taken = [] }: JobChange): Promise<boolean> {
  const { directory, ledgers } = storage;
  if (verb !== "pause" && !isOfGoals(job)) await endGoalsInTheWay(storage, { ...job, createdAt: now });
  const header = await findHeader(directory, job.id);
  if (header === undefined) return false;
  const failed = verb === "resume" ? await askAt(ledgers, header.ledgers, (one) => hasFailedParts(one, job.id)) : [];
  await fenceSettings(ledgers, taken.map(nextVersion));
  const changed = await changeHeader(directory, { job, verb, now, taken, hasFailed: failed.includes(true) });
  if (changed) await fenceJob(storage, job.id);
  return changed;
}

/** Brings the header's state to every ledger of a job, and notes in the header that all have it. */
export async function fenceJob({ directory, ledgers }: JobStorage, id: string): Promise<void> {
  const header = await findHeader(directory, id);
  if (header === undefined || header.fenced >= header.epoch) return;
  await askAt(ledgers, header.ledgers, (ledger) => putFence(ledger, header));
  await noteFenced(directory, header);
}

/** Whether no ledger has anything left to do for a job in its state. `first` is the ledger to ask before the others. */
export async function isWorkDone(
  { ledgers }: Pick<JobStorage, "ledgers">,
  header: JobHeader,
  first?: Ledger,
): Promise<boolean> {
  const own = header.ledgers.map((position) => ledgers.all[position] as Ledger);
  for (const ledger of first === undefined ? own : [first, ...own.filter((one) => one !== first)])
    if (!(await hasEnded(ledger, header))) return false;
  return true;
}

/** Ends a job for which no ledger has anything left to do in the header's epoch. Returns whether it did. */
export async function finishJob(
  storage: JobStorage,
  { header: { id, epoch }, now }: { readonly header: JobHeader; readonly now: number },
): Promise<boolean> {
  if (!(await endHeader(storage.directory, { id, epoch, now }))) return false;
  await fenceJob(storage, id);
  return true;
}

/**
 * The cron's part. Where somebody changed a header and died, the fences are made to follow it. Starts that were never
 * finished are taken back. A job with a ledger that fails does not keep other jobs from their turn.
 */
export async function mendJobs(storage: JobStorage, now: number, log: Log): Promise<void> {
  for (const { id, state } of await listHalfWay(storage.directory, now)) {
    try {
      if (state === "starting" || state === "abandoned") await giveUpStart(storage, id);
      else await fenceJob(storage, id);
    } catch (error) {
      log({ event: "replay_waits", job: id, error: causeOf(error) });
    }
  }
}

/**
 * Deletes some parts of jobs that are long over, with what they kept for an undo; false where there were none. The jobs
 * themselves stay. Running it again finds the next ones.
 */
export async function pruneJobs({ directory, ledgers }: JobStorage, now: number): Promise<boolean> {
  const over = await listOver(directory, { now, rowsMax: REPLAY_PARTS_PRUNED });
  for (const { id, ledgers: positions } of over) {
    const pruned = await askAt(ledgers, positions, (ledger) => pruneParts(ledger, id));
    if (pruned.includes(true)) return true;
    await markPruned(directory, id);
  }
  return over.length > 0;
}

/** How much of a job is done. */
export async function readProgress({ directory, ledgers }: JobStorage, id: string): Promise<ReplayProgress> {
  const sums = await askParts({ directory, ledgers }, id, sumParts);
  const total = (name: keyof ReplayProgress) => sums.reduce((sum, own) => sum + own[name], 0);
  return {
    parts: total("parts"),
    done: total("done"),
    failed: total("failed"),
    undone: total("undone"),
    events: total("events"),
    buckets: total("buckets"),
    differences: total("differences"),
    inDoubt: total("inDoubt"),
    unpublished: total("unpublished"),
    replaced: total("replaced"),
    durationMs: total("durationMs"),
  };
}

/** The totals of a verify: the sums of what its parts kept, for the first merchants with a number that differs. */
export async function listTotals(storage: JobStorage, id: string): Promise<readonly JobTotal[]> {
  const totals = (await askParts(storage, id, sumTotals)).flat();
  const merchants = [...new Set(totals.map(({ merchant }) => merchant))]
    .sort((a, b) => a - b)
    .slice(0, REPLAY_LIST_MAX);
  return merchants.flatMap((merchant) => totals.filter((total) => total.merchant === merchant));
}

/** The first parts that differ, and those that failed. */
export async function listOutcomes(storage: JobStorage, id: string): Promise<readonly PartOutcome[]> {
  const outcomes = (await askParts(storage, id, firstOutcomes)).flat();
  const rank = ({ state }: PartOutcome) => (state === "failed" ? 0 : 1);
  outcomes.sort((a, b) => rank(a) - rank(b) || a.day - b.day || (a.partition < b.partition ? -1 : 1));
  return outcomes.slice(0, REPLAY_LIST_MAX);
}

async function askParts<T>(
  { directory, ledgers }: JobStorage,
  id: string,
  ask: (ledger: Ledger, id: string) => Promise<T>,
): Promise<readonly T[]> {
  const header = await findHeader(directory, id);
  return askAt(ledgers, header?.ledgers ?? [], (ledger) => ask(ledger, id));
}

function askAt<T>(
  ledgers: Ledgers,
  positions: readonly number[],
  ask: (ledger: Ledger, position: number) => Promise<T>,
): Promise<readonly T[]> {
  const all = positions.map((position) => ledgers.all[position] as Ledger);
  return askEach({ all }, (ledger, index) => ask(ledger, positions[index] as number));
}
