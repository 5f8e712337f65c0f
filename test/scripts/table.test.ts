// Tables for a terminal, where they decide something: the width of a column, and what is left out.

import { expect, test } from "vitest";
import { toPartitionsText } from "../../scripts/footfall/operate.ts";
import { estimateNote } from "../../scripts/footfall/query.ts";
import { toTable } from "../../scripts/table.ts";

test("cells that are very wide are cut, and what must be copied whole is not", () => {
  const letter = `dead-letter/footfall-archive/${"0".repeat(64)}`;
  const lines = toTable(["page"], [["x".repeat(2_048)], [letter], [`ffk_${"k".repeat(43)}`]]).split("\n");
  expect(lines.slice(2)).toEqual([`${"x".repeat(109)}…`, letter, `ffk_${"k".repeat(43)}`]);
});

const partitions = [
  { partition: "pool-0", next_position: 1 },
  { partition: "pool-1", next_position: 12 },
  { partition: "pool-2", next_position: 1 },
];

test("partitions without an event are left out and counted, unless all are asked for", () => {
  const some = toPartitionsText(partitions, false);
  expect(some).toContain("pool-1");
  expect(some).not.toContain("pool-0");
  expect(some).toMatch(/\n2 without an event; --all shows them$/);
  const all = toPartitionsText(partitions, true);
  expect(all.split("\n")).toHaveLength(5);
  expect(toPartitionsText(partitions.slice(1, 2), false)).not.toContain("--all");
});

const ESTIMATED = { exact: false, standard_error: 0.0081 };

test.each([
  ["nothing", undefined, [], []],
  ["nothing", { exact: true }, ["/"], []],
  ["the error", ESTIMATED, [], ["visitors over several Days are an estimate: ±0.81 % (one standard error)"]],
  [
    "(other) as well",
    { exact: false, standard_error: 0.0325 },
    ["(other)"],
    ["visitors over several Days, and those of (other), are an estimate: ±3.25 % (one standard error)"],
  ],
])("below an answer stands %s", (_, visitors, dimensions, note) => {
  const answer = { results: [{ metrics: [1], dimensions }], meta: visitors === undefined ? {} : { visitors } };
  expect(estimateNote(answer)).toEqual(note);
});
