// The consumer of footfall-replay: one (Day, partition) of a job at a time is counted again from the archive and
// compared with what readers see; a rebuild writes what differs, a backfill what is missing, an undo puts it back. What
// is to be done is read from the job's row when the message comes. Running a part again is harmless: a part that is
// done is left alone, comparing changes nothing, and rows are only replaced where they still are what was compared
// (storage/ledger/replay-write.ts).

import { COUNTED_COLUMNS } from "../core/archive/columns.ts";
import { totalsOf } from "../core/counting/before-after.ts";
import { firstOpenDay } from "../core/counting/closed.ts";
import type { Difference } from "../core/counting/difference.ts";
import { fill } from "../core/counting/fill.ts";
import { decodePart, type ReplayPart } from "../core/counting/replay-part.ts";
import { REPLAY_ATTEMPTS_MAX, REPLAY_LIST_MAX, REPLAY_SHOWN_MAX } from "../core/limits.ts";
import type { Log } from "../core/log.ts";
import type { Metered } from "../core/meter.ts";
import { causeOf } from "../core/outcome.ts";
import { dateOf } from "../core/time.ts";
import { findDay } from "../storage/archive/archive-day.ts";
import { findJob, hasApplied, isOfGoals, listActiveJobs, type ReplayJob } from "../storage/directory/replay-job.ts";
import { readSettingsOf } from "../storage/directory/settings.ts";
import { listRemovals } from "../storage/ledger/erasure.ts";
import { failPart, findPart, finishPart, markUndone, type PartResult } from "../storage/ledger/replay-part.ts";
import { correctRollups, replaceRollups, restoreRollups } from "../storage/ledger/replay-write.ts";
import { listCounted } from "../storage/ledger/rollups.ts";
import type { PartTotal } from "../storage/ledger/schema.ts";
import { findSeal, type SealRow } from "../storage/ledger/sealed-day.ts";
import { mendJobs, pruneJobs } from "../storage/replay.ts";
import { type DriveDeps, driveJob } from "../storage/replay-drive.ts";
import { handleEach, type QueueBatch, type QueueMessage, reasonOf } from "./message.ts";
import { packClosed } from "./pack.ts";
import { type Recount, type RecountDeps, type Recounted, type RulesPreview, recount, shownOf } from "./recount.ts";
import { movedMerchants, openMoved } from "./recount-moved.ts";

export interface ReplayDeps extends RecountDeps, DriveDeps {
  readonly meter: Metered;
  readonly log: Log;
}

/** Handles a batch of parts: one that fails is retried, then left as failed for somebody to look at. */
export async function replayParts(batch: QueueBatch, deps: ReplayDeps): Promise<void> {
  const handle = (message: QueueMessage) => handlePart(message, deps);
  await handleEach(batch, { ...deps, failure: "replay_failed", handle });
}

/** The cron: parts whose messages were lost go on their way again, what has ended is noted, and what is long over goes.
 *  Repeating it is harmless: a part is taken by one statement, and one that is done is left alone. */
export async function driveReplays(deps: DriveDeps & { readonly log: Log }): Promise<void> {
  await mendJobs(deps, deps.now(), deps.log);
  for (const job of await listActiveJobs(deps.directory)) {
    try {
      await driveJob(job, deps);
    } catch (error) {
      deps.log({ event: "replay_waits", job, error: causeOf(error) }); // a ledger of it fails: others have their turn
    }
  }
  await pruneJobs(deps, deps.now());
}

/** Does what the job wants of one part, fresh from the queue or out of the dead letters. */
export async function replayBody(body: unknown, deps: ReplayDeps): Promise<void> {
  const part = decodePart(body);
  await replayPart(part, deps);
  await driveJob(part.job, deps);
}

async function handlePart(message: QueueMessage, deps: ReplayDeps): Promise<void> {
  const part = decodePart(message.body);
  try {
    await replayPart(part, deps);
  } catch (error) {
    const gaveUp = message.attempts >= REPLAY_ATTEMPTS_MAX;
    await failPart(deps.ledgers.of(part.partition), { part, error: causeOf(error), gaveUp });
    if (!gaveUp) throw error;
    deps.log({ alert: "replay_part_failed", job: part.job, partition: part.partition, reason: reasonOf(error) });
  }
  await driveJob(part.job, deps, deps.ledgers.of(part.partition));
}

async function replayPart(part: ReplayPart, deps: ReplayDeps): Promise<void> {
  const ledger = deps.ledgers.of(part.partition);
  const job = await findJob(deps.directory, part.job);
  const found = await findPart(ledger, part);
  if (job === undefined || found === undefined) return;
  // What may be done is a matter of the ledger's fence: the header's state may be ahead of it.
  if (found.job === "running" && found.state === "waiting") {
    const result = await recountPart(part, job, deps);
    await packEnding(part, job, deps);
    await finishPart(ledger, { part, result, epoch: found.epoch });
  }
  if (found.job === "undoing" && found.state !== "undone") {
    await restoreRollups(ledger, part);
    if (hasApplied(job)) await correctPart(part, job, deps);
    await packEnding(part, job, deps);
    await markUndone(ledger, part);
  }
}

