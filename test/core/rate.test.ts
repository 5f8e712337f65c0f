// Exchange rates: which one holds on a Day, what money comes to by it, and what a merchant's own rates change.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { COUNT_MAX, RATE_AGE_DAYS_MAX } from "../../core/limits.ts";
import { convert, convertMoney, NO_RATES, type OwnRate, type RateTable, rateAt, toRate } from "../../core/rate.ts";
import { parseDate } from "../../core/time.ts";

const day = (date: string) => parseDate(date) as number;
/** Ten-thousandths. */
const money = (units: number) => Math.round(units * 10_000);

/** Friday and Thursday before, as the central bank published them. */
const PUBLISHED = [
  { day: day("2026-11-19"), perEuro: { USD: "1.0518", GBP: "0.83363", JPY: "163.07", TRY: "36.3891" } },
  { day: day("2026-11-20"), perEuro: { USD: "1.0562", GBP: "0.83323", JPY: "164.18" } },
];
const RATES: RateTable = { published: PUBLISHED, own: [] };
const own = (...rates: readonly (readonly [currency: string, other: string, rate: string, from: string])[]) => ({
  ...RATES,
  own: rates.map(([currency, other, rate, from]): OwnRate => ({ currency, in: other, rate, from: day(from) })),
});
/** What a hundred units come to, in units. */
const hundred = (rates: RateTable, from: string, to: string, date: string) => {
  const rate = rateAt(rates, { from, to, day: day(date) });
  return rate === undefined ? undefined : convert(money(100), rate) / 10_000;
};

describe("[RAT-2] the rate of a Day is the last that was published before it", () => {
  test.each([
    ["the first rate is not used on its own Day", "2026-11-19", undefined],
    ["Friday takes Thursday's", "2026-11-20", 95.0751],
    ["Saturday takes Friday's", "2026-11-21", 94.679],
    ["Monday takes Friday's", "2026-11-23", 94.679],
    ["fourteen Days later it still holds", "2026-12-04", 94.679],
    ["after fifteen it is too old", "2026-12-05", undefined],
  ])("%s", (_, date, expected) => {
    expect(hundred(RATES, "USD", "EUR", date)).toBe(expected);
  });

  test("a currency that was left out keeps the one from before, as long as it is not too old", () => {
    expect(hundred(RATES, "TRY", "EUR", "2026-11-21")).toBe(2.7481);
    expect(hundred(RATES, "TRY", "EUR", "2026-12-03")).toBe(2.7481);
    expect(hundred(RATES, "TRY", "EUR", "2026-12-04")).toBeUndefined();
  });

  test("it is what a search from Day to Day backwards finds, whatever was published", () => {
    const published = fc
      .uniqueArray(fc.integer({ min: 20_000, max: 20_060 }), { maxLength: 30 })
      .map((days) =>
        days
          .sort((a, b) => a - b)
          .map((at) => ({ day: at, perEuro: (at % 3 === 0 ? {} : { USD: `1.${at}` }) as Record<string, string> })),
      );
    fc.assert(
      fc.property(published, fc.integer({ min: 19_990, max: 20_080 }), (rates, asked) => {
        let expected: string | undefined;
        for (let back = 1; back <= RATE_AGE_DAYS_MAX && expected === undefined; back++)
          expected = rates.find(({ day: at }) => at === asked - back)?.perEuro["USD"];
        const found = rateAt({ published: rates, own: [] }, { from: "EUR", to: "USD", day: asked });
        expect(found).toEqual(expected === undefined ? undefined : toRate(expected));
      }),
    );
  });
});

