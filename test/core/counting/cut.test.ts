// What is kept of a breakdown that does not fit: a shop's own values, whatever strangers with a tracking
// ID have sent beside them.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteWriter } from "../../../core/bytes.ts";
import { OTHER } from "../../../core/counting/dimension.ts";
import { type CountedValue, cutBreakdown, encodeBreakdown, zeroCounts } from "../../../core/counting/rollup.ts";
import { addVisitor, emptySketch } from "../../../core/counting/sketch.ts";
import { addMoney, type Money, noTakings } from "../../../core/counting/takings.ts";
import { hash64Hex } from "../../../core/hash.ts";
import { DIMENSION_BYTES_MAX, DIMENSION_VALUES_MAX, VALUE_SKETCH_PRECISION } from "../../../core/limits.ts";

const CURRENCIES = Intl.supportedValuesOf("currency");

/** A value that so many visitors have, with a payment of so many currencies. */
function countedOf(value: string, visitors: number, currencies = 0): CountedValue {
  const sketch = emptySketch(VALUE_SKETCH_PRECISION);
  for (let visitor = 0; visitor < visitors; visitor++) addVisitor(sketch, hash64Hex(`${value} ${visitor}`));
  const money = CURRENCIES.slice(0, currencies).reduce<Money>(
    (sum, currency) => addMoney(sum, [{ ...noTakings(currency), revenue: 1e9, gross_revenue: 1e9, payments: 1 }]),
    undefined,
  );
  const counts = { ...zeroCounts(), visitors, known: visitors, events: visitors, money: addMoney(money, undefined) };
  return { value, counts, sketch, others: undefined };
}

const list = (length: number, make: (index: number) => CountedValue) => Array.from({ length }, (_, at) => make(at));
const valuesOf = (entries: CountedValue[]) => cutBreakdown(entries).entries.map(({ value }) => value);

const shop = () => list(20, (at) => countedOf(`/product-${at}`, 10));
const FORGED: readonly (readonly [what: string, make: () => CountedValue[]])[] = [
  ["40 pages of 2,000 characters", () => list(40, (at) => countedOf(`/${at}-${"x".repeat(2_000)}`, 11))],
  ["200 pages of 1,000 letters of two bytes", () => list(200, (at) => countedOf(`/${at}-${"ü".repeat(1_000)}`, 11))],
  ["20 pages with money of every currency", () => list(20, (at) => countedOf(`/gift-${at}`, 11, CURRENCIES.length))],
  ["all of that", () => FORGED.slice(0, 3).flatMap(([, make]) => make())],
];

describe("[CNT-9] strangers", () => {
  test.each(FORGED)("a shop's own pages are named beside %s, and the cut is told", (_, make) => {
    const cut = cutBreakdown([...make(), ...shop()]);
    expect(cut.cut).toBe(true);
    expect(cut.entries.filter(({ value }) => value.startsWith("/product-")).length).toBe(20);
    expect(cut.entries.at(-1)?.value).toBe(OTHER);
    expect(encodeBreakdown(cut, new ByteWriter()).length).toBeLessThan(DIMENSION_BYTES_MAX);
  });

  test("long values are named where there is room for them", () => {
    const long = countedOf(`/${"x".repeat(2_000)}`, 11);
    expect(valuesOf([...shop(), long])).toContain(long.value);
    const many = list(DIMENSION_VALUES_MAX + 1, (at) => countedOf(`/${at}`, 1));
    expect(valuesOf([...many, long])).not.toContain(long.value);
  });

  test("a shop of many currencies has its largest values named, also where others are cut", () => {
    const many = list(600, (at) => countedOf(`/${at}`, 1));
    expect(valuesOf([...many, countedOf("Google", 1_000, 40), countedOf("Bing", 100, 40)])).toEqual(
      expect.arrayContaining(["Google", "Bing"]),
    );
  });
});

test("[CNT-9] what is kept does not depend on the order of the values, is theirs, and the rest adds up", () => {
  const entry = fc.record({
    length: fc.constantFrom(3, 100, 128, 129, 1_000, 2_000),
    visitors: fc.integer({ min: 1, max: 40 }),
    currencies: fc.constantFrom(0, 0, 1, 8, 9, CURRENCIES.length),
  });
  fc.assert(
    fc.property(fc.array(entry, { minLength: 30, maxLength: 120 }), fc.integer(), (raw, seed) => {
      const make = () =>
        raw.map(({ length, visitors, currencies }, at) => countedOf(`${at}`.padEnd(length, "x"), visitors, currencies));
      const turned = make();
      for (let at = turned.length - 1; at > 0; at--) {
        const other = Math.abs(Math.imul(seed ^ at, 0x9e3779b1)) % (at + 1);
        [turned[at], turned[other]] = [turned[other] as CountedValue, turned[at] as CountedValue];
      }
      const cut = cutBreakdown(make());
      const bytes = encodeBreakdown(cut);
      expect(encodeBreakdown(cutBreakdown(turned))).toEqual(bytes);
      expect(bytes.length).toBeLessThan(DIMENSION_BYTES_MAX);
      const sum = cut.entries.reduce((all, { counts }) => all + counts.events, 0);
      expect(sum).toBe(raw.reduce((all, { visitors }) => all + visitors, 0));
      expect(cut.entries.some(({ value }) => value === OTHER)).toBe(cut.cut);
    }),
    { numRuns: 60 },
  );
});
