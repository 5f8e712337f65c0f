// Rules as they come in: a parsed JSON value becomes `Rules` that cannot be wrong, or a message that names the field
// and says what to send. Every list may be left out. Unknown fields are refused. Hosts, blocks and lists get one
// spelling, so equal rules are equal texts. Reading a hostname needs a URL parser, which core does not have, so the
// caller passes one.

import { clean, isObject } from "./formats/field.ts";
import {
  CHANNEL_RULES_MAX,
  EXCLUSIONS_COUNT_MAX,
  GOALS_COUNT_MAX,
  HOSTNAMES_COUNT_MAX,
  NAME_LENGTH_MAX,
  PAGE_RULES_MAX,
  PATTERN_LENGTH_MAX,
  QUERY_KEPT_MAX,
  RULE_LIST_MAX,
  RULE_NAME_LENGTH_MAX,
  RULES_LENGTH_MAX,
  URL_LENGTH_MAX,
} from "./limits.ts";
import { parseNetwork } from "./network.ts";
import { accepted, type Outcome, rejected } from "./outcome.ts";
import { NO_RULES, type Rules } from "./rules.ts";

/** A hostname in its one spelling, or undefined for a text that is none. */
export type HostnameReader = (text: string) => string | undefined;

/**
 * Rules from a JSON value. The message of a rejection begins with the path of the field, such as "rules/goals/2/page".
 */
export function parseRules(value: unknown, hostnameOf: HostnameReader): Outcome<Rules> {
  const read = objectOf<Rules>(RULE_READERS(hostnameOf))(value, ROOT);
  if (!read.ok) return read;
  const rules = { ...NO_RULES, ...read.value };
  const twice = firstTwice(rules);
  if (twice !== undefined) return wrong(at(ROOT, twice), "names the same thing twice; give each its own name");
  const { length } = JSON.stringify(rules);
  if (length <= RULES_LENGTH_MAX) return accepted(rules);
  return wrong(ROOT, `take ${length} characters of JSON; at most ${RULES_LENGTH_MAX} are possible`);
}

const ROOT = "rules";

/** Reads one place of the rules. */
type Reader<T> = (value: unknown, place: string) => Outcome<T>;
type Readers<T> = { readonly [Name in keyof T]-?: Reader<NonNullable<T[Name]>> };

const pattern = textOf(PATTERN_LENGTH_MAX);
const name = textOf(RULE_NAME_LENGTH_MAX);
const asn: Reader<number> = (value, place) =>
  Number.isSafeInteger(value) && (value as number) > 0 && (value as number) < 2 ** 32
    ? accepted(value as number)
    : wrong(place, "must be the number of an autonomous system, such as 64500");
const network: Reader<string> = (value, place) => {
  const parsed = typeof value === "string" ? parseNetwork(value) : undefined;
  return parsed === undefined
    ? wrong(place, 'must be an address or a CIDR block, such as "203.0.113.0/24" or "2001:db8::/32"')
    : accepted(parsed);
};
const page: Reader<string> = (value, place) => {
  const read = textOf(URL_LENGTH_MAX)(value, place);
  return read.ok && !read.value.startsWith("/") ? wrong(place, 'must begin with "/"') : read;
};
const truth: Reader<boolean> = (value, place) =>
  typeof value === "boolean" ? accepted(value) : wrong(place, "must be true or false");

