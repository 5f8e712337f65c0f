// `footfall deploy` against an account that is empty, half made, or up to date.

import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type DeployOptions, deploy } from "../../scripts/footfall/deploy.ts";
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
  process.env = environment;
  rmSync(folder, { recursive: true, force: true });
});

interface Trial {
  readonly stub: AccountStub;
  readonly lines: string[];
  readonly secrets: string;
  readonly run: (options?: DeployOptions, signal?: AbortSignal) => Promise<void>;
}

async function begin(name = NAME): Promise<Trial> {
  const stub = new AccountStub();
  stubs.push(stub);
  process.env["CLOUDFLARE_API_BASE_URL"] = await stub.start();
  const prefix = name === "production" ? "footfall" : `footfall-${name}`;
  const [collectorUrl, queryUrl] = [
    await stub.addressOf(`${prefix}-collector`),
    await stub.addressOf(`${prefix}-query`),
  ];
  const secrets = join(folder, `${stubs.length}-${Math.random()}`, "secrets.json");
  const lines: string[] = [];
  const run = async (options: DeployOptions = {}, signal?: AbortSignal) => {
    const say = (line: string) => void lines.push(line);
    const all = { ledgers: 2, secrets, collectorUrl, queryUrl, ...options };
    await deploy(name, all, { say, records: dirname(secrets), ...(signal && { signal }) });
  };
  return { stub, lines, secrets, run };
}

const DATABASES = ["footfall-trial-directory", "footfall-trial-ledger-0", "footfall-trial-ledger-1"];

interface Found {
  readonly databases: readonly { readonly name: string }[];
  readonly buckets: readonly string[];
  readonly queues: readonly { readonly settings: object; readonly consumers: readonly { readonly script: string }[] }[];
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
