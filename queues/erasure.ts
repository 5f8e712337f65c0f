// The cron's step for erasures and retention. It drives each erasure under way (storage/erasure-drive.ts), and wakes
// the Days for which some retention has ended. queues/seal.ts removes the events and notes it.

import { hash32 } from "../core/hash.ts";
import { ERASURES_DRIVEN_MAX, RETENTION_DAYS, SEAL_LOOKBACK_DAYS } from "../core/limits.ts";
import { DAY_MS } from "../core/time.ts";
import { driveErasure, type ErasureDeps } from "../storage/erasure-drive.ts";
import { listRunning, wakeExpired } from "../storage/ledger/erasure.ts";
import { type Ledger, visitEach } from "../storage/ledger/ledgers.ts";

const TURN_SEED = 0x45525301;

/**
 * Drives some of the erasures under way, other ones at each call. Then wakes the Days for which some retention has
 * ended.
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
