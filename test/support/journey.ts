// A journey that every wire format can be asked to tell: Ana comes from a newsletter, signs up and buys a mat and
// two mugs; two hours later she is back and gives the mugs back. Ben looks at one page. Two visitors, three
// visits, seven page views. A telling is the requests that a client of the format would make of it; what a format
// has no words for is left out.

import { CHROME } from "./events.ts";

const HOST = "journey.example";
const HOUR_MS = 3_600_000;

export interface Step {
  readonly id: string;
  readonly visitor: "ana" | "ben";
  readonly kind: "page" | "sign-up" | "purchase" | "refund";
  /** With its query. */
  readonly path: string;
  /** UTC ms. */
  readonly at: number;
}

export interface Telling {
  readonly tracking_id: string;
  /** A key that sends events. */
  readonly write_key: string;
}

export interface JourneyRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

type Tell = (steps: readonly Step[], to: Telling) => readonly JourneyRequest[];

interface Goods {
  readonly amount: number;
  readonly products: readonly {
    readonly id: string;
    readonly name: string;
    readonly price: number;
    readonly quantity: number;
  }[];
}

const ORDER = "1001";
const MAT = { id: "A1", name: "Mat", price: 50, quantity: 1 };
const MUGS = { id: "B2", name: "Mug", price: 10, quantity: 2 };
/** What money is said where: the whole order, and the mugs of it. */
const GOODS: Readonly<Partial<Record<Step["kind"], Goods>>> = {
  purchase: { amount: 70, products: [MAT, MUGS] },
  refund: { amount: 20, products: [MUGS] },
};
const ADDRESSES = { ana: "198.51.100.7", ben: "203.0.113.9" } as const;

/** As it would have happened, its end being `now`. */
export function journey(now: number): readonly Step[] {
  const [first, second] = [now - 3 * HOUR_MS, now - HOUR_MS];
  const told: readonly Omit<Step, "id">[] = [
    { visitor: "ana", kind: "page", path: "/?utm_source=news", at: first },
    { visitor: "ana", kind: "page", path: "/mats", at: first + 60_000 },
    { visitor: "ana", kind: "page", path: "/account", at: first + 120_000 },
    { visitor: "ana", kind: "sign-up", path: "/account", at: first + 180_000 },
    { visitor: "ana", kind: "page", path: "/cart", at: first + 240_000 },
    { visitor: "ana", kind: "page", path: "/thanks", at: first + 300_000 },
    { visitor: "ana", kind: "purchase", path: "/thanks", at: first + 300_000 },
    { visitor: "ana", kind: "page", path: "/returns", at: second },
    { visitor: "ana", kind: "refund", path: "/returns", at: second + 60_000 },
    { visitor: "ben", kind: "page", path: "/mugs", at: second + 90_000 },
  ];
  return told.map((step, index) => ({ ...step, id: `journey-${index}` }));
}

const NAMES = { page: "pageview", "sign-up": "signed_up", purchase: "purchase", refund: "refund" } as const;

function urlOf({ path }: Step): string {
  return `https://${HOST}${path}`;
}

function timeOf({ at }: Step): string {
  return new Date(at).toISOString();
}

/** A visitor's own browser. */
function browser({ visitor }: Step): Record<string, string> {
  return { "user-agent": CHROME, "x-footfall-address": ADDRESSES[visitor], referer: `https://${HOST}/` };
}

function post(path: string, body: unknown, headers: Record<string, string> = { "user-agent": CHROME }): JourneyRequest {
  return { method: "POST", path, headers, body: JSON.stringify(body) };
}

function get(path: string, parameters: Record<string, string>, headers: Record<string, string>): JourneyRequest {
  return { method: "GET", path: `${path}?${new URLSearchParams(parameters)}`, headers };
}

function nativeEvent(step: Step): object {
  const { id, kind, at } = step;
  const goods = GOODS[kind];
  return {
    id,
    name: NAMES[kind],
    url: urlOf(step),
    timestamp: at,
    ...(kind === "sign-up" && { props: { plan: "pro" } }),
    ...(goods && {
      order_id: ORDER,
      revenue: { amount: goods.amount, currency: "EUR" },
      products: goods.products,
    }),
  };
}

const native: Tell = (steps, { tracking_id }) => [
  post("/v1/events", {
    tracking_id,
    events: steps.map((step) => ({ ...nativeEvent(step), visitor_id: step.visitor })),
  }),
];

const server: Tell = (steps, { write_key }) => [
  post(
    "/v1/events",
    steps.map((step) => ({ ...nativeEvent(step), address: ADDRESSES[step.visitor], user_agent: CHROME })),
    { authorization: `Bearer ${write_key}` },
  ),
];

