// What has left memory counts as if it had not: a partition that gives up all it can at every checkpoint, whose disk
// fails and that starts anew, beside one that keeps its Days whole in memory. Both are told the same by seed: visits,
// orders, prefetches, ids that repeat or tell another story, events that come hours late, erasures, and a merchant
// whose zone changes. Then single cases of what the seeds do.

import { expect, test } from "vitest";
import type { DayState } from "../../core/counting/day.ts";
import { countedEvents } from "../../core/counting/day.ts";
import { wholeDay } from "../../core/counting/layer.ts";
import { presentOf } from "../../core/counting/present.ts";
import { ALL_DIMENSIONS } from "../../core/counting/rollup.ts";
import { toRollupRow } from "../../core/counting/rollup-row.ts";
import type { Event } from "../../core/event.ts";
import { HELD_BYTES_MAX } from "../../core/limits.ts";
import { NO_RULES } from "../../core/rules.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../core/time.ts";
import { append } from "../../durable-objects/append.ts";
import { checkpoint, checkpointTurn } from "../../durable-objects/checkpoint.ts";
import { erase } from "../../durable-objects/erase.ts";
import { findShelf } from "../../durable-objects/state.ts";
import { always, eventOf, settingsOf, TUESDAY } from "../support/events.ts";
import { TestPartition } from "../support/partition.ts";
import { type Random, seededRandom } from "../support/random.ts";

const SEEDS = Number(process.env["SEEDS"] ?? 6);
const STEPS = 160;
const MERCHANTS = [1, 2];
const ALL_LEAVES = {
  loadedEvents: 0,
  eventsMin: 1,
  afterMs: 5 * MINUTE_MS,
  turnEvents: 1,
  turnBytes: Number.POSITIVE_INFINITY,
};
const NOTHING_LEAVES = {
  loadedEvents: Number.POSITIVE_INFINITY,
  eventsMin: 0,
  afterMs: 0,
  turnEvents: 1,
  turnBytes: Number.POSITIVE_INFINITY,
};

const RULES = always({
  ...NO_RULES,
  returns: { drop: ["pay.example"], admit: [] },
  goals: [
    { name: "paid", event: "purchase" },
    { name: "front", page: "/0" },
  ],
});
/** The Day ends later for merchant 2, and from the second noon on in another zone. */
const ZONES = [
  { from: 0, zone: "America/New_York" },
  { from: TUESDAY + DAY_MS + 12 * HOUR_MS, zone: "Asia/Kolkata" },
];

const seeds = Array.from({ length: SEEDS }, (_, at) => Number(process.env["SEED"] ?? 1) + at);

test.each(seeds)(
  "[HLD-8] [PAR-25] what has left memory counts as if it had not, and each event once, seed %i",
  async (seed) => {
    const random = seededRandom(seed);
    const whole = newPartition(NOTHING_LEAVES);
    // With every other seed a turn lets one or two visitors leave, and the others later.
    const layered = newPartition(seed % 2 === 0 ? ALL_LEAVES : { ...ALL_LEAVES, turnBytes: 300 });
    let layers = 0;
    for (let step = 0; step < STEPS; step++) {
      const forward = random.chance(0.3) ? random.integer(1, 40) * MINUTE_MS : random.integer(1, 60_000);
      whole.now += forward;
      layered.now += forward;
      if (random.chance(0.03))
        both((it) => erase(it.partition, erasureOf(seededRandom(seed + step), step)), layered, whole);
      else {
        const events = Array.from({ length: random.integer(1, 6) }, () => anyEvent(random, whole.now));
        expect(await send(layered, events)).toEqual(await send(whole, events));
      }
      if (random.chance(0.25)) failDuring(layered, random, () => checkpoint(layered.partition));
      else if (random.chance(0.3)) failDuring(layered, random, () => checkpointTurn(layered.partition));
      if (random.chance(0.05)) layered.restart();
      if (step % 20 === 19) expect(seenOf(layered)).toEqual(seenOf(whole));
      layers = Math.max(layers, layered.rows("layer"));
    }
    expect(layers).toBeGreaterThan(20);
    expect(seenOf(layered)).toEqual(seenOf(whole));
    layered.restart();
    expect(seenOf(layered)).toEqual(seenOf(whole));
  },
);

test("[HLD-8] a Day that was erased has nothing of its visitors on disk, and its ids still count once", async () => {
  const it = newPartition(ALL_LEAVES);
  await send(it, [{ id: "a", visitor: visitorOf(1), url: "https://shop.example/only-there" }]);
  it.now += HOUR_MS;
  checkpoint(it.partition);
  expect(it.rows("layer")).toBeGreaterThan(3);
  erase(it.partition, { ...erasureOf(seededRandom(1), 1), merchant: 1, visitor: visitorOf(1), forget: false });
  const rows = it.database.prepare("SELECT bytes FROM layer WHERE kind IN (2, 3)").all();
  expect(rows.map(({ bytes }) => (bytes as Uint8Array).length).every((length) => length <= 4)).toBe(true);
  expect(await send(it, [{ id: "a", visitor: visitorOf(1), url: "https://shop.example/only-there" }])).toEqual([
    "duplicate",
  ]);
});

