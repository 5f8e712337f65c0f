// What `footfall deploy` and `footfall destroy` do: they make, update, show and delete a deployment, in the account
// that is logged in.

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { type Account, openAccount } from "../deploy/account.ts";
import { carryOut, planOptionsOf, refuseForeign, refuseLacking } from "../deploy/carry.ts";
import {
  describe,
  JURISDICTIONS,
  type Jurisdiction,
  prefixOf,
  readSettings,
  type Settings,
  type Wanted,
} from "../deploy/config.ts";
import { confirmName, destroy, lossesOf } from "../deploy/destroy.ts";
import { boundLedgers, chosenOf, type FoundDatabase, findDatabases, look } from "../deploy/look.ts";
import { lineOf, type PlanOptions, planOf } from "../deploy/plan.ts";
import { forgetPassed, type Proof, provenBefore, readProofs, releaseOf, writeProof } from "../deploy/proof.ts";
import { rollBack } from "../deploy/roll-back.ts";
import { readSecretsFile, secretsFileOf } from "../deploy/secrets.ts";
import { type Addresses, checkHealth, countOne, isRefusedToken, PATIENCE_MS } from "../deploy/smoke.ts";
import { Problem } from "../problem.ts";
import { WORKERS } from "../runtime.ts";
import { forgetRecord, RECORDS, writeRecord } from "./deployment-record.ts";

const ROOT = resolve(import.meta.dirname, "../..");

export interface DeployOptions {
  readonly dryRun?: boolean;
  readonly status?: boolean;
  readonly again?: boolean;
  readonly ledgers?: number;
  readonly jurisdiction?: string;
  readonly secrets?: string;
  readonly collectorUrl?: string | undefined;
  readonly queryUrl?: string | undefined;
  readonly adminToken?: string | undefined;
  /** An admin token that counts only where the file of secrets has none. */
  readonly environmentToken?: string | undefined;
}

export interface Surroundings {
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal;
  /** The folder with the records of deployments. */
  readonly records?: string;
  /** The settings to use instead of deployments/<name>.json. */
  readonly settings?: Settings;
  /** How long the smoke test tries each of its steps. */
  readonly patienceMs?: number;
}

/** The whole command. It may be stopped anywhere, and started again. */
export async function deploy(name: string, options: DeployOptions, surroundings: Surroundings): Promise<void> {
  const { say, signal, records = RECORDS } = surroundings;
  checkWrangler();
  const account = await openAccount(signal);
  const { wanted, databases, isDeployed } = await wantedOf(account, name, options, surroundings);
  const planOptions = await planOptionsOf(wanted);
  const release = releaseOf(planOptions.tags);
  const directory = databases.get(wanted.directory)?.uuid;
  const proofs = await readProofs(account, directory);
  if (options.dryRun === true || options.status === true)
    return await tell(account, { wanted, planOptions, proofs, release, say });
  const secretsFile = secretsFileOf(wanted.prefix, options.secrets);
  const trial: Trial = {
    account,
    wanted,
    planOptions,
    options,
    surroundings,
    addresses: await addressesOf(account, wanted, options),
    adminToken: () => tokenOf(options, secretsFile),
  };
  const found = proofs.find((proof) => proof.release === release)?.outcome;
  const before = provenBefore(proofs, release);
  await refuseUnprovable(trial, { known: found, before });
  // Versions of before bind the database that is gone, and nobody has tried this one with the new one.
  const isDatabaseLost = directory !== undefined && databases.size < wanted.ledgers + 1;
  if (isDatabaseLost) await forgetPassed(account, directory);
  const known = isDatabaseLost && found === "counted" ? undefined : found;
  const acts = await carryOut({ account, wanted, options: planOptions, secretsFile, say });
  if (acts === 0) say(`${name} is up to date: nothing was changed`);
  const problem = await tryIt(trial, { tags: planOptions.tags, isCounted: known === "counted" });
  if (problem !== undefined) {
    if (isDatabaseLost || (isDeployed && proofs.length === 0)) throw withWords(problem, afterLossOf(name));
    if (before === undefined || known === "counted") throw problem;
    await note(trial, { release, outcome: "failed" });
    throw withWords(problem, await goBack(trial, { to: before, why: `footfall: ${problem.message}` }));
  }
  say(`collector ${trial.addresses.collector}\nquery     ${trial.addresses.query}`);
  say(`other commands reach it with --deployment ${name}, such as: doctor --deployment ${name}`);
  if (known !== "counted") await note(trial, { release, outcome: "counted" });
  await record(trial, { folder: records, release, secrets: resolve(secretsFile) });
}

