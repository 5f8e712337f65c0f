// Who knows a tracking ID sends in one request what others send in a thousand: many events, large ones, or such as are
// refused. The limits count what was sent, whatever becomes of it, and an answer is not many times its request.

import { gzipSync } from "node:zlib";
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import type { Arrival } from "../../core/event.ts";
import { goatcounterApi } from "../../core/formats/goatcounter.ts";
import { reportAnswer } from "../../core/formats/hit-reply.ts";
import { umamiBatch } from "../../core/formats/umami.ts";
import { BLANK_HIT } from "../../core/hit.ts";
import {
  LIMIT_BYTES,
  LIMIT_EVENTS,
  LIMIT_REQUESTS,
  RATE_LIMIT_PERIOD_SECONDS,
  REFUSALS_EXPLAINED_MAX,
  REQUEST_BYTES_MAX,
} from "../../core/limits.ts";
import { accepted, type Outcome, rejected } from "../../core/outcome.ts";
import { decodeArrivals } from "../../core/overflow.ts";
import { EMPTY_REPORT, type Report } from "../../core/report.ts";
import { encodeTrackingId } from "../../core/tracking-id.ts";
import type { AppendRequest } from "../../durable-objects/rpc.ts";
import { signsOf } from "../../storage/signing.ts";
import { app } from "../../workers/collector/app.ts";
import type { CollectorEnv } from "../../workers/collector/env.ts";
import { incomingOf } from "../../workers/collector/incoming.ts";
import {
  areWithinLimit,
  isAddressWithinLimit,
  mayNetworkSend,
  type Sent,
  sentBy,
} from "../../workers/collector/limit.ts";
import { Tens } from "../../workers/collector/tens.ts";
import { eventOf, TUESDAY } from "../support/events.ts";
import { seededRandom } from "../support/random.ts";

const ADDRESS = "203.0.113.7";
const batch = (count: number, changes: object = {}) =>
  Array.from({ length: count }, () => accepted<Arrival>({ event: eventOf(changes), address: "", floating: false }));
const refusals = (count: number) => Array.from({ length: count }, () => rejected("invalid_field", "it is no text"));

/** Each test has a period of its own: an isolate forgets with each what it counted. */
let now = TUESDAY;
beforeEach(() => {
  now += RATE_LIMIT_PERIOD_SECONDS * 1_000;
  vi.useFakeTimers({ now, toFake: ["Date"] });
});
afterAll(() => {
  vi.useRealTimers();
});

test("[LIM-7] a batch counts by its events: for its tracking IDs, and without a key for its address", async () => {
  expect(await countsOf(batch(1))).toEqual({ "id 1-1": 1 });
  expect(await countsOf(batch(LIMIT_EVENTS))).toEqual({ "id 1-1": 1 });
  expect(await countsOf(batch(1_000))).toEqual({ "id 1-1": 50, [`address ${ADDRESS}`]: 49 });
  expect(await countsOf(batch(1_000, { keyed: 1 }), { merchant: 1 })).toEqual({ "id 1-1": 50 });
  expect(await countsOf([...batch(21), ...batch(20, { stream: 2 })])).toEqual({
    "id 1-1": 2,
    "id 1-2": 1,
    [`address ${ADDRESS}`]: 2,
  });
});

test("[LIM-7] and by its bytes, where these are more", async () => {
  expect(await countsOf(batch(1), { length: LIMIT_BYTES })).toEqual({ "id 1-1": 1 });
  expect(await countsOf(batch(2), { length: REQUEST_BYTES_MAX })).toEqual({ "id 1-1": 40, [`address ${ADDRESS}`]: 39 });
  expect(await countsOf(batch(1_000), { length: 600_000 })).toEqual({ "id 1-1": 50, [`address ${ADDRESS}`]: 49 });
  // Two tracking IDs share them by their events.
  const mixed = [...batch(3), ...batch(1, { stream: 2 })];
  expect(await countsOf(mixed, { length: 40 * LIMIT_BYTES })).toEqual({
    "id 1-1": 30,
    "id 1-2": 10,
    [`address ${ADDRESS}`]: 39,
  });
});

test("[LIM-7] refused events count for their address; with a key for its merchant", async () => {
  expect(await countsOf(refusals(1_000))).toEqual({ [`address ${ADDRESS}`]: 49 });
  expect(await countsOf([...refusals(500), ...batch(500)])).toEqual({ "id 1-1": 25, [`address ${ADDRESS}`]: 49 });
  expect(await countsOf(refusals(1_000), { merchant: 1 })).toEqual({ "id 1-key": 50 });
  expect(await countsOf([...refusals(500), ...batch(500, { keyed: 1 })], { merchant: 1 })).toEqual({
    "id 1-1": 25,
    "id 1-key": 25,
  });
});

