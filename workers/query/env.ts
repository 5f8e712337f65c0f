// The bindings of the query Worker (wrangler.toml, [env.query]) and its secrets.

import type { Metered } from "../../core/meter.ts";
import type { RedrivenPage, RedriveRequest } from "../../core/redrive.ts";
import type { PartitionNamespace } from "../../durable-objects/env.ts";
import type { PartitionRpc } from "../../durable-objects/rpc.ts";
import type { Backup } from "../../storage/directory/backup.ts";
import type { Recovered, RecoveryRefusal } from "../../storage/directory/recovery.ts";
import type { MeterEnv } from "../../storage/ledger/month-meter.ts";
import type { StorageEnv } from "../../storage/open.ts";
import type { ProducerEnv } from "../../storage/producer.ts";
import type { VersionEnv } from "../../storage/version.ts";
import type { VisitorEnv } from "../../storage/visitor-key.ts";
import type { AccessEnv } from "./access.ts";
import type { KeyLimitEnv } from "./limit.ts";

/** The methods of a partition that questions and operators use. */
export type PartitionStub = Pick<
  PartitionRpc,
  | "live"
  | "present"
  | "recentEvents"
  | "refreshSettings"
  | "status"
  | "erase"
  | "republish"
  | "beginRecovery"
  | "countRecovered"
  | "endRecovery"
>;

/** What the background Worker does for the query Worker (workers/background/index.ts, `Operations`). */
export interface BackgroundRpc {
  /** The texts of DNS at a name. Undefined where the resolver does not say. */
  readTexts(name: string): Promise<readonly string[] | undefined>;
  redrive(request: RedriveRequest): Promise<RedrivenPage>;
  meter(): Promise<Metered>;
  backUpDirectory(): Promise<Backup>;
  recoverDirectory(asked: { readonly name?: string | undefined }): Promise<Recovered | RecoveryRefusal>;
}

export interface QueryEnv extends StorageEnv, VisitorEnv, ProducerEnv, KeyLimitEnv, AccessEnv, VersionEnv, MeterEnv {
  readonly BUCKET: R2Bucket;
  readonly PARTITION: PartitionNamespace<PartitionStub>;
  readonly BACKGROUND: BackgroundRpc;
  readonly ADMIN_TOKEN: string;
  /** The former ADMIN_TOKEN, while it is still valid. */
  readonly ADMIN_TOKEN_PREVIOUS?: string;
  /** The same setting as the collector's. */
  readonly REGIONS?: string;
  /** The collector's address, for the line that shops put on their pages. "" where no setting names it. */
  readonly COLLECTOR_URL?: string;
  /** This Worker's address, such as "https://stats.example.com", for links in notices. "" where no setting names it. */
  readonly DASHBOARD_URL?: string;
  /** Overrides the pace in limits.ts, in ms as text. It is for tests and for tuning a deployment. */
  readonly SEAL_AFTER_MS?: string;
  /** Overrides ANSWERS_KEPT_MS, in ms as text. With "0" no answer is remembered. */
  readonly ANSWERS_KEPT_MS?: string;
  /** "true" on a developer's machine, and only there. */
  readonly DEVELOPMENT?: string;
  /**
   * How far in the future changes of rules and of partitions take effect, in ms as text. It is read only with
   * DEVELOPMENT, because a short time is not safe elsewhere.
   */
  readonly RULES_NOTICE_MS?: string;
  /** How often the deployment's state for merchants is read, in ms. It is for tests. */
  readonly STATUS_READ_EVERY_MS?: string;
  /** How long changes of the directory wait for other changes before they are logged, in ms. It is for tests. */
  readonly CHANGE_LOG_AFTER_MS?: string;
}
