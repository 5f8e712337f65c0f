// A shop's history on the real runtime, by the command line: a file that has its own places, browsers, campaigns
// and orders is previewed, imported beside Days that were counted here, imported again, taken back whole, let
// count again, and replaced by the same file under another map. What the API answers is compared with counts made
// from the rows themselves.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CHROME } from "../support/events.ts";
import { Client, type Merchant, startServices, until, untilArchived } from "../support/services.ts";

const run = promisify(execFile);
const SCRIPT = join(import.meta.dirname, "../../scripts/footfall.ts");
const RANGE = { from: "2026-10-05", to: "2026-10-08" };
/** The one Day on which the shop had Footfall's own tracker. */
const COUNTED = "2026-10-07";

const PLACES = [
  ["Austria", "Vienna", "Wien"],
  ["de", "Bavaria", "Munich"],
  ["(not set)", "", ""],
] as const;
const BROWSERS = [
  ["chrome", "Windows 10", "laptop", "Chrome", "Windows", "Desktop"],
  ["Mobile Safari", "iOS 17", "smartphone", "Mobile Safari", "iOS", "Mobile"],
] as const;

interface Row {
  readonly at: number;
  readonly visitor: string;
  readonly path: string;
  readonly place: (typeof PLACES)[number];
  readonly browser: (typeof BROWSERS)[number];
  readonly campaign: string;
  readonly order: string;
  readonly total: string;
}

/** Visitors of four Days: each looks at two pages, every fifth buys, and one gives half of it back. */
const ROWS: readonly Row[] = Array.from({ length: 120 }, (_, index) => {
  const visitor = index >> 1;
  const common = {
    at: Date.UTC(2026, 9, 5 + (visitor % 4), 9, visitor % 60, index % 2),
    visitor: `v${visitor}`,
    path: index % 2 === 0 ? "/" : "/mats",
    place: PLACES[visitor % 3] as Row["place"],
    browser: BROWSERS[visitor % 2] as Row["browser"],
    campaign: visitor % 4 === 1 ? "autumn" : "",
    order: "",
    total: "",
  };
  const buys = index % 2 === 1 && visitor % 5 === 0;
  const bought = { ...common, at: common.at + 60_000, path: "", order: `A${visitor}`, total: "20.50" };
  const back = { ...bought, at: bought.at + 60_000, total: "-10.25" };
  return [common, ...(buys ? [bought] : []), ...(buys && visitor === 20 ? [back] : [])];
}).flat();

const HEADER = "who,at,host,page_path,country,region,city,browser,os,device,campaign,order,total,currency";
const MAP = "who=visitor_id,at=timestamp,campaign=utm_campaign,order=order_id";

let services: Awaited<ReturnType<typeof startServices>>;
let shop: Merchant;
let own: Client;
let before: readonly unknown[];
const folder = mkdtempSync(join(tmpdir(), "footfall-history-"));
const file = join(folder, "history.csv");