describe("[RAT-3] money is converted exactly and rounded once", () => {
  test.each([
    ["EUR", "USD", 105.62],
    ["USD", "USD", 100],
    ["GBP", "USD", 126.7597], // 100 / 0.83323 × 1.0562, not by way of rounded euros
    ["JPY", "GBP", 0.5075],
    ["XAU", "EUR", undefined],
    ["EUR", "XAU", undefined],
  ])("100 %s in %s", (from, to, expected) => {
    expect(hundred(RATES, from, to, "2026-11-21")).toBe(expected);
  });

  test.each([
    [1, "0.5", 1],
    [-1, "0.5", -1],
    [1, "0.4999", 0],
    [3, "0.5", 2],
    [-3, "0.5", -2],
    [10_000_000_000_001, "1.000000000001", 10_000_000_000_011],
    [COUNT_MAX, "1000", COUNT_MAX],
    [-COUNT_MAX, "1000", -COUNT_MAX],
  ])(
    "%d times %s is %d: halves go away from zero, and no sum is beyond what counters hold",
    (amount, rate, expected) => {
      expect(convert(amount, toRate(rate))).toBe(expected);
    },
  );

  test("a Day and currency is rounded once, however many sums it comes in, and Days add up", () => {
    const sum = (date: string, amount: number) => ({ day: day(date), currency: "USD", amount });
    const whole = (sums: Parameters<typeof convertMoney>[0]) => convertMoney(sums, RATES, "EUR").amount;
    // 55 ten-thousandths of a yen are 0.33 of a euro's: each rounds to 0, and the three together to 1.
    const halves = [1, 2, 3].map(() => ({ day: day("2026-11-21"), currency: "JPY", amount: 55 }));
    expect(halves.map((half) => whole([half]))).toEqual([0, 0, 0]);
    expect(whole(halves)).toBe(1);
    const [friday, saturday] = [sum("2026-11-20", money(19.99)), sum("2026-11-21", money(19.99))];
    expect(whole([friday, saturday])).toBe(whole([friday]) + whole([saturday]));
  });

  test("it is the nearest whole number, halves away from zero, for any amount and rate", () => {
    const decimal = fc
      .tuple(
        fc.integer({ min: 0, max: 999_999_999 }),
        fc.bigInt({ min: 1n, max: 10n ** 12n - 1n }),
        fc.integer({ min: 0, max: 11 }),
      )
      .map(([whole, fraction, cut]) => `${whole}.${String(fraction).padStart(12, "0").slice(cut)}`)
      .filter((told) => /[1-9]/.test(told));
    const amounts = fc.oneof(fc.integer({ min: -1e6, max: 1e6 }), fc.integer({ min: -COUNT_MAX, max: COUNT_MAX }));
    fc.assert(
      fc.property(amounts, decimal, fc.boolean(), (amount, told, isInverse) => {
        const rate = toRate(told);
        const used = isInverse ? { numerator: rate.denominator, denominator: rate.numerator } : rate;
        const twice = 2n * BigInt(Math.abs(amount)) * used.numerator;
        // The largest whole number of which a half less is not beyond the exact product.
        const nearest = (twice + used.denominator) / (2n * used.denominator);
        const expected = Math.sign(amount) * Math.min(Number(nearest), COUNT_MAX);
        expect(convert(amount, used) + 0).toBe(expected + 0);
      }),
      { numRuns: 2_000 },
    );
  });

  test("many steps of many digits are exact as well", () => {
    const codes = [
      "AED",
      "ARS",
      "CLP",
      "COP",
      "EGP",
      "KES",
      "NGN",
      "PEN",
      "QAR",
      "RSD",
      "SAR",
      "TWD",
      "UAH",
      "UYU",
      "VND",
      "XAF",
      "XOF",
      "XPF",
    ];
    const steps = codes
      .slice(1)
      .map(
        (code, at) =>
          [codes[at] as string, code, at % 2 === 0 ? "123456789.123456789012" : "0.000000008", "2020-01-01"] as const,
      );
    const rates = own(...steps);
    const [there, back] = [
      ["AED", "XPF"],
      ["XPF", "AED"],
    ].map(([from = "", to = ""]) => rateAt(rates, { from, to, day: day("2026-11-21") }));
    expect(there?.numerator).toBe(back?.denominator);
    expect(there?.denominator).toBe(back?.numerator);
    expect(convert(0, there ?? toRate("1"))).toBe(0);
  });
});

