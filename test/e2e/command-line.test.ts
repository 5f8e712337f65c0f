// The commands that ask for numbers, run as a person runs them against the Workers: their tables, CSV and JSON are the
// API's numbers.

import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, type Merchant, startServices } from "../support/services.ts";

const ROOT = join(import.meta.dirname, "../..");
const MINUTE_MS = 60_000;

let services: { client: Client; stop: () => Promise<void> };
let shop: Merchant;

beforeAll(async () => {
  services = await startServices();
  const { client } = services;
  shop = await client.createMerchant();
  const segment = { name: "From Google", filters: [["is", "visit:source", ["Google"]]] };
  await client.admin("POST", `/api/v1/merchants/${shop.id}/segments`, segment);
  // All within the last minutes, and never on two sides of midnight.
  const now = Date.now();
  const start = Math.max(now - 3 * MINUTE_MS, Math.floor(now / 86_400_000) * 86_400_000);
  const visit = (visitor_id: string, pages: readonly string[], referrer = "") =>
    pages.map((page, index) => {
      const event = { visitor_id, url: `https://shop.example${page}`, referrer, timestamp: start + index };
      return page === "/paid" ? { ...event, name: "purchase", order_id: visitor_id, revenue: { amount: 20 } } : event;
    });
  const events = [
    ...visit("v1", ["/", "/cart", "/paid"], "https://www.google.com/"),
    ...visit("v2", ["/", "/cart"], "https://www.google.com/"),
    ...visit("v3", ["/"]),
  ];
  await client.send({ tracking_id: shop.tracking_id, events });
});
afterAll(() => services?.stop());

async function footfall(...args: readonly string[]): Promise<string> {
  const to = ["--query-url", services.client.queryUrl, "--api-key", shop.api_key, "--site", shop.id];
  const command = [join(ROOT, "scripts/footfall.ts"), ...args, ...to];
  const { stdout } = await promisify(execFile)(process.execPath, command, { env: { PATH: process.env["PATH"] ?? "" } });
  return stdout;
}

test("[CLI-1] [CLI-4] two dimensions, conditions and segments, as table, CSV and JSON", {
  timeout: 60_000,
}, async () => {
  const asked = ["query", "--range", "day", "--dimension", "source,page", "--metrics", "visitors,pageviews"];
  const table = await footfall(...asked, "--order", "visitors", "--order", "page:asc");
  expect(table.split("\n").slice(2, 5)).toEqual([
    expect.stringMatching(/^Google +\/ +2 +2$/),
    expect.stringMatching(/^Google +\/cart +2 +2$/),
    expect.stringMatching(/^Direct \/ None +\/ +1 +1$/),
  ]);
  const csv = await footfall(...asked, "--segment", "From Google", "--where", "page=/cart", "--csv");
  expect(csv.trim().split(/\r?\n/)).toEqual(["visit:source,event:page,visitors,pageviews", "Google,/cart,2,2"]);
  const json = JSON.parse(await footfall(...asked, "--where", "source!=Google", "--json"));
  expect(json).toMatchObject({ results: [{ dimensions: ["Direct / None", "/"] }], query: { site_id: shop.id } });
});

test("[CLI-2] a comparison", { timeout: 60_000 }, async () => {
  const table = await footfall(
    "query",
    "--range",
    "day",
    "--metrics",
    "visitors,total_revenue",
    "--compare",
    "previous",
  );
  expect(table).toMatch(
    /visitors +before +change +total_revenue +before +change\n.*\n +3 +0 +– +€20.00 +€0.00 +–\nbefore: /,
  );
});

