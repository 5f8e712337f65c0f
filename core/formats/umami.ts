// Umami: `POST /api/send` with one message and `POST /api/batch` with a list. A message is an event with a name, a page
// view without one, an identification of a visitor, or the load time of a page. Only servers with an API key are
// believed about addresses and agents.

import { parseAddress } from "../enrichment/address.ts";
import { BLANK_DRAFT, type Draft, type Format, type Hit, type Settled } from "../hit.ts";
import { REQUEST_EVENTS_MAX } from "../limits.ts";
import { accepted, type Outcome, rejected } from "../outcome.ts";
import type { Report } from "../report.ts";
import { firstLanguage, isObject, parseJson, readTexts, readTimestamp, type TextField } from "./field.ts";
import { type Answer, explained, json, type Problem, problemOf, retryAfter } from "./hit-reply.ts";
import {
  absoluteUrl,
  browserAgent,
  firstText,
  looseCommerce,
  looseProps,
  looseScreen,
  type Named,
  namedById,
  objectOf,
} from "./loose.ts";

const TEXTS = [
  ["id", "visitorId"],
  ["name", "name"],
  ["url", "url"],
  ["referrer", "referrer"],
  ["title", "title"],
  ["language", "language"],
  ["ip", "claimedAddress"],
  ["userAgent", "claimedUserAgent"],
] as const satisfies readonly TextField[];

/** What a message says about the loading of its page. */
const LOADING = ["lcp", "inp", "fcp", "ttfb", "cls"] as const;

export const umami: Format = {
  name: "umami",
  parse: (hit) => {
    const body = parseJson(hit.body);
    return body.ok ? accepted([parseMessage(body.value, hit)]) : body;
  },
  answer: ({ outcome, requestId }) => {
    const problem = problemOf(outcome);
    if (problem !== undefined) return json(problem.status, toError(problem), retryAfter(problem.status));
    return json(200, outcome.ok ? messageReply(outcome.value, requestId) : {});
  },
};

export const umamiBatch: Format = {
  name: "umami",
  parse: (hit) => {
    const body = parseJson(hit.body);
    if (!body.ok) return body;
    if (!Array.isArray(body.value)) return rejected("invalid_body", "send a list of messages");
    if (body.value.length > REQUEST_EVENTS_MAX)
      return rejected("too_many_events", `${body.value.length} messages; at most ${REQUEST_EVENTS_MAX} are allowed`);
    return accepted(body.value.map((message) => parseMessage(message, hit)));
  },
  answer: answerBatch,
};

function parseMessage(value: unknown, hit: Hit): Outcome<Draft> {
  if (!isObject(value) || !isObject(value["payload"])) {
    return rejected("invalid_body", 'a message must be {"type": "event", "payload": {"website": …}}');
  }
  const { type } = value;
  if (type !== "event" && type !== "identify" && type !== "performance") {
    return rejected("invalid_field", "type must be event, identify or performance");
  }
  const { payload } = value;
  const ids = ["website", "link", "pixel"].filter((name) => typeof payload[name] === "string");
  if (ids.length !== 1) return rejected("missing_field", "payload must have exactly one of website, link or pixel");
  const texts = readTexts(TEXTS, payload);
  if (!texts.ok) return texts;
  const timestamp = readTimestamp("timestamp", toMs(payload["timestamp"]), hit.receivedAt);
  if (!timestamp.ok) return timestamp;
  const named = namedById(firstText(payload[ids[0] as string]));
  const data = objectOf(payload["data"]);
  const isEvent = type === "event";
  const { revenue: amount, currency, order_id: order } = isEvent ? (data as Record<string, unknown>) : {};
  const hostname = parseAddress(`https://${firstText(payload["hostname"]).slice(0, 253)}`)?.hostname ?? "";
  return accepted({
    ...BLANK_DRAFT,
    ...texts.value,
    ...named,
    ...looseCommerce({ amount, currency, order }),
    name: isEvent ? texts.value.name || "pageview" : `$${type}`,
    timestamp: timestamp.value,
    url: absoluteUrl(texts.value.url, hostname),
    referrer: absoluteUrl(texts.value.referrer, hostname),
    userAgent: agentOf(hit, named),
    language: texts.value.language || firstLanguage(hit.acceptLanguage),
    screen: looseScreen(payload["screen"]),
    props: propsOf(type, payload, data),
  });
}

/** The name of a visitor stays with the merchant: nothing that identify says of a person is kept. */
function propsOf(
  type: "event" | "identify" | "performance",
  payload: Readonly<Record<string, unknown>>,
  data: Readonly<Record<string, unknown>>,
): string {
  if (type === "identify") return "";
  if (type === "event") return looseProps({ ...data, ...(payload["tag"] ? { tag: payload["tag"] } : {}) });
  return looseProps(Object.fromEntries(LOADING.map((name) => [name, payload[name]])));
}

/** Umami's server package sends as "Mozilla/5.0 Umami/v24.0.0". That is the merchant's server and not the visitor. */
function agentOf(hit: Hit, named: Named): string {
  return /^Mozilla\/5\.0 Umami\//.test(hit.userAgent) ? "" : browserAgent(hit, named);
}

/** Umami's timestamps are seconds. */
function toMs(value: unknown): unknown {
  const seconds = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof seconds === "number" ? seconds * 1000 : undefined;
}

/**
 * Footfall keeps no session on the client. The ids belong to this request and mean nothing. A bot gets Umami's own
 * reply.
 */
function messageReply(report: Report, requestId: string): object {
  if (report.dropped.some(({ reason }) => reason === "bot")) return { beep: "boop" };
  return { cache: requestId, sessionId: requestId, visitId: requestId };
}

function answerBatch({ outcome, requestId }: Settled): Answer {
  const problem = problemOf(outcome);
  if (!outcome.ok || problem?.status === 503) {
    const shown = problem ?? { status: 400, code: "invalid_body", message: "" };
    return json(shown.status, toError(shown), retryAfter(shown.status));
  }
  const { accepted, duplicates, dropped, rejected } = outcome.value;
  const size = accepted + duplicates + dropped.length + rejected.length;
  const details = explained(rejected).map(({ index, code, message }) => ({
    index,
    response: toError({ status: 400, code, ...(message !== undefined && { message }) }),
  }));
  return json(200, { size, processed: size - details.length, errors: details.length, details, cache: requestId });
}

function toError({ status, code, message }: Omit<Problem, "message"> & Partial<Pick<Problem, "message">>): object {
  return { error: { ...(message !== undefined && { message }), code: code.replaceAll("_", "-"), status } };
}
