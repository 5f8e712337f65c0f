// What a question's rollups (`tally.ts`) or events (`scan.ts`) come to: its groups with their numbers, before metrics
// are computed from them. `answer.ts` does not see where they come from.

import type { Numbers } from "./metric.ts";
import type { Purse } from "./money.ts";
import type { Aside } from "./rest.ts";

export interface Group {
  /** In the order of the question, as shown; a time label among them. */
  readonly dimensions: readonly string[];
  readonly numbers: Omit<Numbers, "money">;
  /** Its money as it was counted; what that is worth is found out when the answer is made. */
  readonly purse: Purse;
}

export interface Groups {
  readonly groups: readonly Group[];
  /** The largest relative standard error of any number of visitors; 0 when all are exact. */
  readonly standardError: number;
  /** In so many buckets the smallest values of the dimension are only known added up. */
  readonly cutBuckets: number;
  /** (Day, partition)s in which an order was counted: an order number earns once in each (ORD-9). */
  readonly orderPlaces: number;
  readonly source: "rollups" | "archive" | "both";
  /** What was counted from events because rollups could not tell, and why. */
  readonly aside?: readonly Aside[];
  /** Days of rollups that were counted before a goal was made, and whose events are deleted. */
  readonly uncounted?: readonly number[];
}
