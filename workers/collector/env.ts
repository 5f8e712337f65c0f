// What the collector's Worker binds (wrangler.toml, the top level), beside what its partitions use.

import type { PartitionEnv } from "../../durable-objects/env.ts";
import type { VisitorEnv } from "../../storage/visitor-key.ts";

export interface CollectorEnv extends PartitionEnv, VisitorEnv {
  readonly OVERFLOW_QUEUE: Queue<Uint8Array>;
  /** Counters of requests, by address and by tracking ID (limit.ts). */
  readonly LIMIT_ADDRESS: RateLimit;
  readonly LIMIT_TRACKING_ID: RateLimit;
  readonly ADMIN_TOKEN: string;
  /** Where partitions stand (core/region.ts); empty or missing where the platform chooses. */
  readonly REGIONS?: string;
  /** "true" on a developer's machine only: addresses and places may then come from headers. */
  readonly DEVELOPMENT?: string;
  /** "off" lets everybody come as often as they like, "on" limits on a developer's machine too. */
  readonly RATE_LIMITS?: string;
}
