// Money on its way into an answer: sums however large add up to the same, in whatever order they come.

import { expect, test } from "vitest";
import { noTakings } from "../../../core/counting/takings.ts";
import { COUNT_MAX } from "../../../core/limits.ts";
import { addDated, foreignOf, type Purse, price, UNCONVERTED } from "../../../core/query/money.ts";

/** A purse of revenues of one Day. */
function purseOf(currency: string, revenues: readonly number[]): Purse {
  const purse: Purse = new Map();
  for (const revenue of revenues)
    addDated(purse, { day: currency === "EUR" ? 0 : 5, takings: { ...noTakings(currency), revenue } });
  return purse;
}

const HUGE = [COUNT_MAX, COUNT_MAX, COUNT_MAX, 7];
const GIVEN_BACK = HUGE.slice(0, 3).map((revenue) => -revenue);

const SUMS: readonly (readonly [what: string, revenues: readonly number[], sum: number])[] = [
  ["a few", [1, 2, -4], -1],
  ["as much as there may be", [COUNT_MAX], COUNT_MAX],
  ["more", HUGE, COUNT_MAX],
  ["more taken off", [...GIVEN_BACK, -7], -COUNT_MAX],
  ["more, and taken off again", [...HUGE, ...GIVEN_BACK], 7],
  ["taken off, and more", [...GIVEN_BACK, ...HUGE], 7],
];
test.each(SUMS)("[CNT-6] %s", (_, revenues, sum) => {
  expect(price(purseOf("EUR", revenues), "EUR", UNCONVERTED)).toEqual({
    takings: { ...noTakings("EUR"), revenue: sum },
    unconverted: undefined,
  });
});

test("[CNT-6] what is carried of a foreign currency is of that currency", () => {
  const purse = purseOf("USD", HUGE);
  expect(foreignOf([purse], "EUR")).toEqual({ currencies: ["USD", "EUR"], fromDay: 5, toDay: 6 });
  expect(price(purse, "EUR", UNCONVERTED).unconverted).toEqual([{ ...noTakings("USD"), revenue: COUNT_MAX }]);
  expect(price(purse, "EUR", (amount) => amount / 4).takings.revenue).toBe(COUNT_MAX / 4);
});
