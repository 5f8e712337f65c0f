// docs/security.md is only worth something while the tests beside its threats are there.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

test("[TDY-8] each threat of docs/security.md has rules, and a test that quotes every one of them", () => {
  const sections = readFileSync(join(ROOT, "docs/security.md"), "utf8").split(/^## /m);
  const threats = sections.find((section) => section.startsWith("Threats\n")) ?? "";
  const rows = threats.split("\n").filter((line) => /^\| (?!what |-)/.test(line));
  expect(rows.length).toBeGreaterThan(10);
  for (const row of rows) {
    const [, , , , rules = "", path = ""] =
      /^\| ([^|]*)\| ([^|]*)\| ()([A-Z0-9, -]*) \| `(test\/\S+)` \|$/.exec(row) ?? [];
    expect([row, existsSync(join(ROOT, path)) && path !== ""]).toEqual([row, true]);
    const text = readFileSync(join(ROOT, path), "utf8");
    for (const rule of rules.split(", ")) expect([row, rule, text.includes(`[${rule}]`)]).toEqual([row, rule, true]);
  }
});
