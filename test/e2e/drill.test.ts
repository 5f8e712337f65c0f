// The drill: each kind of state that can be recovered is lost in turn, on the real runtime, and the command of
// docs/operate.md is run as an operator runs it. Then the answers must be those of before, what was erased or revoked
// must stay so, and no number may be given twice. `npm run drill` runs this and prints how old what was recovered from
// may be (RPO), and how long it took (RTO).

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { deadLetterKey } from "../../core/archive/object-key.ts";
import { ledgerOfMerchant } from "../../core/counting/ledger-placement.ts";
import { CHANGE_LOG_AFTER_MS } from "../../core/limits.ts";
import { type Runtime, startRuntime } from "../../scripts/runtime.ts";
import { overflowed } from "../support/overflowed.ts";
import { filesOfPartition } from "../support/partition-files.ts";
import {
  Client,
  databasesOf,
  FAST,
  type Merchant,
  SECRETS,
  until,
  untilArchived,
  untilCleaned,
  untilSealed,
} from "../support/services.ts";

const ROOT = join(import.meta.dirname, "../..");
const DAY_MS = 86_400_000;
const LEDGERS = 2;
const stateDir = mkdtempSync(join(tmpdir(), "footfall-drill-"));
const databases = join(stateDir, "v3/d1");
/** Days that are closed, and today. */
const PAST = [5, 4].map((days) => Date.now() - days * DAY_MS);
const RANGE = { from: dateOf(PAST[0] ?? 0), to: dateOf(PAST[1] ?? 0) };

let runtime: Runtime;
let client: Client;
/** Two merchants whose partitions are in different ledgers, and one that is made after the backup. */
let shops: [Merchant, Merchant];
let younger: Merchant;
let revoked: { readonly id: string; readonly api_key: string };
let sent = 0;
const report: string[] = [];

beforeAll(async () => {
  await start();
  shops = [await makeIn(0, "UTC"), await makeIn(1, "Europe/Vienna")];
  for (const shop of shops) await tell(shop);
  await client.admin("POST", `/api/v1/merchants/${shops[0].id}/erasures`, { visitor_id: "forgotten" });
  const key = { name: "partner", scope: "read" };
  revoked = (await client.admin("POST", `/api/v1/merchants/${shops[0].id}/keys`, key)) as typeof revoked;
  await settle();
}, 300_000);

afterAll(async () => {
  await runtime?.stop();
  rmSync(stateDir, { recursive: true, force: true });
  console.log(report.join("\n"));
});

async function start(secrets = SECRETS): Promise<void> {
  const log = process.env["LOG"] === undefined ? () => {} : console.error;
  const vars = { ...FAST, SEAL_GRACE_MS: "0", CHANGE_LOG_AFTER_MS: "0" };
  runtime = await startRuntime({ secrets, stateDir, ledgers: LEDGERS, vars, queueWaitSeconds: 0, log });
  client = new Client(runtime);
}

/** A merchant whose numbers are in a ledger. */
async function makeIn(ledger: number, timeZone: string): Promise<Merchant> {
  for (;;) {
    const merchant = await client.createMerchant(timeZone);
    if (ledgerOfMerchant(numberOf(merchant), LEDGERS) === ledger) return merchant;
  }
}

/** Everything that came is archived, sealed where its Day is closed, and cleaned up. */
async function settle(): Promise<void> {
  await untilArchived(client);
  await untilSealed(client, RANGE);
  await untilCleaned(runtime);
}

/** Visits of three visitors on each Day, one of whom will be erased. */
async function tell(shop: Merchant): Promise<void> {
  const key = await client.createWriteKey(shop);
  const events = [...PAST, Date.now()].flatMap((at, day) =>
    ["anna", "boris", "forgotten"].flatMap((visitor_id, who) =>
      ["/", "/cart", `/${day}`].map((path, step) => ({
        visitor_id,
        url: `https://shop.example${path}`,
        timestamp: Math.min(at - 60_000 + who * 1_000 + step, Date.now()),
      })),
    ),
  );
  const reply = await client.send({ events }, { authorization: `Bearer ${key}` });
  expect(reply.body.accepted).toBe(events.length);
}

/** A hit that a page sends now, or one that it has sent before. */
async function hit(shop: Merchant, again?: number): Promise<number> {
  if (again === undefined) sent += 1;
  const event = { id: `outage ${again ?? sent}`, url: "https://shop.example/outage", visitor_id: "caesar" };
  const { status } = await client.send({ tracking_id: shop.tracking_id, events: [event] });
  return status;
}

