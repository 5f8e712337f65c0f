// What the query Worker binds (wrangler.toml, [env.query]) and its secrets.

import type { PartitionRpc } from "../../durable-objects/rpc.ts";
import type { SigningEnv } from "../../storage/signing.ts";
import type { AccessEnv } from "./access.ts";
import type { KeyLimitEnv } from "./limit.ts";

/** A Durable Object stub as RPC offers it. */
export type PartitionStub = Pick<
  PartitionRpc,
  "append" | "live" | "refreshSettings" | "confirm" | "status" | "unpublished"
>;

export interface QueryEnv extends SigningEnv, KeyLimitEnv, AccessEnv {
  readonly DB: D1Database;
  readonly BUCKET: R2Bucket;
  readonly REPLAY_QUEUE: Queue;
  readonly PARTITION: { getByName(name: string): PartitionStub };
  readonly ADMIN_TOKEN: string;
  readonly POOL_SIZE: string;
  readonly SPREAD: string;
}