/** Goes back to the version that was deployed before the present one, and notes that this one is not to be used. */
export async function rollBackByHand(name: string, options: DeployOptions, surroundings: Surroundings): Promise<void> {
  checkWrangler();
  const account = await openAccount(surroundings.signal);
  const { wanted, databases } = await wantedOf(account, name, options, surroundings);
  const proofs = await readProofs(account, databases.get(wanted.directory)?.uuid);
  const { workers } = await look(account, wanted);
  const now = WORKERS.map((worker) => workers.get(worker)?.tag).join(" ");
  const to = provenBefore(proofs, now);
  if (to === undefined) throw new Problem(`there is no version before this one that has counted a hit: ${name}`);
  const secretsFile = secretsFileOf(wanted.prefix, options.secrets);
  const trial: Trial = {
    account,
    wanted,
    options,
    surroundings,
    addresses: await addressesOf(account, wanted, options),
    adminToken: () => tokenOf(options, secretsFile),
  };
  if (workers.size === WORKERS.length && proofs.some(({ release }) => release === now))
    await note(trial, { release: now, outcome: "failed" });
  surroundings.say(await goBack(trial, { to, why: "footfall: rolled back by hand" }));
}

/** A deployment that is about to be tried. */
interface Trial {
  readonly account: Account;
  readonly wanted: Wanted;
  readonly planOptions?: PlanOptions;
  readonly options: DeployOptions;
  readonly surroundings: Surroundings;
  readonly addresses: Addresses;
  readonly adminToken: () => string | undefined;
}

/** Refuses, before anything is changed, a version that has failed and one that nobody could test. */
async function refuseUnprovable(
  { options, adminToken, addresses }: Trial,
  { known, before }: { readonly known: Proof["outcome"] | undefined; readonly before: Proof | undefined },
): Promise<void> {
  if (known === "failed" && options.again !== true)
    throw new Problem(
      "this version was deployed before and failed its smoke test, or was rolled back: mend it, or say --again. Nothing was changed",
    );
  if (known === "counted" || before === undefined) return;
  const token = adminToken();
  if (token === undefined)
    throw new Problem("set FOOTFALL_ADMIN_TOKEN: without it no hit can be counted. Nothing was changed");
  // Else a good version would be rolled back for a token of another deployment.
  if (await isRefusedToken(addresses, token))
    throw new Problem(
      `${addresses.query} refuses the admin token (--admin-token, else that of the file of secrets, else FOOTFALL_ADMIN_TOKEN): it is another deployment's, or was rotated. Nothing was changed`,
    );
}

/** The token to count a hit with: one that was given by hand, else the deployment's own. */
function tokenOf({ adminToken, environmentToken }: DeployOptions, secretsFile: string): string | undefined {
  return adminToken ?? readSecretsFile(secretsFile)["ADMIN_TOKEN"] ?? environmentToken;
}

interface TryOptions {
  readonly tags?: PlanOptions["tags"];
  /** Whether the version has already counted a hit in an earlier test. Then it only has to answer. */
  readonly isCounted?: boolean;
}

