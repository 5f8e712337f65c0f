// Opinions of many rows at once: each part of one reads what it says, and what it is formed by once is what it would be
// formed by for each row that agrees in that.

import fc from "fast-check";
import { expect, test } from "vitest";
import { columnsOf } from "../../../core/archive/event-columns.ts";
import { matchersOf } from "../../../core/enrichment/matcher.ts";
import { blank, type Opinion, opine, PARTS, type Part } from "../../../core/enrichment/opinion.ts";
import { opineAll, opinionAt } from "../../../core/enrichment/opinion-columns.ts";
import type { Event } from "../../../core/event.ts";
import { finish } from "../../../core/gradual.ts";
import { NO_RULES, rulesInForce } from "../../../core/rules.ts";
import { always, CHROME, eventOf, GOOGLEBOT, IPHONE } from "../../support/events.ts";

const RULES = {
  goals: [{ name: "Pay", page: "/pay*" }],
  bots: { drop: ["*iphone*"], admit: ["*google*"] },
  referrers: { drop: ["spam.example"], admit: [] },
  asns: { drop: [64_500], admit: [] },
  addresses: [{ name: "office", networks: ["192.0.2.0/24"] }],
  hostnames: ["shop.example"],
  paths: { strip_ids: true, keep_query: ["q"], replace: [{ match: "/old*", page: "/new" }] },
  channels: [{ channel: "Friends", source: "*news*" }],
};
const anyEvent: fc.Arbitrary<Event> = fc
  .record({
    name: fc.constantFrom("pageview", "signup", "purchase", "web_vitals", "$identify", "engagement", "x"),
    url: fc.constantFrom(
      "https://shop.example/pay?q=1&gclid=2",
      "https://till.example/old/1",
      "https://shop.example/a/77#/b?utm_source=x",
      "",
    ),
    referrer: fc.constantFrom(
      "",
      "https://www.google.com/",
      "https://shop.example/",
      "https://spam.example/",
      "https://news.example/a",
    ),
    userAgent: fc.constantFrom("", CHROME, IPHONE, GOOGLEBOT),
    hints: fc.constantFrom("", '{"brands":["Brave"],"mobile":true,"platform":"Android"}', '{"brands":["Headless"]}'),
    verifiedBot: fc.constantFrom("", "", "Search Engine Crawler"),
    country: fc.constantFrom("", "AT"),
    city: fc.constantFrom("", "Graz"),
    language: fc.constantFrom("", "de-AT"),
    format: fc.constantFrom("footfall", "plausible", "pixel"),
    fragment: fc.constantFrom(0, 1),
    asn: fc.constantFrom(0, 16_509, 64_500),
    excluded: fc.constantFrom("", "office", "home"),
    importNumber: fc.constantFrom(0, 0, 3),
    given: fc.constantFrom("", '{"browser":"chrome"}'),
    purpose: fc.constantFrom("", "prefetch"),
    keyed: fc.constantFrom(0, 1),
    passive: fc.constantFrom(0, 1),
    order: fc.constantFrom("", "7"),
    revenue: fc.constantFrom(0, 10, -10),
    products: fc.constantFrom("", '[{"id":"A"}]'),
    hour: fc.nat(23),
  })
  .map(({ hour, ...facts }) => eventOf({ ...facts, timestamp: Date.UTC(2026, 2, 24, hour) }));
const DAY = Math.floor(Date.UTC(2026, 2, 24) / 86_400_000);
const TIMELINES = {
  own: [
    ...always({ goals: [] }),
    { version: 2, from: Date.UTC(2026, 2, 24, 12), rules: { ...NO_RULES, ...RULES } },
    { version: 3, days: [DAY, DAY + 1] as const, withoutImport: 3 },
  ],
  global: always({ orders: { keyed_only: true } }),
};

/** The same opinion as an object of its own. */
function valuesOf(opinion: Opinion): object {
  return Object.fromEntries(PARTS.flatMap(({ writes }) => writes.map((name) => [name, opinion[name]])));
}

test("[ENR-7] opinions of rows are those of their events, by the rules of each", () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { minLength: 1, maxLength: 40, size: "max" }), (events) => {
      const columns = columnsOf(events.map((event, position) => ({ partition: "p", position, event })));
      const opinions = finish(opineAll(columns, DAY, TIMELINES));
      for (const [row, event] of events.entries())
        expect(valuesOf(opinionAt(opinions, row))).toEqual(
          opine(
            event,
            rulesInForce(TIMELINES, { instant: event.timestamp, day: DAY, importNumber: event.importNumber }),
          ),
        );
    }),
    { numRuns: 200 },
  );
});

test.each([
  [[10, 12], "the last event"],
  [[12, 13], "the first event"],
  [[10, 12, 13], "one between"],
])("[ENR-7] rules that begin at the instant of an event hold for it: hours %j, %s", (hours) => {
  const events = hours.map((hour) =>
    eventOf({ timestamp: Date.UTC(2026, 2, 24, hour), url: "https://shop.example/pay" }),
  );
  const columns = columnsOf(events.map((event, position) => ({ partition: "p", position, event })));
  const opinions = finish(opineAll(columns, DAY, TIMELINES));
  expect(hours.map((_, row) => opinionAt(opinions, row).goals)).toEqual(
    hours.map((hour) => (hour < 12 ? [] : ["Pay"])),
  );
});

test("[ENR-7] a part of an opinion reads and writes nothing but what it says", () => {
  const spied = <T extends object>(of: T, seen: Set<PropertyKey>) =>
    new Proxy(of, {
      get: (target, name) => {
        seen.add(name);
        return Reflect.get(target, name);
      },
    });
  fc.assert(
    fc.property(anyEvent, (event) => {
      const rules = rulesInForce(TIMELINES, { instant: event.timestamp, day: DAY, importNumber: event.importNumber });
      const opinion = blank();
      for (const part of PARTS as readonly Part[]) {
        const [read, readOpinions] = [new Set<PropertyKey>(), new Set<PropertyKey>()];
        const before = { ...opinion };
        for (const step of part.steps)
          step.apply(spied(event, read), spied<Opinion>(opinion, readOpinions), matchersOf(rules));
        expect(part.reads).toEqual(expect.arrayContaining([...read]));
        expect([...part.readsOpinions, ...part.writes]).toEqual(expect.arrayContaining([...readOpinions]));
        for (const name of Object.keys(blank()) as (keyof Opinion)[])
          if (!part.writes.includes(name)) expect(opinion[name]).toBe(before[name]);
      }
    }),
    { numRuns: 300 },
  );
});
