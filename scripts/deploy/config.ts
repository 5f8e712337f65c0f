// What a deployment consists of: a config for each Worker, generated from the one wrangler.toml, and every name in
// them. "production" has the names of wrangler.toml; another deployment has its own name in each, and numbers of its
// own for the rate limits, which an account counts together. So any number of them live in one account.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { experimental_readRawConfig, type Unstable_RawConfig } from "wrangler";
import { checkLedgers } from "../../core/counting/ledger-placement.ts";
import { Problem } from "../problem.ts";
import { WORKERS, type WorkerName } from "../runtime.ts";

const ROOT = resolve(import.meta.dirname, "../..");
export const JURISDICTIONS = ["eu", "fedramp"] as const;
export type Jurisdiction = (typeof JURISDICTIONS)[number];
/** Seconds that a queue keeps a message: the longest that the platform offers. What overflowed lies nowhere else. */
export const RETENTION_S = 14 * 86_400;

/** deployments/<name>.json, where a deployment has one: what differs from wrangler.toml. */
export interface Settings {
  readonly vars?: Readonly<Record<string, string>>;
  /** Hostnames of zones in the account; without one a Worker answers at its address on workers.dev. */
  readonly collector_domain?: string;
  readonly query_domain?: string;
}

export interface Shape {
  readonly name: string;
  readonly ledgers: number;
  readonly jurisdiction: Jurisdiction | undefined;
  readonly settings: Settings;
}

export interface Consumer {
  readonly queue: string;
  readonly dead_letter_queue?: string;
  readonly max_batch_size?: number;
  readonly max_batch_timeout?: number;
  readonly max_retries?: number;
  readonly max_concurrency?: number;
  readonly retry_delay?: number;
}

interface Database {
  readonly binding: string;
  readonly database_name: string;
  readonly migrations_dir: string;
  readonly database_id?: string;
}

/** A config of wrangler's, as far as it is looked into here. */
export interface WorkerConfig {
  readonly name: string;
  readonly main: string;
  readonly workers_dev: boolean;
  readonly vars: Readonly<Record<string, string>>;
  readonly crons: readonly string[];
  readonly domain: string | undefined;
  readonly d1_databases: readonly Database[];
  /** The whole of it, to be written for wrangler, once the databases have ids. */
  readonly json: (ids: ReadonlyMap<string, string>) => string;
}

/** All that there is to be of a deployment. */
export interface Wanted extends Shape {
  readonly prefix: string;
  readonly workers: Readonly<Record<WorkerName, WorkerConfig>>;
  readonly directory: string;
  readonly ledgerNames: readonly string[];
  readonly bucket: string;
  readonly queues: readonly string[];
  readonly consumers: readonly Consumer[];
}

/** What the names of a deployment begin with. */
export function prefixOf(name: string): string {
  const taken = ["archive", "overflow", "replay", "question", "seal", "directory", "ledger", ...WORKERS];
  if (!/^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$/.test(name) || taken.some((word) => name.split("-").includes(word))) {
    throw new Problem(
      `a deployment's name is up to 20 small letters, digits and hyphens, without ${taken.join(", ")}: not "${name}"`,
    );
  }
  return name === "production" ? "footfall" : `footfall-${name}`;
}

/** The configs and names of a deployment. Throws a Problem where wrangler.toml and what is asked do not fit. */
export function describe(shape: Shape, file = join(ROOT, "wrangler.toml")): Wanted {
  const prefix = prefixOf(shape.name);
  const { rawConfig } = experimental_readRawConfig({ config: file });
  const raw = rename(rawConfig, { prefix, base: limitsBaseOf(shape.name) }) as Unstable_RawConfig;
  const named = { ...shape, prefix };
  const workers = {
    collector: configOf("collector", raw, named),
    background: configOf("background", raw, named),
    query: configOf("query", raw, named),
  };
  const { background, collector } = workers;
  for (const { vars } of Object.values(workers)) checkLedgers(shape.ledgers, Number(vars["POOL_SIZE"]));
  const queues = raw.env?.["background"]?.queues?.consumers as readonly Consumer[];
  const bucket = raw.env?.["background"]?.r2_buckets?.[0]?.bucket_name;
  const [directory, ...ledgers] = background.d1_databases.map(({ database_name }) => database_name);
  if (directory === undefined || bucket === undefined || collector.d1_databases.length !== shape.ledgers + 1)
    throw new Problem("wrangler.toml must bind DIRECTORY and LEDGER_0, and the archive's bucket");
  return {
    ...shape,
    prefix,
    workers,
    directory,
    ledgerNames: ledgers,
    bucket,
    queues: [...new Set(queues.flatMap(({ queue, dead_letter_queue }) => [queue, dead_letter_queue ?? queue]))],
    consumers: queues,
  };
}

