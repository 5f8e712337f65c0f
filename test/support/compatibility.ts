// The tables of docs/compatibility.md, which tests make and hold it to: each section is one table, made of what was really
// counted. UPDATE=1 writes a section anew. Where something could not be tried on a machine (no browser), the rows that
// were are compared one by one.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";

const PATH = join(import.meta.dirname, "../../docs/compatibility.md");

export interface Section {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Whether every row was tried. */
  readonly isComplete: boolean;
}

/** Holds the document to what was counted. */
export function expectSection({ title, columns, rows, isComplete }: Section): void {
  const made = [columns, columns.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  const text = readFileSync(PATH, "utf8");
  const start = text.indexOf(`## ${title}\n`);
  expect(start, `docs/compatibility.md has no section "${title}"`).toBeGreaterThanOrEqual(0);
  const tableStart = text.indexOf("\n|", start) + 1;
  const tableEnd = text.indexOf("\n\n", tableStart) + 1 || text.length;
  if (process.env["UPDATE"] !== undefined && isComplete)
    writeFileSync(PATH, `${text.slice(0, tableStart)}${made.join("\n")}\n${text.slice(tableEnd)}`);
  const written = readFileSync(PATH, "utf8").slice(tableStart).split("\n\n")[0]?.trimEnd().split("\n");
  if (isComplete) expect(made).toEqual(written);
  else expect(written).toEqual(expect.arrayContaining(made));
}
