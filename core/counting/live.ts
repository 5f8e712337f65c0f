// What the query Worker asks a partition for: the rollups of one merchant that have changed since they were published
// to D1. A reader reads these first and D1 second, and for each (bucket, partition) takes the row with the higher
// version. So nothing is missed between the two, and nothing is counted twice.

import type { DimensionName } from "./dimension.ts";
import type { Grain, RollupRow } from "./rollup-row.ts";

export interface LiveRequest {
  readonly merchant: number;
  readonly grain: Grain;
  /** Buckets in [from, to): UTC ms of Hours, or numbers of Days. */
  readonly from: number;
  readonly to: number;
  /** Breakdowns wanted in each row. */
  readonly dimensions: readonly DimensionName[];
}

export interface LiveReply {
  readonly rows: readonly RollupRow[];
  /** Bytes of the Days that were put together for it (heldBytes); 0 where all rows were remembered. */
  readonly bytes: number;
  /** Days of the range with late events that no rollup counts and that may not be in the archive yet. */
  readonly late: readonly number[];
  /**
   * UTC ms of the last change of the merchant's numbers in D1, other than by publishing; 0 for never.
   * Undefined while they may be changing. Until it is another, D1 has the same numbers of closed Days.
   */
  readonly changedAt?: number | undefined;
}
