// One story of a shop, three Days of visits and orders, and the file that each product would have of it. So what an
// import comes to is known without reading the file: every product tells the same, as far as it knows.

import { parquetOf } from "./parquet-of.ts";

interface Visit {
  readonly number: number;
  readonly visitor: string;
  /** UTC ms of its first page; the second is a minute later, an order two. */
  readonly at: number;
  readonly country: "AT" | "DE";
  readonly campaign: string;
  readonly buys: boolean;
}

const DAYS = 3;
export const RANGE = { from: "2026-10-05", to: "2026-10-07" };
export const VISITS: readonly Visit[] = Array.from({ length: 30 }, (_, number) => ({
  number,
  visitor: `visitor-${number}`,
  at: Date.UTC(2026, 9, 5 + (number % DAYS), 9, number),
  country: number % 3 === 0 ? "DE" : "AT",
  campaign: number % 4 === 1 ? "autumn" : "",
  buys: number % 5 === 0,
}));
const PAGES = ["/", "/mats"] as const;
const REVENUE = 20.5;
const GOODS = [
  { id: "A1", name: "Mat", price: 5, quantity: 2 },
  { id: "B2", name: "Mug", price: 10.5, quantity: 1 },
] as const;

const HOST = "shop.example";
const MINUTE = 60_000;
const iso = (at: number) => new Date(at).toISOString();
/** "2026-10-05 09:00:00", as databases write it. */
const plain = (at: number) => iso(at).slice(0, 19).replace("T", " ");
const orderOf = ({ number }: Visit) => `T-${number}`;
const queryOf = ({ campaign }: Visit, page: number) =>
  campaign === "" || page > 0 ? "" : `?utm_source=news&utm_campaign=${campaign}`;
const urlOf = (visit: Visit, page: number) => `https://${HOST}${PAGES[page]}${queryOf(visit, page)}`;
const uuid = (visit: Visit, part: number) =>
  `c6ef3124-b53a-4b13-a233-${String(visit.number * 10 + part).padStart(12, "0")}`;

/** What a product tells of the story. */
export interface Told {
  readonly product: string;
  /** Names of files and what is in them, in the order of their import. */
  readonly files: readonly (readonly [name: string, content: string | Uint8Array])[];
  /** What its files do not say. */
  readonly lacks?: readonly ("pages" | "orders" | "countries" | "campaigns")[];
}

const lines = (objects: readonly object[]) => `${objects.map((object) => JSON.stringify(object)).join("\n")}\n`;

export async function tellAll(): Promise<readonly Told[]> {
  const ga4Rows = VISITS.flatMap(ga4);
  const posthogRows = VISITS.flatMap(posthog);
  const texts = posthogRows.map((row) => ({ ...row, properties: JSON.stringify(row.properties) }));
  return [
    { product: "matomo-tables", files: [["matomo.csv", matomoTable()]] },
    { product: "matomo-api", files: [["visits.ndjson", lines(VISITS.map(matomoVisit))]] },
    { product: "posthog", files: [["events.jsonl", lines(posthogRows)]] },
    { product: "posthog-parquet", files: [["events.parquet", await parquetOf(texts, ", COMPRESSION zstd")]] },
    { product: "ga4-parquet", files: [["events.parquet", await parquetOf(ga4Rows, ", COMPRESSION snappy")]] },
    { product: "segment", files: [["messages.json", lines(VISITS.flatMap(segment))]], lacks: ["countries"] },
    {
      product: "rudderstack-tables",
      files: [
        ["order_completed.ndjson", lines(VISITS.filter(({ buys }) => buys).map(segmentOrder))],
        ["pages.csv", segmentPages()],
      ],
      lacks: ["countries"],
    },
    { product: "simple-analytics", files: [["export.csv", simpleAnalytics()]], lacks: ["orders"] },
    { product: "snowplow", files: [["enriched.tsv", `${VISITS.flatMap(snowplow).join("\n")}\n`]] },
    { product: "umami", files: [["umami.csv", umami()]] },
    {
      product: "shopify",
      files: [["orders.csv", shopify()]],
      lacks: ["pages", "countries", "campaigns"],
    },
  ];
}

/** What the story comes to: counted here, from the story alone. */
export const SUMS = {
  visitors: VISITS.length,
  buyers: VISITS.filter(({ buys }) => buys).length,
  pageviews: VISITS.length * PAGES.length,
  orders: VISITS.filter(({ buys }) => buys).length,
  revenue: VISITS.filter(({ buys }) => buys).length * REVENUE,
  viewsOf: (country: string) => VISITS.filter((visit) => visit.country === country).length * PAGES.length,
  visitsOf: (campaign: string) => VISITS.filter((visit) => visit.campaign === campaign).length,
} as const;

