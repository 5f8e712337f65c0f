// `npm run bench:ingest`: durable, acknowledged events a second over HTTP from 64 connections, one event a request and
// in batches of 20 and 100, with the wait for the answer and the CPU time of the runtime. In each round every side runs
// once: Footfall, an empty Hono Worker (the ceiling of this runtime), the shape of a hit with only its body parsed and
// its text stored, and Hono with one INSERT for each event (D1, SQLite on Node, and PostgreSQL on Node where the
// machine has one). Afterwards the API must say
// exactly what was acknowledged, or it fails. Then the first three run once more, with their heaps watched. The last
// table says where the CPU time of an event goes: the collector's code and the partition's are run alone, in this
// process. The rates are limited, as in production, by limits that nobody reaches (counters.ts).

import { hash64Hex } from "../core/hash.ts";
import { type Merchant, startServices, until } from "../test/support/services.ts";
import { RIVAL, startRivals } from "./ceiling.ts";
import { COUNTERS } from "./counters.ts";
import { watchHeap } from "./heap.ts";
import { measureCpu } from "./hot-path.ts";
import { type Loaded, load } from "./load.ts";
import { cpuMs, descendants, interleave, median, print, quantile, rounded } from "./measure.ts";

const CONNECTIONS = 64;
const ROUNDS = Number(process.env["ROUNDS"] ?? 5);
const ROUND_MS = Number(process.env["ROUND_MS"] ?? 2_000);
/** Merchants that send; the partitions are a deployment's of this size. */
const MERCHANTS = 8;
const PARTITIONS = "2";

const POSTGRES = "Hono + PostgreSQL on Node, 1";
const BARE = "bare shape, body parsed, text stored";
/** Sides of one event a request, whose heaps are looked at. */
const WATCHED = ["empty Hono Worker", BARE, "Footfall, 1"] as const;

interface Side {
  readonly eventsPerSecond: number;
  readonly loaded: Loaded;
  /** Of the side's processes, for one event. */
  readonly cpuMs: number;
}

/** A Worker with a heap, and where it is. */
const COLLECTOR = "footfall-collector";
const FREE_MAX = 1_000_000_000;
const LIMITS = ["LIMIT_ADDRESS", "LIMIT_TRACKING_ID"];

