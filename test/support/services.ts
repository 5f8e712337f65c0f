// The Workers in a real workerd for a test file, and the calls a test makes of them, each as a user would make it.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Runtime, type RuntimeOptions, startRuntime } from "../../scripts/runtime.ts";
import { type Ledgers, ledgersOf } from "../../storage/ledger/ledgers.ts";
import type { expectDocumented } from "./documented.ts";
import { leakIn } from "./leak.ts";

export const SECRETS = { TRACKING_SECRET: "test tracking secret", ADMIN_TOKEN: "test-admin-token" };

/** A pace at which everything has happened within a second. */
export const FAST = {
  POOL_SIZE: "2",
  DEVELOPMENT: "true",
  GROUP_COMMIT_MS: "5",
  DRAIN_AFTER_MS: "300",
  PUBLISH_EVERY_MS: "1000",
  PUBLISH_GRACE_MS: "0",
  RESEND_AFTER_MS: "2000",
  LATE_COALESCE_MS: "300",
};

/** Two ledgers, where they divide the pool. Every start on the same data must have as many (LED-2). */
export function ledgersFor({ POOL_SIZE }: Readonly<Record<string, string>>): number {
  return Number(POOL_SIZE) % 2 === 0 ? 2 : 1;
}

/** For tests that count Days of long ago live: no Day is closed for thirty years. */
export const NEVER_CLOSED = { SEAL_AFTER_MS: String(30 * 366 * 86_400_000) };

export interface Merchant {
  readonly id: string;
  readonly tracking_id: string;
  readonly api_key: string;
}

/** What the endpoints of a running Footfall offer to a test. */
export class Client {
  readonly collectorUrl: string;
  readonly queryUrl: string;
  readonly adminToken: string;
  /** Whether answers are held against this tree's documents: not those of another release, which has its own. */
  isOfHere = true;

  constructor(urls: { collectorUrl: string; queryUrl: string }, adminToken = SECRETS.ADMIN_TOKEN) {
    this.collectorUrl = urls.collectorUrl;
    this.queryUrl = urls.queryUrl;
    this.adminToken = adminToken;
  }

  async createMerchant(timeZone = "UTC", currency = "EUR"): Promise<Merchant> {
    const body = { name: `shop in ${timeZone}`, time_zone: timeZone, currency };
    return (await this.admin("POST", "/api/v1/merchants", body)) as Merchant;
  }

  /** A key of a merchant that sends events. */
  async createWriteKey(merchant: Merchant): Promise<string> {
    const path = `/api/v1/merchants/${merchant.id}/keys`;
    const key = (await this.admin("POST", path, { name: "server", scope: "write" })) as Pick<Merchant, "api_key">;
    return key.api_key;
  }

  /** An admin call; throws unless it succeeds. */
  async admin(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${this.queryUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.adminToken}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (this.isOfHere) await documented({ method, path }, { status: response.status, body: JSON.parse(text) });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  }

  /** POST /v1/events, with its status. */
  async send(events: unknown, headers: Record<string, string> = {}): Promise<{ status: number; body: Report }> {
    const response = await fetch(`${this.collectorUrl}/v1/events`, {
      method: "POST",
      headers,
      body: typeof events === "string" ? events : JSON.stringify(events),
    });
    const body = (await response.json()) as Report;
    if (this.isOfHere) await documented({ method: "POST", path: "/v1/events" }, { status: response.status, body });
    return { status: response.status, body };
  }

  /** POST /api/v2/query for a merchant; throws unless it succeeds. */
  async ask(merchant: Merchant, question: Record<string, unknown>): Promise<Answered> {
    const response = await fetch(`${this.queryUrl}/api/v2/query`, {
      method: "POST",
      // What is too large for a request becomes a job, which is done within that time.
      headers: { authorization: `Bearer ${merchant.api_key}`, prefer: "wait=25" },
      body: JSON.stringify({ site_id: merchant.id, ...question }),
    });
    const text = await response.text();
    if (this.isOfHere)
      await documented({ method: "POST", path: "/api/v2/query" }, { status: response.status, body: JSON.parse(text) });
    if (!response.ok) throw new Error(`query: ${response.status} ${text}`);
    return JSON.parse(text) as Answered;
  }
}

