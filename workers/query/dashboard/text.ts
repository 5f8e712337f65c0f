// Words and numbers in the language of the page. Texts come from a catalogue (text/). Numbers, money, dates, and names
// of countries and languages come from the browser's Intl. Labels of buckets are dates in the merchant's zone, and no
// zone is applied to them again.

import texts from "#text";
import { boot } from "./boot.ts";
import type { DimensionName } from "./dimension.ts";
import { METRICS, type MetricName, type Value } from "./metric.ts";
import type { PageTexts } from "./pages/texts.ts";

type English = typeof import("./text/en.ts").default;
export type Key = keyof English;
export type Catalog = Readonly<Record<Key, string>>;
type Counted = { [K in Key]: K extends `${infer Stem}_other` ? Stem : never }[Key];
type Filling = Readonly<Record<string, string | number>>;

/** With the region that was chosen, or that the browser prefers: "en-GB" writes other dates than "en". */
export const locale =
  boot.region !== undefined
    ? `${boot.language}-${boot.region}`
    : (navigator.languages.find((tag) => tag.split("-")[0] === boot.language) ?? boot.language);

/** Makes a function that makes something at its first call: each of the browser's formatters takes milliseconds. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

const plural = once(() => new Intl.PluralRules(locale));

/** A text, with what stands in braces filled in. */
export function t(key: Key, filling: Filling = {}): string {
  return fill((texts as Catalog)[key], filling);
}

/** A text that depends on a number, in the form that the language has for it ("1 visitor", "2 visitors"). */
export function tn(stem: Counted, n: number, filling: Filling = {}): string {
  return pluralOf(texts, stem, n, filling);
}

/** A text whose name is made from another, such as that of a metric. */
export function named(key: string): string {
  return (texts as Readonly<Record<string, string>>)[key] ?? key;
}

/** The same functions for the texts of one page (pages/). Only the texts in the page's language are loaded. */
export function speak<English extends Readonly<Record<string, string>>>(texts: PageTexts<English>) {
  type Stem = { [K in keyof English]: K extends `${infer Own}_other` ? Own : never }[keyof English];
  const own: Readonly<Record<string, string>> = texts[boot.language as keyof PageTexts<English>];
  return {
    t: (key: keyof English & string, filling: Filling = {}) => fill(own[key] as string, filling),
    named: (key: string) => own[key] ?? key,
    tn: (stem: Stem, n: number, filling: Filling = {}) => pluralOf(own, stem, n, filling),
  };
}

function pluralOf(all: Readonly<Record<string, string>>, stem: string, n: number, filling: Filling): string {
  return fill(all[`${stem}_${plural().select(n)}`] ?? all[`${stem}_other`] ?? "", { ...filling, n: count(n) });
}

function fill(text: string, filling: Filling): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(filling[name] ?? whole));
}

const numbers = new Map<string, Intl.NumberFormat>();

function number(n: number, options: Intl.NumberFormatOptions): string {
  const key = JSON.stringify(options);
  const format = numbers.get(key) ?? new Intl.NumberFormat(locale, options);
  numbers.set(key, format);
  return format.format(n);
}

const clocks = new Map<string, Intl.DateTimeFormat>();

function clock(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = JSON.stringify(options);
  const format = clocks.get(key) ?? new Intl.DateTimeFormat(locale, options);
  clocks.set(key, format);
  return format;
}

/** A number with the separators of the language. */
export function count(n: number): string {
  return number(n, { maximumFractionDigits: 2 });
}

/** A change in per cent: 14 and -14 are both "14 %". The sign is left out, because words and arrows show it. */
export function percent(n: number): string {
  return number(Math.abs(n) / 100, PERCENT);
}

/** A share in per cent with one digit after the point, such as 0.032 as "3.2 %". */
export function finePercent(n: number): string {
  return number(n, { style: "percent", maximumFractionDigits: 1 });
}

const PERCENT = { style: "percent", maximumFractionDigits: 0 } as const;

/** An amount in its currency. */
export function money(n: number, currency: string, options: Intl.NumberFormatOptions = {}): string {
  return number(n, { style: "currency", currency, ...options });
}

