// The real data set through the whole product, both ways: counted live, as if its Days were open, and then sealed; and
// imported as the history it is. The numbers of the data's own README, an independent computation for other zones, and
// DuckDB over the Parquet files must all say the same.

import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { parse } from "csv-parse/sync";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ArchivedEvent } from "../../core/archive/file.ts";
import { decodeManifest } from "../../core/archive/manifest.ts";
import { replay } from "../../core/counting/replay.ts";
import { ALL_DIMENSIONS } from "../../core/counting/rollup.ts";
import type { RollupRow } from "../../core/counting/rollup-row.ts";
import { importFile } from "../../scripts/import/run.ts";
import type { Runtime } from "../../scripts/runtime.ts";
import { readParquet } from "../../storage/archive/parquet.ts";
import { readRollups } from "../../storage/ledger/range.ts";
import { archiveObjects, queryArchive, querySealed } from "../support/duckdb.ts";
import { settingsOf } from "../support/events.ts";
import { localHour } from "../support/naive.ts";
import {
  type ArchivedDayRow,
  type Client,
  databasesOf,
  listDays,
  type Merchant,
  NEVER_CLOSED,
  startServices,
  until,
  untilArchived,
  untilSealed,
  untilTaken,
} from "../support/services.ts";

const DATA = join(import.meta.dirname, "../../../shared/data/sessions.csv.gz");
const present = existsSync(DATA);
if (!present) console.log(`skipped: ${DATA} is not there, so the real data set cannot be counted`);

const MONTH = { from: "2014-01-01", to: "2014-01-31" };
const METRICS = ["visitors", "visits", "pageviews", "bounces", "total_duration"];
const ZONES = ["UTC", "Asia/Kolkata", "America/New_York"];

interface Request {
  readonly visitor: string;
  readonly seconds: number;
}

