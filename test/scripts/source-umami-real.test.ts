// What a real Umami 3.1 with PostgreSQL holds after some hundreds of hits to its tracker's endpoint
// (bench/umami-export.ts made it, and says how), exported by the statement of docs/import.md. What the import comes to
// is held against counts by SQL over Umami's own tables, and against what Umami's own API said.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { parseAddress, parseQuery } from "../../core/enrichment/address.ts";
import { spellPath } from "../../core/enrichment/spelling.ts";
import { importing } from "../support/import-lines.ts";
import { programsOf, startPostgres } from "../support/postgres.ts";
import { type Counts, countsOf, exportOf, type UmamiCounts } from "../support/umami-export.ts";

const KEPT = join(import.meta.dirname, "../golden/umami");
const SITE = "5f0e3c52-7a51-4c0e-9d6f-0c1c5b5a0001";
const CSV = gunzipSync(readFileSync(join(KEPT, "umami.csv.gz")));
const { api, ...counts } = JSON.parse(readFileSync(join(KEPT, "counts.json"), "utf8")) as UmamiCounts & {
  readonly api: Pick<UmamiCounts, "pageviews" | "visitors" | "events" | "revenue"> & { readonly browsers: Counts };
};
const run = importing();

type Event = Readonly<Record<string, unknown>>;
const text = (event: Event, field: string) => String(event[field] ?? "");
const urlOf = (event: Event) => parseAddress(text(event, "url"));

function countBy(events: readonly Event[], read: (event: Event) => string): Counts {
  const counted = new Map<string, number>();
  for (const event of events) counted.set(read(event), (counted.get(read(event)) ?? 0) + 1);
  counted.delete("");
  return Object.fromEntries(counted);
}

function visitorsBy(events: readonly Event[], read: (event: Event) => string): Counts {
  const pairs = new Set(events.map((event) => JSON.stringify([read(event), event["visitor_id"]])));
  return countBy(
    [...pairs].map((pair) => ({ value: (JSON.parse(pair) as [string])[0] })),
    (event) => text(event, "value"),
  );
}

/** A property has no line breaks here, as one of a live hit. */
function withoutBreaks(counts: Counts): Counts {
  return Object.fromEntries(Object.entries(counts).map(([pair, count]) => [pair.replaceAll("\n", ""), count]));
}

test("[IMP-28] the export of a real Umami comes to what its tables and its API say", async () => {
  const { events, skipped, rejected } = await run(CSV);
  expect([rejected, skipped]).toEqual([[], { "load time of a page": counts.performance }]);
  const views = events.filter((event) => text(event, "name") === "");
  const day = (event: Event) => new Date(Number(event["timestamp"])).toISOString().slice(0, 10);
  const money = events.filter((event) => event["revenue"] !== undefined);
  const amountOf = (event: Event) => event["revenue"] as { readonly amount: number; readonly currency: string };
  const sums = Object.keys(counts.revenue).map((currency) => {
    const own = money.filter((event) => amountOf(event).currency === currency);
    const sum = own.reduce((total, event) => total + Math.round(amountOf(event).amount * 100), 0) / 100;
    return [currency, { sum, count: own.length }];
  });
  const properties = events.flatMap((event) => Object.entries((event["props"] ?? {}) as object));
  const told = Object.fromEntries(
    properties
      .filter(([key]) => !["tag", "when", "colors"].includes(key))
      .map(([key, value]) => [`${key}=${value}`, 0]),
  );
  expect({
    pageviews: views.length,
    performance: skipped["load time of a page"],
    visitors: new Set(events.map((event) => event["visitor_id"])).size,
    events: countBy(events, (event) => text(event, "name")),
    pageviews_of_days: countBy(views, day),
    visitors_of_days: visitorsBy(events, day),
    pageviews_of_countries: countBy(views, (event) => text(event, "country")),
    pageviews_of_cities: countBy(views, (event) => text(event, "city")),
    pageviews_of_hostnames: countBy(views, (event) => urlOf(event)?.hostname ?? ""),
    // Umami's path, spelt as Footfall spells what a page sends; Umami counts a page's fragments apart.
    pageviews_of_paths: countBy(views, (event) => {
      const { path = "", fragment = "" } = urlOf(event) ?? {};
      return `${spellPath(path).replace("%25", "%")}${fragment === "" ? "" : `#${fragment}`}`;
    }),
    visitors_of_browsers: visitorsBy(events, (event) => text(event, "browser")),
    visitors_of_devices: visitorsBy(events, (event) => text(event, "device")),
    // Of the whole address, of which Umami has cut a query.
    visitors_of_campaigns: visitorsBy(
      views,
      (event) => parseQuery(urlOf(event)?.query ?? "").get("utm_campaign") ?? "",
    ),
    pageviews_of_referrers: countBy(views, (event) => parseAddress(text(event, "referrer"))?.hostname ?? ""),
    events_of_tags: countBy(events, (event) => text((event["props"] ?? {}) as Event, "tag")),
    events_of_properties: countBy(
      properties.map(([key, value]) => ({ pair: `${key}=${value}` })),
      (event) => (text(event, "pair") in told ? text(event, "pair") : ""),
    ),
    revenue: Object.fromEntries(sums),
  }).toEqual({ ...counts, events_of_properties: withoutBreaks(counts.events_of_properties) });
  expect(api).toMatchObject({ pageviews: views.length, events: counts.events, revenue: counts.revenue });
  expect(api.browsers).toEqual(counts.visitors_of_browsers);
});

test("[IMP-28] an address of Umami is whole: a query stands before its fragment, and a campaign that was cut is there", async () => {
  const { events } = await run(CSV);
  const urls = events.map((event) => text(event, "url"));
  expect(urls.filter((url) => /#.*\?/.test(url))).toEqual([]);
  expect(urls).toContain("https://shop.example/mats/blue?size=2&color=r%C3%B6t#reviews");
  expect(urls.filter((url) => url.includes("/sale/100%25-wool")).length).toBeGreaterThan(0);
  expect(urls.filter((url) => url.includes("?utm_source=partner&utm_medium=link&utm_campaign=long")).length).toBe(1);
});

test.skipIf(programsOf() === undefined)(
  "[IMP-28] the statement of docs/import.md makes that file of Umami's tables in PostgreSQL, and SQL counts the same",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "footfall-umami-"));
    const postgres = await startPostgres(folder);
    if (postgres === undefined) throw new Error("PostgreSQL is there and does not start");
    try {
      const input = gunzipSync(readFileSync(join(KEPT, "tables.sql.gz")));
      const restored = ["-X", "-q", "-v", "ON_ERROR_STOP=1", postgres.url];
      execFileSync(join(postgres.programs, "psql"), restored, { input, stdio: ["pipe", "ignore", "inherit"] });
      expect(exportOf(postgres.url, SITE).toString()).toBe(CSV.toString());
      expect(await countsOf(postgres.url, SITE)).toEqual(counts);
    } finally {
      await postgres.stop();
      rmSync(folder, { recursive: true });
    }
  },
  60_000,
);

test("[IMP-28] a Umami has several websites: rows of another one than the first are refused", async () => {
  const [header = "", first = "", second = ""] = CSV.toString().split("\n");
  const other = second.replaceAll(SITE, "5f0e3c52-7a51-4c0e-9d6f-0c1c5b5a0002");
  const { events, rejected } = await run([header, first, other]);
  expect([events.length, rejected]).toEqual([1, ["another_website"]]);
});
