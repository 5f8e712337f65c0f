// The consumer of footfall-replay: one (Day, partition) of a job at a time is counted again from the archive and compared
// with what readers see; a rebuild writes what differs, an undo puts it back. What is to be done is read from the job's row
// when the message comes. Running a part again is harmless: a part that is done is left alone, comparing changes nothing,
// and rows are only replaced where they still are what was compared (storage/replay-write.ts).

import { COUNTED_COLUMNS } from "../core/archive/columns.ts";
import { firstOpenDay } from "../core/counting/closed.ts";
import type { Difference } from "../core/counting/difference.ts";
import { type Placement, partitionsOf } from "../core/counting/placement.ts";
import { decodePart, type ReplayPart } from "../core/counting/replay-part.ts";
import { REPLAY_ATTEMPTS_MAX, REPLAY_SETTINGS_PAGE, REPLAY_SHOWN_MAX } from "../core/limits.ts";
import type { Settings } from "../core/merchant.ts";
import { causeOf } from "../core/outcome.ts";
import { dateOf } from "../core/time.ts";
import { findDay } from "../storage/archive-day.ts";
import { listRemovals } from "../storage/erasure.ts";
import {
  failPart,
  findJob,
  findPart,
  finishJob,
  finishPart,
  markUndone,
  type PartResult,
  type ReplayJob,
  takeParts,
} from "../storage/replay-job.ts";
import { replaceRollups, restoreRollups } from "../storage/replay-write.ts";
import { findSeal } from "../storage/seal.ts";
import { listSettings } from "../storage/settings.ts";
import { handleEach, type Log, type QueueBatch, type QueueMessage, reasonOf } from "./message.ts";
import { type RecountDeps, type Recounted, type RecountedPartition, recount, shownOf } from "./recount.ts";

/** What a replay asks of a partition. */
export interface ReplayedPartition extends RecountedPartition {
  status(): Promise<{ readonly archivedPosition: number }>;
}

export interface ReplayDeps extends RecountDeps {
  readonly partition: (name: string) => ReplayedPartition;
  readonly placement: Placement;
  readonly sendParts: (parts: readonly ReplayPart[]) => Promise<void>;
  readonly pace: { readonly sealAfterMs: number };
  readonly log: Log;
}

/** Handles a batch of parts: one that fails is retried, then left as failed for somebody to look at. */
export async function replayParts(batch: QueueBatch, deps: ReplayDeps): Promise<void> {
  const handle = (message: QueueMessage) => handlePart(message, deps);
  await handleEach(batch, { ...deps, failure: "replay_failed", handle });
}

/** Does what the job wants of one part, fresh from the queue or out of the dead letters. */
export async function replayBody(body: unknown, deps: ReplayDeps): Promise<void> {
  const part = decodePart(body);
  await replayPart(part, deps);
  await driveJob(part.job, deps);
}

/** Sends the next parts of a job on their way, and ends it when there are none. Doing so twice sends nothing twice. */
export async function driveJob(job: string, deps: ReplayDeps): Promise<void> {
  const parts = await takeParts(deps.db, { job, now: deps.now() }, deps.meter);
  if (parts.length > 0) await deps.sendParts(parts);
  else await finishJob(deps.db, { job, now: deps.now() }, deps.meter);
}

async function handlePart(message: QueueMessage, deps: ReplayDeps): Promise<void> {
  const part = decodePart(message.body);
  try {
    await replayPart(part, deps);
  } catch (error) {
    const gaveUp = message.attempts >= REPLAY_ATTEMPTS_MAX;
    await failPart(deps.db, { part, error: causeOf(error), gaveUp }, deps.meter);
    if (!gaveUp) throw error;
    deps.log({ alert: "replay_part_failed", job: part.job, partition: part.partition, reason: reasonOf(error) });
  }
  await driveJob(part.job, deps);
}

