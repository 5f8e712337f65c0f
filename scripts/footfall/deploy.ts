// What `footfall deploy` and `footfall destroy` do: a deployment made, kept up to date, shown and ended, in the
// account that is logged in.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { type Account, openAccount } from "../deploy/account.ts";
import { carryOut, planOptionsOf, refuseForeign } from "../deploy/carry.ts";
import { describe, JURISDICTIONS, type Jurisdiction, prefixOf, readSettings, type Wanted } from "../deploy/config.ts";
import { confirmName, destroy, lossesOf } from "../deploy/destroy.ts";
import { chosenOf, findDatabases, look } from "../deploy/look.ts";
import { lineOf, type PlanOptions, planOf } from "../deploy/plan.ts";
import { readSecretsFile, secretsFileOf } from "../deploy/secrets.ts";
import { type Addresses, checkHealth, countOne } from "../deploy/smoke.ts";
import { messageOf, Problem } from "../problem.ts";
import { WORKERS } from "../runtime.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const RECORDS = join(ROOT, ".footfall/deployments");

export interface DeployOptions {
  readonly dryRun?: boolean;
  readonly status?: boolean;
  readonly ledgers?: number;
  readonly jurisdiction?: string;
  readonly secrets?: string;
  readonly collectorUrl?: string | undefined;
  readonly queryUrl?: string | undefined;
  readonly adminToken?: string | undefined;
}

export interface Surroundings {
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal;
  /** Where records of deployments lie. */
  readonly records?: string;
}

/** The whole command. It may be stopped anywhere, and started again. */
export async function deploy(
  name: string,
  options: DeployOptions,
  { say, signal, records = RECORDS }: Surroundings,
): Promise<void> {
  checkWrangler();
  const account = await openAccount(signal);
  const wanted = await wantedOf(account, name, options);
  const planOptions = await planOptionsOf(wanted);
  if (options.dryRun === true || options.status === true) return await tell(account, { wanted, planOptions, say });
  const secretsFile = secretsFileOf(wanted.prefix, options.secrets);
  const acts = await carryOut({ account, wanted, options: planOptions, secretsFile, say });
  if (acts === 0) say(`${name} is up to date: nothing was changed`);
  const addresses = await addressesOf(account, wanted, options);
  await checkHealth(addresses);
  const file = join(records, `${name}.json`);
  const adminToken = options.adminToken ?? readSecretsFile(secretsFile)["ADMIN_TOKEN"];
  if (countedOf(file) !== tagsText(planOptions)) await smoke(addresses, adminToken, say);
  say(`collector ${addresses.collector}\nquery     ${addresses.query}`);
  await record(account, wanted, { file, counted: tagsText(planOptions), addresses });
}

async function wantedOf(account: Account, name: string, options: DeployOptions): Promise<Wanted> {
  const prefix = prefixOf(name);
  const { ledgers, jurisdiction } = options;
  if (jurisdiction !== undefined && !JURISDICTIONS.some((one) => one === jurisdiction))
    throw new Problem(`--jurisdiction is ${JURISDICTIONS.join(" or ")}, not ${jurisdiction}`);
  const asked = { prefix, ledgers, jurisdiction: jurisdiction as Jurisdiction | undefined };
  const chosen = chosenOf(await findDatabases(account, prefix), asked);
  return describe({ name, ...chosen, settings: readSettings(name) });
}

interface Telling {
  readonly wanted: Wanted;
  readonly planOptions: PlanOptions;
  readonly say: (line: string) => void;
}

/** What is there, and what a deployment would do. */
async function tell(account: Account, { wanted, planOptions, say }: Telling): Promise<void> {
  const found = await look(account, wanted);
  const acts = planOf(wanted, found, planOptions);
  const { ledgers, jurisdiction = "none" } = wanted;
  say(`${wanted.name} in account ${account.id}: ${ledgers} ledgers, jurisdiction ${jurisdiction}`);
  say(
    `there: ${found.workers.size} of 3 Workers, ${found.databases.size} of ${ledgers + 1} databases, ${found.queues.size} of ${wanted.queues.length} queues, ${found.bucket ? "the" : "no"} bucket`,
  );
  for (const worker of WORKERS) {
    const { version } = found.workers.get(worker) ?? {};
    if (version !== undefined) say(`${wanted.workers[worker].name} runs version ${version}`);
  }
  say(acts.length === 0 ? "nothing to do" : `to do:\n${acts.map((act) => `  ${lineOf(act)}`).join("\n")}`);
  refuseForeign(acts);
}

