// Replay jobs on the real runtime: what was counted live is what the archive gives; a number that was changed by hand
// is found, put right and, if asked, put wrong again; and neither repeated messages nor lost ones change anything.

import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeBreakdown } from "../../core/counting/rollup.ts";
import { NO_RULES, type RuleTimeline, takeBackFromDays } from "../../core/rules.ts";
import type { Runtime } from "../../scripts/runtime.ts";
import { findScope, writeTimeline } from "../../storage/directory/rules.ts";
import { randomOf } from "../support/archive-fixture.ts";
import { CHROME, GOOGLEBOT, IPHONE } from "../support/events.ts";
import {
  type Client,
  databasesOf,
  type Merchant,
  NEVER_CLOSED,
  type RunningDatabases,
  SECRETS,
  startServices,
  until,
  untilArchived,
} from "../support/services.ts";

const ZONES = ["UTC", "Asia/Kolkata", "America/New_York", "Australia/Lord_Howe"];
const FROM = "2026-10-23";
const TO = "2026-10-27";
const DAY_MS = 86_400_000;

interface Job {
  readonly id: string;
  readonly state: string;
  readonly parts: { readonly all: number; readonly done: number; readonly failed: number; readonly undone: number };
  readonly events: number;
  readonly events_per_second: number;
  readonly buckets: number;
  readonly differences: number;
  readonly in_doubt: number;
  readonly unpublished: number;
  readonly replaced: number;
  readonly first_differences: readonly {
    readonly merchant: string;
    readonly bucket: string;
    readonly mismatches: readonly { readonly what: string; readonly held: unknown; readonly replayed: unknown }[];
  }[];
}

let services: { runtime: Runtime; client: Client; stop: () => Promise<void> };
let databases: RunningDatabases;
const merchants: Merchant[] = [];
let sent = 0;

beforeAll(async () => {
  services = await startServices(NEVER_CLOSED);
  databases = await databasesOf(services.runtime);
  for (const zone of ZONES) merchants.push(await services.client.createMerchant(zone));
  for (const [seed, merchant] of merchants.entries()) sent += await sendTraffic(merchant, randomOf(seed + 1));
  await untilArchived(services.client);
  await untilPublished();
});
afterAll(() => services?.stop());

test("[RPL-7] verify right after live counting finds no difference in any metric, breakdown or sketch", async () => {
  const response = await fetch(`${services.client.queryUrl}/api/v1/replays`, {
    method: "POST",
    headers: { authorization: `Bearer ${SECRETS.ADMIN_TOKEN}` },
    body: JSON.stringify({ kind: "verify", from: "2026-10-20", to: "2026-10-30" }),
  });
  const { id } = (await response.json()) as Job;
  expect([response.status, response.headers.get("location")]).toEqual([202, `/api/v1/replays/${id}`]);
  const job = await ended(id);
  expect(job).toMatchObject({ state: "done", differences: 0, in_doubt: 0, events: sent, first_differences: [] });
  expect(job.parts).toEqual({ all: 22, done: 22, failed: 0, undone: 0 });
  expect(job.buckets).toBeGreaterThan(300);
  console.log(`replay: ${job.events} events, ${job.buckets} buckets, ${job.events_per_second} events/s, 0 differences`);
});

test("[RPL-4] today's open Hours are verified too, and what is not archived yet is in doubt at most", async () => {
  const [merchant] = merchants as [Merchant];
  const events = Array.from({ length: 50 }, (_, index) => ({ url: `https://shop.example/${index % 5}` }));
  await services.client.send({ tracking_id: merchant.tracking_id, events });
  const today = new Date().toISOString().slice(0, 10);
  const soon = await replay({ kind: "verify", from: today, to: today, merchants: [merchant.id] });
  expect(soon).toMatchObject({ state: "done", differences: 0 });
  await untilArchived(services.client);
  const later = await replay({ kind: "verify", from: today, to: today, merchants: [merchant.id] });
  expect(later).toMatchObject({ state: "done", differences: 0, in_doubt: 0, events: 50 });
});

