// The European Central Bank's file of reference rates, in the forms that it publishes: CSV (eurofxref.csv of one Day,
// eurofxref-hist.csv of all) and XML (eurofxref-daily.xml, eurofxref-hist-90d.xml, eurofxref-hist.xml). A file is read
// as a whole, or refused with the row that is wrong. If half a Day were read, some money would stay unconverted and
// nobody would know. An operator may add other currencies by a file of the same form.

import {
  RATE_DAY_MIN,
  RATE_FILE_CURRENCIES_MAX,
  RATE_FILE_DAYS_MAX,
  RATE_FILE_LENGTH_MAX,
  RATE_FRACTION_DIGITS_MAX,
  RATE_WHOLE_DIGITS_MAX,
} from "./limits.ts";
import { accepted, type Outcome, rejected } from "./outcome.ts";
import { EURO, type PublishedRates } from "./rate.ts";
import { dateOf, parseDate } from "./time.ts";

/** The Days of a file that have rates, ascending. */
export function parseRateFile(text: string): Outcome<readonly PublishedRates[]> {
  const plain = text.replace(/^\ufeff/, "");
  const read =
    text.length > RATE_FILE_LENGTH_MAX
      ? `The file has more than ${RATE_FILE_LENGTH_MAX} characters.`
      : /^\s{0,100}</.test(plain)
        ? readXml(plain)
        : readCsv(plain);
  if (typeof read === "string") return rejected("invalid_body", read);
  const days = [...read].map(([day, perEuro]) => ({ day, perEuro: Object.fromEntries(perEuro) }));
  const told = days.filter(({ perEuro }) => Object.keys(perEuro).length > 0);
  if (told.length === 0) return rejected("invalid_body", "The file has no rate of any Day.");
  return accepted(told.sort((a, b) => a.day - b.day));
}

/** Whether a text is a rate: a decimal number above zero, without an exponent. */
export function isRateText(text: string): boolean {
  return DECIMAL.test(text) && /[1-9]/.test(text);
}

/**
 * Whether a text is three capitals. The currency need not exist, because a file may know newer ones than the runtime.
 */
export function isCurrencyShaped(code: string): boolean {
  return /^[A-Z]{3}$/.test(code);
}

const DECIMAL = new RegExp(`^\\d{1,${RATE_WHOLE_DIGITS_MAX}}(\\.\\d{1,${RATE_FRACTION_DIGITS_MAX}})?$`);

/** Rates by currency. */
type DayRates = Map<string, string>;

/** `Date,USD,JPY,…` and a line for each Day. The daily file has blanks after its commas, writes dates out, and ends
 *  lines with a comma. */
function readCsv(text: string): ReadonlyMap<number, DayRates> | string {
  const lines = text.split(/\r\n|\n|\r/, RATE_FILE_DAYS_MAX + 2);
  if (lines.length > RATE_FILE_DAYS_MAX + 1) return `The file has more than ${RATE_FILE_DAYS_MAX} lines.`;
  const [first = "", ...rest] = lines;
  const currencies = readHeader(first);
  if (typeof currencies === "string") return currencies;
  const days = new Map<number, DayRates>();
  for (const [at, line] of rest.entries()) {
    if (line.trim() === "") continue;
    const problem = readLine(days, line, currencies);
    if (problem !== undefined) return `Line ${at + 2}: ${problem}.`;
  }
  return days;
}

function readHeader(line: string): readonly string[] | string {
  const [date = "", ...currencies] = cellsOf(line);
  if (date.toLowerCase() !== "date")
    return `The file must begin with "Date" and the codes of currencies, divided by commas, not with "${shorten(line)}".`;
  while (currencies.at(-1) === "") currencies.pop();
  if (currencies.length > RATE_FILE_CURRENCIES_MAX)
    return `The file has more than ${RATE_FILE_CURRENCIES_MAX} currencies.`;
  const unknown = currencies.find((code, at) => !isCurrencyShaped(code) || currencies.indexOf(code) !== at);
  if (unknown === undefined) return currencies;
  return `Line 1: "${shorten(unknown)}" is no ISO 4217 code, or is there twice.`;
}

