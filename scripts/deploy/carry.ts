// Does what a plan says, in its order. What exists already when it is to be created counts as created: two runs at
// once, or an answer that was lost. Uploads go through wrangler, which knows what a script's upload is; all else goes
// through the API, where "exists" can be told from "not allowed", and 129 databases take seconds
// (docs/decisions/0020-one-command.md).

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { messageOf, Problem } from "../problem.ts";
import { bundleWorkers, WORKERS, type WorkerName } from "../runtime.ts";
import { type Account, eachOf, Refusal } from "./account.ts";
import { RETENTION_S, type Wanted } from "./config.ts";
import { bucketHeaders, type Found, type FoundDatabase, findDatabases, look } from "./look.ts";
import { harmsOf } from "./migration.ts";
import { type Act, consumerBody, consumerOf, lineOf, type PlanOptions, planOf } from "./plan.ts";
import { lacksOf } from "./schema.ts";
import { prepareSecrets, withSecrets } from "./secrets.ts";

const ROOT = resolve(import.meta.dirname, "../..");
/** The release that is deployed. */
const { version: VERSION } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };

export interface CarryOptions {
  readonly account: Account;
  readonly wanted: Wanted;
  readonly options: PlanOptions;
  readonly secretsFile: string;
  readonly say: (line: string) => void;
}

/** Files of migrations, and a tag for each Worker: a digest of its script and its config. */
export async function planOptionsOf(wanted: Wanted): Promise<PlanOptions> {
  const bundles = await bundleWorkers();
  const tagOf = (worker: WorkerName) => {
    const config = wanted.workers[worker].json(new Map()).replaceAll(ROOT, "");
    return createHash("sha256").update(bundles[worker].text).update(config).digest("hex").slice(0, 20);
  };
  return {
    migrations: {
      directory: migrationsIn("storage/directory/migrations"),
      ledger: migrationsIn("storage/ledger/migrations"),
    },
    tags: Object.fromEntries(WORKERS.map((worker) => [worker, tagOf(worker)])) as PlanOptions["tags"],
  };
}

/** Carries out what is missing and looks again: nothing may be left. Answers how many acts there were. */
export async function carryOut(work: CarryOptions): Promise<number> {
  const { account, wanted, options, say } = work;
  const found = await look(account, wanted);
  const acts = planOf(wanted, found, options);
  refuseForeign(acts);
  refuseHarmful(acts, found);
  refuseLacking(found);
  if (prepareSecrets(acts, { found, file: work.secretsFile }))
    say(`made secrets: ${work.secretsFile}. Put them into a safe, then delete the file; they cannot be read back.`);
  await create(acts, work);
  const databases = await findDatabases(account, wanted.prefix);
  await eachOf(acts, async (act) => {
    if (act.act === "migrate") await migrate(account, { id: idOf(databases, act.name), ...act }, say);
  });
  const ids = new Map([...databases.values()].map(({ name, uuid }) => [name, uuid]));
  // In the order of the Workers; and consumers before the query Worker, since hits are taken from the first upload on.
  for (const worker of WORKERS) {
    for (const act of acts) if (act.act === "deploy" && act.worker === worker) await upload(act, { acts, ids, work });
    if (worker === "background") await consume(acts, work);
  }
  const left = acts.length === 0 ? [] : planOf(wanted, await look(account, wanted), options);
  if (left.length > 0) {
    throw new Problem(
      `not all is as planned. Run the same command again. Left:\n${left.map((act) => `  ${lineOf(act)}`).join("\n")}`,
    );
  }
  return acts.length;
}

/** A queue takes one consumer: taking another deployment's away would lose its messages. */
export function refuseForeign(acts: readonly Act[]): void {
  const foreign = acts.filter(({ act }) => act === "leave to another");
  if (foreign.length > 0)
    throw new Problem(
      `${foreign.map(lineOf).join("\n")}\nRemove it (npx wrangler queues consumer worker remove), and run again.`,
    );
}