describe.skipIf(!present)("the real data set", { timeout: 300_000 }, () => {
  let services: Awaited<ReturnType<typeof startServices>>;
  let requests: readonly Request[];
  const merchants = new Map<string, Merchant>();

  beforeAll(async () => {
    services = await startServices(NEVER_CLOSED);
    requests = readRequests();
    for (const zone of ZONES) merchants.set(zone, await services.client.createMerchant(zone));
    await Promise.all([...merchants.values()].map((merchant) => importData(services.client, merchant)));
    for (const merchant of merchants.values()) await untilCounted(services.client, merchant, requests.length);
    // While its partition is awake: one that was evicted takes what came since its checkpoint for unpublished.
    await until(
      () => unpublished(services.client),
      (rollups) => rollups === 0,
      120_000,
    );
  }, 420_000);
  afterAll(() => services?.stop());

  test("[E2E-1] UTC: the README's numbers, in total and by Day", async () => {
    const merchant = merchants.get("UTC") as Merchant;
    const { results } = await services.client.ask(merchant, { metrics: METRICS, date_range: "all" });
    const [visitors, ...exact] = (results[0]?.metrics ?? []) as readonly number[];
    expect(exact).toEqual([22_283, 63_524, 13_178, 6_015_160]);
    expect(Math.abs((visitors as number) / 10_000 - 1)).toBeLessThan(3 * 0.0081); // distinct over Days: an estimate
    const days = await byDay(services.client, merchant);
    expect(days["2014-01-08"]).toEqual([1_122, 1_394, 3_612, 824, 370_726]);
    expect(days["2014-01-09"]).toEqual([1_122, 1_434, 3_908, 842, 375_507]);
    expect(Object.values(days).reduce((sum, [count]) => sum + (count as number), 0)).toBe(17_329);
  });

  test.each(ZONES)("[E2E-2] %s: every Day agrees with an independent computation", async (zone) => {
    expect(await byDay(services.client, merchants.get(zone) as Merchant)).toEqual(independentDays(requests, zone));
  });

  test("[E2E-3] DuckDB over the archive gives the API's page views and visitors per Day", async () => {
    await untilArchived(services.client);
    const rows = await queryArchive(
      services.runtime,
      `SELECT merchant, strftime(date, '%Y-%m-%d') AS date, count(*) FILTER (name = 'pageview') AS pageviews,
         count(DISTINCT visitor) AS visitors
       FROM events WHERE dropped IS NULL GROUP BY ALL ORDER BY ALL`,
    );
    const archived: Record<string, Record<string, readonly number[]>> = {};
    for (const { merchant, date, pageviews, visitors } of rows) {
      archived[String(merchant)] = {
        ...archived[String(merchant)],
        [String(date)]: [Number(visitors), Number(pageviews)],
      };
    }
    for (const merchant of merchants.values()) {
      const number = String(numberOf(merchant));
      const days = await byDay(services.client, merchant);
      const shown = Object.fromEntries(Object.entries(days).map(([date, counts]) => [date, [counts[0], counts[2]]]));
      expect(archived[number]).toEqual(shown);
    }
  });

  test("[RPL-7] a verify of all of it finds no difference in any metric, breakdown or sketch", async () => {
    await untilArchived(services.client);
    const job = await verify(services.client, MONTH);
    expect(job).toMatchObject({ differences: 0, in_doubt: 0, events: ZONES.length * requests.length });
    console.log(`verify: ${job["events"]} events, ${job["buckets"]} buckets, ${job["events_per_second"]} events/s`);
  });

  test("[E2E-9] a replay of the archive gives what D1 holds: every counter, breakdown and sketch", async () => {
    const { client, runtime } = services;
    await untilArchived(client);
    const archived: ArchivedEvent[] = [];
    for await (const [, bytes] of archiveObjects(runtime)) archived.push(...(await readParquet(bytes)).rows);
    const zones = new Map([...merchants].map(([zone, merchant]) => [numberOf(merchant), zone]));
    const settingsFor = (merchant: number) => settingsOf(zones.get(merchant), { merchant });
    const replayed = new Map(replay(archived, settingsFor).map((row) => [nameOf(row), row]));
    const { ledgers } = await databasesOf(runtime);
    let rows = 0;
    for (const merchant of zones.keys()) {
      for (const grain of ["hour", "day"] as const) {
        const range = { merchant, grain, from: 0, to: Number.MAX_SAFE_INTEGER };
        const columns = { sketch: true, presence: true, breakdowns: ALL_DIMENSIONS };
        for (const row of await readRollups(ledgers.ofMerchant(merchant), { ...range, ...columns })) {
          expect(row).toEqual(replayed.get(nameOf(row)));
          rows += 1;
        }
      }
    }
    expect(rows).toBe(replayed.size);
    console.log(
      `replay: ${archived.length} events, ${rows} rollups with ${ALL_DIMENSIONS.length} breakdowns, 0 differences`,
    );
  });

  test("[E2E-10] every Day closes and is sealed with 0 differences; answers stay, and so do they without the bundles", async () => {
    const answers = () =>
      Promise.all(ZONES.map((zone) => everyAnswer(services.client, merchants.get(zone) as Merchant)));
    const before = await answers();
    Object.assign(services, await services.restart({}));
    const { client, runtime } = services;
    expect(await answers()).toEqual(before);
    const startedAt = Date.now();
    const days = await untilSealed(client, MONTH);
    const sum = (of: (day: ArchivedDayRow) => number) => days.reduce((total, day) => total + of(day), 0);
    expect([sum((day) => day.differences), sum((day) => day.duplicates)]).toEqual([0, 0]);
    expect(sum((day) => day.rows)).toBe(ZONES.length * requests.length);
    expect(days.map(({ error }) => error).join("")).toBe("");
    console.log(
      `seal: ${sum((day) => day.rows)} rows of ${days.length} Days in ${Date.now() - startedAt} ms, 0 differences`,
    );
    await deleteBundles(runtime);
    expect(await answers()).toEqual(before);
    expect(await verify(client, MONTH)).toMatchObject({
      differences: 0,
      in_doubt: 0,
      events: ZONES.length * requests.length,
    });
  });

  test("[SEA-8] [SEA-14] [E2E-10] DuckDB over the sealed files gives the manifests' rows and checksums, and the API's numbers", async () => {
    const { client, runtime } = services;
    const promised: (readonly [date: string, partition: string, merchant: string, rows: number, checksum: string])[] =
      [];
    for (const { date, partition, folder } of await listDays(client, MONTH)) {
      const files = `/api/v1/archive/files?date=${date}&partition=${partition}`;
      expect(await client.admin("GET", files)).toMatchObject({ bundles: [], manifest: `${folder}manifest.json` });
      for await (const [, bytes] of archiveObjects(runtime, `${folder}manifest.json`)) {
        for (const { merchants: theirs } of decodeManifest(new TextDecoder().decode(bytes)).files) {
          for (const { merchant, rows, checksum } of theirs)
            promised.push([date, partition, String(merchant), rows, checksum]);
        }
      }
    }
    const found = await querySealed(
      runtime,
      `SELECT strftime(date, '%Y-%m-%d') AS date, partition, merchant, count(*)::INT AS rows,
         count(*) FILTER (name = 'pageview')::INT AS pageviews, count(DISTINCT visitor)::INT AS visitors,
         sha256(string_agg(concat_ws('|', position, event_id, epoch_ms(timestamp), name, coalesce(visitor, ''),
           coalesce(url, ''), revenue, coalesce(dropped, '')) || chr(10), '' ORDER BY position)) AS checksum
       FROM events GROUP BY ALL ORDER BY ALL`,
    );
    const texts = found.map((row) => ["date", "partition", "merchant", "rows", "checksum"].map((name) => row[name]));
    expect(texts.toSorted(byText)).toEqual([...promised].toSorted(byText));
    for (const merchant of merchants.values()) {
      const theirs = found.filter((row) => row["merchant"] === String(numberOf(merchant)));
      const days = await byDay(client, merchant);
      expect(Object.fromEntries(theirs.map(({ date, visitors, pageviews }) => [date, [visitors, pageviews]]))).toEqual(
        Object.fromEntries(
          Object.entries(days).map(([date, [visitors, , pageviews]]) => [date, [visitors, pageviews]]),
        ),
      );
    }
  });
});

