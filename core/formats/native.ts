// Footfall's own format, `POST /v1/events`: one event, an array of events, or {"tracking_id", "stream", "events": […]}; JSON, also
// as text/plain so that beacons need no preflight. Fields are snake_case (docs/spec.md, NAT). One bad event does not
// sink its neighbours. A server with an API key may also say who its visitor is (SRV).

import { isAddress } from "../enrichment/address.ts";
import { BLANK_DRAFT, type Draft, type Format, type Hit } from "../hit.ts";
import { REQUEST_EVENTS_MAX } from "../limits.ts";
import { accepted, type Outcome, rejected } from "../outcome.ts";
import { STREAM_NUMBER_MAX } from "../tracking-id.ts";
import {
  ENGAGEMENT_RULE,
  firstLanguage,
  isObject,
  type NumberRule,
  parseJson,
  readFlag,
  readNumber,
  readProps,
  readRevenue,
  readSwitch,
  readTexts,
  readTimestamp,
  SCROLL_RULE,
  type TextField,
  visitorAgent,
} from "./field.ts";
import { reportAnswer } from "./hit-reply.ts";
import { isNetworkAddress } from "./network-address.ts";
import { readProducts } from "./product.ts";

export const NATIVE_TEXTS = [
  ["tracking_id", "trackingId"],
  ["id", "id"],
  ["visitor_id", "visitorId"],
  ["name", "name"],
  ["url", "url"],
  ["referrer", "referrer"],
  ["title", "title"],
  ["user_agent", "userAgent"],
  ["language", "language"],
  ["screen", "screen"],
  ["order_id", "order"],
  ["address", "claimedAddress"],
] as const satisfies readonly TextField[];

type Texts = Record<(typeof NATIVE_TEXTS)[number][1], string>;

export const STREAM_RULE: NumberRule = { min: 1, max: STREAM_NUMBER_MAX, absent: 0 };

export const native: Format = {
  name: "native",
  parse: (hit) => parseEvents(hit.body, hit),
  answer: ({ outcome }) => reportAnswer(outcome),
};

/** The events of a text, which came with a hit. */
export function parseEvents(text: string, hit: Hit): Outcome<readonly Outcome<Draft>[]> {
  const json = parseJson(text);
  if (!json.ok) return json;
  const body = json.value;
  const events = eventsOf(body);
  if (events === undefined)
    return rejected("invalid_body", 'send one event object, a list of them, or {"events": […]}');
  if (events.length === 0) return rejected("invalid_body", "the list of events is empty");
  if (events.length > REQUEST_EVENTS_MAX) {
    return rejected(
      "too_many_events",
      `${events.length} events in one request; at most ${REQUEST_EVENTS_MAX} are allowed`,
    );
  }
  const common = commonOf(body);
  return accepted(events.map((event) => parseEvent(event, common, hit)));
}

/** What stands once beside `events`, for all that do not say it themselves. */
interface Common {
  readonly tracking_id?: unknown;
  readonly stream?: unknown;
}

function commonOf(body: unknown): Common {
  if (!isObject(body) || !("events" in body)) return {};
  const { tracking_id, stream } = body as Common;
  return { tracking_id, stream };
}

function eventsOf(body: unknown): readonly unknown[] | undefined {
  if (Array.isArray(body)) return body;
  if (!isObject(body)) return undefined;
  if (!("events" in body)) return [body];
  return Array.isArray(body["events"]) ? body["events"] : undefined;
}

function parseEvent(value: unknown, common: Common, hit: Hit): Outcome<Draft> {
  if (!isObject(value)) return rejected("invalid_body", "an event must be an object");
  const isNamed = common.tracking_id === undefined || Object.hasOwn(value, "tracking_id");
  const texts = readTexts(NATIVE_TEXTS, isNamed ? value : { tracking_id: common.tracking_id, ...value });
  if (!texts.ok) return texts;
  const problem = checkTexts(texts.value, hit);
  if (problem !== undefined) return problem;
  const timestamp = readTimestamp("timestamp", value["timestamp"], hit.receivedAt);
  if (!timestamp.ok) return timestamp;
  const props = readProps("props", value["props"]);
  if (!props.ok) return props;
  const revenue = readRevenue("revenue", value["revenue"]);
  if (!revenue.ok) return revenue;
  const products = readProducts("products", value["products"]);
  if (!products.ok) return products;
  const stream = readNumber("stream", value["stream"] ?? common.stream, STREAM_RULE);
  if (!stream.ok) return stream;
  if (stream.value > 0 && !hit.keyed) return keyNeeded("stream");
  const engagementMs = readNumber("engagement_ms", value["engagement_ms"], ENGAGEMENT_RULE);
  if (!engagementMs.ok) return engagementMs;
  const scroll = readNumber("scroll", value["scroll"], SCROLL_RULE);
  if (!scroll.ok) return scroll;
  const hash = readSwitch("hash", value["hash"]);
  if (!hash.ok) return hash;
  const interactive = readFlag("interactive", value["interactive"]);
  if (!interactive.ok) return interactive;
  return accepted({
    ...BLANK_DRAFT,
    ...texts.value,
    name: texts.value.name || "pageview",
    stream: stream.value,
    userAgent: texts.value.userAgent || visitorAgent(hit.userAgent),
    language: texts.value.language || firstLanguage(hit.acceptLanguage),
    timestamp: timestamp.value,
    props: props.value,
    ...revenue.value,
    engagementMs: engagementMs.value,
    scroll: scroll.value,
    products: products.value,
    fragment: hash.value,
    passive: interactive.value ? 0 : 1,
  });
}

/** What must be there, and what has a shape. */
function checkTexts(texts: Texts, hit: Hit): ReturnType<typeof rejected> | undefined {
  if (texts.claimedAddress !== "" && !hit.keyed) return keyNeeded("address");
  if (texts.claimedAddress !== "" && !isNetworkAddress(texts.claimedAddress)) {
    return rejected("invalid_field", "address must be an IPv4 or IPv6 address such as 203.0.113.7");
  }
  if (texts.trackingId === "" && !hit.keyed) return rejected("missing_field", "tracking_id is missing");
  if (texts.url !== "" && !isAddress(texts.url)) {
    return rejected("invalid_field", "url must be absolute, such as https://shop.example/cart");
  }
  if (texts.screen !== "" && !/^\d{1,5}x\d{1,5}$/.test(texts.screen)) {
    return rejected("invalid_field", 'screen must be width x height, such as "1920x1080"');
  }
  return undefined;
}

/** What a stranger may not say: anybody could pose as anybody's visitor, or get around a rule on addresses. */
function keyNeeded(field: string): ReturnType<typeof rejected> {
  return rejected("invalid_field", `${field} needs an API key: send Authorization: Bearer <API key>, or leave it out`);
}
