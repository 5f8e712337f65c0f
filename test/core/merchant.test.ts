// A merchant's currencies: which one an event is in, before, across and after a change.

import { describe, expect, test } from "vitest";
import { CURRENCY_PERIODS_MAX } from "../../core/limits.ts";
import { changeCurrency, currencyAt, currencyOf } from "../../core/merchant.ts";

const NOTICE = 1_800;
const changed = (settings: Parameters<typeof changeCurrency>[0], currency: string, now: number) => {
  const currencies = changeCurrency(settings, { currency, now, noticeMs: NOTICE });
  if (currencies === "full") throw new Error("full");
  return { currency, currencies };
};
const EURO = { currency: "EUR" };

describe("[MER-8] an event without a currency is in the merchant's at its time", () => {
  const dollar = changed(EURO, "USD", 10_000);

  test.each([
    ["", 0, "EUR"],
    ["", 11_799, "EUR"],
    ["", 11_800, "USD"],
    ["GBP", 11_799, "GBP"],
    ["EUR", 20_000, "EUR"],
  ])("%j at %d is %s", (currency, timestamp, expected) => {
    expect(currencyOf({ currency, timestamp }, dollar)).toBe(expected);
  });

  test("without a change it is the one currency, always", () => {
    expect([0, 5e12].map((instant) => currencyAt(EURO, instant))).toEqual(["EUR", "EUR"]);
  });

  test("changed again, and back", () => {
    const franc = changed(dollar, "CHF", 50_000);
    const back = changed(franc, "EUR", 90_000);
    expect([0, 11_800, 51_800, 91_800].map((at) => currencyAt(back, at))).toEqual(["EUR", "USD", "CHF", "EUR"]);
  });

  test("a change that is taken back before it begins holds for as long as partitions may know it", () => {
    const back = changed(dollar, "EUR", 11_000);
    expect([11_799, 11_800, 12_799, 12_800].map((at) => currencyAt(back, at))).toEqual(["EUR", "USD", "USD", "EUR"]);
    // At the same moment it never was.
    expect(changed(dollar, "EUR", 10_000)).toEqual({ currency: "EUR", currencies: [] });
    const again = changed(dollar, "USD", 11_000);
    expect(again).toEqual(dollar);
  });

  test("what was known for an earlier instant stays, whatever is changed later", () => {
    let settings: Parameters<typeof changeCurrency>[0] = EURO;
    for (let at = 1; at < CURRENCY_PERIODS_MAX; at++) {
      const next = changed(settings, at % 2 === 0 ? "EUR" : "USD", at * 1_000);
      for (let instant = 0; instant < at * 1_000 + NOTICE; instant += 500)
        expect(currencyAt(next, instant)).toBe(currencyAt(settings, instant));
      settings = next;
    }
    expect(changeCurrency(settings, { currency: "CHF", now: 1e9, noticeMs: NOTICE })).toBe("full");
  });
});
