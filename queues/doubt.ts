// Compares a Day in doubt (storage/ledger/doubt.ts) before a seal does anything with it: whose numbers count more
// events than the archive has. Only their numbers stay as they are from then on. It reads the whole Day once and writes
// no number, so that whoever dies in between begins anew.

import { REPLAYED_COLUMNS } from "../core/archive/columns.ts";
import type { RollupRow } from "../core/counting/rollup-row.ts";
import type { Log } from "../core/log.ts";
import { dateOf } from "../core/time.ts";
import { type LostDay, listApplied, settleDoubt } from "../storage/ledger/doubt.ts";
import { listCounted } from "../storage/ledger/rollups.ts";
import { type Recount, type RecountDeps, type Recounted, recount } from "./recount.ts";

interface DoubtDeps extends RecountDeps {
  readonly log: Log;
}

interface Doubted {
  /** How many events of each merchant were counted live, as long as the partition has their state. */
  readonly counted: ReadonlyMap<number, number>;
  /** Whether the sealed files that the ledger knows are there. */
  readonly isThere: boolean;
}

export async function compareDoubted(
  what: Omit<Recount, "after">,
  { counted, isThere }: Doubted,
  deps: DoubtDeps,
): Promise<void> {
  const { day, partition, removals = [] } = what;
  const ledger = deps.ledgers.of(partition);
  const lost: LostDay[] = [];
  const applied = await listApplied(ledger, { day, partition }, removals);
  const others = new Set([...what.others, ...(await listCounted(ledger, { day, partition }))]);
  const compared = async (found: readonly Recounted[]) => {
    for (const { merchant, events, held, replayed } of found) {
      const isErased = removals.some((one) => one.merchant === merchant) && !applied.has(merchant);
      const live = counted.get(merchant) ?? 0;
      const shown = eventsOf(held.map(({ row }) => row));
      // Numbers that an erasure has not reached yet count what it takes. That is among `events`, and no more in
      // `replayed`.
      const archived = isErased ? events : eventsOf(replayed);
      if (shown > archived || live > events) lost.push({ merchant, counted: Math.max(shown, live), archived });
    }
    return undefined;
  };
  const steps = { rows: () => {}, ended: () => false, compared };
  await recount({ ...what, others, after: 0, columns: REPLAYED_COLUMNS }, steps, deps);
  await settleDoubt(ledger, { place: { day, partition }, lost, isThere, now: deps.now() });
  if (lost.length === 0) return;
  const events = lost.reduce((sum, one) => sum + one.counted - one.archived, 0);
  deps.log({ event: "events_lost", day: dateOf(day), partition, merchants: lost.length, events });
}

/** Events and hits that were not counted, of the Day's own row. */
function eventsOf(rows: readonly RollupRow[]): number {
  const day = rows.find(({ grain }) => grain === "day");
  if (day === undefined) return 0;
  return Object.values(day.drops).reduce((sum, hits) => sum + hits, day.counts.events);
}
