// Money of one currency: what a cell, a rollup and each value of a breakdown has of it. Sums are kept in the currency they came
// in and converted when somebody asks (`query/money.ts`), because a rate may come, or be put right, after the event. All are
// integers that add up; most cells and values have none.

import type { ByteReader, ByteWriter } from "../bytes.ts";

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

export function noTakings(currency: string): Takings {
  return { currency, revenue: 0, gross_revenue: 0, order_revenue: 0, product_revenue: 0, payments: 0, orders: 0 };
}

/** The sum of two, ordered by currency. Neither is changed: what is added to is often shared. */
export function addMoney(a: Money, b: Money): Money {
  if (a === undefined || b === undefined) return a ?? b;
  const sum = a.map((one) => ({ ...one }));
  for (const more of b) {
    const known = sum.find(({ currency }) => currency === more.currency);
    if (known === undefined) sum.push({ ...more });
    else for (const taking of TAKINGS) known[taking] += more[taking];
  }
  return sum.length === 1 ? sum : sum.sort((one, other) => (one.currency < other.currency ? -1 : 1));
}

/** Without what came to nothing: equal sums have equal bytes. */
export function encodeMoney(money: Money, writer: ByteWriter): void {
  const filled = (money ?? []).filter((one) => TAKINGS.some((taking) => one[taking] !== 0));
  writer.unsigned(filled.length);
  for (const one of filled) {
    writer.text(one.currency);
    for (const taking of TAKINGS) writer.count(one[taking]);
  }
}

/** The inverse of `encodeMoney`. */
export function decodeMoney(reader: ByteReader): Money {
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
export function fromMoneyText(text: string): Money {
  if (text === "{}") return undefined;
  return Object.entries(JSON.parse(text) as Record<string, readonly number[]>).map(([currency, values]) => {
    const takings = noTakings(currency);
    for (const [at, taking] of TAKINGS.entries()) takings[taking] = values[at] ?? 0;
    return takings;
  });
}