/** Before the part ends: who dies here finds it waiting still. */
async function packEnding(part: ReplayPart, { kind }: ReplayJob, deps: ReplayDeps): Promise<void> {
  if (kind !== "verify") await packClosed({ ...part, ending: part }, deps);
}

type Tallied = { -readonly [Name in keyof PartResult]: PartResult[Name] };

/** Counts a part again and compares; what a rebuild or backfill may write, it writes. */
async function recountPart(part: ReplayPart, job: ReplayJob, deps: ReplayDeps): Promise<PartResult> {
  const startedAt = deps.now();
  const isClosed = part.day < firstOpenDay(deps.now(), deps.pace.sealAfterMs);
  // Between its closing and its seal, and while late events wait, a Day's numbers are about to change. Rules and
  // zones that are applied to it wait for nothing: what a seal writes from now on it counts by them, and what it
  // wrote before is put right here, also where its first seal is half way (an event was the first of its Day and
  // partition, and came late).
  const isAsDated = job.rules === "dated" && job.pastZone === undefined;
  const result: Tallied = {
    events: 0,
    buckets: 0,
    differences: 0,
    inDoubt: 0,
    unpublished: 0,
    written: 0,
    durationMs: 0,
    shown: [],
    totals: [],
  };
  const stepsOf = ({ what, seals }: OpenedPart) => ({
    rows: (_: unknown, read: number) => {
      result.events += read;
    },
    ended: () => false,
    compared: async (recounted: readonly Recounted[]) => {
      const isWaiting = seals.some((seal) => seal === undefined || seal.generation === 0 || seal.lateSince !== null);
      const isInDoubt = isClosed && isAsDated && isWaiting;
      for (const one of recounted) {
        const { differences } = one;
        result.buckets += one.buckets;
        if (job.kind === "verify") result.totals = [...result.totals, ...keptTotals(job, one, result.totals)];
        // Of an open Day a partition takes an erased visitor's visits at once, and the drops with the seal (ERS-2).
        const isErasing = !isClosed && (what.removals ?? []).some(({ merchant }) => merchant === one.merchant);
        // Rows that another job has not come to yet are no differences.
        const isAtWork = job.kind === "verify" && one.isBeingCounted;
        const judged =
          isInDoubt || isErasing || isAtWork
            ? differences.map((difference) => ({ ...difference, inDoubt: true }))
            : differences;
        await settle(job, { differences: judged, result, known: what.known }, deps);
      }
      return undefined;
    },
  });
  for (const open of await passesOf(part, job, deps)) {
    const opened = await open();
    await recount(opened.what, stepsOf(opened), deps);
  }
  result.durationMs = deps.now() - startedAt;
  return result;
}

/**
 * After an undo of rules or of a zone, what it could not put back: rows that the seal has written since, for late
 * events, under them. A seal that goes on where it stopped does not come to them again (SEA-12).
 */
async function correctPart(part: ReplayPart, job: ReplayJob, deps: ReplayDeps): Promise<void> {
  const stepsOf = ({ what }: OpenedPart) => ({
    rows: () => {},
    ended: () => false,
    compared: async (recounted: readonly Recounted[]) => {
      for (const { differences } of recounted) {
        const certain = differences.filter(({ inDoubt, held }) => !inDoubt && (held?.published ?? true));
        await correctRollups(deps.ledgers.of(part.partition), { job: job.id, differences: certain, known: what.known });
      }
      return undefined;
    },
  });
  for (const open of await passesOf(part, job, deps)) {
    const opened = await open();
    await recount(opened.what, stepsOf(opened), deps);
  }
}

/** What is to be counted, by which rules, and what is known of the seals of its folders. */
interface OpenedPart {
  readonly what: Recount;
  readonly seals: readonly (SealRow | undefined)[];
}

/**
 * A part is counted in one go, or in two where some of its merchants' Day has moved; a job that moves it counts those
 * alone.
 */
async function passesOf(
  part: ReplayPart,
  job: ReplayJob,
  deps: ReplayDeps,
): Promise<readonly (() => Promise<OpenedPart>)[]> {
  const { day, partition } = part;
  const { merchants, pastZone } = job;
  const preview = previewOf(job);
  if (pastZone !== undefined) {
    const settings = await readSettingsOf(deps.directory, merchants ?? []);
    const zonePreview = job.kind === "verify" ? pastZone : undefined;
    return settings.length === 0 ? [] : [() => openMoved({ day, partition, settings, zonePreview }, deps)];
  }
  const settings = await movedMerchants(day, merchants, deps);
  const first = () => openPart(part, job, deps);
  return settings.length === 0 ? [first] : [first, () => openMoved({ day, partition, settings, preview }, deps)];
}

