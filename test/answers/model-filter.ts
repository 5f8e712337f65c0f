// The model's dimensions and filters: the values that an event has, and whether it is what a question wants.

import {
  distinct,
  entryOf,
  exitOf,
  isEngagement,
  isPageview,
  nameOf,
  type Seen,
  type Stored,
  type View,
} from "./model.ts";
import { AGENTS } from "./traffic.ts";

const GOALS: readonly (readonly [name: string, reaches: (stored: Stored) => boolean])[] = [
  ["Blog", (stored) => isPageview(stored) && stored.told.path.startsWith("/b")],
  ["Paid", (stored) => isPageview(stored) && stored.told.path === "/pay"],
  ["Signup", (stored) => stored.told.name === "signup"],
];

const named = (value: string | undefined, none: string) => [value === undefined || value === "" ? none : value];
const ofOrigin =
  (field: "source" | "referrer" | "channel" | "utm_source" | "utm_medium" | "utm_campaign", none: string) =>
  ({ visit }: Seen) =>
    named(visit.profile.told.origin[field], none);
const ofAgent =
  (field: "browser" | "os" | "device") =>
  ({ visit }: Seen) =>
    named(AGENTS[visit.profile.told.agent][field], "(not set)");

/** The values that an event has under each dimension. */
export const DIMENSIONS: Readonly<Record<string, (seen: Seen) => readonly string[]>> = {
  "event:page": ({ stored }) => [stored.told.path],
  "event:hostname": ({ stored }) => [stored.told.host],
  "event:name": ({ stored }) => [stored.told.name],
  "event:stream": ({ stored }) => [String(stored.told.stream)],
  "event:goal": ({ stored }) =>
    isEngagement(stored) ? [] : GOALS.filter(([, reaches]) => reaches(stored)).map(([name]) => name),
  "event:props:plan": ({ stored }) => named(stored.told.props["plan"], "(none)"),
  // A refund by its number alone is of the products that it takes back.
  "event:product": ({ stored: { told }, deed }) =>
    distinct(told.products.length > 0 ? told.products.map(nameOf) : (deed?.wares ?? []).map(({ name }) => name)),
  "visit:entry_page": ({ visit }) => named(entryOf(visit)?.told.path, "(none)"),
  "visit:exit_page": ({ visit }) => named(exitOf(visit)?.told.path, "(none)"),
  "visit:source": ofOrigin("source", "Direct / None"),
  "visit:referrer": ofOrigin("referrer", "Direct / None"),
  "visit:channel": ofOrigin("channel", "(not set)"),
  "visit:utm_source": ofOrigin("utm_source", "(not set)"),
  "visit:utm_medium": ofOrigin("utm_medium", "(not set)"),
  "visit:utm_campaign": ofOrigin("utm_campaign", "(not set)"),
  "visit:country": ({ visit }) => [visit.profile.told.country],
  "visit:browser": ofAgent("browser"),
  "visit:os": ofAgent("os"),
  "visit:device": ofAgent("device"),
};

export function fits(filter: unknown, seen: Seen, view: View): boolean {
  const [operator, second, clauses] = filter as readonly [string, unknown, readonly string[]];
  const inner = second as readonly unknown[];
  if (operator === "and") return inner.every((one) => fits(one, seen, view));
  if (operator === "or") return inner.some((one) => fits(one, seen, view));
  if (operator === "not") return !fits(second, seen, view);
  if (operator === "has_done")
    return view.seen.some((other) => other.visit === seen.visit && fits(second, other, view));
  if (operator === "has_not_done") return !fits(["has_done", second], seen, view);
  const values = DIMENSIONS[second as string]?.(seen) ?? [];
  const isFitting = (value: string) =>
    operator.startsWith("contains") ? clauses.some((part) => value.includes(part)) : clauses.includes(value);
  return values.some(isFitting) !== operator.endsWith("_not");
}

/**
 * Whether a filter says anything of goals or properties: those who could have converted are counted without it. An
 * `and` is asked part by part, as QRY-22 says; a choice or a negation goes as a whole.
 */
export function isOfGoals(filter: unknown): boolean {
  return /event:goal|event:props:/.test(JSON.stringify(filter));
}

/** Which values of a dimension filters leave, where an event may have several: those that all filters about it want. */
export function keeperOf(filters: readonly unknown[]): (dimension: string, value: string) => boolean {
  const all = filters.flatMap(conjunctionOf) as readonly (readonly [string, string, readonly string[]])[];
  const own = all.filter(([operator]) => operator === "is" || operator === "contains");
  return (name, value) =>
    own.every(([operator, about, clauses]) => {
      if (about !== name) return true;
      return operator === "is" ? clauses.includes(value) : clauses.some((part) => value.includes(part));
    });
}

/** The parts that must all hold. */
export function conjunctionOf(filter: unknown): readonly unknown[] {
  const [operator, parts] = filter as readonly [string, readonly unknown[]];
  return operator === "and" ? parts.flatMap(conjunctionOf) : [filter];
}
