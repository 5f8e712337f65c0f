// Exports on the real runtime: two merchants of one partition, Days that are sealed and one that is open, in every
// format, by the API, by the command line and read by DuckDB with the statements of docs/export.md as they stand.

import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { DuckDBInstance } from "@duckdb/node-api";
import { parse } from "csv-parse/sync";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EXPORT_COLUMNS } from "../../core/archive/export.ts";
import { DAY_MS, dateOf } from "../../core/time.ts";
import type { Runtime } from "../../scripts/runtime.ts";
import { archiveObjects } from "../support/duckdb.ts";
import { CHROME } from "../support/events.ts";
import { Client, type Merchant, SECRETS, startServices, untilArchived, untilSealed } from "../support/services.ts";

const TODAY = Math.floor(Date.now() / DAY_MS);
const FIRST = TODAY - 9;
const RANGE = { from: dateOf(FIRST), to: dateOf(TODAY) };
const DOC = readFileSync(join(import.meta.dirname, "../../docs/export.md"), "utf8");
const RECIPES = new Map(
  [...DOC.matchAll(/```sql\n(-- (\S+): [^`]+)```/g)].map(([, sql = "", name = ""]) => [name, sql]),
);
const folder = mkdtempSync(join(tmpdir(), "footfall-export-"));

let services: { runtime: Runtime; client: Client; stop: () => Promise<void> };
let shop: Merchant;
let other: Merchant;
let adminKey = "";

beforeAll(async () => {
  services = await startServices({ POOL_SIZE: "1" });
  const { client } = services;
  shop = await client.createMerchant();
  other = await client.createMerchant();
  const made = await client.admin("POST", `/api/v1/merchants/${shop.id}/keys`, { name: "export", scope: "admin" });
  adminKey = (made as { api_key: string }).api_key;
  for (const [name, { tracking_id }] of Object.entries({ shop, other })) {
    const events = Array.from({ length: 300 }, (_, index) => ({
      tracking_id,
      id: `${name} ${index}`,
      visitor_id: `${name} visitor ${index % 40}`,
      timestamp: FIRST * DAY_MS + (index % 3) * DAY_MS + 36_000_000 + index * 1_000,
      url: `https://${name}-${index % 2}.example/page?x=1,2`,
      title: index === 0 ? '=HYPERLINK("https://evil.example")' : `Page "${index}", and more`,
      user_agent: CHROME,
      ...(index % 10 === 0 && { name: "purchase", revenue: { amount: 12.5, currency: "EUR" }, props: { a: "b" } }),
    }));
    events.push(
      { ...(events[1] as (typeof events)[0]) },
      { ...(events[3] as (typeof events)[0]), id: `${name} bot`, user_agent: "Googlebot/2.1" },
    );
    expect((await client.send({ events })).status).toBe(202);
    const now = { tracking_id, id: `${name} today`, url: `https://${name}-0.example/`, user_agent: CHROME };
    expect((await client.send(now)).status).toBe(202);
  }
  await untilArchived(client);
  await untilSealed(client, { from: RANGE.from, to: dateOf(FIRST + 2) });
}, 120_000);
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await services?.stop();
});

function get(parameters: Record<string, string>, merchant = shop, token = adminKey): Promise<Response> {
  const url = `${services.client.queryUrl}/api/v1/merchants/${merchant.id}/events?${new URLSearchParams(parameters)}`;
  return fetch(url, { headers: { authorization: `Bearer ${token}` } });
}

type Row = Record<string, string | number | null>;

async function rowsOf(parameters: Record<string, string> = {}): Promise<readonly Row[]> {
  const text = await (await get({ ...RANGE, ...parameters })).text();
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Row);
}

/** The rows of some SQL, run in the folder of the test. */
async function duckdb(...statements: readonly string[]): Promise<readonly Record<string, unknown>[]> {
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  await connection.run(`SET file_search_path = '${folder}'; SET TimeZone = 'UTC'`);
  for (const sql of statements.slice(0, -1)) await connection.run(sql);
  const rows = await (await connection.runAndReadAll(statements.at(-1) ?? "")).getRowObjectsJson();
  connection.closeSync();
  return rows as Record<string, unknown>[];
}

