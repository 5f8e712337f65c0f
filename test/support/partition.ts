// A partition on node:sqlite for tests of one behaviour at a time: a clock that is set by hand, and everything that
// goes out is kept for a look. The simulation has its own host, which also dies.

import { createHmac } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { gunzipSync } from "node:zlib";
import type { RollupRow } from "../../core/counting/rollup-row.ts";
import type { Event } from "../../core/event.ts";
import { hash32 } from "../../core/hash.ts";
import { SEAL_AFTER_MS } from "../../core/limits.ts";
import type { LogEntry } from "../../core/log.ts";
import type { Settings, SettingsChanges } from "../../core/merchant.ts";
import { append } from "../../durable-objects/append.ts";
import type { Fate } from "../../durable-objects/rpc.ts";
import { type Deps, type LayerPace, openPartition, type Partition } from "../../durable-objects/state.ts";
import { type BundleCut, type Sql, Store } from "../../durable-objects/store.ts";
import { packBundle } from "../../storage/archive/bundle-message.ts";
import type { Ledger } from "../../storage/ledger/ledgers.ts";
import { claimName, type KnownClaim, noteLost } from "../../storage/ledger/partition-claim.ts";
import { type ToldStatus, writeStatus } from "../../storage/ledger/partition-status.ts";
import { eventOf, globalSettings, settingsOf, TUESDAY } from "./events.ts";
import { seededRandom } from "./random.ts";
import { sqliteSql } from "./sqlite.ts";

/** "answer": D1 takes what it is sent, and the answer is lost. */
type Party = "queue" | "d1" | "settings" | "answer";

/** What triggers note in D1: whose settings were changed, found by what they are now. */
class Changes {
  readonly #settings: ReadonlyMap<number, Settings>;
  readonly #seen = new Map<number, { readonly version: number; readonly change: number }>();
  #last = 0;

  constructor(settings: ReadonlyMap<number, Settings>) {
    this.#settings = settings;
    this.#look();
  }

