// Tellers: how each wire format tells the story (story.ts), as the requests its clients would make. What a format has
// no words for it leaves out; `tells` says what is left.

import { CHROME } from "./events.ts";
import { STORY_HOST, type StoryEvent, type StoryVisitor, urlOf } from "./story.ts";

/** Who the story is told to. */
export interface Listener {
  readonly tracking_id: string;
  /** A key that sends events. */
  readonly write_key: string;
}

export interface StoryRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Teller {
  readonly format: string;
  readonly tells: {
    readonly events: boolean;
    readonly revenue: boolean;
    readonly orders: boolean;
    readonly products: boolean;
  };
  readonly tell: (story: readonly StoryEvent[], shop: Listener) => readonly StoryRequest[];
}

const ALL = { events: true, revenue: true, orders: true, products: true };
const WITHOUT_PRODUCTS = { ...ALL, products: false };
const WITHOUT_REVENUE = { events: true, revenue: false, orders: false, products: false };
const PAGES_ONLY = { ...WITHOUT_REVENUE, events: false };

export const TELLERS: readonly Teller[] = [
  { format: "native, batches", tells: ALL, tell: native },
  { format: "native, a server with its key", tells: ALL, tell: server },
  { format: "pixel", tells: WITHOUT_REVENUE, tell: pixel },
  { format: "Plausible `/api/event`", tells: WITHOUT_PRODUCTS, tell: plausible },
  { format: "Umami `/api/send`", tells: WITHOUT_PRODUCTS, tell: umami },
  { format: "Umami `/api/batch`", tells: WITHOUT_PRODUCTS, tell: umamiBatch },
  { format: "GA4 `/g/collect`", tells: ALL, tell: ga4 },
  { format: "GA4 Measurement Protocol", tells: ALL, tell: measurement },
  { format: "Segment `/v1/batch`", tells: ALL, tell: segmentBatch },
  { format: "Segment `/v1/page`, `/v1/t`", tells: ALL, tell: segment },
  { format: "PostHog `/batch/`", tells: ALL, tell: posthog },
  { format: "Counterscale `/collect`", tells: PAGES_ONLY, tell: counterscale },
  { format: "Snowplow tp2", tells: ALL, tell: snowplow },
  { format: "Snowplow `/i`", tells: WITHOUT_REVENUE, tell: snowplowPixel },
  { format: "GoatCounter `/count`", tells: WITHOUT_REVENUE, tell: goatcounter },
  { format: "GoatCounter `/api/v0/count`", tells: WITHOUT_REVENUE, tell: goatcounterApi },
];

const NAMES = { page: "pageview", "sign-up": "signed_up", order: "purchase" } as const;

/** A visitor's own browser. */
function browser({ address }: StoryVisitor): Record<string, string> {
  return { "user-agent": CHROME, "x-footfall-address": address, referer: `https://${STORY_HOST}/` };
}

function post(path: string, body: unknown, headers: Record<string, string> = { "user-agent": CHROME }): StoryRequest {
  return { method: "POST", path, headers, body: JSON.stringify(body) };
}

function get(path: string, parameters: Record<string, string>, headers: Record<string, string>): StoryRequest {
  return { method: "GET", path: `${path}?${new URLSearchParams(parameters)}`, headers };
}

function inBatches<T>(list: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, index) =>
    list.slice(index * size, (index + 1) * size),
  );
}

function nativeEvent(event: StoryEvent): object {
  const { id, kind, timestamp, order } = event;
  const bought = order && {
    order_id: order.id,
    revenue: { amount: order.amount, currency: "EUR" },
    products: order.products,
  };
  return { id, name: NAMES[kind], url: urlOf(event), timestamp, ...bought };
}

function native(story: readonly StoryEvent[], { tracking_id }: Listener): readonly StoryRequest[] {
  return inBatches(story, 100).map((events) =>
    post("/v1/events", {
      tracking_id,
      events: events.map((event) => ({ ...nativeEvent(event), visitor_id: event.visitor.id })),
    }),
  );
}

/** Cookieless: the visitor is the address and agent that the server says. */
function server(story: readonly StoryEvent[], { write_key }: Listener): readonly StoryRequest[] {
  return inBatches(story, 100).map((events) =>
    post(
      "/v1/events",
      events.map((event) => ({ ...nativeEvent(event), address: event.visitor.address, user_agent: CHROME })),
      { authorization: `Bearer ${write_key}` },
    ),
  );
}

