// Hostile input to the pure code, straight: whatever comes in, nothing throws, every refusal says something, and no
// text takes much longer than another. The same inputs over HTTP are in test/e2e/hostile.test.ts.

import { createHmac } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test, vi } from "vitest";
import { columnsOf } from "../../core/archive/event-columns.ts";
import { exclusionsOf } from "../../core/enrichment/matcher.ts";
import { opine } from "../../core/enrichment/opinion.ts";
import { decodeEvent, type Event, encodeEvent } from "../../core/event.ts";
import { isObject } from "../../core/formats/field.ts";
import type { Answer } from "../../core/formats/hit-reply.ts";
import { native } from "../../core/formats/native.ts";
import { pixel } from "../../core/formats/pixel.ts";
import { ROUTES } from "../../core/formats/route.ts";
import { BLANK_HIT, type Draft, type Hit } from "../../core/hit.ts";
import { accepted, type Outcome } from "../../core/outcome.ts";
import { parseFilters, passes } from "../../core/query/filter.ts";
import { parseFunnel } from "../../core/query/funnel.ts";
import { parsePaths } from "../../core/query/path.ts";
import { parseQuestion } from "../../core/query/question.ts";
import { parseRealtime } from "../../core/query/realtime.ts";
import { parseRetention } from "../../core/query/retention.ts";
import { type Seen, seeDay } from "../../core/query/seen.ts";
import { EMPTY_REPORT } from "../../core/report.ts";
import { parseRules } from "../../core/rule-parser.ts";
import { NO_RULES_IN_FORCE } from "../../core/rules.ts";
import { dayAt, dayStart } from "../../core/time.ts";
import { type Sign, verifyTrackingId } from "../../core/tracking-id.ts";
import { parseHostname } from "../../storage/hostname.ts";
import { CHROME, eventOf, settingsOf } from "../support/events.ts";
import {
  FUZZ,
  HOSTILE_KEYS,
  HOSTILE_TEXTS,
  hostileObject,
  hostileText,
  hostileValue,
  nested,
  REPETITIVE_TEXTS,
} from "../support/hostile.ts";
import { tryPlan } from "../support/questions.ts";

const RUNS = 1_500 * FUZZ;
const NOW = Date.UTC(2026, 10, 21, 12);
/**
 * What one input may take of the time of an ordinary event, about 20 µs: the largest that are let in take 500 times as
 * long, a quadratic one 100,000 times.
 */
const INPUT_TIMES_MAX = 7_500;

/** Offsets that are looked up for a Day that was never seen; a day by quarters of an hour would be 96. */
const LOOK_UPS_PER_DAY_MAX = 6;

let tried = 0;
let slowest = 0;
let ordinaryMs: number | undefined;
afterAll(() =>
  console.log(`hostile, pure: ${tried} inputs tried, the slowest took ${slowest.toFixed(0)} ordinary ones`),
);

/**
 * Counts an input, and compares how long it takes with an ordinary one; where it seems long, both once
 * more: the machine may be busy.
 */
function attempt<T>(run: () => T): T {
  tried += 1;
  const timed = () => {
    const start = performance.now();
    const value = run();
    return { value, ms: performance.now() - start };
  };
  const { value, ms } = timed();
  ordinaryMs ??= ordinary();
  let best = ms;
  for (let again = 0; again < 3 && best > INPUT_TIMES_MAX * ordinaryMs; again++) {
    ordinaryMs = Math.max(ordinaryMs, ordinary());
    best = Math.min(best, timed().ms);
  }
  slowest = Math.max(slowest, best / ordinaryMs);
  expect(best / ordinaryMs).toBeLessThan(INPUT_TIMES_MAX);
  return value;
}

/** What an ordinary event takes to be read, in ms: the mean of a hundred. */
function ordinary(): number {
  const hit = hitOf({ body: JSON.stringify(PLAUSIBLE_EVENT) });
  const start = performance.now();
  for (let at = 0; at < 100; at++) native.parse(hit);
  return (performance.now() - start) / 100;
}

