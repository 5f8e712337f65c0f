// What an import says at its end of the lines that were refused.

import { expect, test } from "vitest";
import { quoteLine, Tally } from "../../scripts/import/tally.ts";

test("[IMP-3] a refused event is shown with its line's number and own text", () => {
  const tally = new Tally();
  const rejected = [{ index: 1, code: "invalid_timestamp", message: "timestamp 79900200000 is before 2000-01-01" }];
  tally.answer({ accepted: 1, duplicates: 0, dropped: [], rejected }, [
    { line: 2, text: "v1,1389052815,/" },
    { line: 5, text: "v1,1972-07-13 18:30,/" },
  ]);
  expect(tally.toText().split("\n").slice(-2)).toEqual([
    "            line 5: timestamp 79900200000 is before 2000-01-01",
    "            │ v1,1972-07-13 18:30,/",
  ]);
});

test.each([
  ["a short line as it is", "a,b,c", "a,b,c"],
  ["a long one cut", "x".repeat(500), `${"x".repeat(99)}…`],
  ["control characters as dots", "GET /\u001b[2J\t\u0007", "GET /·[2J··"],
])("[IMP-3] quotes %s", (_, line, quoted) => {
  expect(quoteLine(line)).toBe(quoted);
});
