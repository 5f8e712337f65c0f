// A month of 200 merchants in 12 zones, hour by hour on a clock that moves: counted live by partitions, archived,
// published, verified when each Day is over, closed and sealed when the cron finds it. All production code, on
// node:sqlite and a bucket in memory; nothing fails here (simulation.test.ts is where everything does).
// MONTH_EVENTS=1000000 makes it a busy month.

import { expect, test } from "vitest";
import { partitionOf, partitionsOf } from "../../core/counting/placement.ts";
import type { ReplayPart } from "../../core/counting/replay-part.ts";
import type { Event } from "../../core/event.ts";
import { hash64Hex } from "../../core/hash.ts";
import { LATE_COALESCE_MS, SEAL_AFTER_MS, SEAL_GRACE_MS } from "../../core/limits.ts";
import { zeroMeter } from "../../core/meter.ts";
import { DAY_MS, dateOf } from "../../core/time.ts";
import { noteChange } from "../../durable-objects/change.ts";
import { confirm } from "../../durable-objects/drain.ts";
import { tick } from "../../durable-objects/duties.ts";
import { live, unpublished } from "../../durable-objects/live.ts";
import { completeness, dropDay } from "../../durable-objects/seal.ts";
import { counted } from "../../durable-objects/spread.ts";
import { statusOf } from "../../durable-objects/status.ts";
import { archiveBody } from "../../queues/archive.ts";
import { type ReplayDeps, replayBody } from "../../queues/replay.ts";
import { makeRuns } from "../../queues/run.ts";
import { driveSeals, type SealDeps, sealDays } from "../../queues/seal.ts";
import { listPartitions } from "../../storage/archive/archive-day.ts";
import { packBundle } from "../../storage/archive/bundle-message.ts";
import { encodeParquet } from "../../storage/archive/parquet.ts";
import { noteArchived } from "../../storage/ledger/places.ts";
import { writeRollups } from "../../storage/ledger/rollup-write.ts";
import { listSeals, type SealPlace } from "../../storage/ledger/sealed-day.ts";
import { createJob, readProgress } from "../../storage/replay.ts";
import { driveJob } from "../../storage/replay-drive.ts";
import { makeDatabases } from "../support/databases.ts";
import { batchOf, deliver } from "../support/delivery.ts";
import { CHROME, eventOf, GOOGLEBOT, IPHONE, settingsOf } from "../support/events.ts";
import { memoryArchive } from "../support/memory-bucket.ts";
import { TestPartition } from "../support/partition.ts";
import { type Random, seededRandom } from "../support/random.ts";
import { putSettings } from "../support/sealed-world.ts";
import { sqliteD1 } from "../support/sqlite.ts";

const EVENTS = Number(process.env["MONTH_EVENTS"] ?? 12_000);
const MERCHANTS = 200;
const DAYS = 31;
/** With the autumn changes of Europe and of America in it. */
const START = Date.UTC(2026, 9, 12);
const HOUR_MS = 3_600_000;
const ZONES = [
  "UTC",
  "Europe/London",
  "Europe/Vienna",
  "America/New_York",
  "America/Los_Angeles",
  "America/St_Johns",
  "America/Sao_Paulo",
  "Asia/Kolkata",
  "Asia/Kathmandu",
  "Asia/Tokyo",
  "Australia/Lord_Howe",
  "Pacific/Kiritimati",
];
const POOL_SIZE = 4;
/** Merchant 1 is in UTC, and gets partitions of its own in the middle of the month. */
const SPREAD = [{ from: START + 15 * DAY_MS, partitions: 3 }];
const MERCHANTS_SETTINGS = Array.from({ length: MERCHANTS }, (_, index) =>
  settingsOf(ZONES[index % ZONES.length], { merchant: index + 1, ...(index === 0 && { spread: SPREAD }) }),
);
const PARTITIONS = [
  ...new Set(MERCHANTS_SETTINGS.flatMap((settings) => partitionsOf(settings, { poolSize: POOL_SIZE, regions: [] }))),
];