const PLAUSIBLE_EVENT = {
  tracking_id: "0000002a-0001-8d3f-9c1e-5b7a90f4e2d1",
  id: "order 17",
  visitor_id: "visitor 3",
  name: "purchase",
  url: "https://shop.example/thanks?utm_source=x",
  referrer: "https://www.google.com/",
  title: "Thanks",
  user_agent: CHROME,
  language: "de-AT",
  screen: "1920x1080",
  timestamp: NOW,
  props: { plan: "pro" },
  revenue: { amount: 12.5, currency: "EUR" },
  engagement_ms: 1_500,
  scroll: 70,
  order_id: "1001",
  products: [{ id: "A1", name: "Mat", price: 6.25, quantity: 2 }],
};

const hitOf = (changes: Partial<Hit>): Hit => ({
  ...BLANK_HIT,
  userAgent: CHROME,
  receivedAt: NOW,
  ...changes,
});

describe("formats", () => {
  test("[HOS-1] the native format takes or refuses every event, and what it takes is well-formed", () => {
    fc.assert(
      fc.property(hostileObject(PLAUSIBLE_EVENT), (event) => {
        expectOutcomes(attempt(() => native.parse(hitOf({ body: JSON.stringify(event) }))));
      }),
      { numRuns: RUNS },
    );
  });

  test("[HOS-1] any text and any value is a body that is answered", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          hostileText,
          hostileValue.map((value) => JSON.stringify(value)),
        ),
        (body) => {
          expectOutcomes(attempt(() => native.parse(hitOf({ body }))));
        },
      ),
      { numRuns: RUNS },
    );
  });

  test("[HOS-1] any header and any query string is a pixel that is answered", () => {
    const query = fc.oneof(
      hostileText,
      fc
        .array(fc.tuple(fc.constantFrom("tracking_id", "url", ...HOSTILE_KEYS), hostileText))
        .map((pairs) => pairs.map((pair) => pair.map(encodeLoosely).join("=")).join("&")),
    );
    fc.assert(
      fc.property(query, hostileText, hostileText, (text, userAgent, referrer) => {
        expectOutcomes(attempt(() => pixel.parse(hitOf({ query: text, userAgent, referrer }))));
      }),
      { numRuns: RUNS },
    );
  });

  /** Every format and every endpoint that only answers, by its first path. */
  const foreign = ROUTES.map((route) => [route.paths[0] as string, route] as const);
  const FOREIGN = golden();

  test.each(foreign)("[HOS-1] %s takes or refuses every body and every query, and answers", (path, route) => {
    const examples = FOREIGN.filter((example) => (route.paths as readonly string[]).includes(example.path));
    const body = fc.oneof(
      hostileText,
      hostileValue.map((value) => JSON.stringify(value)),
      ...examples.flatMap(({ body }) => (isObject(body) ? [hostileObject(body).map(toJson)] : [])),
      ...examples.flatMap(({ body }) => nestedObjects(body).map((inner) => hostileObject(inner).map(toJson))),
    );
    const query = fc.oneof(
      hostileText,
      fc
        .array(fc.tuple(fc.constantFrom(...parameterNames(examples), ...HOSTILE_KEYS), hostileText))
        .map((pairs) => pairs.map((pair) => pair.map(encodeLoosely).join("=")).join("&")),
    );
    fc.assert(
      fc.property(body, query, hostileText, fc.boolean(), (text, search, header, keyed) => {
        const bodies = [text, ...wrappings(text)];
        for (const wrapped of bodies) {
          const hit = hitOf({ path, body: wrapped, query: search, referrer: header, forwardedFor: header, keyed });
          if ("reply" in route) {
            expectAnswer(attempt(() => route.reply({ ...hit, ifModifiedSince: header })));
            continue;
          }
          const drafts = attempt(() => route.format.parse(hit));
          expectOutcomes(drafts);
          const report = { ...EMPTY_REPORT, rejected: drafts.ok ? [] : [{ index: 0, ...drafts.rejection }] };
          expectAnswer(route.format.answer({ hit, outcome: drafts.ok ? accepted(report) : drafts, requestId: "r" }));
        }
      }),
      { numRuns: Math.ceil(RUNS / 8) },
    );
  });

  const FIELDS = [...Object.keys(PLAUSIBLE_EVENT), "events", "props.x", "revenue.amount", "revenue.currency"];
  test.each(FIELDS)("[HOS-2] lists nested 100,000 deep in %s are refused with the field's name", (field) => {
    const [outer = "", inner] = field.split(".");
    const deep = inner === undefined ? nested(100_000) : `{${JSON.stringify(inner)}:${nested(100_000)}}`;
    const body = `{"tracking_id":"t",${JSON.stringify(outer)}:${deep}}`;
    const outcomes = expectOutcomes(attempt(() => native.parse(hitOf({ body }))));
    const [refused] = outcomes;
    const named = outer === "events" ? "event" : outer;
    expect(refused?.ok === false && refused.rejection.message).toContain(named);
  });

  test("[HOS-3] 10,000 fields, 10,000 properties and a key of 100,000 characters are answered", () => {
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`field ${index}`, index]));
    for (const event of [
      { ...PLAUSIBLE_EVENT, ...many },
      { ...PLAUSIBLE_EVENT, props: many },
      { ...PLAUSIBLE_EVENT, props: { ["k".repeat(100_000)]: 1 } },
    ])
      expectOutcomes(attempt(() => native.parse(hitOf({ body: JSON.stringify(event) }))));
  });

  const INEXACT = ["9007199254740993", "12345678901234567890", "-9007199254740993", "1e400", "-1e400"];
  test.each(INEXACT)(
    "[HOS-9] the number %s, which JSON cannot hold, stays as it was written where it is a text",
    (written) => {
      const body = `{"tracking_id":"t","id":${written},"order_id": ${written},"props":{"a":${written},"list":[${written}]}}`;
      const [refused] = expectOutcomes(
        native.parse(hitOf({ body: body.replace("}}", '}, "revenue": {"amount": 1}}') })),
      );
      expect(refused?.ok === false && refused.rejection.message).toContain("props.list");
      const [taken] = expectOutcomes(native.parse(hitOf({ body: body.replace(/,"list":\[[^\]]*\]/, "") })));
      expect(taken?.ok && taken.value).toMatchObject({ id: written, order: written, props: `{"a":"${written}"}` });
    },
  );

  test.each(INEXACT)("[HOS-9] the number %s is out of range where a number is wanted", (written) => {
    for (const field of ['"scroll":#', '"revenue":{"amount":#}', '"timestamp":#', '"engagement_ms":#']) {
      const [refused] = expectOutcomes(
        native.parse(hitOf({ body: `{"tracking_id":"t",${field.replace("#", written)}}` })),
      );
      expect(refused?.ok).toBe(false);
    }
  });
});

