// The query Worker in Node for tests: its routes on an in-memory database, with partitions that say what a test tells
// them to. No port is opened and no runtime started.

import { encodeLogged } from "../../core/archive/bundle.ts";
import type { RecentRequest, RecentRow } from "../../core/archive/recent.ts";
import type { LiveRequest } from "../../core/counting/live.ts";
import { partitionsOf } from "../../core/counting/placement.ts";
import type { Present } from "../../core/counting/present.ts";
import type { RecoveryBegin, RecoveryEnd } from "../../core/counting/recovered.ts";
import type { RollupRow } from "../../core/counting/rollup-row.ts";
import { zeroMeter } from "../../core/meter.ts";
import type { QuestionPart } from "../../core/query/job.ts";
import { DAY_MS, dayAt } from "../../core/time.ts";
import type { PartitionStatus } from "../../durable-objects/rpc.ts";
import { answerParts, type QuestionDeps } from "../../queues/question.ts";
import type { Ledgers } from "../../storage/ledger/ledgers.ts";
import { depsOf } from "../../workers/background/deps.ts";
import { app } from "../../workers/query/app.ts";
import { type Deps, depsOf as queryDepsOf } from "../../workers/query/deps.ts";
import { makeDatabases } from "./databases.ts";
import { eventOf } from "./events.ts";
import { memoryArchive } from "./memory-bucket.ts";
import { rowOf } from "./rollup-rows.ts";
import { sqliteD1 } from "./sqlite.ts";

export const ADMIN_TOKEN = "the-admin-token-of-this-test";

/** The directory and a ledger, seen as one database. */
export function migratedDatabase(): D1Database {
  return sqliteD1(makeDatabases().database);
}

export interface QueryWorker {
  /** The directory and the ledger, seen as one database. */
  readonly db: D1Database;
  readonly directory: D1Database;
  readonly ledgers: Ledgers;
  /** What partitions say is not published yet. */
  readonly live: RollupRow[];
  /** What lies in the archive. */
  readonly objects: Map<string, Uint8Array>;
  /** What partitions, by name, say they may not have archived. */
  readonly recent: Map<string, readonly RecentRow[]>;
  /**
   * Page views that a merchant of the pool has today by page, each page's by one visitor: counted, and not archived
   * yet.
   */
  seePages(merchant: number, pages: Readonly<Record<string, number>>): void;
  /** How often partitions were asked for numbers and for events, and objects of the archive for bytes. */
  readonly counted: { live: number; recent: number; gets: number; present: number };
  /** How many events partitions, by name, say that they have made durable. */
  readonly durable: Map<string, number>;
  /** What storages of partitions, by name, are known by that a recovery has made. */
  readonly recoveredClaims: Map<string, string>;
  /** How many rows each of them says it has gone through for that; as many as it gives unless it is set. */
  looked: number | undefined;
  /** Bytes of open Days that each of them says it has put together for its rollups. */
  bytes: number;
  /** Who partitions, by name, say is there. */
  readonly present: Map<string, Present>;
  /** Parts of large questions that wait on their queue. */
  readonly questions: QuestionPart[];
  /** Delivers them, and what they lead to, until none is left. Gives how many failed. */
  deliver(): Promise<number>;
  /** What the background Worker consumes and drives them with. */
  deps(): QuestionDeps;
  /** What its own handlers and its cron use. */
  ownDeps(): Deps;
  /** What partitions say of when the ledger's numbers were changed last: undefined, and no answer is remembered. */
  changedAt: number | undefined;
  /** Set to make that more than they can say. */
  isBehind: boolean;
  /** Merchant numbers whose settings were pushed. */
  readonly refreshed: number[];
  /** Set to make every partition fail. */
  broken: boolean;
  /** What DNS has at a name, for the background Worker. Undefined, as here, where it does not answer. */
  readTexts: (name: string) => Promise<readonly string[] | undefined>;
  /** So many answers of partitions fail from now on, and then no more. */
  failing: number;
  ask(
    method: string,
    path: string,
    given?: { token?: string; body?: unknown; headers?: Record<string, string> },
  ): Promise<Reply>;
  /** The same, of an answer whose body nobody has read. */
  begin(...asked: Parameters<QueryWorker["ask"]>): Promise<Response>;
  /** The same, of an answer that is no JSON. */
  text(...asked: Parameters<QueryWorker["ask"]>): Promise<string>;
  /** A page, as a browser opens it. */
  open(path: string, given: { headers?: Record<string, string> }): Promise<Response>;
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers of every shape
  readonly body: any;
}

