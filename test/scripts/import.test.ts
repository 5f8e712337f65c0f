// Whole imports against a collector that misbehaves: whatever happens, each line counts once.

import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Preview } from "../../scripts/import/preview.ts";
import { type ImportOptions, importFile, type Progress, type Registry } from "../../scripts/import/run.ts";
import { type FakeCollector, type Misbehaviour, startFakeCollector } from "../support/fake-collector.ts";

let folder: string;
let collector: FakeCollector | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "footfall-import-"));
});

afterEach(async () => {
  await collector?.stop();
  collector = undefined;
  await rm(folder, { recursive: true });
});

const said: string[] = [];

async function run(path: string, { url }: FakeCollector, options: Partial<ImportOptions> = {}) {
  said.length = 0;
  return await importFile({
    path,
    destination: { collectorUrl: url, trackingId: "t" },
    origin: "https://shop.example",
    map: new Map(),
    assets: false,
    eventsPerSecond: Number.POSITIVE_INFINITY,
    stateDir: join(folder, "state"),
    meter: () => ({ update() {}, stop() {} }),
    say: (text) => said.push(text),
    ...options,
  });
}

/** Rows of which every third is equal to the one before. */
const csv = (rows: number) =>
  `visitor,unix_s,url\n${Array.from({ length: rows }, (_, n) => `v${n % 50},${1389052815 + n - (n % 3 === 2 ? 1 : 0)},/p${n % 3 === 2 ? n - 1 : n}\n`).join("")}`;

test("[IMP-8] every row of a CSV arrives once, equal rows included, and a second run adds nothing", async () => {
  collector = await startFakeCollector();
  const path = join(folder, "visits.csv");
  await writeFile(path, csv(4_500));
  const tally = await run(path, collector);
  expect(tally).toMatchObject({ lines: 4_500, accepted: 4_500, duplicates: 0 });
  expect(collector.events.size).toBe(4_500);
  expect(await run(path, collector)).toMatchObject({ lines: 0, accepted: 0 });
  await rm(`${path}.footfall-import.json`);
  expect(await run(path, collector)).toMatchObject({ accepted: 0, duplicates: 4_500 });
});

test("[IMP-8] a compressed copy has the same ids, and a grown file only adds", async () => {
  collector = await startFakeCollector();
  const [plain, packed] = [join(folder, "visits.csv"), join(folder, "visits.csv.gz")];
  await writeFile(plain, csv(100));
  await writeFile(packed, gzipSync(csv(100)));
  await run(plain, collector);
  expect(await run(packed, collector)).toMatchObject({ accepted: 0, duplicates: 100 });
  await appendFile(plain, "v1,1389059999,/late\n");
  expect(await run(plain, collector)).toMatchObject({ lines: 1, accepted: 1 });
  expect(said).toContain("going on after line 101");
});

test("[IMP-34] what a source remembers of lines before the place is known when an import goes on", async () => {
  collector = await startFakeCollector();
  const path = join(folder, "orders.ndjson");
  const order = {
    id: 7,
    status: "completed",
    total: "29.35",
    currency: "CHF",
    date_created_gmt: "2025-03-22T19:28:02",
  };
  const refund = { id: 8, parent_id: 7, amount: "10.00", date_created_gmt: "2025-04-01T00:00:00" };
  const lineOf = (object: object) =>
    `${JSON.stringify({ ...object, line_items: [], billing: { email: "a@b.example" } })}\n`;
  await writeFile(path, lineOf(order));
  expect(await run(path, collector)).toMatchObject({ lines: 1, accepted: 1 });
  await appendFile(path, lineOf(refund));
  expect(await run(path, collector)).toMatchObject({ lines: 1, accepted: 1 });
  const [first, second] = [...collector.events.values()];
  expect(second).toMatchObject({ id: "refund-8", revenue: { amount: -10, currency: "CHF" } });
  expect(second?.["visitor_id"]).toBe(first?.["visitor_id"]);
});

test("[IMP-10] another file under the same name starts at its first line", async () => {
  collector = await startFakeCollector();
  const path = join(folder, "visits.csv");
  await writeFile(path, csv(100));
  await run(path, collector);
  await writeFile(path, csv(100).replaceAll("/p", "/q"));
  expect(await run(path, collector)).toMatchObject({ accepted: 100 });
});