/** The example requests of all formats. */
function golden(): readonly { readonly path: string; readonly query?: string; readonly body?: unknown }[] {
  const folder = join(import.meta.dirname, "../golden/formats");
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".request.json"))
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));
}

/** A body as each protocol would hold one message of it, so that what is inside is reached too. */
function wrappings(text: string): readonly string[] {
  const writeKey = '"writeKey":"w","api_key":"k","measurement_id":"m"';
  return [
    `{"batch":[${text}],${writeKey}}`,
    `{"events":[${text}],"client_id":"c"}`,
    `{"data":[${text}]}`,
    `{"hits":[${text}],"no_sessions":true}`,
    `{"type":"event","payload":${text}}`,
    `[${text}]`,
    `data=${encodeLoosely(text)}`,
  ];
}

/** The objects inside an example: messages of a batch, payloads, properties. */
function nestedObjects(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap((inner) => [...(isObject(inner) ? [inner] : []), ...nestedObjects(inner)]);
}

function parameterNames(examples: readonly { readonly query?: string }[]): readonly string[] {
  const names = examples.flatMap(({ query = "" }) => [...new URLSearchParams(query).keys()]);
  return names.length === 0 ? ["x"] : names;
}

function toJson(value: unknown): string {
  return JSON.stringify(value);
}

