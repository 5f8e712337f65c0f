// Rates as the API takes them. The deployment's say of a Day how much of each currency one euro is. A merchant's own
// say of two currencies how much one unit of the first is in the second. They are read as strictly as rules
// (rule-parser.ts): a refusal names the entry that is wrong.

import { isObject } from "./formats/field.ts";
import { RATE_DAY_MIN, RATE_FILE_CURRENCIES_MAX, RATES_SENT_MAX } from "./limits.ts";
import { isCurrency } from "./merchant.ts";
import { accepted, type Outcome, rejected } from "./outcome.ts";
import { EURO, type OwnRate, pairOf, THE_DEPLOYMENTS } from "./rate.ts";
import { isCurrencyShaped, isRateText } from "./rate-file.ts";
import { DAY_MS, dateOf, parseDate } from "./time.ts";

/** New rates of a Day. Null removes a currency's rate. */
export interface PublishedChange {
  readonly day: number;
  readonly perEuro: Readonly<Record<string, string | null>>;
}

/** An own rate to be set. Null removes the decision for that Day. */
export type OwnChange = Omit<OwnRate, "rate"> & { readonly rate: string | null };

/** Reads rates of the deployment. `dayMax` is the last Day whose rates can be known. */
export function parsePublished(value: unknown, dayMax: number): Outcome<readonly PublishedChange[]> {
  return readEach(
    value,
    (entry, place) => readPublished(entry, { place, dayMax }),
    ({ day }) => String(day),
  );
}

export function parseOwnRates(value: unknown): Outcome<readonly OwnChange[]> {
  return readEach(value, readOwn, (change) => `${change.from} ${pairOf(change.currency, change.in)}`);
}

type Reader<T> = (entry: unknown, place: string) => Outcome<T>;

function readEach<T>(value: unknown, read: Reader<T>, nameOf: (entry: T) => string): Outcome<readonly T[]> {
  if (!Array.isArray(value)) return wrong("rates must be a list");
  if (value.length === 0 || value.length > RATES_SENT_MAX)
    return wrong(`rates must have from 1 to ${RATES_SENT_MAX} entries, not ${value.length}`);
  const entries: T[] = [];
  const places = new Map<string, string>();
  for (const [at, given] of value.entries()) {
    const place = `rates/${at}`;
    const entry = read(given, place);
    if (!entry.ok) return entry;
    const name = nameOf(entry.value);
    const first = places.get(name);
    if (first !== undefined) return wrong(`${place} is about the same as ${first}`);
    places.set(name, place);
    entries.push(entry.value);
  }
  return accepted(entries);
}

function readPublished(
  entry: unknown,
  { place, dayMax }: { readonly place: string; readonly dayMax: number },
): Outcome<PublishedChange> {
  const fields = fieldsOf(entry, place, ["date", "per_euro"]);
  if (!fields.ok) return fields;
  const day = dayOf(fields.value["date"]);
  if (day === undefined) return wrong(`${place}/date must be ${A_DATE}`);
  if (day > dayMax)
    return wrong(`${place}/date is still to come: the last Day whose rates can be known is ${dateOf(dayMax)}`);
  const given = fields.value["per_euro"];
  if (!isObject(given)) return wrong(`${place}/per_euro must be an object such as {"USD": "1.0568"}`);
  const perEuro = Object.entries(given);
  if (perEuro.length === 0 || perEuro.length > RATE_FILE_CURRENCIES_MAX)
    return wrong(`${place}/per_euro must have from 1 to ${RATE_FILE_CURRENCIES_MAX} currencies`);
  const rates: [string, string | null][] = [];
  for (const [currency, told] of perEuro) {
    if (!isCurrencyShaped(currency) || currency === EURO)
      return wrong(`${place}/per_euro has a name that is no ISO 4217 code of another currency than the euro`);
    const rate = told === null ? null : rateOf(told);
    if (rate === undefined) return wrong(`${place}/per_euro/${currency} must be ${A_RATE}, or null`);
    rates.push([currency, rate]);
  }
  return accepted({ day, perEuro: Object.fromEntries(rates) });
}

function readOwn(entry: unknown, place: string): Outcome<OwnChange> {
  const fields = fieldsOf(entry, place, ["currency", "in", "rate", "from"]);
  if (!fields.ok) return fields;
  const { currency, in: other, rate: told, from } = fields.value;
  if (typeof currency !== "string" || !isCurrency(currency)) return wrong(`${place}/currency must be ${A_CURRENCY}`);
  if (typeof other !== "string" || !isCurrency(other)) return wrong(`${place}/in must be ${A_CURRENCY}`);
  if (currency === other) return wrong(`${place}/in must be another currency than ${currency}`);
  const day = dayOf(from);
  if (day === undefined) return wrong(`${place}/from must be ${A_DATE}`);
  const rate = told === null || told === THE_DEPLOYMENTS ? told : rateOf(told);
  if (rate === undefined) return wrong(`${place}/rate must be ${A_RATE}, or "${THE_DEPLOYMENTS}", or null`);
  return accepted({ currency, in: other, rate, from: day });
}

const A_RATE = 'a decimal number above 0 as a text, such as "1.0568"';
const A_CURRENCY = 'an ISO 4217 currency such as "USD"';
const A_DATE = `a date from ${dateOf(RATE_DAY_MIN)} on, such as "2026-11-20"`;

/** A rate as text. A JSON number becomes the digits that JSON would write. */
function rateOf(told: unknown): string | undefined {
  const text = typeof told === "number" ? String(told) : told;
  return typeof text === "string" && isRateText(text) ? text : undefined;
}

function dayOf(date: unknown): number | undefined {
  const day = typeof date === "string" ? parseDate(date) : undefined;
  return day !== undefined && day >= RATE_DAY_MIN ? day : undefined;
}

function fieldsOf(entry: unknown, place: string, names: readonly string[]): Outcome<Readonly<Record<string, unknown>>> {
  if (!isObject(entry)) return wrong(`${place} must be an object with ${names.join(", ")}`);
  const missing = names.find((name) => !Object.hasOwn(entry, name));
  if (missing !== undefined) return wrong(`${place}/${missing} is missing`);
  if (Object.keys(entry).length > names.length)
    return wrong(`${place} has a field too many; known: ${names.join(", ")}`);
  return accepted(entry);
}

function wrong(message: string) {
  return rejected("invalid_field", message);
}

/** The last Day that has begun in some zone. Later Days can have no rate yet. */
export function lastRateDay(now: number): number {
  return Math.floor(now / DAY_MS) + 1;
}
