// The catalogue: hundreds of questions to the running product and to DuckDB over its archive, which must agree: over
// open Days, over sealed ones whose bundles are gone, with late events beside them, and over all of that together.

import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NO_RULES } from "../../core/rules.ts";
import { findScope, writeTimeline } from "../../storage/directory/rules.ts";
import {
  type CataloguedQuestion,
  catalogue,
  GOALS,
  type Span,
  toSql,
  trafficOf,
  viewsOf,
  written,
  ZONES,
} from "../support/catalogue.ts";
import { askMetered, COST_HEAD, costLine, costOf, readStock } from "../support/catalogue-cost.ts";
import { archiveObjects, openArchive } from "../support/duckdb.ts";
import {
  type Answered,
  type Client,
  databasesOf,
  type Merchant,
  NEVER_CLOSED,
  startServices,
  until,
  untilArchived,
  untilCleaned,
  untilSealed,
} from "../support/services.ts";

/** A week with a clock change in Vienna. */
const FROM = Date.UTC(2026, 9, 21);
const RANGE = ["2026-10-21", "2026-10-28"] as const;
/** With the shop's offset behind each. */
const INSTANTS = ["2026-10-22T07:00:00", "2026-10-24T18:00:00"] as const;
const HOUR_MS = 3_600_000;
/** Those on which, in every zone, something was sent. */
const DATES = ["2026-10-21", "2026-10-22", "2026-10-23", "2026-10-24", "2026-10-25", "2026-10-26", "2026-10-27"];

interface Shop extends Merchant {
  readonly number: number;
  readonly zone: string;
  readonly currency: string;
  readonly offset: string;
}

let services: Awaited<ReturnType<typeof startServices>>;
let archive: Awaited<ReturnType<typeof openArchive>>;
const shops: Shop[] = [];

beforeAll(async () => {
  services = await startServices({ ...NEVER_CLOSED, DRAIN_AFTER_MS: "5000" });
  const { client } = services;
  for (const [seed, { zone, currency, offset }] of ZONES.entries()) {
    const merchant = await client.createMerchant(zone, currency);
    shops.push({ ...merchant, zone, currency, offset, number: Number.parseInt(merchant.tracking_id.slice(0, 8), 16) });
    await setGoals(merchant);
    for (const { headers, events } of trafficOf(seed + 1, { from: FROM, hours: 7 * 24 })) {
      const { body } = await client.send({ tracking_id: merchant.tracking_id, events }, headers);
      expect(body.rejected).toEqual([]);
    }
  }
  await untilArchived(client);
  await untilPublished(client);
  await openCopy();
}, 180_000);
afterAll(async () => {
  archive?.close();
  await services?.stop();
});

test("[SCN-7] every question of the catalogue has the answer that SQL over the archive gives", {
  timeout: 900_000,
}, async () => {
  const questions = catalogue(RANGE);
  expect(questions.length).toBeGreaterThanOrEqual(200);
  expect(await wrongOf(questions, "open Days")).toEqual([]);
});

test("[SCN-5] a filtered question counts an event from its acknowledgement on, and while it moves to the archive", async () => {
  const { client } = services;
  const merchant = await client.createMerchant("Asia/Kolkata");
  const question = {
    metrics: ["visitors", "pageviews", "events"],
    date_range: "day",
    filters: [["is", "event:props:plan", ["pro"]]],
  };
  for (let sent = 1; sent <= 25; sent++) {
    await client.send({
      tracking_id: merchant.tracking_id,
      url: "https://shop.example/",
      visitor_id: `person ${sent}`,
      props: { plan: "pro" },
    });
    expect((await client.ask(merchant, question)).results[0]?.metrics).toEqual([sent, sent, sent]);
  }
  await untilArchived(client);
  const answer = await client.ask(merchant, question);
  expect(answer.results[0]?.metrics).toEqual([25, 25, 25]);
  expect(answer.meta["sources"]).toMatchObject({ from: "archive", objects: expect.any(Number) });
});

