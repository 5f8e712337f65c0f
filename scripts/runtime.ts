// The local runtime: the three Workers of the one root wrangler.toml in a single workerd process, those that have an
// address with a port of their own.
// `npm start`, the tests and the benches all start it from here, so what they try is the same thing. Each env is read
// as wrangler reads it, bundled with esbuild and handed to one Miniflare; two `wrangler dev` processes would fight over
// the same SQLite files. Crons never fire by themselves here: `fireCrons` fires them, and `start.ts` does so on time.

import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { type BuildOptions, build } from "esbuild";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type V4WorkerOptions } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { buildDashboard } from "./build-dashboard.ts";
import { buildTracker } from "./build-tracker.ts";
import { migrate } from "./migrate.ts";

/** The envs of wrangler.toml, in the order in which they are deployed: each after those that it binds. */
export const WORKERS = ["collector", "background", "query"] as const;
export type WorkerName = (typeof WORKERS)[number];

/** A Worker's script, ready to run, and what it is made of. */
export interface Bundle {
  readonly text: string;
  /** Files that are in it, from the root of the repository, such as "workers/query/ask.ts". */
  readonly inputs: readonly string[];
  /** What its module exports. */
  readonly exports: readonly string[];
}

export type Bundles = Readonly<Record<WorkerName, Bundle>>;

/** What `wrangler secret put` holds in production. The background Worker, which has no address, has no ADMIN_TOKEN. */
export interface Secrets {
  readonly TRACKING_SECRET: string;
  readonly ADMIN_TOKEN: string;
}

export interface RuntimeOptions {
  readonly secrets: Secrets;
  /** Where data lies; the same that `wrangler --persist-to` takes. Undefined: in memory, gone when it stops. */
  readonly stateDir?: string | undefined;
  /** 0, the default, takes a free port. */
  readonly collectorPort?: number;
  readonly queryPort?: number;
  /** Variables on top of those in wrangler.toml, for every Worker, such as DRAIN_AFTER_MS or DEVELOPMENT. */
  readonly vars?: Readonly<Record<string, string>>;
  /** How long every queue consumer waits for a batch to fill, instead of what wrangler.toml says. */
  readonly queueWaitSeconds?: number;
  /** How often the consumers of live queues may fail before a message dies, instead of what wrangler.toml says. */
  readonly queueRetriesMax?: number;
  /** Requests per period, by the name of the limit, instead of what wrangler.toml says. */
  readonly rateLimits?: Readonly<Record<string, number>>;
  /** A Worker that counts for the rate limits: its entrypoint "Counter" is bound as each of them, with the limit as
   * its `props`. Undefined: the local runtime's counters. */
  readonly counters?: { readonly name: string; readonly script: string };
  /** Takes each line that a Worker logs; standard error otherwise. */
  readonly log?: (line: string) => void;
  /** Whether an inspector listens, for benches that look at heaps. */
  readonly inspects?: boolean;
  /** How many ledgers there are; as many as wrangler.toml binds unless it is said. */
  readonly ledgers?: number | undefined;
  /** What `bundleWorkers` gave, here or in another process; bundled anew unless it is given. */
  readonly bundles?: Bundles;
  /** A collector of another release beside the one of `bundles`, which calls that one's partitions. */
  readonly otherCollector?: Bundle;
  /** The folder with the migrations of another release, under the names that they have here. */
  readonly migrations?: string;
}

/** One cron of wrangler.toml and the Worker it wakes. */
export interface Cron {
  readonly worker: WorkerName;
  readonly expression: string;
}

export interface Runtime {
  /** Such as "http://127.0.0.1:8787", without a slash at the end. */
  readonly collectorUrl: string;
  readonly queryUrl: string;
  /** Undefined where there is no other collector. */
  readonly otherCollectorUrl: string | undefined;
  readonly miniflare: Miniflare;
  readonly crons: readonly Cron[];
  /** How many there are. */
  readonly ledgers: number;
  /** Runs `scheduled()` of one cron's Worker and throws when it fails. */
  fireCron(cron: Cron, at: Date): Promise<void>;
  /** Runs every cron once, whatever the clock says. */
  fireCrons(at?: Date): Promise<void>;
  /** Ends workerd. Data in `stateDir` stays. */
  stop(): Promise<void>;
}

