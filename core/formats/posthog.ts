// PostHog: `POST /batch/` from its servers, and `/capture/`, `/e/` and `/i/v0/e/` from its browsers. Bodies are JSON,
// packed or as the `data` of a form. Names that begin with "$" are PostHog's own: page views, engagement, reports, and
// descriptions or recordings that the client makes by itself (core/event.ts). Footfall has no feature flags, recordings
// and surveys. A client that asks for them is told that there are none.

import { parseQuery } from "../enrichment/address.ts";
import { isMetadata } from "../event.ts";
import { BLANK_DRAFT, type Draft, type Format, type Hit, type Settled } from "../hit.ts";
import { REQUEST_EVENTS_MAX } from "../limits.ts";
import { accepted, type Outcome, rejected } from "../outcome.ts";
import { decodeBase64 } from "./base64.ts";
import { COMMERCE_KEYS, commerceOf } from "./commerce.ts";
import { firstLanguage, isObject, parseJson, readTexts, readTimestamp, type TextField, visitorAgent } from "./field.ts";
import { type Answer, json, problemOf, refusal, retryAfter } from "./hit-reply.ts";
import {
  clientInstant,
  firstText,
  looseEngagement,
  looseProps,
  looseScreen,
  looseScroll,
  namedById,
  objectOf,
  screenUrl,
  withoutSkew,
} from "./loose.ts";
import { APP_REPORTS } from "./segment.ts";

type Message = Readonly<Record<string, unknown>>;

const TEXTS = [
  ["uuid", "id"],
  // The browser's own id stays when its visitor signs in and `distinct_id` becomes the person's.
  ["$device_id", "visitorId"],
  ["distinct_id", "visitorId"],
  ["event", "name"],
  ["$current_url", "url"],
  ["$referrer", "referrer"],
  ["title", "title"],
  ["$title", "title"],
  ["$raw_user_agent", "userAgent"],
  ["$useragent", "userAgent"],
  ["$browser_language", "language"],
  ["$ip", "claimedAddress"],
] as const satisfies readonly TextField[];

/** PostHog's names for events that have another name here. Its other names are kept as they are: see `isReport`. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ["$pageview", "pageview"],
  ["$screen", "pageview"],
  ["$pageleave", "engagement"],
  ["$identify", "$identify"],
  ["$set", "$identify"],
  ["$unset", "$identify"],
  ["$groupidentify", "$group"],
  ["$create_alias", "$alias"],
  ["$merge_dangerously", "$alias"],
  ["$feature_flag_called", "$performance"],
  ["$web_vitals", "$performance"],
  ["$performance_event", "$performance"],
]);

/** PostHog's own events that somebody caused. */
const ACTS: ReadonlySet<string> = new Set([
  "$ai_feedback",
  "$conversations_message_sent",
  "$feature_enrollment_update",
  "$feature_interaction",
]);

/** The `distinct_id` of everybody whom the client does not distinguish. Then address and agent make the visitor. */
const COOKIELESS = "$posthog_cookieless";

const NOT_PROPS: ReadonlySet<string> = new Set(["token", "distinct_id", "title", ...COMMERCE_KEYS]);

export const posthog: Format = { name: "posthog", parse, answer };

function parse(hit: Hit): Outcome<readonly Outcome<Draft>[]> {
  const body = parseJson(bodyOf(hit));
  if (!body.ok) return body;
  const value = body.value;
  const whole = objectOf(value);
  const messages = Array.isArray(value) ? value : Array.isArray(whole["batch"]) ? whole["batch"] : [value];
  if (messages.length > REQUEST_EVENTS_MAX)
    return rejected("too_many_events", `${messages.length} events; at most ${REQUEST_EVENTS_MAX} are allowed`);
  const query = parseQuery(hit.query);
  const token = firstText(whole["api_key"], whole["token"], query.get("api_key"), query.get("token"));
  const sent = clientInstant(whole["sent_at"]) ?? queryInstant(query.get("sent_at")) ?? queryInstant(query.get("_"));
  return accepted(messages.map((message) => parseMessage(message, { token, sent, hit })));
}

/** The JSON itself, also where a form carries it. */
function bodyOf({ body }: Hit): string {
  if (!body.startsWith("data=")) return body;
  const data = parseQuery(body).get("data") ?? "";
  return data.startsWith("{") || data.startsWith("[") ? data : (decodeBase64(data.replaceAll(" ", "+")) ?? "");
}

/** An instant in an address is the digits of ms. */
function queryInstant(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{12,14}$/.test(text) ? Number(text) : clientInstant(text);
}

interface Whole {
  readonly token: string;
  readonly sent: number | undefined;
  readonly hit: Hit;
}

