// Matomo's tables, made as its schema has them, through the very statement of docs/import.md, and the same visits as
// its API writes them. What they come to is counted by SQL over the tables, not by what reads them.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { beforeAll, expect, test } from "vitest";
import { importing } from "../support/import-lines.ts";

const DOC = readFileSync(join(import.meta.dirname, "../../docs/import.md"), "utf8");
const STATEMENT = /### Matomo[\s\S]*?```sql\n(SELECT [\s\S]*?)```/.exec(DOC)?.[1] ?? "";

/** Types as of MySQL: BINARY(8) is a BLOB here. */
const TABLES = `
CREATE TABLE matomo_site (idsite INT, currency VARCHAR);
INSERT INTO matomo_site VALUES (1, 'EUR'), (2, 'USD');
CREATE TABLE matomo_log_action (idaction INT, name VARCHAR, type TINYINT, url_prefix TINYINT);
INSERT INTO matomo_log_action VALUES
  (1, 'shop.example/', 1, 3), (2, 'Home &amp; Garden', 4, NULL), (3, 'shop.example/mats?size=2', 1, 2),
  (4, 'Mats\t\\ "blue"', 4, NULL), (5, 'files.example/a.pdf', 3, 2), (6, 'blue mat', 8, NULL), (7, 'Video', 10, NULL),
  (8, 'play', 11, NULL), (9, 'Intro', 12, NULL), (10, 'A1', 5, NULL), (11, 'Mat', 6, NULL), (12, 'Home', 7, NULL),
  (13, 'B2', 5, NULL), (14, 'Mug', 6, NULL), (15, 'other.example/x', 2, 2), (16, 'Banner', 13, NULL);
CREATE TABLE matomo_log_visit (idvisit BIGINT, idsite INT, idvisitor BLOB, user_id VARCHAR, referer_type TINYINT,
  referer_url VARCHAR, referer_name VARCHAR, referer_keyword VARCHAR, location_country VARCHAR, location_region VARCHAR,
  location_city VARCHAR, location_browser_lang VARCHAR, config_browser_name VARCHAR, config_os VARCHAR,
  config_device_type TINYINT, config_resolution VARCHAR);
INSERT INTO matomo_log_visit VALUES
  (10, 1, '\\x01\\x23\\x45\\x67\\x89\\xAB\\xCD\\xEF'::BLOB, NULL, 6, '', 'autumn', 'mats', 'at', '9', 'Vienna', 'de-at', 'CM',
   'AND', 1, '412x915'),
  (11, 1, '\\xFF\\x00\\x00\\x00\\x00\\x00\\x00\\x01'::BLOB, 'u7', 3, 'https://news.example/x', 'news.example', NULL, 'xx', NULL,
   NULL, 'en', 'FF', 'WIN', 0, 'unknown'),
  (12, 2, '\\xFF\\x00\\x00\\x00\\x00\\x00\\x00\\x02'::BLOB, NULL, 1, NULL, NULL, NULL, 'de', NULL, NULL, 'de', 'CH', 'MAC', 0,
   '1920x1080');
CREATE TABLE matomo_log_link_visit_action (idlink_va BIGINT, idsite INT, idvisit BIGINT, server_time TIMESTAMP,
  idaction_url INT, idaction_name INT, idaction_event_category INT, idaction_event_action INT, custom_float DOUBLE);
INSERT INTO matomo_log_link_visit_action VALUES
  (100, 1, 10, '2025-03-01 09:00:00', 1, 2, NULL, NULL, NULL), (101, 1, 10, '2025-03-01 09:01:00', 3, 4, NULL, NULL, NULL),
  (102, 1, 10, '2025-03-01 09:01:30', NULL, 6, NULL, NULL, NULL), (103, 1, 10, '2025-03-01 09:02:00', 3, 9, 7, 8, 2.5),
  (104, 1, 10, '2025-03-01 09:02:30', 5, 0, NULL, NULL, NULL), (105, 1, 11, '2025-03-01 10:00:00', 16, 0, NULL, NULL, NULL),
  (106, 1, 11, '2025-03-01 10:01:00', 3, 4, NULL, NULL, NULL), (107, 1, 11, '2025-03-01 10:02:00', 15, 0, NULL, NULL, NULL),
  (108, 2, 12, '2025-03-01 11:00:00', 1, 2, NULL, NULL, NULL);
CREATE TABLE matomo_log_conversion (idvisit BIGINT, idsite INT, server_time TIMESTAMP, idgoal INT, idorder VARCHAR,
  url VARCHAR, revenue DOUBLE);
INSERT INTO matomo_log_conversion VALUES
  (10, 1, '2025-03-01 09:05:00', 0, 'T-1', 'https://shop.example/done', 29.9),
  (11, 1, '2025-03-01 10:03:00', -1, NULL, 'https://shop.example/cart', 99),
  (11, 1, '2025-03-01 10:04:00', 3, NULL, 'https://shop.example/', 5),
  (11, 1, '2025-03-01 10:05:00', 0, 'T-2', 'https://shop.example/done', 7);
CREATE TABLE matomo_log_conversion_item (idvisit BIGINT, idorder VARCHAR, idaction_sku INT, idaction_name INT,
  idaction_category INT, price DOUBLE, quantity INT, deleted TINYINT);
INSERT INTO matomo_log_conversion_item VALUES
  (10, 'T-1', 10, 11, 12, 10, 1, 0), (10, 'T-1', 13, 14, NULL, 7.5, 2, 0), (10, 'T-1', 1, 1, 1, 1, 1, 1),
  (11, '0', 10, 11, 12, 10, 1, 0);
`;

