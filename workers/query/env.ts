// What the query Worker binds (wrangler.toml, [env.query]) and its secrets.

import type { PartitionNamespace } from "../../durable-objects/env.ts";
import type { PartitionRpc } from "../../durable-objects/rpc.ts";
import type { StorageEnv } from "../../storage/open.ts";
import type { VisitorEnv } from "../../storage/visitor-key.ts";
import type { AccessEnv } from "./access.ts";
import type { KeyLimitEnv } from "./limit.ts";

/** A Durable Object stub as RPC offers it. */
export type PartitionStub = Pick<
  PartitionRpc,
  | "append"
  | "live"
  | "recentEvents"
  | "refreshSettings"
  | "confirm"
  | "status"
  | "unpublished"
  | "completeness"
  | "dropDay"
  | "erase"
>;

export interface QueryEnv extends StorageEnv, VisitorEnv, KeyLimitEnv, AccessEnv {
  readonly BUCKET: R2Bucket;
  readonly REPLAY_QUEUE: Queue;
  readonly SEAL_QUEUE: Queue;
  readonly QUESTION_QUEUE: Queue;
  readonly PARTITION: PartitionNamespace<PartitionStub>;
  readonly ADMIN_TOKEN: string;
  /** The collector's own. */
  readonly REGIONS?: string;
  /** A file of exchange rates that the cron fetches once a day; empty for none. */
  readonly RATES_URL?: string;
  /** Overrides of the pace in limits.ts, in ms as text; for tests and for tuning a deployment. */
  readonly SEAL_AFTER_MS?: string;
  readonly LATE_COALESCE_MS?: string;
  readonly SEAL_GRACE_MS?: string;
  /** "true" on a developer's machine, and only there. */
  readonly DEVELOPMENT?: string;
  /** How far ahead changes of rules and of partitions are dated, in ms as text, where it need not be safe: only with DEVELOPMENT. */
  readonly RULES_NOTICE_MS?: string;
}
