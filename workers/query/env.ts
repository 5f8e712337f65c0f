// What the query Worker binds (wrangler.toml, [env.query]) and its secrets.

import type { Metered } from "../../core/meter.ts";
import type { RedrivenPage, RedriveRequest } from "../../core/redrive.ts";
import type { PartitionNamespace } from "../../durable-objects/env.ts";
import type { PartitionRpc } from "../../durable-objects/rpc.ts";
import type { Backup } from "../../storage/directory/backup.ts";
import type { Recovered, RecoveryRefusal } from "../../storage/directory/recovery.ts";
import type { StorageEnv } from "../../storage/open.ts";
import type { ProducerEnv } from "../../storage/producer.ts";
import type { VisitorEnv } from "../../storage/visitor-key.ts";
import type { AccessEnv } from "./access.ts";
import type { KeyLimitEnv } from "./limit.ts";

/** What questions and operators ask of a partition. */
export type PartitionStub = Pick<
  PartitionRpc,
  "live" | "present" | "recentEvents" | "refreshSettings" | "status" | "erase" | "republish"
>;

/** What the background Worker does for operators (workers/background/index.ts, `Operations`). */
export interface BackgroundRpc {
  redrive(request: RedriveRequest): Promise<RedrivenPage>;
  meter(): Promise<Metered>;
  backUpDirectory(): Promise<Backup>;
  recoverDirectory(asked: { readonly name?: string | undefined }): Promise<Recovered | RecoveryRefusal>;
}

export interface QueryEnv extends StorageEnv, VisitorEnv, ProducerEnv, KeyLimitEnv, AccessEnv {
  readonly BUCKET: R2Bucket;
  readonly PARTITION: PartitionNamespace<PartitionStub>;
  readonly BACKGROUND: BackgroundRpc;
  readonly ADMIN_TOKEN: string;
  /** The one before, while it is still good. */
  readonly ADMIN_TOKEN_PREVIOUS?: string;
  /** The collector's own. */
  readonly REGIONS?: string;
  /** Overrides the pace in limits.ts, in ms as text; for tests and for tuning a deployment. */
  readonly SEAL_AFTER_MS?: string;
  /** "true" on a developer's machine, and only there. */
  readonly DEVELOPMENT?: string;
  /**
   * How far ahead changes of rules and of partitions are dated, in ms as text, where it need not be
   * safe: only with DEVELOPMENT.
   */
  readonly RULES_NOTICE_MS?: string;
}
