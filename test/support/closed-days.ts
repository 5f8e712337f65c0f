// A few closed Days of a shop as rollups, and all of them read again page by page, for tests of where Days lie.

import { replay } from "../../core/counting/replay.ts";
import { ALL_DIMENSIONS } from "../../core/counting/rollup.ts";
import type { RollupRow } from "../../core/counting/rollup-row.ts";
import { DAY_MS, HOUR_MS } from "../../core/time.ts";
import { type RangeRead, readRollups } from "../../storage/ledger/range.ts";
import { eventOf, settingsOf } from "./events.ts";

export const FIRST = 20_507;
export const DAYS = 6;
export const PARTITIONS = ["merchant-1-0", "pool-0"];
export const ALL = { sketch: true, presence: true, breakdowns: ALL_DIMENSIONS };

/** Some visits an hour on each of six Days, of which three are of another block than the others, in two partitions. */
export function storyRows(merchant = 1): readonly RollupRow[] {
  return PARTITIONS.flatMap((partition, nth) => {
    const events = Array.from({ length: DAYS * 8 }, (_, at) =>
      eventOf({
        id: `${partition} ${at}`,
        merchant,
        timestamp: (FIRST + (at % DAYS)) * DAY_MS + (7 + (at % 5)) * HOUR_MS + at * 1_000,
        visitor: `00000000000000${nth}${at % 9}`,
        visitorKind: at % 3 === 0 ? "known" : "daily",
        url: `https://shop.example/${at % 4}`,
      }),
    );
    return replay(
      events.map((event, position) => ({ event, position, partition })),
      () => settingsOf("Europe/Vienna", { merchant }),
    );
  });
}

/** A page has at least so much, and whatever it has, pages are read until there is no more. */
export async function readAll(
  db: D1Database,
  read: Pick<RangeRead, "grain" | "pageRows" | "pageBytes">,
): Promise<readonly RollupRow[]> {
  const [from, to] = read.grain === "day" ? [0, FIRST + 100] : [0, (FIRST + 100) * DAY_MS];
  return readRollups(db, { merchant: 1, from, to, ...read, ...ALL });
}

export function inOrder(rows: readonly RollupRow[], grain: RollupRow["grain"]): readonly RollupRow[] {
  const own = rows.filter((row) => row.merchant === 1 && row.grain === grain);
  return own.sort((a, b) => a.bucket - b.bucket || (a.partition < b.partition ? -1 : 1));
}