/** Where a partition stands that nothing is wrong with. */
const STATUS: Omit<PartitionStatus, "partition" | "durableEvents" | "recoveredClaim"> = {
  ...{ nextPosition: 1, checkpointPosition: 1, bundledPosition: 1, unconfirmedBundles: 0, archivedPosition: 1 },
  ...{ unarchivedSince: null, publishDue: null, failing: [], unpublishedRollups: 0, heldBytes: 0, merchants: 0 },
  ...{ slowedAt: null, hotAt: null },
};

/** `limits` are bindings and variables of rate limiting; off unless given. */
export function startQueryWorker(limits: object = { RATE_LIMITS: "off" }, ledgers = 1): QueryWorker {
  const databases = makeDatabases(ledgers);
  const bound = databases.ledgers.all.map((ledger, position) => [`LEDGER_${position}`, ledger]);
  const db = sqliteD1(databases.database);
  // Each partition of the pool has told of itself.
  for (let pool = 0; pool < 4; pool++) {
    const told = `INSERT INTO partition_status ("partition", told_at, events, archived_events, unconfirmed_bundles, held_bytes,
      merchants, failing) VALUES ('pool-${pool}', 1, 0, 0, 0, 0, 0, '')`;
    for (const file of databases.ledgerFiles) file.exec(told);
  }
  const env = {
    DIRECTORY: databases.directory,
    ...Object.fromEntries(bound),
    POOL_SIZE: "4",
    TRACKING_SECRET: "secret",
    ADMIN_TOKEN,
    CHANGE_LOG_AFTER_MS: "0",
  };
  const bindingsOf = (own: QueryWorker) => ({
    ...env,
    ...limits,
    REPLAY_QUEUE: { sendBatch: async () => {} }, // what a consumer does with it is its own tests' matter
    SEAL_QUEUE: { sendBatch: async () => {} },
    QUESTION_QUEUE: {
      sendBatch: async (messages: readonly { readonly body: QuestionPart }[]) => {
        own.questions.push(...messages.map(({ body }) => body));
      },
    },
    BUCKET: countingGets(own),
    BACKGROUND: {
      meter: async () => zeroMeter(),
      redrive: async () => ({ redriven: [] }),
      readTexts: (name: string) => own.readTexts(name),
    },
    PARTITION: { getByName: (name: string) => partitionOf(own, name) },
  });
  const worker: QueryWorker = {
    db,
    directory: databases.directory,
    ledgers: databases.ledgers,
    live: [],
    objects: new Map(),
    durable: new Map(),
    recoveredClaims: new Map(),
    recent: new Map(),
    counted: { live: 0, recent: 0, gets: 0, present: 0 },
    looked: undefined,
    bytes: 0,
    present: new Map(),
    questions: [],
    seePages: (merchant, pages) => seePages(worker, merchant, pages),
    deps: () => depsOf(bindingsOf(worker) as never),
    ownDeps: () => queryDepsOf(bindingsOf(worker) as never, { waitUntil: () => {} }),
    deliver: async () => {
      let failures = 0;
      for (let attempts = 1; worker.questions.length > 0 && attempts < 10; attempts++) {
        const parts = worker.questions.splice(0);
        for (const body of parts) {
          const message = { id: "m", body, attempts, ack: () => {}, retry: () => {} };
          const retry = () => {
            failures += 1;
            worker.questions.push(body);
          };
          const batch = { queue: "footfall-question", messages: [{ ...message, retry }] };
          await answerParts(batch, depsOf(bindingsOf(worker) as never));
        }
      }
      return failures;
    },
    changedAt: undefined,
    isBehind: false,
    refreshed: [],
    broken: false,
    readTexts: async () => undefined,
    failing: 0,
    ask: async (...asked) => {
      const response = await send(...asked);
      return { status: response.status, body: await response.json(), headers: response.headers };
    },
    begin: (...asked) => send(...asked),
    open: (path, given) => send("GET", path, given),
    text: async (...asked) => (await send(...asked)).text(),
  };
  const send = async (...[method, path, { token, body, headers: given } = {}]: Parameters<QueryWorker["ask"]>) => {
    const headers = { ...given, ...(token !== undefined && { authorization: `Bearer ${token}` }) };
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const init = { method, headers, ...(body !== undefined && { body: text }) };
    const later: Promise<unknown>[] = [];
    const context = { waitUntil: (work: Promise<unknown>) => void later.push(work) };
    const bindings = bindingsOf(worker);
    const response = await app.request(path, init, bindings, context as ExecutionContext);
    await Promise.all(later); // what is done after the answer is done before the next request
    return response;
  };
  return worker;
}