/** Every field of the rules and how it is read: the table of contents. */
const RULE_READERS = (hostnameOf: HostnameReader): Readers<Rules> => {
  const host: Reader<string> = (value, place) => {
    const parsed = typeof value === "string" ? hostnameOf(value) : undefined;
    return parsed === undefined
      ? wrong(place, 'must be a hostname such as "shop.example.com", without scheme, port or path')
      : accepted(parsed);
  };
  const match = { event: pattern, page: pattern };
  const clues = { source: pattern, medium: pattern, campaign: pattern, referrer: pattern };
  return {
    bots: choiceOf(pattern),
    referrers: choiceOf(host),
    returns: choiceOf(host),
    addresses: listOf(
      EXCLUSIONS_COUNT_MAX,
      objectOf({ name, networks: listOf(RULE_LIST_MAX, network) }, ["name", "networks"]),
    ),
    asns: choiceOf(asn),
    hostnames: listOf(HOSTNAMES_COUNT_MAX, host),
    paths: withBlanks(
      NO_RULES.paths,
      objectOf<Rules["paths"]>({
        strip_ids: truth,
        keep_query: listOf(QUERY_KEPT_MAX, textOf(NAME_LENGTH_MAX)),
        replace: listOf(PAGE_RULES_MAX, objectOf({ match: pattern, page }, ["match", "page"])),
      }),
    ),
    channels: listOf(
      CHANNEL_RULES_MAX,
      withOneOf(Object.keys(clues), objectOf<Rules["channels"][number]>({ channel: name, ...clues }, ["channel"])),
    ),
    goals: listOf(
      GOALS_COUNT_MAX,
      withOneOf(Object.keys(match), objectOf<Rules["goals"][number]>({ name, ...match }, ["name"])),
    ),
    orders: withBlanks(NO_RULES.orders, objectOf<Rules["orders"]>({ keyed_only: truth })),
  };
};

/** A text that is not blank. Texts lose control characters, as those of events do. */
function textOf(lengthMax: number): Reader<string> {
  return (value, place) => {
    const text = typeof value === "string" ? clean(value).trim() : "";
    if (text !== "" && text.length <= lengthMax) return accepted(text);
    return wrong(place, `must be a text of 1 to ${lengthMax} characters`);
  };
}

/** A list without repetitions. */
function listOf<T>(countMax: number, reader: Reader<T>): Reader<readonly T[]> {
  return (value, place) => {
    if (!Array.isArray(value) || value.length > countMax)
      return wrong(place, `must be a list of at most ${countMax} entries`);
    const entries = new Map<string, T>();
    for (const [index, item] of value.entries()) {
      const read = reader(item, `${place}/${index}`);
      if (!read.ok) return read;
      entries.set(JSON.stringify(read.value), read.value);
    }
    return accepted([...entries.values()]);
  };
}

/** An object of known fields. Those that are not `required` may be left out. */
function objectOf<T>(readers: Readers<T>, required: readonly (keyof T & string)[] = []): Reader<T> {
  return (value, place) => {
    if (!isObject(value)) return wrong(place, "must be a JSON object");
    const known = Object.keys(readers);
    const unknown = Object.keys(value).find((key) => !known.includes(key));
    if (unknown !== undefined)
      return wrong(at(place, unknown.slice(0, NAME_LENGTH_MAX)), `is not known; known: ${known.join(", ")}`);
    const fields: Record<string, unknown> = {};
    for (const key of known as (keyof T & string)[]) {
      if (value[key] === undefined) {
        if (required.includes(key)) return wrong(at(place, key), "is missing");
        continue;
      }
      const read = readers[key](value[key], at(place, key));
      if (!read.ok) return read;
      fields[key] = read.value;
    }
    return accepted(fields as T);
  };
}

function choiceOf<T>(reader: Reader<T>): Reader<{ readonly drop: readonly T[]; readonly admit: readonly T[] }> {
  const list = listOf(RULE_LIST_MAX, reader);
  return withBlanks({ drop: [], admit: [] }, objectOf({ drop: list, admit: list }));
}

function withBlanks<T>(blanks: T, reader: Reader<T>): Reader<T> {
  return (value, place) => {
    const read = reader(value, place);
    return read.ok ? accepted({ ...blanks, ...read.value }) : read;
  };
}

function withOneOf<T extends object>(keys: readonly string[], reader: Reader<T>): Reader<T> {
  return (value, place) => {
    const read = reader(value, place);
    return read.ok && !keys.some((key) => key in read.value) ? wrong(place, `needs one of ${keys.join(", ")}`) : read;
  };
}

/**
 * The path of the first name that is used twice. Several channel rules may lead to one channel, but goals may not share
 * a name.
 */
function firstTwice({ goals, addresses }: Rules): string | undefined {
  if (new Set(goals.map((goal) => goal.name)).size < goals.length) return "goals";
  if (new Set(addresses.map((entry) => entry.name)).size < addresses.length) return "addresses";
  return undefined;
}

function at(place: string, key: string): string {
  return `${place}/${key}`;
}

function wrong(place: string, what: string) {
  return rejected("invalid_field", `${place} ${what}`);
}