async function openPart(part: ReplayPart, job: ReplayJob, deps: ReplayDeps): Promise<OpenedPart> {
  // First of all: whatever lies below this position will be in what is looked up next (RPL-4).
  const since = deps.now();
  const { archivedPosition } = await deps.partition(part.partition).status();
  const removals = await listRemovals(deps.ledgers.of(part.partition), part);
  const seal = await findSeal(deps.ledgers.of(part.partition), part);
  const place = { date: dateOf(part.day), partition: part.partition };
  const archived = await findDay(deps, place, { folder: seal?.folder ?? "" });
  const what: Recount = {
    day: part.day,
    partition: part.partition,
    archived,
    archivedPosition,
    merchants: job.merchants && new Set(job.merchants),
    others: job.merchants ?? (await shownMerchants(part, deps)),
    after: 0,
    removals,
    known: { day: part.day, partition: part.partition, erasures: removals.map(({ number }) => number), since },
    columns: COUNTED_COLUMNS,
    preview: previewOf(job),
  };
  return { what, seals: [seal] };
}

function previewOf({ kind, rules, merchants, draft }: ReplayJob): RulesPreview | undefined {
  return kind === "verify" && rules !== "dated" ? { isGlobal: merchants === undefined, draft } : undefined;
}

/** Counts a merchant's differences, and writes those that may be written. */
async function settle(
  job: ReplayJob,
  { differences, result, known }: { differences: readonly Difference[]; result: Tallied } & Pick<Recount, "known">,
  deps: ReplayDeps,
): Promise<void> {
  const certain = differences.filter(({ inDoubt }) => !inDoubt);
  result.inDoubt += differences.length - certain.length;
  const { written, left } =
    job.kind === "backfill" ? filledOf(job, differences) : { written: certain, left: differences };
  // A backfill's differences are those it leaves: what it fills was missing, not wrong.
  result.differences += job.kind === "backfill" ? left.filter(({ inDoubt }) => !inDoubt).length : certain.length;
  result.shown = [...result.shown, ...left.map(shownOf)].slice(0, REPLAY_SHOWN_MAX);
  if (job.kind === "verify") return;
  // What a partition has not published it will: a row written now would only hide that (RPL-10).
  const writable = written.filter(({ held }) => held?.published ?? true);
  result.unpublished += written.length - writable.length;
  const isKept = !isOfGoals(job);
  if (!isKept) result.written = (result.written ?? 0) + writable.length;
  await replaceRollups(deps.ledgers.of(known.partition), { job: job.id, differences: writable, known, isKept });
}

/** What a backfill writes of a merchant's differences, and those it leaves as they are for somebody to see. */
function filledOf(
  { dimensions, rules }: ReplayJob,
  differences: readonly Difference[],
): { readonly written: readonly Difference[]; readonly left: readonly Difference[] } {
  const named = new Set(dimensions);
  const isNamedOnly = isOfGoals({ rules });
  const written: Difference[] = [];
  const left: Difference[] = [];
  for (const difference of differences) {
    const filled = difference.inDoubt
      ? { row: undefined, left: difference.mismatches }
      : fill(difference, named, { isNamedOnly });
    if (filled.row !== undefined) written.push({ ...difference, replayed: filled.row });
    if (filled.left.length > 0) left.push({ ...difference, mismatches: filled.left });
  }
  return { written, left };
}

/**
 * A merchant's numbers before and after, where there is room: of a few named merchants always, else where they differ.
 */
function keptTotals(
  { merchants }: ReplayJob,
  { merchant, held, replayed }: Recounted,
  kept: readonly PartTotal[],
): readonly PartTotal[] {
  if (new Set(kept.map(([one]) => one)).size >= REPLAY_LIST_MAX) return [];
  const totals = totalsOf(held, replayed);
  const isFew = merchants !== undefined && merchants.length <= REPLAY_LIST_MAX;
  if (!isFew && totals.every(({ before, after }) => before === after)) return [];
  return totals.map(({ what, before, after }) => [merchant, what, before, after]);
}

/** All merchants that a reader may see something of, in D1 or in the partition, also where the archive has nothing. */
async function shownMerchants(part: ReplayPart, deps: ReplayDeps): Promise<readonly number[]> {
  const unpublished = await deps.partition(part.partition).unpublished(part.day);
  return [...new Set([...unpublished, ...(await listCounted(deps.ledgers.of(part.partition), part))])];
}
