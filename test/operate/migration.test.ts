// What a migration may do beside the release before.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { harmsOf } from "../../scripts/deploy/migration.ts";

const ROOT = join(import.meta.dirname, "../..");
const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };

const statementsOf = (sql: string) => harmsOf(sql, "0.3.0").map(({ statement }) => statement);

test.each(["storage/directory/migrations", "storage/ledger/migrations"])("[DPL-5] %s only expands", (folder) => {
  const files = readdirSync(join(ROOT, folder)).filter((file) => file.endsWith(".sql"));
  expect(files.length).toBeGreaterThan(0);
  for (const file of files)
    expect([file, harmsOf(readFileSync(join(ROOT, folder, file), "utf8"), version)]).toEqual([file, []]);
});

test("[DPL-5] what only adds is taken", () => {
  expect(
    statementsOf(`CREATE TABLE \`notes\` (\`id\` integer PRIMARY KEY, \`text\` text NOT NULL);--> statement-breakpoint
CREATE UNIQUE INDEX \`notes_text\` ON \`notes\` (\`text\`);--> statement-breakpoint
CREATE TRIGGER t AFTER INSERT ON \`notes\` BEGIN DELETE FROM notes; UPDATE notes SET id = 1; END;
INSERT INTO \`notes\` VALUES (1, 'one');
ALTER TABLE \`merchants\` ADD \`note\` text;
ALTER TABLE merchants ADD COLUMN count integer DEFAULT 0 NOT NULL;
CREATE INDEX \`merchants_note\` ON \`merchants\` (\`note\`);`),
  ).toEqual([]);
});

test.each([
  "DROP TABLE `merchants`",
  "ALTER TABLE `merchants` DROP COLUMN `name`",
  "ALTER TABLE merchants RENAME COLUMN name TO title",
  "ALTER TABLE `merchants` RENAME TO `shops`",
  "ALTER TABLE `merchants` ADD `note` text NOT NULL",
  "DROP INDEX `streams_proven`",
  "CREATE UNIQUE INDEX `merchants_name` ON `merchants` (`name`)",
  "CREATE TRIGGER t AFTER INSERT ON `merchants` BEGIN SELECT 1; END",
  "UPDATE merchants SET name = ''",
  "DELETE FROM sessions",
  "INSERT INTO merchants (number) VALUES (0) ON CONFLICT DO NOTHING",
  "PRAGMA foreign_keys=OFF",
])("[DPL-5] refused: %s", (statement) => {
  expect(statementsOf(`${statement};`)).toHaveLength(1);
  // A release that has not been cannot have stopped using it.
  expect(statementsOf(`-- contract: 0.3.0\n${statement};`)).toHaveLength(1);
  expect(statementsOf(`-- contract: soon\n${statement};`)).toHaveLength(1);
  expect(statementsOf(`-- contract: 0.2.10\n${statement};`)).toEqual([]);
});
