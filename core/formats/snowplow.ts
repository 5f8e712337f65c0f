// Snowplow's tracker protocol: `POST /com.snowplowanalytics.snowplow/tp2` with a list of events, and `GET /i` with one
// event in the query string. The app id is the tracking ID (from a server, an API key). `eid` is the duplicate key.
// Self-describing events and entities are read where they say what was bought. Nothing else in them is kept.

import { parseParameters } from "../enrichment/address.ts";
import { BLANK_DRAFT, type Draft, type Format, type Hit, type Settled } from "../hit.ts";
import { REQUEST_EVENTS_MAX } from "../limits.ts";
import { accepted, type Outcome, rejected } from "../outcome.ts";
import { decodeBase64 } from "./base64.ts";
import { firstLanguage, isObject, parseJson, readTexts, readTimestamp, type TextField, visitorAgent } from "./field.ts";
import { type Answer, image, plain, problemOf, refusal } from "./hit-reply.ts";
import {
  clientInstant,
  firstText,
  looseCommerce,
  looseEngagement,
  looseProps,
  looseScreen,
  looseScroll,
  namedById,
  objectOf,
  screenUrl,
  withoutSkew,
} from "./loose.ts";
import type { RawProduct } from "./product.ts";

type Payload = Readonly<Record<string, unknown>>;

const TEXTS = [
  ["eid", "id"],
  ["duid", "visitorId"],
  ["uid", "visitorId"],
  ["nuid", "visitorId"],
  ["tnuid", "visitorId"],
  ["url", "url"],
  ["refr", "referrer"],
  ["page", "title"],
  ["lang", "language"],
  ["ua", "userAgent"],
  ["ip", "claimedAddress"],
] as const satisfies readonly TextField[];

/**
 * A page ping says that the page was in use since the last one. The page sets the time between its pings, and no ping
 * says it. It shows where several pings come in one request, or where the page says it in the address that it sends to
 * (`?heartbeat=30`). Every example of the documentation has ten seconds, so that holds for a ping that comes alone.
 */
const PING_MS = 10_000;

/** Trackers count their intervals in whole seconds. */
const PING_MS_MIN = 1_000;

const PING_MS_MAX = 3_600_000;

/** The first ping of a page comes when its shortest visit is over. Nobody sets a longer one than this. */
const FIRST_PING_MS_MAX = 60_000;

/** Events that trackers, players and apps send by themselves, by the names of their schemas. */
const REPORTS: ReadonlySet<string> = new Set([
  "application_background",
  "application_error",
  "application_install",
  "create_element",
  "destroy_element",
  "diagnostic_error",
  "expose_element",
  "message_notification_received",
  "obscure_element",
  "ping_event",
  "percent_progress_event",
  "performance_timing",
  "timing",
  "web_vitals",
]);

export const snowplow: Format = {
  name: "snowplow",
  parse: (hit) => {
    const body = parseJson(hit.body);
    if (!body.ok) return body;
    const { data } = objectOf(body.value) as { readonly data?: unknown };
    if (!Array.isArray(data)) return rejected("invalid_body", 'send {"schema": …, "data": […]}');
    if (data.length > REQUEST_EVENTS_MAX)
      return rejected("too_many_events", `${data.length} events; at most ${REQUEST_EVENTS_MAX} are allowed`);
    const heartbeat = heartbeatOf(hit);
    const times = pingTimes(data, heartbeat);
    return accepted(data.map((payload, index) => parsePayload(payload, hit, times.get(index) ?? heartbeat)));
  },
  answer: (settled) => answer(settled, plain(200, "ok")),
};

export const snowplowPixel: Format = {
  name: "snowplow",
  parse: (hit) => accepted([parsePayload(Object.fromEntries(parseParameters(hit.query)), hit)]),
  answer: (settled) => answer(settled, image()),
};

interface Told {
  readonly index: number;
  readonly kind: unknown;
  readonly at: number;
}

/** The interval in the address, which is in seconds there. */
function heartbeatOf({ query }: Hit): number | undefined {
  const ms = Number(parseParameters(query).get("heartbeat") ?? Number.NaN) * 1000;
  return ms >= PING_MS_MIN && ms <= PING_MS_MAX ? ms : undefined;
}