/** `expectDocumented`, loaded when a Worker has answered: its modules import the dashboard, built by then. */
async function documented(...answered: Parameters<typeof expectDocumented>): Promise<void> {
  const { expectDocumented } = await import("./documented.ts");
  expectDocumented(...answered);
}

export interface Report {
  readonly accepted: number;
  readonly duplicates: number;
  readonly dropped: readonly { index: number; reason: string }[];
  readonly rejected: readonly { index: number; code: string; message: string }[];
  readonly error?: { readonly code: string; readonly message: string };
}

export interface Answered {
  readonly results: readonly { readonly metrics: readonly unknown[]; readonly dimensions: readonly string[] }[];
  readonly meta: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
}

/** A runtime with its data in a folder that goes with it. */
export async function startServices(
  vars: Record<string, string> = {},
  options: Pick<RuntimeOptions, "queueRetriesMax" | "rateLimits" | "counters" | "log" | "ledgers" | "inspects"> = {},
): Promise<{
  runtime: Runtime;
  client: Client;
  stop: () => Promise<void>;
  /** Stops it and starts it on the same data, with other variables. */
  restart: (vars: Record<string, string>) => Promise<{ runtime: Runtime; client: Client }>;
}> {
  const stateDir = mkdtempSync(join(tmpdir(), "footfall-test-"));
  // What Workers log is expected in tests that break things; LOG=1 shows it.
  const shown = options.log ?? (process.env["LOG"] === undefined ? () => {} : console.error);
  const leaks: string[] = [];
  const log = (line: string) => {
    const leak = leakIn(line, Object.values(SECRETS));
    if (leak !== undefined) leaks.push(`${leak}: ${line}`);
    shown(line);
  };
  const start = async (changed: Record<string, string>) => {
    const paced = { vars: { ...FAST, ...changed }, queueWaitSeconds: 0, ...options, log };
    return await startRuntime({ secrets: SECRETS, stateDir, ledgers: ledgersFor(paced.vars), ...paced });
  };
  const runtime = await start(vars);
  let running = runtime;
  const restart = async (changed: Record<string, string>) => {
    await running.stop();
    running = await start(changed);
    return { runtime: running, client: new Client(running) };
  };
  const stop = async () => {
    await running.stop();
    rmSync(stateDir, { recursive: true, force: true });
    if (leaks.length > 0) throw new Error(`the log has what it must not have: ${leaks.slice(0, 5).join("; ")}`);
  };
  return { runtime, client: new Client(runtime), stop, restart };
}

/** Asks again until the answer satisfies, or fails with the last one after `withinMs`, less than a test may take. */
export async function until<T>(ask: () => Promise<T>, isDone: (value: T) => boolean, withinMs = 50_000): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const value = await ask();
    if (isDone(value)) return value;
    if (Date.now() > deadline)
      throw new Error(`not within ${withinMs} ms; last: ${JSON.stringify(value).slice(0, 500)}`);
    await new Promise((settle) => setTimeout(settle, 100));
  }
}

interface PartitionRow {
  readonly next_position: number;
  readonly bundled_position: number;
  readonly unconfirmed_bundles: number;
}

/** Waits until every partition's log lies in R2. */
export async function untilArchived(client: Client, withinMs = 60_000): Promise<void> {
  await until(
    () => partitionsOf(client),
    (rows) => rows.every((row) => row.bundled_position === row.next_position && row.unconfirmed_bundles === 0),
    withinMs,
  );
}