const HOST = "127.0.0.1";
const ROOT = resolve(import.meta.dirname, "..");
const CONFIG = join(ROOT, "wrangler.toml");

/** Where a bundle would be written; it stays in memory. */
const OUT = ".build/local";

let bundles: Promise<Bundles> | undefined;

/** Every Worker's script, as `wrangler deploy` would make it: once a process, however often that starts them. */
export function bundleWorkers(): Promise<Bundles> {
  bundles ??= bundle();
  return bundles;
}

/** Starts every Worker on migrated data and answers once their ports are open. */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const bundles = options.bundles ?? (await bundleWorkers());
  process.env["MINIFLARE_WORKERD_PATH"] ??= join(ROOT, "scripts/workerd.sh");
  const started = WORKERS.map((worker) => [worker, toWorker(worker, bundles, options)] as const);
  const workers = Object.fromEntries(started) as Record<WorkerName, V4WorkerOptions>;
  const other = options.otherCollector && toOther(options.otherCollector, bundles, options);
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...SHARED_OPTIONS,
      handleStructuredLogs: ({ level, message }: { level: string; message: string }) =>
        (options.log ?? console.error)(`${level}: ${message}`),
      ...(options.inspects ? { inspectorPort: 0 } : {}),
      ...(options.stateDir === undefined ? {} : { resourcePersistencePath: resolve(options.stateDir, "v3") }),
      workers: [...started.map(([, worker]) => worker), ...(other ? [other] : []), ...toCounters(options)] as [
        V4WorkerOptions,
        ...V4WorkerOptions[],
      ],
    }),
  );
  try {
    await miniflare.ready;
    for (const binding of Object.keys(workers.query.d1Databases ?? {})) {
      const folder = binding === "DIRECTORY" ? "storage/directory/migrations" : "storage/ledger/migrations";
      const database = await miniflare.getD1Database(binding, nameOf(workers.query));
      await migrate(database, join(options.migrations ?? ROOT, folder));
    }
    return await toRuntime(miniflare, workers, other);
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }
}

/** Standard output belongs to the one line `npm start` promises, so every other word goes to standard error. */
class ErrorOutputLog extends Log {
  protected override log(message: string): void {
    console.error(message);
  }
}

/** How workerd is started, whichever Workers are in it. */
export const SHARED_OPTIONS = {
  host: HOST,
  port: 0,
  cf: false, // no look-up of a place on the network; requests then have no `cf`, as platform.md measured
  log: new ErrorOutputLog(LogLevel.WARN),
  logRequests: false,
  telemetry: { enabled: false },
  unsafeLocalExplorer: false,
  unsafeObservability: false, // it would write one SQLite row for every request
  unsafeTriggerHandlers: true,
  // For workerd.sh: the binary that Miniflare itself would start.
  unsafeRuntimeEnv: { FOOTFALL_WORKERD: (createRequire(import.meta.url)("workerd") as { default: string }).default },
};

/** How a Worker's script is put together, by whoever starts one. */
export const WORKER_BUNDLE = {
  bundle: true,
  write: false,
  format: "esm",
  target: "es2024",
  platform: "neutral",
  mainFields: ["module", "main"],
  conditions: ["workerd", "worker", "browser"],
} as const satisfies BuildOptions;

