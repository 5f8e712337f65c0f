// One partition, an archive in memory and D1 on node:sqlite, all production code, for tests of what happens to a Day
// when it is closed. Time is set by hand; nothing fails here (the simulation is where everything does).

import type { DatabaseSync } from "node:sqlite";
import { encodeLogged } from "../../core/archive/bundle.ts";
import type { Event } from "../../core/event.ts";
import { LATE_COALESCE_MS, SEAL_AFTER_MS, SEAL_GRACE_MS } from "../../core/limits.ts";
import type { LogEntry } from "../../core/log.ts";
import type { Settings } from "../../core/merchant.ts";
import { zeroMeter } from "../../core/meter.ts";
import { noteChange } from "../../durable-objects/change.ts";
import { confirm, drain } from "../../durable-objects/drain.ts";
import { live, unpublished } from "../../durable-objects/live.ts";
import { publish } from "../../durable-objects/publish.ts";
import { beginRecovery, countRecovered, endRecovery, takeMissed } from "../../durable-objects/recover.ts";
import { completeness, dropDay } from "../../durable-objects/seal.ts";
import { statusOf } from "../../durable-objects/status.ts";
import { archiveBody } from "../../queues/archive.ts";
import { makeRuns } from "../../queues/run.ts";
import { driveSeals, type SealDeps, sealDays } from "../../queues/seal.ts";
import { packBundle } from "../../storage/archive/bundle-message.ts";
import { encodeParquet } from "../../storage/archive/parquet.ts";
import { withMonths } from "../../storage/ledger/ledgers.ts";
import { listErased } from "../../storage/ledger/partition-claim.ts";
import { noteArchived } from "../../storage/ledger/places.ts";
import { writeRollups } from "../../storage/ledger/rollup-write.ts";
import { findSeal, type SealPlace, type SealRow } from "../../storage/ledger/sealed-day.ts";
import {
  type PartitionRecovered,
  parseStep,
  type RecoveringPartition,
  type RecoveryStep,
  recoverPartition,
} from "../../storage/partition-recovery.ts";
import { type AnyDatabase, makeDatabases, storageOf } from "./databases.ts";
import { batchOf, deliver } from "./delivery.ts";
import { memoryArchive } from "./memory-bucket.ts";
import { TestPartition } from "./partition.ts";
import { sqliteD1 } from "./sqlite.ts";

export function putSettings(database: DatabaseSync, settings: Settings): void {
  const { merchant, version, zones, past = [], currency, rules, retentionDays, spread = [] } = settings;
  database
    .prepare(
      `INSERT INTO merchants (number, id, name, zones, past_zones, currency, rules, version, created_at, retention_days, spread)
       VALUES (?, ?, 'm', ?, ?, ?, ?, ?, 0, ?, ?) ON CONFLICT (number) DO UPDATE SET zones = excluded.zones,
         past_zones = excluded.past_zones, currency = excluded.currency, rules = excluded.rules, version = excluded.version,
         retention_days = excluded.retention_days, spread = excluded.spread`,
    )
    .run(
      merchant,
      `mer_${merchant}`,
      JSON.stringify(zones),
      JSON.stringify(past),
      currency,
      JSON.stringify(rules),
      version,
      retentionDays ?? null,
      JSON.stringify(spread),
    );
}

/** A partition as its recovery asks it. */
export function recovering(it: TestPartition): RecoveringPartition {
  return {
    beginRecovery: async (request) => beginRecovery(it.partition, request),
    countRecovered: async (request) => countRecovered(it.partition, request),
    endRecovery: async (request) => endRecovery(it.partition, request),
  };
}

export class SealedWorld {
  readonly it = new TestPartition();
  readonly objects = new Map<string, Uint8Array>();
  readonly bucket = memoryArchive(this.objects);
  readonly databases = makeDatabases(1, this.bucket);
  readonly database = this.databases.database;
  /** Everything, as a test looks at it. */
  readonly d1: AnyDatabase = withMonths(sqliteD1(this.database), this.bucket);
  /** What seals see of it all; a test may put one here that fails. */
  sealsSee: AnyDatabase | undefined;
  readonly queue: SealPlace[] = [];
  readonly log: LogEntry[] = [];
  #archived = 0;
  #published = 0;

