// What has to be done so that a deployment is as it should be: a pure comparison of what is wanted with what was found.
// A plan without an act is a deployment that is up to date.

import type { WorkerName } from "../runtime.ts";
import { WORKERS } from "../runtime.ts";
import { type Consumer, RETENTION_S, type Wanted, type WorkerConfig } from "./config.ts";
import type { Found, FoundConsumer, FoundQueue, FoundWorker } from "./look.ts";

/** Secrets of each Worker. The background Worker has no address, and so nothing for an admin token to open. */
export const SECRETS: Readonly<Record<WorkerName, readonly string[]>> = {
  collector: ["TRACKING_SECRET", "HASH_SECRET", "ADMIN_TOKEN"],
  background: ["TRACKING_SECRET", "HASH_SECRET"],
  query: ["TRACKING_SECRET", "HASH_SECRET", "ADMIN_TOKEN"],
};

export type Act =
  | { readonly act: "create queue" | "keep messages of"; readonly name: string }
  | { readonly act: "create bucket"; readonly name: string }
  | { readonly act: "create database"; readonly name: string }
  | { readonly act: "migrate"; readonly name: string; readonly files: readonly string[] }
  | {
      readonly act: "set secrets of";
      readonly name: string;
      readonly worker: WorkerName;
      readonly secrets: readonly string[];
    }
  | { readonly act: "deploy"; readonly name: string; readonly worker: WorkerName }
  | { readonly act: "consume" | "change consumer of"; readonly name: string; readonly consumer: Consumer }
  | { readonly act: "leave to another"; readonly name: string; readonly consumer: FoundConsumer };

/** What every database should have: names of files, in order. */
export interface Migrations {
  readonly directory: readonly string[];
  readonly ledger: readonly string[];
}

export interface PlanOptions {
  readonly migrations: Migrations;
  /** Of each Worker: what was built, and its config. */
  readonly tags: Readonly<Record<WorkerName, string>>;
}

/** The acts, in the order in which they are done. */
export function planOf(wanted: Wanted, found: Found, { migrations, tags }: PlanOptions): readonly Act[] {
  return [
    ...creations(wanted, found),
    ...applications(wanted, found, migrations),
    ...uploads(wanted, found, tags),
    ...consumptions(wanted, found),
  ];
}

function creations(wanted: Wanted, found: Found): readonly Act[] {
  const acts: Act[] = [];
  for (const name of wanted.queues) {
    const queue = found.queues.get(name);
    if (queue === undefined) acts.push({ act: "create queue", name });
    else if ((queue.settings?.message_retention_period ?? 0) < RETENTION_S)
      acts.push({ act: "keep messages of", name });
  }
  if (!found.bucket) acts.push({ act: "create bucket", name: wanted.bucket });
  for (const name of [...wanted.ledgerNames, wanted.directory])
    if (!found.databases.has(name)) acts.push({ act: "create database", name });
  return acts;
}

function applications(wanted: Wanted, found: Found, { directory, ledger }: Migrations): readonly Act[] {
  return [wanted.directory, ...wanted.ledgerNames].flatMap((name) => {
    const applied = found.migrations.get(name) ?? [];
    const files = (name === wanted.directory ? directory : ledger).filter((file) => !applied.includes(file));
    return files.length === 0 ? [] : [{ act: "migrate", name, files } as const];
  });
}

function uploads(wanted: Wanted, found: Found, tags: PlanOptions["tags"]): readonly Act[] {
  return WORKERS.flatMap((worker) => {
    const { name, workers_dev, crons, domain } = wanted.workers[worker];
    const there = found.workers.get(worker);
    const secrets = SECRETS[worker].filter((secret) => there?.secrets.includes(secret) !== true);
    const asWanted =
      there?.tag === tags[worker] &&
      bindsWhatIsThere(there, wanted.workers[worker].d1_databases, found) &&
      there.subdomain === workers_dev &&
      [...there.crons].sort().join() === [...crons].sort().join() &&
      (domain === undefined || there.domains.some(({ hostname }) => hostname === domain));
    const acts: Act[] = [];
    if (secrets.length > 0) acts.push({ act: "set secrets of", name, worker, secrets });
    if (secrets.length > 0 || !asWanted) acts.push({ act: "deploy", name, worker });
    return acts;
  });
}

/** Not so where a database was lost, and made anew or is to be: its id is another. */
function bindsWhatIsThere({ databases }: FoundWorker, wanted: WorkerConfig["d1_databases"], found: Found): boolean {
  return wanted.every(({ binding, database_name }) => {
    const bound = databases.get(binding);
    return bound === undefined || bound === found.databases.get(database_name)?.uuid;
  });
}

function consumptions(wanted: Wanted, found: Found): readonly Act[] {
  const script = wanted.workers.background.name;
  return wanted.consumers.flatMap((consumer): readonly Act[] => {
    const name = consumer.queue;
    const queue = found.queues.get(name);
    const [foreign] = (queue?.consumers ?? []).filter((one) => scriptOf(one) !== script);
    if (foreign !== undefined) return [{ act: "leave to another", name, consumer: foreign }];
    const there = consumerOf(queue, script);
    if (there === undefined) return [{ act: "consume", name, consumer }];
    return differs(consumer, there) ? [{ act: "change consumer of", name, consumer }] : [];
  });
}

function scriptOf({ script, service, script_name }: FoundConsumer): string | undefined {
  return script ?? service ?? script_name;
}

export function consumerOf(queue: FoundQueue | undefined, script: string): FoundConsumer | undefined {
  return queue?.consumers.find((one) => scriptOf(one) === script);
}

/** A consumer as the API takes it. */
export function consumerBody(consumer: Consumer, script: string) {
  const { max_batch_size, max_retries, max_batch_timeout, max_concurrency, retry_delay } = consumer;
  const settings = {
    batch_size: max_batch_size,
    max_retries,
    max_wait_time_ms: max_batch_timeout === undefined ? undefined : max_batch_timeout * 1_000,
    max_concurrency,
    retry_delay,
  };
  const { dead_letter_queue } = consumer;
  return { type: "worker", script_name: script, ...(dead_letter_queue && { dead_letter_queue }), settings };
}

/** Only what wrangler.toml says: for the rest the platform has values of its own. */
function differs(consumer: Consumer, there: FoundConsumer): boolean {
  const { settings, dead_letter_queue } = consumerBody(consumer, "");
  const said = Object.entries(settings).filter(([, value]) => value !== undefined);
  return (
    (dead_letter_queue ?? "") !== (there.dead_letter_queue ?? "") ||
    said.some(([key, value]) => there.settings?.[key] !== value)
  );
}

/** A line about an act, for a person. */
export function lineOf(act: Act): string {
  switch (act.act) {
    case "create queue":
    case "keep messages of":
      return `${act.act} ${act.name} (14 days)`;
    case "migrate":
      return `migrate ${act.name}: ${act.files.join(", ")}`;
    case "set secrets of":
      return `set secrets of ${act.name}: ${act.secrets.join(", ")}`;
    case "leave to another":
      return `${act.name} is consumed by ${scriptOf(act.consumer)}, which is not of this deployment`;
    default:
      return `${act.act} ${act.name}`;
  }
}