const { client, runtime, stop } = await startServices(
  {
    POOL_SIZE: PARTITIONS,
    DRAIN_AFTER_MS: "5000",
    PUBLISH_EVERY_MS: "60000",
    RATE_LIMITS: process.env["RATE_LIMITS"] ?? "on",
  },
  { rateLimits: Object.fromEntries(LIMITS.map((name) => [name, FREE_MAX])), counters: COUNTERS, inspects: true },
);
const ours = descendants("workerd");
const rivals = await startRivals();
const theirs = descendants("workerd").filter((pid) => !ours.includes(pid));
const [ofOurs, ofTheirs] = [() => ours, () => theirs];
try {
  const merchants: Merchant[] = [];
  for (let index = 0; index < MERCHANTS; index++) merchants.push(await client.createMerchant());
  const acknowledged = new Map(merchants.map(({ tracking_id }) => [tracking_id, 0]));
  let count = 0;

  const side = async (url: string, events: number, pidsOf: () => readonly number[]): Promise<Side> => {
    const isOurs = pidsOf === ofOurs;
    const cpuBefore = cpuMs(pidsOf());
    const waiting: string[] = [];
    const loaded = await load({
      url,
      connections: CONNECTIONS,
      durationMs: ROUND_MS,
      body: () => {
        const { tracking_id } = merchants[count++ % merchants.length] as Merchant;
        waiting.push(tracking_id);
        return bodyOf(tracking_id, events, count);
      },
      onAnswer: ({ status, body }) => {
        if (status >= 300) throw new Error(`${status} ${body}`);
        if (isOurs && JSON.parse(body).accepted !== events) throw new Error(`not all were accepted: ${body}`);
      },
    });
    // Every request was answered with all of its events accepted.
    if (isOurs) for (const id of waiting) acknowledged.set(id, (acknowledged.get(id) ?? 0) + events);
    const total = loaded.requests * events;
    return {
      loaded,
      eventsPerSecond: (total / loaded.ms) * 1_000,
      cpuMs: (cpuMs(pidsOf()) - cpuBefore) / total,
    };
  };
  const { postgres } = rivals;
  const collect = `${client.collectorUrl}/v1/events`;
  const sides = {
    "empty Hono Worker": () => side(rivals.emptyUrl, 1, ofTheirs),
    [BARE]: () => side(rivals.bareUrl, 1, ofTheirs),
    "Footfall, 1": () => side(collect, 1, ofOurs),
    "Hono + D1, 1": () => side(rivals.d1Url, 1, ofTheirs),
    "Hono + SQLite on Node, 1": () => side(rivals.sqlite.url, 1, rivals.sqlite.pids),
    "Footfall, 20": () => side(collect, 20, ofOurs),
    "Footfall, 100": () => side(collect, 100, ofOurs),
    "Hono + D1, 100": () => side(rivals.d1Url, 100, ofTheirs),
    "Hono + SQLite on Node, 100": () => side(rivals.sqlite.url, 100, rivals.sqlite.pids),
    ...(postgres && {
      [POSTGRES]: () => side(postgres.url, 1, postgres.pids),
      "Hono + PostgreSQL on Node, 100": () => side(postgres.url, 100, postgres.pids),
    }),
  };
  if (postgres === undefined) console.error("no PostgreSQL here (apt-get install postgresql): its sides are left out");
  await interleave(1, sides); // not yet compiled
  const results = await interleave(ROUNDS, sides);
  const ourInspector = await runtime.miniflare.getInspectorURL();
  const garbage = new Map<string, number>();
  for (const name of WATCHED) {
    const isOurs = name === "Footfall, 1";
    const watch = await watchHeap(isOurs ? ourInspector : rivals.inspector, isOurs ? COLLECTOR : RIVAL);
    const { loaded } = await sides[name]();
    garbage.set(name, (await watch.stop()) / loaded.requests);
  }
  const latenciesOf = (name: string) => (results[name] ?? []).flatMap(({ loaded }) => loaded.latenciesMs);
  const ratio = (a: keyof typeof sides, b: keyof typeof sides) =>
    median(
      (results[a] ?? []).map(
        ({ eventsPerSecond }, round) => eventsPerSecond / (results[b]?.[round]?.eventsPerSecond ?? 0),
      ),
    );
  const events = [...acknowledged.values()].reduce((sum, one) => sum + one, 0);
  await verify(merchants, acknowledged);
  const rows = Object.entries(results).map(([what, runs]) => {
    const waits = latenciesOf(what);
    return {
      "side, events a request": what,
      "events/s": Math.round(median(runs.map((run) => run.eventsPerSecond))),
      "p50 ms": rounded(quantile(waits, 0.5)),
      "p99 ms": rounded(quantile(waits, 0.99)),
      "CPU µs/event": rounded(median(runs.map((run) => run.cpuMs * 1_000))),
      "heap B/hit": rounded(garbage.get(what) ?? 0),
    };
  });
  print("ingest", rows, {
    connections: CONNECTIONS,
    rounds: ROUNDS,
    single_of_empty: rounded(ratio("Footfall, 1", "empty Hono Worker")),
    single_of_bare: rounded(ratio("Footfall, 1", BARE)),
    cpu_of_bare: rounded(median(cpuRatios(results, "Footfall, 1", BARE))),
    p99_of_bare: rounded(quantile(latenciesOf("Footfall, 1"), 0.99) / quantile(latenciesOf(BARE), 0.99)),
    ...(postgres && { cpu_of_postgres: rounded(median(cpuRatios(results, "Footfall, 1", POSTGRES))) }),
    batch_100_of_single: rounded(ratio("Footfall, 100", "Footfall, 1")),
    single_of_naive_d1: rounded(ratio("Footfall, 1", "Hono + D1, 1")),
    single_of_naive_sqlite: rounded(ratio("Footfall, 1", "Hono + SQLite on Node, 1")),
    verified_events: events,
  });
  print("ingest-cpu", await measureCpu());
} finally {
  await rivals.stop();
  await stop();
}

/** CPU an event of a side by another's, round by round. */
function cpuRatios(results: Readonly<Record<string, readonly Side[]>>, a: string, b: string): readonly number[] {
  return (results[a] ?? []).map(({ cpuMs }, round) => cpuMs / (results[b]?.[round]?.cpuMs ?? 0));
}

function bodyOf(trackingId: string, events: number, number: number): string {
  if (events === 1) return JSON.stringify({ tracking_id: trackingId, ...eventOf(number) });
  const all = Array.from({ length: events }, (_, index) => eventOf(number * events + index));
  return JSON.stringify({ tracking_id: trackingId, events: all });
}

function eventOf(number: number) {
  return {
    url: `https://shop.example/products/${number % 300}?utm_source=letter`,
    referrer: number % 3 === 0 ? "https://www.google.com/" : "",
    visitor_id: hash64Hex(String(number % 20_000)),
  };
}

/** The API says of every merchant what was acknowledged, no more and no less. */
async function verify(merchants: readonly Merchant[], acknowledged: ReadonlyMap<string, number>): Promise<void> {
  for (const merchant of merchants) {
    const expected = acknowledged.get(merchant.tracking_id);
    await until(
      async () => (await client.ask(merchant, { metrics: ["events"], date_range: "all" })).results[0]?.metrics[0],
      (counted) => counted === expected,
      120_000,
    );
  }
}