/** What both shops are told of all Days, to the byte; hits of the outages apart. */
async function answers(): Promise<readonly unknown[]> {
  const told: unknown[] = [];
  const question = {
    metrics: ["visitors", "visits", "pageviews", "events"],
    date_range: [RANGE.from, dateOf(Date.now())],
    filters: [["is_not", "event:page", ["/outage"]]],
  };
  for (const shop of shops)
    for (const dimension of ["time:day", "event:page", "visit:source", "event:hostname"])
      told.push((await client.ask(shop, { ...question, dimensions: [dimension] })).results);
  return told;
}

/** What both shops are told of closed Days, to the byte, by numbers alone. */
async function numbers(): Promise<readonly unknown[]> {
  const told: unknown[] = [];
  const question = { metrics: ["visitors", "visits", "pageviews", "events"], date_range: [RANGE.from, RANGE.to] };
  for (const shop of shops)
    for (const dimension of ["time:day", "time:hour", "event:page", "visit:source", "event:hostname"])
      told.push((await client.ask(shop, { ...question, dimensions: [dimension] })).results);
  return told;
}

async function outagesCounted(shop: Merchant): Promise<number> {
  const filters = [["is", "event:page", ["/outage"]]];
  const { results } = await client.ask(shop, { metrics: ["pageviews"], date_range: "day", filters });
  return Number(results[0]?.metrics[0] ?? 0);
}

