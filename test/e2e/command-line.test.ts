// The commands that ask for numbers, run as a person runs them against both Workers: their tables, CSV and JSON are the
// API's numbers.

import { execFile } from "node:child_process";
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