const FAULTS: readonly Misbehaviour[] = ["429", "500 after counting", "cut after counting"];

test.each(FAULTS)("[IMP-12] a batch is sent again after: %s", async (fault) => {
  collector = await startFakeCollector((request) => (request === 1 ? fault : undefined));
  const path = join(folder, "visits.csv");
  await writeFile(path, csv(20));
  await run(path, collector);
  expect([collector.events.size, collector.requests()]).toEqual([20, 2]);
  expect(said).toEqual([expect.stringMatching(/does not take events \(.+\); trying again, for 92 s at least/)]);
});

test("[IMP-12] requests that fail together are spoken of once", async () => {
  collector = await startFakeCollector((request) => (request <= 4 ? "429" : undefined));
  const path = join(folder, "visits.csv");
  await writeFile(path, csv(4_000));
  expect(await run(path, collector)).toMatchObject({ accepted: 4_000 });
  expect(said).toHaveLength(1);
});

test("[IMP-10] with another map or hostname a file is read from its first line, and only adds", async () => {
  collector = await startFakeCollector();
  const path = join(folder, "visits.csv");
  await writeFile(path, "who,unix_s,url\nv1,1389052815,https://shop.example/a\nv1,1389052816,/b\n");
  const first = await run(path, collector, { origin: undefined });
  expect([first.accepted, first.rejected.get("needs_hostname")?.count]).toEqual([1, 1]);
  expect(await run(path, collector)).toMatchObject({ lines: 2, accepted: 1, duplicates: 1 });
  const map = new Map([["who", "visitor_id"]]);
  expect(await run(path, collector, { map })).toMatchObject({ lines: 2, accepted: 0, duplicates: 2 });
  expect(await run(path, collector, { map })).toMatchObject({ lines: 0 });
});

const LOG_LINE = '1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 200 5 "-" "Firefox"\n';

test.each([
  ["a CSV of paths without a hostname", csv(5), /"\/p0" does not name its site; add --hostname/],
  ["a CSV of paths whose first row is broken", `unix_s,url\nsoon,/\n1389052815,/\n`, /add --hostname/],
  ["a log without a hostname", LOG_LINE, /add --hostname/],
  ["a log that starts with what counts nothing", LOG_LINE.replace("GET", "POST") + LOG_LINE, /add --hostname/],
  ["a CSV without a time", "visitor,url\nv1,/\n", /no column is a timestamp/],
  ["an empty file", "\n\n", /is empty/],
])("[IMP-6] %s is refused at once and leaves nothing behind", async (_, text, why) => {
  collector = await startFakeCollector();
  const path = join(folder, "visits");
  await writeFile(path, text);
  await expect(run(path, collector, { origin: undefined })).rejects.toThrow(why);
  expect([await readdir(folder), collector.requests()]).toEqual([["visits"], 0]);
});

test("[IMP-1] a log of many sites needs no hostname, and tells visitors by their addresses", async () => {
  collector = await startFakeCollector();
  const path = join(folder, "other_vhosts_access.log");
  await writeFile(
    path,
    `a.example:443 ${LOG_LINE}b.example:80 ${LOG_LINE}b.example:80 ${LOG_LINE.replace("1.2", "5.6")}`,
  );
  expect(await run(path, collector, { origin: undefined })).toMatchObject({ accepted: 3 });
  const events = [...collector.events.values()];
  expect(events.map(({ url }) => url)).toEqual(["https://a.example/", "https://b.example/", "https://b.example/"]);
  expect(new Set(events.map((event) => event["visitor_id"])).size).toBe(2);
});

test("[IMP-11] an import that was stopped goes on and counts every line once", async () => {
  collector = await startFakeCollector((request) => (request >= 3 && request <= 6 ? "refuse tracking id" : undefined));
  const path = join(folder, "visits.csv");
  await writeFile(path, csv(9_000));
  await expect(run(path, collector)).rejects.toThrow(/tracking_id is unknown/);
  const kept = JSON.parse(await readFile(`${path}.footfall-import.json`, "utf8"));
  expect(Object.values(kept.places)).toMatchObject([{ line: expect.any(Number) }]);
  while (collector.requests() < 6) await run(path, collector).catch(() => undefined);
  await run(path, collector);
  expect(collector.events.size).toBe(9_000);
});

