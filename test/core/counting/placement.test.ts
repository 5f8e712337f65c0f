// Where events are counted: the same event always in the same partition, and no visitor's Day in two.

import { expect, test } from "vitest";
import { type Placeable, partitionOf, partitionsOf } from "../../../core/counting/placement.ts";
import { SPREAD_FIRST, SPREAD_KEPT_MAX, SPREAD_MAX, SPREAD_NOTICE_MS } from "../../../core/limits.ts";
import {
  changeSpread,
  changeZone,
  nextSpread,
  type SpreadTimeline,
  spreadAt,
  type ZonePeriod,
  zoneAt,
} from "../../../core/merchant.ts";
import { DAY_MS, dayAt, dayStart, HOUR_MS } from "../../../core/time.ts";
import { seededRandom } from "../../support/random.ts";

const NOW = Date.UTC(2026, 9, 24, 20, 40);
const POOL_SIZE = 8;
const MIDNIGHT = { now: NOW, noticeMs: SPREAD_NOTICE_MS, at: "midnight" } as const;
const ZONES = [
  "UTC",
  "Europe/London",
  "Asia/Kathmandu",
  "America/St_Johns",
  "Australia/Lord_Howe",
  "Pacific/Kiritimati",
];

test("[SPR-1] the time of an event decides, so that a copy that comes later comes to the same partition", () => {
  const spread = [
    { from: NOW, partitions: 4 },
    { from: NOW + DAY_MS, partitions: 0 },
  ];
  const placed = (timestamp: number) => partitionOf(hit(timestamp), spread, POOL_SIZE);
  const pool = partitionOf(hit(0), [], POOL_SIZE);
  expect(pool).toMatch(/^pool-\d$/);
  expect(placed(NOW - 1)).toBe(pool);
  expect(placed(NOW)).toMatch(/^merchant-7-[0-3]$/);
  expect(placed(NOW + DAY_MS - 1)).toBe(placed(NOW));
  expect(placed(NOW + DAY_MS)).toBe(pool);
  expect(partitionsOf({ merchant: 7, spread }, { poolSize: POOL_SIZE, regions: [] })).toEqual([
    pool,
    ...[0, 1, 2, 3].map((n) => `merchant-7-${n}`),
  ]);
});

test("[SPR-1] visitors are spread evenly, and cookieless ones by address and agent", () => {
  const counts = new Map<string, number>();
  for (let visitor = 0; visitor < 4_000; visitor++) {
    const name = partitionOf(
      hit(NOW, { address: `10.0.${visitor >> 8}.${visitor & 255}` }),
      [{ from: 0, partitions: 4 }],
      8,
    );
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  expect([...counts.keys()].sort()).toEqual([0, 1, 2, 3].map((n) => `merchant-7-${n}`));
  for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(150);
});

test("[SPR-2] a spread begins with the merchant's next Day, at least the notice ahead", () => {
  expect(spreadOf("Europe/London")).toEqual([{ from: Date.UTC(2026, 9, 24, 23), partitions: 4 }]);
  expect(spreadOf("UTC")).toEqual([{ from: Date.UTC(2026, 9, 25), partitions: 4 }]);
  // Midnight in Athens is in 20 minutes: too soon.
  expect(spreadOf("Europe/Athens")).toEqual([{ from: Date.UTC(2026, 9, 25, 22), partitions: 4 }]);
  const soon = changeSpread({ zones: [{ from: 0, zone: "UTC" }] }, { ...MIDNIGHT, partitions: 4, at: "soon" });
  expect(soon).toEqual([{ from: NOW + SPREAD_NOTICE_MS, partitions: 4 }]);
});

test("[SPR-2] a change that has not begun is replaced, one that changes nothing is none, and there are only so many", () => {
  const settings = { zones: [{ from: 0, zone: "UTC" }], spread: spreadOf("UTC") };
  expect(changeSpread(settings, { ...MIDNIGHT, partitions: 8 })).toMatchObject([{ partitions: 8 }]);
  expect(changeSpread(settings, { ...MIDNIGHT, partitions: 0 })).toEqual([]);
  const long = (days: number) =>
    Array.from({ length: SPREAD_KEPT_MAX }, (_, index) => ({
      from: NOW - (SPREAD_KEPT_MAX - index) * days * DAY_MS,
      partitions: index % 2,
    }));
  expect(changeSpread({ ...settings, spread: long(5) }, { ...MIDNIGHT, partitions: 9 })).toBe("full");
  const forgotten = changeSpread({ ...settings, spread: long(7) }, { ...MIDNIGHT, partitions: 9 });
  expect(forgotten).toEqual([...long(7).slice(1), { from: Date.UTC(2026, 9, 25), partitions: 9 }]);
});

test("[SPR-2] whatever is changed when, no Day of a merchant is on both sides of a spread's beginning", () => {
  const random = seededRandom(1414);
  for (let run = 0; run < 400; run++) {
    let zones: readonly ZonePeriod[] = [{ from: 0, zone: random.pick(ZONES) }];
    let spread: SpreadTimeline = [];
    let now = NOW;
    for (let change = 0; change < 4; change++) {
      now += random.integer(0, random.pick([1, 24, 60]) * HOUR_MS);
      if (random.chance(0.5)) zones = changeZone({ zones, spread }, random.pick(ZONES), now);
      else {
        const changed = changeSpread({ zones, spread }, { ...MIDNIGHT, now, partitions: random.integer(0, 4) });
        if (changed !== "full") spread = changed;
      }
    }
    for (const { from } of spread) {
      const before = daysIn(zones, from - 3 * DAY_MS, from);
      const after = daysIn(zones, from, from + 3 * DAY_MS);
      expect(
        [...before].filter((day) => after.has(day)),
        JSON.stringify({ run, zones, spread }),
      ).toEqual([]);
    }
  }
});

test("[SPR-5] a merchant gets four partitions at first, then twice as many, and no more than it may have", () => {
  const steps: number[] = [];
  let spread: SpreadTimeline = [];
  for (let next = nextSpread(spread); next !== undefined; next = nextSpread(spread)) {
    steps.push(next);
    spread = [...spread, { from: steps.length, partitions: next }];
  }
  expect(steps[0]).toBe(SPREAD_FIRST);
  expect(steps).toEqual([4, 8, 16, 32, 64]);
  expect(steps.at(-1)).toBe(SPREAD_MAX);
  expect(spreadAt(spread, 2)).toBe(8);
});

/** The dates (as numbers) that a merchant's events of [from, to) may have. */
function daysIn(zones: readonly ZonePeriod[], from: number, to: number): Set<number> {
  const days = new Set<number>();
  const cuts = zones.flatMap((period) => [period.from - 1, period.from]).filter((at) => at >= from && at < to);
  for (let at = from; at < to; at += HOUR_MS / 4) days.add(dayAt(zoneAt(zones, at), at));
  for (const at of [...cuts, to - 1]) days.add(dayAt(zoneAt(zones, at), at));
  return days;
}

function spreadOf(zone: string): SpreadTimeline {
  const spread = changeSpread({ zones: [{ from: 0, zone }] }, { ...MIDNIGHT, partitions: 4 });
  if (spread === "full") throw new Error("there was none before");
  for (const { from } of spread) expect(dayStart(zone, dayAt(zone, from))).toBe(from);
  return spread;
}

function hit(timestamp: number, { address = "203.0.113.1" } = {}): Placeable {
  return { event: { merchant: 7, visitor: "", userAgent: "Mozilla/5.0", timestamp }, address };
}