function pixel(story: readonly StoryEvent[], { tracking_id }: Listener): readonly StoryRequest[] {
  return story.map((event) => {
    const { id, kind, visitor } = event;
    return get("/v1/pixel.gif", { tracking_id, id, name: NAMES[kind], url: urlOf(event) }, browser(visitor));
  });
}

function plausible(story: readonly StoryEvent[], { tracking_id }: Listener): readonly StoryRequest[] {
  return story.map((event) => {
    const { kind, order, visitor } = event;
    const bought = order && { p: { order_id: order.id }, $: { amount: order.amount, currency: "EUR" } };
    return post("/api/event", { n: NAMES[kind], u: urlOf(event), d: tracking_id, ...bought }, browser(visitor));
  });
}

function umamiMessage(event: StoryEvent, { tracking_id }: Listener): object {
  const { kind, path, order, visitor, timestamp } = event;
  const named = kind === "page" ? {} : { name: NAMES[kind] };
  const bought = order && { data: { revenue: order.amount, currency: "EUR", order_id: order.id } };
  const page = { hostname: STORY_HOST, url: encodeURI(path), timestamp: timestamp / 1_000 };
  return { type: "event", payload: { website: tracking_id, id: visitor.id, ...page, ...named, ...bought } };
}

function umami(story: readonly StoryEvent[], shop: Listener): readonly StoryRequest[] {
  return story.map((event) => post("/api/send", umamiMessage(event, shop)));
}

function umamiBatch(story: readonly StoryEvent[], shop: Listener): readonly StoryRequest[] {
  return inBatches(story, 100).map((events) =>
    post(
      "/api/batch",
      events.map((event) => umamiMessage(event, shop)),
    ),
  );
}

/** One request for each visitor, an event a line. */
function ga4(story: readonly StoryEvent[], { tracking_id }: Listener): readonly StoryRequest[] {
  return Object.values(Object.groupBy(story, ({ visitor }) => visitor.id)).map((events = []) => {
    const lines = events.map((event) => {
      const name = event.kind === "page" ? "page_view" : NAMES[event.kind];
      const { order } = event;
      const bought = order && {
        cu: "EUR",
        "ep.transaction_id": order.id,
        "epn.value": String(order.amount),
        ...Object.fromEntries(
          order.products.map(({ id, name, price, quantity }, at) => [
            `pr${at + 1}`,
            `id${id}~nm${name}~pr${price}~qt${quantity}`,
          ]),
        ),
      };
      return String(new URLSearchParams({ en: name, dl: urlOf(event), ...bought }));
    });
    const cid = events[0]?.visitor.id ?? "";
    const shared = new URLSearchParams({ v: "2", tid: `G-${tracking_id}`, cid, sid: "1", _p: "1" });
    return { method: "POST", path: `/g/collect?${shared}`, headers: { "user-agent": CHROME }, body: lines.join("\n") };
  });
}

function measurement(story: readonly StoryEvent[], { tracking_id }: Listener): readonly StoryRequest[] {
  return Object.values(Object.groupBy(story, ({ visitor }) => visitor.id)).map((events = []) =>
    post(`/mp/collect?measurement_id=G-${tracking_id}&api_secret=x`, {
      client_id: events[0]?.visitor.id,
      events: events.map((event) => {
        const { kind, order, timestamp } = event;
        const items = order?.products.map(({ id, name, price, quantity }) => {
          return { item_id: id, item_name: name, price, quantity };
        });
        const bought = order && { transaction_id: order.id, value: order.amount, currency: "EUR", items };
        return {
          name: kind === "page" ? "page_view" : NAMES[kind],
          timestamp_micros: timestamp * 1_000,
          params: { page_location: urlOf(event), ...bought },
        };
      }),
    }),
  );
}

function segmentMessage(event: StoryEvent): Record<string, unknown> {
  const { id, kind, visitor, timestamp, order } = event;
  const message = { messageId: id, anonymousId: visitor.id, timestamp: new Date(timestamp).toISOString() };
  const context = { page: { url: urlOf(event) } };
  if (kind === "page") return { ...message, context, type: "page", properties: { url: urlOf(event) } };
  const products = order?.products.map(({ id: product_id, ...product }) => ({ product_id, ...product }));
  const properties = order && { order_id: order.id, revenue: order.amount, currency: "EUR", products };
  return { ...message, context, type: "track", event: order ? "Order Completed" : "Signed Up", properties };
}

