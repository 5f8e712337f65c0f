// Readers of single values from outside. Each takes an unknown value and returns an outcome. A refusal names the field,
// says what is wrong and what to send. A format is a list of fields that these readers read. Texts lose control
// characters and lone surrogates here, so no later step must think of them.

import { REVENUE_SCALE } from "../event.ts";
import type { Draft } from "../hit.ts";
import {
  ADDRESS_LENGTH_MAX,
  ENGAGEMENT_MS_MAX,
  ID_LENGTH_MAX,
  LANGUAGE_LENGTH_MAX,
  NAME_LENGTH_MAX,
  ORDER_LENGTH_MAX,
  PLACE_LENGTH_MAX,
  PROP_KEY_LENGTH_MAX,
  PROP_VALUE_LENGTH_MAX,
  PROPS_COUNT_MAX,
  REVENUE_MAX,
  SCREEN_LENGTH_MAX,
  TIMESTAMP_AHEAD_MS,
  TIMESTAMP_MIN_MS,
  TITLE_LENGTH_MAX,
  URL_LENGTH_MAX,
  USER_AGENT_LENGTH_MAX,
} from "../limits.ts";
import { isCurrency } from "../merchant.ts";
import { accepted, type Outcome, rejected } from "../outcome.ts";
import { parseDate } from "../time.ts";
import { isNoId } from "../visitor-id.ts";
import { mayLoseDigits, quoteNumbers } from "./written-number.ts";

/** Parses a body that should be JSON. A number that would lose digits becomes a text, as it was written. */
export function parseJson(text: string): Outcome<unknown> {
  try {
    const value: unknown = JSON.parse(text);
    const quoted = mayLoseDigits(text) ? quoteNumbers(text) : text;
    return accepted(quoted === text ? value : (JSON.parse(quoted) as unknown));
  } catch (error) {
    return rejected("invalid_json", `the body is not JSON: ${clean((error as Error).message).slice(0, 120)}`);
  }
}

export interface TextRule {
  readonly lengthMax: number;
  /**
   * Whether a longer text is cut. Otherwise it is refused. Titles are useful even if cut; keys are never cut.
   */
  readonly cut: boolean;
}

/** A text. Numbers become their digits. Absent and null become "". */
export function readText(field: string, value: unknown, { lengthMax, cut }: TextRule): Outcome<string> {
  if (value === undefined || value === null) return NO_TEXT;
  if (typeof value !== "string" && typeof value !== "number") {
    return rejected("invalid_field", `${field} must be a text, not ${kindOf(value)}`);
  }
  const text = clean(String(value));
  if (text.length <= lengthMax) return accepted(text);
  if (cut) return accepted(text.slice(0, lengthMax).toWellFormed());
  return rejected("invalid_field", `${field} has ${text.length} characters; at most ${lengthMax} are allowed`);
}

const NO_TEXT = accepted("");

/** The texts of a draft and their bounds, the same for every format. */
export const TEXT_RULES = {
  trackingId: { lengthMax: 64, cut: false },
  id: { lengthMax: ID_LENGTH_MAX, cut: false },
  visitorId: { lengthMax: ID_LENGTH_MAX, cut: false },
  name: { lengthMax: NAME_LENGTH_MAX, cut: false },
  url: { lengthMax: URL_LENGTH_MAX, cut: true },
  referrer: { lengthMax: URL_LENGTH_MAX, cut: true },
  title: { lengthMax: TITLE_LENGTH_MAX, cut: true },
  userAgent: { lengthMax: USER_AGENT_LENGTH_MAX, cut: true },
  language: { lengthMax: LANGUAGE_LENGTH_MAX, cut: true },
  screen: { lengthMax: SCREEN_LENGTH_MAX, cut: false },
  order: { lengthMax: ORDER_LENGTH_MAX, cut: false },
  country: { lengthMax: PLACE_LENGTH_MAX, cut: false },
  region: { lengthMax: PLACE_LENGTH_MAX, cut: true },
  city: { lengthMax: PLACE_LENGTH_MAX, cut: true },
  claimedAddress: { lengthMax: ADDRESS_LENGTH_MAX, cut: false },
  claimedUserAgent: { lengthMax: USER_AGENT_LENGTH_MAX, cut: true },
} as const satisfies Partial<Record<keyof Draft, TextRule>>;
export type TextName = keyof typeof TEXT_RULES;

/** A text field of a format: its name on the wire, and the text of a draft that it becomes. */
export type TextField = readonly [wire: string, name: TextName];

