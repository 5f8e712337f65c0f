// `npm run bench:archive`: what the archive costs a byte and a millisecond: a bundle on its way (JSON, gzip) and at
// rest (Parquet), written and read by the production code; beside DuckDB, which writes the same rows as Parquet with
// the codecs it has. Once a bundle of 1,300 events as one partition cuts it, and once 50,000 rows, as sealed files are.
// Each round runs every side.

import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { type Bundle, encodeBundle, encodeLogged } from "../core/archive/bundle.ts";
import { type ArchiveFile, filesOf } from "../core/archive/file.ts";
import { packBundle, unpackBundle } from "../storage/archive/bundle-message.ts";
import { encodeParquet, readParquet } from "../storage/archive/parquet.ts";
import { TUESDAY } from "../test/support/events.ts";
import { interleave, median, print, rounded } from "./measure.ts";
import { makeTraffic } from "./traffic.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 7);
const SIZES = [1_300, 50_000];
/** Larger ones are sealed files. */
const BUNDLE_EVENTS_MAX = 5_000;
/** A partition of this pace, at which a bundle is half a minute. */
const TRAFFIC = { merchants: 4_000, eventsPerSecond: 45 };

interface Side {
  readonly bytes: number;
  readonly encodeMs: number;
  readonly decodeMs: number;
}

const folder = mkdtempSync(join(tmpdir(), "footfall-archive-"));
try {
  for (const events of SIZES) await compare(events);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function compare(events: number): Promise<void> {
  const bundle = makeBundle(events);
  const [file] = filesOf(bundle);
  if (file === undefined) throw new Error("no file");
  const duckdb = await openDuckDb(file);
  const sides = {
    "bundle message (JSON, gzip)": () => message(bundle),
    "Parquet, gzip": () => parquet(file),
    "DuckDB, Parquet, gzip": () => duckdb.copy("gzip"),
    "DuckDB, Parquet, zstd": () => duckdb.copy("zstd"),
    "DuckDB, Parquet, snappy": () => duckdb.copy("snappy"),
  };
  await interleave(1, sides); // not yet compiled
  const results = await interleave(ROUNDS, sides);
  duckdb.close();
  const rows = Object.entries(results).map(([what, runs]) => ({
    what,
    rows: events,
    "B/event": rounded(median(runs.map((run) => run.bytes)) / events),
    "encode CPU ms": rounded(median(runs.map((run) => run.encodeMs))),
    "decode CPU ms": rounded(median(runs.map((run) => run.decodeMs))),
    "encode µs/event": rounded((median(runs.map((run) => run.encodeMs)) / events) * 1_000),
  }));
  print("archive", rows, { rounds: ROUNDS });
}

function makeBundle(events: number): Bundle {
  const traffic = makeTraffic(TRAFFIC);
  const stepMs = 1_000 / TRAFFIC.eventsPerSecond;
  return {
    partition: "pool-0",
    first: 1,
    events: Array.from({ length: events }, (_, index) => {
      const { event } = traffic.next(Math.floor(TUESDAY + index * stepMs));
      return { day: Math.floor(event.timestamp / 86_400_000), late: false, event };
    }),
  };
}

function message({ partition, first, events }: Bundle): Side {
  const rows = events.map(encodeLogged); // the log holds them so
  const { ms: encodeMs, value: bytes } = timed(() => packBundle(encodeBundle({ partition, first, rows })));
  // A bundle of 50,000 is larger than any that is sent, and than the bound its reader sets.
  const decodeMs = events.length > BUNDLE_EVENTS_MAX ? 0 : timed(() => unpackBundle(bytes)).ms;
  return { bytes: bytes.length, encodeMs, decodeMs };
}

async function parquet(file: ArchiveFile): Promise<Side> {
  const { ms: encodeMs, value: bytes } = timed(() =>
    encodeParquet(file, file.rows.length > BUNDLE_EVENTS_MAX ? "small" : "fast"),
  );
  const start = cpuMs();
  const { rows } = await readParquet(bytes);
  if (rows.length !== file.rows.length) throw new Error("not all rows were read");
  return { bytes: bytes.length, encodeMs, decodeMs: cpuMs() - start };
}

/** The file's rows in a table of DuckDB, which one thread then writes and reads. */
async function openDuckDb(file: ArchiveFile) {
  const source = join(folder, "rows.parquet");
  writeFileSync(source, encodeParquet(file));
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  await connection.run(`CREATE TABLE rows AS SELECT * FROM read_parquet('${source}', hive_partitioning = false)`);
  const target = join(folder, "copy.parquet");
  const copy = async (codec: string): Promise<Side> => {
    const start = cpuMs();
    await connection.run(`COPY rows TO '${target}' (FORMAT parquet, COMPRESSION ${codec})`);
    const encodeMs = cpuMs() - start;
    const restart = cpuMs();
    const read = await connection.runAndReadAll(`SELECT * FROM read_parquet('${target}')`);
    if (read.getRowsJS().length !== file.rows.length) throw new Error("not all rows were read");
    return { bytes: statSync(target).size, encodeMs, decodeMs: cpuMs() - restart };
  };
  const close = () => {
    connection.closeSync();
    instance.closeSync();
  };
  return { copy, close };
}

function timed<T>(work: () => T): { readonly ms: number; readonly value: T } {
  const start = cpuMs();
  const value = work();
  return { ms: cpuMs() - start, value };
}

/** CPU time of this process, DuckDB's threads included: others' work on the machine is not in it. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
