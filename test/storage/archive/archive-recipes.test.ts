// The statements of docs/archive.md, run as they stand over a copy of an archive that production code has written:
// sealed Days of two merchants, late events beside them, and a file that somebody changed.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SEAL_AFTER_MS } from "../../../core/limits.ts";
import { DAY_MS } from "../../../core/time.ts";
import { CHROME, GOOGLEBOT, settingsOf, TUESDAY } from "../../support/events.ts";
import { SealedWorld } from "../../support/sealed-world.ts";

const DOC = readFileSync(join(import.meta.dirname, "../../../docs/archive.md"), "utf8");
const RECIPES = new Map(
  [...DOC.matchAll(/```sql\n(-- (\S+): [^`]+)```/g)].map(([, sql = "", name = ""]) => [name, sql]),
);
const folder = mkdtempSync(join(tmpdir(), "footfall-recipes-"));
let manifest = "";

beforeAll(async () => {
  const world = new SealedWorld([1, 2].map((merchant) => settingsOf("UTC", { merchant })));
  const events = Array.from({ length: 400 }, (_, index) => ({
    merchant: 1 + (index % 2),
    id: `event ${index}`,
    name: index % 10 === 0 ? "purchase" : "pageview",
    visitor: `visitor ${index % 30}`,
    timestamp: TUESDAY + (index % 2) * DAY_MS,
    revenue: index % 10 === 0 ? 199_900 : 0,
    currency: index % 10 === 0 ? "EUR" : "",
    userAgent: index % 50 === 1 ? GOOGLEBOT : CHROME,
  }));
  world.it.now = TUESDAY + DAY_MS;
  await world.send(events);
  await world.settle();
  world.it.now = TUESDAY + 2 * DAY_MS + SEAL_AFTER_MS;
  await world.settle();
  await world.seal();
  world.it.now += 2 * DAY_MS;
  await world.seal(); // and the bundles go
  await world.send([
    { merchant: 1, id: "event 2", timestamp: TUESDAY, visitor: "visitor 2" },
    { merchant: 1, id: "late", timestamp: TUESDAY, visitor: "late visitor" },
  ]);
  await world.settle();
  for (const [key, bytes] of world.objects) {
    mkdirSync(dirname(join(folder, key)), { recursive: true });
    writeFileSync(join(folder, key), bytes);
    if (key.endsWith("manifest.json")) manifest = join(folder, key);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The rows of a recipe, as it stands, in the folder of the copy. */
async function run(name: string): Promise<readonly Record<string, unknown>[]> {
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  await connection.run(`SET file_search_path = '${folder}'; SET TimeZone = 'UTC'`);
  const rows = await (await connection.runAndReadAll(RECIPES.get(name) ?? "")).getRowObjectsJson();
  connection.closeSync();
  return rows as Record<string, unknown>[];
}

test("[SEA-13] DuckDB's numbers by Day, of sealed files and with late bundles", async () => {
  expect(await run("by-day")).toEqual([
    { date: "2026-03-10", merchant: "1", pageviews: "160", visitors: "15" },
    { date: "2026-03-11", merchant: "2", pageviews: "192", visitors: "15" },
  ]);
  expect(await run("with-late")).toEqual([
    { date: "2026-03-10", merchant: "1", pageviews: "161", visitors: "16" },
    { date: "2026-03-11", merchant: "2", pageviews: "192", visitors: "15" },
  ]);
});

test("[SEA-13] hits by reason, and what no rollup keeps", async () => {
  expect(await run("dropped")).toEqual([{ merchant: "2", dropped: "bot", hits: "8" }]);
  expect(await run("revenue")).toEqual([
    { merchant: "1", country: "GB", hour: "10", currency: "EUR", ten_thousandths: "7996000" },
  ]);
});

test("[SEA-8] [SEA-13] the manifests' rows and checksums hold, and a change is found", async () => {
  expect(await run("checksums")).toEqual([]);
  const text = readFileSync(manifest, "utf8");
  writeFileSync(manifest, text.replace(/"checksum":"..../, '"checksum":"0000'));
  expect(await run("checksums")).toHaveLength(1);
  writeFileSync(manifest, text);
});

test("[SEA-13] every statement of the page is one of these", () => {
  expect([...RECIPES.keys()]).toEqual(["by-day", "with-late", "checksums", "dropped", "revenue"]);
  expect(DOC.match(/```sql/g)).toHaveLength(RECIPES.size);
});
