// The native format and the pixel: what is taken, and what is refused with which words.

import { expect, test } from "vitest";
import { namedById } from "../../../core/formats/loose.ts";
import { native } from "../../../core/formats/native.ts";
import { pixel } from "../../../core/formats/pixel.ts";
import { BLANK_HIT, type Draft, type Hit } from "../../../core/hit.ts";
import { CHROME } from "../../support/events.ts";

const NOW = Date.UTC(2026, 10, 21, 12);
const hitOf = (changes: Partial<Hit>): Hit => ({
  ...BLANK_HIT,
  userAgent: CHROME,
  acceptLanguage: "de-AT,de;q=0.9",
  receivedAt: NOW,
  ...changes,
});

function parseOne(event: unknown, changes: Partial<Hit> = {}): Draft {
  const outcome = native.parse(hitOf({ body: JSON.stringify(event), ...changes }));
  if (!outcome.ok) throw new Error(outcome.rejection.message);
  const [draft] = outcome.value;
  if (!draft?.ok) throw new Error(draft?.rejection.message);
  return draft.value;
}

function problemOf(event: unknown): string {
  const outcome = native.parse(hitOf({ body: typeof event === "string" ? event : JSON.stringify(event) }));
  const refused = outcome.ok ? outcome.value[0] : outcome;
  if (refused === undefined || refused.ok) throw new Error("was not refused");
  return `${refused.rejection.code}: ${refused.rejection.message}`;
}

const TAKEN: readonly (readonly [string, Record<string, unknown>, Partial<Draft>])[] = [
  ["name defaults to pageview", {}, { name: "pageview", timestamp: undefined, scroll: -1, language: "de-AT" }],
  ["a timestamp in ms", { timestamp: NOW - 5 }, { timestamp: NOW - 5 }],
  ["an ISO timestamp with an offset", { timestamp: "2026-11-21T12:00:00+02:00" }, { timestamp: NOW - 7_200_000 }],
  ["an ISO timestamp without one, as UTC", { timestamp: "2026-11-21 11:00:00" }, { timestamp: NOW - 3_600_000 }],
  ["a date", { timestamp: "2000-01-01" }, { timestamp: Date.UTC(2000, 0, 1) }],
  ["ten minutes ahead", { timestamp: NOW + 600_000 }, { timestamp: NOW + 600_000 }],
  [
    "revenue in ten-thousandths",
    { revenue: { amount: 12.34, currency: "eur" } },
    { revenue: 123_400, currency: "EUR" },
  ],
  ["a refund", { revenue: { amount: "-3" } }, { revenue: -30_000, currency: "" }],
  [
    "props as texts",
    { props: { plan: "pro", n: 3, on: true, gone: null } },
    { props: '{"plan":"pro","n":"3","on":"true"}' },
  ],
  ["__proto__ as a plain property", { props: JSON.parse('{"__proto__":"x"}') }, { props: '{"__proto__":"x"}' }],
  ["a numeric id", { id: 17 }, { id: "17" }],
  ["a long title, cut", { title: "x".repeat(600) }, { title: "x".repeat(512) }],
  ["control characters and lone surrogates, cleaned", { name: "a\u0000b\ud800" }, { name: "ab\ufffd" }],
  ["engagement", { engagement_ms: 1500.4, scroll: 55 }, { engagementMs: 1500, scroll: 55 }],
  ["an order number", { order_id: 1001 }, { order: "1001" }],
  [
    "products, with their keys in one order, prices rounded, blanks left out",
    { products: [{ quantity: "2", price: 9.99999, name: "Mat", id: 17, category: "", color: "red" }, {}] },
    { products: '[{"id":"17","name":"Mat","price":10,"quantity":2}]' },
  ],
  [
    "more products than an event may have, cut",
    { products: Array.from({ length: 60 }, () => ({ id: "A" })) },
    { products: `[${Array.from({ length: 50 }, () => '{"id":"A"}').join(",")}]` },
  ],
  ["an explicit agent", { user_agent: "curl/8" }, { userAgent: "curl/8" }],
];
test.each(TAKEN)("[NAT-1] takes %s", (_, fields, expected) => {
  expect(parseOne({ tracking_id: "t", ...fields })).toMatchObject(expected);
});

test("[NAT-2] a header agent that is not a browser's is the sender's, not the visitor's", () => {
  expect(parseOne({ tracking_id: "t" }, { userAgent: "node" }).userAgent).toBe("");
  expect(parseOne({ tracking_id: "t" }).userAgent).toBe(CHROME);
});

