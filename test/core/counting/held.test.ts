// What a Day is estimated to take in memory: the same however it came to be, never less than its bytes on disk, more
// with each new value; and what makes a Day grow takes time in proportion.

import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteReader, ByteWriter } from "../../../core/bytes.ts";
import {
  countEvent,
  type DayState,
  decodeDay,
  emptyDay,
  encodeDay,
  heldBytes,
  namesOf,
  removeVisitor,
} from "../../../core/counting/day.ts";
import { settledVisits, unseenPrefetches } from "../../../core/counting/settled.ts";
import { opine } from "../../../core/enrichment/opinion.ts";
import type { Event } from "../../../core/event.ts";
import { NO_RULES_IN_FORCE } from "../../../core/rules.ts";
import { DAY_MS } from "../../../core/time.ts";
import { eventOf, settingsOf, TUESDAY } from "../../support/events.ts";

const DAY = Math.floor(TUESDAY / DAY_MS);
const NEVER_SEEN_AGAIN = TUESDAY + 2 * DAY_MS;

const anyEvent = fc.record({
  visitor: fc.constantFrom("00000000000000a1", "00000000000000a2", "00000000000000a3"),
  timestamp: fc.integer({ min: 0, max: 239 }).map((minute) => TUESDAY + minute * 60_000),
  name: fc.constantFrom("pageview", "purchase", "refund", "engagement", "sign up"),
  url: fc.constantFrom(
    "https://shop.example/",
    "https://shop.example/a?utm_source=s",
    "https://shop.example/%C3%BCber",
  ),
  order: fc.constantFrom("", "", "A1", "A2"),
  revenue: fc.constantFrom(0, 10_000),
  currency: fc.constantFrom("EUR", "USD"),
  products: fc.constantFrom("", '[{"id":"p1","price":1}]', '[{"id":"p1","price":1},{"name":"p2","quantity":2}]'),
  purpose: fc.constantFrom("", "", "prefetch"),
});

test("[HLD-1] what a Day takes is a function of what it holds: read back from disk, or less a visitor, it comes to the same", () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 40 }), fc.boolean(), (events, isErased) => {
      const state = dayOf(events);
      if (isErased) removeVisitor(state, "00000000000000a1", 100);
      const awake = heldBytes(state);
      expect(awake).toBeGreaterThanOrEqual(encoded(state).length);
      const stored = decodeDay(new ByteReader(encoded(state)));
      state.visitors.rest(NEVER_SEEN_AGAIN);
      expect(heldBytes(stored)).toBe(heldBytes(state));
      expect(heldBytes(stored)).toBeGreaterThanOrEqual(encoded(state).length);
      for (const visitor of [...stored.visitors.keys()]) stored.visitors.wake(visitor);
      // Money that came to nothing is not stored.
      expect(heldBytes(stored)).toBeLessThanOrEqual(awake);
      if (!events.some(({ name }) => name === "refund")) expect(heldBytes(stored)).toBe(awake);
    }),
  );
});

test.each<[string, (n: number) => Partial<Event>]>([
  ["pages", (n) => ({ url: `https://shop.example/${n}` })],
  ["names", (n) => ({ name: `event ${n}` })],
  ["hosts", (n) => ({ url: `https://h${n}.example/` })],
  ["visitors", (n) => ({ visitor: visitorOf(n) })],
  ["visitors from other places", (n) => ({ visitor: visitorOf(n), referrer: `https://r${n}.example/`, city: `c${n}` })],
  ["order numbers", (n) => ({ name: "purchase", order: `order ${n}` })],
  ["products", (n) => ({ name: "purchase", products: `[{"id":"p${n}"}]` })],
  ["prefetched pages", (n) => ({ purpose: "prefetch", url: `https://shop.example/${n}` })],
])("[HLD-1] each of a Day's new %s takes more", (_, changesOf) => {
  const state = emptyDay(1, DAY);
  for (let n = 0, before = heldBytes(state); n < 100; n++, before = heldBytes(state)) {
    count(state, eventOf({ id: `${n}`, ...changesOf(n) }), n);
    expect(heldBytes(state)).toBeGreaterThan(before);
  }
});

test.each<[string, (n: number) => Partial<Event>]>([
  ["under one order number", () => ({ name: "purchase", order: "A1", revenue: 10_000 })],
  ["that prefetch pages and read them", (n) => ({ ...pageOf(n >> 1), ...(n % 2 === 0 ? PREFETCHED : READING) })],
])("[HLD-7] events %s take time in proportion", (_, changesOf) => {
  const timeOf = (events: number) => {
    const state = emptyDay(1, DAY);
    const start = performance.now();
    for (let n = 0; n < events; n++) count(state, eventOf({ id: `${n}`, timestamp: TUESDAY + n, ...changesOf(n) }), n);
    const names = namesOf(state);
    expect([...settledVisits(state, names)].length).toBe(1);
    unseenPrefetches(state, names);
    return performance.now() - start;
  };
  timeOf(500); // the engine has seen the code
  const [few, many] = [bestOf(3, () => timeOf(1_500)), bestOf(3, () => timeOf(8 * 1_500))];
  console.log(`  eight times the events take ${(many / few).toFixed(1)} times as long`);
  // In proportion is 8; with each looking at all before it, it was 40.
  expect(many / few).toBeLessThan(24);
});

const PREFETCHED = { name: "pageview", purpose: "prefetch" };
const READING = { name: "engagement", engagementMs: 1_000 };

function pageOf(n: number): Partial<Event> {
  return { url: `https://shop.example/${n}` };
}

function bestOf(times: number, run: () => number): number {
  return Math.min(...Array.from({ length: times }, run));
}

function visitorOf(n: number): string {
  return n.toString(16).padStart(16, "0");
}

function dayOf(events: readonly Partial<Event>[]): DayState {
  const state = emptyDay(1, DAY);
  for (const [n, changes] of events.entries()) count(state, eventOf({ id: `${n}`, ...changes }), n);
  return state;
}

function count(state: DayState, told: Event, position: number): void {
  const opinion = opine(told, NO_RULES_IN_FORCE);
  const event = { ...told, dropped: opinion.dropped };
  countEvent(state, { event, opinion, settings: settingsOf(), position });
}

function encoded(state: DayState): Uint8Array {
  const writer = new ByteWriter();
  encodeDay(state, writer);
  return writer.finish();
}
