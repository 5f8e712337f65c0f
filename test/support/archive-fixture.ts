// Events and bundles for the archive's tests: arbitrary ones for properties, realistic ones (a seeded shop's traffic)
// for sizes and for the consumers. And DuckDB as the judge of what lies in the files.

import { DuckDBInstance } from "@duckdb/node-api";
import fc from "fast-check";
import { type Bundle, encodeBundle, encodeLogged, type LoggedEvent } from "../../core/archive/bundle.ts";
import { type Event, NO_FACTS } from "../../core/event.ts";
import { DROP_REASONS } from "../../core/outcome.ts";

/** 2026-11-21 as the number of a Day. */
export const DAY = 20_778;
export const DAY_START_MS = DAY * 86_400_000;

/** Any well-formed text, with the ones that break decoders more often than chance would bring them. */
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("", "\uFEFFbyte order mark", "\0", "'; drop table", "日本語", "👩‍👩‍👧‍👦", "null", "x".repeat(2_048)),
);
const instant = fc.integer({ min: 946_684_800_000, max: 4_102_444_800_000 });

export const anyEvent: fc.Arbitrary<Event> = fc.record({
  merchant: fc.integer({ min: 1, max: 0xffff_ffff }),
  stream: fc.integer({ min: 1, max: 0xffff }),
  id: text,
  name: text,
  timestamp: instant,
  receivedAt: instant,
  visitor: text,
  format: text,
  url: text,
  referrer: text,
  title: text,
  userAgent: text,
  language: text,
  screen: text,
  country: text,
  region: text,
  city: text,
  props: text,
  revenue: fc.integer({ min: -8_000_000_000, max: 8_000_000_000 }),
  currency: text,
  engagementMs: fc.integer({ min: 0, max: 86_400_000 }),
  scroll: fc.integer({ min: -1, max: 100 }),
  dropped: fc.constantFrom("", ...DROP_REASONS),
  asn: fc.integer({ min: 0, max: 0xffff_ffff }),
  verifiedBot: text,
  hints: text,
  excluded: text,
  order: text,
  products: text,
  keyed: fc.constantFrom(0, 1),
  sequence: fc.integer({ min: 0, max: 999 }),
  visitorKind: fc.constantFrom("" as const, "daily" as const, "known" as const),
  passive: fc.constantFrom(0, 1),
  purpose: fc.constantFrom("", "prefetch"),
  fragment: fc.constantFrom(0, 1),
  importNumber: fc.constantFrom(0, 1, 0x7fff_ffff),
  given: text,
});

const anyLogged: fc.Arbitrary<LoggedEvent> = fc.record({
  day: fc.integer({ min: DAY, max: DAY + 3 }),
  late: fc.boolean(),
  event: anyEvent,
});

export const anyBundle: fc.Arbitrary<Bundle> = fc.record({
  partition: fc.constantFrom("pool-0", "pool-255", "merchant-42-7"),
  first: fc.integer({ min: 0, max: 9_999_999_999_999 - 20 }),
  events: fc.array(anyLogged, { maxLength: 20 }),
});

/** A small seeded generator (mulberry32): the same seed gives the same traffic everywhere. */
export function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const AGENTS = [
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) AppleWebKit/605.1.15 Version/26.1 Mobile/15E148 Safari/604.1",
  "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
];
const CITIES = [
  ["AT", "Vienna", "Vienna"],
  ["IN", "Karnataka", "Bengaluru"],
  ["US", "New York", "Brooklyn"],
] as const;

/** `count` events of forty merchants in the order in which they were logged, all in one Day unless `days` says more. */
export function traffic({ count, seed = 1, days = 1 }: { count: number; seed?: number; days?: number }): LoggedEvent[] {
  const random = randomOf(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() ** 2 * list.length)] as T;
  const hex = (digits: number) => Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join("");
  const visitors = Array.from({ length: Math.ceil(count / 4) }, () => hex(16));
  return Array.from({ length: count }, (_, index): LoggedEvent => {
    const merchant = 1 + Math.floor(random() ** 2 * 40);
    const timestamp = DAY_START_MS + Math.floor((index / count) * 3_600_000) + Math.floor(random() * 2_000);
    const [country, region, city] = pick(CITIES);
    const bought = random() < 0.02;
    return {
      day: DAY + (index % days),
      late: false,
      event: {
        merchant,
        stream: 1,
        id: `019aa3f0-${hex(4)}-7${hex(3)}-${hex(4)}-${hex(12)}`,
        name: bought ? "purchase" : "pageview",
        timestamp,
        receivedAt: timestamp + Math.floor(random() * 400),
        visitor: pick(visitors),
        format: "native",
        url: `https://shop-${merchant}.example/products/${Math.floor(random() ** 3 * 500)}`,
        referrer: random() < 0.6 ? "" : "https://www.google.com/",
        title: `Product ${Math.floor(random() ** 3 * 500)}`,
        userAgent: pick(AGENTS),
        language: pick(["en-US", "de-AT", "hi-IN"]),
        screen: pick(["1920x1080", "390x844", "412x915"]),
        country,
        region,
        city,
        props: bought ? '{"plan":"basic"}' : "",
        revenue: bought ? 10_000 * Math.ceil(random() * 90) : 0,
        currency: bought ? "EUR" : "",
        engagementMs: 0,
        scroll: random() < 0.3 ? Math.floor(random() * 100) : -1,
        dropped: random() < 0.05 ? "bot" : "",
        ...NO_FACTS,
      },
    };
  });
}

/** The JSON text of a bundle, as the partition's log would give it. */
export function bundleText({ partition, first, events }: Bundle): string {
  return encodeBundle({ partition, first, rows: events.map(encodeLogged) });
}

/** The rows of a SQL question, as JSON. */
export async function duckdb(sql: string): Promise<readonly Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    await connection.run("set TimeZone = 'UTC'");
    return (await connection.runAndReadAll(sql)).getRowObjectsJson();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
