// `footfall deploy` against an account that is empty, half made, or up to date.

import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Settings } from "../../scripts/deploy/config.ts";
import { type DeployOptions, deploy, end, rollBackByHand } from "../../scripts/footfall/deploy.ts";
import { ACCOUNT, AccountStub, type Call, TOKEN } from "./account-stub.ts";

const NAME = "trial";
const folder = mkdtempSync(join(tmpdir(), "footfall-deploy-"));
let stubs: AccountStub[] = [];
const environment = { ...process.env };

beforeAll(() => {
  // Else only npm's own scripts find the project's wrangler and Node.
  process.env["PATH"] = `${join(import.meta.dirname, "../../node_modules/.bin")}:${process.env["PATH"]}`;
  process.env["CLOUDFLARE_API_TOKEN"] = TOKEN;
  process.env["CLOUDFLARE_ACCOUNT_ID"] = ACCOUNT;
  process.env["HOME"] = folder;
});

afterEach(async () => {
  await Promise.all(stubs.map((stub) => stub.stop()));
  stubs = [];
});

afterAll(() => {
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
  Object.assign(process.env, environment);
  rmSync(folder, { recursive: true, force: true });
});

interface Trial {
  readonly stub: AccountStub;
  readonly lines: string[];
  readonly secrets: string;
  readonly run: (options?: DeployOptions, signal?: AbortSignal) => Promise<void>;
  readonly rollBack: () => Promise<void>;
  /** What differs from wrangler.toml from now on: so the next run is of another version. */
  settings: Settings;
  readonly destroy: (confirm: string, signal?: AbortSignal) => Promise<void>;
}

/** A deployment in an account of its own, or beside others in one. */
async function begin(name = NAME, account?: AccountStub): Promise<Trial> {
  const stub = account ?? new AccountStub();
  if (account === undefined) {
    stubs.push(stub);
    process.env["CLOUDFLARE_API_BASE_URL"] = await stub.start();
  }
  const prefix = name === "production" ? "footfall" : `footfall-${name}`;
  const [collectorUrl, queryUrl] = [
    await stub.addressOf(`${prefix}-collector`),
    await stub.addressOf(`${prefix}-query`),
  ];
  const secrets = join(folder, `${stubs.length}-${Math.random()}`, "secrets.json");
  const lines: string[] = [];
  const say = (line: string) => void lines.push(line);
  const common = { secrets, collectorUrl, queryUrl };
  const surroundings = () => ({ say, records: dirname(secrets), settings: trial.settings, patienceMs: 30_000 });
  const run = async (options: DeployOptions = {}, signal?: AbortSignal) => {
    const all = { ledgers: 2, ...common, ...options };
    await deploy(name, all, { ...surroundings(), ...(signal && { signal }) });
  };
  const trial: Trial = {
    stub,
    lines,
    secrets,
    settings: {},
    run,
    rollBack: () => rollBackByHand(name, common, surroundings()),
    destroy: (confirm, signal) => end(name, { confirm, say, records: dirname(secrets), ...(signal && { signal }) }),
  };
  return trial;
}

const DATABASES = ["footfall-trial-directory", "footfall-trial-ledger-0", "footfall-trial-ledger-1"];

interface Found {
  readonly databases: readonly { readonly name: string }[];
  readonly buckets: readonly string[];
  readonly queues: readonly { readonly settings: object; readonly consumers: readonly { readonly script: string }[] }[];
}

/** What an account has, by the deployment whose name it bears. */
function namedOf(state: unknown, prefix: string): readonly string[] {
  const names = JSON.stringify(state).match(/footfall-[a-z0-9-]+/g) ?? [];
  return [...new Set(names)].filter((name) => name.startsWith(prefix)).sort();
}

const changing = ({ method, path }: Call) => method !== "GET" && !path.endsWith("/query");

