// Packs Days that are closed for good: after a seal, after late events were counted, and after a part of a job has
// written or put back rows. Packing changes no number (storage/ledger/pack.ts), so whoever dies before it has only left
// rows: their Day stays noted as unpacked, and the cron sends it here again.

import { FOLDERS_APART_MAX, PACK_TURN_MS } from "../core/limits.ts";
import { isMovedDay } from "../core/past-zone.ts";
import { readMoved } from "../storage/directory/settings.ts";
import { type PackedPlace, packDay } from "../storage/ledger/pack.ts";
import { commitPacked, findSeal, postponePacking, type SealPlace, type SealRow } from "../storage/ledger/sealed-day.ts";
import type { RecountDeps } from "./recount.ts";

/**
 * Packs a Day, and those near it of merchants whose zone of the past shows there what is in its folder. A part of a job
 * that ends packs all that is near it: nobody could while it was at work.
 */
export async function packClosed(
  { day, partition, ending }: SealPlace & Pick<PackedPlace, "ending">,
  deps: RecountDeps,
): Promise<void> {
  const ledger = deps.ledgers.of(partition);
  const moved = await readMoved(deps.directory);
  const until = deps.now() + PACK_TURN_MS;
  for (let near = day - FOLDERS_APART_MAX; near <= day + FOLDERS_APART_MAX; near++) {
    const theirs = moved.filter((settings) => isMovedDay(settings, near)).map(({ merchant }) => merchant);
    const merchants = near === day || ending !== undefined ? undefined : theirs;
    if (merchants?.length === 0) continue;
    const place = { day: near, partition };
    // Before anything is read of it: what comes to lie in rows from now on is for another time.
    const seal = await findSeal(ledger, place);
    if (seal?.unpacked === 0 || !(await isOver(place, seal, deps))) continue;
    const isDone = await packDay(ledger, { ...place, merchants, ending, isOver: () => deps.now() > until });
    if (seal === undefined || merchants !== undefined) continue;
    await (isDone ? commitPacked(ledger, seal) : postponePacking(ledger, { row: seal, now: deps.now() }));
  }
}

/**
 * Whether nothing of a Day is published any more. One that the archive has nothing of is never sealed: a moved
 * merchant's events may all lie in the folders of Days near it. Then the partition says whether it has anything left.
 */
async function isOver(place: SealPlace, seal: SealRow | undefined, deps: RecountDeps): Promise<boolean> {
  if (seal !== undefined) return seal.generation > 0;
  return (await deps.partition(place.partition).completeness(place.day)).complete;
}
