// The billable operations of a month, added up from all isolates. Each isolate of a Worker or a partition adds what it
// has newly counted to one row of a ledger, at most some four times an hour. The sum is not exact: what an isolate
// counts between its last addition and its end is lost, and an addition whose answer was lost is added again. Operators
// look at the sum, and nobody is billed by it. Plain SQL, because the collector has no ORM.

import { METER_KEPT_EVERY_MS } from "../../core/limits.ts";
import type { Log } from "../../core/log.ts";
import { type Metered, OPERATIONS, zeroMeter } from "../../core/meter.ts";
import { causeOf } from "../../core/outcome.ts";
import { monthOf } from "../../core/watch/cost.ts";
import { isolateMeter } from "../isolate-meter.ts";
import { select } from "../statement.ts";
import type { Ledger } from "./ledgers.ts";

export interface MeterEnv {
  /** Overrides how often an isolate adds up, in ms as text; for tests. */
  readonly METER_KEPT_EVERY_MS?: string;
}

/** How often an isolate adds up, if a setting says so. */
export function meterPaceOf({ METER_KEPT_EVERY_MS: text }: MeterEnv): number | undefined {
  return text === undefined ? undefined : Number(text);
}

export interface Keeping {
  /** UTC ms. */
  readonly now: number;
  readonly log: Log;
  readonly everyMs?: number | undefined;
}

/** Adds what a meter counts to ledgers from time to time. */
export class MeterKeeper {
  readonly #meter: Metered;
  /** The part of the meter that has been added to a ledger. */
  #kept = zeroMeter();
  /** UTC ms of the last attempt; undefined before the first look. */
  #at: number | undefined;

  constructor(meter: Metered) {
    this.#meter = meter;
  }

  /** Whether it is time to add up. It has to be cheap, since every request calls it. */
  isDue({ now, everyMs = METER_KEPT_EVERY_MS }: Pick<Keeping, "now" | "everyMs">): boolean {
    this.#at ??= now;
    return now - this.#at >= everyMs;
  }

  /** If it is time, adds what was counted since the last time. A failure is logged, and the next time adds it all. */
  async keep(ledger: Ledger | undefined, keeping: Keeping): Promise<void> {
    if (ledger === undefined || !this.isDue(keeping)) return;
    this.#at = keeping.now;
    const counted = { ...this.#meter };
    const before = this.#kept;
    this.#kept = counted; // set before the await, so that two calls at the same time add nothing twice
    try {
      await addToMonth(ledger, monthOf(keeping.now), minus(counted, before));
    } catch (error) {
      this.#kept = minus(this.#kept, minus(counted, before));
      keeping.log({ event: "meter_failed", error: causeOf(error) });
    }
  }
}

/** The keeper of this isolate's meter. */
export const isolateKeeper = new MeterKeeper(isolateMeter);

function minus(a: Metered, b: Metered): Metered {
  const difference = zeroMeter();
  for (const operation of OPERATIONS) difference[operation] = a[operation] - b[operation];
  return difference;
}

/** Adds operations to a month's, such as "2026-11". */
export async function addToMonth(db: Ledger, month: string, added: Metered): Promise<void> {
  const sums = OPERATIONS.map((operation) => `${operation} = ${operation} + excluded.${operation}`);
  await select(db, [
    `INSERT INTO month_meters (month, ${OPERATIONS.join(", ")}) VALUES (?, ${OPERATIONS.map(() => "?").join(", ")})
      ON CONFLICT (month) DO UPDATE SET ${sums.join(", ")}`,
    month,
    ...OPERATIONS.map((operation) => added[operation]),
  ]);
}

/** The operations of a month that a ledger holds. */
export async function readMonth(db: Ledger, month: string): Promise<Metered> {
  const [row] = await select<Metered>(db, [`SELECT ${OPERATIONS.join(", ")} FROM month_meters WHERE month = ?`, month]);
  return { ...zeroMeter(), ...row };
}
