// The data that `query.ts` asks: one merchant's events of 13 months as production would have left them. Rollups
// are made of generated events by the code that counts again, and written by the code that partitions write with;
// Days that are over lie sealed in the archive, the last two as bundles. Nothing goes through HTTP, so ten
// million events take minutes. What was made is kept under .build, by the number of events and the date, and used
// again by the next run of that day.

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { blockOf } from "../core/archive/event-columns.ts";
import type { ArchivedEvent } from "../core/archive/file.ts";
import { encodeManifest } from "../core/archive/manifest.ts";
import { bundleKey, manifestKey, sealedFolder } from "../core/archive/object-key.ts";
import { replay } from "../core/counting/replay.ts";
import { hash64Hex } from "../core/hash.ts";
import { DAY_MS, dateOf } from "../core/time.ts";
import { type Runtime, startRuntime } from "../scripts/runtime.ts";
import type { ArchiveBucket } from "../storage/archive/bucket.ts";
import { encodeParquet } from "../storage/archive/parquet.ts";
import { SealedFileWriter } from "../storage/archive/sealed-file.ts";
import { notePlaces } from "../storage/ledger/places.ts";
import { writeRollups } from "../storage/ledger/rollup-write.ts";
import { commitSeal, findSeal, noteClosed } from "../storage/ledger/sealed-day.ts";
import { CHROME, eventOf, IPHONE, settingsOf } from "../test/support/events.ts";
import { seededRandom } from "../test/support/random.ts";
import { Client, FAST, type Merchant, SECRETS } from "../test/support/services.ts";
import { sqliteD1 } from "../test/support/sqlite.ts";

/** What "12mo" needs at the end of a month. */
const DAYS = 397;
/** The last ones, which are not closed yet. */
const OPEN_DAYS = 2;
const PARTITION = "pool-0";
const ROOT = join(import.meta.dirname, "../.build/bench-query");

export interface BenchData {
  readonly merchant: Merchant;
  /** Bytes. */
  readonly rollupBytes: number;
  readonly archiveBytes: number;
  /** How long making it took. */
  readonly seconds: number;
}

export async function startOn(stateDir: string): Promise<{ readonly runtime: Runtime; readonly client: Client }> {
  const runtime = await startRuntime({
    secrets: SECRETS,
    stateDir,
    vars: { ...FAST, POOL_SIZE: "1" },
    queueWaitSeconds: 0,
  });
  return { runtime, client: new Client(runtime) };
}

/** The folder of a local runtime's state with so many events, made unless it is there. */
export async function prepare(events: number): Promise<BenchData & { readonly stateDir: string }> {
  const today = Math.floor(Date.now() / DAY_MS);
  const stateDir = join(ROOT, `${events} ${dateOf(today)}`);
  const known = join(stateDir, "data.json");
  if (existsSync(known)) return { stateDir, ...(JSON.parse(readFileSync(known, "utf8")) as BenchData) };
  // What was made on another day is of no use any more: ranges end today.
  for (const name of existsSync(ROOT) ? readdirSync(ROOT) : []) {
    if (name === `${events} ${dateOf(today)}` || !name.endsWith(dateOf(today)))
      rmSync(join(ROOT, name), { recursive: true });
  }
  mkdirSync(stateDir, { recursive: true });
  const made = await make(stateDir, events, today);
  writeFileSync(`${known}.new`, JSON.stringify(made));
  renameSync(`${known}.new`, known);
  return { stateDir, ...made };
}

async function make(stateDir: string, events: number, today: number): Promise<BenchData> {
  const startedAt = performance.now();
  const first = await startOn(stateDir);
  const merchant = await first.client.createMerchant();
  await first.runtime.stop();
  const folder = join(stateDir, "v3/d1/miniflare-D1DatabaseObject");
  const database = openLedger(folder);
  const archive = new Map<string, Uint8Array<ArrayBuffer> | string>();
  const number = Number.parseInt(merchant.tracking_id.slice(0, 8), 16);
  const rollupBytes = await writeDays({ db: sqliteD1(database), archive, merchant: number }, events, today);
  database.close();
  const second = await startOn(stateDir);
  const bucket = await second.runtime.miniflare.getR2Bucket("BUCKET", "footfall-query");
  for (const [key, bytes] of archive) await bucket.put(key, bytes);
  await second.runtime.stop();
  const archiveBytes = [...archive.values()].reduce((sum, { length }) => sum + length, 0);
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  return { merchant, rollupBytes, archiveBytes, seconds };
}