test("[RPL-8] a number changed by hand is found and named; a rebuild puts it right, an undo puts it back", async () => {
  const [, merchant] = merchants as [Merchant, Merchant];
  const range = { from: FROM, to: TO };
  const right = await numbers(merchant);
  const before = await dump();
  await corrupt(merchant);
  const wrong = await numbers(merchant);
  const wrongDump = await dump();
  expect(wrong).not.toEqual(right);

  const verified = await replay({ kind: "verify", ...range });
  expect(verified).toMatchObject({ differences: 3, in_doubt: 0, replaced: 0 });
  const [extra, changed, missing] = [...verified.first_differences].sort((a, b) => (a.bucket < b.bucket ? -1 : 1));
  expect([extra, changed, missing].map((one) => one?.merchant)).toEqual([merchant.id, merchant.id, merchant.id]);
  expect(verified.first_differences.map(({ bucket }) => bucket)).toContain("2026-10-25");
  expect(verified.first_differences.find(({ bucket }) => bucket === "2026-10-25")?.mismatches[0]).toMatchObject({
    what: "pageviews",
    held: 4_242,
  });
  expect(await dump()).toEqual(wrongDump);

  const rebuilt = await replay({ kind: "rebuild", ...range });
  expect(rebuilt).toMatchObject({ state: "done", differences: 3, replaced: 3, unpublished: 0 });
  expect(await numbers(merchant)).toEqual(right);
  expect((await dump()).map(withoutVersion)).toEqual(before.map(withoutVersion));
  expect(await replay({ kind: "verify", ...range })).toMatchObject({ differences: 0 });

  await services.client.admin("POST", `/api/v1/replays/${rebuilt.id}/undo`);
  expect(await ended(rebuilt.id)).toMatchObject({ state: "undone", parts: { undone: 10 } });
  expect(await numbers(merchant)).toEqual(wrong);
  expect(await dump()).toEqual(wrongDump);
  expect(await replay({ kind: "rebuild", ...range, merchants: [merchant.id] })).toMatchObject({ replaced: 3 });
});

test("[RPL-9] a message delivered twice, or lost, changes nothing", async () => {
  const job = await replay({ kind: "rebuild", from: FROM, to: FROM });
  const before = await dump();
  const [part] = await rows<{ job: string; day: number; partition: string }>(
    `SELECT job, day, "partition" FROM replay_parts WHERE job = '${job.id}'`,
  );
  const worker = await services.runtime.miniflare.getWorker("footfall-background");
  const message = (id: string) => ({ id, timestamp: new Date(), attempts: 1, body: part });
  const deliver = () => worker.queue("footfall-replay", [message("once"), message("twice")]);
  expect((await deliver()).outcome).toBe("ok");
  expect(await services.client.admin("GET", `/api/v1/replays/${job.id}`)).toEqual(job);

  // As if every process had died with the messages of a running job: the parts wait, their messages are gone.
  await changeHeader(job.id, "state = 'running', finished_at = NULL, epoch = epoch + 1");
  await databases.execAll(`UPDATE replay_parts SET state = 'waiting', sent_at = 1 WHERE job = '${job.id}'`);
  await services.runtime.fireCrons();
  const [deliveries, again] = await Promise.all([Promise.all([deliver(), deliver()]), ended(job.id)]);
  expect(deliveries.map(({ outcome }) => outcome)).toEqual(["ok", "ok"]);
  expect(again).toMatchObject({ state: "done", differences: 0, events: job.events });
  expect(await dump()).toEqual(before);
});

