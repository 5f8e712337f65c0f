// What PostHog, Segment, RudderStack, Simple Analytics and Snowplow have stored, as their documentation writes it, and
// the rows that it becomes. Of those whose clients Footfall takes live, a stored event is what the live one was.

import { expect, test } from "vitest";
import { importing } from "../support/import-lines.ts";

const run = importing();
const lines = (objects: readonly object[]) => objects.map((object) => JSON.stringify(object));
const CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

const POSTHOG = {
  ...{ uuid: "0195-a", event: "$pageview", distinct_id: "user-1", person_id: "p1", elements_chain: "" },
  ...{ timestamp: "2025-03-01T09:00:00.123456+00:00", created_at: "2025-03-01T09:00:01.000000+00:00" },
  ...{ _inserted_at: "2025-03-01T09:00:02.000000+00:00", person_properties: { email: "a@shop.example" } },
  properties: {
    ...{ $current_url: "https://shop.example/mats", $referrer: "https://www.google.com/", title: "Mats", $lib: "web" },
    ...{ $device_id: "d1", $session_id: "s1", $screen_width: 1920, $screen_height: 1080, $ip: "203.0.113.9" },
    ...{ $browser: "Chrome", $os: "Mac OS X", $device_type: "Desktop", $geoip_country_code: "AT" },
    ...{ $geoip_subdivision_1_code: "9", $geoip_city_name: "Vienna", plan: "pro" },
  },
};

test("[IMP-31] PostHog's export: what its live events would be, places and browsers given, machinery left out", async () => {
  const told = (event: string, properties: object, uuid: string) => ({
    ...POSTHOG,
    ...{ event, uuid, properties: { ...POSTHOG.properties, ...properties } },
  });
  const { events, skipped, rejected } = await run(
    lines([
      POSTHOG,
      told("Order Completed", { order_id: "T1", revenue: 20, currency: "EUR", $raw_user_agent: CHROME }, "b"),
      told("$pageleave", { $prev_pageview_duration: 4.2 }, "c"),
      told("$autocapture", {}, "d"),
      told("$identify", {}, "e"),
      told("$exception", { $exception_message: "x" }, "f"),
      { ...POSTHOG, uuid: "g", properties: JSON.stringify(POSTHOG.properties) },
      { ...POSTHOG, uuid: "h", properties: "{" },
      { ...POSTHOG, uuid: "i", timestamp: "soon" },
    ]),
  );
  expect(skipped).toEqual({
    "$autocapture (tells of somebody, or of a page's machinery)": 1,
    "$identify (tells of somebody, or of a page's machinery)": 1,
  });
  expect(rejected).toEqual(["invalid_field", "invalid_timestamp"]);
  const view = {
    ...{ timestamp: Date.UTC(2025, 2, 1, 9, 0, 0, 123), visitor_id: "d1", url: "https://shop.example/mats" },
    ...{ title: "Mats", referrer: "https://www.google.com/", screen: "1920x1080", country: "AT", region: "AT-9" },
    ...{ city: "Vienna", browser: "Chrome", os: "Mac OS X", device: "Desktop", props: { plan: "pro" } },
  };
  expect(events[0]).toEqual({ id: "0195-a", ...view });
  expect(events).toMatchObject([
    { id: "0195-a" },
    { id: "b", name: "Order Completed", order_id: "T1", revenue: { amount: 20, currency: "EUR" }, user_agent: CHROME },
    { id: "c", name: "engagement", engagement_ms: 4_200 },
    { id: "f", name: "$exception", interactive: false },
    { id: "g", ...view },
  ]);
  // Where there is an agent, it says which browser it is.
  expect(events[1]).not.toHaveProperty("browser");
  expect(JSON.stringify(events)).not.toMatch(/203\.0\.113|a@shop/);
});

