// Packs Days that are closed for good: after a seal, after late events were counted, and after a part of a job has
// written or put back rows. Packing changes no number (storage/ledger/pack.ts). So a crash before it only leaves rows:
// the Day stays noted as unpacked, and the cron sends it here again.

import { FOLDERS_APART_MAX, PACK_TURN_MS } from "../core/limits.ts";
import { isMovedDay } from "../core/past-zone.ts";
import { readMoved } from "../storage/directory/settings.ts";
import { type PackedPlace, packDay } from "../storage/ledger/pack.ts";
import { commitPacked, findSeal, postponePacking, type SealPlace, type SealRow } from "../storage/ledger/sealed-day.ts";
import type { RecountDeps } from "./recount.ts";

/**
 * Packs a Day. It also packs Days near it, for merchants with a zone of the past that shows events of this Day's folder
 * there. A part of a job that ends packs all Days near it, because nobody could while it was at work.
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
    // Read first, so that rows which are written from now on are left for another time.
    const seal = await findSeal(ledger, place);
    if (seal?.unpacked === 0 || !(await isOver(place, seal, deps))) continue;
    const isDone = await packDay(ledger, { ...place, merchants, ending, isOver: () => deps.now() > until });
    if (seal === undefined || merchants !== undefined) continue;
    await (isDone ? commitPacked(ledger, seal) : postponePacking(ledger, { row: seal, now: deps.now() }));
  }
}

/**
 * Whether nothing more of a Day will be published. A sealed Day tells that by its seal. A Day that the archive has
 * nothing of is never sealed: a moved merchant's events may all lie in folders of Days near it. Then the partition
 * tells whether it has anything left.
 */
async function isOver(place: SealPlace, seal: SealRow | undefined, deps: RecountDeps): Promise<boolean> {
  if (seal !== undefined) return seal.generation > 0;
  return (await deps.partition(place.partition).completeness(place.day)).complete;
}
