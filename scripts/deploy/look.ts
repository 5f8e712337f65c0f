// What there is of a deployment in an account. Names are identity: nothing is remembered between two runs, so a run
// goes on where the last one stopped, whoever started it and from wherever.

import { Problem } from "../problem.ts";
import { WORKERS, type WorkerName } from "../runtime.ts";
import { type Account, Refusal } from "./account.ts";
import type { Jurisdiction, Wanted } from "./config.ts";
import type { SchemaRow } from "./schema.ts";

export interface FoundDatabase {
  readonly uuid: string;
  readonly name: string;
  readonly jurisdiction?: string | null;
  readonly file_size?: number;
}

export interface FoundConsumer {
  readonly consumer_id: string;
  readonly script?: string;
  readonly service?: string;
  readonly script_name?: string;
  readonly dead_letter_queue?: string;
  readonly settings?: Readonly<Record<string, number | null | undefined>>;
}

export interface FoundQueue {
  readonly queue_id: string;
  readonly queue_name: string;
  readonly settings?: { readonly message_retention_period?: number };
  /** Only of queues that were looked at. */
  readonly consumers: readonly FoundConsumer[];
}

export interface FoundWorker {
  /** Of the version that is deployed. */
  readonly tag: string | undefined;
  readonly version: string | undefined;
  /** What was noted with that version when it was uploaded: the sources that it is of. */
  readonly message: string | undefined;
  readonly secrets: readonly string[];
  readonly subdomain: boolean;
  readonly crons: readonly string[];
  readonly domains: readonly FoundDomain[];
  /** Ids of the databases that it binds, by the binding. */
  readonly databases: ReadonlyMap<string, string>;
}

export interface FoundDomain {
  readonly id: string;
  readonly hostname: string;
  /** The Worker that answers there. */
  readonly service: string;
}

export interface Found {
  readonly databases: ReadonlyMap<string, FoundDatabase>;
  readonly bucket: boolean;
  readonly queues: ReadonlyMap<string, FoundQueue>;
  readonly workers: ReadonlyMap<WorkerName, FoundWorker>;
  /** Names of the migrations that each database has, by the database's name. */
  readonly migrations: ReadonlyMap<string, readonly string[]>;
  /** What each database has, by its name. */
  readonly schemas: ReadonlyMap<string, readonly SchemaRow[]>;
}

/** The databases of a deployment, its directory and ledgers, by name. */
export async function findDatabases(account: Account, prefix: string): Promise<ReadonlyMap<string, FoundDatabase>> {
  const found = await productOf("D1", () => account.list<FoundDatabase>(`/d1/database?name=${prefix}-`));
  const own = new RegExp(`^${prefix}-(directory|ledger-\\d+)$`);
  return new Map(found.filter(({ name }) => own.test(name)).map((one) => [one.name, one]));
}

/** What is chosen once: how many ledgers, and where data lies. As it was chosen, or as it is now said. */
export function chosenOf(
  databases: ReadonlyMap<string, FoundDatabase>,
  asked: {
    readonly prefix: string;
    readonly ledgers?: number | undefined;
    readonly jurisdiction?: Jurisdiction | undefined;
    /** How many ledgers the deployed collector binds: then a database that is not there was lost. */
    readonly bound?: number | undefined;
  },
): { readonly ledgers: number; readonly jurisdiction: Jurisdiction | undefined } {
  const [any] = databases.values();
  const directory = databases.get(`${asked.prefix}-directory`);
  const made = databases.size - (directory === undefined ? 0 : 1);
  // The directory is made last: with it, all ledgers are there.
  const ledgers = asked.bound ?? (directory === undefined ? (asked.ledgers ?? 1) : made);
  if (ledgers < made || (asked.ledgers !== undefined && asked.ledgers !== ledgers)) {
    const remedy =
      directory === undefined && asked.bound === undefined
        ? "say the --ledgers of the run before"
        : "their number is fixed for good";
    throw new Problem(`there are ${asked.bound ?? made} ledgers, not ${asked.ledgers ?? ledgers}: ${remedy}`);
  }
  const jurisdiction =
    any === undefined ? asked.jurisdiction : ((any.jurisdiction ?? undefined) as Jurisdiction | undefined);
  for (const { name, jurisdiction: its } of databases.values())
    if (
      (its ?? undefined) !== jurisdiction ||
      (asked.jurisdiction !== undefined && asked.jurisdiction !== jurisdiction)
    )
      throw new Problem(
        `${name} has the jurisdiction "${its ?? "none"}": it was chosen when it was made and cannot change`,
      );
  return { ledgers, jurisdiction };
}

/** Looks at everything that is to be there. Changes nothing. */
export async function look(account: Account, wanted: Wanted): Promise<Found> {
  const [databases, bucket, queues, workers] = await Promise.all([
    findDatabases(account, wanted.prefix),
    hasBucket(account, wanted),
    findQueues(account, wanted.queues),
    findWorkers(account, wanted),
  ]);
  const migrations = new Map<string, readonly string[]>();
  const schemas = new Map<string, readonly SchemaRow[]>();
  for (const name of [...wanted.ledgerNames, wanted.directory]) {
    const database = databases.get(name);
    if (database === undefined) continue;
    const { schema, applied } = await schemaOf(account, database.uuid);
    migrations.set(name, applied);
    schemas.set(name, schema);
  }
  return { databases, bucket, queues, workers, migrations, schemas };
}

