// A partition on node:sqlite for benches: production code, a clock set by hand, a disk in memory or in a file, and a
// bill: row writes are counted by SQLite itself, everything else where it is done. Bundles are archived at once (how
// many objects they become is counted) and confirmed, rollups go nowhere but the bill.

import { createHmac } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { filesOf } from "../core/archive/file.ts";
import type { RollupRow } from "../core/counting/rollup-row.ts";
import { SEAL_AFTER_MS } from "../core/limits.ts";
import type { Settings } from "../core/merchant.ts";
import { type Metered, queueOperations, zeroMeter } from "../core/meter.ts";
import { confirm } from "../durable-objects/drain.ts";
import { type Deps, type LayerPace, openPartition, type Partition, type Timing } from "../durable-objects/state.ts";
import { type Sql, Store } from "../durable-objects/store.ts";
import { packBundle, unpackBundle } from "../storage/archive/bundle-message.ts";
import { globalSettings, settingsOf } from "../test/support/events.ts";
import { seededRandom } from "../test/support/random.ts";
import { sqliteSql } from "../test/support/sqlite.ts";

const MINUTE_MS = 60_000;
const TIMING: Timing = {
  drainAfterMs: 5 * MINUTE_MS,
  publishEveryMs: 15 * MINUTE_MS,
  publishGraceMs: 90_000,
  resendAfterMs: 5 * MINUTE_MS,
  sealAfterMs: SEAL_AFTER_MS,
};

export class BenchPartition {
  now: number;
  readonly meter: Metered = zeroMeter();
  /** UTC ms of the next alarm. */
  alarmAt: number | undefined;
  /** When a part of a Day leaves memory; as in production where it is not said. Read at each start. */
  layers: LayerPace | undefined;
  /** Waits for company before a commit. */
  pause: (ms: number) => Promise<void> = () => Promise.resolve();
  /** Of all rollups published, bytes. */
  rollupBytes = 0;
  /** Of what was sent to the archive queue, bytes. */
  archivedBytes = 0;
  partition: Partition;
  readonly #database = new DatabaseSync(":memory:");
  readonly #random = seededRandom(7);
  readonly #unconfirmed: number[] = [];
  #commits = 0;

  constructor(now: number) {
    this.now = now;
    this.partition = openPartition(this.#deps(), "pool-0");
  }

  /** As after an eviction: a new object on the same disk. */
  restart(): void {
    this.partition = openPartition(this.#deps(), "pool-0");
  }

  /** Rows SQLite has changed so far. */
  rowsWritten(): number {
    return Number(this.#database.prepare("SELECT total_changes() AS changes").get()?.["changes"]);
  }

  /** Log rows written so far, forgotten ones included. */
  commits(): number {
    return this.#commits;
  }

  /** Bytes of the checkpoint, and of what has left memory. */
  shelfBytes(): number {
    return this.#bytesOf("shelf") + this.#bytesOf("layer");
  }

  #bytesOf(table: string): number {
    return Number(this.#database.prepare(`SELECT SUM(LENGTH(bytes)) AS bytes FROM ${table}`).get()?.["bytes"] ?? 0);
  }

  /** Tells the partition that what it has sent lies in R2. */
  confirmSent(): void {
    for (const first of this.#unconfirmed.splice(0)) {
      this.meter.partition_requests += 1;
      confirm(this.partition, first);
    }
  }

  #deps(): Deps {
    const { meter } = this;
    const sql = sqliteSql(this.#database);
    const counting: Sql = {
      ...sql,
      exec: (query, ...bindings) => {
        if (query.startsWith("INSERT INTO log")) this.#commits += 1;
        // node:sqlite counts no change for a table that is made, the platform two.
        if (query.startsWith("CREATE")) this.meter.partition_rows_written += 2;
        return sql.exec(query, ...bindings);
      },
    };
    return {
      store: new Store(counting),
      now: () => Math.floor(this.now),
      newIdKey: () => "00".repeat(16),
      randomHex: (bytes) => this.#random.hex(bytes),
      hmacHex: (key, message) => createHmac("sha256", key).update(message).digest("hex"),
      pause: (ms) => this.pause(ms),
      durable: () => Promise.resolve(),
      writeSpread: async () => true,
      counted: async (_, { ids }) => ids.map(() => "unknown"),
      poolSize: 1,
      setAlarm: async (at) => {
        meter.partition_rows_written += 1;
        this.alarmAt = at;
      },
      reset: (why) => {
        throw new Error(why);
      },
      packBundle,
      sendBundle: async ({ first, message }) => {
        this.archivedBytes += message.length;
        // Written here, read and deleted by the consumer.
        meter.queue_operations += 3 * queueOperations(message.length);
        meter.r2_class_a += filesOf(unpackBundle(message)).length;
        this.#unconfirmed.push(first);
      },
      newClaim: () => "0123456789abcdef",
      claimName: async ({ claim }) => {
        meter.d1_rows_written += 1;
        return { claim, events: 0 };
      },
      noteLost: async () => {},
      tellStatus: async () => {
        meter.d1_rows_written += 1;
      },
      publishRollups: async (rows) => {
        for (const row of rows) this.rollupBytes += bytesOf(row);
        meter.d1_rows_written += rows.length; // tables WITHOUT ROWID and without an index: one row write each
      },
      readSettings: async (merchants): Promise<readonly Settings[]> => {
        meter.d1_rows_read += merchants.length;
        return merchants.map((merchant) => (merchant === 0 ? globalSettings() : settingsOf("UTC", { merchant })));
      },
      readChanges: async () => {
        meter.d1_rows_read += 1;
        return { last: 0, merchants: [] };
      },
      background: (work) => void work,
      log: (entry) => console.error(JSON.stringify(entry)),
      timing: { ...TIMING, ...(this.layers && { layers: this.layers }) },
    };
  }
}

/** About what a rollup takes in D1: its numbers, a few bytes each, and its packed parts. */
function bytesOf({ breakdowns, sketch, counts }: RollupRow): number {
  const numbers = 3 * Object.keys(counts).length + 30;
  return Object.values(breakdowns).reduce((sum, bytes) => sum + bytes.length, sketch.length + numbers);
}
