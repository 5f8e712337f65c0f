// The API's proof of a shop's numbers, and the one sentence that sums it up. The functions are pure, so that tests need
// no page.

import { addDays, type Dates, daysOf } from "../../address.ts";
import type { RuleField } from "../rules/rule-text.ts";

/** The events of one Day, or of all Days: how many were received, and how many of them were counted or dropped. */
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

/** Names of one kind, the most frequent first. An empty name stands for one that is not known. */
export interface NamedEvents {
  readonly named: readonly { readonly name: string; readonly label?: string; readonly events: number }[];
  readonly others: number;
}

export const LEFT_OUT_LISTS = ["agents", "networks", "pages", "referrers"] as const;
export type LeftOutList = (typeof LEFT_OUT_LISTS)[number];
/** The agents, networks, pages and referrers of the events that were left out for one reason. */
export type LeftOut = Readonly<Record<LeftOutList, NamedEvents>>;

/** What `GET /api/v1/merchants/:id/proof` answers. */
export interface ProofAnswer extends Sum {
  readonly left_out: Readonly<Record<string, LeftOut>>;
  readonly as_of: string;
  readonly rules: number;
  readonly adds_up: boolean;
  readonly differences: number;
  readonly days: readonly Day[];
}

/** The largest number of Days that one proof may have. */
export const DAYS_MAX = 31;

/** The last Days of a range, as many as one proof may have, without Days after today. Undefined if all are after it. */
export function lastDays(
  [from, to]: Dates,
  today: string,
): { readonly dates: Dates; readonly isCut: boolean } | undefined {
  const last = to > today ? today : to;
  if (from > last) return undefined;
  const isCut = daysOf([from, last]) > DAYS_MAX;
  return { dates: [isCut ? addDays(last, 1 - DAYS_MAX) : from, last], isCut };
}

/** The address of a proof. */
export function proofPath(id: string, [from, to]: Dates): string {
  return `/api/v1/merchants/${encodeURIComponent(id)}/proof?from=${from}&to=${to}`;
}

/** The worst thing that a proof says, and a number for its sentence: Days that lost events, differences, or events. */
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

/** How far a Day is proven. A Day without events has no seal, so there is nothing to prove. */
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

/** The line that, added to the rules, makes events of such a name count that were left out; undefined if none would. */
export function lineFor(reason: string, list: LeftOutList, name: string): readonly [RuleField, string] | undefined {
  if (name === "") return undefined;
  if (reason === "bot" && list === "agents") return ["bots/admit", `*${name}*`];
  if (reason === "network" && list === "networks") return ["asns/admit", name];
  if (reason === "referrer" && list === "referrers") return ["referrers/admit", name];
  if (reason === "hostname" && list === "pages") return ["hostnames", name.split("/")[0] as string];
  return undefined;
}

/** The lists that have a name which is known. */
export function knownLists(leftOut: LeftOut): readonly LeftOutList[] {
  return LEFT_OUT_LISTS.filter((list) => leftOut[list].named.some(({ name }) => name !== ""));
}
