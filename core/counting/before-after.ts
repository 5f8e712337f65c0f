// What a verify reports of a merchant before anything is changed: the present numbers of its Days beside the numbers
// that a rebuild would give. The report is bounded: a part keeps its first merchants only, and the job adds up its
// parts.

import type { HeldRow } from "./difference.ts";
import type { RollupRow } from "./rollup-row.ts";

/** One number of a merchant's Day in one partition. */
export interface Total {
  /** The name of the number: a counter, or such as "revenue EUR" and "dropped bot". */
  readonly what: string;
  readonly before: number;
  readonly after: number;
}

const SHOWN = ["visitors", "visits", "pageviews", "events", "orders", "refunds"] as const;

/** The numbers of one merchant's Day; those that are 0 on both sides are left out. */
export function totalsOf(held: readonly HeldRow[], replayed: readonly RollupRow[]): readonly Total[] {
  const before = numbersOf(held.map(({ row }) => row));
  const after = numbersOf(replayed);
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].map((what) => ({ what, before: before.get(what) ?? 0, after: after.get(what) ?? 0 }));
}

function numbersOf(rows: readonly RollupRow[]): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  for (const { grain, counts, drops } of rows) {
    if (grain !== "day") continue;
    for (const name of SHOWN) if (counts[name] !== 0) numbers.set(name, counts[name]);
    for (const { currency, revenue } of counts.money ?? []) numbers.set(`revenue ${currency}`, revenue);
    for (const [reason, count] of Object.entries(drops)) numbers.set(`dropped ${reason}`, count);
  }
  return numbers;
}