test("[LIM-7] a request that is refused whole, or too large to be read, counts as much", async () => {
  const it = collectorOf({ address: 6, id: 100 });
  const bad = { tracking_id: it.trackingId, events: Array.from({ length: 900 }, () => ({ timestamp: 5 })) };
  expect((await it.send(bad)).status).toBe(400);
  expect((await it.send(bad)).status).toBe(429);
  for (const body of ["x".repeat(REQUEST_BYTES_MAX - 1), "x".repeat(REQUEST_BYTES_MAX + 1)]) {
    const other = collectorOf({ address: 6, id: 100 });
    const first = await other.send(body);
    expect([400, 413]).toContain(first.status);
    expect((await other.send(body)).status).toBe(429);
  }
});

test("[LIM-7] a request without events, one that is only answered, and one that breaks off count by their bytes", async () => {
  const large = "x".repeat(REQUEST_BYTES_MAX - 200);
  const bodies = [
    ["/batch", `{"batch":[],"pad":"${large}"}`],
    ["/debug/mp/collect", `{"events":[],"pad":"${large}"}`],
    ["/v1/events", new Uint8Array(gzipSync(large).subarray(0, -9))],
  ] as const;
  for (const [path, body] of bodies) {
    const it = collectorOf({ address: 6, id: 100 });
    expect([path, (await it.send(body, path)).status]).not.toEqual([path, 429]);
    expect([path, (await it.send(body, path)).status]).toEqual([path, 429]);
  }
});

test("[LIM-10] an IPv6 /48 may send what sixteen addresses may, however many it has; others do not notice", async () => {
  const seen = new Map<string, number>();
  const limit = async ({ key }: { readonly key: string }) => {
    seen.set(key, (seen.get(key) ?? 0) + 1);
    return { success: (seen.get(key) ?? 0) <= 10 };
  };
  const env = { LIMIT_ADDRESS: { limit } } as unknown as CollectorEnv;
  const random = seededRandom(19);
  const own = { counted: new Tens(() => now), random: () => random.next() };
  const come = (address: string, requests = 1) => mayNetworkSend(env, { address, requests }, own);
  const of = (at: number) => `2001:db8:1:${(at % 65_536).toString(16)}::1`;
  let taken = 0;
  for (let at = 0; at < 5_000; at++) if (await come(of(at))) taken += 1;
  console.log(`  5,000 addresses of one /48: ${taken} requests taken, where an address has 100`);
  expect(taken).toBeGreaterThan(1_200);
  expect(taken).toBeLessThan(2_000);
  expect([...seen.keys()]).toEqual(["2001:db8:1/48"]);
  expect([await come("2001:db8:2::1"), await come("203.0.113.7"), await come("::ffff:203.0.113.7")]).toEqual([
    true,
    true,
    true,
  ]);
  now += RATE_LIMIT_PERIOD_SECONDS * 1_000;
  seen.clear();
  expect(await come(of(0))).toBe(true);
  // A request that counts for fifty does so for the network as well.
  let batches = 0;
  for (let at = 0; at < 100; at++) if (await come(of(at), 49)) batches += 1;
  expect(batches).toBeLessThan(45);
});

test("[LIM-10] one address alone does not close its /48, however often it comes: others are its provider's customers", async () => {
  const seen = new Map<string, number>();
  const limit = async ({ key }: { readonly key: string }) => {
    seen.set(key, (seen.get(key) ?? 0) + 1);
    return { success: (seen.get(key) ?? 0) <= 5 };
  };
  const env = { LIMIT_ADDRESS: { limit }, RATE_LIMITS: "on" } as unknown as CollectorEnv;
  const come = async (address: string) => {
    const request = new Request("https://collector.example/v1/events", { headers: { "cf-connecting-ip": address } });
    return isAddressWithinLimit(incomingOf(request, env, { waitUntil: () => undefined }));
  };
  const large = (address: string) =>
    areWithinLimit(env, refusals(1_000), sentBy(address, { length: 9_000, passed: undefined }));
  let taken = 0;
  for (let at = 0; at < 5_000; at++) if (await come("2001:db8:77:1::1")) taken += 1;
  for (let at = 0; at < 200; at++) await large("2001:db8:77:2::1");
  expect(taken).toBe(5 * LIMIT_REQUESTS + LIMIT_REQUESTS - 1);
  expect(await come("2001:db8:77:3::1")).toBe(true);
});