/**
 * Reads the texts that a format's table names. If several names on the wire mean one text, the first given one holds. A
 * value that is no id (`visitor-id.ts`) counts as not given where an id belongs.
 */
export function readTexts<Fields extends readonly TextField[]>(
  fields: Fields,
  value: Readonly<Record<string, unknown>>,
): Outcome<Record<Fields[number][1], string>> {
  const texts: Partial<Record<TextName, string>> = {};
  for (const [wire, name] of fields) {
    if (texts[name]) continue;
    const text = readText(wire, Object.hasOwn(value, wire) ? value[wire] : undefined, TEXT_RULES[name]);
    if (!text.ok) return text;
    texts[name] = name === "visitorId" && isNoId(text.value) ? "" : text.value;
  }
  return accepted(texts as Record<Fields[number][1], string>);
}

/** An instant as ms since 1970 or ISO 8601 (UTC when it names no offset), within the range events may have. */
export function readTimestamp(field: string, value: unknown, receivedAt: number): Outcome<number | undefined> {
  if (value === undefined || value === null || value === "") return accepted(undefined);
  const instant = typeof value === "number" ? value : typeof value === "string" ? parseInstant(value) : Number.NaN;
  const shown = typeof value === "number" ? String(value) : kindOf(value);
  if (!Number.isFinite(instant)) {
    return rejected(
      "invalid_timestamp",
      `${field} must be ms since 1970 or ISO 8601 such as 2026-11-21T14:00:00Z, not ${shown}`,
    );
  }
  if (instant < TIMESTAMP_MIN_MS) {
    const asSeconds = typeof value === "number" && isPossible(value * 1000, receivedAt);
    const hint = asSeconds ? "; it looks like seconds, send milliseconds" : "";
    return rejected("invalid_timestamp", `${field} ${shown} is before 2000-01-01${hint}`);
  }
  if (instant > receivedAt + TIMESTAMP_AHEAD_MS) {
    return rejected(
      "invalid_timestamp",
      `${field} ${shown} is more than ten minutes ahead of ${new Date(receivedAt).toISOString()}`,
    );
  }
  return accepted(Math.floor(instant));
}

/** A finite number in [min, max], rounded. Numeric texts are accepted. Absent and null become `absent`. */
export function readNumber(field: string, value: unknown, range: NumberRule): Outcome<number> {
  if (value === undefined || value === null || value === "") return accepted(range.absent);
  const number = typeof value === "number" ? value : typeof value === "string" ? Number(value) : Number.NaN;
  if (Number.isNaN(number)) return rejected("invalid_field", `${field} must be a number, not ${kindOf(value)}`);
  if (number < range.min || number > range.max) {
    return rejected("invalid_field", `${field} must be from ${range.min} to ${range.max}, not ${number}`);
  }
  return accepted(Math.round(number) + 0); // + 0 makes 0 of -0
}

export interface NumberRule {
  readonly min: number;
  readonly max: number;
  readonly absent: number;
}

/** A flag that is true unless the value says false. */
export function readFlag(field: string, value: unknown): Outcome<boolean> {
  if (value === undefined || value === null) return accepted(true);
  if (typeof value === "boolean") return accepted(value);
  return rejected("invalid_field", `${field} must be true or false, not ${kindOf(value)}`);
}

export const ENGAGEMENT_RULE: NumberRule = { min: 0, max: ENGAGEMENT_MS_MAX, absent: 0 };
export const SCROLL_RULE: NumberRule = { min: 0, max: 100, absent: -1 };

/** A switch: true or false, also as 1, 0 or their texts. Absent and null are off. */
export function readSwitch(field: string, value: unknown): Outcome<0 | 1> {
  const text = typeof value === "object" && value !== null ? "?" : String(value ?? false); // a tree may be deep
  if (text === "true" || text === "1") return accepted(1);
  if (text === "false" || text === "0" || text === "") return accepted(0);
  return rejected("invalid_field", `${field} must be true or false, not ${kindOf(value)}`);
}

/**
 * Properties: a flat object of texts, numbers and booleans. They become JSON of texts, without empty and null values.
 */
