// What a backfill makes of a difference: it fills in what a stored rollup lacks and leaves the rest. A row that is
// missing is written whole. Of a row that is there only breakdowns are written: those that it has no column for (a
// dimension that is younger than the row), and those that are asked for by name. Where a counter of the row disagrees
// nothing is written, for such a difference is no gap: somebody has to find out why. A backfill of goals writes its
// goals even then, since they are counted from the events and not from the row's other numbers.

import { type Difference, type Mismatch, mismatchesOf, totalMismatches } from "./difference.ts";
import type { DimensionName } from "./dimension.ts";
import { ALL_DIMENSIONS } from "./rollup.ts";
import { isThin, type RollupRow } from "./rollup-row.ts";

export interface Filled {
  /** What is to be written in the place of what is held; undefined where nothing is. */
  readonly row: RollupRow | undefined;
  /** The first mismatches that remain when the row is written. */
  readonly left: readonly Mismatch[];
}

/** With `isNamedOnly` the named breakdowns are written whatever else disagrees, and no others. */
export function fill(
  { held, replayed }: Difference,
  named: ReadonlySet<DimensionName>,
  { isNamedOnly = false } = {},
): Filled {
  if (held === undefined) return { row: replayed, left: [] };
  const { row: stored } = held;
  if (!isNamedOnly && totalMismatches(stored, replayed).length > 0)
    return { row: undefined, left: mismatchesOf(stored, replayed) };
  // An Hour of a packed Day holds totals only: it has no breakdown that could be filled in.
  if (isThin(stored)) return { row: undefined, left: mismatchesOf(stored, replayed) };
  const isWanted = (name: DimensionName) => named.has(name) || (!isNamedOnly && stored.breakdowns[name] === undefined);
  const filled = ALL_DIMENSIONS.filter(isWanted);
  const breakdowns = Object.fromEntries(filled.map((name) => [name, replayed.breakdowns[name]]));
  const row: RollupRow = {
    ...stored,
    // A seal that waits for late events tells by the version that they are missing. The counters of the row stay as
    // they were, so its version must, too.
    version: isNamedOnly ? stored.version : replayed.version,
    breakdowns: { ...stored.breakdowns, ...(breakdowns as RollupRow["breakdowns"]) },
  };
  const isFilled = mismatchesOf(stored, row).length > 0;
  return { row: isFilled ? row : undefined, left: mismatchesOf(row, replayed) };
}
