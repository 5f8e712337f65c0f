// `footfall archive files --duckdb`: a script for DuckDB that makes views of archived events, to be read by SQL as they
// stand. A local start keeps its R2 in files of its own naming, which the script names by themselves; of a deployment
// it names the keys, below a folder they were copied to or an address that DuckDB reads from.

import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Problem } from "../problem.ts";

/** A Parquet file of the archive. */
export interface ArchivedFile {
  /** Where DuckDB finds it. */
  readonly path: string;
  /** Of the folder it lies in, such as "2026-11-21". */
  readonly date: string;
  readonly partition: string;
}

export interface Scripted {
  readonly files: readonly ArchivedFile[];
  /** The number of the only merchant wanted; undefined for all. */
  readonly merchant: number | undefined;
}

/**
 * The script. Views: `archived`, every row as it lies there; `events`, each event once; `counted`, those that answers
 * count.
 */
export function toScript({ files, merchant }: Scripted): string {
  const rows = files.map(({ path, date, partition }) => `  (${[path, date, partition].map(quoted).join(", ")})`);
  return `-- Footfall's archive in DuckDB: duckdb -init events.sql
CREATE OR REPLACE TABLE archive_files AS SELECT * FROM (VALUES
${rows.join(",\n")}
) AS file(file, date, partition);

-- Every row as it lies there. "date" is the merchant's own Day.
CREATE OR REPLACE VIEW archived AS
SELECT archive_files.date::DATE AS date, archive_files.partition, rows.* EXCLUDE (filename)
FROM read_parquet([${files.map(({ path }) => quoted(path)).join(", ")}],
  filename = true, union_by_name = true, hive_partitioning = false) AS rows
JOIN archive_files ON archive_files.file = rows.filename${merchant === undefined ? "" : `\nWHERE rows.merchant = ${merchant}`};

-- Each event once: in files that are not sealed yet an id may come again.
CREATE OR REPLACE VIEW events AS
SELECT DISTINCT ON (date, merchant, event_id, keyed) * FROM archived ORDER BY date, merchant, event_id, keyed, position;

-- What answers count; the others say in "dropped" why not.
CREATE OR REPLACE VIEW counted AS SELECT * FROM events WHERE dropped IS NULL;

-- SELECT date, count(*) FILTER (name = 'pageview') AS pageviews, count(DISTINCT visitor) AS visitors FROM counted GROUP BY date ORDER BY date;
`;
}

/** The files of keys that a local start keeps, by key. */
export async function localPaths(stateDir: string, keys: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const folder = resolve(stateDir, "v3/r2");
  const paths = new Map<string, string>();
  for (const database of await databasesIn(join(folder, "miniflare-R2BucketObject"))) {
    const find = database.prepare("SELECT blob_id FROM _mf_objects WHERE key = ?");
    for (const key of keys) {
      const blob = find.get(key)?.["blob_id"];
      if (typeof blob === "string") paths.set(key, join(folder, "footfall-archive/blobs", blob));
    }
    database.close();
  }
  const missing = keys.find((key) => !paths.has(key));
  if (missing !== undefined)
    throw new Problem(`${folder} has no file of ${missing}: is ${stateDir} what it was started with?`);
  return paths;
}

async function databasesIn(folder: string): Promise<readonly DatabaseSync[]> {
  const names = (await readdir(folder)).filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name));
  return names.map((name) => new DatabaseSync(join(folder, name), { readOnly: true }));
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