function expectAnswer({ status, headers, body }: Answer): void {
  expect([200, 202, 204, 400, 401, 403, 413, 415, 429, 503]).toContain(status);
  expect(Object.values(headers).every((value) => !/[\r\n]/.test(value))).toBe(true);
  expect(body.length).toBeLessThan(20_000);
}

/** Every outcome is a draft of clean texts and bounded numbers, or a refusal with words; they are returned. */
function expectOutcomes(outcome: Outcome<readonly Outcome<Draft>[]>): readonly Outcome<Draft>[] {
  const outcomes = outcome.ok ? outcome.value : [outcome];
  for (const each of outcomes) {
    if (!each.ok) {
      expect(each.rejection.message.length).toBeGreaterThan(10);
      expect(each.rejection.message.length).toBeLessThan(400);
      continue;
    }
    for (const value of Object.values(each.value)) {
      if (typeof value === "number") expect(Number.isSafeInteger(value)).toBe(true);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that must be gone
      else if (value !== undefined) expect(value.isWellFormed() && !/[\u0000-\u001f\u007f]/.test(value)).toBe(true);
    }
  }
  return outcomes;
}

function encodeLoosely(text: string): string {
  return text.isWellFormed() ? encodeURIComponent(text) : text;
}

describe("questions", () => {
  const PLAUSIBLE_QUESTION = {
    site_id: "shop.example",
    metrics: ["visitors"],
    date_range: ["2026-01-01", "2026-01-31"],
    dimensions: ["time:day"],
    filters: [],
    order_by: [["visitors", "desc"]],
    include: { time_labels: true, total_rows: true },
    pagination: { limit: 10, offset: 0 },
  };

  test("[HOS-2] every question is understood or refused with a place in it", () => {
    fc.assert(
      fc.property(fc.oneof(hostileValue, hostileObject(PLAUSIBLE_QUESTION)), (body) => {
        const question = attempt(() => parseQuestion(body));
        if (!question.ok) expect(question.rejection.message).toMatch(/^(#|Session metric|Metric |Invalid )/);
        if (!question.ok) expect(question.rejection.message.length).toBeLessThan(500);
      }),
      { numRuns: RUNS },
    );
  });

  const LEAF = ["is", "event:page", ["/"]];
  const hostileFilter = fc.oneof(
    hostileValue,
    fc.tuple(fc.constantFrom("is", "matches", "contains_not", "has_done"), hostileText, fc.array(hostileText)),
    fc.tuple(fc.constantFrom("and", "or", "not"), fc.oneof(hostileValue, fc.constant(LEAF), fc.constant([LEAF]))),
    fc.tuple(fc.constant("matches"), fc.constant("event:page"), fc.array(hostileText, { minLength: 1, maxLength: 2 })),
  );

  test("[HOS-2] every filter is understood or refused with a place in it, in questions and in reports", () => {
    const seen = seeDay(
      {
        rows: columnsOf([{ partition: "pool-0", position: 1, event: eventOf({ props: '{"a":"b"}' }) }]),
        day: Math.floor(NOW / 86_400_000),
      },
      { settings: settingsOf(), global: [] },
    ).visits[0]?.events[0] as Seen;
    fc.assert(
      fc.property(fc.array(hostileFilter, { maxLength: 3 }), (filters) => {
        const read = attempt(() => parseFilters(filters));
        if (read.ok) attempt(() => passes(read.value, seen));
        else expect(read.rejection.message).toMatch(/^(#|Invalid ).{1,500}$/s);
        const report = { site_id: "x", date_range: "7d", filters };
        for (const parse of [parseFunnel, parseRetention, parsePaths, parseRealtime]) {
          const outcome = attempt(() => parse({ ...report, steps: [{ filters }, { filters }] }));
          if (!outcome.ok) expect(outcome.rejection.message).toMatch(/^(#|Invalid ).{1,500}$/s);
        }
      }),
      { numRuns: RUNS },
    );
  });

  const LONG = "x".repeat(5_000);
  const FOUR = <T>(value: T) => [value, value, value, value];
  const REPEATED: readonly (readonly [what: string, filter: unknown])[] = [
    ["a long operator", [LONG, "event:page", ["/"]]],
    ["a long attribute", ["is", LONG, ["/"]]],
    ["lists of lists of long texts", FOUR(FOUR(FOUR(LONG)))],
    ["a regular expression too long", ["matches", "event:page", ["(".repeat(5_000)]]],
    ["long clauses that are none", ["is", "event:page", FOUR([LONG])]],
  ];
  test.each(REPEATED)("[HOS-2] a refusal repeats a short text of %s", (_, filter) => {
    const read = parseFilters([filter]);
    expect(read.ok).toBe(false);
    expect(read.ok ? "" : read.rejection.message).toMatch(/^(#|Invalid ).{1,500}$/s);
  });

  test.each(HOSTILE_KEYS)("[HOS-2] %j is no metric, dimension, range, include or field", (key) => {
    const changes = [
      { metrics: [key] },
      { dimensions: [key] },
      { date_range: key },
      { filters: [[key, "event:page", ["/"]]] },
      { filters: [["is", key, ["/"]]] },
      { filters: [["is", "event:page", ["/"], { [key]: true }]] },
      { include: { comparisons: { mode: key } } },
      { accuracy: key },
      { order_by: [[key, "desc"]] },
      { include: Object.fromEntries([[key, true]]) },
      { pagination: Object.fromEntries([[key, 1]]) },
      Object.fromEntries([[key, 1]]),
    ];
    for (const change of changes)
      expect(attempt(() => parseQuestion({ ...PLAUSIBLE_QUESTION, ...change })).ok, JSON.stringify(change)).toBe(false);
  });
});

test("[HOS-10] a thousand years of hours are refused without looking at each of them", () => {
  const body = { date_range: ["1970-01-01", "2969-12-31"], dimensions: ["time:hour"] };
  const plan = attempt(() => tryPlan(body, [{ from: 0, zone: "Europe/Berlin" }]));
  expect(plan).toMatchObject({ ok: false, rejection: { message: expect.stringContaining("#/date_range") } });
});

test("[HOS-10] the starts of 2,000 Days that were never seen cost little, and are right around every clock change", () => {
  const zones = ["Europe/Berlin", "America/St_Johns", "Pacific/Apia", "Africa/Casablanca", "Australia/Lord_Howe"];
  const lookUps = vi.spyOn(Intl.DateTimeFormat.prototype as { readonly format: object }, "format", "get");
  for (let day = 12_000; day < 14_000; day++) {
    const zone = zones[day % zones.length] as string;
    const instant = dayStart(zone, day);
    expect(dayAt(zone, instant)).toBe(day);
    expect(dayAt(zone, instant - 1)).toBe(day - 1);
  }
  console.log(`hostile, pure: ${lookUps.mock.calls.length} offsets looked up for 2,000 Days and what is beside each`);
  expect(lookUps.mock.calls.length).toBeGreaterThan(0);
  expect(lookUps.mock.calls.length / 2_000).toBeLessThan(LOOK_UPS_PER_DAY_MAX);
  lookUps.mockRestore();
});

describe("enrichment", () => {
  const factsOf = (text: string): readonly Partial<Event>[] => {
    const escaped = encodeLoosely(text);
    return [
      { userAgent: text.slice(0, 512) },
      {
        url: `https://shop.example/?utm_source=${escaped}&utm_medium=${escaped}&utm_campaign=${escaped}`.slice(
          0,
          2_048,
        ),
      },
      { url: `https://${text}`.slice(0, 2_048) },
      { url: text.slice(0, 2_048), referrer: text.slice(0, 2_048) },
      { url: "", referrer: `https://${text}/`.slice(0, 2_048), language: text.slice(0, 35), props: text },
      { country: text, region: text, city: text, screen: text, title: text },
    ];
  };

  test("[HOS-1] opinions of arbitrary facts are texts", () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        for (const facts of factsOf(text)) {
          const { goals, passive, isReturn, ...opinion } = attempt(() => opine(eventOf(facts), NO_RULES_IN_FORCE));
          expect(Object.values(opinion).every((value) => typeof value === "string")).toBe(true);
          expect([goals, typeof passive, typeof isReturn]).toEqual([[], "boolean", "boolean"]);
        }
      }),
      { numRuns: RUNS },
    );
  });

  test("[HOS-1] rules made of arbitrary texts are read or refused, and what they make of arbitrary facts is no mistake", () => {
    const list = fc.array(fc.oneof(hostileText, hostileValue), { maxLength: 3 });
    const value = fc.record(
      {
        bots: fc.record({ drop: list, admit: list }, { requiredKeys: [] }),
        referrers: fc.record({ drop: list }),
        addresses: fc.array(fc.record({ name: hostileText, networks: list }), { maxLength: 2 }),
        hostnames: list,
        paths: fc.record({ strip_ids: fc.boolean(), keep_query: list }),
        goals: fc.array(fc.record({ name: hostileText, page: hostileText }), { maxLength: 2 }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(value, hostileValue), hostileText, (given, text) => {
        const read = attempt(() => parseRules(given, parseHostname));
        if (!read.ok) {
          expect(read.rejection.message).toMatch(/^rules/);
          return;
        }
        const rules = { own: read.value, global: read.value };
        for (const facts of factsOf(text)) attempt(() => opine(eventOf(facts), rules));
        attempt(() => exclusionsOf(text, rules));
      }),
      { numRuns: RUNS },
    );
  });

  test("[HOS-10] no text is slow to have an opinion on: the worst of them stays within 60 times an ordinary event", () => {
    const costOf = (facts: Partial<Event>): number => {
      let best = Number.POSITIVE_INFINITY;
      for (let round = 0; round < 5; round++) {
        // A different agent each time: parsed agents are remembered, and an attacker would not repeat one.
        const agent =
          facts.userAgent === undefined
            ? CHROME
            : `${facts.userAgent.slice(0, 508)}${round}${Math.random()}`.slice(0, 512);
        const event = eventOf({ ...facts, userAgent: agent });
        const start = performance.now();
        opine(event, NO_RULES_IN_FORCE);
        best = Math.min(best, performance.now() - start);
      }
      return best;
    };
    const ordinary = Math.max(0.02, costOf({ url: "https://shop.example/?utm_source=x", userAgent: CHROME }));
    let worst = { ms: 0, facts: {} as Partial<Event> };
    for (const text of [...REPETITIVE_TEXTS, ...HOSTILE_TEXTS, ...REPETITIVE_TEXTS.map((text) => text.repeat(3))])
      for (const facts of factsOf(text)) {
        const ms = costOf(facts);
        if (ms > worst.ms) worst = { ms, facts };
      }
    console.log(
      `hostile, pure: an ordinary event costs ${(ordinary * 1_000).toFixed(0)} µs to enrich, the worst ${(worst.ms * 1_000).toFixed(0)} µs`,
      JSON.stringify(worst.facts).slice(0, 80),
    );
    expect(worst.ms).toBeLessThan(ordinary * 60);
  });
});

test("[HOS-1] no text but a real tracking ID verifies, and none throws", () => {
  const sign: Sign = (message) => createHmac("sha256", "secret").update(message).digest();
  const shaped = fc.string({ unit: fc.constantFrom(..."0123456789abcdefABCDEF-gG"), minLength: 30, maxLength: 40 });
  fc.assert(
    fc.property(
      fc.oneof(
        hostileText,
        shaped,
        hostileText.map((text) => text.repeat(1_000)),
      ),
      (text) => {
        expect(attempt(() => verifyTrackingId(text, [sign]))).toBeUndefined();
      },
    ),
    { numRuns: RUNS },
  );
});

test("[HOS-1] an event of any texts and numbers survives the log", () => {
  fc.assert(
    fc.property(hostileText, fc.double({ noNaN: true, noDefaultInfinity: true }), (text, number) => {
      const event = eventOf({ id: text, url: text, props: text, title: text, revenue: Math.trunc(number) + 0 });
      expect(decodeEvent(JSON.parse(JSON.stringify(attempt(() => encodeEvent(event)))))).toEqual(event);
    }),
    { numRuns: RUNS },
  );
});
