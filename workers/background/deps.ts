// What consumers and cron use, made from the background Worker's bindings once per batch. Clock and randomness come
// from here, so that everything behind it can be tried with others. Of what they read nothing is remembered but
// exchange rates: the isolate answers nobody, and a seal needs the memory.

import { parsePoolSize } from "../../core/counting/placement.ts";
import type { Log } from "../../core/log.ts";
import type { Metered } from "../../core/meter.ts";
import { locationOf } from "../../core/region.ts";
import { type ArchiveBucket, archiveBucketOf } from "../../storage/archive/bucket.ts";
import type { Directory } from "../../storage/directory/directory.ts";
import { RateMemory } from "../../storage/directory/rate-memory.ts";
import { isolateMeter } from "../../storage/isolate-meter.ts";
import type { Ledgers } from "../../storage/ledger/ledgers.ts";
import { isolateKeeper, meterPaceOf } from "../../storage/ledger/month-meter.ts";
import { writeLog } from "../../storage/log.ts";
import { meteredR2 } from "../../storage/metered.ts";
import { monthsAfterDaysOf } from "../../storage/months-after.ts";
import { openStorage, type Storage } from "../../storage/open.ts";
import { type Producer, producerOf } from "../../storage/producer.ts";
import { type SealPace, sealPaceOf } from "../../storage/seal-due.ts";
import { sealSecretsOf } from "../../storage/signing.ts";
import { type VisitorKeys, visitorKeysOf } from "../../storage/visitor-key.ts";
import type { BackgroundEnv, PartitionStub } from "./env.ts";
import { type Mailer, mailerOf } from "./mailer.ts";
import { type Resolve, resolverOf } from "./resolve.ts";
import { type Receiver, receiversOf } from "./tell.ts";

export interface Deps extends Producer {
  /** Who is who. */
  readonly directory: Directory;
  /** Numbers. */
  readonly ledgers: Ledgers;
  readonly unchecked: Storage["unchecked"];
  /** The archive, as the archive is read and written. */
  readonly bucket: ArchiveBucket;
  /** The same bucket as R2 has it, for dead letters and claims of numbers. */
  readonly objects: R2Bucket;
  readonly partition: (name: string) => PartitionStub;
  /** Pool partitions of the deployment. */
  readonly poolSize: number;
  readonly pace: SealPace;
  /** How many Days blocks stay in the ledger; undefined for ever. */
  readonly monthsAfterDays: number | undefined;
  /** What opens sealed messages of the overflow queue. */
  readonly sealSecrets: readonly string[];
  /** What makes visitors of the ids that senders give. */
  readonly visitorKeys: VisitorKeys;
  /** Exchange rates that the isolate has read from this database. */
  readonly rates: RateMemory;
  /** Where the cron fetches the deployment's exchange rates; empty for nowhere. */
  readonly ratesUrl: string;
  /** The deployment's name, as its queues have it. */
  readonly deployment: string;
  /** Who is told of alerts. */
  readonly receivers: readonly Receiver[];
  /** Undefined where no mail is sent. */
  readonly mailer: Mailer | undefined;
  /** What the names of webhooks resolve to. */
  readonly resolve: Resolve;
  /** Asked after every cron; empty for nowhere. */
  readonly heartbeatUrl: string;
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>;
  readonly meter: Metered;
  /** Adds what this isolate has counted to the month's, where it is time. */
  readonly keepMeter: () => Promise<void>;
  /** UTC ms. */
  readonly now: () => number;
  readonly random: (bytes: number) => Uint8Array;
  readonly log: Log;
}

/** Cloudflare's resolver, in its JSON form. */
const DNS_URL = "https://cloudflare-dns.com/dns-query";

const memories = new WeakMap<D1Database, RateMemory>();

function ratesOf(db: D1Database): RateMemory {
  const rates = memories.get(db) ?? new RateMemory();
  memories.set(db, rates);
  return rates;
}

export function depsOf(env: BackgroundEnv): Deps {
  const objects = meteredR2(env.BUCKET, isolateMeter);
  const storage = openStorage(env, env.BUCKET);
  const ask = (url: string, init?: RequestInit) => fetch(url, init);
  const now = () => Date.now();
  const mailer = mailerOf(env, { fetch: ask, now });
  return {
    ...producerOf(env, isolateMeter),
    ...storage,
    bucket: archiveBucketOf(objects),
    objects,
    partition: (name) => env.PARTITION.getByName(name, locationOf(name)),
    poolSize: parsePoolSize(env.POOL_SIZE),
    pace: sealPaceOf(env),
    monthsAfterDays: monthsAfterDaysOf(env.MONTH_FILES_AFTER_DAYS),
    sealSecrets: sealSecretsOf(env),
    visitorKeys: visitorKeysOf(env),
    rates: ratesOf(env.DIRECTORY),
    ratesUrl: env.RATES_URL ?? "",
    deployment: env.DEPLOYMENT,
    receivers: receiversOf(env, mailer),
    heartbeatUrl: env.HEARTBEAT_URL ?? "",
    mailer,
    resolve: resolverOf(env.DNS_URL || DNS_URL, ask),
    fetch: ask,
    meter: isolateMeter,
    keepMeter: () =>
      isolateKeeper.keep(storage.ledgers.all[0], { now: now(), log: writeLog, everyMs: meterPaceOf(env) }),
    now,
    random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
    log: writeLog,
  };
}
