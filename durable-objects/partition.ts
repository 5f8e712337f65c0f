// The Durable Object: maps RPC and alarm to the verbs beside it and gives them what they need of the platform. It holds
// no rule and no SQL. The platform's output gate holds every answer back until the writes before it are durable, which
// is what makes an answered append safe (L1).

import { DurableObject } from "cloudflare:workers";
import { createHmac, randomBytes } from "node:crypto";
import type { RecentReply, RecentRequest } from "../core/archive/recent.ts";
import type { EraseReply, EraseRequest } from "../core/counting/erasure.ts";
import type { LiveReply, LiveRequest } from "../core/counting/live.ts";
import { parsePoolSize } from "../core/counting/placement.ts";
import type { Present, PresentRequest } from "../core/counting/present.ts";
import type {
  Confirmation,
  MissedRows,
  RecoveryBegin,
  RecoveryBegun,
  RecoveryEnd,
  RecoveryEnded,
  RecoveryRows,
  Superseded,
} from "../core/counting/recovered.ts";
import {
  DRAIN_AFTER_MS,
  GROUP_COMMIT_LONG_MS,
  PUBLISH_EVERY_MS,
  PUBLISH_GRACE_MS,
  RESEND_AFTER_MS,
  SEAL_AFTER_MS,
} from "../core/limits.ts";
import { type Metered, queueOperations } from "../core/meter.ts";
import { decodeArrivals } from "../core/overflow.ts";
import { locationOf } from "../core/region.ts";
import { packBundle } from "../storage/archive/bundle-message.ts";
import { readChanges, readSettingsOf, writeSpread } from "../storage/directory/settings.ts";
import { isolateMeter } from "../storage/isolate-meter.ts";
import { isolateKeeper, meterPaceOf } from "../storage/ledger/month-meter.ts";
import { claimName, noteLost } from "../storage/ledger/partition-claim.ts";
import { writeStatus } from "../storage/ledger/partition-status.ts";
import { writeRollups } from "../storage/ledger/rollup-write.ts";
import { writeLog } from "../storage/log.ts";
import { openStorage } from "../storage/open.ts";
import { append } from "./append.ts";
import { noteChange } from "./change.ts";
import { writePositions } from "./checkpoint.ts";
import { ensureOwn } from "./claim.ts";
import { confirm } from "./drain.ts";
import { tick } from "./duties.ts";
import type { PartitionEnv } from "./env.ts";
import { erase } from "./erase.ts";
import { live, unpublished } from "./live.ts";
import { present } from "./present.ts";
import { recentEvents } from "./recent.ts";
import { beginRecovery, countRecovered, endRecovery, takeMissed } from "./recover.ts";
import { republish } from "./republish.ts";
import type {
  AppendReply,
  AppendRequest,
  Completeness,
  CountedReply,
  CountedRequest,
  HeldDay,
  PartitionRpc,
  PartitionStatus,
} from "./rpc.ts";
import { completeness, dropDay } from "./seal.ts";
import { refreshSettings } from "./settings.ts";
import { counted } from "./spread.ts";
import { type Deps, openPartition, type Partition } from "./state.ts";
import { statusOf } from "./status.ts";
import { type Sql, type SqlRow, Store } from "./store.ts";

export class PartitionObject extends DurableObject<PartitionEnv> implements PartitionRpc {
  readonly #partition: Partition;

  constructor(ctx: DurableObjectState, env: PartitionEnv) {
    super(ctx, env);
    this.#partition = openPartition(depsOf(ctx, env, isolateMeter), ctx.id.name);
  }

