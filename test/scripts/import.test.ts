// Whole imports against a collector that misbehaves: whatever happens, each line counts once.

import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { importFile } from "../../scripts/import/run.ts";
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

async function run(path: string, { url }: FakeCollector) {
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