/** Imports a file of these lines for a merchant of its own, and answers what the command printed. */
async function importLines(lines: readonly string[], ...options: readonly string[]) {
  const { client } = services;
  const merchant = await client.createMerchant();
  const folder = await mkdtemp(join(tmpdir(), "footfall-lines-"));
  const path = join(folder, "rows.csv");
  await writeFile(path, lines.join("\r\n"));
  const key = await client.createWriteKey(merchant);
  const stream = ["--tracking-id", merchant.tracking_id, "--write-key", key];
  const to = ["--collector-url", client.collectorUrl, ...stream, ...options];
  const env = { PATH: process.env["PATH"] ?? "" };
  const command = [join(ROOT, "scripts/footfall.ts"), "import", path, ...to];
  const { stdout } = await promisify(execFile)(process.execPath, command, { env });
  await rm(folder, { recursive: true });
  return { merchant, stdout };
}

const today = () => new Date().toISOString().slice(0, 10);

test("[IMP-16] an imported order has all its products, though each stands in a row of its own", {
  timeout: 60_000,
}, async () => {
  const columns = {
    ...{ number: "order_id", buyer: "visitor_id", sku: "product.id", title: "product.name" },
    ...{ price: "product.price", pieces: "product.quantity" },
  };
  const map = Object.entries(columns).map(([column, field]) => `${column}=${field}`);
  const day = today();
  const rows = [
    "number,created_at,total,buyer,sku,title,price,pieces",
    `5001,${day} 00:00:01,25,c1,A1,"Mat, blue",10,1\r5001,${day} 00:00:01,,c1,B2,Mug,7.50,2`,
    `5002,${day} 00:00:02,10,c2,A1,"Mat, blue",10,1`,
    `5001,${day} 00:00:03,-7.50,c1,B2,Mug,7.50,1`,
  ];
  const { merchant, stdout } = await importLines(rows, "--map", map.join(","));
  expect(stdout).toMatch(/4 lines read\n +3 events taken\n/);
  const metrics = ["orders", "refunds", "units", "total_revenue"];
  const { results } = await services.client.ask(merchant, { metrics, date_range: "day" });
  expect(results[0]?.metrics).toMatchObject([2, 1, 3, { value: 27.5 }]);
  const asked = { metrics: ["units"], date_range: "day", dimensions: ["event:product"] };
  const products = (await services.client.ask(merchant, asked)).results;
  expect(Object.fromEntries(products.map(({ dimensions, metrics }) => [dimensions[0], metrics]))).toEqual({
    ...{ "Mat, blue": [2], Mug: [1] },
  });
});

test("[IMP-20] imported lines of one second are counted in the order of the file", { timeout: 60_000 }, async () => {
  const rows = ["/", "/cart", "/paid"].flatMap((page) =>
    Array.from({ length: 12 }, (_, visitor) => `v${visitor},${today()} 00:00:01,https://shop.example${page}`),
  );
  const { merchant } = await importLines(["visitor,time,url", ...rows]);
  const metrics = ["visits"];
  const of = async (dimension: string) =>
    (await services.client.ask(merchant, { metrics, date_range: "day", dimensions: [dimension] })).results;
  expect(await of("visit:entry_page")).toMatchObject([{ dimensions: ["/"], metrics: [12] }]);
  expect(await of("visit:exit_page")).toMatchObject([{ dimensions: ["/paid"], metrics: [12] }]);
});

test("[CLI-3] realtime, funnel, retention and paths", { timeout: 60_000 }, async () => {
  expect(await footfall("realtime")).toMatch(/^3 visitors in the last five minutes\n/);
  const steps = ["--step", "page=/", "--step", "page=/cart", "--step", "name=purchase", "--window", "1h"];
  expect(await footfall("funnel", "--range", "day", ...steps)).toMatch(
    /page=\/ +3 +100%.*\npage=\/cart +2 +66\.67% +66\.67%.*\nname=purchase +1 +33\.33% +50%/,
  );
  expect(await footfall("retention", "--range", "day")).toMatch(/\d{4}-\d\d-\d\d +3\n$/);
  expect(await footfall("paths", "--range", "day", "--where", "source=Google")).toMatch(/2 {2}\/ → \/cart\n$/);
  expect(await footfall("paths", "--range", "day", "--csv")).toContain("/ > /cart,2");
});
