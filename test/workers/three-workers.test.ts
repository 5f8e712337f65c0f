// The three Workers apart: what is in each script, what each binds, and who consumes which queue. Read from what is
// deployed: the bundles, and wrangler.toml as wrangler reads it.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { unstable_readConfig } from "wrangler";
import { REQUEST_CPU_MS, SUBREQUESTS_MAX } from "../../core/limits.ts";
import { type Bundles, bundleWorkers, envOf, readWorker, WORKERS, type WorkerName } from "../../scripts/runtime.ts";
import query from "../../workers/query/index.ts";

const ROOT = join(import.meta.dirname, "../..");
const SECRETS = ["TRACKING_SECRET", "HASH_SECRET", "ADMIN_TOKEN"];
let scripts: Bundles;

beforeAll(async () => {
  scripts = await bundleWorkers();
});

function filesOf(worker: WorkerName): readonly string[] {
  return scripts[worker].inputs.filter((path) => !path.startsWith("node_modules/"));
}

/** The kinds of file that are in a script, by the folder of their host. */
function hostsOf(worker: WorkerName): readonly string[] {
  const hosts = filesOf(worker).flatMap(
    (path) => /^(core|storage|queues|durable-objects|workers\/\w+)\//.exec(path)?.[1] ?? [],
  );
  return [...new Set(hosts)].sort();
}

/** Names that a script's own code reads from its bindings, variables and secrets. */
function readBy(worker: WorkerName): readonly string[] {
  const names = filesOf(worker).flatMap((path) =>
    [...readFileSync(join(ROOT, path), "utf8").matchAll(/\benv(?:\.|\[")([A-Z][A-Z0-9_]*)/g)].map(
      ([, name]) => name as string,
    ),
  );
  return [...new Set(names)].sort();
}

function optionsOf(worker: WorkerName): Readonly<Record<string, unknown>> {
  return readWorker(worker).workerOptions;
}

function configOf(worker: WorkerName) {
  return unstable_readConfig({ config: join(ROOT, "wrangler.toml"), env: envOf(worker) ?? "" });
}

function bindingsOf(worker: WorkerName): readonly string[] {
  const options = optionsOf(worker);
  const kinds = [
    "bindings",
    "queueProducers",
    "serviceBindings",
    "durableObjects",
    "d1Databases",
    "r2Buckets",
    "ratelimits",
  ];
  return kinds.flatMap((kind) => Object.keys((options[kind] ?? {}) as object)).sort();
}

interface Consumer {
  readonly deadLetterQueue?: string;
}

function consumersOf(worker: WorkerName): Readonly<Record<string, Consumer>> {
  return (optionsOf(worker)["queueConsumers"] ?? {}) as Readonly<Record<string, Consumer>>;
}

describe("[WRK-1] what is in the scripts", () => {
  test.each([
    ["collector", ["core", "durable-objects", "storage", "workers/collector"], ["PartitionObject", "default"]],
    ["background", ["core", "queues", "storage", "workers/background"], ["Operations", "default"]],
    ["query", ["core", "storage", "workers/query"], ["default"]],
  ] as const)("of the %s Worker: %j", (worker, hosts, exports) => {
    expect(hostsOf(worker)).toEqual(hosts);
    expect([...scripts[worker].exports].sort()).toEqual(exports);
  });

  test("the query Worker answers requests and has a cron, and consumes no queue", () => {
    expect(Object.keys(query)).toEqual(["fetch", "scheduled"]);
    expect(optionsOf("query")).toMatchObject({ cronTriggers: ["2-59/5 * * * *"] });
    // What only consumers use of what lies in storage/.
    const consumed = /^storage\/(archive\/bundle-message|overflow-message|ledger\/replay-write)\.ts$/;
    expect(filesOf("background").filter((path) => consumed.test(path))).toHaveLength(3);
    expect(filesOf("query").filter((path) => consumed.test(path))).toEqual([]);
  });

  test("the background Worker has neither a route nor an address, nor the libraries of one", () => {
    const { workers_dev, preview_urls, routes, route } = configOf("background");
    expect([workers_dev, preview_urls, routes, route]).toEqual([false, false, undefined, undefined]);
    const { inputs } = scripts.background;
    expect(inputs.filter((path) => /node_modules\/(hono|jose)\//.test(path))).toEqual([]);
    expect(filesOf("background")).toContain("queues/seal.ts");
  });
});

test.each(["background", "query"] as const)(
  "[WRK-1] the %s Worker may take as long as limits.ts counts on",
  (worker) => {
    expect(configOf(worker).limits).toEqual({ cpu_ms: REQUEST_CPU_MS, subrequests: SUBREQUESTS_MAX });
  },
);

describe("[WRK-2] a Worker binds what its script reads, and nothing else", () => {
  test.each(WORKERS)("%s", (worker) => {
    const bound = WORKERS.flatMap(bindingsOf); // what some Worker binds is no option: who reads it binds it
    // Of bindings that are numbered a script names the first.
    const firsts = bindingsOf(worker).filter((name) => !/_[1-9]\d*$/.test(name));
    expect(firsts).toEqual(readBy(worker).filter((name) => bound.includes(name)));
  });

  test.each([
    ["collector", ["ADMIN_TOKEN", "HASH_SECRET", "TRACKING_SECRET"]],
    ["background", ["HASH_SECRET", "TRACKING_SECRET"]],
    ["query", ["ADMIN_TOKEN", "HASH_SECRET", "TRACKING_SECRET"]],
  ] as const)("secrets of the %s Worker: %j", (worker, secrets) => {
    expect(readBy(worker).filter((name) => SECRETS.includes(name))).toEqual(secrets);
  });

  test("all three have the same databases, and the two that have a bucket the same bucket", () => {
    const places = (kind: string) => WORKERS.map((worker) => JSON.stringify(optionsOf(worker)[kind]));
    expect(new Set(places("d1Databases")).size).toBe(1);
    expect(new Set(places("r2Buckets").filter((buckets) => buckets !== "{}")).size).toBe(1);
  });
});

describe("[WRK-3] each queue has one consumer, in the background Worker", () => {
  test("which names the code that handles it", () => {
    expect([consumersOf("collector"), consumersOf("query")]).toEqual([{}, {}]);
    const index = readFileSync(join(ROOT, "workers/background/index.ts"), "utf8");
    const [, table = ""] = /const CONSUMERS.*?= \{(.*?)\n\};/s.exec(index) ?? [];
    const handled = [...table.matchAll(/^ {2}"?([\w-]+)"?:/gm)].map(([, duty]) => `footfall-${duty}`);
    const consumed = new Set(Object.keys(consumersOf("background")).map((queue) => queue.replace(/-\d+$/, "")));
    expect(handled.sort()).toEqual([...consumed].sort());
  });

  test("every queue that a Worker sends to, or lets letters die into, is consumed", () => {
    const consumers = consumersOf("background");
    const sentTo = WORKERS.flatMap((worker) => {
      const producers = (optionsOf(worker)["queueProducers"] ?? {}) as Record<string, { queueName: string }>;
      return Object.values(producers).map(({ queueName }) => queueName);
    });
    const deadLetters = Object.values(consumers).flatMap(({ deadLetterQueue }) => deadLetterQueue ?? []);
    expect(new Set([...sentTo, ...deadLetters])).toEqual(new Set(Object.keys(consumers)));
  });
});
