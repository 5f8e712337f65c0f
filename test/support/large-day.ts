// One large (Day, partition) on disk, and what seals it and counts it again: production code on an archive in a folder
// and a D1 in a file, so that what memory holds is what the code holds. Made by a generator; of 2,000 merchants the
// largest has 2 % of the events. The bench and the test of bounded memory share it (bench/replay.ts,
// test/queues/large-day.test.ts).

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { REPLAYED_COLUMNS } from "../../core/archive/columns.ts";
import { numbersOf } from "../../core/archive/event-columns.ts";
import type { ArchivedEvent } from "../../core/archive/file.ts";
import { bundleKey } from "../../core/archive/object-key.ts";
import { emptyDay } from "../../core/counting/day.ts";
import { type ReplayedDay, replayedRows, replayRows } from "../../core/counting/replay.ts";
import { type Event, NO_FACTS } from "../../core/event.ts";
import { hash64Hex } from "../../core/hash.ts";
import { LATE_COALESCE_MS, SEAL_AFTER_MS, SEAL_GRACE_MS } from "../../core/limits.ts";
import { type Metered, zeroMeter } from "../../core/meter.ts";
import { DAY_MS } from "../../core/time.ts";
import { recount } from "../../queues/recount.ts";
import { type SealDeps, sealDays } from "../../queues/seal.ts";
import { findDay, readDay } from "../../storage/archive/archive-day.ts";
import type { ArchiveBucket } from "../../storage/archive/bucket.ts";
import { encodeParquet } from "../../storage/archive/parquet.ts";
import { findSeal, type SealPlace, type SealRow } from "../../storage/ledger/sealed-day.ts";
import { meteredD1 } from "../../storage/metered.ts";
import { noteDay } from "../../storage/seal-due.ts";
import { migrateBoth, storageOf } from "./databases.ts";
import { batchOf, deliver } from "./delivery.ts";
import { CHROME, GOOGLEBOT, IPHONE, settingsOf } from "./events.ts";
import { meteredArchive } from "./memory-bucket.ts";
import { seededRandom } from "./random.ts";
import { putSettings } from "./sealed-world.ts";
import { sqliteD1 } from "./sqlite.ts";

/** 2026-11-18. */
const DAY = 20_775;
const PLACE = { date: "2026-11-18", partition: "pool-0" };
const BUNDLE_EVENTS = 1_300;
/** By it the first of 2,000 merchants has 2 % of all events, the last 0.02 %. */
const ZIPF_EXPONENT = 0.6;

/** Writes a Day of so many events as bundles, and a D1 that knows its merchants. */
export function writeLargeDay(folder: string, { events, merchants }: { events: number; merchants: number }): void {
  const database = openDatabase(folder);
  migrateBoth(database);
  for (let merchant = 1; merchant <= merchants; merchant++) putSettings(database, settingsOf("UTC", { merchant }));
  database.close();
  const bucket = folderArchive(folder);
  const next = generator(events, merchants);
  for (let first = 0; first < events; first += BUNDLE_EVENTS) {
    const count = Math.min(BUNDLE_EVENTS, events - first);
    const rows = Array.from({ length: count }, (_, index) => next(first + index));
    const sorted = rows.sort((a, b) => a.event.merchant - b.event.merchant || a.position - b.position);
    void bucket.put(bundleKey({ ...PLACE, first }), encodeParquet({ ...PLACE, first, rows: sorted }));
  }
}

