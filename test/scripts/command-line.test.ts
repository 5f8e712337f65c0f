// The command line as a person meets it the first time: each thing that is missing is named, with what to do about it.

import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startFakeCollector } from "../support/fake-collector.ts";

const ROOT = join(import.meta.dirname, "../..");
const LATER = /^footfall: there is no local start in \S+; run `npm start` in another terminal/;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "footfall-command-"));
  await writeFile(join(folder, "file"), "");
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: unknown;
}

/** What a script says on standard error, and how it ends. */
async function run(args: readonly string[], stateDir = join(folder, "none")): Promise<Ended> {
  const env = { PATH: process.env["PATH"] ?? "", STATE_DIR: stateDir };
  return await new Promise<Ended>((settle) => {
    execFile(process.execPath, [...args], { cwd: ROOT, env }, (error, stdout, stderr) =>
      settle({ stdout, stderr, code: error?.code ?? 0 }),
    );
  });
}

test.each([
  ["query"],
  ["realtime"],
  ["funnel --step page=/ --step page=/cart"],
  ["retention"],
  ["paths"],
  ["key list"],
  ["key create --name x"],
  ["merchant show"],
  ["stream list"],
  ["partitions"],
  ["audit"],
  ["member list"],
  ["share list"],
  ["snippet"],
  ["import package.json"],
])("without a local start `%s` says so", async (command) => {
  const { stderr, code } = await run(["scripts/footfall.ts", ...command.split(" ")]);
  expect(stderr).toMatch(LATER);
  expect(code).toBe(1);
});

test.each([
  ["query", /^footfall: name the merchant with --site\n$/],
  ["key list", /^footfall: name the merchant; `merchant list` shows them\n$/],
])("`%s` of a deployment asks for the merchant", async (command, expected) => {
  const { stderr } = await run(["scripts/footfall.ts", ...command.split(" "), "--query-url", "https://q.example"]);
  expect(stderr).toMatch(expected);
});

test.each(["scripts/start.ts", "scripts/footfall.ts merchant list", "scripts/demo.ts"])(
  "a file in place of STATE_DIR ends `%s` in a sentence",
  async (command) => {
    const { stderr, code } = await run(command.split(" "), join(folder, "file"));
    expect(stderr).toMatch(
      /^footfall: \S+ cannot be the folder for Footfall's data \(there is a file of that name\); .*\n$/,
    );
    expect(code).toBe(1);
  },
);

test("a key that is refused is named with the option that gives another", async () => {
  const server = createServer((_, response) => response.writeHead(401).end('{"error":"Invalid API key or site ID."}'));
  await new Promise<void>((settle) => server.listen(0, "127.0.0.1", settle));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { stderr } = await run(["scripts/footfall.ts", "query", "--query-url", url, "--site", "m", "--api-key", "k"]);
  server.close();
  expect(stderr).toMatch(/answers 401: Invalid API key or site ID\. The key must be .* --api-key or FOOTFALL_API_KEY/);
});

test("[IMP-3] an import that refused a row ends with exit status 1 and says how many", async () => {
  const collector = await startFakeCollector();
  const import_ = async (name: string, text: string) => {
    await writeFile(join(folder, name), text);
    const to = ["--collector-url", collector.url, "--tracking-id", "t", "--hostname", "shop.example"];
    return await run(["scripts/footfall.ts", "import", join(folder, name), ...to, ...keys]);
  };
  const keys: string[] = [];
  const head = "visitor,unix_s,url\r\nv1,1389052815,/a\rv2,1389052816,/b\n";
  // [IMP-21] Without a key every event would have the place of this machine.
  expect(await import_("good.csv", head)).toMatchObject({ code: 1, stderr: expect.stringContaining("needs a key") });
  expect(collector.requests()).toBe(0);
  keys.push("--write-key", "k");
  expect(await import_("good.csv", head)).toMatchObject({ code: 0 });
  const { code, stderr } = await import_("bad.csv", `${head}v3,soon,/c\n`);
  expect([code, stderr.split("\n").at(-2)]).toEqual([1, "footfall: 1 of 3 rows was refused, as listed above"]);
  expect(await import_("redirects.log", LOG.replace("200", "301"))).toMatchObject({ code: 0 });
  await collector.stop();
});

test("[CLI-4] the forms of an answer exclude each other, and what the API refuses is told with the option it is about", async () => {
  const words = '{"error":"#/date_range: Invalid date range \\"7days\\"","code":"invalid_field"}';
  const server = createServer((_, response) => response.writeHead(400).end(words));
  await new Promise<void>((settle) => server.listen(0, "127.0.0.1", settle));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const asked = ["--query-url", url, "--site", "m", "--api-key", "k", "--range", "7days"];
  const { stderr, code } = await run(["scripts/footfall.ts", "paths", ...asked]);
  expect([stderr, code]).toEqual([expect.stringMatching(/"7days" \(--range takes day, .*two dates/), 1]);
  const both = await run(["scripts/footfall.ts", "query", "--csv", "--json", ...asked]);
  expect(both.stderr).toMatch(/choose one/);
  server.close();
});

test("[CLI-6] the doctor's text says in full what is wrong, and its exit status whether anything is", async () => {
  const says = `Error: no such table: identity (${"what comes before its recovery, ".repeat(9)}in one sentence)`;
  const whole = { state: "bucket", whole: true, says: "whole", command: null };
  const lost = { state: "ledger 0", whole: false, says, command: "footfall recover ledger 0" };
  let findings = [whole];
  const server = createServer((_, response) => {
    response.writeHead(200).end(JSON.stringify({ whole: findings.every((one) => one.whole), findings }));
  });
  await new Promise<void>((settle) => server.listen(0, "127.0.0.1", settle));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const doctor = (...more: string[]) =>
    run(["scripts/footfall.ts", "doctor", "--query-url", url, "--admin-token", "t", ...more]);
  expect(await doctor()).toMatchObject({ code: 0, stdout: expect.stringMatching(/\nbucket +whole +–\n$/) });
  findings = [whole, lost as never];
  const { code, stdout } = await doctor();
  expect(code).toBe(1);
  expect(stdout).toMatch(/\nledger 0 +not whole +footfall recover ledger 0\n\nledger 0: Error: /);
  expect(stdout).toContain(says);
  expect((await doctor("--json")).code).toBe(1);
  server.close();
});

const LOG = '1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 200 5 "-" "Firefox"\n';

test("an old Node is told which one is needed and how to get it", async () => {
  const pretend = 'Object.defineProperty(process, "versions", { value: { node: "22.12.0" } })';
  const imports = ["--import", `data:text/javascript,${pretend}`, "--import", "./scripts/node-version.mjs"];
  const { stderr, code } = await run([...imports, "-e", "0"]);
  expect(stderr).toMatch(/^footfall: this is Node .*, and the scripts need 24 or newer\. .*(npm ci|nodejs\.org)/);
  expect(code).toBe(1);
});
