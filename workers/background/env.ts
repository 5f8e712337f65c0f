// The bindings of the background Worker (wrangler.toml, env.background) and its secrets.

import type { PartitionNamespace } from "../../durable-objects/env.ts";
import type { PartitionRpc } from "../../durable-objects/rpc.ts";
import type { MeterEnv } from "../../storage/ledger/month-meter.ts";
import type { StorageEnv } from "../../storage/open.ts";
import type { ProducerEnv } from "../../storage/producer.ts";
import type { SealPaceEnv } from "../../storage/seal-due.ts";
import type { VisitorEnv } from "../../storage/visitor-key.ts";
import type { MailEnv } from "./mailer.ts";
import type { TellEnv } from "./tell.ts";

/** The calls that consumers and cron make to a partition. */
export type PartitionStub = Pick<
  PartitionRpc,
  | "append"
  | "live"
  | "recentEvents"
  | "confirm"
  | "takeMissed"
  | "status"
  | "unpublished"
  | "completeness"
  | "dropDay"
  | "erase"
  | "noteChange"
>;

export interface BackgroundEnv extends StorageEnv, VisitorEnv, ProducerEnv, SealPaceEnv, TellEnv, MailEnv, MeterEnv {
  readonly BUCKET: R2Bucket;
  readonly PARTITION: PartitionNamespace<PartitionStub>;
  /** What the names of this deployment's queues begin with, such as "footfall" or "footfall-staging". */
  readonly DEPLOYMENT: string;
  /** After how many Days blocks go from the ledger to month files in R2. Empty where they stay for ever. */
  readonly MONTH_FILES_AFTER_DAYS?: string;
  /** The address of a file of exchange rates that the cron fetches once a day. Empty for none. */
  readonly RATES_URL?: string;
  /** The address of a resolver that answers in the JSON form of DNS over HTTPS. Cloudflare's where it is empty. */
  readonly DNS_URL?: string;
}
