// CSV against a parser of somebody else's, and against what spreadsheets take for formulas.

import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type CsvCell, csvRow } from "../../core/csv.ts";
import { toCsv } from "../../core/query/csv.ts";

test("[EXP-6] whatever the cells hold, another parser reads them back", () => {
  const cell = fc.oneof(fc.string(), fc.constantFrom('"', ",", "\r\n", "a\nb", " a ", ""), fc.integer());
  fc.assert(
    fc.property(fc.array(fc.array(cell, { minLength: 2, maxLength: 2 }), { minLength: 1, maxLength: 5 }), (rows) => {
      const text = rows.map((row) => csvRow(row as CsvCell[])).join("");
      const read = parse(text, { skip_empty_lines: false }) as string[][];
      // Nothing but apostrophes was added, and what has no sign of a formula is as it was.
      const bare = (one: string) => one.replaceAll("'", "");
      expect(read.map((row) => row.map(bare))).toEqual(rows.map((row) => row.map((one) => bare(String(one)))));
      rows.flat().forEach((one, index) => {
        if (!/[=+\-@\t\r\n＝＋－＠]/.test(String(one))) expect(read.flat()[index]).toBe(String(one));
      });
    }),
  );
});

test.each([
  ["=HYPERLINK(1)", "'=HYPERLINK(1)"],
  ["+1", "'+1"],
  ["-1", "'-1"],
  ["@SUM(A1)", "'@SUM(A1)"],
  ["\t=1", "'\t'=1"],
  ["\tx", "'\tx"],
  ["＝1", "'＝1"],
  ["x;=HYPERLINK(1)", "x;'=HYPERLINK(1)"],
  ["x; +1", "x; '+1"],
  ["x|@SUM(A1)", "x|'@SUM(A1)"],
  ["x\t-1", "x\t'-1"],
  ['x;"=1', '"x;""\'=1"'],
  [" =1+1", " '=1+1"],
  ["\u200b=1+1", "\u200b'=1+1"],
  ["/a?b=c;d=e&f=-1", "/a?b=c;d=e&f=-1"],
  [-1, "-1"],
  [null, ""],
  ['say "hi", you', '"say ""hi"", you"'],
] as const)("[EXP-6] %j is written %s", (cell, text) => {
  expect(csvRow([cell])).toBe(`${text}\r\n`);
});

test("[EXP-6] no reader, whatever its separator, finds a cell that begins with a formula", () => {
  const part = fc.constantFrom(
    ";",
    "|",
    "\t",
    "\n",
    "\r",
    " ",
    "\u200b",
    "\u00a0",
    "\ufeff",
    '"',
    "=",
    "-",
    "＠",
    "x",
    "1",
    ",",
  );
  const cells = fc.array(fc.string({ unit: part, maxLength: 12 }), { minLength: 1, maxLength: 3 });
  const isFormula = (cell: string) => /^[\p{Cc}\p{Cf}\p{Z}"]*[=+\-@＝＋－＠]/u.test(cell);
  fc.assert(
    fc.property(cells, (row) => {
      const line = csvRow(row);
      for (const separator of [";", "|", "\t", "\n", "\r"]) expect(line.split(separator).filter(isFormula)).toEqual([]);
      const read = (parse(line, { relax_column_count: true }) as string[][]).flat();
      expect(read.filter(isFormula)).toEqual([]);
    }),
    { numRuns: 2_000 },
  );
});

test("[EXP-6] a long text of signs and blanks is written at once", () => {
  for (const text of ["\t".repeat(200_000), ";=".repeat(100_000), " ".repeat(200_000)]) {
    expect(csvRow([text, "x"]).replaceAll("'", "")).toContain(text);
  }
});

const QUERY = { dimensions: ["event:page"], metrics: ["visitors", "total_revenue"] };
const euros = (value: number) => ({ value, currency: "EUR", short: "€", long: "€" });

test("[EXP-7] an answer's columns are its dimensions and metrics, money is a number with its currency beside it", () => {
  const results = [{ dimensions: ["/a,b"], metrics: [3, euros(19.9)] }];
  expect(toCsv({ results, query: QUERY })).toBe('event:page,visitors,total_revenue,currency\r\n"/a,b",3,19.9,EUR\r\n');
  expect(toCsv({ results: [], query: QUERY })).toBe("event:page,visitors,total_revenue\r\n");
});

test("[EXP-7] a comparison adds what each metric was and by how much it changed", () => {
  const comparison = { dimensions: ["/"], metrics: [2, euros(10)], change: [50, null] };
  const results = [{ dimensions: ["/"], metrics: [3, euros(19.9)], comparison }];
  expect(toCsv({ results, query: QUERY }).split("\r\n")).toEqual([
    "event:page,visitors,total_revenue,visitors_before,total_revenue_before,visitors_change,total_revenue_change,currency",
    "/,3,19.9,2,10,50,,EUR",
    "",
  ]);
});

test("[EXP-7] a report's row is an entry: a path is one text, numbers of weeks a column each", () => {
  const query = { site_id: "x" };
  const paths = [{ pages: ["/", "/cart"], visits: 3 }];
  expect(toCsv({ results: paths, query })).toBe("pages,visits\r\n/ > /cart,3\r\n");
  const cohorts = [
    { cohort: "2026-09-28", visitors: 8, retained: [8, 2] },
    { cohort: "2026-10-05", visitors: 4, retained: [4] },
  ];
  expect(toCsv({ results: cohorts, query })).toBe(
    "cohort,visitors,retained_0,retained_1\r\n2026-09-28,8,8,2\r\n2026-10-05,4,4,\r\n",
  );
  const minutes = [{ minute: "2026-11-21 12:09:00", visitors: 4, pageviews: 6 }];
  expect(toCsv({ results: { visitors: 4, minutes }, query })).toContain("2026-11-21 12:09:00,4,6\r\n");
});
