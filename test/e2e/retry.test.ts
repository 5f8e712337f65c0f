// Clients that retry, through a proxy that lets every request take effect and then spoils the answer. Whatever is
// resent, alone or in other company, with or without a time of its own, also near the merchant's midnight, is counted
// once, and the answer that finally comes through names the duplicates.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Runtime } from "../../scripts/runtime.ts";
import { type BadProxy, MISHAPS, type Mishap, startBadProxy } from "../support/bad-proxy.ts";
import { queryArchive } from "../support/duckdb.ts";
import { seededRandom } from "../support/random.ts";
import { Client, type Merchant, NEVER_CLOSED, type Report, startServices, untilArchived } from "../support/services.ts";

const ZONE = "Asia/Kolkata";
const HOUR_MS = 3_600_000;
const TRIES_MAX = 20;

let services: { runtime: Runtime; client: Client; stop: () => Promise<void> };
let proxy: BadProxy;
let sender: Client;

beforeAll(async () => {
  services = await startServices(NEVER_CLOSED);
  proxy = await startBadProxy(services.client.collectorUrl);
  sender = new Client({ collectorUrl: proxy.url, queryUrl: services.client.queryUrl });
});
afterAll(async () => {
  await proxy?.stop();
  await services?.stop();
});

interface Sent {
  readonly id: string;
  readonly url: string;
  readonly visitor_id: string;
  readonly timestamp?: number;
}

const WITHOUT_TIME = () => ({});
const JUST_NOW = () => ({ timestamp: Date.now() - 5_000 });

describe.each(MISHAPS)("the answer is spoiled: %s", (mishap) => {
  const SIZES = [1, 40] as const;
  const TIMES = [
    ["without a timestamp", WITHOUT_TIME],
    ["with one", JUST_NOW],
  ] as const;
  const CASES = SIZES.flatMap((size) => TIMES.map(([how, time]) => [size, how, time] as const));

  test.each(CASES)("[RTY-1] %d events %s, resent until acknowledged, count once", async (size, _how, time) => {
    const merchant = await sender.createMerchant(ZONE);
    const events = eventsOf(size, time);
    const report = await sendUntilHeard(merchant, events, [mishap, mishap, mishap]);
    expect(report).toEqual({ accepted: 0, duplicates: size, dropped: [], rejected: [] });
    expect(JSON.parse(proxy.answers.at(-4)?.body ?? "")).toMatchObject({ accepted: size, duplicates: 0 });
    expect(await countOf(merchant)).toEqual([size, size]);
  });
});

test("[RTY-2] batches that overlap, each spoiled in its own way, count every event once", async () => {
  const merchant = await sender.createMerchant(ZONE);
  const random = seededRandom(20261121);
  const all = eventsOf(60, (index) => (index % 2 === 0 ? WITHOUT_TIME() : JUST_NOW()));
  let reported = 0;
  for (let start = 0; start < all.length; start += 10) {
    const window = all.slice(Math.max(0, start - random.integer(0, 15)), start + 10);
    const mishaps = Array.from({ length: random.integer(0, 3) }, () => random.pick(MISHAPS));
    const report = await sendUntilHeard(merchant, window, mishaps);
    expect(report.accepted + report.duplicates).toBe(window.length);
    reported += report.accepted;
  }
  expect(reported).toBeLessThan(all.length); // some were accepted by an answer that nobody heard
  expect(await countOf(merchant)).toEqual([60, 60]);
});

test("[RTY-2] an id that comes twice in one batch counts once", async () => {
  const merchant = await sender.createMerchant(ZONE);
  const [event] = eventsOf(1, JUST_NOW);
  const report = await sendUntilHeard(merchant, [event, event, event] as Sent[], []);
  expect(report).toMatchObject({ accepted: 1, duplicates: 2 });
  expect(await countOf(merchant)).toEqual([1, 1]);
});

