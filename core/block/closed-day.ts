// A Day's rollups as a block takes them: the Day's own row as a whole, and only the totals of its Hours.

import { slotOf } from "../counting/day.ts";
import type { RollupRow } from "../counting/rollup-row.ts";
import { assert } from "../outcome.ts";
import type { BlockDay } from "./block.ts";

/** Of one merchant's Day in one partition: the Day's row, and its Hours in any order. */
export function toBlockDay(day: RollupRow, hours: readonly RollupRow[]): BlockDay {
  assert(day.grain === "day" && hours.every((hour) => hour.day === day.day), "a Day comes with its own Hours");
  const { counts, drops, sketch, presence, breakdowns, version } = day;
  const thin = hours.map((hour) => ({
    slot: slotOf(day.day, hour.bucket),
    version: hour.version,
    counts: hour.counts,
    drops: hour.drops,
  }));
  thin.sort((a, b) => a.slot - b.slot);
  return { day: day.day, version, counts, drops, sketch, presence, breakdowns, hours: thin };
}