function generator(events: number, merchants: number): (position: number) => ArchivedEvent {
  const random = seededRandom(5);
  const shares: number[] = [];
  let sum = 0;
  for (let merchant = 1; merchant <= merchants; merchant++) {
    sum += merchant ** -ZIPF_EXPONENT;
    shares.push(sum);
  }
  const pickMerchant = () => {
    const at = random.next() * sum;
    let [low, high] = [0, merchants - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((shares[middle] as number) < at) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  };
  return (position) => {
    const merchant = pickMerchant();
    const timestamp = DAY * DAY_MS + Math.floor((position / events) * DAY_MS);
    const isSale = random.chance(0.02);
    // A merchant's visitors are a fifth of its events.
    const share = merchant ** -ZIPF_EXPONENT / sum;
    const visitor = hash64Hex(`${merchant} ${Math.floor(random.next() * Math.max(1, (events * share) / 5))}`);
    const event: Event = {
      merchant,
      stream: 1,
      id: `019aa3f0-${hash64Hex(String(position))}`,
      name: isSale ? "purchase" : "pageview",
      timestamp,
      receivedAt: timestamp + 200,
      visitor,
      format: "native",
      url: `https://shop-${merchant}.example/products/${Math.floor(random.next() ** 3 * 300)}`,
      referrer: random.chance(0.6) ? "" : random.pick(["https://www.google.com/", "https://news.example/story"]),
      title: `Product ${Math.floor(random.next() ** 3 * 300)}`,
      userAgent: random.chance(0.03) ? GOOGLEBOT : random.pick([CHROME, CHROME, IPHONE]),
      language: random.pick(["en-US", "de-AT", "hi-IN"]),
      screen: random.pick(["1920x1080", "390x844"]),
      country: random.pick(["AT", "DE", "US", "IN"]),
      region: "",
      city: "",
      props: isSale ? '{"plan":"basic"}' : "",
      revenue: isSale ? 10_000 * random.integer(1, 90) : 0,
      currency: isSale ? "EUR" : "",
      engagementMs: 0,
      scroll: -1,
      dropped: "",
      ...NO_FACTS,
    };
    return { partition: PLACE.partition, position, event };
  };
}

/** What a run came to. */
export interface LargeDayRun {
  readonly ms: number;
  /** Of the processor, of all threads: what a busy machine does not change much. */
  readonly cpuMs: number;
  /** How often the seal put itself on the queue to go on. */
  readonly turns: number;
  readonly row: SealRow;
  readonly events: number;
  readonly differences: number;
  /** Bytes. */
  readonly peakRss: number;
  readonly meter: Metered;
}

/** Seals the Day; `jumpMs` makes the clock jump by so much at each look, so that the seal takes several turns. */
export async function sealLargeDay(folder: string, jumpMs = 0): Promise<LargeDayRun> {
  const queue: SealPlace[] = [];
  const database = openDatabase(folder);
  const deps = depsOf(folder, database, { queue, jumpMs });
  const startedAt = performance.now();
  await noteDay(DAY, deps);
  let turns = 0;
  for (
    let place: SealPlace | undefined = { day: DAY, partition: PLACE.partition };
    place;
    place = queue.shift(), turns++
  ) {
    await sealDays(batchOf("footfall-seal", deliver("s", place)), deps);
  }
  return { ...(await resultOf(deps, startedAt)), turns, events: 0, differences: 0 };
}

/** Counts the sealed Day again and compares it with D1: a rebuild that finds nothing to write. */
export async function recountLargeDay(folder: string): Promise<LargeDayRun> {
  const deps = depsOf(folder, openDatabase(folder), { queue: [], jumpMs: 0 });
  const startedAt = performance.now();
  const row = await findSeal(deps.ledgers.of(PLACE.partition), { day: DAY, partition: PLACE.partition });
  const archived = await findDay(deps, PLACE, row?.folder ?? "");
  let events = 0;
  let differences = 0;
  await recount(
    {
      day: DAY,
      ...PLACE,
      archived,
      archivedPosition: 1e9,
      after: 0,
      others: [],
      known: { day: DAY, partition: PLACE.partition, erasures: [], since: 0 },
      columns: REPLAYED_COLUMNS,
    },
    {
      rows: (_, read) => {
        events += read;
      },
      ended: () => false,
      compared: async (recounted) => {
        for (const one of recounted) differences += one.differences.length;
        return undefined;
      },
    },
    deps,
  );
  return { ...(await resultOf(deps, startedAt)), turns: 0, events, differences };
}

/** Counts the sealed Day again and makes its rollups, without asking D1 what it holds. */
export async function countLargeDay(folder: string): Promise<LargeDayRun> {
  const deps = depsOf(folder, openDatabase(folder), { queue: [], jumpMs: 0 });
  const startedAt = performance.now();
  const row = await findSeal(deps.ledgers.of(PLACE.partition), { day: DAY, partition: PLACE.partition });
  const archived = await findDay(deps, PLACE, row?.folder ?? "");
  let events = 0;
  let rollups = 0;
  let day: ReplayedDay | undefined;
  const end = () => {
    rollups += day === undefined ? 0 : replayedRows(day).length;
  };
  for await (const rows of readDay(deps, archived, { after: 0, isWanted: () => true, columns: REPLAYED_COLUMNS })) {
    const merchant = numbersOf(rows, "merchant")[0] as number;
    if (day?.state.merchant !== merchant) {
      end();
      day = { state: emptyDay(merchant, DAY), partition: PLACE.partition };
    }
    replayRows(day, rows, { settings: settingsOf("UTC", { merchant }), global: [] });
    events += rows.count;
  }
  end();
  if (rollups === 0) throw new Error("nothing was counted");
  return { ...(await resultOf(deps, startedAt)), turns: 0, events, differences: 0 };
}

async function resultOf(deps: SealDeps, startedAt: number) {
  const row = await findSeal(deps.ledgers.of(PLACE.partition), { day: DAY, partition: PLACE.partition });
  if (row === undefined) throw new Error("the Day was not noted");
  const { user, system } = process.cpuUsage();
  const cpuMs = Math.round((user + system) / 1_000);
  const peakRss = process.resourceUsage().maxRSS * 1_024;
  return { ms: Math.round(performance.now() - startedAt), cpuMs, row, peakRss, meter: deps.meter };
}

function depsOf(
  folder: string,
  database: DatabaseSync,
  { queue, jumpMs }: { queue: SealPlace[]; jumpMs: number },
): SealDeps {
  let now = DAY * DAY_MS + SEAL_AFTER_MS;
  const meter = zeroMeter();
  return {
    ...storageOf(meteredD1(sqliteD1(database), meter)),
    bucket: meteredArchive(folderArchive(folder), meter),
    // A partition that counted nothing of the Day: all of it is history.
    partition: () => ({
      unpublished: async () => [],
      live: async () => ({ rows: [] }) as never,
      completeness: async () => ({ complete: true, position: 1e9, counted: [] }),
      dropDay: async () => true,
      status: async () => ({ nextPosition: 1e9, archivedPosition: 1e9 }),
      noteChange: async () => {},
    }),
    poolSize: 1,
    sendSeals: async (places) => void queue.push(...places),
    now: () => {
      now += jumpMs;
      return now;
    },
    pace: { sealAfterMs: SEAL_AFTER_MS, lateCoalesceMs: LATE_COALESCE_MS, sealGraceMs: SEAL_GRACE_MS },
    meter,
    log: (line) => console.error(JSON.stringify(line)),
  };
}

function openDatabase(folder: string): DatabaseSync {
  mkdirSync(folder, { recursive: true });
  const database = new DatabaseSync(join(folder, "d1.sqlite"));
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -8000");
  return database;
}

/** An archive bucket in a folder. */
function folderArchive(folder: string): ArchiveBucket {
  const pathOf = (key: string) => join(folder, "archive", key);
  return {
    list: async ({ prefix, delimiter }) => {
      const keys = keysUnder(join(folder, "archive"), prefix);
      if (delimiter === undefined) {
        return { objects: keys.map((key) => ({ key, size: statSync(pathOf(key)).size })), truncated: false };
      }
      const folders = keys.map((key) => key.slice(0, key.indexOf(delimiter, prefix.length) + 1));
      return { objects: [], delimitedPrefixes: [...new Set(folders)], truncated: false };
    },
    get: async (key, options) => {
      if (!existsSync(pathOf(key))) return null;
      const bytes = readFileSync(pathOf(key));
      const { offset = 0, length = bytes.length } = options?.range ?? {};
      return { arrayBuffer: async () => new Uint8Array(bytes.subarray(offset, offset + length)).buffer };
    },
    put: async (key, value) => {
      mkdirSync(dirname(pathOf(key)), { recursive: true });
      writeFileSync(pathOf(key), value);
    },
    delete: async (keys) => {
      for (const key of keys) rmSync(pathOf(key), { force: true });
    },
  };
}

function keysUnder(root: string, prefix: string): readonly string[] {
  const start = join(root, prefix.slice(0, prefix.lastIndexOf("/") + 1));
  if (!existsSync(start)) return [];
  return readdirSync(start, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((key) => key.startsWith(prefix))
    .sort();
}