test("[EXP-1] [EXP-2] [EXP-3] NDJSON has each own event once, with the archive's facts and nothing of the deployment", async () => {
  const response = await get(RANGE);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("application/x-ndjson");
  expect(response.headers.get("content-disposition")).toBe(
    `attachment; filename="events-${RANGE.from}-to-${RANGE.to}.ndjson"`,
  );
  const open = response.headers.get("footfall-open-from") ?? "";
  expect(open > dateOf(FIRST + 2) && open <= dateOf(TODAY)).toBe(true);
  expect((await get({ from: RANGE.from, to: RANGE.from })).headers.get("footfall-open-from")).toBeNull();
  const text = await response.text();
  expect(text).not.toContain("other");
  const rows = text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Row);
  expect(rows.map((row) => row["event_id"]).sort()).toEqual(
    [...Array.from({ length: 300 }, (_, index) => `shop ${index}`), "shop bot", "shop today"].sort(),
  );
  const columns = Object.keys(rows[0] ?? {});
  expect(columns).toEqual(EXPORT_COLUMNS.map(({ name }) => name));
  for (const column of columns) expect(DOC).toContain(`\`${column}\``);
  for (const own of ["merchant", "partition", "position"]) expect(columns).not.toContain(own);
  expect(rows.find((row) => row["event_id"] === "shop 10")).toMatchObject({
    date: dateOf(FIRST + 1),
    name: "purchase",
    revenue: 125_000,
    props: '{"a":"b"}',
    scroll: null,
    dropped: null,
    timestamp: new Date(FIRST * DAY_MS + DAY_MS + 36_010_000).toISOString(),
  });
});

test("[EXP-1] [EXP-6] CSV and Parquet hold the same rows as NDJSON", async () => {
  const rows = await rowsOf();
  const csv = await get({ ...RANGE, format: "csv" });
  expect(csv.headers.get("content-type")).toBe("text/csv; charset=utf-8; header=present");
  const read = parse(await csv.text(), { columns: true }) as Record<string, string>[];
  const spelled = rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, String(value ?? "").replace(/^=/, "'=")])),
  );
  expect(read).toEqual(spelled);
  writeFileSync(
    join(folder, "all.parquet"),
    Buffer.from(await (await get({ ...RANGE, format: "parquet" })).arrayBuffer()),
  );
  const instants =
    "strftime(timestamp, '%Y-%m-%dT%H:%M:%S.%gZ') AS timestamp, strftime(received_at, '%Y-%m-%dT%H:%M:%S.%gZ') AS received_at";
  const parquet = await duckdb(`SELECT * REPLACE (${instants}) FROM 'all.parquet'`);
  const text = (value: unknown) => (value === null ? null : String(value));
  const asText = (row: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, text(value)]));
  expect(parquet.map(asText)).toEqual(rows.map(asText));
});

test.each([
  [{ name: "purchase" }, 30],
  [{ name: "purchase", hostname: "SHOP-0.example" }, 30],
  [{ name: "purchase", hostname: "shop-1.example" }, 0],
  [{ hostname: "shop-1.example" }, 151],
  [{ counted: "false" }, 1],
  [{ counted: "true" }, 301],
  [{ stream: "1" }, 302],
  [{ stream: "2" }, 0],
  [{ country: "ZZ" }, 0],
  [{ order_id: "1" }, 0],
  [{ filters: '[["is","event:name",["purchase"]]]' }, 30],
  [{ filters: '[["matches","event:hostname",["^shop-[1]"]]]', counted: "true" }, 150],
  [{ filters: '[["not",["contains","event:page",["PAGE"],{"case_sensitive":false}]]]' }, 1],
  [{ filters: '[["has_done",["is","event:name",["purchase"]]]]', name: "purchase" }, 30],
  [{ filters: '[["is","visit:browser",["Firefox"]]]' }, 0],
] as const)("[EXP-4] of %j there are %d", async (filter, count) => {
  expect(await rowsOf(filter)).toHaveLength(count);
});