export function readProps(field: string, value: unknown): Outcome<string> {
  if (value === undefined || value === null) return accepted("");
  if (!isObject(value)) return rejected("invalid_field", `${field} must be an object, not ${kindOf(value)}`);
  const entries = Object.entries(value).filter(([, item]) => item !== null && item !== "");
  if (entries.length > PROPS_COUNT_MAX) {
    return rejected(
      "invalid_field",
      `${field} has ${entries.length} properties; at most ${PROPS_COUNT_MAX} are allowed`,
    );
  }
  const texts: [string, string][] = [];
  for (const [key, item] of entries) {
    if (typeof item === "object")
      return rejected(
        "invalid_field",
        `${field}.${shorten(key)} must be a text, number or boolean, not ${kindOf(item)}`,
      );
    const text = clean(String(item));
    const name = clean(key);
    if (name === "" || name.length > PROP_KEY_LENGTH_MAX)
      return rejected(
        "invalid_field",
        `${field} has a name of ${name.length} characters; 1 to ${PROP_KEY_LENGTH_MAX} are allowed`,
      );
    if (text.length > PROP_VALUE_LENGTH_MAX)
      return rejected(
        "invalid_field",
        `${field}.${shorten(key)} has ${text.length} characters; at most ${PROP_VALUE_LENGTH_MAX} are allowed`,
      );
    texts.push([name, text]);
  }
  return accepted(texts.length === 0 ? "" : JSON.stringify(Object.fromEntries(texts)));
}

export interface Revenue {
  /** Ten-thousandths of a unit. */
  readonly revenue: number;
  /** ISO 4217, or "" for the merchant's own. */
  readonly currency: string;
}

/** {"amount": 12.5, "currency": "EUR"}. Without a currency it is the merchant's own. A refund is negative. */
export function readRevenue(field: string, value: unknown): Outcome<Revenue> {
  if (value === undefined || value === null) return accepted({ revenue: 0, currency: "" });
  if (!isObject(value))
    return rejected("invalid_field", `${field} must be {"amount", "currency"}, not ${kindOf(value)}`);
  const max = REVENUE_MAX / REVENUE_SCALE;
  const raw = value["amount"];
  const amount =
    typeof raw === "number" ? raw : typeof raw === "string" && raw.trim() !== "" ? Number(raw) : Number.NaN;
  if (!Number.isFinite(amount) || Math.abs(amount) > max) {
    return rejected("invalid_field", `${field}.amount must be a number from -${max} to ${max}`);
  }
  const code = value["currency"] ?? "";
  const currency = typeof code === "string" ? code.toUpperCase() : "?";
  if (currency !== "" && !isCurrency(currency)) {
    return rejected("invalid_field", `${field}.currency must be an ISO 4217 code such as "EUR"`);
  }
  return accepted({ revenue: Math.round(amount * REVENUE_SCALE) + 0, currency });
}

/** A plain object, as JSON gives it. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A text without its control characters and lone surrogates. */
export function clean(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to take out
  return text.replace(/[\u0000-\u001f\u007f]/g, "").toWellFormed();
}

/**
 * The agent of the request's header, if it is a browser's. A merchant's server sends with an agent of its own (curl,
 * node, python-requests), which says nothing about the visitor. The visitor's agent is then unknown, unless the event
 * names it.
 */
export function visitorAgent(header: string): string {
  return /^(Mozilla|Opera)\//.test(header) ? header : "";
}

/** The first tag of an Accept-Language header. */
export function firstLanguage(header: string): string {
  return (/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*/.exec(header.trim())?.[0] ?? "").slice(0, LANGUAGE_LENGTH_MAX);
}

/** ISO 8601, or the digits of ms since 1970. A date that does not exist gives NaN. */
function parseInstant(text: string): number {
  const trimmed = text.trim();
  if (/^\d{12,13}$/.test(trimmed)) return Number(trimmed);
  const match = INSTANT.exec(trimmed);
  if (match === null || parseDate(match[1] ?? "") === undefined) return Number.NaN;
  const whole = match[0].replace(" ", "T");
  return Date.parse(whole.length > 10 && match[2] === undefined ? `${whole}Z` : whole);
}

const INSTANT = /^(\d{4}-\d{2}-\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/i;

function isPossible(instant: number, receivedAt: number): boolean {
  return instant >= TIMESTAMP_MIN_MS && instant <= receivedAt + TIMESTAMP_AHEAD_MS;
}

/**
 * Describes a value in a message. Only texts are repeated, shortened. Other values are named by their kind, because
 * they may be deep or huge.
 */
function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "string"
    ? `"${shorten(value)}"`
    : typeof value === "object"
      ? "an object"
      : `a ${typeof value}`;
}

function shorten(text: string): string {
  return clean(text).slice(0, 40);
}
