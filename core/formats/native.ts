// Footfall's own format, `POST /v1/events`: one event, an array of events, or {"tracking_id", "events": […]}; JSON, also
// as text/plain so that beacons need no preflight. Fields are snake_case (docs/spec.md, NAT). One bad event does not
// sink its neighbours.

import { parseAddress } from "../enrichment/address.ts";
import { BLANK_DRAFT, type Draft, type Format, type Hit } from "../hit.ts";
import {
  ID_LENGTH_MAX,
  LANGUAGE_LENGTH_MAX,
  NAME_LENGTH_MAX,
  REQUEST_EVENTS_MAX,
  SCREEN_LENGTH_MAX,
  TITLE_LENGTH_MAX,
  URL_LENGTH_MAX,
  USER_AGENT_LENGTH_MAX,
} from "../limits.ts";
import { accepted, type Outcome, rejected } from "../outcome.ts";
import {
  ENGAGEMENT_RULE,
  firstLanguage,
  isObject,
  readNumber,
  readProps,
  readRevenue,
  readText,
  readTimestamp,
  SCROLL_RULE,
  type TextRule,
} from "./field.ts";

/** The text fields: name on the wire, name in a draft, rule. */
const TEXTS = [
  ["tracking_id", "trackingId", { lengthMax: 64, cut: false }],
  ["id", "id", { lengthMax: ID_LENGTH_MAX, cut: false }],
  ["visitor_id", "visitorId", { lengthMax: ID_LENGTH_MAX, cut: false }],
  ["name", "name", { lengthMax: NAME_LENGTH_MAX, cut: false }],
  ["url", "url", { lengthMax: URL_LENGTH_MAX, cut: true }],
  ["referrer", "referrer", { lengthMax: URL_LENGTH_MAX, cut: true }],
  ["title", "title", { lengthMax: TITLE_LENGTH_MAX, cut: true }],
  ["user_agent", "userAgent", { lengthMax: USER_AGENT_LENGTH_MAX, cut: true }],
  ["language", "language", { lengthMax: LANGUAGE_LENGTH_MAX, cut: true }],
  ["screen", "screen", { lengthMax: SCREEN_LENGTH_MAX, cut: false }],
] as const satisfies readonly (readonly [string, keyof Draft, TextRule])[];

type Texts = Record<(typeof TEXTS)[number][1], string>;

export const native: Format = { name: "native", parse };

function parse(hit: Hit): Outcome<readonly Outcome<Draft>[]> {
  let body: unknown;
  try {
    body = JSON.parse(hit.body);
  } catch (error) {
    return rejected("invalid_json", `the body is not JSON: ${(error as Error).message.slice(0, 120)}`);
  }
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
  const common = isObject(body) && "events" in body ? body["tracking_id"] : undefined;
  return accepted(events.map((event) => parseEvent(event, common, hit)));
}

function eventsOf(body: unknown): readonly unknown[] | undefined {
  if (Array.isArray(body)) return body;
  if (!isObject(body)) return undefined;
  if (!("events" in body)) return [body];
  return Array.isArray(body["events"]) ? body["events"] : undefined;
}

function parseEvent(value: unknown, commonTrackingId: unknown, hit: Hit): Outcome<Draft> {
  if (!isObject(value)) return rejected("invalid_body", "an event must be an object");
  const texts = readTexts({ tracking_id: commonTrackingId, ...value });
  if (!texts.ok) return texts;
  const problem = checkTexts(texts.value);
  if (problem !== undefined) return problem;
  const timestamp = readTimestamp("timestamp", value["timestamp"], hit.receivedAt);
  if (!timestamp.ok) return timestamp;
  const props = readProps("props", value["props"]);
  if (!props.ok) return props;
  const revenue = readRevenue("revenue", value["revenue"]);
  if (!revenue.ok) return revenue;
  const engagementMs = readNumber("engagement_ms", value["engagement_ms"], ENGAGEMENT_RULE);
  if (!engagementMs.ok) return engagementMs;
  const scroll = readNumber("scroll", value["scroll"], SCROLL_RULE);
  if (!scroll.ok) return scroll;
  return accepted({
    ...BLANK_DRAFT,
    ...texts.value,
    name: texts.value.name || "pageview",
    userAgent: texts.value.userAgent || visitorAgent(hit.userAgent),
    language: texts.value.language || firstLanguage(hit.acceptLanguage),
    timestamp: timestamp.value,
    props: props.value,
    ...revenue.value,
    engagementMs: engagementMs.value,
    scroll: scroll.value,
  });
}

function readTexts(value: Readonly<Record<string, unknown>>): Outcome<Texts> {
  const texts: Partial<Texts> = {};
  for (const [wire, name, rule] of TEXTS) {
    const text = readText(wire, value[wire], rule);
    if (!text.ok) return text;
    texts[name] = text.value;
  }
  return accepted(texts as Texts);
}

/** What must be there, and what has a shape. */
function checkTexts(texts: Texts): ReturnType<typeof rejected> | undefined {
  if (texts.trackingId === "") return rejected("missing_field", "tracking_id is missing");
  if (texts.url !== "" && parseAddress(texts.url) === undefined) {
    return rejected("invalid_field", "url must be absolute, such as https://shop.example/cart");
  }
  if (texts.screen !== "" && !/^\d{1,5}x\d{1,5}$/.test(texts.screen)) {
    return rejected("invalid_field", 'screen must be width x height, such as "1920x1080"');
  }
  return undefined;
}

/**
 * The header's agent when it is a browser's. A merchant's server sends with its own (curl, node, python-requests): that
 * is the sender's agent and says nothing about the visitor, so it stays unknown unless `user_agent` is given.
 */
function visitorAgent(header: string): string {
  return /^(Mozilla|Opera)\//.test(header) ? header : "";
}