test("[IMP-2] an access log counts its pages, tells visitors apart, and says what it left out", async () => {
  collector = await startFakeCollector();
  const path = join(folder, "access.log");
  const line = (address: string, request: string, status = 200) =>
    `${address} - - [10/Oct/2000:13:55:36 -0700] "${request} HTTP/1.1" ${status} 5 "-" "Firefox"\n`;
  await writeFile(
    path,
    [
      line("1.2.3.4", "GET /"),
      line("1.2.3.4", "GET /"),
      line("5.6.7.8", "GET /a"),
      line("1.2.3.4", "GET /a.css"),
      line("1.2.3.4", "GET /no", 404),
      "noise\n",
    ].join(""),
  );
  const tally = await run(path, collector);
  expect(tally.accepted).toBe(3);
  expect(Object.fromEntries(tally.skipped)).toEqual({ asset: 1, "error (4xx)": 1 });
  expect(tally.rejected.get("not_combined_format")).toMatchObject({ count: 1, examples: [{ line: 6 }] });
  expect(new Set([...collector.events.values()].map((event) => event["visitor_id"])).size).toBe(2);
  expect(JSON.stringify([...collector.events.values()])).not.toContain("1.2.3.4");
});

test.each(["\n", "\r\n", "\r"])(
  "[IMP-14] a CSV with lines that end with %j first and otherwise later loses no row",
  async (end) => {
    collector = await startFakeCollector();
    const path = join(folder, "mixed.csv");
    const ends = [end, "\r\n", "\n", "\r", "\n\n", "\r\n\r\n"];
    const rows = Array.from({ length: 60 }, (_, n) => `v${n},${1389052815 + n},/p${n}${ends[n % ends.length]}`);
    await writeFile(path, `\uFEFFvisitor,unix_s,url${end}${rows.join("")}v60,1389052900,"/p60"`);
    const tally = await run(path, collector);
    expect(tally).toMatchObject({ lines: 61, accepted: 61 });
    expect([...collector.events.values()].map(({ url }) => url)).toContain("https://shop.example/p60");
  },
);

test("[IMP-3] rows that do not fit are refused by the line they stand in, and the others are taken", async () => {
  collector = await startFakeCollector();
  const path = join(folder, "visits.csv");
  const lines = [
    "visitor,unix_s,url,title", // 1
    'v1,1389052815,/a,"one\r\ntwo"', // 2 and 3
    "",
    "v1,soon,/b,x", // 5
    "v1,1389052816,/c", // 6
    'v1,1389052817,/d,"x', // 7
    'v1,1389052818,/e,"y"', // 8
    "v1,1389052819,/f,x,surplus", // 9
    ",,,",
    "v1,1389052820,/g,z",
  ];
  await writeFile(path, lines.join("\r\n"));
  const tally = await run(path, collector);
  expect([...collector.events.values()].map(({ url }) => String(url).at(-1))).toEqual(["a", "e", "g"]);
  const places = [...tally.rejected].map(([code, { examples }]) => [code, examples.map(({ line }) => line)]);
  expect(Object.fromEntries(places)).toEqual({ invalid_timestamp: [5], wrong_columns: [6, 9], unreadable: [7] });
  expect([tally.lines, tally.refused()]).toEqual([8, 4]);
  expect(tally.toText()).toContain("line 7: its quotes are wrong");
});

test("[IMP-14] a CSV in the letters of old Windows is refused before anything is sent", async () => {
  collector = await startFakeCollector();
  const path = join(folder, "visits.csv");
  await writeFile(path, Buffer.from("unix_s,url,title\n1389052815,/a,ok\n1389052815,/b,Café\n", "latin1"));
  await expect(run(path, collector)).rejects.toThrow(/line 3 is not UTF-8; convert it first: iconv/);
  expect(collector.requests()).toBe(0);
});

