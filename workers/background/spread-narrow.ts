// The cron's step that narrows spreads that are no longer needed. A spread is narrowed only if a partition has asked
// for it (durable-objects/spread.ts); one that was set by hand stays. Without this step, made-up visitors or one good
// week would leave a merchant on up to 64 partitions for good, and every question asks each of them. A merchant is
// looked at once a day. If its last Days would fit fewer partitions with room to spare, it gets fewer from its next Day
// on.

import { SPREAD_MAX, SPREAD_NARROW_DAYS, SPREAD_NARROW_SLOT_MS, SPREAD_NOTICE_MS } from "../../core/limits.ts";
import { changeSpread, narrowerSpread, type Settings, zoneAt } from "../../core/merchant.ts";
import { causeOf } from "../../core/outcome.ts";
import { DAY_MS, dayAt } from "../../core/time.ts";
import { listSpread, readSettings, writeSpread } from "../../storage/directory/settings.ts";
import { readRollups } from "../../storage/ledger/range.ts";
import type { Deps } from "./deps.ts";

type NarrowDeps = Pick<Deps, "directory" | "ledgers" | "now" | "log">;

/**
 * Narrows the spreads of the merchants that are due today. A second run changes nothing, because the spread is then the
 * one that was asked for.
 */
export async function narrowSpreads(deps: NarrowDeps): Promise<void> {
  const slot = Math.floor(deps.now() / SPREAD_NARROW_SLOT_MS);
  for (const { merchant } of await listSpread(deps.directory)) {
    if ((slot - merchant) % (DAY_MS / SPREAD_NARROW_SLOT_MS) !== 0) continue;
    try {
      await narrow(merchant, deps);
    } catch (error) {
      deps.log({ event: "narrow_failed", merchant, error: causeOf(error) });
    }
  }
}

async function narrow(merchant: number, deps: NarrowDeps): Promise<void> {
  const settings = await readSettings(deps.directory, merchant);
  if (settings === undefined) return;
  const now = deps.now();
  const today = dayAt(zoneAt(settings.zones, now), now);
  const firstDay = today - SPREAD_NARROW_DAYS;
  const spread = settings.spread ?? [];
  const isOld = dayAt(zoneAt(settings.zones, now), spread.at(-1)?.from ?? now) <= firstDay;
  if (!isOld) return;
  const events = await busiestDay(settings, { from: firstDay, to: today }, deps);
  const partitions = narrowerSpread(spread, events);
  if (partitions === undefined) return;
  const changed = changeSpread(settings, { partitions, now, noticeMs: SPREAD_NOTICE_MS, at: "midnight" });
  if (changed === "full" || !(await writeSpread(deps.directory, { ...settings, spread: changed }))) return;
  const from = new Date(changed.at(-1)?.from ?? now).toISOString();
  deps.log({ event: "merchant_narrowed", merchant, partitions, from });
}

/** The events of the busiest of some Days, in all partitions together. */
async function busiestDay(
  { merchant }: Settings,
  days: { readonly from: number; readonly to: number },
  { ledgers }: NarrowDeps,
): Promise<number> {
  // A Day may have rows of the pool's partition and the merchant's own, and as many again of other regions.
  const rowsMax = 4 * SPREAD_MAX * SPREAD_NARROW_DAYS;
  const read = { merchant, grain: "day", ...days, sketch: false, breakdowns: [] } as const;
  const rows = await readRollups(ledgers.ofMerchant(merchant), read, rowsMax);
  if (rows.length === rowsMax) return Number.POSITIVE_INFINITY;
  const byDay = [...Map.groupBy(rows, ({ bucket }) => bucket).values()];
  return Math.max(0, ...byDay.map((own) => own.reduce((sum, { counts }) => sum + counts.events, 0)));
}
