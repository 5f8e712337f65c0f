// What the query Worker asks a partition for: the rollups of one merchant that have changed since they were published
// to D1. The reader takes these first and D1 second, and lets the higher version win per (bucket, partition); so
// nothing falls between the two and nothing is counted in both.

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
  /**
   * Days in reach of which there are events that no rollup knows, and that may not lie in the archive: they came late.
   */
  readonly late: readonly number[];
}