/** Runs the smoke test, and returns what is wrong, if anything. */
async function tryIt(trial: Trial, { tags, isCounted = false }: TryOptions): Promise<Problem | undefined> {
  const { addresses, adminToken: readToken } = trial;
  const { say, patienceMs = PATIENCE_MS } = trial.surroundings;
  try {
    await checkHealth(addresses, { tags, patienceMs });
    if (isCounted) return undefined;
    const adminToken = readToken();
    if (adminToken === undefined)
      return new Problem(
        "both Workers answer, but no hit was counted: set FOOTFALL_ADMIN_TOKEN and run the same command again",
      );
    await countOne(addresses, { adminToken, patienceMs });
    say("a hit was sent, and counted once");
    return undefined;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

/** Goes back to an earlier version, and says whether that one passes. If it does not, a person has to decide. */
async function goBack(trial: Trial, { to, why }: { readonly to: Proof; readonly why: string }): Promise<string> {
  const { account, wanted, surroundings } = trial;
  await rollBack(account, wanted, { to, why: why.slice(0, 100), say: surroundings.say });
  const problem = await tryIt(trial, {});
  const from = `the version of ${to.at}`;
  if (problem === undefined) return `It was rolled back: ${from} serves again, and has counted a hit.`;
  throw new Problem(`It was rolled back to ${from}, which fails as well: ${problem.message}
Nothing more is done by itself. Look at docs/runbook.md, and at the logs of the Workers.`);
}

/** What to do where Workers were there, and a database was made anew or no version is known to have passed. */
function afterLossOf(name: string): string {
  return `If a database was lost, it is a new, empty one now. Run what \`doctor --deployment ${name}\` names, then this command again.`;
}

function withWords(problem: Problem, words: string): Problem {
  return new Problem(`${problem.message}\n${words}`);
}

/** Notes the result of a version in the directory's database. */
async function note(trial: Trial, { release, outcome }: Pick<Proof, "release" | "outcome">): Promise<void> {
  const { account, wanted } = trial;
  const { workers, databases } = await look(account, wanted);
  const directory = databases.get(wanted.directory)?.uuid;
  if (directory === undefined) throw new Problem(`${wanted.directory} is gone. Run the same command again.`);
  const versions = Object.fromEntries([...workers].map(([worker, { version }]) => [worker, version]));
  await writeProof(account, directory, { release, outcome, versions, at: new Date().toISOString() });
}

async function wantedOf(
  account: Account,
  name: string,
  options: DeployOptions,
  { settings = readSettings(name) }: Surroundings,
): Promise<{
  readonly wanted: Wanted;
  readonly databases: ReadonlyMap<string, FoundDatabase>;
  /** Whether a collector of this name is there. */
  readonly isDeployed: boolean;
}> {
  const prefix = prefixOf(name);
  const { ledgers, jurisdiction } = options;
  if (jurisdiction !== undefined && !JURISDICTIONS.some((one) => one === jurisdiction))
    throw new Problem(`--jurisdiction is ${JURISDICTIONS.join(" or ")}, not ${jurisdiction}`);
  const [databases, bound] = await Promise.all([
    findDatabases(account, prefix),
    boundLedgers(account, `${prefix}-collector`),
  ]);
  const asked = { prefix, ledgers, jurisdiction: jurisdiction as Jurisdiction | undefined, bound };
  const chosen = chosenOf(databases, asked);
  return { wanted: describe({ name, ...chosen, settings }), databases, isDeployed: bound !== undefined };
}

interface Telling {
  readonly wanted: Wanted;
  readonly planOptions: PlanOptions;
  readonly proofs: readonly Proof[];
  /** The version of the sources here. */
  readonly release: string;
  readonly say: (line: string) => void;
}

/** Says what the account has, and what a deployment would change. */
async function tell(account: Account, { wanted, planOptions, proofs, release, say }: Telling): Promise<void> {
  const found = await look(account, wanted);
  const acts = planOf(wanted, found, planOptions);
  const { ledgers, jurisdiction = "none" } = wanted;
  say(
    `${wanted.name} in account ${account.id}: ${ledgers} ${ledgers === 1 ? "ledger" : "ledgers"}, jurisdiction ${jurisdiction}`,
  );
  say(
    `there: ${found.workers.size} of 3 Workers, ${found.databases.size} of ${ledgers + 1} databases, ${found.queues.size} of ${wanted.queues.length} queues, ${found.bucket ? "the" : "no"} bucket`,
  );
  for (const worker of WORKERS) {
    const { version, message } = found.workers.get(worker) ?? {};
    const sources = message === undefined ? "" : ` (${message})`;
    if (version !== undefined) say(`${wanted.workers[worker].name} runs version ${version}${sources}`);
  }
  for (const { at, outcome, versions } of proofs.slice(0, 5))
    say(
      `${at} ${outcome === "counted" ? "passed its smoke test" : "failed its smoke test, or was rolled back"}: ${Object.values(versions).join(", ")}`,
    );
  if (proofs.some((proof) => proof.release === release && proof.outcome === "failed"))
    say("the sources here are of a version that failed its smoke test, or was rolled back: deploy wants --again");
  say(acts.length === 0 ? "nothing to do" : `to do:\n${acts.map((act) => `  ${lineOf(act)}`).join("\n")}`);
  refuseForeign(acts);
  refuseLacking(found);
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

/** Writes the record of the deployment. */
async function record(
  { account, wanted, addresses }: Trial,
  { folder, release, secrets }: { readonly folder: string; readonly release: string; readonly secrets: string },
): Promise<void> {
  const { databases, workers } = await look(account, wanted);
  const text = {
    name: wanted.name,
    account: account.id,
    at: new Date().toISOString(),
    release,
    ...addresses,
    secrets,
    ledgers: wanted.ledgers,
    jurisdiction: wanted.jurisdiction ?? null,
    databases: Object.fromEntries([...databases.values()].map(({ name, uuid }) => [name, uuid])),
    versions: Object.fromEntries([...workers].map(([worker, { version }]) => [worker, version])),
  };
  writeRecord(folder, wanted.name, text);
}

/** Checks that the installed wrangler is the version in package.json. Another version may read configs differently. */
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
export async function end(name: string, { confirm, say, records, signal }: EndOptions): Promise<void> {
  const account = await openAccount(signal);
  const prefix = prefixOf(name);
  const databases = await findDatabases(account, prefix);
  const made = [...databases.keys()].filter((one) => one !== `${prefix}-directory`).length;
  const [any] = databases.values();
  const jurisdiction = (any?.jurisdiction ?? undefined) as Jurisdiction | undefined;
  const wanted = describe({ name, ledgers: 1, jurisdiction, settings: {} });
  const losses = lossesOf(wanted, await look(account, wanted));
  if (losses.length === 0) return say(`there is nothing of ${name} in account ${account.id}`);
  say(`in account ${account.id}, for good (ledgers: ${made}):\n${losses.map((line) => `  ${line}`).join("\n")}`);
  confirmName(name, confirm ?? (await askForName(name)));
  const left = await destroy(account, wanted, say);
  for (const line of left) say(line);
  if (left.length > 0) return;
  const secrets = forgetRecord(name, records);
  if (secrets !== undefined) say(`its secrets are still in ${secrets}: delete the file, and what lies in your safe`);
}

async function askForName(name: string): Promise<string> {
  if (!process.stdin.isTTY) throw new Problem(`there is no terminal to ask in: say --confirm ${name}`);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return await terminal.question(`Type its name (${name}) to delete all of it: `);
  } finally {
    terminal.close();
  }
}
