// The consumer of footfall-replay. A message is one (Day, partition) of a job. It is counted again from the archive and
// compared with what readers see. A rebuild writes what differs, a backfill what is missing, and an undo puts it back.
// What is to be done is read from the job's row when the message comes. Running a part again is harmless: a part that
// is done is left alone, comparing changes nothing, and rows are replaced only while they are what was compared
// (storage/ledger/replay-write.ts).

import { REPLAYED_COLUMNS } from "../core/archive/columns.ts";
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
import { correctRollups, listKept, replaceRollups, restoreRollups } from "../storage/ledger/replay-write.ts";
import { listCounted } from "../storage/ledger/rollups.ts";
import type { PartTotal } from "../storage/ledger/schema.ts";
import { findSeal, type SealRow } from "../storage/ledger/sealed-day.ts";
import { mendJobs, pruneJobs } from "../storage/replay.ts";
import { type DriveDeps, driveJob } from "../storage/replay-drive.ts";
import { handleEach, type QueueBatch, type QueueMessage, reasonOf } from "./message.ts";
import { packClosed } from "./pack.ts";
import {
  announce,
  merchantsOf,
  type Recount,
  type RecountDeps,
  type Recounted,
  type RulesPreview,
  recount,
  shownOf,
} from "./recount.ts";
import { movedMerchants, openMoved } from "./recount-moved.ts";

export interface ReplayDeps extends RecountDeps, DriveDeps {
  readonly meter: Metered;
  readonly log: Log;
}

/**
 * Handles a batch of parts. A part that fails is retried, and after the last try left as failed for people to look at.
 */
export async function replayParts(batch: QueueBatch, deps: ReplayDeps): Promise<void> {
  const handle = (message: QueueMessage) => handlePart(message, deps);
  await handleEach(batch, { ...deps, handle });
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

/** Does what the job wants of one part, whether it comes from the queue or from the dead letters. */
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
    deps.log({ event: "replay_part_failed", job: part.job, partition: part.partition, reason: reasonOf(error) });
  }
  await driveJob(part.job, deps, deps.ledgers.of(part.partition));
}

async function replayPart(part: ReplayPart, deps: ReplayDeps): Promise<void> {
  const ledger = deps.ledgers.of(part.partition);
  const job = await findJob(deps.directory, part.job);
  const found = await findPart(ledger, part);
  if (job === undefined || found === undefined) return;
  // The ledger's fence decides what may be done, since the header's state may be ahead of it.
  if (found.job === "running" && found.state === "waiting") {
    const result = await recountPart(part, job, deps);
    await packEnding(part, job, deps);
    await finishPart(ledger, { part, result, epoch: found.epoch });
  }
  if (found.job === "undoing" && found.state !== "undone") {
    await announce(part.partition, await listKept(ledger, part), deps);
    await restoreRollups(ledger, part);
    if (hasApplied(job)) await correctPart(part, job, deps);
    await packEnding(part, job, deps);
    await markUndone(ledger, part);
  }
}

/** Packs the Day before the part is noted as done: after a crash here the part is still waiting. */
async function packEnding(part: ReplayPart, { kind }: ReplayJob, deps: ReplayDeps): Promise<void> {
  if (kind !== "verify") await packClosed({ ...part, ending: part }, deps);
}

type Tallied = { -readonly [Name in keyof PartResult]: PartResult[Name] };

/** Counts a part again, compares, and writes what the job may write. */
async function recountPart(part: ReplayPart, job: ReplayJob, deps: ReplayDeps): Promise<PartResult> {
  const startedAt = deps.now();
  const isClosed = part.day < firstOpenDay(deps.now(), deps.pace.sealAfterMs);
  // A Day's numbers are about to change between its closing and its seal, and while late events wait. A job that
  // applies rules or zones to the Day does not wait for that. What the seal writes from now on it counts by the new
  // ones. What it wrote before is corrected here, even where the Day's first seal is half done (its first event in this
  // partition came late).
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
        // On an open Day an erased visitor's visits leave the partition at once, and the drops leave with the seal
        // (ERS-2).
        const isErasing = !isClosed && (what.removals ?? []).some(({ merchant }) => merchant === one.merchant);
        // Rows that another job has still to write are not counted as differences.
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
 * After an undo of rules or of a zone, corrects what the undo could not put back: rows that the seal has since written
 * under them, for late events. A seal that goes on where it stopped does not come to these rows again (SEA-12).
 */
async function correctPart(part: ReplayPart, job: ReplayJob, deps: ReplayDeps): Promise<void> {
  const stepsOf = ({ what }: OpenedPart) => ({
    rows: () => {},
    ended: () => false,
    compared: async (recounted: readonly Recounted[]) => {
      for (const { differences } of recounted) {
        const certain = differences.filter(({ inDoubt, held }) => !inDoubt && (held?.published ?? true));
        await announce(part.partition, merchantsOf(certain), deps);
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

/** A recount that is ready to begin, and the rows of the seals of its folders. */
interface OpenedPart {
  readonly what: Recount;
  readonly seals: readonly (SealRow | undefined)[];
}

/**
 * The recounts of a part: one, or two where the Day has moved for some merchants. A job that moves the Day counts those
 * merchants alone.
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
  // The position is read first: all events below it will be in what is looked up next (RPL-4).
  const since = deps.now();
  const { archivedPosition } = await deps.partition(part.partition).status();
  const removals = await listRemovals(deps.ledgers.of(part.partition), part);
  const seal = await findSeal(deps.ledgers.of(part.partition), part);
  const place = { date: dateOf(part.day), partition: part.partition };
  const archived = await findDay(deps, place, seal?.folder ?? "");
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
    columns: REPLAYED_COLUMNS,
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
  // For a backfill only what it leaves is a difference: what it fills in was missing, not wrong.
  result.differences += job.kind === "backfill" ? left.filter(({ inDoubt }) => !inDoubt).length : certain.length;
  result.shown = [...result.shown, ...left.map(shownOf)].slice(0, REPLAY_SHOWN_MAX);
  if (job.kind === "verify") return;
  // A row that the partition has not published yet is not written: it will be, and a row written now would only hide
  // that (RPL-10).
  const writable = written.filter(({ held }) => held?.published ?? true);
  result.unpublished += written.length - writable.length;
  const isKept = !isOfGoals(job);
  if (!isKept) result.written = (result.written ?? 0) + writable.length;
  await announce(known.partition, merchantsOf(writable), deps);
  await replaceRollups(deps.ledgers.of(known.partition), { job: job.id, differences: writable, known, isKept });
}

/** Divides a merchant's differences into what a backfill writes and what it leaves and reports. */
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
 * A merchant's numbers before and after, as long as there is room for more. They are kept for each of a few named
 * merchants, otherwise only where they differ.
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

/**
 * All merchants that readers may see numbers of, in D1 or in the partition, even if the archive has nothing of theirs.
 */
async function shownMerchants(part: ReplayPart, deps: ReplayDeps): Promise<readonly number[]> {
  const unpublished = await deps.partition(part.partition).unpublished(part.day);
  return [...new Set([...unpublished, ...(await listCounted(deps.ledgers.of(part.partition), part))])];
}