test("[IMP-16] orders with their products, refunds and the ids of their first rows arrive as they are", async () => {
  collector = await startFakeCollector();
  const path = join(folder, "orders.csv");
  const rows = [
    "number,created_at,total,currency,customer,sku,price,pieces",
    "1001,2026-11-01 10:00,25.00,EUR,c1,A1,10.00,1",
    "1001,2026-11-01 10:00,,EUR,c1,B2,7.50,2",
    "1002,2026-11-01 11:00,9.90,USD,c2,A1,9.90,1",
    "1001,2026-11-02 09:00,-15.00,EUR,c1,B2,7.50,2",
  ];
  await writeFile(path, rows.join("\n"));
  const map = new Map(
    Object.entries({
      ...{ number: "order_id", customer: "visitor_id", sku: "product.id", price: "product.price" },
      pieces: "product.quantity",
    }),
  );
  const tally = await run(path, collector, { map });
  expect(tally).toMatchObject({ lines: 4, accepted: 3 });
  expect([...collector.events.values()].map(({ id: _, timestamp: __, ...event }) => event)).toEqual([
    {
      ...{ name: "purchase", order_id: "1001", visitor_id: "c1", revenue: { amount: 25, currency: "EUR" } },
      products: [
        { id: "A1", price: 10, quantity: 1 },
        { id: "B2", price: 7.5, quantity: 2 },
      ],
    },
    {
      ...{ name: "purchase", order_id: "1002", visitor_id: "c2", revenue: { amount: 9.9, currency: "USD" } },
      products: [{ id: "A1", price: 9.9, quantity: 1 }],
    },
    {
      ...{ name: "refund", order_id: "1001", visitor_id: "c1", revenue: { amount: -15, currency: "EUR" } },
      products: [{ id: "B2", price: 7.5, quantity: 2 }],
    },
  ]);
  expect(await run(path, collector, { map })).toMatchObject({ lines: 0 });
});

const IIS_HEAD = "#Fields: date time c-ip cs-method cs-uri-stem sc-status cs-host\r\n";
const IIS_LINE = (page: string, status = 200) =>
  `2026-11-21 10:00:05 203.0.113.9 GET ${page} ${status} shop.example\r\n`;

test("[IMP-18] a log of IIS goes on after an interruption under the head that was in force", async () => {
  collector = await startFakeCollector();
  const path = join(folder, "u_ex261121.log");
  const other = IIS_HEAD.replace("cs-uri-stem sc-status", "sc-status cs-uri-stem");
  await writeFile(path, `${IIS_HEAD}${IIS_LINE("/a")}${IIS_LINE("/old", 301)}${other}`);
  expect(await run(path, collector, { origin: undefined })).toMatchObject({ lines: 2, accepted: 1 });
  await appendFile(path, IIS_LINE("200").replace("200 200", "200 /b"));
  expect(await run(path, collector, { origin: undefined })).toMatchObject({ lines: 1, accepted: 1 });
  expect([...collector.events.values()].map(({ url }) => url)).toEqual([
    "https://shop.example/a",
    "https://shop.example/b",
  ]);
});

test("[IMP-17] compressed JSON lines are read, and what is left out is counted by kind", async () => {
  collector = await startFakeCollector();
  const path = join(folder, "access.json.gz");
  const line = (uri: string, status = 200, method = "GET", more = {}) =>
    `${JSON.stringify({ ts: 1795255205.25, status, request: { client_ip: "203.0.113.9", method, host: "shop.example", uri, ...more } })}\n`;
  const prefetch = { headers: { "Sec-Purpose": ["prefetch"] } };
  const text = [
    ...[line("/a"), line("/b"), line("/old", 301), line("/old", 302), line("/no", 404), line("/broken", 500)],
    ...[line("/cart", 200, "POST"), line("/a", 200, "HEAD"), line("/a", 200, "OPTIONS"), line("/a.css")],
    ...[line("/c", 200, "GET", prefetch), `{"level":"info","msg":"server running"}\n`, "noise\n"],
  ].join("");
  await writeFile(path, gzipSync(text));
  const tally = await run(path, collector, { origin: undefined });
  expect(tally.accepted).toBe(2);
  expect(Object.fromEntries(tally.skipped)).toEqual({
    ...{ "redirect (3xx)": 2, "error (4xx)": 1, "error (5xx)": 1, "POST request": 1, "HEAD request": 1 },
    ...{ "OPTIONS request": 1, asset: 1, prefetch: 1, "server message": 1 },
  });
  expect(tally.rejected.get("not_json")).toMatchObject({ count: 1, examples: [{ line: 13 }] });
});

