// Moves one erasure on as far as it goes now: tells partitions to let go, wakes the seals of its Days, and ends it when nothing
// is left to do. The API does so when it has made one, the cron until it has ended (queues/erasure.ts). Each step is a
// statement or a call that may be repeated; an erasure whose partition cannot be reached waits for the next time.

import { firstOpenDay } from "../core/counting/closed.ts";
import type { Log } from "../core/log.ts";
import { causeOf } from "../core/outcome.ts";
import { type Erasure, finishErasure, listPartitionsOf, markTold, wakeParts } from "./ledger/erasure.ts";

/** What is to leave a partition's state. */
export interface EraseAsked {
  readonly erasure: number;
  readonly merchant: number;
  readonly visitor: string;
  readonly fromDay: number;
  readonly toDay: number;
  readonly forget: boolean;
  readonly told: number;
}

/** Where a partition carried it out, and how far its log lies in the archive by now. */
export interface Erased {
  readonly position: number;
  readonly archivedPosition: number;
}

export interface ErasureDeps {
  readonly db: D1Database;
  readonly partition: (name: string) => { erase(request: EraseAsked): Promise<Erased> };
  /** UTC ms. */
  readonly now: () => number;
  readonly pace: { readonly sealAfterMs: number };
  readonly log: Log;
}

/** One erasure as far as it goes now. */
export async function driveErasure(erasure: Erasure, deps: ErasureDeps): Promise<void> {
  const { number, merchant, visitor, fromDay, toDay, kind } = erasure;
  let isArchived = true;
  for (const { partition, told } of await listPartitionsOf(deps.db, number)) {
    try {
      const asked = { erasure: number, merchant, visitor, fromDay, toDay, forget: kind === "merchant", told };
      const { position, archivedPosition } = await deps.partition(partition).erase(asked);
      await markTold(deps.db, { erasure, partition, position });
      isArchived &&= archivedPosition >= position;
    } catch (error) {
      isArchived = false;
      deps.log({ event: "erasure_waits", erasure: erasure.id, partition, error: causeOf(error) });
    }
  }
  const openFrom = firstOpenDay(deps.now(), deps.pace.sealAfterMs);
  await wakeParts(deps.db, { erasure: number, openFrom, now: deps.now() });
  // What lies in a partition's log comes into the archive yet, and has to go from there.
  if (isArchived) await finishErasure(deps.db, { erasure, now: deps.now() });
}
