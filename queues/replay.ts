// The consumer of footfall-replay: one (Day, partition) of a job at a time is counted again from the archive and compared
// with what readers see; a rebuild writes what differs, an undo puts it back. What is to be done is read from the job's row
// when the message comes. Running a part again is harmless: a part that is done is left alone, comparing changes nothing,
// and rows are only replaced where they still are what was compared (storage/replay-write.ts).

import { type Difference, differencesOf, heldRows } from "../core/counting/difference.ts";
import type { LiveReply, LiveRequest } from "../core/counting/live.ts";
import { type Placement, partitionsOf } from "../core/counting/placement.ts";
import { type Replayed, replayedRows, replayInto } from "../core/counting/replay.ts";
import { decodePart, type ReplayPart } from "../core/counting/replay-part.ts";
import { ALL_DIMENSIONS } from "../core/counting/rollup.ts";
import type { RollupRow } from "../core/counting/rollup-row.ts";
import { REPLAY_ATTEMPTS_MAX, REPLAY_MERCHANTS_READ, REPLAY_SETTINGS_PAGE, REPLAY_SHOWN_MAX } from "../core/limits.ts";
import type { Settings } from "../core/merchant.ts";
import type { Metered } from "../core/meter.ts";
import { causeOf } from "../core/outcome.ts";
import { DAY_MS, dateOf } from "../core/time.ts";
import { type ArchivedDay, type DayBucket, listDay, readSlice } from "../storage/archive-day.ts";
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
import { readDayRollups } from "../storage/rollups.ts";
import type { ShownDifference } from "../storage/schema.ts";
import { listSettings, readSettings } from "../storage/settings.ts";
import { handleEach, type Log, type QueueBatch, type QueueMessage, reasonOf } from "./message.ts";

/** What a replay asks of a partition. */
export interface ReplayedPartition {
  status(): Promise<{ readonly archivedPosition: number }>;
  unpublished(day: number): Promise<readonly number[]>;
  live(request: LiveRequest): Promise<LiveReply>;
}

export interface ReplayDeps {
  readonly db: D1Database;
  readonly bucket: DayBucket;
  readonly partition: (name: string) => ReplayedPartition;
  readonly placement: Placement;
  readonly sendParts: (parts: readonly ReplayPart[]) => Promise<void>;
  /** UTC ms. */
  readonly now: () => number;
  readonly meter: Metered;
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
    const result = await recount(part, job, deps);
    await finishPart(deps.db, { part, result }, deps.meter);
  }
  if (job?.state === "undoing" && state !== "undone") {
    await restoreRollups(deps.db, part, deps.meter);
    await markUndone(deps.db, part, deps.meter);
  }
}

type Tallied = { -readonly [Name in keyof PartResult]: PartResult[Name] };

/** Counts a part again, slice by slice. */
async function recount(part: ReplayPart, job: ReplayJob, deps: ReplayDeps): Promise<PartResult> {
  const startedAt = deps.now();
  // First of all: whatever lies below this position will be in what is listed next (RPL-4).
  const { archivedPosition } = await deps.partition(part.partition).status();
  const archived = await listDay(deps.bucket, { date: dateOf(part.day), partition: part.partition }, deps.meter);
  const result: Tallied = {
    events: 0,
    buckets: 0,
    differences: 0,
    inDoubt: 0,
    unpublished: 0,
    durationMs: 0,
    shown: [],
  };
  for (let slice = 0; slice < archived.slices; slice++) {
    await recountSlice({ part, job, archived, archivedPosition, slice }, result, deps);
  }
  result.durationMs = deps.now() - startedAt;
  return result;
}

interface Slice {
  readonly part: ReplayPart;
  readonly job: ReplayJob;
  readonly archived: ArchivedDay;
  readonly archivedPosition: number;
  readonly slice: number;
}