describe.skipIf(!present)("the real data set as history", { timeout: 300_000 }, () => {
  test("[E2E-11] an import of closed Days shows nothing until they are sealed, and then the same numbers", async () => {
    const { client, stop } = await startServices();
    try {
      const requests = readRequests();
      const merchant = await client.createMerchant("America/New_York");
      await importData(client, merchant);
      await untilTaken(client, requests.length);
      await untilArchived(client);
      const days = await untilSealed(client, MONTH);
      expect(days.reduce((sum, { rows }) => sum + rows, 0)).toBe(requests.length);
      expect(days.reduce((sum, { differences }) => sum + differences, 0)).toBe(0);
      expect(await byDay(client, merchant)).toEqual(independentDays(requests, "America/New_York"));
      expect(await verify(client, MONTH)).toMatchObject({ differences: 0, in_doubt: 0, events: requests.length });
      await importData(client, merchant); // once more, from its first line: the archive sorts out what it has
      await untilArchived(client);
      const again = await untilSealed(client, MONTH);
      expect(again.reduce((sum, { rows }) => sum + rows, 0)).toBe(requests.length);
      expect(await byDay(client, merchant)).toEqual(independentDays(requests, "America/New_York"));
    } finally {
      await stop();
    }
  });
});

const byText = (a: readonly unknown[], b: readonly unknown[]) => (String(a) < String(b) ? -1 : 1);

/** What a merchant's readers may ask: totals, each Day, each Hour, breakdowns of events and of visits. */
async function everyAnswer(client: Client, merchant: Merchant): Promise<unknown> {
  const ask = async (question: object) => {
    const { results, meta } = await client.ask(merchant, { metrics: METRICS, date_range: "all", ...question });
    return { results, visitors: meta["visitors"] };
  };
  const hours = { date_range: ["2014-01-08", "2014-01-09"], dimensions: ["time:hour"] };
  const pages = { metrics: ["visitors", "pageviews"], dimensions: ["event:page"] };
  return Promise.all([
    ask({}),
    ask({ dimensions: ["time:day"] }),
    ask(hours),
    ask(pages),
    ask({ dimensions: ["visit:entry_page"] }),
  ]);
}

