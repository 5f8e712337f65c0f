// Moves one erasure on as far as it can go now. It deletes the merchant that is to be erased, has partitions erase what
// they hold, wakes the seals of the Days, and ends the erasure when nothing is left to do. The API calls it for a new
// erasure, and the cron until it has ended (queues/erasure.ts). Each step is a statement or a call that may be
// repeated. An erasure whose partition cannot be reached waits for the next time.

import { firstOpenDay } from "../core/counting/closed.ts";
import type { EraseReply, EraseRequest } from "../core/counting/erasure.ts";
import type { Log } from "../core/log.ts";
import { causeOf } from "../core/outcome.ts";
import type { Archive } from "./archive/bucket.ts";
import { deleteImported } from "./archive/imported-file.ts";
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

export interface ErasureDeps extends Archive {
  readonly directory: Directory;
  readonly ledgers: Ledgers;
  readonly partition: (name: string) => { erase(request: EraseRequest): Promise<EraseReply> };
  /** UTC ms. */
  readonly now: () => number;
  readonly pace: { readonly sealAfterMs: number };
  readonly log: Log;
}

/** Moves one erasure on as far as it can go now. */
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
  // What lies in a partition's log will still come into the archive, and has to be removed there.
  if (!isArchived) return;
  // Once more: a part of an import may have been on its way when the merchant ended.
  if (kind === "merchant") await deleteImported(deps, merchant);
  await finishErasure(ledger, { erasure, now: deps.now() });
}

/**
 * Asks once more for every erasure that a ledger does not know, because it was restored or lost. `position` names the
 * ledger. What was erased already is not found again, and a partition that knows an erasure does nothing. Returns how
 * many there were.
 */
export async function askAgain(position: number, deps: ErasureDeps): Promise<number> {
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
 * Deletes a merchant from the directory, and then its numbers from its ledger. The ledger knows that the merchant has
 * ended since the erasure was made (storage/ledger/erasure.ts). Doing either again finds nothing. If this dies in
 * between, the cron goes on.
 */
async function endMerchant(
  erasure: Erasure,
  { directory, ledgers, bucket }: Pick<ErasureDeps, "directory" | "ledgers" | "bucket">,
): Promise<void> {
  await deleteMerchant(directory, erasure.merchant);
  await deleteImported({ bucket }, erasure.merchant);
  await forgetMerchant(ledgers.ofMerchant(erasure.merchant), erasure);
}