function parseMessage(message: unknown, { token, sent, hit }: Whole): Outcome<Draft> {
  if (!isObject(message)) return rejected("invalid_body", "an event must be an object");
  const properties = objectOf(message["properties"]);
  const texts = readTexts(TEXTS, {
    ...properties,
    uuid: message["uuid"],
    event: message["event"],
    distinct_id: message["distinct_id"] ?? properties["distinct_id"],
  });
  if (!texts.ok) return texts;
  const event = texts.value.name;
  if (event === "") return rejected("missing_field", "event is missing");
  if (firstText(message["distinct_id"], properties["distinct_id"]) === "" && texts.value.visitorId === "")
    return rejected("missing_field", "distinct_id is missing");
  const timestamp = readTimestamp("timestamp", instantOf(message, sent, hit.receivedAt), hit.receivedAt);
  if (!timestamp.ok) return timestamp;
  const name = NAMES.get(event) ?? event;
  return accepted({
    ...BLANK_DRAFT,
    ...texts.value,
    ...namedById(firstText(message["api_key"], message["token"], properties["token"], token)),
    visitorId: texts.value.visitorId === COOKIELESS ? "" : texts.value.visitorId,
    name,
    timestamp: timestamp.value,
    url: event === "$screen" ? screenUrl("", firstText(properties["$screen_name"], "screen")) : texts.value.url,
    referrer: texts.value.referrer === "$direct" ? "" : texts.value.referrer,
    userAgent: texts.value.userAgent || visitorAgent(hit.userAgent),
    language: texts.value.language || firstLanguage(hit.acceptLanguage),
    screen: looseScreen(`${firstText(properties["$screen_width"])}x${firstText(properties["$screen_height"])}`),
    props: looseProps(
      Object.fromEntries(Object.entries(properties).filter(([key]) => !key.startsWith("$"))),
      NOT_PROPS,
    ),
    ...(name === "engagement" && engagementOf(properties)),
    ...(name === event && { ...commerceOf(event, properties), passive: isReport(event) ? 1 : 0 }),
  });
}

/**
 * When it happened. The client's clock may be wrong, but the time from the event to the sending is right by
 * that clock. An `offset` says that length in ms.
 */
function instantOf(message: Message, sent: number | undefined, receivedAt: number): number | undefined {
  const happened = clientInstant(message["timestamp"]);
  if (happened !== undefined) return withoutSkew(happened, clientInstant(message["sent_at"]) ?? sent, receivedAt);
  const offset = Number(firstText(message["offset"]) || Number.NaN);
  return offset >= 0 ? receivedAt - offset : undefined;
}

/**
 * Whether the client or the app sends it by itself, such as `$exception`. Such an event does not show that somebody
 * stayed.
 */
function isReport(event: string): boolean {
  if (event.startsWith("$")) return !ACTS.has(event) && !isMetadata(event);
  return event === "survey shown" || APP_REPORTS.has(event);
}

/** What a page says when it is left: seconds, and how much of it was seen. */
function engagementOf(properties: Message): Pick<Draft, "engagementMs" | "scroll"> {
  const seconds = Number(properties["$prev_pageview_duration"]);
  const share = properties["$prev_pageview_max_scroll_percentage"];
  return {
    engagementMs: looseEngagement(seconds * 1000),
    scroll: typeof share === "number" ? looseScroll(share * 100) : -1,
  };
}

function answer({ outcome }: Settled): Answer {
  const problem = problemOf(outcome);
  if (problem === undefined) return json(200, { status: 1 });
  const isKey = ["unknown_tracking_id", "unauthorized", "forbidden"].includes(problem.code);
  const type = isKey ? "authentication_error" : "validation_error";
  const code = isKey ? "invalid_api_key" : problem.code;
  const status = problem.code === "unknown_tracking_id" ? 401 : problem.status;
  return json(status, { type, code, detail: problem.message, attr: null }, retryAfter(status));
}

/** What Footfall does not have, in PostHog's words: no flags, no recordings, no surveys, no toolbar. */
const NOTHING_MORE = {
  supportedCompression: ["gzip", "gzip-js"],
  sessionRecording: false,
  toolbarParams: {},
  isAuthenticated: false,
  siteApps: [],
} as const;

/** `/flags` and `/decide`. */
export function noFlags(): Answer {
  return json(200, {
    flags: {},
    featureFlags: {},
    featureFlagPayloads: {},
    errorsWhileComputingFlags: false,
    surveys: false,
    ...NOTHING_MORE,
  });
}

/**
 * `/array/<token>/config`. Today's browser client waits for it before it records clicks. Clicks are accepted and not
 * counted. Footfall asks for no reports on the page's speed, its errors and dead clicks, because they would only cost
 * requests.
 */
export function browserConfig({ path }: Hit): Answer {
  const token = tokenOf(path);
  return token === undefined ? NO_TOKEN : json(200, configOf(token), REMEMBERED);
}

/** `/array/<token>/config.js`: the same for the client that comes as a script. */
export function browserConfigScript({ path }: Hit): Answer {
  const token = tokenOf(path);
  if (token === undefined) return NO_TOKEN;
  const known = JSON.stringify({ [token]: { config: configOf(token), siteApps: [] } });
  const body = `Object.assign((window._POSTHOG_REMOTE_CONFIG ??= {}), ${known});`;
  return { status: 200, headers: { ...REMEMBERED, "Content-Type": "text/javascript; charset=utf-8" }, body };
}

const NO_TOKEN = refusal({ status: 400, code: "invalid_field", message: "what stands after /array/ is no token" });

/** The answer is the same for every page with the token, so a browser asks once an hour. */
const REMEMBERED = { "Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff" };

function configOf(token: string): object {
  return {
    token,
    ...NOTHING_MORE,
    productTours: false,
    // It does not mention surveys. If it says that there are none, the client loads the script that would show them.
    hasFeatureFlags: false,
    autocapture_opt_out: false,
    captureDeadClicks: false,
    capturePerformance: false,
    autocaptureExceptions: false,
    heatmaps: false,
    analytics: { endpoint: "/i/v0/e/" },
    elementsChainAsString: true,
    defaultIdentifiedOnly: true,
  };
}

/** The token of the path, if it has only letters, digits and dashes, as all tokens do. */
function tokenOf(path: string): string | undefined {
  return /^\/array\/([\w-]{1,100})\//.exec(path)?.[1];
}