/** What the cron does a day after the seal, for all Days at once. */
async function deleteBundles(runtime: Runtime): Promise<void> {
  const { execAll, rowsOfAll } = await databasesOf(runtime);
  await execAll("UPDATE archive_days SET clean_at = 1, due_at = 1 WHERE clean_at IS NOT NULL");
  await until(
    async () => {
      await runtime.fireCrons();
      return (await rowsOfAll("SELECT day FROM archive_days WHERE clean_at IS NOT NULL")).length;
    },
    (left) => left === 0,
  );
  for await (const [key] of archiveObjects(runtime)) expect(key).toBe("none");
}

function numberOf({ tracking_id }: Merchant): number {
  return Number.parseInt(tracking_id.slice(0, 8), 16);
}

function nameOf({ merchant, grain, bucket, partition }: RollupRow): string {
  return `${merchant} ${grain} ${bucket} ${partition}`;
}

async function unpublished(client: Client): Promise<number> {
  const { partitions } = (await client.admin("GET", "/api/v1/partitions")) as {
    partitions: { unpublished_rollups: number }[];
  };
  return partitions.reduce((sum, row) => sum + row.unpublished_rollups, 0);
}

/** The job, once it has ended. */
async function verify(client: Client, range: { from: string; to: string }): Promise<Record<string, number | string>> {
  const asked = await client.admin("POST", "/api/v1/replays", { kind: "verify", ...range });
  const { id } = asked as { id: string };
  const ask = async () => (await client.admin("GET", `/api/v1/replays/${id}`)) as Record<string, number | string>;
  return until(ask, ({ state }) => state === "done", 120_000);
}

function readRequests(): readonly Request[] {
  const rows = parse(gunzipSync(readFileSync(DATA)), { columns: true }) as { visitor: string; unix_s: string }[];
  return rows.map(({ visitor, unix_s: seconds }) => ({ visitor, seconds: Number(seconds) }));
}

/** As a user would: `footfall import`, on a copy, because it keeps its place beside the file. */
async function importData({ collectorUrl }: Client, merchant: Merchant): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "footfall-import-"));
  const path = join(folder, "sessions.csv.gz");
  copyFileSync(DATA, path);
  await importFile({
    path,
    destination: { collectorUrl, trackingId: merchant.tracking_id },
    origin: undefined,
    map: new Map(),
    assets: false,
    stateDir: folder,
    meter: () => ({ update() {}, stop() {} }),
    say: () => {},
  });
  rmSync(folder, { recursive: true, force: true });
}

/** What overflowed is counted a little later. */
async function untilCounted(client: Client, merchant: Merchant, pageviews: number): Promise<void> {
  await until(
    async () => (await client.ask(merchant, { metrics: ["pageviews"], date_range: "all" })).results[0]?.metrics[0],
    (count) => count === pageviews,
    60_000,
  );
}

async function byDay(client: Client, merchant: Merchant): Promise<Record<string, readonly number[]>> {
  const { results } = await client.ask(merchant, { metrics: METRICS, date_range: "all", dimensions: ["time:day"] });
  return Object.fromEntries(results.map(({ dimensions, metrics }) => [dimensions[0], metrics as number[]]));
}

/**
 * Sorts each visitor's requests of a local date and cuts them at gaps of more than 1800 s. Shares no code with core.
 */
function independentDays(requests: readonly Request[], zone: string): Record<string, readonly number[]> {
  const byVisitorDay = new Map<string, number[]>();
  for (const { visitor, seconds } of requests) {
    const key = `${localHour(zone, seconds * 1_000).slice(0, 10)} ${visitor}`;
    const times = byVisitorDay.get(key);
    if (times === undefined) byVisitorDay.set(key, [seconds]);
    else times.push(seconds);
  }
  const days: Record<string, number[]> = {};
  for (const [key, times] of byVisitorDay) {
    const date = key.slice(0, 10);
    const day = days[date] ?? [0, 0, 0, 0, 0];
    days[date] = day;
    const add = (index: number, value: number) => {
      day[index] = (day[index] as number) + value;
    };
    times.sort((a, b) => a - b);
    add(0, 1);
    add(2, times.length);
    let start = times[0] as number;
    let count = 0;
    times.forEach((time, index) => {
      count += 1;
      const next = times[index + 1];
      if (next !== undefined && next - time <= 1_800) return;
      add(1, 1);
      add(3, count === 1 ? 1 : 0);
      add(4, time - start);
      start = next ?? 0;
      count = 0;
    });
  }
  return days;
}
