// `npm start`: all three Workers on this machine, on data in STATE_DIR, with a demo merchant to try them. It prints one
// line to standard output when they answer, "ready {…}", and nothing else there; where the dashboard is, and how to
// sign in to it, is said to people on standard error. Then it fires the crons on time until
// it is told to stop. COLLECTOR_PORT and QUERY_PORT choose other ports (0: any free one). A second start finds the same
// data.

import { randomBytes } from "node:crypto";
import { createServer } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Cron } from "croner";
import { stop as stopBundler } from "esbuild";
import {
  type LocalStart,
  makeStateDir,
  readLocalStart,
  readSecrets,
  stateDirOf,
  writeLocalStart,
} from "./local-state.ts";
import { messageOf, Problem, runMain } from "./problem.ts";
import { type Runtime, type Secrets, startRuntime } from "./runtime.ts";

const HEALTHY_WITHIN_MS = 20_000;
const STOPPED_WITHIN_MS = 10_000;
/**
 * As many ledgers as try what several do; LEDGERS chooses another number, for good (docs/decisions/0018-ledgers.md).
 */
const LEDGERS = 4;
const DEMO_MERCHANT = { name: "Demo shop", time_zone: "UTC", currency: "EUR" };

async function main(): Promise<void> {
  const stateDir = stateDirOf(process.env);
  await makeStateDir(stateDir);
  const lock = lockState(stateDir);
  const collectorPort = await freePort("COLLECTOR_PORT", 8787);
  const queryPort = await freePort("QUERY_PORT", 8788);
  if (collectorPort === queryPort && queryPort !== 0) {
    throw new Problem(`COLLECTOR_PORT and QUERY_PORT are both ${queryPort}; each Worker needs its own`);
  }
  const secrets = await readSecrets(stateDir);
  // DEVELOPMENT lets the collector believe the address and place that the demo and the tests put in headers.
  // RATE_LIMITS=on tries the limits of wrangler.toml here too; Miniflare's counters take two thirds of the speed.
  const limits = process.env["RATE_LIMITS"];
  // RATES_URL names the exchange rates that the cron fetches.
  const rates = process.env["RATES_URL"];
  // MONTH_FILES_AFTER_DAYS has old Days leave D1 for files in the bucket, as in a large deployment.
  const monthFiles = process.env["MONTH_FILES_AFTER_DAYS"];
  // An import of the past is archived and counted in seconds: here it saves nobody anything to gather more first.
  const vars = {
    DEVELOPMENT: "true",
    DRAIN_AFTER_MS: "5000",
    LATE_COALESCE_MS: "2000",
    ...(collectorPort !== 0 && { COLLECTOR_URL: `http://127.0.0.1:${collectorPort}` }),
    ...(queryPort !== 0 && { DASHBOARD_URL: `http://127.0.0.1:${queryPort}` }),
    ...(limits !== undefined && { RATE_LIMITS: limits }),
    ...(rates !== undefined && { RATES_URL: rates }),
    ...(monthFiles !== undefined && { MONTH_FILES_AFTER_DAYS: monthFiles }),
  };
  const ledgers = Number(process.env["LEDGERS"] || LEDGERS);
  const runtime = await startRuntime({ stateDir, collectorPort, queryPort, secrets, vars, ledgers });
  const told = toldToStop();
  await stopBundler(); // its process has nothing more to do
  let crons: readonly Cron[] = [];
  try {
    await Promise.all([untilHealthy(runtime.collectorUrl), untilHealthy(runtime.queryUrl)]);
    const start = await describe(runtime, secrets, await readLocalStart(stateDir));
    await writeLocalStart(stateDir, start);
    const { merchant: _, ...ready } = start;
    crons = keepTime(runtime);
    console.log(`ready ${JSON.stringify(ready)}`);
    console.error(
      `The dashboard: ${start.query}/  (sign in as ${start.sign_in.email}, password ${start.sign_in.password})`,
    );
    await told;
  } finally {
    for (const cron of crons) cron.stop();
    setTimeout(() => process.exit(1), STOPPED_WITHIN_MS).unref();
    await runtime.stop();
    lock.close();
  }
  process.exit(0);
}

/**
 * Settles at the first signal. Later ones change nothing: at Ctrl-C the terminal signals the whole group and npm passes
 * its own on, so that one keystroke arrives here twice.
 */