/** A database that a version uses is only expanded (migration.ts). */
function refuseHarmful(acts: readonly Act[], { migrations }: Found): void {
  for (const act of acts) {
    if (act.act !== "migrate" || (migrations.get(act.name) ?? []).length === 0) continue;
    for (const file of act.files) {
      const [harm] = harmsOf(readFileSync(join(ROOT, folderOf(act.name), file), "utf8"), VERSION);
      if (harm === undefined) continue;
      throw new Problem(`${act.name}: ${file} may break the version that is deployed (docs/upgrade.md). Nothing was changed.
  ${harm.statement}
  ${harm.why}`);
    }
  }
}

/** A database that was migrated with other files than those of the same names here (schema.ts). */
export function refuseLacking({ migrations, schemas }: Found): void {
  for (const [name, schema] of schemas) {
    const folder = folderOf(name);
    const files = migrationsIn(folder).map((file) => ({
      name: file,
      sql: readFileSync(join(ROOT, folder, file), "utf8"),
    }));
    const lacks = lacksOf({ schema, applied: migrations.get(name) ?? [], files });
    if (lacks.length === 0) continue;
    const more = lacks.length > LACKS_SHOWN ? `, and ${lacks.length - LACKS_SHOWN} more` : "";
    throw new Problem(`${name} lacks what the sources here count on: ${lacks.slice(0, LACKS_SHOWN).join(", ")}${more}.
Its migrations were changed after it had them, which happens to sources that are no release, or somebody has changed it.
Nothing was changed. Deploy the sources that it was made with, or \`destroy\` the deployment and make it anew.`);
  }
}

const LACKS_SHOWN = 5;

function migrationsIn(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder))
    .filter((file) => file.endsWith(".sql"))
    .sort();
}

function folderOf(database: string): string {
  return database.endsWith("-directory") ? "storage/directory/migrations" : "storage/ledger/migrations";
}

async function create(acts: readonly Act[], { account, wanted, say }: CarryOptions): Promise<void> {
  const { jurisdiction } = wanted;
  const settings = { message_retention_period: RETENTION_S };
  const one = async (act: Act) => {
    const { name } = act;
    if (act.act === "create queue")
      await created(() =>
        account.change("POST", "/queues", { queue_name: name, settings, ...(jurisdiction && { jurisdiction }) }),
      );
    else if (act.act === "keep messages of") {
      const queue = (await account.list<{ queue_id: string; queue_name: string }>("/queues")).find(
        ({ queue_name }) => queue_name === name,
      );
      await account.change("PUT", `/queues/${queue?.queue_id}`, { queue_name: name, settings });
    } else if (act.act === "create bucket")
      await created(() => account.change("POST", "/r2/buckets", { name }, bucketHeaders(wanted)));
    else if (act.act === "create database")
      await created(() => account.change("POST", "/d1/database", { name, ...(jurisdiction && { jurisdiction }) }));
    else return;
    say(lineOf(act));
  };
  // The directory last: when it is there, all ledgers are (look.ts, chosenOf).
  await eachOf(
    acts.filter(({ name }) => name !== wanted.directory),
    one,
  );
  await eachOf(
    acts.filter(({ name }) => name === wanted.directory),
    one,
  );
}

/** Errors by which the API says that the name is taken: of queues, buckets and databases. */
const TAKEN = [11009, 10004, 7502];

async function created(make: () => Promise<unknown>): Promise<void> {
  await make().catch((error: unknown) => {
    if (!(error instanceof Refusal && TAKEN.includes(error.code))) throw error;
  });
}

function idOf(databases: ReadonlyMap<string, FoundDatabase>, name: string): string {
  const database = databases.get(name);
  if (database === undefined) throw new Problem(`${name} was made and is not listed yet. Run the same command again.`);
  return database.uuid;
}

const TABLE = `CREATE TABLE IF NOT EXISTS d1_migrations(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
);`;