test.each([
  [
    "JSON lines that are no requests",
    '{"name":"pageview","time":1}\n',
    /this looks like JSON lines of something else .*no method/,
  ],
  ["a log of the W3C's format without a status", `${IIS_HEAD.replace("sc-status ", "")}x\n`, /let the server log it/],
  ["a JSON array", '[{"a":1}]\n', /this looks like one JSON array; convert it with `jq/],
  ["an Excel workbook", "PK\u0003\u0004", /this looks like an Excel workbook/],
])("[IMP-19] %s are refused by name and leave nothing behind", async (_, text, why) => {
  collector = await startFakeCollector();
  const path = join(folder, "file");
  await writeFile(path, text);
  await expect(run(path, collector)).rejects.toThrow(why);
  expect([await readdir(folder), collector.requests()]).toEqual([["file"], 0]);
});

test("[IMP-19] a log that begins with noise is known by the lines after it", async () => {
  collector = await startFakeCollector();
  const path = join(folder, "access.log");
  await writeFile(path, `rozilla/5.0 (X11)"\r\n${LOG_LINE}`);
  const tally = await run(path, collector);
  expect([tally.accepted, tally.rejected.get("not_combined_format")?.examples[0]?.line]).toEqual([1, 1]);
});

test("[IMP-20] lines of one instant and visitor arrive in the order of the file, while others go side by side", async () => {
  // The first request is slow, so that one sent beside it would be taken in first.
  collector = await startFakeCollector(undefined, (request) => (request === 1 ? 800 : request > 3 ? 200 : 0));
  const path = join(folder, "visits.csv");
  const instant = (n: number) => 1389052815 + (n < 2_500 ? Math.floor(n / 300) : n);
  const rows = Array.from({ length: 6_000 }, (_, n) => `v${n % 3},${instant(n)},/p${n}\n`);
  await writeFile(path, `visitor,unix_s,url\n${rows.join("")}`);
  await run(path, collector);
  const order = new Map<string, number[]>();
  for (const { visitor_id, timestamp, url } of collector.events.values()) {
    const key = `${visitor_id} ${timestamp}`;
    order.set(key, [...(order.get(key) ?? []), Number(/\d+$/.exec(String(url))?.[0])]);
  }
  for (const pages of order.values()) expect(pages).toEqual([...pages].sort((a, b) => a - b));
  expect(collector.events.size).toBe(6_000);
  expect(collector.openMost()).toBeGreaterThan(1);
});

/** A registry that gives number 1 and hears how far the import is. */
function registryOf() {
  const noted: Progress[] = [];
  const previews: Preview[] = [];
  const registry: Registry = {
    zone: "UTC",
    idSuffixOf: async () => "",
    register: async (preview) => {
      previews.push(preview);
      return {
        number: 1,
        idSuffix: "-1",
        leftOut: new Set(),
        place: undefined,
        note: async (progress) => noted.push(progress) === 0, // nobody pauses it
      };
    },
  };
  return { registry, noted, previews };
}

test("[IMP-27] an import that is stopped says where it is, and goes on from there under its number", async () => {
  collector = await startFakeCollector();
  const path = join(folder, "visits.csv");
  await writeFile(path, csv(4_500));
  const { registry, noted, previews } = registryOf();
  let lines = 0;
  const stopped = await run(path, collector, { registry, isStopped: () => ++lines > 2_000 });
  expect(stopped.accepted).toBe(1_999); // and the header
  expect(noted.at(-1)).toMatchObject({ state: "paused", place: { line: 2_000 } });
  await run(path, collector, { registry });
  expect(noted.at(-1)).toMatchObject({ state: "done", place: { line: 4_501 } });
  expect(collector.events.size).toBe(4_500);
  const ids = [...collector.events.keys()];
  expect(ids.every((id) => /^import-[0-9a-f]{32}-1$/.test(id))).toBe(true);
  expect(previews[0]).toMatchObject({ source: "csv", rows: 4_501, visitors: 50 });
  expect([...(previews[0]?.days ?? [])]).toEqual([[16_077, 4_500]]);
});