async function replayPart(part: ReplayPart, deps: ReplayDeps): Promise<void> {
  const job = await findJob(deps.db, part.job, deps.meter);
  const state = await findPart(deps.db, part, deps.meter);
  if (job?.state === "running" && state === "waiting") {
    const result = await recountPart(part, job, deps);
    await finishPart(deps.db, { part, result }, deps.meter);
  }
  if (job?.state === "undoing" && state !== "undone") {
    await restoreRollups(deps.db, part, deps.meter);
    await markUndone(deps.db, part, deps.meter);
  }
}

type Tallied = { -readonly [Name in keyof PartResult]: PartResult[Name] };

/** Counts a part again and compares; what a rebuild may write, it writes. */
async function recountPart(part: ReplayPart, job: ReplayJob, deps: ReplayDeps): Promise<PartResult> {
  const startedAt = deps.now();
  // First of all: whatever lies below this position will be in what is looked up next (RPL-4).
  const { archivedPosition } = await deps.partition(part.partition).status();
  const seal = await findSeal(deps.db, part, deps.meter);
  const place = { date: dateOf(part.day), partition: part.partition };
  const archived = await findDay(deps, place, { folder: seal?.folder ?? "" });
  const isClosed = part.day < firstOpenDay(deps.now(), deps.pace.sealAfterMs);
  // Between its closing and its seal, and while late events wait, a Day's numbers are about to change.
  const isInDoubt = isClosed && (seal === undefined || seal.generation === 0 || seal.lateSince !== null);
  const result: Tallied = {
    events: 0,
    buckets: 0,
    differences: 0,
    inDoubt: 0,
    unpublished: 0,
    durationMs: 0,
    shown: [],
  };
  const merchants = job.merchants && new Set(job.merchants);
  const steps = {
    rows: (_: unknown, read: number) => {
      result.events += read;
    },
    ended: () => false,
    compared: async (recounted: readonly Recounted[]) => {
      for (const { buckets, differences } of recounted) {
        result.buckets += buckets;
        const judged = isInDoubt ? differences.map((one) => ({ ...one, inDoubt: true })) : differences;
        await settle(job, { differences: judged, result }, deps);
      }
      return undefined;
    },
  };
  const others = job.merchants ?? (await placedMerchants(part.partition, deps));
  const removals = await listRemovals(deps.db, part, deps.meter);
  const columns = COUNTED_COLUMNS;
  const what = { ...part, archived, archivedPosition, merchants, others, after: 0, removals, columns };
  await recount(what, steps, deps);
  result.durationMs = deps.now() - startedAt;
  return result;
}

/** Counts a merchant's differences, and writes those that a rebuild may write. */
async function settle(
  job: ReplayJob,
  { differences, result }: { differences: readonly Difference[]; result: Tallied },
  deps: ReplayDeps,
): Promise<void> {
  const certain = differences.filter(({ inDoubt }) => !inDoubt);
  result.differences += certain.length;
  result.inDoubt += differences.length - certain.length;
  result.shown = [...result.shown, ...differences.map(shownOf)].slice(0, REPLAY_SHOWN_MAX);
  if (job.kind !== "rebuild") return;
  // What a partition has not published it will: a row written now would only hide that (RPL-10).
  const writable = certain.filter(({ held }) => held?.published ?? true);
  result.unpublished += certain.length - writable.length;
  await replaceRollups(deps.db, { job: job.id, differences: writable }, deps.meter);
}

/** All merchants of a partition: also of one of whom the archive has nothing a reader might see something. */
async function placedMerchants(partition: string, deps: ReplayDeps): Promise<readonly number[]> {
  const merchants: number[] = [];
  for (let after = 0; ; ) {
    const page = await listSettings(deps.db, { after, rowsMax: REPLAY_SETTINGS_PAGE }, deps.meter);
    for (const { merchant } of page) {
      if (partitionsOf(merchant, deps.placement).includes(partition)) merchants.push(merchant);
    }
    if (page.length < REPLAY_SETTINGS_PAGE) return merchants;
    after = (page.at(-1) as Settings).merchant;
  }
}
