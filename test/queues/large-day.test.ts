// A (Day, partition) that memory does not hold: sorted by runs, merged into several sealed files over several turns,
// and counted again, each in a process whose heap is smaller than the Day's rows.
// `npm run bench:replay -- --events 5000000` is the same with five million events.

import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decodeManifest } from "../../core/archive/manifest.ts";
import { manifestKey } from "../../core/archive/object-key.ts";
import { SEAL_TURN_MS } from "../../core/limits.ts";
import { duckdb } from "../support/archive-fixture.ts";
import { type LargeDayRun, writeLargeDay } from "../support/large-day.ts";

const EVENTS = 220_000;
/** MB; as objects the rows would take some 400. */
const HEAP_MB = 96;
const folder = mkdtempSync(join(tmpdir(), "footfall-large-day-"));

beforeAll(() => writeLargeDay(folder, { events: EVENTS, merchants: 150 }));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(...what: readonly string[]): Promise<LargeDayRun> {
  const script = join(import.meta.dirname, "../support/large-day-process.ts");
  const bounded = [`--max-old-space-size=${HEAP_MB}`, script, folder, ...what];
  const { stdout } = await promisify(execFile)(process.execPath, bounded);
  return JSON.parse(stdout) as LargeDayRun;
}

test("[SEA-16] a Day larger than memory is sealed over several turns, and counted again", {
  timeout: 240_000,
}, async () => {
  const sealed = await run("seal", String(SEAL_TURN_MS + 1));
  expect(sealed.row).toMatchObject({ generation: 1, rows: EVENTS, merchants: 150, duplicates: 0, error: "" });
  const manifest = readFileSync(join(folder, "archive", manifestKey(sealed.row.folder)), "utf8");
  const { files, rows } = decodeManifest(manifest);
  expect([files.length, rows]).toEqual([3, EVENTS]);
  expect(sealed.turns).toBe(files.length); // one file a turn
  const runs = readdirSync(join(folder, "archive/runs"), { recursive: true }).filter((key) =>
    String(key).endsWith(".run"),
  );
  expect(runs.length).toBeGreaterThan(3);
  expect(await run("recount")).toMatchObject({ events: EVENTS, differences: 0 });
  const sealedFiles = join(folder, "archive/sealed/*/*/*/*.parquet");
  const [found] = await duckdb(
    `SELECT count(*)::INT AS rows, count(DISTINCT event_id)::INT AS ids FROM '${sealedFiles}'`,
  );
  expect(found).toEqual({ rows: EVENTS, ids: EVENTS });
  expect(existsSync(join(folder, "archive/events"))).toBe(true); // until its grace is over
  const peaks = `${Math.round(sealed.peakRss / 2 ** 20)} MB`;
  console.log(
    `large Day: ${EVENTS} rows sealed in ${sealed.ms} ms with a heap of ${HEAP_MB} MB, peak of the process ${peaks}`,
  );
});
