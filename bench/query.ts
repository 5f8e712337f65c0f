// `npm run bench:query`: how long the dashboard's questions take and what they read, for one merchant with --events events
// (1,000,000 unless said) in the last 13 months, over 24 hours, 30 days and 12 months. Rollups are made from generated events by
// the counting code and written to D1 by the code that partitions write with; the last 32 Days lie in the archive too, those
// that are over for three Days sealed, the others a bundle each, for questions that only events can answer. Cold is the first time a question is asked of a runtime that was just started
// (--starts, 5 unless said), warm is every other time (--asks, 30 for each start). All of it, the client too, shares this machine.

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { parseArgs } from "node:util";
import type { ArchivedEvent } from "../core/archive/file.ts";
import { encodeManifest } from "../core/archive/manifest.ts";
import { bundleKey, manifestKey, sealedFolder } from "../core/archive/object-key.ts";
import { replay } from "../core/counting/replay.ts";
import { hash64Hex } from "../core/hash.ts";
import { zeroMeter } from "../core/meter.ts";
import { DAY_MS, dateOf } from "../core/time.ts";
import { startRuntime } from "../scripts/runtime.ts";
import { encodeParquet } from "../storage/archive.ts";
import { writeRollups } from "../storage/rollup-write.ts";
import { SealedFileWriter } from "../storage/sealed-file.ts";
import { CHROME, eventOf, IPHONE, settingsOf } from "../test/support/events.ts";
import { percentile } from "../test/support/flood.ts";
import { memoryArchive } from "../test/support/memory-bucket.ts";
import { seededRandom } from "../test/support/random.ts";
import { type Answered, Client, FAST, type Merchant, SECRETS } from "../test/support/services.ts";
import { sqliteD1 } from "../test/support/sqlite.ts";

const { values } = parseArgs({
  options: { events: { type: "string" }, starts: { type: "string" }, asks: { type: "string" } },
});
const [events, starts, asks] = [Number(values.events ?? 1e6), Number(values.starts ?? 5), Number(values.asks ?? 30)];
/** What "12mo" needs at the end of a month. */
const DAYS = 397;
const ARCHIVED_DAYS = 32;
const OPEN_DAYS = 3;
const PARTITION = "pool-0";

const NUMBERS = ["visitors", "visits", "pageviews", "bounce_rate", "visit_duration"];
const TOP = { metrics: ["visitors", "pageviews"], pagination: { limit: 10 } };
const QUESTIONS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "totals by time": { metrics: NUMBERS, dimensions: ["time"] },
  totals: { metrics: NUMBERS },
  "top pages": { ...TOP, dimensions: ["event:page"] },
  "top sources": { ...TOP, dimensions: ["visit:source"] },
  countries: { ...TOP, dimensions: ["visit:country"] },
  "from one source": { metrics: ["visitors", "pageviews"], filters: [["is", "visit:source", ["Google"]]] },
  "pages of a country": { ...TOP, dimensions: ["event:page"], filters: [["is", "visit:country", ["AT"]]] },
};
const RANGES = ["24h", "30d", "12mo"];

interface Taken {
  readonly ms: number;
  readonly status: number;
  readonly d1Rows: number;
  readonly r2Gets: number;
  readonly r2Lists: number;
  readonly bytes: number;
}

async function main(): Promise<void> {
  const stateDir = mkdtempSync(join(tmpdir(), "footfall-bench-"));
  const start = async () => {
    const runtime = await startRuntime({ secrets: SECRETS, stateDir, vars: { ...FAST, POOL_SIZE: "1" } });
    return { runtime, client: new Client(runtime) };
  };
  let running = await start();
  try {
    const merchant = await running.client.createMerchant();
    const number = Number.parseInt(merchant.tracking_id.slice(0, 8), 16);
    const bundles = await writeRollupsTo(stateDir, number, () => running.runtime.stop());
    running = await start();
    const archive = await running.runtime.miniflare.getR2Bucket("BUCKET", "footfall-query");
    for (const [key, bytes] of bundles) await archive.put(key, bytes);
    const cold = new Map<string, Taken[]>();
    const warm = new Map<string, Taken[]>();
    for (let turn = 0; turn < starts; turn++) {
      await running.runtime.stop();
      running = await start();
      const { client } = running;
      await ask(client, merchant, { metrics: ["events"], date_range: "day" }); // the key, and the partition
      for (const range of RANGES) {
        for (const [name, question] of Object.entries(QUESTIONS)) {
          const label = `${name}, ${range}`;
          const asked = { ...question, date_range: range };
          // A question that is too large for one request is a job (JOB-1); here it is only seen that it is one.
          if (name === "pages of a country" && range === "12mo") continue;
          put(cold, label, await ask(client, merchant, asked));
          for (let again = 0; again < asks; again++) put(warm, label, await ask(client, merchant, asked));
        }
      }
      console.error(`start ${turn + 1} of ${starts}`);
    }
    report(cold, warm);
  } finally {
    await running.runtime.stop();
    rmSync(stateDir, { recursive: true, force: true });
  }
}