test("[DPL-1] one command goes from an empty account to a counted hit; the same again changes nothing", {
  timeout: 1_200_000,
}, async () => {
  const { stub, lines, secrets, run } = await begin();
  await run({ dryRun: true });
  expect(stub.calls.filter(changing)).toEqual([]);
  expect(lines.join("\n")).toContain("create database footfall-trial-directory");
  await run();
  expect(lines).toContain("a hit was sent, and counted once");
  expect(stub.unknown).toEqual([]);
  const kept = JSON.parse(readFileSync(secrets, "utf8")) as Record<string, string>;
  expect(Object.keys(kept).sort()).toEqual(["ADMIN_TOKEN", "HASH_SECRET", "TRACKING_SECRET"]);
  expect(statSync(secrets).mode & 0o777).toBe(0o600);
  for (const value of Object.values(kept)) expect(lines.join("\n")).not.toContain(value);
  const state = await stub.state();
  const { queues, buckets, databases } = state as Found;
  expect(databases.map(({ name }) => name)).toEqual(DATABASES);
  expect(buckets).toEqual(["footfall-trial-archive"]);
  expect(queues).toHaveLength(11);
  for (const queue of queues) {
    expect(queue.settings).toEqual({ message_retention_period: 14 * 86_400 });
    expect(queue.consumers.map(({ script }) => script)).toEqual(["footfall-trial-background"]);
  }
  stub.calls.length = 0;
  await run();
  expect(lines).toContain("trial is up to date: nothing was changed");
  expect(stub.calls.filter(changing)).toEqual([]);
  expect(await stub.state()).toEqual(state);
});

/** Ends a command after each change that it makes, its answer lost, and starts it again until it comes through. */
async function endedAtEveryChange(stub: AccountStub, command: (signal: AbortSignal) => Promise<void>): Promise<number> {
  const ended = new Set<string>();
  for (let runs = 1; ; runs += 1) {
    const controller = new AbortController();
    stub.afterChange = ({ method, path, subject }) => {
      if (controller.signal.aborted) return true;
      const call = `${method} ${path} ${subject}`;
      if (ended.has(call)) return false;
      ended.add(call);
      controller.abort();
      return true;
    };
    const isDone = await command(controller.signal).then(
      () => true,
      (error: unknown) => {
        if (!controller.signal.aborted) throw error;
        return false;
      },
    );
    if (!isDone) continue;
    stub.afterChange = () => false;
    return runs;
  }
}

test("[DPL-2] ended at every change in turn and started again, it comes to the same", {
  timeout: 1_200_000,
}, async () => {
  const whole = await begin();
  await whole.run();
  const wanted = await whole.stub.state();

  const { stub, run } = await begin();
  const runs = await endedAtEveryChange(stub, (signal) => run({}, signal));
  expect(await stub.state()).toEqual(wanted);
  expect(runs).toBeGreaterThan(25);
});

test("[DPL-3] what is chosen for good cannot be chosen otherwise, and what is wrong is refused before anything is made", async () => {
  const { stub, run } = await begin();
  await expect(run({ ledgers: 3 })).rejects.toThrow(/POOL_SIZE|divide/);
  await expect(run({ ledgers: 129 })).rejects.toThrow(/128/);
  await expect(run({ jurisdiction: "mars" })).rejects.toThrow("--jurisdiction is eu or fedramp, not mars");
  await expect(begin("ledger", stub).then((other) => other.run())).rejects.toThrow("a deployment's name");
  expect(stub.calls.filter(changing)).toEqual([]);
});

test("[DPL-3] two deployments live in one account; status says what there is; destroying one leaves the other", {
  timeout: 1_200_000,
}, async () => {
  const { stub, lines, secrets, run, destroy } = await begin();
  const other = await begin("other", stub);
  await run();
  await other.run({ ledgers: 1 });
  await expect(run({ ledgers: 4 })).rejects.toThrow("their number is fixed for good");
  lines.length = 0;
  stub.calls.length = 0;
  await run({ status: true });
  expect(lines.join("\n")).toMatch(
    /there: 3 of 3 Workers, 3 of 3 databases, 11 of 11 queues, the bucket[\s\S]*nothing to do/,
  );
  await expect(destroy("tiral")).rejects.toThrow("nothing was deleted");
  expect(stub.calls.filter(changing)).toEqual([]);
  const before = namedOf(await stub.state(), "footfall-other");
  expect(before.length).toBeGreaterThan(10);

  await destroy(NAME);
  const left = await stub.state();
  expect(namedOf(left, "footfall-trial")).toEqual([]);
  expect(namedOf(left, "footfall-other")).toEqual(before);
  expect(lines.at(-1)).toBe(`its secrets are still in ${secrets}: delete the file, and what lies in your safe`);
  expect(existsSync(join(dirname(secrets), `${NAME}.json`))).toBe(false);
  await other.run({ ledgers: 1 });
  expect(other.lines).toContain("other is up to date: nothing was changed");
  lines.length = 0;
  await destroy(NAME);
  expect(lines).toEqual([expect.stringContaining("there is nothing of trial")]);
  expect(stub.unknown).toEqual([]);
});

