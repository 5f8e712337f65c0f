// Money on its way into an answer: sums by Day and currency, and what they are worth in the merchant's currency. Money
// is converted once for each Day and currency, after it is added up, so that an answer does not depend on how it was
// counted. Money without a known rate is not converted and never taken for 0: the answer lists it apart (`answer.ts`).

import {
  addMoney,
  addTakings,
  carryOf,
  isCarry,
  type Money,
  noTakings,
  TAKINGS,
  type Takings,
  uncarry,
} from "../counting/takings.ts";
import { convert, type RateTable, rateAt } from "../rate.ts";

/** Sums of one Day and currency. */
export interface DatedTakings {
  /** Number of the Day; 0 for the merchant's own currency, which needs no rate. */
  readonly day: number;
  readonly takings: Takings;
}

/** By Day and currency. */
export type Purse = Map<string, DatedTakings>;

/** Adds a Day's money; `home` is the merchant's currency. */
export function addToPurse(purse: Purse, money: Money, { day, home }: { readonly day: number; readonly home: string }) {
  for (const takings of money ?? []) addDated(purse, { day: takings.currency === home ? 0 : day, takings });
}

export function addDated(purse: Purse, { day, takings }: DatedTakings): void {
  const key = `${day} ${takings.currency}`;
  const known = purse.get(key);
  if (known === undefined) {
    purse.set(key, { day, takings: { ...takings } });
    return;
  }
  const carry = addTakings(known.takings, takings);
  if (carry !== undefined) addDated(purse, { day, takings: carry });
}

/** The sums of a purse. A sum that is too large for one number gets its carried amount back. */
function* wholesOf(purse: Purse): Iterable<DatedTakings> {
  for (const { day, takings } of purse.values()) {
    if (isCarry(takings.currency)) continue;
    const carried = purse.get(`${day} ${carryOf(takings.currency)}`);
    yield { day, takings: carried === undefined ? takings : uncarry(takings, carried.takings) };
  }
}

/** What an amount of another currency on a Day is worth, in ten-thousandths; undefined where no rate is known. */
export type Convert = (amount: number, of: { readonly currency: string; readonly day: number }) => number | undefined;

/** Converts nothing, because it knows no rates. */
export const UNCONVERTED: Convert = () => undefined;

/** Converts by the rates of a table. It must have the rates that `foreignOf` named. */
export function convertBy(rates: RateTable, into: string): Convert {
  return (amount, { currency, day }) => {
    if (amount === 0) return 0;
    const rate = rateAt(rates, { from: currency, to: into, day });
    return rate === undefined ? undefined : convert(amount, rate);
  };
}

/**
 * The currencies and the Days, [fromDay, toDay), that purses need rates for; undefined where all money is of the
 * merchant's own currency.
 */
export function foreignOf(
  purses: Iterable<Purse>,
  home: string,
): { readonly currencies: readonly string[]; readonly fromDay: number; readonly toDay: number } | undefined {
  const currencies = new Set<string>();
  let [fromDay, toDay] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const purse of purses) {
    for (const { day, takings } of wholesOf(purse)) {
      if (takings.currency === home) continue;
      currencies.add(takings.currency);
      fromDay = Math.min(fromDay, day);
      toDay = Math.max(toDay, day + 1);
    }
  }
  return currencies.size === 0 ? undefined : { currencies: [...currencies, home], fromDay, toDay };
}

export interface Priced {
  /** In the merchant's currency. */
  readonly takings: Takings;
  /** What could not be converted, by currency. */
  readonly unconverted: Money;
}

/** What a purse is worth. */
export function price(purse: Purse, home: string, convert: Convert): Priced {
  const takings = noTakings(home);
  let unconverted: Money;
  for (const { day, takings: own } of wholesOf(purse)) {
    const worth = own.currency === home ? own : convertAll(own, day, convert);
    if (worth === undefined) unconverted = addMoney(unconverted, [own]);
    else for (const taking of TAKINGS) takings[taking] += worth[taking];
  }
  return { takings, unconverted };
}

/** The metrics that are money. The others count events, orders and pieces. */
const AMOUNTS = ["revenue", "gross_revenue", "order_revenue", "product_revenue"] as const;

function convertAll(own: Takings, day: number, convert: Convert): Takings | undefined {
  const worth = { ...own };
  for (const amount of AMOUNTS) {
    const converted = convert(own[amount], { currency: own.currency, day });
    if (converted === undefined) return undefined;
    worth[amount] = converted;
  }
  return worth;
}