/** Counts a hit: once for each version, as far as the record tells. */
async function smoke(addresses: Addresses, adminToken: string | undefined, say: Surroundings["say"]): Promise<void> {
  if (adminToken === undefined)
    throw new Problem(
      "both Workers answer, but no hit was counted: set FOOTFALL_ADMIN_TOKEN and run the same command again",
    );
  await countOne(addresses, adminToken);
  say("a hit was sent, and counted once");
}

async function addressesOf(
  account: Account,
  wanted: Wanted,
  { collectorUrl, queryUrl }: DeployOptions,
): Promise<Addresses> {
  const of = async (worker: "collector" | "query", given: string | undefined) => {
    const { domain, name } = wanted.workers[worker];
    if (given !== undefined) return new URL(given).origin;
    if (domain !== undefined) return `https://${domain}`;
    const { subdomain } = await account.get<{ readonly subdomain: string }>("/workers/subdomain");
    return `https://${name}.${subdomain}.workers.dev`;
  };
  return { collector: await of("collector", collectorUrl), query: await of("query", queryUrl) };
}

function tagsText({ tags }: PlanOptions): string {
  return WORKERS.map((worker) => tags[worker]).join(" ");
}

/** The versions that a record says have counted a hit. */
function countedOf(file: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(file, "utf8")) as { readonly counted?: string }).counted;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new Problem(`${file} cannot be read (${messageOf(error)}): delete it`);
  }
}

interface Recorded {
  readonly file: string;
  readonly counted: string;
  readonly addresses: Addresses;
}

/** For people and CI, and so that a version is tried once. Nothing is lost with it. */
async function record(account: Account, wanted: Wanted, { file, counted, addresses }: Recorded): Promise<void> {
  if (countedOf(file) === counted) return;
  const { databases, workers } = await look(account, wanted);
  const text = {
    name: wanted.name,
    account: account.id,
    at: new Date().toISOString(),
    counted,
    ...addresses,
    ledgers: wanted.ledgers,
    jurisdiction: wanted.jurisdiction ?? null,
    databases: Object.fromEntries([...databases.values()].map(({ name, uuid }) => [name, uuid])),
    versions: Object.fromEntries([...workers].map(([worker, { version }]) => [worker, version])),
  };
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, `${JSON.stringify(text, null, 2)}\n`, { mode: 0o600 });
}

/** The wrangler that is installed is the one that package.json pins: another one may read the configs otherwise. */
function checkWrangler(): void {
  const read = (file: string) => JSON.parse(readFileSync(join(ROOT, file), "utf8")) as Record<string, unknown>;
  const pinned = (read("package.json")["devDependencies"] as Record<string, string>)["wrangler"];
  const installed = read("node_modules/wrangler/package.json")["version"];
  if (pinned !== installed) throw new Problem(`wrangler is ${installed} and should be ${pinned}: npm ci`);
}

export interface EndOptions extends Surroundings {
  readonly confirm?: string | undefined;
}

/** Says what will be lost, asks for the name, and deletes. */
export async function end(name: string, { confirm, say, signal }: EndOptions): Promise<void> {
  const account = await openAccount(signal);
  const prefix = prefixOf(name);
  const databases = await findDatabases(account, prefix);
  const made = [...databases.keys()].filter((one) => one !== `${prefix}-directory`).length;
  const [any] = databases.values();
  const jurisdiction = (any?.jurisdiction ?? undefined) as Jurisdiction | undefined;
  const wanted = describe({ name, ledgers: 1, jurisdiction, settings: {} });
  const losses = lossesOf(wanted, await look(account, wanted));
  if (losses.length === 0) return say(`there is nothing of ${name} in account ${account.id}`);
  say(`in account ${account.id}, for good (${made} ledgers):\n${losses.map((line) => `  ${line}`).join("\n")}`);
  confirmName(name, confirm ?? (await askForName(name)));
  for (const line of await destroy(account, wanted, say)) say(line);
}

async function askForName(name: string): Promise<string> {
  if (!process.stdin.isTTY) throw new Problem(`nobody can be asked: --confirm ${name}`);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return await terminal.question(`Type its name (${name}) to delete all of it: `);
  } finally {
    terminal.close();
  }
}
