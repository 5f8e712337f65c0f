// What the handlers of the query Worker use, made from its bindings once per request. Clock and randomness come from
// here, so that tests can give others. The meter and the remembered keys live as long as the isolate.

import { type Placement, parsePoolSize } from "../../core/counting/placement.ts";
import {
  ANSWERS_KEPT_MS,
  CHANGE_LOG_AFTER_MS,
  RULES_NOTICE_MS,
  STATUS_KEPT_MS,
  STATUS_READ_EVERY_MS,
} from "../../core/limits.ts";
import type { Log } from "../../core/log.ts";
import type { Metered } from "../../core/meter.ts";
import { causeOf } from "../../core/outcome.ts";
import { locationOf, namesOf, parseRegions } from "../../core/region.ts";
import type { Sign } from "../../core/tracking-id.ts";
import type { Told } from "../../core/watch/status.ts";
import type { Directory } from "../../storage/directory/directory.ts";
import { RateMemory } from "../../storage/directory/rate-memory.ts";
import { isolateMeter } from "../../storage/isolate-meter.ts";
import type { Ledgers } from "../../storage/ledger/ledgers.ts";
import { isolateKeeper, meterPaceOf } from "../../storage/ledger/month-meter.ts";
import { writeLog } from "../../storage/log.ts";
import { meteredR2 } from "../../storage/metered.ts";
import { openStorage, type Storage } from "../../storage/open.ts";
import { type Producer, producerOf } from "../../storage/producer.ts";
import { type SealPace, sealPaceOf } from "../../storage/seal-due.ts";
import { sealSecretsOf, signsOf } from "../../storage/signing.ts";
import { readTold } from "../../storage/status.ts";
import { type VisitorKeys, visitorKeysOf } from "../../storage/visitor-key.ts";
import { type Access, accessOf, operatorAccessOf } from "./access.ts";
import { type AnswerDeps, AnswerMemory, type SharedAnswers } from "./answer-memory.ts";
import { KeyMemory } from "./authorize.ts";
import { BucketMemory } from "./bucket-memory.ts";
import type { BackgroundRpc, PartitionStub, QueryEnv } from "./env.ts";
import { ExportMemory } from "./export-memory.ts";
import { type GuessLimit, GuessMemory } from "./guess.ts";
import { type AddressLimit, guessLimitOf, type KeyLimit, keyLimitOf, signInLimitOf } from "./limit.ts";
import { OF_AUDIT, OF_PASSWORDS, OF_READS, OF_SIGN_INS, PurseMemory } from "./purse-memory.ts";
import type { Reading } from "./reading.ts";
import { ScanMemory } from "./scan-memory.ts";
import { StatusMemory } from "./status-memory.ts";
import type { Together } from "./together.ts";
import { TurnMemory } from "./turn.ts";