test("[JOB-1] [JOB-4] a question over two hundred Days is a job on its queue, and its answer that of rollups", async () => {
  const { client } = services;
  const merchant = await client.createMerchant("Europe/Vienna");
  const events = Array.from({ length: 215 }, (_, day) => ({
    url: `https://shop.example/${day % 2}`,
    visitor_id: `person ${day % 50}`,
    timestamp: Date.UTC(2026, 9, 20, 12) - day * 86_400_000,
  }));
  expect((await client.send({ tracking_id: merchant.tracking_id, events })).status).toBe(202);
  await untilArchived(client);
  await untilPublished(client);
  const question = {
    site_id: merchant.id,
    metrics: ["visitors", "pageviews"],
    date_range: "all",
    dimensions: ["event:page"],
  };
  const rollups = await client.ask(merchant, question);
  expect(rollups.meta["sources"]).toMatchObject({ from: "rollups" });
  const response = await fetch(`${client.queryUrl}/api/v2/query`, {
    method: "POST",
    headers: { authorization: `Bearer ${merchant.api_key}`, prefer: "wait=25" },
    body: JSON.stringify({ ...question, accuracy: "exact" }),
  });
  const answer = (await response.json()) as { readonly results: unknown; readonly meta: object };
  expect([response.status, answer.results]).toEqual([200, rollups.results]);
  expect(answer.meta).toMatchObject({ visitors: { exact: true }, sources: { from: "archive", objects: 11 } });
});

test("[SCN-7] sealed Days, late events, open Days and the last 24 hours answer alike, together as well", {
  timeout: 900_000,
}, async () => {
  const sealAfterMs = String(Date.now() - Date.UTC(2026, 9, 24, 12)); // the 24th is closed, the 25th is not
  await restart({ SEAL_AFTER_MS: sealAfterMs, SEAL_GRACE_MS: "0" });
  await seal("2026-10-20", "2026-10-24");
  for (const date of DATES.slice(0, 4)) expect(await bundlesOf(date), date).toBe(0);
  await restart({ SEAL_AFTER_MS: sealAfterMs }); // from here on nothing is deleted while it is looked at
  const { client } = services;
  for (const [seed, shop] of shops.entries()) {
    const late = trafficOf(seed + 101, { from: FROM, hours: 3 * 24 - 12 });
    const recent = trafficOf(seed + 201, { from: Date.now() - 34 * HOUR_MS, hours: 30 });
    const again = trafficOf(seed + 1, { from: FROM, hours: 7 * 24 }).slice(0, 10);
    for (const { headers, events } of [...late, ...recent, ...again]) {
      const { body } = await client.send({ tracking_id: shop.tracking_id, events }, headers);
      expect(body.rejected).toEqual([]);
    }
  }
  await untilArchived(client);
  await untilSealed(client, { from: "2026-10-20", to: "2026-10-24" });
  await openCopy();
  const seen = new Set<number>();
  for (const date of DATES) seen.add(Math.min(1, await bundlesOf(date)));
  expect(seen).toEqual(new Set([1])); // late ones beside sealed files, and open Days
  const questions = catalogue(RANGE);
  const instants = questions.filter(({ date_range: [first, last] }, at) => at % 3 === 0 && first !== last);
  const hours = instants
    .filter((_, at) => at % 2 === 0)
    .map((question) => ({ ...question, date_range: "24h" as const }));
  const ofInstants = instants.map((question) => ({ ...question, date_range: INSTANTS }));
  expect(await wrongOf([...questions, ...ofInstants, ...hours], "sealed, late and open Days")).toEqual([]);
});

test("[SCN-7] Days of which nothing is left but sealed files answer as SQL over those files does", {
  timeout: 900_000,
}, async () => {
  await restart({ SEAL_GRACE_MS: "0" });
  await seal("2026-10-20", "2026-10-29");
  for (const date of DATES.slice(4)) expect(await bundlesOf(date), date).toBe(0);
  await openCopy();
  expect(await wrongOf(catalogue(RANGE), "sealed Days")).toEqual([]);
});