test("[HLD-9] what rests counts towards what a merchant may hold, and nobody else is slowed for it", async () => {
  const it = newPartition(ALL_LEAVES);
  await send(it, [{}]);
  it.now += HOUR_MS;
  checkpoint(it.partition);
  const { days } = findShelf(it.partition, { day: Math.floor(TUESDAY / DAY_MS), shelf: 1 }) ?? {
    days: new Map<number, DayState>(),
  };
  const state = days.get(1) as DayState;
  state.rested = { ...state.rested, bytes: HELD_BYTES_MAX / 2 };
  const refusable = { isRefusable: true };
  const ask = (merchant: number, keyed: 0 | 1) =>
    append(it.partition, arrivals(it, [{ merchant, keyed, timestamp: it.now }]), refusable);
  expect(await ask(1, 0)).toEqual([{ fullForSeconds: expect.any(Number) }]);
  expect(await ask(1, 1)).toEqual(["accepted"]);
  expect(await ask(2, 0)).toEqual(["accepted"]);
});

function newPartition(layers: TestPartition["layers"]): TestPartition {
  const it = new TestPartition();
  it.layers = layers;
  it.settings.set(1, settingsOf("UTC", { rules: RULES }));
  it.settings.set(2, settingsOf("UTC", { merchant: 2, zones: ZONES }));
  it.restart();
  return it;
}

/** Runs something while the disk may fail; then the partition goes on, or starts anew. */
function failDuring(it: TestPartition, random: Random, work: () => void): void {
  it.writesLeft = random.chance(0.4) ? random.integer(0, 12) : undefined;
  try {
    work();
  } catch (error) {
    if (!(error instanceof Error && error.message === "the disk has failed")) throw error;
    if (random.chance(0.5)) it.restart();
  }
  it.writesLeft = undefined;
}

function both(work: (it: TestPartition) => unknown, ...all: readonly TestPartition[]): void {
  for (const it of all) work(it);
}

function erasureOf(random: Random, erasure: number) {
  return {
    erasure,
    merchant: random.pick(MERCHANTS),
    visitor: random.chance(0.8) ? visitorOf(random.integer(1, 9)) : "",
    fromDay: 0,
    toDay: 99_999,
    forget: false,
    told: 0,
  };
}

function visitorOf(number: number): string {
  return number.toString(16).padStart(16, "0");
}

/** Some of them come again with their id, and some of these say another thing. */
function anyEvent(random: Random, now: number): Partial<Event> {
  const minutesAgo = random.chance(0.3) ? random.integer(0, 1_500) : random.integer(0, 3);
  const kind = random.pick(["pageview", "pageview", "engagement", "purchase", "refund", "prefetch", "web_vitals"]);
  const page = random.integer(0, 4);
  const lines = [{ id: `p${page}`, price: 2, quantity: random.integer(1, 3) }];
  return {
    merchant: random.pick(MERCHANTS),
    id: `id-${random.integer(0, 500)}`,
    timestamp: now - minutesAgo * MINUTE_MS,
    visitor: visitorOf(random.integer(1, 9)),
    visitorKind: random.chance(0.5) ? "daily" : "known",
    name: kind === "prefetch" ? "pageview" : kind,
    purpose: kind === "prefetch" ? "prefetch" : "",
    url: `https://shop.example/${page}`,
    referrer: random.pick(["", "https://pay.example/done", "https://www.google.com/", "https://shop.example/"]),
    engagementMs: kind === "engagement" ? 4_000 : 0,
    order: kind === "purchase" || kind === "refund" ? `order-${random.integer(0, 12)}` : "",
    products: kind === "purchase" && random.chance(0.6) ? JSON.stringify(lines) : "",
    revenue: kind === "purchase" || kind === "refund" ? random.integer(1, 9) * 10_000 : 0,
    keyed: random.chance(0.2) ? 1 : 0,
    userAgent: random.chance(0.05) ? "Googlebot/2.1 (+http://www.google.com/bot.html)" : eventOf({}).userAgent,
  };
}

function arrivals(it: TestPartition, changes: readonly Partial<Event>[]) {
  return changes.map((change) => ({
    event: eventOf({ receivedAt: it.now, ...change }),
    address: "203.0.113.1",
    floating: false,
  }));
}

async function send(it: TestPartition, changes: readonly Partial<Event>[]) {
  return append(it.partition, arrivals(it, changes));
}

/** Everything that can be seen of the Days: rollups with versions, who is there, how much was counted. */
function seenOf(it: TestPartition): unknown {
  const { partition } = it;
  for (const key of partition.deps.store.listShelves()) findShelf(partition, key);
  const states = [...partition.shelves.values()].flatMap(({ days }) => [...days.values()]);
  states.sort((a, b) => a.merchant - b.merchant || a.day - b.day);
  return states.map((state) => {
    const all = wholeDay(state);
    const changed = [...state.changed].sort(([a], [b]) => a - b);
    const { visitors, orders } = presentOf(state, it.now - 30 * MINUTE_MS);
    return {
      merchant: state.merchant,
      day: state.day,
      events: countedEvents(state),
      present: { orders, visitors: [...visitors].sort((a, b) => (a.visitor < b.visitor ? -1 : 1)) },
      rows: changed.map(([slot, version]) =>
        toRollupRow(all, { slot, version, partition: "p", dimensions: ALL_DIMENSIONS }),
      ),
    };
  });
}