test("[RTY-3] around a local midnight, each event counts once and in the Day of its timestamp", async () => {
  const merchant = await sender.createMerchant(ZONE);
  const midnight = lastMidnight() - 24 * HOUR_MS; // 00:00 in Kolkata, which is 18:30 UTC
  const offsets = [-HOUR_MS, -60_000, -1, 0, 1, 60_000, HOUR_MS];
  const events = eventsOf(offsets.length, (index) => ({ timestamp: midnight + (offsets[index] as number) }));
  const spoiled: readonly Mishap[] = ["500", "cut in the answer", "429", "cut before the answer"];
  const report = await sendUntilHeard(merchant, events, spoiled);
  expect(report).toMatchObject({ accepted: 0, duplicates: events.length });
  const { results } = await sender.ask(merchant, {
    metrics: ["events"],
    date_range: "all",
    dimensions: ["time:day"],
  });
  const days = results.map(({ metrics }) => metrics[0]).filter((count) => count !== 0);
  expect(days).toEqual([3, 4]);
});

test("[RTY-3] a resend whose clock was corrected across the midnight is the same event", async () => {
  const merchant = await sender.createMerchant(ZONE);
  const midnight = lastMidnight();
  const [before, after] = [-30_000, 30_000].map((offset) => eventsOf(1, () => ({ timestamp: midnight + offset })));
  await sendUntilHeard(merchant, before as Sent[], ["cut before the answer"]);
  const resent = [{ ...(after as Sent[])[0], id: (before as Sent[])[0]?.id }] as Sent[];
  expect(await sendUntilHeard(merchant, resent, [])).toMatchObject({ accepted: 0, duplicates: 1 });
  expect(await countOf(merchant)).toEqual([1, 1]);
});

test("[RTY-4] the same ids of two merchants are different events", async () => {
  const merchants = [await sender.createMerchant(ZONE), await sender.createMerchant(ZONE)];
  const events = eventsOf(5, JUST_NOW);
  for (const merchant of merchants) await sendUntilHeard(merchant, events, ["500"]);
  for (const merchant of merchants) expect(await countOf(merchant)).toEqual([5, 5]);
});

test("[RTY-5] the archive holds every event once, too", async () => {
  await untilArchived(services.client);
  const [row] = await queryArchive(
    services.runtime,
    "SELECT count(*) AS events, count(DISTINCT (merchant, event_id)) AS ids FROM events",
  );
  expect(row?.["events"]).toBe(row?.["ids"]);
  console.log(`retry: ${proxy.answers.length} requests took effect, ${row?.["events"]} events, each counted once`);
});

/** What a retrying client does: the same ids again on anything but a 2xx that it could read to its end. */
async function sendUntilHeard(
  merchant: Merchant,
  events: readonly Sent[],
  mishaps: readonly Mishap[],
): Promise<Report> {
  proxy.mishaps.push(...mishaps);
  const body = events.length === 1 ? { tracking_id: merchant.tracking_id, ...events[0] } : batchOf(merchant, events);
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const heard = await sender.send(body).catch(() => undefined);
    if (heard?.status === 202) {
      expect(tries).toBe(mishaps.length);
      return heard.body;
    }
  }
  throw new Error(`not heard within ${TRIES_MAX} tries`);
}

function batchOf(merchant: Merchant, events: readonly Sent[]) {
  return { tracking_id: merchant.tracking_id, events };
}

let made = 0;

/** Events with an id and a visitor each, so that events and visitors count the same. */
function eventsOf(count: number, timeOf: (index: number) => { timestamp?: number }): readonly Sent[] {
  return Array.from({ length: count }, (_, index) => {
    made += 1;
    return { id: `retried ${made}`, url: "https://shop.example/", visitor_id: `visitor ${made}`, ...timeOf(index) };
  });
}

async function countOf(merchant: Merchant): Promise<readonly unknown[] | undefined> {
  const { results } = await sender.ask(merchant, { metrics: ["events", "visitors"], date_range: "all" });
  return results[0]?.metrics;
}

/** The last midnight in Kolkata that is over by more than an hour. */
function lastMidnight(): number {
  const shift = 5.5 * HOUR_MS;
  const midnight = Math.floor((Date.now() + shift) / (24 * HOUR_MS)) * 24 * HOUR_MS - shift;
  return Date.now() - midnight > HOUR_MS ? midnight : midnight - 24 * HOUR_MS;
}
