// The cron's part of erasures and retention. It has each erasure that is under way go on (storage/erasure-drive.ts) and
// wakes the Days that some retention has ended for. queues/seal.ts removes what is to be erased, and notes it.

import { hash32 } from "../core/hash.ts";
import { ERASURES_DRIVEN_MAX, RETENTION_DAYS, SEAL_LOOKBACK_DAYS } from "../core/limits.ts";
import { DAY_MS } from "../core/time.ts";
import { driveErasure, type ErasureDeps } from "../storage/erasure-drive.ts";
import { listRunning, wakeExpired } from "../storage/ledger/erasure.ts";
import { type Ledger, visitEach } from "../storage/ledger/ledgers.ts";

const TURN_SEED = 0x45525301;

/**
 * Drives some of the erasures that are under way, other ones at each call. Then wakes the Days that some retention has
 * ended for.
 */
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