/** Until partitions have so many events in all: on a busy machine some of them come by the overflow queue. */
export async function untilTaken(client: Client, events: number): Promise<void> {
  await until(
    () => partitionsOf(client),
    (rows) => rows.reduce((sum, { next_position }) => sum + next_position - 1, 0) >= events,
    120_000,
  );
}

async function partitionsOf(client: Client): Promise<readonly PartitionRow[]> {
  return ((await client.admin("GET", "/api/v1/partitions")) as { partitions: PartitionRow[] }).partitions;
}

/** A (Day, partition) as `GET /api/v1/archive/days` lists it. */
export interface ArchivedDayRow {
  readonly date: string;
  readonly partition: string;
  readonly state: string;
  readonly generation: number;
  readonly folder: string;
  readonly rows: number;
  readonly merchants: number;
  readonly duplicates: number;
  readonly differences: number;
  readonly error: string;
}

/** Days of a range, page after page. */
export async function listDays(client: Client, range: { from: string; to: string }): Promise<ArchivedDayRow[]> {
  const days: ArchivedDayRow[] = [];
  for (let after = ""; ; ) {
    const page = await client.admin("GET", `/api/v1/archive/days?from=${range.from}&to=${range.to}${after}`);
    const { days: listed, next } = page as { days: ArchivedDayRow[]; next: string | null };
    days.push(...listed);
    if (next === null) return days;
    after = `&after=${encodeURIComponent(next)}`;
  }
}

/**
 * Waits until every closed Day of a range is sealed and nothing late waits, and answers them. All of the range is
 * closed.
 */
export async function untilSealed(
  client: Client,
  range: { from: string; to: string },
  withinMs = 120_000,
): Promise<readonly ArchivedDayRow[]> {
  let hurriedAt = Number.NEGATIVE_INFINITY;
  return until(
    async () => {
      // What waits for bundles on their way is tried again in minutes: a test asks for it at once.
      if (Date.now() - hurriedAt > 3_000) {
        await client.admin("POST", "/api/v1/archive/seal", range);
        hurriedAt = Date.now();
      }
      return listDays(client, range);
    },
    (days) => days.length > 0 && days.every(({ state }) => state === "sealed"),
    withinMs,
  );
}

/** What a seal stands for is deleted by a message of the cron, once its grace is over. */
export async function untilCleaned(runtime: Runtime): Promise<void> {
  const { execAll, rowsOfAll } = await databasesOf(runtime);
  await execAll("UPDATE archive_days SET clean_at = 1, due_at = 1 WHERE clean_at IS NOT NULL");
  await until(
    async () => {
      await runtime.fireCrons();
      return (await rowsOfAll("SELECT day FROM archive_days WHERE clean_at IS NOT NULL")).length;
    },
    (left) => left === 0,
  );
}

/** The databases of a running Footfall, for a test's own look, or mischief. */
export interface RunningDatabases {
  readonly directory: D1Database;
  readonly ledgers: Ledgers;
  /** Runs a statement in every ledger. */
  readonly execAll: (text: string) => Promise<void>;
  /** The rows of every ledger, ledger after ledger. */
  readonly rowsOfAll: <Row = Record<string, unknown>>(text: string) => Promise<Row[]>;
}

export async function databasesOf({ miniflare, ledgers }: Runtime): Promise<RunningDatabases> {
  const open = async (binding: string) =>
    (await miniflare.getD1Database(binding, "footfall-query")) as unknown as D1Database;
  const all = await Promise.all(Array.from({ length: ledgers }, (_, position) => open(`LEDGER_${position}`)));
  return {
    directory: await open("DIRECTORY"),
    ledgers: ledgersOf(all),
    execAll: async (text) => {
      for (const ledger of all) await ledger.prepare(text).run();
    },
    rowsOfAll: async <Row>(text: string) => {
      const found: Row[] = [];
      for (const ledger of all) found.push(...(await ledger.prepare(text).all<Row>()).results);
      return found;
    },
  };
}
