// Who knows a tracking ID sends events of a thousand past Days in one small request, or in many: each Day costs an
// object, rows and a new count, and makes the late events of others wait. Such a request is refused whole; what comes
// in pieces has a budget an hour, by sender and by merchant.

import { expect, test } from "vitest";
import { lateWaits } from "../../core/counting/late-turn.ts";
import type { Arrival } from "../../core/event.ts";
import {
  LATE_DAYS_NEAR,
  LATE_DAYS_OF_MERCHANT_MAX,
  LATE_DAYS_OF_REQUEST_MAX,
  LATE_DAYS_OF_SENDER_MAX,
  LATE_OBJECTS_OF_MERCHANT_MAX,
  LATE_OBJECTS_OF_SENDER_MAX,
  LATE_REQUESTS,
  LATE_SENDERS_KEPT_MAX,
  LATE_TURN_SECONDS,
  LATE_WAIT_SECONDS_MAX,
  LIMIT_REQUESTS,
} from "../../core/limits.ts";
import { decodeArrivals } from "../../core/overflow.ts";
import { DAY_MS, HOUR_MS } from "../../core/time.ts";
import { encodeTrackingId } from "../../core/tracking-id.ts";
import { append } from "../../durable-objects/append.ts";
import { drain } from "../../durable-objects/drain.ts";
import { type LateArrival, newLateBudget, takesLateDay } from "../../durable-objects/late-budget.ts";
import type { AppendRequest } from "../../durable-objects/rpc.ts";
import { signsOf } from "../../storage/signing.ts";
import { app } from "../../workers/collector/app.ts";
import { deliver } from "../../workers/collector/deliver.ts";
import { eventOf, settingsOf, TUESDAY } from "../support/events.ts";
import { TestPartition } from "../support/partition.ts";
import { migratedDatabase } from "../support/query-worker.ts";
import { seededRandom } from "../support/random.ts";
import { SealedWorld } from "../support/sealed-world.ts";

const FLOOD = 1_000;

test("[LIM-6] one request of a thousand past Days is refused whole, with a code and what to do", async () => {
  const collector = collectorOf();
  const answer = await collector.send(daysAgo(FLOOD));
  expect([answer.status, answer.body.error.code, answer.body.error.message]).toEqual([
    400,
    "too_many_days",
    expect.stringContaining("with an API key of scope write"),
  ]);
  expect(collector.appended).toEqual([]);
  const body = JSON.stringify({ events: daysAgo(FLOOD) });
  console.log(`  ${Math.round(body.length / 1_000)} KB, ${FLOOD} events of ${FLOOD} Days: nothing stored`);
  expect((await collector.send(daysAgo(LATE_DAYS_OF_REQUEST_MAX))).status).toBe(202);
  expect(collector.appended).toEqual([LATE_DAYS_OF_REQUEST_MAX]);
});

test("[LIM-6] in pieces, from any number of addresses, an hour takes a bounded number of Days of a merchant", async () => {
  const it = new TestPartition();
  const taken = new Map<string, number>();
  for (let at = 0; at < FLOOD; at++) {
    const address = `203.0.113.${at % 20}`;
    const [fate] = await late(it, [{ timestamp: it.now - (100 + at) * DAY_MS }], address);
    if (fate === "accepted") taken.set(address, (taken.get(address) ?? 0) + 1);
    else expect(fate).toBe("late");
  }
  const all = [...taken.values()].reduce((sum, days) => sum + days, 0);
  expect(all).toBe(LATE_DAYS_OF_MERCHANT_MAX);
  expect(Math.max(...taken.values())).toBeLessThanOrEqual(LATE_DAYS_OF_SENDER_MAX);
  // Days that were touched cost nothing more, a neighbour has a budget of its own, near Days are of none, and
  // the next hour has another.
  expect(await late(it, [{ timestamp: it.now - 100 * DAY_MS }], "203.0.113.0")).toEqual(["accepted"]);
  expect(await late(it, [{ merchant: 2, timestamp: it.now - 5_000 * DAY_MS }], "203.0.113.0")).toEqual(["accepted"]);
  const recent = Array.from({ length: LATE_DAYS_NEAR }, (_, at) => ({ timestamp: it.now - (2 + at) * DAY_MS }));
  expect(await late(it, recent, "203.0.113.0")).toEqual(recent.map(() => "accepted"));
  it.now += HOUR_MS;
  expect(await late(it, [{ timestamp: it.now - 5_000 * DAY_MS }], "203.0.113.0")).toEqual(["accepted"]);
});