const pixel: Tell = (steps, { tracking_id }) =>
  steps.map((step) => {
    const { id, kind } = step;
    return get("/v1/pixel.gif", { tracking_id, id, name: NAMES[kind], url: urlOf(step) }, browser(step));
  });

const plausible: Tell = (steps, { tracking_id }) =>
  steps.map((step) => {
    const goods = GOODS[step.kind];
    const said = {
      ...(step.kind === "sign-up" && { p: { plan: "pro" } }),
      ...(goods && { p: { order_id: ORDER }, $: { amount: goods.amount, currency: "EUR" } }),
    };
    return post("/api/event", { n: NAMES[step.kind], u: urlOf(step), d: tracking_id, ...said }, browser(step));
  });

const umami: Tell = (steps, { tracking_id }) => [
  post(
    "/api/batch",
    steps.map(({ kind, visitor, path, at }) => {
      const goods = GOODS[kind];
      const data = {
        ...(kind === "sign-up" && { plan: "pro" }),
        ...(goods && { revenue: goods.amount, currency: "EUR", order_id: ORDER }),
      };
      const named = kind === "page" ? {} : { name: NAMES[kind], data };
      const page = { hostname: HOST, url: path, timestamp: at / 1_000 };
      return { type: "event", payload: { website: tracking_id, id: visitor, ...page, ...named } };
    }),
  ),
];

/** One request for each visitor, an event a line. */
const ga4: Tell = (steps, { tracking_id }) =>
  Object.values(Object.groupBy(steps, ({ visitor }) => visitor)).map((of) => {
    const lines = of.map((step) => {
      const goods = GOODS[step.kind];
      const said: Record<string, string> = step.kind === "sign-up" ? { "ep.plan": "pro" } : {};
      if (goods !== undefined) {
        Object.assign(said, { cu: "EUR", "ep.transaction_id": ORDER, "epn.value": String(goods.amount) });
        for (const [at, { id, name, price, quantity }] of goods.products.entries())
          said[`pr${at + 1}`] = `id${id}~nm${name}~pr${price}~qt${quantity}`;
      }
      return String(new URLSearchParams({ en: ga4Name(step), dl: urlOf(step), ...said }));
    });
    const cid = of[0]?.visitor ?? "";
    const shared = new URLSearchParams({ v: "2", tid: `G-${tracking_id}`, cid, sid: "1", _p: "1" });
    return { method: "POST", path: `/g/collect?${shared}`, headers: { "user-agent": CHROME }, body: lines.join("\n") };
  });

function ga4Name({ kind }: Step): string {
  return kind === "page" ? "page_view" : NAMES[kind];
}

const measurement: Tell = (steps, { tracking_id }) =>
  Object.values(Object.groupBy(steps, ({ visitor }) => visitor)).map((of) =>
    post(`/mp/collect?measurement_id=G-${tracking_id}&api_secret=x`, {
      client_id: of[0]?.visitor,
      events: of.map((step) => {
        const goods = GOODS[step.kind];
        const items = goods?.products.map(({ id, name, ...rest }) => ({ item_id: id, item_name: name, ...rest }));
        const said = {
          ...(step.kind === "sign-up" && { plan: "pro" }),
          ...(goods && { transaction_id: ORDER, value: goods.amount, currency: "EUR", items }),
        };
        return {
          name: ga4Name(step),
          timestamp_micros: step.at * 1_000,
          params: { page_location: urlOf(step), ...said },
        };
      }),
    }),
  );

const SEGMENT_NAMES = {
  page: "",
  "sign-up": "Signed Up",
  purchase: "Order Completed",
  refund: "Order Refunded",
} as const;

function segmentProperties({ kind }: Step): Record<string, unknown> {
  const goods = GOODS[kind];
  const products = goods?.products.map(({ id: product_id, ...product }) => ({ product_id, ...product }));
  return {
    ...(kind === "sign-up" && { plan: "pro" }),
    ...(goods && { order_id: ORDER, revenue: goods.amount, currency: "EUR", products }),
  };
}

function segmentMessage(step: Step): object {
  const { id, kind, visitor } = step;
  const message = {
    messageId: id,
    anonymousId: visitor,
    originalTimestamp: timeOf(step),
    context: { page: { url: urlOf(step) } },
  };
  if (kind === "page") return { ...message, type: "page", properties: { url: urlOf(step) } };
  return { ...message, type: "track", event: SEGMENT_NAMES[kind], properties: segmentProperties(step) };
}

const segment: Tell = (steps, { tracking_id }) => [
  post("/v1/batch", { writeKey: tracking_id, sentAt: new Date().toISOString(), batch: steps.map(segmentMessage) }),
];

