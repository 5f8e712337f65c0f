// Where a partition's storage lies on disk, for tests that lose it.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** The files of a partition's storage, among those of a local runtime's objects in `folder`. */
export function filesOfPartition(folder: string, name: string): readonly string[] {
  const isIt = (file: string) => {
    const database = new DatabaseSync(file, { readOnly: true });
    try {
      const row = database.prepare("SELECT value ->> 'partition' AS name FROM positions").get();
      return row?.["name"] === name;
    } catch {
      return false; // it is another object, or the list of all
    } finally {
      database.close();
    }
  };
  const all = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((file) => join(folder, file));
  const [found] = all.filter((file) => file.endsWith(".sqlite") && isIt(file));
  if (found === undefined) throw new Error(`no object has the storage of ${name}`);
  return all.filter((file) => file.startsWith(found));
}
