// Exchange rates by date, and the conversion of money. The deployment's rates are those that the European Central Bank
// publishes (rate-file.ts reads its files). A merchant may decide rates of its own. Nothing is counted by a rate:
// counters keep sums in the currencies that were paid, and an answer converts them. So a new or corrected rate also
// holds for the past at once, and nothing is counted again. docs/rules.md shows it by example.

import { COUNT_MAX, RATE_AGE_DAYS_MAX, RATES_KNOWN_MAX } from "./limits.ts";

/** The rates published on a Day: how much of each currency one euro is, such as {"USD": "1.0568"}. */
export interface PublishedRates {
  readonly day: number;
  readonly perEuro: Readonly<Record<string, string>>;
}

/** A merchant's decision: from a Day on, one unit of `currency` is `rate` units of `in`. */
export interface OwnRate {
  readonly currency: string;
  readonly in: string;
  /** The first Day it holds for; it holds until the next of the same two currencies. */
  readonly from: number;
  /** A decimal number, or THE_DEPLOYMENTS. */
  readonly rate: string;
}

/** From that Day on the deployment's rate holds again. */
export const THE_DEPLOYMENTS = "deployment";

export interface RateTable {
  /** Ascending by Day. */
  readonly published: readonly PublishedRates[];
  readonly own: readonly OwnRate[];
}

export const NO_RATES: RateTable = { published: [], own: [] };

/** The currency that published rates are told in. */
export const EURO = "EUR";