/** All in one build: what they share is parsed once. */
async function bundle(): Promise<Bundles> {
  await Promise.all([buildTracker(), buildDashboard()]); // what the collector and the query Worker serve
  const { outputFiles, metafile } = await build({
    entryPoints: WORKERS.map((worker) => ({ in: mainOf(worker), out: worker })),
    outdir: OUT,
    ...WORKER_BUNDLE,
    absWorkingDir: ROOT,
    metafile: true,
    external: ["cloudflare:*", "node:*"],
    loader: { ".txt": "text", ".html": "text", ".sql": "text", ".bin": "binary" },
    sourcemap: "inline",
    sourcesContent: false, // places in the source are enough; its text made half of what every start hands over
    logLevel: "error",
  });
  const made = WORKERS.map((worker) => {
    const output = outputFiles.find(({ path }) => path === join(ROOT, OUT, `${worker}.js`));
    const meta = metafile.outputs[`${OUT}/${worker}.js`];
    if (output === undefined || meta === undefined) throw new Error(`esbuild made nothing of ${mainOf(worker)}`);
    const script: Bundle = { text: output.text, inputs: Object.keys(meta.inputs), exports: meta.exports };
    return [worker, script] as const;
  });
  return Object.fromEntries(made) as Record<WorkerName, Bundle>;
}

function mainOf(worker: WorkerName): string {
  const { main } = readWorker(worker);
  if (main === undefined) throw new Error(`wrangler.toml: env.${worker} names no main`);
  return main;
}

function toWorker(worker: WorkerName, bundles: Bundles, options: RuntimeOptions): V4WorkerOptions {
  // The modules are given below; rules and root for finding them would contradict that.
  const { modulesRules: _, rootPath: __, ...workerOptions } = readWorker(worker).workerOptions as V4WorkerOptions;
  return {
    ...workerOptions,
    name: workerOptions.name ?? `footfall-${worker}`, // an env of wrangler.toml carries its name only when deployed
    modules: [{ type: "ESModule", path: join(ROOT, `${worker}.js`), contents: bundles[worker].text }],
    modulesRoot: ROOT,
    bindings: { ...workerOptions.bindings, ...options.vars, ...secretsOf(worker, options.secrets) },
    d1Databases: withLedgers(workerOptions.d1Databases, options.ledgers),
    queueConsumers: withPace(workerOptions.queueConsumers, options),
    ...toLimits(workerOptions, options),
    unsafeDirectSockets: portsOf(worker, options).map((port) => ({ host: HOST, port })),
  };
}

/** A second collector: as the first one, but that partitions are the first one's. */
function toOther(collector: Bundle, bundles: Bundles, options: RuntimeOptions): V4WorkerOptions {
  const worker = toWorker("collector", { ...bundles, collector }, { ...options, collectorPort: 0 });
  const { durableObjects = {} } = readWorker("query").workerOptions as V4WorkerOptions;
  return { ...worker, name: `${nameOf(worker)}-other`, durableObjects };
}

function secretsOf(worker: WorkerName, { TRACKING_SECRET, ADMIN_TOKEN }: Secrets): Partial<Secrets> {
  return worker === "background" ? { TRACKING_SECRET } : { TRACKING_SECRET, ADMIN_TOKEN };
}

/** The background Worker has no address: what calls it are queues, the cron and the query Worker. */
function portsOf(worker: WorkerName, { collectorPort = 0, queryPort = 0 }: RuntimeOptions): readonly number[] {
  if (worker === "background") return [];
  return [worker === "collector" ? collectorPort : queryPort];
}

/** The env of wrangler.toml that a Worker is; the collector is its top level. */
export function envOf(worker: WorkerName): string | undefined {
  return worker === "collector" ? undefined : worker;
}

/** A Worker of wrangler.toml, as wrangler reads it. */
export function readWorker(worker: WorkerName) {
  process.env["WRANGLER_LOG_PATH"] ??= join(ROOT, ".wrangler/logs"); // else a file in the user's home per command
  process.env["WRANGLER_SEND_METRICS"] ??= "false";
  // It warns, at every start, that the background Worker has no rate limits of its own.
  // `npm run check:deploy` hears the rest.
  process.env["WRANGLER_LOG"] ??= "error";
  return unstable_getMiniflareWorkerOptions(CONFIG, envOf(worker));
}

type Databases = NonNullable<V4WorkerOptions["d1Databases"]>;

/** The databases of wrangler.toml, with another number of ledgers. */
function withLedgers(databases: Databases = {}, ledgers: number | undefined): Databases {
  if (ledgers === undefined) return databases;
  const others = Object.entries(databases).filter(([name]) => !name.startsWith("LEDGER_"));
  const own = Array.from({ length: ledgers }, (_, position) => [`LEDGER_${position}`, `local-ledger-${position}`]);
  return Object.fromEntries([...others, ...own]) as Databases;
}

