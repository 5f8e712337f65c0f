// Files of other products as they write them, whole, against a collector: what each row becomes, what is left out and
// why.

import { expect, test } from "vitest";
import { importing } from "../support/import-lines.ts";

const run = importing();

const SHOPIFY = [
  "Name,Email,Financial Status,Paid at,Currency,Subtotal,Total,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Cancelled at,Refunded Amount,Vendor,Id",
  "#1001,a@shop.example,paid,2025-10-07 09:50:30 +0200,EUR,25,29.90,2025-10-07 09:50:26 +0200,1,Mat,10.00,A1,,0.00,Acme,5501",
  "#1001,a@shop.example,,,,,,,2,Mug,7.50,B2,,,Acme,",
  "#1002,b@shop.example,partially_refunded,2025-10-08 10:00:00 +0200,EUR,20,20.00,2025-10-08 10:00:00 +0200,2,Mat,10.00,A1,,10.00,Acme,5502",
  "#1003,c@shop.example,pending,,EUR,5,5.00,2025-10-08 11:00:00 +0200,1,Pen,5.00,C3,,0.00,Acme,5503",
  "#1003,c@shop.example,,,,,,,1,Cap,1.00,D4,,,Acme,",
  "#1004,d@shop.example,paid,,EUR,5,5.00,2025-10-08 11:00:00 +0200,1,Pen,5.00,C3,2025-10-09 11:00:00 +0200,0.00,Acme,5504",
];

test("[IMP-28] Shopify's orders: products of several rows, refunds, and nothing for what was not paid", async () => {
  const { events, skipped, rejected } = await run(SHOPIFY);
  expect(rejected).toEqual([]);
  expect(skipped).toEqual({ "pending order": 2, "cancelled order": 1 });
  const mat = { id: "A1", name: "Mat", brand: "Acme", price: 10, quantity: 1 };
  expect(events).toMatchObject([
    {
      ...{ id: "order-5501", name: "purchase", order_id: "5501", timestamp: Date.UTC(2025, 9, 7, 7, 50, 26) },
      revenue: { amount: 29.9, currency: "EUR" },
      products: [mat, { id: "B2", name: "Mug", brand: "Acme", price: 7.5, quantity: 2 }],
    },
    {
      id: "refund-of-5502",
      name: "refund",
      order_id: "5502",
      revenue: { amount: -10 },
      props: { refund_date: "unknown" },
    },
    { id: "order-5502", name: "purchase", products: [{ ...mat, quantity: 2 }] },
  ]);
  // The buyer's address is hashed here.
  expect(JSON.stringify(events)).not.toContain("shop.example");
  expect(events[1]?.["visitor_id"]).toBe(events[2]?.["visitor_id"]);
});

test("[IMP-28] --no-refunds leaves out refunds whose date nobody knows", async () => {
  const { events, skipped } = await run(SHOPIFY, { refunds: false });
  expect(skipped).toMatchObject({ "refund without a date (--no-refunds)": 1 });
  expect(events.map(({ id }) => id)).toEqual(["order-5501", "order-5502"]);
});

const WOO_ORDER = {
  ...{ id: 727, parent_id: 0, number: "N-727", status: "refunded", currency: "CHF", total: "29.35" },
  ...{ date_created: "2025-03-22T16:28:02", date_created_gmt: "2025-03-22T19:28:02", customer_id: 3 },
  billing: { email: "" },
  line_items: [{ id: 1, name: "Album", product_id: 93, quantity: 2, price: 3, sku: "", total: "6.00" }],
};
const WOO_REFUND = {
  ...{ id: 726, parent_id: 727, amount: "10.00", date_created_gmt: "2025-04-01T00:00:00" },
  line_items: [{ id: 1, name: "Album", product_id: 93, quantity: -1, price: 3, sku: "", total: "-3.00" }],
};

test("[IMP-28] WooCommerce's orders and refunds: times are UTC, a refund has its own date and its order's currency", async () => {
  const lines = [WOO_ORDER, WOO_REFUND, { ...WOO_ORDER, id: 728, status: "on-hold" }];
  const { events, skipped } = await run(lines.map((line) => JSON.stringify(line)));
  expect(skipped).toEqual({ "on-hold order": 1 });
  expect(events).toMatchObject([
    {
      ...{ id: "order-727", name: "purchase", order_id: "727", timestamp: Date.UTC(2025, 2, 22, 19, 28, 2) },
      revenue: { amount: 29.35, currency: "CHF" },
      products: [{ id: "93", name: "Album", price: 3, quantity: 2 }],
    },
    {
      ...{ id: "refund-726", name: "refund", order_id: "727", timestamp: Date.UTC(2025, 3, 1) },
      revenue: { amount: -10, currency: "CHF" },
      products: [{ id: "93", quantity: 1 }],
    },
  ]);
  expect(events[0]?.["visitor_id"]).toBe(events[1]?.["visitor_id"]);
});