function segmentBatch(story: readonly StoryEvent[], { tracking_id }: Listener): readonly StoryRequest[] {
  return inBatches(story, 100).map((events) =>
    post("/v1/batch", { writeKey: tracking_id, sentAt: new Date().toISOString(), batch: events.map(segmentMessage) }),
  );
}

function segment(story: readonly StoryEvent[], { tracking_id }: Listener): readonly StoryRequest[] {
  return story.map((event) => {
    const { type, ...message } = segmentMessage(event);
    return post(type === "page" ? "/v1/page" : "/v1/t", message, { authorization: `Basic ${btoa(`${tracking_id}:`)}` });
  });
}

function posthog(story: readonly StoryEvent[], { tracking_id }: Listener): readonly StoryRequest[] {
  return inBatches(story, 100).map((events) =>
    post("/batch/", {
      api_key: tracking_id,
      batch: events.map((event) => {
        const { id, kind, visitor, timestamp } = event;
        const properties = { ...(segmentMessage(event)["properties"] as object), $current_url: urlOf(event) };
        const name = kind === "page" ? "$pageview" : kind === "order" ? "Order Completed" : "signed_up";
        return {
          uuid: id,
          distinct_id: visitor.id,
          event: name,
          timestamp: new Date(timestamp).toISOString(),
          properties,
        };
      }),
    }),
  );
}

function counterscale(story: readonly StoryEvent[], { tracking_id }: Listener): readonly StoryRequest[] {
  return story
    .filter(({ kind }) => kind === "page")
    .map(({ path, visitor }) => {
      const [p = ""] = encodeURI(path).split("?");
      return get("/collect", { p, h: `https://${STORY_HOST}`, r: "", sid: tracking_id, ht: "1" }, browser(visitor));
    });
}

function snowplowPayload(event: StoryEvent, { tracking_id }: Listener): Record<string, string> {
  const { id, kind, visitor, timestamp, order } = event;
  const common = { eid: id, aid: tracking_id, duid: visitor.id, dtm: String(timestamp), url: urlOf(event), p: "web" };
  if (kind === "page") return { ...common, e: "pv" };
  if (order === undefined) return { ...common, e: "se", se_ca: "account", se_ac: NAMES[kind] };
  const ecommerce = "iglu:com.snowplowanalytics.snowplow.ecommerce";
  const action = { schema: `${ecommerce}/snowplow_ecommerce_action/jsonschema/1-0-2`, data: { type: "transaction" } };
  const sum = { transaction_id: order.id, revenue: order.amount, currency: "EUR" };
  const entities = [
    { schema: `${ecommerce}/transaction/jsonschema/1-0-0`, data: sum },
    ...order.products.map((data) => ({ schema: `${ecommerce}/product/jsonschema/1-0-0`, data })),
  ];
  return { ...common, e: "ue", ue_pr: JSON.stringify({ data: action }), co: JSON.stringify({ data: entities }) };
}

function snowplow(story: readonly StoryEvent[], shop: Listener): readonly StoryRequest[] {
  const schema = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4";
  return inBatches(story, 100).map((events) =>
    post("/com.snowplowanalytics.snowplow/tp2", { schema, data: events.map((event) => snowplowPayload(event, shop)) }),
  );
}

/** Without what only an order's entities say, which make a long address. */
function snowplowPixel(story: readonly StoryEvent[], shop: Listener): readonly StoryRequest[] {
  return story.map((event) => {
    const { order: _, ...plain } = event;
    return get("/i", snowplowPayload(plain, shop), { "user-agent": CHROME });
  });
}

function goatcounter(story: readonly StoryEvent[], { tracking_id }: Listener): readonly StoryRequest[] {
  return story.map(({ kind, path, visitor }) => {
    const parameters = kind === "page" ? { p: encodeURI(path) } : { p: NAMES[kind], e: "true" };
    return get(`/${tracking_id}/count`, { ...parameters, rnd: "x" }, browser(visitor));
  });
}

function goatcounterApi(story: readonly StoryEvent[], { write_key }: Listener): readonly StoryRequest[] {
  return inBatches(story, 500).map((events) => {
    const hits = events.map(({ kind, path, visitor, timestamp }) => ({
      ...(kind === "page" ? { path: encodeURI(path) } : { path: NAMES[kind], event: true }),
      session: visitor.id,
      created_at: new Date(timestamp).toISOString(),
    }));
    return post("/api/v0/count", { hits }, { authorization: `Bearer ${write_key}` });
  });
}
