// The commands that ask for numbers, run as a person runs them against both Workers: their tables, CSV and JSON are the
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

test("[IMP-16] an imported order has all its products, though each stands in a row of its own", {
  timeout: 60_000,
}, async () => {
  const { client } = services;
  const merchant = await client.createMerchant();
  const folder = await mkdtemp(join(tmpdir(), "footfall-orders-"));
  const path = join(folder, "orders.csv");
  const day = new Date().toISOString().slice(0, 10);
  const rows = [
    "number,created_at,total,buyer,sku,title,price,pieces",
    `5001,${day} 00:00:01,25,c1,A1,"Mat, blue",10,1\r5001,${day} 00:00:01,,c1,B2,Mug,7.50,2`,
    `5002,${day} 00:00:02,10,c2,A1,"Mat, blue",10,1`,
  ];
  await writeFile(path, rows.join("\r\n"));
  const map =
    "number=order_id,buyer=visitor_id,sku=product.id,title=product.name,price=product.price,pieces=product.quantity";
  const to = ["--collector-url", client.collectorUrl, "--tracking-id", merchant.tracking_id, "--map", map];
  const env = { PATH: process.env["PATH"] ?? "" };
  const command = [join(ROOT, "scripts/footfall.ts"), "import", path, ...to];
  const { stdout } = await promisify(execFile)(process.execPath, command, { env });
  await rm(folder, { recursive: true });
  expect(stdout).toMatch(/3 lines read\n +2 events taken\n/);
  const asked = { metrics: ["orders", "units"], date_range: "day", dimensions: ["event:product"] };
  const { results } = await client.ask(merchant, asked);
  expect(Object.fromEntries(results.map(({ dimensions, metrics }) => [dimensions[0], metrics]))).toEqual({
    ...{ "Mat, blue": [2, 2], Mug: [1, 2] },
  });
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