/** Runs a command as it stands in the table of docs/operate.md, in the row that begins with these words. */
async function runDocumented(lost: string, { folder = "" }: { readonly folder?: string } = {}): Promise<string> {
  const row = readFileSync(join(ROOT, "docs/operate.md"), "utf8")
    .split("\n")
    .find((line) => line.startsWith(`| ${lost} |`));
  const commands = [...(row ?? "").matchAll(/`footfall ((?:recover|dead-letters) [^`]+)`/g)].map(([, text]) => text);
  const command = folder === "" ? commands.at(-1) : commands.find((text) => text?.includes("<folder>"));
  if (command === undefined) throw new Error(`docs/operate.md has no command for "${lost}"`);
  return await footfall(...command.split(" ").map((word) => (word === "<folder>" ? folder : word)));
}

async function footfall(...args: readonly string[]): Promise<string> {
  const to = [
    "--query-url",
    client.queryUrl,
    "--collector-url",
    client.collectorUrl,
    "--admin-token",
    SECRETS.ADMIN_TOKEN,
  ];
  const command = [join(ROOT, "scripts/footfall.ts"), ...args, ...to];
  const { stdout } = await promisify(execFile)(process.execPath, command, { env: { PATH: process.env["PATH"] ?? "" } });
  return stdout;
}

/** The files of a database, by a table and a row that only it has. */
function filesOf(table: string, where: string): readonly string[] {
  const isIt = (file: string) => {
    const database = new DatabaseSync(file, { readOnly: true });
    try {
      return database.prepare(`SELECT 1 FROM ${table} WHERE ${where}`).get() !== undefined;
    } catch {
      return false; // it is another database
    } finally {
      database.close();
    }
  };
  const all = readdirSync(databases, { recursive: true, encoding: "utf8" }).map((name) => join(databases, name));
  const [found] = all.filter((file) => file.endsWith(".sqlite") && isIt(file));
  if (found === undefined) throw new Error(`no database has ${table}`);
  return all.filter((file) => file.startsWith(found));
}

/** No change of the directory waits to be logged. */
async function untilLogged(): Promise<void> {
  const directory = (await runtime.miniflare.getD1Database("DIRECTORY", "footfall-query")) as unknown as D1Database;
  await until(
    async () => (await directory.prepare("SELECT count(*) AS n FROM row_changes").first<{ n: number }>())?.n,
    (waiting) => waiting === 0,
  );
}

const DIRECTORY = ["deployment", "id = 1"] as const;

async function lose(table: string, where: string): Promise<void> {
  await runtime.stop();
  for (const file of filesOf(table, where)) rmSync(file);
  await start();
}

async function findings() {
  const diagnosis = (await client.admin("GET", "/api/v1/doctor")) as {
    readonly findings: readonly { state: string; whole: boolean; command: string | null }[];
  };
  return diagnosis.findings.filter(({ whole }) => !whole).map(({ state, command }) => [state, command]);
}

function noteTime(state: string, rpo: string, since: number): void {
  report.push(`drill: ${state}: RPO ${rpo}; RTO ${((Date.now() - since) / 1_000).toFixed(1)} s on this machine`);
}

const numberOf = ({ tracking_id }: Merchant) => Number.parseInt(tracking_id.slice(0, 8), 16);

test("[RCV-10] the directory is lost: merchants and numbers as before, revoked keys revoked, hits of the outage counted once", {
  timeout: 240_000,
}, async () => {
  await footfall("backup");
  await client.admin("DELETE", `/api/v1/merchants/${shops[0].id}/keys/${revoked.id}`);
  younger = await client.createMerchant("UTC");
  await tell(younger);
  await untilArchived(client);
  const before = await answers();
  const asked = { metrics: ["visitors", "pageviews", "events"], date_range: "all", dimensions: ["time:day"] };
  const { results: ofYounger } = await client.ask(younger, asked);
  expect(ofYounger).not.toEqual([]);
  await untilLogged();
  const since = Date.now();
  await lose(...DIRECTORY);
  expect(await hit(shops[0])).toBe(202);
  expect(await findings()).toContainEqual(["directory", "footfall recover directory"]);
  await expect(client.createMerchant()).rejects.toThrow();
  await runDocumented("the directory's database");
  expect(await answers()).toEqual(before);
  expect((await client.ask(younger, asked)).results).toEqual(ofYounger);
  const [soon, late] = [CHANGE_LOG_AFTER_MS / 1_000, 5];
  noteTime("the directory's database", `${soon} s of what was asked for, ${late} min of what crons do`, since);
  expect(await findings()).toEqual([]);
  await until(
    () => outagesCounted(shops[0]),
    (counted) => counted === 1,
  );
  const refused = await fetch(`${client.queryUrl}/api/v2/query`, {
    method: "POST",
    headers: { authorization: `Bearer ${revoked.api_key}` },
    body: JSON.stringify({ site_id: shops[0].id, metrics: ["pageviews"], date_range: "day" }),
  });
  expect(refused.status).toBe(401);
  const next = await client.createMerchant();
  expect(numberOf(next)).toBeGreaterThan(numberOf(younger));
  expect((await client.ask(next, { metrics: ["pageviews"], date_range: "all" })).results[0]?.metrics).toEqual([0]);
});

test("[RCV-10] the directory is restored to an earlier instant: nothing is made until it is recovered, and no hit is refused", {
  timeout: 240_000,
}, async () => {
  await runtime.stop();
  const [copy, files] = [join(stateDir, "copy"), filesOf(...DIRECTORY)];
  for (const file of files) cpSync(file, join(copy, file));
  await start();
  const shop = await client.createMerchant();
  expect(await hit(shop)).toBe(202);
  await until(
    () => outagesCounted(shop),
    (counted) => counted === 1,
  );
  const before = await answers();
  await runtime.stop();
  for (const file of files) cpSync(join(copy, file), file);
  await start();
  const since = Date.now();
  expect(await hit(shop)).toBe(202);
  expect(await findings()).toContainEqual(["directory", "footfall recover directory"]);
  await expect(client.createMerchant()).rejects.toThrow("409");
  await runDocumented("the directory, restored by Time Travel");
  expect(await answers()).toEqual(before);
  noteTime("the directory, restored", "the instant it was restored to", since);
  expect(await findings()).toEqual([]);
  expect(numberOf(await client.createMerchant())).toBeGreaterThan(numberOf(shop));
});

for (const position of [0, 1])
  test(`[RCV-7] [RCV-10] ledger ${position} is lost: the same numbers, from partitions and the archive, and no file is deleted`, {
    timeout: 240_000,
  }, async () => {
    await settle();
    const before = await answers();
    const files = await filesInArchive();
    const since = Date.now();
    await lose("identity", `position = ${position}`);
    expect(await hit(shops[0])).toBe(202);
    expect(await findings()).toEqual([[`ledger ${position}`, `footfall recover ledger ${position}`]]);
    if (position === 0) await runDocumented("a ledger's database");
    else await footfall("recover", "ledger", "1");
    await untilSealed(client, RANGE);
    expect(await answers()).toEqual(before);
    noteTime(`ledger ${position}`, "0", since);
    await untilCleaned(runtime);
    expect(await filesInArchive()).toEqual(files);
    expect(await answers()).toEqual(before);
    expect(await findings()).toEqual([]);
  });

test("[RCV-8] [RCV-10] rows of erasures are lost: who asked to be forgotten is forgotten", {
  timeout: 240_000,
}, async () => {
  const { execAll } = await databasesOf(runtime);
  const erasure = (await client.admin("POST", `/api/v1/merchants/${shops[1].id}/erasures`, {
    visitor_id: "forgotten",
  })) as { readonly id: string };
  const since = Date.now();
  await execAll("DELETE FROM erasure_parts");
  await execAll("DELETE FROM erasures");
  expect(await findings()).toEqual([["erasures", "footfall recover erasures"]]);
  await runDocumented("rows of erasures");
  expect(await findings()).toEqual([]);
  await until(
    async () => {
      await runtime.fireCrons();
      return (await client.admin("GET", `/api/v1/erasures/${erasure.id}`)) as { rows_removed: number };
    },
    ({ rows_removed }) => rows_removed === 6,
  );
  noteTime("rows of erasures", "0", since);
  const { results } = await client.ask(shops[1], { metrics: ["visitors"], date_range: [RANGE.from, RANGE.to] });
  expect(results[0]?.metrics).toEqual([2]);
});

test("[RCV-12] [RCV-10] a partition's storage is lost: the same numbers, no file is written anew, hits of the outage counted once", {
  timeout: 240_000,
}, async () => {
  const shop = shops[0];
  expect(await hit(shop)).toBe(202);
  await settle();
  const [before, counted, bundles] = [await answers(), await outagesCounted(shop), await bundlesInArchive()];
  expect(bundles.size).toBeGreaterThan(0);
  const since = Date.now();
  await runtime.stop();
  for (const file of filesOfPartition(join(stateDir, "v3/do"), "pool-0")) rmSync(file);
  await start();
  expect(await findings()).toContainEqual(["partitions", "footfall recover partition pool-0"]);
  expect(await hit(shop)).toBe(202);
  // Once it has waited in the overflow queue, that an earlier one comes again changes nothing.
  expect(await hit(shop, sent - 1)).toBe(202);
  expect(await runDocumented("a partition's storage")).toContain("it goes on at position");
  expect(await answers()).toEqual(before);
  noteTime("a partition's storage", "10 min, of what was not in the archive", since);
  await until(
    () => outagesCounted(shop),
    (count) => count === counted + 1,
  );
  await settle();
  expect(await findings()).toEqual([]);
  expect(await answers()).toEqual(before);
  expect(await outagesCounted(shop)).toBe(counted + 1);
  for (const [key, etag] of await bundlesInArchive())
    if (bundles.has(key)) expect([key, etag]).toEqual([key, bundles.get(key)]);
});

test("[RCV-13] [RCV-10] a partition's storage is put back to an earlier instant: it notices, and the same numbers come back", {
  timeout: 240_000,
}, async () => {
  const shop = shops[0];
  await settle();
  const told = await eventsTold();
  await runtime.stop();
  const [copy, files] = [join(stateDir, "put-back"), filesOfPartition(join(stateDir, "v3/do"), "pool-0")];
  for (const file of files) cpSync(file, join(copy, file));
  await start();
  for (let hits = 0; hits < 3; hits++) expect(await hit(shop)).toBe(202);
  await settle();
  await until(eventsTold, (events) => events >= told + 3);
  const [before, counted, bundles] = [await answers(), await outagesCounted(shop), await bundlesInArchive()];
  const since = Date.now();
  await runtime.stop();
  for (const file of filesOfPartition(join(stateDir, "v3/do"), "pool-0")) rmSync(file);
  for (const file of files) cpSync(join(copy, file), file);
  await start();
  expect(await findings()).toContainEqual(["partitions", "footfall recover partition pool-0"]);
  expect(await hit(shop)).toBe(202);
  await runDocumented("a partition's storage");
  expect(await answers()).toEqual(before);
  noteTime("a partition's storage, put back", "10 min, of what was not in the archive", since);
  await until(
    () => outagesCounted(shop),
    (count) => count === counted + 1,
  );
  await settle();
  expect(await findings()).toEqual([]);
  for (const [key, etag] of await bundlesInArchive())
    if (bundles.has(key)) expect([key, etag]).toEqual([key, bundles.get(key)]);
});

test("[DLQ-3] [RCV-10] dead letters: what could not be handled is handled, and counted once", {
  timeout: 240_000,
}, async () => {
  const [, shop] = shops;
  const counted = await outagesCounted(shop);
  const letter = overflowed(shop, "a letter", "https://shop.example/outage");
  const digest = createHash("sha256").update(letter).digest("hex");
  const bucket = (await runtime.miniflare.getR2Bucket("BUCKET", "footfall-query")) as unknown as R2Bucket;
  await bucket.put(deadLetterKey({ queue: "footfall-overflow", digest }), letter);
  const since = Date.now();
  expect(await findings()).toEqual([["dead letters", "footfall dead-letters redrive"]]);
  await runDocumented("dead letters");
  await until(
    () => outagesCounted(shop),
    (count) => count === counted + 1,
  );
  noteTime("dead letters", "0", since);
  expect(await findings()).toEqual([]);
});

test("[RCV-10] secrets are lost, and put back from the safe: no tracking ID holds without them, then all do, and the numbers stay", {
  timeout: 240_000,
}, async () => {
  const [shop] = shops;
  const counted = await outagesCounted(shop);
  await settle();
  const before = await answers();
  await runtime.stop();
  await start({ ...SECRETS, TRACKING_SECRET: "another secret than that of the safe" });
  expect(await hit(shop)).toBe(400);
  const since = Date.now();
  await runtime.stop();
  await start();
  expect(await hit(shop, sent)).toBe(202);
  await until(
    () => outagesCounted(shop),
    (count) => count === counted + 1,
  );
  noteTime("secrets", "hits are refused meanwhile", since);
  expect(await answers()).toEqual(before);
  expect(await findings()).toEqual([]);
});

test("[RCV-15] [RCV-16] [RCV-17] [RCV-10] the bucket is lost: the same numbers from a copy, who was erased since stays erased, no number twice", {
  timeout: 400_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "footfall-copy-"));
  try {
    await settle();
    await footfall("backup", "bucket", "--to", folder);
    const copied = await footfall("backup", "bucket", "--to", folder);
    expect(Number(/is a copy of the bucket.* (\d+) of them new/.exec(copied)?.[1])).toBeLessThan(10);
    // Since the copy: a merchant, late events of a closed Day, events of today, an erasure, and a key that is revoked.
    const made = await client.createMerchant();
    const key = { name: "partner", scope: "read" };
    const path = `/api/v1/merchants/${shops[0].id}/keys`;
    const { id } = (await client.admin("POST", path, key)) as { readonly id: string };
    await client.admin("DELETE", `${path}/${id}`);
    const late = { visitor_id: "anna", url: "https://shop.example/late", timestamp: (PAST[1] ?? 0) - 60_000 };
    const write = await client.createWriteKey(shops[0]);
    const sentLate = await client.send({ events: [late] }, { authorization: `Bearer ${write}` });
    expect(sentLate.body.accepted).toBe(1);
    expect(await hit(shops[0])).toBe(202);
    const erasure = (await client.admin("POST", `/api/v1/merchants/${shops[1].id}/erasures`, {
      visitor_id: "boris",
    })) as { readonly id: string };
    await settle();
    await untilErased(erasure.id, 6);
    const [before, counted, rows] = [await numbers(), await outagesCounted(shops[0]), await exported(shops[1])];
    expect(rows).toBeGreaterThan(0);
    const bucket = (await runtime.miniflare.getR2Bucket("BUCKET", "footfall-query")) as unknown as R2Bucket;
    for (;;) {
      const { objects } = await bucket.list();
      if (objects.length === 0) break;
      await bucket.delete(objects.map((object) => object.key));
    }
    const since = Date.now();
    expect(await hit(shops[0])).toBe(202);
    expect(await findings()).toContainEqual(["bucket", "footfall recover bucket"]);
    // The nightly copy does not follow the loss; and a file of the copy that is damaged is left out, and named.
    await expect(footfall("backup", "bucket", "--to", folder)).rejects.toThrow("is it lost?");
    const [damaged = ""] = readdirSync(join(folder, "keys/visitor"));
    appendFileSync(join(folder, "keys/visitor", damaged), " ");
    expect(await runDocumented("the bucket, or objects of it", { folder })).toMatch(
      new RegExp(
        `objects were put back[^]*1 files of the copy are damaged or gone, and were left out: keys/visitor/${damaged}`,
      ),
    );
    expect(await numbers()).toEqual(before);
    noteTime("the bucket", "the age of the copy, of events; numbers 0", since);
    await until(
      () => outagesCounted(shops[0]),
      (count) => count === counted + 1,
    );
    await settle();
    await untilErased(erasure.id, 6);
    expect(await findings()).toEqual([]);
    expect(await numbers()).toEqual(before);
    expect(await exported(shops[1])).toBe(rows);
    const days = (await client.admin("GET", `/api/v1/archive/days?from=${RANGE.from}&to=${RANGE.to}`)) as {
      readonly days: readonly { readonly date: string; readonly partition: string; readonly lost_merchants: number }[];
    };
    const lost = days.days.filter((day) => day.lost_merchants > 0).map((day) => [day.date, day.lost_merchants]);
    expect(lost).toEqual([[RANGE.to, 1]]);
    const asked = { metrics: ["events"], date_range: [RANGE.from, RANGE.to] };
    const ofEvents = { ...asked, dimensions: ["event:page", "event:hostname"] };
    await expect(client.ask(shops[0], ofEvents)).rejects.toThrow(`Events of ${RANGE.to} were lost`);
    expect((await client.ask(shops[1], ofEvents)).results).not.toEqual([]);
    // Of an open Day it shows when it is closed.
    const today = { ...ofEvents, date_range: "day" };
    await expect(client.ask(shops[0], today)).rejects.toThrow(`Events of ${dateOf(Date.now())} may be lost`);
    const next = await client.createMerchant();
    expect(numberOf(next)).toBeGreaterThan(numberOf(made));
    // A backup of after it knows what was revoked before it, and an earlier one does not let it in.
    const gone = await bucketKeys("gone/api_keys/");
    expect(gone.some((name) => name.endsWith(id))).toBe(true);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Its rows are gone from closed Days; those of open Days go when they are sealed. */
async function untilErased(id: string, rows: number): Promise<void> {
  await until(
    async () => {
      await runtime.fireCrons();
      return (await client.admin("GET", `/api/v1/erasures/${id}`)) as { readonly rows_removed: number };
    },
    ({ rows_removed }) => rows_removed >= rows,
  );
}

/** Rows of closed Days that an export of a shop has. */
async function exported({ id }: Merchant): Promise<number> {
  const path = `/api/v1/merchants/${id}/events?from=${RANGE.from}&to=${RANGE.to}`;
  const response = await fetch(client.queryUrl + path, { headers: { authorization: `Bearer ${SECRETS.ADMIN_TOKEN}` } });
  expect(response.status).toBe(200);
  return (await response.text()).split("\n").filter((line) => line !== "").length;
}

async function bucketKeys(prefix: string): Promise<readonly string[]> {
  const bucket = (await runtime.miniflare.getR2Bucket("BUCKET", "footfall-query")) as unknown as R2Bucket;
  return (await bucket.list({ prefix })).objects.map(({ key }) => key);
}

/** How many events a partition has told its ledger of. */
async function eventsTold(): Promise<number> {
  const { rowsOfAll } = await databasesOf(runtime);
  const rows = await rowsOfAll<{ events: number }>("SELECT events FROM partition_status WHERE partition = 'pool-0'");
  return Math.max(0, ...rows.map(({ events }) => events));
}

/** Bundles in the archive, with what says whether their bytes are the same. */
async function bundlesInArchive(): Promise<ReadonlyMap<string, string>> {
  const bucket = (await runtime.miniflare.getR2Bucket("BUCKET", "footfall-query")) as unknown as R2Bucket;
  const { objects } = await bucket.list({ prefix: "events/" });
  return new Map(objects.map(({ key, etag }) => [key, etag]));
}

/** Keys of sealed files, without what only a seal that goes on needs. */
async function filesInArchive(): Promise<readonly string[]> {
  const bucket = (await runtime.miniflare.getR2Bucket("BUCKET", "footfall-query")) as unknown as R2Bucket;
  const { objects } = await bucket.list({ prefix: "sealed/" });
  return objects.map(({ key }) => key).filter((key) => !key.endsWith(".part.json"));
}

function dateOf(instant: number): string {
  return new Date(instant).toISOString().slice(0, 10);
}
