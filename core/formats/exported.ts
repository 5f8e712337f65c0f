// Facts that another deployment of Footfall found out about an event and wrote into its export. Ordinary senders do not
// know them. They are accepted only from an import with an API key, so that a merchant can move between deployments and
// keep equal numbers. The export's place, agent and money are sent in the fields that every sender with a key may use.

import type { Event } from "../event.ts";
import { HINT_LENGTH_MAX, NAME_LENGTH_MAX, PLACE_LENGTH_MAX, REQUEST_EVENTS_MAX } from "../limits.ts";
import { accepted, type Outcome, rejected } from "../outcome.ts";
import { clean, isObject, readNumber, readText, readTimestamp } from "./field.ts";

/** The facts, named as the fields of an event. */
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

/** For each text: its column in an export, its field, what it must look like, and the words for that in a refusal. */
const TEXTS = [
  ["visitor", "visitor", /^[0-9a-f]{16}$/, "16 hexadecimal digits"],
  ["visitor_kind", "visitorKind", /^(daily|known)$/, '"daily" or "known"'],
  ["format", "format", /^[a-z0-9_-]{1,32}$/, "the name of a wire format"],
  ["purpose", "purpose", /^prefetch$/, '"prefetch"'],
  ["verified_bot", "verifiedBot", /^/, "a text"],
  ["hints", "hints", /^\{.*\}$/, "a JSON object as text"],
] as const;
/** `hints` is the longest: room for four hints, and for the quotes and names that JSON puts around them. */
const TEXT_RULE = { lengthMax: Math.max(PLACE_LENGTH_MAX, 5 * HINT_LENGTH_MAX), cut: false };
const NUMBERS = [
  ["asn", "asn", 0xffff_ffff],
  ["keyed", "keyed", 1],
  ["sequence", "sequence", REQUEST_EVENTS_MAX],
  ["passive", "passive", 1],
  ["fragment", "fragment", 1],
] as const;
/** How many names of rules on addresses `excluded` may have. */
const EXCLUDED_MAX = 20;

/** Reads the field `exported` of an event. Absent and null both mean that there are no such facts. */
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
