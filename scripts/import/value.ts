// Values as exports of other products hold them, read without trust: a text, an object or a list where there is one,
// and otherwise an empty one. All sources read with these.

import type { ImportedEvent } from "./row.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** A text or a number as text; "" for anything else. */
export function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/** An object; an empty one for anything else, lists included. */
export function objectOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** The objects in a list; none for anything else. */
export function objectsOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(objectOf) : [];
}

/** An object that may stand as a text of JSON; an empty one for nothing, undefined for what is none. */
export function objectInText(value: unknown): Fields | undefined {
  if (value === undefined || value === null || value === "") return {};
  const parsed = typeof value === "string" ? jsonOf(value) : value;
  return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) ? (parsed as Fields) : undefined;
}

/** The value of a text of JSON; undefined for a text that is none. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // a SyntaxError: who asks says what is wrong
  }
}

/** What says that it is not known is "". */
export function known(value: unknown): string {
  const text = textOf(value);
  return /^\((not set|none|not provided|other)\)$/.test(text) ? "" : text;
}

type Texts = Partial<Record<keyof ImportedEvent, string>>;

/** The texts that say something. */
export function filled(texts: Texts): Partial<ImportedEvent> {
  return Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== ""));
}

/** A number that a text writes; undefined where it writes none. */
export function numberOf(value: unknown): number | undefined {
  const text = textOf(value).trim();
  const number = text === "" ? Number.NaN : Number(text);
  return Number.isFinite(number) ? number : undefined;
}

/** Money; nothing where the amount is no number. */
export function moneyOf(amount: unknown, currency: string): Pick<ImportedEvent, "revenue"> {
  const number = numberOf(amount);
  return number === undefined ? {} : { revenue: { amount: number, ...(currency !== "" && { currency }) } };
}

/** The region of ISO 3166-2 from a country's two letters and the region's code within it: "AT-9". */
export function regionOf(country: string, code: string): string {
  if (country === "" || code === "") return "";
  return code.startsWith(`${country}-`) ? code : `${country}-${code}`;
}