const param = (key: string, value: string | number) => ({
  key,
  value:
    typeof value === "string" ? { string_value: value, int_value: null } : { string_value: null, int_value: value },
});
const GA4 = {
  event_date: "20250901",
  event_timestamp: "1756720800123456",
  event_name: "page_view",
  event_params: [
    param("page_location", "https://shop.example/mats?utm_source=news"),
    param("page_referrer", "https://www.google.com/"),
    param("page_title", "Mats"),
    param("ga_session_id", 1756720800),
  ],
  user_pseudo_id: "123.456",
  device: { category: "mobile", operating_system: "iOS", language: "de-at", web_info: { browser: "Safari" } },
  geo: { country: "Austria", region: "Vienna", city: "(not set)" },
  ecommerce: { transaction_id: "(not set)" },
  items: [],
};

test("[IMP-28] GA4's BigQuery export: µs, names of countries, orders in their own currency", async () => {
  const purchase = {
    ...GA4,
    event_name: "purchase",
    event_params: [...GA4.event_params, param("value", 20), param("currency", "EUR")],
    ecommerce: { transaction_id: "T1", purchase_revenue_in_usd: 23 },
    items: [{ item_id: "A1", item_name: "Mat", price: 10, quantity: 2, item_brand: "(not set)" }],
  };
  const engaged = { ...GA4, event_name: "user_engagement", event_params: [param("engagement_time_msec", 4_000)] };
  const lines = [GA4, purchase, engaged, { ...GA4, event_name: "session_start" }, { ...GA4, user_pseudo_id: null }];
  const { events, skipped } = await run(lines.map((line) => JSON.stringify(line)));
  expect(skipped).toEqual({
    "session_start (describes a session)": 1,
    "without consent: no visitor is named": 1,
  });
  const common = { timestamp: 1_756_720_800_123, visitor_id: "123.456", country: "AT", browser: "Safari", os: "iOS" };
  expect(events).toMatchObject([
    {
      ...common,
      url: "https://shop.example/mats?utm_source=news",
      referrer: "https://www.google.com/",
      device: "mobile",
    },
    {
      ...{ name: "purchase", order_id: "T1", revenue: { amount: 20, currency: "EUR" } },
      products: [{ id: "A1", name: "Mat", price: 10, quantity: 2 }],
    },
    { name: "engagement", engagement_ms: 4_000 },
  ]);
  expect(events[0]).not.toHaveProperty("city");
  expect(events[0]).not.toHaveProperty("order_id");
  expect(events[1]?.["products"]).not.toMatchObject([{ brand: expect.anything() }]);
});

test("[IMP-28] GoatCounter's export: paths of a host that is given, events, bots, campaigns; another version is refused", async () => {
  const header =
    "2Path,Title,Event,UserAgent,Browser,System,Session,Bot,Referrer,Referrer scheme,Screen size,Location,FirstVisit,Date";
  const lines = [
    header,
    '/a,Home,false,,Firefox 140,Linux,s1,0,news.example/x,h,"1920,1080,1",AT-9,true,2025-05-01T10:00:00Z',
    "/b,B,false,,Chrome 120,Windows 10,s1,0,autumn,c,,DE,false,2025-05-01T10:01:00Z",
    "signup,,true,,Chrome 120,Windows 10,s1,0,,,,DE,false,2025-05-01T10:02:00Z",
    "/c,C,false,,,,s2,7,,,,US,true,2025-05-01T10:03:00Z",
  ];
  const { events, skipped } = await run(lines, { origin: "https://shop.example" });
  expect(skipped).toEqual({ bot: 1 });
  expect(events).toMatchObject([
    {
      ...{ url: "https://shop.example/a", referrer: "https://news.example/x", country: "AT", region: "AT-9" },
      ...{ browser: "Firefox", os: "Linux", screen: "1920x1080", visitor_id: "s1" },
    },
    { url: "https://shop.example/b?utm_source=autumn", country: "DE" },
    { name: "signup", browser: "Chrome" },
  ]);
  await expect(run([header.replace("2Path", "3Path"), ...lines.slice(1)])).rejects.toThrow(
    /GoatCounter's export of another version/,
  );
  await expect(run(lines)).rejects.toThrow(/add --hostname/);
});