function toldToStop(): Promise<void> {
  return new Promise((settle) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
      // Miniflare's own listener would exit at once, with an error and before workerd has ended.
      process.removeAllListeners(signal);
      process.on(signal, () => settle());
    }
  });
}

/** Two runtimes on the same files would fail each other's writes. The operating system lets go when we die, however. */
function lockState(stateDir: string): DatabaseSync {
  const database = openLock(join(stateDir, "lock.sqlite"));
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    return database;
  } catch {
    throw new Problem(`another start is running on ${stateDir}; stop it, or choose another folder with STATE_DIR`);
  }
}

function openLock(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path);
  } catch (error) {
    throw new Problem(`cannot write ${path} (${messageOf(error)}); choose another folder with STATE_DIR`);
  }
}

async function freePort(variable: string, usual: number): Promise<number> {
  const port = Number(process.env[variable] || usual);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Problem(`${variable} is "${process.env[variable]}"; it must be a port number from 0 to 65535`);
  }
  await new Promise<void>((settle, fail) => {
    const server = createServer().once("error", (error) =>
      fail(new Problem(`port ${port} cannot be used (${messageOf(error)}); choose another with ${variable}`)),
    );
    server.listen(port, "127.0.0.1", () => server.close(() => settle()));
  });
  return port;
}

async function untilHealthy(url: string): Promise<void> {
  const deadline = Date.now() + HEALTHY_WITHIN_MS;
  for (;;) {
    const response = await fetch(`${url}/health`);
    if (response.ok) return;
    if (Date.now() > deadline) throw new Error(`${url}/health still answers ${response.status}`);
    await new Promise((settle) => setTimeout(settle, 100));
  }
}

/** The demo merchant is made once and known again by the file; the addresses are those of this start. */
async function describe(runtime: Runtime, secrets: Secrets, kept: LocalStart | undefined): Promise<LocalStart> {
  const merchant = kept ?? (await createDemo(runtime.queryUrl, secrets.ADMIN_TOKEN));
  const sign_in = kept?.sign_in ?? (await createOwner(runtime.queryUrl, secrets.ADMIN_TOKEN, merchant.merchant));
  return {
    collector: runtime.collectorUrl,
    query: runtime.queryUrl,
    tracking_id: merchant.tracking_id,
    api_key: merchant.api_key,
    admin_token: secrets.ADMIN_TOKEN,
    merchant: merchant.merchant,
    sign_in,
  };
}

const OWNER = "owner@demo.example";

/** The demo merchant's first owner, with a password that is in the state's file alone. */
async function createOwner(queryUrl: string, adminToken: string, merchant: string) {
  const send = async (path: string, headers: Record<string, string>, body: object) => {
    const init = {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify(body),
    };
    const response = await fetch(queryUrl + path, init);
    if (response.status !== 201) throw new Error(`no owner of the demo: ${response.status} ${await response.text()}`);
    return (await response.json()) as { token: string };
  };
  const invite = { email: OWNER, role: "owner" };
  const invites = `/api/v1/merchants/${merchant}/invites`;
  const { token } = await send(invites, { authorization: `Bearer ${adminToken}` }, invite);
  const password = randomBytes(12).toString("base64url");
  await send("/api/v1/invites/accept", { origin: queryUrl }, { token, password });
  return { email: OWNER, password };
}

async function createDemo(queryUrl: string, adminToken: string) {
  const response = await fetch(`${queryUrl}/api/v1/merchants`, {
    method: "POST",
    headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
    body: JSON.stringify(DEMO_MERCHANT),
  });
  if (response.status !== 201) throw new Error(`no demo merchant: ${response.status} ${await response.text()}`);
  const made = (await response.json()) as { id: string; tracking_id: string; api_key: string };
  return { merchant: made.id, tracking_id: made.tracking_id, api_key: made.api_key };
}

/** Fires each cron in UTC, as the platform does. One that is still running is not started again. */
function keepTime(runtime: Runtime): readonly Cron[] {
  return runtime.crons.map(
    (cron) =>
      new Cron(cron.expression, { timezone: "UTC", protect: true }, async (job: Cron) => {
        const at = job.currentRun() ?? new Date();
        await runtime.fireCron(cron, at).catch((error: unknown) => console.error(messageOf(error)));
      }),
  );
}

await runMain(main);
