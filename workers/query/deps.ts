// What the handlers of the query Worker use, made from its bindings once per request. Clock and randomness come from
// here, so that tests can pass others. The meter and the remembered keys live as long as the isolate.

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
import { type GuessLimit, GuessMemory } from "./guess.ts";
import {
  type AddressLimit,
  type GuestLimit,
  guessLimitOf,
  guestLimitOf,
  type KeyLimit,
  keyLimitOf,
  signInLimitOf,
} from "./limit.ts";
import { Lines, OF_EXPORTS } from "./line.ts";
import { OF_AUDIT, OF_PASSWORDS, OF_PROOFS, OF_READS, OF_SIGN_INS, PurseMemory } from "./purse-memory.ts";
import type { Reading } from "./reading.ts";
import { ScanMemory } from "./scan-memory.ts";
import { StatusMemory } from "./status-memory.ts";
import type { Together } from "./together.ts";
import { RollupTurn, TurnMemory } from "./turn.ts";

export interface Deps extends Producer {
  /** The directory: the D1 of who is who. */
  readonly directory: Directory;
  /** The ledgers: the D1s of numbers. */
  readonly ledgers: Ledgers;
  readonly unchecked: Storage["unchecked"];
  readonly bucket: R2Bucket;
  readonly partition: (name: string) => PartitionStub;
  readonly placement: Placement;
  /** How many pool partitions the deployment has. */
  readonly poolSize: number;
  readonly background: BackgroundRpc;
  readonly pace: Pick<SealPace, "sealAfterMs">;
  readonly signs: readonly [Sign, ...Sign[]];
  /** The tracking secret and, during a rotation, the one before it. */
  readonly sealSecrets: readonly string[];
  /** The keys that turn senders' visitor ids into visitors. */
  readonly visitorKeys: VisitorKeys;
  /** ADMIN_TOKEN, and the former one while that is set. */
  readonly adminTokens: readonly string[];
  /** Whether this is a developer's machine, with few partitions and nobody to harm. */
  readonly development: boolean;
  /** How far in the future a change of rules, or of a merchant's partitions, takes effect (ms). */
  readonly noticeMs: number;
  readonly meter: Metered;
  /** Whether it is time to add what this isolate has counted to the month's meter. `keepMeter` adds it. */
  readonly isMeterDue: () => boolean;
  readonly keepMeter: () => Promise<void>;
  readonly keys: KeyMemory;
  /** What askers may still spend in this isolate. */
  readonly purses: PurseMemory;
  /** What askers may still read in this isolate. */
  readonly readingPurses: PurseMemory;
  /** How much merchants may still add to the audit log, in bytes. */
  readonly auditPurses: PurseMemory;
  /** How much of this isolate's time may be spent on judging passwords. */
  readonly passwordPurses: PurseMemory;
  /** How often members sign in. */
  readonly signInPurses: PurseMemory;
  /** How often DNS is asked whether a merchant's hostname is proven. */
  readonly proofPurses: PurseMemory;
  /** Exports that go on, by merchant. */
  readonly exports: Lines;
  /**
   * The purse that pays for what the current question reads. Undefined where limits are off, and for requests that are
   * no question.
   */
  readonly reading: Reading | undefined;
  /** Whose turn it is to count events in this isolate. */
  readonly turns: TurnMemory;
  /** When this request may read many rollups, and where it lets others go first while it adds them up. */
  readonly rollupTurn: RollupTurn;
  /** Rollups that the isolate has read from this database. */
  readonly buckets: BucketMemory;
  /** Answers from sealed Days of this database that the isolate remembers. */
  readonly scans: ScanMemory;
  /** Whole answers over closed Days. Undefined where none are remembered. */
  readonly answers: AnswerDeps | undefined;
  /** Set where several questions are answered together. What they have in common is read once for all. */
  readonly together?: Together;
  /** What an answer says about the deployment's state now. Undefined where there is nothing to say. */
  readonly notice: () => string | undefined;
  /** The deployment's state and its incidents. What the isolate knows of them is at most half a minute old. */
  readonly told: () => Promise<Told>;
  /** Forgets the deployment's state after a change, so that it is read again. */
  readonly forgetTold: () => void;
  /** Exchange rates that the isolate has read from this database. */
  readonly rates: RateMemory;
  /** The limit for requests of one asker. Undefined where limits are off. */
  readonly keyLimit: KeyLimit | undefined;
  /** The limit for requests of one guest of a share link. Undefined where limits are off. */
  readonly guestLimit: GuestLimit | undefined;
  readonly signInLimit: AddressLimit | undefined;
  readonly guessLimit: GuessLimit | undefined;
  /** Cloudflare Access for members. Undefined where they have passwords. */
  readonly access: Access | undefined;
  /** Cloudflare Access for operators, who then need no token. */
  readonly operatorAccess: Access | undefined;
  /** The collector's address. Undefined where no setting names it. */
  readonly collectorUrl: string | undefined;
  /** This Worker's address, for links in notices. Undefined where no setting names it. */
  readonly dashboardUrl: string | undefined;
  /** The time now, UTC ms. */
  readonly now: () => number;
  readonly random: (bytes: number) => Uint8Array;
  readonly log: Log;
  /** How long changes of the directory wait for other changes before they are logged, ms. */
  readonly changeLogAfterMs: number;
  /** Does some work after the answer was sent, and logs it if it fails. */
  readonly later: (what: string, work: Promise<void>) => void;
}

/** What the platform gives to each call beside the bindings. */
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
    | "proofPurses"
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

/** What this isolate remembers about a deployment. */
export function memoryOf(db: D1Database): Memories {
  const memory = memories.get(db) ?? {
    purses: new PurseMemory(),
    readingPurses: new PurseMemory(OF_READS),
    auditPurses: new PurseMemory(OF_AUDIT),
    passwordPurses: new PurseMemory(OF_PASSWORDS),
    signInPurses: new PurseMemory(OF_SIGN_INS),
    proofPurses: new PurseMemory(OF_PROOFS),
    exports: new Lines(OF_EXPORTS),
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
    get proofPurses() {
      return memoryOf(env.DIRECTORY).proofPurses;
    },
    get exports() {
      return memoryOf(env.DIRECTORY).exports;
    },
    get turns() {
      return memoryOf(env.DIRECTORY).turns;
    },
    rollupTurn: new RollupTurn({
      get turns() {
        return memoryOf(env.DIRECTORY).turns;
      },
      now: () => Date.now(),
    }),
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
    guestLimit: guestLimitOf(env),
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

/**
 * The data centre's cache. Node and some of the platform's addresses have none. What it does not have is read again.
 */
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
