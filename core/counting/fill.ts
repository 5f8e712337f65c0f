// What a backfill makes of a difference: it fills in what a stored rollup lacks and leaves the rest. A row that
// is not there is written whole; of one that is there only breakdowns are, those it has no column for (a
// dimension that is younger than the row) and those that are asked for by name. Where a counter disagrees nothing
// is: then it is not a gap but a question. A backfill of goals writes these alone, also there: they are of the
// events, not of the other numbers.

import { type Difference, type Mismatch, mismatchesOf, totalMismatches } from "./difference.ts";
import type { DimensionName } from "./dimension.ts";
import { ALL_DIMENSIONS } from "./rollup.ts";
import { isThin, type RollupRow } from "./rollup-row.ts";

export interface Filled {
  /** What is to be written in the place of what is held; undefined where nothing is. */
  readonly row: RollupRow | undefined;
  /** The first mismatches that stay. */
  readonly left: readonly Mismatch[];
}

/** `isNamedOnly`: the named ones are written whatever else there is, and nothing else. */
export function fill(
  { held, replayed }: Difference,
  named: ReadonlySet<DimensionName>,
  { isNamedOnly = false } = {},
): Filled {
  if (held === undefined) return { row: replayed, left: [] };
  const { row: stored } = held;
  if (!isNamedOnly && totalMismatches(stored, replayed).length > 0)
    return { row: undefined, left: mismatchesOf(stored, replayed) };
  // An Hour of a packed Day has nothing to be filled.
  if (isThin(stored)) return { row: undefined, left: mismatchesOf(stored, replayed) };
  const isWanted = (name: DimensionName) => named.has(name) || (!isNamedOnly && stored.breakdowns[name] === undefined);
  const filled = ALL_DIMENSIONS.filter(isWanted);
  const breakdowns = Object.fromEntries(filled.map((name) => [name, replayed.breakdowns[name]]));
  const row: RollupRow = {
    ...stored,
    // Its counters know no event that those held did not: a seal that waits for late ones must find them missing.
    version: isNamedOnly ? stored.version : replayed.version,
    breakdowns: { ...stored.breakdowns, ...(breakdowns as RollupRow["breakdowns"]) },
  };
  const isFilled = mismatchesOf(stored, row).length > 0;
  return { row: isFilled ? row : undefined, left: mismatchesOf(row, replayed) };
}