test("[LIM-6] what came with a key, or was acknowledged before, is taken whatever Days it is of", async () => {
  const it = new TestPartition();
  const days = Array.from({ length: 300 }, (_, at) => ({ timestamp: it.now - (100 + at) * DAY_MS }));
  const keyed = days.map((day) => ({ ...day, keyed: 1 as const }));
  expect(new Set(await late(it, keyed, "203.0.113.1"))).toEqual(new Set(["accepted"]));
  expect(new Set(await it.send(days))).toEqual(new Set(["accepted"])); // as the overflow queue sends
  expect(await late(it, [{ timestamp: it.now - 4_000 * DAY_MS }], "203.0.113.1")).toEqual(["accepted"]);
});

test("[LIM-6] what an hour of it costs is bounded, and printed", async () => {
  const world = new SealedWorld([settingsOf("UTC", { merchant: 1 })]);
  const days = Array.from({ length: FLOOD }, (_, at) => ({ timestamp: world.it.now - (100 + at) * DAY_MS }));
  let refused = 0;
  for (let start = 0; start < FLOOD; start += LATE_DAYS_OF_SENDER_MAX) {
    const fates = await late(world.it, days.slice(start, start + LATE_DAYS_OF_SENDER_MAX), `203.0.113.${start / 32}`);
    refused += fates.filter((fate) => fate === "late").length;
  }
  await world.settle();
  const bundles = world.keys("events/").length;
  await world.consume();
  console.log(
    `  of ${FLOOD} Days ${refused} refused; ${bundles} objects of bundles, ${world.objects.size} objects afterwards`,
  );
  expect(bundles).toBeLessThanOrEqual(LATE_DAYS_OF_MERCHANT_MAX);
  // Of each: a bundle, and of its seal rows, what it knows of them, manifest, derived rows and where these lie.
  expect(world.objects.size).toBeLessThanOrEqual(6 * LATE_DAYS_OF_MERCHANT_MAX);
});

test("[LIM-6] all addresses of an IPv6 /64 are one sender", () => {
  const budget = newLateBudget();
  const tried = Array.from({ length: 300 }, (_, at) => {
    const address = `2001:db8:0:7::${(at + 1).toString(16)}`;
    const late = { event: eventOf({ merchant: 1 }), address, day: 19_990, openFrom: 20_000, stretch: `${at} 0` };
    return takesLateDay(budget, late, TUESDAY);
  });
  expect(tried.filter(Boolean)).toHaveLength(LATE_OBJECTS_OF_SENDER_MAX);
  expect(budget.senders.size).toBe(1);
});

test("[LIM-6] senders beyond what memory holds share one budget", () => {
  const budget = newLateBudget();
  const of = (merchant: number, address: string, day: number): LateArrival => {
    return { event: eventOf({ merchant }), address, day, openFrom: 20_000, stretch: "1 0" };
  };
  for (let at = 0; at < LATE_SENDERS_KEPT_MAX; at++) takesLateDay(budget, of(2 + at, "a", 1), TUESDAY);
  const taken = Array.from({ length: 60 }, (_, at) => takesLateDay(budget, of(1, `b${at}`, 100 + at), TUESDAY));
  expect(taken.filter(Boolean)).toHaveLength(LATE_DAYS_OF_SENDER_MAX);
  expect(budget.senders.size).toBe(LATE_SENDERS_KEPT_MAX + 1);
});

test("[LIM-6] bytes that cut bundle after bundle over the same near Days cost a bounded number of objects", async () => {
  const world = new SealedWorld([settingsOf("UTC", { merchant: 1 })]);
  const random = seededRandom(1);
  const text = random.hex(200_000); // longer than what a compressor looks back at
  const noise = () => text.slice(random.integer(0, 300_000)).slice(0, 20_000);
  let refused = 0;
  const rounds = 24;
  for (let round = 0; round < rounds; round++) {
    const events = Array.from({ length: LATE_DAYS_NEAR }, (_, at) => ({
      timestamp: world.it.now - (3 + at) * DAY_MS,
      props: JSON.stringify({ noise: noise() }),
    }));
    refused += (await late(world.it, events, "198.51.100.7")).filter((fate) => fate === "late").length;
    world.it.now += 1_000;
    await drain(world.it.partition);
  }
  await world.settle();
  const objects = world.keys("events/").length;
  console.log(`  of ${rounds * LATE_DAYS_NEAR} events of near Days ${refused} refused; ${objects} objects of bundles`);
  expect(objects).toBeGreaterThan(LATE_DAYS_NEAR); // else nothing was tried
  expect(objects).toBeLessThanOrEqual(2 * LATE_OBJECTS_OF_SENDER_MAX);
});