test("[RPL-9] a part that cannot be read is listed as failed and holds nothing up; resume tries it again", async () => {
  const bucket = await services.runtime.miniflare.getR2Bucket("BUCKET", "footfall-query");
  const key = "events/date=2026-10-24/partition=pool-0/9999999999999.parquet";
  await bucket.put(key, "no Parquet at all");
  const job = await replay({ kind: "verify", from: FROM, to: TO });
  expect(job).toMatchObject({ state: "done", differences: 0, parts: { all: 10, done: 9, failed: 1 } });
  expect(job).toMatchObject({ failed_parts: [{ date: "2026-10-24", partition: "pool-0", state: "failed" }] });
  await bucket.delete(key);
  await services.client.admin("POST", `/api/v1/replays/${job.id}/resume`);
  expect(await ended(job.id)).toMatchObject({ state: "done", parts: { done: 10, failed: 0 }, failed_parts: [] });
});

test("[RPL-11] two rebuilds of a Day do not run at once; one pauses, resumes, is cancelled and cannot be undone twice", async () => {
  const { client } = services;
  const body = { kind: "rebuild", from: FROM, to: TO };
  const first = await replay(body);
  await changeHeader(first.id, "state = 'paused', epoch = epoch + 1, fenced = epoch + 1");
  await expect(client.admin("POST", "/api/v1/replays", { ...body, from: TO })).rejects.toThrow("409");
  await expect(client.admin("POST", `/api/v1/replays/${first.id}/pause`)).rejects.toThrow("409");
  expect((await replay({ ...body, kind: "verify" })).state).toBe("done");
  expect((await replay({ ...body, from: "2026-10-28", to: "2026-10-28" })).state).toBe("done");
  await client.admin("POST", `/api/v1/replays/${first.id}/resume`);
  expect((await ended(first.id)).state).toBe("done");
  const second = await replay(body);
  await expect(client.admin("POST", `/api/v1/replays/${first.id}/undo`)).rejects.toThrow("later rebuild");
  for (const { id } of [second, first]) {
    await client.admin("POST", `/api/v1/replays/${id}/undo`);
    expect((await ended(id)).state).toBe("undone");
  }
  await expect(client.admin("POST", `/api/v1/replays/${first.id}/undo`)).rejects.toThrow("409");
  await expect(client.admin("POST", `/api/v1/replays/${first.id}/cancel`)).rejects.toThrow("409");
});

test("[RPL-10] a late event after a rebuild is counted: the partition's next row takes the rebuilt one's place", async () => {
  const [, merchant] = merchants as [Merchant, Merchant];
  const [[before]] = (await numbers(merchant)) as [[number]];
  const timestamp = Date.UTC(2026, 9, 25, 6);
  await services.client.send({
    tracking_id: merchant.tracking_id,
    events: [{ id: "late", timestamp, url: "https://shop.example/late" }],
  });
  const [[after]] = (await numbers(merchant)) as [[number]];
  expect(after).toBe(before + 1);
  await untilPublished();
  await untilArchived(services.client);
  expect(await replay({ kind: "verify", from: FROM, to: TO })).toMatchObject({ differences: 0, in_doubt: 0 });
});

test("[RPL-13] with rules applied to past Days a rebuild shows what they would have shown, and an undo the numbers before", async () => {
  const { client } = services;
  const [late, always] = [await client.createMerchant("Europe/Vienna"), await client.createMerchant("Europe/Vienna")];
  await setTimeline(always, (timeline) => [...timeline, PAST]);
  const events = Array.from({ length: 600 }, (_, index) => ({
    url: `https://${["shop.example", "www.shop.example", "copy.example"][index % 3]}/${index % 8}`,
    visitor_id: `visitor ${index % 35}`,
    timestamp: Date.UTC(2026, 9, 24) + index * 500_000,
  }));
  for (const { tracking_id } of [late, always]) await client.send({ tracking_id, events });
  await untilArchived(client);
  await untilPublished();
  const before = await breakdowns(late);
  const right = await breakdowns(always);
  expect(before).not.toEqual(right);

  await setTimeline(late, (timeline) => [...timeline, PAST]);
  expect(await breakdowns(late)).toEqual(before);
  const range = { from: FROM, to: TO, merchants: [late.id] };
  const rebuilt = await replay({ kind: "rebuild", ...range });
  expect(rebuilt).toMatchObject({ state: "done", in_doubt: 0, unpublished: 0 });
  expect(rebuilt.replaced).toBeGreaterThan(50);
  expect(await breakdowns(late)).toEqual(right);
  expect(await replay({ kind: "verify", ...range })).toMatchObject({ differences: 0 });
  await client.admin("POST", `/api/v1/replays/${rebuilt.id}/undo`);
  expect((await ended(rebuilt.id)).state).toBe("undone");
  expect(await breakdowns(late)).toEqual(before);
  await setTimeline(late, (timeline) => takeBackFromDays(timeline, PAST));
  expect(await replay({ kind: "verify", ...range })).toMatchObject({ differences: 0 });
});