test("[IMP-31] PostHog's persons are no events, and are refused with what to export", async () => {
  const person = {
    ...{ team_id: 1, distinct_id: "u", person_id: "p", properties: {}, person_distinct_id_version: 1 },
    ...{ person_version: 1, created_at: "2025-03-01T09:00:00Z", is_deleted: false },
  };
  await expect(run(lines([person, person]))).rejects.toThrow(/export of persons, .* export the model `events`/);
});

const MESSAGE = {
  ...{ anonymousId: "an-1", channel: "client", integrations: {}, messageId: "m1", type: "page", userId: null },
  ...{ timestamp: "2025-03-01T09:00:00.000Z", originalTimestamp: "2025-03-01T11:00:00.000Z" },
  ...{ receivedAt: "2025-03-01T09:00:01.000Z", sentAt: "2025-03-01T11:00:01.000Z", writeKey: "k", version: 2 },
  context: {
    ...{ ip: "203.0.113.9", locale: "de-AT", userAgent: CHROME, library: { name: "analytics.js" } },
    campaign: { source: "news", medium: "email", name: "autumn" },
    page: { url: "https://shop.example/", referrer: "https://www.google.com/", title: "Home", path: "/" },
  },
  properties: { url: "https://shop.example/", path: "/", title: "Home", referrer: "https://www.google.com/" },
};
const ORDER = {
  ...{ ...MESSAGE, messageId: "m2", type: "track", event: "Order Completed" },
  properties: {
    ...{ order_id: "T1", revenue: 20, currency: "EUR", coupon: "SPRING" },
    products: [{ product_id: "p1", sku: "A1", name: "Mat", price: 10, quantity: 2 }],
  },
};

test("[IMP-31] messages of Segment and RudderStack: the corrected time, campaigns, orders; persons are left out", async () => {
  const { events, skipped } = await run(
    lines([
      MESSAGE,
      ORDER,
      { ...MESSAGE, messageId: "m3", type: "identify", traits: { email: "a@shop.example" } },
      { ...MESSAGE, messageId: "m4", timestamp: undefined, originalTimestamp: "2025-03-01T10:00:00.000+01:00" },
    ]),
  );
  expect(skipped).toEqual({ "$identify (tells of somebody, or of a page's machinery)": 1 });
  expect(events).toMatchObject([
    {
      ...{ id: "m1", timestamp: Date.UTC(2025, 2, 1, 9), visitor_id: "an-1", title: "Home", user_agent: CHROME },
      url: "https://shop.example/?utm_source=news&utm_medium=email&utm_campaign=autumn",
      ...{ referrer: "https://www.google.com/", language: "de-AT" },
    },
    {
      ...{ id: "m2", name: "Order Completed", order_id: "T1", revenue: { amount: 20, currency: "EUR" } },
      ...{ products: [{ name: "Mat", price: 10, quantity: 2 }], props: { coupon: "SPRING" } },
    },
    { id: "m4", timestamp: Date.UTC(2025, 2, 1, 9) },
  ]);
  expect(events[0]).not.toHaveProperty("name");
  expect(JSON.stringify(events)).not.toMatch(/203\.0\.113|a@shop/);
});

/** A row of a warehouse's table as `bq extract` writes it. */
const ROW = {
  ...{ id: "m1", anonymous_id: "an-1", user_id: null, timestamp: "2025-03-01 09:00:00 UTC" },
  ...{
    original_timestamp: "2025-03-01 11:00:00 UTC",
    sent_at: "2025-03-01 11:00:01 UTC",
    uuid_ts: "2025-03-01 10:00:00",
  },
  ...{ received_at: "2025-03-01 09:00:01 UTC", context_ip: "203.0.113.9", context_locale: "de-AT" },
  ...{ context_user_agent: CHROME, context_campaign_source: "news", context_page_url: "https://shop.example/" },
};

