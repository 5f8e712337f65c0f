// Whoever knows a tracking ID sends nothing but what was never there before: pages, event names, order numbers,
// products, visitors. All of it is held in memory until its Day is closed, in a partition that others share. On the
// real runtime: that merchant's pages are slowed before they are acknowledged, its neighbours and its own server are
// not, and every answer shows what was acknowledged, after a restart too.

import { afterAll, beforeAll, expect, test } from "vitest";
import { HELD_BYTES_MAX, HELD_RETRY_SECONDS_MIN, PRODUCTS_COUNT_MAX } from "../../core/limits.ts";
import { type Client, type Merchant, startServices, until } from "../support/services.ts";

const NEIGHBOURS = 3;
/** Far more than there is room for: without a bound the test ends here, and fails. */
const REQUESTS_MAX = 200;
const BATCH_EVENTS = 40;
/** On a machine that does much else the test takes minutes: it sends 20 MB of events. */
const TEST_MS = 300_000;

let services: Awaited<ReturnType<typeof startServices>>;
let client: Client;
beforeAll(async () => {
  services = await startServices({ POOL_SIZE: "1" });
  client = services.client;
});
afterAll(() => services?.stop());

test(
  "[HLD-2] [HLD-3] [HLD-5] one merchant sends only new values until it is slowed; nobody else is, and all numbers are exact",
  async () => {
    const greedy = await client.createMerchant();
    const key = await client.createWriteKey(greedy);
    const quiet = await Promise.all(Array.from({ length: NEIGHBOURS }, () => client.createMerchant()));
    let requests = 0;
    let counted = 0;
    let last = await send(greedy, newValues(requests));
    while (last.status === 202 && last.body.rejected.length === 0) {
      counted += last.body.accepted;
      requests += 1;
      for (const merchant of quiet) await sendOne(merchant);
      expect(requests).toBeLessThan(REQUESTS_MAX);
      last = await send(greedy, newValues(requests));
    }
    if (last.status === 202) {
      // The request that found the end of it: what was refused is named, to be sent again.
      counted += last.body.accepted;
      expect(new Set(last.body.rejected.map(({ code }) => code))).toEqual(new Set(["unavailable"]));
      last = await send(greedy, newValues(requests + 1));
    }
    expect([last.status, last.body.error?.code]).toEqual([429, "rate_limited"]);
    expect(Number(last.retryAfter)).toBeGreaterThanOrEqual(HELD_RETRY_SECONDS_MIN);
    const held = await heldBytes();
    console.log(
      `  ${counted} events in ${requests} requests, then 429; the partition holds ${held} B, come again in ${last.retryAfter} s`,
    );
    expect(held).toBeGreaterThan(HELD_BYTES_MAX / 2);
    expect(held).toBeLessThan(HELD_BYTES_MAX);
    // Sent again, what was counted is a duplicate.
    expect((await send(greedy, newValues(0))).body).toMatchObject({ duplicates: BATCH_EVENTS, rejected: [] });
    for (const merchant of quiet) await sendOne(merchant);
    const keyed = await client.send({ events: newValues(-1) }, { authorization: `Bearer ${key}` });
    expect(keyed).toMatchObject({ status: 202, body: { accepted: BATCH_EVENTS, rejected: [] } });
    const expected = new Map([[greedy, counted + BATCH_EVENTS], ...quiet.map((one) => [one, requests + 1] as const)]);
    for (const [merchant, events] of expected) await untilCounted(merchant, events);
    await survivesRestart(expected, quiet);
  },
  TEST_MS,
);

/** A partition that comes back holds no more than before, takes what neighbours send, and has lost nothing. */
async function survivesRestart(expected: ReadonlyMap<Merchant, number>, quiet: readonly Merchant[]): Promise<void> {
  const before = await heldBytes();
  client = (await services.restart({ POOL_SIZE: "1" })).client;
  const start = performance.now();
  for (const merchant of quiet) await sendOne(merchant);
  console.log(
    `  ${Math.round(performance.now() - start)} ms for the first hits of ${NEIGHBOURS} neighbours after a restart`,
  );
  for (const [merchant, events] of expected) await untilCounted(merchant, events + (quiet.includes(merchant) ? 1 : 0));
  expect(await heldBytes()).toBeLessThan(before * 1.01);
}

interface Answered {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: Awaited<ReturnType<Client["send"]>>["body"];
}

async function send(merchant: Merchant, events: readonly object[]): Promise<Answered> {
  const body = JSON.stringify({ tracking_id: merchant.tracking_id, events });
  const response = await fetch(`${client.collectorUrl}/v1/events`, { method: "POST", body });
  const answer = (await response.json()) as Answered["body"];
  return { status: response.status, retryAfter: response.headers.get("retry-after"), body: answer };
}

/** One page view of a shop, which must be taken. */
async function sendOne(merchant: Merchant): Promise<void> {
  const answer = await client.send({ tracking_id: merchant.tracking_id, url: "https://quiet.example/" });
  expect(answer).toMatchObject({ status: 202, body: { accepted: 1 } });
}

/** Events that say nothing that was said before; the same for the same request. */
function newValues(request: number): readonly object[] {
  return Array.from({ length: BATCH_EVENTS }, (_, index) => {
    const name = `${request}-${index}`;
    const products = Array.from({ length: PRODUCTS_COUNT_MAX }, (_, at) => ({
      name: `${name}-${at} `.padEnd(190, "x"),
    }));
    return {
      id: `id ${name}`,
      name: "purchase",
      url: `https://h${name}.example/${name}?utm_source=s${name}&utm_campaign=c${name}`,
      referrer: `https://r${name}.example/`,
      visitor_id: `visitor ${name}`,
      order_id: `order ${name}`,
      products,
    };
  });
}

async function heldBytes(): Promise<number> {
  const { partitions } = (await client.admin("GET", "/api/v1/partitions")) as { partitions: { held_bytes: number }[] };
  return partitions.reduce((sum, one) => sum + one.held_bytes, 0);
}

async function untilCounted(merchant: Merchant, events: number): Promise<void> {
  const question = { metrics: ["events"], date_range: "all" };
  const asked = async () => (await client.ask(merchant, question)).results[0]?.metrics[0];
  expect(await until(asked, (shown) => shown === events, 60_000)).toBe(events);
}
