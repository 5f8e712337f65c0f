// The Parquet files themselves: our own reader, DuckDB, and the same bytes for the same bundle.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { parquetMetadata } from "hyparquet";
import { afterAll, describe, expect, test } from "vitest";
import { type Bundle, decodeBundle } from "../../../core/archive/bundle.ts";
import { COLUMNS } from "../../../core/archive/columns.ts";
import { type ArchiveFile, filesOf } from "../../../core/archive/file.ts";
import { bundleKey } from "../../../core/archive/object-key.ts";
import { readBlocks } from "../../../storage/archive/column-block.ts";
import { encodeParquet, ParquetStreamWriter, readParquet, readRows } from "../../../storage/archive/parquet.ts";
import { anyBundle, duckdb, traffic } from "../../support/archive-fixture.ts";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** Writes a bundle's objects under their keys and gives the glob that finds them. */
function archived(bundle: Bundle): string {
  const folder = mkdtempSync(join(tmpdir(), "footfall-archive-"));
  folders.push(folder);
  for (const file of filesOf(bundle)) {
    const path = join(folder, bundleKey(file));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, encodeParquet(file));
  }
  return `${folder}/events/*/*/*.parquet`;
}

describe("an archive file", () => {
  test("[ARC-23] a file damaged in any one byte is refused, or read as rows of it, and leaves nothing behind", async () => {
    const [file] = filesOf({ partition: "pool-0", first: 17, events: traffic({ seed: 3, count: 4 }) });
    if (file === undefined) throw new Error("there is no traffic");
    const bytes = encodeParquet(file);
    let refused = 0;
    for (let at = 0; at < bytes.length; at++) {
      const damaged = bytes.slice();
      damaged[at] = (bytes[at] as number) ^ (at % 2 === 0 ? 0x80 : 0x11);
      const read = await readParquet(damaged).catch((error: unknown) => error);
      if (read instanceof Error) refused += 1;
      else expect((read as ArchiveFile).rows.length).toBe(file.rows.length);
    }
    expect(refused).toBeGreaterThan(bytes.length / 10);
  });

  test("[ARC-23] a page that repeats a value a billion times is refused, as rows and as columns", async () => {
    const [file] = filesOf({ partition: "pool-0", first: 17, events: traffic({ seed: 3, count: 1 }) });
    if (file === undefined) throw new Error("there is no traffic");
    const bytes = encodeParquet(file);
    // The levels of one row, and the gzip behind them: damaged, the length of their run goes on into the gzip.
    const at = Buffer.from(bytes).indexOf(Uint8Array.of(0x03, 0x01, 0x1f, 0x8b, 0x08));
    expect(at).toBeGreaterThan(0);
    bytes.set([0x82, 0x81, 0x9f], at);
    const [merchant = 0] = file.rows.map(({ event }) => event.merchant);
    const problem = "assertion failed: a page ends inside its column";
    await expect(readParquet(bytes)).rejects.toThrow(problem);
    // Texts of ids are made when somebody looks at them.
    const looked = () =>
      [...readBlocks(bytes, { isWanted: (one) => one === merchant })].map(({ texts }) =>
        texts.map((one) => one?.values),
      );
    expect(looked).toThrow(problem);
  });

  test("[ARC-5] every bundle of well-formed events comes back from Parquet as it was", async () => {
    await fc.assert(
      fc.asyncProperty(anyBundle, async (bundle) => {
        for (const file of filesOf(bundle)) expect(await readParquet(encodeParquet(file))).toEqual(file);
      }),
      { numRuns: 50 },
    );
  });

  test("[ARC-5] a file of several row groups comes back as it was", async () => {
    const [file] = filesOf({ partition: "pool-3", first: 0, events: traffic({ count: 5_003 }) });
    if (file === undefined) throw new Error("traffic is not empty");
    expect(await readParquet(encodeParquet(file))).toEqual(file);
  });

  test("[ARC-5] a file written before columns were added is read, by their names as well", async () => {
    const [file] = filesOf({ partition: "pool-3", first: 0, events: traffic({ count: 30 }) });
    if (file === undefined) throw new Error("traffic is not empty");
    const later = new Set(["asn", "verified_bot", "hints", "excluded", "order_id", "products"]);
    const writer = new ParquetStreamWriter(
      COLUMNS.filter(({ name }) => !later.has(name)),
      {},
    );
    const bytes = new Uint8Array([...writer.group(file.rows), ...writer.end()]);
    const metadata = parquetMetadata(bytes.buffer);
    const rows = await readRows({ file: bytes.buffer, metadata, columns: COLUMNS.map(({ name }) => name) });
    expect(rows).toEqual(file.rows);
  });

  test("[ARC-10] the same bundle gives the same bytes", () => {
    const bytes = () => {
      const bundle = { partition: "pool-3", first: 1001, events: traffic({ count: 500, days: 2 }) };
      return filesOf(bundle).map((file) => Buffer.from(encodeParquet(file)).toString("base64"));
    };
    expect(bytes()).toEqual(bytes());
  });

  test("[ARC-5] what is no archive file is refused", async () => {
    await expect(readParquet(new Uint8Array(100))).rejects.toThrow();
    await expect(readParquet(new Uint8Array(0))).rejects.toThrow();
  });
});

