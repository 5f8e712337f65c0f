// The log of changes: every table and column of the directory is in it, what is put into R2 is what was changed, and
// whoever dies or does the same beside it loses nothing.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { BACKED_UP } from "../../storage/directory/backup.ts";
import {
  beginAnew,
  CHANGED_QUIETLY,
  type ChangeLogDeps,
  changesAfter,
  forgetChanges,
  lastChange,
  logChanges,
  NOT_LOGGED,
  type RowChange,
} from "../../storage/directory/change-log.ts";
import { makeDatabases } from "../support/databases.ts";
import { memoryArchive } from "../support/memory-bucket.ts";

function world() {
  const { directory, database } = makeDatabases();
  const objects = new Map<string, Uint8Array>();
  const bucket = memoryArchive(objects);
  const deps: ChangeLogDeps = { directory, bucket, sealSecrets: ["secret"] };
  const note = (text: string) => database.exec(text);
  const view = (id: string, name: string) =>
    note(
      `INSERT INTO views (id, merchant, name, page, search, created_at) VALUES ('${id}', 1, '${name.replaceAll("'", "''")}', '', '', 0)`,
    );
  view("before", "there is no row of a deployment yet"); // such as while a directory is recovered
  note("INSERT INTO deployment (id, ledgers) VALUES (1, 1)");
  return { deps, objects, note, view, bucket };
}

async function logged(deps: ChangeLogDeps, after = 0): Promise<readonly RowChange[]> {
  const all: RowChange[] = [];
  for await (const some of changesAfter(after, deps)) all.push(...some);
  return all;
}

test("[RCV-11] each table of a backup has triggers that note all of its columns, but for what is left out on purpose", () => {
  const folder = join(import.meta.dirname, "../../storage/directory/migrations");
  const database = new DatabaseSync(":memory:");
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".sql")))
    database.exec(readFileSync(join(folder, file), "utf8"));
  const found = database.prepare("SELECT name, sql FROM sqlite_master WHERE name GLOB '*_logged_*'").all();
  const expected = BACKED_UP.filter(({ name }) => !NOT_LOGGED.includes(name as never)).flatMap(({ name }) => {
    const info = database.prepare("SELECT name FROM pragma_table_info(?) ORDER BY cid").all(name);
    const columns = info.map((column) => String(column["name"]));
    const quiet = CHANGED_QUIETLY[name] ?? [];
    const loud = columns.filter((column) => !quiet.includes(column)).map((column) => `\`${column}\``);
    const of = quiet.length === 0 ? "" : ` OF ${loud.join(", ")}`;
    // An act is in the audit log for good when it is done; the cron forgets old entries again.
    const isDone = name === "audit" ? " AND NEW.`outcome` = 'done'" : "";
    const trigger = (what: string, when: string, row: "NEW" | "OLD") => ({
      name: `${name}_logged_${what}`,
      sql: `CREATE TRIGGER \`${name}_logged_${what}\` AFTER ${when} ON \`${name}\` WHEN EXISTS (SELECT 1 FROM \`deployment\`)${isDone} BEGIN
	INSERT INTO \`row_changes\` (\`at\`, \`table_name\`, \`gone\`, \`row\`)
		VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), '${name}', ${row === "OLD" ? 1 : 0}, json_array(${columns.map((column) => `${row}.\`${column}\``).join(", ")}));
