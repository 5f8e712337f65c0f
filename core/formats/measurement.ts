// GA4's Measurement Protocol, `POST /mp/collect`: events as JSON from a merchant's servers and apps, with their own
// times. It never says what is wrong. `/debug/mp/collect` takes the same and says only that (validation.ts). The
// `api_secret` may be an API key. Then the address that it sends is believed.

import { isApiKeyShaped } from "../api-key.ts";
import { parseQuery } from "../enrichment/address.ts";
import { BLANK_DRAFT, type Draft, type Format, type Hit } from "../hit.ts";
import { REQUEST_EVENTS_MAX } from "../limits.ts";
import { accepted, type Outcome, rejected } from "../outcome.ts";
import { isObject, parseJson, readTexts, readTimestamp, type TextField, visitorAgent } from "./field.ts";
import { ga4Commerce, ga4Name, ga4Passive, ga4Scroll, isPaid, quietAnswer } from "./ga4.ts";
import { firstText, looseEngagement, looseProps, looseScreen, namedById, objectOf } from "./loose.ts";
import type { RawProduct } from "./product.ts";

type Values = Readonly<Record<string, unknown>>;

const TEXTS = [
  ["client_id", "visitorId"],
  ["app_instance_id", "visitorId"],
  ["user_id", "visitorId"],
  ["name", "name"],
  ["page_location", "url"],
  ["page_referrer", "referrer"],
  ["page_title", "title"],
  ["language", "language"],
  ["user_agent", "userAgent"],
  ["ip_override", "claimedAddress"],
] as const satisfies readonly TextField[];

/** Parameters that become facts, or that describe the session. */
const NOT_PROPS: ReadonlySet<string> = new Set([
  "page_location",
  "page_referrer",
  "page_title",
  "language",
  "screen_resolution",
  "engagement_time_msec",
  "session_id",
  "transaction_id",
  "currency",
  "percent_scrolled",
  "debug_mode",
  "non_interaction",
]);

export const measurement: Format = { name: "ga4", parse, answer: quietAnswer };

function parse(hit: Hit): Outcome<readonly Outcome<Draft>[]> {
  const body = parseJson(hit.body);
  if (!body.ok) return body;
  const value = body.value;
  if (!isObject(value) || !Array.isArray(value["events"]))
    return rejected("invalid_body", 'send {"client_id": …, "events": […]}');
  const { events } = value;
  if (events.length > REQUEST_EVENTS_MAX)
    return rejected("too_many_events", `${events.length} events; at most ${REQUEST_EVENTS_MAX} are allowed`);
  const query = parseQuery(hit.query);
  const named = namedById(query.get("measurement_id") ?? query.get("firebase_app_id") ?? "");
  const secret = query.get("api_secret") ?? "";
  const sender = isApiKeyShaped(secret) ? { ...named, apiKey: secret } : named;
  return accepted(events.map((event) => parseEvent(event, { whole: value, sender, hit })));
}

interface Whole {
  readonly whole: Values;
  readonly sender: Pick<Draft, "trackingId" | "site" | "apiKey">;
  readonly hit: Hit;
}

function parseEvent(event: unknown, { whole, sender, hit }: Whole): Outcome<Draft> {
  if (!isObject(event)) return rejected("invalid_body", "an event must be an object");
  const params = objectOf(event["params"]);
  const device = objectOf(whole["device"]);
  const { client_id, app_instance_id, user_id, user_agent, ip_override } = whole as Record<string, unknown>;
  const language = params["language"] ?? device["language"];
  const outer = { client_id, app_instance_id, user_id, user_agent, ip_override };
  const texts = readTexts(TEXTS, { ...params, ...outer, language, name: event["name"] });
  if (!texts.ok) return texts;
  const { name } = texts.value;
  if (name === "") return rejected("missing_field", "name is missing");
  const at = toMs(event["timestamp_micros"] ?? whole["timestamp_micros"]);
  const timestamp = readTimestamp("timestamp_micros", at, hit.receivedAt);
  if (!timestamp.ok) return timestamp;
  const { value, currency, transaction_id, ...others } = params as Record<string, unknown>;
  return accepted({
    ...BLANK_DRAFT,
    ...texts.value,
    ...sender,
    ...ga4Commerce(name, { value, currency, transaction_id }, itemsOf(params["items"])),
    name: ga4Name(name),
    timestamp: timestamp.value,
    userAgent: texts.value.userAgent || visitorAgent(hit.userAgent),
    screen: looseScreen(firstText(params["screen_resolution"], device["screen_resolution"])),
    props: looseProps(isPaid(name, transaction_id) ? others : params, NOT_PROPS),
    engagementMs: looseEngagement(params["engagement_time_msec"]),
    scroll: ga4Scroll(name, params["percent_scrolled"]),
    passive: ga4Passive(name, params["non_interaction"]),
  });
}

function itemsOf(items: unknown): readonly RawProduct[] {
  if (!Array.isArray(items)) return [];
  return items.filter(isObject).map((item) => ({
    id: item["item_id"],
    name: item["item_name"],
    category: item["item_category"],
    brand: item["item_brand"],
    variant: item["item_variant"],
    price: item["price"],
    quantity: item["quantity"],
  }));
}

/** From microseconds, as a number or its digits. */
function toMs(micros: unknown): number | undefined {
  const text = firstText(micros);
  return text === "" ? undefined : Math.floor(Number(text) / 1000);
}