  after(since: number | undefined): SettingsChanges {
    this.#look();
    const merchants = [...this.#seen].filter(([, { change }]) => change > (since ?? this.#last));
    return { last: this.#last, merchants: merchants.map(([merchant]) => merchant) };
  }

  /** As recovering a directory does: all that it has is changed once more, after a change of its own. */
  raise(last: number): void {
    this.#last = last;
    for (const merchant of this.#settings.keys()) this.#seen.delete(merchant);
  }

  #look(): void {
    for (const merchant of new Set([...this.#settings.keys(), ...this.#seen.keys()])) {
      const version = this.#settings.get(merchant)?.version ?? -1;
      if (this.#seen.get(merchant)?.version !== version) this.#seen.set(merchant, { version, change: ++this.#last });
    }
  }
}

/** Storages that were ever made: each is known by its number. */
let storages = 0;
let copies = 0;

export class TestPartition {
  now = TUESDAY;
  database = new DatabaseSync(":memory:");
  readonly settings = new Map<number, Settings>([
    [0, globalSettings()],
    [1, settingsOf()],
  ]);
  readonly sent: (BundleCut & { readonly text: string })[] = [];
  readonly published: RollupRow[] = [];
  readonly told: ToldStatus[] = [];
  /** A ledger that it claims its name in and tells; where there is none, `claims` stands for it. */
  ledger: Ledger | undefined;
  /** What the ledger knows of partitions, by name; and those that were noted to be lost. */
  readonly claims = new Map<string, KnownClaim>();
  readonly lost: string[] = [];
  readonly alarms: number[] = [];
  readonly logged: LogEntry[] = [];
  /** What the database was asked about settings: whose they are, or what was changed. */
  readonly asked: (readonly number[] | "changes")[] = [];
  readonly #changes = new Changes(this.settings);
  resets = 0;
  /** Waits for company before a commit. */
  pause: (ms: number) => Promise<void> = () => Promise.resolve();
  /** Names of the parties that fail when they are called. */
  readonly broken = new Set<Party>();
  /** What it hears of another partition that it asks. */
  counted: Deps["counted"] = async (_, { ids }) => ids.map(() => "unknown");
  partition: Partition;

  /** When a part of a Day leaves memory; as in production where it is not said. */
  layers: LayerPace | undefined;
  /** So many writes later the disk fails; undefined for never. */
  writesLeft: number | undefined;
  readonly #name: string;
  readonly #poolSize: number;

  constructor(name = "pool-0", poolSize = 1) {
    this.#name = name;
    this.#poolSize = poolSize;
    this.partition = this.open();
  }

  /** As after an eviction or a crash: a new object on the same disk. */
  restart(): void {
    this.partition = this.open();
  }

  /** As after its storage was lost, or put back to what a copy of before has. */
  lose(copy = new DatabaseSync(":memory:")): void {
    this.database = copy;
    this.restart();
  }

  /** Its storage as it is now. */
  copy(): DatabaseSync {
    const file = `file:partition-${process.pid}-${++copies}?mode=memory&cache=shared`;
    const copy = new DatabaseSync(file);
    this.database.exec(`VACUUM INTO '${file}'`);
    return copy;
  }

  raiseChanges(last: number): void {
    this.#changes.raise(last);
  }

  rows(table: string): number {
    return Number(this.database.prepare(`SELECT COUNT(*) AS count FROM ${table}`).get()?.["count"]);
  }

  async send(changes: Partial<Event>[], way: { address?: string; floating?: boolean } = {}): Promise<readonly Fate[]> {
    const arrivals = changes.map((change) => ({
      event: eventOf({ timestamp: this.now, receivedAt: this.now, ...change }),
      address: way.address ?? "203.0.113.1",
      floating: way.floating ?? false,
    }));
    const reply = await append(this.partition, arrivals);
    if (reply === "overloaded") throw new Error("overloaded");
    return reply;
  }

  private open(): Partition {
    const partition = openPartition(this.deps(), this.#name);
    partition.name = this.#name;
    return partition;
  }

  private deps(): Deps {
    const random = seededRandom(hash32(this.#name, 7)); // salts of two partitions are two
    const orBroken = (party: Party) => {
      if (this.broken.has(party)) throw new Error(`${party} is down`);
    };
    return {
      store: new Store(this.sql()),
      now: () => this.now,
      newIdKey: () => "0123456789abcdeffedcba9876543210",
      randomHex: (bytes) => random.hex(bytes),
      hmacHex: (key, message) => createHmac("sha256", key).update(message).digest("hex"),
      pause: (ms) => this.pause(ms),
      durable: () => Promise.resolve(),
      setAlarm: async (at) => void this.alarms.push(at),
      reset: () => {
        this.resets += 1;
      },
      sendBundle: async ({ first, end, message }) => {
        orBroken("queue");
        this.sent.push({ first, end, text: gunzipSync(message).toString() });
      },
      packBundle,
      publishRollups: async (rows) => {
        orBroken("d1");
        this.published.push(...rows);
      },
      newClaim: () => String(++storages),
      claimName: async (asked) => {
        orBroken("d1");
        if (this.ledger !== undefined) return claimName(this.ledger, asked);
        const { partition, claim, isOld } = asked;
        const known = this.claims.get(partition) ?? { claim: "", events: 0 };
        const isTaken = known.claim !== "" || (known.events > 0 && !isOld);
        if (!isTaken) this.claims.set(partition, { ...known, claim });
        return this.claims.get(partition) ?? known;
      },
      noteLost: async (partition) => {
        orBroken("d1");
        this.lost.push(partition);
        if (this.ledger !== undefined) await noteLost(this.ledger, partition);
      },
      tellStatus: async (status) => {
        orBroken("d1");
        this.told.push(status);
        if (this.ledger !== undefined) await writeStatus(this.ledger, status);
        const known = this.claims.get(status.partition) ?? { claim: "", events: 0 };
        this.claims.set(status.partition, { ...known, events: status.events });
      },
      readSettings: async (merchants) => {
        orBroken("settings");
        this.asked.push(merchants);
        return merchants.flatMap((merchant) => this.settings.get(merchant) ?? []);
      },
      readChanges: async (since) => {
        orBroken("settings");
        this.asked.push("changes");
        return this.#changes.after(since);
      },
      writeSpread: async ({ merchant, version, spread = [] }) => {
        orBroken("d1");
        const known = this.settings.get(merchant);
        if (known?.version !== version) return false;
        this.settings.set(merchant, { ...known, version: version + 1, spread });
        orBroken("answer");
        return true;
      },
      counted: (name, request) => this.counted(name, request),
      poolSize: this.#poolSize,
      background: (work) => void work,
      log: (entry) => void this.logged.push(entry),
      timing: {
        drainAfterMs: 300_000,
        publishEveryMs: 900_000,
        publishGraceMs: 90_000,
        resendAfterMs: 300_000,
        sealAfterMs: SEAL_AFTER_MS,
        ...(this.layers && { layers: this.layers }),
      },
    };
  }

  private sql(): Sql {
    const sql = sqliteSql(this.database);
    const exec: Sql["exec"] = (query, ...bindings) => {
      if (!query.startsWith("SELECT") && this.writesLeft !== undefined && this.writesLeft-- <= 0)
        throw new Error("the disk has failed");
      return sql.exec(query, ...bindings);
    };
    return { ...sql, exec };
  }
}