END`,
    });
    return [
      trigger("made", "INSERT", "NEW"),
      trigger("changed", `UPDATE${of}`, "NEW"),
      ...(name === "audit" ? [] : [trigger("gone", "DELETE", "OLD")]),
    ];
  });
  const byName = (a: { readonly name?: unknown }, b: { readonly name?: unknown }) =>
    String(a.name) < String(b.name) ? -1 : 1;
  expect(found.map((row) => ({ ...row })).sort(byName)).toEqual(expected.sort(byName));
});

test("[RCV-11] what was made, changed and deleted is logged in its order, sealed, and forgotten where it was noted", async () => {
  const { deps, objects, note, view } = world();
  view("a", 'it\'s "one"');
  note("UPDATE views SET name = 'two' WHERE id = 'a'");
  note("UPDATE merchants SET version = version + 1");
  await logChanges(0, deps);
  view("b", "three");
  note("DELETE FROM views WHERE id = 'a'");
  await logChanges(0, deps);
  await logChanges(0, deps);
  expect((await logged(deps)).map(({ table, gone, row }) => [table, gone, JSON.parse(row).slice(0, 3)])).toEqual([
    ["views", 0, ["a", 1, 'it\'s "one"']],
    ["views", 0, ["a", 1, "two"]],
    ["views", 0, ["b", 1, "three"]],
    ["views", 1, ["a", 1, "two"]],
  ]);
  const keys = [...objects.keys()].filter((key) => key.startsWith("backup/changes/"));
  expect(keys).toHaveLength(2);
  for (const key of keys) expect(Buffer.from(objects.get(key) ?? []).includes("two")).toBe(false);
  await expect(logged({ ...deps, sealSecrets: ["other"] })).rejects.toThrow("another TRACKING_SECRET");
  expect(await logged({ ...deps, sealSecrets: ["new", "secret"] })).toHaveLength(4);
  expect(await logged(deps, 2)).toHaveLength(2);
  expect(await lastChange(deps)).toBe(4);
  await forgetChanges(2, deps);
  expect((await logged(deps)).map(({ id }) => id)).toEqual([3, 4]);
});

test("[RCV-11] a change waits for others, and many are logged in parts", async () => {
  const { deps, objects, note } = world();
  note(`INSERT INTO rates (day, per_euro) SELECT value, '{}' FROM (WITH RECURSIVE n(value) AS
    (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 450) SELECT value FROM n)`);
  await logChanges(60_000, deps);
  expect(objects.size).toBe(0);
  await logChanges(0, deps);
  expect((await logged(deps)).map(({ id }) => id)).toEqual(Array.from({ length: 450 }, (_, at) => at + 1));
  expect(objects.size).toBe(3);
});

test("[RCV-11] whoever dies between the log and the notes, or does it beside another, has each change in its order once", async () => {
  const { deps, view, bucket } = world();
  view("a", "one");
  const dying = {
    ...deps.directory,
    prepare: (text: string) => {
      if (text.startsWith("DELETE FROM row_changes")) throw new Error("killed");
      return deps.directory.prepare(text);
    },
  } as D1Database;
  await expect(logChanges(0, { ...deps, directory: dying })).rejects.toThrow("killed");
  view("b", "two");
  await Promise.all([logChanges(0, deps), logChanges(0, deps)]);
  view("c", "three");
  const full = { ...bucket, put: () => Promise.reject(new Error("R2 is out")) };
  await expect(logChanges(0, { ...deps, bucket: full })).rejects.toThrow("R2 is out");
  await logChanges(0, deps);
  expect((await logged(deps)).map(({ id }) => id)).toEqual([1, 2, 3]);
});

test("[RCV-11] a directory that is behind logs nothing, and one that is recovered goes on above all that was logged", async () => {
  const { deps, objects, note, view } = world();
  view("a", "one");
  await logChanges(0, deps);
  objects.set("numbers/epoch", new TextEncoder().encode("9"));
  note("DELETE FROM sqlite_sequence WHERE name = 'row_changes'"); // as a restore to an earlier instant has it
  view("b", "two");
  await logChanges(0, deps);
  expect(await logged(deps)).toHaveLength(1);
  await beginAnew(deps);
  note("UPDATE deployment SET epoch = 9");
  view("c", "three");
  await logChanges(0, deps);
  expect((await logged(deps)).map(({ id, row }) => [id, JSON.parse(row)[0]])).toEqual([
    [1, "a"],
    [3, "c"],
  ]);
});