/** Archive first, then the partition, then D1: nothing can be in the first and not in the others (RPL-5). */
async function recountSlice(at: Slice, result: Tallied, deps: ReplayDeps): Promise<void> {
  const settings = await settingsOfSlice(at, deps);
  const replayed: Replayed = new Map();
  const named = at.job.merchants && new Set(at.job.merchants);
  const isWanted = (merchant: number) => named?.has(merchant) ?? true;
  for await (const events of readSlice(deps.bucket, at.archived, { slice: at.slice, isWanted, meter: deps.meter })) {
    await addMissing(settings, new Set(events.map(({ event }) => event.merchant)), deps);
    replayInto(replayed, events, (merchant) => settings.get(merchant));
    result.events += events.length;
  }
  const byMerchant = Map.groupBy(replayed.values(), ({ state }) => state.merchant);
  replayed.clear(); // each merchant's state goes when it has been compared
  const unpublished = new Set(await deps.partition(at.part.partition).unpublished(at.part.day));
  const merchants = [...settings.keys()];
  for (let start = 0; start < merchants.length; start += REPLAY_MERCHANTS_READ) {
    const some = merchants.slice(start, start + REPLAY_MERCHANTS_READ);
    const live = await readLive(at.part, { merchants: some.filter((merchant) => unpublished.has(merchant)) }, deps);
    const stored = await readDayRollups(deps.db, { ...at.part, merchants: some }, deps.meter);
    for (const merchant of some) {
      const isTheirs = (row: RollupRow) => row.merchant === merchant;
      const held = heldRows({ live: live.filter(isTheirs), stored: stored.filter(isTheirs) });
      const again = (byMerchant.get(merchant) ?? []).flatMap(replayedRows);
      byMerchant.delete(merchant);
      const differences = differencesOf({ held, replayed: again, archivedPosition: at.archivedPosition });
      result.buckets += Math.max(held.length, again.length);
      await settle(at.job, { differences, result }, deps);
    }
  }
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

function shownOf({ merchant, grain, bucket, inDoubt, mismatches }: Difference): ShownDifference {
  return { merchant, grain, bucket, in_doubt: inDoubt, mismatches };
}

/** The settings of every merchant that the slice may concern: also one with rows of which the archive knows nothing. */
async function settingsOfSlice(
  { part, job, archived, slice }: Slice,
  deps: ReplayDeps,
): Promise<Map<number, Settings>> {
  const settings = new Map<number, Settings>();
  const isOfSlice = (merchant: number) => merchant % archived.slices === slice;
  if (job.merchants !== undefined) {
    await addMissing(settings, new Set(job.merchants.filter(isOfSlice)), deps);
    return settings;
  }
  let after = 0;
  for (;;) {
    const page = await listSettings(deps.db, { after, rowsMax: REPLAY_SETTINGS_PAGE }, deps.meter);
    for (const one of page) {
      const isPlacedHere = partitionsOf(one.merchant, deps.placement).includes(part.partition);
      if (isOfSlice(one.merchant) && isPlacedHere) settings.set(one.merchant, one);
    }
    if (page.length < REPLAY_SETTINGS_PAGE) return settings;
    after = (page.at(-1) as Settings).merchant;
  }
}

/** A merchant that was placed here once, or came after the slice was begun. One that is gone is left out. */
async function addMissing(settings: Map<number, Settings>, merchants: ReadonlySet<number>, deps: ReplayDeps) {
  for (const merchant of merchants) {
    if (settings.has(merchant)) continue;
    const found = await readSettings(deps.db, merchant, deps.meter);
    if (found !== undefined) settings.set(merchant, found);
  }
}

async function readLive(
  { day, partition }: ReplayPart,
  { merchants }: { merchants: readonly number[] },
  deps: ReplayDeps,
): Promise<readonly RollupRow[]> {
  const rows: RollupRow[] = [];
  for (const merchant of merchants) {
    const request = { merchant, dimensions: ALL_DIMENSIONS };
    const days = await deps.partition(partition).live({ ...request, grain: "day", from: day, to: day + 1 });
    const hoursOf = { from: (day - 1) * DAY_MS, to: (day + 2) * DAY_MS };
    const hours = await deps.partition(partition).live({ ...request, grain: "hour", ...hoursOf });
    rows.push(...days.rows, ...hours.rows.filter((row) => row.day === day));
  }
  return rows;
}