describe("[RAT-4] money without a rate is unconverted", () => {
  const at = day("2026-11-21");

  test("it is not in the amount and not taken for 0; how many sums there are is said", () => {
    const sums = [
      { day: at, currency: "EUR", amount: money(10) },
      { day: at, currency: "USD", amount: money(10.562) },
      { day: at, currency: "VND", amount: money(500_000) },
      { day: at + 1, currency: "VND", amount: money(-500_000) },
      { day: at + 1, currency: "VND", amount: money(1) },
    ];
    expect(convertMoney(sums, RATES, "EUR")).toEqual({ amount: money(20), unconverted: 2 });
    expect(convertMoney(sums, NO_RATES, "EUR")).toEqual({ amount: money(10), unconverted: 3 });
    expect(convertMoney([], RATES, "EUR")).toEqual({ amount: 0, unconverted: 0 });
  });

  test("the example of docs/rules.md", () => {
    const [friday, saturday] = [day("2026-11-20"), day("2026-11-21")];
    const sums = [
      { day: friday, currency: "USD", amount: money(40) },
      { day: saturday, currency: "USD", amount: money(100) },
      { day: saturday, currency: "GBP", amount: money(50) },
      { day: saturday, currency: "VND", amount: money(500_000) },
    ];
    const alone = sums.map((sum) => convertMoney([sum], RATES, "EUR").amount / 10_000);
    expect(alone).toEqual([38.03, 94.679, 60.0074, 0]);
    expect(convertMoney(sums, RATES, "EUR")).toEqual({ amount: money(192.7164), unconverted: 1 });
  });

  test("nothing is nothing in every currency", () => {
    expect(convertMoney([{ day: at, currency: "VND", amount: 0 }], RATES, "EUR")).toEqual({
      amount: 0,
      unconverted: 0,
    });
  });
});

describe("[RAT-7] a merchant's own rates come before the deployment's", () => {
  test.each([
    ["from their Day on", own(["USD", "EUR", "0.9", "2026-11-21"]), "USD", "EUR", 90],
    ["not before it", own(["USD", "EUR", "0.9", "2026-11-22"]), "USD", "EUR", 94.679],
    ["told the other way round", own(["EUR", "USD", "1.25", "2026-11-01"]), "USD", "EUR", 80],
    ["into the other direction", own(["USD", "EUR", "0.8", "2026-11-01"]), "EUR", "USD", 125],
    [
      "until the next, told either way",
      own(["USD", "EUR", "0.9", "2026-01-01"], ["EUR", "USD", "2", "2026-11-01"]),
      "USD",
      "EUR",
      50,
    ],
    [
      "until the deployment's hold again",
      own(["USD", "EUR", "0.9", "2026-01-01"], ["USD", "EUR", "deployment", "2026-11-01"]),
      "USD",
      "EUR",
      94.679,
    ],
    ["years later too", own(["USD", "EUR", "0.9", "2020-01-01"]), "USD", "EUR", 90],
    ["and leave other currencies alone", own(["USD", "EUR", "0.9", "2026-01-01"]), "GBP", "EUR", 120.0149],
  ])("%s", (_, rates, from, to, expected) => {
    expect(hundred(rates, from, to, "2026-11-21")).toBe(expected);
  });
});

describe("[RAT-8] currencies that no rate joins are joined by others, in as few steps as there are", () => {
  const peg = ["USD", "AED", "3.6725", "2020-01-01"] as const;
  test.each([
    ["an own rate, then the deployment's", own(peg), "AED", "EUR", 25.7805], // 100 / 3.6725 / 1.0562
    ["the deployment's, then an own one", own(peg), "GBP", "AED", 465.5251],
    ["two of its own", own(peg, ["XPF", "USD", "0.009", "2020-01-01"]), "XPF", "AED", 3.3053],
    ["its own euro for other currencies too", own(["EUR", "USD", "2", "2020-01-01"]), "GBP", "USD", 240.0298],
    ["one of its own before two of the deployment's", own(["GBP", "USD", "1.3", "2020-01-01"]), "GBP", "USD", 130],
    ["the deployment's alone before two of its own", own(["GBP", "USD", "1.3", "2020-01-01"]), "GBP", "EUR", 120.0149],
    [
      "a circle leads nowhere",
      own(["XPF", "XOF", "2", "2020-01-01"], ["XOF", "XAF", "2", "2020-01-01"], ["XAF", "XPF", "2", "2020-01-01"]),
      "XPF",
      "EUR",
      undefined,
    ],
  ])("%s", (_, rates, from, to, expected) => {
    expect(hundred(rates, from, to, "2026-11-21")).toBe(expected);
  });
});