/** A value of a metric as a reader wants it. No value is shown as a dash. */
export function value(metric: MetricName, given: Value | undefined, currency: string): string {
  if (given === null || given === undefined) return "–";
  const n = typeof given === "object" ? given.value : given;
  const { kind } = METRICS[metric];
  if (kind === "money") return money(n, typeof given === "object" ? given.currency : currency);
  if (kind === "percent") return number(n / 100, PERCENT);
  return kind === "seconds" ? duration(n) : count(n);
}

/** The same for an axis, where there is little room. */
export function axisValue(metric: MetricName, n: number, currency: string): string {
  const { kind } = METRICS[metric];
  if (kind === "money")
    return money(n, currency, { notation: "compact", minimumFractionDigits: 0, maximumFractionDigits: 1 });
  if (kind === "percent") return number(n / 100, PERCENT);
  return kind === "seconds" ? duration(n) : number(n, { notation: "compact", maximumFractionDigits: 1 });
}

/** Seconds as minutes and seconds. */
export function duration(seconds: number): string {
  const unit = (n: number, name: "minute" | "second") =>
    number(n, { style: "unit", unit: name, unitDisplay: "narrow" });
  const minutes = Math.floor(seconds / 60);
  const rest = Math.round(seconds % 60);
  return minutes === 0 ? unit(rest, "second") : `${unit(minutes, "minute")} ${unit(rest, "second")}`;
}

/** Formats a bucket's label, such as "2026-11-28 10:00:00": a time in the merchant's zone, which Intl takes as UTC. */
export function bucket(label: string, by: string, style: "axis" | "full"): string {
  const at = new Date(`${label.slice(0, 10)}T${label.slice(11) || "00:00:00"}Z`);
  const format = (options: Intl.DateTimeFormatOptions) => clock({ ...options, timeZone: "UTC" }).format(at);
  if (by === "hour") {
    const hour = { hour: "numeric", minute: "2-digit" } as const;
    // On the axis a day begins with its date.
    if (style === "axis" && at.getUTCHours() === 0) return format({ day: "numeric", month: "short" });
    return format(style === "axis" ? hour : { weekday: "short", day: "numeric", month: "short", ...hour });
  }
  if (by === "month") return format({ month: style === "axis" ? "short" : "long", year: "numeric" });
  return format({ ...(style === "full" && { weekday: "short" }), day: "numeric", month: "short" });
}

/** Two dates as a range, "22 – 28 Nov". */
export function dates(from: string, to: string): string {
  const format = clock({ day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
  return format.formatRange(new Date(`${from}T00:00Z`), new Date(`${to}T00:00Z`));
}

/** An instant as a time of the merchant's day. */
export function time(instant: string, timeZone: string): string {
  return clock({ timeStyle: "short", timeZone }).format(new Date(instant));
}

/** An instant as date and time of the merchant's day. */
export function moment(instant: string, timeZone: string): string {
  return clock({ dateStyle: "medium", timeStyle: "short", timeZone }).format(new Date(instant));
}

/** "Europe/Vienna" is "Vienna" to those who live there. */
export function zoneName(timeZone: string): string {
  return timeZone.split("/").at(-1)?.replaceAll("_", " ") ?? timeZone;
}

const countries = once(() => new Intl.DisplayNames(locale, { type: "region", fallback: "code" }));
const languages = once(() => new Intl.DisplayNames(locale, { type: "language", fallback: "code" }));

/** What a country is called. */
export function regionName(code: string): string {
  return countries().of(code) ?? code;
}

/** The name of a dimension's value, where readers would not know the API's word. */
export function valueName(dimension: DimensionName, raw: string): string {
  if (raw === "(not set)") return t("notSet");
  if (raw === "(none)") return t("none");
  if (raw === "(other)") return t("other");
  if (raw === "Direct / None") return t("direct");
  if (dimension === "country" && /^[A-Z]{2}$/.test(raw)) return regionName(raw);
  if (dimension === "language" && /^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*$/.test(raw)) return languages().of(raw) ?? raw;
  return Object.hasOwn(texts, `v_${raw}`) ? named(`v_${raw}`) : raw;
}
