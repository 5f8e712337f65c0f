// Money in one currency, as a cell, a rollup and each value of a breakdown has it. Sums stay in the currency they came
// in. They are converted when somebody asks (`query/money.ts`), because a rate may come or be corrected after the
// event. All are integers that add up. Most cells and values have none.

import type { ByteReader, ByteWriter } from "../bytes.ts";
import { COUNT_MAX } from "../limits.ts";

/** The sums, in stored order. Money is in ten-thousandths of a unit. */
export const TAKINGS = [
  /** Earned less what was given back. */
  "revenue",
  /** Earned. */
  "gross_revenue",
  /** Of orders, less what was given back of orders. */
  "order_revenue",
  /** Price times quantity of the products sold, less those given back. */
  "product_revenue",
  /** How many events carried money. */
  "payments",
  /** How many orders. */
  "orders",
] as const;
export type Taking = (typeof TAKINGS)[number];

export type Takings = Record<Taking, number> & {
  /** ISO 4217. */
  readonly currency: string;
};

/** Ordered by currency, each once; undefined stands for none. */
export type Money = readonly Takings[] | undefined;
/** Money that no other object holds, so it may be changed. */
export type OwnMoney = Takings[] | undefined;

/**
 * Sums are exact however large they are, because a number that comes back from beyond 2^53 must leave the others as
 * they were (CNT-6). Half of this is the bound. Beyond it an amount is carried: 2^52 + 5 of "EUR" is 5 of "EUR" and 1
 * of "EUR+". Only forged hits come so far. `wholeMoney` puts the two together again before anything leaves a Day's
 * state or a question's purse.
 */
export const CARRIED = 2 ** 52;
const CARRY = "+";

export function noTakings(currency: string): Takings {
  return { currency, revenue: 0, gross_revenue: 0, order_revenue: 0, product_revenue: 0, payments: 0, orders: 0 };
}

/** The sum of two, ordered by currency, as a new one. */
export function addMoney(a: Money, b: Money): OwnMoney {
  return addMoneyTo(copyMoney(a), b);
}

export function copyMoney(money: Money): OwnMoney {
  return money?.map((one) => ({ ...one }));
}

/**
 * Adds `more` to a sum, or to a new one, and returns it. Each currency is found in a few steps, and nothing is copied
 * or sorted, because somebody may send all currencies there are.
 */
export function addMoneyTo(sum: OwnMoney, more: Money): OwnMoney {
  if (sum === undefined || more === undefined) return sum ?? copyMoney(more);
  for (const takings of more) addOne(sum, takings);
  return sum;
}

function addOne(sum: Takings[], more: Takings): void {
  const at = insertionIndex(sum, more.currency);
  const known = sum[at];
  if (known?.currency !== more.currency) {
    sum.splice(at, 0, { ...more });
    return;
  }
  const carry = addTakings(known, more);
  if (carry !== undefined) addOne(sum, carry);
}

/** The index of a currency, or where it would go. */
function insertionIndex(sum: readonly Takings[], currency: string): number {
  let [from, to] = [0, sum.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((sum[middle] as Takings).currency < currency) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Adds to takings of the same currency. Returns what must be carried, if anything must. */
export function addTakings(into: Takings, more: Takings): Takings | undefined {
  let carry: Takings | undefined;
  for (const taking of TAKINGS) {
    const sum = into[taking] + more[taking];
    const carried = carriedOf(sum);
    into[taking] = sum - carried * CARRIED;
    if (carried === 0) continue;
    carry ??= noTakings(carryOf(into.currency));
    carry[taking] = carried;
  }
  return carry;
}

/** How often CARRIED is carried from a sum of two. The rest is at least -CARRIED / 2, and less than CARRIED / 2. */
export function carriedOf(sum: number): number {
  return sum < CARRIED / 2 && sum >= -CARRIED / 2 ? 0 : Math.round(sum / CARRIED);
}

/** The name of a currency's carried amount. It sorts right behind the currency. */
export function carryOf(currency: string): string {
  return currency + CARRY;
}

export function isCarry(currency: string): boolean {
  return currency.endsWith(CARRY);
}

/** The sums with their carried amounts added. A sum beyond COUNT_MAX becomes COUNT_MAX (CNT-6). */
export function wholeMoney(money: OwnMoney): OwnMoney {
  if (money === undefined || !money.some(({ currency }) => isCarry(currency))) return money;
  const whole = new Map<string, Takings>();
  for (const one of money) {
    const currency = isCarry(one.currency) ? one.currency.slice(0, -CARRY.length) : one.currency;
    const known = whole.get(currency);
    whole.set(currency, isCarry(one.currency) ? uncarry(known ?? noTakings(currency), one) : one);
  }
  return [...whole.values()];
}

/** Takings with their carried amount added. Exact up to twice CARRIED; beyond that all is cut to COUNT_MAX anyway. */
export function uncarry(takings: Takings, carried: Takings): Takings {
  const whole = { ...takings };
  for (const taking of TAKINGS) {
    const sum = takings[taking] + carried[taking] * CARRIED;
    whole[taking] = Math.max(-COUNT_MAX, Math.min(COUNT_MAX, sum));
  }
  return whole;
}

/** Leaves out currencies whose sums are all 0, so that equal sums have equal bytes. */
export function encodeMoney(money: Money, writer: ByteWriter): void {
  const filled = (money ?? []).filter((one) => TAKINGS.some((taking) => one[taking] !== 0));
  writer.unsigned(filled.length);
  for (const one of filled) {
    writer.text(one.currency);
    for (const taking of TAKINGS) writer.count(one[taking]);
  }
}

/** The inverse of `encodeMoney`. */
export function decodeMoney(reader: ByteReader): OwnMoney {
  const length = reader.unsigned();
  if (length === 0) return undefined;
  return Array.from({ length }, () => {
    const takings = noTakings(reader.text());
    for (const taking of TAKINGS) takings[taking] = reader.signed();
    return takings;
  });
}

/** As D1 keeps it: `{"EUR":[…]}`, values in the order of TAKINGS. */
export function toMoneyText(money: Money): string {
  const byCurrency = (money ?? []).map((one) => [one.currency, TAKINGS.map((taking) => one[taking])]);
  return JSON.stringify(Object.fromEntries(byCurrency));
}

/** The inverse of `toMoneyText`. */
export function fromMoneyText(text: string): OwnMoney {
  if (text === "{}") return undefined;
  return Object.entries(JSON.parse(text) as Record<string, readonly number[]>).map(([currency, values]) => {
    const takings = noTakings(currency);
    for (const [at, taking] of TAKINGS.entries()) takings[taking] = values[at] ?? 0;
    return takings;
  });
}