/** The header by which R2 finds a bucket of a jurisdiction. */
export function bucketHeaders({ jurisdiction }: Pick<Wanted, "jurisdiction">): Record<string, string> {
  return jurisdiction === undefined ? {} : { "cf-r2-jurisdiction": jurisdiction };
}

async function hasBucket(account: Account, wanted: Wanted): Promise<boolean> {
  const path = `/r2/buckets/${wanted.bucket}`;
  return (await productOf("R2", () => account.find(path, bucketHeaders(wanted)))) !== undefined;
}

async function findQueues(account: Account, names: readonly string[]): Promise<ReadonlyMap<string, FoundQueue>> {
  const listed = await productOf("Queues", () => account.list<FoundQueue>("/queues"));
  const own = listed.filter(({ queue_name }) => names.includes(queue_name));
  const withConsumers = own.map(async (queue) => {
    const consumers = await account.get<readonly FoundConsumer[]>(`/queues/${queue.queue_id}/consumers`);
    return [queue.queue_name, { ...queue, consumers }] as const;
  });
  return new Map(await Promise.all(withConsumers));
}

async function findWorkers(account: Account, wanted: Wanted): Promise<ReadonlyMap<WorkerName, FoundWorker>> {
  const entries = await Promise.all(
    WORKERS.map(async (worker) => [worker, await findWorker(account, wanted.workers[worker].name)] as const),
  );
  return new Map(entries.flatMap(([worker, found]) => (found === undefined ? [] : [[worker, found] as const])));
}

interface Deployments {
  readonly deployments: readonly { readonly versions: readonly { readonly version_id: string }[] }[];
}

interface Version {
  readonly annotations?: Readonly<Record<string, string>>;
}

/** How many ledgers the collector of this name binds; undefined where none is deployed. */
export async function boundLedgers(account: Account, collector: string): Promise<number | undefined> {
  const bound = await boundDatabases(account, collector);
  const ledgers = [...bound.keys()].filter((binding) => binding.startsWith("LEDGER_"));
  return ledgers.length === 0 ? undefined : ledgers.length;
}

interface ScriptSettings {
  readonly bindings?: readonly {
    readonly type: string;
    readonly name: string;
    readonly id?: string;
    readonly database_id?: string;
  }[];
}

/** Ids of databases by their binding, as the version that serves has them. */
async function boundDatabases(account: Account, worker: string): Promise<ReadonlyMap<string, string>> {
  const settings = await account.find<ScriptSettings>(`/workers/scripts/${worker}/settings`);
  const databases = (settings?.bindings ?? []).filter(({ type }) => type === "d1");
  return new Map(databases.map(({ name, id, database_id }) => [name, database_id ?? id ?? ""]));
}

async function findWorker(account: Account, name: string): Promise<FoundWorker | undefined> {
  const path = `/workers/scripts/${name}`;
  const secrets = await account.find<readonly { readonly name: string }[]>(`${path}/secrets`);
  if (secrets === undefined) return undefined;
  const [deployed, subdomain, schedules, domains, databases] = await Promise.all([
    account.find<Deployments>(`${path}/deployments`),
    account.find<{ readonly enabled: boolean }>(`${path}/subdomain`),
    account.find<{ readonly schedules: readonly { readonly cron: string }[] }>(`${path}/schedules`),
    account.get<readonly FoundDomain[]>(`/workers/domains?service=${name}`),
    boundDatabases(account, name),
  ]);
  const version = deployed?.deployments[0]?.versions[0]?.version_id;
  const { annotations } = (version && (await account.find<Version>(`${path}/versions/${version}`))) || {};
  return {
    tag: annotations?.["workers/tag"],
    version,
    message: annotations?.["workers/message"],
    secrets: secrets.map((secret) => secret.name),
    subdomain: subdomain?.enabled === true,
    crons: (schedules?.schedules ?? []).map(({ cron }) => cron),
    domains: domains.filter(({ service }) => service === name),
    databases,
  };
}

interface Statement<Row> {
  readonly results: readonly Row[];
}

/** What a database has, and which migrations, as wrangler's own table names them. */
async function schemaOf(
  account: Account,
  id: string,
): Promise<{ readonly schema: readonly SchemaRow[]; readonly applied: readonly string[] }> {
  const ask = async <Row>(sql: string) => {
    const path = `/d1/database/${id}/query`;
    const [answer] = await account.change<readonly Statement<Row>[]>("POST", path, { sql });
    return answer?.results ?? [];
  };
  const schema = await ask<SchemaRow>("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL");
  if (!schema.some(({ type, name }) => type === "table" && name === "d1_migrations")) return { schema, applied: [] };
  const rows = await ask<{ readonly name: string }>("SELECT name FROM d1_migrations ORDER BY id");
  return { schema, applied: rows.map(({ name }) => name) };
}

/** Asks a product for the first time, and says which one it is that refuses. */
async function productOf<T>(product: string, ask: () => Promise<T>): Promise<T> {
  return ask().catch((error: unknown) => {
    if (!(error instanceof Refusal)) throw error;
    const remedy = "Is it switched on for the account (dash.cloudflare.com), and may the token write it?";
    throw new Problem(`${product} does not answer. ${remedy}\n  ${error.message}`);
  });
}