test("[EXP-4] one visitor's events, by the name an export gives", async () => {
  const [first] = await rowsOf({ name: "purchase" });
  const own = await rowsOf({ visitor: String(first?.["visitor"]) });
  expect(own.length).toBeGreaterThan(1);
  expect(new Set(own.map((row) => row["visitor"]))).toEqual(new Set([first?.["visitor"]]));
});

test.each([
  [{}, "from", /"from" is missing/],
  [{ from: "2026-02-30", to: "2026-03-01" }, "from", /must be a date/],
  [{ from: "2026-03-02", to: "2026-03-01" }, "to", /must not be before/],
  [{ from: "2024-01-01", to: "2026-12-31" }, "to", /at most 372 Days/],
  [{ ...RANGE, format: "xlsx" }, "format", /must be "ndjson" or "csv" or "parquet"/],
  [{ ...RANGE, where: "1" }, "where", /no field "where"/],
  [{ ...RANGE, counted: "yes" }, "counted", /must be "true" or "false"/],
  [{ ...RANGE, filters: "visit:source" }, "filters", /must be a list of filters/],
  [{ ...RANGE, filters: '[["is","visit:sauce",["x"]]]' }, "filters", /^#\/filters\/0: Invalid filter/],
  [{ ...RANGE, filters: '[["is","segment",["nobody"]]]' }, "filters", /There is no segment "nobody"/],
  [{ ...RANGE, filters: '[["is","event:goal",["Sign up"]]]' }, "filters", /^#\/filters\/0: The goal `Sign up` is not/],
  [{ ...RANGE, filters: '[["is","event:page",["/"]]]', counted: "false" }, "counted", /are of events that are counted/],
] as const)("[EXP-5] %j is refused before the first byte", async (parameters, field, message) => {
  const response = await get(parameters as Record<string, string>);
  expect(response.status).toBe(400);
  const { error } = (await response.json()) as { error: { field: string; message: string } };
  expect(error.field).toBe(field);
  expect(error.message).toMatch(message);
});

test("[EXP-2] what retention has ended is not there, as soon as it is asked for", async () => {
  const { client } = services;
  const { id, tracking_id } = await client.createMerchant();
  const day = TODAY - 100;
  const timestamp = day * DAY_MS + 36_000_000;
  expect((await client.send({ tracking_id, timestamp, user_agent: CHROME })).status).toBe(202);
  await untilArchived(client);
  const range = { from: dateOf(day), to: dateOf(day) };
  const rows = async () => (await get(range, { ...shop, id }, SECRETS.ADMIN_TOKEN)).text();
  expect((await rows()).split("\n")).toHaveLength(2);
  await client.admin("PATCH", `/api/v1/merchants/${id}`, { retention_days: 90 });
  expect(await rows()).toBe("");
});

test("[EXP-2] it takes the door admin, and is in the audit log", async () => {
  expect((await get(RANGE, shop, shop.api_key)).status).toBe(403);
  expect((await get(RANGE, other)).status).toBe(404);
  const { audit } = (await new Client(services.runtime, adminKey).admin("GET", "/api/v1/audit")) as {
    audit: { act: string; details: object }[];
  };
  expect(audit.find(({ act }) => act === "events.export")?.details).toMatchObject({ from: RANGE.from });
});

test("[EXP-5] an object that is lost breaks the transfer off: no part is taken for the whole", async () => {
  const { client, runtime } = services;
  const lone = await client.createMerchant();
  const timestamp = (FIRST - 3) * DAY_MS;
  const send = async (day: number) => {
    expect(
      (await client.send({ tracking_id: lone.tracking_id, timestamp: timestamp + day * DAY_MS, user_agent: CHROME }))
        .status,
    ).toBe(202);
  };
  await send(0);
  await send(1);
  await untilArchived(client);
  const range = { from: dateOf(FIRST - 3), to: dateOf(FIRST - 2) };
  const days = await untilSealed(client, range);
  const bucket = await runtime.miniflare.getR2Bucket("BUCKET", "footfall-query");
  for await (const [key] of archiveObjects(runtime, days.find(({ date }) => date === range.to)?.folder))
    if (key.endsWith(".parquet")) await bucket.delete(key);
  const read = async () => (await get(range, lone, SECRETS.ADMIN_TOKEN)).text();
  await expect(read()).rejects.toThrow();
});

const FOOTFALL = ["--import", "./scripts/node-version.mjs", "scripts/footfall.ts", "export"];

async function footfall(...given: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const { queryUrl } = services.client;
  const env = { ...process.env, FOOTFALL_QUERY_URL: queryUrl, FOOTFALL_ADMIN_TOKEN: adminKey, STATE_DIR: folder };
  const range = ["--site", shop.id, "--from", RANGE.from, "--to", RANGE.to];
  return promisify(execFile)(process.execPath, [...FOOTFALL, ...range, ...given], { env });
}

test("[EXP-9] footfall export writes the same, Day by Day, and says which Days are open", async () => {
  const { stdout, stderr } = await footfall("--where", "name=purchase");
  expect(
    stdout
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line)),
  ).toEqual(await rowsOf({ name: "purchase" }));
  expect(stderr).toContain("are still open");
  const file = join(folder, "all.csv");
  await footfall("--format", "csv", "--out", file);
  expect(readFileSync(file, "utf8")).toBe(await (await get({ ...RANGE, format: "csv" })).text());
  await expect(footfall("--format", "parquet")).rejects.toThrow("--out");
  await expect(footfall("--where", "page=/")).rejects.toThrow("it must be <field>=<value>");
});