test("[IMP-31] rows of Segment's and RudderStack's tables are the messages that they were made of", async () => {
  const rows = [
    {
      ...ROW,
      name: "Home",
      path: "/",
      url: "https://shop.example/",
      title: "Home",
      referrer: "https://www.google.com/",
    },
    {
      ...{ ...ROW, id: "m2", event: "order_completed", event_text: "Order Completed", order_id: "T1", revenue: 20 },
      ...{ currency: "EUR", coupon: "SPRING", products: JSON.stringify(ORDER.properties.products) },
    },
    { ...ROW, id: "m3", email: "a@shop.example" },
  ];
  const { events, skipped } = await run(lines(rows));
  expect(skipped).toEqual({ "row of a table without events and pages (identifies, users, groups, screens)": 1 });
  expect(events).toMatchObject([
    {
      ...{
        id: "m1",
        timestamp: Date.UTC(2025, 2, 1, 9),
        visitor_id: "an-1",
        url: "https://shop.example/?utm_source=news",
      },
      ...{ title: "Home", user_agent: CHROME, language: "de-AT" },
    },
    {
      ...{ id: "m2", name: "Order Completed", order_id: "T1", revenue: { amount: 20, currency: "EUR" } },
      ...{ products: [{ name: "Mat", price: 10, quantity: 2 }], props: { coupon: "SPRING" } },
    },
  ]);
  expect(JSON.stringify(events)).not.toMatch(/203\.0\.113|a@shop/);
});

test("[IMP-31] the same table as CSV comes to the same event", async () => {
  const columns = Object.keys({ ...ROW, url: "" });
  const values: Readonly<Record<string, unknown>> = { ...ROW, url: "https://shop.example/" };
  const row = columns.map((name) => `"${values[name] ?? ""}"`).join(",");
  const { events } = await run([columns.join(","), row]);
  expect(events).toMatchObject([{ id: "m1", visitor_id: "an-1", url: "https://shop.example/?utm_source=news" }]);
});

const SIMPLE =
  "added_iso,added_unix,hostname,path,query,is_unique,is_robot,document_referrer,utm_source,country_code,device_type,browser_name,os_name,lang_language,lang_region,screen_width,screen_height,session_id,uuid,duration_seconds,scrolled_percentage,datapoint,metadata.plan_text,metadata.seats_int";

test("[IMP-30] Simple Analytics' data points: page views with their time and scroll, events with their metadata, no robots", async () => {
  const common = "AT,mobile,Safari,iOS,de,AT,390,844,s1";
  const { events, skipped } = await run([
    SIMPLE,
    `2025-03-01T09:00:00.000Z,1740819600,shop.example,/mats,?size=2,true,false,news.example/x,letter,${common},u1,12.5,40,,,`,
    `2025-03-01T09:01:00.000Z,1740819660,shop.example,/mats,,false,false,,,${common},u2,,,signup,pro,3`,
    `2025-03-01T09:02:00.000Z,1740819720,shop.example,/mats,,false,true,,,${common},u3,,,,,`,
  ]);
  expect(skipped).toEqual({ robot: 1 });
  const facts = { visitor_id: "s1", country: "AT", device: "mobile", browser: "Safari", os: "iOS", screen: "390x844" };
  expect(events).toEqual([
    {
      ...{ id: "u1", timestamp: Date.UTC(2025, 2, 1, 9), language: "de-AT", ...facts },
      url: "https://shop.example/mats?size=2&utm_source=letter",
      ...{ referrer: "https://news.example/x", engagement_ms: 12_500, scroll: 40 },
    },
    {
      ...{ id: "u2", name: "signup", timestamp: Date.UTC(2025, 2, 1, 9, 1), language: "de-AT", ...facts },
      ...{ url: "https://shop.example/mats", props: { plan: "pro", seats: "3" } },
    },
  ]);
});

