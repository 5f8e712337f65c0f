// What the handlers of the query Worker use, made from its bindings once per request. Clock and randomness come from here,
// so that everything behind it can be tried with others. The meter and the remembered keys live as long as the isolate.

import { type Placement, parsePoolSize } from "../../core/counting/placement.ts";
import type { ReplayPart } from "../../core/counting/replay-part.ts";
import {
  LATE_COALESCE_MS,
  QUEUE_BATCH_MESSAGES_MAX,
  RULES_NOTICE_MS,
  SEAL_AFTER_MS,
  SEAL_GRACE_MS,
} from "../../core/limits.ts";
import type { Metered } from "../../core/meter.ts";
import { causeOf } from "../../core/outcome.ts";
import { locationOf, namesOf, parseRegions } from "../../core/region.ts";
import type { Sign } from "../../core/tracking-id.ts";
import type { QuestionDeps } from "../../queues/question.ts";
import type { SealDeps, SealPace } from "../../queues/seal.ts";
import type { Directory } from "../../storage/directory/directory.ts";
import { RateMemory } from "../../storage/directory/rate-memory.ts";
import { isolateMeter } from "../../storage/isolate-meter.ts";
import type { Ledgers } from "../../storage/ledger/ledgers.ts";
import { meteredR2 } from "../../storage/metered.ts";
import { openStorage } from "../../storage/open.ts";
import { signsOf } from "../../storage/signing.ts";
import { type VisitorKeys, visitorKeysOf } from "../../storage/visitor-key.ts";
import { type Access, accessOf } from "./access.ts";
import { KeyMemory } from "./authorize.ts";
import { BucketMemory } from "./bucket-memory.ts";
import type { PartitionStub, QueryEnv } from "./env.ts";
import { type AddressLimit, type KeyLimit, keyLimitOf, signInLimitOf } from "./limit.ts";
import { ScanMemory } from "./scan-memory.ts";

export interface Deps {
  /** Who is who. */
  readonly directory: Directory;
  /** Numbers. */
  readonly ledgers: Ledgers;
  readonly bucket: R2Bucket;
  readonly partition: (name: string) => PartitionStub;
  readonly placement: Placement;
  /** Pool partitions of the deployment. */
  readonly poolSize: number;
  /** Puts parts of replay jobs on their queue. */
  readonly sendParts: (parts: readonly ReplayPart[]) => Promise<void>;
  /** Puts parts of large questions on their queue. */
  readonly sendQuestions: QuestionDeps["sendQuestions"];
  /** Puts closed Days on the seal queue. */
  readonly sendSeals: SealDeps["sendSeals"];
  readonly pace: SealPace;
  readonly signs: readonly [Sign, ...Sign[]];
  /** What opens sealed messages of the overflow queue: the tracking secret, and the one before while a rotation lasts. */
  readonly sealSecrets: readonly string[];
  /** What makes visitors of the ids that senders give. */
  readonly visitorKeys: VisitorKeys;
  readonly adminToken: string;
  /** Whether this is a developer's machine: few partitions, and nobody to harm. */
  readonly development: boolean;
  /** How far ahead a change of rules, or of where a merchant is counted, is dated, in ms. */
  readonly noticeMs: number;
  readonly meter: Metered;
  readonly keys: KeyMemory;
  /** Rollups that the isolate has read from this database. */
  readonly buckets: BucketMemory;
  /** What sealed Days of this database came to. */
  readonly scans: ScanMemory;
  /** Exchange rates that the isolate has read from this database. */
  readonly rates: RateMemory;
  /** Where the cron fetches the deployment's exchange rates; empty for nowhere. */
  readonly ratesUrl: string;
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>;
  /** Undefined where limits are off. */
  readonly keyLimit: KeyLimit | undefined;
  readonly signInLimit: AddressLimit | undefined;
  /** Cloudflare Access, where that signs in; undefined where passwords do. */
  readonly access: Access | undefined;
  /** UTC ms. */
  readonly now: () => number;
  readonly random: (bytes: number) => Uint8Array;
  readonly log: (line: Readonly<Record<string, string | number>>) => void;
  /** Does something after the answer has gone, and logs when it fails. */
  readonly later: (what: string, work: Promise<void>) => void;
}

