// Plausible's Events API, `POST /api/event`: one event as JSON, from its scripts, its npm packages and from servers. A
// field has a short or a long name; the short one wins. A list of domains makes one event for each. It has no ids and
// no visitors, so visitors are cookieless.

import { parseAddress } from "../enrichment/address.ts";
import { BLANK_DRAFT, type Draft, type Format, type Hit, type Settled } from "../hit.ts";
import { SITES_NAMED_MAX } from "../limits.ts";
import { accepted, type Outcome, rejected } from "../outcome.ts";
import { firstLanguage, isObject, parseJson, readTexts, type TextField } from "./field.ts";
import { type Answer, json, plain, problemOf, retryAfter } from "./hit-reply.ts";
import {
  browserAgent,
  firstText,
  forwardedAddress,
  looseCommerce,
  looseEngagement,
  looseProps,
  looseScroll,
  namedBySite,
  objectOf,
} from "./loose.ts";

const TEXTS = [
  ["n", "name"],
  ["name", "name"],
  ["u", "url"],
  ["url", "url"],
  ["r", "referrer"],
  ["referrer", "referrer"],
] as const satisfies readonly TextField[];

export const plausible: Format = { name: "plausible", parse, answer };

function parse(hit: Hit): Outcome<readonly Outcome<Draft>[]> {
  const body = parseJson(hit.body);
  if (!body.ok) return body;
  const value = body.value;
  if (!isObject(value)) return rejected("invalid_body", "request: must be a JSON object");
  const draft = parseEvent(value, hit);
  if (!draft.ok) return draft;
  const domains = firstText(value["d"], value["domain"]) || (parseAddress(draft.value.url)?.hostname ?? "");
  const sites = domains.split(",", SITES_NAMED_MAX + 1).map((domain) => domain.trim());
  if (sites.length > SITES_NAMED_MAX)
    return rejected("too_many_events", `domain: has more than ${SITES_NAMED_MAX} sites`);
  return accepted(
    sites.map((site) => {
      const named = namedBySite(site);
      return accepted({ ...draft.value, ...named, userAgent: browserAgent(hit, named) });
    }),
  );
}

function parseEvent(value: Readonly<Record<string, unknown>>, hit: Hit): Outcome<Draft> {
  const texts = readTexts(TEXTS, value);
  if (!texts.ok) return texts;
  const { name, url } = texts.value;
  if (name === "") return rejected("missing_field", "event_name: can't be blank");
  if (url === "") return rejected("missing_field", "url: is required");
  if (/^data:/i.test(url)) return rejected("invalid_field", "url: scheme is not allowed");
  if (parseAddress(url) === undefined) return rejected("invalid_field", "url: must be a valid url");
  const engagementMs = looseEngagement(value["e"]);
  const scroll = looseScroll(value["sd"]);
  if (name === "engagement" && engagementMs === 0 && scroll < 0)
    return rejected("missing_field", "engagement_time: this or scroll_depth is required");
  const props = looseObject(value["p"] ?? value["props"] ?? value["m"] ?? value["meta"]);
  const { amount, currency } = looseObject(value["$"] ?? value["revenue"]) as Record<string, unknown>;
  return accepted({
    ...BLANK_DRAFT,
    ...texts.value,
    ...looseCommerce({ amount, currency, order: props["order_id"] }),
    fragment: isHashMode(value) ? 1 : 0,
    language: firstLanguage(hit.acceptLanguage),
    claimedAddress: forwardedAddress(hit.forwardedFor),
    props: looseProps(props),
    passive: isInteractive(value["i"] ?? value["interactive"]) ? 0 : 1,
    ...(name === "engagement" && { engagementMs, scroll }),
  });
}

/** An object, or the JSON text of one. Small clients write props and revenue as text. */
function looseObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "string") return objectOf(value);
  const parsed = parseJson(value);
  return parsed.ok ? objectOf(parsed.value) : {};
}

/** An event is interactive unless it says that it is not. */
function isInteractive(mark: unknown): boolean {
  return mark !== false && mark !== "false";
}

function isHashMode(value: Readonly<Record<string, unknown>>): boolean {
  const mode = value["h"] ?? value["hashMode"];
  return mode === 1 || mode === true || mode === "1";
}

/** A site that nobody owns is dropped without an error, as Plausible does. A header says so. */
function answer({ outcome }: Settled): Answer {
  const problem = problemOf(outcome);
  if (problem === undefined || problem.code === "unknown_tracking_id") {
    const dropped = outcome.ok ? outcome.value.dropped.length + outcome.value.rejected.length : 1;
    return plain(202, "ok", dropped === 0 ? {} : { "x-plausible-dropped": String(dropped) });
  }
  const message = problem.code === "invalid_json" ? "request: Unable to parse request body as json" : problem.message;
  const [, field = "request", text = message] = /^([a-z_.]+):? (.+)$/s.exec(message) ?? [];
  return json(problem.status, { errors: { [field]: [text] } }, retryAfter(problem.status));
}
