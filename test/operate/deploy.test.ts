// `footfall deploy` against an account that is empty, half made, or up to date.

import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type DeployOptions, deploy, end } from "../../scripts/footfall/deploy.ts";
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
  readonly destroy: (confirm: string) => Promise<void>;
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
  const run = async (options: DeployOptions = {}, signal?: AbortSignal) => {
    const all = { ledgers: 2, secrets, collectorUrl, queryUrl, ...options };
    await deploy(name, all, { say, records: dirname(secrets), ...(signal && { signal }) });
  };
  return { stub, lines, secrets, run, destroy: (confirm) => end(name, { confirm, say }) };
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
  timeout: 180_000,
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

test("[DPL-2] ended at every change in turn and started again, it comes to the same", {
  timeout: 300_000,
}, async () => {
  const whole = await begin();
  await whole.run();
  const wanted = await whole.stub.state();

  const { stub, run } = await begin();
  const ended = new Set<string>();
  let runs = 0;
  for (let done = false; !done; runs += 1) {
    const controller = new AbortController();
    stub.afterChange = ({ method, path, subject }) => {
      if (controller.signal.aborted) return true;
      const call = `${method} ${path} ${subject}`;
      if (ended.has(call)) return false;
      ended.add(call);
      controller.abort();
      return true;
    };
    done = await run({}, controller.signal).then(
      () => true,
      (error: unknown) => {
        if (!controller.signal.aborted) throw error;
        return false;
      },
    );
  }
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
  timeout: 180_000,
}, async () => {
  const { stub, lines, run, destroy } = await begin();
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
  await other.run({ ledgers: 1 });
  expect(other.lines).toContain("other is up to date: nothing was changed");
  lines.length = 0;
  await destroy(NAME);
  expect(lines).toEqual([expect.stringContaining("there is nothing of trial")]);
  expect(stub.unknown).toEqual([]);
});
