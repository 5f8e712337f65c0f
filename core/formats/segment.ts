// Segment: `POST /v1/batch`, and a path for each kind of message, long or short (`/v1/track`, `/v1/t`). The write key
// is the user of Basic authorization, or stands in the body. It is a tracking ID or, from a server, an API key.
// `messageId` is the duplicate key. Traits and ids of persons are not kept: an identify, group or alias is archived by
// its name alone. RudderStack's clients speak the same protocol. They first ask for a configuration, and have a path of
// their own for what they send when a page is left.

import { parseParameters } from "../enrichment/address.ts";
import { BLANK_DRAFT, type Draft, type Format, type Hit, type Settled } from "../hit.ts";
import { ID_LENGTH_MAX, REQUEST_EVENTS_MAX } from "../limits.ts";
import { accepted, type Outcome, rejected } from "../outcome.ts";
import { COMMERCE_KEYS, commerceOf } from "./commerce.ts";
import { firstLanguage, isObject, parseJson, readTexts, readTimestamp, type TextField, visitorAgent } from "./field.ts";
import { type Answer, json, problemOf, retryAfter } from "./hit-reply.ts";
import {
  clientInstant,
  firstText,
  loosePassive,
  looseProps,
  namedById,
  objectOf,
  screenUrl,
  withCampaign,
  withoutSkew,
} from "./loose.ts";

const KINDS = ["track", "page", "screen", "identify", "group", "alias"] as const;
type Kind = (typeof KINDS)[number];
type Message = Readonly<Record<string, unknown>>;

/** The texts of a message after `flatten`. */
const TEXTS = [
  ["messageId", "id"],
  ["anonymousId", "visitorId"],
  ["userId", "visitorId"],
  ["event", "name"],
  ["url", "url"],
  ["referrer", "referrer"],
  ["title", "title"],
  ["context.userAgent", "userAgent"],
  ["context.locale", "language"],
  ["context.ip", "claimedAddress"],
] as const satisfies readonly TextField[];

/** Properties that are not kept, because they repeat facts of the page or became facts. */
const NOT_PROPS: ReadonlySet<string> = new Set([
  "url",
  "path",
  "referrer",
  "title",
  "search",
  "tab_url",
  "referring_domain",
  "initial_referrer",
  "initial_referring_domain",
  "nonInteraction",
  ...COMMERCE_KEYS,
]);

export const segment: Format = { name: "segment", parse, answer };

function parse(hit: Hit): Outcome<readonly Outcome<Draft>[]> {
  const body = parseJson(hit.body);
  if (!body.ok) return body;
  const value = body.value;
  if (!isObject(value)) return rejected("invalid_body", 'send a message object, or {"batch": […]}');
  const key = firstText(value["writeKey"], hit.basicUser, parseParameters(hit.query).get("writeKey"));
  const whole = { writeKey: key, sentAt: value["sentAt"], hit };
  const kind = kindOfPath(hit.path);
  if (kind !== undefined) return accepted([parseMessage({ ...value, type: kind }, whole)]);
  const { batch } = value;
  if (!Array.isArray(batch)) return rejected("invalid_body", 'send {"batch": […]}');
  if (batch.length > REQUEST_EVENTS_MAX)
    return rejected("too_many_events", `${batch.length} messages; at most ${REQUEST_EVENTS_MAX} are allowed`);
  const context = objectOf(value["context"]);
  return accepted(
    batch.map((message) =>
      isObject(message)
        ? parseMessage({ ...message, context: { ...context, ...objectOf(message["context"]) } }, whole)
        : rejected("invalid_body", "a message must be an object"),
    ),
  );
}

/** "/v1/p" and "/v1/page" are both a page. Undefined for a batch. */
function kindOfPath(path: string): Kind | undefined {
  const last = path.slice(path.lastIndexOf("/") + 1);
  return KINDS.find((kind) => kind === last || kind[0] === last);
}

/**
 * Events that an app's library reports by itself, without anybody doing anything. That somebody opened the app is not
 * among them.
 */
export const APP_REPORTS: ReadonlySet<string> = new Set([
  "Application Backgrounded",
  "Application Crashed",
  "Application Installed",
  "Application Updated",
  "Install Attributed",
  "Push Notification Received",
]);

interface Whole {
  readonly writeKey: string;
  readonly sentAt: unknown;
  readonly hit: Hit;
}

