// What a backfill does with a difference: it adds what a stored rollup lacks and leaves the rest. A row that is missing
// is written whole. In a row that exists only breakdowns are written: those that it has no column for (because the
// dimension is newer than the row), and those that are asked for by name. If a counter of the row differs, nothing is
// written. Such a difference is not a gap, and a person has to find its cause. A backfill of goals writes its goals
// even then, since they are counted from the events and not from the row's other numbers.

import { type Difference, type Mismatch, mismatchesOf, totalMismatches } from "./difference.ts";
import type { DimensionName } from "./dimension.ts";
import { ALL_DIMENSIONS } from "./rollup.ts";
import { isThin, type RollupRow } from "./rollup-row.ts";

export interface Filled {
  /** The row to write instead of the stored one; undefined where nothing is to be written. */
  readonly row: RollupRow | undefined;
  /** The first mismatches that remain when the row is written. */
  readonly left: readonly Mismatch[];
}

/** With `isNamedOnly` only the named breakdowns are written, and they are written even if other numbers differ. */
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
    // The seal sees by a row's version that late events are missing in its counters. The counters stay as they were, so
    // the version must stay, too.
    version: isNamedOnly ? stored.version : replayed.version,
    breakdowns: { ...stored.breakdowns, ...(breakdowns as RollupRow["breakdowns"]) },
  };
  const isFilled = mismatchesOf(stored, row).length > 0;
  return { row: isFilled ? row : undefined, left: mismatchesOf(row, replayed) };
}