type Consumers = NonNullable<V4WorkerOptions["queueConsumers"]>;

/** The consumers at the pace of a test. Dead letters are never given up sooner: they have no other place. */
function withPace(consumers: Consumers | undefined, { queueWaitSeconds, queueRetriesMax }: RuntimeOptions): Consumers {
  if (consumers === undefined || Array.isArray(consumers)) return consumers ?? {};
  const entries = Object.entries(consumers).map(([queue, consumer]) => [
    queue,
    {
      ...consumer,
      ...(queueWaitSeconds === undefined ? {} : { maxBatchTimeout: queueWaitSeconds }),
      ...(queueRetriesMax === undefined || consumer.deadLetterQueue === undefined
        ? {}
        : { maxRetries: queueRetriesMax }),
    },
  ]);
  return Object.fromEntries(entries) as Consumers;
}

/** A Worker's rate limits: the local runtime's own, or calls of `options.counters`. */
function toLimits(
  { ratelimits = {}, serviceBindings }: Pick<V4WorkerOptions, "ratelimits" | "serviceBindings">,
  { rateLimits = {}, counters }: RuntimeOptions,
): Pick<V4WorkerOptions, "ratelimits" | "serviceBindings"> {
  const limits = Object.entries(ratelimits).map(([name, { simple, ...rest }]) => {
    return [name, { ...rest, simple: { ...simple, limit: rateLimits[name] ?? simple.limit } }] as const;
  });
  if (counters === undefined)
    return { ratelimits: Object.fromEntries(limits), ...(serviceBindings && { serviceBindings }) };
  const calls = limits.map(([name, { simple }]) => {
    const props = { name, limit: simple.limit, period: simple.period ?? 60 };
    return [name, { name: counters.name, entrypoint: "Counter", props }];
  });
  return { ratelimits: {}, serviceBindings: { ...serviceBindings, ...Object.fromEntries(calls) } };
}

function toCounters({ counters }: RuntimeOptions): readonly V4WorkerOptions[] {
  if (counters === undefined) return [];
  const { compatibilityDate } = readWorker("collector").workerOptions as V4WorkerOptions;
  return [
    { name: counters.name, modules: true, script: counters.script, ...(compatibilityDate && { compatibilityDate }) },
  ];
}

async function toRuntime(
  miniflare: Miniflare,
  workers: Readonly<Record<WorkerName, V4WorkerOptions>>,
  other: V4WorkerOptions | undefined,
): Promise<Runtime> {
  const crons = WORKERS.flatMap((worker) =>
    (workers[worker].cronTriggers ?? []).map((expression) => ({ worker, expression })),
  );
  const fireCron = async ({ worker, expression }: Cron, at: Date): Promise<void> => {
    const fetcher = await miniflare.getWorker(nameOf(workers[worker]));
    const { outcome } = await fetcher.scheduled({ cron: expression, scheduledTime: at });
    if (outcome !== "ok") throw new Error(`cron "${expression}" of ${worker}: ${outcome}`);
  };
  return {
    collectorUrl: await urlOf(miniflare, workers.collector),
    queryUrl: await urlOf(miniflare, workers.query),
    otherCollectorUrl: other && (await urlOf(miniflare, other)),
    miniflare,
    crons,
    ledgers: Object.keys(workers.query.d1Databases ?? {}).filter((name) => name.startsWith("LEDGER_")).length,
    fireCron,
    fireCrons: async (at = new Date()) => {
      for (const cron of crons) await fireCron(cron, at);
    },
    stop: () => miniflare.dispose(),
  };
}

async function urlOf(miniflare: Miniflare, worker: V4WorkerOptions): Promise<string> {
  return (await miniflare.unsafeGetDirectURL(nameOf(worker))).origin;
}

function nameOf(worker: V4WorkerOptions): string {
  if (worker.name === undefined) throw new Error("a Worker without a name");
  return worker.name;
}