/** Of the databases in a folder the one that has rollups: there is one ledger. */
function openLedger(folder: string): DatabaseSync {
  for (const name of readdirSync(folder).filter((file) => /^[0-9a-f]{64}\.sqlite$/.test(file))) {
    const database = new DatabaseSync(join(folder, name));
    if (database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'daily'").get() !== undefined) return database;
    database.close();
  }
  throw new Error(`no ledger in ${folder}`);
}

interface Place {
  readonly db: D1Database;
  /** By key, until a runtime takes it. */
  readonly archive: Map<string, Uint8Array<ArrayBuffer> | string>;
  readonly merchant: number;
}

/** Counts the events Day by Day, and writes what comes out. Gives the bytes of all packed columns. */
async function writeDays(place: Place, events: number, today: number): Promise<number> {
  const settings = settingsOf("UTC", { merchant: place.merchant });
  const next = generator(place.merchant, events);
  const now = Date.now();
  let bytes = 0;
  let position = 0;
  for (let day = today - DAYS + 1; day <= today; day++) {
    const end = Math.min(now, (day + 1) * DAY_MS);
    const count = Math.round((events / DAYS) * ((end - day * DAY_MS) / DAY_MS));
    const rows = Array.from({ length: count }, () => next(day, { position: position++, end }));
    const rollups = replay(rows, (number) => (number === place.merchant ? settings : undefined));
    for (const { sketch, breakdowns } of rollups)
      bytes += sketch.length + Object.values(breakdowns).reduce((sum, one) => sum + (one?.length ?? 0), 0);
    await writeRollups(place.db, rollups);
    await notePlaces(place.db, { day, partition: PARTITION, merchants: [place.merchant] });
    if (day <= today - OPEN_DAYS) await seal(place, day, rows);
    else bundle(place, day, rows);
    const done = day - today + DAYS;
    if (done % 40 === 0) console.error(`${position} of ${events} events written`);
  }
  return bytes;
}

function bundle({ archive }: Place, day: number, rows: readonly ArchivedEvent[]): void {
  const first = rows[0]?.position;
  if (first === undefined) return;
  const place = { date: dateOf(day), partition: PARTITION, first };
  archive.set(bundleKey(place), encodeParquet({ ...place, rows }));
}

/** A Day as its seal leaves it, without counting it a second time. */
async function seal({ db, archive }: Place, day: number, rows: readonly ArchivedEvent[]): Promise<void> {
  const last = rows.at(-1)?.position;
  if (last === undefined) return;
  const place = { date: dateOf(day), partition: PARTITION };
  const folder = sealedFolder(place, `1-${last + 1}-0`);
  const writer = new SealedFileWriter(place, folder, 0);
  writer.add(blockOf(rows));
  writer.endMerchant(1);
  const bucket = { put: async (key: string, value: Uint8Array<ArrayBuffer> | string) => void archive.set(key, value) };
  const file = await writer.finish({ bucket: bucket as unknown as ArchiveBucket });
  const manifest = { ...place, generation: 1, rows: rows.length, duplicates: 0, before: last + 1, files: [file] };
  archive.set(manifestKey(folder), encodeManifest(manifest));
  const now = Date.now();
  await noteClosed(db, { places: [{ day, partition: PARTITION }], now });
  const row = await findSeal(db, { day, partition: PARTITION });
  if (row === undefined) throw new Error("the Day was not noted");
  const sealed = { generation: 1, folder, rows: rows.length, merchants: 1, bytes: file.bytes, duplicates: 0 };
  await commitSeal(db, { row, sealed, now, cleanAt: now + 365 * DAY_MS });
}

/** Pages, sources and countries as a shop has them: a few are most. */
function generator(
  merchant: number,
  events: number,
): (day: number, at: { position: number; end: number }) => ArchivedEvent {
  const random = seededRandom(3);
  const referrers = ["", "", "", "https://www.google.com/", "https://www.google.com/", "https://news.example/story"];
  return (day, { position, end }) => {
    const timestamp = day * DAY_MS + Math.floor(random.next() * (end - day * DAY_MS));
    // A third of a Day's events are by different people, some of whom come on other Days as well.
    const person = Math.floor(random.next() * Math.max(1, events / DAYS / 3)) + (day % 30) * 17;
    const event = eventOf({
      merchant,
      id: String(position),
      timestamp,
      visitor: hash64Hex(`person ${person}`),
      url: `https://shop.example/products/${Math.floor(random.next() ** 3 * 500)}`,
      referrer: random.chance(0.1) ? `https://site-${random.integer(1, 200)}.example/` : random.pick(referrers),
      userAgent: random.pick([CHROME, CHROME, IPHONE]),
      country: random.pick(["AT", "DE", "DE", "US", "IN", "FR", "GB"]),
    });
    return { partition: PARTITION, position, event };
  };
}
