// GoatCounter: `/count`, which its script requests as an image, and `POST /api/v0/count` with up to 500 hits from a
// server, which needs an API key. The script names no site. The site is the first segment of the path (`/<tracking
// ID>/count`), or the one that owns the page's hostname.

import { parseAddress, parseParameters } from "../enrichment/address.ts";
import { NO_AGENT } from "../enrichment/bot.ts";
import { BLANK_DRAFT, type Draft, type Format, type Hit, type Settled } from "../hit.ts";
import { accepted, type Outcome, rejected } from "../outcome.ts";
import { firstLanguage, isObject, parseJson, readTexts, readTimestamp, type TextField } from "./field.ts";
import { type Answer, explained, image, json, problemOf, refusal, retryAfter } from "./hit-reply.ts";
import { absoluteUrl, browserAgent, cutUrl, firstText, forwardedAddress, namedBySite } from "./loose.ts";

/** GoatCounter's own bound. */
const HITS_MAX = 500;

const PIXEL_TEXTS = [
  ["p", "url"],
  ["r", "referrer"],
  ["t", "title"],
] as const satisfies readonly TextField[];

const TEXTS = [
  ["path", "url"],
  ["ref", "referrer"],
  ["title", "title"],
  ["user_agent", "userAgent"],
  ["session", "visitorId"],
  ["ip", "claimedAddress"],
] as const satisfies readonly TextField[];

export const goatcounter: Format = {
  name: "goatcounter",
  parse: parsePixel,
  answer: ({ outcome }) => {
    const problem = problemOf(outcome);
    return problem === undefined ? image() : refusal(problem);
  },
};

export const goatcounterApi: Format = { name: "goatcounter", parse: parseHits, answer: answerHits };

function parsePixel(hit: Hit): Outcome<readonly Outcome<Draft>[]> {
  const parameters = new Map([...parseParameters(hit.body), ...parseParameters(hit.query)]);
  const texts = readTexts(PIXEL_TEXTS, Object.fromEntries(parameters));
  if (!texts.ok) return texts;
  if (texts.value.url === "") return rejected("missing_field", "p is missing");
  const hostname = parseAddress(hit.referrer || hit.origin)?.hostname ?? "";
  const named = /^\/([^/]+)\/count$/.exec(hit.path)?.[1] ?? hostname;
  const site = namedBySite(named);
  const isBot = !["", "0"].includes(parameters.get("b") ?? "");
  return accepted([
    accepted({
      ...BLANK_DRAFT,
      ...site,
      ...toFacts(texts.value.url, { isEvent: isTrue(parameters.get("e")), query: parameters.get("q") ?? "", hostname }),
      referrer: texts.value.referrer,
      title: texts.value.title,
      // The script has seen signs of a machine that the agent does not show.
      userAgent: isBot ? NO_AGENT : browserAgent(hit, site),
      claimedAddress: forwardedAddress(hit.forwardedFor),
      language: firstLanguage(hit.acceptLanguage),
      screen: toScreen((parameters.get("s") ?? "").split(",")),
    }),
  ]);
}

function parseHits(hit: Hit): Outcome<readonly Outcome<Draft>[]> {
  if (!hit.keyed) return rejected("unauthorized", "send Authorization: Bearer <API key>");
  const body = parseJson(hit.body);
  if (!body.ok) return body;
  const { hits, no_sessions } = (isObject(body.value) ? body.value : {}) as Readonly<Record<string, unknown>>;
  if (!Array.isArray(hits) || hits.length === 0) return rejected("invalid_body", 'no hits: send {"hits": […]}');
  if (hits.length > HITS_MAX)
    return rejected("too_many_events", `maximum amount of pageviews in one batch is ${HITS_MAX}`);
  return accepted(hits.map((value) => parseHit(value, { isWithoutVisitors: no_sessions === true, hit })));
}

/**
 * With `no_sessions` a hit belongs to nobody in particular. All such hits are of one visitor, whose visits mean
 * nothing.
 */
function parseHit(
  value: unknown,
  { isWithoutVisitors, hit }: { isWithoutVisitors: boolean; hit: Hit },
): Outcome<Draft> {
  if (!isObject(value)) return rejected("invalid_body", "a hit must be an object");
  const texts = readTexts(TEXTS, value);
  if (!texts.ok) return texts;
  const { url, visitorId, userAgent, claimedAddress } = texts.value;
  if (url === "") return rejected("missing_field", "path is missing");
  const isKnown = visitorId !== "" || (userAgent !== "" && claimedAddress !== "");
  if (!isKnown && !isWithoutVisitors)
    return rejected(
      "missing_field",
      "session or browser/IP not set; use no_sessions if you don't want to track unique visits",
    );
  const timestamp = readTimestamp("created_at", value["created_at"], hit.receivedAt);
  if (!timestamp.ok) return timestamp;
  const size = Array.isArray(value["size"]) ? value["size"] : [];
  const isBot = Number(firstText(value["bot"]) || 0) > 0;
  return accepted({
    ...BLANK_DRAFT,
    ...texts.value,
    ...toFacts(url, { isEvent: isTrue(value["event"]), query: firstText(value["query"]), hostname: "" }),
    timestamp: timestamp.value,
    userAgent: isBot ? NO_AGENT : userAgent,
    screen: toScreen(size),
    visitorId: visitorId || (isKnown ? "" : "no session"),
  });
}

interface Page {
  readonly isEvent: boolean;
  /** With or without its question mark. */
  readonly query: string;
  readonly hostname: string;
}

/** A path is a page. The path of an event is its name. */
function toFacts(path: string, { isEvent, query, hostname }: Page): Pick<Draft, "name" | "url"> {
  const search = query === "" ? "" : `?${query.replace(/^\?/, "")}`;
  if (isEvent)
    return { name: path.slice(0, 120).toWellFormed(), url: hostname === "" ? "" : absoluteUrl("/", hostname) };
  const page = absoluteUrl(/^[/?#]|:\/\//.test(path) ? path : `/${path}`, hostname);
  return { name: "pageview", url: cutUrl(page.includes("?") ? page : `${page}${search}`) };
}

function isTrue(value: unknown): boolean {
  return value === true || value === "true" || value === "1" || value === 1;
}

/** Width and height of "1920,1080,1". */
function toScreen(size: readonly unknown[]): string {
  const [width = 0, height = 0] = size.slice(0, 2).map((part) => Math.round(Number(firstText(part))));
  return width > 0 && height > 0 && width < 100_000 && height < 100_000 ? `${width}x${height}` : "";
}

/** Errors by the index of their hit. Hits that are not named were counted, and must not be sent again. */
function answerHits({ outcome }: Settled): Answer {
  const problem = problemOf(outcome);
  if (!outcome.ok || problem?.status === 503) {
    const { status, message } = problem ?? { status: 400, message: "" };
    return json(status, { error: message }, retryAfter(status));
  }
  const { rejected: refused } = outcome.value;
  if (refused.length === 0) return json(202, {});
  const errors = explained(refused).map(({ index, code, message = code }) => [String(index), message]);
  return json(400, { errors: Object.fromEntries(errors) });
}
