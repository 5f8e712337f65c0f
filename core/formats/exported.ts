// Facts of an event that another Footfall has archived: what no sender knows and an export tells. They come with an API
// key and an import alone, so that a merchant may move between deployments with equal numbers. What an export says of
// the place, the agent and the money is told by the fields that every keyed sender has.

import type { Event } from "../event.ts";
import { HINT_LENGTH_MAX, NAME_LENGTH_MAX, PLACE_LENGTH_MAX, REQUEST_EVENTS_MAX } from "../limits.ts";
import { accepted, type Outcome, rejected } from "../outcome.ts";
import { clean, isObject, readNumber, readText, readTimestamp } from "./field.ts";

/** Facts under the names of an event. */
export type Exported = Partial<
  Pick<
    Event,
    | "visitor"
    | "visitorKind"
    | "receivedAt"
    | "format"
    | "asn"
    | "verifiedBot"
    | "hints"
    | "excluded"
    | "keyed"
    | "sequence"
    | "passive"
    | "purpose"
    | "fragment"
  >
>;

/** Texts by their column, what they must look like, and how it is said. */
const TEXTS = [
  ["visitor", "visitor", /^[0-9a-f]{16}$/, "16 hexadecimal digits"],
  ["visitor_kind", "visitorKind", /^(daily|known)$/, '"daily" or "known"'],
  ["format", "format", /^[a-z0-9_-]{1,32}$/, "the name of a wire format"],
  ["purpose", "purpose", /^prefetch$/, '"prefetch"'],
  ["verified_bot", "verifiedBot", /^/, "a text"],
  ["hints", "hints", /^\{.*\}$/, "a JSON object as text"],
] as const;
/** Four hints, and what JSON puts around them. */
const TEXT_RULE = { lengthMax: Math.max(PLACE_LENGTH_MAX, 5 * HINT_LENGTH_MAX), cut: false };
const NUMBERS = [
  ["asn", "asn", 0xffff_ffff],
  ["keyed", "keyed", 1],
  ["sequence", "sequence", REQUEST_EVENTS_MAX],
  ["passive", "passive", 1],
  ["fragment", "fragment", 1],
] as const;
/** Names of rules on addresses. */
const EXCLUDED_MAX = 20;

/** Reads the `exported` of an event; absent and null are nothing. */
export function readExported(value: unknown, receivedAt: number): Outcome<Exported | undefined> {
  if (value === undefined || value === null) return accepted(undefined);
  if (!isObject(value)) return rejected("invalid_field", "exported must be an object of columns of an export");
  const facts: Record<string, string | number> = {};
  for (const [column, name, shape, expected] of TEXTS) {
    const text = readText(`exported.${column}`, value[column], TEXT_RULE);
    if (!text.ok) return text;
    if (text.value === "") continue;
    if (!shape.test(text.value)) return rejected("invalid_field", `exported.${column} must be ${expected}`);
    facts[name] = text.value;
  }
  for (const [column, name, max] of NUMBERS) {
    const number = readNumber(`exported.${column}`, value[column], { min: 0, max, absent: 0 });
    if (!number.ok) return number;
    facts[name] = number.value;
  }
  const received = readTimestamp("exported.received_at", value["received_at"], receivedAt);
  if (!received.ok) return received;
  if (received.value !== undefined) facts["receivedAt"] = received.value;
  const excluded = value["excluded"] ?? "";
  const names = typeof excluded === "string" ? excluded.split("\n") : undefined;
  if (names === undefined || names.length > EXCLUDED_MAX || names.some((name) => name.length > NAME_LENGTH_MAX))
    return rejected("invalid_field", "exported.excluded must be names of rules, a line each");
  facts["excluded"] = names.map(clean).join("\n");
  return accepted(facts as Exported);
}
