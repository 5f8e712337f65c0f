// Whole imports against a collector that misbehaves: whatever happens, each line counts once.

import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ImportOptions, importFile } from "../../scripts/import/run.ts";
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
  expect(Object.fromEntries(tally.skipped)).toEqual({ "not a page": 1, "status not 200-399": 1 });
  expect(tally.rejected.get("not_combined_format")).toMatchObject({ count: 1, examples: [{ line: 6 }] });
  expect(new Set([...collector.events.values()].map((event) => event["visitor_id"])).size).toBe(2);
  expect(JSON.stringify([...collector.events.values()])).not.toContain("1.2.3.4");
});