  async append(request: AppendRequest): Promise<AppendReply> {
    isolateMeter.partition_requests += 1;
    this.#adoptName(request.partition);
    return append(this.#partition, decodeArrivals(request.arrivals), request);
  }

  async counted(request: CountedRequest): Promise<CountedReply> {
    isolateMeter.partition_requests += 1;
    await this.#ensureOwn();
    return counted(this.#partition, request);
  }

  async live(request: LiveRequest): Promise<LiveReply> {
    isolateMeter.partition_requests += 1;
    return live(this.#partition, request);
  }

  async noteChange(merchants: readonly number[]): Promise<void> {
    isolateMeter.partition_requests += 1;
    noteChange(this.#partition, merchants);
  }

  async present(request: PresentRequest): Promise<Present> {
    isolateMeter.partition_requests += 1;
    return present(this.#partition, request);
  }

  async recentEvents(request: RecentRequest): Promise<RecentReply> {
    isolateMeter.partition_requests += 1;
    return recentEvents(this.#partition, request);
  }

  async refreshSettings(merchant: number): Promise<void> {
    isolateMeter.partition_requests += 1;
    await refreshSettings(this.#partition, merchant);
  }

  async confirm(first: number): Promise<Confirmation> {
    isolateMeter.partition_requests += 1;
    return confirm(this.#partition, first);
  }

  async takeMissed(missed: MissedRows): Promise<void> {
    isolateMeter.partition_requests += 1;
    await takeMissed(this.#partition, missed);
  }

  async status(): Promise<PartitionStatus> {
    isolateMeter.partition_requests += 1;
    return statusOf(this.#partition);
  }

  async completeness(day: number): Promise<Completeness> {
    isolateMeter.partition_requests += 1;
    await this.#ensureOwn();
    return completeness(this.#partition, day);
  }

  async erase(request: EraseRequest): Promise<EraseReply> {
    isolateMeter.partition_requests += 1;
    await this.#ensureOwn();
    return erase(this.#partition, request);
  }

  async dropDay(day: number): Promise<boolean> {
    isolateMeter.partition_requests += 1;
    return dropDay(this.#partition, day);
  }

  async republish(): Promise<readonly HeldDay[]> {
    isolateMeter.partition_requests += 1;
    return republish(this.#partition);
  }

  async beginRecovery(request: RecoveryBegin): Promise<RecoveryBegun> {
    isolateMeter.partition_requests += 1;
    return beginRecovery(this.#partition, request);
  }

  async countRecovered(request: RecoveryRows): Promise<"counted" | Superseded> {
    isolateMeter.partition_requests += 1;
    return countRecovered(this.#partition, request);
  }

  async endRecovery(request: RecoveryEnd): Promise<RecoveryEnded | Superseded> {
    isolateMeter.partition_requests += 1;
    return endRecovery(this.#partition, request);
  }

  async unpublished(day: number): Promise<readonly number[]> {
    isolateMeter.partition_requests += 1;
    return unpublished(this.#partition, day);
  }

  override async alarm(): Promise<void> {
    isolateMeter.partition_requests += 1;
    await tick(this.#partition);
  }

  /** What is asked of a lost storage is not answered from what it lacks. An object without a name holds nothing. */
  async #ensureOwn(): Promise<void> {
    if (this.#partition.name !== "") await ensureOwn(this.#partition);
  }

  /** The name is in every key and row the partition writes: it is stored before the first of them. */
  #adoptName(name: string): void {
    if (this.#partition.name === name && this.#partition.named) return;
    this.#partition.name = name;
    this.#partition.named = true;
    writePositions(this.#partition, {});
  }
}

function depsOf(ctx: DurableObjectState, env: PartitionEnv, meter: Metered): Deps {
  const { directory, ledgers } = openStorage(env);
  return {
    store: new Store(meteredSql(ctx.storage, meter)),
    now: () => Date.now(),
    newIdKey: () => randomBytes(16).toString("hex"),
    randomHex: (bytes) => randomBytes(bytes).toString("hex"),
    hmacHex: (key, message) => createHmac("sha256", key).update(message).digest("hex"),
    pause: (ms) => scheduler.wait(ms),
    commitWaitMsMax: numberOr(env.GROUP_COMMIT_MS, GROUP_COMMIT_LONG_MS),
    durable: () => ctx.storage.sync(),
    setAlarm: (at) => {
      meter.partition_rows_written += 1;
      return ctx.storage.setAlarm(at);
    },
    reset: (why) => ctx.abort(why),
    packBundle,
    sendBundle: async ({ message }) => {
      await env.ARCHIVE_QUEUE.send(message, { contentType: "bytes" });
      meter.queue_operations += queueOperations(message.length);
    },
    // All rows of a partition are of one ledger.
    publishRollups: async (rows) => {
      const [first] = rows;
      if (first !== undefined) await writeRollups(ledgers.of(first.partition), rows);
    },
    newClaim: () => randomBytes(8).toString("hex"),
    claimName: (claim) => claimName(ledgers.of(claim.partition), claim),
    noteLost: (partition) => noteLost(ledgers.of(partition), partition),
    tellStatus: async (status) => {
      const ledger = ledgers.of(status.partition);
      await writeStatus(ledger, status);
      await isolateKeeper.keep(ledger, { now: Date.now(), log: writeLog, everyMs: meterPaceOf(env) });
    },
    readSettings: (merchants) => readSettingsOf(directory, merchants),
    readChanges: (since) => readChanges(directory, since),
    writeSpread: (settings) => writeSpread(directory, settings),
    counted: (name, request) => env.PARTITION.getByName(name, locationOf(name)).counted(request),
    poolSize: parsePoolSize(env.POOL_SIZE),
    background: (work) => ctx.waitUntil(work),
    log: writeLog,
    timing: {
      drainAfterMs: numberOr(env.DRAIN_AFTER_MS, DRAIN_AFTER_MS),
      publishEveryMs: numberOr(env.PUBLISH_EVERY_MS, PUBLISH_EVERY_MS),
      publishGraceMs: numberOr(env.PUBLISH_GRACE_MS, PUBLISH_GRACE_MS),
      resendAfterMs: numberOr(env.RESEND_AFTER_MS, RESEND_AFTER_MS),
      sealAfterMs: numberOr(env.SEAL_AFTER_MS, SEAL_AFTER_MS),
    },
  };
}

/** The Durable Object's SQLite behind the partition's port; every billed row is counted. */
export function meteredSql(storage: DurableObjectStorage, meter: Metered): Sql {
  return {
    exec: (query, ...bindings) => {
      const cursor = storage.sql.exec(query, ...bindings);
      const rows = cursor.toArray() as SqlRow[];
      meter.partition_rows_read += cursor.rowsRead;
      meter.partition_rows_written += cursor.rowsWritten;
      return rows;
    },
    transaction: (work) => storage.transactionSync(work),
  };
}

function numberOr(text: string | undefined, fallback: number): number {
  return text === undefined ? fallback : Number(text);
}
