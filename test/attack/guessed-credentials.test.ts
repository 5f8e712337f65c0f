// Somebody makes up keys, links and sessions. None opens anything, and each was a look-up in the database, as many
// as anybody liked to send.

import { randomBytes } from "node:crypto";
import { beforeEach, expect, test } from "vitest";
import { LIMIT_REQUESTS } from "../../core/limits.ts";
import { rejected } from "../../core/outcome.ts";
import type { CollectorEnv } from "../../workers/collector/env.ts";
import { areWithinLimit, countRefused } from "../../workers/collector/limit.ts";
import { ADMIN_TOKEN, type QueryWorker, startQueryWorker } from "../support/query-worker.ts";

const GUESSER = "198.51.100.1";
/** As wrangler.toml has it. */
const GUESSES_MAX = 10;
let worker: QueryWorker;
let shop: { readonly id: string; readonly api_key: string };
let lookUps: number;

const made = (prefix: string) => `${prefix}_${randomBytes(32).toString("base64url")}`;
const ask = (token: string, address = GUESSER) =>
  worker.ask("POST", "/api/v2/query", {
    token,
    headers: { "cf-connecting-ip": address },
    body: { site_id: shop.id, metrics: ["visitors"], date_range: "day" },
  });
const statuses = async (times: number, once: (at: number) => Promise<{ readonly status: number }>) => {
  const all: number[] = [];
  for (let at = 0; at < times; at++) all.push((await once(at)).status);
  return all;
};

beforeEach(async () => {
  const seen = new Map<string, number>();
  const limit = async ({ key }: { readonly key: string }) => {
    seen.set(key, (seen.get(key) ?? 0) + 1);
    return { success: (seen.get(key) ?? 0) <= GUESSES_MAX };
  };
  const free = { limit: async () => ({ success: true }) };
  worker = startQueryWorker({ LIMIT_KEY: free, KEY_REQUESTS_MAX: "300", LIMIT_SIGN_IN: { limit } });
  const body = { name: "Shop", time_zone: "UTC", currency: "EUR" };
  shop = (await worker.ask("POST", "/api/v1/merchants", { token: ADMIN_TOKEN, body })).body;
  lookUps = 0;
  const prepare = worker.directory.prepare.bind(worker.directory);
  worker.directory.prepare = (text) => {
    lookUps += 1;
    return prepare(text);
  };
});

test.each([
  ["keys of a question", (at: number) => ask(made(at % 2 === 0 ? "ffk" : "ffs"))],
  [
    "keys of the admin API",
    () => worker.ask("GET", "/api/v1/merchants", { token: made("ffk"), headers: { "cf-connecting-ip": GUESSER } }),
  ],
  [
    "share links",
    () => worker.ask("GET", "/api/v1/shared", { token: made("ffs"), headers: { "cf-connecting-ip": GUESSER } }),
  ],
  [
    "sessions",
    () =>
      worker.ask("GET", "/api/v1/session", {
        headers: { "cf-connecting-ip": GUESSER, cookie: `footfall=${made("fft")}` },
      }),
  ],
] as const)("[LIM-9] an address that makes up %s is not looked up any more", async (_, once) => {
  const all = await statuses(100, once);
  expect(all).toEqual(all.map((_, at) => (at <= GUESSES_MAX ? 401 : 429)));
  expect(lookUps).toBeLessThanOrEqual(2 * (GUESSES_MAX + 1));
  const refused = await once(0);
  expect([refused.headers.get("retry-after"), JSON.stringify(refused.body)]).toEqual([
    "10",
    expect.stringContaining("wrong credentials"),
  ]);
});

test("[SHR-6] a share link's frame is looked up as often as a key may ask, and no more, by its id alone", async () => {
  const asked = new Map<string, number>();
  const limit = async ({ key }: { readonly key: string }) => {
    asked.set(key, (asked.get(key) ?? 0) + 1);
    return { success: (asked.get(key) ?? 0) <= 5 };
  };
  const free = { limit: async () => ({ success: true }) };
  const it = startQueryWorker({ LIMIT_KEY: { limit }, KEY_REQUESTS_MAX: "5", LIMIT_SIGN_IN: free });
  const body = { name: "Shop", time_zone: "UTC", currency: "EUR" };
  const own = (await it.ask("POST", "/api/v1/merchants", { token: ADMIN_TOKEN, body })).body;
  const made = { name: "Blog", embed_origins: ["https://blog.example"] };
  const link = (await it.ask("POST", `/api/v1/merchants/${own.id}/shares`, { token: ADMIN_TOKEN, body: made })).body;
  const all = await statuses(20, () => it.open(`/embed/${link.id}`, { headers: { "cf-connecting-ip": GUESSER } }));
  expect(all).toEqual(all.map((_, at) => (at < 5 ? 200 : 429)));
  // Its other readers see it all the same: its id stands in the page that shows the frame.
  const reader = await it.open(`/embed/${link.id}`, { headers: { "cf-connecting-ip": "203.0.113.99" } });
  expect(reader.status).toBe(200);
  // The questions of those who have its token are counted apart.
  const question = { site_id: own.id, metrics: ["visitors"], date_range: "day" };
  expect((await it.ask("POST", "/api/v2/query", { token: link.token, body: question })).status).toBe(200);
});