const run = importing();
let rows: readonly Readonly<Record<string, unknown>>[] = [];
let counts: Readonly<Record<string, unknown>> = {};

beforeAll(async () => {
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  const read = async (sql: string) => await (await connection.runAndReadAll(sql)).getRowObjectsJson();
  await connection.run(TABLES);
  rows = (await read(STATEMENT)) as typeof rows;
  [counts = {}] = (await read(`SELECT
    (SELECT COUNT(*) FROM matomo_log_link_visit_action a JOIN matomo_log_action u ON u.idaction = a.idaction_url
      WHERE a.idsite = 1 AND u.type = 1 AND a.idaction_event_action IS NULL)::INT AS pages,
    (SELECT COUNT(DISTINCT idvisitor) FROM matomo_log_visit WHERE idsite = 1)::INT AS visitors,
    (SELECT SUM(revenue) FROM matomo_log_conversion WHERE idsite = 1 AND idgoal = 0) AS revenue,
    (SELECT SUM(quantity) FROM matomo_log_conversion_item WHERE idorder LIKE 'T%' AND deleted = 0)::INT AS units`)) as [
    typeof counts,
  ];
  connection.closeSync();
});

const names = () => Object.keys(rows[0] ?? {});
const asCsv = () => [
  names().join(","),
  ...rows.map((row) =>
    names()
      .map((name) => (row[name] === null ? "NULL" : `"${String(row[name]).replaceAll('"', '""')}"`))
      .join(","),
  ),
];
/** As `mysql --batch` writes it. */
const asTabs = () => [
  names().join("\t"),
  ...rows.map((row) =>
    names()
      .map((name) =>
        String(row[name] === null ? "NULL" : row[name])
          .replaceAll("\\", "\\\\")
          .replaceAll("\t", "\\t")
          .replaceAll("\n", "\\n"),
      )
      .join("\t"),
  ),
];

/** Some facts of a Chrome on a phone in Vienna. */
const PHONE = {
  ...{ country: "AT", region: "AT-9", city: "Vienna", language: "de-at", screen: "412x915" },
  ...{ browser: "Mobile Chrome", os: "Android", device: "Mobile" },
};

