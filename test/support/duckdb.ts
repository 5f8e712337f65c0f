// DuckDB over the archive: the objects are copied out of R2 as they are, and read as anybody would read them.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import type { Runtime } from "../../scripts/runtime.ts";

/** Runs SQL in which `events` is every row of the archive; rows come back as plain objects. */
export async function queryArchive(runtime: Runtime, sql: string): Promise<readonly Record<string, unknown>[]> {
  const folder = mkdtempSync(join(tmpdir(), "footfall-archive-"));
  try {
    await copyArchive(runtime, folder);
    const connection = await (await DuckDBInstance.create(":memory:")).connect();
    await connection.run(
      `CREATE VIEW events AS SELECT * FROM read_parquet('${folder}/events/*/*/*.parquet', hive_partitioning = true)`,
    );
    const rows = await (await connection.runAndReadAll(sql)).getRowObjectsJson();
    connection.closeSync();
    return rows as Record<string, unknown>[];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Every object of the archive, by key. */
export async function* archiveObjects(runtime: Runtime): AsyncGenerator<readonly [key: string, bytes: Uint8Array]> {
  const bucket = await runtime.miniflare.getR2Bucket("BUCKET", "footfall-query");
  let cursor: string | undefined;
  do {
    const page = await bucket.list({ prefix: "events/", ...(cursor === undefined ? {} : { cursor }) });
    for (const { key } of page.objects) {
      const object = await bucket.get(key);
      if (object === null) throw new Error(`${key} is listed and not there`);
      yield [key, new Uint8Array(await object.arrayBuffer())];
    }
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
}

async function copyArchive(runtime: Runtime, folder: string): Promise<void> {
  for await (const [key, bytes] of archiveObjects(runtime)) {
    mkdirSync(dirname(join(folder, key)), { recursive: true });
    writeFileSync(join(folder, key), bytes);
  }
}