/** As its browser client sends what is left when a page is. */
const rudderstack: Tell = (steps, { tracking_id }) => [
  post(`/beacon/v1/batch?writeKey=${tracking_id}`, {
    sentAt: new Date().toISOString(),
    batch: steps.map(segmentMessage),
  }),
];

const posthog: Tell = (steps, { tracking_id }) => [
  post("/batch/", {
    api_key: tracking_id,
    sent_at: new Date().toISOString(),
    batch: steps.map((step) => ({
      uuid: step.id,
      distinct_id: step.visitor,
      event: step.kind === "page" ? "$pageview" : SEGMENT_NAMES[step.kind],
      timestamp: timeOf(step),
      properties: { $current_url: urlOf(step), ...segmentProperties(step) },
    })),
  }),
];

function snowplowPayload(step: Step, { tracking_id }: Telling): Record<string, string> {
  const { id, kind, visitor, at } = step;
  const common = { eid: id, aid: tracking_id, duid: visitor, dtm: String(at), url: urlOf(step), p: "web" };
  if (kind === "page") return { ...common, e: "pv" };
  const goods = GOODS[kind];
  if (goods === undefined) return { ...common, e: "ue", ...described("iglu:com.acme/signed_up", { plan: "pro" }) };
  const ecommerce = "iglu:com.snowplowanalytics.snowplow.ecommerce";
  const type = kind === "purchase" ? "transaction" : "refund";
  const sum = { transaction_id: ORDER, currency: "EUR" };
  const entities = [
    {
      schema: `${ecommerce}/${type}/jsonschema/1-0-0`,
      data: kind === "purchase" ? { ...sum, revenue: goods.amount } : { ...sum, refund_amount: goods.amount },
    },
    ...goods.products.map((data) => ({ schema: `${ecommerce}/product/jsonschema/1-0-0`, data })),
  ];
  return { ...common, e: "ue", ...described(`${ecommerce}/snowplow_ecommerce_action`, { type }, entities) };
}

function described(schema: string, data: object, entities: readonly object[] = []): Record<string, string> {
  const event = { data: { schema: `${schema}/jsonschema/1-0-0`, data } };
  return { ue_pr: JSON.stringify(event), ...(entities.length > 0 && { co: JSON.stringify({ data: entities }) }) };
}

const snowplow: Tell = (steps, to) => [
  post("/com.snowplowanalytics.snowplow/tp2", {
    schema: "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4",
    data: steps.map((step) => snowplowPayload(step, to)),
  }),
];

const snowplowPixel: Tell = (steps, to) =>
  steps.map((step) => get("/i", snowplowPayload(step, to), { "user-agent": CHROME }));

const counterscale: Tell = (steps, { tracking_id }) =>
  steps
    .filter(({ kind }) => kind === "page")
    .map((step) => {
      const [p = "", query = ""] = step.path.split("?");
      const us: Record<string, string> = query === "" ? {} : { us: "news" };
      return get("/collect", { p, h: `https://${HOST}`, r: "", sid: tracking_id, ht: "1", ...us }, browser(step));
    });

const goatcounter: Tell = (steps, { tracking_id }) =>
  steps.map((step) => {
    const [p = "", q = ""] = step.path.split("?");
    const page: Record<string, string> = q === "" ? { p } : { p, q: `?${q}` };
    return get(
      `/${tracking_id}/count`,
      step.kind === "page" ? page : { p: NAMES[step.kind], e: "true" },
      browser(step),
    );
  });

const goatcounterApi: Tell = (steps, { write_key }) => [
  post(
    "/api/v0/count",
    {
      hits: steps.map((step) => {
        const [path = "", query = ""] = step.path.split("?");
        const page = { path, ...(query !== "" && { query }) };
        const named = step.kind === "page" ? page : { path: NAMES[step.kind], event: true };
        return { ...named, session: step.visitor, created_at: timeOf(step) };
      }),
    },
    { authorization: `Bearer ${write_key}` },
  ),
];

/** Every protocol, as docs/compatibility.md names it. */
export const TELLINGS = {
  "native, from a page": native,
  "native, a server with its key": server,
  pixel,
  "Plausible `/api/event`": plausible,
  "Umami `/api/batch`": umami,
  "GA4 `/g/collect`": ga4,
  "GA4 Measurement Protocol": measurement,
  "Segment `/v1/batch`": segment,
  "RudderStack `/beacon/v1/batch`": rudderstack,
  "PostHog `/batch/`": posthog,
  "Snowplow tp2": snowplow,
  "Snowplow `/i`": snowplowPixel,
  "Counterscale `/collect`": counterscale,
  "GoatCounter `/count`": goatcounter,
  "GoatCounter `/api/v0/count`": goatcounterApi,
} as const satisfies Readonly<Record<string, Tell>>;
export type Protocol = keyof typeof TELLINGS;