/**
 * Each file in one call with its note in wrangler's own table, as `wrangler d1 migrations apply` does:
 * there with it, or not at all.
 */
async function migrate(
  account: Account,
  { id, name, files }: { readonly id: string; readonly name: string; readonly files: readonly string[] },
  say: (line: string) => void,
): Promise<void> {
  for (const file of files) {
    const text = readFileSync(join(ROOT, folderOf(name), file), "utf8");
    const sql = `${TABLE}\n${text}\n;INSERT INTO d1_migrations (name) VALUES ('${file}');`;
    await account.change("POST", `/d1/database/${id}/query`, { sql });
  }
  say(`migrated ${name}: ${files.join(", ")}`);
}

interface Upload {
  readonly acts: readonly Act[];
  readonly ids: ReadonlyMap<string, string>;
  readonly work: CarryOptions;
}

async function upload(act: Act & { readonly act: "deploy" }, { acts, ids, work }: Upload): Promise<void> {
  const folder = join(ROOT, ".build/deployments", work.wanted.name);
  mkdirSync(folder, { recursive: true });
  const config = join(folder, `${act.worker}.json`);
  writeFileSync(config, work.wanted.workers[act.worker].json(ids));
  const args = [
    "deploy",
    "--config",
    config,
    "--tag",
    work.options.tags[act.worker],
    "--message",
    `footfall ${act.worker} ${sourcesHere()}`,
  ];
  const missing = acts.find((one) => one.act === "set secrets of" && one.worker === act.worker);
  if (missing?.act === "set secrets of")
    await withSecrets(missing.secrets, work.secretsFile, (path) =>
      wrangler([...args, "--secrets-file", path], work.account),
    );
  else await wrangler(args, work.account);
  work.say(`deployed ${act.name}`);
}

/** Which sources are here, for a person: the release, and what Git calls the commit; "-dirty" where it was changed. */
function sourcesHere(): string {
  const { status, stdout } = spawnSync("git", ["describe", "--always", "--dirty"], { cwd: ROOT, encoding: "utf8" });
  return status === 0 ? `${VERSION}, commit ${stdout.trim()}` : VERSION;
}

/** Runs wrangler as the login that was checked, and fails with its last words. */
async function wrangler(args: readonly string[], { id, access }: Account): Promise<void> {
  const child = spawn(join(ROOT, "node_modules/.bin/wrangler"), args, {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    ...(access.signal === undefined ? {} : { signal: access.signal, killSignal: "SIGKILL" as const }),
    env: {
      ...process.env,
      CLOUDFLARE_API_TOKEN: access.token,
      CLOUDFLARE_ACCOUNT_ID: id,
      WRANGLER_HIDE_BANNER: "true",
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_LOG_PATH: join(ROOT, ".wrangler/logs"),
      FORCE_COLOR: "0",
      CI: "1",
    },
  });
  let output = "";
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-4_000);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const code = await new Promise<number | null>((ended, failed) => {
    child.once("error", failed);
    child.once("close", ended);
  }).catch((error: unknown) => {
    throw new Problem(`wrangler could not be run: ${messageOf(error)}`);
  });
  if (code !== 0) throw new Problem(`wrangler ${args[0]} failed. Run the same command again.\n${output}`);
}

async function consume(acts: readonly Act[], { account, wanted, say }: CarryOptions): Promise<void> {
  const consumptions = acts.flatMap((act) => (act.act === "consume" || act.act === "change consumer of" ? [act] : []));
  if (consumptions.length === 0) return;
  const script = wanted.workers.background.name;
  const found: Found = await look(account, wanted);
  await eachOf(consumptions, async (act) => {
    const queue = found.queues.get(act.name);
    const there = consumerOf(queue, script);
    const path = `/queues/${queue?.queue_id}/consumers`;
    const body = consumerBody(act.consumer, script);
    if (there === undefined) await account.change("POST", path, body);
    else await account.change("PUT", `${path}/${there.consumer_id}`, body);
    say(lineOf(act));
  });
}