/** The engaged time of each ping, by its index: the time since the ping or page view before it on the same page. */
function pingTimes(data: readonly unknown[], heartbeat: number | undefined): ReadonlyMap<number, number> {
  const pages = new Map<string, Told[]>();
  for (const [index, payload] of data.entries()) {
    const { e: kind, url, duid, dtm } = objectOf(payload) as Record<string, unknown>;
    const at = Number(firstText(dtm) || Number.NaN);
    if ((kind !== "pp" && kind !== "pv") || !Number.isFinite(at)) continue;
    const page = JSON.stringify([firstText(duid), firstText(url)]);
    const told = pages.get(page) ?? [];
    pages.set(page, told);
    told.push({ index, kind, at });
  }
  return new Map([...pages.values()].flatMap((told) => pingTimesOfPage(told, heartbeat)));
}

/**
 * An unused page sends no ping, so a longer gap means a reader who was away. The shortest gap between pings is the
 * interval.
 */
function pingTimesOfPage(
  told: readonly Told[],
  heartbeat: number | undefined,
): readonly (readonly [index: number, ms: number])[] {
  const seen = told.toSorted((a, b) => a.at - b.at);
  const gaps = seen.map(({ at }, place) => at - (seen[place - 1]?.at ?? at));
  const intervals = gaps.filter(
    (gap, place) => gap >= PING_MS_MIN && seen[place]?.kind === "pp" && seen[place - 1]?.kind === "pp",
  );
  const interval = heartbeat ?? (intervals.length === 0 ? undefined : Math.min(...intervals));
  return seen.flatMap(({ index, kind }, place) => {
    const gap = gaps[place] ?? 0;
    if (kind !== "pp") return [];
    return [[index, gap < PING_MS_MIN ? (interval ?? PING_MS) : Math.min(gap, interval ?? FIRST_PING_MS_MAX)] as const];
  });
}

function parsePayload(payload: unknown, hit: Hit, pingMs = PING_MS): Outcome<Draft> {
  if (!isObject(payload)) return rejected("invalid_body", "an event must be an object");
  const texts = readTexts(TEXTS, payload);
  if (!texts.ok) return texts;
  const kind = factsOf(payload, pingMs);
  if (kind === undefined) return rejected("invalid_field", "e must be one of pv, pp, se, ue, tr, ti");
  const name = firstText(kind.name).slice(0, 120).toWellFormed();
  if (name === "") return rejected("missing_field", "the event has no name: se_ac, or the schema of ue_pr, is missing");
  const timestamp = readTimestamp("dtm", instantOf(payload, hit.receivedAt), hit.receivedAt);
  if (!timestamp.ok) return timestamp;
  return accepted({
    ...BLANK_DRAFT,
    ...texts.value,
    ...namedById(firstText(payload["aid"])),
    timestamp: timestamp.value,
    userAgent: texts.value.userAgent || visitorAgent(hit.userAgent),
    language: texts.value.language || firstLanguage(hit.acceptLanguage),
    screen: looseScreen(payload["res"]),
    ...kind,
    name,
  });
}

/** A true time as it is. A time of the device's own clock is corrected by that clock's error. */
function instantOf(payload: Payload, receivedAt: number): number | undefined {
  const at = (name: string) => clientInstant(Number(firstText(payload[name]) || Number.NaN));
  return at("ttm") ?? withoutSkew(at("dtm"), at("stm"), receivedAt);
}

/** The facts of each kind of event. Undefined for an unknown kind. */
function factsOf(payload: Payload, pingMs: number): Partial<Draft> | undefined {
  switch (payload["e"]) {
    case "pv":
      return { name: "pageview" };
    case "pp":
      return { name: "engagement", engagementMs: looseEngagement(pingMs), scroll: scrollOf(payload) };
    case "se":
      return structured(payload);
    case "ue":
      return selfDescribing(payload);
    case "tr":
      return {
        name: "transaction",
        ...looseCommerce({ amount: payload["tr_tt"], currency: payload["tr_cu"], order: payload["tr_id"] }),
      };
    case "ti":
      return item(payload);
    default:
      return undefined;
  }
}