test("[IMP-28] Umami's events, joined with their sessions; the table of events alone is refused with what to ask for", async () => {
  const columns =
    "website_id,session_id,visit_id,event_id,hostname,browser,os,device,screen,language,country,region,city,url_path,url_query,referrer_path,referrer_query,referrer_domain,page_title,event_type,event_name,created_at";
  const common = "w,s1,x,ID,shop.example,ios,iOS,mobile,390x844,de-AT,AT,AT-9,Vienna";
  const lines = [
    columns,
    `${common.replace("ID", "e1")},/a,utm_source=news,/r,q=1,www.example,Home,1,,2025-06-01 10:00:00.000`,
    `${common.replace("ID", "e2")},/a,,,,,Home,2,signup,2025-06-01 10:01:00.000`,
    `${common.replace("ID", "e3")},/a,,,,,Home,3,,2025-06-01 10:02:00.000`,
  ];
  const { events, skipped } = await run(lines);
  expect(skipped).toEqual({ "click of a link (of Umami's links)": 1 });
  expect(events).toMatchObject([
    {
      ...{ id: "e1", url: "https://shop.example/a?utm_source=news", referrer: "https://www.example/r?q=1" },
      ...{ timestamp: Date.UTC(2025, 5, 1, 10), country: "AT", region: "AT-9", city: "Vienna", browser: "ios" },
    },
    { id: "e2", name: "signup", url: "https://shop.example/a" },
  ]);
  const alone = "website_id,session_id,event_id,url_path,event_type,event_name,created_at";
  await expect(run([alone, "w,s1,e1,/a,1,,2025-06-01 10:00:00"])).rejects.toThrow(/by the statement under "Umami"/);
});

test("[IMP-28] Umami's properties: money and order number as of live hits, and the tag", async () => {
  const columns =
    "website_id,session_id,event_id,hostname,browser,country,url_path,event_type,event_name,tag,created_at,event_data";
  const lines = [
    columns,
    'w,s1,e1,shop.example,ios,AT,/done,2,order,red,2025-06-01 10:00:00,"{""revenue"":""20.5000"",""currency"":""EUR"",""order_id"":""17"",""plan"":""pro""}"',
    "w,s1,e2,shop.example,ios,AT,/,1,,,2025-06-01 10:01:00,",
    'w,s1,e3,shop.example,ios,AT,/,1,,,2025-06-01 10:02:00,"{"',
  ];
  const { events, rejected } = await run(lines);
  expect(rejected).toEqual(["invalid_field"]);
  expect(events).toMatchObject([
    {
      ...{ id: "e1", name: "order", order_id: "17", revenue: { amount: 20.5, currency: "EUR" } },
      props: { plan: "pro", tag: "red", order_id: "17", revenue: "20.5000" },
    },
    { id: "e2", url: "https://shop.example/" },
  ]);
  expect(events[1]).not.toHaveProperty("props");
  const alone = "website_id,event_id,data_key,string_value,number_value,date_value,data_type";
  await expect(run([alone, "w,e1,plan,pro,,,1"])).rejects.toThrow(
    /table event_data, .* by the statement under "Umami"/,
  );
});

test("[IMP-28] Shopify's transactions: refunds with their dates, and nothing else", async () => {
  const header = "Order,Name,Payment Method,Kind,Gateway,Created At,Status,Amount,Currency,Card Type";
  const lines = [
    header,
    "5501,#1001,card,sale,shopify_payments,2025-10-07 09:50:30 +0200,success,29.90,EUR,Visa",
    "5502,#1002,card,refund,shopify_payments,2025-10-20 11:00:00 +0200,success,10.00,EUR,Visa",
    "5502,#1002,card,refund,shopify_payments,2025-10-20 11:00:00 +0200,success,10.00,EUR,Visa",
    "5502,#1002,card,refund,shopify_payments,2025-10-21 11:00:00 +0200,failure,5.00,EUR,Visa",
    "5503,#1003,card,refund,manual,yesterday,success,5.00,EUR,",
  ];
  const { events, skipped, rejected } = await run(lines);
  expect(skipped).toEqual({
    'transaction "sale" (orders tell of sales)': 1,
    'refund with the status "failure"': 1,
  });
  expect(rejected).toEqual(["invalid_field"]);
  // Two equal refunds are two.
  const refund = { name: "refund", order_id: "5502", revenue: { amount: -10, currency: "EUR" } };
  expect(events).toMatchObject([refund, { ...refund, timestamp: Date.UTC(2025, 9, 20, 9) }]);
  await expect(run([header.replace("Order,", ""), lines[1]?.slice(5) ?? ""])).rejects.toThrow(
    /without the column Order/,
  );
});