const PAST = {
  version: 1,
  rules: { ...NO_RULES, hostnames: ["shop.example"] },
  days: [Date.parse(FROM) / DAY_MS, Date.parse(TO) / DAY_MS + 1],
} as const;

async function setTimeline(merchant: Merchant, change: (timeline: RuleTimeline) => RuleTimeline): Promise<void> {
  const scope = await findScope(databases.directory, Number.parseInt(merchant.tracking_id.slice(0, 8), 16));
  if (scope === undefined) throw new Error("no such merchant");
  const written = await writeTimeline(databases, { merchant: scope, timeline: change(scope.rules) });
  expect(written).not.toBe("stale");
}

test("[RPL-12] what cannot be replayed is refused with the field and the reason", async () => {
  const { client } = services;
  const cases: readonly (readonly [object, string])[] = [
    [{ kind: "refill", from: FROM, to: TO }, "kind"],
    [{ kind: "verify", from: TO, to: FROM }, "to"],
    [{ kind: "verify", from: "2026-02-30", to: TO }, "from"],
    [{ kind: "verify", from: "2020-01-01", to: TO }, "to"],
    [{ kind: "verify", from: FROM, to: TO, merchants: [`mer_${"a".repeat(24)}`] }, "merchants"],
  ];
  for (const [body, field] of cases)
    await expect(client.admin("POST", "/api/v1/replays", body)).rejects.toThrow(`"field":"${field}"`);
});

/** Asks for a job and waits for its end. */
async function replay(body: object): Promise<Job> {
  return ended(((await services.client.admin("POST", "/api/v1/replays", body)) as Job).id);
}

function ended(id: string): Promise<Job> {
  return until(
    async () => (await services.client.admin("GET", `/api/v1/replays/${id}`)) as Job,
    ({ state }) => state !== "running" && state !== "undoing",
    30_000,
  );
}

/** Five Days around a clock change: visitors with several visits, sources, devices, revenue, engagement, bots. */
async function sendTraffic(merchant: Merchant, random: () => number): Promise<number> {
  const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)] as T;
  const events = Array.from({ length: 900 }, (_, index) => {
    const name = pick(["pageview", "pageview", "pageview", "purchase", "engagement"]);
    return {
      id: `event ${index}`,
      name,
      visitor_id: `visitor ${Math.floor(random() * 200)}`,
      url: `https://shop.example/${Math.floor(random() * 40)}?utm_source=${pick(["", "letter", "spring"])}`,
      referrer: pick(["", "https://www.google.com/", "https://news.example/story"]),
      user_agent: pick([CHROME, CHROME, IPHONE, GOOGLEBOT]),
      timestamp: Date.UTC(2026, 9, 23) + Math.floor(random() * 5 * DAY_MS),
      ...(name === "purchase" && { revenue: { amount: 19.99, currency: pick(["EUR", "USD"]) } }),
      ...(name === "engagement" && { engagement_ms: Math.floor(random() * 60_000) }),
    };
  });
  const { status, body } = await services.client.send({ tracking_id: merchant.tracking_id, events });
  expect([status, body.rejected]).toEqual([202, []]);
  return events.length;
}

