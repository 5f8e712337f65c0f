// Counts a Day again for merchants with a zone of the past on it. Its events are collected from the folders of several
// Days. Its Hours are those of D1 that belong to it now, whatever Day they were written under. Everything else is as
// for any other Day (recount.ts). Whoever writes the result checks by each row's version that nobody wrote it
// meanwhile, and by the archived position that no folder got an event that others have counted since.

import { REPLAYED_COLUMNS } from "../core/archive/columns.ts";
import type { PastZone, Settings } from "../core/merchant.ts";
import { foldersOf, isMovedDay, withPastZone } from "../core/past-zone.ts";
import { dateOf } from "../core/time.ts";
import { type ArchivedDay, findDay } from "../storage/archive/archive-day.ts";
import { readMoved, readSettingsOf } from "../storage/directory/settings.ts";
import { listRemovals } from "../storage/ledger/erasure.ts";
import { findSeal, type SealPlace, type SealRow } from "../storage/ledger/sealed-day.ts";
import type { Recount, RecountDeps, RulesPreview } from "./recount.ts";

export interface MovedWanted extends SealPlace {
  readonly settings: readonly Settings[];
  readonly preview?: RulesPreview | undefined;
  readonly zonePreview?: PastZone | undefined;
}

export interface OpenedMoved {
  readonly what: Recount;
  /** The seals of the folders; undefined for folders that nobody has looked at yet. */
  readonly seals: readonly (SealRow | undefined)[];
}

/** Finds what the folders around a Day have of it. */
export async function openMoved(
  { day, partition, settings, preview, zonePreview }: MovedWanted,
  deps: RecountDeps,
): Promise<OpenedMoved> {
  // This comes first: everything below this position will be in what is looked up next (RPL-4).
  const since = deps.now();
  const { archivedPosition } = await deps.partition(partition).status();
  const removals = await listRemovals(deps.ledgers.of(partition), { day, partition });
  const tried = settings.map((one) => (zonePreview === undefined ? one : withPastZone(one, zonePreview)));
  const spans = tried.map((one) => foldersOf(one, day));
  const folders: ArchivedDay[] = [];
  const seals: (SealRow | undefined)[] = [];
  const end = Math.max(...spans.map(([, to]) => to));
  for (let folder = Math.min(...spans.map(([from]) => from)); folder < end; folder++) {
    const seal = await findSeal(deps.ledgers.of(partition), { day: folder, partition });
    const archived = await findDay(deps, { date: dateOf(folder), partition }, seal?.folder ?? "");
    if (archived.manifest === undefined && archived.bundles.length === 0) continue;
    seals.push(seal);
    folders.push(archived);
  }
  const merchants = new Set(settings.map(({ merchant }) => merchant));
  const what: Recount = {
    day,
    partition,
    archived: { date: dateOf(day), partition, manifest: undefined, bundles: [] },
    folders,
    hasMoved: () => true,
    archivedPosition,
    after: 0,
    merchants,
    others: merchants,
    columns: REPLAYED_COLUMNS,
    removals,
    known: { day, partition, erasures: removals.map(({ number }) => number), since },
    preview,
    zonePreview,
  };
  return { what, seals };
}

/** Merchants whose Day has moved, among some or among all. */
export async function movedMerchants(
  day: number,
  merchants: readonly number[] | undefined,
  { directory }: Pick<RecountDeps, "directory">,
): Promise<readonly Settings[]> {
  const found = merchants === undefined ? await readMoved(directory) : await readSettingsOf(directory, merchants);
  return found.filter((settings) => isMovedDay(settings, day));
}
