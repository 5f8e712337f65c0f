// What moves erasures and retention on: the cron's part. It tells partitions to let go, has the seal write Days without what
// is to be erased (queues/seal.ts does the removing and notes it), and ends what is done. Each step is a statement or a call
// that may be repeated; an erasure whose partition cannot be reached waits for the next time.

import { firstOpenDay } from "../core/counting/closed.ts";
import { hash32 } from "../core/hash.ts";
import { ERASURES_DRIVEN_MAX, RETENTION_DAYS, SEAL_LOOKBACK_DAYS } from "../core/limits.ts";
import { causeOf } from "../core/outcome.ts";
import { DAY_MS } from "../core/time.ts";
import {
  type Erasure,
  finishErasure,
  listPartitionsOf,
  listRunning,
  markTold,
  wakeExpired,
  wakeParts,
} from "../storage/ledger/erasure.ts";
import type { Log } from "./message.ts";

const TURN_SEED = 0x45525301;

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

/** Some that are under way, others each time; then the Days that some retention has ended for. */
export async function driveErasures(deps: ErasureDeps): Promise<void> {
  const now = deps.now();
  const some = { turn: hash32(String(now), TURN_SEED), rowsMax: ERASURES_DRIVEN_MAX };
  for (const erasure of await listRunning(deps.db, some)) await driveErasure(erasure, deps);
  const today = Math.floor(now / DAY_MS);
  for (const retention of RETENTION_DAYS) {
    const toDay = today - retention;
    const days = { retention, fromDay: toDay - SEAL_LOOKBACK_DAYS, toDay, now };
    await wakeExpired(deps.db, days);
  }
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