beforeAll(async () => {
  services = await startServices({ RULES_NOTICE_MS: "100" });
  const { client } = services;
  shop = await client.createMerchant("UTC");
  const path = `/api/v1/merchants/${shop.id}/keys`;
  const key = (await client.admin("POST", path, { name: "runs it", scope: "admin" })) as { readonly api_key: string };
  own = new Client(client, key.api_key);
  writeFileSync(file, `${[HEADER, ...ROWS.map(lineOf)].join("\n")}\n`);
  const events = Array.from({ length: 40 }, (_, index) => ({
    visitor_id: `native ${index % 9}`,
    url: `https://shop.example/${index % 3}`,
    user_agent: CHROME,
    timestamp: Date.parse(`${COUNTED}T08:00:00Z`) + index * 1_000,
  }));
  const headers = { "x-footfall-place": JSON.stringify({ country: "IE", city: "Dublin" }) };
  await client.send({ tracking_id: shop.tracking_id, events }, headers);
  await untilSealed([COUNTED]);
  before = await numbers();
}, 90_000);
afterAll(async () => {
  await services?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("[IMP-21] place, browser and import are refused without a key", async () => {
  const { client } = services;
  const event = { tracking_id: shop.tracking_id, url: "https://shop.example/", timestamp: Date.now() };
  for (const claim of [
    { country: "AT" },
    { region: "Vienna" },
    { city: "Wien" },
    { browser: "Chrome" },
    { os: "iOS" },
  ]) {
    const [field] = Object.keys(claim);
    const { body } = await client.send({ ...event, ...claim });
    expect(body.error?.message ?? body.rejected[0]?.message).toContain(`${field} needs an API key`);
  }
  const { body } = await client.send({ tracking_id: shop.tracking_id, import: 3, events: [event] });
  expect(body.rejected[0]?.message).toContain("import needs an API key");
});

test("[IMP-23] [IMP-25] a preview shows ten events, the numbers and the Days that are counted, and sends nothing", async () => {
  const { stdout } = await footfall("import", file, "--map", MAP, "--preview");
  expect(stdout.split("\n").filter((line) => line.startsWith("2026-10-"))).toHaveLength(10);
  expect(stdout).toMatch(/120 pageview, 12 purchase, 1 refund/);
  expect(stdout).toMatch(/235\.75 EUR/);
  expect(stdout).toMatch(new RegExp(`on ${COUNTED} 40 events are counted here, and the file has 33: these Days`));
  expect(((await own.admin("GET", `/api/v1/merchants/${shop.id}/imports`)) as Imports).imports).toEqual([]);
  // Read by its own names, the file has no time: that shows at once.
  await expect(footfall("import", file, "--preview")).rejects.toThrow(/no column is a timestamp/);
});

test("[IMP-22] [IMP-25] an import has the file's own places, browsers, campaigns and orders, on the Days it is left", async () => {
  const { stdout } = await footfall("import", file, "--map", MAP);
  expect(stdout).toMatch(/33 skipped: of Days that are counted here already/);
  expect(stdout).toMatch(/import 1; take it back with: footfall import undo 1/);
  await untilSealed(["2026-10-05", "2026-10-06", "2026-10-08"]);
  await expectImported();
  const [one] = ((await own.admin("GET", `/api/v1/merchants/${shop.id}/imports`)) as Imports).imports;
  expect(one).toMatchObject({ number: 1, name: "history.csv", source: "csv", state: "done", events: 100 });
  expect(one?.tally).toMatchObject({ rows: 133, accepted: 100 });
  // The key that was made for it is gone with it.
  const { keys } = (await own.admin("GET", `/api/v1/merchants/${shop.id}/keys`)) as {
    keys: readonly { name: string }[];
  };
  expect(keys.map(({ name }) => name)).not.toContain("import of history.csv");
}, 90_000);

test("[IMP-24] the same file again counts once, whatever became of the place beside it", async () => {
  rmSync(`${file}.footfall-import.json`);
  const { stdout } = await footfall("import", file, "--map", MAP);
  expect(stdout).toMatch(/import 1 has brought this file already/);
  const other = `${MAP},device=props.device`;
  await expect(footfall("import", file, "--map", other)).rejects.toThrow(
    /409.*read with other options.*undo it first/s,
  );
  await expectImported();
});

test("[IMP-29] an export of Footfall, imported by another merchant, gives equal numbers to the unit", async () => {
  const path = join(folder, "export.ndjson");
  await footfall("export", "--site", shop.id, "--from", RANGE.from, "--to", RANGE.to, "--out", path);
  const other = await services.client.createMerchant("UTC");
  const { client } = services;
  const where = ["--query-url", client.queryUrl, "--collector-url", client.collectorUrl];
  const admin = ["--admin-token", client.adminToken, "--merchant", other.id];
  const { stdout } = await run(process.execPath, [SCRIPT, ...where, "import", path, ...admin], { env: {} });
  expect(stdout).toMatch(/ 140 events taken/);
  await untilSealed(["2026-10-05", "2026-10-06", COUNTED, "2026-10-08"]);
  expect((await orders(other)).length).toBeGreaterThan(5);
  expect(await numbers(other)).toEqual(await numbers());
  const facts = async (merchant: Merchant) => {
    const asked = `/api/v1/merchants/${merchant.id}/events?from=${RANGE.from}&to=${RANGE.to}&format=ndjson`;
    const headers = { authorization: `Bearer ${client.adminToken}` };
    const text = await (await fetch(`${client.queryUrl}${asked}`, { headers })).text();
    const rows = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    return rows.map(({ stream: _stream, import: _import, ...row }) => JSON.stringify(row)).sort();
  };
  expect(await facts(other)).toEqual(await facts(shop));
}, 120_000);

test("[IMP-26] undo restores every number to the unit, redo brings them back, and verify finds no difference", async () => {
  const imported = await numbers();
  expect(imported).not.toEqual(before);
  await footfall("import", "undo", "1");
  await untilState(1, "undone");
  expect(await numbers()).toEqual(before);
  expect(await verify()).toMatchObject({ differences: 0, in_doubt: 0 });
  // The events are there still, for their reason.
  const drops = await ask({ metrics: ["drops"], dimensions: ["event:drop_reason"] });
  expect(drops).toContainEqual([["undone"], [100]]);

  await footfall("import", "redo", "1");
  await untilState(1, "done");
  expect(await numbers()).toEqual(imported);
  await expectImported();
  expect(await verify()).toMatchObject({ differences: 0, in_doubt: 0 });
}, 120_000);

test("[IMP-26] after an undo the same rows may come again, under another map, and the first cannot be redone beside them", async () => {
  await footfall("import", "undo", "1");
  await untilState(1, "undone");
  const { stdout } = await footfall("import", file, "--map", `${MAP},city=props.town`);
  expect(stdout).toMatch(/import 2; take it back/);
  await untilSealed(["2026-10-05", "2026-10-06", "2026-10-08"]);
  const rows = ROWS.filter(isLeft);
  expect(await ask({ metrics: ["pageviews"], dimensions: [] })).toEqual([[[], [40 + rows.filter(isView).length]]]);
  expect(await ask({ metrics: ["pageviews"], dimensions: ["visit:city"] })).not.toContainEqual([
    ["Wien"],
    expect.anything(),
  ]);
  await expect(footfall("import", "redo", "1")).rejects.toThrow(/409.*Import 2 has brought these rows again/s);
  // Whichever stands, in whatever order they were undone.
  await footfall("import", "undo", "2");
  await untilState(2, "undone");
  expect(await numbers()).toEqual(before);
  await footfall("import", "redo", "1");
  await untilState(1, "done");
  await expectImported();
  expect(await verify()).toMatchObject({ differences: 0, in_doubt: 0 });
}, 120_000);

interface Imports {
  readonly imports: readonly { readonly number: number; readonly state: string; readonly tally: object }[];
}

/** Whether the row is of a Day that was not counted here. */
function isLeft({ at }: Row): boolean {
  return new Date(at).toISOString().slice(0, 10) !== COUNTED;
}

const isView = ({ order }: Row) => order === "";

/** The API's numbers against counts of the rows. */
async function expectImported(): Promise<void> {
  const rows = ROWS.filter(isLeft);
  const views = rows.filter(isView);
  const count = (of: (row: Row) => string) => {
    const counts = new Map<string, number>();
    for (const row of views) counts.set(of(row), (counts.get(of(row)) ?? 0) + 1);
    return counts;
  };
  const expected: readonly (readonly [dimension: string, counts: Map<string, number>, native: string])[] = [
    ["visit:country", count(({ place }) => ({ Austria: "AT", de: "DE" })[place[0] as "de"] ?? "(not set)"), "IE"],
    ["visit:region", count(({ place }) => place[1] || "(not set)"), "(not set)"],
    ["visit:city", count(({ place }) => place[2] || "(not set)"), "Dublin"],
    ["visit:browser", count(({ browser }) => browser[3]), "Chrome"],
    ["visit:os", count(({ browser }) => browser[4]), "Windows"],
    ["visit:device", count(({ browser }) => browser[5]), "Desktop"],
    ["visit:utm_campaign", count(({ campaign }) => campaign || "(not set)"), "(not set)"],
    ["event:hostname", count(() => "old.example"), "shop.example"],
  ];
  for (const [dimension, counts, native] of expected) {
    counts.set(native, (counts.get(native) ?? 0) + 40);
    const all = await ask({ metrics: ["pageviews"], dimensions: [dimension] });
    const answered = all.filter(([, [views]]) => views !== 0); // orders have no host
    expect([dimension, Object.fromEntries(answered.map(([[value], [views]]) => [value, views]))]).toEqual([
      dimension,
      Object.fromEntries(counts),
    ]);
  }
  const orders = rows.filter(({ order, total }) => order !== "" && !total.startsWith("-"));
  const revenue = rows.reduce((sum, { total }) => sum + Number(total || 0), 0);
  const [[, numbers] = [[], []]] = await ask({ metrics: ["orders", "total_revenue", "visitors"], dimensions: [] });
  const visitors = new Set(rows.map(({ visitor }) => visitor)).size + 9;
  expect(numbers).toEqual([orders.length, expect.objectContaining({ value: revenue }), visitors]);
}

type Results = readonly (readonly [dimensions: readonly string[], metrics: readonly unknown[]])[];

async function ask(question: Record<string, unknown>, merchant: Merchant = shop): Promise<Results> {
  const answer = await services.client.ask(merchant, { date_range: [RANGE.from, RANGE.to], ...question });
  return answer.results.map(({ dimensions, metrics }) => [dimensions, metrics]);
}

/** The last orders, each with what led to it. */
async function orders(merchant: Merchant): Promise<readonly unknown[]> {
  const response = await fetch(`${services.client.queryUrl}/api/v2/orders`, {
    method: "POST",
    headers: { authorization: `Bearer ${merchant.api_key}` },
    body: JSON.stringify({ site_id: merchant.id, date_range: [RANGE.from, RANGE.to], limit: 100 }),
  });
  expect(response.status).toBe(200);
  return ((await response.json()) as { readonly results: readonly unknown[] }).results;
}

/** All that a reader may ask: totals, by Day and Hour, by dimensions, and the orders. */
async function numbers(merchant: Merchant = shop): Promise<readonly unknown[]> {
  const ofEvents = ["visitors", "pageviews", "events", "total_revenue", "orders"];
  const ofVisits = ["visitors", "visits", "bounce_rate", "visit_duration"];
  const asked = [
    ...[[], ["time:hour"], ["event:page"], ["event:hostname"]].map((dimensions) => ({ metrics: ofEvents, dimensions })),
    ...[["time:day"], ["visit:country"], ["visit:browser"], ["visit:city"]].map((dimensions) => {
      return { metrics: ofVisits, dimensions };
    }),
  ];
  return Promise.all([...asked.map((question) => ask(question, merchant)), orders(merchant)]);
}

async function verify(): Promise<unknown> {
  const { id } = (await own.admin("POST", "/api/v1/replays", { kind: "verify", ...RANGE })) as { readonly id: string };
  return until(
    async () => (await own.admin("GET", `/api/v1/replays/${id}`)) as { readonly state: string },
    ({ state }) => state === "done",
  );
}

function untilState(number: number, state: string): Promise<unknown> {
  return until(
    async () =>
      (await own.admin("GET", `/api/v1/merchants/${shop.id}/imports/${number}`)) as { readonly state: string },
    (one) => one.state === state,
    60_000,
  );
}

/** Until these Days are sealed and nothing late waits. */
async function untilSealed(dates: readonly string[]): Promise<void> {
  const { client } = services;
  await untilArchived(client);
  await until(
    async () => {
      const path = `/api/v1/archive/days?from=${RANGE.from}&to=${RANGE.to}`;
      const { days } = (await client.admin("GET", path)) as {
        readonly days: readonly { readonly date: string; readonly state: string }[];
      };
      return days.filter(({ date }) => dates.includes(date));
    },
    (days) => days.length >= dates.length && days.every(({ state }) => state === "sealed"),
    60_000,
  );
}

function lineOf({ at, visitor, path, place, browser, campaign, order, total }: Row): string {
  const [country, region, city] = place;
  const money = total === "" ? ["", ""] : [total, "EUR"];
  const host = path === "" ? "" : "old.example";
  const [name, os, device] = browser;
  // µs, as GA4's export has them.
  return [visitor, `${at}000`, host, path, country, region, city, name, os, device, campaign, order, ...money].join(
    ",",
  );
}

function footfall(...args: readonly string[]): Promise<{ stdout: string }> {
  const { client } = services;
  const where = [
    "--query-url",
    client.queryUrl,
    "--collector-url",
    client.collectorUrl,
    "--admin-token",
    own.adminToken,
  ];
  return run(process.execPath, [SCRIPT, ...where, ...args], { env: { PATH: process.env["PATH"] ?? "" } });
}
