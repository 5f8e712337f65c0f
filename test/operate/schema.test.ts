// What a database lacks of what its migrations make: against the migrations of the tree, and against small ones.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { lacksOf, type SchemaRow } from "../../scripts/deploy/schema.ts";

const ROOT = join(import.meta.dirname, "../..");

function schemaOf(...statements: readonly string[]): readonly SchemaRow[] {
  const database = new DatabaseSync(":memory:");
  for (const sql of statements) database.exec(sql);
  return database
    .prepare("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    .all() as unknown as SchemaRow[];
}

test.each(["directory", "ledger"])("[DPL-9] a %s that was migrated lacks nothing", (kind) => {
  const folder = join(ROOT, "storage", kind, "migrations");
  const names = readdirSync(folder).filter((name) => name.endsWith(".sql"));
  const files = names.map((name) => ({ name, sql: readFileSync(join(folder, name), "utf8") }));
  const schema = schemaOf(...files.map(({ sql }) => sql), "CREATE TABLE deployed_versions(a)");
  expect(lacksOf({ schema, applied: names, files })).toEqual([]);
  const [gone] = schema;
  const without = schema.filter((row) => row !== gone);
  expect(lacksOf({ schema: without, applied: names, files })).toEqual([`the ${gone?.type} ${gone?.name}`]);
});

const FIRST = { name: "0000_first.sql", sql: "CREATE TABLE t (a, b); CREATE INDEX t_a ON t (a);" };
const SECOND = {
  name: "0001_second.sql",
  sql: "ALTER TABLE t ADD c; CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END",
};
const files = [FIRST, SECOND];

test.each<[string, readonly string[], readonly string[], readonly string[]]>([
  ["what was not applied is missing, not lacking", [FIRST.sql], [FIRST.name], []],
  ["an empty database", [], [], []],
  ["more than is wanted", [FIRST.sql, "ALTER TABLE t ADD x; CREATE TABLE u (a)"], [FIRST.name], []],
  ["a column", ["CREATE TABLE t (a); CREATE INDEX t_a ON t (a)"], [FIRST.name], ["the column t.b"]],
  ["an index", ["CREATE TABLE t (a, b)"], [FIRST.name], ["the index t_a"]],
  [
    "a trigger that does something else",
    [FIRST.sql, "ALTER TABLE t ADD c; CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 2; END"],
    [FIRST.name, SECOND.name],
    ["the present text of the trigger g"],
  ],
  [
    "a trigger that is written otherwise",
    [FIRST.sql, "ALTER TABLE t ADD c; CREATE TRIGGER `g` AFTER INSERT\n ON t BEGIN -- of old\n SELECT 1; END"],
    [FIRST.name, SECOND.name],
    [],
  ],
  ["a later release has taken a column away", ["CREATE TABLE t (a)"], [FIRST.name, "0002_contract.sql"], []],
])("[DPL-9] %s", (_, statements, applied, lacks) => {
  expect(lacksOf({ schema: schemaOf(...statements), applied, files })).toEqual(lacks);
});
