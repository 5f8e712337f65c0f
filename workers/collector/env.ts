// The bindings of the collector's Worker (wrangler.toml, the top level), and of the partitions, which run in it.

import type { PartitionEnv } from "../../durable-objects/env.ts";
import type { VersionEnv } from "../../storage/version.ts";
import type { VisitorEnv } from "../../storage/visitor-key.ts";

export interface CollectorEnv extends PartitionEnv, VisitorEnv, VersionEnv {
  /** Queues named OVERFLOW_QUEUE_0, OVERFLOW_QUEUE_1 and so on, without a gap. */
  readonly [queue: `OVERFLOW_QUEUE_${number}`]: Queue<Uint8Array>;
  /** Counters of requests: by address and by tracking ID (limit.ts). One of their units is ten requests (tens.ts). */
  readonly LIMIT_ADDRESS: RateLimit;
  readonly LIMIT_TRACKING_ID: RateLimit;
  readonly ADMIN_TOKEN: string;
  /** The regions in which partitions are created (core/region.ts). Empty or missing where the platform chooses. */
  readonly REGIONS?: string;
  /** "true" on a developer's machine only. Addresses and places of clients may then come from headers. */
  readonly DEVELOPMENT?: string;
  /** "off" turns limits off. "on" turns them on, also on a developer's machine. */
  readonly RATE_LIMITS?: string;
}

/** The overflow queues of a deployment, in the order of their numbers. */
export function overflowQueuesOf(env: CollectorEnv): readonly Queue<Uint8Array>[] {
  const queues: Queue<Uint8Array>[] = [];
  let queue: Queue<Uint8Array> | undefined = env["OVERFLOW_QUEUE_0"];
  for (; queue !== undefined; queue = env[`OVERFLOW_QUEUE_${queues.length}`]) queues.push(queue);
  return queues;
}