export interface Deps extends Producer {
  /** The directory: the D1 of who is who. */
  readonly directory: Directory;
  /** The ledgers: the D1s of numbers. */
  readonly ledgers: Ledgers;
  readonly unchecked: Storage["unchecked"];
  readonly bucket: R2Bucket;
  readonly partition: (name: string) => PartitionStub;
  readonly placement: Placement;
  /** Pool partitions of the deployment. */
  readonly poolSize: number;
  readonly background: BackgroundRpc;
  readonly pace: Pick<SealPace, "sealAfterMs">;
  readonly signs: readonly [Sign, ...Sign[]];
  /** The tracking secret and, while a rotation lasts, the one before it. */
  readonly sealSecrets: readonly string[];
  /** The keys that hash the ids that senders give into visitors. */
  readonly visitorKeys: VisitorKeys;
  /** ADMIN_TOKEN, and the one before it while that is set. */
  readonly adminTokens: readonly string[];
  /** Whether this is a developer's machine: few partitions, and nobody to harm. */
  readonly development: boolean;
  /** How far in the future a change of rules, or of a merchant's partitions, takes effect (ms). */
  readonly noticeMs: number;
  readonly meter: Metered;
  /** Whether to add what this isolate has counted to the month's, and to do it. */
  readonly isMeterDue: () => boolean;
  readonly keepMeter: () => Promise<void>;
  readonly keys: KeyMemory;
  /** What askers have left to spend in this isolate. */
  readonly purses: PurseMemory;
  /** What askers have left to read in this isolate. */
  readonly readingPurses: PurseMemory;
  /** What merchants may add to the audit log, in bytes. */
  readonly auditPurses: PurseMemory;
  /** What judging passwords may take of this isolate. */
  readonly passwordPurses: PurseMemory;
  /** How often members sign in. */
  readonly signInPurses: PurseMemory;
  readonly exports: ExportMemory;
  /**
   * The purse that the current question pays its reading from. Undefined where limits are off, and for requests that
   * are no question.
   */
  readonly reading: Reading | undefined;
  /** Who counts events in this isolate. */
  readonly turns: TurnMemory;
  /** Rollups that the isolate has read from this database. */
  readonly buckets: BucketMemory;
  /** Answers from sealed Days of this database that the isolate remembers. */
  readonly scans: ScanMemory;
  /** Whole answers over closed Days; undefined where none are remembered. */
  readonly answers: AnswerDeps | undefined;
  /** Set where several questions are answered together: what they have in common is read once for all. */
  readonly together?: Together;
  /** What an answer says of the deployment's state now, where there is something to say. */
  readonly notice: () => string | undefined;
  /** The deployment's state and its incidents, as the isolate knows them, at most half a minute old. */
  readonly told: () => Promise<Told>;
  /** Has them read again, after a change. */
  readonly forgetTold: () => void;
  /** Exchange rates that the isolate has read from this database. */
  readonly rates: RateMemory;
  /** Undefined where limits are off. */
  readonly keyLimit: KeyLimit | undefined;
  readonly signInLimit: AddressLimit | undefined;
  readonly guessLimit: GuessLimit | undefined;
  /** Cloudflare Access, where that signs in; undefined where passwords do. */
  readonly access: Access | undefined;
  /** How operators sign in without a token. */
  readonly operatorAccess: Access | undefined;
  /** Where the collector answers, where that was said. */
  readonly collectorUrl: string | undefined;
  /** Where this Worker answers, for links in notices, where that was said. */
  readonly dashboardUrl: string | undefined;
  /** UTC ms. */
  readonly now: () => number;
  readonly random: (bytes: number) => Uint8Array;
  readonly log: Log;
  /** How long changes of the directory wait for others before they are logged. */
  readonly changeLogAfterMs: number;
  /** Does something after the answer has gone, and logs when it fails. */
  readonly later: (what: string, work: Promise<void>) => void;
}

/** What the platform gives with each call beside the bindings. */
export type Background = Pick<ExecutionContext, "waitUntil">;

const keys = new KeyMemory();
const memories = new WeakMap<D1Database, Memories>();

interface Memories
  extends Pick<
    Deps,
    | "purses"
    | "readingPurses"
    | "auditPurses"
    | "passwordPurses"
    | "signInPurses"
    | "exports"
    | "turns"
    | "buckets"
    | "scans"
    | "rates"
  > {
  readonly guesses: GuessMemory;
  readonly answers: AnswerMemory;
  readonly status: StatusMemory;
}

/** What this isolate remembers of a deployment. */
export function memoryOf(db: D1Database): Memories {
  const memory = memories.get(db) ?? {
    purses: new PurseMemory(),
    readingPurses: new PurseMemory(OF_READS),
    auditPurses: new PurseMemory(OF_AUDIT),
    passwordPurses: new PurseMemory(OF_PASSWORDS),
    signInPurses: new PurseMemory(OF_SIGN_INS),
    exports: new ExportMemory(),
    turns: new TurnMemory(),
    buckets: new BucketMemory(),
    scans: new ScanMemory(),
    rates: new RateMemory(),
    guesses: new GuessMemory(),
    answers: new AnswerMemory(),
    status: new StatusMemory(),
  };
  memories.set(db, memory);
  return memory;
}

