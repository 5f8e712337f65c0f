// What moves erasures and retention on: the cron's part. It tells partitions to let go, has the seal write Days without what
// is to be erased (queues/seal.ts does the removing and notes it), and ends what is done. Each step is a statement or a call
// that may be repeated; an erasure whose partition cannot be reached waits for the next time.

import { firstOpenDay } from "../core/counting/closed.ts";
import { hash32 } from "../core/hash.ts";
import { ERASURES_DRIVEN_MAX, RETENTION_DAYS, SEAL_LOOKBACK_DAYS } from "../core/limits.ts";
import { causeOf } from "../core/outcome.ts";
import { DAY_MS } from "../core/time.ts";
import type { Directory } from "../storage/directory/directory.ts";
import { deleteMerchant } from "../storage/directory/ending.ts";
import {
  type Erasure,
  finishErasure,
  forgetMerchant,
  listPartitionsOf,
  listRunning,
  markTold,
  wakeExpired,
  wakeParts,
} from "../storage/ledger/erasure.ts";
import { type Ledger, type Ledgers, visitEach } from "../storage/ledger/ledgers.ts";
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
  readonly directory: Directory;
  readonly ledgers: Ledgers;
  readonly partition: (name: string) => { erase(request: EraseAsked): Promise<Erased> };
  /** UTC ms. */
  readonly now: () => number;
  readonly pace: { readonly sealAfterMs: number };
  readonly log: Log;
}

/** Some that are under way, others each time; then the Days that some retention has ended for. */
export async function driveErasures(deps: ErasureDeps): Promise<void> {
  const now = deps.now();
  const rowsMax = Math.ceil(ERASURES_DRIVEN_MAX / deps.ledgers.all.length);
  const some = { turn: hash32(String(now), TURN_SEED), rowsMax };
  const drive = async (ledger: Ledger) => {
    for (const erasure of await listRunning(ledger, some)) await driveErasure(erasure, deps);
  };
  await visitEach(deps.ledgers, drive, deps.log);
  const today = Math.floor(now / DAY_MS);
  for (const retention of RETENTION_DAYS) {
    const toDay = today - retention;
    const days = { retention, fromDay: toDay - SEAL_LOOKBACK_DAYS, toDay, now };
    await visitEach(deps.ledgers, (ledger) => wakeExpired(ledger, days), deps.log);
  }
}

/** One erasure as far as it goes now. */
export async function driveErasure(erasure: Erasure, deps: ErasureDeps): Promise<void> {
  const { number, merchant, visitor, fromDay, toDay, kind } = erasure;
  const ledger = deps.ledgers.ofMerchant(merchant);
  if (erasure.inDirectory === 1) await endMerchant(erasure, deps);
  let isArchived = true;
  for (const { partition, told } of await listPartitionsOf(ledger, number)) {
    try {
      const asked = { erasure: number, merchant, visitor, fromDay, toDay, forget: kind === "merchant", told };
      const { position, archivedPosition } = await deps.partition(partition).erase(asked);
      await markTold(ledger, { erasure, partition, position });
      isArchived &&= archivedPosition >= position;
    } catch (error) {
      isArchived = false;
      deps.log({ event: "erasure_waits", erasure: erasure.id, partition, error: causeOf(error) });
    }
  }
  const openFrom = firstOpenDay(deps.now(), deps.pace.sealAfterMs);
  await wakeParts(ledger, { erasure: number, openFrom, now: deps.now() });
  // What lies in a partition's log comes into the archive yet, and has to go from there.
  if (isArchived) await finishErasure(ledger, { erasure, now: deps.now() });
}

/**
 * Takes a merchant out of the directory, and then its numbers out of its ledger, which has known since the erasure was made
 * that it has ended (storage/ledger/erasure.ts). Doing either again finds nothing; whoever dies in between, the cron goes on.
 */
async function endMerchant(
  erasure: Erasure,
  { directory, ledgers }: Pick<ErasureDeps, "directory" | "ledgers">,
): Promise<void> {
  await deleteMerchant(directory, erasure.merchant);
  await forgetMerchant(ledgers.ofMerchant(erasure.merchant), erasure);
}