test("[SIM-4] a month of 200 merchants in 12 zones: every Day is verified and sealed with 0 differences", {
  timeout: 600_000,
}, async () => {
  const month = new Month();
  let verified = { events: 0, buckets: 0 };
  for (let now = START; now < START + (DAYS + 4) * DAY_MS; now += HOUR_MS) {
    await month.hour(now);
    // Yesterday is over in every zone 36 hours after its midnight in UTC, and not closed yet.
    if (now % DAY_MS !== 12 * HOUR_MS) continue;
    const day = Math.floor(now / DAY_MS) - 2;
    const { differences, inDoubt, failed, events, buckets } = await month.verify(day, day);
    expect([differences, inDoubt, failed], dateOf(day)).toEqual([0, 0, 0]);
    verified = { events: verified.events + events, buckets: verified.buckets + buckets };
  }
  const seals = await month.seals();
  expect(
    seals.filter(({ generation, differences, error }) => generation === 0 || differences > 0 || error !== ""),
  ).toEqual([]);
  expect(seals.reduce((sum, { rows }) => sum + rows, 0)).toBe(month.ids.size);
  expect(verified.events).toBeGreaterThan(month.ids.size * 0.9);
  expect(month.log).toEqual([]);
  const after = await month.verify(Math.floor(START / DAY_MS) - 10, Math.floor(START / DAY_MS) + DAYS + 1);
  expect(after).toMatchObject({ differences: 0, inDoubt: 0, failed: 0, events: month.ids.size });
  console.log(
    `month: ${month.ids.size} events of ${MERCHANTS} merchants, ${verified.buckets} buckets verified before their Days closed, ${seals.length} Days sealed, ${after.buckets} buckets verified after: 0 differences`,
  );
});

/** The deployment: its partitions, bucket, database and queues. */
class Month {
  now = START;
  readonly ids = new Set<string>();
  readonly log: unknown[] = [];
  readonly #random = seededRandom(200);
  readonly #partitions = new Map<string, TestPartition>();
  readonly #objects = new Map<string, Uint8Array>();
  readonly #databases = makeDatabases();
  readonly #database = this.#databases.database;
  readonly #d1 = sqliteD1(this.#database);
  readonly #sent = new Map<string, { archived: number; published: number }>();
  readonly #sealQueue: { place: SealPlace; at: number }[] = [];
  readonly #partQueue: ReplayPart[] = [];
  #jobs = 0;
  #last: Partial<Event>[] = [];