interface Workers {
  readonly workers: readonly { readonly name: string; readonly tag: string }[];
}

async function tagsOf(stub: AccountStub): Promise<readonly string[]> {
  return ((await stub.state()) as Workers).workers.map(({ tag }) => tag);
}

test("[DPL-4] a version that fails its smoke test is rolled back once, noted, and not deployed again by mistake", {
  timeout: 1_200_000,
}, async () => {
  const trial = await begin();
  const { stub, lines, run } = trial;
  await run();
  const first = await tagsOf(stub);

  // An upgrade whose collector is broken.
  trial.settings = { vars: { RELEASE: "second" } };
  stub.damage = (worker, module) =>
    worker.endsWith("-collector") ? module.replaceAll("/v1/events", "/v1/nothing") : module;
  await expect(run()).rejects.toThrow(/smoke test: .*\nIt was rolled back: the version of .* serves again/);
  expect(await tagsOf(stub)).toEqual(first);
  // The next run says so before it changes anything, whoever starts it, unless it is told to.
  stub.calls.length = 0;
  await expect(run()).rejects.toThrow("or was rolled back: mend it, or say --again");
  expect(stub.calls.filter(changing)).toEqual([]);
  stub.damage = (_, module) => module;
  await run({ again: true });
  const second = await tagsOf(stub);
  expect(second.some((tag) => first.includes(tag))).toBe(false);

  // By hand it goes back one version, whatever the sources are by now.
  lines.length = 0;
  await trial.rollBack();
  expect(lines.at(-1)).toMatch(/It was rolled back: .* has counted a hit/);
  expect(await tagsOf(stub)).toEqual(first);
  await run({ status: true });
  expect(lines.join("\n")).toMatch(/failed its smoke test[\s\S]*passed its smoke test/);

  // A token of another deployment says nothing about the version.
  trial.settings = { vars: { RELEASE: "third" } };
  stub.calls.length = 0;
  await expect(run({ adminToken: "of another deployment" })).rejects.toThrow(
    /refuses the admin token .* Nothing was changed/,
  );
  expect(stub.calls.filter(changing)).toEqual([]);
  // The deployment's own, in the file, comes before what a terminal has set for another one.
  await run({ environmentToken: "of another deployment" });
  const third = await tagsOf(stub);

  // Where the version before fails as well, people are told, and nothing more is done.
  trial.settings = { vars: { RELEASE: "fourth" } };
  stub.damage = (_, module) => module.replaceAll("/v1/events", "/v1/nothing");
  const collector = stub.workers.get("footfall-trial-collector");
  collector?.versions.splice(
    0,
    collector.versions.length,
    ...collector.versions.map((one) => ({ ...one, module: stub.damage("", one.module) })),
  );
  await expect(run()).rejects.toThrow(/fails as well/);
  expect(await tagsOf(stub)).toEqual(third);
  // Without a token nobody could say whether a version counts.
  rmSync(trial.secrets);
  trial.settings = { vars: { RELEASE: "fifth" } };
  stub.calls.length = 0;
  await expect(run()).rejects.toThrow("set FOOTFALL_ADMIN_TOKEN");
  expect(stub.calls.filter(changing)).toEqual([]);
});