/** Counts the events Day by Day and writes what comes out, straight into the file of a stopped D1. Gives bundles by their keys. */
async function writeRollupsTo(
  stateDir: string,
  merchant: number,
  stop: () => Promise<void>,
): Promise<ReadonlyMap<string, Uint8Array>> {
  await stop();
  const startedAt = performance.now();
  const folder = join(stateDir, "v3/d1/miniflare-D1DatabaseObject");
  const file = readdirSync(folder).find((name) => /^[0-9a-f]{64}\.sqlite$/.test(name));
  if (file === undefined) throw new Error(`no database in ${folder}`);
  const database = new DatabaseSync(join(folder, file));
  const db = sqliteD1(database);
  const bundles = new Map<string, Uint8Array>();
  const settings = settingsOf("UTC", { merchant });
  const next = generator(merchant);
  const now = Date.now();
  const today = Math.floor(now / DAY_MS);
  let bytes = 0;
  for (let day = today - DAYS + 1, position = 0; day <= today; day++) {
    const end = Math.min(now, (day + 1) * DAY_MS);
    const count = Math.round((events / DAYS) * ((end - day * DAY_MS) / DAY_MS));
    const rows = Array.from({ length: count }, () => next(day, { position: position++, end }));
    const rollups = replay(rows, (number) => (number === merchant ? settings : undefined));
    for (const { sketch, breakdowns } of rollups)
      bytes += sketch.length + Object.values(breakdowns).reduce((sum, one) => sum + (one?.length ?? 0), 0);
    await writeRollups(db, rollups, zeroMeter());
    const first = rows[0]?.position;
    if (day <= today - ARCHIVED_DAYS || first === undefined) continue;
    const place = { date: dateOf(day), partition: PARTITION };
    if (day > today - OPEN_DAYS) bundles.set(bundleKey({ ...place, first }), encodeParquet({ ...place, first, rows }));
    else await seal({ database, objects: bundles }, place, { day, rows });
  }
  database.close();
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  console.error(`${events} events in ${DAYS} Days: ${Math.round(bytes / 1e6)} MB of rollups, written in ${seconds} s`);
  return bundles;
}

/** Writes the sealed files of a Day as a seal does, and notes them in D1. */
async function seal(
  { database, objects }: { readonly database: DatabaseSync; readonly objects: Map<string, Uint8Array> },
  place: { readonly date: string; readonly partition: string },
  { day, rows }: { readonly day: number; readonly rows: readonly ArchivedEvent[] },
): Promise<void> {
  const before = (rows.at(-1)?.position ?? 0) + 1;
  const folder = sealedFolder(place, `1-${before}`);
  const writer = new SealedFileWriter(place, folder, 0);
  writer.add(rows);
  writer.endMerchant(1);
  const file = await writer.finish({ bucket: memoryArchive(objects), meter: zeroMeter() });
  const manifest = { ...place, generation: 1, rows: rows.length, duplicates: 0, before, files: [file] };
  objects.set(manifestKey(folder), new TextEncoder().encode(encodeManifest(manifest)));
  database
    .prepare(
      `INSERT INTO archive_days (day, "partition", generation, folder, rows, merchants, bytes, duplicates, differences,
        shown, sealed_at, late_marks, attempts, error) VALUES (?, ?, 1, ?, ?, 1, ?, 0, 0, '[]', ?, 0, 0, '')`,
    )
    .run(day, place.partition, folder, rows.length, file.bytes, (day + 3) * DAY_MS);
}

/** Pages, sources and countries as a shop has them: a few are most. */
function generator(merchant: number): (day: number, at: { position: number; end: number }) => ArchivedEvent {
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

async function ask(client: Client, merchant: Merchant, question: object): Promise<Taken> {
  const meter = async () => (await client.admin("GET", "/api/v1/meter")) as ReturnType<typeof zeroMeter>;
  const before = await meter();
  const startedAt = performance.now();
  const response = await fetch(`${client.queryUrl}/api/v2/query`, {
    method: "POST",
    headers: { authorization: `Bearer ${merchant.api_key}` },
    body: JSON.stringify({ site_id: merchant.id, ...question }),
  });
  const answered = (await response.json()) as Answered;
  const ms = performance.now() - startedAt;
  if (!response.ok) throw new Error(`${response.status} ${JSON.stringify(answered)}`);
  const after = await meter();
  const { bytes = 0 } = (answered.meta?.["sources"] ?? {}) as { readonly bytes?: number };
  return {
    ms,
    status: response.status,
    d1Rows: after.d1_rows_read - before.d1_rows_read,
    r2Gets: after.r2_class_b - before.r2_class_b,
    r2Lists: after.r2_class_a - before.r2_class_a,
    bytes,
  };
}

function report(cold: ReadonlyMap<string, readonly Taken[]>, warm: ReadonlyMap<string, readonly Taken[]>): void {
  const times = (all: readonly Taken[]) => {
    const ms = all.map((one) => one.ms).sort((a, b) => a - b);
    return [0.5, 0.95, 0.99].map((share) => Math.round(percentile(ms, share) * 10) / 10);
  };
  const rows = [...cold].map(([question, first]) => {
    const later = warm.get(question) ?? [];
    const [p50, p95, p99] = times(later);
    const { status, d1Rows, r2Gets, r2Lists, bytes } = later.at(-1) ?? (first[0] as Taken);
    return {
      question,
      "cold p50": times(first)[0],
      "cold max": times(first)[2],
      "warm p50": p50,
      p95,
      p99,
      "D1 rows cold": first[0]?.d1Rows,
      "D1 rows": d1Rows,
      "R2 gets": r2Gets,
      lists: r2Lists,
      bytes,
      ...(status === 202 && { job: true }),
    };
  });
  console.table(rows);
  console.log(JSON.stringify({ bench: "query", events, starts, asks, rows }));
}

function put(all: Map<string, Taken[]>, label: string, one: Taken): void {
  all.set(label, [...(all.get(label) ?? []), one]);
}

await main();