function readLine(days: Map<number, DayRates>, line: string, currencies: readonly string[]): string | undefined {
  const [date = "", ...cells] = cellsOf(line);
  const rates = openDay(days, date);
  if (typeof rates === "string") return rates;
  for (const [at, cell] of cells.entries()) {
    if (cell === "" || cell === "N/A") continue;
    const currency = currencies[at];
    const problem = currency === undefined ? "there are more values than currencies" : addRate(rates, currency, cell);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** `<Cube time="2026-11-20"><Cube currency="USD" rate="1.0568"/>…</Cube>`, whatever else stands around it. */
function readXml(text: string): ReadonlyMap<number, DayRates> | string {
  const days = new Map<number, DayRates>();
  let rates: DayRates | string = "a rate stands before any date";
  let date = "The file";
  for (const [, attributes = ""] of text.matchAll(/<Cube\s([^<>]*)>/g)) {
    const [time, currency, rate] = [TIME, CURRENCY, RATE].map((pattern) => pattern.exec(attributes)?.[1]);
    if (time !== undefined) {
      date = shorten(time);
      rates = openDay(days, time);
    }
    const isRate = currency !== undefined && rate !== undefined;
    if (typeof rates === "string" && (isRate || time !== undefined)) return `${date}: ${rates}.`;
    const problem = isRate && typeof rates !== "string" ? addRate(rates, currency, rate) : undefined;
    if (problem !== undefined) return `${date}: ${problem}.`;
  }
  return days.size === 0 ? 'The file is XML and has no <Cube time="…"> with rates in it.' : days;
}

const TIME = /\btime\s?=\s?["']([^"']{0,40})["']/;
const CURRENCY = /\bcurrency\s?=\s?["']([^"']{0,40})["']/;
const RATE = /\brate\s?=\s?["']([^"']{0,40})["']/;

/** The rates of one more Day, or a text that says what is wrong with its date. */
function openDay(days: Map<number, DayRates>, date: string): DayRates | string {
  const day = parseFileDate(date);
  if (day === undefined || day < RATE_DAY_MIN)
    return `"${shorten(date)}" is no date from ${dateOf(RATE_DAY_MIN)} on, such as 2026-11-20 or 20 November 2026`;
  if (days.has(day)) return `${shorten(date)} is there twice`;
  if (days.size >= RATE_FILE_DAYS_MAX) return `there are more than ${RATE_FILE_DAYS_MAX} Days`;
  const rates: DayRates = new Map();
  days.set(day, rates);
  return rates;
}

function addRate(rates: DayRates, currency: string, rate: string): string | undefined {
  if (!isCurrencyShaped(currency)) return `"${shorten(currency)}" is no ISO 4217 code`;
  if (!isRateText(rate)) return `${currency} is "${shorten(rate)}"; a rate is a decimal number above 0, such as 1.0568`;
  if (currency === EURO) return undefined; // one euro is one euro
  if (rates.has(currency)) return `${currency} is there twice`;
  if (rates.size >= RATE_FILE_CURRENCIES_MAX) return `there are more than ${RATE_FILE_CURRENCIES_MAX} currencies`;
  rates.set(currency, rate);
  return undefined;
}

/** "2026-11-20", or "20 November 2026" as the daily CSV has it. */
function parseFileDate(told: string): number | undefined {
  const [, date = "", month = "", year = ""] = /^(\d{1,2}) ([A-Za-z]{3,9}) (\d{4})$/.exec(told) ?? [];
  if (date === "") return parseDate(told);
  const number = MONTHS.findIndex((name) => [name, name.slice(0, 3)].includes(month.toLowerCase())) + 1;
  return parseDate(`${year}-${String(number).padStart(2, "0")}-${date.padStart(2, "0")}`);
}

const MONTHS = [
  "january",
  "february",
  "march",
  "april",
  "may",
  "june",
  "july",
  "august",
  "september",
  "october",
  "november",
  "december",
];

function cellsOf(line: string): string[] {
  return line.split(",", RATE_FILE_CURRENCIES_MAX + 10).map((cell) => cell.trim());
}

function shorten(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?").slice(0, 40);
}
