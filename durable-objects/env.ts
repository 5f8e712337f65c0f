// What a partition's host binds: the bindings of the collector's Worker that the Durable Object uses.

import type { Region } from "../core/region.ts";
import type { MeterEnv } from "../storage/ledger/month-meter.ts";
import type { StorageEnv } from "../storage/open.ts";
import type { PartitionRpc } from "./rpc.ts";

/** The partitions, as far as somebody asks them. */
export interface PartitionNamespace<Stub> {
  getByName(name: string, options?: { readonly locationHint: Region }): Stub;
}

export interface PartitionEnv extends StorageEnv, MeterEnv {
  readonly PARTITION: PartitionNamespace<Pick<PartitionRpc, "append" | "counted">>;
  readonly ARCHIVE_QUEUE: Queue<Uint8Array>;
  /** Overrides of the pace in limits.ts, in ms as text; for tests and for tuning a deployment. */
  /** The longest wait for company before a commit. */
  readonly GROUP_COMMIT_MS?: string;
  readonly DRAIN_AFTER_MS?: string;
  readonly PUBLISH_EVERY_MS?: string;
  readonly PUBLISH_GRACE_MS?: string;
  readonly RESEND_AFTER_MS?: string;
  readonly SEAL_AFTER_MS?: string;
}
