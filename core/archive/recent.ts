// What the query Worker asks a partition for when it reads events: those of one merchant that may not lie in the
// archive yet. The reader takes these first and the archive second, and a row that is in both, by its position, once;
// so nothing falls between the two.

import type { LoggedRow } from "./bundle.ts";

export interface RecentRequest {
  readonly merchant: number;
  /** Days in [from, to). */
  readonly from: number;
  readonly to: number;
}

/** In the order of the log; or "too many" where the archive is so far behind that they cannot be given. */
export type RecentReply = "too many" | RecentRows;

export interface RecentRows {
  readonly rows: readonly RecentRow[];
  /** How many rows of the log the partition has gone through to find them. */
  readonly looked: number;
}

export interface RecentRow {
  readonly position: number;
  readonly row: LoggedRow;
}
