// The alarms of merchants in their ledgers, and the Days of a merchant that could not be sealed. The state of alarms is
// written in one transaction with the messages that tell of its change (outbox.ts).

import { SEAL_ATTEMPTS_DOUBTFUL } from "../../core/limits.ts";
import { type Alarms, NO_ALARMS } from "../../core/notice/alarm.ts";
import { type Bound, select } from "../statement.ts";
import type { Ledger } from "./ledgers.ts";

export async function readAlarms(ledger: Ledger, merchant: number): Promise<Alarms> {
  const text = "SELECT alarms FROM merchant_alarms WHERE merchant = ?";
  const [row] = await select<{ readonly alarms: string }>(ledger, [text, merchant]);
  return row === undefined ? NO_ALARMS : (JSON.parse(row.alarms) as Alarms);
}

/** A statement that writes the state, unless a later Hour was looked at meanwhile. */
export function toAlarms(merchant: number, alarms: Alarms): Bound {
  const text = `INSERT INTO merchant_alarms (merchant, alarms) VALUES (?1, ?2) ON CONFLICT (merchant) DO UPDATE
    SET alarms = excluded.alarms WHERE (alarms ->> 'lookedAt') <= (excluded.alarms ->> 'lookedAt')`;
  return [text, merchant, JSON.stringify(alarms)];
}

/** Days from `from` on with events of a merchant whose seal has failed so often that they are in doubt. */
export async function listDaysInDoubt(
  ledger: Ledger,
  { merchant, from }: { readonly merchant: number; readonly from: number },
): Promise<readonly number[]> {
  const text = `SELECT DISTINCT places.day AS day FROM places JOIN archive_days AS sealed
      ON sealed.day = places.day AND sealed."partition" = places."partition"
    WHERE places.merchant = ? AND places.day >= ? AND sealed.attempts >= ? ORDER BY places.day`;
  const rows = await select<{ readonly day: number }>(ledger, [text, merchant, from, SEAL_ATTEMPTS_DOUBTFUL]);
  return rows.map(({ day }) => day);
}