const REFUSED: readonly (readonly [string, unknown, string])[] = [
  ["no JSON", "{", "invalid_json: the body is not JSON"],
  ["a number", "7", "invalid_body: send one event object"],
  ["an empty list", [], "invalid_body: the list of events is empty"],
  ["too many", Array.from({ length: 1_001 }, () => ({})), "too_many_events: 1001 events"],
  ["an event that is a text", ["x"], "invalid_body: an event must be an object"],
  ["no tracking_id", {}, "missing_field: tracking_id is missing"],
  ["a list for a text", { tracking_id: "t", url: [] }, "invalid_field: url must be a text, not a list"],
  ["a relative url", { tracking_id: "t", url: "/cart" }, "invalid_field: url must be absolute"],
  [
    "seconds",
    { tracking_id: "t", timestamp: 1_795_000_000 },
    "invalid_timestamp: timestamp 1795000000 is before 2000-01-01; it looks like seconds",
  ],
  [
    "1999",
    { tracking_id: "t", timestamp: "1999-12-31T23:59:59Z" },
    'invalid_timestamp: timestamp "1999-12-31T23:59:59Z" is before 2000-01-01',
  ],
  [
    "eleven minutes ahead",
    { tracking_id: "t", timestamp: NOW + 660_000 },
    `invalid_timestamp: timestamp ${NOW + 660_000} is more than ten minutes ahead`,
  ],
  [
    "tomorrow as a word",
    { tracking_id: "t", timestamp: "tomorrow" },
    "invalid_timestamp: timestamp must be ms since 1970 or ISO 8601",
  ],
  [
    "a bad currency",
    { tracking_id: "t", revenue: { amount: 1, currency: "euro" } },
    "invalid_field: revenue.currency must be an ISO 4217 code",
  ],
  ["revenue without amount", { tracking_id: "t", revenue: {} }, "invalid_field: revenue.amount must be a number"],
  [
    "nested props",
    { tracking_id: "t", props: { a: { b: 1 } } },
    "invalid_field: props.a must be a text, number or boolean, not an object",
  ],
  ["a scroll of 101", { tracking_id: "t", scroll: 101 }, "invalid_field: scroll must be from 0 to 100, not 101"],
  [
    "a long id",
    { tracking_id: "t", id: "x".repeat(129) },
    "invalid_field: id has 129 characters; at most 128 are allowed",
  ],
  ["products that are no list", { tracking_id: "t", products: {} }, "invalid_field: products must be a list"],
  ["a product that is a text", { tracking_id: "t", products: ["A"] }, "invalid_field: products[0] must be an object"],
  [
    "a price that is no number",
    { tracking_id: "t", products: [{}, { price: "free" }] },
    "invalid_field: products[1].price must be a number",
  ],
  [
    "[ORD-11] products that cost more than money may be",
    { tracking_id: "t", products: [{ price: 1e9 }, { price: 0.0001, quantity: -1 }] },
    "invalid_field: products come to more than 1000000000",
  ],
  [
    "[ORD-11] more pieces than an event may have",
    { tracking_id: "t", products: [{ quantity: 999_999 }, { quantity: "2" }] },
    "invalid_field: products are more than 1000000 pieces",
  ],
  [
    "a long order number",
    { tracking_id: "t", order_id: "x".repeat(129) },
    "invalid_field: order_id has 129 characters; at most 128 are allowed",
  ],
  ["a strange screen", { tracking_id: "t", screen: "big" }, "invalid_field: screen must be width x height"],
];
test.each(REFUSED)("[NAT-3] refuses %s and says why", (_, event, expected) => {
  expect(problemOf(event)).toContain(expected);
});

const EXACT: readonly (readonly [string, unknown, string])[] = [
  [
    "a date that does not exist",
    { timestamp: "2026-02-30T00:00:00Z" },
    "invalid_timestamp: timestamp must be ms since 1970",
  ],
  [
    "a currency that does not exist",
    { revenue: { amount: 1, currency: "QQQ" } },
    "revenue.currency must be an ISO 4217 code",
  ],
  ["1999 in ms, without calling it seconds", { timestamp: 943_092_000_000 }, "is before 2000-01-01"],
  [
    "more than a billion units",
    { revenue: { amount: 1_000_000_001 } },
    "revenue.amount must be a number from -1000000000",
  ],
];
test.each(EXACT)("[NAT-5] refuses %s", (_, fields, expected) => {
  const problem = problemOf({ tracking_id: "t", ...(fields as object) });
  expect(problem).toContain(expected);
  expect(problem).not.toContain("looks like seconds");
});

test("[NAT-5] takes a large order in a small unit, and ms as digits", () => {
  const order = { amount: 250_000_000, currency: "IDR" };
  expect(parseOne({ tracking_id: "t", revenue: order, timestamp: String(NOW) })).toMatchObject({
    revenue: 2_500_000_000_000,
    timestamp: NOW,
  });
});