function seePages(worker: QueryWorker, merchant: number, pages: Readonly<Record<string, number>>): void {
  const day = dayAt("UTC", Date.now());
  const partition = partitionsOf({ merchant }, { poolSize: 4, regions: [] })[0] as string;
  const events = Object.entries(pages).flatMap(([page, pageviews], who) =>
    Array.from({ length: pageviews }, (_, at) => {
      const visitor = (who + 1).toString(16).padStart(16, "0");
      return eventOf({ merchant, visitor, url: `https://shop.example${page}`, timestamp: day * DAY_MS + at });
    }),
  );
  const rows = events.map((event, position) => ({ position, row: encodeLogged({ day, late: false, event }) }));
  worker.recent.set(partition, rows);
  const by = Object.entries(pages).map(([page, pageviews], who) => [page, { pageviews, who: [who + 1] }]);
  const seen = { pageviews: events.length };
  worker.live.push({ ...rowOf({ bucket: day, partition, seen, by: { page: Object.fromEntries(by) } }), merchant });
}

function countingGets(worker: QueryWorker) {
  const archive = memoryArchive(worker.objects);
  const get: typeof archive.get = (...asked) => {
    if (!asked[0].startsWith("status/")) worker.counted.gets += 1;
    return archive.get(...asked);
  };
  return { ...archive, get };
}

function partitionOf(worker: QueryWorker, name: string) {
  const answer = <T>(value: T) => {
    const fails = worker.broken || worker.failing > 0;
    worker.failing = Math.max(0, worker.failing - 1);
    return fails ? Promise.reject(new Error("reset")) : Promise.resolve(value);
  };
  return {
    live: ({ merchant, grain, from, to }: LiveRequest) => {
      worker.counted.live += 1;
      const wanted = (row: RollupRow) => row.grain === grain && row.bucket >= from && row.bucket < to;
      const rows = worker.live.filter((row) => row.merchant === merchant && wanted(row));
      const late = (worker.recent.get(name) ?? []).filter(({ row }) => row[1] === 1 && row[2] === merchant);
      const { changedAt } = worker;
      return answer({ rows, bytes: worker.bytes, late: [...new Set(late.map(({ row: [day] }) => day))], changedAt });
    },
    recentEvents: ({ merchant, from, to }: RecentRequest) => {
      worker.counted.recent += 1;
      if (worker.isBehind) return answer("too many" as const);
      const isWanted = ({ row: [day, , number] }: RecentRow) => number === merchant && day >= from && day < to;
      const rows = (worker.recent.get(name) ?? []).filter(isWanted);
      return answer({ rows, looked: worker.looked ?? rows.length });
    },
    present: () => {
      worker.counted.present += 1;
      return answer(worker.present.get(name) ?? { visitors: [], orders: [] });
    },
    erase: () => answer({ position: 1, archivedPosition: 1 }),
    status: () => {
      const durableEvents = worker.durable.get(name) ?? 0;
      const recoveredClaim = worker.recoveredClaims.get(name) ?? null;
      return answer({ ...STATUS, partition: name, durableEvents, recoveredClaim, nextPosition: durableEvents + 1 });
    },
    republish: () => answer([]),
    beginRecovery: ({ first }: RecoveryBegin) => answer({ first, openFrom: 0, claim: "1" }),
    countRecovered: () => answer("counted" as const),
    endRecovery: ({ first }: RecoveryEnd) => answer({ kept: 0, next: first }),
    refreshSettings: (merchant: number) => answer(void worker.refreshed.push(merchant)),
  };
}
