// DuckDB over the archive: the objects are copied out of R2 as they are, and read as anybody would read them.

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import type { Runtime } from "../../scripts/runtime.ts";

/** Runs SQL in which `events` is every row of the archive's bundles; rows come back as plain objects. */
export function queryArchive(runtime: Runtime, sql: string): Promise<readonly Record<string, unknown>[]> {
  return query(runtime, "events/", `CREATE VIEW events AS SELECT * FROM ${FILES("events/*/*/*.parquet")}`, sql);
}

/** The same of the sealed files, which the test knows to be of one generation each. */
export function querySealed(runtime: Runtime, sql: string): Promise<readonly Record<string, unknown>[]> {
  return query(runtime, "sealed/", `CREATE VIEW events AS SELECT * FROM ${FILES("sealed/*/*/*/*.parquet")}`, sql);
}

const FILES = (glob: string) => `read_parquet('${glob}', hive_partitioning = true)`;

async function query(
  runtime: Runtime,
  prefix: string,
  view: string,
  sql: string,
): Promise<readonly Record<string, unknown>[]> {
  const folder = mkdtempSync(join(tmpdir(), "footfall-archive-"));
  try {
    await copyArchive(runtime, prefix, folder);
    const connection = await (await DuckDBInstance.create(":memory:")).connect();
    await connection.run(view.replace("read_parquet('", `read_parquet('${folder}/`));
    const rows = await (await connection.runAndReadAll(sql)).getRowObjectsJson();
    connection.closeSync();
    return rows as Record<string, unknown>[];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * The archive as it lies now, for many questions: `events` is every row of its sealed files and bundles. A row that
 * lies in both is there twice, under one id.
 */
export async function openArchive(runtime: Runtime): Promise<{
  readonly run: (sql: string) => Promise<void>;
  readonly rows: (sql: string) => Promise<readonly Record<string, unknown>[]>;
  readonly close: () => void;
}> {
  const folder = mkdtempSync(join(tmpdir(), "footfall-archive-"));
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  try {
    for (const prefix of ["events/", "sealed/"]) await copyArchive(runtime, prefix, folder);
    const files = ["events", "sealed"].filter((name) => existsSync(join(folder, name)));
    const globs = files.map((name) => `'${join(folder, name)}/**/*.parquet'`).join(", ");
    await connection.run(`CREATE TABLE events AS SELECT * FROM read_parquet([${globs}], union_by_name = true)`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return {
    run: async (sql) => void (await connection.run(sql)),
    rows: async (sql) =>
      (await connection.runAndReadAll(sql)).getRowObjectsJson() as unknown as readonly Record<string, unknown>[],
    close: () => connection.closeSync(),
  };
}

/** Every object of the archive under a prefix, by key. */
export async function* archiveObjects(
  runtime: Runtime,
  prefix = "events/",
): AsyncGenerator<readonly [key: string, bytes: Uint8Array]> {
  const bucket = await runtime.miniflare.getR2Bucket("BUCKET", "footfall-query");
  let cursor: string | undefined;
  do {
    const page = await bucket.list({ prefix, ...(cursor === undefined ? {} : { cursor }) });
    for (const { key } of page.objects) {
      const object = await bucket.get(key);
      if (object === null) throw new Error(`${key} is listed and not there`);
      yield [key, new Uint8Array(await object.arrayBuffer())];
    }
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
}

async function copyArchive(runtime: Runtime, prefix: string, folder: string): Promise<void> {
  for await (const [key, bytes] of archiveObjects(runtime, prefix)) {
    mkdirSync(dirname(join(folder, key)), { recursive: true });
    writeFileSync(join(folder, key), bytes);
  }
}