test("[DPL-8] a database that was lost is made anew and bound, and no version that binds the lost one is gone back to", {
  timeout: 1_200_000,
}, async () => {
  const { stub, run, rollBack, lines } = await begin();
  const lose = (name: string) => {
    for (const { uuid } of [...stub.databases.values()].filter((one) => one.name === name)) stub.databases.delete(uuid);
  };
  await run();
  const whole = await stub.state();
  lose("footfall-trial-ledger-1");
  await expect(run({ ledgers: 1 })).rejects.toThrow("there are 2 ledgers, not 1: their number is fixed for good");
  // The smoke test waits for `recover ledger 1`.
  await expect(run()).rejects.toThrow("Run what `doctor --deployment trial` names");
  expect(await stub.state()).toEqual(whole);
  await expect(rollBack()).rejects.toThrow("there is no version before this one");

  lose("footfall-trial-directory");
  await expect(run()).rejects.toThrow("Run what `doctor --deployment trial` names");
  expect(await stub.state()).toEqual(whole);
  lines.length = 0;
  await run({ status: true });
  expect(lines).toContain("nothing to do");
  expect(
    lines.filter((line) => /^footfall-trial-\w+ runs version \S+ \(footfall \w+ \d+\.\d+\.\d+/.test(line)),
  ).toHaveLength(3);

  // [DPL-9] A file of migrations that was changed after a database had it is no migration that is missing.
  const ledger = [...stub.databases.values()].find(({ name }) => name === "footfall-trial-ledger-1");
  await stub.run(String(ledger?.uuid), "ALTER TABLE archive_days DROP COLUMN doubted");
  stub.calls.length = 0;
  const lacks = /footfall-trial-ledger-1 lacks .*: the column archive_days\.doubted\.[\s\S]*Nothing was changed/;
  await expect(run()).rejects.toThrow(lacks);
  await expect(run({ status: true })).rejects.toThrow(lacks);
  expect(stub.calls.filter(changing)).toEqual([]);
});

test("[DPL-2] a destroy that is ended at every change leaves nothing, and a bucket with objects for later", {
  timeout: 1_200_000,
}, async () => {
  const trial = await begin();
  const { stub, run, destroy, lines } = trial;
  trial.settings = { collector_domain: "t.shop.example", query_domain: "numbers.shop.example" };
  await run({ jurisdiction: "eu" });
  const made = (await stub.state()) as Found & { readonly domains: readonly string[] };
  expect(made.domains).toEqual([
    "numbers.shop.example footfall-trial-query",
    "t.shop.example footfall-trial-collector",
  ]);
  expect(made.databases).toEqual(DATABASES.map((name) => ({ name, jurisdiction: "eu" })));
  lines.length = 0;
  await run({ status: true });
  expect(lines.join("\n")).toMatch(/jurisdiction eu[\s\S]*nothing to do/);

  stub.bucketsHaveObjects = true;
  expect(await endedAtEveryChange(stub, (signal) => destroy(NAME, signal))).toBeGreaterThan(25);
  expect(lines.at(-1)).toContain("A rule deletes them within a day or two");
  const left = {
    databases: [],
    migrations: {},
    queues: [],
    buckets: ["footfall-trial-archive"],
    domains: [],
    workers: [],
  };
  expect(await stub.state()).toEqual(left);
  stub.bucketsHaveObjects = false;
  await destroy(NAME);
  expect(await stub.state()).toEqual({ ...left, buckets: [] });
  expect(stub.unknown).toEqual([]);
});

test("[DPL-3] a secret that some Workers have and one lacks is not made anew, and an account is never guessed", {
  timeout: 1_200_000,
}, async () => {
  const { stub, run, secrets } = await begin();
  await run();
  const kept = readFileSync(secrets, "utf8");
  rmSync(secrets);
  stub.workers.get("footfall-trial-background")?.secrets.delete("HASH_SECRET");
  await expect(run({ adminToken: JSON.parse(kept).ADMIN_TOKEN })).rejects.toThrow(
    /collector and query have HASH_SECRET, another Worker lacks it.*put it back/,
  );
  writeFileSync(secrets, kept);
  await run();
  expect(stub.workers.get("footfall-trial-background")?.secrets.get("HASH_SECRET")).toBe(JSON.parse(kept).HASH_SECRET);

  delete process.env["CLOUDFLARE_ACCOUNT_ID"];
  try {
    stub.accounts = [...stub.accounts, { id: "f".repeat(32), name: "somebody else's" }];
    await expect(run()).rejects.toThrow(/several accounts\. Set CLOUDFLARE_ACCOUNT_ID[\s\S]*somebody else's/);
    stub.accounts = [];
    await expect(run()).rejects.toThrow("the login has no account");
  } finally {
    process.env["CLOUDFLARE_ACCOUNT_ID"] = ACCOUNT;
  }
});