test("[LIM-11] an answer explains the first refusals of each code, and gives place and code of all", () => {
  const codes = ["invalid_field", "unknown_tracking_id"] as const;
  const message = "the name of an event is a text of at most 120 characters; this one is a number";
  const refused = Array.from({ length: 1_000 }, (_, index) => ({ index, code: codes[index % 2] ?? codes[0], message }));
  const { body } = reportAnswer(accepted<Report>({ ...EMPTY_REPORT, rejected: refused }));
  const told = (JSON.parse(String(body)) as { rejected: { index: number; code: string; message?: string }[] }).rejected;
  expect(told.map(({ index, code }) => [index, code])).toEqual(refused.map(({ index, code }) => [index, code]));
  expect(told.filter(({ message: said }) => said === message)).toHaveLength(2 * REFUSALS_EXPLAINED_MAX);
  console.log(
    `  1,000 refusals: ${Math.round(body.length / 1_000)} KB, explained all ${Math.round(JSON.stringify(refused).length / 1_000)} KB`,
  );
  expect(body.length).toBeLessThan(50_000);
});

test("[LIM-11] so do the answers of Umami's batch and of GoatCounter's API", () => {
  const message = "the name of an event is a text of at most 120 characters; this one is a number";
  const refused = Array.from({ length: 1_000 }, (_, index) => ({ index, code: "invalid_field" as const, message }));
  const outcome = accepted<Report>({ ...EMPTY_REPORT, rejected: refused });
  for (const { answer } of [umamiBatch, goatcounterApi]) {
    const body = String(answer({ hit: BLANK_HIT, outcome, requestId: "" }).body);
    expect(body.split(message)).toHaveLength(1 + REFUSALS_EXPLAINED_MAX);
    for (const { index } of refused) expect(body.includes(`${index}`)).toBe(true);
    expect(body.length).toBeLessThan(90_000);
  }
});

test("[LIM-7] what an address may not send counts for no tracking ID, and is no longer read", async () => {
  const it = collectorOf({ address: 6, id: 100 });
  const events = Array.from({ length: 1_000 }, (_, id) => ({ id: `${id}` }));
  expect((await it.send({ tracking_id: it.trackingId, events })).status).toBe(202);
  const { id } = it.left;
  expect((await it.send({ tracking_id: it.trackingId, events })).status).toBe(429);
  expect(it.left.id).toBe(id);
  const left = { ...it.left };
  expect((await it.send("{")).status).toBe(429);
  expect(it.left).toEqual(left);
});

/** For how many requests each counter is asked: it is sent ten times, so that no ten is begun. */
async function countsOf(outcomes: readonly Outcome<Arrival>[], sent: Partial<Sent> = {}) {
  const counted: string[] = [];
  const counter = (name: string) => ({
    limit: async ({ key }: { key: string }) => ({ success: counted.push(`${name} ${key}`) > 0 }),
  });
  const limits = { LIMIT_TRACKING_ID: counter("id"), LIMIT_ADDRESS: counter("address") };
  const env = { RATE_LIMITS: "on", ...limits } as unknown as CollectorEnv;
  const all = { address: ADDRESS, length: 100, merchant: undefined, isPassed: false, ...sent };
  for (let times = 0; times < LIMIT_REQUESTS; times++) expect(await areWithinLimit(env, outcomes, all)).toBe(true);
  return Object.fromEntries([...Map.groupBy(counted, (name) => name)].map(([name, every]) => [name, every.length]));
}

let collectors = 0;

/** A collector whose counters let so much through, and a sender of its own. */
function collectorOf(left: { address: number; id: number }) {
  const sender = `198.51.100.${++collectors}`;
  const counter = (name: "address" | "id") => ({
    limit: async () => {
      left[name] -= 1;
      return { success: left[name] >= 0 };
    },
  });
  const secrets = { TRACKING_SECRET: "secret", ADMIN_TOKEN: "admin" };
  const append = async ({ arrivals }: AppendRequest) => decodeArrivals(arrivals).map(() => "accepted" as const);
  const env = {
    ...secrets,
    POOL_SIZE: "4",
    LIMIT_ADDRESS: counter("address"),
    LIMIT_TRACKING_ID: counter("id"),
    PARTITION: { getByName: () => ({ append }) },
  };
  const context = { waitUntil: () => undefined } as unknown as ExecutionContext;
  const send = async (body: object | string | Uint8Array<ArrayBuffer>, path = "/v1/events") => {
    const text = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
    const init = { method: "POST", headers: { "cf-connecting-ip": sender }, body: text };
    const response = await app.request(path, init, env, context);
    return { status: response.status, text: await response.text() };
  };
  return { send, left, trackingId: encodeTrackingId({ merchant: 1, stream: 1 }, signsOf(secrets)[0]) };
}
