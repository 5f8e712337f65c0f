// PostHog, `POST /batch/` from its servers and `/capture/`, `/e/` and `/i/v0/e/` from its browsers; JSON, packed or as the
// `data` of a form. Names that begin with "$" are PostHog's own. Feature flags are not ours: who asks gets a true answer,
// that there are none.

import { parseQuery } from "../enrichment/address.ts";
import { BLANK_DRAFT, type Draft, type Format, type Hit, type Settled } from "../hit.ts";
import { REQUEST_EVENTS_MAX } from "../limits.ts";
import { accepted, type Outcome, rejected } from "../outcome.ts";
import { type Answer, json, problemOf, retryAfter } from "./answer.ts";
import { decodeBase64 } from "./base64.ts";
import { COMMERCE_KEYS, commerceOf } from "./commerce.ts";
import { firstLanguage, isObject, parseJson, readTexts, readTimestamp, type TextField, visitorAgent } from "./field.ts";
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

type Message = Readonly<Record<string, unknown>>;

const TEXTS = [
  ["uuid", "id"],
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

/** PostHog's own names for what has one here. Others of its own are kept as they are. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ["$pageview", "pageview"],
  ["$screen", "pageview"],
  ["$pageleave", "engagement"],
  ["$identify", "$identify"],
  ["$set", "$identify"],
  ["$groupidentify", "$group"],
  ["$create_alias", "$alias"],
  ["$merge_dangerously", "$alias"],
  ["$feature_flag_called", "$performance"],
  ["$web_vitals", "$performance"],
]);

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
  const token = firstText(whole["api_key"], whole["token"]);
  const sent = clientInstant(whole["sent_at"]);
  return accepted(messages.map((message) => parseMessage(message, { token, sent, hit })));
}

/** The JSON itself, or what a form carries it in. */
function bodyOf({ body }: Hit): string {
  if (!body.startsWith("data=")) return body;
  const data = parseQuery(body).get("data") ?? "";
  return data.startsWith("{") || data.startsWith("[") ? data : (decodeBase64(data.replaceAll(" ", "+")) ?? "");
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
  if (firstText(message["distinct_id"], properties["distinct_id"]) === "")
    return rejected("missing_field", "distinct_id is missing");
  const happened = clientInstant(message["timestamp"]);
  const timestamp = readTimestamp("timestamp", withoutSkew(happened, sent, hit.receivedAt), hit.receivedAt);
  if (!timestamp.ok) return timestamp;
  const name = NAMES.get(event) ?? event;
  return accepted({
    ...BLANK_DRAFT,
    ...texts.value,
    ...namedById(firstText(message["api_key"], message["token"], properties["token"], token)),
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
    ...(name === event && commerceOf(event, properties)),
  });
}

/** What a page says when it is left: seconds, and a share of the page. */
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

/** `/flags/` and `/decide/`: no flags, no recording, no surveys, no toolbar. */
export function noFlags(): Answer {
  return json(200, {
    flags: {},
    featureFlags: {},
    featureFlagPayloads: {},
    errorsWhileComputingFlags: false,
    supportedCompression: ["gzip", "gzip-js"],
    sessionRecording: false,
    surveys: false,
    toolbarParams: {},
    isAuthenticated: false,
    siteApps: [],
  });
}
