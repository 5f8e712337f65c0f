// Rate limiting on the real runtime, with limits low enough to reach and without DEVELOPMENT, so that the address is
// the one the platform names: who comes too often gets a 429, and nobody else notices.

import { afterAll, beforeAll, expect, test } from "vitest";
import { LIMIT_REQUESTS, RATE_LIMIT_PERIOD_SECONDS } from "../../core/limits.ts";
import type { Runtime } from "../../scripts/runtime.ts";
import { CHROME } from "../support/events.ts";
import { type Client, type Merchant, startServices } from "../support/services.ts";

/** Tens of requests that the counters let through. */
const TENS_OF_ADDRESS = 1;
const TENS_OF_TRACKING_ID = 2;
/** As many an isolate takes: the tenth after these is asked for, and is one too many. */
const PER_ADDRESS = (TENS_OF_ADDRESS + 1) * LIMIT_REQUESTS - 1;
const PER_TRACKING_ID = (TENS_OF_TRACKING_ID + 1) * LIMIT_REQUESTS - 1;
const PER_KEY = 30;
const PERIOD_MS = RATE_LIMIT_PERIOD_SECONDS * 1_000;

let services: { runtime: Runtime; client: Client; stop: () => Promise<void> };
beforeAll(async () => {
  const rateLimits = { LIMIT_ADDRESS: TENS_OF_ADDRESS, LIMIT_TRACKING_ID: TENS_OF_TRACKING_ID, LIMIT_KEY: PER_KEY };
  services = await startServices({ DEVELOPMENT: "false", KEY_REQUESTS_MAX: `${PER_KEY}` }, { rateLimits });
});
afterAll(() => services?.stop());

interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: { readonly error?: { readonly code: string; readonly message: string } };
}