function matomoVisit(visit: Visit): object {
  const second = (ms: number) => Math.floor(ms / 1000);
  return {
    ...{ idSite: 1, idVisit: String(visit.number), visitorId: visit.visitor, siteCurrency: "EUR" },
    ...{ referrerType: visit.campaign === "" ? "direct" : "campaign", referrerName: visit.campaign || null },
    ...{ countryCode: visit.country.toLowerCase(), browserName: "Firefox", deviceType: "Desktop" },
    actionDetails: [
      ...PAGES.map((path, page) => ({
        ...{ type: "action", url: `https://${HOST}${path}`, pageTitle: "x", pageId: visit.number * 10 + page },
        timestamp: second(visit.at + page * MINUTE),
      })),
      ...(visit.buys
        ? [
            {
              ...{ type: "ecommerceOrder", orderId: orderOf(visit), revenue: REVENUE, items: 3 },
              timestamp: second(visit.at + 2 * MINUTE),
              itemDetails: GOODS.map(({ id, name, price, quantity }) => ({
                itemSKU: id,
                itemName: name,
                price,
                quantity,
              })),
            },
          ]
        : []),
    ],
  };
}

/** Columns of the statement in docs/import.md. */
const MATOMO =
  "idsite,idvisit,idlink_va,server_time,type,url_prefix,url,title,event_category,event_action,custom_float,idorder,revenue,sku,item,category,price,quantity,idvisitor,user_id,referer_type,referer_url,referer_name,referer_keyword,location_country,location_region,location_city,location_browser_lang,config_browser_name,config_os,config_device_type,config_resolution,currency";

function matomoTable(): string {
  const rows = VISITS.flatMap((visit) => {
    const who = [visit.visitor, "", visit.campaign === "" ? "1" : "6", "", visit.campaign, ""];
    const shared = [...who, visit.country.toLowerCase(), "", "", "de", "FF", "WIN", "0", "1920x1080", "EUR"];
    const common = (part: string, at: number) => ["1", String(visit.number), part, plain(at)];
    const pages = PAGES.map((path, page) => [
      ...common(String(visit.number * 10 + page), visit.at + page * MINUTE),
      ...["1", "2", `${HOST}${path}`, "x", "", "", "", "", "", "", "", "", "", ""],
      ...shared,
    ]);
    const orders = GOODS.map(({ id, name, price, quantity }) => [
      ...common("NULL", visit.at + 2 * MINUTE),
      ...["order", "NULL", `https://${HOST}/done`, "NULL", "NULL", "NULL", "NULL", orderOf(visit), String(REVENUE)],
      ...[id, name, "NULL", String(price), String(quantity)],
      ...shared,
    ]);
    return visit.buys ? [...pages, ...orders] : pages;
  });
  return `${[MATOMO, ...rows.map((row) => row.join(","))].join("\n")}\n`;
}

function posthog(visit: Visit) {
  const properties = { $device_id: visit.visitor, $browser: "Firefox", $geoip_country_code: visit.country };
  const event = (name: string, part: number, more: object) => ({
    ...{ uuid: uuid(visit, part), event: name, distinct_id: visit.visitor, person_id: "p", elements_chain: "" },
    ...{ timestamp: iso(visit.at + part * MINUTE), created_at: iso(visit.at + part * MINUTE) },
    properties: { ...properties, ...more },
  });
  return [
    ...PAGES.map((_, page) => event("$pageview", page, { $current_url: urlOf(visit, page) })),
    ...(visit.buys
      ? [event("Order Completed", 2, { order_id: orderOf(visit), revenue: REVENUE, currency: "EUR", products: GOODS })]
      : []),
    event("$autocapture", 3, { $current_url: urlOf(visit, 1) }),
  ];
}

function ga4(visit: Visit) {
  const param = (key: string, string_value: string | null, double_value: number | null = null) => ({
    key,
    value: { string_value, int_value: null, float_value: null, double_value },
  });
  const event = (name: string, part: number, params: readonly object[], order: string | null) => ({
    ...{ event_timestamp: (visit.at + part * MINUTE) * 1000, event_name: name, user_pseudo_id: visit.visitor },
    event_params: [param("ga_session_id", "1"), ...params],
    geo: { country: visit.country === "AT" ? "Austria" : "Germany", region: "(not set)", city: "" },
    device: { category: "desktop", operating_system: "Windows", web_info: { browser: "Firefox" } },
    ecommerce: { transaction_id: order, purchase_revenue: order === null ? null : REVENUE },
    items:
      order === null
        ? []
        : GOODS.map(({ id, name, price, quantity }) => ({ item_id: id, item_name: name, price, quantity })),
  });
  return [
    event("session_start", 0, [], null),
    ...PAGES.map((_, page) => event("page_view", page, [param("page_location", urlOf(visit, page))], null)),
    ...(visit.buys
      ? [event("purchase", 2, [param("value", null, REVENUE), param("currency", "EUR")], orderOf(visit))]
      : []),
  ];
}

