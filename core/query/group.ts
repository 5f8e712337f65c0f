// What a question's rollups (`tally.ts`) or events (`scan.ts`) come to: its groups with their numbers, before metrics are
// computed from them. `answer.ts` does not see where they come from.

import type { Numbers } from "./metric.ts";

export interface Group {
  /** In the order of the question, as shown; a time label among them. */
  readonly dimensions: readonly string[];
  readonly numbers: Numbers;
}

export interface Groups {
  readonly groups: readonly Group[];
  /** The largest relative standard error of any number of visitors; 0 when all are exact. */
  readonly standardError: number;
  /** In so many buckets the smallest values of the dimension are only known added up. */
  readonly cutBuckets: number;
  readonly source: "rollups" | "archive";
}