/** What the platform gives with each call beside the bindings. */
export type Background = Pick<ExecutionContext, "waitUntil">;

const keys = new KeyMemory();
const memories = new WeakMap<D1Database, Pick<Deps, "buckets" | "scans" | "rates">>();

function memoryOf(db: D1Database): Pick<Deps, "buckets" | "scans" | "rates"> {
  const memory = memories.get(db) ?? { buckets: new BucketMemory(), scans: new ScanMemory(), rates: new RateMemory() };
  memories.set(db, memory);
  return memory;
}

export function depsOf(env: QueryEnv, background: Background): Deps {
  const log: Deps["log"] = (line) => console.error(JSON.stringify(line));
  const development = env.DEVELOPMENT === "true";
  const poolSize = parsePoolSize(env.POOL_SIZE);
  return {
    ...openStorage(env),
    bucket: meteredR2(env.BUCKET, isolateMeter),
    partition: (name) => env.PARTITION.getByName(name, locationOf(name)),
    sendParts: async (parts) => {
      await env.REPLAY_QUEUE.sendBatch(parts.map((body) => ({ body, contentType: "json" as const })));
      isolateMeter.queue_operations += parts.length;
    },
    sendQuestions: async (parts) => {
      for (let start = 0; start < parts.length; start += QUEUE_BATCH_MESSAGES_MAX) {
        const batch = parts.slice(start, start + QUEUE_BATCH_MESSAGES_MAX);
        await env.QUESTION_QUEUE.sendBatch(batch.map((body) => ({ body, contentType: "json" as const })));
        isolateMeter.queue_operations += batch.length;
      }
    },
    sendSeals: async (places, delaySeconds) => {
      for (let start = 0; start < places.length; start += QUEUE_BATCH_MESSAGES_MAX) {
        const batch = places.slice(start, start + QUEUE_BATCH_MESSAGES_MAX);
        const messages = batch.map((body) => ({ body, contentType: "json" as const }));
        await env.SEAL_QUEUE.sendBatch(messages, { delaySeconds });
        isolateMeter.queue_operations += batch.length;
      }
    },
    pace: {
      sealAfterMs: Number(env.SEAL_AFTER_MS ?? SEAL_AFTER_MS),
      lateCoalesceMs: Number(env.LATE_COALESCE_MS ?? LATE_COALESCE_MS),
      sealGraceMs: Number(env.SEAL_GRACE_MS ?? SEAL_GRACE_MS),
    },
    placement: { poolSize, regions: namesOf(parseRegions(env.REGIONS ?? "")) },
    poolSize,
    signs: signsOf(env),
    sealSecrets: [env.TRACKING_SECRET, env.TRACKING_SECRET_PREVIOUS ?? ""].filter((secret) => secret !== ""),
    visitorKeys: visitorKeysOf(env),
    adminToken: env.ADMIN_TOKEN,
    development,
    noticeMs: Number((development && env.RULES_NOTICE_MS) || RULES_NOTICE_MS),
    meter: isolateMeter,
    keys,
    get buckets() {
      return memoryOf(env.DIRECTORY).buckets;
    },
    get scans() {
      return memoryOf(env.DIRECTORY).scans;
    },
    get rates() {
      return memoryOf(env.DIRECTORY).rates;
    },
    ratesUrl: env.RATES_URL ?? "",
    fetch: (url, init) => fetch(url, init),
    keyLimit: keyLimitOf(env),
    signInLimit: signInLimitOf(env),
    access: accessOf(env),
    now: () => Date.now(),
    random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
    log,
    later: (what, work) => {
      background.waitUntil(work.catch((error: unknown) => log({ event: `${what}_failed`, error: causeOf(error) })));
    },
  };
}
