// Servers of many shops send from one address (a serverless platform, another Worker). Whoever else sends from there
// had it closed, for servers with a key as well. Now a key that the isolate knows lets a request in, and what it sends
// counts for its merchant, refused events included.

import { afterAll, beforeEach, expect, test, vi } from "vitest";
import { LIMIT_BYTES, LIMIT_REQUESTS, LIMIT_WRONG_KEY_BYTES, RATE_LIMIT_PERIOD_SECONDS } from "../../core/limits.ts";
import { decodeArrivals } from "../../core/overflow.ts";
import type { AppendRequest } from "../../durable-objects/rpc.ts";
import { app } from "../../workers/collector/app.ts";
import type { CollectorEnv } from "../../workers/collector/env.ts";
import { ADMIN_TOKEN, type QueryWorker, startQueryWorker } from "../support/query-worker.ts";

interface Shop {
  readonly id: string;
  /** Of scope write. */
  readonly key: string;
  readonly tracking_id: string;
}

/** Of each test another one: an isolate remembers which are closed. */
let address = 0;
let worker: QueryWorker;
let env: CollectorEnv;
let shop: Shop;
let neighbour: Shop;
/** How often each key of a counter was asked: "address 198.51.100.1", "id 1-1". */
let asked: Record<string, number>;
/** How many tens of requests each counter lets through. */
let limits: { address: number; id: number };
let lookUps: number;
let appended: number;

beforeEach(async () => {
  address += 1;
  // An isolate forgets with each period what it counted.
  vi.useFakeTimers({ now: Date.UTC(2027, 0, 10) + address * RATE_LIMIT_PERIOD_SECONDS * 1_000, toFake: ["Date"] });
  asked = {};
  lookUps = 0;
  appended = 0;
  limits = { address: 100, id: 2_000 };
  worker = startQueryWorker();
  shop = await newShop("shop.example");
  neighbour = await newShop("neighbour.example");
  const prepare = worker.directory.prepare.bind(worker.directory);
  worker.directory.prepare = (text) => {
    lookUps += 1;
    return prepare(text);
  };
  const counter = (name: keyof typeof limits) => ({
    limit: async ({ key }: { readonly key: string }) => {
      const at = `${name} ${key}`;
      asked[at] = (asked[at] ?? 0) + 1;
      return { success: asked[at] <= limits[name] };
    },
  });
  const append = async ({ arrivals }: AppendRequest) => {
    const all = decodeArrivals(arrivals);
    appended += all.length;
    return all.map(() => "accepted" as const);
  };
  env = {
    DIRECTORY: worker.directory,
    LEDGER_0: worker.db,
    POOL_SIZE: "4",
    TRACKING_SECRET: "secret",
    ADMIN_TOKEN,
    RATE_LIMITS: "on",
    LIMIT_ADDRESS: counter("address"),
    LIMIT_TRACKING_ID: counter("id"),
    PARTITION: { getByName: () => ({ append }) },
  } as unknown as CollectorEnv;
});

afterAll(() => {
  vi.useRealTimers();
});