test("[IMP-30] Matomo's tables, as CSV and as mysql writes them: pages, events, orders, campaigns, and what is left out", async () => {
  const { events, skipped, rejected } = await run(asCsv());
  expect(rejected).toEqual([]);
  expect(skipped).toEqual({ "action of type 13": 1 });
  const visitor_id = "0123456789abcdef";
  expect(events).toEqual([
    {
      ...{ id: "matomo-1-100", visitor_id, timestamp: Date.UTC(2025, 2, 1, 9), title: "Home & Garden", ...PHONE },
      url: "https://www.shop.example/?utm_campaign=autumn&utm_term=mats",
    },
    {
      ...{ id: "matomo-1-101", visitor_id, timestamp: Date.UTC(2025, 2, 1, 9, 1), title: 'Mats\t\\ "blue"', ...PHONE },
      url: "https://shop.example/mats?size=2",
    },
    {
      ...{ id: "matomo-1-102", visitor_id, timestamp: Date.UTC(2025, 2, 1, 9, 1, 30), ...PHONE },
      ...{ name: "search", props: { keyword: "blue mat" } },
    },
    {
      ...{ id: "matomo-1-103", visitor_id, timestamp: Date.UTC(2025, 2, 1, 9, 2), ...PHONE },
      ...{ name: "play", props: { category: "Video", name: "Intro", value: "2.5" } },
      url: "https://shop.example/mats?size=2",
    },
    {
      ...{ id: "matomo-1-104", visitor_id, timestamp: Date.UTC(2025, 2, 1, 9, 2, 30), ...PHONE },
      ...{ name: "download", props: { url: "https://files.example/a.pdf" } },
    },
    {
      ...{ id: "order-T-1", visitor_id, timestamp: Date.UTC(2025, 2, 1, 9, 5), ...PHONE },
      ...{ name: "purchase", order_id: "T-1", url: "https://shop.example/done" },
      revenue: { amount: 29.9, currency: "EUR" },
      products: [
        { id: "A1", name: "Mat", category: "Home", price: 10, quantity: 1 },
        { id: "B2", name: "Mug", price: 7.5, quantity: 2 },
      ],
    },
    expect.objectContaining({ id: "matomo-1-106", referrer: "https://news.example/x", browser: "Firefox" }),
    expect.objectContaining({ id: "matomo-1-107", name: "outbound", props: { url: "https://other.example/x" } }),
    expect.objectContaining({ id: "order-T-2", revenue: { amount: 7, currency: "EUR" } }),
  ]);
  expect(events.filter(({ referrer }) => referrer !== undefined)).toHaveLength(1);
  const products = events.flatMap(({ products = [] }) => products as readonly { readonly quantity: number }[]);
  const sums = {
    pages: events.filter(({ name }) => name === undefined).length,
    visitors: new Set(events.map(({ visitor_id }) => visitor_id)).size,
    revenue: events.reduce((sum, { revenue }) => sum + ((revenue as { amount: number })?.amount ?? 0), 0),
    units: products.reduce((sum, { quantity }) => sum + quantity, 0),
  };
  expect(sums).toEqual(counts);
  const csv = [...events];
  // The ids are the same ones, so nothing is added.
  const again = await run(asTabs());
  expect(again.events).toEqual(csv);
  expect(again.skipped).toEqual({ "action of type 13": 1 });
});

test("[IMP-30] a table of Matomo alone is refused with where the statement is", async () => {
  const columns = ["idlink_va", "idsite", "idvisitor", "idvisit", "server_time", "idaction_url"];
  for (const separator of [",", "\t"])
    await expect(
      run([columns.join(separator), ["1", "1", "x", "2", "2025-03-01", "3"].join(separator)]),
    ).rejects.toThrow(
      /a table of Matomo alone \(it lacks type, url, .*\); .* the statement under "Matomo" of docs\/import\.md/,
    );
});