test("[NAT-4] one bad event does not sink its neighbours, and tracking_id may stand once for all", () => {
  const body = JSON.stringify({ tracking_id: "t", events: [{}, { scroll: "x" }, { tracking_id: "u" }] });
  const outcome = native.parse(hitOf({ body }));
  if (!outcome.ok) throw new Error("refused");
  expect(outcome.value.map((draft) => (draft.ok ? draft.value.trackingId : draft.rejection.code))).toEqual([
    "t",
    "invalid_field",
    "u",
  ]);
});

test("[NAT-4] stream may stand once for all too, and needs an API key there as well", () => {
  const body = JSON.stringify({ tracking_id: "t", stream: 3, events: [{}, { stream: 2 }, { stream: null }] });
  const streams = (keyed: boolean) => {
    const outcome = native.parse({ ...hitOf({ body }), keyed });
    if (!outcome.ok) throw new Error("refused");
    return outcome.value.map((draft) => (draft.ok ? draft.value.stream : draft.rejection.code));
  };
  expect(streams(true)).toEqual([3, 2, 3]);
  expect(streams(false)).toEqual(["invalid_field", "invalid_field", "invalid_field"]);
});

test("[SRV-5] place, browser and import are a keyed sender's to say, and each is refused from a stranger by its name", () => {
  const claims = { country: "AT", region: "Vienna", city: "Wien", browser: "chrome", os: "Windows 10", import: 3 };
  const draftOf = (event: object, keyed: boolean) => {
    const outcome = native.parse({ ...hitOf({ body: JSON.stringify({ tracking_id: "t", ...event }) }), keyed });
    if (!outcome.ok || outcome.value[0] === undefined) throw new Error("refused");
    return outcome.value[0];
  };
  const { value } = draftOf(claims, true) as { value: Draft };
  expect(value).toMatchObject({ country: "AT", region: "Vienna", city: "Wien", importNumber: 3 });
  expect(JSON.parse(value.given)).toEqual({ browser: "chrome", os: "Windows 10" });
  for (const [name, said] of Object.entries({ ...claims, device: "tablet" })) {
    const refused = draftOf({ [name]: said }, false);
    expect(refused).toMatchObject({
      ok: false,
      rejection: { message: expect.stringContaining(`${name} needs an API key`) },
    });
  }
  const common = draftOf({ import: 4, events: [{}] }, true) as { value: Draft };
  expect(common.value.importNumber).toBe(4);
  for (const wrong of [{ country: "Austria" }, { country: "at" }, { import: 0 }, { import: 2 ** 31 }])
    expect(draftOf(wrong, true)).toMatchObject({ ok: false, rejection: { code: "invalid_field" } });
});

test("[PIX-1] the pixel takes the page from the Referer and a missing agent for a machine's", () => {
  const outcome = pixel.parse(
    hitOf({ query: "tracking_id=t&title=Hi%20there&utm_source=x", referrer: "https://a.example/p", userAgent: "" }),
  );
  if (!outcome.ok || !outcome.value[0]?.ok) throw new Error("refused");
  expect(outcome.value[0].value).toMatchObject({
    trackingId: "t",
    title: "Hi there",
    url: "https://a.example/p",
    userAgent: "(none)",
  });
});

test.each([
  [true, 1],
  ["true", 1],
  [1, 1],
  [false, 0],
  ["", 0],
  [null, 0],
  [undefined, 0],
])("[NAT-6] hash %j: %i", (hash, fragment) => {
  expect(parseOne({ tracking_id: "t", url: "https://shop.example/#cart", hash }).fragment).toBe(fragment);
});

test("[NAT-6] refuses a hash that is neither on nor off", () => {
  for (const hash of [2, "yes", {}, [1, 2]])
    expect(problemOf({ tracking_id: "t", hash })).toMatch(/^invalid_field: hash must be true or false, not /);
});

test("[FMT-11] -0 is 0", () => {
  const body = '{"tracking_id":"t","engagement_ms":-0,"scroll":-0,"revenue":{"amount":-0.00001}}';
  const drafts = native.parse(hitOf({ body }));
  const [draft] = drafts.ok ? drafts.value : [];
  expect(draft?.ok && [draft.value.engagementMs, draft.value.scroll, draft.value.revenue]).toEqual([0, 0, 0]);
});

test("[FMT-11] what names a sender and is longer than a tracking ID can be is cut, and no API key is", () => {
  expect(namedById("x".repeat(300)).trackingId).toBe("x".repeat(64));
  expect(namedById(`ffk_${"a".repeat(43)}`).apiKey).toBe(`ffk_${"a".repeat(43)}`);
});