async function newShop(hostname: string): Promise<Shop> {
  const admin = async (path: string, body: object) =>
    (await worker.ask("POST", `/api/v1/merchants${path}`, { token: ADMIN_TOKEN, body })).body;
  const { id, tracking_id } = await admin("", { name: "Shop", time_zone: "UTC", currency: "EUR", hostname });
  const { api_key: key } = await admin(`/${id}/keys`, { name: "server", scope: "write" });
  return { id, tracking_id, key };
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

async function send(body: object | string, headers: Record<string, string> = {}, path = "/v1/events"): Promise<number> {
  const context = { waitUntil: () => undefined } as unknown as ExecutionContext;
  const init = {
    method: "POST",
    headers: { "cf-connecting-ip": `198.51.100.${address}`, ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  };
  const response = await app.request(path, init, env, context);
  await response.arrayBuffer();
  return response.status;
}

const event = (more: object = {}) => ({ url: "https://shop.example/", user_agent: "server", ...more });

/** A stranger has used up the address. */
async function closeAddress(): Promise<void> {
  limits.address = 0;
  const heard: number[] = [];
  for (let times = 0; times < LIMIT_REQUESTS; times++) heard.push(await send("{"));
  expect(heard.at(-1)).toBe(429);
}

test("[LIM-13] a key that the isolate knows lets requests through a closed address; nothing else does", async () => {
  expect(await send(event(), bearer(shop.key))).toBe(202);
  await closeAddress();
  expect(await send(event(), bearer(shop.key))).toBe(202);
  // As Segment's servers send it.
  const basic = { authorization: `Basic ${btoa(`${shop.key}:`)}` };
  const message = { type: "track", event: "x", userId: "u", messageId: "m" };
  expect(await send(message, basic, "/v1/track")).toBe(200);
  expect(appended).toBe(3);
  const before = lookUps;
  expect(await send(event(), bearer(neighbour.key))).toBe(429); // never seen here
  expect(await send(event(), bearer(`ffk_${"x".repeat(43)}`))).toBe(429);
  expect(await send(event({ tracking_id: shop.tracking_id }))).toBe(429);
  expect(lookUps).toBe(before);
});

test("[LIM-13] what has no key does not come in beside one that has", async () => {
  expect(await send(event(), bearer(shop.key))).toBe(202);
  await closeAddress();
  const basic = { authorization: `Basic ${btoa(`${shop.key}:`)}` };
  expect(await send(event({ tracking_id: neighbour.tracking_id }), basic)).toBe(429);
  expect(await send(event({ tracking_id: shop.tracking_id }), basic)).toBe(429);
  expect(appended).toBe(1);
});

test("[LIM-13] a key that was revoked lets one request in, which is refused", async () => {
  expect(await send(event(), bearer(shop.key))).toBe(202);
  await closeAddress();
  const path = `/api/v1/merchants/${shop.id}/keys`;
  const { keys } = (await worker.ask("GET", path, { token: ADMIN_TOKEN })).body;
  for (const { id } of keys) await worker.ask("DELETE", `${path}/${id}`, { token: ADMIN_TOKEN });
  vi.setSystemTime(Date.now() + 61_000);
  await closeAddress();
  expect([401, 429]).toContain(await send(event(), bearer(shop.key)));
  const before = lookUps;
  expect(await send(event(), bearer(shop.key))).toBe(429);
  expect([lookUps, appended]).toEqual([before, 1]);
});

test("[LIM-13] each request counts for the merchant of its key, and so do the events in it that are refused", async () => {
  expect(await send(event(), bearer(shop.key))).toBe(202);
  await closeAddress();
  for (let times = 0; times < 5; times++) expect(await send("{", bearer(shop.key))).toBe(400);
  const own = Object.entries(asked).filter(([name]) => name.startsWith("id "));
  expect(own).toEqual([[expect.stringMatching(/^id \d+-key$/), 1]]); // ten requests: half for what was refused
  limits.id = 1;
  for (let times = 0; times < 4; times++) expect(await send("{", bearer(shop.key))).toBe(400);
  expect(await send("{", bearer(shop.key))).toBe(429);
});

test("[LIM-13] who sends rubbish through it is refused before a body is read, for a period", async () => {
  expect(await send(event(), bearer(shop.key))).toBe(202);
  await closeAddress();
  limits.id = 12;
  const rubbish = Array.from({ length: 1_000 }, () => 1);
  const heard: number[] = [];
  for (let times = 0; times < 5; times++) heard.push(await send(rubbish, bearer(shop.key)));
  expect(heard).toEqual([400, 400, 429, 429, 429]);
  const before = { ...asked };
  expect(await send(event(), bearer(shop.key))).toBe(429);
  expect(Object.keys(asked).filter((name) => name.includes("-") && asked[name] !== before[name])).toEqual([]);
});

test("[LIM-9] [LIM-13] made-up hostnames cost a key as much as they cost an address", async () => {
  expect(await send(event(), bearer(neighbour.key))).toBe(202);
  await closeAddress();
  limits.address = 100;
  // Another shop's key, since the isolate remembers the one of the test before. What the address sent in large requests
  // keeps it closed.
  limits.address = 0;
  expect(await send({ tracking_id: shop.tracking_id, events: Array.from({ length: 1_000 }, () => 1) })).toBe(429);
  limits.address = 100;
  const most = 1_000 / (LIMIT_WRONG_KEY_BYTES / LIMIT_BYTES);
  let guesses = 0;
  for (let at = 0; at < 2 * most; at++) {
    const domain = `made-up-${at}.example`;
    const page = { name: "pageview", url: `https://${domain}/`, domain };
    if ((await send(page, bearer(neighbour.key), "/api/event")) !== 429) guesses += 1;
  }
  expect(guesses).toBe(most);
  expect(lookUps).toBeLessThan(most + 20);
});
