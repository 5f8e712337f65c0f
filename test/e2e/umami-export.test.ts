// The kept export of a real Umami (test/golden/umami), imported by the command line on the real runtime. What the API
// answers is held against what SQL counted in Umami's own tables.

import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Merchant, startServices, untilArchived, untilSealed } from "../support/services.ts";
import type { Counts, UmamiCounts } from "../support/umami-export.ts";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../..");
const KEPT = join(ROOT, "test/golden/umami");
const counts = JSON.parse(readFileSync(join(KEPT, "counts.json"), "utf8")) as UmamiCounts;
const days = Object.keys(counts.pageviews_of_days).toSorted();
const RANGE = { from: days[0] as string, to: days.at(-1) as string };

let services: Awaited<ReturnType<typeof startServices>>;
let shop: Merchant;
let said = "";
const folder = mkdtempSync(join(tmpdir(), "footfall-umami-"));

beforeAll(async () => {
  services = await startServices();
  const { client } = services;
  shop = await client.createMerchant("UTC");
  const file = join(folder, "umami.csv.gz");
  copyFileSync(join(KEPT, "umami.csv.gz"), file);
  const where = ["--query-url", client.queryUrl, "--collector-url", client.collectorUrl];
  const who = ["--admin-token", client.adminToken, "--merchant", shop.id];
  const script = join(ROOT, "scripts/footfall.ts");
  const env = { PATH: process.env["PATH"] ?? "" };
  said = (await run(process.execPath, [script, ...where, "import", file, ...who], { env })).stdout;
  await untilArchived(client);
  await untilSealed(client, RANGE);
}, 300_000);
afterAll(async () => {
  await services?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("[IMP-28] [IMP-24] the command line imports the export of a real Umami whole, as an object", () => {
  expect(said).toMatch(/import 1; take it back with/);
});

test("[IMP-28] visitors, page views and events of each Day are those of Umami's tables", async () => {
  const [total] = await ask(["visitors", "pageviews", "events"]);
  const events = Object.values(counts.events).reduce((sum, count) => sum + count, counts.pageviews);
  expect(total?.metrics).toEqual([counts.visitors, counts.pageviews, events]);
  expect(await by("pageviews", "time:day")).toEqual(counts.pageviews_of_days);
  expect(await by("visitors", "time:day")).toEqual(counts.visitors_of_days);
  const { pageview: _, ...named } = await by("events", "event:name");
  expect(named).toEqual(counts.events);
});

test("[IMP-28] places, hosts and properties are those of Umami's tables", async () => {
  expect(await by("pageviews", "visit:country")).toEqual(counts.pageviews_of_countries);
  expect(await by("pageviews", "visit:city")).toEqual(counts.pageviews_of_cities);
  expect(await by("pageviews", "event:hostname")).toEqual(counts.pageviews_of_hostnames);
  expect(await by("events", "event:props:tag")).toEqual(counts.events_of_tags);
  const coupons = await by("events", "event:props:coupon");
  expect(coupons).toEqual({ AUTUMN10: counts.events_of_properties["coupon=AUTUMN10"] });
});

test("[IMP-28] pages are those of Umami's tables, whose fragments are apart there", async () => {
  const pages = new Map<string, number>();
  for (const [path, count] of Object.entries(counts.pageviews_of_paths)) {
    const page = path.replace("%-", "%25-").replace(/#.*/, "");
    pages.set(page, (pages.get(page) ?? 0) + count);
  }
  expect(await by("pageviews", "event:page")).toEqual(Object.fromEntries(pages));
});

test("[IMP-28] visitors of campaigns and browsers are those of Umami's tables, by the names that Footfall has", async () => {
  expect(await by("visitors", "visit:browser")).toEqual({
    Chrome: sum(counts.visitors_of_browsers, "chrome", "crios"),
    Edge: sum(counts.visitors_of_browsers, "edge-chromium"),
    Firefox: sum(counts.visitors_of_browsers, "firefox"),
    "Mobile Safari": sum(counts.visitors_of_browsers, "ios"),
    Safari: sum(counts.visitors_of_browsers, "safari"),
    "Samsung Browser": sum(counts.visitors_of_browsers, "samsung"),
  });
  expect(await by("visitors", "visit:utm_campaign")).toEqual(counts.visitors_of_campaigns);
});

test("[IMP-28] [QRY-20] money is Umami's, and what came in another currency is said", async () => {
  const question = { metrics: ["total_revenue"], dimensions: [], date_range: [RANGE.from, RANGE.to] };
  const { results, meta } = await services.client.ask(shop, question);
  expect(results[0]?.metrics[0]).toMatchObject({ value: counts.revenue["EUR"]?.sum, currency: "EUR" });
  const warnings = meta["metric_warnings"] as Readonly<Record<string, object>>;
  expect(JSON.stringify(warnings["total_revenue"])).toMatch(new RegExp(`\\b${counts.revenue["USD"]?.count}\\b`));
});

function sum(counted: Counts, ...names: readonly string[]): number {
  return names.reduce((total, name) => total + (counted[name] ?? 0), 0);
}

async function ask(metrics: readonly string[], dimensions: readonly string[] = []) {
  const question = { metrics, dimensions, date_range: [RANGE.from, RANGE.to], pagination: { limit: 1_000 } };
  return (await services.client.ask(shop, question)).results;
}

async function by(metric: string, dimension: string): Promise<Counts> {
  const rows = await ask([metric], [dimension]);
  return Object.fromEntries(
    rows
      .map(({ dimensions, metrics }) => [String(dimensions[0]), metrics[0] as number] as const)
      .filter(([value, count]) => value !== "(not set)" && value !== "(none)" && count !== 0),
  );
}
