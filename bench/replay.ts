// `npm run bench:replay`: how fast a sealed (Day, partition) is counted again, beside DuckDB over the same files on the
// same machine, in turns; medians are compared. "counted" reads the columns that counting needs, forms opinions, counts
// visits and makes every rollup with all its breakdowns and sketches; "compared" is a whole rebuild, with what a D1 on
// disk holds. DuckDB answers the part of it that SQL can say in a few statements: visits by a window over each visitor,
// and per merchant and Hour, and per merchant and Day, page views, distinct visitors and revenue in total and by page,
// referrer, agent, language and country. The replay runs in a process whose heap is bounded as a Worker's memory is;
// the ratio is of processor time, against one thread. --events 5000000 makes it a large Day, --rounds how many, --keep
// <folder> keeps and reuses the files.

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
let bytes = 0;
let peakRss = 0;
const folder = values.keep ?? mkdtempSync(join(tmpdir(), "footfall-bench-"));
/** What one side took. */
interface Taken {
  readonly ms: number;
  /** Of the processor, of all threads. */
  readonly cpuMs: number;
}

async function compare(): Promise<void> {
  const sides: Readonly<Record<string, () => Promise<Taken>>> = {
    "rebuild: counted": async () => checked(run("count")),
    "rebuild: counted and compared": async () => checked(run("recount")),
    "DuckDB, 1 thread": () => aggregate(1),
    "DuckDB, all threads": () => aggregate(),
  };
  const taken = new Map(Object.keys(sides).map((side) => [side, [] as Taken[]]));
  for (let round = 0; round < rounds; round++) {
    for (const [side, take] of Object.entries(sides)) {
      const one = await take();
      taken.get(side)?.push(one);
      console.error(`round ${round + 1}: ${side} ${Math.round(one.ms)} ms, ${Math.round(one.cpuMs)} ms of CPU`);
    }
  }
  const rows = [...taken].map(([side, all]) => {
    const [ms, cpuMs] = [median(all.map((one) => one.ms)), median(all.map((one) => one.cpuMs))];
    return { side, ms, cpuMs, eventsPerSecond: (events / ms) * 1_000, megabytesPerSecond: bytes / ms / 1_000 };
  });
  const cpuOf = (side: string) => rows.find((row) => row.side === side)?.cpuMs ?? 0;
  console.table(rows.map((row) => ({ ...row, ...rounded(row) })));
  const ofDuckdb = (side: string) => Number(((cpuOf("DuckDB, 1 thread") / cpuOf(side)) * 100).toFixed(1));
  const ratios = {
    counted_percent_of_duckdb: ofDuckdb("rebuild: counted"),
    compared_percent_of_duckdb: ofDuckdb("rebuild: counted and compared"),
  };
  const memory = { peak_rss_mb: Math.round(peakRss / 2 ** 20), heap_mb: HEAP_MB };
  console.log(JSON.stringify({ bench: "replay", events, bytes, ...ratios, ...memory, sides: rows }));
}

function rounded(row: { ms: number; cpuMs: number; eventsPerSecond: number; megabytesPerSecond: number }) {
  return {
    ms: Math.round(row.ms),
    cpuMs: Math.round(row.cpuMs),
    eventsPerSecond: Math.round(row.eventsPerSecond),
    megabytesPerSecond: Number(row.megabytesPerSecond.toFixed(2)),
  };
}

/** A replay that found what it should; its size and the most memory of any are kept for the report. */
function checked(one: LargeDayRun): Taken {
  if (one.differences > 0 || one.events !== events) throw new Error(`the replay differs: ${JSON.stringify(one)}`);
  bytes = one.row.bytes;
  peakRss = Math.max(peakRss, one.peakRss);
  return one;
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

/** What DuckDB takes to read the files and answer. */
async function aggregate(threads?: number): Promise<Taken> {
  const instance = await DuckDBInstance.create(":memory:", threads === undefined ? {} : { threads: String(threads) });
  const connection = await instance.connect();
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
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
  const { user, system } = process.cpuUsage(cpuBefore);
  const ms = performance.now() - startedAt;
  connection.closeSync();
  instance.closeSync();
  return { ms, cpuMs: (user + system) / 1_000 };
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
