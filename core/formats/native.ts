// Footfall's own format, `POST /v1/events`: one event, an array of events, or {"tracking_id", "stream", "events": […]}.
// It is JSON, also as text/plain, so that beacons need no preflight. Field names are in snake_case (docs/spec.md, NAT).
// A wrong event does not harm the others of its request. A server with an API key may also say who its visitor is
// (SRV).

import { isAddress } from "../enrichment/address.ts";
import { GIVEN_FIELDS } from "../enrichment/given.ts";
import { BLANK_DRAFT, type Draft, type Format, type Hit } from "../hit.ts";
import { IMPORT_NUMBER_MAX, NAME_LENGTH_MAX, REQUEST_EVENTS_MAX } from "../limits.ts";
import { accepted, type Outcome, rejected } from "../outcome.ts";
import { STREAM_NUMBER_MAX } from "../tracking-id.ts";
import { readExported } from "./exported.ts";
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
  readText,
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
  ["country", "country"],
  ["region", "region"],
  ["city", "city"],
] as const satisfies readonly TextField[];

type Texts = Record<(typeof NATIVE_TEXTS)[number][1], string>;

/** What only a sender with an API key may say of a visitor, besides the stream and the import. */
const KEYED_TEXTS = ["address", "country", "region", "city"] as const;
/** Words of another product for browser, system and device. */
export const GIVEN_RULE = { lengthMax: NAME_LENGTH_MAX, cut: true } as const;
export const IMPORT_RULE: NumberRule = { min: 1, max: IMPORT_NUMBER_MAX, absent: 0 };
export const STREAM_RULE: NumberRule = { min: 1, max: STREAM_NUMBER_MAX, absent: 0 };

export const native: Format = {
  name: "native",
  parse: (hit) => parseEvents(hit.body, hit),
  answer: ({ outcome }) => reportAnswer(outcome),
};

/** The events in a text that came with a hit. */
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

/** Values that stand once beside `events`, for all events that lack them. */
interface Common {
  readonly tracking_id?: unknown;
  readonly stream?: unknown;
  readonly import?: unknown;
}

function commonOf(body: unknown): Common {
  if (!isObject(body) || !("events" in body)) return {};
  const { tracking_id, stream, import: importNumber } = body as Common;
  return { tracking_id, stream, import: importNumber };
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
  const importNumber = readNumber("import", value["import"] ?? common.import, IMPORT_RULE);
  if (!importNumber.ok) return importNumber;
  if (importNumber.value > 0 && !hit.keyed) return keyNeeded("import");
  const given = readGiven(value, hit);
  if (!given.ok) return given;
  const exported = readExported(value["exported"], hit.receivedAt);
  if (!exported.ok) return exported;
  if (exported.value !== undefined && importNumber.value === 0)
    return rejected("invalid_field", "exported is for imports: send it with an API key and the number of an import");
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
    given: given.value,
    importNumber: importNumber.value,
    exported: exported.value,
  });
}

/** Browser, system and device in a keyed sender's own words, as JSON. "" where it names none. */
function readGiven(value: Readonly<Record<string, unknown>>, hit: Hit): Outcome<string> {
  let given: Record<string, string> | undefined;
  for (const name of GIVEN_FIELDS) {
    const text = readText(name, value[name], GIVEN_RULE);
    if (!text.ok) return text;
    if (text.value === "") continue;
    if (!hit.keyed) return keyNeeded(name);
    given ??= {};
    given[name] = text.value;
  }
  return accepted(given === undefined ? "" : JSON.stringify(given));
}

/** Refuses an event without a required text, or with a text of the wrong form. */
function checkTexts(texts: Texts, hit: Hit): ReturnType<typeof rejected> | undefined {
  const claims = [texts.claimedAddress, texts.country, texts.region, texts.city];
  const claimed = hit.keyed ? -1 : claims.findIndex((text) => text !== "");
  if (claimed >= 0) return keyNeeded(KEYED_TEXTS[claimed] as string);
  if (texts.country !== "" && !/^[A-Z][A-Z0-9]$/.test(texts.country)) {
    return rejected("invalid_field", 'country must be two capital letters of ISO 3166-1, such as "AT"');
  }
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

/**
 * The refusal of a field that needs an API key. Otherwise anybody could pose as anybody's visitor, or get around a rule
 * on addresses and networks.
 */
function keyNeeded(field: string): ReturnType<typeof rejected> {
  return rejected("invalid_field", `${field} needs an API key: send Authorization: Bearer <API key>, or leave it out`);
}
