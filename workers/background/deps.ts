// What consumers and cron use, made from the background Worker's bindings once per batch. Clock and randomness come
// from here, so that tests can pass others. Only exchange rates are remembered between batches: the isolate answers
// nobody, and a seal needs the memory.

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
  /** The database of who is who. */
  readonly directory: Directory;
  /** The databases of numbers. */
  readonly ledgers: Ledgers;
  readonly unchecked: Storage["unchecked"];
  /** The archive's bucket, as the code of the archive reads and writes it. */
  readonly bucket: ArchiveBucket;
  /** The same bucket as R2's own interface, for dead letters and claims of numbers. */
  readonly objects: R2Bucket;
  readonly partition: (name: string) => PartitionStub;
  /** How many pool partitions the deployment has. */
  readonly poolSize: number;
  readonly pace: SealPace;
  /** After how many Days blocks leave the ledger. Undefined where they stay for ever. */
  readonly monthsAfterDays: number | undefined;
  /** The secrets that open sealed messages of the overflow queue. */
  readonly sealSecrets: readonly string[];
  /** The keys that turn senders' visitor ids into visitors. */
  readonly visitorKeys: VisitorKeys;
  /** Exchange rates that the isolate has read from the directory. */
  readonly rates: RateMemory;
  /** Where the cron fetches the deployment's exchange rates. Empty where it fetches none. */
  readonly ratesUrl: string;
  /** The deployment's name, as in the names of its queues. */
  readonly deployment: string;
  /** The receivers of alerts. */
  readonly receivers: readonly Receiver[];
  /** How mail is sent. Undefined where none is sent. */
  readonly mailer: Mailer | undefined;
  /** Resolves the names of webhooks to addresses. */
  readonly resolve: Resolve;
  /** Reads the records of DNS by which merchants prove their hostnames. */
  readonly readTexts: Resolve;
  /** An address that is requested after every cron. Empty for none. */
  readonly heartbeatUrl: string;
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>;
  readonly meter: Metered;
  /** Adds what this isolate has counted to the month's meter, if that is due. */
  readonly keepMeter: () => Promise<void>;
  /** The time now, UTC ms. */
  readonly now: () => number;
  readonly random: (bytes: number) => Uint8Array;
  readonly log: Log;
}

/** Cloudflare's resolver, which answers in JSON. */
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
  const resolver = resolverOf(env.DNS_URL || DNS_URL, ask);
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
    resolve: resolver.addresses,
    readTexts: resolver.texts,
    fetch: ask,
    meter: isolateMeter,
    keepMeter: () =>
      isolateKeeper.keep(storage.ledgers.all[0], { now: now(), log: writeLog, everyMs: meterPaceOf(env) }),
    now,
    random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
    log: writeLog,
  };
}