export function depsOf(env: QueryEnv, background: Background): Deps {
  const development = env.DEVELOPMENT === "true";
  const poolSize = parsePoolSize(env.POOL_SIZE);
  const storage = openStorage(env, env.BUCKET);
  const bucket = meteredR2(env.BUCKET, isolateMeter);
  const later: Deps["later"] = (what, work) => {
    background.waitUntil(
      work.catch((error: unknown) => writeLog({ event: "later_failed", step: what, error: causeOf(error) })),
    );
  };
  const everyMs = meterPaceOf(env);
  return {
    ...producerOf(env, isolateMeter),
    ...storage,
    bucket,
    partition: (name) => env.PARTITION.getByName(name, locationOf(name)),
    background: env.BACKGROUND,
    pace: sealPaceOf(env),
    placement: { poolSize, regions: namesOf(parseRegions(env.REGIONS ?? "")) },
    poolSize,
    signs: signsOf(env),
    sealSecrets: sealSecretsOf(env),
    visitorKeys: visitorKeysOf(env),
    adminTokens: [env.ADMIN_TOKEN, env.ADMIN_TOKEN_PREVIOUS ?? ""].filter((secret) => secret !== ""),
    development,
    noticeMs: Number((development && env.RULES_NOTICE_MS) || RULES_NOTICE_MS),
    meter: isolateMeter,
    isMeterDue: () => isolateKeeper.isDue({ now: Date.now(), everyMs }),
    keepMeter: () => isolateKeeper.keep(storage.ledgers.all[0], { now: Date.now(), log: writeLog, everyMs }),
    keys,
    get purses() {
      return memoryOf(env.DIRECTORY).purses;
    },
    get readingPurses() {
      return memoryOf(env.DIRECTORY).readingPurses;
    },
    get auditPurses() {
      return memoryOf(env.DIRECTORY).auditPurses;
    },
    get passwordPurses() {
      return memoryOf(env.DIRECTORY).passwordPurses;
    },
    get signInPurses() {
      return memoryOf(env.DIRECTORY).signInPurses;
    },
    get exports() {
      return memoryOf(env.DIRECTORY).exports;
    },
    get turns() {
      return memoryOf(env.DIRECTORY).turns;
    },
    reading: undefined,
    get buckets() {
      return memoryOf(env.DIRECTORY).buckets;
    },
    get scans() {
      return memoryOf(env.DIRECTORY).scans;
    },
    get answers() {
      const answersKeptMs = Number(env.ANSWERS_KEPT_MS ?? ANSWERS_KEPT_MS);
      if (answersKeptMs === 0) return undefined;
      const { answers } = memoryOf(env.DIRECTORY);
      return { answers, sharedAnswers: sharedAnswers(writeLog), answersKeptMs, now: () => Date.now() };
    },
    told: () =>
      memoryOf(env.DIRECTORY).status.told({ now: Date.now(), everyMs: STATUS_KEPT_MS, read: () => readTold(bucket) }),
    forgetTold: () => memoryOf(env.DIRECTORY).status.forget(),
    notice: () =>
      memoryOf(env.DIRECTORY).status.notice({
        now: Date.now(),
        everyMs: Number(env.STATUS_READ_EVERY_MS ?? STATUS_READ_EVERY_MS),
        read: () => readTold(bucket),
        later: (work) => later("read_status", work),
      }),
    get rates() {
      return memoryOf(env.DIRECTORY).rates;
    },
    keyLimit: keyLimitOf(env),
    signInLimit: signInLimitOf(env),
    get guessLimit() {
      const admits = guessLimitOf(env);
      return admits && { memory: memoryOf(env.DIRECTORY).guesses, admits };
    },
    access: accessOf(env),
    operatorAccess: operatorAccessOf(env),
    collectorUrl: env.COLLECTOR_URL || undefined,
    dashboardUrl: env.DASHBOARD_URL || undefined,
    now: () => Date.now(),
    random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
    log: writeLog,
    changeLogAfterMs: Number(env.CHANGE_LOG_AFTER_MS ?? CHANGE_LOG_AFTER_MS),
    later,
  };
}

/** The place's cache, which Node and some of the platform's addresses do not have. What it does not do is read anew. */
function sharedAnswers(log: Log): SharedAnswers | undefined {
  if (typeof caches === "undefined") return undefined;
  const tried = async <T>(work: (cache: Cache) => Promise<T>): Promise<T | undefined> => {
    try {
      return await work(await caches.open("answers"));
    } catch (error) {
      log({ event: "cache_failed", error: causeOf(error) });
      return undefined;
    }
  };
  return {
    match: (request) => tried((cache) => cache.match(request)),
    put: async (request, response) => void (await tried((cache) => cache.put(request, response))),
  };
}
