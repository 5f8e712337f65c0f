// Migrations that change what is stored, not only its shape: rows as an earlier version wrote them, read by this one.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { NO_RULES } from "../../core/rules.ts";
import { readSettings } from "../../storage/directory/settings.ts";
import { sqliteD1 } from "../support/sqlite.ts";

const MIGRATIONS = join(import.meta.dirname, "../../storage/migrations");
const names = readdirSync(MIGRATIONS)
  .filter((file) => file.endsWith(".sql"))
  .map((file) => file.replace(".sql", ""))
  .sort();
const sqlOf = (name: string) => readFileSync(join(MIGRATIONS, `${name}.sql`), "utf8");

test("[RUL-11] hostnames that were allowed before there were timelines hold from the beginning", async () => {
  const database = new DatabaseSync(":memory:");
  const changing = names.indexOf("0004_rules");
  for (const name of names.slice(0, changing)) database.exec(sqlOf(name));
  const insert = database.prepare(
    "INSERT INTO merchants (id, name, zones, currency, rules, version, created_at) VALUES (?, 'x', '[]', 'EUR', ?, 3, 7)",
  );
  insert.run("mer_a", '{"hostnames":["shop.example"]}');
  insert.run("mer_b", '{"hostnames":[]}');
  for (const name of names.slice(changing)) database.exec(sqlOf(name));
  const rulesOf = async (number: number) => (await readSettings(sqliteD1(database), number))?.rules;
  const { returns: _, orders: __, ...before } = NO_RULES; // lists of later; they are completed where rules are looked up
  const rules = { ...before, hostnames: ["shop.example"] };
  expect(await rulesOf(1)).toEqual([{ version: 1, rules, from: 0 }]);
  expect(await rulesOf(2)).toEqual([]);
  expect(await rulesOf(0)).toEqual([]);
  expect(database.prepare("SELECT merchant, version FROM rule_versions").all()).toMatchObject([
    { merchant: 1, version: 1 },
  ]);
});
