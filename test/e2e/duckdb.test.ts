// SQL for everybody: the script that `footfall archive files --duckdb` prints for a local start, run by DuckDB as it
// stands.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeLocalStart } from "../../scripts/local-state.ts";
import { type Runtime, startRuntime } from "../../scripts/runtime.ts";
import { Client, FAST, type Merchant, SECRETS, untilArchived } from "../support/services.ts";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../..");
const stateDir = mkdtempSync(join(tmpdir(), "footfall-duckdb-"));
const today = new Date().toISOString().slice(0, 10);
let runtime: Runtime;
let client: Client;
let shop: Merchant;

beforeAll(async () => {
  runtime = await startRuntime({
    secrets: SECRETS,
    stateDir,
    ledgers: 2,
    vars: FAST,
    queueWaitSeconds: 0,
    log: () => {},
  });
  client = new Client(runtime);
  shop = await client.createMerchant();
  const other = await client.createMerchant();
  for (const [merchant, count] of [
    [shop, 30],
    [other, 5],
  ] as const) {
    const events = Array.from({ length: count }, (_, index) => ({
      id: `it's ${index}`,
      url: "https://shop.example/",
      user_agent: index === 0 ? "Googlebot/2.1 (+http://www.google.com/bot.html)" : "",
      visitor_id: `visitor ${index % 10}`,
    }));
    await client.send({ tracking_id: merchant.tracking_id, events });
  }
  await untilArchived(client);
  const sign_in = { email: "", password: "" };
  await writeLocalStart(stateDir, {
    collector: runtime.collectorUrl,
    query: runtime.queryUrl,
    tracking_id: shop.tracking_id,
    api_key: shop.api_key,
    admin_token: SECRETS.ADMIN_TOKEN,
    merchant: shop.id,
    sign_in,
  });
});
afterAll(async () => {
  await runtime?.stop();
  rmSync(stateDir, { recursive: true, force: true });
});

async function footfall(...options: readonly string[]): Promise<string> {
  const args = ["--import", "./scripts/node-version.mjs", "scripts/footfall.ts", "archive", "files", ...options];
  const env = { ...process.env, STATE_DIR: stateDir };
  return (await run(process.execPath, args, { cwd: ROOT, env })).stdout;
}

async function query(script: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  await connection.run(script);
  const rows = await (await connection.runAndReadAll(sql)).getRowObjectsJson();
  connection.closeSync();
  return rows as Record<string, unknown>[];
}

test("[ARC-26] the script of a local start reads its files where they are, and says what the API says", async () => {
  const script = await footfall("--from", today, "--to", today, "--duckdb", "--merchant", "1");
  const sums = `SELECT date::TEXT AS date, count(*)::INT AS events, count(DISTINCT visitor)::INT AS visitors,
    (SELECT count(*)::INT FROM events WHERE dropped = 'bot') AS bots FROM counted GROUP BY date`;
  expect(await query(script, sums)).toEqual([{ date: today, events: 29, visitors: 10, bots: 1 }]);
  const { results } = await client.ask(shop, { metrics: ["pageviews", "visitors"], date_range: "day" });
  expect(results[0]?.metrics).toEqual([29, 10]);
  const all = await footfall("--from", today, "--to", today, "--duckdb");
  expect(await query(all, "SELECT count(*)::INT AS events FROM events")).toEqual([{ events: 35 }]);
});

test("[ARC-26] of a deployment it names the keys, below where they were copied to", async () => {
  const script = await footfall("--from", today, "--to", today, "--duckdb", "--at", "r2://footfall-archive");
  expect(script).toMatch(new RegExp(`'r2://footfall-archive/events/date=${today}/partition=pool-[01]/\\d+\\.parquet'`));
  const nothing = footfall("--from", "2020-01-01", "--to", "2020-01-02", "--duckdb");
  await expect(nothing).rejects.toMatchObject({
    stderr: expect.stringContaining("nothing is archived from 2020-01-01"),
  });
});
