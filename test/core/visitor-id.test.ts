// Which texts are no visitor's id, in every format that sends ids.

import { describe, expect, test } from "vitest";
import { ROUTES } from "../../core/formats/route.ts";
import { BLANK_HIT, type Draft } from "../../core/hit.ts";
import { isNoId } from "../../core/visitor-id.ts";
import { CHROME } from "../support/events.ts";

test.each([
  "undefined",
  "NULL",
  "null",
  "None",
  "NaN",
  "[object Object]",
  "0",
  "00000000-0000-0000-0000-000000000000",
  "00000000000000000000000000000000",
  "0.0",
  "-1",
  "   ",
  "\t",
  "anonymous",
  "Guest",
  "(not set)",
  "<id>",
  '"undefined"',
  "undefined.undefined",
  "{{user_id}}",
  "$" + "{uid}",
  "%USER_ID%",
  "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx",
  "ffffffff-ffff-ffff-ffff-ffffffffffff",
  "-",
  "???",
])("[SPL-7] %j is no id", (text) => {
  expect(isNoId(text)).toBe(true);
});

test.each([
  "1",
  "42",
  "1178987081.1795246026",
  "0b0f8a52-8d3c-4e9e-9f9f-5b8f6f1e2d3c",
  "{550e8400-e29b-41d4-a716-446655440000}",
  "null@shop.example",
  "guest 17",
  "田中",
  "ü",
  "100000",
  "0000000a",
  "x".repeat(200),
])("[SPL-7] %j is one", (text) => {
  expect(isNoId(text)).toBe(false);
});

const TRACKING_ID = "00000001-0001-8c41-90a8-9a0634e82fb1";
const URL_SENT = "https://shop.test/";

/** One message of each protocol with a visitor's id in it. */
const SENT: readonly (readonly [
  what: string,
  path: string,
  request: (id: unknown) => { query?: string; body?: unknown },
])[] = [
  ["native", "/v1/events", (id) => ({ body: { tracking_id: TRACKING_ID, url: URL_SENT, visitor_id: id } })],
  [
    "pixel",
    "/v1/pixel.gif",
    (id) => ({ query: `tracking_id=${TRACKING_ID}&visitor_id=${encodeURIComponent(String(id))}` }),
  ],
  ["umami", "/api/send", (id) => ({ body: { type: "event", payload: { website: TRACKING_ID, url: URL_SENT, id } } })],
  [
    "ga4",
    "/g/collect",
    (id) => ({ query: `v=2&tid=${TRACKING_ID}&en=page_view&cid=${encodeURIComponent(String(id))}` }),
  ],
  [
    "measurement",
    "/mp/collect",
    (id) => ({ query: `measurement_id=${TRACKING_ID}`, body: { client_id: id, events: [{ name: "page_view" }] } }),
  ],
  [
    "segment",
    "/v1/page",
    (id) => ({ body: { writeKey: TRACKING_ID, anonymousId: id, properties: { url: URL_SENT } } }),
  ],
  [
    "posthog",
    "/capture",
    (id) => ({ body: { api_key: TRACKING_ID, event: "$pageview", distinct_id: id, properties: {} } }),
  ],
  [
    "snowplow",
    "/com.snowplowanalytics.snowplow/tp2",
    (id) => ({ body: { data: [{ e: "pv", aid: TRACKING_ID, duid: id }] } }),
  ],
];

describe.each(SENT)("%s", (_, path, request) => {
  const visitorOf = (id: unknown): string => {
    const { query = "", body = {} } = request(id);
    const route = ROUTES.find(({ paths }) => paths.includes(path));
    if (route === undefined || "reply" in route) throw new Error("no such way in");
    const hit = { ...BLANK_HIT, path, query, userAgent: CHROME, receivedAt: Date.UTC(2026, 10, 21, 12) };
    const parsed = route.format.parse({ ...hit, body: "body" in request(id) ? JSON.stringify(body) : "" });
    const [draft] = parsed.ok ? parsed.value : [];
    expect(draft?.ok).toBe(true);
    return draft?.ok ? (draft.value satisfies Draft).visitorId : "?";
  };

  test("[SPL-7] counts who has no id as one without, and not as a person named so", () => {
    for (const junk of ["undefined", "null", "[object Object]", "00000000-0000-0000-0000-000000000000", " "])
      expect(visitorOf(junk)).toBe("");
    expect(visitorOf("visitor 17")).toBe("visitor 17");
    expect(visitorOf(0)).toBe("");
    expect(visitorOf(17)).toBe("17");
  });
});

test("[SPL-7] where a protocol has several ids, the first that is one holds", () => {
  const route = ROUTES.find(({ paths }) => paths.includes("/v1/page"));
  const body = { writeKey: TRACKING_ID, anonymousId: "undefined", userId: "customer 17" };
  if (route === undefined || "reply" in route) throw new Error("no such way in");
  const parsed = route.format.parse({ ...BLANK_HIT, path: "/v1/page", body: JSON.stringify(body) });
  const [draft] = parsed.ok ? parsed.value : [];
  expect(draft?.ok && draft.value.visitorId).toBe("customer 17");
});
