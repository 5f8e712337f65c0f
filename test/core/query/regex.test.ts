// Regular expressions of filters: what they find is what JavaScript's own engine finds, and nothing makes them slow.

import fc from "fast-check";
import { expect, test } from "vitest";
import { QUESTION_STEPS_MAX } from "../../../core/limits.ts";
import { openBudget } from "../../../core/query/budget.ts";
import { finds, parseRegex } from "../../../core/query/regex.ts";
import { valueFrom } from "../../support/questions.ts";

const FOUND: readonly (readonly [pattern: string, found: readonly string[], missed: readonly string[]])[] = [
  ["^/blog/.*", ["/blog/", "/blog/a"], ["/a/blog/", "/blog"]],
  ["a|^b$|", ["", "x"], []],
  ["a{2,3}$", ["aa", "caaa"], ["a"]],
  ["(ab)+c", ["abc", "ababc"], ["ac"]],
  ["(?:a|b)?c{0}d", ["d", "ad", "bd"], ["c"]],
  ["[^a-z/]", ["A", "1", "日"], ["abc/"]],
  ["[]a]", ["]", "a"], ["b"]],
  ["[a\\]\\d-]", ["]", "7", "-"], ["b"]],
  ["[\\D]x", ["ax"], ["1x"]],
  ["\\bcat\\b", ["cat", "a cat."], ["concat"]],
  ["\\Bcat", ["concat"], ["cat"]],
  ["(?i)straSSe", ["STRASSE", "Strasse"], ["Straße"]],
  ["\\.html?$", ["a.htm", "a.html"], ["ahtml"]],
  ["a.c", ["a😀c", "abc"], ["a\nc", "ac"]],
  ["(a*)*b", ["b", "aab"], ["a"]],
  ["a*?b", ["b", "ab"], ["a"]],
  ["{", ["{"], []],
  ["x{,3}", ["x{,3}"], ["xxx"]],
];

test.each(FOUND)("[FIL-4] %s", (pattern, found, missed) => {
  const regex = valueFrom(parseRegex(pattern));
  for (const text of found) expect([text, finds(regex, text, openBudget())]).toEqual([text, true]);
  for (const text of missed) expect([text, finds(regex, text, openBudget())]).toEqual([text, false]);
});

const REFUSED: readonly (readonly [pattern: string, why: RegExp])[] = [
  ["(", /a "\)" is missing/],
  [")", /"\)" closes nothing/],
  ["[a", /ends too early/],
  ["a\\", /ends too early/],
  ["*a", /"\*" repeats nothing/],
  ["a**", /a repetition is repeated/],
  ["(?=a)", /groups are/],
  ["(a)\\1", /"\\1" is not known/],
  ["\\pL", /"\\p" is not known/],
  ["a{3,2}", /not a count/],
  ["a{101}", /not a count up to 100/],
  ["(a{100}){100}", /too large/],
  ["[z-a]", /goes backwards/],
  ["a".repeat(501), /longer than 500/],
];

test.each(REFUSED)("[FIL-4] %s is refused, and it is said why", (pattern, why) => {
  const read = parseRegex(pattern);
  expect(read.ok ? "" : read.rejection.message).toMatch(why);
});

test("[FIL-4] it finds what JavaScript finds", () => {
  const atom = fc.constantFrom("a", "b", ".", "[ab]", "[^a]", "\\d", "\\w", "^", "$", "\\b", "-");
  const pattern = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      atom,
      fc.tuple(tie("node"), tie("node")).map(([a, b]) => `${a}${b}`),
      fc.tuple(tie("node"), tie("node")).map(([a, b]) => `(${a}|${b})`),
      fc.tuple(tie("node"), fc.constantFrom("*", "+", "?", "{2}", "{1,3}")).map(([a, many]) => `(?:${a})${many}`),
    ),
  })).node as fc.Arbitrary<string>;
  const text = fc.string({ unit: fc.constantFrom("a", "b", "1", "-", " ", "\n", "😀"), maxLength: 8 });
  fc.assert(
    fc.property(pattern, text, (source, value) => {
      const regex = valueFrom(parseRegex(source));
      expect(finds(regex, value, openBudget())).toBe(new RegExp(source, "u").test(value));
    }),
    { numRuns: 2_000 },
  );
});

test("[FIL-4] what makes other engines slow costs length times size", () => {
  const regex = valueFrom(parseRegex("(a*)*(a|a)*(a+)+$"));
  const budget = openBudget();
  expect(finds(regex, `${"a".repeat(2_000)}b`, budget)).toBe(false);
  expect(QUESTION_STEPS_MAX - budget.left).toBeLessThan(3 * 2_002 * regex.program.length);
});