describe("DuckDB over the archive", () => {
  const bundle: Bundle = { partition: "pool-3", first: 1001, events: traffic({ count: 2_000, days: 2 }) };
  const glob = archived(bundle);

  test("[ARC-11] sees each column with its type, and the folders as columns", async () => {
    const columns = await duckdb(`describe select * from read_parquet('${glob}')`);
    const types = Object.fromEntries(columns.map((row) => [row["column_name"], row["column_type"]]));
    expect(types).toMatchObject({
      merchant: "BIGINT",
      stream: "INTEGER",
      event_id: "VARCHAR",
      timestamp: "TIMESTAMP WITH TIME ZONE",
      received_at: "TIMESTAMP WITH TIME ZONE",
      props: "VARCHAR",
      revenue: "BIGINT",
      engagement_ms: "BIGINT",
      scroll: "INTEGER",
      partition: "VARCHAR",
      position: "BIGINT",
      date: "DATE",
    });
    expect(columns).toHaveLength(COLUMNS.length + 1);
  });

  test("[ARC-11] counts what was archived, by date", async () => {
    const rows = await duckdb(
      `select date, partition, count(*) as events, count(distinct visitor) as visitors, sum(revenue) as revenue,
         count(dropped) as dropped, avg(scroll) as scroll, epoch_ms(min(timestamp)) as earliest
       from read_parquet('${glob}') group by all order by date`,
    );
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
    const expected = [20_778, 20_779].map((day) => {
      const events = bundle.events.filter((logged) => logged.day === day).map(({ event }) => event);
      const scrolls = events.map(({ scroll }) => scroll).filter((scroll) => scroll >= 0);
      return {
        date: day === 20_778 ? "2026-11-21" : "2026-11-22",
        partition: "pool-3",
        events: String(events.length),
        visitors: String(new Set(events.map(({ visitor }) => visitor)).size),
        revenue: String(sum(events.map(({ revenue }) => revenue))),
        dropped: String(events.filter(({ dropped }) => dropped !== "").length),
        scroll: sum(scrolls) / scrolls.length,
        earliest: String(Math.min(...events.map(({ timestamp }) => timestamp))),
      };
    });
    expect(rows).toEqual(expected);
  });

  test("[ARC-11] the partition in the rows is the one of the folder, read with folders as columns or without", async () => {
    const without = `read_parquet('${glob}', hive_partitioning = false)`;
    expect(await duckdb(`select distinct partition from ${without}`)).toEqual([{ partition: "pool-3" }]);
    const positions = await duckdb(`select count(distinct position) as n, min(position) as first from ${without}`);
    expect(positions).toEqual([{ n: "2000", first: "1001" }]);
  });

  test("[ARC-12] each file says inside what it is", async () => {
    const rows = await duckdb(
      `select decode(key) as key, decode(value) as value from parquet_kv_metadata('${glob}')
       where file_name like '%date=2026-11-22%'`,
    );
    expect(Object.fromEntries(rows.map(({ key, value }) => [key, value]))).toEqual({
      footfall_version: "1",
      footfall_date: "2026-11-22",
      footfall_partition: "pool-3",
      footfall_first: "1001",
      footfall_count: "1000",
    });
  });

  test("[ARC-11] reads any text we can be sent, as our own reader does", async () => {
    const [any] = fc.sample(fc.array(anyBundle, { minLength: 30, maxLength: 30 }), { seed: 7, numRuns: 1 });
    const events = any?.flatMap((bundle) => bundle.events) ?? [];
    const glob = archived({ partition: "pool-1", first: 0, events });
    // As bytes: DuckDB's binding to JavaScript drops a leading byte order mark, DuckDB itself does not.
    const rows = await duckdb(
      `select position, hex(encode(url)) as url, hex(encode(props)) as props, revenue
       from read_parquet('${glob}') order by position`,
    );
    const hex = (text: string) => (text === "" ? null : Buffer.from(text).toString("hex").toUpperCase());
    expect(rows).toEqual(
      events.map(({ event }, index) => ({
        position: String(index),
        url: hex(event.url),
        props: hex(event.props),
        revenue: String(event.revenue),
      })),
    );
  });

  const golden = join(import.meta.dirname, "../../golden/archive");
  const cases = readdirSync(golden).filter((name) => name.endsWith(".bundle.json"));
  test.each(cases)("[ARC-11] the golden bundle %s reads as written down", async (name) => {
    const glob = archived(decodeBundle(readFileSync(join(golden, name), "utf8")));
    const rows = await duckdb(`select * from read_parquet('${glob}') order by date, position`);
    const expected = readFileSync(join(golden, name.replace(".bundle.json", ".duckdb.json")), "utf8");
    expect(rows).toEqual(JSON.parse(expected));
  });
});
