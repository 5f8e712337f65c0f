// Old Days on the real runtime: the cron moves them to R2, and every answer, a verify and a late event find them as if
// they lay in D1.

import { afterAll, beforeAll, expect, test } from "vitest";
import { databasesOf, type Merchant, startServices, until, untilSealed } from "../support/services.ts";

/** In one month of blocks, which has ended more than ten Days ago. */
const RANGE = { from: "2026-10-05", to: "2026-10-16" };
const SHOWN = { date_range: [RANGE.from, RANGE.to], metrics: ["visitors", "pageviews", "events"] };
const QUESTIONS: readonly Record<string, unknown>[] = [
  SHOWN,
  { ...SHOWN, dimensions: ["time:day"] },
  { ...SHOWN, dimensions: ["event:page"] },
  { ...SHOWN, dimensions: ["visit:source"] },
  { ...SHOWN, metrics: ["pageviews"], dimensions: ["time:hour"], date_range: [RANGE.from, RANGE.from] },
];

let services: Awaited<ReturnType<typeof startServices>>;
let shop: Merchant;

beforeAll(async () => {
  services = await startServices({ MONTH_FILES_AFTER_DAYS: "10", ANSWERS_KEPT_MS: "0", LATE_COALESCE_MS: "1000" });
  const { client } = services;
  shop = await client.createMerchant("Europe/Vienna");
  await send("e", 60, 16_000_000);
  await untilSealed(client, RANGE);
  await untilPacked();
}, 180_000);
afterAll(() => services?.stop());

async function send(name: string, count: number, everyMs: number): Promise<void> {
  const events = Array.from({ length: count }, (_, index) => ({
    id: `${name}${index}`,
    name: "pageview",
    url: `https://shop.example/${index % 7}`,
    referrer: index % 5 === 0 ? "https://news.example/" : "",
    visitor_id: `visitor ${index % 3}`,
    timestamp: Date.UTC(2026, 9, 5, 1) + index * everyMs,
  }));
  const { status, body } = await services.client.send({ tracking_id: shop.tracking_id, events });
  expect([status, body.rejected]).toEqual([202, []]);
}

async function untilPacked(): Promise<void> {
  const { rowsOfAll } = await databasesOf(services.runtime);
  const left = () => rowsOfAll("SELECT day FROM archive_days WHERE unpacked > 0 OR late_since IS NOT NULL");
  await until(left, ({ length }) => length === 0, 60_000);
}

async function answers(): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  for (const question of QUESTIONS) found.push((await services.client.ask(shop, question)).results);
  return [...found, await together()];
}

/** As an overview asks: in one request, which reads what its panels have in common once. */
async function together(): Promise<unknown> {
  const questions = Object.fromEntries(
    QUESTIONS.slice(0, 4).map(({ date_range: _, ...question }, at) => [`panel${at}`, question]),
  );
  const response = await fetch(`${services.client.queryUrl}/api/v2/batch`, {
    method: "POST",
    headers: { authorization: `Bearer ${shop.api_key}` },
    body: JSON.stringify({ site_id: shop.id, date_range: SHOWN.date_range, questions }),
  });
  expect(response.status).toBe(200);
  const { answers } = (await response.json()) as { answers: Record<string, { readonly results: unknown }> };
  const results = Object.values(answers).map((answer) => answer.results);
  expect(results).toHaveLength(4);
  for (const one of results) expect(one).toBeDefined();
  return results;
}

/** Blocks that lie in the ledgers, and in files. */
async function blocks(): Promise<readonly number[]> {
  const { rowsOfAll } = await databasesOf(services.runtime);
  const count = async (where: string) => (await rowsOfAll(`SELECT 1 AS one FROM blocks WHERE ${where}`)).length;
  return [await count("file = '' AND length(head) > 0"), await count("file > ''")];
}

test("[BLK-11] [BLK-13] the cron moves old Days to R2: answers are what they were, a verify finds no difference, a late event counts", {
  timeout: 180_000,
}, async () => {
  const { client, runtime } = services;
  const before = await answers();
  expect((await blocks())[1]).toBe(0);
  await runtime.fireCrons();
  const [left, moved] = await blocks();
  expect([left, Number(moved) >= 2]).toEqual([0, true]);
  expect(await answers()).toEqual(before);
  const { id } = (await client.admin("POST", "/api/v1/replays", { kind: "verify", ...RANGE })) as { id: string };
  const job = await until(
    async () => (await client.admin("GET", `/api/v1/replays/${id}`)) as { state: string; differences: number },
    ({ state }) => state === "done",
    60_000,
  );
  expect(job.differences).toBe(0);
  await send("late", 1, 0);
  // Its block comes back to the ledger, and the next cron moves it again.
  await until(
    async () => {
      await client.admin("POST", "/api/v1/archive/seal", RANGE);
      return (await blocks())[0];
    },
    (inLedger) => inLedger === 1,
    60_000,
  );
  await untilPacked();
  const { results } = await client.ask(shop, { ...SHOWN, metrics: ["events"] });
  expect(results[0]?.metrics).toEqual([61]);
  // Its block came back to the ledger, until a cron, of those that were fired meanwhile or of this one, moves it again.
  await runtime.fireCrons();
  expect(await blocks()).toEqual([0, moved]);
  expect((await client.ask(shop, { ...SHOWN, metrics: ["events"] })).results[0]?.metrics).toEqual([61]);
});
