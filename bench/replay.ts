// `npm run bench:replay`: how fast a sealed (Day, partition) is counted again, beside DuckDB over the same files on the same
// machine. Each round runs both, one after the other; medians are compared. The replay does all of a rebuild: it reads the
// columns that counting needs, forms opinions, counts visits and makes every rollup with all its breakdowns and sketches
// ("counted"), and compares it with what a D1 on disk holds ("compared"). DuckDB, with one thread and with all, answers the part of it that SQL can say in a few statements: visits by a
// window over each visitor, and per merchant and Hour, and per merchant and Day, page views, distinct visitors and revenue
// in total and by page, referrer, agent, language and country. The replay runs in a process whose heap is bounded as a
// Worker's memory is. --events 5000000 makes it a large Day, --keep <folder> keeps and reuses the files.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { type LargeDayRun, writeLargeDay } from "../test/support/large-day.ts";

const HEAP_MB = 128;
const MERCHANTS = 2_000;
const { values } = parseArgs({
  options: { events: { type: "string" }, rounds: { type: "string" }, keep: { type: "string" } },
});
const events = Number(values.events ?? 1e6);
const rounds = Number(values.rounds ?? 3);
const folder = values.keep ?? mkdtempSync(join(tmpdir(), "footfall-bench-"));
async function compare(): Promise<void> {
  const ms: Record<"counted" | "replay" | "duckdb1" | "duckdbAll", number[]> = {
    counted: [],
    replay: [],
    duckdb1: [],
    duckdbAll: [],
  };
  let last: LargeDayRun | undefined;
  for (let round = 0; round < rounds; round++) {
    last = run("recount");
    if (last.differences > 0 || last.events !== events) throw new Error(`the replay differs: ${JSON.stringify(last)}`);
    ms.replay.push(last.ms);
    ms.counted.push(run("count").ms);
    ms.duckdb1.push(await aggregate(1));
    ms.duckdbAll.push(await aggregate());
    console.error(`round ${round + 1}: ${JSON.stringify(ms)}`);
  }
  const { bytes } = (last as LargeDayRun).row;
  const countedMs = median(ms.counted);
  const replayMs = median(ms.replay);
  const rows = Object.entries({
    "rebuild: counted": countedMs,
    "rebuild: counted and compared": replayMs,
    "DuckDB, 1 thread": median(ms.duckdb1),
    "DuckDB, all": median(ms.duckdbAll),
  });
  console.table(
    rows.map(([what, median]) => ({
      what,
      ms: Math.round(median),
      "events/s": Math.round((events / median) * 1_000),
      "MB/s": Number((bytes / median / 1_000).toFixed(2)),
      "counted in % of it": Number(((median / countedMs) * 100).toFixed(1)),
    })),
  );
  console.log(
    JSON.stringify({
      bench: "replay",
      events,
      bytes,
      counted_ms: Math.round(countedMs),
      replay_ms: Math.round(replayMs),
      duckdb_1_thread_ms: Math.round(median(ms.duckdb1)),
      duckdb_ms: Math.round(median(ms.duckdbAll)),
      replay_peak_rss_mb: Math.round((last as LargeDayRun).peakRss / 2 ** 20),
      heap_mb: HEAP_MB,
    }),
  );
}

function report(what: string, { ms, row, turns, peakRss }: LargeDayRun): void {
  const rss = Math.round(peakRss / 2 ** 20);
  console.error(`${what}: ${row.rows} rows in ${ms} ms, ${turns} turns, peak ${rss} MB with a heap of ${HEAP_MB} MB`);
  if (row.error !== "") throw new Error(row.error);
}

function run(what: "seal" | "recount" | "count"): LargeDayRun {
  const script = join(import.meta.dirname, "../test/support/large-day-process.ts");
  const bound = `--max-old-space-size=${HEAP_MB}`;
  const { stdout, status } = spawnSync(process.execPath, [bound, script, folder, what], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) throw new Error(`${what} ended with ${status}`);
  return JSON.parse(stdout) as LargeDayRun;
}

const BREAKDOWNS = [
  "regexp_extract(url, '^https?://[^/]+([^?#]*)', 1)",
  "referrer",
  "user_agent",
  "language",
  "country",
];
const BUCKETS = ["date_trunc('hour', timestamp)", "date_trunc('day', timestamp)"];

/** The ms that DuckDB takes to read the files and answer. */
async function aggregate(threads?: number): Promise<number> {
  const instance = await DuckDBInstance.create(":memory:", threads === undefined ? {} : { threads: String(threads) });
  const connection = await instance.connect();
  const startedAt = performance.now();
  const files = `read_parquet('${folder}/archive/sealed/*/*/*/*.parquet')`;
  for (const bucket of BUCKETS) {
    await ask(connection, `SELECT merchant, ${bucket} AS bucket, ${NUMBERS} FROM ${files} GROUP BY ALL`);
    for (const dimension of BREAKDOWNS)
      await ask(
        connection,
        `SELECT merchant, ${bucket} AS bucket, ${dimension} AS value, ${NUMBERS} FROM ${files} GROUP BY ALL`,
      );
  }
  await ask(connection, VISITS(files));
  const took = performance.now() - startedAt;
  connection.closeSync();
  instance.closeSync();
  return took;
}

const NUMBERS =
  "count(*) FILTER (name = 'pageview') AS pageviews, count(DISTINCT visitor) AS visitors, sum(revenue) AS revenue";

const VISITS = (files: string) => `
  WITH gaps AS (SELECT merchant, visitor, timestamp, epoch_ms(timestamp) - lag(epoch_ms(timestamp)) OVER visitors AS gap
    FROM ${files} WINDOW visitors AS (PARTITION BY merchant, visitor ORDER BY timestamp))
  SELECT merchant, date_trunc('hour', timestamp) AS bucket, count(*) AS visits FROM gaps
  WHERE gap IS NULL OR gap > 1800000 GROUP BY ALL`;

async function ask(connection: DuckDBConnection, sql: string): Promise<void> {
  await connection.runAndReadAll(`SELECT count(*), sum(hash(answer)) FROM (${sql}) AS answer`);
}

function median(all: readonly number[]): number {
  return [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)] as number;
}

try {
  if (!existsSync(join(folder, "archive/sealed"))) {
    console.error(`writing ${events} events as bundles, then sealing them …`);
    writeLargeDay(folder, { events, merchants: MERCHANTS });
    report("seal", run("seal"));
  }
  await compare();
} finally {
  if (values.keep === undefined) rmSync(folder, { recursive: true, force: true });
}