async function send(address: string, events: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${services.client.collectorUrl}/v1/events`, {
    method: "POST",
    headers: { "cf-connecting-ip": address, ...headers },
    body: JSON.stringify(events),
  });
  const body = (await response.json()) as Answer["body"];
  return { status: response.status, retryAfter: response.headers.get("retry-after"), body };
}

/** The platform counts in windows aligned to the clock: a test must not straddle two of them. */
async function startOfWindow(): Promise<void> {
  const left = PERIOD_MS - (Date.now() % PERIOD_MS);
  if (left < 4_000) await new Promise((settle) => setTimeout(settle, left + 50));
}

async function eventsOf(merchant: Merchant): Promise<unknown> {
  const { results } = await services.client.ask(merchant, { metrics: ["events"], date_range: "day" });
  return results[0]?.metrics[0];
}

async function times<T>(count: number, act: (index: number) => Promise<T>): Promise<readonly T[]> {
  const answers: T[] = [];
  for (let index = 0; index < count; index++) answers.push(await act(index));
  return answers;
}

test("[LIM-1] [LIM-2] an address that comes too often gets 429 with Retry-After, others do not, and the next period works", async () => {
  const merchant = await services.client.createMerchant();
  const event = { tracking_id: merchant.tracking_id, url: "https://shop.example/", user_agent: CHROME };
  await startOfWindow();
  const answers = await times(PER_ADDRESS + 3, () =>
    send("2001:db8:1::7", event, { "x-footfall-address": "192.0.2.9" }),
  );
  expect(answers.map(({ status }) => status)).toEqual([...Array<number>(PER_ADDRESS).fill(202), 429, 429, 429]);
  expect(answers.at(-1)).toMatchObject({
    retryAfter: String(RATE_LIMIT_PERIOD_SECONDS),
    body: { error: { code: "rate_limited", message: expect.stringContaining("later, several in one request") } },
  });
  const refused = await fetch(`${services.client.collectorUrl}/v1/pixel.gif?tracking_id=${merchant.tracking_id}`, {
    headers: { "cf-connecting-ip": "2001:db8:1:0:ffff::", origin: "https://shop.example" },
  });
  expect([refused.status, refused.headers.get("access-control-expose-headers")]).toEqual([429, "Retry-After"]);
  expect((await send("2001:db8:2::7", event)).status).toBe(202);
  expect((await send("203.0.113.9", event)).status).toBe(202);
  expect(await eventsOf(merchant)).toBe(PER_ADDRESS + 2);
  await new Promise((settle) => setTimeout(settle, PERIOD_MS - (Date.now() % PERIOD_MS) + 50));
  expect((await send("2001:db8:1::7", event)).status).toBe(202);
  expect(await eventsOf(merchant)).toBe(PER_ADDRESS + 3);
});

test("[LIM-3] a tracking ID that is sent too often gets 429, nothing of the request is taken, and no other ID notices", async () => {
  const [flooded, neighbour] = [await services.client.createMerchant(), await services.client.createMerchant()];
  const event = (merchant: Merchant, id: string) => ({ tracking_id: merchant.tracking_id, id, user_agent: CHROME });
  await startOfWindow();
  const answers = await times(PER_TRACKING_ID + 2, (index) =>
    send(`203.0.113.${100 + index}`, [event(flooded, `${index} a`), event(flooded, `${index} b`)]),
  );
  expect(answers.map(({ status }) => status)).toEqual([...Array<number>(PER_TRACKING_ID).fill(202), 429, 429]);
  expect(answers.at(-1)).toMatchObject({
    retryAfter: String(RATE_LIMIT_PERIOD_SECONDS),
    body: { error: { code: "rate_limited", message: expect.stringContaining("tracking_id") } },
  });
  const mixed = await send("203.0.113.200", [event(neighbour, "with a flooded one"), event(flooded, "z")]);
  expect(mixed.status).toBe(429);
  const spelling = { ...event(flooded, "y"), tracking_id: flooded.tracking_id.toUpperCase().replaceAll("-", "") };
  expect((await send("203.0.113.201", spelling)).status).toBe(429);
  expect((await send("203.0.113.202", event(neighbour, "alone"))).status).toBe(202);
  expect([await eventsOf(flooded), await eventsOf(neighbour)]).toEqual([PER_TRACKING_ID * 2, 1]);
});

test("[KEY-6] a key that asks too often gets 429 with what the headers promise, and no other key notices", async () => {
  const [busy, neighbour] = [await services.client.createMerchant(), await services.client.createMerchant()];
  const ask = async (merchant: Merchant) => {
    const headers = { authorization: `Bearer ${merchant.api_key}` };
    const response = await fetch(`${services.client.queryUrl}/api/v1/merchants/${merchant.id}`, { headers });
    await response.arrayBuffer();
    const names = ["ratelimit-policy", "ratelimit", "retry-after"];
    return [response.status, ...names.map((name) => response.headers.get(name))];
  };
  await startOfWindow();
  const answers = await times(PER_KEY + 1, () => ask(busy));
  const policy = `"key";q=${PER_KEY};w=${RATE_LIMIT_PERIOD_SECONDS}`;
  expect(answers.slice(0, -1)).toEqual(Array(PER_KEY).fill([200, policy, null, null]));
  expect(answers.at(-1)).toEqual([429, policy, '"key";r=0;t=10', "10"]);
  expect(await ask(neighbour)).toEqual([200, policy, null, null]);
});

test("[LIM-4] a developer's machine is not limited unless it asks to be", async () => {
  for (const [vars, limited] of [
    [{ DEVELOPMENT: "true" }, false],
    [{ DEVELOPMENT: "true", RATE_LIMITS: "on" }, true],
    [{ DEVELOPMENT: "false", RATE_LIMITS: "off" }, false],
  ] as const) {
    const { client, stop } = await startServices(vars, { rateLimits: { LIMIT_ADDRESS: 1, LIMIT_TRACKING_ID: 1 } });
    try {
      const { tracking_id } = await client.createMerchant();
      const headers = { "cf-connecting-ip": "203.0.113.7" };
      await startOfWindow();
      const statuses = await times(PER_ADDRESS + 1, async () => (await client.send({ tracking_id }, headers)).status);
      expect(statuses.includes(429), JSON.stringify(vars)).toBe(limited);
    } finally {
      await stop();
    }
  }
});
