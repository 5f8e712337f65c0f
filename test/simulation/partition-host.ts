// Hosts the production partition in the simulated world: node:sqlite as its disk, and a process that may die
// at any await and on either side of any commit. What was committed stays on the disk; everything else is
// gone, as on the platform.

import { createHmac } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import type { RollupRow } from "../../core/counting/rollup-row.ts";
import { SEAL_AFTER_MS } from "../../core/limits.ts";
import { tick } from "../../durable-objects/duties.ts";
import { type BundleMessage, type Deps, openPartition, type Partition } from "../../durable-objects/state.ts";
import { type Sql, Store } from "../../durable-objects/store.ts";
import { packBundle } from "../../storage/archive/bundle-message.ts";
import { sqliteSql } from "../support/sqlite.ts";
import { SimulatedAlarm } from "./alarm.ts";
import type { World } from "./world.ts";

export interface Surroundings {
  readonly sendBundle: (bundle: BundleMessage) => Promise<void>;
  readonly publishRollups: (rows: readonly RollupRow[]) => Promise<void>;
  readonly readSettings: Deps["readSettings"];
  readonly readChanges: Deps["readChanges"];
  readonly writeSpread: Deps["writeSpread"];
  readonly counted: Deps["counted"];
}

/** Pool partitions of a run with one ledger. */
export const POOL_SIZE = 2;
/** An object without requests is evicted after about this long. */
const IDLE_MS = 10_000;

/** Thrown inside a process that has died: nobody hears it. */
class Dead extends Error {}

interface Process {
  alive: boolean;
  /** Requests under way, and a number for the last one that ended. */
  requests: number;
  lastRequest: number;
  partition: Partition | undefined;
}

/** Nearly all leaves memory, and on half of these seeds one or two visitors a turn. */
const LAYERS = { loadedEvents: 10, eventsMin: 2, afterMs: 300_000, turnEvents: 1, turnBytes: Number.POSITIVE_INFINITY };

export class PartitionHost {
  readonly name: string;
  readonly #world: World;
  readonly #around: Surroundings;
  readonly #poolSize: number;
  readonly #disk = sqliteSql(new DatabaseSync(":memory:"));
  #process: Process | undefined;
  /** What the ledger knows its storage by. */
  #claim: string | undefined;
  #storages = 0;
  readonly #alarm: SimulatedAlarm;
  /** Whether it stands on a machine that evicts idle objects: every time, or never. */
  readonly #evicts: boolean;
  crashes = 0;