function segment(visit: Visit): readonly object[] {
  const message = (type: string, part: number, more: object) => ({
    ...{ messageId: uuid(visit, part), type, anonymousId: visit.visitor, timestamp: iso(visit.at + part * MINUTE) },
    ...{ originalTimestamp: iso(visit.at + 7 * MINUTE), sentAt: iso(visit.at + 8 * MINUTE), context: {} },
    ...more,
  });
  const properties = { order_id: orderOf(visit), revenue: REVENUE, currency: "EUR", products: productsOf() };
  return [
    ...PAGES.map((_, page) => message("page", page, { properties: { url: urlOf(visit, page) } })),
    ...(visit.buys ? [message("track", 2, { event: "Order Completed", properties })] : []),
    message("identify", 3, { traits: { email: "a@b.example" } }),
  ];
}

const productsOf = () => GOODS.map(({ id, ...rest }) => ({ product_id: id, ...rest }));
const stored = (visit: Visit, part: number) => ({
  ...{ id: uuid(visit, part), anonymous_id: visit.visitor, user_id: "", received_at: plain(visit.at) },
  ...{ original_timestamp: plain(visit.at), sent_at: plain(visit.at), timestamp: plain(visit.at + part * MINUTE) },
});

function segmentOrder(visit: Visit): object {
  return {
    ...{ ...stored(visit, 2), event: "order_completed", event_text: "Order Completed", order_id: orderOf(visit) },
    ...{ revenue: REVENUE, currency: "EUR", products: JSON.stringify(productsOf()) },
  };
}

function segmentPages(): string {
  const rows = VISITS.flatMap((visit) =>
    PAGES.map((path, page) => ({
      ...{ ...stored(visit, page), url: `https://${HOST}${path}`, path },
      ...{ context_campaign_source: page === 0 && visit.campaign !== "" ? "news" : "" },
      context_campaign_name: page === 0 ? visit.campaign : "",
    })),
  );
  return csvOf(rows);
}

function simpleAnalytics(): string {
  return csvOf(
    VISITS.flatMap((visit) =>
      PAGES.map((path, page) => ({
        ...{ added_iso: iso(visit.at + page * MINUTE), hostname: HOST, path, is_unique: page === 0, is_robot: false },
        ...{ session_id: visit.visitor, uuid: uuid(visit, page), country_code: visit.country, browser_name: "Firefox" },
        utm_source: page === 0 && visit.campaign !== "" ? "news" : "",
        utm_campaign: page === 0 ? visit.campaign : "",
      })),
    ),
  );
}

function snowplow(visit: Visit): readonly string[] {
  const event = (kind: string, part: number, values: Readonly<Record<number, string>>) => {
    const at = `${plain(visit.at + part * MINUTE)}.000`;
    const all: Readonly<Record<number, string>> = {
      ...{ 0: "shop", 1: "web", 3: at, 5: kind, 6: uuid(visit, part), 15: visit.visitor, 18: visit.country },
      ...{ 79: "Firefox", 124: at, ...values },
    };
    return Array.from({ length: 131 }, (_, index) => all[index] ?? "").join("\t");
  };
  return [
    ...PAGES.map((_, page) => event("page_view", page, { 29: urlOf(visit, page) })),
    ...(visit.buys ? [event("transaction", 2, { 59: orderOf(visit), 61: String(REVENUE), 108: "EUR" })] : []),
  ];
}

function umami(): string {
  return csvOf(
    VISITS.flatMap((visit) => {
      const common = { session_id: visit.visitor, hostname: HOST, browser: "firefox", country: visit.country };
      const event = (type: number, part: number, more: object) => ({
        ...{ ...common, event_id: uuid(visit, part), event_type: type, created_at: plain(visit.at + part * MINUTE) },
        ...{ url_path: "", url_query: "", event_name: "", event_data: "", ...more },
      });
      const data = { revenue: REVENUE.toFixed(4), currency: "EUR", order_id: orderOf(visit) };
      return [
        ...PAGES.map((path, page) => event(1, page, { url_path: path, url_query: queryOf(visit, page).slice(1) })),
        ...(visit.buys
          ? [event(2, 2, { url_path: "/done", event_name: "purchase", event_data: JSON.stringify(data) })]
          : []),
      ];
    }),
  );
}

function shopify(): string {
  return csvOf(
    VISITS.filter(({ buys }) => buys).flatMap((visit) =>
      GOODS.map(({ id, name, price, quantity }, index) => ({
        ...{ Name: `#${visit.number}`, Email: `${visit.visitor}@b.example`, Currency: index === 0 ? "EUR" : "" },
        ...{ "Financial Status": index === 0 ? "paid" : "", Total: index === 0 ? REVENUE : "" },
        "Created at": index === 0 ? `${plain(visit.at + 2 * MINUTE)} +0000` : "",
        ...{ "Lineitem quantity": quantity, "Lineitem name": name, "Lineitem price": price, "Lineitem sku": id },
        Id: index === 0 ? orderOf(visit) : "",
      })),
    ),
  );
}

function csvOf(rows: readonly Readonly<Record<string, unknown>>[]): string {
  const names = Object.keys(rows[0] ?? {});
  const cell = (value: unknown) => `"${String(value ?? "").replaceAll('"', '""')}"`;
  return `${[names.join(","), ...rows.map((row) => names.map((name) => cell(row[name])).join(","))].join("\n")}\n`;
}
