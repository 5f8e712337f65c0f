// A Parquet file as another product's writer makes it, by DuckDB out of objects.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";

/** The bytes of the file. `options` are those of `COPY`, such as ", COMPRESSION zstd"; `select` reads `rows`. */
export async function parquetOf(
  objects: readonly object[],
  options = "",
  select = "SELECT * FROM rows",
): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), "footfall-parquet-"));
  const [json, path] = [join(folder, "rows.ndjson"), join(folder, "rows.parquet")];
  try {
    writeFileSync(json, objects.map((object) => JSON.stringify(object)).join("\n"));
    const connection = await (await DuckDBInstance.create(":memory:")).connect();
    await connection.run(`CREATE VIEW rows AS SELECT * FROM read_json('${json}', format = 'newline_delimited')`);
    await connection.run(`COPY (${select}) TO '${path}' (FORMAT parquet${options})`);
    connection.closeSync();
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
