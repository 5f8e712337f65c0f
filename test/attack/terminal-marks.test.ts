// A stranger sends an event whose name or property has marks that a terminal obeys. `clean` (core/formats/field.ts)
// takes out those below U+0020. The merchant sees the others in a table of the command line.

import { expect, test } from "vitest";
import { clean } from "../../core/formats/field.ts";
import { toAnswerTable, toTable } from "../../scripts/table.ts";

const MARKS = [0x1b, 0x07, 0x0a, 0x9b, 0x9d, 0x85, 0x202e, 0x2066, 0x200f, 0x061c, 0x2028];

test.each(MARKS)("[CLI-4] a table shows the character %i by its number, and the terminal does not get it", (code) => {
  const mark = String.fromCharCode(code);
  const name = `a${mark}[31mb`;
  const shown = `a\\u${code.toString(16).padStart(4, "0")}[31mb`;
  const head = "event:name".padEnd(shown.length);
  const lines = toTable(["event:name"], [[name]]).split("\n");
  expect(lines).toEqual([head.trimEnd(), "─".repeat(shown.length), shown]);
  expect(toAnswerTable([{ name }]).split("\n").at(-1)).toBe(shown);
});

test("[CLI-4] such marks do come from senders, and what words need stays as it is", () => {
  expect(clean("a\u009b\u202eb")).toBe("a\u009b\u202eb");
  const words = "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \u{1F468}\u200d\u{1F469} caf\u00e9";
  expect(toTable(["page"], [[words]])).toContain(words);
});