/** A visit as `Live.getLastVisitsDetails` writes it, without the fields of its pictures. */
const VISIT = {
  ...{ idSite: "1", idVisit: "10", visitIp: "203.0.113.0", visitorId: "0123456789abcdef", userId: null },
  ...{ siteCurrency: "EUR", siteCurrencySymbol: "€", lastActionTimestamp: 1_740_820_200, goalConversions: 0 },
  ...{ referrerType: "campaign", referrerName: "autumn", referrerKeyword: "mats", referrerUrl: null },
  ...{ languageCode: "de-at", deviceType: "Smartphone", operatingSystemName: "Android", browserName: "Chrome Mobile" },
  ...{ countryCode: "at", regionCode: "9", city: "Vienna", resolution: "412x915" },
  actionDetails: [
    {
      ...{ type: "action", url: "https://www.shop.example/", pageTitle: "Home & Garden", pageIdAction: "1" },
      ...{ pageId: "100", timestamp: 1_740_819_600, timeSpent: 60, interactionPosition: "1" },
    },
    {
      ...{ type: "event", url: "https://shop.example/mats?size=2", pageId: "103", timestamp: 1_740_819_720 },
      ...{ eventCategory: "Video", eventAction: "play", eventName: "Intro", eventValue: 2.5 },
    },
    { type: "search", url: null, pageId: "102", siteSearchKeyword: "blue mat", timestamp: 1_740_819_690 },
    { type: "goal", goalName: "Newsletter", goalId: 1, revenue: 0, timestamp: 1_740_819_700 },
    {
      ...{ type: "ecommerceOrder", orderId: "T-1", revenue: 29.9, revenueTax: 3, items: 3, timestamp: 1_740_819_900 },
      itemDetails: [
        { itemSKU: "A1", itemName: "Mat", itemCategory: "Home", price: 10, quantity: "1", categories: ["Home"] },
        { itemSKU: "B2", itemName: "Mug", itemCategory: null, price: 7.5, quantity: "2", categories: [] },
      ],
    },
    { type: "ecommerceAbandonedCart", revenue: 99, items: 1, itemDetails: [], timestamp: 1_740_819_950 },
  ],
};

test("[IMP-30] visits of Matomo's API: several events of a line, each with its own id, the same as in the tables", async () => {
  const { events, skipped, rejected } = await run([JSON.stringify(VISIT)]);
  expect(rejected).toEqual([]);
  expect(skipped).toEqual({ goal: 1, 'action "ecommerceAbandonedCart"': 1 });
  const common = { visitor_id: "0123456789abcdef", ...PHONE, browser: "Chrome Mobile", device: "Smartphone" };
  expect(events).toMatchObject([
    {
      ...{ id: "matomo-1-100", ...common, timestamp: Date.UTC(2025, 2, 1, 9), title: "Home & Garden" },
      url: "https://www.shop.example/?utm_campaign=autumn&utm_term=mats",
    },
    { id: "matomo-1-103", name: "play", props: { category: "Video", name: "Intro", value: "2.5" } },
    { id: "matomo-1-102", name: "search", props: { keyword: "blue mat" } },
    {
      ...{ id: "order-T-1", name: "purchase", order_id: "T-1", revenue: { amount: 29.9, currency: "EUR" } },
      products: [
        { id: "A1", name: "Mat", category: "Home", price: 10, quantity: 1 },
        { id: "B2", name: "Mug", price: 7.5, quantity: 2 },
      ],
    },
  ]);
  expect(JSON.stringify(events)).not.toContain("203.0.113");
  // After the tables, of which it is a part, nothing is new.
  const before = await run(asTabs());
  const after = await run([JSON.stringify(VISIT)]);
  expect(after.events.map(({ id }) => id)).toEqual(before.events.map(({ id }) => id));
});

test("[IMP-30] a visit of a Matomo that numbers no actions has ids from its place", async () => {
  const actionDetails = VISIT.actionDetails.slice(0, 2).map(({ pageId: _, ...action }) => action);
  const { events } = await run([JSON.stringify({ ...VISIT, actionDetails })]);
  expect(events.map(({ id }) => id)).toEqual(["matomo-1-10.0", "matomo-1-10.1"]);
});