test("[SCN-8] each question of the catalogue costs what its range has, and what the table of costs says", {
  timeout: 900_000,
}, async () => {
  const HOUR = String(3_600_000);
  // An isolate that remembers nothing.
  await restart({ SEAL_GRACE_MS: "0", STATUS_READ_EVERY_MS: HOUR, ANSWERS_KEPT_MS: "0" });
  const [shop] = shops as [Shop];
  await services.client.ask(shop, { metrics: ["visitors"], date_range: "day" }); // the first answer reads the status
  const stock = await readStock(services.runtime, shop.number);
  const questions = catalogue(RANGE);
  const byInstants = questions.filter(({ date_range: [first, last] }, at) => at % 3 === 0 && first !== last);
  const ofInstants = byInstants.map((question) => ({ ...question, date_range: INSTANTS }));
  const lines: string[] = [];
  const wrong: unknown[] = [];
  for (const question of [...questions, ...ofInstants]) {
    const { where: _, ...asked } = question;
    const date_range = asked.date_range === INSTANTS ? INSTANTS.map((end) => end + shop.offset) : asked.date_range;
    const ask = () => services.client.ask(shop, { ...asked, date_range });
    const { answer, cost, d1Rows } = await askMetered(services.client, ask);
    const expected = costOf(asked, { span: spanOf(question, answer), given: cost, stock });
    lines.push(costLine(asked, cost));
    const { d1RowsMin, d1RowsMax } = expected;
    const isRight = isDeepStrictEqual(cost, expected.cost) && d1Rows >= d1RowsMin && d1Rows <= d1RowsMax;
    if (!isRight) wrong.push({ asked, cost, d1Rows, expected });
  }
  expect(wrong.slice(0, 5)).toEqual([]);
  const table = [COST_HEAD, ...lines, ""].join("\n");
  console.log(table);
  await expect(table).toMatchFileSnapshot("../golden/catalogue/costs.txt");
});

/** The questions, and those written by hand, that are answered otherwise than SQL over the archive answers them. */
async function wrongOf(questions: readonly CataloguedQuestion[], what: string): Promise<readonly unknown[]> {
  const sources = { rollups: 0, archive: 0 };
  const wrong: unknown[] = [];
  const compare = (about: object, given: Rows, expected: Rows) => {
    const [own, sql] = [sorted(given), sorted(expected)];
    if (JSON.stringify(own) === JSON.stringify(sql)) return;
    const at = own.findIndex((row, index) => JSON.stringify(row) !== JSON.stringify(sql[index]));
    const from = Math.max(at, 0);
    wrong.push({ ...about, given: own.slice(from, from + 3), expected: sql.slice(from, from + 3) });
  };
  for (const [number, shop] of shops.entries()) {
    for (const [at, question] of questions.entries()) {
      // What depends on the zone is asked of every shop, the rest of one.
      if (at % shops.length !== number && !question.dimensions.some((name) => name.startsWith("time:"))) continue;
      const { where, ...asked } = question;
      const date_range = asked.date_range === INSTANTS ? INSTANTS.map((end) => end + shop.offset) : asked.date_range;
      const answer = await services.client.ask(shop, { ...asked, date_range });
      sources[(answer.meta["sources"] as { readonly from: "rollups" | "archive" }).from] += 1;
      const given = answer.results.map(({ dimensions, metrics }) => [...dimensions, ...metrics.map(plain)]);
      compare({ zone: shop.zone, asked }, given, await expectedOf(question, shop, spanOf(question, answer)));
    }
    for (const { path, body, sql } of written(shop.number, RANGE)) {
      const given = await resultsOf(shop, path, body);
      if (given.length === 0) wrong.push({ zone: shop.zone, path, body, given: "nothing, which compares nothing" });
      compare(
        { zone: shop.zone, path, body },
        given,
        (await archive.rows(sql)).map((row) => Object.values(row).map(plain)),
      );
    }
  }
  console.log(`catalogue: ${what}: ${questions.length} questions, answered from ${JSON.stringify(sources)}`);
  return wrong.slice(0, 5);
}

type Rows = readonly (readonly unknown[])[];

/** Instants are what the answer says it understood: "24h" depends on when it was asked. */
function spanOf({ date_range }: CataloguedQuestion, { query }: Answered): Span {
  const [first, last] = query["date_range"] as [string, string];
  const dates = { first: first.slice(0, 10), last: last.slice(0, 10) };
  if (date_range !== "24h" && date_range !== INSTANTS) return dates;
  return { ...dates, instants: [Date.parse(first), Date.parse(last) + 1_000] };
}

