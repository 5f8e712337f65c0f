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

test("[IMP-13] events of closed Days are told apart, with the command that shows how far they are", () => {
  const tally = new Tally();
  const openFrom = Date.UTC(2026, 10, 20);
  const times = [Date.UTC(2026, 10, 21), Date.UTC(2014, 0, 8, 5), Date.UTC(2014, 0, 6, 23), openFrom, openFrom - 1];
  for (const time of times.slice(0, 3)) tally.time(time, openFrom);
  tally.answer({ accepted: 3, duplicates: 0, dropped: [], rejected: [] }, []);
  expect(tally.toText().split("\n")).toEqual([
    "         0 lines read",
    "         3 events taken",
    "         2 of closed Days: in answers at once, in rollups within about half an hour;",
    "           ids that were there already count once",
    "           how far it is: footfall archive days --from 2014-01-05 --to 2014-01-09",
  ]);
  for (const time of times.slice(3)) tally.time(time, openFrom);
  expect(tally.closed?.events).toBe(3);
});