test("[LIM-6] from many addresses a merchant's objects are bounded, and what lands in one that was paid for is free", () => {
  const budget = newLateBudget();
  const of = (address: string, stretch: string): LateArrival => {
    return { event: eventOf(), address, day: 19_990, openFrom: 20_000, stretch };
  };
  const tried = Array.from({ length: 700 }, (_, at) => takesLateDay(budget, of(`a${at % 50}`, `${at} 0`), TUESDAY));
  expect(tried.filter(Boolean)).toHaveLength(LATE_OBJECTS_OF_MERCHANT_MAX);
  expect(takesLateDay(budget, of("b", `${LATE_OBJECTS_OF_MERCHANT_MAX - 1} 0`), TUESDAY)).toBe(true);
  expect(takesLateDay(budget, { ...of("b", "900 0"), event: eventOf({ keyed: 1 }) }, TUESDAY)).toBe(true);
  expect(takesLateDay(budget, of("b", "900 0"), TUESDAY + HOUR_MS)).toBe(true);
});

test("[LIM-6] what a full partition turns away is not acknowledged where it would escape the budget", async () => {
  const collector = collectorOf("overloaded");
  const today = [{ timestamp: Date.now(), url: "https://x.example/" }];
  expect((await collector.send(daysAgo(3))).status).toBe(503);
  expect(collector.overflowed).toBe(0);
  const mixed = await collector.send([...daysAgo(3), ...today]);
  expect([mixed.status, mixed.body.accepted, mixed.body.rejected?.map(({ code }) => code)]).toEqual([
    202,
    1,
    ["unavailable", "unavailable", "unavailable"],
  ]);
  expect(collector.overflowed).toBe(1);
  expect((await collector.send(today)).status).toBe(202);
});

test("[LIM-6] with a key, or without limits, all overflows", async () => {
  const overflowed: number[] = [];
  const delivery = (keyed: 0 | 1) => ({
    append: async () => "overloaded" as const,
    overflow: async ({ arrivals }: { readonly arrivals: readonly Arrival[] }) => void overflowed.push(arrivals.length),
    mayOverflow: ({ event }: Arrival) => event.keyed === 1,
    log: () => undefined,
    keyed,
  });
  const arrivals = (keyed: 0 | 1) => [{ event: eventOf({ keyed }), address: "", floating: false }];
  expect(await deliver("pool-0", arrivals(1), delivery(1))).toEqual(["accepted"]);
  expect(await deliver("pool-0", arrivals(0), delivery(0))).toEqual(["unavailable"]);
  const { mayOverflow: _, ...unlimited } = delivery(0);
  expect(await deliver("pool-0", arrivals(0), unlimited)).toEqual(["accepted"]);
  expect(overflowed).toEqual([1, 1]);
});

test("[LIM-6] an address that sends for thousands of merchants pays for each of their closed Days", async () => {
  const collector = collectorOf();
  const requests = 40;
  const merchants = 300;
  for (let at = 0; at < requests; at++) {
    const days = daysAgo(LATE_DAYS_OF_REQUEST_MAX).map((day, index) => ({
      ...day,
      tracking_id: collector.trackingIdOf(1 + ((at * LATE_DAYS_OF_REQUEST_MAX + index) % merchants)),
    }));
    expect((await collector.send(days, { "cf-connecting-ip": "198.51.100.77" })).status).toBe(202);
  }
  const pairs = requests * LATE_DAYS_OF_REQUEST_MAX;
  console.log(
    `  ${pairs} closed Days of ${merchants} merchants count as ${LIMIT_REQUESTS * collector.counted} requests`,
  );
  expect(LIMIT_REQUESTS * collector.counted).toBeGreaterThan(0.9 * pairs * LATE_REQUESTS);
  // A phone that was offline for a week pays for seven Days, whatever it has of each.
  const before = collector.counted;
  const week = Array.from({ length: 21 }, (_, at) => ({ ...daysAgo(7)[at % 7], id: `${at}` }));
  await collector.send(week, { "cf-connecting-ip": "198.51.100.78" });
  expect(collector.counted - before).toBe(Math.floor((7 * LATE_REQUESTS + 2) / LIMIT_REQUESTS));
});

