// What the query Worker asks a partition for when it reads events: those of one merchant that may not be in the archive
// yet. The reader takes these first and the archive second. A row that both have, by its position, is taken once. So no
// row is missed between the two.

import type { LoggedRow } from "./bundle.ts";

export interface RecentRequest {
  readonly merchant: number;
  /** Days in [from, to). */
  readonly from: number;
  readonly to: number;
}

/** In the order of the log; or "too many" where the archive is too far behind. */
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