  constructor(settings: readonly Settings[]) {
    this.it.ledger = this.d1;
    for (const one of settings) {
      this.it.settings.set(one.merchant, one);
      putSettings(this.database, one);
    }
  }

  deps(): SealDeps {
    const { it } = this;
    return {
      ...(this.sealsSee === undefined ? this.databases : storageOf(this.sealsSee)),
      bucket: this.bucket,
      partition: () => ({
        unpublished: async (day) => unpublished(it.partition, day),
        live: async (request) => live(it.partition, request),
        completeness: async (day) => completeness(it.partition, day),
        dropDay: async (day) => dropDay(it.partition, day),
        status: async () => statusOf(it.partition),
        noteChange: async (merchants) => noteChange(it.partition, merchants),
      }),
      poolSize: 1,
      sendSeals: async (places) => void this.queue.push(...places),
      now: () => it.now,
      pace: { sealAfterMs: SEAL_AFTER_MS, lateCoalesceMs: LATE_COALESCE_MS, sealGraceMs: SEAL_GRACE_MS },
      meter: zeroMeter(),
      log: (line) => void this.log.push(line),
    };
  }

  async send(events: Partial<Event>[]): Promise<void> {
    await this.it.send(events);
  }

  /** Everything that was sent is archived and, where it is closed, published. */
  async settle(): Promise<void> {
    this.it.now += 10 * 60_000;
    await drain(this.it.partition);
    for (const { text } of this.it.sent.slice(this.#archived)) await this.archive(text);
    this.#archived = this.it.sent.length;
    await publish(this.it.partition);
    await writeRollups(this.d1, this.it.published.slice(this.#published));
    this.#published = this.it.published.length;
  }

  /** The queue delivers a bundle, perhaps once more. */
  async archive(text: string): Promise<void> {
    const deps = this.deps();
    await archiveBody(packBundle(text), {
      ...deps,
      encode: encodeParquet,
      confirm: async (_, first) => confirm(this.it.partition, first),
      takeMissed: async (_, events) => {
        const removals = await listErased(this.d1, [...new Set(events.map(({ event }) => event.merchant))]);
        await takeMissed(this.it.partition, { rows: JSON.stringify(events.map(encodeLogged)), removals });
      },
      sendRuns: async (places) => {
        for (const place of places) await makeRuns(place, deps);
      },
      note: async (bundle) => {
        const woken = await noteArchived(this.d1, { bundle, now: this.it.now });
        this.queue.push(...woken);
      },
    });
  }

  /** Steps of a recovery until its end. */
  async recover(partition = recovering(this.it)): Promise<PartitionRecovered> {
    const { ledgers } = this.databases;
    const deps = { bucket: this.bucket, ledgers, partition: () => partition, now: () => this.it.now };
    for (let step: RecoveryStep | undefined; ; ) {
      const reached: Awaited<ReturnType<typeof recoverPartition>> = await recoverPartition("pool-0", step, deps);
      if (reached === "superseded") throw new Error(reached);
      if (!("phase" in reached)) return reached;
      step = parseStep(JSON.stringify(reached));
    }
  }

  /** The cron, and then every message until the queue is empty. */
  async seal(): Promise<void> {
    await driveSeals(this.deps());
    await this.consume();
  }

  /**
   * At an instant (UTC ms) at which its Days are closed: what partitions have left goes on its way, then they are
   * sealed.
   */
  async sealAt(now: number, turns = 1): Promise<void> {
    this.it.now = now;
    for (let turn = 0; turn < turns; turn++) await this.settle();
    await this.seal();
  }

  async consume(): Promise<void> {
    for (let place = this.queue.shift(); place !== undefined; place = this.queue.shift()) {
      await sealDays(batchOf("footfall-seal", deliver("s", place)), this.deps());
    }
  }

  row(day: number): Promise<SealRow | undefined> {
    return findSeal(this.d1, { day, partition: "pool-0" });
  }

  keys(prefix: string): readonly string[] {
    return [...this.objects.keys()].filter((key) => key.startsWith(prefix)).sort();
  }
}