function parseMessage(message: Message, { writeKey, sentAt, hit }: Whole): Outcome<Draft> {
  const kind = KINDS.find((known) => known === message["type"]);
  if (kind === undefined) return rejected("invalid_field", `type must be one of ${KINDS.join(", ")}`);
  const context = objectOf(message["context"]);
  const properties = objectOf(message["properties"]);
  const texts = readTexts(TEXTS, flatten(message, context, properties));
  if (!texts.ok) return texts;
  const { name, url } = texts.value;
  if (firstText(message["userId"], message["anonymousId"]) === "")
    return rejected("missing_field", "userId or anonymousId is missing");
  if (kind === "track" && name === "") return rejected("missing_field", "event is missing");
  const happened = clientInstant(message["originalTimestamp"] ?? message["timestamp"]);
  const sent = clientInstant(message["sentAt"] ?? sentAt);
  const timestamp = readTimestamp("timestamp", withoutSkew(happened, sent, hit.receivedAt), hit.receivedAt);
  if (!timestamp.ok) return timestamp;
  const screen = kind === "screen" ? screenUrl(appOf(context), firstText(message["name"], "screen")) : "";
  return accepted({
    ...BLANK_DRAFT,
    ...texts.value,
    ...namedById(firstText(message["writeKey"], writeKey)),
    name: nameOf(kind, name),
    timestamp: timestamp.value,
    url: screen || withCampaign(url, campaignOf(context)),
    // RudderStack writes "$direct" for a visit without a referrer.
    referrer: texts.value.referrer === "$direct" ? "" : texts.value.referrer,
    userAgent: texts.value.userAgent || visitorAgent(hit.userAgent),
    language: texts.value.language || firstLanguage(hit.acceptLanguage),
    ...(isMetadataKind(kind) ? {} : factsOf(kind, name, message, properties)),
  });
}

/** A message's texts on one level, by the names of `TEXTS`. */
function flatten(message: Message, context: Message, properties: Message): Message {
  const page = objectOf(context["page"]);
  return {
    messageId: message["messageId"],
    anonymousId: message["anonymousId"],
    userId: message["userId"],
    event: message["type"] === "track" ? message["event"] : "",
    url: properties["url"] ?? page["url"],
    referrer: properties["referrer"] ?? page["referrer"],
    title: properties["title"] ?? page["title"],
    "context.userAgent": context["userAgent"],
    "context.locale": context["locale"],
    "context.ip": context["ip"],
  };
}

function nameOf(kind: Kind, event: string): string {
  if (kind === "track") return event;
  return isMetadataKind(kind) ? `$${kind}` : "pageview";
}

function isMetadataKind(kind: Kind): boolean {
  return kind === "identify" || kind === "group" || kind === "alias";
}

/** The facts that belong to this kind of event. The name and category of a page become properties. */
function factsOf(kind: Kind, name: string, message: Message, properties: Message): Partial<Draft> {
  const named = kind === "track" ? {} : { name: message["name"], category: message["category"] };
  const props = looseProps({ ...named, ...properties }, NOT_PROPS);
  const passive = APP_REPORTS.has(name) ? 1 : loosePassive(properties["nonInteraction"]);
  return kind === "track" ? { props, passive, ...commerceOf(name, properties) } : { props };
}

function appOf(context: Message): string {
  return firstText(objectOf(context["app"])["namespace"]);
}

/** The campaign parameters, which Segment names in its own way. */
function campaignOf(context: Message): Record<string, string> {
  const campaign = objectOf(context["campaign"]);
  const names = {
    source: "utm_source",
    medium: "utm_medium",
    name: "utm_campaign",
    term: "utm_term",
    content: "utm_content",
  };
  return Object.fromEntries(Object.entries(names).map(([from, to]) => [to, firstText(campaign[from])]));
}

/**
 * The answer. It is 200 even where single messages were refused, as Segment does it. A body that is no JSON, or too
 * large, is a 400.
 */
function answer({ outcome }: Settled): Answer {
  const problem = problemOf(outcome);
  if (problem === undefined) return json(200, { success: true });
  const status = problem.status === 413 ? 400 : problem.status;
  if (status === 400 && outcome.ok && problem.code !== "unknown_tracking_id") return json(200, { success: true });
  const unauthorized = problem.code === "unknown_tracking_id";
  const seconds = retryAfter(status)["Retry-After"];
  const headers = { ...retryAfter(status), ...(status === 429 && seconds && { "X-RateLimit-Reset": seconds }) };
  return json(unauthorized ? 401 : status, { success: false, error: problem.message }, headers);
}

/**
 * `/sourceConfig`: RudderStack's browser client sends nothing before it has a configuration. This one has it send
 * events to us alone, and no reports about itself.
 */
export function sourceConfig({ query, basicUser }: Hit): Answer {
  const writeKey = firstText(parseParameters(query).get("writeKey"), basicUser).slice(0, ID_LENGTH_MAX);
  const config = { statsCollection: { errors: { enabled: false }, metrics: { enabled: false } } };
  return json(200, {
    source: { id: writeKey, name: "", writeKey, workspaceId: "", enabled: true, config, destinations: [] },
  });
}
