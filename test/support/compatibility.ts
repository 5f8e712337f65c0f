// The tables of docs/compatibility.md, which tests make and hold it to: each section is one table, made of what was
// really counted, and notes on it. UPDATE=1 writes a section anew. Where something could not be tried on a machine (no
// browser), the rows that were are compared one by one.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";

const PATH = join(import.meta.dirname, "../../docs/compatibility.md");

export interface Section {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Lines below the table. */
  readonly notes?: readonly string[];
  /** Whether every row was tried. */
  readonly isComplete: boolean;
}

/** Holds the document to what was counted. */
export function expectSection({ title, columns, rows, notes = [], isComplete }: Section): void {
  const table = [columns, columns.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  const made = notes.length === 0 ? table : [...table, "", ...notes];
  const text = readFileSync(PATH, "utf8");
  const start = text.indexOf(`## ${title}\n`);
  expect(start, `docs/compatibility.md has no section "${title}"`).toBeGreaterThanOrEqual(0);
  const madeStart = text.indexOf("\n|", start) + 1;
  const madeEnd = text.indexOf("\n## ", madeStart);
  const after = madeEnd < 0 ? "" : text.slice(madeEnd);
  if (process.env["UPDATE"] !== undefined && isComplete)
    writeFileSync(PATH, `${text.slice(0, madeStart)}${made.join("\n")}\n${after}`);
  const written = readFileSync(PATH, "utf8").slice(madeStart).split("\n## ")[0]?.trimEnd().split("\n");
  if (isComplete) expect(made).toEqual(written);
  else expect(written).toEqual(expect.arrayContaining(made));
}