test("[EXP-8] the DuckDB statements of docs/export.md run as they stand and say what the API says", async () => {
  const { client, runtime } = services;
  await footfall("--format", "parquet", "--out", join(folder, "november"));
  const question = { metrics: ["pageviews", "visitors"], date_range: [RANGE.from, RANGE.to], dimensions: ["time:day"] };
  const { results } = await client.ask(shop, question);
  const shown = results.map(({ dimensions, metrics }) => ({
    date: dimensions[0],
    pageviews: String(metrics[0]),
    visitors: String(metrics[1]),
  }));
  const inOrder = shown.sort((a, b) => String(a.date).localeCompare(String(b.date)));
  expect(await duckdb(RECIPES.get("exported") ?? "")).toEqual(inOrder);

  for await (const [key, bytes] of archiveObjects(runtime, "sealed/")) {
    mkdirSync(dirname(join(folder, key)), { recursive: true });
    writeFileSync(join(folder, key), bytes);
  }
  const local = /`(SET VARIABLE archive = '\.')`/.exec(DOC)?.[1] ?? "";
  const merchants = await duckdb(local, RECIPES.get("newest") ?? "", RECIPES.get("merchants") ?? "");
  const number = String(Number.parseInt(shop.tracking_id.slice(0, 8), 16));
  const own = merchants.filter((row) => row["merchant"] === number).map(({ merchant: _, ...row }) => row);
  expect(own).toEqual(inOrder.slice(0, 3));
  expect([...RECIPES.keys()]).toEqual(["exported", "newest", "merchants"]);
  expect(DOC.match(/```sql/g)).toHaveLength(RECIPES.size);
});

test("[EXP-4] a segment is named as in a question, and the command line filters alike", async () => {
  const path = `/api/v1/merchants/${shop.id}/segments`;
  const filters = [["is", "event:name", ["purchase"]]];
  await new Client(services.runtime, adminKey).admin("POST", path, { name: "Payments", filters });
  expect(await rowsOf({ filters: '[["is_not","segment",["Payments"]]]', counted: "true" })).toHaveLength(271);
  const out = join(folder, "payments.ndjson");
  await footfall("--filters", JSON.stringify([["is", "segment", ["Payments"]]]), "--out", out);
  expect(readFileSync(out, "utf8").split("\n")).toHaveLength(31);
});
