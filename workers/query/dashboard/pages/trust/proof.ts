// What proves a shop's numbers, as the API tells it, and what it comes to in one sentence. Pure: no page is needed to
// try it.

import { addDays, type Dates, daysOf } from "../../address.ts";

/** A Day, or all of them: what came, and what became of it. */
interface Sum {
  readonly received: number;
  readonly counted: number;
  readonly outside_visits: number;
  /** By reason. */
  readonly dropped: Readonly<Record<string, number>>;
}

export interface Seal {
  readonly sealed_at: string | null;
  readonly generation: number;
  readonly manifest: string;
  readonly rows: number;
  readonly checksum: string | null;
  readonly settings: number | null;
}

export interface Day extends Sum {
  readonly date: string;
  readonly state: "open" | "closed" | "sealed" | "late" | "in_doubt";
  readonly adds_up: boolean;
  readonly compared: boolean;
  readonly differences: readonly { readonly what: string; readonly said: number; readonly recounted: number }[];
  readonly seals: readonly Seal[];
}

/** What `GET /api/v1/merchants/:id/proof` answers. */
export interface ProofAnswer extends Sum {
  readonly as_of: string;
  readonly rules: number;
  readonly adds_up: boolean;
  readonly differences: number;
  readonly days: readonly Day[];
}

/** What the API counts once more at a time. */
export const DAYS_MAX = 31;

/** The last Days of a range, as many as can be proven at once; none that is ahead. Undefined where all are ahead. */
export function lastDays(
  [from, to]: Dates,
  today: string,
): { readonly dates: Dates; readonly isCut: boolean } | undefined {
  const last = to > today ? today : to;
  if (from > last) return undefined;
  const isCut = daysOf([from, last]) > DAYS_MAX;
  return { dates: [isCut ? addDays(last, 1 - DAYS_MAX) : from, last], isCut };
}

/** Where it is asked for. */
export function proofPath(id: string, [from, to]: Dates): string {
  return `/api/v1/merchants/${encodeURIComponent(id)}/proof?from=${from}&to=${to}`;
}

/** What a proof says in one sentence, the worst first, and of how many it says it. */
export function verdictOf({
  received,
  differences,
  days,
}: ProofAnswer): readonly [verdict: "lost" | "differs" | "none" | "good", n: number] {
  const lost = days.filter(({ adds_up }) => !adds_up).length;
  if (lost > 0) return ["lost", lost];
  if (differences > 0) return ["differs", differences];
  return received === 0 ? ["none", 0] : ["good", received];
}

/** How far a Day is proven. One of which nothing came has no seal, and there is nothing to prove. */
export function stateOf({ state, received, seals }: Day): Day["state"] | "nothing" {
  return state === "sealed" && received === 0 && seals.length === 0 ? "nothing" : state;
}

/** How many events of a sum were left out. */
export function droppedOf({ dropped }: Sum): number {
  return Object.values(dropped).reduce((sum, count) => sum + count, 0);
}

/** Reasons with their counts, the most frequent first. */
export function reasonsOf({ dropped }: Sum): readonly (readonly [reason: string, count: number])[] {
  return Object.entries(dropped).toSorted(([a, some], [b, others]) => others - some || a.localeCompare(b));
}
