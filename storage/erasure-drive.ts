// Moves one erasure on as far as it goes now: ends the merchant that is to go, tells partitions to let go, wakes the
// seals of its Days, and ends it when nothing is left to do. The API does so when it has made one, the cron until it
// has ended (queues/erasure.ts). Each step is a statement or a call that may be repeated; an erasure whose partition
// cannot be reached waits for the next time.

import { firstOpenDay } from "../core/counting/closed.ts";
import type { EraseReply, EraseRequest } from "../core/counting/erasure.ts";
import type { Log } from "../core/log.ts";
import { causeOf } from "../core/outcome.ts";
import type { Archive } from "./archive/bucket.ts";
import type { Directory } from "./directory/directory.ts";
import { deleteMerchant } from "./directory/ending.ts";
import {
  createErasure,
  type Erasure,
  findErasure,
  finishErasure,
  forgetMerchant,
  listPartitionsOf,
  markTold,
  wakeParts,
} from "./ledger/erasure.ts";
import { listRecords } from "./ledger/erasure-record.ts";
import type { Ledger, Ledgers } from "./ledger/ledgers.ts";

export interface ErasureDeps {
  readonly directory: Directory;
  readonly ledgers: Ledgers;
  readonly partition: (name: string) => { erase(request: EraseRequest): Promise<EraseReply> };
  /** UTC ms. */
  readonly now: () => number;
  readonly pace: { readonly sealAfterMs: number };
  readonly log: Log;
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
 * Asks for everything once more that was to be erased and that the ledger at a position does not know: it was
 * restored or lost. What is gone already is not there to be erased; a partition that has heard of an erasure does
 * nothing. Gives how many there were.
 */
export async function askAgain(position: number, deps: ErasureDeps & Archive): Promise<number> {
  const ledger = deps.ledgers.all[position] as Ledger;
  let asked = 0;
  for await (const record of listRecords(position, deps)) {
    if ((await findErasure(ledger, record.erasure.id)) !== undefined) continue;
    await driveErasure(await createErasure(ledger, record), deps);
    asked += 1;
  }
  return asked;
}

/**
 * Takes a merchant out of the directory, and then its numbers out of its ledger, which has known since the
 * erasure was made that it has ended (storage/ledger/erasure.ts). Doing either again finds nothing; whoever dies
 * in between, the cron goes on.
 */
async function endMerchant(
  erasure: Erasure,
  { directory, ledgers }: Pick<ErasureDeps, "directory" | "ledgers">,
): Promise<void> {
  await deleteMerchant(directory, erasure.merchant);
  await forgetMerchant(ledgers.ofMerchant(erasure.merchant), erasure);
}