test("[IMP-30] an export of Simple Analytics without sessions is refused with the fields to ask for, one without hosts needs one", async () => {
  await expect(run(["added_iso,hostname,path,is_unique", "2025-03-01T09:00:00Z,shop.example,/,true"])).rejects.toThrow(
    /Simple Analytics without session_id; export it again with fields=added_iso,hostname,path,/,
  );
  const bare = ["added_iso,path,session_id", "2025-03-01T09:00:00Z,/,s1"];
  await expect(run(bare)).rejects.toThrow(/add --hostname/);
  expect((await run(bare, { origin: "https://shop.example" })).events).toMatchObject([
    { url: "https://shop.example/" },
  ]);
});

/** An enriched event: 131 values between tabs, by their place from 0. */
function enriched(values: Readonly<Record<number, string>>): string {
  const common = {
    ...{ 0: "shop", 1: "web", 2: "2025-03-01 09:00:05.000", 3: "2025-03-01 09:00:01.000" },
    ...{ 4: "2025-03-01 11:00:00.000", 8: "sp", 9: "js-3.1.0", 10: "ssc-2.9.0", 11: "snowplow-enrich-4.0.0" },
    ...{ 13: "203.0.113.9", 15: "duid-1", 16: "3", 17: "nuid-1", 18: "AT", 19: "9", 20: "Vienna" },
    ...{ 29: "https://shop.example/mats", 30: "Mats", 31: "https://www.google.com/", 83: "de-AT", 103: "1920" },
    ...{ 104: "1080", 126: "web_page" },
  };
  const all: Readonly<Record<number, string>> = { ...common, ...values };
  return Array.from({ length: 131 }, (_, index) => all[index] ?? "").join("\t");
}
const uuid = (number: number) => `c6ef3124-b53a-4b13-a233-0088f79dcbc${number}`;

test("[IMP-31] Snowplow's enriched events, by their place: pages, pings, structured and self-describing events, orders", async () => {
  const described = JSON.stringify({
    schema: "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0",
    data: { schema: "iglu:com.acme/signed_up/jsonschema/1-0-0", data: { plan: "pro" } },
  });
  const { events, skipped, rejected } = await run([
    enriched({ 5: "page_view", 6: uuid(1), 77: CHROME, 123: "sid", 124: "2025-03-01 09:00:00.500" }),
    enriched({ 5: "page_ping", 6: uuid(2), 76: "500", 95: "1200", 96: "500", 106: "1200", 107: "2000" }),
    enriched({ 5: "struct", 6: uuid(3), 53: "Video", 54: "play", 55: "Intro" }),
    enriched({ 5: "unstruct", 6: uuid(4), 58: described }),
    enriched({ 5: "transaction", 6: uuid(5), 59: "T1", 61: "20.5", 108: "EUR" }),
    enriched({ 5: "transaction_item", 6: uuid(6), 67: "T1", 68: "A1" }),
    "not an event",
  ]);
  expect(rejected).toEqual(["wrong_columns"]);
  expect(skipped).toEqual({ "$item (tells of somebody, or of a page's machinery)": 1 });
  expect(events).toMatchObject([
    {
      ...{ id: uuid(1), timestamp: Date.UTC(2025, 2, 1, 9, 0, 0, 500), visitor_id: "duid-1", title: "Mats" },
      ...{ url: "https://shop.example/mats", referrer: "https://www.google.com/", user_agent: CHROME },
      ...{ language: "de-AT", screen: "1920x1080", country: "AT", region: "AT-9", city: "Vienna" },
    },
    { id: uuid(2), name: "engagement", engagement_ms: 10_000, scroll: 50, timestamp: Date.UTC(2025, 2, 1, 9, 0, 1) },
    { id: uuid(3), name: "play", props: { category: "Video", label: "Intro" } },
    { id: uuid(4), name: "signed_up", props: { plan: "pro" } },
    { id: uuid(5), name: "transaction", order_id: "T1", revenue: { amount: 20.5, currency: "EUR" } },
  ]);
  expect(JSON.stringify(events)).not.toContain("203.0.113");
});
