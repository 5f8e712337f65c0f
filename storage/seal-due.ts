// Closed Days on their way to the seal queue: noted by whoever finds them closed (the cron, or an operator who is in a
// hurry), and sent on when they are due. What the seal does with them is its consumer's (queues/seal.ts).

import { LATE_COALESCE_MS, PACKS_SENT_MAX, SEAL_AFTER_MS, SEAL_GRACE_MS, SEALS_SENT_MAX } from "../core/limits.ts";
import type { Log } from "../core/log.ts";
import { dateOf } from "../core/time.ts";
import { listPartitions } from "./archive/archive-day.ts";
import type { Archive } from "./archive/bucket.ts";
import { type Ledger, type Ledgers, visitEach } from "./ledger/ledgers.ts";
import { noteClosed, type SealPlace, takeDue, takeUnpacked } from "./ledger/sealed-day.ts";

/** All in ms. */
export interface SealPace {
  readonly sealAfterMs: number;
  readonly lateCoalesceMs: number;
  readonly sealGraceMs: number;
}

/** Overrides of the pace in limits.ts, in ms as text; for tests and for tuning a deployment. */
export interface SealPaceEnv {
  readonly SEAL_AFTER_MS?: string;
  readonly LATE_COALESCE_MS?: string;
  readonly SEAL_GRACE_MS?: string;
}

export interface DueDeps {
  readonly ledgers: Ledgers;
  /** UTC ms. */
  readonly now: () => number;
  /** Puts Days on the seal queue, to come after a while. */
  readonly sendSeals: (places: readonly SealPlace[], delaySeconds: number) => Promise<void>;
  readonly pace: SealPace;
  readonly log: Log;
}

type NoteDeps = Pick<DueDeps, "ledgers" | "now" | "log"> & Archive;

export function sealPaceOf(env: SealPaceEnv): SealPace {
  return {
    sealAfterMs: Number(env.SEAL_AFTER_MS ?? SEAL_AFTER_MS),
    lateCoalesceMs: Number(env.LATE_COALESCE_MS ?? LATE_COALESCE_MS),
    sealGraceMs: Number(env.SEAL_GRACE_MS ?? SEAL_GRACE_MS),
  };
}

/** Notes the partitions that have anything of a closed Day. */
export async function noteDay(day: number, deps: NoteDeps): Promise<number> {
  const partitions = await listPartitions(deps, dateOf(day));
  const places = partitions.map((partition) => ({ day, partition }));
  const groups = Map.groupBy(places, (place) => deps.ledgers.of(place.partition));
  const note = (ledger: Ledger) => noteClosed(ledger, { places: groups.get(ledger) ?? [], now: deps.now() });
  await visitEach({ all: [...groups.keys()] }, note, deps.log);
  return places.length;
}

/** Sends on what is due now, whoever wanted it, and some Days that were left unpacked. */
export async function sendDue({ ledgers, now, sendSeals, log }: Omit<DueDeps, "pace">): Promise<void> {
  const share = (all: number) => Math.ceil(all / ledgers.all.length);
  const send = async (ledger: Ledger) => {
    const due = await takeDue(ledger, { now: now(), rowsMax: share(SEALS_SENT_MAX) });
    const places = [...due, ...(await takeUnpacked(ledger, { now: now(), rowsMax: share(PACKS_SENT_MAX) }))];
    if (places.length > 0) await sendSeals(places, 0);
  };
  await visitEach(ledgers, send, log);
}
