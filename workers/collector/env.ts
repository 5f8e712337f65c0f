// What the collector's Worker binds (wrangler.toml, [env.collector]), beside what its partitions use.

import type { PartitionEnv } from "../../durable-objects/env.ts";
import type { PartitionRpc } from "../../durable-objects/rpc.ts";
import type { SigningEnv } from "../../storage/signing.ts";

/** A Durable Object stub as RPC offers it. */
export type PartitionStub = Pick<PartitionRpc, "append">;

export interface CollectorEnv extends PartitionEnv, SigningEnv {
  readonly PARTITION: { getByName(name: string): PartitionStub };
  readonly OVERFLOW_QUEUE: Queue<Uint8Array>;
  /** Counters of requests, by address and by tracking ID (limit.ts). */
  readonly LIMIT_ADDRESS: RateLimit;
  readonly LIMIT_TRACKING_ID: RateLimit;
  readonly ADMIN_TOKEN: string;
  readonly POOL_SIZE: string;
  readonly SPREAD: string;
  /** "true" on a developer's machine only: addresses and places may then come from headers. */
  readonly DEVELOPMENT?: string;
  /** "off" lets everybody come as often as they like, "on" limits on a developer's machine too. */
  readonly RATE_LIMITS?: string;
}