  constructor(
    name: string,
    { world, poolSize }: { readonly world: World; readonly poolSize: number },
    around: Surroundings,
  ) {
    this.#poolSize = poolSize;
    this.#evicts = world.random.chance(0.3);
    this.name = name;
    this.#world = world;
    this.#around = around;
    this.#alarm = new SimulatedAlarm(
      world,
      () => this.request("alarm", tick),
      (error) => world.note(`${name} alarm failed: ${String(error)}`),
    );
  }

  /** Runs one request in the partition's process, starting it if need be. A death in the middle is an error outside. */
  async request<T>(what: string, work: (partition: Partition) => T | Promise<T>): Promise<T> {
    const process = this.#start();
    process.requests += 1;
    try {
      return await this.#run(process, what, work);
    } finally {
      process.requests -= 1;
      this.#evictWhenIdle(process);
    }
  }

  #run<T>(process: Process, what: string, work: (partition: Partition) => T | Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const failed = (error: unknown) => reject(process.alive ? error : new Error(`${this.name} died during ${what}`));
      this.#deaths.set(process, [...(this.#deaths.get(process) ?? []), () => failed(new Dead())]);
      Promise.resolve()
        .then(() => work(process.partition as Partition))
        .then((result) => (process.alive ? resolve(result) : failed(new Dead())), failed);
    });
  }

  /** The platform takes an object out of memory when nobody has asked it anything for some seconds. */
  #evictWhenIdle(process: Process): void {
    const { lastRequest } = process;
    process.lastRequest += 1;
    if (!this.#evicts) return;
    this.#world.at(this.#world.now + IDLE_MS, () => {
      if (process.requests > 0 || process.lastRequest !== lastRequest + 1 || !process.alive) return;
      process.alive = false;
      this.#process = undefined;
      this.#deaths.delete(process);
    });
  }

  /** Days it has stored state of. */
  shelvedDays(): readonly number[] {
    return [...new Set(new Store(this.#disk).listShelves().map(({ day }) => day))];
  }

  /** Kills the process now. */
  crash(why: string): void {
    const process = this.#process;
    if (process === undefined || !process.alive) return;
    this.crashes += 1;
    this.#world.note(`${this.name} crashed ${why}`);
    process.alive = false;
    this.#process = undefined;
    for (const tell of this.#deaths.get(process) ?? []) tell();
    this.#deaths.delete(process);
    // An alarm that was running or set is fired again by the platform.
    if (!this.#alarm.isSet) this.#alarm.set(this.#world.now + 1_000);
  }

  readonly #deaths = new Map<Process, (() => void)[]>();

  #start(): Process {
    if (this.#process?.alive) return this.#process;
    const process: Process = { alive: true, partition: undefined, requests: 0, lastRequest: 0 };
    process.partition = openPartition(this.#deps(process), this.name);
    this.#process = process; // one that could not be opened is none
    return process;
  }

  #deps(process: Process): Deps {
    const world = this.#world;
    const step = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
      this.#maybeDie(process, `before ${what}`);
      const result = await work();
      this.#maybeDie(process, `after ${what}`);
      return result;
    };
    return {
      store: new Store(this.#mortalSql(process)),
      now: () => world.now,
      newIdKey: () => "0123456789abcdeffedcba9876543210",
      randomHex: (bytes) => world.random.hex(bytes),
      hmacHex: (key, message) => createHmac("sha256", key).update(message).digest("hex"),
      pause: (ms) => step("pause", () => world.sleep(world.random.integer(1, ms + 15))),
      durable: () => step("sync", () => world.sleep(1)),
      setAlarm: async (at) => this.#alarm.set(at),
      reset: (why) => this.crash(why),
      sendBundle: (bundle) => step("send", () => this.#around.sendBundle(bundle)),
      packBundle,
      publishRollups: (rows) => step("publish", () => this.#around.publishRollups(rows)),
      newClaim: () => String(++this.#storages),
      claimName: ({ claim }) =>
        step("claim", async () => {
          this.#claim ??= claim;
          return { claim: this.#claim, events: 0 };
        }),
      noteLost: async () => {},
      tellStatus: async () => {}, // nothing of it is in an answer
      readSettings: (merchants) => step("read settings", () => this.#around.readSettings(merchants)),
      readChanges: (since) => step("read changes", () => this.#around.readChanges(since)),
      writeSpread: (settings) => step("write spread", () => this.#around.writeSpread(settings)),
      counted: (name, request) => step("ask another", () => this.#around.counted(name, request)),
      poolSize: this.#poolSize,
      background: (work) => {
        work.catch((error: unknown) => {
          if (!(error instanceof Dead)) world.note(`${this.name} background work failed: ${String(error)}`);
        });
      },
      log: () => {},
      timing: {
        drainAfterMs: 600_000,
        publishEveryMs: 900_000,
        publishGraceMs: 90_000,
        resendAfterMs: 300_000,
        sealAfterMs: SEAL_AFTER_MS,
        // Under half of the seeds most of a Day leaves memory again and again; under the others it stays.
        ...(world.seed % 4 < 2 && { layers: { ...LAYERS, turnBytes: world.seed % 8 < 4 ? 300 : LAYERS.turnBytes } }),
      },
    };
  }

  /** The disk of a living process; a commit may be the last thing it does, or the first it does not. */
  #mortalSql(process: Process): Sql {
    const sql = this.#disk;
    let inTransaction = false;
    const guarded = <T>(work: () => T): T => {
      if (!process.alive) throw new Dead();
      if (process.partition === undefined || inTransaction) return work();
      this.#maybeDie(process, "before a commit");
      const result = work();
      this.#maybeDie(process, "after a commit");
      return result;
    };
    return {
      exec: (query, ...bindings) => {
        const writes = !query.startsWith("SELECT");
        return writes ? guarded(() => sql.exec(query, ...bindings)) : sql.exec(query, ...bindings);
      },
      transaction: (work) =>
        guarded(() => {
          inTransaction = true;
          try {
            return sql.transaction(() => {
              const result = work();
              this.#maybeDie(process, "inside a transaction");
              return result;
            });
          } finally {
            inTransaction = false;
          }
        }),
    };
  }

  #maybeDie(process: Process, where: string): void {
    if (!process.alive) throw new Dead();
    if (!this.#world.random.chance(this.#world.faults.crash)) return;
    this.crash(where);
    throw new Dead();
  }
}
