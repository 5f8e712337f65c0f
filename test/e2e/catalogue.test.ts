// The catalogue: hundreds of questions to the running product and to DuckDB over its archive, which must agree. Some of the
// events are archived, some still wait in a partition's log.

import { afterAll, beforeAll, expect, test } from "vitest";
import { zeroMeter } from "../../core/meter.ts";
import { NO_RULES } from "../../core/rules.ts";
import type { Runtime } from "../../scripts/runtime.ts";
import { findScope, writeTimeline } from "../../storage/rules.ts";
import { type CataloguedQuestion, catalogue, GOALS, toSql, trafficOf, viewsOf, ZONES } from "../support/catalogue.ts";
import { openArchive } from "../support/duckdb.ts";
import { type Client, type Merchant, NEVER_CLOSED, startServices, until, untilArchived } from "../support/services.ts";

/** A week with a clock change in Vienna. */
const FROM = Date.UTC(2026, 9, 21);
const RANGE = ["2026-10-21", "2026-10-28"] as const;

interface Shop extends Merchant {
  readonly number: number;
  readonly zone: string;
  readonly currency: string;
}

let services: { runtime: Runtime; client: Client; stop: () => Promise<void> };
let archive: Awaited<ReturnType<typeof openArchive>>;
const shops: Shop[] = [];

beforeAll(async () => {
  services = await startServices({ ...NEVER_CLOSED, DRAIN_AFTER_MS: "5000" });
  const { client } = services;
  for (const [seed, { zone, currency }] of ZONES.entries()) {
    const merchant = await client.createMerchant(zone, currency);
    shops.push({ ...merchant, zone, currency, number: Number.parseInt(merchant.tracking_id.slice(0, 8), 16) });
    await setGoals(merchant);
    for (const { headers, events } of trafficOf(seed + 1, { from: FROM, hours: 7 * 24 })) {
      const { body } = await client.send({ tracking_id: merchant.tracking_id, events }, headers);
      expect(body.rejected).toEqual([]);
    }
  }
  await untilArchived(client);
  await untilPublished(client);
  archive = await openArchive(services.runtime);
  for (const view of viewsOf(new Map(shops.map((shop) => [shop.number, shop])))) await archive.run(view);
}, 180_000);
afterAll(async () => {
  archive?.close();
  await services?.stop();
});

test("[SCN-7] every question of the catalogue has the answer that SQL over the archive gives", {
  timeout: 300_000,
}, async () => {
  const questions = catalogue(RANGE);
  expect(questions.length).toBeGreaterThanOrEqual(200);
  const sources = { rollups: 0, archive: 0 };
  const wrong: unknown[] = [];
  for (const [number, shop] of shops.entries()) {
    for (const [at, question] of questions.entries()) {
      // What depends on the zone is asked of every shop, the rest of one.
      if (at % shops.length !== number && !question.dimensions.some((name) => name.startsWith("time:"))) continue;
      const { where, ...asked } = question;
      const answer = await services.client.ask(shop, asked);
      sources[(answer.meta["sources"] as { readonly from: "rollups" | "archive" }).from] += 1;
      const given = answer.results.map(({ dimensions, metrics }) => [...dimensions, ...metrics.map(plain)]);
      const expected = await expectedOf(question, shop);
      if (JSON.stringify(sorted(given)) !== JSON.stringify(sorted(expected)))
        wrong.push({
          zone: shop.zone,
          asked,
          given: sorted(given).slice(0, 3),
          expected: sorted(expected).slice(0, 3),
        });
    }
  }
  console.log(
    `catalogue: ${questions.length} questions, ${shops.length} shops, answered from ${JSON.stringify(sources)}`,
  );
  expect(wrong.slice(0, 5)).toEqual([]);
  expect(wrong).toHaveLength(0);
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

async function expectedOf(question: CataloguedQuestion, shop: Shop): Promise<readonly (readonly unknown[])[]> {
  const { dimensions, metrics } = question;
  const rows = await archive.rows(toSql(question, shop.number));
  const isByPage = dimensions.includes("event:page");
  const mayBeNothing = ["scroll_depth", "time_on_page", "average_revenue"];
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
  const db = (await services.runtime.miniflare.getD1Database("DB", "footfall-query")) as unknown as D1Database;
  const scope = await findScope(db, Number.parseInt(merchant.tracking_id.slice(0, 8), 16), zeroMeter());
  if (scope === undefined) throw new Error("no such merchant");
  const timeline = [{ version: 1, from: 0, rules: { ...NO_RULES, goals: GOALS } }];
  expect(await writeTimeline(db, { merchant: scope, timeline }, zeroMeter())).not.toBe("stale");
}

/** Money as its value. */
function plain(metric: unknown): unknown {
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