/** What a question written by hand, or a report, is answered: flat, as its SQL has it. */
async function resultsOf(shop: Shop, path: string, body: object): Promise<Rows> {
  const response = await fetch(`${services.client.queryUrl}/api/v2/${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${shop.api_key}` },
    body: JSON.stringify({ site_id: shop.id, ...body }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  const { results } = JSON.parse(text) as { readonly results: readonly Record<string, unknown>[] };
  return results.map((result) => {
    if (path === "funnel") return [result["name"], result["visitors"]];
    if (path === "retention") return [result["cohort"], result["visitors"], JSON.stringify(result["retained"])];
    if (path === "orders") {
      const { at, currency, revenue, units, products, source, channel, pages, pages_left_out, seconds } = result;
      const [names, way] = [products, pages].map((list) => JSON.stringify(list));
      return [at, currency, revenue, units, names, source, channel, way, pages_left_out, seconds];
    }
    if (path === "paths") return [JSON.stringify(result["pages"]), result["visits"]];
    const { metrics, dimensions, comparison } = result as unknown as Answered["results"][number] & {
      readonly comparison?: { readonly metrics: readonly unknown[]; readonly change: readonly unknown[] };
    };
    const other = comparison === undefined ? [] : [...comparison.metrics, ...comparison.change];
    return [...dimensions, ...[...metrics, ...other].map(plain)];
  });
}

async function restart(vars: Record<string, string>): Promise<void> {
  const { stop, restart: again } = services;
  services = { stop, restart: again, ...(await again({ DRAIN_AFTER_MS: "300", ...vars })) };
}

/** Seals Days, and takes their bundles away. */
async function seal(from: string, to: string): Promise<void> {
  const { client, runtime } = services;
  await untilArchived(client);
  await untilSealed(client, { from, to });
  await untilCleaned(runtime);
}

async function bundlesOf(date: string): Promise<number> {
  let count = 0;
  for await (const _ of archiveObjects(services.runtime, `events/date=${date}/`)) count += 1;
  return count;
}

/** DuckDB over the archive as it lies now. */
async function openCopy(): Promise<void> {
  archive?.close();
  archive = await openArchive(services.runtime);
  for (const view of viewsOf(new Map(shops.map((shop) => [shop.number, shop])))) await archive.run(view);
}

async function expectedOf(question: CataloguedQuestion, shop: Shop, span: Span): Promise<Rows> {
  const { dimensions, metrics } = question;
  const rows = await archive.rows(toSql(question, shop.number, span));
  const isByPage = dimensions.includes("event:page");
  const mayBeNothing = ["scroll_depth", "time_on_page", "average_revenue", "total_revenue"];
  return rows.map((row) => [
    ...dimensions.map((_, at) => row[`d${at}`]),
    ...metrics.map((name, at) => {
      const value = row[`m${at}`];
      const isOfEntries = isByPage && (name === "bounces" || name === "total_duration");
      return value === null && (isOfEntries || mayBeNothing.includes(name))
        ? null
        : Math.round(Number(value ?? 0) * 10_000) / 10_000;
    }),
  ]);
}

/** As if the merchant had had its goals from the beginning. */
async function setGoals(merchant: Merchant): Promise<void> {
  const databases = await databasesOf(services.runtime);
  const scope = await findScope(databases.directory, Number.parseInt(merchant.tracking_id.slice(0, 8), 16));
  if (scope === undefined) throw new Error("no such merchant");
  const timeline = [{ version: 1, from: 0, rules: { ...NO_RULES, goals: GOALS } }];
  expect(await writeTimeline(databases, { merchant: scope, timeline })).not.toBe("stale");
}

/** Money as its value, and DuckDB's large integers as numbers. */
function plain(metric: unknown): unknown {
  if (typeof metric === "string" && /^-?\d+(\.\d+)?$/.test(metric)) return Number(metric);
  return typeof metric === "object" && metric !== null ? (metric as { readonly value: number }).value : metric;
}

function sorted(rows: readonly (readonly unknown[])[]): readonly (readonly unknown[])[] {
  return [...rows].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

/** Until what is closed lies in D1. */
async function untilPublished(client: Client): Promise<void> {
  await until(
    async () => {
      const { partitions } = (await client.admin("GET", "/api/v1/partitions")) as {
        partitions: { unpublished_rollups: number }[];
      };
      return partitions.reduce((sum, row) => sum + row.unpublished_rollups, 0);
    },
    (unpublished) => unpublished <= 2, // today's, which other tests have begun
  );
}
