// What changes a replay job in the directory and in the ledgers that have its parts: how it begins, how its state
// changes, how it ends, and what mends those of which somebody has died half way. Two databases have no transaction in
// common; so each step is one that may be the last:
//
// - A job begins as a header that "starts" and excludes others; then its parts and fences are laid into each
//   ledger; then the header runs, and its rules or zone are on the timelines in the same transaction; then
//   each fence says that it runs.
// - A change is decided by the header, by one conditional statement that raises its epoch. Then each
//   ledger's fence follows, and only then anybody is told or sent anything. Until all have followed, the
//   job counts as one that may write.
// - A job ends when each ledger, in the header's epoch, has nothing left: the header is compared and set by that epoch.
//
// The cron comes by (mendJobs): fences follow the header, and a start that came to nothing is taken back.

import { ledgerOf, ledgerOfMerchant } from "../core/counting/ledger-placement.ts";
import type { ReplayPart } from "../core/counting/replay-part.ts";
import { REPLAY_LIST_MAX, REPLAY_PARTS_PRUNED } from "../core/limits.ts";
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
  /** Timelines with the rules that the job applies to its Days. */
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
 * Takes back a start: the header first, so that it cannot run any more; then ledgers forget its parts, and it is gone.
 */
async function giveUpStart(storage: JobStorage, id: string): Promise<void> {
  if (!(await abandonHeader(storage.directory, id))) return;
  await fenceJob(storage, id);
  await dropHeader(storage.directory, id);
}

/**
 * Cancels backfills of goals that started by themselves and are in the way of a job that somebody asks for: their Days
 * are read from events until the next one.
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
  /** Timelines without what the job applied, for the verbs that take it back. */
  readonly taken?: readonly TimelineChange[];
}

/**
 * Does what the verb says, where the job's state allows it; false where it does not. What runs at the moment goes on to
 * the end of its merchant and then finds that it may not write any more.
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

/** Has every ledger of a job know the header's state, and notes that it does. */
export async function fenceJob({ directory, ledgers }: JobStorage, id: string): Promise<void> {
  const header = await findHeader(directory, id);
  if (header === undefined || header.fenced >= header.epoch) return;
  await askAt(ledgers, header.ledgers, (ledger) => putFence(ledger, header));
  await noteFenced(directory, header);
}

/**
 * Whether every ledger has nothing left to do for a job in its state. `first`: the ledger that is asked before the
 * others.
 */
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

/** Ends a job of which no ledger has anything left to do in the header's epoch; whether it did. */
export async function finishJob(
  storage: JobStorage,
  { header: { id, epoch }, now }: { readonly header: JobHeader; readonly now: number },
): Promise<boolean> {
  if (!(await endHeader(storage.directory, { id, epoch, now }))) return false;
  await fenceJob(storage, id);
  return true;
}

/**
 * The cron: fences follow headers that somebody has changed and died, and starts that came to nothing are taken back. A
 * job of which a ledger fails keeps no other from its turn.
 */
export async function mendJobs(
  storage: JobStorage,
  now: number,
  log: (line: Readonly<Record<string, string | number>>) => void,
): Promise<void> {
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

/** How far a job is. */
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

/** The sums of what a verify's parts kept, of the first merchants that have a number that differs. */
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