/** The lowest edge that was seen, as a share of the page's height. */
function scrollOf(payload: Payload): number {
  const height = (name: string) => Number(firstText(payload[name]).split("x")[1]);
  const share = (Number(firstText(payload["pp_may"])) + height("vp")) / height("ds");
  return Number.isFinite(share) ? looseScroll(share * 100) : -1;
}

function structured(payload: Payload): Partial<Draft> {
  const { se_ca: category, se_la: label, se_pr: property, se_va: value } = payload as Record<string, unknown>;
  return { name: firstText(payload["se_ac"]), props: looseProps({ category, label, property, value }) };
}

/** An item of a transaction. The order counts by its own event. */
function item(payload: Payload): Partial<Draft> {
  const { ti_sk: id, ti_nm: name, ti_ca: category, ti_pr: price, ti_qu: quantity } = payload as Record<string, unknown>;
  const products = [{ id, name, category, price, quantity }];
  return {
    name: "$item",
    ...looseCommerce({ amount: undefined, currency: payload["ti_cu"], order: payload["ti_id"], products }),
  };
}

/**
 * A self-describing event is named by its schema: "iglu:com.acme/basket_shared/jsonschema/1-0-0" is "basket_shared".
 */
function selfDescribing(payload: Payload): Partial<Draft> {
  const event = described(objectOf(nested(payload, "ue_pr", "ue_px"))["data"]);
  const entities = [objectOf(nested(payload, "co", "cx"))["data"]].flat().map(described);
  const data = objectOf(event.data);
  if (event.name === "screen_view") return { name: "pageview", url: screenUrl("", firstText(data["name"], "screen")) };
  if (event.name === "screen_end") return screenEnd(entities);
  if (event.name !== "snowplow_ecommerce_action")
    return { name: event.name, props: looseProps(data), passive: REPORTS.has(event.name) ? 1 : 0 };
  const type = firstText(data["type"]);
  // A failed transaction has the entity too, with the type "trans_error". Nothing was paid.
  const isPaid = type === "transaction" || type === "refund";
  const transaction = isPaid ? objectOf(entities.find(({ name }) => name === type)?.data) : {};
  return {
    name: type,
    ...looseCommerce({
      amount: transaction["refund_amount"] ?? transaction["revenue"],
      currency: transaction["currency"],
      order: transaction["transaction_id"],
      products: entities.filter(({ name }) => name === "product").map(toProduct),
    }),
  };
}

/** A screen that was left says how long it was in front, and how far it was read. */
function screenEnd(entities: readonly Described[]): Partial<Draft> {
  const summary = objectOf(entities.find(({ name }) => name === "screen_summary")?.data);
  const screen = firstText(objectOf(entities.find(({ name }) => name === "screen")?.data)["name"]);
  const share = Number(summary["max_y_offset"]) / Number(summary["content_height"]);
  return {
    name: "engagement",
    ...(screen !== "" && { url: screenUrl("", screen) }),
    engagementMs: looseEngagement(Number(summary["foreground_sec"]) * 1000),
    scroll: Number.isFinite(share) ? looseScroll(share * 100) : -1,
  };
}

/** JSON as it stands, or in Base64. */
function nested(payload: Payload, asText: string, asBase64: string): unknown {
  const text = firstText(payload[asText]) || (decodeBase64(firstText(payload[asBase64])) ?? "");
  const json = parseJson(text);
  return json.ok ? json.value : undefined;
}

interface Described {
  readonly name: string;
  readonly data: unknown;
}

function described(value: unknown): Described {
  const { schema, data } = objectOf(value) as { readonly schema?: unknown; readonly data?: unknown };
  const [, name = ""] = /^iglu:[^/]+\/([^/]+)\//.exec(firstText(schema)) ?? [];
  return { name, data };
}

function toProduct({ data }: Described): RawProduct {
  const { id, name, category, brand, variant, price, quantity } = objectOf(data) as Record<string, unknown>;
  return { id, name, category, brand, variant, price, quantity };
}

/** Trackers send again after every status but 400, 401, 403, 410 and 422. */
function answer({ outcome }: Settled, good: Answer): Answer {
  const problem = problemOf(outcome);
  return problem === undefined ? good : refusal(problem);
}