/** The factor of a conversion, as an exact fraction. */
export interface Rate {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** Money of one Day and currency, in ten-thousandths of a unit. */
export interface MoneySum {
  readonly day: number;
  readonly currency: string;
  readonly amount: number;
}

/** Which rate is asked for. */
export interface RateQuestion {
  readonly from: string;
  readonly to: string;
  readonly day: number;
}

/**
 * Converts sums of several Days and currencies into one currency. Sums of the same Day and currency are added first,
 * and each result is rounded once. `unconverted` is the number of sums without a rate. The amount leaves those out.
 */
export function convertMoney(
  sums: readonly MoneySum[],
  rates: RateTable,
  into: string,
): { readonly amount: number; readonly unconverted: number } {
  let amount = 0;
  let unconverted = 0;
  for (const sum of addedUp(sums)) {
    const rate = rateAt(rates, { from: sum.currency, to: into, day: sum.day });
    // Nothing is nothing in every currency.
    if (rate === undefined) unconverted += sum.amount === 0 ? 0 : 1;
    else amount = bounded(amount + convert(sum.amount, rate));
  }
  return { amount, unconverted };
}

/** An amount (a whole number of ten-thousandths) times a rate, rounded half away from zero. */
export function convert(amount: number, rate: Rate): number {
  if (amount === 0) return 0;
  const magnitude = Math.abs(amount);
  const rounded = multiplySmall(magnitude, rate) ?? multiply(magnitude, rate);
  return amount < 0 ? -rounded : rounded;
}

function multiply(magnitude: number, { numerator, denominator }: Rate): number {
  return bounded(Number((2n * BigInt(magnitude) * numerator + denominator) / (2n * denominator)));
}

/** The same in doubles, three times as fast. Undefined where a step would not be exact. */
function multiplySmall(magnitude: number, rate: Rate): number | undefined {
  const [numerator, denominator] = [Number(rate.numerator), Number(rate.denominator)];
  const product = magnitude * numerator;
  if (product > COUNT_MAX || denominator > COUNT_MAX) return undefined;
  const rest = product % denominator;
  const whole = (product - rest) / denominator;
  return rest * 2 >= denominator ? whole + 1 : whole;
}

/**
 * The rate that holds on a Day. The deployment's is the last one published before that Day, because the bank publishes
 * in the afternoon. A merchant's own rate holds from its Day on. Currencies without a common rate are joined by others
 * in as few steps as possible, by the merchant's own rates first: pounds become dollars by pounds per euro and dollars
 * per euro. Undefined where nothing joins them.
 */
export function rateAt(rates: RateTable, question: RateQuestion): Rate | undefined {
  const index = indexOf(rates);
  const pair = `${question.from} ${question.to}`;
  const found = index.found.get(pair) ?? new Map<number, Rate | undefined>();
  index.found.set(pair, found);
  if (!found.has(question.day)) {
    if (found.size >= RATES_KNOWN_MAX) found.clear();
    found.set(question.day, findRate(index, question));
  }
  return found.get(question.day);
}

/** A rate as a fraction, from a decimal number such as "1.0568". */
export function toRate(decimal: string): Rate {
  const [whole = "", fraction = ""] = decimal.split(".");
  return { numerator: BigInt(whole + fraction), denominator: 10n ** BigInt(fraction.length) };
}

/** A table of rates prepared for look-ups. */
interface Index {
  readonly published: readonly PublishedRates[];
  /** A merchant's own rates of two currencies ("EUR USD"), ascending by Day. */
  readonly own: ReadonlyMap<string, readonly OwnRate[]>;
  /** The currencies that the merchant's own rates join a currency with. */
  readonly joined: ReadonlyMap<string, readonly string[]>;
  /** Rates that were found before, by currencies and Day. An answer with many groups needs the same rate in each. */
  readonly found: Map<string, Map<number, Rate | undefined>>;
}

const indexes = new WeakMap<RateTable, Index>();

function indexOf(rates: RateTable): Index {
  const known = indexes.get(rates);
  if (known !== undefined) return known;
  const own = new Map<string, OwnRate[]>();
  const joined = new Map<string, string[]>();
  for (const rate of [...rates.own].sort((a, b) => a.from - b.from)) {
    const pair = pairOf(rate.currency, rate.in);
    const decided = own.get(pair);
    if (decided !== undefined) {
      decided.push(rate);
      continue;
    }
    own.set(pair, [rate]);
    joined.set(rate.currency, [...(joined.get(rate.currency) ?? []), rate.in].sort());
    joined.set(rate.in, [...(joined.get(rate.in) ?? []), rate.currency].sort());
  }
  const index: Index = { published: rates.published, own, joined, found: new Map() };
  indexes.set(rates, index);
  return index;
}

/** Searches breadth first. Entries that are added to the map while it is walked are walked last. */
function findRate(index: Index, { from, to, day }: RateQuestion): Rate | undefined {
  const reached = new Map<string, Rate>([[from, ONE]]);
  for (const [currency, rate] of reached) {
    if (currency === to) return rate;
    for (const [next, step] of stepsFrom(index, { from: currency, to, day }))
      if (!reached.has(next)) reached.set(next, times(rate, step));
  }
  return undefined;
}

const ONE: Rate = { numerator: 1n, denominator: 1n };

/** Currencies that one rate leads to, the merchant's own rates first. */
function* stepsFrom(index: Index, { from, to, day }: RateQuestion): Generator<readonly [currency: string, rate: Rate]> {
  for (const other of index.joined.get(from) ?? []) {
    const rate = ownRateAt(index, { from, to: other, day });
    if (rate !== undefined) yield [other, rate];
  }
  // From the euro it goes only to the wanted currency and to those that the merchant has joined with others.
  const others = from === EURO ? [to, ...index.joined.keys()] : [EURO];
  for (const other of others) {
    const rate = publishedRateAt(index, { from, to: other, day });
    if (rate !== undefined) yield [other, rate];
  }
}

/** The merchant's own rate between two currencies, whichever way round it is told. */
function ownRateAt({ own }: Index, { from, to, day }: RateQuestion): Rate | undefined {
  const decided = own.get(pairOf(from, to))?.findLast((rate) => rate.from <= day);
  if (decided === undefined || decided.rate === THE_DEPLOYMENTS) return undefined;
  const rate = toRate(decided.rate);
  return decided.currency === from ? rate : inverse(rate);
}

/** The rate between the euro and another currency that was published last before a Day. */
function publishedRateAt({ published }: Index, { from, to, day }: RateQuestion): Rate | undefined {
  const currency = from === EURO ? to : from;
  for (let at = countBefore(published, day) - 1; at >= 0; at--) {
    const rates = published[at] as PublishedRates;
    if (day - rates.day > RATE_AGE_DAYS_MAX) return undefined;
    const told = Object.hasOwn(rates.perEuro, currency) ? rates.perEuro[currency] : undefined;
    if (told !== undefined) return from === EURO ? toRate(told) : inverse(toRate(told));
  }
  return undefined;
}

/** How many Days of an ascending list lie before a Day. */
function countBefore(published: readonly PublishedRates[], day: number): number {
  let [low, high] = [0, published.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((published[middle] as PublishedRates).day < day) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Sums of different Days or currencies. The sums of counters are in order and have each once, so nothing is added
 * there.
 */
function addedUp(sums: readonly MoneySum[]): Iterable<MoneySum> {
  if (sums.every((sum, at) => at === 0 || isBefore(sums[at - 1] as MoneySum, sum))) return sums;
  const added = new Map<string, MoneySum>();
  for (const sum of sums) {
    const key = `${sum.day} ${sum.currency}`;
    const before = added.get(key);
    added.set(key, before === undefined ? sum : { ...sum, amount: bounded(before.amount + sum.amount) });
  }
  return added.values();
}

function isBefore(a: MoneySum, b: MoneySum): boolean {
  return a.day < b.day || (a.day === b.day && a.currency < b.currency);
}

/** Two currencies, whichever is named first. */
export function pairOf(one: string, other: string): string {
  return one < other ? `${one} ${other}` : `${other} ${one}`;
}

function times(a: Rate, b: Rate): Rate {
  return { numerator: a.numerator * b.numerator, denominator: a.denominator * b.denominator };
}

function inverse({ numerator, denominator }: Rate): Rate {
  return { numerator: denominator, denominator: numerator };
}

/** An amount within the bounds of counters. Only forged hits go beyond them. */
function bounded(amount: number): number {
  return Math.max(-COUNT_MAX, Math.min(COUNT_MAX, amount));
}