  constructor() {
    for (const one of MERCHANTS_SETTINGS) putSettings(this.#database, one);
    for (const name of PARTITIONS) {
      const partition = new TestPartition(name, POOL_SIZE);
      partition.counted = async (other, request) => counted(this.#partitionOf(other).partition, request);
      for (const one of MERCHANTS_SETTINGS) partition.settings.set(one.merchant, one);
      this.#partitions.set(name, partition);
      this.#sent.set(name, { archived: 0, published: 0 });
    }
  }

  /** An hour's traffic, and what partitions, queues and cron do in it. */
  async hour(start: number): Promise<void> {
    if (start < START + DAYS * DAY_MS) await this.#send(start);
    for (const minutes of [5, 20, 59]) {
      this.#set(start + minutes * 60_000);
      for (const { partition } of this.#partitions.values()) await tick(partition);
      await this.#deliver();
    }
    await driveSeals(this.sealDeps());
    await this.#consumeSeals();
  }

  async #send(start: number): Promise<void> {
    this.#set(start);
    const events = eventsOf(this.#random, { start, count: Math.round(EVENTS / DAYS / 24) });
    const again = this.#last.filter(() => this.#random.chance(0.02)); // resent
    this.#last = events;
    for (const { id } of events) this.ids.add(id as string);
    const byPartition = Map.groupBy([...events, ...again], (event) =>
      partitionOf({ event: eventOf(event), address: "" }, event.merchant === 1 ? SPREAD : [], POOL_SIZE),
    );
    for (const [name, theirs] of byPartition) await this.#partitionOf(name).send(theirs);
  }

  /** What partitions have sent arrives: bundles are archived, rollups written. */
  async #deliver(): Promise<void> {
    for (const [name, it] of this.#partitions) {
      const done = this.#sent.get(name) as { archived: number; published: number };
      for (const { text } of it.sent.slice(done.archived)) {
        await archiveBody(packBundle(text), {
          ...this.sealDeps(),
          encode: encodeParquet,
          confirm: async (_, first) => confirm(it.partition, first),
          takeMissed: () => Promise.reject(new Error("no partition is lost here")),
          sendRuns: async (places) => {
            for (const place of places) await makeRuns(place, this.sealDeps());
          },
          note: async (bundle) => {
            const woken = await noteArchived(this.#d1, { bundle, now: this.now });
            for (const place of woken) this.#sealQueue.push({ place, at: this.now + LATE_COALESCE_MS });
          },
        });
      }
      done.archived = it.sent.length;
      await writeRollups(this.#d1, it.published.slice(done.published));
      done.published = it.published.length;
    }
  }

  async #consumeSeals(): Promise<void> {
    for (;;) {
      const index = this.#sealQueue.findIndex(({ at }) => at <= this.now);
      const [next] = index < 0 ? [] : this.#sealQueue.splice(index, 1);
      if (next === undefined) return;
      await sealDays(batchOf("footfall-seal", deliver("seal", next.place)), this.sealDeps());
    }
  }

  /** A verify job of a range of Days, through its queue to its end. */
  async verify(from: number, to: number) {
    const deps = this.#replayDeps();
    const parts: ReplayPart[] = [];
    const id = `rpl_${this.#jobs++}`;
    for (let day = from; day <= to; day++) {
      const partitions = new Set([...PARTITIONS, ...(await listPartitions(deps, dateOf(day)))]);
      parts.push(...[...partitions].map((partition) => ({ job: id, day, partition })));
    }
    const job = { id, kind: "verify", state: "running", fromDay: from, toDay: to + 1, merchants: undefined } as const;
    const asDated = { rules: "dated", draft: undefined, applied: undefined, dimensions: undefined } as const;
    const created = { ...job, ...asDated, createdAt: this.now, finishedAt: null };
    expect(await createJob(this.#databases, { job: created, parts, applies: [] })).toBe("created");
    await driveJob(id, deps);
    for (let part = this.#partQueue.shift(); part !== undefined; part = this.#partQueue.shift())
      await replayBody(part, deps);
    return readProgress(this.#databases, id);
  }

  seals() {
    return listSeals(this.#d1, { from: 0, to: 100_000, rowsMax: 100_000 });
  }

  sealDeps(): SealDeps {
    return {
      ...this.#databases,
      bucket: memoryArchive(this.#objects),
      partition: (name) => {
        const { partition } = this.#partitionOf(name);
        return {
          unpublished: async (day) => unpublished(partition, day),
          live: async (request) => live(partition, request),
          completeness: async (day) => completeness(partition, day),
          dropDay: async (day) => dropDay(partition, day),
          status: async () => statusOf(partition),
          noteChange: async (merchants) => noteChange(partition, merchants),
        };
      },
      poolSize: POOL_SIZE,
      sendSeals: async (places, delaySeconds) => {
        for (const place of places) this.#sealQueue.push({ place, at: this.now + delaySeconds * 1_000 });
      },
      now: () => this.now,
      pace: { sealAfterMs: SEAL_AFTER_MS, lateCoalesceMs: LATE_COALESCE_MS, sealGraceMs: SEAL_GRACE_MS },
      meter: zeroMeter(),
      log: (line) => void this.log.push(line),
    };
  }

  #replayDeps(): ReplayDeps {
    const deps = this.sealDeps();
    return {
      ...deps,
      partition: (name) => ({
        ...deps.partition(name),
        status: async () => statusOf(this.#partitionOf(name).partition),
      }),
      sendParts: async (parts) => void this.#partQueue.push(...parts),
      random: (bytes) => new Uint8Array(bytes),
    };
  }

  #partitionOf(name: string): TestPartition {
    return this.#partitions.get(name) as TestPartition;
  }

  #set(now: number): void {
    this.now = now;
    for (const it of this.#partitions.values()) it.now = now;
  }
}

let made = 0;

/**
 * An hour's events: few merchants have most of them; one in thirty comes late, a tenth of those after its Day was
 * closed.
 */
function eventsOf(random: Random, { start, count }: { start: number; count: number }): Partial<Event>[] {
  return Array.from({ length: count }, () => {
    const merchant = Math.floor(MERCHANTS ** random.next());
    const name = random.pick(["pageview", "pageview", "pageview", "pageview", "purchase", "engagement", "signup"]);
    const lateMs = random.chance(1 / 30) ? random.integer(0, random.chance(0.1) ? 200 : 20) * HOUR_MS : 0;
    const isSale = name === "purchase";
    return {
      merchant,
      id: `month ${made++}`,
      name,
      timestamp: start - random.integer(0, HOUR_MS - 1) - lateMs,
      visitor: hash64Hex(`${merchant} ${random.integer(0, 40)}`),
      url: `https://shop.example/${random.integer(0, 30)}${random.pick(["", "", "?utm_source=letter&utm_campaign=autumn"])}`,
      referrer: random.pick(["", "", "https://www.google.com/", "https://news.example/story"]),
      userAgent: random.pick([CHROME, CHROME, IPHONE, GOOGLEBOT]),
      country: random.pick(["AT", "DE", "US", "IN", "JP"]),
      revenue: isSale ? random.integer(-10_000, 900_000) : 0,
      currency: isSale ? random.pick(["", "EUR", "USD"]) : "",
      engagementMs: name === "engagement" ? random.integer(0, 60_000) : 0,
    };
  });
}
