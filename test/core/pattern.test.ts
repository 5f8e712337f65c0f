// Patterns against regular expressions that say the same, and against texts that make careless matchers slow.

import fc from "fast-check";
import { expect, test } from "vitest";
import { matches, toPattern } from "../../core/pattern.ts";
import { GROWTH_TIMES_MAX, growthOf } from "../support/growth.ts";

test.each([
  ["/blog", "/blog", true],
  ["/blog", "/blog/", false],
  ["/blog*", "/blog/2026", true],
  ["*bot*", "a robot of ours", true],
  ["*Bot*", "a robot of ours", true],
  ["/a*c*e", "/abcde", true],
  ["/a*c*e", "/abde", false],
  ["aa*aa", "aaa", false],
  ["*a*a*", "a", false],
  ["*", "", true],
  ["a.c", "abc", false],
])("[RUL-3] the pattern %s and the text %s: %s", (pattern, text, expected) => {
  expect(matches(toPattern(pattern), text)).toBe(expected);
});

test("[RUL-3] a pattern matches what the regular expression with .* in its place would", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b", ".", "("), maxLength: 12 });
  const pattern = fc.string({ unit: fc.constantFrom("a", "b", ".", "(", "*", "B"), maxLength: 8 });
  fc.assert(
    fc.property(pattern, letters, (text, sample) => {
      const escaped = text.toLowerCase().replace(/[.(]/g, "\\$&").replaceAll("*", ".*");
      expect(matches(toPattern(text), sample)).toBe(new RegExp(`^${escaped}$`).test(sample));
    }),
    { numRuns: 2_000 },
  );
});

test("[RUL-3] the longest pattern takes time by the length of its text on the worst of texts", () => {
  const pattern = toPattern("*a".repeat(127));
  const search = (size: number) => {
    const text = `${"a".repeat(size)}b`;
    for (let round = 0; round < 100; round++) expect(matches(pattern, text)).toBe(false);
  };
  expect(growthOf(search, 2_048)).toBeLessThan(GROWTH_TIMES_MAX);
});
