// Numbers that a double cannot hold stay as they were written, and nothing else of a body changes.

import fc from "fast-check";
import { expect, test } from "vitest";
import { parseJson } from "../../../core/formats/field.ts";
import { quoteNumbers } from "../../../core/formats/written-number.ts";
import { GROWTH_TIMES_MAX, growthOf } from "../../support/growth.ts";

const read = (text: string) => {
  const parsed = parseJson(text);
  if (!parsed.ok) throw new Error(parsed.rejection.message);
  return parsed.value;
};

test.each<[json: string, value: unknown]>([
  ["[12345678901234567890]", ["12345678901234567890"]],
  ['{"a": -9007199254740993}', { a: "-9007199254740993" }],
  ['{"a":1e400,"b":-1E+400}', { a: "1e400", b: "-1E+400" }],
  ["[1e-400, 0e-400, 0.0]", ["1e-400", 0, 0]],
  ["[3.14159265358979323846]", ["3.14159265358979323846"]],
  ["[0.1, 0.10000000000000001, 1e3, 1.5E2, 9007199254740991]", [0.1, 0.1, 1000, 150, 9007199254740991]],
  ["[1795262399000, 1795262399000123]", [1795262399000, 1795262399000123]],
  ['{"12345678901234567890":1,"a":[12345678901234567890]}', { "12345678901234567890": 1, a: ["12345678901234567890"] }],
  ['["\\"[12345678901234567890", ":1e400", "\\\\", 1e400]', ['"[12345678901234567890', ":1e400", "\\", "1e400"]],
])("[SPL-5] %s", (json, value) => {
  expect(read(json)).toEqual(value);
});

test.each(["[01234567890123456789]", '{1e400:"a"}', "[1e400,]", "[12345678901234567890", "[1e400e1]"])(
  "[SPL-5] %s is no JSON, as before",
  (json) => {
    expect(parseJson(json).ok).toBe(false);
  },
);

test("[SPL-5] what programs write that hold their numbers in doubles stays to the character", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const json = JSON.stringify(value);
      fc.pre(!/\d{16}|e\+/.test(json)); // beyond 2^53
      expect(quoteNumbers(json)).toBe(json);
    }),
    { numRuns: 1_000 },
  );
});

test("[SPL-5] a body of half a megabyte is read in time by its length, whatever it looks like", () => {
  for (const unit of ['"\\"', "1e400,", "-", '"', "[1e9", "9".repeat(50)]) {
    const read = (size: number) => void quoteNumbers(`[${unit.repeat(Math.ceil(size / unit.length))}`);
    expect(growthOf(read, 520_000), unit).toBeLessThan(GROWTH_TIMES_MAX);
  }
});