/** Until what is closed lies in D1: only today's may be left. */
async function untilPublished(): Promise<void> {
  await until(
    async () => {
      const { partitions } = (await services.client.admin("GET", "/api/v1/partitions")) as {
        partitions: { unpublished_rollups: number }[];
      };
      return partitions.reduce((sum, row) => sum + row.unpublished_rollups, 0);
    },
    (unpublished) => unpublished <= 2,
  );
}

async function numbers(merchant: Merchant): Promise<readonly (readonly unknown[])[]> {
  const metrics = ["pageviews", "visitors", "visits", "events", "total_revenue"];
  const question = { metrics, date_range: [FROM, TO], dimensions: ["time:day"] };
  const total = await services.client.ask(merchant, { ...question, dimensions: [] });
  const days = await services.client.ask(merchant, question);
  return [...total.results, ...days.results].map((result) => result.metrics);
}

/** The numbers by Hour, and by page and hostname. */
async function breakdowns(merchant: Merchant): Promise<readonly unknown[]> {
  const question = { metrics: ["visitors", "pageviews", "events"], date_range: [FROM, TO] };
  const visits = { ...question, metrics: [...question.metrics, "visits", "bounce_rate", "visit_duration"] };
  const asked = [
    { ...visits, dimensions: ["time:hour"] },
    { ...visits, dimensions: ["visit:entry_page"] },
    { ...question, dimensions: ["event:page"] },
    { ...question, dimensions: ["event:hostname"] },
  ];
  return (await Promise.all(asked.map((one) => services.client.ask(merchant, one)))).map(({ results }) => results);
}

/** One number of a Day, one Hour that is gone, and one that nobody ever had. */
/** Whoever writes a rollup gives it another version: readers remember rows by it (MBR-1). */
async function corrupt(merchant: Merchant): Promise<void> {
  const number = Number.parseInt(merchant.tracking_id.slice(0, 8), 16);
  const day = Date.UTC(2026, 9, 25) / DAY_MS;
  await databases.execAll(
    `UPDATE daily SET pageviews = 4242, version = version + 0.0001 WHERE merchant = ${number} AND bucket = ${day}`,
  );
  const hours = await rows<{ bucket: number }>(
    `SELECT bucket FROM hourly WHERE merchant = ${number} AND day = ${day} ORDER BY bucket`,
  );
  await databases.execAll(`DELETE FROM hourly WHERE merchant = ${number} AND bucket = ${hours[3]?.bucket}`);
  const noPages = Buffer.from(encodeBreakdown({ cut: false, entries: [] })).toString("hex");
  const garbled = `by_page = x'${noPages}', sketch = x'0e00', version = version + 0.0001`;
  await databases.execAll(`UPDATE hourly SET ${garbled} WHERE merchant = ${number} AND bucket = ${hours[5]?.bucket}`);
}

async function rows<Row>(sql: string): Promise<readonly Row[]> {
  return await databases.rowsOfAll<Row>(sql);
}

async function changeHeader(id: string, sets: string): Promise<void> {
  await databases.directory.prepare(`UPDATE replay_jobs SET ${sets} WHERE id = '${id}'`).run();
}

/** Every rollup of the Days in question, to the byte. */
async function dump(): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const [from, to] = [Date.UTC(2026, 9, 20) / DAY_MS, Date.UTC(2026, 9, 30) / DAY_MS];
  const tables = ["hourly", "daily"].map((table) =>
    rows<Readonly<Record<string, unknown>>>(
      `SELECT * FROM ${table} WHERE day BETWEEN ${from} AND ${to} ORDER BY merchant, bucket, "partition"`,
    ),
  );
  return (await Promise.all(tables)).flat();
}

function withoutVersion({ version, ...row }: Readonly<Record<string, unknown>>): object {
  return { ...row, positioned: Number(version) >= 1 };
}
