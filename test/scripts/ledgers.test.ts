// The copy of wrangler.toml that binds every ledger.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bindLedgers } from "../../scripts/ledgers.ts";

const TOML = readFileSync(join(import.meta.dirname, "../../wrangler.toml"), "utf8");
const ids = (count: number) =>
  Array.from({ length: count }, (_, position) => `00000000-0000-0000-0000-${String(position).padStart(12, "0")}`);

test("[LED-2] 128 ledgers are bound in every env, each to its database; all else is as it was", () => {
  const text = bindLedgers(TOML, ids(128));
  for (const env of ["collector", "background", "query"]) {
    const block = new RegExp(
      `\\[\\[env\\.${env}\\.d1_databases\\]\\]\\nbinding = "LEDGER_(\\d+)"\\ndatabase_name = "(.*)"\\ndatabase_id = "(.*)"`,
      "g",
    );
    const found = [...text.matchAll(block)].map(([, position, name, id]) => [position, name, id]);
    expect(found).toEqual(ids(128).map((id, position) => [String(position), `footfall-ledger-${position}`, id]));
  }
  const others = (toml: string) => toml.split(/\n(?=\[|#)/).filter((part) => !part.includes("LEDGER_"));
  expect(others(text)).toEqual(others(TOML));
});

test("[LED-2] a number that does not divide POOL_SIZE, or a file without the first ledger, is refused", () => {
  expect(() => bindLedgers(TOML, ids(3))).toThrow("3 does not divide 256");
  expect(() => bindLedgers(TOML, ids(129))).toThrow("1 to 128");
  expect(() => bindLedgers(TOML.replaceAll("LEDGER_0", "LEDGER_1"), ids(2))).toThrow("LEDGER_0 in 0 envs");
});