/** Rate limits of wrangler.toml are 7301 and so on; those of another deployment begin where its name says. */
function limitsBaseOf(name: string): number {
  if (name === "production") return 7300;
  return 100_000 + (createHash("sha256").update(name).digest().readUInt32BE() % 10_000_000) * 100;
}

/**
 * A copy in which every text that begins with "footfall" begins with the prefix, and every rate limit has its number.
 */
function rename(value: unknown, names: { readonly prefix: string; readonly base: number }): unknown {
  if (typeof value === "string") return value.replace(/^footfall(?=-|$)/, names.prefix);
  if (Array.isArray(value)) return value.map((one) => rename(one, names));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, one]) => [
    key,
    key === "namespace_id" ? String(Number(one) - 7300 + names.base) : rename(one, names),
  ]);
  return Object.fromEntries(entries);
}

/** The keys of the top level that the other two Workers have as well. */
const SHARED = [
  "compatibility_date",
  "minify",
  "upload_source_maps",
  "send_metrics",
  "keep_vars",
  "dependencies_instrumentation",
  "observability",
] as const;

function configOf(worker: WorkerName, raw: Unstable_RawConfig, shape: Shape & { readonly prefix: string }) {
  const { env, ...top } = raw;
  const shared = Object.fromEntries(SHARED.map((key) => [key, top[key]]));
  const { build: _, ...own } = worker === "collector" ? top : { ...shared, ...env?.[worker] };
  const domains = {
    collector: shape.settings.collector_domain,
    query: shape.settings.query_domain,
    background: undefined,
  };
  const domain = domains[worker];
  // What the dashboard tells shops to put on their pages, and where links in notices lead.
  const addresses: Readonly<Record<string, string>> = {
    ...(worker === "query" && domains.collector !== undefined && { COLLECTOR_URL: `https://${domains.collector}` }),
    ...(worker === "query" && domains.query !== undefined && { DASHBOARD_URL: `https://${domains.query}` }),
  };
  const vars = { ...(own.vars as Record<string, string>), ...addresses, ...shape.settings.vars };
  const jurisdiction = shape.jurisdiction === undefined ? {} : { jurisdiction: shape.jurisdiction };
  const base = {
    ...own,
    main: join(ROOT, own.main as string),
    workers_dev: domain === undefined && own.workers_dev !== false,
    preview_urls: false,
    vars,
    ...(domain === undefined ? {} : { routes: [{ pattern: domain, custom_domain: true }] }),
    r2_buckets: own.r2_buckets?.map((bucket) => ({ ...bucket, ...jurisdiction })) ?? [],
    // Consumers are set by the command itself: wrangler never takes one away.
    queues: { producers: own.queues?.producers ?? [] },
  };
  const databases = withLedgers((own.d1_databases ?? []) as readonly Database[], shape);
  return {
    name: own.name as string,
    main: base.main,
    workers_dev: base.workers_dev,
    vars,
    crons: (own.triggers as { crons?: string[] } | undefined)?.crons ?? [],
    domain,
    d1_databases: databases,
    json: (ids: ReadonlyMap<string, string>) => {
      const d1_databases = databases.map((one) => ({ ...one, database_id: ids.get(one.database_name) }));
      return JSON.stringify({ ...base, d1_databases }, null, 1);
    },
  } satisfies WorkerConfig;
}

function withLedgers(databases: readonly Database[], { ledgers, prefix }: Shape & { readonly prefix: string }) {
  const all = databases.flatMap((one) => {
    if (one.binding !== "LEDGER_0") return [one];
    const names = Array.from({ length: ledgers }, (_, position) => [
      `LEDGER_${position}`,
      `${prefix}-ledger-${position}`,
    ]);
    return names.map(([binding, name]) => ({ ...one, binding: binding as string, database_name: name as string }));
  });
  return all.map((one) => ({ ...one, migrations_dir: join(ROOT, one.migrations_dir) }));
}

/** The settings of a deployment, or none. */
export function readSettings(name: string): Settings {
  const path = join(ROOT, "deployments", `${name}.json`);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
  try {
    return JSON.parse(text) as Settings;
  } catch (error) {
    throw new Problem(`${path} is no JSON: ${(error as Error).message}`);
  }
}