test("[SEA-17] late Days are counted by turns of their merchants: one late event does not wait behind a thousand Days", () => {
  const greedy = Array.from({ length: FLOOD }, (_, day) => [1, day] as const);
  const waits = lateWaits([...greedy, [2, 5_000], [2, 5_001], [3, 999]], () => 0);
  // The neighbour's first Day is due at once, and the flood's last one after as many turns as it has Days.
  expect([waits.get(5_000), waits.get(5_001), waits.get(998)]).toEqual([0, LATE_TURN_SECONDS, 998 * LATE_TURN_SECONDS]);
  expect(waits.get(999)).toBe(0); // of two merchants: the neighbour's turn
  // What comes later stands behind what waits already, and nothing waits longer than a queue may hold it.
  expect(lateWaits([[1, 7_000]], () => FLOOD).get(7_000)).toBe(FLOOD * LATE_TURN_SECONDS);
  expect(lateWaits([[1, 7_000]], () => 1e9).get(7_000)).toBe(LATE_WAIT_SECONDS_MAX);
});

/** Events of so many closed Days, all past those that are free. */
function daysAgo(count: number): readonly object[] {
  return Array.from({ length: count }, (_, at) => ({
    timestamp: Date.now() - (100 + at) * DAY_MS,
    url: "https://x.example/",
  }));
}

/** As the collector sends, where limits are on. */
async function late(it: TestPartition, changes: readonly object[], address: string) {
  it.settings.set(2, settingsOf("UTC", { merchant: 2 }));
  const arrivals = changes.map((change) => ({
    event: eventOf({ receivedAt: it.now, ...change }),
    address,
    floating: false,
  }));
  const reply = await append(it.partition, arrivals, { isLateLimited: true });
  if (reply === "overloaded") throw new Error("overloaded");
  return reply;
}

interface Answered {
  readonly error: { readonly code: string; readonly message: string };
  readonly accepted?: number;
  readonly rejected?: readonly { readonly code: string }[];
}

/** The collector with limits on that are never reached, and a partition that takes everything. */
function collectorOf(reply: "accepted" | "overloaded" = "accepted") {
  const secrets = { TRACKING_SECRET: "secret", ADMIN_TOKEN: "admin" };
  const appended: number[] = [];
  const it = { appended, overflowed: 0, counted: 0 };
  const partition = () => ({
    append: async ({ arrivals, isLateLimited }: AppendRequest) => {
      expect(isLateLimited).toBe(true);
      const all = decodeArrivals(arrivals);
      appended.push(all.length);
      return reply === "overloaded" ? reply : all.map(() => reply);
    },
  });
  const counter = { limit: async () => ({ success: true }) };
  const ofAddress = {
    limit: async () => {
      it.counted += 1;
      return { success: true };
    },
  };
  const env = {
    ...secrets,
    POOL_SIZE: "4",
    LIMIT_ADDRESS: ofAddress,
    LIMIT_TRACKING_ID: counter,
    PARTITION: { getByName: partition },
    DIRECTORY: {},
    LEDGER_0: migratedDatabase(),
    OVERFLOW_QUEUE_0: {
      send: async () => {
        it.overflowed += 1;
      },
    },
  };
  const context = { waitUntil: () => undefined } as unknown as ExecutionContext;
  const trackingIdOf = (merchant: number) => encodeTrackingId({ merchant, stream: 1 }, signsOf(secrets)[0]);
  const tracking_id = trackingIdOf(1);
  const send = async (events: readonly object[], headers: Record<string, string> = {}) => {
    const init = { method: "POST", headers, body: JSON.stringify({ tracking_id, events }) };
    const response = await app.request("/v1/events", init, env, context);
    return { status: response.status, body: (await response.json()) as Answered };
  };
  return Object.assign(it, { send, trackingIdOf });
}
