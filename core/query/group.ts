// The groups of an answer with their numbers, before metrics are computed from them. They come from rollups
// (`tally.ts`) or from events (`scan.ts`), and `answer.ts` does not see from which.

import type { Numbers } from "./metric.ts";
import type { Purse } from "./money.ts";
import type { Aside } from "./rest.ts";

export interface Group {
  /** The values of the question's dimensions in their order, as they are shown. The time label is among them. */
  readonly dimensions: readonly string[];
  readonly numbers: Omit<Numbers, "money">;
  /** Its money as it was counted. It is converted when the answer is made. */
  readonly purse: Purse;
  /** Whether all of it is of imports (imported.ts), which know nothing of money and orders. */
  readonly isImported?: true;
}

export interface Groups {
  readonly groups: readonly Group[];
  /** The largest relative standard error of any number of visitors; 0 when all are exact. */
  readonly standardError: number;
  /** The number of buckets in which the smallest values of the dimension were added up as "(other)". */
  readonly cutBuckets: number;
  /** Places in which an order was counted. An order number counts once in each of them (ORD-9). */
  readonly orderPlaces: number;
  readonly source: "rollups" | "archive" | "both";
  /** What was counted from events because rollups could not answer it, and why. */
  readonly aside?: readonly Aside[];
  /** Days that were counted before a goal was made, and cannot be counted again because their events are deleted. */
  readonly uncounted?: readonly number[];
}