test.each(["/", "/shops", "/s/mer_a/overview"])(
  "[LIM-9] nor one that makes up sessions for the page %s, which is there for everybody",
  async (path) => {
    const page = (cookie: string) =>
      worker.open(path, { headers: { "cf-connecting-ip": GUESSER, ...(cookie !== "" && { cookie }) } });
    const all = await statuses(100, () => page(`footfall=${made("fft")}`));
    const served = path === "/" ? 302 : 200;
    expect(all).toEqual(all.map((_, at) => (at <= GUESSES_MAX ? served : 429)));
    expect(lookUps).toBeLessThanOrEqual(2 * (GUESSES_MAX + 1));
    // Whoever has no session at all goes on, and a made-up key that a page was asked with is no good one for it.
    expect((await page("")).status).toBe(served);
    const token = made("ffk");
    await worker.open(path, { headers: { "cf-connecting-ip": GUESSER, authorization: `Bearer ${token}` } });
    expect((await ask(token)).status).toBe(429);
  },
);

test("[LIM-9] who guesses does not lock out others behind the same address, nor anybody elsewhere", async () => {
  expect((await ask(shop.api_key)).status).toBe(200);
  expect((await statuses(20, () => ask(made("ffk")))).at(-1)).toBe(429);
  expect((await ask(shop.api_key)).status).toBe(200);
  expect((await ask(made("ffk"), "203.0.113.1")).status).toBe(401);
  const admin = { token: ADMIN_TOKEN, headers: { "cf-connecting-ip": GUESSER } };
  expect((await worker.ask("GET", "/api/v1/merchants", admin)).status).toBe(200);
  // A wrong question by a wrong key makes it no good one.
  const headers = { "cf-connecting-ip": GUESSER };
  const token = made("ffk");
  await worker.ask("POST", "/api/v2/query", { token, headers, body: "{" });
  expect((await ask(token)).status).toBe(429);
});

test("[LIM-9] a made-up key is not known as good because a page answered that asks for none", async () => {
  const headers = { "cf-connecting-ip": GUESSER };
  const keys = Array.from({ length: 50 }, () => made("ffk"));
  for (const token of keys)
    for (const path of ["/health", "/status.json", "/api/openapi.json"])
      await worker.open(path, { headers: { ...headers, authorization: `Bearer ${token}` } });
  const all = await statuses(50, (at) => ask(keys[at] as string));
  expect(all).toEqual(all.map((_, at) => (at <= GUESSES_MAX ? 401 : 429)));
  expect(lookUps).toBeLessThanOrEqual(2 * (GUESSES_MAX + 1));
});

test("[LIM-9] a credential that was good and is none any more is not good until the hour is over", async () => {
  const path = `/api/v1/merchants/${shop.id}`;
  const own = { name: "other", scope: "read" };
  const { id, api_key: key } = (await worker.ask("POST", `${path}/keys`, { token: ADMIN_TOKEN, body: own })).body;
  expect((await ask(key)).status).toBe(200);
  expect((await worker.ask("DELETE", `${path}/keys/${id}`, { token: ADMIN_TOKEN })).status).toBe(200);
  expect((await statuses(20, () => ask(key))).at(-1)).toBe(429);
});

test("[LIM-9] a made-up key of a hit counts as twenty requests", async () => {
  let counted = 0;
  const limit = async () => {
    counted += LIMIT_REQUESTS;
    return { success: counted < 50 * 20 };
  };
  const env = { RATE_LIMITS: "on", LIMIT_ADDRESS: { limit } } as unknown as CollectorEnv;
  const sent = { address: GUESSER, length: 10, merchant: 7, isPassed: false };
  const refusal = rejected("unauthorized", "no key of this service");
  let guesses = 0;
  while ((await countRefused(env, refusal, sent)).rejection.code === "unauthorized") guesses += 1;
  expect(guesses).toBeLessThanOrEqual(52);
  expect(await areWithinLimit(env, [], { ...sent, merchant: undefined, length: 0 })).toBe(true);
});
